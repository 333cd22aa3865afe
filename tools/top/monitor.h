/*
 * monitor.h - processes that are looked at again and again
 *
 * Beside the house (tools/top).  May use: base, model, sys, control, reader,
 * shelf, print, json.  Used by: cmd-monitor.c.
 *
 * monitor-list.c finds them, by pid, by name or all with heaptide inside, and
 * notices when they end; monitor-look.c looks at one, from /proc and in its
 * profile if it has one; monitor-say.c makes a line of that.
 */
#ifndef TOP_MONITOR_H
#define TOP_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/limit.h"
#include "model/trend.h"
#include "profile/reader.h"
#include "say/option.h"
#include "say/print.h"

/*
 * What was seen of a process, for one whose profile has no series.  When it is
 * full every second point goes, so it reaches back to the first look.
 */
#define SEEN_ROOM 256

struct seen {
	struct trend_point point[SEEN_ROOM]; /* bytes */
	size_t count;
	bool of_heap;           /* live bytes, else resident ones */
	size_t stride, skipped; /* one look in @stride is kept */
};

/* A process that is watched: the one that started at @ticks, no other. */
struct watched {
	int pid;
	uint64_t ticks;
	int pidfd;             /* tells when it ends; -1: only a look does */
	char name[16];
	uint64_t lines;        /* said of it so far */
	uint64_t looked_ns;    /* CLOCK_MONOTONIC of the last look, or 0 */
	uint64_t cpu_ticks;    /* at that look */
	struct seen seen;
	struct watched *next;
};

/* Against the limit that rules, by its fill. */
enum monitor_state {
	MONITOR_OK,
	MONITOR_WARNING,
	MONITOR_CRITICAL,
	MONITOR_EXHAUSTED
};

/* How a process stands at a moment. */
struct look {
	const char *status;    /* "running", "stopped" */
	uint64_t resident, peak, swapped; /* bytes */
	uint32_t threads;
	double cpu_percent;    /* of one CPU, since the look before; at the
				* first one since its start */
	bool inside;           /* heaptide is: @heap is meant */
	bool exact;
	struct totals heap;
	bool grows_known;      /* @growth is meant */
	const char *growth_of; /* "heap" or "resident" */
	struct trend_line growth;
	struct limit limit;
	enum monitor_state state;
	uint64_t limit_in;     /* seconds; UINT64_MAX: not at this rate */
};

/* --- monitor-list.c ------------------------------------------------------- */

struct watch_list {
	struct watched *first;
	const struct option_list *names; /* of commands to be looked for */
	bool all;                        /* all with heaptide inside */
};

/* Process @pid from now on.  0, or a negative errno: there is none. */
int watch_add(struct watch_list *list, int pid);

/* Those that are to be looked for by name, and are not watched yet. */
void watch_find(struct watch_list *list);

/* Has it ended?  Its name and pid are as they were. */
bool watch_has_ended(const struct watched *w);

/* Watch it no longer; @w is gone. */
void watch_drop(struct watch_list *list, struct watched *w);
void watch_drop_all(struct watch_list *list);

/*
 * Sleep until @until_ns of CLOCK_MONOTONIC, or one ends, or @signals (of
 * signalfd) has something: that is true.
 */
bool watch_sleep(struct watch_list *list, uint64_t until_ns, int signals);

/* --- monitor-look.c ------------------------------------------------------- */

/* 0, or a negative errno: it cannot be looked at any more. */
int monitor_look(struct watched *w, struct look *look);

/* --- monitor-say.c -------------------------------------------------------- */

/* One line; with @json an object. */
void monitor_say(const struct print *out, bool json, const struct watched *w,
    const struct look *look);
void monitor_say_end(const struct print *out, bool json,
    const struct watched *w);

#endif
