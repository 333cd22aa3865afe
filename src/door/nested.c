/*
 * nested.c - pools that a program says it has: tide_pool_create()
 *
 * Floor 8 (door).  include/heaptide.h has what is promised.  A pool is a handle
 * in a static directory, taken by one pool after the other; what is counted of
 * it goes to a row by its name, which pools may share, and to sites of their
 * own: the path of who allocates, and as its leaf a note which pool it is.
 *
 * Its blocks lie in memory that is counted already.  So such sites have no part
 * in the heap's totals (SITE_POOL), but else they are sites like any other.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/base.h"
#include "door/api.h"
#include "door/boot.h"
#include "door/where.h"
#include "heap/generation.h"
#include "heap/nested.h"
#include "heap/site.h"
#include "heap/tally.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "plan/client.h"

struct handle {
	struct tide_pool face;
	_Atomic uint32_t taken;
	uint32_t number;
	uint32_t name; /* row of TABLE_POOLS */
	struct nested blocks;
};

#define CHUNK  64 /* handles that are made at a time */
#define CHUNKS 1024

enum { NAME_FREE, NAME_BEING_MADE, NAME_READY };

static struct {
	struct handle *_Atomic chunk[CHUNKS];
	_Atomic uint32_t hint; /* those below are taken, as a rule */
	/* By row; a child goes on with them, and with a table of its own. */
	struct {
		_Atomic uint32_t state;
		char text[POOL_NAME_ROOM];
	} name[POOL_NAMES];
} pools;

/* --- names ---------------------------------------------------------------- */

/* The row of @name, made if there is none; the last is for all that is left. */
static uint32_t
name_of(const char *name)
{
	char text[POOL_NAME_ROOM] = "";
	uint32_t state;
	uint32_t i;

	for (i = 0; i < sizeof(text) - 1 && name[i] != '\0'; i++)
		text[i] = name[i];
	for (i = 0; i < POOL_NAMES - 1; i++) {
		state = NAME_FREE;
		if (atomic_load(&pools.name[i].state) == NAME_READY &&
		    memcmp(pools.name[i].text, text, sizeof(text)) == 0)
			return i;
		if (!atomic_compare_exchange_strong(&pools.name[i].state,
		    &state, NAME_BEING_MADE))
			continue;
		memcpy(pools.name[i].text, text, sizeof(text));
		atomic_store(&pools.name[i].state, NAME_READY);
		return i;
	}
	return i;
}

/* The figures of a name in this process' segment; NULL: no room. */
static struct pool *
row_of(uint32_t name)
{
	struct pool *row = (struct pool *)segment_rows(TABLE_POOLS) + name;

	if (segment_reach(TABLE_POOLS, (uint64_t)name + 1) < 0)
		return NULL;
	if (UNLIKELY(row->name[0] == '\0'))
		memcpy(row->name, name == POOL_NAMES - 1 ? "(others)" :
		    pools.name[name].text, name == POOL_NAMES - 1 ?
		    sizeof("(others)") : sizeof(row->name));
	return row;
}

