/*
 * reader.h - open a profile, live or left behind, and believe none of it
 *
 * Beside the house (tools/profile).  May use: base, model, sys, control.
 *
 * A segment may come from another machine, a damaged disk or an enemy: every
 * offset, count, index and text is checked before it is used, chains end, and
 * rows that lie are left out and counted.  After profile_open() the accessors
 * cannot fail or reach outside the file.
 */
#ifndef PROFILE_READER_H
#define PROFILE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/room.h"
#include "base/segment.h"
#include "control/control.h"
#include "model/trend.h"
#include "sys/place.h"

struct profile {
	const struct segment *segment; /* a private copy, tables included */
	size_t bytes;
	char *path;         /* what was opened */
	bool live;          /* the process is still running */
	uint64_t now_ns;    /* CLOCK_MONOTONIC of the opening, or of the end */

	/* rows that may be read; never more than there are */
	size_t tallies, sites, first_counts, counts, estimates, nodes, modules;
	size_t mappings, text_bytes, seconds, minutes, marks, moments;
	size_t timeds, lives, reaches, findings, pools, rooms, nameds;
	const struct tally *tally;
	const struct site *site;
	const struct count *first_count; /* by site */
	const struct count *count;
	const struct estimate *estimate; /* by site */
	struct figures *figures;         /* by site, see profile_add_up() */
	const struct node *node;
	const struct module *module;
	const struct mapping *mapping;
	const char *text;
	const struct point *second, *minute; /* rings, see profile_points() */
	const struct mark *mark;
	const struct moment *moment;         /* by column */
	const struct timed *timed;           /* some are free */
	const struct life *life;
	const struct reach *reach;           /* by site; see segment_scan */
	const struct finding *finding;       /* see tools/report/findings.h */
	const struct tide_room *room; /* at most one */
	const struct pool *pool;
	const struct named *named; /* see NODE_NAMED */
	size_t damaged;     /* rows left out because they contradict */
	uint64_t changed;   /* parts that are not as written, see seal.h */
};

/* --- reader.c ------------------------------------------------------------- */

/*
 * Open a profile: @what is a file, or the pid of a process of this user.
 * On failure the sentence that says why is in @why (one line, no full stop
 * at the end, names the file), and the return value is a negative errno:
 * -ENOENT, -EACCES, -EINVAL (no profile, truncated, damaged, other version).
 */
int profile_open(const char *what, struct profile *profile, char why[512]);
void profile_close(struct profile *profile);

/* Where the segment of process @pid lies, the newest; the same on failure. */
int profile_find(uint64_t pid, char path[PLACE_ROOM], char why[512]);

/* The same from memory, which is copied; @name is for the sentence. */
int profile_open_bytes(const void *bytes, size_t size, const char *name,
    struct profile *profile, char why[512]);

/* What the control floor reads it by; not to be stored through. */
struct control profile_control(const struct profile *profile);

/* The pid by which its process is known here; 0: it has ended. */
int profile_pid(const struct profile *profile);

/* Wraps around, as add_i64(): a damaged profile may say anything. */
static inline int64_t
sub_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* Rows and texts that lie, which is for who opens it to know. */
size_t profile_count_damaged(const struct profile *profile);

/* The file was changed since it was written, in "its header and its sites". */
#define PROFILE_CHANGED_ROOM 160
void profile_describe_changed(const struct profile *profile,
    char where[PROFILE_CHANGED_ROOM]);

/*
 * If it was, and @command has nothing else to complain of, say that; returns
 * the status that it ends with then, else @status.
 */
int profile_tell_changed(const struct profile *profile, const char *command,
    int status);

/* A text of the profile as a fresh string; never NULL, may be "". */
char *profile_text(const struct profile *profile, struct segment_text text);

/*
 * What the process was started with, up to a NULL; at least the executable's
 * name.  Given back with one free().
 */
char **profile_arguments(const struct profile *profile);

/* The same with blanks between them; to be freed. */
char *profile_command(const struct profile *profile);

/*
 * Write the return addresses of @site, leaf first, into @pcs, and the node
 * index of each into @nodes; at most @room.  Returns how many.
 */
size_t profile_stack(const struct profile *profile, const struct site *site,
    uint64_t *pcs, uint32_t *nodes, size_t room);

/*
 * The row of the pool that @site is of; -1: it is of none.  Its name: a text of
 * 47 characters at most.
 */
int profile_pool(const struct profile *profile, const struct site *site);
#define PROFILE_POOL_ROOM POOL_NAME_ROOM
char *profile_pool_name(const struct profile *profile, size_t row,
    char name[PROFILE_POOL_ROOM]);

/* What somebody else named the call at @pc; NULL: nobody did. */
const struct named *profile_named(const struct profile *profile, uint64_t pc);

/* Of enum segment_unknown any of @which. */
bool profile_lacks(const struct profile *profile, uint32_t which);

/* The module that held @pc when node @node was made, or NULL. */
const struct module *profile_module(const struct profile *profile,
    uint64_t pc, uint32_t node);

