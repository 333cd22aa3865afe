#include "stack/intern.h"

#include "base/base.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/module.h"

#define FIRST_BITS  14 /* slots of the first table: 64 KiB */
#define TABLES_MOST 16
#define PROBES_MOST 64 /* a table this crowded is as good as full */

/* Open addressing; a slot holds a node's number, 0 is free. */
struct table {
	unsigned bits;
	_Atomic uint32_t used;
	_Atomic uint32_t slot[];
};

static struct {
	struct table *_Atomic table[TABLES_MOST]; /* oldest first */
	_Atomic uint32_t tables;
} intern;

static struct node *
nodes(void)
{
	return segment_rows(TABLE_NODES);
}

static uint64_t
hash(uint32_t parent, uint64_t pc)
{
	return mix_u64(pc + parent * UINT64_C(0x9e3779b97f4a7c15));
}

static bool
is_node(uint32_t number, uint32_t parent, uint64_t pc)
{
	const struct node *n = &nodes()[number];

	return atomic_load_explicit(&n->pc, memory_order_relaxed) == pc &&
	    atomic_load_explicit(&n->parent, memory_order_relaxed) == parent;
}

static uint32_t
find(const struct table *t, uint64_t h, uint32_t parent, uint64_t pc)
{
	uint64_t mask = (UINT64_C(1) << t->bits) - 1;
	unsigned i;

	for (i = 0; i < PROBES_MOST; i++) {
		uint32_t number = atomic_load_explicit(
		    &t->slot[(h + i) & mask], memory_order_acquire);

		if (number == 0 || is_node(number, parent, pc))
			return number;
	}
	return 0;
}

/*
 * Put @number in, unless an equal node is there.  Returns the one that is in
 * the table afterwards, or 0: the table is full.
 */
static uint32_t
put(struct table *t, uint64_t h, uint32_t number, uint32_t parent, uint64_t pc)
{
	uint64_t mask = (UINT64_C(1) << t->bits) - 1;
	unsigned i;

	if (atomic_load_explicit(&t->used, memory_order_relaxed) > mask / 2)
		return 0;
	for (i = 0; i < PROBES_MOST; i++) {
		uint32_t there = 0;

		if (atomic_compare_exchange_strong(&t->slot[(h + i) & mask],
		    &there, number)) {
			atomic_fetch_add(&t->used, 1);
			return number;
		}
		if (there == number || is_node(there, parent, pc))
			return there;
	}
	return 0;
}

/* Put a table twice as large in front of the @count there are. */
static COLD bool
add_table(uint32_t count)
{
	unsigned bits = FIRST_BITS + count;
	struct table *none = NULL;
	size_t bytes = sizeof(*none) + (sizeof(uint32_t) << bits);
	struct table *fresh;

	if (count >= TABLES_MOST)
		return false;
	fresh = arena_take(bytes);
	if (fresh == NULL)
		return false;
	fresh->bits = bits;
	/* Who loses leaves its piece behind; a race for a table is rare. */
	atomic_compare_exchange_strong(&intern.table[count], &none, fresh);
	atomic_compare_exchange_strong(&intern.tables, &count, count + 1);
	return true;
}

/* Put a node into the front table; make a larger one when it is full. */
static uint32_t
put_in_front(uint64_t h, uint32_t number, uint32_t parent, uint64_t pc)
{
	for (;;) {
		uint32_t count = atomic_load(&intern.tables);
		uint32_t there = 0;

		if (count > 0)
			there = put(atomic_load(&intern.table[count - 1]), h,
			    number, parent, pc);
		if (there != 0)
			return there;
		if (!add_table(count))
			return 0;
	}
}

static COLD uint32_t
make_node(uint64_t h, uint32_t parent, uint64_t pc)
{
	int64_t number = segment_take(TABLE_NODES, 1);
	struct node *n;

	if (number < 0)
		return 0;
	n = &nodes()[number];
	atomic_store_explicit(&n->parent, parent, memory_order_relaxed);
	atomic_store_explicit(&n->pc, pc, memory_order_relaxed);
	module_note(pc, (uint32_t)number);
	/* Who loses the race for the slot leaves an unused row. */
	return put_in_front(h, (uint32_t)number, parent, pc);
}

static uint32_t
intern_frame(uint32_t parent, uint64_t pc)
{
	uint64_t h = hash(parent, pc);
	uint32_t count = atomic_load_explicit(&intern.tables,
	    memory_order_acquire);
	uint32_t number;
	uint32_t i;

	for (i = count; i > 0; i--) {
		number = find(atomic_load_explicit(&intern.table[i - 1],
		    memory_order_acquire), h, parent, pc);
		if (number == 0)
			continue;
		if (UNLIKELY(i < count))
			put_in_front(h, number, parent, pc);
		return number;
	}
	return make_node(h, parent, pc);
}

uint32_t
intern_stack(const uint64_t *pcs, size_t depth)
{
	uint32_t node = 0;

	while (depth > 0) {
		node = intern_frame(node, pcs[--depth]);
		if (node == 0)
			return 0;
	}
	return node;
}

void
intern_reset(void)
{
	uint32_t i;

	for (i = 0; i < TABLES_MOST; i++) {
		struct table *t = atomic_load(&intern.table[i]);

		if (t != NULL) {
			arena_clear(t->slot, sizeof(uint32_t) << t->bits);
			atomic_store(&t->used, 0);
		}
	}
}
