/*
 * verdict-power.c - how often the law of verdicts is right, by simulation
 *
 * usage: verdict-power [-b] [RUNS [BATCHES...]]
 *
 * Each run has one or two sites that are its scenario, and INNOCENT others
 * beside them (scenarios.h).  What is noted at the end of each batch, and
 * thinned out, is what control/mark.c keeps; all sites are judged by
 * verdict_of() and verdict_control(), as a program's are.  With -b it is not
 * told when blocks were born.  The naive tests see the same points.
 *
 * Prints, in percent of runs:
 *   found    all leaks of the scenario were accused
 *   since    median of the error of where they began, in batches
 *   first    the fastest leak was the first to be told
 *   alarm    any other site was accused
 *   heap     the sum of all sites was accused
 *   last, five, line
 *            the naive tests: the last point is above the first; five rises in
 *            a row; a line by least squares explains 90 %: how often they
 *            accuse the scenario's own site, and any that does not leak
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/verdict.h"
#include "scenarios.h"

#define SITES (INNOCENT + 2)
#define COLUMNS VERDICT_POINTS
#define RUNS_MOST 100000

/* --- marks ---------------------------------------------------------------- */

struct marks {
	int epoch[COLUMNS];
	int used, stride, epochs;
};

static void
thin_out(struct marks *m, struct site *s)
{
	int i;
	size_t k;

	for (i = 1; i < COLUMNS / 2; i++)
		m->epoch[i] = m->epoch[2 * i];
	for (k = 0; k < SITES; k++)
		for (i = 1; i < COLUMNS / 2; i++) {
			s[k].column[i] = s[k].column[2 * i];
			s[k].column_allocated[i] =
			    s[k].column_allocated[2 * i];
		}
	m->used = COLUMNS / 2;
	m->stride *= 2;
}

/* As note_figures() in control/mark.c. */
static void
mark(struct marks *m, struct site *s)
{
	size_t k;

	if (m->epochs++ % m->stride != 0)
		return;
	if (m->used >= COLUMNS) {
		thin_out(m, s);
		if ((m->epochs - 1) % m->stride != 0)
			return;
	}
	for (k = 0; k < SITES; k++) {
		s[k].column[m->used] = s[k].live;
		s[k].column_allocated[m->used] = s[k].allocated;
	}
	m->epoch[m->used++] = m->epochs - 1;
}

/* The last point is now; of a full table the last column makes room. */
static void
mark_now(struct marks *m, struct site *s)
{
	if (m->epoch[m->used - 1] == m->epochs - 1)
		return;
	if (m->used == COLUMNS)
		m->used--;
	m->stride = 1;
	m->epochs--;
	mark(m, s);
}

static size_t
read_site(const struct marks *m, struct site *s, struct verdict_point *point)
{
	int last = m->epoch[m->used - 1];
	int i, k = 0;
	size_t j;

	memset(point, 0, COLUMNS * sizeof(*point));
	for (i = 0; i < m->used; i++)
		point[i] = (struct verdict_point){
			.epoch = m->epoch[i],
			.at = m->epoch[i] * 60.0,
			.live = s->column[i],
			.allocated = s->column_allocated[i],
		};
	for (j = 0; j < s->count; j++) {
		if (held(s, j)->made > last)
			continue;
		for (k = 0; m->epoch[k] < held(s, j)->made; k++)
			;
		point[k].survived += held(s, j)->bytes;
	}
	return (size_t)m->used;
}

/* --- the naive tests ------------------------------------------------------ */

static bool
last_above_first(const struct verdict_point *p, size_t n)
{
	return p[n - 1].live > p[0].live;
}

static bool
five_in_a_row(const struct verdict_point *p, size_t n)
{
	size_t i;
	int row = 0;

	for (i = 1; i < n; i++) {
		row = p[i].live > p[i - 1].live ? row + 1 : 0;
		if (row == 5)
			return true;
	}
	return false;
}

static bool
fits_a_line(const struct verdict_point *p, size_t n)
{
	double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		x += p[i].epoch / (double)n;
		y += p[i].live / (double)n;
	}
	for (i = 0; i < n; i++) {
		xx += (p[i].epoch - x) * (p[i].epoch - x);
		yy += (p[i].live - y) * (p[i].live - y);
		xy += (p[i].epoch - x) * (p[i].live - y);
	}
	return xy > 0 && xy * xy > 0.9 * xx * yy;
}

/* --- runs ----------------------------------------------------------------- */

enum judge { LAW, LAST, FIVE, LINE, JUDGES };

struct result {
	int found[JUDGES], alarm[JUDGES]; /* runs */
	int first, heap;
	double since[2 * RUNS_MOST];
	size_t sinces;
};

static void
live_through(const struct scenario *scenario, int batches, struct site *site,
    struct marks *m)
{
	int now;
	size_t k;

	memset(site, 0, SITES * sizeof(*site));
	*m = (struct marks){ .stride = 1 };
	scenario->make(site, batches);
	make_innocent(site + 2, batches);
	for (now = 0; now < batches; now++) {
		for (k = 0; k < SITES; k++)
			if (site[k].batch != NULL)
				site[k].batch(&site[k], now, batches);
		mark(m, site);
	}
	mark_now(m, site);
}

static struct site site[SITES];
static struct verdict_point point[SITES][COLUMNS], heap[COLUMNS];
static struct verdict verdict[SITES];

