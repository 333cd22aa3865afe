#include "heap/drawn.h"

#include "heap/ledger.h"
#include "mem/arena.h"

#define BUCKET      8   /* slots: two cache lines */
#define FIRST_BITS  9   /* buckets of the first table: 64 KiB */
#define LEVEL_BITS  2   /* more of each one after it */
#define LEVELS      6   /* the last has 4 Mi slots */

/* A slot's address: of a block, which is a multiple of 8, or one of these. */
#define FREE  UINT64_C(0)
#define TAKEN UINT64_C(1) /* somebody is about to fill it */

#define RATE_BITS 8
#define SITE_BITS 20

_Static_assert(SEGMENT_SITES <= UINT32_C(1) << SITE_BITS, "a site fits");
_Static_assert(LEDGER_SLACK <= UINT64_C(1) << (64 - RATE_BITS - SITE_BITS -
    LEDGER_AGE_BITS), "what is left is enough for the slack");

struct slot {
	_Atomic uint64_t block;
	_Atomic uint64_t packed;
};

struct bucket {
	struct slot slot[BUCKET];
} __attribute__((aligned(64)));

/* In the arena: who looks for pointers to a block must not find it here. */
static struct {
	struct bucket *_Atomic level[LEVELS];
} drawn;

static uint64_t
pack(const struct record *record)
{
	return (((uint64_t)record->slack << SITE_BITS | record->site) <<
	    RATE_BITS | record->rate) << LEDGER_AGE_BITS | record->generation;
}

static void
unpack(uint64_t packed, struct record *record)
{
	record->generation = packed & (GENERATIONS - 1);
	packed >>= LEDGER_AGE_BITS;
	record->rate = packed & ((1 << RATE_BITS) - 1);
	packed >>= RATE_BITS;
	record->site = packed & ((1 << SITE_BITS) - 1);
	record->slack = (uint32_t)(packed >> SITE_BITS);
}

/* --- tables --------------------------------------------------------------- */

static size_t
buckets_of(unsigned level)
{
	return (size_t)1 << (FIRST_BITS + LEVEL_BITS * level);
}

/* NULL: it was not needed yet. */
static struct bucket *
table_of(unsigned level)
{
	return atomic_load_explicit(&drawn.level[level], memory_order_acquire);
}

static COLD struct bucket *
make_table(unsigned level)
{
	size_t bytes = buckets_of(level) * sizeof(struct bucket);
	struct bucket *fresh = arena_take(bytes), *there = NULL;

	if (fresh == NULL || atomic_compare_exchange_strong(
	    &drawn.level[level], &there, fresh))
		return fresh;
	if (bytes >= ARENA_LARGE)
		arena_return(fresh, bytes);
	return there;
}

/* Where two addresses meet in one table they need not in the next. */
static struct bucket *
bucket_of(struct bucket *table, unsigned level, uint64_t address)
{
	return &table[mix_u64(address + level) & (buckets_of(level) - 1)];
}

static struct slot *
find_in(struct bucket *b, uint64_t address)
{
	unsigned i;

	for (i = 0; i < BUCKET; i++)
		if (atomic_load_explicit(&b->slot[i].block,
		    memory_order_acquire) == address)
			return &b->slot[i];
	return NULL;
}

/* NULL: there is none. */
static struct slot *
find(const void *block)
{
	uint64_t address = (uintptr_t)block;
	struct slot *slot = NULL;
	struct bucket *table;
	unsigned level;

	if (address <= TAKEN)
		return NULL;
	for (level = 0; slot == NULL && level < LEVELS; level++) {
		table = table_of(level);
		if (table == NULL)
			break;
		slot = find_in(bucket_of(table, level, address), address);
	}
	return slot;
}

/* A slot that is nobody else's any more, in the first table with room. */
static struct slot *
take_slot(uint64_t address)
{
	unsigned level, i;

	for (level = 0; level < LEVELS; level++) {
		struct bucket *table = table_of(level), *b;

		if (table == NULL)
			table = make_table(level);
		if (table == NULL)
			break;
		b = bucket_of(table, level, address);
		for (i = 0; i < BUCKET; i++) {
			uint64_t none = FREE;

			if (atomic_load_explicit(&b->slot[i].block,
			    memory_order_relaxed) == FREE &&
			    atomic_compare_exchange_strong(&b->slot[i].block,
			    &none, TAKEN))
				return &b->slot[i];
		}
	}
	return NULL;
}

/* --- records -------------------------------------------------------------- */

bool
drawn_holds(const void *block, const struct record *record)
{
	return ((uintptr_t)block & 7) == 0 && block != NULL &&
	    record->rate != 0 && record->rate < UINT32_C(1) << RATE_BITS &&
	    record->slack < LEDGER_SLACK;
}

bool
drawn_put(const void *block, const struct record *record)
{
	struct slot *slot = take_slot((uintptr_t)block);

	if (slot == NULL)
		return false;
	atomic_store_explicit(&slot->packed, pack(record),
	    memory_order_relaxed);
	atomic_store_explicit(&slot->block, (uintptr_t)block,
	    memory_order_release);
	return true;
}

bool
drawn_look(const void *block, struct record *record)
{
	struct slot *slot = find(block);

	if (slot == NULL)
		return false;
	unpack(atomic_load_explicit(&slot->packed, memory_order_relaxed),
	    record);
	return true;
}

bool
drawn_take(const void *block, struct record *record)
{
	struct slot *slot = find(block);

	if (slot == NULL)
		return false;
	unpack(atomic_load_explicit(&slot->packed, memory_order_relaxed),
	    record);
	atomic_store_explicit(&slot->block, FREE, memory_order_release);
	return true;
}

static void
set_slot(struct slot *slot, uint32_t generation)
{
	uint64_t packed = atomic_load(&slot->packed);

	if (atomic_load(&slot->block) > TAKEN)
		atomic_store(&slot->packed, (packed &
		    ~(uint64_t)(GENERATIONS - 1)) | generation);
}

/* What was never written to is not touched. */
void
drawn_set_generations(uint32_t generation)
{
	unsigned level;
	size_t i, k;

	for (level = 0; level < LEVELS && table_of(level) != NULL; level++)
		for (i = 0; i < buckets_of(level); i++)
			for (k = 0; k < BUCKET; k++)
				set_slot(&table_of(level)[i].slot[k],
				    generation);
}
