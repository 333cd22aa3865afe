/*
 * plan-sample.c - what the kernel says of memory, and how often it is asked
 */
#include "plan/plan-state.h"

#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "plan/op.h"
#include "plan/plan.h"

/*
 * What the kernel says of memory.  Where the heap is not counted that is asked
 * so often that the whole of it is too dear: in between, and if @whole does not
 * forbid it, a glance tells what has changed, but for shared and swapped memory.
 */
static int
read_memory(uint64_t now_ns, bool whole, struct host_memory *memory)
{
	struct plan_state *plan = plan_state();
	bool may_glance = !plan_is_counted() && plan->host->glance != NULL;
	struct host_memory now;
	int r;

	if (may_glance && !whole && plan->whole_ns != 0 &&
	    now_ns - plan->whole_ns < PLAN_OLD_NS &&
	    plan->host->glance(&now) == 0) {
		memory->used = above_u64(plan->whole + now.used, plan->glanced);
		memory->resident = now.resident;
		return 0;
	}
	r = plan->host->memory(memory);
	if (r < 0 || !may_glance)
		return r;
	plan->whole = memory->used;
	plan->whole_ns = plan->host->glance(&now) == 0 ? now_ns : 0;
	plan->glanced = now.used;
	return 0;
}

/* Bytes a second, up or down: at once as seen, and forgotten in a while. */
#define MOTION_NS (200 * NS_PER_MS)

static void
note_motion(uint64_t now_ns, uint64_t used)
{
	struct plan_state *plan = plan_state();
	uint64_t ns = now_ns - plan->room->sampled_ns;
	uint64_t before = plan->sensor.used0;
	uint64_t moved = used > before ? used - before : before - used;

	if (plan->sensor.looks == 0 || ns == 0)
		return;
	plan->motion *= ns < MOTION_NS ? 1 - (double)ns / MOTION_NS : 0;
	if ((double)moved * NS_PER_S / (double)ns > plan->motion)
		plan->motion = (double)moved * NS_PER_S / (double)ns;
}

/* Ask the kernel; what is estimated starts from there again. */
void
plan_sample(uint64_t now_ns, const struct host_heap *heap, bool whole)
{
	struct plan_state *plan = plan_state();
	struct tide_room *room = plan->room;
	struct host_memory memory;
	struct sensor_look look;

	if (read_memory(now_ns, whole, &memory) < 0)
		return;
	note_motion(now_ns, memory.used + plan->limit.others);
	memset(&look, 0, sizeof(look));
	look.used = memory.used + plan->limit.others;
	look.live = heap->bytes;
	look.now_ns = now_ns;
	sensor_sample(&plan->sensor, &look);
	plan_raise_to(&plan->high_held,
	    sensor_held(&plan->sensor, heap->bytes));
	plan->own = memory.used;
	plan_raise_to(&plan->high_own, memory.used);
	room->resident = memory.resident;
	room->retained = plan_is_counted() ? above_u64(memory.used,
	    heap->bytes) : 0;
	room->sampled_ns = now_ns;
	room->samples++;
}

/*
 * Nobody tells of growth where the heap is not counted.  So that is looked at
 * the more often the faster it moves: by 1 % of the budget at most from look to
 * look, if that can be had for a look (a few us) each 100 us; once a millisecond
 * in a batch, which is to grow; and else once in 5.
 */
#define OLD_LEAST_NS (100 * NS_PER_US)
#define OLD_BATCH_NS (1 * NS_PER_MS)

bool
plan_is_old(uint64_t now_ns)
{
	const struct tide_room *room = plan_room();
	uint64_t age = above_u64(now_ns, room->sampled_ns);

	return !plan_is_counted() && (age >= plan_load(&room->refresh_ns) ||
	    (op_active() > 0 && age >= OLD_BATCH_NS));
}

void
plan_set_refresh(void)
{
	struct plan_state *plan = plan_state();
	double ns = (double)PLAN_OLD_NS;

	if (plan->limit.budget != TIDE_NONE) {
		ns = (double)PLAN_CALM_NS;
		if (plan->motion > 0)
			ns = numbers_within((double)plan->limit.budget / 100 /
			    plan->motion * NS_PER_S, (double)OLD_LEAST_NS, ns);
	}
	plan_store(&plan->room->refresh_ns, (uint64_t)ns);
}
