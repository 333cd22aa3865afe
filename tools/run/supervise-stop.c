/*
 * supervise-stop.c - standing still while the program does
 */
#include "run/supervise-stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "sys/proc.h"
#include "sys/sys.h"

bool
stop_is_on(pid_t pid)
{
	struct proc_stat stat;

	return proc_stat_read(pid, &stat) == 0 && stat.state == 'T';
}

void
stop_suffer(int signal)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL }, was;
	sigset_t one, mask;

	sigemptyset(&one);
	sigaddset(&one, signal);
	sigaction(signal, &by_default, &was);
	kill(getpid(), signal);
	sigprocmask(SIG_UNBLOCK, &one, &mask);
	/* Only a stopping signal gets here, when we are continued. */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(signal, &was, NULL);
}

#define WAKE_MOST_NS (200 * NS_PER_MS)

/*
 * Continue @who once the program goes on or has ended, until we are ended:
 * @who may not have stopped yet.
 */
static _Noreturn void
wake(pid_t program, pid_t who)
{
	uint64_t nap_ns = 5 * NS_PER_MS;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == who) {
		if (!stop_is_on(program))
			kill(who, SIGCONT);
		sys_sleep(nap_ns);
		nap_ns = min_u64(nap_ns + nap_ns / 4, WAKE_MOST_NS);
	}
	_exit(0);
}

void
stop_too(pid_t program, int signal)
{
	pid_t us = getpid(), waker = fork();

	if (waker == 0)
		wake(program, us);
	stop_suffer(signal);
	if (waker < 0)
		return;
	kill(waker, SIGKILL);
	while (waitpid(waker, NULL, 0) < 0 && errno == EINTR)
		;
}
