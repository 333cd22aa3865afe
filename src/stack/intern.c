#include "stack/intern.h"

#include "base/base.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/module.h"
#include "stack/rules.h"
#include "sys/sys.h"

/*
 * Nearly all nodes have few children: those hang on them, and as the nodes of
 * a path are mostly made one after another, they are mostly found in the line
 * of cache that is at hand.  A node that has this many is wide, from then on:
 * its further children are found by the hash of (parent, address).  The heads
 * are 1 MiB at most, touched as far as there are such.
 */
#define CHILDREN  8
#define WIDE      (UINT32_C(1) << 31) /* in a node's first */
#define HEAD_BITS 18

/* Of a node; both lead on by number, and 0 is the end. */
struct links {
	_Atomic uint32_t first; /* child */
	_Atomic uint32_t next;  /* in the chain it is in; set when linked */
};

/*
 * A node is in one chain, its parent's or one by hash.  It is put before the
 * chain's head by compare-and-swap, and only after the chain up to that very
 * head was searched; so no two nodes are equal, whoever comes at once.  Nothing
 * is put into the chain of a node that is wide.  A node is taken out of its
 * chain by one thread at a time (forget()), and then leads on as before, for
 * who stands on it; it is never put in again.
 */
static struct {
	struct links *_Atomic links;    /* by node */
	_Atomic uint32_t *_Atomic head; /* by hash */
	_Atomic uint64_t rooms;         /* of links; a child may have more */
	_Atomic uint32_t forgetting;    /* who is at it; 0: nobody */
	_Atomic uint32_t stopped;       /* who was at it too long */
	_Atomic uint32_t closed;        /* calls of intern_closed() */
} intern;

_Atomic uint32_t intern_generation_now;

static struct node *
nodes(void)
{
	return segment_rows(TABLE_NODES);
}

/* For all nodes there may be; where memory is short, for fewer.  Said once. */
static uint64_t
links_bytes(void)
{
	uint64_t all = segment_capacity(TABLE_NODES) *
	    sizeof(struct links);
	uint64_t bytes = min_u64(all, round_up(arena_room() / 4, ARENA_LARGE));
	uint64_t rooms = 0;

	(void)atomic_compare_exchange_strong(&intern.rooms, &rooms,
	    bytes / sizeof(struct links));
	return atomic_load(&intern.rooms) * sizeof(struct links);
}

/* Both tables are address space until touched.  Who loses the race to put
 * them in place gives them back. */
static COLD bool
open_tables(void)
{
	_Atomic uint32_t *head = arena_take(sizeof(*head) << HEAD_BITS);
	uint64_t bytes = links_bytes();
	struct links *links = head != NULL ? arena_take(bytes) : NULL;
	_Atomic uint32_t *no_head = NULL;
	struct links *no_links = NULL;

	if (links == NULL) {
		if (head != NULL)
			arena_return((void *)head, sizeof(*head) << HEAD_BITS);
		return false;
	}
	if (!atomic_compare_exchange_strong(&intern.head, &no_head, head))
		arena_return((void *)head, sizeof(*head) << HEAD_BITS);
	/* The links last: who sees them finds the rest in place. */
	if (!atomic_compare_exchange_strong(&intern.links, &no_links, links))
		arena_return((void *)links, bytes);
	return true;
}

static uint32_t
next_of(const struct links *links, uint32_t node)
{
	return atomic_load_explicit(&links[node].next, memory_order_relaxed);
}

static bool
is_node(uint32_t node, uint32_t parent, uint64_t pc)
{
	const struct node *row = &nodes()[node];

	return atomic_load_explicit(&row->pc, memory_order_relaxed) == pc &&
	    atomic_load_explicit(&row->parent, memory_order_relaxed) == parent;
}

/* The node (@parent, @pc) in the chain from @from up to, not with, @until. */
static uint32_t
find(const struct links *links, uint32_t from, uint32_t until,
    uint32_t parent, uint64_t pc)
{
	/* @until may have been taken out: then the end is the chain's. */
	for (; from != until && from != 0; from = next_of(links, from))
		if (is_node(from, parent, pc))
			return from;
	return 0;
}

static _Atomic uint32_t *
head_of(uint32_t parent, uint64_t pc)
{
	uint64_t hash = mix_u64(pc + parent * UINT64_C(0x9e3779b97f4a7c15));

	return &atomic_load_explicit(&intern.head, memory_order_relaxed)
	    [hash >> (64 - HEAD_BITS)];
}

/*
 * Put a node that was not in a chain when its head was @seen into it, or find
 * the one that another has put there.  0: the chain is of who is wide now.
 */
