/*
 * run-program.c - a program is run with heaptide inside, from its start to what
 * is told at its end
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "run/oom.h"
#include "run/run.h"
#include "say/command.h"
#include "say/print.h"
#include "sys/sys.h"

struct run *
run_create(const struct run_options *options, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL) {
		print_error("run: no memory");
		return NULL;
	}
	run->options = options;
	run->argv = argv;
	run->stacks = options->stacks;
	run->pressure.fd = -1;
	return run;
}

void
run_free(struct run *run)
{
	pressure_server_close(&run->pressure);
	run_close_page(run);
	inspect_free(&run->inspection);
	free(run->log);
	free(run->file);
	free(run->folder);
	free(run->failed_file);
	supervise_close(&run->child);
	free(run);
}

/* Whoever asks is answered while there is nothing else to do. */
static void
serve(void *context, int signals, uint64_t until_ns)
{
	struct run *run = context;
	uint64_t left = above_u64(until_ns, sys_clock()) / NS_PER_MS + 1;

	serve_watch(run->serve, signals);
	(void)serve_turn(run->serve, (int)min_u64(left, INT32_MAX));
}

/* One attempt, up to its end.  A negative errno value: it never started. */
static int
attempt(struct run *run)
{
	int r;

	run_export_attempt(run);
	run->oom_kills = oom_kills();
	run->started_ns = sys_clock();
	run->child.idle = serve;
	r = supervise_start(&run->child, run->argv);
	/* Not before: a child has no descriptor of ours. */
	if (r == 0 && (run->options->keeper == KEEPER_OFF ||
	    serve_open(&run->serve) < 0)) {
		run->serve = NULL;
		run->child.idle = NULL;
	}
	if (r < 0)
		return r;
	run->attempts++;
	(void)pressure_server_open(&run->pressure);
	run_watch(run);
	pressure_server_close(&run->pressure);
	return 0;
}

bool
run_program(struct run *run, int *status)
{
	int r;

	run_prepare(run);
	run_export(run);
	if (run->options->timeout != 0)
		run->deadline_ns = sys_clock() + run->options->timeout;
	run->child.pid_variable = "HEAPTIDE_ROOT"; /* for --children none */
	run->child.born = run_sign_page;
	run->child.heed = run_heed_signal;
	snprintf(run->mark, sizeof(run->mark), "HEAPTIDE_RUN=%s", run->id);
	run->child.mark = run->mark;
	run->child.context = run;
	do {
		r = attempt(run);
		if (r < 0) {
			*status = run_tell_exec_failure(run, r);
			return false;
		}
		*status = run_conclude(run);
		run_close_page(run); /* we may die as the program did */
	} while (run_again(run));
	return true;
}
