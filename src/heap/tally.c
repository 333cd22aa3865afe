#include "heap/tally.h"

#include <errno.h>

#include "mem/segment.h"
#include "sys/sys.h"

/*
 * How many ended threads a claim may ask the kernel about.  Enough to find
 * one at once where threads come and go, and a bound for where they do not.
 */
#define ASK_MOST 32

/* Raise a word that many threads write. */
static void
raise_shared(_Atomic int64_t *word, int64_t n)
{
	int64_t now = atomic_load_explicit(word, memory_order_relaxed);

	while (n > now && !atomic_compare_exchange_weak_explicit(word, &now, n,
	    memory_order_relaxed, memory_order_relaxed))
		;
}

/*
 * Add the owner's movement to the common sum, and give the height it reached
 * in between, measured from what the others had published.
 */
static int64_t
publish(_Atomic int64_t *sum, _Atomic int64_t *published,
    _Atomic int64_t *high, int64_t net)
{
	int64_t top = atomic_load_explicit(high, memory_order_relaxed);
	/* In one step: a signal handler may publish in between. */
	int64_t before = atomic_exchange_explicit(published, net,
	    memory_order_relaxed);
	int64_t others;

	others = atomic_fetch_add_explicit(sum, net - before,
	    memory_order_relaxed) - before;
	atomic_store_explicit(high, net, memory_order_relaxed);
	return others + top;
}

void
tally_look(struct tally *t)
{
	struct segment_live *live = &segment_mine()->live;
	uint64_t now = sys_clock_coarse();
	int64_t top;

	top = publish(&live->bytes, &t->published, &t->high, tally_net(t));
	raise_shared(&live->peak_bytes, top);
	top = atomic_load_explicit(&live->peak_bytes, memory_order_relaxed);
	if (top > atomic_load_explicit(&live->peak_dated,
	    memory_order_relaxed)) {
		atomic_store_explicit(&live->peak_dated, top,
		    memory_order_relaxed);
		atomic_store_explicit(&live->peak_at_ns, now,
		    memory_order_relaxed);
	}
	top = publish(&live->requested_bytes, &t->requested_published,
	    &t->requested_high, (int64_t)(t->requested - t->requested_freed));
	raise_shared(&live->peak_requested_bytes, top);
	atomic_store_explicit(&live->seen_ns, now, memory_order_relaxed);
}

int64_t
tally_process_bytes(const struct tally *t)
{
	const struct segment_live *live = &segment_mine()->live;

	return atomic_load_explicit(&live->bytes, memory_order_relaxed) +
	    tally_net(t) -
	    atomic_load_explicit(&t->published, memory_order_relaxed);
}

/* An ended thread's row goes to the next; its counts are the new base. */
static void
move_in(struct tally *t, uint32_t tid)
{
	t->base_allocated = atomic_load(&t->allocated);
	t->base_freed = atomic_load(&t->freed);
	t->base_allocations = atomic_load(&t->allocations);
	t->base_frees = atomic_load(&t->frees);
	t->born_ns = sys_clock_coarse();
	t->stack_address = (uintptr_t)__builtin_frame_address(0);
	(void)sys_thread_name(t->name);
	atomic_store(&t->last, 0);
	atomic_store(&t->until_look, TALLY_DRIFT_BYTES);
	atomic_store(&t->tid, tid);
	atomic_store(&t->state, TALLY_OWNED);
}

static struct tally *
take_over(struct tally *rows, uint64_t used, uint32_t tid)
{
	int pid = sys_pid();
	int asked = 0;
	uint64_t i;

	for (i = 1; i < used && asked < ASK_MOST; i++) {
		struct tally *t = &rows[i];
		uint32_t state = TALLY_LEAVING;

		if (atomic_load(&t->state) != state)
			continue;
		asked++;
		if (sys_thread_exists(pid, (int)t->tid) != -ESRCH)
			continue;
		if (atomic_compare_exchange_strong(&t->state, &state,
		    TALLY_FREE)) {
			move_in(t, tid);
			return t;
		}
	}
	return NULL;
}

static void
count_thread(struct segment_live *live)
{
	uint32_t now = atomic_fetch_add(&live->threads, 1) + 1;
	uint32_t most = atomic_load(&live->threads_most);

	while (now > most && !atomic_compare_exchange_weak(
	    &live->threads_most, &most, now))
		;
}

struct tally *
tally_claim(void)
{
	struct segment *s = segment_mine();
	struct tally *rows = segment_rows(TABLE_TALLIES);
	uint64_t used = atomic_load(&s->table[TABLE_TALLIES].used);
	uint32_t tid = (uint32_t)sys_tid();
	struct tally *t;
	int64_t row;

	t = take_over(rows, used, tid);
	if (t == NULL) {
		row = segment_take(TABLE_TALLIES, 1);
		if (row < 0) {
			atomic_fetch_add(&s->lost.threads, 1);
			return &rows[0];
		}
		t = &rows[row];
		move_in(t, tid);
	}
	count_thread(&s->live);
	return t;
}

void
tally_leave(struct tally *t)
{
	uint32_t state = TALLY_OWNED;

	if (atomic_compare_exchange_strong(&t->state, &state, TALLY_LEAVING)) {
		tally_look(t);
		atomic_fetch_sub(&segment_mine()->live.threads, 1);
	}
}

void
tally_shared_alloc(struct tally *t, size_t usable, size_t requested)
{
	struct segment_live *live = &segment_mine()->live;

	atomic_fetch_add(&t->allocated, usable);
	atomic_fetch_add(&t->allocations, 1);
	atomic_fetch_add(&t->requested, requested);
	raise_shared(&live->peak_bytes, atomic_fetch_add(&live->bytes,
	    (int64_t)usable) + (int64_t)usable);
	raise_shared(&live->peak_requested_bytes, atomic_fetch_add(
	    &live->requested_bytes, (int64_t)requested) + (int64_t)requested);
}

void
tally_shared_free(struct tally *t, size_t usable, size_t requested)
{
	struct segment_live *live = &segment_mine()->live;

	atomic_fetch_add(&t->freed, usable);
	atomic_fetch_add(&t->frees, 1);
	atomic_fetch_add(&t->requested_freed, requested);
	atomic_fetch_sub(&live->bytes, (int64_t)usable);
	atomic_fetch_sub(&live->requested_bytes, (int64_t)requested);
}

void
tally_sum(uint64_t *blocks, int64_t *bytes, int64_t *requested)
{
	struct segment *s = segment_mine();
	const struct tally *t = segment_rows(TABLE_TALLIES);
	uint64_t n = min_u64(atomic_load(&s->table[TABLE_TALLIES].used),
	    s->table[TABLE_TALLIES].capacity);

	*blocks = 0;
	*bytes = 0;
	*requested = 0;
	for (; n > 0; n--, t++) {
		*blocks += t->allocations - t->frees;
		*bytes += tally_net(t);
		*requested += (int64_t)(t->requested - t->requested_freed);
	}
}
