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
#include "base/text.h"
#include "cmd/commands.h"
#include "plan/run-who.h"
#include "say/option.h"
#include "say/print.h"
#include "simulate/sim-journal.h"
#include "simulate/sim-pool.h"
#include "simulate/simulate.h"

struct simulate_options {
	bool json, peers;
	uint64_t budget, items, seeds, fixed, target;
	uint64_t processes, cores, time, kill_cost;
	int policy;
	const char *op;
};

static const char *const policies[] = { "learn", "seed", "mean", NULL };

static const struct option_row simulate_rows[] = {
	{ .name = "budget", .kind = OPTION_BYTES,
	  .at = offsetof(struct simulate_options, budget), .word = "SIZE",
	  .least = 1 * MIB, .most = 1024 * GIB,
	  .help = "what there is to fill; 1000M, or that of the run" },
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
	{ .name = "kill-cost", .kind = OPTION_DURATION,
	  .at = offsetof(struct simulate_options, kill_cost), .word = "TIME",
	  .help = "that heaptide is told a kill costs, of which an item takes "
	    "1ms; no batch is worth one" },
	{ .name = "op", .kind = OPTION_TEXT,
	  .at = offsetof(struct simulate_options, op), .word = "NAME",
	  .help = "the operation of the run; the one with most items" },
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
	print_line(&p, PRINT_PLAIN, "%llu items, mean of %llu run%s",
	    (unsigned long long)o->items, (unsigned long long)o->seeds,
	    o->seeds == 1 ? "" : "s");
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
    const struct sim_options *o, json_t *record)
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
	if (record != NULL)
		json_object_set_new(object, "recorded", record);
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
	print_error("simulate: '%s' is no workload and no run; %sall, pool and "
	    "what 'heaptide checkpoints list' names are accepted", name, known);
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
	o.conf.kill_cost_ns = s->kill_cost;
	return o;
}

/* The first option given that only a pool has, or NULL. */
static const char *
of_pool_only(const struct simulate_options *s)
{
	return s->processes > 0 ? "--processes" : s->cores > 0 ? "--cores" :
	    s->time > 0 ? "--time" : NULL;
}

/* The first that chooses a law, or what it works on, or NULL. */
static const char *
of_laws(const struct simulate_options *s)
{
	const struct simulate_options *d = &simulate_defaults;

	return s->budget != d->budget ? "--budget" :
	    s->items != d->items ? "--items" :
	    s->seeds != d->seeds ? "--seeds" :
	    s->fixed != d->fixed ? "--fixed" :
	    s->target != d->target ? "--target" :
	    s->policy != d->policy ? "--policy" :
	    s->kill_cost != d->kill_cost ? "--kill-cost" :
	    s->op != NULL ? "--op" : s->peers ? "--peers" : NULL;
}

/* Options that another kind of simulation has. */
static int
check_kind(const struct simulate_options *s, bool is_pool, bool is_run)
{
	const struct simulate_options *d = &simulate_defaults;
	const char *extra = is_pool ? of_laws(s) : of_pool_only(s);

	if (extra != NULL) {
		print_error("simulate: %s is %s pool", extra, is_pool ?
		    "for workloads and runs, not for" : "accepted with");
		return COMMAND_USAGE;
	}
	if (is_run && (s->items != d->items || s->seeds != d->seeds)) {
		print_error("simulate: %s is not for a run that was recorded",
		    s->items != d->items ? "--items" : "--seeds");
		return COMMAND_USAGE;
	}
	if (!is_pool && !is_run && s->op != NULL) {
		print_error("simulate: --op is not for a workload");
		return COMMAND_USAGE;
	}
	return COMMAND_DONE;
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

/* --- recorded ones -------------------------------------------------------- */

/* What was recorded, before what would be. */
static void
print_record(const struct print *p, const struct sim_journal *j,
    const struct sim_record *r)
{
	char most[TEXT_BYTES_ROOM], whole[TEXT_BYTES_ROOM],
	    each[TEXT_BYTES_ROOM];

	print_line(p, PRINT_STRONG, "%s: %zu items in %zu batches of %zu to "
	    "%zu; at most %s were used", j->op, r->items, r->batches,
	    r->least_n, r->most_n, text_format_bytes(most, whole_u64(r->most)));
	if (r->power == 1)
		print_line(p, PRINT_PLAIN, "a batch takes %s and %s an item%s",
		    text_format_bytes(whole, whole_u64(r->whole)),
		    text_format_bytes(each, whole_u64(r->each)), r->one_size ?
		    "; as all were of one size, what is fixed cannot be told" :
		    "");
	else
		print_line(p, PRINT_PLAIN, "a batch of n takes %s and %s times "
		    "n^%.1f", text_format_bytes(whole, whole_u64(r->whole)),
		    text_format_bytes(each, whole_u64(r->each)), r->power);
	print_line(p, PRINT_PLAIN, "%s", "");
}

static json_t *
json_record(const struct sim_journal *j, const struct sim_record *r)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f}",
	    "op", j->op, "items", (json_int_t)r->items,
	    "batches", (json_int_t)r->batches,
	    "least_n", (json_int_t)r->least_n, "most_n", (json_int_t)r->most_n,
	    "most", r->most, "whole", r->whole, "each", r->each,
	    "power", r->power, "leak", r->leak);
}

