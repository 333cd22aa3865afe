/*
 * leaks-text.c - what keeps growing, for a person: verdicts first
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "report/leaks-scan.h"
#include "report/leaks.h"
#include "report/report.h"
#include "say/print.h"

#define TOP_DEFAULT 10
#define LINE_ROOM   512

/* --- words ---------------------------------------------------------------- */

static char *
put_bytes(char words[TEXT_BYTES_ROOM], double bytes)
{
	return text_format_bytes(words, whole_u64(bytes + 0.5));
}

/* `batch 12`, or `after 3 min 20 s` where nobody has counted any. */
static void
put_moment(const struct leaks *l, size_t point, char words[64])
{
	char time[TEXT_DURATION_ROOM];

	if (!l->judge.timed)
		snprintf(words, 64, "epoch %.0f", l->judge.epoch[point]);
	else
		snprintf(words, 64, "%s after the start",
		    text_format_duration(time, whole_u64(l->judge.at[point] *
		    (double)NS_PER_S)));
}

static void
put_chance(double p, char words[32])
{
	if (p < 0.001)
		snprintf(words, 32, "p < 0.001");
	else
		snprintf(words, 32, "p = %.3f", p);
}

static void
put_growth(const struct leaks *l, const struct verdict *v,
    char words[LEAKS_WORDS_ROOM])
{
	char each[TEXT_BYTES_ROOM], low[TEXT_BYTES_ROOM];
	char high[TEXT_BYTES_ROOM], rate[TEXT_RATE_ROOM], since[64];
	char chance[32];

	put_moment(l, v->since, since);
	put_chance(v->p, chance);
	text_format_rate(rate, v->per_second);
	if (l->judge.timed)
		snprintf(words, LEAKS_WORDS_ROOM, "grows by %s since %s (%s)",
		    rate, since, chance);
	else
		snprintf(words, LEAKS_WORDS_ROOM, "grows by %s an epoch "
		    "(%s to %s), %s, since %s (%s)",
		    put_bytes(each, v->per_epoch), put_bytes(low, v->low),
		    put_bytes(high, v->high), rate, since, chance);
}

char *
leaks_words(const struct leaks *l, const struct verdict *v,
    char words[LEAKS_WORDS_ROOM])
{
	char rose[TEXT_BYTES_ROOM], moment[64];

	put_moment(l, v->since, moment);
	put_bytes(rose, v->rose);
	switch (v->kind) {
	case VERDICT_GROWING:
		put_growth(l, v, words);
		break;
	case VERDICT_STEP:
		snprintf(words, LEAKS_WORDS_ROOM, "rose by %s at one moment, "
		    "before %s, and stayed", rose, moment);
		break;
	case VERDICT_SATURATED:
		snprintf(words, LEAKS_WORDS_ROOM, "grew by %s and has "
		    "stopped, full since %s", rose, moment);
		break;
	case VERDICT_STABLE:
		snprintf(words, LEAKS_WORDS_ROOM, "does not grow");
		break;
	case VERDICT_UNKNOWN:
		snprintf(words, LEAKS_WORDS_ROOM, "%s", v->doubted ?
		    "may grow, and may be chance" :
		    "too few epochs to say");
		break;
	}
	return words;
}

static enum print_style
style_of(enum verdict_kind kind)
{
	static const enum print_style styles[] = {
		[VERDICT_UNKNOWN] = PRINT_FAINT,
		[VERDICT_STABLE] = PRINT_GOOD,
		[VERDICT_SATURATED] = PRINT_PLAIN,
		[VERDICT_STEP] = PRINT_WARN,
		[VERDICT_GROWING] = PRINT_BAD,
	};

	return styles[kind];
}

/* --- the head ------------------------------------------------------------- */

static void
print_head(const struct leaks *l, const struct print *out)
{
	const struct profile *p = l->profile;
	char *command = profile_command(p);
	char time[TEXT_DURATION_ROOM], words[LEAKS_WORDS_ROOM];

	text_format_duration(time, p->now_ns - p->segment->identity.clock_ns);
	print_line(out, PRINT_STRONG, "%s", command);
	print_line(out, PRINT_PLAIN, "  %s %s, %" PRIu64 " epoch%s marked, "
	    "stacks %s%s", p->live ? "runs for" : "ran", time, l->judge.epochs,
	    l->judge.epochs == 1 ? "" : "s", profile_stacks(p),
	    profile_is_exact(p) ? "" : ", not exact");
	if (l->judge.points > 0)
		print_line(out, style_of(l->judge.heap.kind), "  the heap%s %s",
		    l->judge.heap.kind == VERDICT_UNKNOWN ? ":" : "",
		    leaks_words(l, &l->judge.heap, words));
	free(command);
}

