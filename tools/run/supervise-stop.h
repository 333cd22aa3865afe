/*
 * supervise-stop.h - standing still while the program does
 *
 * Beside the house (tools/run).  May use: base, sys.  Used by: supervise.c.
 */
#ifndef RUN_SUPERVISE_STOP_H
#define RUN_SUPERVISE_STOP_H

#include <stdbool.h>
#include <sys/types.h>

/* Does the process stand still, by a signal? */
bool stop_is_on(pid_t pid);

/* Let @signal do to us what it does by default. */
void stop_suffer(int signal);

/*
 * Our child @program has stopped by @signal, so do we, until it goes on or
 * ends.  Whoever continues us has it continued; but whoever stopped it may know
 * it alone (cpulimit), or may have continued it by now, and nobody else would
 * come for us.
 */
void stop_too(pid_t program, int signal);

#endif