static uint32_t
put_in(struct links *links, _Atomic uint32_t *head, uint32_t seen,
    uint32_t number)
{
	uint32_t parent = nodes()[number].parent;
	uint64_t pc = nodes()[number].pc;
	uint32_t searched;
	uint32_t there;

	do {
		if (seen & WIDE)
			return 0;
		atomic_store_explicit(&links[number].next, seen,
		    memory_order_relaxed);
		searched = seen;
		if (atomic_compare_exchange_strong(head, &seen, number))
			return number;
		there = find(links, seen & ~WIDE, searched, parent, pc);
	} while (there == 0);
	return there; /* ours stays an unused row */
}

static bool
is_full(const struct links *links, uint32_t first)
{
	int n = 0;

	for (; first != 0 && n < CHILDREN; first = next_of(links, first))
		n++;
	return n == CHILDREN;
}

/* A child that @parent did not have when its first was @seen. */
static COLD uint32_t
make_node(struct links *links, uint32_t parent, uint32_t seen, uint64_t pc)
{
	int64_t row = segment_take(TABLE_NODES, 1);
	uint32_t number = (uint32_t)row;
	_Atomic uint32_t *first = &links[parent].first;
	_Atomic uint32_t *head;
	uint32_t there;

	if (row < 0 || (uint64_t)row >= atomic_load(&intern.rooms))
		return 0;
	atomic_store_explicit(&nodes()[row].parent, parent,
	    memory_order_relaxed);
	atomic_store_explicit(&nodes()[row].pc, pc, memory_order_relaxed);
	module_note(pc, number);
	if (!(seen & WIDE) && !is_full(links, seen)) {
		there = put_in(links, first, seen, number);
		if (there != 0)
			return there;
	}
	/* From here on nothing is added to its own chain. */
	seen = atomic_fetch_or(first, WIDE) & ~WIDE;
	there = find(links, seen, 0, parent, pc);
	if (there != 0)
		return there;
	head = head_of(parent, pc);
	seen = atomic_load(head);
	there = find(links, seen, 0, parent, pc);
	return there != 0 ? there : put_in(links, head, seen, number);
}

static uint32_t
intern_frame(struct links *links, uint32_t parent, uint64_t pc)
{
	uint32_t first = atomic_load_explicit(&links[parent].first,
	    memory_order_acquire);
	uint32_t number = find(links, first & ~WIDE, 0, parent, pc);

	if (number == 0 && first & WIDE)
		number = find(links, atomic_load_explicit(head_of(parent, pc),
		    memory_order_acquire), 0, parent, pc);
	return LIKELY(number != 0) ? number :
	    make_node(links, parent, first, pc);
}

/* --- libraries that go ---------------------------------------------------- */

/* Take a node out of a chain; false: it is not in that one. */
static bool
take_out(struct links *links, _Atomic uint32_t *head, uint32_t number)
{
	uint32_t behind = next_of(links, number);
	uint32_t at = atomic_load(head);

	/* Others put nodes before the head meanwhile. */
	while ((at & ~WIDE) == number)
		if (atomic_compare_exchange_strong(head, &at,
		    behind | (at & WIDE)))
			return true;
	at &= ~WIDE;
	while (at != 0 && next_of(links, at) != number)
		at = next_of(links, at);
	if (at != 0)
		atomic_store(&links[at].next, behind);
	return at != 0;
}

/*
 * Forget the nodes of a place, so that the next who comes from there makes new
 * ones.  What lies deeper needs no care: its parents are not found any more.
 */
static void
forget(const struct module_place *place)
{
	uint64_t used = atomic_load(
	    &segment_mine()->table[TABLE_NODES].used);
	struct links *links = atomic_load(&intern.links);
	const struct node *row = nodes();
	uint32_t i;

	/* Before and after: whoever met them in between met the old ones. */
	atomic_fetch_add(&intern_generation_now, 1);
	used = min_u64(used, atomic_load(&intern.rooms));
	for (i = 1; links != NULL && i < used; i++) {
		uint64_t pc = atomic_load(&row[i].pc);

		/* A duplicate (make_node) is in no chain. */
		if (pc >= place->start && pc < place->end &&
		    !take_out(links, &links[row[i].parent].first, i))
			(void)take_out(links, head_of(row[i].parent, pc), i);
	}
	atomic_fetch_add(&intern_generation_now, 1);
}

/* Who we are, without asking: libc's place for the thread.  Never 0. */
static uint32_t
caller(void)
{
	return (uint32_t)((uintptr_t)__builtin_thread_pointer() >> 4) | 1;
}