/* Why there is nothing to judge by, and what to do. */
static bool
explain(const struct leaks *l, const struct print *out)
{
	if (l->profile->segment->config.stacks == STACKS_NONE &&
	    l->rows == 0) {
		print_line(out, PRINT_PLAIN, "no stacks were kept, so it is "
		    "not known who grows; run it with --stacks sampled or "
		    "all");
		return true;
	}
	if (l->judge.points < 3) {
		print_line(out, PRINT_PLAIN, "it is too early to say: %zu "
		    "moment%s to compare; mark epochs (tide_mark(), "
		    "'heaptide mark', --epoch T), or let it run for longer",
		    l->judge.points, l->judge.points == 1 ? "" : "s");
		return true;
	}
	return false;
}

/* All of it grows, and no one site does so beyond doubt. */
static void
print_hint(const struct leaks *l, const struct print *out)
{
	uint32_t stacks = l->profile->segment->config.stacks;

	if (l->judge.heap.kind == VERDICT_GROWING &&
	    l->kinds[VERDICT_GROWING] == 0 && stacks == STACKS_SAMPLED)
		print_sentence(out, PRINT_PLAIN, 2, "the sample is too small yet to "
		    "say who makes the heap grow; --stacks all, or a smaller "
		    "--sample, tells sooner");
}

static void
print_counts(const struct leaks *l, const struct print *out)
{
	char suppressed[64] = "";

	if (l->suppressed != 0)
		snprintf(suppressed, sizeof(suppressed), "; %zu suppressed",
		    l->suppressed);
	print_sentence(out, l->kinds[VERDICT_GROWING] != 0 ? PRINT_BAD :
	    PRINT_GOOD, 2, "%zu site%s grow%s, %zu made a step, %zu grew and "
	    "%s stopped, %zu %s stable, of %zu it cannot be said%s",
	    l->kinds[VERDICT_GROWING],
	    l->kinds[VERDICT_GROWING] == 1 ? "" : "s",
	    l->kinds[VERDICT_GROWING] == 1 ? "s" : "",
	    l->kinds[VERDICT_STEP], l->kinds[VERDICT_SATURATED],
	    l->kinds[VERDICT_SATURATED] == 1 ? "has" : "have",
	    l->kinds[VERDICT_STABLE],
	    l->kinds[VERDICT_STABLE] == 1 ? "is" : "are",
	    l->kinds[VERDICT_UNKNOWN], suppressed);
}

/* --- a site --------------------------------------------------------------- */

/* The age nearest to @epochs from below; NULL: none is that old. */
static const struct judge_age *
age_at(const struct judge_age *ages, size_t count, double epochs)
{
	for (size_t i = 0; i < count; i++)
		if (ages[i].age + 1 > epochs && ages[i].made != 0)
			return &ages[i];
	return NULL;
}

/*
 * `100.0 % after 1, 98.2 % after 2`: a leak's does not fall.  A thread hears of
 * a new epoch at its next look, so of one that was short there may be left more
 * than was made between its marks; that is all of it.
 */
static bool
put_ages(const struct leaks *l, const struct leaks_row *row,
    char line[LINE_ROOM])
{
	struct judge_age ages[VERDICT_POINTS];
	size_t count = judge_ages(&l->judge, leaks_site(l, row), ages);
	char share[REPORT_SHARE_ROOM];
	const struct judge_age *last = NULL;
	size_t length = 0;
	double told = 0;

	for (double epochs = 1; epochs <= 1 << 20; epochs *= 2) {
		const struct judge_age *a = age_at(ages, count, epochs);

		if (a == NULL || length + 64 > LINE_ROOM)
			break;
		if (a == last || round(fmax(a->age, 1)) <= told)
			continue;
		last = a;
		told = round(fmax(a->age, 1));
		length += (size_t)snprintf(line + length, LINE_ROOM - length,
		    "%s%s after %.0f", length == 0 ? "" : ", ",
		    report_share(share, a->bytes <= 0 ? 0 :
		    min_u64((uint64_t)a->bytes, a->made), a->made), told);
	}
	return length != 0;
}

static void
print_ages(const struct leaks *l, const struct leaks_row *row,
    const struct print *out)
{
	char line[LINE_ROOM];

	if (!l->judge.timed && !row->judged->given_back &&
	    put_ages(l, row, line))
		print_line(out, PRINT_FAINT, "    of what an epoch makes is "
		    "left: %s epochs", line);
}

