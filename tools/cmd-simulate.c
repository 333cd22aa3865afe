/*
 * cmd-simulate.c - what the sizing law would do, beside the best that can be
 *
 * The workloads, the laws and the clock are in sim-*.c; here is who is asked,
 * and how the answer looks.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "command.h"
#include "option.h"
#include "print.h"
#include "sim-pool.h"
#include "simulate.h"

struct simulate_options {
	bool json, peers;
	uint64_t budget, items, seeds, fixed, target;
	uint64_t processes, cores, time;
	int policy;
};

static const char *const policies[] = { "learn", "seed", "mean", NULL };

static const struct option_row simulate_rows[] = {
	{ .name = "budget", .kind = OPTION_BYTES,
	  .at = offsetof(struct simulate_options, budget), .word = "SIZE",
	  .least = 512 * MIB, .most = 1024 * GIB,
	  .help = "what there is to fill; 1000M" },
	{ .name = "items", .kind = OPTION_COUNT,
	  .at = offsetof(struct simulate_options, items), .word = "N",
	  .least = 1, .most = 10000000,
	  .help = "items to work through; 40000" },
	{ .name = "seeds", .kind = OPTION_COUNT,
	  .at = offsetof(struct simulate_options, seeds), .word = "N",
	  .least = 1, .most = 1000,
	  .help = "runs of each, with other items; 6" },
	{ .name = "policy", .kind = OPTION_CHOICE,
	  .at = offsetof(struct simulate_options, policy),
	  .choices = policies,
	  .help = "by what heaptide chooses; learn" },
	{ .name = "fixed", .kind = OPTION_COUNT,
	  .at = offsetof(struct simulate_options, fixed), .word = "N",
	  .least = 1, .most = SIM_MOST,
	  .help = "heaptide takes N items, always" },
	{ .name = "target", .kind = OPTION_SHARE,
	  .at = offsetof(struct simulate_options, target), .word = "PCT",
	  .help = "of the budget that heaptide fills; 90%" },
	{ .name = "peers", .kind = OPTION_FLAG,
	  .at = offsetof(struct simulate_options, peers),
	  .help = "and what other laws would do" },
	{ .name = "processes", .kind = OPTION_COUNT,
	  .at = offsetof(struct simulate_options, processes), .word = "N",
	  .least = 1, .most = 1000000,
	  .help = "pool: so many, instead of 10, 100, 1000 and 10000" },
	{ .name = "cores", .kind = OPTION_COUNT,
	  .at = offsetof(struct simulate_options, cores), .word = "N",
	  .least = 1, .most = 16383,
	  .help = "pool: of the machine; 8 to 128, by the processes" },
	{ .name = "time", .kind = OPTION_DURATION,
	  .at = offsetof(struct simulate_options, time), .word = "TIME",
	  .help = "pool: to simulate; 4s" },
	{ .name = "json", .kind = OPTION_FLAG,
	  .at = offsetof(struct simulate_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

static const struct simulate_options simulate_defaults = {
	.budget = SIM_BUDGET, .items = SIM_ITEMS, .seeds = SIM_SEEDS,
};

/* One workload. */
struct row {
	const struct sim_work *work;
	size_t best_n;           /* 0: every size was killed */
	struct sim_result best;
	struct sim_result law[SIM_LAWS];
};

/* Is it the same as without: nothing to cut, no weights? */
static bool
is_only_sizes(const struct sim_work *w, enum sim_law law)
{
	return (law == SIM_CUT && !w->additive) ||
	    (law == SIM_WEIGHTS && !w->additive && !w->padded);
}

static double
percent(const struct row *row, enum sim_law law)
{
	return 100 * row->law[law].rate / row->best.rate;
}

static int
simulate(const struct sim_work *w, const struct sim_options *o,
    enum sim_law laws, struct row *row)
{
	enum sim_law law;
	int r;

	row->work = w;
	r = sim_best_static(w, o, &row->best_n, &row->best);
	for (law = SIM_OURS; r == 0 && law < laws; law++)
		r = sim_run(w, law, 0, o, &row->law[law]);
	return r;
}

