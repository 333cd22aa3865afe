#include "door/record.h"

#include <errno.h>

#include "door/attend.h"
#include "door/boot.h"
#include "door/cooperate-room.h"
#include "door/dial.h"
#include "door/enforce.h"
#include "door/lint.h"
#include "door/stranger.h"
#include "door/where.h"
#include "heap/generation.h"
#include "heap/life.h"
#include "heap/peak.h"
#include "heap/site.h"
#include "heap/tally.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/pywatch.h"

/* --- now and then --------------------------------------------------------- */

/*
 * Whatever is due: sums, peak, our own ranges, and what is asked from outside.
 * @caller: of the allocation, or NULL where that is not at hand.
 */
static COLD void
look(struct tally *t, const struct arch_frame *caller)
{
	static _Atomic uint32_t spans_version;
	uint32_t version = arena_version();
	int error = errno;
	uint64_t now_ns;

	tally_look(t);
	if (atomic_exchange(&spans_version, version) != version)
		(void)arena_spans(segment_mine()->own);
	now_ns = atomic_load(&segment_mine()->live.seen_ns);
	cooperate_note(now_ns);
	enforce_look();
	if (attend_is_due(now_ns))
		attend(now_ns, caller);
	errno = error;
}

/* Not under boot_now.records, where nobody counts down. */
static COLD void
look_and_count_down(const struct arch_frame *caller)
{
	struct tally *t = self.tally;
	int64_t until = cooperate_drift();

	look(t, caller);
	if (UNLIKELY(!dial_is_heard()))
		dial_prepare(t);
	if (boot_now.draws)
		until = min_i64(until, sample_distance(&self.sampler, t));
	atomic_store_explicit(&t->until_look, until, memory_order_relaxed);
}

void
record_look(void)
{
	look_and_count_down(NULL);
}

/*
 * Where every block has a record, threads do not count down.  They look when
 * they have drifted, and each time so much has been allocated: who allocates
 * and frees the same all day is heard of as well.  And when they are asked to:
 * control_nudge() leaves nothing to count down.
 */
#define LOOK_BITS 20 /* 1 MiB */

static HOT bool
is_look_due(const struct tally *t, int64_t net, size_t usable)
{
	uint64_t allocated = arch_own_u64(&t->allocated);

	return tally_drifted(t, net) || UNLIKELY(
	    ((allocated ^ (allocated - usable)) >> LOOK_BITS) != 0) ||
	    UNLIKELY(arch_own_i64(&t->until_look) <= 0);
}

/* Before the look: who asks during it is heard at the next allocation. */
static COLD void
look_as_asked(struct tally *t, const struct arch_frame *caller)
{
	if (atomic_load_explicit(&t->until_look, memory_order_relaxed) <= 0)
		atomic_store_explicit(&t->until_look, TALLY_DRIFT_BYTES,
		    memory_order_relaxed);
	look(t, caller);
}

/* --- a site's figures ----------------------------------------------------- */

/* Where the calling thread counts @site; NULL: where all do. */
static HOT struct count *
count_of(struct counts *counts, uint32_t site, uint64_t stamp)
{
	return LIKELY(counts != NULL) ? counts_of(counts, site, stamp) : NULL;
}

static HOT void
site_alloc(struct count *c, uint32_t site, uint64_t stamp, size_t usable,
    size_t slack)
{
	if (LIKELY(c != NULL))
		count_alloc(c, usable, slack);
	else
		site_shared_alloc(site, stamp_generation(stamp), usable,
		    slack);
}

static HOT void
site_free(struct counts *counts, const struct record *record, uint64_t stamp,
    size_t usable, bool temporary)
{
	struct count *c = count_of(counts, record->site, stamp);

	if (UNLIKELY(c == NULL)) {
		site_shared_free(record->site, record->generation, usable,
		    record->slack, temporary);
		return;
	}
	count_free(c, usable, record->slack, temporary);
	if (UNLIKELY(record->generation != stamp_generation(stamp)))
		generation_free(c, record->site, record->generation, usable);
}

/* --- allocations ---------------------------------------------------------- */

static COLD size_t
kept_of(size_t usable)
{
	atomic_fetch_add(&segment_mine()->lost.blocks, 1);
	return usable - (LEDGER_SLACK - 1);
}

