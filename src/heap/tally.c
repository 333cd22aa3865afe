#include "heap/tally.h"

#include <errno.h>

#include "heap/peak.h"
#include "sys/sys.h"

/*
 * How many threads a claim may ask the kernel about: of those that said that
 * they end, enough to find one at once where threads come and go; of those
 * that did not, so many that rows with no thread stay fewer than the others.
 */
#define ASK_LEAVING 32
#define ASK_OWNED   4

static struct {
	_Atomic int process;     /* pid of who made the rows */
	_Atomic uint32_t cursor; /* the row to ask about next */
} tallies;

/* Raise a word that many threads write. */
static void
raise_shared(_Atomic int64_t *word, int64_t n)
{
	int64_t now = atomic_load_explicit(word, memory_order_relaxed);

	while (n > now && !atomic_compare_exchange_weak_explicit(word, &now, n,
	    memory_order_relaxed, memory_order_relaxed))
		;
}

/* Two threads may have looked at the clock in another order than they store. */
static void
raise_clock(_Atomic uint64_t *word, uint64_t ns)
{
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed);

	while (ns > now && !atomic_compare_exchange_weak_explicit(word, &now,
	    ns, memory_order_relaxed, memory_order_relaxed))
		;
}

/*
 * Add the owner's movement to the common sum, and give what the others have
 * published: heights of this thread's own are measured from there.
 */
static int64_t
publish(_Atomic int64_t *sum, _Atomic int64_t *published,
    _Atomic int64_t *high, int64_t net)
{
	/* In one step: a signal handler may publish in between. */
	int64_t before = atomic_exchange_explicit(published, net,
	    memory_order_relaxed);
	int64_t others;

	others = atomic_fetch_add_explicit(sum, net - before,
	    memory_order_relaxed) - before;
	atomic_store_explicit(high, net, memory_order_relaxed);
	return others;
}

void
tally_look(struct tally *t)
{
	struct segment_live *live = &segment_mine()->live;
	uint64_t now = sys_clock_coarse();
	int64_t was = atomic_load_explicit(&t->high, memory_order_relaxed);
	int64_t net = tally_net(t);
	int64_t high = was > net ? was : net;
	int64_t others = publish(&live->bytes, &t->published, &t->high, net);
	int64_t top;

	peak_publish(others + high, others + net);
	raise_shared(&live->window_high, others + high);
	raise_shared(&t->window_high, high);
	top = atomic_load_explicit(&live->peak_bytes, memory_order_relaxed);
	if (top > atomic_load_explicit(&live->peak_dated,
	    memory_order_relaxed)) {
		atomic_store_explicit(&live->peak_dated, top,
		    memory_order_relaxed);
		atomic_store_explicit(&live->peak_at_ns, now,
		    memory_order_relaxed);
	}
	high = atomic_load_explicit(&t->requested_high, memory_order_relaxed);
	others = publish(&live->requested_bytes, &t->requested_published,
	    &t->requested_high, (int64_t)(t->requested - t->requested_freed));
	raise_shared(&live->peak_requested_bytes, others + high);
	raise_clock(&live->seen_ns, now);
}

void
tally_window_read(struct tally *t, struct tally_window *w)
{
	struct segment_live *live = &segment_mine()->live;

	tally_look(t);
	w->now = atomic_load(&live->bytes);
	w->high = atomic_load(&live->window_high);
	w->thread_now = atomic_load(&t->published);
	w->thread_high = atomic_load(&t->window_high);
}

void
tally_window_open(struct tally *t, struct tally_window *w)
{
	struct segment_live *live = &segment_mine()->live;

	tally_look(t);
	w->now = w->high = atomic_load(&live->bytes);
	w->thread_now = w->thread_high = atomic_load(&t->published);
	atomic_store(&live->window_high, w->high);
	atomic_store(&t->window_high, w->thread_high);
}

/*
 * An ended thread's row goes to the next; its counts are the new base.  That
 * it came is a look at the clock like others: a process that ends before the
 * next one was still there then.
 */
static void
move_in(struct tally *t, uint32_t tid)
{
	uint64_t now = sys_clock_coarse();

	t->base_allocated = atomic_load(&t->allocated);
	t->base_freed = atomic_load(&t->freed);
	t->base_allocations = atomic_load(&t->allocations);
	t->base_frees = atomic_load(&t->frees);
	t->born_ns = now;
	raise_clock(&segment_mine()->live.seen_ns, now);
	t->stack_address = (uintptr_t)__builtin_frame_address(0);
	(void)sys_thread_name(t->name);
	atomic_store(&t->last, 0);
	atomic_store(&t->until_look, TALLY_DRIFT_BYTES);
	atomic_store(&t->tid, tid);
	atomic_store(&t->state, TALLY_OWNED);
}

