#include "stack/intern.h"

#include "base/base.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/module.h"
#include "stack/rules.h"
#include "sys/sys.h"

/*
 * A million nodes make chains of four.  The heads are 1 MiB at most, touched
 * as far as nodes are met.
 */
#define HEAD_BITS 18

/*
 * Chains of nodes by the hash of (parent, address).  A node is put before the
 * chain's head by compare-and-swap, and only after the chain up to that very
 * head was searched; so no two nodes are equal, whoever comes at once.  A node
 * is taken out of its chain by one thread at a time (forget()), and then leads
 * on as before, for who stands on it; it is never put in again.
 */
static struct {
	_Atomic uint32_t *_Atomic head; /* a node's number, 0: none */
	_Atomic uint32_t *_Atomic next; /* by node; first set when linked */
	_Atomic uint64_t rooms;         /* of next; a child may have more */
	_Atomic uint32_t forgetting;    /* 1: a thread is at it */
	_Atomic uint32_t closed;        /* calls of intern_closed() */
} intern;

_Atomic uint32_t intern_generation_now;

static struct node *
nodes(void)
{
	return segment_rows(TABLE_NODES);
}

/* For all nodes there may be; where memory is short, for fewer. */
static uint64_t
next_bytes(void)
{
	uint64_t all = segment_mine()->table[TABLE_NODES].capacity *
	    sizeof(uint32_t);

	return min_u64(all, round_up(arena_room() / 8, ARENA_LARGE));
}

/* Both tables are address space until touched.  Who loses the race to put
 * them in place gives them back. */
static COLD bool
open_tables(void)
{
	_Atomic uint32_t *head = arena_take(sizeof(*head) << HEAD_BITS);
	uint64_t bytes = next_bytes();
	_Atomic uint32_t *next = head != NULL ? arena_take(bytes) : NULL;
	_Atomic uint32_t *no_head = NULL;
	_Atomic uint32_t *no_next = NULL;

	if (next == NULL) {
		if (head != NULL)
			arena_return((void *)head, sizeof(*head) << HEAD_BITS);
		return false;
	}
	if (atomic_compare_exchange_strong(&intern.next, &no_next, next))
		atomic_store(&intern.rooms, bytes / sizeof(*next));
	else
		arena_return((void *)next, bytes);
	/* The heads last: who sees them finds the rest in place. */
	if (!atomic_compare_exchange_strong(&intern.head, &no_head, head))
		arena_return((void *)head, sizeof(*head) << HEAD_BITS);
	return true;
}

/* The node (@parent, @pc) in the chain from @from up to, not with, @until. */
static uint32_t
find(uint32_t from, uint32_t until, uint32_t parent, uint64_t pc)
{
	const _Atomic uint32_t *next = atomic_load_explicit(&intern.next,
	    memory_order_relaxed);
	const struct node *row = nodes();

	/* @until may have been taken out: then the end is the chain's. */
	for (; from != until && from != 0;
	    from = atomic_load_explicit(&next[from], memory_order_relaxed))
		if (atomic_load_explicit(&row[from].pc,
		    memory_order_relaxed) == pc &&
		    atomic_load_explicit(&row[from].parent,
		    memory_order_relaxed) == parent)
			return from;
	return 0;
}

/* A node that was not in the chain when its head was @first. */
static COLD uint32_t
make_node(_Atomic uint32_t *head, uint32_t first, uint32_t parent, uint64_t pc)
{
	int64_t row = segment_take(TABLE_NODES, 1);
	uint32_t number = (uint32_t)row;
	uint32_t searched;
	uint32_t there;

	if (row < 0 || (uint64_t)row >= atomic_load(&intern.rooms))
		return 0;
	atomic_store_explicit(&nodes()[row].parent, parent,
	    memory_order_relaxed);
	atomic_store_explicit(&nodes()[row].pc, pc, memory_order_relaxed);
	module_note(pc, number);
	do {
		atomic_store_explicit(&intern.next[number], first,
		    memory_order_relaxed);
		searched = first;
		if (atomic_compare_exchange_strong(head, &first, number))
			return number;
		there = find(first, searched, parent, pc);
	} while (there == 0);
	return there; /* ours stays an unused row */
}