/* --- as text -------------------------------------------------------------- */

static void
print_row(struct print_table *t, const struct row *row, enum sim_law laws)
{
	enum sim_law law;

	print_cell(t, "%s", row->work->name);
	if (row->best_n > 0)
		print_cell(t, "%zu", row->best_n);
	else
		print_cell(t, "-");
	for (law = SIM_OURS; law < laws; law++)
		print_cell(t, "%.0f k%.1f m%.2f%s", percent(row, law),
		    row->law[law].kills, row->law[law].most,
		    is_only_sizes(row->work, law) ? "*" : " ");
}

static int
print_as_text(const struct row *rows, size_t count, enum sim_law laws,
    const struct sim_options *o)
{
	struct print_column columns[2 + SIM_LAWS] = {
		{ "workload", false }, { "best static", true },
	};
	struct print p = print_open(stdout);
	struct print_table *t;
	size_t used = 2, i;
	enum sim_law law;

	for (law = SIM_OURS; law < laws; law++)
		columns[used++] = (struct print_column){
			sim_law_names[law], true };
	t = print_table_open(columns, used);
	for (i = 0; i < count; i++)
		print_row(t, &rows[i], laws);
	print_table_close(t, &p, 0);
	print_line(&p, PRINT_PLAIN, "%s", "");
	print_line(&p, PRINT_PLAIN, "percent of the items a time of the best "
	    "size that never was killed; k: kills a run;");
	print_line(&p, PRINT_PLAIN, "m: the most that was used, of the "
	    "budget; *: nothing to cut or weigh, as by sizes alone");
	print_line(&p, PRINT_PLAIN, "%llu items, mean of %llu runs",
	    (unsigned long long)o->items, (unsigned long long)o->seeds);
	return COMMAND_DONE;
}

/* --- as JSON -------------------------------------------------------------- */

static json_t *
json_result(const struct row *row, enum sim_law law)
{
	const struct sim_result *r = &row->law[law];

	return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:b}",
	    "law", sim_law_names[law], "percent", percent(row, law),
	    "kills", r->kills, "most", r->most, "batches", r->batches,
	    "restarts", r->recycled, "items_lost", r->lost,
	    "sizes_only", is_only_sizes(row->work, law));
}

static int
print_as_json(const struct row *rows, size_t count, enum sim_law laws,
    const struct sim_options *o)
{
	json_t *object = json_head(), *works = json_array(), *results;
	enum sim_law law;
	size_t i;

	for (i = 0; i < count; i++) {
		results = json_array();
		for (law = SIM_OURS; law < laws; law++)
			json_array_append_new(results,
			    json_result(&rows[i], law));
		json_array_append_new(works, json_pack("{s:s, s:s, s:o, s:o}",
		    "name", rows[i].work->name, "what", rows[i].work->help,
		    "best_static", rows[i].best_n > 0 ?
		    json_integer((json_int_t)rows[i].best_n) : json_null(),
		    "laws", results));
	}
	json_object_set_new(object, "budget",
	    json_integer((json_int_t)o->budget));
	json_object_set_new(object, "items",
	    json_integer((json_int_t)o->items));
	json_object_set_new(object, "seeds",
	    json_integer((json_int_t)o->seeds));
	json_object_set_new(object, "workloads", works);
	return json_print(object);
}

/* --- the command ---------------------------------------------------------- */

static int
refuse(const char *name)
{
	char known[512] = "";
	size_t length = 0, i;

	for (i = 0; i < sim_works_count; i++)
		length += (size_t)snprintf(known + length,
		    sizeof(known) - length, "%s, ", sim_works[i].name);
	if (access(name, F_OK) == 0)
		print_error("simulate: '%s' is a file, and recorded runs "
		    "cannot be simulated yet; %sall or pool are accepted", name,
		    known);
	else
		print_error("simulate: '%s' is no workload; %sall or pool are "
		    "accepted", name, known);
	return COMMAND_USAGE;
}

