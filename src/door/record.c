#include "door/record.h"

#include <errno.h>

#include "door/boot.h"
#include "door/stranger.h"
#include "heap/ledger.h"
#include "heap/site.h"
#include "heap/tally.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/intern.h"
#include "stack/memo.h"
#include "stack/retrace.h"
#include "stack/unwind.h"
#include "sys/sys.h"

static void
count(_Atomic uint64_t *lost)
{
	atomic_fetch_add_explicit(lost, 1, memory_order_relaxed);
}

/*
 * A walk's turn at self.scratch.  A signal handler that allocates takes the
 * next turn, and so does who comes after a longjmp() or a switch of stacks out
 * of here; whose turn is over finds other frames there than it wrote.
 */
static uint32_t
take_turn(void)
{
	uint32_t turn = ++self.turn;

	__asm__ volatile("" ::: "memory");
	return turn;
}

static bool
is_over(uint32_t turn)
{
	__asm__ volatile("" ::: "memory");
	return UNLIKELY(self.turn != turn);
}

/* Who was disturbed may have written over what others have put in. */
static COLD void
forget_walks(void)
{
	if (self.memo != NULL)
		memo_clear(self.memo);
}

/*
 * Another thread may be forgetting old nodes, which takes it some 10 us.  The
 * bound is for a handler in the middle of that.
 */
#define YIELDS_MOST 1000

static uint32_t
intern_in_time(struct memo *memo, uint32_t base, const uint64_t *frames,
    size_t n)
{
	uint32_t node = intern_stack(memo, base, frames, n);
	int yields;

	for (yields = 0; UNLIKELY(node == INTERN_LATER) &&
	    yields < YIELDS_MOST; yields++) {
		sys_yield();
		node = intern_stack(memo, base, frames, n);
	}
	return node;
}

/* A stack, as it is being found. */
struct path {
	const struct memo_entry *same; /* it is this one */
	uint32_t base;   /* node of the outer frames; 0: none */
	uint32_t frames; /* all of them */
	size_t fresh;    /* addresses in self.scratch, below the base */
	bool cut;
};

/* By what is remembered of one like it. */
static bool
find_by_kin(const struct arch_frame *caller, uint32_t generation,
    struct memo_trace *trace, struct path *path)
{
	const struct memo_entry *kin = memo_kin(self.memo, caller, generation);
	struct retraced r;

	memo_begin(self.memo, caller, trace);
	if (kin == NULL || !retrace(kin, caller, &self.stack, self.scratch,
	    boot_depth(), trace, &r))
		return false;
	*path = (struct path){
		.same = r.fresh == 0 ? kin : NULL,
		.base = r.known == 0 ? 0 :
		    intern_outer(kin->node, kin->frames - r.known),
		.frames = r.fresh + r.known,
		.fresh = r.fresh,
		.cut = r.cut != 0,
	};
	return true;
}

/* By a walk to the root. */
static void
find_by_walk(const struct arch_frame *caller, struct memo_trace *trace,
    struct path *path)
{
	int cut;

	if (LIKELY(self.memo != NULL))
		memo_begin(self.memo, caller, trace);
	path->fresh = unwind_stack(caller, &self.stack, self.scratch,
	    boot_depth(), &cut, trace);
	path->frames = (uint32_t)path->fresh;
	path->cut = cut != 0;
}

/*
 * The site of the path that leads to @caller.  0: a table was full; or the
 * turn is over, and so is what is known of the stack.
 */
static uint32_t
walk(const struct arch_frame *caller, uint32_t flags, uint32_t turn)
{
	struct memo_result result = { .generation = intern_generation() };
	struct memo_trace trace = { .word = NULL };
	struct path path = { .base = 0 };

	if (self.memo == NULL ||
	    !find_by_kin(caller, result.generation, &trace, &path))
		find_by_walk(caller, &trace, &path);
	if (is_over(turn)) {
		forget_walks();
		return 0;
	}
	if (path.same != NULL)
		return path.same->site;
	if (UNLIKELY(path.cut)) {
		count(&segment_mine()->lost.truncated);
		if (path.base == 0)
			self.scratch[path.fresh++] = NODE_CUT;
	}
	result.frames = path.frames;
	result.node = intern_in_time(self.memo, path.base, self.scratch,
	    path.fresh);
	if (result.node == 0 || result.node == INTERN_LATER)
		return result.node;
	result.site = site_of(result.node, flags);
	if (trace.word != NULL && !is_over(turn))
		memo_put(self.memo, caller, &trace, &result);
	if (is_over(turn))
		forget_walks();
	return result.site;
}

/*
 * Who is disturbed walks again, so that both have their stacks.  The bound is
 * for signals that come faster than a stack can be walked.
 */
#define TURNS_MOST 8

