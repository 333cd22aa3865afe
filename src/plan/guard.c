#include "plan/guard.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/guard-state.h"
#include "plan/message.h"
#include "plan/op-state.h"
#include "plan/plan.h"
#include "sys/sys.h"

/* --- guards --------------------------------------------------------------- */

int
guard_begin(const char *op, uint64_t need)
{
	tide_op *o = op_open(op, NULL);
	char line[MESSAGE_ROOM];
	int i, n;

	if (need != 0 && plan_safe(need, 0, NULL) != 1)
		return -ENOMEM;
	plan_lock();
	for (i = 0; i < GUARDS && guard_state()->taken[i]; i++)
		;
	if (i < GUARDS)
		guard_state()->taken[i] = true;
	plan_unlock();
	if (i == GUARDS)
		return -ENOSPC;
	memset(&guard_state()->guard[i], 0, sizeof(guard_state()->guard[i]));
	n = batch_begin(o, &guard_state()->guard[i], op_row(o)->done, 1, 0);
	if (n > 0) {
		plan_say(message_starting(line, sizeof(line), op_row(o)->name,
		    plan_room()->used));
		return i + 1;
	}
	plan_lock();
	guard_state()->taken[i] = false;
	plan_unlock();
	return n == 0 ? -ECANCELED : n;
}

void
guard_end(int guard)
{
	if (guard < 1 || guard > GUARDS || !guard_state()->taken[guard - 1])
		return;
	(void)batch_end(&guard_state()->guard[guard - 1], 1);
	plan_lock();
	guard_state()->taken[guard - 1] = false;
	plan_unlock();
}

/* --- components ----------------------------------------------------------- */

static struct tide_component_stats *
row_of(int id)
{
	struct tide_component_stats *row;

	if (!plan_has_begun() || id < 1 || id > TIDE_COMPONENTS)
		return NULL;
	(void)plan_visit();
	row = &plan_room()->component[id - 1];
	return row->name[0] != '\0' ? row : NULL;
}

int
component_open(const char *name, uint64_t max, unsigned weight)
{
	struct tide_component_stats *row;
	struct text t;
	int i, id = -ENOSPC;

	if (name == NULL || *name == '\0')
		return -EINVAL;
	(void)plan_visit();
	plan_lock();
	row = plan_room()->component;
	for (i = 0; i < TIDE_COMPONENTS && id < 0; i++) {
		if (row[i].name[0] != '\0' && strncmp(row[i].name, name,
		    sizeof(row[i].name) - 1) != 0)
			continue;
		id = i + 1;
		row[i].max = max;
		row[i].weight = weight;
		text_open(&t, row[i].name, sizeof(row[i].name));
		text_put(&t, name);
		guard_state()->component[i] = row[i];
	}
	plan_unlock();
	return id;
}

static bool
thread_holds(int64_t *bytes)
{
	struct host_heap heap;

	memset(&heap, 0, sizeof(heap));
	if (plan_host()->heap == NULL || !plan_host()->heap(&heap))
		return false;
	*bytes = heap.thread;
	return true;
}

/* The furthest in that this thread is in @component (0: in any), or NULL. */
static struct visit *
visit_of(int32_t tid, int component)
{
	struct visit *v, *found = NULL;

	for (v = guard_state()->visit; v < guard_state()->visit + VISITS; v++)
		if (v->tid == tid && (component == 0 ||
		    v->component == component) &&
		    (found == NULL || v->order > found->order))
			found = v;
	return found;
}

void
component_enter(int id)
{
	struct tide_component_stats *row = row_of(id);
	struct visit *v;
	int64_t now;

	if (row == NULL || !thread_holds(&now))
		return;
	plan_lock();
	for (v = guard_state()->visit; v < guard_state()->visit + VISITS && v->tid != 0; v++)
		;
	if (v < guard_state()->visit + VISITS) {
		v->tid = sys_tid();
		v->component = id;
		v->base = now;
		v->inner = 0;
		v->order = ++guard_state()->order;
		row->enters++;
	}
	plan_unlock();
}

void
component_leave(int id)
{
	struct tide_component_stats *row = row_of(id);
	int32_t tid = sys_tid();
	struct visit *v, *outer;
	int64_t now, moved;

	if (row == NULL || !thread_holds(&now))
		return;
	plan_lock();
	v = visit_of(tid, id);
	if (v != NULL) {
		moved = now - v->base;
		row->used += moved - v->inner;
		row->peak = row->peak > row->used ? row->peak : row->used;
		row->over += row->max != 0 && row->used > (int64_t)row->max;
		guard_state()->component[id - 1] = *row;
		v->tid = 0;
		outer = visit_of(tid, 0);
		if (outer != NULL)
			outer->inner += moved;
	}
	plan_unlock();
}

uint64_t
component_used(int id)
{
	struct tide_component_stats *row = row_of(id);
	struct visit *v;
	int64_t now, used;

	if (row == NULL || !thread_holds(&now))
		return row == NULL ? 0 : TIDE_NONE;
	plan_lock();
	used = row->used;
	v = visit_of(sys_tid(), id);
	if (v != NULL)
		used += now - v->base - v->inner;
	plan_unlock();
	return used > 0 ? (uint64_t)used : 0;
}

/*
 * Its own maximum, or its part by weight of what the process may fill; near the
 * limit, less: what a cache should shrink to.
 */
uint64_t
component_budget(int id)
{
	struct tide_component_stats *row = row_of(id), *r;
	const struct tide_room *room = plan_room();
	uint64_t weights = 0, part;

	if (row == NULL)
		return 0;
	(void)plan_visit();
	for (r = plan_room()->component; r < plan_room()->component +
	    TIDE_COMPONENTS; r++)
		weights += r->name[0] != '\0' ? r->weight : 0;
	part = row->max != 0 ? row->max : TIDE_NONE;
	if (room->budget != TIDE_NONE && row->weight != 0)
		part = min_u64(part, whole_u64((double)plan_line(room->budget,
		    0) * row->weight / (double)weights));
	if (part == TIDE_NONE || room->state == TIDE_OK)
		return part;
	return room->state == TIDE_WARNING ? part / 4 * 3 :
	    room->state == TIDE_CRITICAL ? part / 2 : part / 4;
}
