#include "door/purge.h"

#include "door/boot.h"
#include "stack/unwind.h"

#define FRAMES_MOST 256

bool
purge_is_safe(const struct arch_frame *caller)
{
	struct memo_trace trace = { .word = NULL };
	uint64_t frames[FRAMES_MOST];
	int cut = 1;

	if (!unwind_is_own(&self.stack, caller->sp))
		return false;
	(void)unwind_stack(caller, &self.stack, frames, FRAMES_MOST, &cut,
	    &trace);
	return cut == 0 && !trace.signal;
}

bool
purge_here(uint64_t want)
{
	struct arch_frame caller = arch_frame_of(ARCH_CALLER());

	if (!purge_can() || !boot_counts() || !purge_is_safe(&caller))
		return false;
	real.trim(want);
	return true;
}