/*
 * What was asked for, as the ledger can keep it.  An alignment of 256 MiB and
 * more may waste more than fits: what is wrong then is wrong on both ends, and
 * every sum still comes out even.
 */
static HOT size_t
keepable(size_t requested, size_t usable)
{
	return LIKELY(usable - requested < LEDGER_SLACK) ? requested :
	    kept_of(usable);
}

/* A block that did not simply find its place; false: it has none. */
static COLD bool
write_down_long(struct counts *counts, void *block, size_t usable,
    const struct record *record)
{
	struct segment_lost *lost = &segment_mine()->lost;
	struct record old;
	int r = ledger_put_long(block, usable, record, &old);

	if (r == 0)
		return true;
	if (r != -EEXIST) {
		atomic_fetch_add(&lost->blocks, 1);
		return false;
	}
	/* Its free went by unseen: it ended here, at the latest. */
	atomic_fetch_add(&lost->reused, 1);
	if (generation_is_own(old.generation))
		site_free(counts, &old, stamp_now(), usable, false);
	return true;
}

/* Is this one of the blocks whose life is watched? */
static HOT bool
is_watched(const struct count *c, const void *block)
{
	return life_is_due(atomic_load_explicit(&c->allocations,
	    memory_order_relaxed), block);
}

/* What write_down() does, of a block that is not like most. */
static __attribute__((noinline)) bool
write_down_odd(struct counts *counts, void *block, size_t usable,
    struct record record, uint64_t stamp)
{
	struct count *c = count_of(counts, record.site, stamp);

	if (c != NULL && is_watched(c, block) &&
	    life_begin(block, record.site, c->allocations, usable))
		record.rate = LIFE_RATE;
	if (!ledger_put(block, usable, &record) &&
	    !write_down_long(counts, block, usable, &record))
		return false;
	site_alloc(c, record.site, stamp, usable, record.slack);
	return true;
}

/*
 * Write a block down; false: there is no room for it.  @counts: where the
 * calling thread counts, or NULL: it has no row.
 */
static HOT bool
write_down(struct counts *counts, void *block, size_t usable, size_t slack,
    uint32_t site)
{
	const uint64_t stamp = stamp_now();
	const struct record record = {
		.site = site,
		.slack = (uint32_t)slack,
		.generation = stamp_generation(stamp),
	};
	struct count *c = count_of(counts, site, stamp);

	if (UNLIKELY(c == NULL) || UNLIKELY(is_watched(c, block)) ||
	    UNLIKELY(!ledger_put_plain(block, usable, &record)))
		return write_down_odd(counts, block, usable, record, stamp);
	count_alloc(c, usable, slack);
	return true;
}

void *
record_alloc(void *block, size_t requested, size_t usable, uint64_t pc,
    uint64_t sp, uint64_t fp)
{
	const struct arch_frame caller = { .pc = pc, .sp = sp, .fp = fp };
	struct tally *t = self.tally;
	int64_t net;

	requested = keepable(requested, usable);
	if (UNLIKELY(!write_down(&self.counts, block, usable,
	    usable - requested, where(&caller, 0))))
		return block; /* its free will not be known either */
	tally_request(t, requested);
	net = tally_add(t, block, usable);
	if (UNLIKELY(tally_rises(t, net)) && peak_is_alone())
		peak_climb(tally_process_bytes(t, net));
	if (is_look_due(t, net, usable))
		look_as_asked(t, &caller);
	return block;
}

/* --- blocks that are drawn ------------------------------------------------ */

/* It stands for others, or (large) for itself; what was asked for is unknown. */
static COLD void
draw(void *block, size_t usable, enum sample sample, struct arch_frame caller)
{
	const uint64_t stamp = stamp_now();
	const struct record record = {
		.site = where(&caller, 0),
		.generation = stamp_generation(stamp),
		.rate = sample == SAMPLE_DRAWN ? self.sampler.rate : 0,
	};
	struct sampling_weight weight;

	if (!ledger_put(block, usable, &record) &&
	    !write_down_long(&self.counts, block, usable, &record))
		return;
	sample_note(block);
	if (record.rate == 0) {
		site_alloc(count_of(&self.counts, record.site, stamp),
		    record.site, stamp, usable, 0);
		return;
	}
	weight = sample_weigh(record.rate, usable);
	site_draw(record.site, record.generation, &weight);
}

