#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "command.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define ANCESTORS_MOST 256 /* generations to climb before giving up */

/* What exec hands down and fork or our own work would change. */
struct inheritance {
	sigset_t mask;
	struct sigaction child_action; /* SIGCHLD may come ignored */
	struct itimerval alarm;        /* alarm() outlives exec, not fork */
};

/* --- starting ------------------------------------------------------------- */

static void
take_over(struct inheritance *was)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct itimerval none = { .it_value = { 0, 0 } };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &was->mask);
	/* Ignored, children would vanish without a status. */
	sigaction(SIGCHLD, &by_default, &was->child_action);
	setitimer(ITIMER_REAL, &none, &was->alarm);
}

static void
give_back(const struct inheritance *was)
{
	sigaction(SIGCHLD, &was->child_action, NULL);
	setitimer(ITIMER_REAL, &was->alarm, NULL);
	sigprocmask(SIG_SETMASK, &was->mask, NULL);
}

void
supervise_fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void
let_go_of_descriptors(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		dup3(fd, STDIN_FILENO, O_CLOEXEC);
		dup3(fd, STDOUT_FILENO, O_CLOEXEC);
	}
	close_range(STDERR_FILENO + 1, ~0U, 0);
}

static _Noreturn void
become(const struct supervise *s, char **argv, const struct inheritance *was,
    int fd)
{
	char pid[16];
	int error;

	if (s->pid_variable != NULL) {
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv(s->pid_variable, pid, 1);
	}
	if (s->born != NULL)
		s->born(s->context);
	give_back(was);
	execvp(argv[0], argv);
	error = errno;
	while (write(fd, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	_exit(COMMAND_NOT_FOUND);
}

/* 0 once exec has closed the pipe, or what it failed with. */
static int
read_exec_error(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? -error : 0;
}

int
supervise_start(struct supervise *s, char **argv)
{
	struct inheritance was;
	struct proc_stat stat;
	int pipes[2];
	int r;

	s->pid = -1;
	supervise_fill_descriptors();
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	take_over(&was);
	s->pid = fork();
	if (s->pid == 0)
		become(s, argv, &was, pipes[1]);
	r = s->pid < 0 ? -errno : 0;
	close(pipes[1]);
	if (r == 0) {
		r = read_exec_error(pipes[0]);
		if (r < 0)
			waitpid(s->pid, NULL, 0);
	}
	close(pipes[0]);
	if (r < 0) {
		give_back(&was);
		return r;
	}
	/* It cannot vanish: we have not waited for it. */
	s->ticks = proc_stat_read(s->pid, &stat) == 0 ? stat.ticks : 0;
	let_go_of_descriptors();
	s->signals = -1;
	if (s->idle != NULL) {
		sigset_t all;

		sigfillset(&all);
		s->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	}
	return 0;
}

/* --- signals -------------------------------------------------------------- */

static bool
is_descendant(const struct supervise *s, int pid)
{
	struct proc_stat stat;

	for (int i = 0; i < ANCESTORS_MOST && pid > 1; i++) {
		if (pid == s->pid)
			return true;
		if (proc_stat_read(pid, &stat) < 0)
			return false;
		pid = stat.parent;
	}
	return false;
}

static bool
is_stopped(const struct supervise *s)
{
	struct proc_stat stat;

	return proc_stat_read(s->pid, &stat) == 0 && stat.state == 'T';
}

/* True: it is for later. */
static bool
hold_back(struct supervise *s, int signal)
{
	uint64_t ns = s->heed != NULL ? s->heed(s->context, signal) : 0;

	s->held = ns != 0 ? signal : 0;
	s->held_ns = sys_clock() + ns;
	return ns != 0;
}

/* It has had its time. */
static void
let_go(struct supervise *s)
{
	if (s->held == 0 || sys_clock() < s->held_ns)
		return;
	kill(s->pid, s->held);
	s->held = 0;
}

static void
pass_on(struct supervise *s, const siginfo_t *info)
{
	bool by_somebody = info->si_code == SI_USER ||
	    info->si_code == SI_QUEUE || info->si_code == SI_TKILL;

	if (!by_somebody || info->si_signo == SIGCHLD ||
	    is_descendant(s, info->si_pid))
		return;
	/* A shell's `fg` has continued the whole group already. */
	if (info->si_signo == SIGCONT && !is_stopped(s))
		return;
	if (info->si_signo == SIGTERM && hold_back(s, info->si_signo))
		return;
	if (info->si_code == SI_QUEUE)
		sigqueue(s->pid, info->si_signo, info->si_value);
	else
		kill(s->pid, info->si_signo);
}

/* Let @signal do to us what it does by default. */
static void
suffer(int signal)
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

/* --- waiting -------------------------------------------------------------- */

static bool
has_ended(struct supervise *s)
{
	int status;

	while (wait4(s->pid, &status, WNOHANG | WUNTRACED, &s->usage) ==
	    s->pid) {
		if (!WIFSTOPPED(status)) {
			s->status = status;
			return true;
		}
		/* We hear of it late at times, when it goes on again: then
		 * nobody would come to continue us. */
		if (is_stopped(s))
			suffer(WSTOPSIG(status));
	}
	return false;
}

/* The next signal that has come by @until_ns; 0: none has. */
static int
next_signal(struct supervise *s, uint64_t until_ns, siginfo_t *info)
{
	uint64_t left = above_u64(until_ns, sys_clock());
	struct timespec timeout = {
		.tv_sec = (time_t)(left / NS_PER_S),
		.tv_nsec = (long)(left % NS_PER_S),
	};
	const struct timespec now = { 0, 0 };
	sigset_t all;
	int signal;

	sigfillset(&all);
	if (s->idle == NULL || s->signals < 0)
		return sigtimedwait(&all, info, &timeout);
	signal = sigtimedwait(&all, info, &now);
	if (signal > 0)
		return signal;
	s->idle(s->context, s->signals, until_ns);
	return sigtimedwait(&all, info, &now);
}

bool
supervise_wait(struct supervise *s, uint64_t until_ns)
{
	siginfo_t info;

	while (!has_ended(s)) {
		if (sys_clock() >= until_ns)
			return false;
		if (next_signal(s, s->held != 0 ? min_u64(until_ns,
		    s->held_ns) : until_ns, &info) > 0)
			pass_on(s, &info);
		let_go(s);
	}
	return true;
}

int
supervise_leave(const struct supervise *s)
{
	struct rlimit none = { 0, 0 };

	if (WIFEXITED(s->status))
		return WEXITSTATUS(s->status);
	/* The program's core is the one that matters; a limit of 0 does not
	 * stop a core_pattern that pipes, not being dumpable does. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	suffer(WTERMSIG(s->status));
	return 128 + WTERMSIG(s->status);
}
