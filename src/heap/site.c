#include "heap/site.h"

#include <errno.h>
#include <sys/single_threaded.h>

#include "base/base.h"
#include "heap/ledger.h"
#include "mem/segment.h"
#include "sys/arch.h"

static struct site *
row(uint32_t site)
{
	return (struct site *)segment_rows(TABLE_SITES) + site;
}

static void
add(_Atomic uint64_t *word, uint64_t n)
{
	if (__libc_single_threaded)
		arch_add_u64(word, n);
	else
		atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

/*
 * A new height of the heap.  By compare-and-swap: a thread that was put to
 * sleep with an older height in its hands must not put the peak down again.
 */
static inline void
raise_to(_Atomic int64_t *peak, int64_t height)
{
	int64_t now = atomic_load_explicit(peak, memory_order_relaxed);

	if (__libc_single_threaded) {
		arch_raise_i64(peak, height);
		return;
	}
	while (height > now && !atomic_compare_exchange_weak_explicit(peak,
	    &now, height, memory_order_relaxed, memory_order_relaxed))
		;
}

/* A new row for @node, or 0: the table is full. */
static COLD uint32_t
create(uint32_t node, uint32_t flags)
{
	int64_t number = segment_take(TABLE_SITES, 1);
	struct site *s;

	if (number < 0 || number >= LEDGER_SITES)
		return 0;
	s = row((uint32_t)number);
	s->leaf = node;
	s->flags = flags;
	/* Before its first block it held nothing, at any peak so far. */
	atomic_store_explicit(&s->epoch,
	    atomic_load(&segment_mine()->live.peak_epoch),
	    memory_order_relaxed);
	return (uint32_t)number;
}

int
site_create_known(void)
{
	static const uint64_t pcs[] = {
		[SITE_NO_STACK] = NODE_NO_STACK,
		[SITE_FULL] = NODE_FULL,
	};
	struct node *nodes = segment_rows(TABLE_NODES);
	uint32_t i;

	for (i = SITE_NO_STACK; i <= SITE_FULL; i++) {
		int64_t node = segment_take(TABLE_NODES, 1);

		if (node < 0 || create((uint32_t)node, 0) != i)
			return -ENOSPC;
		atomic_store(&nodes[node].pc, pcs[i]);
		atomic_store(&nodes[node].site, i);
	}
	return 0;
}

uint32_t
site_of(uint32_t node, uint32_t flags)
{
	struct node *n = (struct node *)segment_rows(TABLE_NODES) + node;
	uint32_t site = atomic_load_explicit(&n->site, memory_order_acquire);
	uint32_t fresh;

	if (LIKELY(site != 0))
		return site;
	fresh = create(node, flags);
	if (fresh == 0) {
		atomic_fetch_add(&segment_mine()->lost.sites, 1);
		return SITE_FULL;
	}
	if (atomic_compare_exchange_strong(&n->site, &site, fresh))
		return fresh;
	return site; /* the other thread's; ours stays an empty row */
}

/* About to change: keep what it held when the heap last stood at its peak. */
static void
keep_at_peak(struct site *s, uint32_t epoch)
{
	if (LIKELY(atomic_load_explicit(&s->epoch, memory_order_relaxed) ==
	    epoch))
		return;
	atomic_store_explicit(&s->at_peak_bytes,
	    (int64_t)(s->allocated_bytes - s->freed_bytes),
	    memory_order_relaxed);
	atomic_store_explicit(&s->epoch, epoch, memory_order_relaxed);
}

void
site_alloc(uint32_t site, size_t usable, size_t requested, int64_t height)
{
	struct segment_live *live = &segment_mine()->live;
	struct site *s = row(site);

	keep_at_peak(s, atomic_load_explicit(&live->peak_epoch,
	    memory_order_relaxed));
	add(&s->allocations, 1);
	add(&s->allocated_bytes, usable);
	add(&s->requested_bytes, requested);
	if (height > atomic_load_explicit(&live->peak_bytes,
	    memory_order_relaxed)) {
		raise_to(&live->peak_bytes, height);
		if (!atomic_load_explicit(&live->rising, memory_order_relaxed))
			atomic_store_explicit(&live->rising, 1,
			    memory_order_relaxed);
	}
}

void
site_free(uint32_t site, size_t usable, size_t requested, bool temporary)
{
	struct segment_live *live = &segment_mine()->live;
	struct site *s = row(site);

	/* The heap leaves a peak, once: what all sites hold now, it held. */
	if (atomic_load_explicit(&live->rising, memory_order_relaxed) &&
	    atomic_exchange_explicit(&live->rising, 0, memory_order_relaxed)) {
		atomic_fetch_add_explicit(&live->peak_epoch, 1,
		    memory_order_relaxed);
	}
	keep_at_peak(s, atomic_load_explicit(&live->peak_epoch,
	    memory_order_relaxed));
	add(&s->frees, 1);
	add(&s->freed_bytes, usable);
	add(&s->requested_freed_bytes, requested);
	if (temporary)
		add(&s->temporary, 1);
}

void
site_map(uint32_t site, uint64_t bytes)
{
	struct site *s = row(site);

	add(&s->allocations, 1);
	add(&s->allocated_bytes, bytes);
	add(&s->requested_bytes, bytes);
}

void
site_unmap(uint32_t site, uint64_t bytes, bool whole)
{
	struct site *s = row(site);

	if (whole)
		add(&s->frees, 1);
	add(&s->freed_bytes, bytes);
	add(&s->requested_freed_bytes, bytes);
}