void *
record_due(void *block, size_t usable, struct arch_frame caller)
{
	enum sample sample;

	if (UNLIKELY(!dial_is_heard()))
		dial_prepare(self.tally);
	if (boot_now.draws) {
		sample = sample_draw(&self.sampler, self.tally, usable);
		if (sample != SAMPLE_NOT)
			draw(block, usable, sample, caller);
	}
	look_and_count_down(&caller);
	return block;
}

/* Its record has been taken out: there is one less in its page. */
static void
count_drawn(void *block, size_t usable, const struct record *record)
{
	struct tally *t = self.tally; /* NULL: a thread without a row */
	bool temporary = t != NULL &&
	    arch_own_u64(&t->last) == (uintptr_t)block;
	struct sampling_weight weight;

	sample_forget(block);
	if (!generation_is_own(record->generation))
		return; /* the parent's; it is counted like any other */
	if (record->rate == LIFE_RATE)
		life_end(block, 0, where_call);
	if (!life_is_drawn(record->rate)) {
		site_free(t != NULL ? &self.counts : NULL, record, stamp_now(),
		    usable, temporary);
		return;
	}
	weight = sample_weigh(record->rate, usable);
	site_draw_free(record->site, record->generation, &weight, temporary);
}

COLD void
record_free_drawn(void *block, size_t usable)
{
	struct record record;

	if (ledger_take(block, usable, &record))
		count_drawn(block, usable, &record);
}

/* --- frees ---------------------------------------------------------------- */

/* A block that was made before the fork: no allocation of this process. */
static COLD void
inherited_free(struct record record, size_t usable)
{
	struct segment_live *live = &segment_mine()->live;
	size_t requested = usable - record.slack;

	atomic_fetch_add(&live->inherited_frees, 1);
	atomic_fetch_add(&live->inherited_freed_bytes, usable);
	atomic_fetch_add(&live->inherited_freed_requested_bytes, requested);
	atomic_fetch_sub(&live->bytes, (int64_t)usable);
	atomic_fetch_sub(&live->requested_bytes, (int64_t)requested);
}

static COLD void
count_unknown(uint64_t pc)
{
	int error = errno;

	atomic_fetch_add(&segment_mine()->lost.unknown_frees, 1);
	stranger_freed(pc);
	errno = error;
}

static COLD void
unknown_free(const void *block, size_t usable, uint64_t pc)
{
	count_unknown(pc);
	lint_unknown(block, usable, pc);
}

static HOT void
look_if_drifted(struct tally *t)
{
	if (tally_drifted(t, tally_net(t)))
		look(t, NULL);
}

/* A block whose record has been taken out.  To look is left to the caller. */
static HOT void
count_taken(void *block, size_t usable, const struct record *record,
    uint64_t pc)
{
	struct tally *t = self.tally;
	uint64_t stamp = stamp_now();
	bool temporary;

	if (UNLIKELY(record->generation != stamp_generation(stamp)) &&
	    !generation_is_own(record->generation)) {
		inherited_free(*record, usable);
		return;
	}
	if (peak_is_alone())
		stamp = peak_leave(stamp);
	temporary = tally_take(t, block, usable);
	tally_unrequest(t, usable - record->slack);
	if (UNLIKELY(record->rate != 0))
		life_end(block, pc, where_call);
	site_free(&self.counts, record, stamp, usable, temporary);
}

/*
 * Under boot_now.records and boot_now.mixed: a block that may be of a time when
 * it got no record, or was drawn.  @record NULL: it has none.
 */
static COLD void
count_mixed(void *block, size_t usable, const struct record *record)
{
	struct tally *t = self.tally;

	if (record != NULL)
		count_drawn(block, usable, record);
	if (peak_is_alone())
		(void)peak_leave(stamp_now());
	(void)tally_take(t, block, usable);
}

/* A block whose record is of an odd kind, or has to be looked for. */
static __attribute__((noinline)) void
free_odd(void *block, size_t usable, uint64_t pc)
{
	struct record record;
	bool known = ledger_take(block, usable, &record);

	if (UNLIKELY(boot_now.mixed)) {
		count_mixed(block, usable, known ? &record : NULL);
	} else if (UNLIKELY(!known)) {
		unknown_free(block, usable, pc);
		return;
	} else {
		if (lint_may_mind(&record))
			lint_freed(block, usable, &record, pc);
		count_taken(block, usable, &record, pc);
	}
	look_if_drifted(self.tally);
}

