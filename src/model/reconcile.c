#include "model/reconcile.h"

#include <string.h>

#include "base/base.h"

const char *const reconcile_names[RSS_TERMS] = {
	[RSS_LIVE] = "live",
	[RSS_SLACK] = "slack",
	[RSS_RETAINED] = "retained",
	[RSS_MAPPED] = "mapped",
	[RSS_STACKS] = "stacks",
	[RSS_FILES] = "files",
	[RSS_SHARED] = "shared",
	[RSS_HEAPTIDE] = "heaptide",
	[RSS_UNATTRIBUTED] = "unattributed",
};

/* Classes that are a term by themselves. */
static const enum rss_term term_of[RANGE_CLASSES] = {
	[RANGE_FILE] = RSS_FILES,
	[RANGE_SHARED] = RSS_SHARED,
	[RANGE_STACK] = RSS_STACKS,
	[RANGE_HEAPTIDE] = RSS_HEAPTIDE,
	[RANGE_MAPPED] = RSS_MAPPED,
	[RANGE_ALLOCATOR] = RSS_RETAINED,     /* live and slack leave it */
	[RANGE_UNKNOWN] = RSS_UNATTRIBUTED,   /* the allocator may claim some */
};

static uint64_t
add_capped(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t
multiply_capped(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* @whole * @part / @of, rounded down; @part <= @of, so it is <= @whole. */
static uint64_t
share(uint64_t whole, uint64_t part, uint64_t of)
{
	return (uint64_t)((__uint128_t)whole * part / of);
}

/* Move up to @bytes from one term to another: the sum stays what it was. */
static void
move(uint64_t terms[RSS_TERMS], enum rss_term from, enum rss_term to,
    uint64_t bytes)
{
	bytes = min_u64(bytes, terms[from]);
	terms[from] -= bytes;
	terms[to] += bytes;
}

/*
 * Every resident byte starts in the term of its class and is then only moved,
 * which is why the sum cannot go wrong.
 *
 * Blocks that are live but in part never touched need more room than is
 * resident.  Then nothing can be retained, and what is resident is shared
 * between live and slack as the blocks themselves are: nobody knows which of
 * their pages were touched.
 */
void
reconcile(const uint64_t resident[RANGE_CLASSES],
    const struct reconcile_counts *counts, uint64_t terms[RSS_TERMS])
{
	uint64_t live, need, held;
	int class;

	memset(terms, 0, RSS_TERMS * sizeof(terms[0]));
	for (class = 0; class < RANGE_CLASSES; class++)
		terms[term_of[class]] += resident[class];

	/* Counts of one moment that are torn may contradict each other. */
	live = counts->requested_known ?
	    min_u64(counts->live_requested, counts->live_bytes) :
	    counts->live_bytes;
	need = add_capped(counts->live_bytes,
	    multiply_capped(counts->live_blocks, counts->block_overhead));

	if (need > terms[RSS_RETAINED])
		move(terms, RSS_UNATTRIBUTED, RSS_RETAINED,
		    need - terms[RSS_RETAINED]);

	held = min_u64(need, terms[RSS_RETAINED]);
	if (held < need)
		live = share(held, live, need);
	move(terms, RSS_RETAINED, RSS_LIVE, live);
	move(terms, RSS_RETAINED, RSS_SLACK, held - live);
}
