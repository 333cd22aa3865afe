#include "door/record.h"

#include <errno.h>

#include "door/boot.h"
#include "door/options.h"
#include "heap/ledger.h"
#include "heap/site.h"
#include "heap/tally.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/intern.h"
#include "stack/unwind.h"
#include "sys/sys.h"

static void
count(_Atomic uint64_t *lost)
{
	atomic_fetch_add_explicit(lost, 1, memory_order_relaxed);
}

/* Stores to self.busy must not move: a signal handler looks at it. */
static void
set_busy(enum busy busy)
{
	__asm__ volatile("" ::: "memory");
	self.busy = busy;
	__asm__ volatile("" ::: "memory");
}

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

/* For the tests: does libunwind see the same stack? */
static COLD void
verify(uint64_t caller, const uint64_t *frames, size_t n)
{
	struct segment_lost *lost = &segment_mine()->lost;
	uint64_t other[DEPTH_MOST + UNWIND_OWN];
	struct aside was = boot_own_begin();
	size_t first;
	size_t m;
	int cut;

	m = unwind_reference(caller, other, boot_depth(), &first, &cut);
	boot_own_end(was);
	count(&lost->verified);
	if (m != n || !is_same(frames, other + first, n))
		count(&lost->differing);
}

/* The site of the path that leads to @caller.  Not nested in a thread. */
static uint32_t
walk(const struct arch_frame *caller, uint32_t flags)
{
	uint64_t *frames = self.scratch;
	uint32_t node;
	size_t n;
	int cut;

	n = unwind_stack(caller, &self.stack, frames, boot_depth(), &cut);
	if (UNLIKELY(boot_verifies()))
		verify(caller->pc, frames, n);
	if (cut) {
		frames[n++] = NODE_CUT;
		count(&segment_mine()->lost.truncated);
	}
	node = intern_stack(frames, n);
	if (node == 0) {
		count(&segment_mine()->lost.sites);
		return SITE_FULL;
	}
	return site_of(node, flags);
}

/*
 * Did a signal interrupt this thread in here?  If the call comes from further
 * out than the one that was interrupted, that one was left by a longjmp() and
 * is over.
 */
static bool
is_nested(uint64_t sp)
{
	return self.busy != BUSY_NOT &&
	    (self.busy != BUSY_RECORDING || sp < self.busy_at);
}

static uint32_t
site_here(struct arch_frame caller, uint32_t flags)
{
	uint32_t site;

	if (UNLIKELY(is_nested(caller.sp) || self.scratch == NULL)) {
		count(&segment_mine()->lost.nested);
		return SITE_NO_STACK;
	}
	self.busy_at = caller.sp;
	set_busy(BUSY_RECORDING);
	site = walk(&caller, flags);
	set_busy(BUSY_NOT);
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

/* Write a block down; false: there is no room for it. */
static bool
write_down(void *block, size_t requested, size_t usable, uint32_t site,
    int64_t height)
{
	struct segment_lost *lost = &segment_mine()->lost;
	const struct record record = {
		.site = site,
		.slack = (uint32_t)(usable - requested),
		.epoch = boot_generation(),
	};
	struct record old;
	int r;

	r = ledger_put(block, usable, &record, &old);
	if (UNLIKELY(r == -EEXIST)) {
		/* Its free went by unseen: it ended here, at the latest. */
		count(&lost->reused);
		site_free(old.site, usable, usable - old.slack, false);
	} else if (UNLIKELY(r < 0)) {
		count(&lost->blocks);
		return false;
	}
	site_alloc(site, usable, requested, height);
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
		if (UNLIKELY(usable < requested)) {
			/* tcmalloc, before it is ready, says 0. */
			arch_add_u64(&t->allocated, requested - usable);
			usable = requested;
		}
		requested = keepable(requested, usable);
		tally_request(t, requested);
		if (!write_down(block, requested, usable, site_here(caller, 0),
		    tally_process_bytes(t))) {
			/* Its free will not be known: it ends here. */
			(void)tally_free(t, block, usable);
			tally_unrequest(t, requested);
		}
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
	site_free(taken->site, taken->usable, requested, temporary);
	if (UNLIKELY(tally_drifted(t)))
		look(t);
}

void
record_free(void *block, size_t usable)
{
	struct taken taken;
	int error = errno;

	record_take(block, usable, &taken);
	record_taken_free(block, &taken);
	errno = error;
}

uint32_t
record_mapping_site(struct arch_frame caller)
{
	return boot_recording ? site_here(caller, SITE_MAPPING) : 0;
}

void
record_shared_alloc(void *block, size_t requested, size_t usable)
{
	struct tally *t = segment_rows(TABLE_TALLIES);

	if (!boot_recording) {
		tally_shared_alloc(t, usable, 0);
		return;
	}
	usable = max_u64(usable, requested);
	requested = keepable(requested, usable);
	tally_shared_alloc(t, usable, requested);
	if (!write_down(block, requested, usable, SITE_NO_STACK, 0))
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
		site_free(taken.site, usable, usable - taken.slack, false);
	}
}
