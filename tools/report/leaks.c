/*
 * leaks.c - what keeps growing, with names
 */
#include "report/leaks.h"

#include <stdlib.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"
#include "settings/config.h"

/* --- rows ----------------------------------------------------------------- */

uint32_t
leaks_site(const struct leaks *l, const struct leaks_row *row)
{
	return (uint32_t)(row->site - l->profile->site);
}

static void
make_rows(struct leaks *l)
{
	const struct judge *j = &l->judge;

	l->row = need(calloc(j->sites + 1, sizeof(*l->row)));
	for (uint64_t i = 1; i < j->sites && j->points != 0; i++)
		if (j->site[i].allocations != 0)
			l->row[l->rows++] = (struct leaks_row){
				.site = &l->profile->site[i],
				.judged = &j->site[i],
				.verdict = &j->verdict[i],
				.left_s = UINT64_MAX,
			};
}

static int
compare_rows(const void *a, const void *b)
{
	const struct leaks_row *x = a, *y = b;
	int order = verdict_compare(x->verdict, y->verdict);

	if (order != 0)
		return order;
	if (x->judged->held < y->judged->held ||
	    x->judged->held > y->judged->held)
		return x->judged->held < y->judged->held ? 1 : -1;
	return x->site < y->site ? -1 : x->site > y->site;
}

/* Names are looked up of those that are told, unless all are. */
static void
resolve(struct leaks *l)
{
	const struct site **sites = need(calloc(l->rows + 1, sizeof(*sites)));
	size_t count = 0;

	for (size_t i = 0; i < l->rows; i++)
		if (l->options->all || l->options->json ||
		    judge_is_told(l->row[i].verdict))
			sites[count++] = l->row[i].site;
	symbols_resolve(l->symbols, sites, count);
	free(sites);
}

/* --- what is known -------------------------------------------------------- */

static bool
read_suppressions(struct leaks *l, const char *name)
{
	const struct option_list *files = &l->options->suppressions;

	suppress_open(&l->suppress, !l->options->plain);
	for (size_t i = 0; i < files->count; i++)
		if (!suppress_read(&l->suppress, files->value[i], name))
			return false;
	return true;
}

static void
suppress_row(const struct leaks *l, struct leaks_row *row)
{
	struct frame *frames;
	size_t count = symbols_stack(l->symbols, row->site, &frames);

	row->suppressed = suppress_find(&l->suppress, frames, count);
	free(frames);
}

static void
count_kinds(struct leaks *l)
{
	for (size_t i = 0; i < l->rows; i++) {
		struct leaks_row *row = &l->row[i];

		if (judge_is_told(row->verdict) || l->options->json ||
		    l->options->all)
			suppress_row(l, row);
		if (row->suppressed == NULL)
			l->kinds[row->verdict->kind]++;
		else
			l->suppressed++;
	}
}

/* --- the limit ------------------------------------------------------------ */

/* How long each would take alone to come to it. */
static void
find_time_left(struct leaks *l)
{
	const struct profile *p = l->profile;
	uint64_t budget = p->segment->config.budget_bytes;

	l->limit.available = LIMIT_NONE;
	if (!p->live || limit_of_pid(profile_pid(p), budget, &l->limit) < 0 ||
	    l->limit.available == LIMIT_NONE)
		return;
	for (size_t i = 0; i < l->rows; i++) {
		const struct verdict *v = l->row[i].verdict;

		if (v->kind == VERDICT_GROWING && v->per_second > 0)
			l->row[i].left_s = whole_u64((double)
			    l->limit.available / v->per_second);
	}
}

/* --- opening -------------------------------------------------------------- */

static bool
find_since(const struct leaks *l, const char *name, uint64_t *since_ns)
{
	const struct mark *m;

	*since_ns = 0;
	if (l->options->since == NULL)
		return true;
	m = profile_mark(l->profile, l->options->since);
	if (m == NULL) {
		print_error("%s: '%s' has no mark '%s'", name,
		    l->profile->path, l->options->since);
		return false;
	}
	*since_ns = m->at_ns;
	return true;
}

bool
leaks_open(struct leaks *l, const struct profile *profile,
    const struct leaks_options *options, const char *name)
{
	struct judge_options judge = {
		.now_ns = profile->now_ns,
		.warmup = options->warmup == UINT64_MAX ? SIZE_MAX :
		    (size_t)options->warmup,
		.ended = !profile->live,
		.effect = (double)options->effect / 1e6,
	};

	char why[CONFIG_WHY_ROOM];

	*l = (struct leaks){ .options = options, .profile = profile };
	l->control = profile_control(profile);
	if (config_least(&l->control.least, why) < 0) {
		print_error("%s: %s", name, why);
		return false;
	}
	if (!read_suppressions(l, name) ||
	    !find_since(l, name, &judge.since_ns))
		return false;
	lives_open(&l->lives, profile);
	if (judge_open(&l->judge, &l->control, &judge) < 0)
		need(NULL);
	make_rows(l);
	qsort(l->row, l->rows, sizeof(*l->row), compare_rows);
	l->symbols = symbols_open(profile, options->debuginfod);
	resolve(l);
	count_kinds(l);
	find_time_left(l);
	return true;
}

void
leaks_close(struct leaks *l)
{
	if (l->symbols != NULL)
		symbols_close(l->symbols);
	judge_close(&l->judge);
	lives_close(&l->lives);
	suppress_close(&l->suppress);
	free(l->row);
}

uint64_t
leaks_survivors(const struct leaks *l, const struct leaks_row *row,
    uint64_t epochs)
{
	struct judge_age ages[VERDICT_POINTS];
	size_t count = judge_ages(&l->judge, leaks_site(l, row), ages);
	int64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		if (ages[i].age >= (double)epochs)
			bytes = add_i64(bytes, ages[i].bytes);
	return bytes > 0 ? (uint64_t)bytes : 0;
}

#define CHUNK_LEAST   (16.0 * 1024)
#define CHUNKS_LEAST  4

bool
leaks_may_be_pool(const struct leaks *l, const struct leaks_row *row)
{
	const struct judged *d = row->judged;
	double all = 0;

	if (row->verdict->kind != VERDICT_GROWING ||
	    d->live_blocks < CHUNKS_LEAST || (double)d->live_bytes <
	    CHUNK_LEAST * (double)d->live_blocks)
		return false;
	for (size_t i = 0; i < l->rows; i++)
		if (l->row[i].verdict->kind == VERDICT_GROWING)
			all += l->row[i].verdict->per_second;
	return row->verdict->per_second * 2 > all;
}
