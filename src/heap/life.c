#include "heap/life.h"

#include "mem/arena.h"
#include "sys/sys.h"

#define PLACES 16384
#define PROBES 16

static struct {
	_Atomic uint32_t *_Atomic index; /* of TABLE_LIVES */
} lives;

/* --- those that are watched ----------------------------------------------- */

/*
 * The table is a part of 1024 rows, and as many again each time a block finds
 * none: a small program has a small one.  Rows there are; 0: none yet.
 */
#define PART_LEAST 1024

static uint64_t
rows_open(void)
{
	return atomic_load_explicit(&segment_mine()->table[TABLE_TIMED].used,
	    memory_order_acquire);
}

/* One part more.  @rows: as many there were. */
static bool
open_part(uint64_t rows)
{
	uint64_t more = rows == 0 ? PART_LEAST : 2 * rows;

	return more <= segment_capacity(TABLE_TIMED) &&
	    segment_reach(TABLE_TIMED, more) == 0;
}

/* The rows that @block may have in the part that begins at @start. */
static struct timed *
ways_of(const void *block, uint64_t start)
{
	uint64_t hash = mix_u64((uintptr_t)block >> 4);
	uint64_t rows = start == 0 ? PART_LEAST : start;

	return (struct timed *)segment_rows(TABLE_TIMED) + start +
	    hash % (rows / TIMED_WAYS) * TIMED_WAYS;
}

/* A row among these whose block was @was, now @block's; NULL: there is none. */
static struct timed *
take(struct timed *t, const void *was, const void *block)
{
	int i;

	for (i = 0; i < TIMED_WAYS; i++, t++) {
		uint64_t there = (uintptr_t)was;

		if (atomic_load_explicit(&t->block, memory_order_relaxed) ==
		    there && atomic_compare_exchange_strong(&t->block, &there,
		    (uintptr_t)block))
			return t;
	}
	return NULL;
}

/* The same, wherever there is one. */
static struct timed *
take_anywhere(const void *was, const void *block, uint64_t rows)
{
	const void *at = was != NULL ? was : block;
	struct timed *t = NULL;
	uint64_t start;

	for (start = 0; t == NULL && start < rows;
	    start = start == 0 ? PART_LEAST : 2 * start)
		t = take(ways_of(at, start), was, block);
	return t;
}

COLD bool
life_begin(const void *block, uint32_t site, uint64_t number, size_t usable)
{
	uint64_t rows = rows_open();
	struct timed *t = take_anywhere(NULL, block, rows);

	if (t == NULL && open_part(rows))
		t = take_anywhere(NULL, block, rows_open());
	if (t == NULL)
		return false;
	t->site = site;
	t->weight = number < LIFE_FIRST ? 1 : LIFE_EVERY;
	t->usable = usable;
	/* Others see a birth of 0 until it is whole. */
	t->born_ns = sys_clock();
	return true;
}

/* --- what has come of them ------------------------------------------------ */

/* Where rows are, by hash; a row's number, 1 added. */
static _Atomic uint32_t *
open_index(void)
{
	_Atomic uint32_t *there = atomic_load(&lives.index), *fresh;

	if (LIKELY(there != NULL))
		return there;
	fresh = arena_take(PLACES * sizeof(*fresh));
	if (fresh == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(&lives.index, &there, fresh))
		return fresh;
	arena_return(fresh, PLACES * sizeof(*fresh));
	return there;
}

static struct life *
make_life(uint64_t key, _Atomic uint32_t *place)
{
	struct life *rows = segment_rows(TABLE_LIVES);
	int64_t row = segment_take(TABLE_LIVES, 1);
	uint32_t free = 0;

	if (row < 0)
		return NULL;
	atomic_store(&rows[row].key, key);
	/* Two threads may make two: a reader adds them up. */
	(void)atomic_compare_exchange_strong(place, &free, (uint32_t)row + 1);
	return &rows[row];
}

/* The row of a site and who frees, made if there is none; NULL: no room. */
static struct life *
life_of(uint64_t key)
{
	_Atomic uint32_t *index = open_index();
	struct life *rows = segment_rows(TABLE_LIVES);
	uint64_t at = mix_u64(key);
	int i;

	for (i = 0; index != NULL && i < PROBES; i++) {
		_Atomic uint32_t *place = &index[(at + (uint64_t)i) % PLACES];
		uint32_t row = atomic_load(place);

		if (row == 0)
			return make_life(key, place);
		if (atomic_load(&rows[row - 1].key) == key)
			return &rows[row - 1];
	}
	return NULL;
}

void
life_reset(void)
{
	_Atomic uint32_t *index = atomic_load(&lives.index);

	if (index != NULL)
		arena_clear((void *)index, PLACES * sizeof(*index));
}

/* Half the logarithm to the base of two, of microseconds. */
static uint32_t
bucket_of(uint64_t ns)
{
	uint64_t us = ns / 1000;
	uint32_t bucket = us == 0 ? 0 :
	    (63 - (uint32_t)__builtin_clzll(us)) / 2;

	return bucket < LIFE_BUCKETS ? bucket : LIFE_BUCKETS - 1;
}

static void
note(struct life *l, uint64_t lived_ns, uint32_t weight)
{
	uint64_t longest = atomic_load(&l->longest_ns);

	atomic_fetch_add(&l->blocks, weight);
	atomic_fetch_add(&l->watched, 1);
	atomic_fetch_add(&l->bucket[bucket_of(lived_ns)], weight);
	while (longest < lived_ns && !atomic_compare_exchange_weak(
	    &l->longest_ns, &longest, lived_ns))
		;
}

/* A row that is being given back: nobody takes it, and nobody reads it. */
#define NOBODY ((const void *)1)

COLD void
life_end(const void *block, uint64_t pc, uint32_t (*node)(uint64_t pc))
{
	struct timed *t = take_anywhere(block, NOBODY, rows_open());
	struct timed seen;
	struct life *l;

	if (t == NULL)
		return; /* of a parent's, which watches it */
	seen.site = t->site;
	seen.weight = t->weight;
	seen.born_ns = t->born_ns;
	t->born_ns = 0;
	atomic_store_explicit(&t->block, 0, memory_order_release);
	l = life_of((uint64_t)seen.site << 32 | (pc != 0 ? node(pc) : 0));
	if (l != NULL)
		note(l, above_u64(sys_clock(), seen.born_ns), seen.weight);
}
