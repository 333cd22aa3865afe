#include "heap/generation.h"

#include "base/base.h"
#include "heap/peak.h"
#include "sys/arch.h"
#include "sys/sys.h"

/* --- where it is noted ---------------------------------------------------- */

static void
lose_space(void)
{
	atomic_fetch_add(&segment_mine()->lost.space, 1);
}

/* There is no such row of the table yet, or it is not counted as taken. */
static COLD struct passed *
reach_passed(enum segment_table_id table, uint64_t row)
{
	if (segment_reach(table, row + 1) < 0) {
		lose_space();
		return NULL;
	}
	return (struct passed *)segment_rows(table) + row;
}

/* The row of @c, a row of @counts, in what goes with those; NULL: it is none. */
static HOT struct passed *
row_beside(const struct count *c, enum segment_table_id counts,
    enum segment_table_id passed)
{
	const struct segment_table *t = &segment_mine()->table[passed];
	uint64_t row = (uint64_t)(c - (struct count *)segment_rows(counts));

	return LIKELY(row < atomic_load_explicit(&t->used,
	    memory_order_relaxed)) ?
	    (struct passed *)segment_rows(passed) + row : NULL;
}

/*
 * Of the count @c: what it holds of other generations; NULL: no room, which has
 * been counted.  A count of one table is no row of the other: it lies beyond all
 * that there may be.
 */
static HOT struct passed *
passed_of(const struct count *c)
{
	const struct count *first = segment_rows(TABLE_FIRST);
	const struct count *counts = segment_rows(TABLE_COUNTS);
	struct passed *passed;

	passed = row_beside(c, TABLE_FIRST, TABLE_FIRST_PASSED);
	if (LIKELY(passed != NULL))
		return passed;
	passed = row_beside(c, TABLE_COUNTS, TABLE_COUNTS_PASSED);
	if (passed != NULL)
		return passed;
	if (c >= first && c < first + segment_capacity(TABLE_FIRST))
		return reach_passed(TABLE_FIRST_PASSED,
		    (uint64_t)(c - first));
	return reach_passed(TABLE_COUNTS_PASSED, (uint64_t)(c - counts));
}

/* In a program so large what comes late has no history, which is no loss. */
static bool
is_full(enum segment_table_id table)
{
	const struct segment_table *t = &segment_mine()->table[table];

	return atomic_load(&t->used) >= segment_capacity(table);
}

/* Where @slot of @site is noted; NULL: there is no room. */
static _Atomic int64_t *
cell_of(uint32_t site, uint32_t slot)
{
	struct site *sites = segment_rows(TABLE_SITES);
	struct ages *rows = segment_rows(TABLE_AGES);
	_Atomic uint32_t *link = &sites[site].ages;
	_Atomic int64_t *cell = ages_find(rows, UINT64_MAX, slot, &link);
	int64_t fresh;

	if (cell != NULL)
		return cell;
	fresh = segment_take(TABLE_AGES, 1);
	return fresh < 0 ? NULL : ages_hang(rows, UINT64_MAX, slot, link,
	    (uint32_t)fresh);
}

void
generation_add(uint32_t site, uint32_t generation, int64_t bytes)
{
	const struct segment_generations *g = &segment_mine()->generations;
	_Atomic int64_t *cell;
	uint32_t slot;

	if (generation <= g->first || bytes == 0)
		return; /* of the first nothing is noted */
	slot = atomic_load(&g->slot[generation]) % GENERATION_SLOTS;
	if (slot == 0)
		return; /* it has become one with the first */
	cell = cell_of(site, slot);
	if (cell != NULL)
		atomic_fetch_add(cell, bytes);
	else if (!is_full(TABLE_AGES))
		lose_space();
}

void
generation_put(struct count *c, uint32_t site, uint32_t generation,
    int64_t bytes)
{
	struct passed *passed;

	if (generation == stamp_generation(c->stamp))
		return;
	passed = passed_of(c);
	if (passed == NULL)
		return;
	atomic_fetch_add(&passed->bytes, bytes);
	generation_add(site, generation, bytes);
}

/*
 * Another generation is freed of from now on: note what waited.  (A process that
 * is killed between the two lines has it in the columns of what is still live.)
 */
static COLD void
settle(struct passed *passed, uint32_t site, uint64_t late)
{
	uint64_t was = atomic_exchange(&passed->late, late);

	generation_add(site, (uint32_t)(was >> LATE_SHIFT),
	    -(int64_t)(was & LATE_BYTES));
}

void
generation_free(struct count *c, uint32_t site, uint32_t generation,
    uint64_t bytes)
{
	struct passed *passed = passed_of(c);
	uint64_t late;

	if (UNLIKELY(passed == NULL))
		return;
	(void)arch_sub_is_negative(&passed->bytes, (int64_t)bytes);
	late = atomic_load_explicit(&passed->late, memory_order_relaxed);
	do {
		if (UNLIKELY(late >> LATE_SHIFT != generation)) {
			settle(passed, site,
			    (uint64_t)generation << LATE_SHIFT | bytes);
			return;
		}
	} while (UNLIKELY(!arch_swap_own_u64(&passed->late, &late,
	    late + bytes)));
}

/* --- from one to the next ------------------------------------------------- */

/*
 * A signal handler that counts in between does the same, and by the comparison
 * one of the two has it.
 */
static void
pass_on(struct count *c, uint32_t site, uint32_t generation)
{
	struct passed *passed = passed_of(c);
	int64_t was, holds;

	if (passed == NULL)
		return;
	was = atomic_load(&passed->bytes);
	do {
		holds = (int64_t)(c->allocated_bytes - c->freed_bytes);
	} while (!atomic_compare_exchange_weak(&passed->bytes, &was,
	    holds));
	generation_add(site, generation, holds - was);
}

void
generation_enter(struct count *c, uint32_t site, uint64_t stamp)
{
	uint32_t generation = stamp_generation(c->stamp);

	if (generation < stamp_generation(stamp))
		pass_on(c, site, generation);
}

/*
 * Rows are made when something is to be noted.  Where that cannot be any more,
 * all that there may ever be are to be there, or none begins.
 */
static bool
has_room(const struct segment *s)
{
	return !sys_is_confined() || segment_room(TABLE_AGES,
	    atomic_load(&s->table[TABLE_SITES].used) * AGES_GROUPS + 1) == 0;
}

/* The one of @column, or one that is free; 0: there is none. */
static uint32_t
find_slot(const struct segment_generations *g, uint32_t column)
{
	uint32_t slot, free = 0;

	for (slot = 1; slot < GENERATION_SLOTS; slot++) {
		if (atomic_load(&g->column[slot]) == column)
			return slot;
		if (atomic_load(&g->column[slot]) == 0)
			free = slot;
	}
	return free;
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
	uint32_t free = 0, slot;

	if (!atomic_compare_exchange_strong(&s->watch.trend_busy, &free, 1))
		return; /* figures are being written: next time */
	slot = find_slot(g, s->watch.trend_used);
	if (generation_is_due(s) && generation < GENERATIONS && slot != 0 &&
	    has_room(s)) {
		atomic_store(&g->column[slot], (uint8_t)s->watch.trend_used);
		atomic_store(&g->slot[generation], (uint8_t)slot);
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
