/*
 * check-text.c - the answer of a gate for people, and what all answers say
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "check/check.h"
#include "report/report.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

#define FRAME_ROOM 4096

/* --- words that all answers have ------------------------------------------ */

const char *
check_answer_name(enum check_answer answer)
{
	static const char *const names[] = {
		[CHECK_UNKNOWN] = "unknown",
		[CHECK_CLEAR] = "clear",
		[CHECK_HOLDS] = "holds",
	};

	return names[answer];
}

static char *
put_value(const struct check_outcome *o, double value,
    char words[GATE_VALUE_ROOM])
{
	if (!o->by_allocation)
		return gate_format(o->gate.figure, value, o->unit, words);
	snprintf(words, GATE_VALUE_ROOM, "%.3g%s an allocation", value,
	    gate_figures[o->gate.figure].bytes ? " B" : "");
	return words;
}

/* How the two sides were made comparable. */
static const char *
basis_of(const struct check_outcome *o)
{
	return o->unit == GATE_BATCH ? "by batch" :
	    o->by_allocation ? "by allocation" :
	    o->unit != GATE_WHOLE ? "by time" : "as it is";
}

char *
check_value(const struct check_outcome *o, char words[CHECK_VALUE_ROOM])
{
	char value[GATE_VALUE_ROOM], base[GATE_VALUE_ROOM], share[32] = "";
	const char *about = o->estimated ? "about " : "";

	put_value(o, o->value, value);
	if (!o->gate.relative) {
		snprintf(words, CHECK_VALUE_ROOM, "%s%s", about, value);
		return words;
	}
	if (o->base > 0)
		snprintf(share, sizeof(share), ", %+.1f %%",
		    (o->value / o->base - 1) * 100);
	snprintf(words, CHECK_VALUE_ROOM, "%s%s%s, the baseline has %s "
	    "(compared %s)", about, value, share, put_value(o, o->base, base),
	    basis_of(o));
	return words;
}

char *
check_stack(const struct check_finding *f)
{
	char words[FRAME_ROOM], *text = NULL;
	size_t bytes;
	FILE *to = need(open_memstream(&text, &bytes));

	for (size_t i = 0; i < f->frames; i++) {
		report_frame(words, sizeof(words), &f->frame[i]);
		fprintf(to, "%s\n", words);
	}
	fclose(to);
	return need(text);
}

/* --- for people ----------------------------------------------------------- */

static void
print_callers(const struct check *c, const struct check_finding *f,
    const struct print *out)
{
	char words[FRAME_ROOM];
	uint64_t shown = 0;
	size_t i = 1;

	while (i < f->frames && shown++ < c->options->callers) {
		i += report_fold(&f->frame[i], f->frames - i, words,
		    sizeof(words));
		print_line(out, PRINT_FAINT, "          %s", words);
	}
}

static void
print_finding(const struct check *c, const struct check_outcome *o,
    const struct check_finding *f, const struct print *out)
{
	char words[FRAME_ROOM] = "[no stack]", amount[GATE_VALUE_ROOM];

	if (f->frames != 0)
		report_frame(words, sizeof(words), &f->frame[0]);
	print_line(out, PRINT_STRONG, "      %s%s  %s%s",
	    f->estimated ? "about " : "", put_value(o, f->amount, amount),
	    words, f->mapping ? " (mapped)" : "");
	if (c->processes > 1)
		print_line(out, PRINT_PLAIN, "        in %s, pid %d",
		    f->process->name, f->process->pid);
	if (f->words[0] != '\0')
		print_line(out, PRINT_PLAIN, "        %s", f->words);
	print_callers(c, f, out);
}

static void
print_findings(const struct check *c, const struct check_outcome *o,
    const struct print *out)
{
	size_t shown = min_u64(o->findings, c->options->top);

	for (size_t i = 0; i < shown; i++)
		print_finding(c, o, &o->finding[i], out);
	if (shown < o->findings + o->more)
		print_line(out, PRINT_FAINT, "      and %zu more; --top N "
		    "shows N", o->findings + o->more - shown);
}

static void
print_count(const struct print *out, size_t count, const char *one,
    const char *many)
{
	if (count != 0)
		print_line(out, PRINT_FAINT, "      %zu %s", count,
		    count == 1 ? one : many);
}

static void
print_left_out(const struct check_outcome *o, const struct print *out)
{
	print_count(out, o->suppressed, "site is suppressed",
	    "sites are suppressed");
	print_count(out, o->ignored, "site is ignored, by --only or --ignore",
	    "sites are ignored, by --only or --ignore");
	print_count(out, o->before, "site grew as fast in the baseline",
	    "sites grew as fast in the baseline");
	print_count(out, o->doubted, "site may grow, and may be chance",
	    "sites may grow, and may be chance");
	if (o->answer != CHECK_UNKNOWN && o->unjudged != 0)
		print_line(out, PRINT_FAINT, "      %zu process%s not judged: "
		    "%s", o->unjudged, o->unjudged == 1 ? " was" :
		    "es were", o->why);
}

static void
print_outcome(const struct check *c, const struct check_outcome *o,
    const struct print *out)
{
	static const struct { const char *word; enum print_style style; }
	answers[] = {
		[CHECK_UNKNOWN] = { "?   ", PRINT_WARN },
		[CHECK_CLEAR] = { "ok  ", PRINT_GOOD },
		[CHECK_HOLDS] = { "FAIL", PRINT_BAD },
	};
	char words[CHECK_VALUE_ROOM], where[128] = "";

	if (o->answer == CHECK_UNKNOWN)
		snprintf(words, sizeof(words), "cannot be said: %.200s",
		    o->why);
	else
		check_value(o, words);
	if (o->process != NULL && c->processes > 1)
		snprintf(where, sizeof(where), ", in %.60s, pid %d",
		    o->process->name, o->process->pid);
	print_line(out, answers[o->answer].style, "  %s  %s: %s%s",
	    answers[o->answer].word, o->gate.text, words, where);
	print_findings(c, o, out);
	print_left_out(o, out);
}

void
check_print_text(const struct check *c, FILE *to)
{
	struct print out = print_open(to);
	bool pass = check_status(c) == COMMAND_DONE;
	char others[64] = "";

	if (c->processes > 1)
		snprintf(others, sizeof(others), " (and %zu other process%s)",
		    c->processes - 1, c->processes == 2 ? "" : "es");
	print_line(&out, pass ? PRINT_GOOD : PRINT_BAD, "%s  %s%s",
	    pass ? "PASS" : "FAIL", c->process[0]->command, others);
	for (size_t i = 0; i < c->outcomes; i++)
		print_outcome(c, &c->outcome[i], &out);
	if (c->end != NULL)
		print_line(&out, PRINT_BAD, "  the program %s", c->end);
}
