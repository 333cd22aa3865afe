#include "run/outcome.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/base.h"
#include "base/room.h"
#include "say/command.h"

#define SHELL_SIGNAL 128
#define SIGNALS_MOST 64

int
outcome_signal(int status)
{
	int code;

	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	code = WEXITSTATUS(status) - SHELL_SIGNAL;
	return code > 0 && code <= SIGNALS_MOST ? code : 0;
}

static bool
is_wish(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
	    signal == SIGQUIT;
}

/* 0.90 of the budget, in numbers that do not overflow. */
static bool
was_full(const struct outcome_facts *f)
{
	return f->budget != 0 && f->budget != TIDE_NONE &&
	    f->used >= f->budget - f->budget / 10;
}

enum outcome
outcome_of(const struct outcome_facts *f)
{
	int signal = outcome_signal(f->status);
	int code = WIFEXITED(f->status) ? WEXITSTATUS(f->status) : -1;

	if (f->timed_out)
		return OUTCOME_TIMEOUT;
	if (code == COMMAND_DONE && !f->recycled)
		return OUTCOME_DONE;
	if (f->told)
		return OUTCOME_STOPPED;
	if (f->stalled)
		return OUTCOME_STALLED;
	if (f->recycled || code == COMMAND_CHECKPOINT)
		return OUTCOME_RECYCLE;
	if (code == COMMAND_NO_MEMORY)
		return OUTCOME_NO_MEMORY;
	if (signal == SIGKILL)
		return f->struck || was_full(f) ? OUTCOME_OOM : OUTCOME_ERROR;
	if (is_wish(signal))
		return OUTCOME_STOPPED;
	if (f->aborted || f->refused != 0 || f->state >= TIDE_EXHAUSTED)
		return OUTCOME_NOMEM_CRASH;
	return OUTCOME_ERROR;
}

bool
outcome_is_memory(enum outcome outcome)
{
	return outcome == OUTCOME_NO_MEMORY || outcome == OUTCOME_OOM ||
	    outcome == OUTCOME_NOMEM_CRASH;
}

const char *
outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOMES] = {
		[OUTCOME_DONE] = "done",
		[OUTCOME_RECYCLE] = "recycle",
		[OUTCOME_NO_MEMORY] = "no-memory",
		[OUTCOME_OOM] = "oom",
		[OUTCOME_NOMEM_CRASH] = "nomem-crash",
		[OUTCOME_STALLED] = "stalled",
		[OUTCOME_TIMEOUT] = "timeout",
		[OUTCOME_STOPPED] = "stopped",
		[OUTCOME_ERROR] = "error",
	};

	return names[outcome];
}
