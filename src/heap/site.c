#include "heap/site.h"

#include <errno.h>
#include <string.h>

#include "heap/generation.h"
#include "heap/tally.h"

/*
 * A thread begins with a page of counts.  When a site finds no place near its
 * own it moves on to a table four times as large, at most three times; what it
 * has counted before stays where it is, and is added like all else.
 */
#define COUNTS_BITS_LEAST 6
#define COUNTS_BITS_MOST  12
#define COUNTS_BITS_STEP  2
#define PROBES            8

uint8_t site_kind[SEGMENT_SITES];

static struct site *
row(uint32_t site)
{
	return (struct site *)segment_rows(TABLE_SITES) + site;
}

static struct count *
count_rows(enum segment_table_id table)
{
	return segment_rows(table);
}

/* Before its first block it held nothing, at any peak so far. */
static void
begin(struct count *c, uint32_t site)
{
	atomic_store_explicit(&c->stamp, stamp_of(site, stamp_now()),
	    memory_order_release);
}

/* --- sites ---------------------------------------------------------------- */

/* A new row for @node, or 0: the table is full. */
static COLD uint32_t
create(uint32_t node, uint32_t flags)
{
	int64_t number = segment_take(TABLE_SITES, 1);
	struct site *s;

	if (number < 0 || number >= SEGMENT_SITES ||
	    segment_reach(TABLE_FIRST, (uint64_t)number + 1) < 0)
		return 0;
	s = row((uint32_t)number);
	s->flags = flags;
	s->leaf = node;
	/* In a child the number may have been another's in the parent. */
	site_kind[number] = flags / SITE_NEW & KIND_MADE;
	begin(&count_rows(TABLE_FIRST)[number], (uint32_t)number);
	return (uint32_t)number;
}

int
site_create_known(void)
{
	static const uint64_t pcs[] = {
		[SITE_NO_STACK] = NODE_NO_STACK,
		[SITE_FULL] = NODE_FULL,
	};
	struct node *nodes = segment_rows(TABLE_NODES);
	uint32_t i;

	for (i = SITE_NO_STACK; i <= SITE_FULL; i++) {
		int64_t node = segment_take(TABLE_NODES, 1);

		if (node < 0 || create((uint32_t)node, 0) != i)
			return -ENOSPC;
		atomic_store(&nodes[node].pc, pcs[i]);
		atomic_store(&nodes[node].site, i);
	}
	return 0;
}

uint32_t
site_make(uint32_t node, uint32_t flags)
{
	struct node *n = (struct node *)segment_rows(TABLE_NODES) + node;
	uint32_t fresh = create(node, flags);
	uint32_t site = 0;

	if (fresh == 0) {
		atomic_fetch_add(&segment_mine()->lost.sites, 1);
		return SITE_FULL;
	}
	if (atomic_compare_exchange_strong(&n->site, &site, fresh))
		return fresh;
	return site; /* the other thread's; ours stays an empty row */
}

/* --- where threads count -------------------------------------------------- */

/* Of a thread that has none: no site is found in it, as none is number 0. */
static struct count nothing;

/* A signal handler may count in between: what it meets must be whole. */
static void
set_rows(struct counts *counts, struct count *row, uint32_t shift,
    uint64_t factor)
{
	counts->row = row;
	atomic_signal_fence(memory_order_seq_cst);
	counts->shift = shift;
	atomic_signal_fence(memory_order_seq_cst);
	counts->factor = factor;
}

/* By Fibonacci hashing: 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4). */
static void
set_hashed(struct counts *counts)
{
	const struct tally *t = counts->tally;

	set_rows(counts, count_rows(TABLE_COUNTS) + t->counts,
	    64 - t->counts_bits, UINT64_C(0x9e3779b97f4a7c15));
}

void
counts_open(struct counts *counts, struct tally *t)
{
	counts->tally = t;
	if (t == (struct tally *)segment_rows(TABLE_TALLIES) + TALLY_FIRST)
		set_rows(counts, count_rows(TABLE_FIRST), 0, 1);
	else if (t->counts_bits != 0)
		set_hashed(counts);
	else
		set_rows(counts, &nothing, 0, 0);
}

/*
 * May so many rows more be somebody's own?  Room is kept for one that is for
 * all, for each site there may be.
 */
static bool
may_own(uint64_t n)
{
	const struct segment_table *table = segment_mine()->table;

	return atomic_load_explicit(&table[TABLE_COUNTS].used,
	    memory_order_relaxed) + n <= above_u64(
	    segment_capacity(TABLE_COUNTS), segment_capacity(TABLE_SITES));
}

