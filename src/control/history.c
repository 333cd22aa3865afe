#include "control/history.h"

#include <errno.h>

#include "base/base.h"

/* More rows than a site has: what a damaged profile says may go in circles. */
#define PASTS_MOST TREND_COLUMNS

#define load(word)         atomic_load_explicit(word, memory_order_relaxed)
#define store(word, value) atomic_store_explicit(word, value, \
	memory_order_relaxed)

static struct trend *
trends(const struct control *c)
{
	return control_rows(c, TABLE_TRENDS);
}

/* NULL: 0, or no row of a table that is whole. */
static struct past *
past_of(const struct control *c, uint32_t row)
{
	return row == 0 || row >= control_count(c, TABLE_PASTS) ? NULL :
	    (struct past *)control_rows(c, TABLE_PASTS) + row;
}

static uint32_t
used_of(const struct past *p)
{
	return min_u64(load(&p->used), PAST_ROOM);
}

/* --- reading -------------------------------------------------------------- */

/* From column @from on, up to @end.  Returns where it begins. */
static uint32_t
spread(struct held *held, uint32_t from, uint32_t end, int64_t live,
    uint64_t allocated)
{
	uint32_t i;

	for (i = from; i < end; i++)
		held[i] = (struct held){ live, allocated };
	return min_u64(from, end);
}

/* From the last to the first. */
static void
spread_pasts(const struct control *c, uint32_t row, uint32_t end,
    struct held *held)
{
	const struct past *p;
	uint32_t i, n;

	for (n = 0; n < PASTS_MOST && end > 0; n++, row = load(&p->before)) {
		p = past_of(c, row);
		if (p == NULL)
			break;
		for (i = used_of(p); i-- > 0; )
			end = spread(held, load(&p->column[i]), end,
			    load(&p->live_bytes[i]),
			    load(&p->allocated_bytes[i]));
	}
	spread(held, 0, end, 0, 0);
}

void
history_of(const struct control *c, uint64_t site,
    struct held held[TREND_COLUMNS])
{
	const struct trend *t = trends(c) + site;
	uint32_t end = TREND_COLUMNS;
	uint32_t past = 0;

	if (site < control_count(c, TABLE_TRENDS)) {
		end = spread(held, load(&t->column), end,
		    load(&t->live_bytes), load(&t->allocated_bytes));
		past = load(&t->past);
	}
	spread_pasts(c, past, end, held);
}

int64_t
history_at(const struct control *c, uint64_t site, uint32_t column)
{
	const struct trend *t = trends(c) + site;
	const struct past *p;
	uint32_t row, i, n;

	if (site >= control_count(c, TABLE_TRENDS))
		return 0;
	if (load(&t->column) <= column)
		return load(&t->live_bytes);
	row = load(&t->past);
	for (n = 0; n < PASTS_MOST; n++, row = load(&p->before)) {
		p = past_of(c, row);
		if (p == NULL)
			break;
		for (i = used_of(p); i-- > 0; )
			if (load(&p->column[i]) <= column)
				return load(&p->live_bytes[i]);
	}
	return 0;
}

/* --- rows of pasts -------------------------------------------------------- */

/* Who is killed in between leaves one behind that nobody has. */
static uint32_t
take_past(struct control *c, uint32_t before)
{
	struct segment_watch *w = &c->segment->watch;
	uint32_t row = w->past_free;
	struct past *p = past_of(c, row);

	if (p == NULL)
		return 0;
	w->past_free = load(&p->before);
	w->past_frees--;
	store(&p->used, 0);
	store(&p->before, before);
	return row;
}

static void
give_past(struct control *c, uint32_t row, struct past *p)
{
	struct segment_watch *w = &c->segment->watch;

	store(&p->before, w->past_free);
	w->past_free = row;
	w->past_frees++;
}

/* Of so many there shall be room.  0, or -ENOSPC. */
static int
reserve_pasts(struct control *c, uint64_t n)
{
	struct segment_watch *w = &c->segment->watch;
	uint64_t rows = control_count(c, TABLE_PASTS);
	uint64_t to = rows + above_u64(n, w->past_frees);

	if (control_reach(c, TABLE_PASTS, to) < 0)
		return -ENOSPC;
	for (; rows < to; rows++)
		give_past(c, (uint32_t)rows, past_of(c, (uint32_t)rows));
	return 0;
}

/* --- writing -------------------------------------------------------------- */

/* Was it nothing, ever?  That is not noted. */
static bool
is_blank(const struct trend *t)
{
	return load(&t->past) == 0 && load(&t->live_bytes) == 0 &&
	    load(&t->allocated_bytes) == 0;
}

