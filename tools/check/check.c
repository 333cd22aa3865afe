/*
 * check.c - a gate for continuous integration: does an expression hold?
 */
#include "check/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "report/suppress.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

/* Of a total, such as the peak, those that it is told by. */
#define PARTS_MOST 10

/* A build whose compilers lose something would have millions. */
#define FINDINGS_MOST 1000

/* --- expressions ---------------------------------------------------------- */

static const char *const default_gates[] = {
	"growth>0", /* by batch if epochs were marked, else by hour */
	/* with a baseline also */
	"peak>+10%",
	"allocations>+10%/batch",
};

static bool
add_gate(struct check *c, const char *text, bool standard)
{
	struct gate *g = &c->outcome[c->outcomes].gate;
	char why[GATE_WHY_ROOM];

	if (!gate_parse(text, g, why)) {
		print_error("check: %s", why);
		return false;
	}
	if (g->relative && c->options->baseline == NULL) {
		print_error("check: expression '%s' needs a baseline; give "
		    "--baseline FILE", text);
		return false;
	}
	c->outcome[c->outcomes++].standard = standard;
	return true;
}

static bool
add_gates(struct check *c)
{
	const struct option_list *given = &c->options->fail_if;
	size_t standard = c->options->baseline != NULL ?
	    ARRAY_LENGTH(default_gates) : 1;

	for (size_t i = 0; i < given->count; i++)
		if (!add_gate(c, given->value[i], false))
			return false;
	for (size_t i = 0; given->count == 0 && i < standard; i++)
		if (!add_gate(c, default_gates[i], true))
			return false;
	return true;
}

int
check_open(struct check *c, const struct check_options *options)
{
	*c = (struct check){
		.options = options,
		.leaks = {
			.debuginfod = options->debuginfod,
			.plain = options->plain,
			.warmup = options->warmup,
			.suppressions = options->suppressions,
		},
	};
	return add_gates(c) ? COMMAND_DONE : COMMAND_USAGE;
}

static void
free_finding(struct check_finding *f)
{
	for (size_t i = 0; i < f->frames; i++) {
		free((char *)f->frame[i].function);
		free((char *)f->frame[i].file);
		free((char *)f->frame[i].module);
	}
	free(f->frame);
}

void
check_close(struct check *c)
{
	for (size_t i = 0; i < c->outcomes; i++) {
		struct check_outcome *o = &c->outcome[i];

		for (size_t k = 0; k < o->findings; k++)
			free_finding(&o->finding[k]);
		free(o->finding);
	}
	for (size_t i = 0; i < c->processes; i++)
		check_process_close(c->process[i]);
	free(c->process);
	for (size_t i = 0; i < c->baselines; i++) {
		free(c->baseline[i].path);
		check_process_close(c->baseline[i].process);
	}
	free(c->baseline);
	free(c->end);
}

/* --- profiles of children ------------------------------------------------- */

static int
is_profile(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > sizeof(SEGMENT_SUFFIX) && strcmp(entry->d_name +
	    length - (sizeof(SEGMENT_SUFFIX) - 1), SEGMENT_SUFFIX) == 0;
}

