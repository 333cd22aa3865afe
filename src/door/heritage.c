#include "door/heritage.h"

#include <stdatomic.h>
#include <stdint.h>

#include "heap/tally.h"
#include "mem/segment.h"

static struct {
	bool valid;
	uint64_t blocks;
	int64_t bytes;
	int64_t requested;
} heritage;

void
heritage_take(bool counts)
{
	const struct segment_live *live;

	heritage.valid = false;
	if (!counts)
		return;
	live = &segment_mine()->live;
	tally_sum(&heritage.blocks, &heritage.bytes, &heritage.requested);
	heritage.blocks += live->inherited_blocks - live->inherited_frees;
	heritage.bytes += live->inherited_bytes -
	    (int64_t)live->inherited_freed_bytes;
	heritage.requested += live->inherited_requested_bytes -
	    (int64_t)live->inherited_freed_requested_bytes;
	heritage.valid = true;
}

void
heritage_fill(void)
{
	struct segment *s = segment_mine();

	s->identity.forked = s->identity.inherits = heritage.valid;
	if (!heritage.valid)
		return;
	s->live.inherited_blocks = heritage.blocks;
	s->live.inherited_bytes = heritage.bytes;
	s->live.inherited_requested_bytes = heritage.requested;
	atomic_store(&s->live.bytes, heritage.bytes);
	atomic_store(&s->live.peak_bytes, heritage.bytes);
	atomic_store(&s->live.requested_bytes, heritage.requested);
	atomic_store(&s->live.peak_requested_bytes, heritage.requested);
	atomic_store(&s->live.peak_at_ns, s->identity.clock_ns);
}
