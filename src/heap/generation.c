#include "heap/generation.h"

#include "heap/peak.h"

/* --- where it is noted ---------------------------------------------------- */

static void
lose_space(void)
{
	atomic_fetch_add(&segment_mine()->lost.space, 1);
}

/* Of the count @c: what it holds of other generations; NULL: no room. */
static _Atomic int64_t *
passed_of(const struct count *c)
{
	const struct count *first = segment_rows(TABLE_FIRST);
	const struct count *counts = segment_rows(TABLE_COUNTS);
	bool is_first = c >= first &&
	    c < first + segment_mine()->table[TABLE_FIRST].capacity;
	enum segment_table_id table = is_first ? TABLE_FIRST_PASSED :
	    TABLE_COUNTS_PASSED;
	uint64_t row = (uint64_t)(c - (is_first ? first : counts));

	if (segment_reach(table, row + 1) < 0)
		return NULL;
	return (_Atomic int64_t *)segment_rows(table) + row;
}

void
generation_add(uint32_t site, uint32_t generation, int64_t bytes)
{
	const struct segment_generations *g = &segment_mine()->generations;
	struct ages *ages = segment_rows(TABLE_AGES);
	uint8_t column;

	if (generation <= g->first || bytes == 0 ||
	    site >= segment_mine()->table[TABLE_AGES].capacity)
		return; /* of the first nothing is noted */
	if (segment_reach(TABLE_AGES, (uint64_t)site + 1) < 0) {
		lose_space();
		return;
	}
	column = atomic_load(&g->column[generation]);
	atomic_fetch_add(&ages[site].live_bytes[column / GENERATION_BANK]
	    [column % GENERATION_BANK % TREND_COLUMNS], bytes);
}

void
generation_put(struct count *c, uint32_t site, uint32_t generation,
    int64_t bytes)
{
	_Atomic int64_t *passed;

	if (generation == stamp_generation(c->stamp))
		return;
	passed = passed_of(c);
	if (passed == NULL) {
		lose_space();
		return;
	}
	atomic_fetch_add(passed, bytes);
	generation_add(site, generation, bytes);
}

/* --- from one to the next ------------------------------------------------- */

/*
 * A signal handler that counts in between does the same, and by the comparison
 * one of the two has it.
 */
static void
pass_on(struct count *c, uint32_t site, uint32_t generation)
{
	_Atomic int64_t *passed = passed_of(c);
	int64_t was, holds;

	if (passed == NULL) {
		lose_space();
		return;
	}
	was = atomic_load(passed);
	do {
		holds = (int64_t)(c->allocated_bytes - c->freed_bytes);
	} while (!atomic_compare_exchange_weak(passed, &was, holds));
	generation_add(site, generation, holds - was);
}

void
generation_enter(struct count *c, uint32_t site, uint64_t stamp)
{
	uint32_t generation = stamp_generation(c->stamp);

	if (generation < stamp_generation(stamp))
		pass_on(c, site, generation);
}

/* Of all sites there are: where nothing may grow any more, none begins. */
static bool
has_room(const struct segment *s)
{
	const struct segment_table *t = s->table;

	return segment_reach(TABLE_AGES, min_u64(t[TABLE_SITES].used,
	    t[TABLE_AGES].capacity)) == 0;
}

/*
 * Numbers are not used twice, and there are enough: once the columns are in use
 * a new one comes so seldom as their number has doubled.  The last goes on.
 */
void
generation_follow(void)
{
	struct segment *s = segment_mine();
	struct segment_generations *g = &s->generations;
	uint32_t generation = stamp_generation(stamp_now()) + 1;
	uint32_t free = 0;

	if (!atomic_compare_exchange_strong(&s->watch.trend_busy, &free, 1))
		return; /* figures are being written: next time */
	if (generation_is_due(s) && generation < GENERATIONS && has_room(s)) {
		atomic_store(&g->column[generation],
		    (uint8_t)(g->bank | s->watch.trend_used));
		atomic_fetch_add(&s->live.stamp, STAMP_GENERATION_ONE);
	}
	atomic_store(&g->opened, atomic_load(&s->watch.trend_opened));
	atomic_store(&s->watch.trend_busy, 0);
}

void
generation_begin(uint32_t first)
{
	struct segment *s = segment_mine();

	s->generations.first = first;
	atomic_store(&s->live.stamp, first * STAMP_GENERATION_ONE);
}
