/*
 * supervise-start.h - what each attempt at running a program is to find
 *
 * Beside the house (tools/run).  May use: base.  Used by: supervise.c.
 */
#ifndef RUN_SUPERVISE_START_H
#define RUN_SUPERVISE_START_H

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <sys/types.h>
#include <termios.h>

/* What exec hands down and fork or our own work would change. */
struct inheritance {
	sigset_t mask;
	struct sigaction child_action; /* SIGCHLD may come ignored */
	struct itimerval alarm;        /* alarm() outlives exec, not fork */
};

/* The same, and what an attempt may leave behind in another state. */
struct supervise_start {
	struct inheritance was;
	int *fd;            /* those from 3 on that are the program's */
	size_t fds;
	off_t in;           /* where standard input stood; -1: it is no file */
	int terminal;       /* standard descriptor that is ours; -1: none */
	struct termios modes;
};

/* As it is now.  NULL: there is no memory, and it can be started once. */
struct supervise_start *start_note(void);
void start_free(struct supervise_start *start);

/*
 * Before another attempt; SIGTTOU must be blocked, so that a group in the
 * background may do it.
 */
void start_restore(const struct supervise_start *start);

/* In the new process: what has been opened since then is ours. */
void start_hand_down(const struct supervise_start *start);

#endif