/*
 * Write the profile to @to with unused room left out, whole or not at all
 * (a temporary file beside it is renamed).  0 or a negative errno.
 */
int profile_compact(const struct profile *profile, const char *to);

/* --- figures.c ------------------------------------------------------------ */

/* From the start of the process to @ns of CLOCK_MONOTONIC; 0 before it. */
uint64_t profile_age_ns(const struct profile *profile, uint64_t ns);
double profile_seconds(const struct profile *profile, uint64_t ns);

/* When it started, in seconds since 1970. */
double profile_started(const struct profile *profile);

/* --- moments.c ------------------------------------------------------------ */

/*
 * The points of the series in order of time, to be freed; NULL: there is no
 * memory.  @minutes: those of whole minutes, which reach further back.
 */
const struct point **profile_points(const struct profile *profile,
    bool minutes, size_t *count);

/* The same of both: minutes as far back as seconds do not reach. */
const struct point **profile_series(const struct profile *profile,
    size_t *count);

/*
 * How the program stood last, which no point need say, as it writes none while
 * it rests.  False: that is not known, or @before (NULL: none) is as young.
 */
bool profile_point_last(const struct profile *profile,
    const struct point *before, struct point *last);

/* Live bytes and time left as the points have them; false: too few. */
bool profile_growth(const struct profile *profile, uint64_t span_ns,
    struct trend_line *line);

/* A mark by its name, the last that has it, or by `#NUMBER`; or NULL. */
const struct mark *profile_mark(const struct profile *profile,
    const char *name);

/*
 * What a site held at a mark.  False: its figures are not kept (any more).
 */
bool profile_held(const struct profile *profile, const struct mark *mark,
    uint32_t site, int64_t *bytes);

/* "mark", "epoch", "stacks", "trim"; NULL: it is none, or not complete. */
const char *profile_mark_kind(const struct mark *mark);

/* --- figures.c, again ----------------------------------------------------- */

/* Totals of a process, summed from its tallies. */
struct totals {
	uint64_t allocations, frees;
	uint64_t allocated_bytes, requested_bytes;
	uint64_t live_blocks, live_bytes, live_requested_bytes;
	uint64_t peak_bytes, peak_requested_bytes;
	uint64_t peak_error_bytes; /* 0: the peak is exact */
	double peak_at;            /* seconds since the start */
	uint64_t temporary;
	uint64_t inherited_bytes;  /* part of live_bytes, from the parent */
	bool requested_known;
	bool short_of_blocks; /* blocks came that malloc had never given */
};

void profile_totals(const struct profile *profile, struct totals *totals);

/* peak_at in nanoseconds, to be shown. */
uint64_t totals_peak_ns(const struct totals *totals);

/* What all threads have counted of a site.  None of it is below 0. */
struct figures {
	uint64_t allocations, frees;
	uint64_t allocated_bytes;
	uint64_t live_blocks, live_bytes, live_requested_bytes;
	uint64_t at_peak_bytes; /* held when the heap stood at its peak */
	uint64_t temporary;
	uint64_t drawn;         /* of how many blocks it is estimated; or 0 */
	uint64_t error_bytes;   /* standard error of the live bytes */
};

/* The figures of each site, to be freed; NULL: there is no memory. */
struct figures *profile_add_up(const struct profile *profile);

/* Which stacks were kept: "none", "sampled", "all". */
const char *profile_stacks(const struct profile *profile);

/* The counters of segment_lost, by name. */
struct profile_loss {
	const char *name;  /* as in JSON */
	size_t at;         /* in struct segment_lost */
	bool withdraws;    /* anything but 0 takes the word "exact" away */
	const char *means; /* "%s MEANS" is a sentence's part, %s the count */
};

#define PROFILE_LOSSES 15
extern const struct profile_loss profile_losses[PROFILE_LOSSES];

uint64_t profile_lost(const struct profile *profile,
    const struct profile_loss *loss);

/* Why programs that were executed are not profiled: enum segment_unfollowed. */
struct profile_cause {
	const char *name;  /* as in JSON */
	const char *means; /* "2 MEANS" */
};

extern const struct profile_cause profile_causes[UNFOLLOWED_KINDS];

/*
 * Add up what the process executed and did not bring in, @counts having
 * UNFOLLOWED_KINDS; and say it: "3: 2 set-user-ID, 1 statically linked".
 * False: there is nothing to say.
 */
#define PROFILE_CAUSES_ROOM 512
void profile_add_unfollowed(const struct profile *profile, uint64_t *counts);
bool profile_describe_unfollowed(const uint64_t *counts,
    char text[PROFILE_CAUSES_ROOM]);

/* Some module of the process allocates and heaptide does not hear of it. */
bool profile_is_bypassed(const struct profile *profile);

/*
 * Nothing was lost: its numbers may be called exact, but for those of sites
 * that are estimated (struct figures.drawn).
 */
bool profile_is_exact(const struct profile *profile);

#endif
