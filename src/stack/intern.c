#include "stack/intern.h"

#include "base/base.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/module.h"

/*
 * A million nodes make chains of four.  The heads are 1 MiB at most, touched
 * as far as nodes are met.
 */
#define HEAD_BITS 18

/*
 * Chains of nodes by the hash of (parent, address).  A node is put before the
 * chain's head by compare-and-swap, and only after the chain up to that very
 * head was searched; so no two nodes are equal, whoever comes at once.
 */
static struct {
	_Atomic uint32_t *_Atomic head; /* a node's number, 0: none */
	uint32_t *_Atomic next;         /* by node; fixed before it is linked */
	_Atomic uint64_t rooms;         /* of next; a child's table may be larger */
} intern;

static struct node *
nodes(void)
{
	return segment_rows(TABLE_NODES);
}

static uint64_t
next_bytes(void)
{
	return segment_mine()->table[TABLE_NODES].capacity * sizeof(uint32_t);
}

/* Both tables are address space until touched.  Who loses the race to put
 * them in place gives them back. */
static COLD bool
open_tables(void)
{
	_Atomic uint32_t *head = arena_take(sizeof(*head) << HEAD_BITS);
	uint32_t *next = head != NULL ? arena_take(next_bytes()) : NULL;
	_Atomic uint32_t *no_head = NULL;
	uint32_t *no_next = NULL;

	if (next == NULL) {
		if (head != NULL)
			arena_return((void *)head, sizeof(*head) << HEAD_BITS);
		return false;
	}
	if (atomic_compare_exchange_strong(&intern.next, &no_next, next))
		atomic_store(&intern.rooms, next_bytes() / sizeof(*next));
	else
		arena_return(next, next_bytes());
	/* The heads last: who sees them finds the rest in place. */
	if (!atomic_compare_exchange_strong(&intern.head, &no_head, head))
		arena_return((void *)head, sizeof(*head) << HEAD_BITS);
	return true;
}

/* The node (@parent, @pc) in the chain from @from up to, not with, @until. */
static uint32_t
find(uint32_t from, uint32_t until, uint32_t parent, uint64_t pc)
{
	const uint32_t *next = atomic_load_explicit(&intern.next,
	    memory_order_relaxed);
	const struct node *row = nodes();

	for (; from != until; from = next[from])
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
		intern.next[number] = first;
		searched = first;
		if (atomic_compare_exchange_strong(head, &first, number))
			return number;
		there = find(first, searched, parent, pc);
	} while (there == 0);
	return there; /* ours stays an unused row */
}

static uint32_t
intern_frame(_Atomic uint32_t *heads, uint32_t parent, uint64_t pc)
{
	uint64_t hash = mix_u64(pc + parent * UINT64_C(0x9e3779b97f4a7c15));
	_Atomic uint32_t *head = &heads[hash >> (64 - HEAD_BITS)];
	uint32_t first = atomic_load_explicit(head, memory_order_acquire);
	uint32_t number = find(first, 0, parent, pc);

	return LIKELY(number != 0) ? number :
	    make_node(head, first, parent, pc);
}

uint32_t
intern_stack(const uint64_t *pcs, size_t depth)
{
	_Atomic uint32_t *heads = atomic_load_explicit(&intern.head,
	    memory_order_acquire);
	uint32_t node = 0;

	if (UNLIKELY(heads == NULL)) {
		if (!open_tables())
			return 0;
		heads = atomic_load(&intern.head);
	}
	while (depth > 0) {
		node = intern_frame(heads, node, pcs[--depth]);
		if (node == 0)
			return 0;
	}
	return node;
}

void
intern_reset(void)
{
	_Atomic uint32_t *heads = atomic_load(&intern.head);

	if (heads != NULL)
		arena_clear((void *)heads, sizeof(*heads) << HEAD_BITS);
}
