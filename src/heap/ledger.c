#include "heap/ledger.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/base.h"
#include "mem/arena.h"

/*
 * 47 bits of address are what user space has on x86-64 and aarch64 unless a
 * program asks for more; a block above is answered with -ERANGE and counted.
 */
#define ADDRESS_BITS 47
#define REGION_BITS  22 /* 4 MiB */
#define MIDDLE_BITS  13
#define TOP_BITS     (ADDRESS_BITS - REGION_BITS - MIDDLE_BITS)

#define REGION_BYTES (UINT64_C(1) << REGION_BITS)
/* Blocks may start 8 bytes apart only where they are smaller than 16. */
#define LEAST_BITS   3

#define SITE_BITS  22
#define SLACK_BITS 26
#define EPOCH_BITS 16

#define LEVELS (REGION_BITS + 1)

/* The tables of a region, each made when a block of its level is first met. */
struct region {
	_Atomic uint64_t *_Atomic level[LEVELS];
};

struct middle {
	struct region *_Atomic region[1 << MIDDLE_BITS];
};

static struct {
	struct middle *_Atomic middle[1 << TOP_BITS];
} ledger;

/* The level of a block: log2 of the distance its table is drawn at. */
static unsigned
level_of(size_t usable)
{
	unsigned bits;

	if (usable < 16)
		return LEAST_BITS;
	/* From 16 bytes on, blocks start at multiples of 16. */
	bits = 63 - (unsigned)__builtin_clzll(round_up(usable, 16));
	return bits < REGION_BITS ? bits : REGION_BITS;
}

/* A block's place, or NULL: none of its level was met in this region. */
static _Atomic uint64_t *
entry_in(const struct region *region, uint64_t address, unsigned level)
{
	_Atomic uint64_t *table = atomic_load_explicit(&region->level[level],
	    memory_order_acquire);

	if (UNLIKELY(table == NULL))
		return NULL;
	return &table[(address & (REGION_BYTES - 1)) >> level];
}

static struct region *
find_region(uint64_t address)
{
	uint64_t number = address >> REGION_BITS;
	struct middle *m;

	if (UNLIKELY(address >> ADDRESS_BITS != 0))
		return NULL;
	m = atomic_load_explicit(&ledger.middle[number >> MIDDLE_BITS],
	    memory_order_acquire);
	if (UNLIKELY(m == NULL))
		return NULL;
	return atomic_load_explicit(
	    &m->region[number & ((1 << MIDDLE_BITS) - 1)],
	    memory_order_acquire);
}

static COLD struct region *
make_region(uint64_t address)
{
	uint64_t number = address >> REGION_BITS;
	struct middle *_Atomic *top = &ledger.middle[number >> MIDDLE_BITS];
	struct middle *m = atomic_load(top);
	struct region *_Atomic *slot;
	struct region *r;
	struct region *none = NULL;

	if (m == NULL) {
		struct middle *fresh = arena_take(sizeof(*fresh));

		if (fresh == NULL)
			return NULL;
		/* Who loses a race leaves a small piece behind, here, too. */
		if (atomic_compare_exchange_strong(top, &m, fresh))
			m = fresh;
	}
	slot = &m->region[number & ((1 << MIDDLE_BITS) - 1)];
	r = arena_take(sizeof(*r));
	if (r == NULL || atomic_compare_exchange_strong(slot, &none, r))
		return r;
	return none;
}

static COLD _Atomic uint64_t *
make_level(struct region *region, uint64_t address, unsigned level)
{
	size_t bytes = (REGION_BYTES >> level) * sizeof(uint64_t);
	_Atomic uint64_t *table = arena_take(bytes);
	_Atomic uint64_t *none = NULL;

	if (table == NULL)
		return NULL;
	if (!atomic_compare_exchange_strong(&region->level[level], &none,
	    table) && bytes >= ARENA_LARGE)
		arena_return((void *)table, bytes);
	return entry_in(region, address, level);
}

static uint64_t
pack(const struct record *record)
{
	return (uint64_t)record->site |
	    (uint64_t)record->slack << SITE_BITS |
	    (uint64_t)record->epoch << (SITE_BITS + SLACK_BITS);
}

static void
unpack(uint64_t packed, struct record *record)
{
	record->site = packed & (LEDGER_SITES - 1);
	record->slack = (packed >> SITE_BITS) & (LEDGER_SLACK - 1);
	record->epoch = (uint32_t)(packed >> (SITE_BITS + SLACK_BITS));
}

int
ledger_put(const void *block, size_t usable, const struct record *record,
    struct record *old)
{
	uint64_t address = (uintptr_t)block;
	struct region *region = find_region(address);
	unsigned level = level_of(usable);
	_Atomic uint64_t *entry;
	uint64_t before;

	_Static_assert(SITE_BITS + SLACK_BITS + EPOCH_BITS == 64, "packing");
	if (UNLIKELY(region == NULL)) {
		if (address >> ADDRESS_BITS != 0)
			return -ERANGE;
		region = make_region(address);
		if (region == NULL)
			return -ENOMEM;
	}
	if (UNLIKELY(record->slack >= LEDGER_SLACK))
		return -ERANGE;
	entry = entry_in(region, address, level);
	if (UNLIKELY(entry == NULL)) {
		entry = make_level(region, address, level);
		if (entry == NULL)
			return -ENOMEM;
	}
	before = atomic_load_explicit(entry, memory_order_relaxed);
	atomic_store_explicit(entry, pack(record), memory_order_relaxed);
	if (LIKELY(before == 0))
		return 0;
	unpack(before, old);
	return -EEXIST;
}

int
ledger_take(const void *block, size_t usable, struct record *record)
{
	struct region *region = find_region((uintptr_t)block);
	_Atomic uint64_t *entry;
	uint64_t packed;

	if (UNLIKELY(region == NULL))
		return -ENOENT;
	entry = entry_in(region, (uintptr_t)block, level_of(usable));
	if (UNLIKELY(entry == NULL))
		return -ENOENT;
	packed = atomic_load_explicit(entry, memory_order_relaxed);
	if (UNLIKELY(packed == 0))
		return -ENOENT;
	atomic_store_explicit(entry, 0, memory_order_relaxed);
	unpack(packed, record);
	return 0;
}
