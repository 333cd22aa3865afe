/*
 * supervise.h - run a program exactly as by hand, and stay beside it
 *
 * Beside the house (tools/run).  May use: base, sys, kin.  Used by: run.h.
 *
 * The program has our process group and terminal, descriptors, signal mask,
 * dispositions and alarm; nothing of ours is open in it.  Signals:
 *
 *   from the terminal     reach the program by themselves; we take no notice
 *   sent to us alone      are passed on, unless the program itself sent them
 *                         (`kill 0` of a shell script meets us as well), or
 *                         has heard of an end by itself (supervise-heard.h)
 *   the program stops     we stop by the same signal, for the shell to see
 *   the program dies      supervise_leave() dies by the same signal
 *
 * All signals are blocked here from the start on and taken one by one, so
 * nothing interrupts the rest of our work.  Our standard input and output go
 * to /dev/null once the program runs: a pipe ends when the program closes it.
 * If we are killed, the program runs on; it only loses its parent.
 *
 * Who may have to start it @again keeps the descriptors that it needs for that:
 * then a pipe ends with us, and not before.  A file that it reads is read from
 * where the first attempt began, and the terminal is as it was.
 */
#ifndef RUN_SUPERVISE_H
#define RUN_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "run/kin.h"

struct supervise_start; /* all that each attempt is to find as it was */

struct supervise {
	/* given: it may be started more than once */
	bool again;
	/* given: a variable to hold the program's own pid, or NULL */
	const char *pid_variable;
	/* given: what the new process does before it executes; or NULL */
	void (*born)(void *context);
	/*
	 * given: SIGTERM is about to be passed on; ns that it is to be held
	 * back for, 0: none; or NULL.  A second one is asked about as well.
	 */
	uint64_t (*heed)(void *context, int signal);
	/*
	 * given: what there is to do until the clock is @until_ns, or until
	 * @signals, a descriptor, can be read; or NULL
	 */
	void (*idle)(void *context, int signals, uint64_t until_ns);
	void *context;
	/*
	 * given: `NAME=value` in the environment of whom the program has
	 * started, to be ended with it (kin.h); or NULL
	 */
	const char *mark;

	int pid;              /* -1: fork has failed */
	uint64_t ticks;       /* start time of @pid, see sys/proc.h */
	int status;           /* of wait(), once it has ended */
	uint64_t asked_ns;    /* when somebody last wanted it to end, by SIGINT,
	                       * SIGTERM, SIGHUP, SIGQUIT; 0: nobody */
	struct rusage usage;  /* of it and the children it waited for */
	struct supervise_start *start; /* inner */
	uint64_t kill_ns;     /* inner: SIGKILL then; 0: never */
	struct kin kin;       /* inner: who is ended with it */
	bool ending;          /* inner: supervise_end() */
	uint64_t rest_ns;     /* inner: until then its kin may take */
	int signals;          /* inner; -1: none */
	int held;             /* inner; a signal that is held back, or 0 */
	uint64_t held_ns;     /* inner; until then */
};

/*
 * Where a standard descriptor is closed, the next file that we open would
 * take its number, and messages would land in that file.  The program gets
 * them closed as they were.
 */
void supervise_fill_descriptors(void);

/*
 * Start @argv with our environment, searched for in PATH; with @again, also
 * once the one before has ended.
 *
 * Return: 0; or what exec or fork failed with, a negative errno value, and
 * then everything is as before.
 */
int supervise_start(struct supervise *s, char **argv);

/* True: it has ended.  False: the clock (sys_clock()) has passed @until_ns. */
bool supervise_wait(struct supervise *s, uint64_t until_ns);

/*
 * It has to come to its end: SIGTERM, by the way of one that is passed on, and
 * SIGKILL if it is still there when @grace_ns more than that took are over.  So
 * have all whom it has started and who are of its session still, and until they
 * have supervise_wait() does not say that it has ended.
 */
void supervise_end(struct supervise *s, uint64_t grace_ns);

/*
 * Between two attempts, until the clock is @until_ns.  A signal that would end
 * us ends us, one that would stop us stops us: there is nobody else.
 */
void supervise_pause(uint64_t until_ns);

/* Give back what it kept for starting it again. */
void supervise_close(struct supervise *s);

/*
 * The status to end with; does not return if the program died by a signal,
 * unless that signal will not kill us.  The last thing to call.
 */
int supervise_leave(const struct supervise *s);

#endif
