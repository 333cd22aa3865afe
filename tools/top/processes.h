/*
 * processes.h - every process of this user with heaptide inside
 *
 * Beside the house (tools/top).  May use: base, model, sys, control, reader,
 * shelf, need, json; uthash.  Used by: cmd-ps.c, top.h, web-looker.c.
 *
 * The directory of segments is the list: who is alive is measured, who is
 * dead left a profile that nobody has collected, and what cannot be read has a
 * sentence.  A parent is known by pid and start time, so a tree is a tree even
 * when pids come round.
 */
#ifndef TOP_PROCESSES_H
#define TOP_PROCESSES_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "base/segment.h"
#include "control/judge.h"
#include "model/trend.h"

enum process_state {
	PROCESS_RUNNING,
	PROCESS_STOPPED,
	PROCESS_ZOMBIE,
	PROCESS_DEAD,
	PROCESS_REPLACED, /* it went on by exec, as another program */
	PROCESS_ELSEWHERE, /* of another machine or container: nothing is
			    * known */
	PROCESS_STATES
};

extern const char *const process_state_names[PROCESS_STATES];

/* Who a process is, for good. */
struct process_key {
	uint64_t namespace;
	uint64_t ticks;
	int64_t pid;
	int64_t image;
};

/* What is known of one segment. */
struct process {
	struct process_key key;
	struct process_key parent;
	int pid;            /* as we call it; 0: it is not alive */
	enum process_state state;
	char *path;
	char *trouble;      /* why it cannot be read, or NULL */
	char *command;      /* with its arguments */
	char *name;         /* the last part of the first of them */
	char *run;
	struct segment_end end;
	uint64_t heap, peak, resident, bytes_on_disk;
	uint32_t threads;
	const char *stacks;
	double started;     /* seconds since 1970 */
	bool awaited;       /* its `heaptide run` lives and will collect */

	/* By process_measure(). */
	bool moves;         /* there are points enough for @growth */
	struct trend_line growth; /* over the last minute */
	uint64_t limit;     /* bytes; UINT64_MAX: none */
	uint64_t left_s;    /* until then, at the last hour's rate, or never */
	bool asks;          /* it asks for its budget, and is told: */
	int memory;         /* TIDE_OK ... TIDE_EXHAUSTED */
	uint64_t used;      /* bytes */
	uint64_t budget;    /* that; else what was set; TIDE_NONE: none */

	/* By process_judge(). */
	bool judged;
	uint64_t judged_ns; /* when that was */
	struct judge_brief leaks;

	struct process *first_child, *last_child, *sibling;
	bool has_parent;
	bool shown;         /* for who walks the tree: files may lie, and be
			     * below nobody because they are in a circle */
	bool seen;          /* in this round of reading */
	bool known;         /* by its key */
	uint64_t inode;
	UT_hash_handle hh;
};

/* All zero at first. */
struct processes {
	struct process **process; /* in order of start */
	size_t count, room;
	struct process *by_key;
	char host[HOST_NAME_MAX + 1];
};

/*
 * Read the list, or read it again: what is new is opened, what is gone is
 * forgotten, and of the rest it is found out whether it still lives.
 *
 * Return: 0; a negative errno value, and the sentence is in @why.
 */
#define PROCESSES_WHY_ROOM 512
int processes_read(struct processes *l, char why[PROCESSES_WHY_ROOM]);
void processes_free(struct processes *l);

/*
 * Its numbers as they are now, how they move and where that ends.  Cheap beside
 * opening its profile: its rows are looked at in place.
 */
void process_measure(struct process *p);

/* Find out how many of its sites grow, which takes some us for each. */
void process_judge(struct process *p);

/* Running or stopped. */
bool process_is_living(enum process_state state);

/* "running", "dead, signal 9"; "running, critical": of its memory */
#define PROCESS_STATE_ROOM 64
const char *process_describe_state(const struct process *p,
    char text[PROCESS_STATE_ROOM]);

/* The number that can be used here, or else the one it had. */
long long process_shown_pid(const struct process *p);

/* Nobody will collect it: its file may go. */
bool process_is_left(const struct processes *l, const struct process *p);

/* Is it shown?  @all: also what a process was before an exec. */
bool process_is_listed(const struct process *p, bool all);

/* --- processes-json.c ----------------------------------------------------- */

#define PROCESS_LEFT_MOST (1000 * 365 * UINT64_C(86400)) /* s; else never */

struct processes_sums {
	size_t living, left, damaged;
	uint64_t heap, resident, left_bytes;
};

struct processes_sums processes_sum(const struct processes *l);

/* As `heaptide ps --json` has them. */
json_t *processes_json(const struct processes *l, bool all);

#endif
