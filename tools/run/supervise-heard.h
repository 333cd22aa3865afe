/*
 * supervise-heard.h - has the program heard of a signal without us?
 *
 * Beside the house (tools/run).  May use: base, sys.  Used by: supervise.c,
 * run-page.c.
 */
#ifndef RUN_SUPERVISE_HEARD_H
#define RUN_SUPERVISE_HEARD_H

#include <stdbool.h>

/* Of a process: does it catch @signal, does it ignore it? */
bool heard_is_caught(int pid, int signal);
bool heard_is_ignored(int pid, int signal);

/*
 * Somebody, @sender, wants an end, and we have got @signal of it: was it sent to
 * all of our group, so that @program, our child, has it already?  Sent twice it
 * would be another wish: many programs take a second SIGINT for haste.
 *
 * The kernel does not tell.  timeout(1), and whoever signals the group that he
 * is in himself, ignores it for that time; a program that has ended needs none;
 * and what kills it may come twice.  So of a signal that is caught this takes up
 * to HEARD_NS.  What is left is a program that goes on, and whose whole group
 * was signalled from outside: it gets two.
 */
#define HEARD_NS (200 * NS_PER_MS)
bool heard_by_itself(int program, int signal, int sender);

#endif