/* Those in FILE.d, as `run -o FILE` leaves them; each to be freed. */
static size_t
list_children(const char *file, char ***paths)
{
	char *folder = need_text("%s.d", file);
	struct dirent **entry;
	int count = scandir(folder, &entry, is_profile, alphasort);

	*paths = need(calloc(count > 0 ? (size_t)count : 1, sizeof(char *)));
	for (int i = 0; i < count; i++) {
		(*paths)[i] = need_text("%s/%s", folder, entry[i]->d_name);
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
	free(folder);
	return count > 0 ? (size_t)count : 0;
}

/* Call @visit with each of them. */
static void
each_child(struct check *c, const char *file,
    void (*visit)(struct check *c, const char *path))
{
	char **path;
	size_t count = list_children(file, &path);

	for (size_t i = 0; i < count; i++) {
		visit(c, path[i]);
		free(path[i]);
	}
	free(path);
}

/* --- the baseline --------------------------------------------------------- */

static bool
add_baseline(struct check *c, const char *path)
{
	struct check_baseline *b;
	struct profile p;
	char why[512];

	if (profile_open(path, &p, why) < 0) {
		print_error("check: %s", why);
		return false;
	}
	if (profile_tell_changed(&p, "check", COMMAND_DONE) != COMMAND_DONE) {
		profile_close(&p);
		return false;
	}
	c->baseline = need(realloc(c->baseline, (c->baselines + 1) *
	    sizeof(*c->baseline)));
	b = &c->baseline[c->baselines++];
	b->path = need_text("%s", path);
	b->process = check_process_of(&p);
	profile_close(&p);
	return true;
}

static void
add_baseline_child(struct check *c, const char *path)
{
	(void)add_baseline(c, path);
}

/* A process of the same command, else of the same name. */
static const struct check_baseline *
find_child(const struct check *c, const struct check_process *p)
{
	for (size_t i = 1; i < c->baselines; i++)
		if (strcmp(c->baseline[i].process->command, p->command) == 0)
			return &c->baseline[i];
	for (size_t i = 1; i < c->baselines; i++)
		if (strcmp(c->baseline[i].process->name, p->name) == 0)
			return &c->baseline[i];
	return NULL;
}

/* Open what @s is compared with.  False: there is nothing. */
static bool
open_counterpart(const struct check *c, const struct check_subject *s,
    bool first, struct check_subject *base)
{
	const struct check_baseline *b;
	char why[512];

	if (c->baselines == 0)
		return false;
	b = first ? &c->baseline[0] : find_child(c, s->process);
	if (b == NULL)
		return false;
	if (check_subject_open(c, base, b->path, NULL, why))
		return true;
	print_error("check: %s", why);
	return false;
}

static bool
try_suppressions(const struct check *c)
{
	const struct option_list *files = &c->options->suppressions;
	struct suppress s;
	bool good = true;

	suppress_open(&s, false);
	for (size_t i = 0; good && i < files->count; i++)
		good = suppress_read(&s, files->value[i], "check");
	suppress_close(&s);
	return good;
}

bool
check_prepare(struct check *c)
{
	if (!try_suppressions(c))
		return false;
	if (c->options->baseline == NULL)
		return true;
	if (!add_baseline(c, c->options->baseline))
		return false;
	each_child(c, c->options->baseline, add_baseline_child);
	return true;
}

/* --- findings ------------------------------------------------------------- */

static void
copy_stack(const struct check_subject *s, uint32_t site,
    struct check_finding *f)
{
	f->frames = symbols_stack(s->leaks.symbols, &s->profile.site[site],
	    &f->frame);
	for (size_t i = 0; i < f->frames; i++) {
		struct frame *frame = &f->frame[i];

		frame->function = need_text("%s", frame->function);
		frame->file = need_text("%s", frame->file);
		frame->module = need_text("%s", frame->module);
	}
}

static void
add_finding(struct check_outcome *o, const struct check_subject *s,
    const struct check_part *part)
{
	const struct leaks_row *row = s->row[part->site];
	struct check_finding *f;

	o->finding = need(realloc(o->finding, (o->findings + 1) *
	    sizeof(*o->finding)));
	f = &o->finding[o->findings++];
	*f = (struct check_finding){
		.process = s->process,
		.site = part->site,
		.amount = part->amount,
		.estimated = s->profile.figures[part->site].drawn != 0,
		.mapping = (s->profile.site[part->site].flags &
		    SITE_MAPPING) != 0,
	};
	if (row != NULL && (o->gate.figure == GATE_GROWTH ||
	    o->gate.figure == GATE_STEPS))
		leaks_words(&s->leaks, row->verdict, f->words);
	copy_stack(s, part->site, f);
}

static int
compare_findings(const void *a, const void *b)
{
	const struct check_finding *x = a, *y = b;

	if (x->amount < y->amount || x->amount > y->amount)
		return x->amount < y->amount ? 1 : -1;
	return x->process->pid < y->process->pid ? -1 :
	    x->process->pid > y->process->pid;
}

/* The strongest of all processes stay. */
static void
trim_findings(struct check_outcome *o, size_t most)
{
	if (o->findings == 0)
		return;
	qsort(o->finding, o->findings, sizeof(*o->finding), compare_findings);
	while (o->findings > most) {
		free_finding(&o->finding[--o->findings]);
		o->more++;
	}
}

/* A total is told by the sites of the process that has most, @worst. */
static void
add_findings(struct check_outcome *o, const struct check_subject *s,
    const struct check_sum *sum, bool worst)
{
	bool leak = gate_figures[o->gate.figure].leak;
	size_t most = leak ? FINDINGS_MOST : PARTS_MOST;
	size_t count = min_u64(sum->parts, most);

	if (!leak && !worst)
		return;
	if (!leak) {
		trim_findings(o, 0);
		o->more = 0;
	}
	o->more += sum->parts - count;
	for (size_t i = 0; i < count; i++)
		add_finding(o, s, &sum->part[i]);
	trim_findings(o, most);
}

/* --- judging -------------------------------------------------------------- */

/* What two processes are compared by: which one is worse? */
static double
measure(const struct gate *g, double value, double base)
{
	return !g->relative ? value : base > 0 ? value / base - 1 :
	    value > 0 ? 1e300 : 0;
}

/* True: of all so far it is the worst. */
static bool
take_value(struct check_outcome *o, const struct check_subject *s,
    const struct check_sum *sum, double base, enum check_answer answer)
{
	if (answer < o->answer || (answer == o->answer &&
	    !gate_is_worse(&o->gate, measure(&o->gate, sum->value, base),
	    measure(&o->gate, o->value, o->base))))
		return false;
	o->answer = answer;
	o->value = sum->value;
	o->base = base;
	o->unit = sum->unit;
	o->by_allocation = sum->by_allocation;
	o->estimated = sum->estimated;
	o->process = s->process;
	return true;
}

static void
count_left_out(struct check_outcome *o, const struct check_sum *sum)
{
	o->suppressed += sum->suppressed;
	o->ignored += sum->ignored;
	o->before += sum->before;
	o->doubted += sum->doubted;
}

static void
not_judged(struct check_outcome *o, bool early, const char *why)
{
	o->unjudged++;
	o->blind |= !early;
	if (o->why[0] == '\0')
		snprintf(o->why, sizeof(o->why), "%.255s", why);
}

/* The baseline's value; false: it is not known. */
static bool
find_base(const struct check *c, struct check_outcome *o,
    const struct check_subject *s, const struct check_subject *base,
    double *value)
{
	struct check_sum sum;
	bool known;
	char *why;

	*value = 0;
	if (!o->gate.relative)
		return true;
	if (base == NULL) {
		not_judged(o, false, "the baseline has no such process");
		return false;
	}
	check_sum(c, &o->gate, base, s, &sum);
	known = sum.known;
	*value = sum.value;
	free(sum.part);
	if (!known) {
		why = need_text("of the baseline: %s", sum.why);
		not_judged(o, false, why);
		free(why);
	}
	return known;
}

static void
judge(const struct check *c, struct check_outcome *o,
    const struct check_subject *s, const struct check_subject *base)
{
	struct check_sum sum;
	bool holds, worst;
	double than;

	if (!find_base(c, o, s, base, &than))
		return;
	check_sum(c, &o->gate, s, base, &sum);
	if (!sum.known) {
		not_judged(o, sum.early, sum.why);
	} else {
		holds = gate_holds(&o->gate, sum.value, than);
		o->judged++;
		worst = take_value(o, s, &sum, than,
		    holds ? CHECK_HOLDS : CHECK_CLEAR);
		count_left_out(o, &sum);
		if (holds)
			add_findings(o, s, &sum, worst);
	}
	free(sum.part);
}

static void
judge_all(struct check *c, struct check_subject *s, bool first)
{
	struct check_subject base;
	bool compared = open_counterpart(c, s, first, &base);

	if (compared)
		check_subject_compare(s, &base);
	for (size_t i = 0; i < c->outcomes; i++)
		judge(c, &c->outcome[i], s, compared ? &base : NULL);
	if (compared)
		check_subject_close(&base);
	c->process = need(realloc(c->process, (c->processes + 1) *
	    sizeof(*c->process)));
	c->process[c->processes++] = s->process;
	s->process = NULL; /* findings have it */
}

static void
judge_child(struct check *c, const char *path)
{
	struct check_subject s;
	char why[512];

	if (check_subject_open(c, &s, path, c->options->since, why)) {
		judge_all(c, &s, false);
		check_subject_close(&s);
		return;
	}
	for (size_t i = 0; i < c->outcomes; i++)
		not_judged(&c->outcome[i], false, why);
}

bool
check_judge(struct check *c, const char *what, bool itself)
{
	struct check_subject s;
	uint64_t pid;
	char why[512];

	if (itself) {
		if (!check_subject_open(c, &s, what, c->options->since, why)) {
			print_error("check: %s", why);
			return false;
		}
		judge_all(c, &s, true);
		check_subject_close(&s);
	}
	if (text_parse_u64(what, INT32_MAX, &pid) < 0)
		each_child(c, what, judge_child);
	return c->processes != 0;
}

bool
check_is_excused(const struct check_outcome *o)
{
	return o->answer == CHECK_UNKNOWN && o->standard && !o->blind;
}

int
check_status(const struct check *c)
{
	int status = COMMAND_DONE;

	for (size_t i = 0; i < c->outcomes; i++) {
		if (c->outcome[i].answer == CHECK_HOLDS)
			return COMMAND_GATE;
		if (c->outcome[i].answer == CHECK_UNKNOWN &&
		    !check_is_excused(&c->outcome[i]))
			status = COMMAND_FAILED;
	}
	return status;
}
