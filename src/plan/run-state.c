/*
 * run-state.c - the run of this process, if there is one, and its lock
 */
#include "plan/run-state.h"

#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/plan.h"
#include "sys/sys.h"

static struct {
	struct run_state state;
} running;

struct run_state *
run_state(void)
{
	return &running.state;
}

void
run_lock(void)
{
	struct run_state *run = run_state();

	while (__atomic_exchange_n(&run->lock, 1, __ATOMIC_ACQUIRE) != 0)
		sys_sleep(NS_PER_MS / 5);
}

void
run_unlock(void)
{
	struct run_state *run = run_state();

	__atomic_store_n(&run->lock, 0, __ATOMIC_RELEASE);
}

const char *
run_given(const char *name)
{
	const struct plan_host *host = plan_host();

	return host->setting != NULL ? host->setting(name) : NULL;
}

void
run_say(const char *before, const char *id, const char *behind)
{
	char line[160];
	struct text t;

	text_open(&t, line, sizeof(line));
	text_put(&t, before);
	text_put(&t, id);
	text_put(&t, behind);
	plan_say(line);
}

void
run_in_child(void)
{
	struct run_state *run = run_state();

	/* Its copy of the lock would hold the file when the parent is gone. */
	if (run->pid != 0 && run->pid != sys_pid())
		journal_close(&run->journal);
	run_failed_close(&run->parts);
	spans_close(&run->failing);
	memset((char *)run + sizeof(run->journal), 0,
	    sizeof(*run) - sizeof(run->journal));
}
