#include "heap/life.h"

#include "mem/arena.h"
#include "sys/sys.h"

#define PLACES 16384
#define PROBES 16

static struct {
	_Atomic uint32_t *_Atomic index; /* of TABLE_LIVES */
} lives;

/* --- those that are watched ----------------------------------------------- */

/* The rows that @block may have. */
static struct timed *
ways_of(const void *block)
{
	uint64_t hash = mix_u64((uintptr_t)block >> 4);

	return (struct timed *)segment_rows(TABLE_TIMED) +
	    hash % (SEGMENT_TIMED / TIMED_WAYS) * TIMED_WAYS;
}

/* All of it is backed when the first is watched, or none. */
static bool
has_room(void)
{
	const struct segment_table *t =
	    &segment_mine()->table[TABLE_TIMED];

	if (LIKELY(atomic_load_explicit(&t->used, memory_order_acquire) ==
	    SEGMENT_TIMED))
		return true;
	return t->capacity == SEGMENT_TIMED &&
	    segment_reach(TABLE_TIMED, SEGMENT_TIMED) == 0;
}

COLD bool
life_begin(const void *block, uint32_t site, uint64_t number, size_t usable)
{
	struct timed *t;
	int i;

	if (!has_room())
		return false;
	t = ways_of(block);
	for (i = 0; i < TIMED_WAYS; i++, t++) {
		uint64_t free = 0;

		/* Others see a birth of 0 until it is whole. */
		if (atomic_load_explicit(&t->block, memory_order_relaxed) !=
		    0 || !atomic_compare_exchange_strong(&t->block, &free,
		    (uintptr_t)block))
			continue;
		t->site = site;
		t->weight = number < LIFE_FIRST ? 1 : LIFE_EVERY;
		t->usable = usable;
		t->born_ns = sys_clock();
		return true;
	}
	return false;
}

static struct timed *
find(const void *block)
{
	struct timed *t = ways_of(block);
	int i;

	for (i = 0; i < TIMED_WAYS; i++, t++)
		if (atomic_load_explicit(&t->block, memory_order_relaxed) ==
		    (uintptr_t)block)
			return t;
	return NULL;
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

COLD void
life_end(const void *block, uint64_t pc, uint32_t (*node)(uint64_t pc))
{
	struct timed *t;
	struct timed seen;
	struct life *l;
	uint64_t now_ns;

	if (!has_room())
		return;
	t = find(block);
	if (t == NULL)
		return; /* of a parent's, which watches it */
	seen.site = t->site;
	seen.weight = t->weight;
	seen.born_ns = t->born_ns;
	t->born_ns = 0;
	atomic_store_explicit(&t->block, 0, memory_order_release);
	now_ns = sys_clock();
	l = life_of((uint64_t)seen.site << 32 | (pc != 0 ? node(pc) : 0));
	if (l != NULL)
		note(l, above_u64(now_ns, seen.born_ns), seen.weight);
}
