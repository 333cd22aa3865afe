#include "control/series.h"

#include <string.h>

/* A look at resident memory is of the moment if it is no older. */
#define FRESH_NS (5 * NS_PER_S / 2)

#define SECONDS_A_MINUTE 60

/* --- storing -------------------------------------------------------------- */

static bool
copy_terms(struct point *p, const struct segment_rss *rss, uint64_t now_ns)
{
	uint32_t version = atomic_load(&rss->version);
	uint64_t terms[RSS_TERMS];
	uint64_t resident = rss->resident, looked_ns = rss->at_ns;
	int i;

	if (version % 2 != 0 || rss->at_ns == 0 ||
	    above_u64(now_ns, rss->at_ns) > FRESH_NS)
		return false;
	memcpy(terms, rss->terms, sizeof(terms));
	if (atomic_load(&rss->version) != version)
		return false;
	for (i = 0; i < RSS_TERMS; i++)
		atomic_store(&p->terms[i], terms[i]);
	atomic_store(&p->looked_ns, looked_ns);
	atomic_store(&p->resident, resident);
	return true;
}

static struct point *
place_of(struct control *c, enum segment_table_id table, uint64_t number)
{
	uint64_t row = number % c->segment->table[table].capacity;

	if (control_reach(c, table, row + 1) < 0)
		return NULL;
	return (struct point *)control_rows(c, table) + row;
}

static void
store(struct control *c, enum segment_table_id table, uint64_t number,
    uint64_t now_ns, const struct control_sums *sums)
{
	struct point *p = place_of(c, table, number);

	if (p == NULL)
		return;
	atomic_store(&p->at_ns, 0);
	atomic_store(&p->live_bytes, (int64_t)sums->live_bytes);
	atomic_store(&p->peak_bytes, (int64_t)sums->peak_bytes);
	atomic_store(&p->allocated, sums->allocated);
	atomic_store(&p->resident, 0);
	(void)copy_terms(p, &c->segment->rss[RSS_LAST], now_ns);
	atomic_store(&p->at_ns, now_ns);
}

/* True: it is ours to note @number, and nobody else's. */
static bool
begin(_Atomic uint64_t *last, uint64_t number)
{
	uint64_t was = atomic_load(last);

	return number > was &&
	    atomic_compare_exchange_strong(last, &was, number);
}

static uint64_t
second_of(const struct segment *s, uint64_t now_ns)
{
	return above_u64(now_ns, s->identity.clock_ns) / NS_PER_S;
}

void
series_note(struct control *c, uint64_t now_ns)
{
	struct segment_watch *w = &c->segment->watch;
	uint64_t second = second_of(c->segment, now_ns);
	struct control_sums sums;

	if (!begin(&w->second, second))
		return;
	control_sum(c, &sums);
	store(c, TABLE_SECONDS, second, now_ns, &sums);
	if (begin(&w->minute, second / SECONDS_A_MINUTE))
		store(c, TABLE_MINUTES, second / SECONDS_A_MINUTE, now_ns,
		    &sums);
}

void
series_fill(struct control *c, uint64_t now_ns)
{
	uint64_t second = second_of(c->segment, now_ns);
	struct point *p;

	series_note(c, now_ns);
	if (second == 0)
		return;
	p = place_of(c, TABLE_SECONDS, second);
	if (p != NULL && second_of(c->segment, p->at_ns) == second)
		(void)copy_terms(p, &c->segment->rss[RSS_LAST], now_ns);
}

/* --- reading -------------------------------------------------------------- */

struct gathering {
	struct trend_point point[TREND_POINTS];
	size_t count;
	uint64_t start_ns; /* of the process */
};

static void
add_point(struct gathering *g, uint64_t at_ns, uint64_t bytes)
{
	if (g->count < TREND_POINTS)
		g->point[g->count++] = (struct trend_point){
			.at = (double)above_u64(at_ns, g->start_ns) /
			    (double)NS_PER_S,
			.value = (double)bytes,
		};
}

/*
 * How it stood in place @number: by its own point, or the last before that is
 * no older than @oldest.  What is not of that round of the ring is nothing.
 */
static bool
stood(const struct control *c, enum segment_table_id table, uint64_t number,
    uint64_t oldest, uint64_t unit_ns, uint64_t *bytes)
{
	const struct point *row = control_rows(c, table);
	uint64_t rows = control_count(c, table);
	uint64_t capacity = c->segment->table[table].capacity;
	uint64_t start = c->segment->identity.clock_ns;

	/* A profile that was put aside has the rows alone that were used. */
	if (capacity == 0)
		return false;
	for (; number >= oldest && number > 0; number--) {
		const struct point *p = &row[number % capacity];
		uint64_t at;

		if (number % capacity >= rows)
			continue;
		at = atomic_load(&p->at_ns);
		if (at != 0 && above_u64(at, start) / unit_ns == number) {
			*bytes = (uint64_t)atomic_load(&p->live_bytes);
			return atomic_load(&p->at_ns) == at;
		}
	}
	return false;
}

/*
 * Evenly over the span, in seconds where they are still there, else in minutes.
 * Where nothing was noted nothing had moved: the last value before counts.
 */
bool
series_growth(const struct control *c, uint64_t now_ns, uint64_t span_ns,
    struct trend_line *line)
{
	const struct segment *s = c->segment;
	uint64_t age = above_u64(now_ns, s->identity.clock_ns);
	uint64_t span = min_u64(span_ns, age);
	bool fine = span <= SERIES_SECONDS * NS_PER_S;
	enum segment_table_id table = fine ? TABLE_SECONDS : TABLE_MINUTES;
	uint64_t unit_ns = fine ? NS_PER_S : SECONDS_A_MINUTE * NS_PER_S;
	uint64_t last = age / unit_ns;
	uint64_t first = (age - span) / unit_ns;
	uint64_t oldest = above_u64(last, s->table[table].capacity - 1);
	uint64_t steps = min_u64(last - first, TREND_POINTS - 1);
	struct gathering g = { .start_ns = s->identity.clock_ns };
	struct control_sums sums;
	uint64_t i, number, bytes;

	for (i = 0; i < steps; i++) {
		number = first + i * (last - first) / steps;
		if (stood(c, table, number, oldest, unit_ns, &bytes))
			add_point(&g, s->identity.clock_ns + number * unit_ns,
			    bytes);
	}
	control_sum(c, &sums);
	add_point(&g, now_ns, sums.live_bytes);
	return trend_of(g.point, g.count, line);
}
