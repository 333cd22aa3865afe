/*
 * signals.h - which signals are for a command to heed
 *
 * Beside the house (tools/say).  May use: nothing.  Used by: commands that run
 * for long.
 */
#ifndef SAY_SIGNALS_H
#define SAY_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Whoever started us has it ignored: nohup(1) SIGHUP, a shell without job
 * control SIGINT and SIGQUIT of what it runs in the background.  Blocked, it
 * would come all the same.
 */
bool signals_are_ignored(int signal);

/* Put it into @set, unless it is ignored. */
void signals_add(sigset_t *set, int signal);

#endif