/* False: who is at it already has to end first. */
static bool
may_forget(void)
{
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong(&intern.forgetting, &none,
	    caller()))
		return false;
	atomic_store(&intern.stopped, 0);
	return true;
}

bool
intern_give_way(uint64_t *since)
{
	uint32_t who = atomic_load(&intern.forgetting);

	if (who == 0)
		return true;
	if (who == caller() || who == atomic_load(&intern.stopped))
		return false;
	if (sys_give_way(since))
		return true;
	atomic_store(&intern.stopped, who);
	return false;
}

static COLD bool
renew(const uint64_t *pcs, size_t depth)
{
	struct module_place place;
	size_t i;

	for (i = 0; i < depth; i++) {
		if (!module_is_replaced(pcs[i], &place))
			continue;
		if (!may_forget())
			return false;
		forget(&place);
		module_settle(pcs[i]);
		atomic_store(&intern.forgetting, 0);
	}
	return true;
}

static void
look_for_gone(void)
{
	struct module_place place;
	bool any = false;

	while (module_look_for_gone(&any, &place))
		forget(&place);
	if (any)
		rules_forget();
}

static bool
wait_to_forget(void)
{
	uint64_t since = 0;

	do {
		if (may_forget())
			return true;
	} while (intern_give_way(&since));
	return false;
}

void
intern_closed(void)
{
	uint32_t seen;

	atomic_fetch_add(&intern_generation_now, 1);
	/* One looks; who comes meanwhile makes it look once more. */
	if (atomic_fetch_add(&intern.closed, 1) != 0)
		return;
	do {
		seen = atomic_load(&intern.closed);
		if (wait_to_forget()) {
			look_for_gone();
			atomic_store(&intern.forgetting, 0);
		}
	} while (!atomic_compare_exchange_strong(&intern.closed, &seen, 0));
}

/* Is @node that of the path @pcs above @base? */
static bool
is_path(uint32_t node, uint32_t base, const uint64_t *pcs, size_t depth)
{
	const struct node *row = nodes();
	size_t i;

	for (i = 0; i < depth; i++) {
		if (node == 0 || atomic_load_explicit(&row[node].pc,
		    memory_order_relaxed) != pcs[i])
			return false;
		node = atomic_load_explicit(&row[node].parent,
		    memory_order_relaxed);
	}
	return node == base;
}

static uint64_t
hash_of(uint32_t base, const uint64_t *pcs, size_t depth)
{
	uint64_t hash = base;
	uint64_t factor = UINT64_C(0xd6e8feb86659fd93);
	size_t i;

	for (i = 0; i < depth; i++) {
		hash += pcs[i] * factor;
		factor += UINT64_C(0xbf58476d1ce4e5b8); /* even: it stays odd */
	}
	return mix_u64(hash);
}

static uint32_t
intern_frames(struct links *links, uint32_t node, const uint64_t *pcs,
    size_t depth)
{
	while (depth > 0) {
		node = intern_frame(links, node, pcs[--depth]);
		if (node == 0)
			return 0;
	}
	return node;
}

uint32_t
intern_outer(uint32_t node, uint32_t frames)
{
	for (; frames > 0; frames--)
		node = atomic_load_explicit(&nodes()[node].parent,
		    memory_order_relaxed);
	return node;
}

uint32_t
intern_stack(struct memo *memo, uint32_t base, const uint64_t *pcs,
    size_t depth)
{
	struct links *links = atomic_load_explicit(&intern.links,
	    memory_order_acquire);
	uint32_t *known;

	if (UNLIKELY(links == NULL)) {
		if (!open_tables())
			return 0;
		links = atomic_load(&intern.links);
	}
	if (UNLIKELY(atomic_load_explicit(&module_watched,
	    memory_order_relaxed) != 0) && !renew(pcs, depth))
		return INTERN_LATER;
	if (memo == NULL || depth == 0)
		return intern_frames(links, base, pcs, depth);
	known = memo_path(memo, hash_of(base, pcs, depth),
	    intern_generation());
	if (!is_path(*known, base, pcs, depth))
		*known = intern_frames(links, base, pcs, depth);
	return *known;
}

void
intern_reset(void)
{
	_Atomic uint32_t *head = atomic_load(&intern.head);
	struct links *links = atomic_load(&intern.links);

	if (links != NULL) {
		arena_clear((void *)head, sizeof(*head) << HEAD_BITS);
		arena_clear(links, atomic_load(&intern.rooms) *
		    sizeof(*links));
	}
	atomic_store(&intern.forgetting, 0);
	atomic_store(&intern.closed, 0);
}
