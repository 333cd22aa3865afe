/*
 * journal.h - the file of a run, RUN.tideck: records that are only ever added
 *
 * Floor (plan).  May use: base, sys.  Used by: run-state.h, tools, and
 * heaptide.h, of which it is a part: C99 and C++11.
 * Contexts: where a program calls tide_*(), never inside malloc or a handler;
 * one thread at a time for each structure.  Nothing is allocated.
 *
 *	0   4  JOURNAL_MAGIC | type
 *	4   4  bytes of the payload
 *	8   8  number of the record, rising
 *	16  8  time, ns since 1970
 *	24     the payload, and zeros up to a multiple of 8
 *	    4  CRC-32C of all before it
 *	    4  bytes of the payload, once more
 *
 * Numbers are in the order of the machine; a file from one of the other order
 * has no magic word.  Strings are filled up with zeros.
 *
 *  J1  A file is there as a whole, with its first record, or not at all.
 *  J2  What counts is all up to the first record that is not whole; behind that
 *	it is cut off before anything is added.  So a torn record is as if it
 *	had never been written.
 *  J3  A mark that was answered with 0 is in the file whatever becomes of the
 *	process; and on the disk, if nothing is left out by JOURNAL_SYNC_*.  One
 *	that was answered with an error is not there, as far as the disk lets us
 *	take it back.
 *  J4  One process at a time: the file is locked while it is open.
 *  J5  After a failed fdatasync() nobody knows what is on the disk: before the
 *	next mark counts, all of it is written anew, into another file.
 */
#ifndef PLAN_JOURNAL_H
#define PLAN_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/room.h"

#define JOURNAL_SUFFIX   ".tideck"
#define JOURNAL_MAGIC    UINT32_C(0x6b636400) /* the type is in the low byte */
#define JOURNAL_ID_ROOM  40          /* bytes of a name, with terminator */
#define JOURNAL_PATH     1024
#define JOURNAL_HEAD_MOST (4 * KIB)  /* of a payload, but for a blob */
#define JOURNAL_CONF_ROOM 512         /* bytes of settings */
#define JOURNAL_BUILD_ID  20          /* bytes kept of a build-id */
#define JOURNAL_BLOB_MOST (64 * KIB)
/* Room for one record, whatever it is, or for some hundred small ones. */
#define JOURNAL_BUFFER   (32 + JOURNAL_HEAD_MOST + JOURNAL_BLOB_MOST)
#define JOURNAL_MOST     (64 * MIB)  /* a file is compacted beyond that */

enum journal_type {
	JOURNAL_BEGIN = 1, /* the first one: struct journal_begin */
	JOURNAL_BATCH,     /* a batch is over: struct journal_batch */
	JOURNAL_FAIL,      /* items that failed: struct journal_fail */
	JOURNAL_MARK,      /* a checkpoint: struct journal_mark, and a blob */
	JOURNAL_MODEL,     /* what was learned: a name of TIDE_NAME_ROOM, and
	                    * struct sizing_saved */
	JOURNAL_QUAR,      /* items that are left out: struct journal_fail */
	JOURNAL_SWITCH,    /* another process goes on: struct journal_switch */
	JOURNAL_END,       /* struct journal_end */
	JOURNAL_INPUT,     /* what it is fed with: struct journal_identity */
	JOURNAL_COMMAND,   /* how to start it: texts, a zero behind each; the
	                    * first is the directory */
	JOURNAL_WORK,      /* how it went so far: struct journal_work */
	JOURNAL_OP,        /* the same of an operation, in the process that
	                    * writes: struct tide_op_stats */
	JOURNAL_TYPES
};

/* A file, as it was. */
struct journal_identity {
	uint64_t bytes, inode, device;
	uint64_t changed_ns;  /* mtime, since 1970 */
	uint64_t hash;        /* crc_hash() of its first and last 64 KiB */
	char path[512];       /* absolute; "": it did not fit */
};