static bool
move_to_larger(struct counts *counts)
{
	struct tally *t = counts->tally;
	uint32_t bits = t->counts_bits == 0 ? COUNTS_BITS_LEAST :
	    t->counts_bits + COUNTS_BITS_STEP;
	uint64_t n = UINT64_C(1) << bits;
	int64_t first;

	if (bits > COUNTS_BITS_MOST || !may_own(n))
		return false;
	first = segment_take(TABLE_COUNTS, n);
	if (first < 0)
		return false;
	t->counts = (uint32_t)first;
	t->counts_bits = bits;
	set_hashed(counts);
	return true;
}

/* The row of @site in a table of the thread's, taken if it is not there. */
static struct count *
find(const struct counts *counts, uint32_t site)
{
	uint64_t place = site * counts->factor >> counts->shift;
	uint64_t last = (UINT64_C(1) << counts->tally->counts_bits) - 1;
	struct count *c;
	uint64_t there;
	int i;

	for (i = 0; i < PROBES; i++) {
		c = &counts->row[(place + i) & last];
		there = atomic_load_explicit(&c->stamp, memory_order_relaxed);
		/* A handler may have taken it since we looked. */
		if (there == 0 && atomic_compare_exchange_strong(&c->stamp,
		    &there, stamp_of(site, stamp_now())))
			return c;
		if (stamp_site(there) == site)
			return c;
	}
	return NULL;
}

static struct count *
find_or_make(struct counts *counts, uint32_t site)
{
	struct count *c;

	if (counts->factor == 1) {
		/* The first thread: a row that is not there is never made. */
		c = &counts->row[site];
		return stamp_site(c->stamp) == site ? c : NULL;
	}
	c = counts->factor != 0 ? find(counts, site) : NULL;
	while (c == NULL && move_to_larger(counts))
		c = find(counts, site);
	return c;
}

/*
 * About to change, at @stamp: keep what it held when the heap last stood at its
 * peak.  Where the peak is later already, a signal handler has done so.
 */
static void
keep(struct count *c, uint32_t site, uint64_t stamp)
{
	uint64_t kept = stamp_peak(c->stamp);

	if (kept < stamp_peak(stamp))
		atomic_store_explicit(&c->at_peak_bytes,
		    (int64_t)(c->allocated_bytes - c->freed_bytes),
		    memory_order_relaxed);
	else
		stamp += kept - stamp_peak(stamp);
	atomic_store_explicit(&c->stamp, stamp_of(site, stamp),
	    memory_order_relaxed);
}

COLD struct count *
counts_find(struct counts *counts, uint32_t site, uint64_t stamp)
{
	struct count *c = find_or_make(counts, site);

	if (c == NULL || stamp_generation(c->stamp) > stamp_generation(stamp))
		return NULL; /* a signal handler has gone on with it */
	generation_enter(c, site, stamp);
	keep(c, site, stamp);
	return c;
}

/* --- counting for all ----------------------------------------------------- */

/* The row of @site for all threads, or NULL: there is no room for it. */
static struct count *
shared_of(uint32_t site)
{
	_Atomic uint32_t *number = &row(site)->shared;
	uint32_t there = atomic_load_explicit(number, memory_order_acquire);
	int64_t fresh;

	if (LIKELY(there != 0))
		return &count_rows(TABLE_COUNTS)[there];
	fresh = segment_take(TABLE_COUNTS, 1);
	if (fresh < 0)
		return NULL;
	begin(&count_rows(TABLE_COUNTS)[fresh], site);
	/* Who loses the race leaves an empty row behind. */
	if (atomic_compare_exchange_strong(number, &there, (uint32_t)fresh))
		there = (uint32_t)fresh;
	return &count_rows(TABLE_COUNTS)[there];
}

