#include "heap/peak.h"

void
peak_publish(int64_t top, int64_t height)
{
	struct segment_live *live = &segment_mine()->live;
	int64_t peak = atomic_load_explicit(&live->peak_bytes,
	    memory_order_relaxed);

	if (top > peak) {
		while (top > peak && !atomic_compare_exchange_weak(
		    &live->peak_bytes, &peak, top))
			;
		atomic_store(&live->rising, 1);
	} else if (height < peak && atomic_exchange(&live->rising, 0) != 0) {
		atomic_fetch_add(&live->stamp, 1);
	}
}