static __attribute__((noinline)) void
mind(void *block, size_t usable, struct record record, uint64_t pc)
{
	lint_freed(block, usable, &record, pc);
}

/* A block whose record is one like most, we hope. */
static HOT void
free_known(void *block, size_t usable, uint64_t pc)
{
	struct record record;

	if (UNLIKELY(!ledger_take_plain(block, usable, &record))) {
		free_odd(block, usable, pc);
		return;
	}
	if (lint_may_mind(&record))
		mind(block, usable, record, pc);
	count_taken(block, usable, &record, pc);
	look_if_drifted(self.tally);
}

/* Under boot_now.heeds; apart, as what it needs would have to be saved. */
static __attribute__((noinline)) void
free_heeded(void *block, size_t usable, uint64_t pc)
{
	pywatch_freed(block);
	if (UNLIKELY(boot_now.mixed))
		free_odd(block, usable, pc);
	else
		free_known(block, usable, pc);
}

void
record_free(void *block, size_t usable, uint64_t pc)
{
	if (UNLIKELY(boot_now.heeds))
		free_heeded(block, usable, pc);
	else
		free_known(block, usable, pc);
}

void
record_take(void *block, size_t size, struct taken *taken)
{
	bool known = (boot_now.records || sample_may_have(block)) &&
	    ledger_take(block, taken->usable, &taken->record);

	if (UNLIKELY(boot_now.heeds))
		pywatch_freed(block);
	if (!known)
		taken->record.site = 0;
	/* Now: it may be the end of the process to hand it on. */
	if (boot_now.records && !boot_now.mixed && (UNLIKELY(!known ||
	    size == 0) || lint_may_mind(&taken->record)))
		lint_realloc(block, taken->usable, size,
		    known ? &taken->record : NULL, taken->pc);
}

void
record_put_back(void *block, const struct taken *taken)
{
	struct record old;

	if (taken->record.site != 0 && ledger_put_long(block, taken->usable,
	    &taken->record, &old) < 0)
		atomic_fetch_add(&segment_mine()->lost.blocks, 1);
}

void
record_taken_free(void *block, const struct taken *taken, bool replaced)
{
	bool known = taken->record.site != 0;

	if (!boot_now.records) {
		if (known)
			count_drawn(block, taken->usable, &taken->record);
		if (tally_free(self.tally, block, taken->usable) && !replaced)
			record_look();
		return;
	}
	if (UNLIKELY(boot_now.mixed)) {
		count_mixed(block, taken->usable,
		    known ? &taken->record : NULL);
	} else if (LIKELY(known)) {
		count_taken(block, taken->usable, &taken->record, taken->pc);
	} else {
		count_unknown(taken->pc);
	}
	if (!replaced)
		look_if_drifted(self.tally);
}

/* --- others --------------------------------------------------------------- */

uint32_t
record_mapping_site(struct arch_frame caller)
{
	return boot_now.records || boot_now.draws ?
	    where(&caller, SITE_MAPPING) : 0;
}

void
record_shared_alloc(void *block, size_t requested, size_t usable)
{
	struct tally *t = segment_rows(TABLE_TALLIES);

	if (!boot_now.records) {
		tally_shared_alloc(t, usable, 0);
		return;
	}
	requested = keepable(requested, usable);
	tally_shared_alloc(t, usable, requested);
	if (!self.shared) /* in a handler, while the thread was being met */
		atomic_fetch_add(&segment_mine()->lost.nested, 1);
	if (!write_down(NULL, block, usable, usable - requested,
	    SITE_NO_STACK))
		tally_shared_free(t, usable, requested);
}

void
record_shared_free(void *block, size_t usable)
{
	struct tally *t = segment_rows(TABLE_TALLIES);
	struct record record;

	pywatch_freed(block);
	if (!boot_now.records || boot_now.mixed) {
		if (sample_may_have(block))
			record_free_drawn(block, usable);
		tally_shared_free(t, usable, 0);
	} else if (!ledger_take(block, usable, &record)) {
		atomic_fetch_add(&segment_mine()->lost.unknown_frees, 1);
	} else if (!generation_is_own(record.generation)) {
		inherited_free(record, usable);
	} else {
		tally_shared_free(t, usable, usable - record.slack);
		if (record.rate != 0)
			life_end(block, 0, where_call);
		site_free(NULL, &record, stamp_now(), usable, false);
	}
}