static __attribute__((noinline)) uint32_t
site_walked(const struct arch_frame *caller, uint32_t flags)
{
	struct segment_lost *lost = &segment_mine()->lost;
	uint32_t turn;
	uint32_t site;
	int i;

	for (i = 0; LIKELY(self.scratch != NULL) && i < TURNS_MOST; i++) {
		turn = take_turn();
		site = walk(caller, flags, turn);
		if (is_over(turn))
			continue;
		if (UNLIKELY(site == INTERN_LATER))
			break;
		if (LIKELY(site != 0))
			return site;
		count(&lost->sites);
		return SITE_FULL;
	}
	count(&lost->nested);
	return SITE_NO_STACK;
}

/* --- for the tests: is it the stack that others see? ----------------------- */

/*
 * Where a signal came in between, libunwind gives the interrupted instruction
 * and we the address behind it.
 */
static bool
is_same(const uint64_t *ours, const uint64_t *theirs, size_t n)
{
	while (n-- > 0)
		if (ours[n] != theirs[n] && ours[n] != theirs[n] + 1)
			return false;
	return true;
}

/* Does libunwind see the same stack? */
static bool
is_same_to_judge(uint64_t caller, const uint64_t *frames, size_t n)
{
	uint64_t other[SEGMENT_DEPTH_MOST + UNWIND_OWN];
	struct aside was = boot_own_begin();
	size_t first;
	size_t m;
	int cut;

	m = unwind_reference(caller, other, boot_depth(), &first, &cut);
	boot_own_end(was);
	return m == n && is_same(frames, other + first, n);
}

/* Is @site what a walk to the root leads to, and is that what libunwind sees? */
static COLD void
verify(const struct arch_frame *caller, uint32_t flags, uint32_t site)
{
	struct segment_lost *lost = &segment_mine()->lost;
	struct memo_trace unnoted = { .word = NULL };
	uint64_t frames[SEGMENT_DEPTH_MOST + 1];
	uint32_t node;
	size_t n;
	int cut;

	n = unwind_stack(caller, &self.stack, frames, boot_depth(), &cut,
	    &unnoted);
	count(&lost->verified);
	if (!is_same_to_judge(caller->pc, frames, n)) {
		count(&lost->differing);
		return;
	}
	if (cut)
		frames[n++] = NODE_CUT;
	node = intern_in_time(NULL, 0, frames, n);
	if (site > SITE_FULL && node != 0 && node != INTERN_LATER &&
	    site != site_of(node, flags))
		count(&lost->differing);
}

/* --------------------------------------------------------------------------- */

/* The site of the path that leads to @caller, made with @flags if it is new. */
static inline uint32_t
site_here(const struct arch_frame *caller, uint32_t flags)
{
	const struct memo_entry *e = NULL;
	uint32_t site;

	if (LIKELY(self.memo != NULL))
		e = memo_find(self.memo, caller, intern_generation());
	site = LIKELY(e != NULL) ? e->site : site_walked(caller, flags);
	if (UNLIKELY(boot_verifies()))
		verify(caller, flags, site);
	return site;
}

/* Whatever is due now and then: sums, peak, our own ranges. */
static COLD void
look(struct tally *t)
{
	static _Atomic uint32_t spans_version;
	uint32_t version = arena_version();

	tally_look(t);
	if (atomic_exchange(&spans_version, version) != version)
		(void)arena_spans(segment_mine()->own);
}

/*
 * What was asked for, as the ledger can keep it.  An alignment of 64 MiB and
 * more may waste more than fits: what is wrong then is wrong on both ends, and
 * every sum still comes out even.
 */
static inline size_t
keepable(size_t requested, size_t usable)
{
	if (LIKELY(usable - requested < LEDGER_SLACK))
		return requested;
	count(&segment_mine()->lost.blocks);
	return usable - (LEDGER_SLACK - 1);
}

/* The calling thread has no row of its own, or one for each site. */
static void
count_free_of(struct counts *counts, uint32_t site, size_t usable,
    size_t slack, bool temporary)
{
	struct count *c = counts != NULL ? counts_of(counts, site) : NULL;

	if (LIKELY(c != NULL))
		count_free(c, usable, slack, temporary);
	else
		site_shared_free(site, usable, slack, temporary);
}

/*
 * Write a block down; false: there is no room for it.  @counts: the calling
 * thread's, or NULL: it has none.
 */
static bool
write_down(struct counts *counts, void *block, size_t usable, size_t slack,
    uint32_t site)
{
	struct segment_lost *lost = &segment_mine()->lost;
	const struct record record = {
		.site = site,
		.slack = (uint32_t)slack,
		.epoch = boot_generation(),
	};
	struct count *c;
	struct record old;
	int r;

	r = ledger_put(block, usable, &record, &old);
	if (UNLIKELY(r == -EEXIST)) {
		/* Its free went by unseen: it ended here, at the latest. */
		count(&lost->reused);
		count_free_of(counts, old.site, usable, old.slack, false);
	} else if (UNLIKELY(r < 0)) {
		count(&lost->blocks);
		return false;
	}
	c = counts != NULL ? counts_of(counts, site) : NULL;
	if (LIKELY(c != NULL))
		count_alloc(c, usable, slack);
	else
		site_shared_alloc(site, usable, slack);
	return true;
}

