/*
 * replay.c - allocations and frees that come to a site's figures
 */
#include "formats/replay.h"

#include "base/base.h"

struct replay_blocks
replay_spread(uint64_t count, uint64_t bytes)
{
	if (count == 0)
		return (struct replay_blocks){ 0 };
	return (struct replay_blocks){
		.count = count, .size = bytes / count, .more = bytes % count,
	};
}

/* Of @count blocks those for a share of their bytes; one, if it is any. */
static uint64_t
share(uint64_t count, uint64_t part, uint64_t whole)
{
	uint64_t n;

	if (part == 0)
		return 0;
	if (whole == 0)
		return 1;
	n = whole_u64((double)count * (double)part / (double)whole + 0.5);
	return max_u64(n, 1);
}

/* Those at the end: some were there at the peak, some came later. */
static void
plan_live(const struct replay_figures *f, uint64_t stay, uint64_t late,
    struct replay_plan *plan)
{
	uint64_t blocks = max_u64(f->live_blocks, f->live_bytes != 0);
	uint64_t some;

	if (late == 0) {
		plan->stay = replay_spread(blocks, stay);
		return;
	}
	if (stay == 0) {
		plan->late = replay_spread(blocks, late);
		return;
	}
	blocks = max_u64(blocks, 2);
	some = min_u64(share(blocks, stay, stay + late), blocks - 1);
	plan->stay = replay_spread(some, stay);
	plan->late = replay_spread(blocks - some, late);
}

void
replay_plan(const struct replay_figures *f, struct replay_plan *plan)
{
	uint64_t stay = min_u64(f->peak_bytes, f->live_bytes);
	uint64_t late = f->live_bytes - stay, peak = f->peak_bytes - stay;
	uint64_t passed = above_u64(f->bytes, stay + late + peak);
	uint64_t blocks, some, brief, brief_bytes;

	*plan = (struct replay_plan){ 0 };
	plan_live(f, stay, late, plan);
	blocks = above_u64(f->allocations, plan->stay.count + plan->late.count);
	/* Blocks that were freed at once were not there at the peak. */
	some = share(above_u64(blocks, f->temporary), peak, peak + passed);
	if (some == blocks && passed != 0 && some > 1)
		some--;
	plan->peak = replay_spread(some, peak);
	blocks = above_u64(blocks, some);
	if (blocks == 0 && passed != 0)
		blocks = 1;
	brief = min_u64(f->temporary, blocks);
	brief_bytes = blocks == 0 ? 0 : brief == blocks ? passed :
	    passed / blocks * brief;
	plan->brief = replay_spread(brief, brief_bytes);
	plan->pass = replay_spread(blocks - brief, passed - brief_bytes);
	plan->peak_is_brief = some != 0 && brief < f->temporary;
}