static void
print_stack(const struct leaks *l, const struct leaks_row *row,
    const struct print *out)
{
	char words[4096] = "[no stack]";
	struct frame *frame;
	size_t count = symbols_stack(l->symbols, row->site, &frame);
	uint64_t shown = 0;
	size_t i = 1;

	if (count != 0)
		report_frame(words, sizeof(words), &frame[0]);
	print_line(out, PRINT_STRONG, "    %s%s", words,
	    (row->site->flags & SITE_MAPPING) != 0 ? " (mapped)" :
	    (row->site->flags & SITE_POOL) != 0 ? " (in a pool)" : "");
	while (i < count && shown++ < l->options->callers) {
		i += report_fold(&frame[i], count - i, words, sizeof(words));
		print_line(out, PRINT_FAINT, "      %s", words);
	}
	free(frame);
}

/* Of what was given back some may be left: that is what leaked. */
static void
print_held(const struct leaks_row *row, const struct print *out)
{
	const struct judged *site = row->judged;
	const char *about = site->estimated ? "about " : "";
	const char *suppressed = row->suppressed != NULL ? " (suppressed)" :
	    "";
	char held[TEXT_BYTES_ROOM], bytes[TEXT_BYTES_ROOM];
	char blocks[TEXT_COUNT_ROOM], in[64], left[128] = "";

	put_bytes(held, site->held);
	snprintf(in, sizeof(in), "%s block%s", text_format_count(blocks,
	    site->live_blocks), site->live_blocks == 1 ? "" : "s");
	if (!site->given_back) {
		print_line(out, PRINT_PLAIN, "    holds %s%s in %s%s", about,
		    held, in, suppressed);
		return;
	}
	put_bytes(bytes, (double)site->live_bytes);
	if (site->live_bytes > 0)
		snprintf(left, sizeof(left), ", all but %s%s in %s", about,
		    bytes, in);
	print_line(out, PRINT_PLAIN, "    held %s%s before it was given back "
	    "at the end%s%s", about, held, left, suppressed);
}

static void
print_row(const struct leaks *l, const struct leaks_row *row,
    const struct print *out)
{
	char words[LEAKS_WORDS_ROOM], bytes[TEXT_BYTES_ROOM], left[64] = "";
	char time[TEXT_DURATION_ROOM];
	if (row->left_s < UINT64_MAX / NS_PER_S)
		snprintf(left, sizeof(left), "; %s to the limit",
		    text_format_duration(time, row->left_s * NS_PER_S));
	fputc('\n', out->to);
	print_line(out, style_of(row->verdict->kind), "  %s%s%s",
	    leaks_words(l, row->verdict, words), left,
	    row->verdict->minor ? "; too little to matter" : "");
	print_held(row, out);
	print_ages(l, row, out);
	leaks_print_lives(l, row, out);
	print_stack(l, row, out);
	if (leaks_may_be_pool(l, row))
		print_line(out, PRINT_PLAIN, "    it takes chunks of %s: a "
		    "pool may hide who uses them; tide_pool_alloc() can tell",
		    put_bytes(bytes, (double)row->judged->live_bytes /
		    (double)row->judged->live_blocks));
}

static bool
is_shown(const struct leaks *l, const struct leaks_row *row)
{
	return l->options->all || (row->suppressed == NULL &&
	    judge_is_told(row->verdict));
}

/* What a scan has found, if there was one. */
static void
print_scan(const struct leaks *l, const struct print *out)
{
	if (!leaks_scan_has(l->profile))
		return;
	fputc('\n', out->to);
	leaks_scan_print(l->profile, l->symbols, out, l->options->top);
	fputc('\n', out->to);
}

void
leaks_print_text(const struct leaks *l)
{
	struct print out = print_open(stdout);
	uint64_t top = l->options->top != 0 ? l->options->top : TOP_DEFAULT;
	uint64_t shown = 0, more = 0;

	print_head(l, &out);
	print_scan(l, &out);
	if (explain(l, &out))
		return;
	print_counts(l, &out);
	print_hint(l, &out);
	leaks_print_tree(l, &out);
	for (size_t i = 0; i < l->rows; i++) {
		if (!is_shown(l, &l->row[i]))
			continue;
		if (shown++ < top)
			print_row(l, &l->row[i], &out);
		else
			more++;
	}
	leaks_print_suspects(l, &out);
	if (more != 0) {
		fputc('\n', out.to);
		print_line(&out, PRINT_FAINT, "  and %" PRIu64 " more; "
		    "--top N shows N", more);
	}
}
