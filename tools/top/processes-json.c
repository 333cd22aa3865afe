/*
 * processes-json.c - the list as JSON, and what it comes to in all
 */
#include "top/processes.h"

#include "base/room.h"
#include "plan/message.h"
#include "profile/shelf.h"
#include "report/leaks.h"
#include "say/print.h"
#include "symbols/json.h"

bool
process_is_listed(const struct process *e, bool all)
{
	return e->trouble == NULL && (e->state != PROCESS_REPLACED || all);
}

struct processes_sums
processes_sum(const struct processes *l)
{
	struct processes_sums s = { 0 };

	for (size_t i = 0; i < l->count; i++) {
		const struct process *e = l->process[i];

		s.damaged += e->trouble != NULL;
		if (process_is_living(e->state) && e->trouble == NULL) {
			s.living++;
			s.heap += e->heap;
			s.resident += e->resident;
		} else if (e->state == PROCESS_DEAD && !e->awaited) {
			s.left++;
			s.left_bytes += e->bytes_on_disk;
		}
	}
	return s;
}

static json_t *
json_entry(const struct process *e)
{
	json_t *o = json_pack("{s:I, s:s, s:I, s:I, s:I, s:s, s:f}",
	    "pid", (json_int_t)process_shown_pid(e),
	    "state", process_state_names[e->state],
	    "heap", (json_int_t)e->heap,
	    "peak", (json_int_t)e->peak,
	    "threads", (json_int_t)e->threads,
	    "stacks", e->stacks,
	    "started", e->started);

	json_object_set_new(o, "name", json_text(e->name));
	json_object_set_new(o, "rss", process_is_living(e->state) ?
	    json_integer((json_int_t)e->resident) : json_null());
	json_object_set_new(o, "parent", e->has_parent &&
	    e->key.image == SHELF_LAST ? json_integer(
	    (json_int_t)e->parent.pid) : json_null());
	json_object_set_new(o, "growth", e->moves ?
	    json_real(e->growth.rate) : json_null());
	json_object_set_new(o, "limit", e->limit != UINT64_MAX ?
	    json_number(e->limit) : json_null());
	json_object_set_new(o, "memory_state", e->asks ?
	    json_string(message_state(e->memory)) : json_null());
	json_object_set_new(o, "budget", e->budget != TIDE_NONE ?
	    json_number(e->budget) : json_null());
	json_object_set_new(o, "used", e->asks ? json_number(e->used) :
	    json_null());
	json_object_set_new(o, "limit_in", e->left_s < PROCESS_LEFT_MOST ?
	    json_number(e->left_s) : json_null());
	json_object_set_new(o, "leaks", e->judged ?
	    leaks_brief_json(&e->leaks) : json_null());
	json_object_set_new(o, "command", json_text(e->command));
	json_object_set_new(o, "path", json_text(e->path));
	if (e->end.how != END_UNKNOWN && !process_is_living(e->state))
		json_object_set_new(o, "end", json_end(NULL, &e->end));
	return o;
}

json_t *
processes_json(const struct processes *l, bool all)
{
	json_t *processes = json_array(), *damaged = json_array();
	struct processes_sums s = processes_sum(l);
	json_t *object = json_head();

	for (size_t i = 0; i < l->count; i++) {
		const struct process *e = l->process[i];

		if (e->trouble != NULL)
			json_array_append_new(damaged, json_pack("{s:o, s:o}",
			    "path", json_text(e->path),
			    "error", json_text(e->trouble)));
		else if (process_is_listed(e, all))
			json_array_append_new(processes, json_entry(e));
	}
	json_object_set_new(object, "processes", processes);
	json_object_set_new(object, "damaged", damaged);
	json_object_set_new(object, "total", json_pack("{s:I, s:I, s:I, s:I}",
	    "running", (json_int_t)s.living, "not_collected",
	    (json_int_t)s.left, "heap", (json_int_t)s.heap,
	    "rss", (json_int_t)s.resident));
	return object;
}