/* A row without an owner; @was: what it says.  True: it is the caller's. */
static bool
take_over(struct tally *t, uint32_t was)
{
	uint32_t tid = atomic_load(&t->tid);

	if (sys_thread_exists((int)tid) != -ESRCH ||
	    !atomic_compare_exchange_strong(&t->state, &was, TALLY_FREE))
		return false;
	if (atomic_load(&t->tid) == tid)
		return true;
	/* It has had another owner since, and is in the same state again. */
	atomic_store(&t->state, was);
	return false;
}

static struct tally *
take_left(struct tally *rows, uint64_t used)
{
	int asked = 0;
	uint64_t i;

	for (i = 1; i < used && asked < ASK_LEAVING; i++)
		if (atomic_load(&rows[i].state) == TALLY_LEAVING) {
			asked++;
			if (take_over(&rows[i], TALLY_LEAVING))
				return &rows[i];
		}
	return NULL;
}

/*
 * Threads that libc did not make, or that left without its knowledge, say
 * nothing when they end.
 */
static struct tally *
take_abandoned(struct tally *rows, uint64_t used)
{
	struct tally *t;
	int i;

	for (i = 0; i < ASK_OWNED && used > 1; i++) {
		t = &rows[1 + atomic_fetch_add(&tallies.cursor, 1) %
		    (used - 1)];
		if (atomic_load(&t->state) == TALLY_OWNED &&
		    take_over(t, TALLY_OWNED)) {
			atomic_fetch_sub(&segment_mine()->live.threads, 1);
			return t;
		}
	}
	return NULL;
}

/*
 * A child that shares our memory may share the row as well (vfork), and has
 * it from here if it came first; so the row is not its own alone, and is
 * nobody's to ask about.
 */
static uint32_t
owner(void)
{
	return sys_pid() == atomic_load(&tallies.process) ?
	    (uint32_t)sys_tid() : 0;
}

static void
count_thread(struct segment_live *live)
{
	uint32_t now = atomic_fetch_add(&live->threads, 1) + 1;
	uint32_t most = atomic_load(&live->threads_most);

	atomic_fetch_add(&live->threads_came, 1);
	while (now > most && !atomic_compare_exchange_weak(
	    &live->threads_most, &most, now))
		;
}

/* Before it counts anything.  One store, as long as it is news. */
static void
note_several(struct segment_live *live)
{
	if (!atomic_load(&live->several))
		atomic_store(&live->several, 1);
}

int
tally_create_shared(int process)
{
	struct tally *rows = segment_rows(TABLE_TALLIES);

	if (segment_take(TABLE_TALLIES, 1) != 0)
		return -ENOSPC;
	atomic_store(&tallies.process, process);
	atomic_store(&rows[0].state, TALLY_SHARED);
	return 0;
}

struct tally *
tally_claim(void)
{
	struct segment *s = segment_mine();
	struct tally *rows = segment_rows(TABLE_TALLIES);
	uint64_t used = atomic_load(&s->table[TABLE_TALLIES].used);
	struct tally *t = take_left(rows, used);
	int64_t row;

	if (t == NULL)
		t = take_abandoned(rows, used);
	if (t == NULL) {
		row = segment_take(TABLE_TALLIES, 1);
		if (row != TALLY_FIRST)
			note_several(&s->live);
		if (row < 0) {
			atomic_fetch_add(&s->lost.threads, 1);
			return &rows[0];
		}
		t = &rows[row];
	}
	move_in(t, owner());
	count_thread(&s->live);
	return t;
}

void
tally_leave(struct tally *t)
{
	uint32_t state = TALLY_OWNED;

	if (atomic_load(&t->tid) == 0)
		atomic_store(&t->tid, owner());
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
	    segment_capacity(TABLE_TALLIES));

	*blocks = 0;
	*bytes = 0;
	*requested = 0;
	for (; n > 0; n--, t++) {
		*blocks += t->allocations - t->frees;
		*bytes += (int64_t)(t->allocated - t->freed);
		*requested += (int64_t)(t->requested - t->requested_freed);
	}
}

uint64_t
tally_allocated(void)
{
	struct segment *s = segment_mine();
	const struct tally *t = segment_rows(TABLE_TALLIES);
	uint64_t n = min_u64(atomic_load(&s->table[TABLE_TALLIES].used),
	    segment_capacity(TABLE_TALLIES));
	uint64_t bytes = 0;

	for (; n > 0; n--, t++)
		bytes += t->allocated;
	return bytes;
}