static bool
changes(const struct trend *t, const struct held *to)
{
	return load(&t->live_bytes) != to->live_bytes ||
	    load(&t->allocated_bytes) != to->allocated_bytes;
}

/* Would another past of it need a row? */
static bool
needs_row(const struct control *c, const struct trend *t)
{
	const struct past *p = past_of(c, load(&t->past));

	return !is_blank(t) && (p == NULL || used_of(p) == PAST_ROOM);
}

/* What it is becomes what it was.  Without a row for it, it is forgotten. */
static void
keep_past(struct control *c, struct trend *t)
{
	struct past *p;
	uint32_t i;

	if (needs_row(c, t)) {
		uint32_t row = take_past(c, load(&t->past));

		if (row == 0)
			return;
		store(&t->past, row);
	}
	p = past_of(c, load(&t->past));
	if (p == NULL)
		return;
	i = used_of(p);
	store(&p->column[i], (uint8_t)load(&t->column));
	store(&p->live_bytes[i], load(&t->live_bytes));
	store(&p->allocated_bytes[i], load(&t->allocated_bytes));
	store(&p->used, (uint8_t)(i + 1));
}

/* One that was killed may have been here, and got no further. */
static void
note(struct control *c, struct trend *t, uint32_t column,
    const struct held *to)
{
	if (!changes(t, to))
		return;
	if (load(&t->column) != column)
		keep_past(c, t);
	store(&t->column, column);
	store(&t->live_bytes, to->live_bytes);
	store(&t->allocated_bytes, to->allocated_bytes);
}

static void
add_part(void *context, uint32_t site, const struct control_part *p)
{
	struct trend *t = (struct trend *)context + site;

	store(&t->next_live_bytes, add_i64(load(&t->next_live_bytes),
	    p->bytes));
	store(&t->next_allocated_bytes, load(&t->next_allocated_bytes) +
	    p->allocated);
}

static struct held
next_of(const struct trend *t)
{
	return (struct held){ load(&t->next_live_bytes),
		load(&t->next_allocated_bytes) };
}

int
history_note(struct control *c, uint32_t column)
{
	struct trend *t = trends(c);
	uint64_t sites = min_u64(control_count(c, TABLE_SITES),
	    c->segment->table[TABLE_TRENDS].capacity);
	uint64_t i, rows = 0;
	struct held next;

	if (control_reach(c, TABLE_TRENDS, sites) < 0)
		return -ENOSPC;
	for (i = 0; i < sites; i++) {
		store(&t[i].next_live_bytes, 0);
		store(&t[i].next_allocated_bytes, 0);
	}
	control_each_part(c, sites, add_part, t);
	for (i = 0; i < sites; i++) {
		next = next_of(&t[i]);
		rows += changes(&t[i], &next) && needs_row(c, &t[i]);
	}
	if (reserve_pasts(c, rows) < 0)
		return -ENOSPC;
	for (i = 0; i < sites; i++) {
		next = next_of(&t[i]);
		note(c, &t[i], column, &next);
	}
	return 0;
}

/* --- thinning out --------------------------------------------------------- */

/* Its rows are there for others; what it held has been read. */
static void
empty(struct control *c, struct trend *t)
{
	uint32_t row = load(&t->past), next, n;
	struct past *p;

	store(&t->past, 0);
	for (n = 0; n < PASTS_MOST; n++, row = next) {
		p = past_of(c, row);
		if (p == NULL)
			break;
		next = load(&p->before);
		give_past(c, row, p);
	}
	store(&t->column, 0);
	store(&t->live_bytes, 0);
	store(&t->allocated_bytes, 0);
}

/* All that changes is where it begins, or that no column has it any more. */
static void
move_start(struct trend *t, const uint32_t *keep, uint32_t kept)
{
	uint32_t column = load(&t->column), i = 0;

	while (i < kept && keep[i] < column)
		i++;
	if (i == kept) {
		store(&t->live_bytes, 0);
		store(&t->allocated_bytes, 0);
		i = 0;
	}
	store(&t->column, i);
}

void
history_thin_out(struct control *c, const uint32_t *keep, uint32_t kept)
{
	struct trend *t = trends(c);
	uint64_t n = control_count(c, TABLE_TRENDS), site;
	struct held old[TREND_COLUMNS];
	uint32_t i;

	for (site = 0; site < n; site++) {
		if (load(&t[site].past) == 0) {
			move_start(&t[site], keep, kept);
			continue;
		}
		history_of(c, site, old);
		empty(c, &t[site]);
		for (i = 0; i < kept; i++)
			note(c, &t[site], i, &old[keep[i]]);
	}
}