/* Who writes. */
struct journal_holder {
	int32_t pid;
	int32_t reserved;
	uint64_t ticks;       /* when it started: /proc/PID/stat, field 22 */
	uint64_t pid_namespace; /* that the number is of; 0: not known */
	uint64_t supervisor;  /* crc_hash() of HEAPTIDE_RUN; 0: there is none */
	char boot[40];        /* /proc/sys/kernel/random/boot_id */
	char host[64];
};

struct journal_begin {
	char id[JOURNAL_ID_ROOM];
	char name[TIDE_NAME_ROOM];
	char unit[16];
	uint64_t total;       /* items; TIDE_NONE: not known */
	uint64_t argv_hash, env_hash; /* their text is nobody's business */
	struct journal_holder holder;
	struct journal_identity program;
	char conf[JOURNAL_CONF_ROOM]; /* settings: "BUDGET=512M CHECKPOINT_EVERY=5" */
	uint8_t build_id[JOURNAL_BUILD_ID]; /* of the program; zero: none */
	uint32_t reserved;
};

struct journal_batch {
	char op[TIDE_NAME_ROOM];
	uint64_t first, count; /* items that it was given, and did: [first, */
	uint64_t n;            /*  first + count), of n */
	uint64_t peak;         /* bytes above where it began */
	uint64_t predicted, retained, used, budget;
	uint64_t time_ns;
	uint32_t attempt;      /* processes so far */
	int32_t state;
	uint32_t cut, failed;  /* closed for lack of room; given up */
	uint64_t begun;        /* number of the last record before it */
};

struct journal_fail {
	uint64_t first, count;
	int32_t reason;        /* TIDE_NOMEM, TIDE_ERROR ...; 0: it was done
	                        * after all */
	uint32_t attempt;
	char why[80];
};

struct journal_mark {
	uint64_t cursor;       /* the first item that is not done */
	uint64_t batches;      /* so far */
	uint64_t items;
	uint32_t blob;         /* bytes that follow */
	uint32_t by_itself;    /* 1: in tide_batch_end() */
};

struct journal_switch {
	struct journal_holder holder;
	uint64_t from;         /* number of the mark it goes on from; 0: none,
	                        * from the start */
	uint64_t total;        /* items, as it is said now; 0: as before */
	uint32_t attempt;
	uint32_t asked;        /* 1: somebody wanted that one */
	uint64_t cursor;       /* of that mark */
	uint32_t redo;         /* 1: only what failed is done again */
	uint32_t reserved;
};

struct journal_end {
	uint64_t cursor, batches, items;
	int32_t ok;
	int32_t redo;          /* 1: of what failed; the run is as it was */
};

/* Sums over all processes of the run, and nothing else: 64 bits each. */
struct journal_totals {
	uint64_t batches, items, items_failed, cuts, aborts, overruns;
	uint64_t growth;       /* of batches, bytes */
	uint64_t time_ns, delay_ns, delay_freed;
	uint64_t wait_ns, waits; /* for room */
	uint64_t checkpoints, checkpoint_bytes, checkpoint_ns;
	uint64_t checkpoints_failed;
	uint64_t cleanups, cleanup_freed, cleanup_returned, cleanup_ns;
	uint64_t refault_ns;   /* that they cost afterwards */
	uint64_t refused;      /* allocations */
	/* What was used was followed for so long; so long it was high; and in
	 * which state it was. */
	uint64_t watched_ns, high_ns, state_ns[4];
	/* Of `heaptide batch`. */
	uint64_t tries, retried, oom, no_memory, preempted, suspended, split;
	uint64_t poison, late, skipped, busy_us, wasted_us;
};

struct journal_work {
	struct journal_totals total;
	double used_area;      /* bytes x ns, over total.watched_ns */
	uint64_t growth_most, used_most; /* of all processes */
	/* As it stood when this was written. */
	uint64_t used, budget; /* TIDE_NONE: there is none */
	uint64_t trend_points; /* 0: too few; see tide_room */
	double trend_rate, trend_low, trend_high;
	uint32_t target_mille, critical_mille;
	uint32_t leased;       /* it has, or had, a share of a common budget */
	uint32_t reserved;
	char source[32];       /* of the budget */
};