static void
add(_Atomic uint64_t *word, uint64_t n)
{
	atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

static void
raise_peak(struct pool *row, int64_t live)
{
	int64_t peak = atomic_load_explicit(&row->peak_bytes,
	    memory_order_relaxed);

	while (live > peak && !atomic_compare_exchange_weak(&row->peak_bytes,
	    &peak, live))
		;
}

/* --- counting ------------------------------------------------------------- */

/* NULL: the thread has no place of its own for that site. */
static struct count *
count_of(uint32_t site, uint64_t stamp)
{
	return self.tally != NULL ? counts_of(&self.counts, site, stamp) :
	    NULL;
}

static void
count_taken(struct pool *row, const struct nested_record *record,
    uint64_t stamp)
{
	struct count *c = count_of(record->site, stamp);

	if (c != NULL)
		count_alloc(c, record->bytes, 0);
	else
		site_shared_alloc(record->site, record->generation,
		    record->bytes, 0);
	raise_peak(row, (int64_t)record->bytes + atomic_fetch_add(
	    &row->live_bytes, (int64_t)record->bytes));
}

/* A block from before the fork is none of this process'. */
static void
count_given(struct pool *row, const struct nested_record *record)
{
	uint64_t stamp = stamp_now();
	struct count *c;

	if (!generation_is_own(record->generation))
		return;
	c = count_of(record->site, stamp);
	if (c == NULL) {
		site_shared_free(record->site, record->generation,
		    record->bytes, 0, false);
	} else {
		count_free(c, record->bytes, 0, false);
		generation_put(c, record->site, record->generation,
		    -(int64_t)record->bytes);
	}
	atomic_fetch_sub(&row->live_bytes, (int64_t)record->bytes);
}

/* --- what the program calls ----------------------------------------------- */

/* Is anything counted in this thread? */
static bool
counts(void)
{
	if (LIKELY(boot_counts()))
		return true;
	switch (boot_enter()) {
	case ENTRY_COUNT:
	case ENTRY_SHARED:
		return true;
	default:
		return false;
	}
}

static int
allocate(struct handle *h, uint64_t address, uint64_t bytes, uint32_t site)
{
	uint64_t stamp = stamp_now();
	struct pool *row = row_of(h->name);
	struct nested_record old;
	struct nested_record record = {
		.bytes = bytes,
		.site = site,
		.generation = stamp_generation(stamp),
	};
	int r;

	if (row == NULL)
		return -ENOSPC;
	r = site == 0 ? -ENOSPC :
	    nested_put(&h->blocks, address, &record, &old);
	if (r < 0 && r != -EEXIST) {
		add(&row->lost, 1);
		return -ENOSPC;
	}
	if (r == -EEXIST)
		count_given(row, &old); /* at the latest */
	count_taken(row, &record, stamp);
	return r;
}

static int
pool_alloc(struct tide_pool *face, const void *block, uint64_t bytes)
{
	struct arch_frame caller = arch_frame_of(ARCH_CALLER());
	struct handle *h = (struct handle *)face;
	int error = errno;
	int r;

	if (block == NULL || bytes > NESTED_MOST)
		return -EINVAL;
	if (!counts())
		return -ENODEV;
	r = allocate(h, (uintptr_t)block, bytes,
	    where_noted(&caller, NODE_POOL + h->name, SITE_POOL));
	errno = error;
	return r;
}

static int
pool_free(struct tide_pool *face, const void *block)
{
	struct handle *h = (struct handle *)face;
	struct nested_record record;
	struct pool *row;
	int error = errno;

	if (block == NULL)
		return 0;
	if (!counts())
		return -ENODEV;
	if (!nested_take(&h->blocks, (uintptr_t)block, &record))
		return -ENOENT;
	row = row_of(h->name);
	if (row != NULL)
		count_given(row, &record);
	errno = error;
	return 0;
}

static void
give_one(void *row, const struct nested_record *record)
{
	count_given(row, record);
}

static void
give_none(void *row, const struct nested_record *record)
{
	(void)row;
	(void)record;
}

static int
pool_destroy(struct tide_pool *face)
{
	struct handle *h = (struct handle *)face;
	struct pool *row = counts() ? row_of(h->name) : NULL;
	int error = errno;

	nested_empty(&h->blocks, row != NULL ? give_one : give_none, row);
	atomic_store(&h->taken, 0);
	if (h->number < atomic_load(&pools.hint))
		atomic_store(&pools.hint, h->number);
	errno = error;
	return 0;
}

/* --- handles -------------------------------------------------------------- */

static struct handle *
chunk_of(uint32_t number)
{
	struct handle *_Atomic *at = &pools.chunk[number / CHUNK];
	struct handle *there = atomic_load(at);
	struct handle *fresh;

	if (there != NULL)
		return there;
	fresh = arena_take(CHUNK * sizeof(*fresh));
	if (fresh == NULL || atomic_compare_exchange_strong(at, &there, fresh))
		return fresh;
	return there; /* ours stays, a small piece */
}

/* The first that is free, as far as is known; or NULL. */
static struct handle *
take_handle(void)
{
	uint32_t first = atomic_load(&pools.hint);
	struct handle *h;
	uint32_t free;
	uint32_t i;

	for (i = 0; i < CHUNKS * CHUNK; i++) {
		uint32_t number = (first + i) % (CHUNKS * CHUNK);

		h = chunk_of(number);
		if (h == NULL)
			return NULL;
		h += number % CHUNK;
		free = 0;
		if (atomic_compare_exchange_strong(&h->taken, &free, 1)) {
			h->number = number;
			(void)atomic_compare_exchange_strong(&pools.hint,
			    &first, number + 1);
			return h;
		}
	}
	return NULL;
}

struct tide_pool *
nested_pool_create(const char *name)
{
	struct handle *h;
	struct pool *row;
	int error = errno;

	if (name == NULL || *name == '\0' || !counts())
		return NULL;
	h = take_handle();
	if (h == NULL)
		return NULL;
	h->name = name_of(name);
	h->face.alloc = pool_alloc;
	h->face.free = pool_free;
	h->face.destroy = pool_destroy;
	row = row_of(h->name);
	if (row != NULL)
		add(&row->pools, 1);
	errno = error;
	return &h->face;
}