/* Their points, and those of all together. */
static size_t
read_sites(const struct marks *m, bool births)
{
	size_t n = 0;
	size_t k, i;

	memset(heap, 0, sizeof(heap));
	for (k = 0; k < SITES; k++) {
		n = read_site(m, &site[k], point[k]);
		for (i = 0; i < n; i++) {
			if (!births)
				point[k][i].survived = 0;
			heap[i].epoch = point[k][i].epoch;
			heap[i].at = point[k][i].at;
			heap[i].live += point[k][i].live;
			heap[i].survived += point[k][i].survived;
		}
	}
	return n;
}

/* Is the leak that is told first the fastest? */
static bool
is_first(int leaks)
{
	int k;

	for (k = 1; k < leaks; k++)
		if (verdict_compare(&verdict[k], &verdict[0]) < 0)
			return false;
	for (k = leaks; k < SITES; k++)
		if (verdict_compare(&verdict[k], &verdict[0]) < 0 &&
		    verdict[k].kind == VERDICT_GROWING)
			return false;
	return verdict[0].kind == VERDICT_GROWING;
}

static void
judge(int leaks, size_t n, struct result *r)
{
	static const struct verdict_options options = { .warmup = SIZE_MAX };
	static const struct verdict_options of_all = { .warmup = SIZE_MAX,
		.sum = true };
	int found[JUDGES] = { 0 };
	int alarm[JUDGES] = { 0 };
	struct verdict whole;
	bool is[JUDGES];
	int j, k;

	for (k = 0; k < SITES; k++)
		verdict_of(point[k], n, &options, &verdict[k]);
	verdict_control(verdict, SITES, VERDICT_LEVEL);
	verdict_of(heap, n, &of_all, &whole);
	r->heap += whole.kind == VERDICT_GROWING;
	r->first += is_first(leaks);
	/* Down to 0: what is[] has at the end is of the scenario's own site. */
	for (k = SITES - 1; k >= 0; k--) {
		is[LAW] = verdict[k].kind == VERDICT_GROWING;
		is[LAST] = last_above_first(point[k], n);
		is[FIVE] = five_in_a_row(point[k], n);
		is[LINE] = fits_a_line(point[k], n);
		for (j = 0; j < JUDGES; j++)
			if (k < leaks)
				found[j] += is[j];
			else
				alarm[j] += is[j];
		if (k < leaks && is[LAW])
			r->since[r->sinces++] = fabs(site[k].begins -
			    point[k][verdict[k].since].epoch);
	}
	for (j = 0; j < JUDGES; j++) {
		r->found[j] += leaks > 0 ? found[j] == leaks : is[j];
		r->alarm[j] += alarm[j] > 0;
	}
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print(const struct scenario *scenario, int batches, int runs, struct result *r)
{
	bool leaks = scenario->leaks > 0;
	double each = 100.0 / runs;
	int j;

	qsort(r->since, r->sinces, sizeof(*r->since), ascending);
	printf("%-17s %7d", scenario->name, batches);
	if (leaks)
		printf(" %6.1f %5.0f %6.1f", r->found[LAW] * each,
		    r->sinces > 0 ? r->since[r->sinces / 2] : NAN,
		    r->first * each);
	else
		printf(" %6s %5s %6s", "", "", "");
	printf(" %5.1f %5.1f", r->alarm[LAW] * each, r->heap * each);
	for (j = LAST; j < JUDGES; j++)
		printf("  %3.0f/%-3.0f", r->found[j] * each,
		    r->alarm[j] * each);
	putchar('\n');
	fflush(stdout);
}

static void
simulate(size_t number, int batches, int runs, bool births)
{
	static struct result result;
	const struct scenario *scenario = &scenarios[number];
	struct marks m;
	int run;
	size_t k;

	memset(&result, 0, sizeof(result));
	for (run = 0; run < runs; run++) {
		seed = ((uint64_t)run << 32) + number * 65536 +
		    (uint64_t)batches;
		live_through(scenario, batches, site, &m);
		judge(scenario->leaks, read_sites(&m, births), &result);
		for (k = 0; k < SITES; k++)
			free(site[k].block);
	}
	print(scenario, batches, runs, &result);
}

static void
simulate_all(int batches, int runs, bool births)
{
	size_t number;

	for (number = 0; scenarios[number].name != NULL; number++)
		simulate(number, batches, runs, births);
}

int
main(int argc, char **argv)
{
	static const int usual[] = { 20, 40, 100, 400, 2000 };
	bool births = true;
	int runs = 1000;
	size_t i;

	if (argc > 1 && strcmp(argv[1], "-b") == 0) {
		births = false;
		argv++;
		argc--;
	}
	if (argc > 1)
		runs = atoi(argv[1]);
	if (runs < 1 || runs > RUNS_MOST) {
		fprintf(stderr,
		    "usage: verdict-power [-b] [RUNS [BATCHES...]]\n");
		return 2;
	}
	printf("%-17s %7s %6s %5s %6s %5s %5s  %-7s  %-7s  %s\n", "scenario",
	    "batches", "found", "since", "first", "alarm", "heap", "last",
	    "five", "line");
	if (argc > 2)
		for (i = 2; i < (size_t)argc; i++)
			simulate_all(atoi(argv[i]), runs, births);
	else
		for (i = 0; i < ARRAY_LENGTH(usual); i++)
			simulate_all(usual[i], runs, births);
	return 0;
}