static struct sim_options
options_of(const struct simulate_options *s)
{
	static const int policy[] = { SIZING_LEARN, SIZING_SEED, SIZING_MEAN };
	struct sim_options o = {
		.budget = s->budget, .items = s->items, .seeds = s->seeds,
	};

	o.conf.policy = policy[s->policy];
	o.conf.fixed = (uint32_t)s->fixed;
	o.conf.target = (double)s->target / 1e6;
	return o;
}

/* Options that the other kind of simulation has. */
static int
check_kind(const struct simulate_options *s, bool is_pool)
{
	const struct simulate_options *d = &simulate_defaults;
	const char *extra = NULL;

	if (is_pool)
		extra = s->budget != d->budget ? "--budget" :
		    s->items != d->items ? "--items" :
		    s->seeds != d->seeds ? "--seeds" :
		    s->fixed != d->fixed ? "--fixed" :
		    s->target != d->target ? "--target" :
		    s->policy != d->policy ? "--policy" :
		    s->peers ? "--peers" : NULL;
	else
		extra = s->processes > 0 ? "--processes" :
		    s->cores > 0 ? "--cores" : s->time > 0 ? "--time" : NULL;
	if (extra == NULL)
		return COMMAND_DONE;
	print_error("simulate: %s is %s pool", extra, is_pool ?
	    "for workloads, not for" : "accepted with");
	return COMMAND_USAGE;
}

static int
simulate_pool(const struct simulate_options *s)
{
	static const uint32_t usual[] = { 10, 100, 1000, 10000 };
	const uint32_t one = (uint32_t)s->processes;
	const struct sim_pool_options o = { .seed = 42,
		.cores = (uint32_t)s->cores, .time_ns = s->time };

	if (one > 0)
		return sim_pool_show(&one, 1, &o, s->json);
	return sim_pool_show(usual, ARRAY_LENGTH(usual), &o, s->json);
}

static int
simulate_run(const void *options, int operands, char **operand)
{
	const struct simulate_options *s = options;
	const struct sim_options o = options_of(s);
	const enum sim_law laws = s->peers ? SIM_LAWS : SIM_ORACLE + 1;
	const struct sim_work *work = sim_works;
	size_t count = 1, i;
	struct progress progress;
	struct row *rows;
	int r = 0;

	(void)operands;
	r = check_kind(s, strcmp(operand[0], "pool") == 0);
	if (r != COMMAND_DONE)
		return r;
	if (strcmp(operand[0], "pool") == 0)
		return simulate_pool(s);
	if (strcmp(operand[0], "all") == 0)
		count = sim_works_count;
	else
		work = sim_work_find(operand[0]);
	if (work == NULL)
		return refuse(operand[0]);
	if (s->target > 0 && (s->target < 10000 || s->target > 980000)) {
		print_error("simulate: --target %.0f%% is refused; 1%% to 98%% "
		    "are accepted", (double)s->target / 1e4);
		return COMMAND_USAGE;
	}
	rows = calloc(count, sizeof(*rows));
	if (rows == NULL)
		return COMMAND_FAILED;
	progress_open(&progress, "simulating", count);
	for (i = 0; r == 0 && i < count; i++) {
		r = simulate(work + i, &o, laws, &rows[i]);
		progress_set(&progress, i + 1);
	}
	progress_close(&progress);
	if (r < 0) {
		print_error("simulate: %s", strerror(-r));
		r = COMMAND_FAILED;
	} else if (s->json) {
		r = print_as_json(rows, count, laws, &o);
	} else {
		r = print_as_text(rows, count, laws, &o);
	}
	free(rows);
	return r;
}

const struct command command_simulate = {
	.name = "simulate",
	.args = "WORKLOAD|all|pool",
	.help = "try the laws on workloads that are only computed",
	.rows = simulate_rows,
	.defaults = &simulate_defaults,
	.options_bytes = sizeof(struct simulate_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = simulate_run,
};
