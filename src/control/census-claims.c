/*
 * census-claims.c - what is known about addresses, before any line of smaps
 */
#include "control/census-state.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "sys/sys.h"

#define VERSION_TRIES   16
#define CLAIMS_SPARE    64 /* mappings that come while we count them */

static void
add_claim(struct census *c, uint64_t start, uint64_t end,
    enum range_class class)
{
	if (start < end && c->claims < c->claims_room)
		c->claim[c->claims++] = (struct claim){ start, end, class };
}

static void
claim_own(struct census *c)
{
	const struct segment_identity *id = &c->segment->identity;
	const struct segment_span *own = c->segment->own;
	int i;

	/* Of the library its zero pages: more than a module is taken to have. */
	add_claim(c, id->library_start, id->library_end, RANGE_HEAPTIDE);
	for (i = 0; i < SEGMENT_SPANS; i++)
		add_claim(c, own[i].start, own[i].end, RANGE_HEAPTIDE);
}

static void
claim_mappings_once(struct census *c)
{
	static const enum range_class class_of[MAPPING_KINDS] = {
		[MAPPING_ANONYMOUS] = RANGE_MAPPED,
		[MAPPING_FILE] = RANGE_FILE,
		[MAPPING_SHARED] = RANGE_SHARED,
		[MAPPING_RESERVED] = RANGE_MAPPED,
		[MAPPING_ALLOCATOR] = RANGE_ALLOCATOR,
	};
	const struct mapping *m = census_rows(c->segment, TABLE_MAPPINGS);
	const struct mapping *end = m + census_count(c->segment, TABLE_MAPPINGS);
	uint32_t kind;

	for (; m < end; m++) {
		kind = m->kind;
		if (kind != MAPPING_NONE && kind < MAPPING_KINDS)
			add_claim(c, m->start, m->end, class_of[kind]);
	}
}

/*
 * The table moves while the program maps.  A copy that was never consistent
 * is used all the same: what it gets wrong is the class of a few ranges.
 */
static void
claim_mappings(struct census *c)
{
	const _Atomic uint32_t *version = &c->segment->live.mappings_version;
	size_t before = c->claims;
	uint32_t was;
	int i;

	for (i = 0; i < VERSION_TRIES; i++) {
		c->claims = before;
		was = atomic_load_explicit(version, memory_order_acquire);
		claim_mappings_once(c);
		atomic_thread_fence(memory_order_acquire);
		if ((was & 1) == 0 && was ==
		    atomic_load_explicit(version, memory_order_relaxed))
			return;
	}
}

static void
collect_footings(struct census *c)
{
	const struct tally *t = census_rows(c->segment, TABLE_TALLIES);
	const struct tally *end = t + census_count(c->segment, TABLE_TALLIES);

	for (; t < end && c->footings < c->footings_room; t++)
		if (t->stack_address != 0)
			c->footing[c->footings++] = (struct claim){
				t->stack_address, t->stack_address + 1,
				t->tid != 0 ? RANGE_STACK : RANGE_UNKNOWN };
}

/*
 * Shell's sort: in place, and quick on what is sorted but for a few rows, as
 * the mappings are.  libc's qsort() may call malloc.
 */
static void
sort(struct claim *claim, size_t count)
{
	struct claim row;
	size_t gap, i, j;

	for (gap = count / 2; gap > 0; gap /= 2)
		for (i = gap; i < count; i++) {
			row = claim[i];
			for (j = i; j >= gap &&
			    claim[j - gap].start > row.start; j -= gap)
				claim[j] = claim[j - gap];
			claim[j] = row;
		}
}

/* Room for all claims there are, and some that come while we count them. */
int
census_collect(struct census *c, bool is_self)
{
	const struct segment *s = c->segment;
	void *room;

	c->claims_room = SEGMENT_SPANS + 2 + CLAIMS_SPARE +
	    census_count(s, TABLE_MAPPINGS);
	c->footings_room = census_count(s, TABLE_TALLIES);
	c->scratch_bytes = round_up((c->claims_room + c->footings_room) *
	    sizeof(c->claim[0]), c->page_bytes);
	room = sys_mmap(NULL, c->scratch_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_error_of(room) != 0)
		return sys_error_of(room);
	c->scratch = room;
	c->claim = room;
	c->footing = c->claim + c->claims_room;

	if (is_self)
		add_claim(c, (uintptr_t)room,
		    (uintptr_t)room + c->scratch_bytes, RANGE_HEAPTIDE);
	claim_own(c);
	claim_mappings(c);
	collect_footings(c);
	sort(c->claim, c->claims);
	sort(c->footing, c->footings);
	return 0;
}

void
census_drop(struct census *c)
{
	if (c->scratch != NULL)
		sys_munmap(c->scratch, c->scratch_bytes);
}
