#include "web/web-child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

pid_t
web_child_fork(void)
{
	pid_t parent = getpid(), child = fork();
	sigset_t none;
	int null;

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it ended before that could be said */
		_exit(1);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	return 0;
}

void
web_child_keep_only(int a, int b)
{
	int first = a < b ? a : b, second = a < b ? b : a;
	unsigned from = STDERR_FILENO + 1;

	if (first > STDERR_FILENO) {
		if ((unsigned)first > from)
			(void)close_range(from, (unsigned)first - 1, 0);
		from = (unsigned)first + 1;
	}
	if (second > STDERR_FILENO) {
		if ((unsigned)second > from)
			(void)close_range(from, (unsigned)second - 1, 0);
		from = (unsigned)second + 1;
	}
	(void)close_range(from, ~0u, 0);
}