static int
simulate_record(const struct simulate_options *s, const char *name,
    const struct sim_journal *j, const struct sim_record *record)
{
	const enum sim_law laws = s->peers ? SIM_LAWS : SIM_ORACLE + 1;
	const struct print p = print_open(stdout);
	struct sim_options o = options_of(s);
	struct sim_work work;
	struct row row;
	int r;

	o.items = record->items;
	o.seeds = 1; /* there is no chance in it */
	if (s->budget == simulate_defaults.budget && j->budget != 0)
		o.budget = j->budget;
	if ((double)o.budget <= record->base) {
		print_error("simulate: --budget %llu is refused; %.0f bytes "
		    "were used before any batch",
		    (unsigned long long)o.budget, record->base);
		return COMMAND_USAGE;
	}
	sim_record_work(record, &work);
	work.name = name;
	r = simulate(&work, &o, laws, &row);
	if (r < 0) {
		print_error("simulate: %s", strerror(-r));
		return COMMAND_FAILED;
	}
	if (s->json)
		return print_as_json(&row, 1, laws, &o,
		    json_record(j, record));
	print_record(&p, j, record);
	return print_as_text(&row, 1, laws, &o);
}

/* Why the journal has nothing for us. */
static int
refuse_run(const struct simulate_options *s, const char *name, int error,
    const struct sim_journal *j)
{
	if (error == -ENODATA && j->ops[0] == '\0')
		print_error("simulate: run '%s' has no batches", name);
	else if (error == -ENODATA)
		print_error("simulate: run '%s' has no batches of '%s'; %s %s",
		    name, s->op != NULL ? s->op : "", j->ops, "would be");
	else if (error == -E2BIG)
		print_error("simulate: run '%s' has more than %d items", name,
		    SIM_RECORD_MOST);
	else
		print_error("simulate: run '%s': %s", name, strerror(-error));
	return COMMAND_FAILED;
}

static int
simulate_journal(const struct simulate_options *s, const char *name)
{
	struct run_file *file = malloc(sizeof(*file));
	struct sim_journal journal;
	struct sim_record record;
	int status, r;

	if (file == NULL)
		return COMMAND_FAILED;
	status = runs_find("simulate", name, file, NULL);
	if (status != COMMAND_DONE) {
		free(file);
		return status;
	}
	r = sim_journal_read(file, s->op, &journal);
	free(file);
	if (r < 0)
		return refuse_run(s, name, r, &journal);
	r = sim_record_open(&record, journal.batch, journal.batches);
	if (r == 0) {
		status = simulate_record(s, name, &journal, &record);
		sim_record_close(&record);
	} else {
		status = refuse_run(s, name, r, &journal);
	}
	free(journal.batch);
	return status;
}

static bool
is_run(const char *name)
{
	char id[JOURNAL_ID_ROOM], path[JOURNAL_PATH];
	uint64_t number;

	return run_who_parse(name, id, &number) == 0 && number == 0 &&
	    run_who_path(environ, id, path) == 0 && access(path, F_OK) == 0;
}

/* --- the command ---------------------------------------------------------- */

static int
simulate_works(const struct simulate_options *s, const struct sim_work *work,
    size_t count)
{
	const enum sim_law laws = s->peers ? SIM_LAWS : SIM_ORACLE + 1;
	const struct sim_options o = options_of(s);
	struct row *rows = calloc(count, sizeof(*rows));
	struct progress progress;
	size_t i;
	int r = 0;

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
		r = print_as_json(rows, count, laws, &o, NULL);
	} else {
		r = print_as_text(rows, count, laws, &o);
	}
	free(rows);
	return r;
}

static int
simulate_run(const void *options, int operands, char **operand)
{
	const struct simulate_options *s = options;
	const char *name = operand[0];
	const bool is_pool = strcmp(name, "pool") == 0;
	const bool is_all = strcmp(name, "all") == 0;
	const struct sim_work *work = is_all ? sim_works : sim_work_find(name);
	const bool recorded = work == NULL && !is_pool && is_run(name);
	int r;

	(void)operands;
	if (work == NULL && !is_pool && !recorded)
		return refuse(name);
	r = check_kind(s, is_pool, recorded);
	if (r != COMMAND_DONE)
		return r;
	if (is_pool)
		return simulate_pool(s);
	if (s->target > 0 && (s->target < 10000 || s->target > 980000)) {
		print_error("simulate: --target %.0f%% is refused; 1%% to 98%% "
		    "are accepted", (double)s->target / 1e4);
		return COMMAND_USAGE;
	}
	if (recorded)
		return simulate_journal(s, name);
	if (s->budget < 512 * MIB) {
		print_error("simulate: --budget %llu is refused; of a workload "
		    "512M and more are accepted",
		    (unsigned long long)s->budget);
		return COMMAND_USAGE;
	}
	return simulate_works(s, work, is_all ? sim_works_count : 1);
}

const struct command command_simulate = {
	.name = "simulate",
	.args = "RUN|WORKLOAD|all|pool",
	.help = "try the laws on a run, or on workloads that are only computed",
	.rows = simulate_rows,
	.defaults = &simulate_defaults,
	.options_bytes = sizeof(struct simulate_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = simulate_run,
};
