/*
 * asking.c - a program that asks by itself what nobody can reach, and is strict
 * about children, signals and files
 *
 * asking HOW
 *
 * HOW: plain    ask twice, with a leak in between
 *      closed   the same without a single open file
 *      nobody   the kernel gives this user no process more (RLIMIT_NPROC)
 *      confined after a promise to make no system call but its own
 *      forked   in a child, after the parent did
 *      ignored  SIGCHLD is ignored, so children are not waited for
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heaptide.h"

static volatile int told;

static void
on_child(int number)
{
	(void)number;
	told++;
}

static __attribute__((noinline)) void
lose(int n)
{
	while (n-- > 0)
		memset(malloc(100), 1, 100);
}

static __attribute__((noinline)) void
clear_stack(void)
{
	volatile char below[16384];

	memset((void *)below, 0, sizeof(below));
}

/* What is written is kept until there is somewhere to write it to. */
static char said[4096];

static void
ask(const char *when)
{
	uint64_t blocks = 0, bytes = 0;
	int r, status;

	clear_stack();
	r = tide_leak_scan(&blocks, &bytes);
	snprintf(said + strlen(said), sizeof(said) - strlen(said),
	    "%s: %d %llu %llu\n", when, r, (unsigned long long)blocks,
	    (unsigned long long)bytes);
	if (wait(&status) != -1 || errno != ECHILD || told != 0)
		strcat(said, "a child, or a signal of one\n");
}

/* Whatever is not needed ends the program. */
static int
confine(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(
		    struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]),
		filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "plain";
	const struct rlimit none = { 0, 0 };
	int out = -1, fd, status;

	signal(SIGCHLD, strcmp(how, "ignored") == 0 ? SIG_IGN : on_child);
	ask("first");
	if (strcmp(how, "closed") == 0) {
		out = dup(1);
		for (fd = 0; fd < 3; fd++)
			close(fd);
		fcntl(out, F_SETFD, FD_CLOEXEC);
	}
	if (strcmp(how, "nobody") == 0)
		setrlimit(RLIMIT_NPROC, &none);
	if (strcmp(how, "confined") == 0 && confine() != 0) {
		puts("no filter");
		return 0;
	}
	lose(10);
	if (strcmp(how, "forked") == 0) {
		fflush(stdout);
		if (fork() != 0) {
			wait(&status);
			return WEXITSTATUS(status);
		}
		told = 0;
		lose(5);
	}
	ask("second");
	if (strcmp(how, "closed") == 0)
		dup2(out, 1);
	fputs(said, stdout);
	return 0;
}
