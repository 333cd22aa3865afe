/*
 * shelf.h - names in the directory of segments
 *
 * Beside the house (tools/profile).  May use: base, sys.  Used by: reader.c,
 * gather.h, run-prepare.c, processes.c, cmd-ps.c.
 *
 *   <pid>.<ticks>.tide      a process, by its start time told from others
 *                           that had its pid
 *   <pid>.<ticks>.<n>.tide  what it was before its exec number n + 1
 *   <pid>-<namespace>. ...  the same of another pid namespace than the
 *                           machine's own, known by its inode
 *   <run>.log, <run>.pressure  of a run, by its supervisor: what the library
 *                           had to say, who is told of memory pressure; a run
 *                           is <pid>.<ticks>.<namespace>
 */
#ifndef PROFILE_SHELF_H
#define PROFILE_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#define SHELF_LAST (-1)

struct shelf_name {
	int pid;
	int image;      /* SHELF_LAST, or the n of an earlier image */
	uint64_t ticks;
	uint64_t namespace; /* 0: the machine's own, or not known */
};

/* False: @text is not the name of a segment; @name is left alone. */
bool shelf_parse(const char *text, struct shelf_name *name);

/* The supervisor, of what belongs to a run.  False: it is no such name. */
bool shelf_parse_run(const char *text, struct shelf_name *supervisor);

/* The namespace of the pids that we see ourselves. */
uint64_t shelf_namespace(void);

/*
 * The pid by which a process is known to us, whatever it is called inside; 0:
 * it is not alive, or not to be seen from here.
 */
int shelf_pid(const struct shelf_name *name);

#endif
