#include "run/supervise.h"

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
#include "run/supervise-heard.h"
#include "run/supervise-start.h"
#include "run/supervise-stop.h"
#include "say/command.h"
#include "say/signals.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define ANCESTORS_MOST 256 /* generations to climb before giving up */

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
	if (s->start != NULL)
		start_hand_down(s->start);
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

/* As @was, but that an alarm rings once. */
static void
take_over_again(struct supervise_start *start, struct inheritance *was)
{
	start_restore(start);
	*was = start->was;
	was->alarm = (struct itimerval){ .it_value = { 0, 0 } };
}

/* Once it runs.  A pipe has to end when the program closes it. */
static void
settle(struct supervise *s, const struct inheritance *was)
{
	sigset_t all;

	if (s->start == NULL)
		let_go_of_descriptors();
	else
		s->start->was = *was;
	s->kill_ns = s->asked_ns = 0;
	s->ending = false;
	s->held = 0;
	if (s->idle == NULL || s->signals >= 0)
		return;
	sigfillset(&all);
	s->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
supervise_start(struct supervise *s, char **argv)
{
	bool first = s->start == NULL;
	struct inheritance was;
	struct proc_stat stat;
	int pipes[2];
	int r;

	s->pid = -1;
	if (first) {
		supervise_fill_descriptors();
		s->signals = -1;
	}
	if (first && s->again)
		s->start = start_note();
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	if (first)
		take_over(&was);
	else
		take_over_again(s->start, &was);
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
		if (first)
			give_back(&was);
		return r;
	}
	/* It cannot vanish: we have not waited for it. */
	s->ticks = proc_stat_read(s->pid, &stat) == 0 ? stat.ticks : 0;
	settle(s, &was);
	return 0;
}

void
supervise_close(struct supervise *s)
{
	start_free(s->start);
	s->start = NULL;
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

/* True: it is for later. */
static bool
hold_back(struct supervise *s, int signal)
{
	uint64_t ns = s->heed != NULL ? s->heed(s->context, signal) : 0;

	s->held = ns != 0 ? signal : 0;
	s->held_ns = sys_clock() + ns;
	return ns != 0;
}

/* To it, and if it is to end, to all who are to end with it. */
static void
send(struct supervise *s, int signal)
{
	if (s->ending)
		kin_find(&s->kin, s->pid, 0, s->mark);
	kill(s->pid, signal);
	if (s->ending)
		kin_signal(&s->kin, signal);
}

/* It has had its time. */
static void
let_go(struct supervise *s)
{
	uint64_t now = sys_clock();

	if (s->held != 0 && now >= s->held_ns) {
		send(s, s->held);
		s->held = 0;
	}
	if (s->kill_ns != 0 && now >= s->kill_ns) {
		kin_hold(&s->kin, s->pid, 0, s->mark);
		send(s, SIGKILL);
		s->kill_ns = 0;
	}
}

/* When there is something to do for us, at the latest. */
static uint64_t
due_ns(const struct supervise *s, uint64_t until_ns)
{
	if (s->held != 0)
		until_ns = min_u64(until_ns, s->held_ns);
	if (s->kill_ns != 0)
		until_ns = min_u64(until_ns, s->kill_ns);
	return until_ns;
}

/* One that is stopped would hear of SIGTERM when it goes on. */
void
supervise_end(struct supervise *s, uint64_t grace_ns)
{
	uint64_t from_ns = sys_clock();

	s->ending = true;
	/* It may be gone before there is a signal to send. */
	kin_find(&s->kin, s->pid, 0, s->mark);
	if (hold_back(s, SIGTERM)) {
		from_ns = s->held_ns;
	} else {
		send(s, SIGTERM);
		send(s, SIGCONT);
	}
	s->kill_ns = s->rest_ns = from_ns + grace_ns;
}

static bool
is_wish(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
	    signal == SIGQUIT;
}

static void
pass_on(struct supervise *s, const siginfo_t *info)
{
	bool by_somebody = info->si_code == SI_USER ||
	    info->si_code == SI_QUEUE || info->si_code == SI_TKILL;

	if (is_wish(info->si_signo) &&
	    !(by_somebody && is_descendant(s, info->si_pid)))
		s->asked_ns = sys_clock();
	if (!by_somebody || info->si_signo == SIGCHLD ||
	    is_descendant(s, info->si_pid))
		return;
	/* A shell's `fg` has continued the whole group already. */
	if (info->si_signo == SIGCONT && !stop_is_on(s->pid))
		return;
	if (is_wish(info->si_signo) &&
	    heard_by_itself(s->pid, info->si_signo, info->si_pid))
		return;
	if (info->si_signo == SIGTERM && hold_back(s, info->si_signo))
		return;
	if (info->si_code == SI_QUEUE)
		sigqueue(s->pid, info->si_signo, info->si_value);
	else
		kill(s->pid, info->si_signo);
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
		/* We hear of it late at times, when it goes on again. */
		if (stop_is_on(s->pid))
			stop_too(s->pid, WSTOPSIG(status));
	}
	return false;
}

/* A key that ended it, and that we have not come to. */
static void
look_at_pending(struct supervise *s)
{
	static const int wishes[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(wishes); i++)
		if (sigismember(&pending, wishes[i]) == 1)
			s->asked_ns = sys_clock();
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

#define REST_NS (20 * NS_PER_MS)

/*
 * It has ended as it had to; those it has started have the rest of its time, or
 * until somebody wants us to end.
 */
static void
await_kin(struct supervise *s)
{
	siginfo_t info;

	kin_find(&s->kin, 0, 0, s->mark);
	if (s->held != 0) {
		/* It went by itself, told in another way: they were not. */
		kin_signal(&s->kin, s->held);
		kin_signal(&s->kin, SIGCONT);
	}
	while (kin_left(&s->kin) > 0 && sys_clock() < s->rest_ns)
		if (next_signal(s, min_u64(s->rest_ns, sys_clock() + REST_NS),
		    &info) > 0 && is_wish(info.si_signo))
			break;
	kin_kill(&s->kin, 0, s->mark);
	s->ending = false;
}

bool
supervise_wait(struct supervise *s, uint64_t until_ns)
{
	siginfo_t info;

	while (!has_ended(s)) {
		if (sys_clock() >= until_ns)
			return false;
		if (next_signal(s, due_ns(s, until_ns), &info) > 0)
			pass_on(s, &info);
		let_go(s);
	}
	look_at_pending(s);
	if (s->ending)
		await_kin(s);
	return true;
}

static bool
is_ignored(int signal)
{
	return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG ||
	    signal == SIGWINCH || signals_are_ignored(signal);
}

void
supervise_pause(uint64_t until_ns)
{
	uint64_t left;
	sigset_t all;
	int signal;

	sigfillset(&all);
	do {
		struct timespec timeout;

		left = above_u64(until_ns, sys_clock());
		timeout.tv_sec = (time_t)(left / NS_PER_S);
		timeout.tv_nsec = (long)(left % NS_PER_S);
		signal = sigtimedwait(&all, NULL, &timeout);
		if (signal > 0 && !is_ignored(signal))
			stop_suffer(signal);
	} while (left != 0 || signal > 0);
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
	stop_suffer(WTERMSIG(s->status));
	return 128 + WTERMSIG(s->status);
}
