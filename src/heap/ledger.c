#include "heap/ledger.h"

#include <errno.h>

#include "heap/tally.h"
#include "mem/arena.h"

#define REGION_BYTES (UINT64_C(1) << LEDGER_REGION_BITS)

struct ledger_middle *_Atomic ledger_top[1 << LEDGER_TOP_BITS];

/* --- places --------------------------------------------------------------- */

static struct ledger_region *
make_region(uint64_t address)
{
	uint64_t number = address >> LEDGER_REGION_BITS;
	struct ledger_middle *_Atomic *top =
	    &ledger_top[number >> LEDGER_MIDDLE_BITS];
	struct ledger_middle *m = atomic_load(top);
	struct ledger_region *_Atomic *slot;
	struct ledger_region *there;
	struct ledger_region *fresh;

	if (m == NULL) {
		struct ledger_middle *first = arena_take(sizeof(*first));

		if (first == NULL)
			return NULL;
		/* Who loses a race leaves a small piece behind, here, too. */
		if (atomic_compare_exchange_strong(top, &m, first))
			m = first;
	}
	slot = &m->region[number & ((1 << LEDGER_MIDDLE_BITS) - 1)];
	there = atomic_load(slot);
	if (there != NULL)
		return there;
	fresh = arena_take(sizeof(*fresh));
	if (fresh == NULL || atomic_compare_exchange_strong(slot, &there,
	    fresh))
		return fresh;
	return there;
}

static size_t
level_bytes(unsigned level)
{
	return (REGION_BYTES >> level) * sizeof(uint32_t);
}

/*
 * Where a heap has grown large it goes on to, and most of a new table will be
 * in use soon; so its pages are made at one go.  It may come otherwise, and so
 * they are to be worth FILL_BYTES for each block that there is, no more: blocks
 * of 128 bytes, half of them smaller, take as much by and by.
 */
#define FILL_BYTES 20

static struct {
	_Atomic bool all;        /* every block has a record */
	_Atomic uint64_t filled; /* bytes */
} fill;

static void
fill_table(unsigned level, void *table, size_t bytes)
{
	int64_t live, requested;
	uint64_t blocks;

	if (!atomic_load(&fill.all) || (level != 5 && level != 7))
		return;
	tally_sum(&blocks, &live, &requested);
	if ((int64_t)blocks > 0 && blocks * FILL_BYTES >
	    atomic_load(&fill.filled) + bytes && arena_fill(table, bytes))
		atomic_fetch_add(&fill.filled, bytes);
}

static bool
make_level(struct ledger_region *region, unsigned level)
{
	size_t bytes = level_bytes(level);
	_Atomic uint32_t *table = arena_take(bytes);
	_Atomic uint32_t *none = NULL;

	if (table == NULL)
		return false;
	if (atomic_compare_exchange_strong(&region->level[level], &none,
	    table))
		fill_table(level, (void *)table, bytes);
	else if (bytes >= ARENA_LARGE)
		arena_return((void *)table, bytes);
	return true;
}

void
ledger_expect_all(bool all)
{
	atomic_store(&fill.all, all);
}

/* A block's place, made if it was not met yet; NULL: there is no room. */
static _Atomic uint32_t *
make_entry(const void *block, size_t usable)
{
	_Atomic uint32_t *entry = ledger_entry(block, usable);
	struct ledger_region *region;

	if (entry != NULL)
		return entry;
	region = make_region((uintptr_t)block);
	if (region == NULL || !make_level(region, ledger_level(usable)))
		return NULL;
	return ledger_entry(block, usable);
}

/* --- odd kinds ------------------------------------------------------------ */

/*
 * Kinds of blocks that do not fit an entry have numbers.  They are
 * found through chains by hash, in which one is put first by
 * compare-and-swap, after the chain up to that very head was searched; so no
 * two are equal.  None is ever taken out: there are as many as a program has
 * sites with blocks of odd sizes.
 */
#define ODD_MOST (UINT32_C(1) << 20)
#define HEADS    65536

_Static_assert(LEDGER_ODD_FIRST + ODD_MOST <=
    UINT32_C(1) << (32 - LEDGER_AGE_BITS), "numbers of kinds fit an entry");

struct odd {
	uint32_t site;
	uint32_t slack;
	uint32_t rate;
	uint32_t next; /* in the chain; 0: the last */
};

static struct {
	struct odd *_Atomic row; /* row[0] is none: its site says how many */
	_Atomic uint32_t used;
	_Atomic uint32_t head[HEADS]; /* a row, 0: none */
} odd;

/* Address space until touched; where that is short, less of it. */
static COLD struct odd *
open_odd_rows(void)
{
	uint64_t bytes = min_u64(ODD_MOST * sizeof(struct odd),
	    round_up(arena_room() / 8, ARENA_LARGE));
	struct odd *fresh = arena_take(bytes);
	struct odd *there = NULL;

	if (fresh == NULL)
		return NULL;
	fresh[0].site = (uint32_t)(bytes / sizeof(*fresh));
	if (atomic_compare_exchange_strong(&odd.row, &there, fresh))
		return fresh;
	arena_return(fresh, bytes);
	return there;
}

static struct odd *
odd_rows(void)
{
	struct odd *rows = atomic_load_explicit(&odd.row,
	    memory_order_acquire);

	return LIKELY(rows != NULL) ? rows : open_odd_rows();
}

static uint32_t
find_odd(const struct odd *rows, uint32_t from, uint32_t until,
    const struct record *record)
{
	for (; from != until && from != 0; from = rows[from].next)
		if (rows[from].site == record->site &&
		    rows[from].slack == record->slack &&
		    rows[from].rate == record->rate)
			return from;
	return 0;
}

