/*
 * gather.h - the segments of one run: look at them, and bring them home
 *
 * Beside the house (tools/live).  May use: base, sys, control, reader, print,
 * shelf.  Used by: run.h, run-*.c, summary.h.
 *
 * A run is every process whose segment carries the same HEAPTIDE_RUN.  While
 * the program runs, its processes' resident memory is measured from here and
 * what dead ones left is copied at once, so that a build of ten thousand
 * compilers does not fill the directory.  A copied segment is removed from
 * there; one that could not be copied stays, and its user is told where.
 */
#ifndef LIVE_GATHER_H
#define LIVE_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/room.h"
#include "base/segment.h"
#include "control/serve.h"
#include "live/box.h"
#include "profile/shelf.h"
#include "sys/place.h"

#define GATHER_NAME_ROOM 65

struct gather_process {
	int pid; /* 0: there is none */
	char name[GATHER_NAME_ROOM];
	uint64_t peak_bytes;
};

struct gather {
	/* given */
	const char *directory;   /* where segments lie */
	const char *run;         /* HEAPTIDE_RUN of this run */
	const char *folder;      /* where profiles of the others go, FILE.d */
	int pid;                 /* of the program itself */
	uint64_t ticks;
	struct serve *serve;     /* where the living can be asked, or NULL */
	double growth;           /* bytes a second that are an alarm; 0: none */
	struct control_least least; /* growth of less is minor */

	/* found: of the program itself */
	size_t images;           /* profiles of what it was before an exec */
	/* found: of all others */
	size_t processes;        /* that have ended */
	size_t kept;             /* profiles that could not be copied */
	size_t alive;            /* processes, as of the last look */
	struct gather_process first_alive;
	struct gather_process largest;
	struct box box;          /* of the last that died in a batch */
	/* of the programs that all of them executed, by why not profiled */
	uint64_t unfollowed[UNFOLLOWED_KINDS];

	/* inner */
	struct gather_member *members;
	bool refused;            /* the folder takes no more */
	uint64_t interval_ns;    /* between two looks, grows */
};

/*
 * Begin.  The given fields are set, the others zero.  Profiles of an earlier
 * run are removed from the folder: FILE is about to be replaced as well.
 */
void gather_open(struct gather *g);

/*
 * Measure the living, collect the dead.  Returns when to look again, by
 * sys_clock(): soon at first, and so late that looking costs below 1 %.
 */
uint64_t gather_look(struct gather *g);

/* Has it begun batches, ever? */
bool gather_has_batches(const struct tide_room *room);

/*
 * All processes of the run that ask for their budget shall come to an end: @why
 * is TIDE_STOP_*.  True: the program itself is among them, and takes its work
 * in batches.
 */
bool gather_stop(struct gather *g, uint32_t why);

/* The program has ended: collect, and see who is still alive. */
void gather_close(struct gather *g);

/*
 * Write how the program ended into its segment.  -ENOENT: the library never
 * made one.  @was: how it had ended as the library knew.
 */
int gather_end(const struct gather *g, const struct segment_end *end,
    uint32_t *was);

/* The segment of the program itself. */
int gather_path(const struct gather *g, char path[PLACE_ROOM]);

/* Remove the profiles of a folder, and the folder if it is empty then. */
void gather_clear(const char *folder);

/* --- gather-dead.c -------------------------------------------------------- */

/* The last part of a path, with what makes file names awkward replaced. */
char *gather_name(const char *path, char name[GATHER_NAME_ROOM]);

/* Is it the one that the user has started?  It is in our own namespace. */
bool gather_is_program(const struct gather *g, const struct shelf_name *name);

/* True: it is out of the directory. */
bool gather_collect(struct gather *g, const char *path,
    const struct shelf_name *name);

#endif
