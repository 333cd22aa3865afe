#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "say/command.h"
#include "say/print.h"
#include "simulate/sim-pool.h"

static json_t *
json_row(uint32_t processes, enum sim_pool_law law,
    const struct sim_pool_result *r)
{
	return json_pack("{s:i, s:s, s:f, s:I, s:f, s:f, s:o, s:I, s:I}",
	    "processes", (int)processes, "law", sim_pool_names[law],
	    "efficiency", r->efficiency, "kills", (json_int_t)r->kills,
	    "used_most", r->used_most, "wait_most", r->wait_most,
	    "round", isfinite(r->wait_fair) ? json_real(r->wait_fair) :
	    json_null(), "batches", (json_int_t)r->batches,
	    "unserved", (json_int_t)r->unserved);
}

static void
print_row(struct print_table *t, uint32_t processes, enum sim_pool_law law,
    const struct sim_pool_result *r)
{
	print_cell(t, "%u", processes);
	print_cell(t, "%s", sim_pool_names[law]);
	print_cell(t, "%.1f %%", 100 * r->efficiency);
	print_cell(t, "%llu", (unsigned long long)r->kills);
	print_cell(t, "%.2f", r->used_most);
	print_cell(t, "%.2f s", r->wait_most);
	print_cell(t, "%.2f s", r->wait_fair);
	print_cell(t, "%llu", (unsigned long long)r->unserved);
	print_row_style(t, law == SIM_POOL_ELASTIC ? PRINT_STRONG :
	    PRINT_PLAIN);
}

int
sim_pool_show(const uint32_t *processes, size_t count,
    const struct sim_pool_options *options, bool json)
{
	static const struct print_column columns[] = {
		{ "processes", true }, { "law", false },
		{ "efficiency", true }, { "kills", true },
		{ "most use", true }, { "longest wait", true },
		{ "one round", true }, { "unserved", true },
	};
	struct print p = print_open(stdout);
	struct print_table *t = print_table_open(columns,
	    ARRAY_LENGTH(columns));
	struct sim_pool_options one = *options;
	json_t *all = json_head(), *rows = json_array();
	struct sim_pool_result r;
	struct progress progress;
	size_t i;
	int error = 0, law;

	progress_open(&progress, "simulating", count * SIM_POOL_LAWS);
	for (i = 0; i < count && error == 0; i++) {
		for (law = 0; law < SIM_POOL_LAWS && error == 0; law++) {
			one.processes = processes[i];
			one.seed = options->seed + processes[i];
			one.law = (enum sim_pool_law)law;
			error = sim_pool(&one, &r);
			if (error == 0 && json)
				json_array_append_new(rows,
				    json_row(processes[i], one.law, &r));
			else if (error == 0)
				print_row(t, processes[i], one.law, &r);
			progress_set(&progress, i * SIM_POOL_LAWS +
			    (size_t)law + 1);
		}
	}
	progress_close(&progress);
	json_object_set_new(all, "pools", rows);
	if (error < 0) {
		print_error("simulate: %s", strerror(-error));
		json_decref(all);
		return COMMAND_FAILED;
	}
	if (json)
		return json_print(all);
	print_table_close(t, &p, 0);
	json_decref(all);
	return COMMAND_DONE;
}
