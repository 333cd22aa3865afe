/*
 * batch-signals.c - signals that come to a batch: jobs are told, and what is
 * not started yet is not started any more
 *
 * Jobs have process groups of their own, so the terminal's signals come to us
 * alone.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/batch.h"
#include "say/signals.h"
#include "sys/sys.h"

#define TOLD_NS  (500 * NS_PER_MS) /* it was a signal that ends a task */
#define OTHER_NS (20 * NS_PER_MS)

static void
pass_on(struct batch *b, int signal)
{
	for (unsigned i = 0; i < b->jobs; i++) {
		struct job *job = b->place[i];

		if (job == NULL)
			continue;
		batch_watch_signal(b, job, signal);
		if (job->suspended && signal != SIGSTOP)
			batch_watch_signal(b, job, SIGCONT);
	}
}

/* All of it stops, as one program would, and goes on so. */
static void
stand_still(struct batch *b)
{
	uint64_t from_ns = sys_clock(), ns;

	pass_on(b, SIGSTOP);
	raise(SIGSTOP);
	ns = sys_clock() - from_ns;
	for (unsigned i = 0; i < b->jobs; i++) {
		struct job *job = b->place[i];

		if (job == NULL || job->suspended)
			continue;
		job->stood_ns += ns;
		batch_watch_signal(b, job, SIGCONT);
	}
}

static void
take_signal(struct batch *b, int signal)
{
	switch (signal) {
	case SIGCHLD:
		break;
	case SIGTSTP:
		stand_still(b);
		break;
	case SIGUSR1:
		/* The time that a scheduler gives is nearly over. */
		if (!b->stopping)
			batch_say(b, "%s: no job is started any more; when "
			    "those that run have ended, so do we, with status "
			    "85", strsignal(signal));
		batch_stop(b, false);
		b->leaves = true;
		break;
	default:
		b->signals++;
		b->signal = signal;
		b->stopping = true;
		if (b->signals == 1)
			batch_say(b, "%s: no job is started any more, and "
			    "%u %s told to end; once more kills",
			    strsignal(signal), b->running,
			    b->running == 1 ? "is" : "are");
		pass_on(b, b->signals > 1 ? SIGKILL : signal);
	}
}

void
batch_signals_take(struct batch *b)
{
	struct signalfd_siginfo info;

	while (b->signal_fd >= 0 && read(b->signal_fd, &info, sizeof(info)) ==
	    sizeof(info))
		take_signal(b, (int)info.ssi_signo);
}

/*
 * Who ends a task of a cluster signals all its processes, and a job may be gone
 * before our turn comes: it did not fail, and is for who goes on.
 */
void
batch_signals_await(struct batch *b, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) - 128 :
	    WTERMSIG(status);
	bool told = code == SIGTERM || code == SIGKILL || code == SIGINT ||
	    code == SIGHUP;
	uint64_t until_ns = sys_clock() + (told ? TOLD_NS : OTHER_NS), now_ns;
	struct pollfd ready = { .fd = b->signal_fd, .events = POLLIN };

	while (b->signal == 0 && (now_ns = sys_clock()) < until_ns) {
		(void)poll(&ready, 1, (int)((until_ns - now_ns) / NS_PER_MS) +
		    1);
		batch_signals_take(b);
	}
}

void
batch_signals_open(struct batch *b, sigset_t *was)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, was_pipe;
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGUSR1);
	signals_add(&ours, SIGINT);
	signals_add(&ours, SIGQUIT);
	signals_add(&ours, SIGHUP);
	signals_add(&ours, SIGTSTP);
	sigprocmask(SIG_BLOCK, &ours, was);
	sigaction(SIGPIPE, &ignore, &was_pipe);
	b->ignores_pipe = was_pipe.sa_handler == SIG_IGN;
	/* Ignored, jobs would vanish without a status. */
	sigaction(SIGCHLD, &by_default, NULL);
	b->signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

void
batch_signals_close(struct batch *b, const sigset_t *was)
{
	if (b->signal_fd >= 0)
		close(b->signal_fd);
	b->signal_fd = -1;
	sigprocmask(SIG_SETMASK, was, NULL);
}