static _Atomic uint32_t *
head_of(_Atomic uint32_t *heads, uint32_t parent, uint64_t pc)
{
	uint64_t hash = mix_u64(pc + parent * UINT64_C(0x9e3779b97f4a7c15));

	return &heads[hash >> (64 - HEAD_BITS)];
}

static uint32_t
intern_frame(_Atomic uint32_t *heads, uint32_t parent, uint64_t pc)
{
	_Atomic uint32_t *head = head_of(heads, parent, pc);
	uint32_t first = atomic_load_explicit(head, memory_order_acquire);
	uint32_t number = find(first, 0, parent, pc);

	return LIKELY(number != 0) ? number :
	    make_node(head, first, parent, pc);
}

/* --- libraries that go ---------------------------------------------------- */

/* Take a node out of its chain; a duplicate (make_node) is in none. */
static void
take_out(_Atomic uint32_t *head, uint32_t number)
{
	_Atomic uint32_t *next = atomic_load(&intern.next);
	uint32_t behind = atomic_load(&next[number]);
	uint32_t at = number;

	/* Others put nodes before the head meanwhile. */
	if (atomic_compare_exchange_strong(head, &at, behind))
		return;
	while (at != 0 && atomic_load(&next[at]) != number)
		at = atomic_load(&next[at]);
	if (at != 0)
		atomic_store(&next[at], behind);
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
	_Atomic uint32_t *heads = atomic_load(&intern.head);
	const struct node *row = nodes();
	uint32_t i;

	/* Before and after: whoever met them in between met the old ones. */
	atomic_fetch_add(&intern_generation_now, 1);
	used = min_u64(used, atomic_load(&intern.rooms));
	for (i = 1; heads != NULL && i < used; i++) {
		uint64_t pc = atomic_load(&row[i].pc);

		if (pc >= place->start && pc < place->end)
			take_out(head_of(heads, row[i].parent, pc), i);
	}
	atomic_fetch_add(&intern_generation_now, 1);
}

/* False: who is at it already has to end first. */
static bool
may_forget(void)
{
	uint32_t none = 0;

	return atomic_compare_exchange_strong(&intern.forgetting, &none, 1);
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

/* The bound is for who was stopped in the middle of it, for ever. */
#define YIELDS_MOST 1000

static bool
wait_to_forget(void)
{
	int i;

	for (i = 0; i < YIELDS_MOST; i++) {
		if (may_forget())
			return true;
		sys_yield();
	}
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
intern_frames(_Atomic uint32_t *heads, uint32_t node, const uint64_t *pcs,
    size_t depth)
{
	while (depth > 0) {
		node = intern_frame(heads, node, pcs[--depth]);
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
	_Atomic uint32_t *heads = atomic_load_explicit(&intern.head,
	    memory_order_acquire);
	uint32_t *known;

	if (UNLIKELY(heads == NULL)) {
		if (!open_tables())
			return 0;
		heads = atomic_load(&intern.head);
	}
	if (UNLIKELY(atomic_load_explicit(&module_watched,
	    memory_order_relaxed) != 0) && !renew(pcs, depth))
		return INTERN_LATER;
	if (memo == NULL || depth == 0)
		return intern_frames(heads, base, pcs, depth);
	known = memo_path(memo, hash_of(base, pcs, depth),
	    intern_generation());
	if (!is_path(*known, base, pcs, depth))
		*known = intern_frames(heads, base, pcs, depth);
	return *known;
}

void
intern_reset(void)
{
	_Atomic uint32_t *heads = atomic_load(&intern.head);

	if (heads != NULL)
		arena_clear((void *)heads, sizeof(*heads) << HEAD_BITS);
	atomic_store(&intern.forgetting, 0);
	atomic_store(&intern.closed, 0);
}
