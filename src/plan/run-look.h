/*
 * run-look.h - what the file of a run comes to: where it stands
 *
 * Floor (plan).  May use: base, sys, journal.h, run-failed.h.  Used by:
 * run-state.h, run-list.h, tools, and heaptide.h, of which it is a part.
 * Contexts: as journal.h; no state of its own.
 */
#ifndef PLAN_RUN_LOOK_H
#define PLAN_RUN_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/journal.h"

struct run_look {
	struct journal_begin begin;
	struct journal_holder holder;  /* the last who wrote */
	struct journal_mark mark;      /* what a resume goes on from, and its */
	uint64_t mark_number, mark_ns; /* number; 0: the start */
	uint64_t marks, mark_bytes;    /* there are so many, with blobs */
	uint64_t total;                /* items; TIDE_NONE */
	uint64_t begin_ns, last_ns;    /* since 1970; of the last record */
	uint64_t batches, items;       /* that BATCH records tell of */
	uint64_t last_n;               /* items of the last batch, */
	uint64_t peak;                 /* the most that one took, bytes */
	uint64_t failed, quarantined;  /* items; until run_look_read() is done,
	                                * a range as often as it failed */
	struct journal_work work;      /* of all processes, as last told; zero */
	uint64_t work_at_ns;           /* when; 0: it never was */
	uint64_t model_ns;             /* when something was learned, last */
	uint64_t wanted;               /* the last resume was from this mark */
	uint32_t asked;                /* as somebody said */
	uint32_t attempts;             /* processes */
	uint64_t process_ns, work_ns;  /* since 1970, the last process' begin;
	                                * that those before it took in all, */
	uint32_t crashes;              /* of which so many had no end */
	uint32_t last_type;            /* enum journal_type */
	bool ended, ok;
	bool command;                  /* how to start it is known */
	bool stale;                    /* @mark is that of another number */
	uint64_t bytes;                /* whole records */
	uint64_t behind;               /* bytes behind them, that do not count */
	const char *why;               /* they do not; or NULL */
};

/* All zero before the first record. */
void run_look_add(void *look, const struct journal_record *record);

/*
 * Behind the last: where an earlier mark rules, that is found.  0, or -ENOENT:
 * it is gone, and the start rules.
 */
int run_look_settle(struct run_look *look, int fd, uint8_t *buffer);

/* A file as a whole.  0, or as journal_look(), -EBADMSG: it is none. */
int run_look_read(struct run_look *look, const char *path);

/* Find record @number of an open file; false: there is none. */
bool run_look_find(int fd, uint8_t *buffer, uint64_t number,
    struct journal_record *record);

/* A buffer of JOURNAL_BUFFER bytes, and back; NULL: no memory. */
uint8_t *run_look_buffer(void);
void run_look_no_buffer(uint8_t *buffer);

/* How much is done, in percent; negative: nobody knows of how much. */
double run_look_percent(const struct run_look *look);

#endif