static void
add(_Atomic uint64_t *word, uint64_t n)
{
	atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

/* See keep(); its generation stays the one that it was made in. */
static void
keep_shared(struct count *c)
{
	uint64_t was = atomic_load(&c->stamp);
	uint64_t peak = stamp_peak(stamp_now());

	if (stamp_peak(was) >= peak)
		return;
	atomic_store(&c->at_peak_bytes,
	    (int64_t)(c->allocated_bytes - c->freed_bytes));
	(void)atomic_compare_exchange_strong(&c->stamp, &was,
	    was - stamp_peak(was) + peak);
}

void
site_shared_alloc(uint32_t site, uint32_t generation, size_t usable,
    size_t slack)
{
	struct count *c = shared_of(site);

	if (c == NULL)
		return; /* lost.space has been counted */
	keep_shared(c);
	add(&c->allocations, 1);
	add(&c->allocated_bytes, usable);
	add(&c->slack_bytes, slack);
	generation_put(c, site, generation, (int64_t)usable);
}

void
site_shared_free(uint32_t site, uint32_t generation, size_t usable,
    size_t slack, bool temporary)
{
	struct count *c = shared_of(site);

	if (c == NULL)
		return;
	keep_shared(c);
	add(&c->frees, 1);
	add(&c->freed_bytes, usable);
	add(&c->slack_bytes, -(uint64_t)slack);
	if (temporary)
		add(&c->temporary, 1);
	generation_put(c, site, generation, -(int64_t)usable);
}

/* --- blocks that were drawn ----------------------------------------------- */

/* NULL: there is no room for it. */
static struct estimate *
estimate_of(uint32_t site)
{
	struct estimate *e = (struct estimate *)segment_rows(TABLE_ESTIMATES) +
	    site;

	if (atomic_load_explicit(&segment_mine()->table[TABLE_ESTIMATES].used,
	    memory_order_acquire) > site)
		return e;
	return segment_reach(TABLE_ESTIMATES, (uint64_t)site + 1) < 0 ? NULL :
	    e;
}

static void
keep_estimate(struct estimate *e)
{
	uint32_t peak = (uint32_t)stamp_peak(stamp_now());

	if (atomic_load(&e->peak) == peak)
		return;
	atomic_store(&e->at_peak_bytes, (int64_t)(e->allocated_bytes -
	    e->freed_bytes));
	atomic_store(&e->peak, peak);
}

static void
add_variance(_Atomic uint64_t *bits, double more)
{
	uint64_t was = atomic_load(bits);
	uint64_t now;
	double sum;

	do {
		memcpy(&sum, &was, sizeof(sum));
		sum += more;
		/* What was added and taken off again may leave a trace. */
		if (sum < 0)
			sum = 0;
		memcpy(&now, &sum, sizeof(now));
	} while (!atomic_compare_exchange_weak(bits, &was, now));
}

/* To the next whole number. */
static uint64_t
in_parts(double x, uint64_t parts)
{
	return (uint64_t)(x * (double)parts + 0.5);
}

void
site_draw(uint32_t site, uint32_t generation,
    const struct sampling_weight *weight)
{
	struct estimate *e = estimate_of(site);

	if (e == NULL)
		return; /* lost.space has been counted */
	keep_estimate(e);
	add(&e->allocations, in_parts(weight->blocks, ESTIMATE_BLOCKS));
	add(&e->allocated_bytes, in_parts(weight->bytes, ESTIMATE_BYTES));
	add_variance(&e->variance, weight->variance);
	atomic_fetch_add(&e->drawn, 1);
	generation_add(site, generation, (int64_t)(weight->bytes + 0.5));
}

void
site_draw_free(uint32_t site, uint32_t generation,
    const struct sampling_weight *weight, bool temporary)
{
	struct estimate *e = estimate_of(site);

	if (e == NULL)
		return;
	keep_estimate(e);
	add(&e->frees, in_parts(weight->blocks, ESTIMATE_BLOCKS));
	add(&e->freed_bytes, in_parts(weight->bytes, ESTIMATE_BYTES));
	add_variance(&e->variance, -weight->variance);
	generation_add(site, generation, -(int64_t)(weight->bytes + 0.5));
	if (temporary)
		add(&e->temporary, in_parts(weight->blocks, ESTIMATE_BLOCKS));
}

/* --- address space -------------------------------------------------------- */

void
site_map(uint32_t site, uint32_t generation, uint64_t bytes)
{
	struct count *c = shared_of(site);

	if (c == NULL)
		return;
	add(&c->allocations, 1);
	add(&c->allocated_bytes, bytes);
	generation_put(c, site, generation, (int64_t)bytes);
}

void
site_unmap(uint32_t site, uint32_t generation, uint64_t bytes, bool whole)
{
	struct count *c = shared_of(site);

	if (c == NULL)
		return;
	if (whole)
		add(&c->frees, 1);
	add(&c->freed_bytes, bytes);
	generation_put(c, site, generation, -(int64_t)bytes);
}
