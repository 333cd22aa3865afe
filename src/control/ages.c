#include "control/ages.h"

#include <string.h>

#include "base/base.h"

/* --- where it is ---------------------------------------------------------- */

static uint32_t
column_of_slot(const struct segment *s, uint32_t slot)
{
	return s->generations.column[slot % GENERATION_SLOTS] % TREND_COLUMNS;
}

static uint32_t
column_of(const struct segment *s, uint32_t generation)
{
	return generation <= s->generations.first ? 0 :
	    column_of_slot(s, s->generations.slot[generation]);
}

/* NULL: 0, or none: what a damaged profile says may be anything. */
static struct ages *
row_of(const struct control *c, uint32_t row)
{
	return row == 0 || row >= control_count(c, TABLE_AGES) ? NULL :
	    (struct ages *)control_rows(c, TABLE_AGES) + row;
}

/* Of a cell of a row; 0: of none. */
static uint32_t
slot_of(const struct ages *a, uint32_t i)
{
	uint64_t slot = 1 + (uint64_t)a->group * AGES_ROOM + i;

	return slot < GENERATION_SLOTS ? (uint32_t)slot : 0;
}

/* --- the sum -------------------------------------------------------------- */

/* Wraps around, as what a damaged profile says may be anything. */
static void
add(struct age_columns *ages, uint32_t column, uint64_t bytes)
{
	ages->live_bytes[column] = (int64_t)
	    ((uint64_t)ages->live_bytes[column] + bytes);
}

/* Of one generation what was freed is not taken off its column yet. */
static void
add_late(const struct control *c, uint64_t late, struct age_columns *to)
{
	uint32_t generation = (uint32_t)(late >> LATE_SHIFT);

	add(to, column_of(c->segment, generation), -(late & LATE_BYTES));
	add(to, 0, late & LATE_BYTES);
}

/* Of the generation it stands in, what is left is not passed on yet. */
static void
add_count(const struct control *c, const struct count *count,
    const struct passed *passed, struct age_columns *ages, uint64_t sites)
{
	uint64_t stamp = atomic_load(&count->stamp);
	uint32_t column = column_of(c->segment, stamp_generation(stamp));
	uint64_t holds = count->allocated_bytes - count->freed_bytes;

	if (stamp_site(stamp) >= sites)
		return;
	add(&ages[stamp_site(stamp)], column, holds);
	/* What it has of others is noted with these; but for the first. */
	add(&ages[stamp_site(stamp)], column, -(uint64_t)passed->bytes);
	add(&ages[stamp_site(stamp)], 0, (uint64_t)passed->bytes);
	add_late(c, passed->late, &ages[stamp_site(stamp)]);
}

static void
add_counts(const struct control *c, enum segment_table_id table,
    enum segment_table_id passed_table, struct age_columns *ages,
    uint64_t sites)
{
	const struct count *count = control_rows(c, table);
	const struct passed *passed = control_rows(c, passed_table);
	const struct passed none = { 0 };
	uint64_t n = control_count(c, table);
	uint64_t known = control_count(c, passed_table);
	uint64_t i;

	for (i = 0; i < n; i++)
		add_count(c, &count[i], i < known ? &passed[i] : &none,
		    ages, sites);
}

/* Of the first generation nothing is noted: it has what is left. */
static void
add_noted(const struct control *c, uint32_t row, struct age_columns *to)
{
	const struct ages *a = row_of(c, row);
	uint32_t n, i;

	for (n = 0; a != NULL && n < AGES_GROUPS; n++) {
		for (i = 0; i < AGES_ROOM; i++) {
			uint32_t column = column_of_slot(c->segment,
			    slot_of(a, i));
			uint64_t bytes = (uint64_t)a->live_bytes[i];

			add(to, column, bytes);
			add(to, 0, -bytes);
		}
		a = row_of(c, a->next);
	}
}