/* --- reading -------------------------------------------------------------- */

struct journal_record {
	uint32_t type;         /* enum journal_type, or one to come */
	uint32_t bytes;        /* of the payload */
	uint64_t number;
	uint64_t time_ns;
	const uint8_t *payload; /* aligned to 8; valid until the next */
};

struct journal_reader {
	uint8_t *buffer;       /* JOURNAL_BUFFER bytes of the caller's */
	int fd;
	uint64_t at;           /* what is whole ends here */
	uint64_t number;       /* of the record before */
	uint64_t window, filled; /* of the file, in the buffer */
	const char *why;       /* it ended before the file does; or NULL */
	int error;             /* a negative errno value, or 0 */
};

/* Read from the start; beside who writes as well. */
void journal_read(struct journal_reader *r, int fd, uint8_t *buffer);

/* 1; 0: there is no further one; r->why and r->error tell why. */
int journal_next(struct journal_reader *r, struct journal_record *record);

/* Copy a payload, as much as both have; what it lacks is zero. */
void journal_take(const struct journal_record *record, void *into,
    size_t bytes);

/*
 * For reading only, whoever has it.  A descriptor; -ENOENT, -EACCES: it is not
 * this user's alone to write, -EBADMSG: it is no regular file, -ELOOP a link.
 */
int journal_look(const char *path);

/* --- writing -------------------------------------------------------------- */

enum journal_sync {
	JOURNAL_SYNC_MARK,     /* at a mark, once a second at most */
	JOURNAL_SYNC_BATCH,    /* at all that is written */
	JOURNAL_SYNC_NONE      /* never: it survives processes, not machines */
};

struct journal {
	int fd;                /* -1: it is closed */
	int sync;              /* enum journal_sync */
	uint64_t end;          /* bytes in the file, whole records */
	uint64_t number;       /* of the last one */
	uint64_t synced_ns;    /* CLOCK_MONOTONIC */
	uint64_t compact_at;   /* bytes */
	uint64_t lost;         /* records that could not be kept */
	size_t held;           /* bytes in the buffer, not yet in the file */
	bool unsynced, doubted; /* J5 */
	char path[JOURNAL_PATH];
	uint8_t buffer[JOURNAL_BUFFER] __attribute__((aligned(8)));
};

/*
 * Open what is there, lock it, tell each record to @each, and cut off what is
 * torn.  0, as journal_look(), or -EBUSY: another process has it; -EBADMSG: it
 * does not begin like one.
 */
int journal_open(struct journal *j, const char *path,
    void (*each)(void *context, const struct journal_record *record),
    void *context);

/*
 * The same of one that is locked by nobody who could write: its writer is dead,
 * and a child of it has the file still open.  That is for the caller to know.
 */
int journal_seize(struct journal *j, const char *path,
    void (*each)(void *context, const struct journal_record *record),
    void *context);

/*
 * A new one.  If @j is open, it takes the place of that.  0, -EBUSY: somebody
 * else is at it, -EEXIST, -ENAMETOOLONG, -ENOSPC ...; @j is as it was, but for
 * what was held.
 */
int journal_create(struct journal *j, const char *path,
    const struct journal_begin *begin);

/* Nothing is written any more; what is held is lost. */
void journal_close(struct journal *j);

/*
 * Add a record, whose payload is @head and @blob (0 bytes: none).  It is in the
 * file with the next mark, or before.  0, or why it is not kept.
 */
int journal_put(struct journal *j, enum journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes);

/* The same, now (J3). */
int journal_mark(struct journal *j, enum journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes);

/*
 * Write anew what is to be kept: of each type what came last, up to some
 * megabytes.  @all: all of it.  Nothing is done where nothing would be left out.
 */
int journal_compact(struct journal *j, bool all);

/* Remove it, if nobody has it.  0, -EBUSY ... */
int journal_remove(const char *path);

#endif
