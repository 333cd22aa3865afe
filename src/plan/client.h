/*
 * client.h - what a program and heaptide say to each other
 *
 * Floor (plan).  May use: base.  Used by: plan, door, and every program that
 * includes heaptide.h, of which this is a part: C99 and C++, public names.
 * Contexts: declarations only.
 */
#ifndef PLAN_CLIENT_H
#define PLAN_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/room.h"

/* A consistent look at the process: tide_status(), tide_safe().  Bytes. */
typedef struct tide_info {
	uint32_t size, version;  /* of this structure */
	int state;               /* TIDE_OK ... TIDE_EXHAUSTED */
	int level;               /* TIDE_STANDALONE, TIDE_PAGE, TIDE_RUNTIME */
	uint32_t warnings;       /* times that a state was entered from below */
	uint32_t flags;          /* TIDE_INFO_* */
	uint64_t budget;         /* TIDE_NONE: there is no limit */
	uint64_t used;           /* against the budget */
	uint64_t available;      /* the least room in any limit */
	uint64_t live, blocks;   /* of the heap; TIDE_NONE: not known */
	uint64_t resident, retained; /* retained: resident and not live */
	uint64_t peak_live, peak_used;
	uint64_t lease;          /* held of a common budget */
	uint64_t rate;           /* bytes allocated a second, lately */
	char source[32];         /* of the budget: "cgroup", "set", ... */
} tide_info;

enum {
	TIDE_INFO_SOFT = 1,      /* what others use moves the budget */
	TIDE_INFO_EXACT = 2,     /* live is counted, not estimated */
	TIDE_INFO_STOP = 4       /* tide_should_stop() */
};

/* How an operation's memory depends on its items: tide_op_conf.model. */
enum {
	TIDE_MODEL_AUTO,
	TIDE_MODEL_ADDITIVE, /* the sum of the items' weights */
	TIDE_MODEL_PADDED,   /* their number times the largest */
	TIDE_MODEL_VECTOR    /* fixed before it begins: it cannot be cut */
};

/* By which law a batch is sized: tide_op_conf.policy. */
enum {
	TIDE_POLICY_LEARN,   /* by what batches took so far */
	TIDE_POLICY_SEED,    /* 5 below half of the budget, 1 below 3/4, 0 */
	TIDE_POLICY_MEAN,    /* target / mean bytes an item */
	TIDE_POLICY_FIXED
};

/* All zero: as configured for the process, or the default. */
typedef struct tide_op_conf {
	uint32_t size;           /* of this structure: sizeof */
	uint32_t initial, min;   /* items of the first batch, the least (1) */
	uint32_t max;            /* 0: no cap */
	uint32_t fixed;          /* items of every batch; 0: sized */
	uint32_t max_concurrent; /* batches at one time; 0: no cap */
	double target;           /* share of the budget to fill (0.90) */
	int model;               /* TIDE_MODEL_* */
	int policy;              /* TIDE_POLICY_* */
	uint32_t checkpoint_every; /* batches */
	uint64_t timeout_ns;     /* of a batch, to be called stalled; 0: none */
	const char *unit;        /* of its items, for people: "page" */
	int monitor;             /* progress to stderr: 1 on, -1 off */
	int detect;              /* growth a batch for `heaptide leaks`: -1 off */
	int reclaim_before, reclaim_after; /* 1: cleanups there */
	uint32_t page, max_pages; /* rows of a page (20), pages (3) */
} tide_op_conf;

typedef struct tide_op tide_op;

/* One batch, from begin to end; of one thread.  Zero: not begun. */
typedef struct tide_batch {
	uint64_t first;  /* index of its first item */
	uint32_t n;      /* items that it may have */
	uint32_t op_;    /* what follows is not for the program */
	uint64_t line_;
	uint64_t p_[32];
} tide_batch;

#define TIDE_BATCH_INIT { 0, 0, 0, 0, { 0 } }

/* Why a batch is given up: tide_batch_abort(). */
enum { TIDE_NOMEM = 1, TIDE_ERROR = 2, TIDE_CANCEL = 3 };

/* --- how it went --- */

/* How far an operation is: tide_progress().  ns; TIDE_NONE: not known. */
struct tide_progress {
	uint32_t size;           /* of this structure */
	uint32_t active;         /* batches under way */
	uint64_t done, total;    /* items */
	uint64_t failed;
	uint64_t batches, batches_total;
	uint64_t elapsed_ns, left_ns;
	double share;            /* done of total, 0 to 1; below 0: not known */
	double rate;             /* items a second */
	char unit[16];
};