void
ages_sum(const struct control *c, struct age_columns *ages, uint64_t sites)
{
	const struct site *site = control_rows(c, TABLE_SITES);
	const struct estimate *e = control_rows(c, TABLE_ESTIMATES);
	uint64_t n, i;

	add_counts(c, TABLE_FIRST, TABLE_FIRST_PASSED, ages, sites);
	add_counts(c, TABLE_COUNTS, TABLE_COUNTS_PASSED, ages, sites);
	n = min_u64(sites, control_count(c, TABLE_ESTIMATES));
	for (i = 0; i < n; i++)
		add(&ages[i], 0, e[i].allocated_bytes / ESTIMATE_BYTES -
		    e[i].freed_bytes / ESTIMATE_BYTES);
	n = min_u64(sites, control_count(c, TABLE_SITES));
	for (i = 0; i < n; i++)
		add_noted(c, site[i].ages, &ages[i]);
}

/* --- thinning out --------------------------------------------------------- */

/* Who takes over from each slot, and of which column it is then. */
struct joined {
	uint8_t into[GENERATION_SLOTS]; /* itself: it stays */
	uint8_t column[GENERATION_SLOTS];
};

/*
 * @to: what becomes of each column.  Of slots whose columns become one the first
 * takes over.  Slot 0 takes what becomes of column 0, which is not noted.
 */
static void
join_slots(const struct segment_generations *g, const uint8_t *to,
    struct joined *j)
{
	uint8_t of_column[TREND_COLUMNS] = { 0 };
	uint32_t slot, column;

	memset(j, 0, sizeof(*j));
	for (slot = 1; slot < GENERATION_SLOTS; slot++) {
		column = to[g->column[slot] % TREND_COLUMNS];
		if (column != 0 && of_column[column] == 0) {
			of_column[column] = (uint8_t)slot;
			j->column[slot] = (uint8_t)column;
		}
		j->into[slot] = of_column[column];
	}
}

/* NULL: there is no room. */
static _Atomic int64_t *
make_cell(struct control *c, struct site *site, uint32_t slot)
{
	struct ages *rows = control_rows(c, TABLE_AGES);
	_Atomic uint32_t *link = &site->ages;
	_Atomic int64_t *cell = ages_find(rows, control_count(c, TABLE_AGES),
	    slot, &link);
	int64_t fresh;

	if (cell != NULL)
		return cell;
	fresh = control_take(c, TABLE_AGES);
	return fresh < 0 ? NULL : ages_hang(rows, control_count(c, TABLE_AGES),
	    slot, link, (uint32_t)fresh);
}

static void
move_cell(struct control *c, struct site *site, _Atomic int64_t *from,
    uint32_t slot)
{
	int64_t bytes = atomic_exchange(from, 0);
	_Atomic int64_t *to;

	if (slot == 0)
		return;
	to = make_cell(c, site, slot);
	if (to == NULL)
		atomic_fetch_add(&c->segment->lost.space, 1);
	else
		atomic_fetch_add(to, bytes);
}

static void
move_site(struct control *c, struct site *site, const struct joined *j)
{
	struct ages *a = row_of(c, site->ages);
	uint32_t n, i, slot;

	for (n = 0; a != NULL && n < AGES_GROUPS; n++) {
		for (i = 0; i < AGES_ROOM; i++) {
			slot = slot_of(a, i);
			if (j->into[slot] != slot && a->live_bytes[i] != 0)
				move_cell(c, site, &a->live_bytes[i],
				    j->into[slot]);
		}
		a = row_of(c, a->next);
	}
}

static void
move_all(struct control *c, const struct joined *j)
{
	struct site *site = control_rows(c, TABLE_SITES);
	uint64_t n = control_count(c, TABLE_SITES);

	for (; n > 0; n--, site++)
		move_site(c, site, j);
}

/*
 * First nothing more is noted in those that are given up, then they are emptied;
 * twice, for what a thread was just about to add; and then they are free.
 * What it adds later still stays there, for whoever has the slot next.
 */
void
ages_thin_out(struct control *c, const uint8_t to[TREND_COLUMNS])
{
	struct segment_generations *g = &c->segment->generations;
	struct joined j;
	uint32_t i;

	join_slots(g, to, &j);
	for (i = 0; i < GENERATIONS; i++)
		atomic_store(&g->slot[i],
		    j.into[atomic_load(&g->slot[i]) % GENERATION_SLOTS]);
	move_all(c, &j);
	move_all(c, &j);
	for (i = 0; i < GENERATION_SLOTS; i++)
		atomic_store(&g->column[i], j.column[i]);
}