/* A row that is not in the chain yet, or 0: there are too many. */
static uint32_t
take_odd(struct odd *rows, const struct record *record)
{
	uint32_t used = atomic_load(&odd.used);

	do {
		if (used + 1 >= rows[0].site)
			return 0;
	} while (!atomic_compare_exchange_weak(&odd.used, &used, used + 1));
	rows[used + 1].site = record->site;
	rows[used + 1].slack = record->slack;
	rows[used + 1].rate = record->rate;
	return used + 1;
}

static COLD uint32_t
make_odd(struct odd *rows, _Atomic uint32_t *head, uint32_t first,
    const struct record *record)
{
	uint32_t fresh = take_odd(rows, record);
	uint32_t searched;
	uint32_t there;

	if (fresh == 0)
		return 0;
	do {
		rows[fresh].next = first;
		searched = first;
		if (atomic_compare_exchange_strong(head, &first, fresh))
			return fresh;
		there = find_odd(rows, first, searched, record);
	} while (there == 0);
	return there;
}

/* 0: there is no number left for such a kind. */
static uint32_t
pack_odd(const struct record *record)
{
	struct odd *rows = odd_rows();
	_Atomic uint32_t *head;
	uint32_t first;
	uint32_t number;

	if (rows == NULL)
		return 0;
	head = &odd.head[mix_u64((uint64_t)record->site << 32 |
	    (record->slack ^ record->rate << 24)) % HEADS];
	first = atomic_load_explicit(head, memory_order_acquire);
	number = find_odd(rows, first, 0, record);
	if (UNLIKELY(number == 0))
		number = make_odd(rows, head, first, record);
	return number == 0 ? 0 :
	    (LEDGER_ODD_FIRST + number) << LEDGER_AGE_BITS | record->generation;
}

void
ledger_unpack_odd(uint32_t packed, struct record *record)
{
	const struct odd *o = &odd_rows()[(packed >> LEDGER_AGE_BITS) -
	    LEDGER_ODD_FIRST];

	record->site = o->site;
	record->slack = o->slack;
	record->rate = o->rate;
}

/* The number of its kind says nothing to who comes later. */
void
ledger_forget_odd(_Atomic uint32_t *entry, const struct record *record)
{
	const struct record last = {
		.site = record->site,
		.slack = LEDGER_ODD_SLACK,
		.generation = record->generation,
	};

	atomic_store_explicit(entry, ledger_pack(&last) & (LEDGER_LIVE - 1),
	    memory_order_relaxed);
}

static void
unpack(uint32_t packed, struct record *record)
{
	ledger_unpack(packed, record);
	if (ledger_is_odd(packed))
		ledger_unpack_odd(packed, record);
}

int
ledger_put_long(const void *block, size_t usable, const struct record *record,
    struct record *old)
{
	_Atomic uint32_t *entry;
	uint32_t before;
	uint32_t packed;
	bool known = false;

	if ((uintptr_t)block >> LEDGER_ADDRESS_BITS != 0 ||
	    record->slack >= LEDGER_SLACK)
		return -ERANGE;
	if (drawn_holds(block, record)) {
		known = ledger_take(block, usable, old);
		if (drawn_put(block, record))
			return known ? -EEXIST : 0;
	}
	packed = record->slack >= LEDGER_ODD_SLACK || record->rate != 0 ?
	    pack_odd(record) : LEDGER_LIVE + ledger_pack(record);
	entry = make_entry(block, usable);
	if (entry == NULL)
		return -ENOMEM;
	before = atomic_load_explicit(entry, memory_order_relaxed);
	/* Without a record, it is not that of the last one either. */
	atomic_store_explicit(entry, packed, memory_order_relaxed);
	if (before >= LEDGER_LIVE)
		unpack(before, old);
	return packed == 0 ? -ENOMEM : known || before >= LEDGER_LIVE ?
	    -EEXIST : 0;
}

bool
ledger_look(const void *block, size_t usable, struct record *record)
{
	_Atomic uint32_t *entry = ledger_entry(block, usable);
	uint32_t packed = entry == NULL ? 0 : atomic_load(entry);

	if (packed < LEDGER_LIVE)
		return drawn_look(block, record);
	unpack(packed, record);
	return true;
}

bool
ledger_last(const void *block, size_t usable, struct record *record)
{
	_Atomic uint32_t *entry = ledger_entry(block, usable);
	uint32_t packed = entry == NULL ? 0 : atomic_load(entry);

	if (packed == 0 || packed >= LEDGER_LIVE)
		return false;
	ledger_unpack(LEDGER_LIVE + packed, record);
	record->slack = 0;
	return true;
}

/* --- generations ---------------------------------------------------------- */

static void
set_level(_Atomic uint32_t *entry, size_t count, uint32_t generation)
{
	for (; entry != NULL && count > 0; count--, entry++)
		if (*entry != 0)
			*entry = (*entry & ~(GENERATIONS - 1)) | generation;
}

static void
set_region(const struct ledger_region *r, uint32_t generation)
{
	unsigned level;

	for (level = 0; r != NULL && level < LEDGER_LEVELS; level++)
		set_level(r->level[level], level_bytes(level) /
		    sizeof(uint32_t), generation);
}

void
ledger_set_generations(uint32_t generation)
{
	size_t i, k;

	drawn_set_generations(generation);
	for (i = 0; i < ARRAY_LENGTH(ledger_top); i++)
		for (k = 0; ledger_top[i] != NULL &&
		    k < ARRAY_LENGTH(ledger_top[i]->region); k++)
			set_region(ledger_top[i]->region[k], generation);
}