/*
 * Does the process keep more from batch to batch?  tide_trend().  Bytes that
 * are live (else used) when no batch is under way.
 */
struct tide_trend {
	uint32_t size;           /* of this structure */
	int direction;           /* 1 rises, -1 falls, beyond doubt; 0: neither */
	uint64_t points;         /* that it was found from */
	double per_batch;        /* the median slope (Theil-Sen), */
	double low, high;        /* and where it is with 95 % */
	double per_second;
	double p;                /* that a rise is chance (Mann-Kendall) */
	uint64_t left_ns;        /* to the budget; TIDE_NONE: never */
};

/* All of it, of all operations together: tide_run_report().  Bytes; ns. */
struct tide_run_report {
	uint32_t size;           /* of this structure */
	uint32_t ops;
	uint64_t batches, items, items_failed;
	uint64_t cuts, aborts, overruns;
	uint64_t budget;         /* TIDE_NONE: none */
	uint64_t peak_used, used_mean;
	double utilization, peak_utilization; /* of the budget, 0 to 1 */
	uint64_t batch_mean, batch_p50, batch_p95, batch_p99, batch_most;
	double bytes_per_item;
	uint64_t time_ns;        /* in batches */
	uint64_t delay_ns, delay_freed; /* what delays took, and brought */
	uint64_t wait_ns;        /* for room */
	uint64_t cleanups, cleanup_freed, cleanup_returned;
	uint64_t cleanup_ns, refault_ns;
	uint64_t retries;        /* starts of the run after the first */
	uint64_t checkpoints, checkpoint_bytes, checkpoint_ns;
	double overhead;         /* of delays, cleanups and checkpoints, to
	                          * the time in batches */
	struct tide_trend trend;
};

/* One thing that was found: tide_analyze().  All text is the library's. */
struct tide_advice {
	uint32_t size;           /* of this structure */
	int severity;            /* TIDE_ADVICE_* */
	const char *id;          /* "R-UTIL", ... */
	const char *operation;   /* NULL: of the process */
	const char *text;        /* what is so, with numbers */
	const char *setting;     /* what to set; "": nothing */
};

enum {
	TIDE_ADVICE_FINE,        /* nothing is wrong */
	TIDE_ADVICE_HINT,        /* could be better */
	TIDE_ADVICE_WARNING,     /* costs memory or time, or will */
	TIDE_ADVICE_URGENT       /* it ran out of memory, or will */
};

/* Return: 0: go on; else no more are told. */
typedef int (*tide_advice_fn)(void *ctx, const struct tide_advice *advice);

/* How much a line of tide_log() matters. */
enum { TIDE_LOG_ERROR, TIDE_LOG_WARNING, TIDE_LOG_INFO, TIDE_LOG_DEBUG };

/* --- cleanup --- */

/*
 * Give memory up.  @level: TIDE_WARNING and more; @want: bytes that are asked
 * for.  Return: bytes that it believes to have freed; what counts is measured.
 */
typedef uint64_t (*tide_clean_fn)(void *ctx, int level, uint64_t want);

enum {
	TIDE_CLEAN_COMPACT,     /* costs nothing that is missed */
	TIDE_CLEAN_BENIGN,      /* a cache: has to be filled again */
	TIDE_CLEAN_IDLE,        /* what nobody uses just now */
	TIDE_CLEAN_DESTRUCTIVE  /* drops work */
};

enum {
	TIDE_ANY_THREAD = 1,    /* tide_on_pressure: whoever is at a safe point
	                         * may call it, not the registering thread only */
	/* tide_reclaim(), tide_poll(): */
	TIDE_FORCE_RECLAIM = 2, /* whatever the state is */
	TIDE_EMERGENCY = 4,     /* destructive ones as well */
	TIDE_NO_CALLBACKS = 8,
	TIDE_NO_PURGE = 16      /* what is free stays with the allocator */
};

typedef struct tide_reclaim_result {
	uint64_t freed;         /* bytes that are less live than before */
	uint64_t blocks;        /* the same of blocks */
	uint64_t returned;      /* bytes that are less resident */
	uint64_t time_ns;
	uint32_t callbacks;     /* that were called */
	uint32_t state;         /* after it */
} tide_reclaim_result;