void *
record_alloc(void *block, size_t requested, size_t usable,
    struct arch_frame caller)
{
	struct tally *t = self.tally;
	int error = errno;

	if (!boot_recording) {
		record_look();
	} else {
		requested = keepable(requested, usable);
		tally_request(t, requested);
		if (!write_down(&self.counts, block, usable,
		    usable - requested, site_here(&caller, 0))) {
			/* Its free will not be known: it ends here. */
			(void)tally_free(t, block, usable);
			tally_unrequest(t, requested);
		}
		if (peak_is_alone())
			peak_climb(tally_process_bytes(t));
		if (UNLIKELY(tally_drifted(t)))
			look(t);
	}
	errno = error;
	return block;
}

void
record_look(void)
{
	atomic_store_explicit(&self.tally->until_look, TALLY_DRIFT_BYTES,
	    memory_order_relaxed);
	look(self.tally);
}

/* A block that was made before the fork: no allocation of this process. */
static COLD void
inherited_free(const struct taken *taken)
{
	struct segment_live *live = &segment_mine()->live;
	int64_t usable = (int64_t)taken->usable;
	int64_t requested = usable - taken->slack;

	atomic_fetch_add(&live->inherited_frees, 1);
	atomic_fetch_add(&live->inherited_freed_bytes, (uint64_t)usable);
	atomic_fetch_add(&live->inherited_freed_requested_bytes,
	    (uint64_t)requested);
	atomic_fetch_sub(&live->bytes, usable);
	atomic_fetch_sub(&live->requested_bytes, requested);
}

void
record_take(void *block, size_t usable, struct taken *taken)
{
	struct record record;

	taken->usable = usable;
	taken->site = 0;
	if (ledger_take(block, usable, &record) < 0)
		return;
	taken->site = record.site;
	taken->slack = record.slack;
	taken->epoch = record.epoch;
}

void
record_put_back(void *block, const struct taken *taken)
{
	const struct record record = {
		.site = taken->site,
		.slack = taken->slack,
		.epoch = taken->epoch,
	};
	struct record old;

	if (taken->site != 0 &&
	    ledger_put(block, taken->usable, &record, &old) < 0)
		count(&segment_mine()->lost.blocks);
}

void
record_taken_free(void *block, const struct taken *taken)
{
	struct tally *t = self.tally;
	size_t requested = taken->usable - taken->slack;
	bool temporary;

	if (UNLIKELY(taken->site == 0)) {
		count(&segment_mine()->lost.unknown_frees);
		stranger_freed(taken->pc);
		return;
	}
	if (UNLIKELY(taken->epoch != boot_generation())) {
		inherited_free(taken);
		return;
	}
	temporary = atomic_load_explicit(&t->last, memory_order_relaxed) ==
	    (uintptr_t)block;
	(void)tally_free(t, block, taken->usable);
	tally_unrequest(t, requested);
	if (peak_is_alone())
		peak_leave();
	count_free_of(&self.counts, taken->site, taken->usable, taken->slack,
	    temporary);
	if (UNLIKELY(tally_drifted(t)))
		look(t);
}

void
record_free(void *block, size_t usable, uint64_t pc)
{
	struct taken taken = { .pc = pc };
	int error = errno;

	record_take(block, usable, &taken);
	record_taken_free(block, &taken);
	errno = error;
}

uint32_t
record_mapping_site(struct arch_frame caller)
{
	return boot_recording ? site_here(&caller, SITE_MAPPING) : 0;
}

void
record_shared_alloc(void *block, size_t requested, size_t usable)
{
	struct tally *t = segment_rows(TABLE_TALLIES);

	if (!boot_recording) {
		tally_shared_alloc(t, usable, 0);
		return;
	}
	requested = keepable(requested, usable);
	tally_shared_alloc(t, usable, requested);
	if (!self.shared) /* in a handler, while the thread was being met */
		count(&segment_mine()->lost.nested);
	if (!write_down(NULL, block, usable, usable - requested,
	    SITE_NO_STACK))
		tally_shared_free(t, usable, requested);
}

void
record_shared_free(void *block, size_t usable)
{
	struct tally *t = segment_rows(TABLE_TALLIES);
	struct taken taken = { .usable = usable };

	if (!boot_recording) {
		tally_shared_free(t, usable, 0);
		return;
	}
	record_take(block, usable, &taken);
	if (taken.site == 0) {
		count(&segment_mine()->lost.unknown_frees);
	} else if (taken.epoch != boot_generation()) {
		inherited_free(&taken);
	} else {
		tally_shared_free(t, usable, usable - taken.slack);
		site_shared_free(taken.site, usable, taken.slack, false);
	}
}