/* --- runs --- */

/*
 * A checkpoint is due: see to it that what is done so far is where it will be
 * found, and call tide_checkpoint().  @cursor: the item behind the batch that
 * has just ended.  Return: what that returned.
 */
typedef int (*tide_checkpoint_fn)(void *ctx, uint64_t cursor);

/* From where a run goes on: tide_resume(). */
enum { TIDE_FRESH, TIDE_RESUMED, TIDE_REDO };

#define TIDE_RUN_ROOM 40 /* bytes of a run's id, with its terminator */

/* --- the runtime --- */

/* A pool of the program's: tide_pool_create().  What is in it is heaptide's. */
struct tide_pool {
	int (*alloc)(struct tide_pool *pool, const void *block,
	    uint64_t bytes);
	int (*free)(struct tide_pool *pool, const void *block);
	int (*destroy)(struct tide_pool *pool);
};

/*
 * What libheaptide.so gives to a program that asks (heaptide_runtime), and what
 * stands in its place where there is none.  Functions are added at the end;
 * @bytes tells how many there are.
 */
struct tide_runtime {
	uint32_t bytes, version;
	struct tide_room *(*room)(void); /* never NULL; made fresh */
	int (*init)(const char *conf);
	int (*status)(tide_info *out);
	int (*json)(char *buf, size_t cap);
	int (*budget_set)(uint64_t bytes);
	int (*safe)(uint64_t need, uint64_t max_used, tide_info *out);
	int (*poll)(unsigned flags);

	tide_op *(*op_open)(const char *name, const tide_op_conf *conf);
	uint32_t (*batch_size)(tide_op *op, uint64_t remaining);
	int (*batch_begin)(tide_op *op, tide_batch *b, uint64_t first,
	    uint64_t remaining, int64_t wait_ns);
	int (*batch_more)(tide_batch *b);
	int (*item)(tide_batch *b, uint64_t weight);
	void (*item_done)(tide_batch *b);
	void (*item_fail)(tide_batch *b, uint64_t index, const char *why);
	int (*batch_end)(tide_batch *b, uint64_t done);
	void (*batch_abort)(tide_batch *b, int why);
	int (*op_stats)(tide_op *op, struct tide_op_stats *out);

	int (*guard_begin)(const char *op, uint64_t need);
	void (*guard_end)(int guard);
	int (*component)(const char *name, uint64_t max, unsigned weight);
	void (*component_enter)(int id);
	void (*component_leave)(int id);
	uint64_t (*component_used)(int id);
	uint64_t (*component_budget)(int id);
	int (*reserve)(uint64_t least, uint64_t most, int64_t wait_ns,
	    uint64_t *got);
	void (*unreserve)(uint64_t bytes);

	int (*on_pressure)(tide_clean_fn fn, void *ctx, int cls, int prio,
	    unsigned flags, const char *name);
	int (*off_pressure)(int id);
	int (*reclaim)(unsigned flags, uint64_t want,
	    tide_reclaim_result *out);
	int (*pressure_fd)(void);
	double (*knob)(const char *name, double best, double cheapest);
	void (*release)(void *p, size_t bytes);

	/* Of the library only: NULL where a program is alone. */
	int (*mark)(const char *name);
	int (*leak_scan)(uint64_t *blocks, uint64_t *bytes);
	struct tide_pool *(*pool_create)(const char *name);
	const char *(*version_text)(void);

	int (*run_begin)(const char *name, uint64_t total, const char *unit,
	    char *id);
	int (*input)(const char *path);
	int (*resume)(uint64_t *cursor, void *blob, size_t *len);
	int (*checkpoint)(uint64_t cursor, const void *blob, size_t len);
	int (*on_checkpoint)(tide_checkpoint_fn fn, void *ctx);
	int (*run_finish)(int ok);
	void (*recycle)(void);

	int (*progress)(tide_op *op, struct tide_progress *out);
	int (*trend)(struct tide_trend *out);
	int (*run_report)(struct tide_run_report *out);
	int (*analyze)(tide_advice_fn fn, void *ctx);
	void (*log)(int level, const char *line);
	int (*page)(tide_op *op, uint64_t *offset, uint32_t *limit);
	void (*page_end)(tide_op *op);
};

#define TIDE_RUNTIME_VERSION 1

#endif
