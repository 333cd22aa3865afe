/* Made of heaptide.h.in by assemble.pl; do not edit. */
/**
 * heaptide.h - a program asks how much room is left
 *
 * One header, no library to link: C99 and C++, Linux.
 *
 *	tide_op *op = tide_op_open("index", NULL);
 *	tide_batch b = TIDE_BATCH_INIT;
 *
 *	for (at = 0; (n = tide_batch_begin(op, &b, at, total - at, -1)) > 0; ) {
 *		for (i = 0; i < b.n && tide_batch_more(&b); i++)
 *			work(at + i);
 *		tide_batch_end(&b, i);
 *		at += i;
 *	}
 *
 * The same binary works in three depths; tide_level() tells which it is.
 *
 *	runtime     libheaptide.so is preloaded (`heaptide run`): the heap is
 *	            counted exactly.
 *	page        `heaptide run`, but nothing can be preloaded, as the program
 *	            is static: what the supervisor knows, and the next
 *	standalone  nobody is there: /proc, control groups and limits are read
 *	            here, and what is used is the resident memory.
 *
 * Bytes are uint64_t, times ns of CLOCK_MONOTONIC unless their name says _ms.
 * Unless a function says otherwise it may be called from any thread at any
 * time, but not from a signal handler; it allocates nothing and leaves errno
 * alone.  No argument does harm, but a pointer that is neither NULL nor to
 * what it should be to; of names, what is too long is cut off.
 *
 * After fork() the child begins anew: it knows the operations, components and
 * cleanups of its parent, has counts of its own, and no batch, guard or
 * reservation; to end the parent's does nothing, here and there.
 *
 * With HEAPTIDE_DISABLE defined all of it is constants: there is room for
 * everything, batches have 64 items, nothing is checked but for NULL.
 *
 * Environment: HEAPTIDE_BUDGET (`512M`, `60%`, `max-256M`), HEAPTIDE_TARGET,
 * HEAPTIDE_WARN, HEAPTIDE_CRITICAL and more: heaptide-config(5).
 *
 * Since: 0.2, unless said otherwise.
 */
#ifndef HEAPTIDE_H
#define HEAPTIDE_H

/* What follows is C for three compilers; warnings are ours to look at. */
#if defined(__GNUC__)
#pragma GCC system_header
#endif

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_DEFAULT */
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TIDE_VERSION_MAJOR 0
#define TIDE_VERSION_MINOR 2

/* Exit statuses that mean something to `heaptide run` and `heaptide batch`. */
#define TIDE_EXIT_NO_MEMORY  75 /* no room, gracefully: with less, perhaps */
#define TIDE_EXIT_CHECKPOINT 85 /* go on from the checkpoint: start me again */

#define TIDE_ROOM_MAGIC   UINT64_C(0x6d6f6f7265646974) /* "tideroom" */
#define TIDE_ROOM_VERSION 1
#define TIDE_NONE         UINT64_MAX /* no limit; not known */

/* How close it is.  Which thresholds: model/states.h. */
enum { TIDE_OK, TIDE_WARNING, TIDE_CRITICAL, TIDE_EXHAUSTED };

/* How deep heaptide is in this process: tide_level(). */
enum {
	TIDE_STANDALONE, /* it reads /proc and the control groups itself */
	TIDE_PAGE,       /* under `heaptide run`, but nothing can be preloaded */
	TIDE_RUNTIME     /* libheaptide.so counts in it */
};

/* Why a program should come to an end: tide_room.stop. */
enum {
	TIDE_STOP_TERM = 1,      /* SIGTERM has come, or will */
	TIDE_STOP_DRAIN = 2,     /* the operator said so */
	TIDE_STOP_EXHAUSTED = 4, /* there is no room for one more item */
	TIDE_STOP_RECYCLE = 8    /* a new start would have more room */
};

#define TIDE_OPS        32
#define TIDE_COMPONENTS 32
#define TIDE_NAME_ROOM  48

/* What a batch is limited by: tide_op_stats.bound. */
enum {
	TIDE_BOUND_NONE,      /* none was begun yet */
	TIDE_BOUND_MEMORY,    /* a larger one might not fit */
	TIDE_BOUND_GROWTH,    /* not more than twice the largest so far */
	TIDE_BOUND_KNEE,      /* larger ones are not faster */
	TIDE_BOUND_MAX,       /* the operation's own maximum */
	TIDE_BOUND_REMAINING, /* there is no more to do */
	TIDE_BOUND_OVERRUN,   /* one was too large, not long ago */
	TIDE_BOUND_STATE,     /* too little room is left to grow */
	TIDE_BOUND_LEASE,     /* the share of a common budget */
	TIDE_BOUND_FIXED      /* as configured */
};

/*
 * What an operation has done so far.  Bytes; ns; sums since the start.
 * Its row is complete once @name is there.
 */
struct tide_op_stats {
	char name[TIDE_NAME_ROOM]; /* zero-filled; empty: the row is free */
	char unit[16];             /* of its items, "item" unless told */
	uint64_t batches, items, items_failed;
	uint64_t cuts;             /* batches that were ended early for room */
	uint64_t aborts;           /* ended by tide_batch_abort() */
	uint64_t overruns;         /* grew beyond what was predicted */
	uint64_t n_last, n_least, n_most; /* items in a batch */
	uint64_t n_next;           /* of the next, as it stands */
	uint64_t growth_last, growth_most, growth_sum; /* peak above begin */
	uint64_t predicted_last;   /* of growth_last, with its margin */
	uint64_t retained_sum;     /* held at the end and not at the begin */
	int64_t retained_last;
	uint64_t time_ns, delay_ns, wait_ns, reclaim_ns;
	uint64_t delay_freed;      /* bytes that went while delayed */
	uint64_t first, done, total; /* of the run: first item, how many */
	uint64_t started_ns;       /* CLOCK_MONOTONIC, of the first batch */
	uint64_t ended_ns;         /* of the last */
	uint64_t one;              /* most that one item takes, 99 of 100 */
	uint64_t fixed;            /* that every batch takes, fitted */
	double per_item;           /* bytes; and n^power: */
	double power;
	uint64_t knee;             /* items; larger is not faster; 0: unknown */
	double knee_rate, most_rate; /* items a second, there and at n_most */
	uint64_t weight_most, weight_sum, weights; /* of tide_item() */
	uint32_t bound;            /* TIDE_BOUND_* of the last */
	uint32_t policy;           /* enum sizing_policy */
	uint32_t active;           /* batches under way now */
	uint32_t active_most;
	uint64_t growth_squares;   /* sum of (growth / 1 KiB)^2 */
	uint64_t changes;          /* of n by more than a quarter */
	uint64_t checkpoints, checkpoint_bytes, checkpoint_ns;
	uint64_t item_most;        /* that one item was seen to take */
	uint64_t reserved[15];
};

/* A part of the program with a budget of its own: tide_component(). */
struct tide_component_stats {
	char name[TIDE_NAME_ROOM];
	uint64_t max;    /* bytes; 0: none of its own */
	uint32_t weight;
	uint32_t reserved_word;
	int64_t used;    /* allocated less freed by threads inside of it */
	int64_t peak;
	uint64_t enters;
	uint64_t over;   /* times that it was left above its max */
	uint64_t reserved[4];
};

struct tide_room {
	/* What this is; stored before anything is told of it. */
	uint64_t magic;
	uint32_t version;
	uint32_t bytes;        /* of this structure, as its maker knows it */
	int32_t pid;           /* 0: nobody's yet */
	int32_t level;         /* TIDE_STANDALONE ... */
	uint64_t start_ticks;  /* of that pid: /proc/PID/stat, field 22 */
	uint64_t reserved_head[3];

	/* Read by the inline queries; each alone is always whole. */
	uint64_t gate;         /* what tide_batch_more() compares: @used, or
	                        * TIDE_NONE while batches shall be closed */
	uint64_t used;         /* bytes against the budget, estimated now */
	uint64_t budget;       /* bytes, or TIDE_NONE */
	uint64_t live;         /* of the heap, usable bytes; TIDE_NONE: not
	                        * known */
	int32_t state;         /* TIDE_OK ... TIDE_EXHAUSTED */
	uint32_t stop;         /* TIDE_STOP_*, or 0 */
	uint64_t refresh_ns;   /* 0: others keep it fresh; else it is to be read
	                        * anew when so old (CLOCK_MONOTONIC_COARSE) */
	uint64_t refreshed_ns;
	uint64_t left;         /* @budget less @used, or 0; or TIDE_NONE */

	/* By one writer at a time; @sequence is odd while it is written. */
	uint32_t sequence;
	uint32_t warnings;     /* times that a state was entered from below */
	uint64_t blocks;       /* live; TIDE_NONE: not known */
	uint64_t resident;     /* as last sampled */
	uint64_t retained;     /* resident and not live, of the heap */
	uint64_t peak_live, peak_used;
	uint64_t lease;        /* held of a common budget; 0: none */
	uint64_t rate;         /* bytes allocated a second, lately */
	uint64_t error;        /* @used is right to within so much */
	uint64_t slow_from;    /* memory.high, or TIDE_NONE */
	uint64_t available;    /* the least room in any limit */
	uint64_t sampled_ns;   /* CLOCK_MONOTONIC, of @resident */
	uint64_t state_ns;     /* when @state was entered */
	uint64_t at_state_ns[4]; /* spent in each so far */
	uint64_t failed;       /* allocations that failed */
	uint64_t pressure;     /* a state that is pretended, 1 added; 0 */
	uint64_t cleanups, cleanup_bytes, cleanup_returned, cleanup_ns;
	uint64_t refault_ns;   /* that the cleanups cost afterwards */
	uint64_t drains;       /* wishes of the operator, see control */
	uint64_t looks, samples;
	uint32_t warn_mille, critical_mille, target_mille;
	uint32_t soft;         /* 1: what others use moves the budget */
	char source[32];       /* of the budget: "cgroup", "option", ... */
	char last_op[TIDE_NAME_ROOM];
	char message[160];     /* the last that was said */
	/*
	 * A cleanup that is wanted from outside (control), to be carried out at
	 * the next safe point: as segment_watch has it, numbers go up, and what
	 * is done was what all up to it wanted.
	 */
	uint32_t cleanups_wanted;
	uint32_t cleanups_done;  /* stored last */
	uint32_t cleanup_level;  /* the most that was wanted; 0: as it stands */
	uint32_t wish_callbacks; /* of the last that was carried out */
	uint64_t wish_freed, wish_blocks, wish_returned, wish_ns;
	/* @used was followed for so long, and above 80 % of the budget; its
	 * mean over that time. */
	uint64_t watched_ns, high_ns;
	double used_mean;
	uint64_t reserved[23];

	struct tide_component_stats component[TIDE_COMPONENTS];
	struct tide_op_stats op[TIDE_OPS];
};
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
} tide_op_conf;

typedef struct tide_op tide_op;

/* One batch, from begin to end; of one thread.  Zero: not begun. */
typedef struct tide_batch {
	uint64_t first;  /* index of its first item */
	uint32_t n;      /* items that it may have */
	uint32_t op_;    /* what follows is not for the program */
	uint64_t line_;
	uint64_t p_[28];
} tide_batch;

#define TIDE_BATCH_INIT { 0, 0, 0, 0, { 0 } }

/* Why a batch is given up: tide_batch_abort(). */
enum { TIDE_NOMEM = 1, TIDE_ERROR = 2, TIDE_CANCEL = 3 };

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
};

#define TIDE_RUNTIME_VERSION 1

#ifdef HEAPTIDE_DISABLE
#define TIDE__SHARED __attribute__((weak, visibility("hidden")))
/* --- src/plan/disabled.c */
#define TIDE__DISABLED_BATCH 64
static inline int
tide__disabled_init(const char *conf)
{
	(void)conf;
	return 0;
}
static inline int
tide__disabled_status(tide_info *out)
{
	if (out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->budget = out->available = out->live = out->blocks = TIDE_NONE;
	return 0;
}
static inline int
tide__disabled_json(char *buf, size_t cap)
{
	if (buf == NULL && cap != 0)
		return -EINVAL;
	if (cap > 2)
		memcpy(buf, "{}", 3);
	else if (cap > 0)
		buf[0] = '\0';
	return 2;
}
static inline int
tide__disabled_budget_set(uint64_t bytes)
{
	(void)bytes;
	return 0;
}
static inline int
tide__disabled_safe(uint64_t need, uint64_t max_used, tide_info *out)
{
	(void)need;
	(void)max_used;
	if (out != NULL)
		(void)tide__disabled_status(out);
	return 1;
}
static inline int
tide__disabled_poll(unsigned flags)
{
	(void)flags;
	return TIDE_OK;
}
static inline tide_op *
tide__disabled_op_open(const char *name, const tide_op_conf *conf)
{
	(void)conf;
	return (tide_op *)(uintptr_t)(name != NULL ? name : "");
}
static inline uint32_t
tide__disabled_batch_size(tide_op *op, uint64_t remaining)
{
	return op == NULL ? 0 : remaining < TIDE__DISABLED_BATCH ?
	    (uint32_t)remaining : TIDE__DISABLED_BATCH;
}
static inline int
tide__disabled_batch_begin(tide_op *op, tide_batch *b, uint64_t first,
    uint64_t remaining, int64_t wait_ns)
{
	(void)wait_ns;
	if (op == NULL || b == NULL)
		return -EINVAL;
	b->first = first;
	b->n = tide__disabled_batch_size(op, remaining);
	b->line_ = b->n;
	return (int)b->n;
}
static inline int
tide__disabled_batch_more(tide_batch *b)
{
	return b != NULL && b->line_ != 0;
}
static inline int
tide__disabled_item(tide_batch *b, uint64_t weight)
{
	(void)weight;
	return tide__disabled_batch_more(b);
}
static inline void
tide__disabled_item_done(tide_batch *b)
{
	(void)b;
}
static inline void
tide__disabled_item_fail(tide_batch *b, uint64_t index, const char *why)
{
	(void)b;
	(void)index;
	(void)why;
}
static inline int
tide__disabled_batch_end(tide_batch *b, uint64_t done)
{
	(void)done;
	if (b != NULL)
		b->line_ = 0;
	return TIDE_OK;
}
static inline void
tide__disabled_batch_abort(tide_batch *b, int why)
{
	(void)tide__disabled_batch_end(b, (uint64_t)why);
}
static inline int
tide__disabled_op_stats(tide_op *op, struct tide_op_stats *out)
{
	if (op == NULL || out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	return 0;
}
static inline int
tide__disabled_guard_begin(const char *op, uint64_t need)
{
	(void)op;
	(void)need;
	return 1;
}
static inline void
tide__disabled_guard_end(int guard)
{
	(void)guard;
}
static inline int
tide__disabled_component(const char *name, uint64_t max, unsigned weight)
{
	(void)max;
	(void)weight;
	return name == NULL || *name == '\0' ? -EINVAL : 1;
}
static inline void
tide__disabled_component_enter(int id)
{
	(void)id;
}
static inline void
tide__disabled_component_leave(int id)
{
	(void)id;
}
static inline uint64_t
tide__disabled_component_used(int id)
{
	(void)id;
	return TIDE_NONE;
}
static inline uint64_t
tide__disabled_component_budget(int id)
{
	(void)id;
	return TIDE_NONE;
}
static inline int
tide__disabled_reserve(uint64_t least, uint64_t most, int64_t wait_ns, uint64_t *got)
{
	(void)wait_ns;
	if (got == NULL || most == 0 || least > most)
		return -EINVAL;
	*got = most;
	return 0;
}
static inline void
tide__disabled_unreserve(uint64_t bytes)
{
	(void)bytes;
}
static inline int
tide__disabled_on_pressure(tide_clean_fn fn, void *ctx, int cls, int prio,
    unsigned flags, const char *name)
{
	(void)ctx;
	(void)cls;
	(void)prio;
	(void)flags;
	(void)name;
	return fn == NULL ? -EINVAL : 1;
}
static inline int
tide__disabled_off_pressure(int id)
{
	(void)id;
	return 0;
}
static inline int
tide__disabled_reclaim(unsigned flags, uint64_t want, tide_reclaim_result *out)
{
	(void)flags;
	(void)want;
	if (out != NULL)
		memset(out, 0, sizeof(*out));
	return 0;
}
static inline int
tide__disabled_pressure_fd(void)
{
	return -ENODEV;
}
static inline double
tide__disabled_knob(const char *name, double best, double cheapest)
{
	(void)name;
	(void)cheapest;
	return best;
}
static inline void
tide__disabled_release(void *p, size_t bytes)
{
	(void)p;
	(void)bytes;
}
static inline int
tide__disabled_mark(const char *name)
{
	(void)name;
	return -ENODEV;
}
static inline int
tide__disabled_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	(void)blocks;
	(void)bytes;
	return -ENODEV;
}
static inline struct tide_pool *
tide__disabled_pool_create(const char *name)
{
	(void)name;
	return NULL;
}
static inline const char *
tide__disabled_version_text(void)
{
	return NULL;
}
static inline int
tide__disabled_run_begin(const char *name, uint64_t total, const char *unit,
    char *id)
{
	(void)total;
	(void)unit;
	if (name == NULL || *name == '\0')
		return -EINVAL;
	if (id != NULL)
		id[0] = '\0';
	return 0;
}
static inline int
tide__disabled_input(const char *path)
{
	return path == NULL || *path == '\0' ? -EINVAL : 0;
}
static inline int
tide__disabled_resume(uint64_t *cursor, void *blob, size_t *len)
{
	(void)blob;
	if (cursor != NULL)
		*cursor = 0;
	if (len != NULL)
		*len = 0;
	return 0;
}
static inline int
tide__disabled_checkpoint(uint64_t cursor, const void *blob, size_t len)
{
	(void)cursor;
	return blob == NULL && len > 0 ? -EINVAL : 0;
}
static inline int
tide__disabled_on_checkpoint(tide_checkpoint_fn fn, void *ctx)
{
	(void)fn;
	(void)ctx;
	return 0;
}
static inline int
tide__disabled_run_finish(int ok)
{
	(void)ok;
	return 0;
}
static inline void
tide__disabled_recycle(void)
{
}
static inline const struct tide_room *
tide__disabled_room(void)
{
	static const struct tide_room room = {
		TIDE_ROOM_MAGIC, TIDE_ROOM_VERSION, sizeof(struct tide_room),
		0, TIDE_STANDALONE, 0, { 0, 0, 0 },
		0, 0, TIDE_NONE, TIDE_NONE, TIDE_OK, 0, 0, 0, TIDE_NONE
	};
	return &room;
}
#define TIDE_CALL_(name) tide__disabled_##name
#define TIDE_ROOM_NOW_   tide__disabled_room()
#define TIDE_FRESH_()    tide__disabled_room()
#else
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#define TIDE__SHARED __attribute__((weak, visibility("hidden")))
/* --- src/base/base.h */
#define TIDE__LIKELY(x)   __builtin_expect(!!(x), 1)
#define TIDE__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TIDE__EXPORT __attribute__((visibility("default")))
#define TIDE__INSIDE __attribute__((visibility("hidden")))
#define TIDE__COLD __attribute__((cold, noinline))
#define TIDE__HOT inline __attribute__((always_inline))
#ifdef __OPTIMIZE__
#define TIDE__JUMPED_TO __attribute__((noinline))
#else
#define TIDE__JUMPED_TO inline __attribute__((always_inline))
#endif
#define TIDE__KIB (UINT64_C(1) << 10)
#define TIDE__MIB (UINT64_C(1) << 20)
#define TIDE__GIB (UINT64_C(1) << 30)
#define TIDE__NS_PER_S  UINT64_C(1000000000)
#define TIDE__NS_PER_MS UINT64_C(1000000)
#define TIDE__ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
static inline uint64_t
tide__min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
static inline uint64_t
tide__max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}
static inline int64_t
tide__add_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}
static inline int64_t
tide__min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
static inline uint64_t
tide__above_u64(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}
static inline uint64_t
tide__round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}
static inline uint64_t
tide__round_down(uint64_t n, uint64_t to)
{
	return n & ~(to - 1);
}
static inline uint64_t
tide__mix_u64(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}
/* --- src/base/text.h */
struct tide__text {
	char *start;
	size_t bytes;
	size_t used;
	int cut;
};
static void tide__text_open(struct tide__text *t, char *buffer, size_t bytes);
static void tide__text_put(struct tide__text *t, const char *s);
static void tide__text_put_bytes(struct tide__text *t, const char *s, size_t n);
static void tide__text_put_u64(struct tide__text *t, uint64_t n);
static void tide__text_put_i64(struct tide__text *t, int64_t n);
static const char *tide__text_value(const char *entry, const char *name);
static const char *tide__text_variable(char *const *environment, const char *name);
#define TIDE__TEXT_SETTING_ROOM 64
static char *tide__text_setting_name(char buffer[TIDE__TEXT_SETTING_ROOM], const char *key);
static const char *tide__text_setting(char *const *environment, const char *key);
static int tide__text_parse_bytes(const char *s, uint64_t *bytes);
static int tide__text_parse_share(const char *s, uint64_t *millionths);
static int tide__text_parse_duration(const char *s, uint64_t *ns);
static int tide__text_parse_u64(const char *s, uint64_t most, uint64_t *n);
#define TIDE__TEXT_BYTES_ROOM 16
static char *tide__text_format_bytes(char buffer[TIDE__TEXT_BYTES_ROOM], uint64_t bytes);
#define TIDE__TEXT_DURATION_ROOM 24
static char *tide__text_format_duration(char buffer[TIDE__TEXT_DURATION_ROOM], uint64_t ns);
#define TIDE__TEXT_RATE_ROOM 24
static char *tide__text_format_rate(char buffer[TIDE__TEXT_RATE_ROOM], double rate);
#define TIDE__TEXT_COUNT_ROOM 28
static char *tide__text_format_count(char buffer[TIDE__TEXT_COUNT_ROOM], uint64_t n);
/* --- src/base/text.c */
static void
tide__text_open(struct tide__text *t, char *buffer, size_t bytes)
{
	t->start = buffer;
	t->bytes = bytes;
	t->used = 0;
	t->cut = 0;
	if (bytes > 0)
		buffer[0] = '\0';
}
static void
tide__text_put_bytes(struct tide__text *t, const char *s, size_t n)
{
	size_t room = t->bytes > t->used ? t->bytes - t->used - 1 : 0;
	if (t->cut || n == 0)
		return;
	if (n > room) {
		n = room;
		t->cut = 1;
	}
	if (t->bytes == 0)
		return;
	memcpy(t->start + t->used, s, n);
	t->used += n;
	t->start[t->used] = '\0';
}
static void
tide__text_put(struct tide__text *t, const char *s)
{
	tide__text_put_bytes(t, s, strlen(s));
}
static char *
tide__text__digits_before(char *end, uint64_t n)
{
	do
		*--end = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return end;
}
static void
tide__text__put_number(struct tide__text *t, uint64_t n)
{
	char room[20];
	char *end = room + sizeof(room);
	char *start = tide__text__digits_before(end, n);
	tide__text_put_bytes(t, start, (size_t)(end - start));
}
static void
tide__text_put_u64(struct tide__text *t, uint64_t n)
{
	tide__text__put_number(t, n);
}
static void
tide__text_put_i64(struct tide__text *t, int64_t n)
{
	if (n < 0)
		tide__text_put(t, "-");
	tide__text__put_number(t, n < 0 ? -(uint64_t)n : (uint64_t)n);
}
static const char *
tide__text_value(const char *entry, const char *name)
{
	size_t n = strlen(name);
	return strncmp(entry, name, n) == 0 && entry[n] == '=' ?
	    entry + n + 1 : NULL;
}
static const char *
tide__text_variable(char *const *environment, const char *name)
{
	const char *value = NULL;
	for (; value == NULL && environment != NULL && *environment != NULL;
	    environment++)
		value = tide__text_value(*environment, name);
	return value;
}
static const struct tide__text__setting_name {
	const char *key, *variable;
} tide__text__setting_names[] = {
	{ "enabled", "HEAPTIDE" },
	{ "page", "HEAPTIDE_PAGE_SIZE" },
	{ "reclaim.steps", "HEAPTIDE_RECLAIM" },
	{ "retry.fallback", "HEAPTIDE_FALLBACK" },
	{ "retry.max", "HEAPTIDE_RETRIES" },
};
static char *
tide__text_setting_name(char buffer[TIDE__TEXT_SETTING_ROOM], const char *key)
{
	struct tide__text t;
	size_t i;
	char c;
	tide__text_open(&t, buffer, TIDE__TEXT_SETTING_ROOM);
	for (i = 0; i < TIDE__ARRAY_LENGTH(tide__text__setting_names); i++) {
		if (strcmp(key, tide__text__setting_names[i].key) == 0) {
			tide__text_put(&t, tide__text__setting_names[i].variable);
			return buffer;
		}
	}
	tide__text_put(&t, "HEAPTIDE_");
	for (; *key != '\0'; key++) {
		c = *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') :
		    *key == '.' || *key == '-' ? '_' : *key;
		tide__text_put_bytes(&t, &c, 1);
	}
	return buffer;
}
static const char *
tide__text_setting(char *const *environment, const char *key)
{
	char name[TIDE__TEXT_SETTING_ROOM];
	const char *value = tide__text_variable(environment,
	    tide__text_setting_name(name, key));
	return value != NULL && *value != '\0' ? value : NULL;
}
static bool
tide__text__is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static char
tide__text__lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
struct tide__text__decimal {
	uint64_t whole;
	const char *fraction;
	const char *end;
};
static int
tide__text__decimal_parse(const char *s, struct tide__text__decimal *d)
{
	d->whole = 0;
	d->fraction = NULL;
	if (!tide__text__is_digit(*s))
		return -EINVAL;
	for (; tide__text__is_digit(*s); s++)
		if (__builtin_mul_overflow(d->whole, 10, &d->whole) ||
		    __builtin_add_overflow(d->whole, (uint64_t)(*s - '0'),
			&d->whole))
			return -ERANGE;
	if (*s == '.') {
		d->fraction = ++s;
		if (!tide__text__is_digit(*s))
			return -EINVAL;
		while (tide__text__is_digit(*s))
			s++;
	}
	d->end = s;
	return 0;
}
static int
tide__text__decimal_times(const struct tide__text__decimal *d, uint64_t unit, uint64_t *product)
{
	uint64_t whole, part = 0, sum;
	const char *p;
	if (__builtin_mul_overflow(d->whole, unit, &whole))
		return -ERANGE;
	if (d->fraction != NULL)
		for (p = d->end; p-- > d->fraction;)
			part = ((uint64_t)(*p - '0') * unit + part) / 10;
	if (__builtin_add_overflow(whole, part, &sum))
		return -ERANGE;
	*product = sum;
	return 0;
}
static const char tide__text__size_letters[] = "kmgtpe";
static uint64_t
tide__text__size_unit(const char *s)
{
	const char *letter;
	uint64_t unit = 1;
	letter = *s == '\0' ? NULL : strchr(tide__text__size_letters, tide__text__lower(*s));
	if (letter != NULL) {
		unit = TIDE__KIB << (10 * (letter - tide__text__size_letters));
		s++;
		if (tide__text__lower(*s) == 'i')
			s++;
	}
	if (tide__text__lower(*s) == 'b')
		s++;
	return *s == '\0' ? unit : 0;
}
static int
tide__text_parse_bytes(const char *s, uint64_t *bytes)
{
	struct tide__text__decimal d;
	uint64_t unit;
	int r = tide__text__decimal_parse(s, &d);
	if (r < 0)
		return r;
	unit = tide__text__size_unit(d.end);
	if (unit == 0 || (unit == 1 && d.fraction != NULL))
		return -EINVAL;
	return tide__text__decimal_times(&d, unit, bytes);
}
static int
tide__text_parse_share(const char *s, uint64_t *millionths)
{
	struct tide__text__decimal d;
	uint64_t share;
	int r = tide__text__decimal_parse(s, &d);
	if (r < 0)
		return r;
	if (strcmp(d.end, "%") != 0)
		return -EINVAL;
	r = tide__text__decimal_times(&d, 10000, &share);
	if (r < 0)
		return r;
	if (share > 1000000)
		return -ERANGE;
	*millionths = share;
	return 0;
}
#define TIDE__TEXT__NS_PER_MINUTE (60 * TIDE__NS_PER_S)
#define TIDE__TEXT__NS_PER_HOUR   (60 * TIDE__TEXT__NS_PER_MINUTE)
#define TIDE__TEXT__NS_PER_DAY    (24 * TIDE__TEXT__NS_PER_HOUR)
static const struct tide__text__duration_unit {
	char name[4];
	uint64_t ns;
} tide__text__duration_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", TIDE__NS_PER_MS },
	{ "s", TIDE__NS_PER_S },
	{ "m", TIDE__TEXT__NS_PER_MINUTE },
	{ "min", TIDE__TEXT__NS_PER_MINUTE },
	{ "h", TIDE__TEXT__NS_PER_HOUR },
	{ "d", TIDE__TEXT__NS_PER_DAY },
};
static int
tide__text_parse_duration(const char *s, uint64_t *ns)
{
	struct tide__text__decimal d;
	size_t i;
	int r = tide__text__decimal_parse(s, &d);
	if (r < 0)
		return r;
	for (i = 0; i < TIDE__ARRAY_LENGTH(tide__text__duration_units); i++)
		if (strcmp(d.end, tide__text__duration_units[i].name) == 0)
			return tide__text__decimal_times(&d, tide__text__duration_units[i].ns, ns);
	return -EINVAL;
}
static int
tide__text_parse_u64(const char *s, uint64_t most, uint64_t *n)
{
	struct tide__text__decimal d;
	int r = tide__text__decimal_parse(s, &d);
	if (r < 0)
		return r;
	if (d.fraction != NULL || *d.end != '\0')
		return -EINVAL;
	if (d.whole > most)
		return -ERANGE;
	*n = d.whole;
	return 0;
}
static const struct tide__text__size_style {
	char name[4];
	unsigned decimals;
} tide__text__size_styles[] = {
	{ "B", 0 },
	{ "KiB", 1 },
	{ "MiB", 1 },
	{ "GiB", 2 },
	{ "TiB", 2 },
	{ "PiB", 2 },
	{ "EiB", 2 },
};
static uint64_t
tide__text__quotient(uint64_t n, uint64_t unit, unsigned decimals)
{
	uint64_t q = n / unit, rest = n % unit;
	while (decimals-- > 0) {
		q = q * 10 + rest * 10 / unit;
		rest = rest * 10 % unit;
	}
	return q + (rest * 2 >= unit);
}
static void
tide__text__put_decimal(struct tide__text *t, uint64_t n, unsigned decimals)
{
	uint64_t one = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;
	tide__text_put_u64(t, n / one);
	if (decimals > 0)
		tide__text_put(t, ".");
	if (decimals == 2)
		tide__text_put_u64(t, n / 10 % 10);
	if (decimals > 0)
		tide__text_put_u64(t, n % 10);
}
static char *
tide__text_format_bytes(char buffer[TIDE__TEXT_BYTES_ROOM], uint64_t bytes)
{
	static const unsigned most[] = { 1023, 9999, 9999 };
	const struct tide__text__size_style *style = tide__text__size_styles;
	unsigned decimals = style->decimals;
	uint64_t unit = 1, n;
	struct tide__text t;
	while ((n = tide__text__quotient(bytes, unit, decimals)) > most[decimals]) {
		if (decimals > 0) {
			decimals--;
			continue;
		}
		decimals = (++style)->decimals;
		unit *= 1024;
	}
	tide__text_open(&t, buffer, TIDE__TEXT_BYTES_ROOM);
	tide__text__put_decimal(&t, n, decimals);
	tide__text_put(&t, " ");
	tide__text_put(&t, style->name);
	return buffer;
}
static const struct tide__text__duration_style {
	uint64_t under;
	uint64_t unit;
	const char *name;
	uint64_t part;
	const char *part_name;
} tide__text__duration_styles[] = {
	{ 1000, 1, " ns", 0, NULL },
	{ TIDE__NS_PER_MS, 1000, " us", 0, NULL },
	{ TIDE__NS_PER_S, TIDE__NS_PER_MS, " ms", 0, NULL },
	{ TIDE__TEXT__NS_PER_MINUTE, TIDE__NS_PER_S, " s", TIDE__NS_PER_S / 10, NULL },
	{ TIDE__TEXT__NS_PER_HOUR, TIDE__TEXT__NS_PER_MINUTE, " min ", TIDE__NS_PER_S, " s" },
	{ 2 * TIDE__TEXT__NS_PER_DAY, TIDE__TEXT__NS_PER_HOUR, " h ", TIDE__TEXT__NS_PER_MINUTE, " min" },
	{ UINT64_MAX, TIDE__TEXT__NS_PER_DAY, " d ", TIDE__TEXT__NS_PER_HOUR, " h" },
};
static char *
tide__text_format_duration(char buffer[TIDE__TEXT_DURATION_ROOM], uint64_t ns)
{
	const struct tide__text__duration_style *style = tide__text__duration_styles;
	struct tide__text t;
	uint64_t part;
	tide__text_open(&t, buffer, TIDE__TEXT_DURATION_ROOM);
	if (ns == 0) {
		tide__text_put(&t, "0 s");
		return buffer;
	}
	while (ns >= style->under && style->under != UINT64_MAX)
		style++;
	tide__text_put_u64(&t, ns / style->unit);
	part = style->part == 0 ? 0 : ns % style->unit / style->part;
	if (style->part != 0 && style->part_name == NULL) {
		tide__text_put(&t, ".");
		tide__text_put_u64(&t, part);
	}
	tide__text_put(&t, style->name);
	if (style->part_name != NULL) {
		tide__text_put_u64(&t, part);
		tide__text_put(&t, style->part_name);
	}
	return buffer;
}
static char *
tide__text_format_rate(char buffer[TIDE__TEXT_RATE_ROOM], double rate)
{
	char bytes[TIDE__TEXT_BYTES_ROOM];
	double size = rate < 0 ? -rate : rate;
	bool slow = size < 1024;
	struct tide__text t;
	if (slow)
		size *= 3600;
	tide__text_open(&t, buffer, TIDE__TEXT_RATE_ROOM);
	tide__text_put(&t, rate < 0 ? "-" : "+");
	tide__text_put(&t, tide__text_format_bytes(bytes, size < 1e18 ? (uint64_t)size :
	    UINT64_MAX));
	tide__text_put(&t, slow ? "/h" : "/s");
	return buffer;
}
static char *
tide__text_format_count(char buffer[TIDE__TEXT_COUNT_ROOM], uint64_t n)
{
	char room[20];
	char *end = room + sizeof(room);
	char *p = tide__text__digits_before(end, n);
	struct tide__text t;
	tide__text_open(&t, buffer, TIDE__TEXT_COUNT_ROOM);
	for (; p < end; p++) {
		tide__text_put_bytes(&t, p, 1);
		if ((end - p) % 3 == 1 && p + 1 < end)
			tide__text_put(&t, " ");
	}
	return buffer;
}
/* --- src/base/crc.h */
static uint32_t tide__crc_32c(uint32_t crc, const void *data, size_t bytes);
static uint64_t tide__crc_hash(uint64_t hash, const void *data, size_t bytes);
/* --- src/base/crc.c */
static const uint32_t tide__crc__half_byte[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};
static uint32_t
tide__crc_32c(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)data;
	crc = ~crc;
	for (; bytes > 0; bytes--) {
		crc ^= *at++;
		crc = (crc >> 4) ^ tide__crc__half_byte[crc & 15];
		crc = (crc >> 4) ^ tide__crc__half_byte[crc & 15];
	}
	return ~crc;
}
static uint64_t
tide__crc_hash(uint64_t hash, const void *data, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)data;
	uint64_t word;
	for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = tide__mix_u64(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
		at += sizeof(word);
	}
	if (bytes == 0)
		return hash;
	word = bytes << 56;
	memcpy(&word, at, bytes);
	return tide__mix_u64(hash ^ word ^ (uint64_t)bytes << 56) + bytes;
}
/* --- src/model/numbers.h */
static double tide__numbers_log(double x);
static double tide__numbers_exp(double x);
static double tide__numbers_pow(double x, double y);
static double tide__numbers_root(double x);
static uint32_t tide__numbers_log2(uint64_t n);
static uint64_t tide__numbers_whole(double x, uint64_t most);
static inline double
tide__numbers_within(double x, double least, double most)
{
	return x > least ? (x < most ? x : most) : least;
}
/* --- src/model/numbers.c */
#define TIDE__NUMBERS__NUMBERS_LN2_HIGH 6.93147180369123816490e-01
#define TIDE__NUMBERS__NUMBERS_LN2_LOW  1.90821492927058770002e-10
#define TIDE__NUMBERS__NUMBERS_ROOT_HALF 0.70710678118654752440
#define TIDE__NUMBERS__NUMBERS_MANTISSA ((UINT64_C(1) << 52) - 1)
#define TIDE__NUMBERS__NUMBERS_BIAS     1023
static uint64_t
tide__numbers__numbers_bits(double x)
{
	uint64_t bits;
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}
static double
tide__numbers__numbers_of_bits(uint64_t bits)
{
	double x;
	memcpy(&x, &bits, sizeof(x));
	return x;
}
static double
tide__numbers_log(double x)
{
	uint64_t bits;
	double k = 0, m, s, square, sum = 0;
	int i;
	if (!(x > 0))
		return -1e300;
	if (x > 1.7e308)
		x = 1.7e308;
	if (x < 2.3e-308) {
		x *= 18014398509481984.0;
		k = -54;
	}
	bits = tide__numbers__numbers_bits(x);
	k += (double)(bits >> 52) - TIDE__NUMBERS__NUMBERS_BIAS;
	m = tide__numbers__numbers_of_bits((bits & TIDE__NUMBERS__NUMBERS_MANTISSA) |
	    (uint64_t)TIDE__NUMBERS__NUMBERS_BIAS << 52);
	if (m > 2 * TIDE__NUMBERS__NUMBERS_ROOT_HALF) {
		m /= 2;
		k++;
	}
	s = (m - 1) / (m + 1);
	square = s * s;
	for (i = 25; i >= 3; i -= 2)
		sum = (sum + 1.0 / i) * square;
	return k * TIDE__NUMBERS__NUMBERS_LN2_HIGH + (2 * s + (2 * s * sum +
	    k * TIDE__NUMBERS__NUMBERS_LN2_LOW));
}
static double
tide__numbers_exp(double x)
{
	double k, r, sum = 1;
	int i;
	if (!(x > -708))
		return 0;
	if (x > 709)
		return 1e308;
	k = (double)(int)(x * 1.44269504088896338700 + (x < 0 ? -0.5 : 0.5));
	r = (x - k * TIDE__NUMBERS__NUMBERS_LN2_HIGH) - k * TIDE__NUMBERS__NUMBERS_LN2_LOW;
	for (i = 15; i > 0; i--)
		sum = 1 + r / i * sum;
	return sum * tide__numbers__numbers_of_bits((uint64_t)(TIDE__NUMBERS__NUMBERS_BIAS + (int)k) << 52);
}
static double
tide__numbers_pow(double x, double y)
{
	if (!(x > 0))
		return 0;
	return tide__numbers_exp(y * tide__numbers_log(x));
}
static double
tide__numbers_root(double x)
{
	double root;
	if (!(x > 0))
		return 0;
	root = tide__numbers_exp(tide__numbers_log(x) / 2);
	return (root + x / root) / 2;
}
static uint32_t
tide__numbers_log2(uint64_t n)
{
	return n == 0 ? 0 : 63 - (uint32_t)__builtin_clzll(n);
}
static uint64_t
tide__numbers_whole(double x, uint64_t most)
{
	if (!(x > 0))
		return 0;
	return x >= (double)most ? most : (uint64_t)x;
}
/* --- src/model/sources.h */
#define TIDE__SOURCE_NONE UINT64_MAX
enum tide__source_kind {
	TIDE__SOURCE_SET,
	TIDE__SOURCE_SHARE,
	TIDE__SOURCE_CGROUP,
	TIDE__SOURCE_LIMIT,
	TIDE__SOURCE_HIGH,
	TIDE__SOURCE_HOST
};
enum tide__source_form {
	TIDE__FORM_BYTES,
	TIDE__FORM_SHARE,
	TIDE__FORM_LESS
};
struct tide__source_wish {
	enum tide__source_form form;
	uint64_t value;
};
enum tide__source_verdict {
	TIDE__VERDICT_NO_LIMIT,
	TIDE__VERDICT_RULES,
	TIDE__VERDICT_NOT_LOWER,
	TIDE__VERDICT_SUPERSEDED,
	TIDE__VERDICT_OVERRULED,
	TIDE__VERDICT_WARNS
};
struct tide__source {
	enum tide__source_kind kind;
	struct tide__source_wish wish;
	uint64_t bytes;
	uint64_t used;
	enum tide__source_verdict verdict;
};
struct tide__sources_answer {
	uint64_t budget;
	uint64_t available;
	uint64_t slow_from;
	size_t rules;
	size_t tightest;
	bool soft;
};
static int tide__source_parse(const char *s, struct tide__source_wish *wish);
static int tide__sources_judge(struct tide__source *sources, size_t count, bool force,
    struct tide__sources_answer *answer);
static uint64_t tide__source_of_host(uint64_t total, uint64_t available,
    uint64_t resident);
/* --- src/model/sources.c */
#define TIDE__SOURCES__WHOLE UINT64_C(1000000)
static int
tide__source_parse(const char *s, struct tide__source_wish *wish)
{
	static const char less[] = "max-";
	struct tide__source_wish w;
	int r;
	if (strncmp(s, less, sizeof(less) - 1) == 0) {
		w.form = TIDE__FORM_LESS;
		r = tide__text_parse_bytes(s + sizeof(less) - 1, &w.value);
	} else if (strchr(s, '%') != NULL) {
		w.form = TIDE__FORM_SHARE;
		r = tide__text_parse_share(s, &w.value);
	} else {
		w.form = TIDE__FORM_BYTES;
		r = tide__text_parse_bytes(s, &w.value);
	}
	if (r == 0)
		*wish = w;
	return r;
}
static bool
tide__sources__is_limit(const struct tide__source *s)
{
	return s->kind != TIDE__SOURCE_SET && s->kind != TIDE__SOURCE_HIGH;
}
static size_t
tide__sources__least_limit(const struct tide__source *sources, size_t count)
{
	size_t i, least = count;
	for (i = 0; i < count; i++)
		if (tide__sources__is_limit(&sources[i]) && sources[i].bytes != TIDE__SOURCE_NONE &&
		    (least == count || sources[i].bytes < sources[least].bytes))
			least = i;
	return least;
}
static int
tide__sources__wish_bytes(const struct tide__source_wish *wish, uint64_t base, uint64_t *bytes)
{
	if (wish->form == TIDE__FORM_BYTES) {
		*bytes = wish->value;
		return 0;
	}
	if (base == TIDE__SOURCE_NONE)
		return -ENODATA;
	if (wish->form == TIDE__FORM_LESS) {
		if (wish->value > base)
			return -ERANGE;
		*bytes = base - wish->value;
		return 0;
	}
	*bytes = base / TIDE__SOURCES__WHOLE * wish->value +
	    base % TIDE__SOURCES__WHOLE * wish->value / TIDE__SOURCES__WHOLE;
	return 0;
}
static enum tide__source_verdict
tide__sources__verdict_of(const struct tide__source *s)
{
	if (s->bytes == TIDE__SOURCE_NONE)
		return TIDE__VERDICT_NO_LIMIT;
	return s->kind == TIDE__SOURCE_HIGH ? TIDE__VERDICT_WARNS : TIDE__VERDICT_NOT_LOWER;
}
static size_t
tide__sources__nearest_wish(struct tide__source *sources, size_t count, uint64_t base, int *error)
{
	size_t i, nearest = count;
	int r;
	for (i = 0; i < count; i++) {
		if (sources[i].kind != TIDE__SOURCE_SET)
			continue;
		r = tide__sources__wish_bytes(&sources[i].wish, base, &sources[i].bytes);
		if (r < 0) {
			sources[i].bytes = TIDE__SOURCE_NONE;
			sources[i].verdict = TIDE__VERDICT_NO_LIMIT;
			if (nearest == count && *error == 0)
				*error = r;
		} else if (nearest == count) {
			nearest = i;
		} else {
			sources[i].verdict = TIDE__VERDICT_SUPERSEDED;
		}
	}
	return nearest;
}
static bool
tide__sources__is_moving(const struct tide__source *sources, size_t rules, size_t limit,
    size_t count)
{
	return limit < count && sources[limit].kind == TIDE__SOURCE_HOST &&
	    (rules == limit || sources[rules].wish.form != TIDE__FORM_BYTES);
}
static bool
tide__sources__counts(const struct tide__source *s)
{
	return s->verdict == TIDE__VERDICT_RULES || s->verdict == TIDE__VERDICT_NOT_LOWER;
}
static void
tide__sources__find_room(const struct tide__source *sources, size_t count,
    struct tide__sources_answer *answer)
{
	uint64_t room;
	size_t i;
	for (i = 0; i < count; i++) {
		if (!tide__sources__counts(&sources[i]) || sources[i].used == TIDE__SOURCE_NONE)
			continue;
		room = sources[i].bytes -
		    tide__min_u64(sources[i].used, sources[i].bytes);
		if (room < answer->available) {
			answer->available = room;
			answer->tightest = i;
		}
	}
}
static int
tide__sources_judge(struct tide__source *sources, size_t count, bool force,
    struct tide__sources_answer *answer)
{
	struct tide__sources_answer a = { TIDE__SOURCE_NONE, TIDE__SOURCE_NONE, TIDE__SOURCE_NONE,
		count, count, false };
	size_t i, limit, wish;
	uint64_t base;
	int error = 0;
	limit = tide__sources__least_limit(sources, count);
	base = limit < count ? sources[limit].bytes : TIDE__SOURCE_NONE;
	for (i = 0; i < count; i++) {
		if (sources[i].kind == TIDE__SOURCE_SET)
			continue;
		sources[i].verdict = tide__sources__verdict_of(&sources[i]);
		if (sources[i].verdict == TIDE__VERDICT_WARNS)
			a.slow_from = tide__min_u64(a.slow_from, sources[i].bytes);
	}
	wish = tide__sources__nearest_wish(sources, count, base, &error);
	a.rules = limit;
	if (wish < count) {
		sources[wish].verdict = TIDE__VERDICT_NOT_LOWER;
		if (force || sources[wish].bytes <= base)
			a.rules = wish;
	}
	if (a.rules < count) {
		a.budget = sources[a.rules].bytes;
		a.soft = tide__sources__is_moving(sources, a.rules, limit, count);
		sources[a.rules].verdict = TIDE__VERDICT_RULES;
	}
	for (i = 0; force && wish < count && i < count; i++)
		if (tide__sources__is_limit(&sources[i]) && sources[i].bytes < a.budget)
			sources[i].verdict = TIDE__VERDICT_OVERRULED;
	tide__sources__find_room(sources, count, &a);
	*answer = a;
	return error;
}
static uint64_t
tide__source_of_host(uint64_t total, uint64_t available, uint64_t resident)
{
	uint64_t reserve = tide__max_u64(total / 20, 256 * TIDE__MIB);
	uint64_t ours = available + resident;
	return tide__above_u64(ours, reserve);
}
/* --- src/model/sensor.h */
#define TIDE__SENSOR_PERIOD_LEAST_NS UINT64_C(5000000)
#define TIDE__SENSOR_PERIOD_MOST_NS  UINT64_C(1000000000)
#define TIDE__SENSOR_QUANTUM_LEAST   (UINT64_C(4) << 10)
#define TIDE__SENSOR_QUANTUM_MOST    (UINT64_C(1) << 20)
struct tide__sensor_look {
	uint64_t used;
	uint64_t heap;
	uint64_t live;
	uint64_t now_ns;
};
struct tide__sensor {
	uint64_t used0, live0;
	uint64_t reusable0;
	uint64_t budget;
	uint64_t at_ns;
	uint64_t base;
	uint64_t peak_live;
	double omega;
	double rate;
	double error;
	uint32_t looks;
};
static void tide__sensor_open(struct tide__sensor *s, uint64_t budget);
static void tide__sensor_budget(struct tide__sensor *s, uint64_t budget);
static void tide__sensor_sample(struct tide__sensor *s, const struct tide__sensor_look *look);
static uint64_t tide__sensor_used(const struct tide__sensor *s, uint64_t live);
static uint64_t tide__sensor_held(const struct tide__sensor *s, uint64_t live);
static double tide__sensor_rate(const struct tide__sensor *s);
static uint64_t tide__sensor_period(const struct tide__sensor *s, uint64_t live);
static uint64_t tide__sensor_quantum(const struct tide__sensor *s, uint64_t live,
    uint32_t threads);
static uint64_t tide__sensor_error(const struct tide__sensor *s, uint64_t live, uint32_t threads,
    uint64_t now_ns);
static int tide__sensor_is_due(const struct tide__sensor *s, uint64_t live);
/* --- src/model/sensor.c */
#define TIDE__SENSOR__SENSOR_OMEGA      1.10
#define TIDE__SENSOR__SENSOR_OMEGA_MOST 16.0
#define TIDE__SENSOR__SENSOR_HIGH       0.85
#define TIDE__SENSOR__SENSOR_UNKNOWN    (UINT64_C(64) << 20)
#define TIDE__SENSOR__SENSOR_MOVED      20
#define TIDE__SENSOR__SENSOR_MOVED_LEAST (UINT64_C(256) << 10)
static uint64_t
tide__sensor__sensor_above(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}
static void
tide__sensor_open(struct tide__sensor *s, uint64_t budget)
{
	memset(s, 0, sizeof(*s));
	s->budget = budget;
}
static void
tide__sensor_budget(struct tide__sensor *s, uint64_t budget)
{
	s->budget = budget;
}
static void
tide__sensor__sensor_learn_omega(struct tide__sensor *s, uint64_t heap, uint64_t live)
{
	double omega;
	if (live < (UINT64_C(1) << 20) || live < s->peak_live)
		return;
	s->peak_live = live;
	omega = tide__numbers_within((double)heap / (double)live, 1,
	    TIDE__SENSOR__SENSOR_OMEGA_MOST);
	s->omega = s->omega > 0 ? s->omega + (omega - s->omega) / 4 : omega;
}
static void
tide__sensor__sensor_learn_rate(struct tide__sensor *s, const struct tide__sensor_look *look)
{
	double seconds, rate = 0;
	if (look->now_ns <= s->at_ns)
		return;
	seconds = (double)(look->now_ns - s->at_ns) / 1e9;
	if (look->live > s->live0)
		rate = (double)(look->live - s->live0) / seconds;
	if (look->used > s->used0 &&
	    (double)(look->used - s->used0) / seconds > rate)
		rate = (double)(look->used - s->used0) / seconds;
	s->rate = rate > 0.75 * s->rate ? rate : 0.75 * s->rate;
}
static void
tide__sensor_sample(struct tide__sensor *s, const struct tide__sensor_look *look)
{
	uint64_t heap = look->heap;
	uint64_t guess;
	double off;
	if (s->looks == 0) {
		s->base = tide__sensor__sensor_above(look->used, look->live);
	} else {
		guess = tide__sensor_used(s, look->live);
		off = look->used > 0 && guess < look->used ?
		    (double)(look->used - guess) / (double)look->used : 0;
		s->error = off > 0.9 * s->error ? off : 0.9 * s->error;
		tide__sensor__sensor_learn_rate(s, look);
	}
	if (heap == 0)
		heap = tide__sensor__sensor_above(look->used, s->base);
	tide__sensor__sensor_learn_omega(s, heap, look->live);
	s->used0 = look->used;
	s->live0 = look->live;
	s->reusable0 = tide__sensor__sensor_above(heap, tide__numbers_whole((double)look->live *
	    (s->omega > 0 ? s->omega : TIDE__SENSOR__SENSOR_OMEGA), UINT64_MAX));
	s->at_ns = look->now_ns;
	s->looks++;
}
static uint64_t
tide__sensor_used(const struct tide__sensor *s, uint64_t live)
{
	uint64_t more, reusable = s->reusable0;
	uint64_t used;
	if (s->looks == 0)
		return live;
	more = tide__sensor__sensor_above(live, s->live0);
	used = s->used0 + tide__sensor__sensor_above(more, reusable);
	if (s->budget > 0 && (double)used > TIDE__SENSOR__SENSOR_HIGH * (double)s->budget)
		used = s->used0 + more;
	return used;
}
static uint64_t
tide__sensor__sensor_reusable(const struct tide__sensor *s, uint64_t live)
{
	if (live < s->live0)
		return s->reusable0 + (s->live0 - live);
	return tide__sensor__sensor_above(s->reusable0, live - s->live0);
}
static uint64_t
tide__sensor_held(const struct tide__sensor *s, uint64_t live)
{
	if (s->looks == 0)
		return live;
	return tide__sensor__sensor_above(s->used0 + tide__sensor__sensor_above(live, s->live0 +
	    s->reusable0), tide__sensor__sensor_reusable(s, live));
}
static double
tide__sensor_rate(const struct tide__sensor *s)
{
	return s->rate;
}
static uint64_t
tide__sensor__sensor_left(const struct tide__sensor *s, uint64_t live)
{
	if (s->budget == 0)
		return TIDE__SENSOR__SENSOR_UNKNOWN * 16;
	return tide__sensor__sensor_above(s->budget, tide__sensor_used(s, live));
}
static uint64_t
tide__sensor_period(const struct tide__sensor *s, uint64_t live)
{
	double left = (double)tide__sensor__sensor_left(s, live);
	if (!(s->rate > 0))
		return TIDE__SENSOR_PERIOD_MOST_NS;
	return tide__numbers_whole(tide__numbers_within(left / (3 * s->rate) * 1e9,
	    (double)TIDE__SENSOR_PERIOD_LEAST_NS, (double)TIDE__SENSOR_PERIOD_MOST_NS),
	    TIDE__SENSOR_PERIOD_MOST_NS);
}
static uint64_t
tide__sensor_quantum(const struct tide__sensor *s, uint64_t live, uint32_t threads)
{
	uint64_t share = tide__sensor__sensor_left(s, live) / 16 /
	    (threads > 0 ? threads : 1);
	if (share < TIDE__SENSOR_QUANTUM_LEAST)
		return TIDE__SENSOR_QUANTUM_LEAST;
	return share < TIDE__SENSOR_QUANTUM_MOST ? share : TIDE__SENSOR_QUANTUM_MOST;
}
static uint64_t
tide__sensor_error(const struct tide__sensor *s, uint64_t live, uint32_t threads,
    uint64_t now_ns)
{
	double age = now_ns > s->at_ns ? (double)(now_ns - s->at_ns) : 0;
	double missed = (double)threads *
	    (double)tide__sensor_quantum(s, live, threads);
	missed += s->rate * age / 1e9 * s->error;
	missed += s->error * (double)tide__sensor_used(s, live);
	return tide__numbers_whole(missed, UINT64_MAX);
}
static int
tide__sensor_is_due(const struct tide__sensor *s, uint64_t live)
{
	uint64_t moved = live > s->live0 ? live - s->live0 : s->live0 - live;
	uint64_t enough = s->live0 / TIDE__SENSOR__SENSOR_MOVED;
	if (enough < TIDE__SENSOR__SENSOR_MOVED_LEAST)
		enough = TIDE__SENSOR__SENSOR_MOVED_LEAST;
	return s->looks == 0 || moved >= enough;
}
/* --- src/model/states.h */
enum tide__states_state {
	TIDE__STATES_OK,
	TIDE__STATES_WARNING,
	TIDE__STATES_CRITICAL,
	TIDE__STATES_EXHAUSTED
};
enum tide__states_breaker {
	TIDE__STATES_CLOSED,
	TIDE__STATES_OPEN,
	TIDE__STATES_HALF_OPEN
};
enum tide__states_verdict {
	TIDE__STATES_GO,
	TIDE__STATES_PROBE,
	TIDE__STATES_WAIT,
	TIDE__STATES_RECLAIM,
	TIDE__STATES_ONE_ITEM,
	TIDE__STATES_RECYCLE,
	TIDE__STATES_NO_MEMORY
};
struct tide__states_conf {
	double warn, critical, exhausted;
	uint64_t dwell_ns;
	uint64_t stall_ns;
};
struct tide__states_look {
	uint64_t now_ns;
	uint64_t budget, used;
	double rate;
	double some, full;
	uint64_t failed;
	uint64_t limit_events;
	bool lease_overrun;
};
struct tide__states_wish {
	uint64_t one;
	uint64_t baseline;
	uint64_t start;
	bool checkpoint;
	bool in_flight;
};
struct tide__states_answer {
	int verdict;
	uint64_t until_ns;
	uint64_t baseline, one, budget, raise_to;
	bool grew;
};
struct tide__states {
	struct tide__states_conf conf;
	struct tide__states_look look;
	int state;
	int breaker;
	bool predicted;
	uint32_t rises;
	uint64_t below_ns;
	uint64_t raised_ns[4];
	uint64_t failed, limit_events;
	uint64_t open_ns;
	uint32_t step;
	bool probing;
	bool met;
	double bucket_ns;
	uint64_t bucket_at_ns;
};
static void tide__states_open(struct tide__states *s, const struct tide__states_conf *conf);
static int tide__states_step(struct tide__states *s, const struct tide__states_look *look);
static void tide__states_ask(struct tide__states *s, const struct tide__states_wish *wish,
    struct tide__states_answer *answer);
static void tide__states_begun(struct tide__states *s);
static void tide__states_ended(struct tide__states *s, bool well);
static bool tide__states_may_reclaim(const struct tide__states *s, uint64_t now_ns);
static void tide__states_reclaimed(struct tide__states *s, uint64_t spent_ns, uint64_t now_ns);
static bool tide__states_cuts(const struct tide__states *s);
static bool tide__states_aborts(const struct tide__states *s);
static bool tide__states_recycle_pays(uint64_t budget, uint64_t baseline, uint64_t start);
static const char *tide__states_name(int state);
static const char *tide__states_breaker_name(int breaker);
/* --- src/model/states.c */
#define TIDE__STATES__STATES_NS        1000000000.0
#define TIDE__STATES__STATES_NEAR_S    0.5
#define TIDE__STATES__STATES_SOME      0.10
#define TIDE__STATES__STATES_FULL      0.05
#define TIDE__STATES__STATES_SHARE     0.05
#define TIDE__STATES__STATES_BUCKET_NS (0.05 * 10 * TIDE__STATES__STATES_NS)
#define TIDE__STATES__STATES_FITS      0.98
static double
tide__states__states_or(double value, double otherwise)
{
	return value > 0 ? value : otherwise;
}
static uint64_t
tide__states__states_dwell(const struct tide__states *s)
{
	return s->conf.dwell_ns > 0 ? s->conf.dwell_ns : UINT64_C(1000000000);
}
static uint64_t
tide__states__states_stall(const struct tide__states *s)
{
	return s->conf.stall_ns > 0 ? s->conf.stall_ns : UINT64_C(10000000000);
}
static double
tide__states__states_enter(const struct tide__states *s, int state)
{
	switch (state) {
	case TIDE__STATES_WARNING:
		return tide__states__states_or(s->conf.warn, 0.75);
	case TIDE__STATES_CRITICAL:
		return tide__states__states_or(s->conf.critical, 0.88);
	case TIDE__STATES_EXHAUSTED:
		return tide__states__states_or(s->conf.exhausted, 0.96);
	}
	return 0;
}
static double
tide__states__states_leave(const struct tide__states *s, int state)
{
	switch (state) {
	case TIDE__STATES_WARNING:
		return tide__states__states_enter(s, state) * (0.70 / 0.75);
	case TIDE__STATES_CRITICAL:
		return tide__states__states_enter(s, state) * (0.80 / 0.88);
	case TIDE__STATES_EXHAUSTED:
		return tide__states__states_enter(s, state) * (0.85 / 0.96);
	}
	return 0;
}
static void
tide__states_open(struct tide__states *s, const struct tide__states_conf *conf)
{
	struct tide__states_conf *c = &s->conf;
	double warn, critical, exhausted;
	memset(s, 0, sizeof(*s));
	if (conf == NULL)
		return;
	*c = *conf;
	warn = tide__states__states_enter(s, TIDE__STATES_WARNING);
	critical = tide__states__states_enter(s, TIDE__STATES_CRITICAL);
	exhausted = tide__states__states_enter(s, TIDE__STATES_EXHAUSTED);
	if (!(warn < critical && critical < exhausted && exhausted <= 1))
		c->warn = c->critical = c->exhausted = 0;
}
static int
tide__states__states_by_use(const struct tide__states *s, const struct tide__states_look *look)
{
	double share = (double)look->used / (double)look->budget;
	int state = TIDE__STATES_EXHAUSTED;
	while (state > TIDE__STATES_OK && share < tide__states__states_enter(s, state))
		state--;
	return state;
}
static bool
tide__states__states_is_near(const struct tide__states_look *look)
{
	return look->rate > 0 && (look->used >= look->budget ||
	    (double)(look->budget - look->used) / look->rate < TIDE__STATES__STATES_NEAR_S);
}
static int
tide__states__states_by_others(struct tide__states *s, const struct tide__states_look *look)
{
	uint64_t until = look->now_ns + tide__states__states_dwell(s);
	int state;
	if (look->some >= TIDE__STATES__STATES_SOME)
		s->raised_ns[TIDE__STATES_WARNING] = until;
	if (look->full >= TIDE__STATES__STATES_FULL ||
	    (s->met && look->limit_events > s->limit_events))
		s->raised_ns[TIDE__STATES_CRITICAL] = until;
	if ((s->met && look->failed > s->failed) || look->lease_overrun)
		s->raised_ns[TIDE__STATES_EXHAUSTED] = until;
	for (state = TIDE__STATES_EXHAUSTED; state > TIDE__STATES_OK; state--)
		if (s->raised_ns[state] > look->now_ns)
			return state;
	return TIDE__STATES_OK;
}
static void
tide__states__states_fall(struct tide__states *s, const struct tide__states_look *look, int raised)
{
	double share = (double)look->used / (double)look->budget;
	if (raised >= s->state || share >= tide__states__states_leave(s, s->state)) {
		s->below_ns = 0;
		return;
	}
	if (s->below_ns == 0)
		s->below_ns = look->now_ns > 0 ? look->now_ns : 1;
	if (look->now_ns - s->below_ns >= tide__states__states_dwell(s)) {
		s->state--;
		s->below_ns = look->now_ns;
	}
}
static void
tide__states__states_turn_breaker(struct tide__states *s, uint64_t now_ns)
{
	if (s->state >= TIDE__STATES_CRITICAL) {
		if (s->breaker != TIDE__STATES_OPEN) {
			s->breaker = TIDE__STATES_OPEN;
			s->step = 0;
			s->open_ns = now_ns > 0 ? now_ns : 1;
		}
	} else if (s->breaker == TIDE__STATES_OPEN) {
		s->breaker = TIDE__STATES_HALF_OPEN;
		s->open_ns = 0;
		s->step = 0;
	}
}
static int
tide__states_step(struct tide__states *s, const struct tide__states_look *look)
{
	int by_use, raised;
	bool near;
	if (look->budget == 0) {
		struct tide__states_conf conf = s->conf;
		memset(s, 0, sizeof(*s));
		s->conf = conf;
		s->look = *look;
		return TIDE__STATES_OK;
	}
	by_use = tide__states__states_by_use(s, look);
	near = tide__states__states_is_near(look);
	raised = tide__states__states_by_others(s, look);
	if (near && by_use < TIDE__STATES_EXHAUSTED)
		by_use++;
	if (by_use > raised)
		raised = by_use;
	s->look = *look;
	s->failed = look->failed;
	s->limit_events = look->limit_events;
	s->met = true;
	s->predicted = near;
	if (raised > s->state) {
		s->state = raised;
		s->rises++;
		s->below_ns = 0;
	} else if (s->state > TIDE__STATES_OK) {
		tide__states__states_fall(s, look, raised);
	}
	tide__states__states_turn_breaker(s, look->now_ns);
	return s->state;
}
static bool
tide__states_cuts(const struct tide__states *s)
{
	return s->state >= TIDE__STATES_CRITICAL;
}
static bool
tide__states_aborts(const struct tide__states *s)
{
	return s->state >= TIDE__STATES_EXHAUSTED;
}
static void
tide__states_begun(struct tide__states *s)
{
	if (s->breaker == TIDE__STATES_HALF_OPEN)
		s->probing = true;
	s->open_ns = 0;
}
static void
tide__states_ended(struct tide__states *s, bool well)
{
	uint64_t now = s->look.now_ns > 0 ? s->look.now_ns : 1;
	if (s->probing && s->breaker == TIDE__STATES_HALF_OPEN) {
		s->breaker = well ? TIDE__STATES_CLOSED : TIDE__STATES_OPEN;
		s->step = 0;
	}
	s->probing = false;
	if (s->breaker == TIDE__STATES_OPEN)
		s->open_ns = now;
}
static void
tide__states__states_remedy(struct tide__states *s, const struct tide__states_wish *wish,
    struct tide__states_answer *a)
{
	double budget = (double)s->look.budget;
	double need = (double)wish->baseline + (double)wish->one;
	if (s->step == 0) {
		s->step = 1;
		a->verdict = TIDE__STATES_RECLAIM;
		return;
	}
	if (need <= TIDE__STATES__STATES_FITS * budget) {
		s->step = 2;
		a->verdict = TIDE__STATES_ONE_ITEM;
		return;
	}
	a->baseline = wish->baseline;
	a->one = wish->one;
	a->budget = s->look.budget;
	a->raise_to = (uint64_t)(need / TIDE__STATES__STATES_FITS * 1.05);
	a->grew = wish->baseline > wish->start &&
	    (double)(wish->baseline - wish->start) > 0.02 * budget;
	if (a->grew && wish->checkpoint &&
	    (double)wish->start + (double)wish->one <= TIDE__STATES__STATES_FITS * budget)
		a->verdict = TIDE__STATES_RECYCLE;
	else
		a->verdict = TIDE__STATES_NO_MEMORY;
}
static void
tide__states_ask(struct tide__states *s, const struct tide__states_wish *wish,
    struct tide__states_answer *a)
{
	uint64_t now = s->look.now_ns;
	memset(a, 0, sizeof(*a));
	if (s->breaker == TIDE__STATES_CLOSED) {
		a->verdict = TIDE__STATES_GO;
		return;
	}
	if (s->breaker == TIDE__STATES_HALF_OPEN && !s->probing) {
		a->verdict = TIDE__STATES_PROBE;
		return;
	}
	a->verdict = TIDE__STATES_WAIT;
	if (wish->in_flight || s->probing) {
		s->open_ns = 0;
		a->until_ns = now + tide__states__states_stall(s);
		return;
	}
	if (s->open_ns == 0)
		s->open_ns = now > 0 ? now : 1;
	if (now - s->open_ns < tide__states__states_stall(s) && s->step == 0) {
		a->until_ns = s->open_ns + tide__states__states_stall(s);
		if (s->below_ns != 0 &&
		    s->below_ns + tide__states__states_dwell(s) < a->until_ns &&
		    s->below_ns + tide__states__states_dwell(s) > now)
			a->until_ns = s->below_ns + tide__states__states_dwell(s);
		return;
	}
	tide__states__states_remedy(s, wish, a);
}
static double
tide__states__states_bucket(const struct tide__states *s, uint64_t now_ns)
{
	double left = s->bucket_ns;
	if (now_ns > s->bucket_at_ns)
		left -= TIDE__STATES__STATES_SHARE * (double)(now_ns - s->bucket_at_ns);
	return left > 0 ? left : 0;
}
static bool
tide__states_may_reclaim(const struct tide__states *s, uint64_t now_ns)
{
	return tide__states__states_bucket(s, now_ns) < TIDE__STATES__STATES_BUCKET_NS;
}
static void
tide__states_reclaimed(struct tide__states *s, uint64_t spent_ns, uint64_t now_ns)
{
	s->bucket_ns = tide__states__states_bucket(s, now_ns) + (double)spent_ns;
	s->bucket_at_ns = now_ns;
}
static bool
tide__states_recycle_pays(uint64_t budget, uint64_t baseline, uint64_t start)
{
	return (double)baseline >= 0.7 * (double)budget && baseline > start &&
	    (double)(baseline - start) >= 0.25 * (double)budget;
}
static const char *
tide__states_name(int state)
{
	static const char *const names[] = {
		"ok", "warning", "critical", "exhausted"
	};
	return state >= TIDE__STATES_OK && state <= TIDE__STATES_EXHAUSTED ?
	    names[state] : "unknown";
}
static const char *
tide__states_breaker_name(int breaker)
{
	static const char *const names[] = { "closed", "open", "half open" };
	return breaker >= TIDE__STATES_CLOSED && breaker <= TIDE__STATES_HALF_OPEN ?
	    names[breaker] : "unknown";
}
/* --- src/model/sizing.h */
#define TIDE__SIZING_KEPT   512
#define TIDE__SIZING_WEIGHED 128
#define TIDE__SIZING_POWERS 6
#define TIDE__SIZING_SAVED  64
#define TIDE__SIZING_HEAVY  2
enum tide__sizing_policy {
	TIDE__SIZING_LEARN,
	TIDE__SIZING_SEED,
	TIDE__SIZING_MEAN,
	TIDE__SIZING_FIXED
};
enum tide__sizing_model {
	TIDE__SIZING_AUTO,
	TIDE__SIZING_ADDITIVE,
	TIDE__SIZING_PADDED,
	TIDE__SIZING_VECTOR
};
struct tide__sizing_conf {
	double target;
	uint32_t initial;
	uint32_t min;
	uint32_t max;
	uint32_t fixed;
	int policy;
	int model;
};
struct tide__sizing_room {
	uint64_t budget;
	uint64_t used;
	uint64_t remaining;
	uint32_t knee;
	bool grow_allowed;
	bool probe;
};
enum tide__sizing_bound {
	TIDE__SIZING_BY_INITIAL,
	TIDE__SIZING_BY_MEMORY,
	TIDE__SIZING_BY_NEAR,
	TIDE__SIZING_BY_GROWTH,
	TIDE__SIZING_BY_OVERRUN,
	TIDE__SIZING_BY_FALLBACK,
	TIDE__SIZING_BY_KNEE,
	TIDE__SIZING_BY_MAX,
	TIDE__SIZING_BY_REMAINING,
	TIDE__SIZING_BY_STATE,
	TIDE__SIZING_BY_MIN
};
struct tide__sizing_plan {
	uint32_t n;
	int bound;
	uint64_t predicted;
	uint64_t line;
	uint64_t one;
};
struct tide__sizing_open_batch {
	double room;
	uint64_t sum, max;
	uint32_t n, most;
};
struct tide__sizing_batch {
	uint32_t n;
	bool cut;
	bool failed;
	uint64_t growth;
	uint64_t retained;
	uint64_t time_ns;
	uint64_t weight_sum, weight_max;
	uint64_t item_max;
	uint64_t budget, used;
};
struct tide__sizing_fit {
	double x, xx, xg;
	double a, c;
	double residual;
	double factor;
	double cusum;
};
struct tide__sizing_seen {
	float n, g;
	float power06;
	float root;
};
struct tide__sizing_heavy {
	float sum, padded;
	float g;
};
struct tide__sizing {
	struct tide__sizing_conf conf;
	uint64_t batches;
	uint32_t last;
	uint32_t failures;
	uint32_t failed_n;
	uint32_t loaded;
	double overrun_cap;
	double mean;
	double one;
	double worst;
	double weight, g, gg;
	double squares;
	struct tide__sizing_fit fit[TIDE__SIZING_POWERS];
	uint32_t count, next;
	struct tide__sizing_seen seen[TIDE__SIZING_KEPT];
	double heavy_weight, heavy_g, heavy_gg;
	struct tide__sizing_fit heavy_fit[TIDE__SIZING_HEAVY];
	double heavy_largest[TIDE__SIZING_HEAVY];
	uint32_t heavy_count, heavy_next;
	struct tide__sizing_heavy heavy[TIDE__SIZING_WEIGHED];
};
struct tide__sizing_saved {
	uint32_t version;
	uint32_t count, heavy_count;
	uint32_t reserved;
	double one;
	float n[TIDE__SIZING_SAVED], g[TIDE__SIZING_SAVED];
	float heavy_sum[TIDE__SIZING_SAVED / 2], heavy_padded[TIDE__SIZING_SAVED / 2];
	float heavy_g[TIDE__SIZING_SAVED / 2];
};
static void tide__sizing_open(struct tide__sizing *s, const struct tide__sizing_conf *conf);
static void tide__sizing_plan(const struct tide__sizing *s, const struct tide__sizing_room *room,
    struct tide__sizing_plan *plan);
static void tide__sizing_begin(const struct tide__sizing *s, const struct tide__sizing_room *room,
    const struct tide__sizing_plan *plan, struct tide__sizing_open_batch *open);
static int tide__sizing_item(const struct tide__sizing *s, struct tide__sizing_open_batch *open,
    uint64_t weight);
static void tide__sizing_learn(struct tide__sizing *s, const struct tide__sizing_batch *batch);
static uint64_t tide__sizing_predict(const struct tide__sizing *s, uint32_t n);
static void tide__sizing_save(const struct tide__sizing *s, struct tide__sizing_saved *saved);
static bool tide__sizing_load(struct tide__sizing *s, const struct tide__sizing_saved *saved);
/* --- src/model/sizing-fit.h */
#define TIDE__SIZING_FADE   0.985
#define TIDE__SIZING_WIDE   1.02
#define TIDE__SIZING_LOADED_WIDER 1.1
#define TIDE__SIZING_RECENT 64
static double tide__sizing_power(int i);
static void tide__sizing_powers(const struct tide__sizing_seen *seen, double x[TIDE__SIZING_POWERS]);
static const struct tide__sizing_seen *tide__sizing_before(const struct tide__sizing *s, uint32_t age);
static double tide__sizing_largest(const struct tide__sizing *s, uint32_t batches);
static void tide__sizing_add(struct tide__sizing_fit *f, double weight, double x, double g);
static void tide__sizing_solve(struct tide__sizing_fit *f, double weight, double g, double gg);
static double tide__sizing_at(const struct tide__sizing_fit *f, double x);
static double tide__sizing_margin(const struct tide__sizing *s, const struct tide__sizing_fit *f,
    double x);
static double tide__sizing_least_residual(const struct tide__sizing_fit *f, size_t count);
static bool tide__sizing_is_credible(const struct tide__sizing_fit *f, double least,
    double weight, uint32_t count);
static double tide__sizing_at_least(double factor, double deviations, double squares,
    double count);
static void tide__sizing_remember(struct tide__sizing *s, double n, double g, bool cut);
static double tide__sizing_batches(const struct tide__sizing *s);
static void tide__sizing_forget(struct tide__sizing *s, double left);
struct tide__sizing_bounds {
	double n;
	int bound;
};
static void tide__sizing_bound_by(struct tide__sizing_bounds *b, double n, int bound);
static void tide__sizing_by_others(const struct tide__sizing *s, const struct tide__sizing_room *room,
    struct tide__sizing_bounds *b);
static const struct tide__sizing_heavy *tide__sizing_heavy_before(const struct tide__sizing *s,
    uint32_t age);
static void tide__sizing_heavy_learn(struct tide__sizing *s, double sum, double padded, double g,
    bool over);
/* --- src/model/sizing-fit.c */
#define TIDE__SIZING_FIT__SIZING_CREDIBLE    6.0
#define TIDE__SIZING_FIT__SIZING_NOISE       1e-4
#define TIDE__SIZING_FIT__SIZING_FRESH       128
#define TIDE__SIZING_FIT__SIZING_STALE       384
#define TIDE__SIZING_FIT__SIZING_BELIEF      4.0
#define TIDE__SIZING_FIT__SIZING_BELIEVED    0.06
#define TIDE__SIZING_FIT__SIZING_DEVIATIONS  2.5
#define TIDE__SIZING_FIT__SIZING_CUSUM_SLACK 0.5
#define TIDE__SIZING_FIT__SIZING_CUSUM_LINE  4.0
static double
tide__sizing_power(int i)
{
	static const double power[TIDE__SIZING_POWERS] = {
		0.6, 1, 1.4, 2, 2.5, 3
	};
	return power[i];
}
static void
tide__sizing_powers(const struct tide__sizing_seen *seen, double x[TIDE__SIZING_POWERS])
{
	double n = seen->n;
	x[0] = seen->power06;
	x[1] = n;
	x[2] = n * n / x[0];
	x[3] = n * n;
	x[4] = n * n * seen->root;
	x[5] = n * n * n;
}
static const struct tide__sizing_seen *
tide__sizing_before(const struct tide__sizing *s, uint32_t age)
{
	return &s->seen[(s->next + TIDE__SIZING_KEPT - 1 - age) % TIDE__SIZING_KEPT];
}
static double
tide__sizing_largest(const struct tide__sizing *s, uint32_t batches)
{
	double largest = 0;
	uint32_t age;
	for (age = 0; age < s->count && age < batches; age++)
		if (tide__sizing_before(s, age)->n > largest)
			largest = tide__sizing_before(s, age)->n;
	return largest;
}
static void
tide__sizing_solve(struct tide__sizing_fit *f, double weight, double g, double gg)
{
	double determinant = gg * f->xx - f->x * f->x;
	double squares;
	if (determinant < 1e-9 * gg * f->xx) {
		f->a = 0;
		f->c = f->xg / f->xx;
	} else {
		f->c = (gg * f->xg - f->x * g) / determinant;
		f->a = (g - f->c * f->x) / gg;
	}
	if (f->a < 0) {
		f->a = 0;
		f->c = f->xg / f->xx;
	}
	if (f->c < 0) {
		f->c = 0;
		f->a = g / gg;
	}
	squares = weight - 2 * f->a * g - 2 * f->c * f->xg + f->a * f->a * gg +
	    2 * f->a * f->c * f->x + f->c * f->c * f->xx;
	f->residual = (squares > 0 ? squares / weight : 0) + TIDE__SIZING_FIT__SIZING_NOISE;
}
static void
tide__sizing_add(struct tide__sizing_fit *f, double weight, double x, double g)
{
	f->x = f->x * TIDE__SIZING_FADE + weight * x / (g * g);
	f->xx = f->xx * TIDE__SIZING_FADE + weight * x * x / (g * g);
	f->xg = f->xg * TIDE__SIZING_FADE + weight * x / g;
}
static double
tide__sizing_at(const struct tide__sizing_fit *f, double x)
{
	return f->a + f->c * x;
}
static bool
tide__sizing_fit__sizing_has_changed(struct tide__sizing_fit *f, double x, double g)
{
	double off = (g - tide__sizing_at(f, x)) /
	    (tide__sizing_at(f, x) * tide__numbers_root(f->residual));
	f->cusum += tide__numbers_within(off, -3, 3) - TIDE__SIZING_FIT__SIZING_CUSUM_SLACK;
	if (f->cusum < 0)
		f->cusum = 0;
	return f->cusum > TIDE__SIZING_FIT__SIZING_CUSUM_LINE;
}
static double
tide__sizing_batches(const struct tide__sizing *s)
{
	return s->squares > 0 ? s->weight * s->weight / s->squares : 0;
}
static void
tide__sizing_forget(struct tide__sizing *s, double left)
{
	double share = left / tide__sizing_batches(s);
	struct tide__sizing_fit *f;
	for (f = s->fit; f < s->fit + TIDE__SIZING_POWERS; f++)
		f->cusum = 0;
	if (share >= 1)
		return;
	s->weight *= share;
	s->squares *= share;
	s->g *= share;
	s->gg *= share;
	for (f = s->fit; f < s->fit + TIDE__SIZING_POWERS; f++) {
		f->x *= share;
		f->xx *= share;
		f->xg *= share;
	}
}
static double
tide__sizing_least_residual(const struct tide__sizing_fit *f, size_t count)
{
	double least = f->residual;
	size_t i;
	for (i = 1; i < count; i++)
		if (f[i].residual < least)
			least = f[i].residual;
	return least;
}
static bool
tide__sizing_is_credible(const struct tide__sizing_fit *f, double least, double weight,
    uint32_t count)
{
	return count <= 3 || f->residual <= least * (1 + TIDE__SIZING_FIT__SIZING_CREDIBLE /
	    (weight > 1 ? weight : 1));
}
static double
tide__sizing_at_least(double factor, double deviations, double squares, double count)
{
	double least = 1 + deviations * tide__numbers_root((squares +
	    TIDE__SIZING_FIT__SIZING_BELIEF * TIDE__SIZING_FIT__SIZING_BELIEVED * TIDE__SIZING_FIT__SIZING_BELIEVED) /
	    (count + TIDE__SIZING_FIT__SIZING_BELIEF));
	return factor > least ? factor : least;
}
static void
tide__sizing_fit__sizing_find_factors(struct tide__sizing *s)
{
	double x[TIDE__SIZING_POWERS], above[TIDE__SIZING_POWERS], squares[TIDE__SIZING_POWERS];
	double least = tide__sizing_largest(s, 8) / 4;
	double ratio, counted = 0, recent = 0;
	const struct tide__sizing_seen *seen;
	uint32_t age;
	int i;
	for (i = 0; i < TIDE__SIZING_POWERS; i++) {
		above[i] = 1;
		squares[i] = 0;
	}
	for (age = 0; age < s->count; age++) {
		seen = tide__sizing_before(s, age);
		if (seen->n < least)
			continue;
		counted++;
		recent += age < TIDE__SIZING_RECENT;
		tide__sizing_powers(seen, x);
		for (i = 0; i < TIDE__SIZING_POWERS; i++) {
			ratio = seen->g / tide__sizing_at(&s->fit[i], x[i]);
			if (age < TIDE__SIZING_RECENT)
				squares[i] += (ratio - 1) * (ratio - 1);
			if (ratio <= above[i])
				continue;
			if (age > TIDE__SIZING_FIT__SIZING_FRESH)
				ratio = tide__numbers_pow(ratio, tide__numbers_pow(0.5,
				    (double)(age - TIDE__SIZING_FIT__SIZING_FRESH) /
				    TIDE__SIZING_FIT__SIZING_STALE));
			if (ratio > above[i])
				above[i] = ratio;
		}
	}
	for (i = 0; i < TIDE__SIZING_POWERS; i++) {
		above[i] = 1 + (above[i] - 1) * (1 + 2 / (counted + 1));
		s->fit[i].factor = tide__sizing_at_least(above[i] * TIDE__SIZING_WIDE,
		    TIDE__SIZING_FIT__SIZING_DEVIATIONS, squares[i], recent);
	}
}
static double
tide__sizing_margin(const struct tide__sizing *s, const struct tide__sizing_fit *f, double x)
{
	return f->factor * tide__sizing_at(f, x) * (s->loaded > 0 ?
	    TIDE__SIZING_LOADED_WIDER : 1);
}
static void
tide__sizing_remember(struct tide__sizing *s, double n, double g, bool cut)
{
	double x[TIDE__SIZING_POWERS];
	struct tide__sizing_seen seen;
	bool changed = false;
	double least, weight;
	int i;
	seen.n = (float)n;
	seen.g = (float)g;
	seen.power06 = (float)tide__numbers_pow(n, 0.6);
	seen.root = (float)tide__numbers_root(n);
	tide__sizing_powers(&seen, x);
	if (s->count > 3) {
		least = tide__sizing_least_residual(s->fit, TIDE__SIZING_POWERS);
		for (i = 0; i < TIDE__SIZING_POWERS; i++)
			if (tide__sizing_fit__sizing_has_changed(&s->fit[i], x[i], g) &&
			    s->fit[i].residual <= least)
				changed = true;
		if (changed)
			tide__sizing_forget(s, 3);
	}
	if (!cut || s->count == 0) {
		s->seen[s->next] = seen;
		s->next = (s->next + 1) % TIDE__SIZING_KEPT;
		if (s->count < TIDE__SIZING_KEPT)
			s->count++;
	}
	weight = tide__numbers_root(n);
	s->weight = s->weight * TIDE__SIZING_FADE + weight;
	s->squares = s->squares * TIDE__SIZING_FADE * TIDE__SIZING_FADE + weight * weight;
	s->g = s->g * TIDE__SIZING_FADE + weight / g;
	s->gg = s->gg * TIDE__SIZING_FADE + weight / (g * g);
	for (i = 0; i < TIDE__SIZING_POWERS; i++) {
		tide__sizing_add(&s->fit[i], weight, x[i], g);
		tide__sizing_solve(&s->fit[i], s->weight, s->g, s->gg);
	}
	tide__sizing_fit__sizing_find_factors(s);
}
/* --- src/model/sizing-weights.c */
#define TIDE__SIZING_WEIGHTS__SIZING_HEAVY_HARD       0.95
#define TIDE__SIZING_WEIGHTS__SIZING_HEAVY_DEVIATIONS 3.6
static const struct tide__sizing_heavy *
tide__sizing_heavy_before(const struct tide__sizing *s, uint32_t age)
{
	return &s->heavy[(s->heavy_next + TIDE__SIZING_WEIGHED - 1 - age) %
	    TIDE__SIZING_WEIGHED];
}
static void
tide__sizing_begin(const struct tide__sizing *s, const struct tide__sizing_room *room,
    const struct tide__sizing_plan *plan, struct tide__sizing_open_batch *open)
{
	struct tide__sizing_bounds b = { 4294967295.0, TIDE__SIZING_BY_REMAINING };
	memset(open, 0, sizeof(*open));
	open->room = room->budget == 0 ? 1e30 : TIDE__SIZING_WEIGHTS__SIZING_HEAVY_HARD *
	    (double)room->budget - (double)room->used;
	tide__sizing_by_others(s, room, &b);
	if (s->conf.policy != TIDE__SIZING_LEARN || s->conf.fixed > 0 ||
	    s->heavy_count == 0)
		tide__sizing_bound_by(&b, plan->n, TIDE__SIZING_BY_INITIAL);
	if (room->remaining < 4294967295)
		tide__sizing_bound_by(&b, (double)room->remaining,
		    TIDE__SIZING_BY_REMAINING);
	open->most = (uint32_t)tide__numbers_whole(b.n, UINT32_MAX);
	if (open->most == 0)
		open->most = 1;
}
static bool
tide__sizing_weights__sizing_heavy_fits(const struct tide__sizing *s, int kind, double x, double room)
{
	if (x > 2 * s->heavy_largest[kind])
		return false;
	return tide__sizing_margin(s, &s->heavy_fit[kind], x) <= room;
}
static bool
tide__sizing_weights__sizing_heavy_counts(const struct tide__sizing *s, int kind)
{
	if (s->conf.model == TIDE__SIZING_ADDITIVE)
		return kind == 0;
	if (s->conf.model == TIDE__SIZING_PADDED)
		return kind == 1;
	return tide__sizing_is_credible(&s->heavy_fit[kind],
	    tide__sizing_least_residual(s->heavy_fit, TIDE__SIZING_HEAVY),
	    s->heavy_weight, s->heavy_count);
}
static int
tide__sizing_item(const struct tide__sizing *s, struct tide__sizing_open_batch *open,
    uint64_t weight)
{
	uint64_t sum = open->sum + weight;
	uint64_t max = weight > open->max ? weight : open->max;
	double x[TIDE__SIZING_HEAVY];
	int kind;
	if (sum < weight)
		sum = UINT64_MAX;
	x[0] = (double)sum;
	x[1] = (double)(open->n + 1) * (double)max;
	if (open->n > 0) {
		if (open->n >= open->most)
			return 0;
		for (kind = 0; s->heavy_count > 0 && kind < TIDE__SIZING_HEAVY;
		    kind++)
			if (tide__sizing_weights__sizing_heavy_counts(s, kind) &&
			    !tide__sizing_weights__sizing_heavy_fits(s, kind, x[kind], open->room))
				return 0;
	}
	open->sum = sum;
	open->max = max;
	open->n++;
	return 1;
}
static void
tide__sizing_weights__sizing_heavy_factors(struct tide__sizing *s)
{
	double counted, above, ratio, x, least, squares;
	const struct tide__sizing_heavy *h;
	uint32_t age;
	int kind;
	for (kind = 0; kind < TIDE__SIZING_HEAVY; kind++) {
		h = tide__sizing_heavy_before(s, 0);
		least = (double)(kind == 0 ? h->sum : h->padded) / 4;
		counted = squares = 0;
		above = 1;
		for (age = 0; age < s->heavy_count; age++) {
			h = tide__sizing_heavy_before(s, age);
			x = kind == 0 ? h->sum : h->padded;
			if (x < least)
				continue;
			counted++;
			ratio = h->g / tide__sizing_at(&s->heavy_fit[kind], x);
			squares += (ratio - 1) * (ratio - 1);
			if (ratio > above)
				above = ratio;
		}
		above = 1 + (above - 1) * (1 + 2 / (counted + 1));
		s->heavy_fit[kind].factor = tide__sizing_at_least(above *
		    TIDE__SIZING_WIDE, TIDE__SIZING_WEIGHTS__SIZING_HEAVY_DEVIATIONS, squares, counted);
	}
}
static void
tide__sizing_heavy_learn(struct tide__sizing *s, double sum, double padded, double g,
    bool over)
{
	struct tide__sizing_heavy *h = &s->heavy[s->heavy_next];
	double x[TIDE__SIZING_HEAVY], *largest = s->heavy_largest;
	int kind;
	h->sum = (float)sum;
	h->padded = (float)padded;
	h->g = (float)g;
	s->heavy_next = (s->heavy_next + 1) % TIDE__SIZING_WEIGHED;
	if (s->heavy_count < TIDE__SIZING_WEIGHED)
		s->heavy_count++;
	s->heavy_weight = s->heavy_weight * TIDE__SIZING_FADE + 1;
	s->heavy_g = s->heavy_g * TIDE__SIZING_FADE + 1 / g;
	s->heavy_gg = s->heavy_gg * TIDE__SIZING_FADE + 1 / (g * g);
	x[0] = sum;
	x[1] = padded;
	for (kind = 0; kind < TIDE__SIZING_HEAVY; kind++) {
		tide__sizing_add(&s->heavy_fit[kind], 1, x[kind], g);
		tide__sizing_solve(&s->heavy_fit[kind], s->heavy_weight, s->heavy_g,
		    s->heavy_gg);
		largest[kind] *= 0.99;
		if (x[kind] > largest[kind])
			largest[kind] = x[kind];
		if (over && largest[kind] > 0.35 * x[kind])
			largest[kind] = 0.35 * x[kind];
	}
	tide__sizing_weights__sizing_heavy_factors(s);
}
/* --- src/model/sizing-save.c */
#define TIDE__SIZING_SAVE__SIZING_VERSION 1
#define TIDE__SIZING_SAVE__SIZING_LOADED  32
static void
tide__sizing_save(const struct tide__sizing *s, struct tide__sizing_saved *saved)
{
	uint32_t age, at;
	memset(saved, 0, sizeof(*saved));
	saved->version = TIDE__SIZING_SAVE__SIZING_VERSION;
	saved->one = s->one;
	saved->count = s->count < TIDE__SIZING_SAVED ? s->count : TIDE__SIZING_SAVED;
	for (age = 0; age < saved->count; age++) {
		at = saved->count - 1 - age;
		saved->n[at] = tide__sizing_before(s, age)->n;
		saved->g[at] = tide__sizing_before(s, age)->g;
	}
	saved->heavy_count = s->heavy_count < TIDE__SIZING_SAVED / 2 ?
	    s->heavy_count : TIDE__SIZING_SAVED / 2;
	for (age = 0; age < saved->heavy_count; age++) {
		const struct tide__sizing_heavy *h = tide__sizing_heavy_before(s, age);
		at = saved->heavy_count - 1 - age;
		saved->heavy_sum[at] = h->sum;
		saved->heavy_padded[at] = h->padded;
		saved->heavy_g[at] = h->g;
	}
}
static bool
tide__sizing_save__sizing_is_sane(const float *value, uint32_t count)
{
	uint32_t i;
	for (i = 0; i < count; i++)
		if (!(value[i] >= 1 && value[i] < 1e18f))
			return false;
	return true;
}
static bool
tide__sizing_load(struct tide__sizing *s, const struct tide__sizing_saved *saved)
{
	uint32_t i;
	if (saved->version != TIDE__SIZING_SAVE__SIZING_VERSION || saved->count > TIDE__SIZING_SAVED ||
	    saved->heavy_count > TIDE__SIZING_SAVED / 2 ||
	    !tide__sizing_save__sizing_is_sane(saved->n, saved->count) ||
	    !tide__sizing_save__sizing_is_sane(saved->g, saved->count) ||
	    !tide__sizing_save__sizing_is_sane(saved->heavy_sum, saved->heavy_count) ||
	    !tide__sizing_save__sizing_is_sane(saved->heavy_padded, saved->heavy_count) ||
	    !tide__sizing_save__sizing_is_sane(saved->heavy_g, saved->heavy_count) ||
	    !(saved->one >= 0 && saved->one < 1e18))
		return false;
	for (i = 0; i < saved->count; i++)
		tide__sizing_remember(s, saved->n[i], saved->g[i], false);
	for (i = 0; i < saved->heavy_count; i++)
		tide__sizing_heavy_learn(s, saved->heavy_sum[i],
		    saved->heavy_padded[i], saved->heavy_g[i], false);
	if (s->count > 0)
		tide__sizing_forget(s, tide__sizing_batches(s) / 4);
	s->one = saved->one;
	s->loaded = TIDE__SIZING_SAVE__SIZING_LOADED;
	return true;
}
/* --- src/model/sizing.c */
#define TIDE__SIZING__SIZING_TARGET      0.90
#define TIDE__SIZING__SIZING_TARGET_MEAN 0.60
#define TIDE__SIZING__SIZING_TARGET_MOST 0.98
#define TIDE__SIZING__SIZING_HARD        0.99
#define TIDE__SIZING__SIZING_HARD_WIDER  1.06
#define TIDE__SIZING__SIZING_ITEM_HARD   0.98
#define TIDE__SIZING__SIZING_OVERRUN     0.95
static double
tide__sizing__sizing_target(const struct tide__sizing_conf *conf)
{
	if (conf->target > 0)
		return conf->target;
	return conf->policy == TIDE__SIZING_MEAN ? TIDE__SIZING__SIZING_TARGET_MEAN :
	    TIDE__SIZING__SIZING_TARGET;
}
static uint32_t
tide__sizing__sizing_initial(const struct tide__sizing_conf *conf)
{
	uint32_t n = conf->initial > 0 ? conf->initial : 1;
	return n < conf->min ? conf->min : n;
}
static void
tide__sizing_open(struct tide__sizing *s, const struct tide__sizing_conf *conf)
{
	struct tide__sizing_conf *c = &s->conf;
	memset(s, 0, sizeof(*s));
	if (conf == NULL)
		return;
	*c = *conf;
	if (!(c->target > 0))
		c->target = 0;
	if (c->target > TIDE__SIZING__SIZING_TARGET_MOST)
		c->target = TIDE__SIZING__SIZING_TARGET_MOST;
	if (c->max > 0 && c->max < c->min)
		c->max = c->min;
	if (c->max > 0 && c->initial > c->max)
		c->initial = c->max;
	if (c->policy == TIDE__SIZING_FIXED && c->fixed == 0)
		c->fixed = tide__sizing__sizing_initial(c);
}
static void
tide__sizing_bound_by(struct tide__sizing_bounds *b, double n, int bound)
{
	if (n < b->n) {
		b->n = n;
		b->bound = bound;
	}
}
static double
tide__sizing__sizing_invert(const struct tide__sizing_fit *f, double power, double room)
{
	if (room <= f->a)
		return 0;
	if (f->c * 1e9 < room - f->a)
		return 1e9;
	room = (room - f->a) / f->c;
	return power > 1 || power < 1 ? tide__numbers_pow(room, 1 / power) : room;
}
static double
tide__sizing__sizing_by_fits(const struct tide__sizing *s, double soft, double hard)
{
	double least = tide__sizing_least_residual(s->fit, TIDE__SIZING_POWERS);
	double n = 1e9, fits, room;
	int i;
	room = hard / TIDE__SIZING__SIZING_HARD_WIDER;
	if (soft < room)
		room = soft;
	if (s->loaded > 0)
		room /= TIDE__SIZING_LOADED_WIDER;
	for (i = 0; i < TIDE__SIZING_POWERS; i++) {
		if (!tide__sizing_is_credible(&s->fit[i], least, tide__sizing_batches(s),
		    s->count))
			continue;
		fits = tide__sizing__sizing_invert(&s->fit[i], tide__sizing_power(i),
		    room / s->fit[i].factor);
		if (fits < n)
			n = fits;
	}
	return n;
}
static double
tide__sizing__sizing_by_exploring(const struct tide__sizing *s, double soft, double hard)
{
	double largest = tide__sizing_largest(s, TIDE__SIZING_RECENT);
	double step = largest >= 8 ? largest * 1.125 : largest + 1;
	double least = tide__sizing_least_residual(s->fit, TIDE__SIZING_POWERS);
	double worst = 0, g;
	const struct tide__sizing_seen *seen;
	uint32_t age;
	int i;
	for (age = 0; age < s->count && age < 16; age++) {
		seen = tide__sizing_before(s, age);
		g = seen->g * (seen->n < step ? step / seen->n : 1);
		if (g > worst)
			worst = g;
	}
	if (worst * 1.05 >= soft)
		return 0;
	for (i = 0; i < TIDE__SIZING_POWERS; i++)
		if (tide__sizing_is_credible(&s->fit[i], least, tide__sizing_batches(s),
		    s->count) && s->fit[i].factor * tide__sizing_at(&s->fit[i],
		    tide__numbers_pow(step, tide__sizing_power(i))) < hard)
			return step;
	return 0;
}
static double
tide__sizing__sizing_by_envelope(const struct tide__sizing *s, double soft)
{
	double least = tide__sizing_least_residual(s->fit, TIDE__SIZING_POWERS);
	double above[TIDE__SIZING_POWERS], x[TIDE__SIZING_POWERS];
	double n = 1e9, fits, ratio;
	const struct tide__sizing_fit *f;
	const struct tide__sizing_seen *seen;
	uint32_t age;
	int i;
	for (i = 0; i < TIDE__SIZING_POWERS; i++)
		above[i] = 0;
	for (age = 0; age < s->count; age++) {
		seen = tide__sizing_before(s, age);
		if (seen->g < 0.5 * soft)
			continue;
		tide__sizing_powers(seen, x);
		for (i = 0; i < TIDE__SIZING_POWERS; i++) {
			ratio = seen->g / tide__sizing_at(&s->fit[i], x[i]);
			if (ratio > above[i])
				above[i] = ratio;
		}
	}
	for (i = 0; i < TIDE__SIZING_POWERS; i++) {
		f = &s->fit[i];
		if (!(above[i] > 0) || !tide__sizing_is_credible(f, least,
		    tide__sizing_batches(s), s->count))
			continue;
		fits = tide__sizing__sizing_invert(f, tide__sizing_power(i),
		    soft / (1.02 * above[i]));
		if (fits < n)
			n = fits;
	}
	return n;
}
static void
tide__sizing__sizing_by_learning(const struct tide__sizing *s, const struct tide__sizing_room *room,
    struct tide__sizing_bounds *b)
{
	double budget = (double)room->budget, used = (double)room->used;
	double soft = tide__sizing__sizing_target(&s->conf) * budget - used;
	double hard = TIDE__SIZING__SIZING_HARD * budget - used;
	double n;
	if (s->count == 0) {
		tide__sizing_bound_by(b, tide__sizing__sizing_initial(&s->conf),
		    TIDE__SIZING_BY_INITIAL);
		return;
	}
	if (room->budget == 0)
		soft = hard = 1e30;
	if (soft <= 0) {
		tide__sizing_bound_by(b, 0, TIDE__SIZING_BY_MEMORY);
		return;
	}
	n = tide__sizing__sizing_by_fits(s, soft, hard);
	if (n < tide__sizing_largest(s, TIDE__SIZING_RECENT) + 1 || n < 8) {
		double step = tide__sizing__sizing_by_exploring(s, soft, hard);
		if (step > n)
			n = step;
	}
	tide__sizing_bound_by(b, n, TIDE__SIZING_BY_MEMORY);
	tide__sizing_bound_by(b, tide__sizing__sizing_by_envelope(s, soft), TIDE__SIZING_BY_NEAR);
	tide__sizing_bound_by(b, 2 * tide__sizing_largest(s, TIDE__SIZING_RECENT),
	    TIDE__SIZING_BY_GROWTH);
	if (s->overrun_cap > 0)
		tide__sizing_bound_by(b, s->overrun_cap, TIDE__SIZING_BY_OVERRUN);
}
static void
tide__sizing__sizing_by_mean(const struct tide__sizing *s, const struct tide__sizing_room *room,
    struct tide__sizing_bounds *b)
{
	double left = tide__sizing__sizing_target(&s->conf) * (double)room->budget -
	    (double)room->used;
	if (s->batches == 0)
		tide__sizing_bound_by(b, tide__sizing__sizing_initial(&s->conf),
		    TIDE__SIZING_BY_INITIAL);
	else if (s->mean > 0)
		tide__sizing_bound_by(b, left > 0 ? left / s->mean : 0,
		    TIDE__SIZING_BY_MEMORY);
}
static void
tide__sizing__sizing_by_table(const struct tide__sizing *s, const struct tide__sizing_room *room,
    struct tide__sizing_bounds *b)
{
	double used = (double)room->used, budget = (double)room->budget;
	double large = s->conf.max > 0 ? s->conf.max : 5;
	double small = s->conf.min > 0 ? s->conf.min : 1;
	tide__sizing_bound_by(b, used < 0.5 * budget || room->budget == 0 ? large :
	    used < 0.75 * budget ? small : 0, TIDE__SIZING_BY_STATE);
}
static void
tide__sizing_by_others(const struct tide__sizing *s, const struct tide__sizing_room *room,
    struct tide__sizing_bounds *b)
{
	if (s->conf.max > 0)
		tide__sizing_bound_by(b, s->conf.max, TIDE__SIZING_BY_MAX);
	if (room->knee > 0)
		tide__sizing_bound_by(b, room->knee, TIDE__SIZING_BY_KNEE);
	if (!room->grow_allowed && s->last > 0)
		tide__sizing_bound_by(b, s->last, TIDE__SIZING_BY_STATE);
	if (room->probe)
		tide__sizing_bound_by(b, s->conf.min > 0 ? s->conf.min : 1,
		    TIDE__SIZING_BY_STATE);
	if (s->failures > 0)
		tide__sizing_bound_by(b, s->failures > 15 ? 1 :
		    s->failed_n >> (2 * s->failures), TIDE__SIZING_BY_FALLBACK);
}
static uint32_t
tide__sizing__sizing_choose(const struct tide__sizing *s, const struct tide__sizing_room *room,
    int *bound)
{
	struct tide__sizing_bounds b = { 4294967295.0, TIDE__SIZING_BY_REMAINING };
	const struct tide__sizing_conf *conf = &s->conf;
	uint32_t least = conf->min > 0 ? conf->min : 1;
	if (conf->fixed > 0)
		tide__sizing_bound_by(&b, conf->fixed, TIDE__SIZING_BY_MAX);
	else if (conf->policy == TIDE__SIZING_SEED)
		tide__sizing__sizing_by_table(s, room, &b);
	else if (conf->policy == TIDE__SIZING_MEAN)
		tide__sizing__sizing_by_mean(s, room, &b);
	else
		tide__sizing__sizing_by_learning(s, room, &b);
	if (b.n > 0 || conf->policy != TIDE__SIZING_SEED) {
		tide__sizing_by_others(s, room, &b);
		if (s->failures > 0)
			least = 1;
		if (b.n < least) {
			b.n = least;
			b.bound = TIDE__SIZING_BY_MIN;
		}
	}
	if (room->remaining < 4294967295)
		tide__sizing_bound_by(&b, (double)room->remaining,
		    TIDE__SIZING_BY_REMAINING);
	*bound = b.bound;
	return (uint32_t)tide__numbers_whole(b.n, UINT32_MAX);
}
static uint64_t
tide__sizing_predict(const struct tide__sizing *s, uint32_t n)
{
	double least, most = 0, g;
	int i;
	if (s->count == 0 || n == 0)
		return 0;
	least = tide__sizing_least_residual(s->fit, TIDE__SIZING_POWERS);
	for (i = 0; i < TIDE__SIZING_POWERS; i++) {
		if (!tide__sizing_is_credible(&s->fit[i], least, tide__sizing_batches(s),
		    s->count))
			continue;
		g = tide__sizing_margin(s, &s->fit[i], tide__numbers_pow(n,
		    tide__sizing_power(i)));
		if (g > most)
			most = g;
	}
	return tide__numbers_whole(most, UINT64_MAX / 2);
}
static double
tide__sizing__sizing_one(const struct tide__sizing *s, uint32_t n)
{
	double most = 0, least, g;
	int i;
	if (s->one > 0 || s->count == 0)
		return s->one;
	least = tide__sizing_least_residual(s->fit, TIDE__SIZING_POWERS);
	for (i = 0; i < TIDE__SIZING_POWERS; i++) {
		if (!tide__sizing_is_credible(&s->fit[i], least, tide__sizing_batches(s),
		    s->count))
			continue;
		g = s->fit[i].factor * s->fit[i].c *
		    (tide__numbers_pow(n, tide__sizing_power(i)) -
		    tide__numbers_pow(n - 1, tide__sizing_power(i)));
		if (g > most)
			most = g;
	}
	return most;
}
static double
tide__sizing__sizing_line(const struct tide__sizing *s, const struct tide__sizing_room *room, double one)
{
	double budget = (double)room->budget, used = (double)room->used;
	double line = tide__sizing__sizing_target(&s->conf) * budget;
	double worst = s->worst > one ? s->worst : one;
	double last = TIDE__SIZING__SIZING_ITEM_HARD * budget - worst;
	double least = used + (TIDE__SIZING__SIZING_ITEM_HARD * budget - used) / 4;
	if (last < least)
		last = least;
	return last < line ? last : line;
}
static void
tide__sizing_plan(const struct tide__sizing *s, const struct tide__sizing_room *room,
    struct tide__sizing_plan *plan)
{
	double one, line;
	memset(plan, 0, sizeof(*plan));
	plan->n = tide__sizing__sizing_choose(s, room, &plan->bound);
	plan->predicted = tide__sizing_predict(s, plan->n);
	one = tide__sizing__sizing_one(s, plan->n > 0 ? plan->n : 1);
	plan->one = tide__numbers_whole(one, UINT64_MAX / 2);
	line = tide__sizing__sizing_line(s, room, one);
	plan->line = s->conf.model == TIDE__SIZING_VECTOR || room->budget == 0 ?
	    UINT64_MAX : tide__numbers_whole(line, UINT64_MAX / 2);
}
static void
tide__sizing__sizing_learn_overrun(struct tide__sizing *s, double n, double g, double budget)
{
	double cap = n * 0.9 * 0.8 * budget / g;
	if (cap > 0.7 * n)
		cap = 0.7 * n;
	if (cap < 1)
		cap = 1;
	if (!(s->overrun_cap > 0) || cap < s->overrun_cap)
		s->overrun_cap = cap;
}
static void
tide__sizing__sizing_learn_one(struct tide__sizing *s, double item)
{
	s->worst *= (1 - 1.0 / 256);
	if (item > s->worst)
		s->worst = item;
	if (s->one > 0 && item > 4 * s->one)
		item = 4 * s->one;
	s->one = s->one > 0 ? s->one + (item - s->one) / 8 : item;
}
static void
tide__sizing__sizing_learn_mean(struct tide__sizing *s, const struct tide__sizing_batch *batch)
{
	double mean = (double)batch->growth / batch->n;
	s->mean = s->mean > 0 ? 0.8 * s->mean + 0.2 * mean : mean;
	if (batch->failed)
		s->mean *= 1.5;
}
static void
tide__sizing_learn(struct tide__sizing *s, const struct tide__sizing_batch *batch)
{
	double n = batch->n, g = (double)batch->growth;
	double budget = (double)batch->budget;
	bool over = batch->failed || (batch->budget > 0 &&
	    g + (double)batch->used > TIDE__SIZING__SIZING_OVERRUN * budget);
	if (batch->n == 0)
		return;
	s->batches++;
	tide__sizing__sizing_learn_mean(s, batch);
	if (batch->failed)
		g *= 1.1;
	if (g < 4096)
		g = 4096;
	if (s->loaded > 0)
		s->loaded--;
	if (s->overrun_cap > 0)
		s->overrun_cap *= 1.03;
	if (s->overrun_cap > 1e6)
		s->overrun_cap = 0;
	tide__sizing_remember(s, n, g, batch->cut && !batch->failed);
	if (batch->item_max > 0)
		tide__sizing__sizing_learn_one(s, (double)batch->item_max);
	if (over)
		tide__sizing__sizing_learn_overrun(s, n, g, budget > 0 ? budget : g);
	if (batch->weight_sum > 0)
		tide__sizing_heavy_learn(s, (double)batch->weight_sum,
		    n * (double)batch->weight_max, g, over);
	if (batch->failed) {
		if (s->failures++ == 0)
			s->failed_n = batch->n;
	} else {
		s->failures = 0;
		s->last = batch->n;
	}
}
/* --- src/model/knee.h */
#define TIDE__KNEE_BINS 48
#define TIDE__KNEE_KEPT 5
struct tide__knee_bin {
	float ns[TIDE__KNEE_KEPT];
	uint32_t measured;
	float spent_ns;
};
struct tide__knee {
	struct tide__knee_bin bin[TIDE__KNEE_BINS];
	int phase;
	uint32_t now;
	uint32_t used;
	uint32_t slower;
	uint32_t top;
	uint32_t changed;
	uint32_t since;
	uint32_t probes;
	float since_ns;
	float settled_ns;
};
struct tide__knee_report {
	uint32_t n;
	uint32_t largest;
	double ns;
	double largest_ns;
	bool settled;
};
static void tide__knee_open(struct tide__knee *k);
static uint32_t tide__knee_cap(const struct tide__knee *k);
static void tide__knee_learn(struct tide__knee *k, uint32_t n, uint64_t ns, bool bounded);
static void tide__knee_read(const struct tide__knee *k, struct tide__knee_report *report);
/* --- src/model/knee.c */
#define TIDE__KNEE__KNEE_AS_FAST   1.02f
#define TIDE__KNEE__KNEE_FASTER    0.97f
#define TIDE__KNEE__KNEE_FASTER_FAR 0.80f
#define TIDE__KNEE__KNEE_SLOWER    1.10f
#define TIDE__KNEE__KNEE_SLOWER_FAR 1.50f
#define TIDE__KNEE__KNEE_CHANGED   1.25f
#define TIDE__KNEE__KNEE_LASTS     12
#define TIDE__KNEE__KNEE_UNCERTAIN 0.35
#define TIDE__KNEE__KNEE_RAMP      3
#define TIDE__KNEE__KNEE_AGAIN     64
#define TIDE__KNEE__KNEE_NS        50e6f
#define TIDE__KNEE__KNEE_REACH     2
enum tide__knee__knee_phase {
	TIDE__KNEE__KNEE_RAMPING,
	TIDE__KNEE__KNEE_SEARCHING,
	TIDE__KNEE__KNEE_SETTLED,
	TIDE__KNEE__KNEE_PROBING
};
static uint32_t
tide__knee__knee_size(uint32_t bin)
{
	uint32_t octave = bin / 2;
	return bin % 2 == 0 ? UINT32_C(1) << octave :
	    octave == 0 ? 1 : UINT32_C(3) << (octave - 1);
}
static uint32_t
tide__knee__knee_bin_of(uint32_t n)
{
	uint32_t octave = tide__numbers_log2(n);
	uint32_t bin = 2 * octave;
	if (octave > 0 && n >= UINT32_C(3) << (octave - 1))
		bin++;
	return bin < TIDE__KNEE_BINS ? bin : TIDE__KNEE_BINS - 1;
}
static uint32_t
tide__knee__knee_top(const struct tide__knee *k)
{
	return k->top > 0 ? k->top - 1 : TIDE__KNEE_BINS - 1;
}
static float
tide__knee__knee_ns(const struct tide__knee_bin *b)
{
	uint32_t count = b->measured < TIDE__KNEE_KEPT ? b->measured : TIDE__KNEE_KEPT;
	float sorted[TIDE__KNEE_KEPT], v;
	uint32_t i, j;
	if (count == 0)
		return 0;
	for (i = 0; i < count; i++) {
		v = b->ns[i];
		for (j = i; j > 0 && sorted[j - 1] > v; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = v;
	}
	return sorted[(count - 1) / 2];
}
static float
tide__knee__knee_least_ns(const struct tide__knee_bin *b)
{
	uint32_t count = b->measured < TIDE__KNEE_KEPT ? b->measured : TIDE__KNEE_KEPT;
	float least = b->ns[0];
	uint32_t i;
	for (i = 1; i < count; i++)
		if (b->ns[i] < least)
			least = b->ns[i];
	return least;
}
static void
tide__knee__knee_measure(struct tide__knee_bin *b, float ns, float spent_ns)
{
	b->ns[b->measured % TIDE__KNEE_KEPT] = ns;
	b->measured++;
	b->spent_ns += spent_ns;
}
static bool
tide__knee__knee_is_known(const struct tide__knee_bin *b)
{
	return b->measured >= TIDE__KNEE_KEPT ||
	    (b->measured > 0 && b->spent_ns >= TIDE__KNEE__KNEE_NS);
}
static uint32_t
tide__knee__knee_fastest_below(const struct tide__knee *k, uint32_t end)
{
	uint32_t best = TIDE__KNEE_BINS, bin;
	for (bin = 0; bin < end; bin++)
		if (k->bin[bin].measured > 0 && (best == TIDE__KNEE_BINS ||
		    tide__knee__knee_ns(&k->bin[bin]) < tide__knee__knee_ns(&k->bin[best])))
			best = bin;
	return best;
}
static uint32_t
tide__knee__knee_fastest(const struct tide__knee *k)
{
	return tide__knee__knee_fastest_below(k, tide__knee__knee_top(k) + 1);
}
static uint32_t
tide__knee__knee_smallest_as_fast(const struct tide__knee *k, uint32_t best)
{
	float most = tide__knee__knee_ns(&k->bin[best]) * TIDE__KNEE__KNEE_AS_FAST;
	uint32_t bin;
	for (bin = 0; bin < best; bin++)
		if (k->bin[bin].measured > 0 && tide__knee__knee_ns(&k->bin[bin]) <= most)
			return bin;
	return best;
}
static void
tide__knee__knee_settle(struct tide__knee *k, uint32_t best)
{
	k->phase = TIDE__KNEE__KNEE_SETTLED;
	k->used = tide__knee__knee_smallest_as_fast(k, best);
	k->settled_ns = tide__knee__knee_ns(&k->bin[k->used]);
	k->since = 0;
	k->since_ns = 0;
	k->now = k->used;
}
static double
tide__knee__knee_hope(const struct tide__knee *k, uint32_t bin, uint32_t best)
{
	const struct tide__knee_bin *b = &k->bin[bin];
	if (b->measured == 0)
		return tide__knee__knee_ns(&k->bin[best]) * 0.80;
	return tide__knee__knee_ns(b) * (1 - TIDE__KNEE__KNEE_UNCERTAIN /
	    tide__numbers_root(b->measured < TIDE__KNEE_KEPT ? b->measured : TIDE__KNEE_KEPT));
}
static void
tide__knee__knee_search(struct tide__knee *k)
{
	uint32_t best = tide__knee__knee_fastest(k), bin, next;
	uint32_t from, to;
	if (best == TIDE__KNEE_BINS)
		return;
	k->phase = TIDE__KNEE__KNEE_SEARCHING;
	from = best > TIDE__KNEE__KNEE_REACH ? best - TIDE__KNEE__KNEE_REACH : 0;
	to = best + TIDE__KNEE__KNEE_REACH < tide__knee__knee_top(k) ? best + TIDE__KNEE__KNEE_REACH : tide__knee__knee_top(k);
	next = best;
	for (bin = from; bin <= to; bin++)
		if (bin != 1 && tide__knee__knee_hope(k, bin, best) <
		    tide__knee__knee_hope(k, next, best))
			next = bin;
	if (tide__knee__knee_is_known(&k->bin[next]))
		tide__knee__knee_settle(k, best);
	else
		k->now = next;
}
static void
tide__knee__knee_ramp(struct tide__knee *k)
{
	const struct tide__knee_bin *b = &k->bin[k->now];
	uint32_t best = tide__knee__knee_fastest_below(k, k->now);
	float ratio = best == TIDE__KNEE_BINS ? 0 :
	    tide__knee__knee_ns(b) / tide__knee__knee_ns(&k->bin[best]);
	if (ratio >= TIDE__KNEE__KNEE_FASTER_FAR && b->spent_ns < TIDE__KNEE__KNEE_NS &&
	    b->measured < (ratio > TIDE__KNEE__KNEE_SLOWER ? 2 : TIDE__KNEE__KNEE_RAMP))
		return;
	k->slower = ratio < TIDE__KNEE__KNEE_FASTER ? 0 : k->slower +
	    (ratio > TIDE__KNEE__KNEE_SLOWER_FAR ? 4 : ratio > TIDE__KNEE__KNEE_SLOWER ? 2 : 1);
	if (k->slower >= 4 || k->now + 2 > tide__knee__knee_top(k))
		tide__knee__knee_search(k);
	else
		k->now = k->now + 2;
}
static void
tide__knee__knee_probe(struct tide__knee *k)
{
	uint32_t bin = k->used;
	k->since = 0;
	k->since_ns = 0;
	if (k->probes++ % 2 == 0)
		bin += bin == 0 ? 2 : 1;
	else
		bin -= bin == 2 ? 2 : bin == 0 ? 0 : 1;
	if (bin == k->used || bin > tide__knee__knee_top(k))
		return;
	k->bin[bin].measured = 0;
	k->bin[bin].spent_ns = 0;
	k->phase = TIDE__KNEE__KNEE_PROBING;
	k->now = bin;
}
static void
tide__knee__knee_look_back(struct tide__knee *k)
{
	const struct tide__knee_bin *b = &k->bin[k->now];
	if (b->measured < 2 && b->spent_ns < TIDE__KNEE__KNEE_NS)
		return;
	if (tide__knee__knee_ns(b) < tide__knee__knee_ns(&k->bin[k->used]) * TIDE__KNEE__KNEE_FASTER) {
		tide__knee__knee_search(k);
		return;
	}
	k->phase = TIDE__KNEE__KNEE_SETTLED;
	k->now = k->used;
}
static void
tide__knee__knee_rest(struct tide__knee *k, float spent_ns)
{
	uint32_t bin;
	k->changed = tide__knee__knee_least_ns(&k->bin[k->used]) > k->settled_ns *
	    TIDE__KNEE__KNEE_CHANGED ? k->changed + 1 : 0;
	if (k->changed > TIDE__KNEE__KNEE_LASTS) {
		k->changed = 0;
		for (bin = 0; bin < TIDE__KNEE_BINS; bin++)
			if (bin != k->used)
				k->bin[bin].measured = 0;
		k->settled_ns = tide__knee__knee_ns(&k->bin[k->used]);
		tide__knee__knee_search(k);
		return;
	}
	k->since_ns += spent_ns;
	if (++k->since >= TIDE__KNEE__KNEE_AGAIN && k->since_ns >= TIDE__KNEE__KNEE_NS)
		tide__knee__knee_probe(k);
}
static void
tide__knee_open(struct tide__knee *k)
{
	memset(k, 0, sizeof(*k));
}
static uint32_t
tide__knee_cap(const struct tide__knee *k)
{
	if (k->top > 0 && k->now == k->top - 1 && k->top < TIDE__KNEE_BINS)
		return tide__knee__knee_size(k->now == 0 ? 2 : k->now + 1) - 1;
	return tide__knee__knee_size(k->now);
}
static void
tide__knee_learn(struct tide__knee *k, uint32_t n, uint64_t ns, bool bounded)
{
	uint32_t bin = tide__knee__knee_bin_of(n);
	float spent = (float)ns;
	if (n == 0 || ns == 0)
		return;
	if (bounded && bin < k->now) {
		k->top = bin + 1;
		k->now = bin;
	} else if (!bounded && k->top > 0 && bin >= tide__knee__knee_top(k)) {
		k->top = 0;
	}
	if (bin != k->now)
		return;
	tide__knee__knee_measure(&k->bin[bin], spent / (float)n, spent);
	switch (k->phase) {
	case TIDE__KNEE__KNEE_RAMPING:
		tide__knee__knee_ramp(k);
		break;
	case TIDE__KNEE__KNEE_SEARCHING:
		tide__knee__knee_search(k);
		break;
	case TIDE__KNEE__KNEE_PROBING:
		tide__knee__knee_look_back(k);
		break;
	default:
		tide__knee__knee_rest(k, spent);
	}
}
static void
tide__knee_read(const struct tide__knee *k, struct tide__knee_report *report)
{
	uint32_t best = tide__knee__knee_fastest(k), bin;
	memset(report, 0, sizeof(*report));
	if (best == TIDE__KNEE_BINS)
		return;
	best = k->phase >= TIDE__KNEE__KNEE_SETTLED ? k->used :
	    tide__knee__knee_smallest_as_fast(k, best);
	report->n = tide__knee__knee_size(best);
	report->ns = tide__knee__knee_ns(&k->bin[best]);
	report->settled = k->phase >= TIDE__KNEE__KNEE_SETTLED;
	for (bin = 0; bin < TIDE__KNEE_BINS; bin++)
		if (k->bin[bin].measured > 0) {
			report->largest = tide__knee__knee_size(bin);
			report->largest_ns = tide__knee__knee_ns(&k->bin[bin]);
		}
}
/* --- src/model/delay.h */
enum tide__delay_mode {
	TIDE__DELAY_AUTO,
	TIDE__DELAY_OFF,
	TIDE__DELAY_ALWAYS
};
struct tide__delay_conf {
	int mode;
	uint64_t min_ns;
	uint64_t max_ns;
	double warn;
	double critical;
};
struct tide__delay_look {
	uint64_t budget, used;
	bool critical;
	bool others;
	bool purge;
	double stalled;
};
struct tide__delay {
	struct tide__delay_conf conf;
	uint64_t random;
	uint64_t last_ns;
	uint32_t criticals;
	uint32_t delays;
	uint64_t waited_ns;
	uint64_t freed;
};
static void tide__delay_open(struct tide__delay *d, const struct tide__delay_conf *conf, uint64_t seed);
static uint64_t tide__delay_next(struct tide__delay *d, const struct tide__delay_look *look);
static void tide__delay_done(struct tide__delay *d, uint64_t waited_ns, uint64_t freed);
static bool tide__delay_is_vain(const struct tide__delay *d, uint64_t budget);
/* --- src/model/delay.c */
#define TIDE__DELAY__DELAY_MOST_NS (UINT64_C(30) * TIDE__NS_PER_S)
#define TIDE__DELAY__DELAY_LEAST_NS TIDE__NS_PER_MS
#define TIDE__DELAY__DELAY_VAIN_NS (UINT64_C(10) * TIDE__NS_PER_S)
static uint64_t
tide__delay__delay_max(const struct tide__delay *d)
{
	return d->conf.max_ns > 0 ? d->conf.max_ns : TIDE__DELAY__DELAY_MOST_NS;
}
static void
tide__delay_open(struct tide__delay *d, const struct tide__delay_conf *conf, uint64_t seed)
{
	memset(d, 0, sizeof(*d));
	if (conf != NULL)
		d->conf = *conf;
	if (d->conf.max_ns > 0 && d->conf.max_ns < d->conf.min_ns)
		d->conf.max_ns = d->conf.min_ns;
	if (!(d->conf.warn < d->conf.critical)) {
		d->conf.warn = 0;
		d->conf.critical = 0;
	}
	d->random = seed;
}
static double
tide__delay__delay_draw(struct tide__delay *d, double least, double most)
{
	d->random += UINT64_C(0x9e3779b97f4a7c15);
	return least + (most - least) *
	    ((double)(tide__mix_u64(d->random) >> 11) / 9007199254740992.0);
}
static double
tide__delay__delay_need(const struct tide__delay *d, const struct tide__delay_look *look)
{
	double warn = d->conf.warn > 0 ? d->conf.warn : 0.75;
	double critical = d->conf.critical > 0 ? d->conf.critical : 0.88;
	double share;
	if (look->budget == 0)
		return 0;
	share = (double)look->used / (double)look->budget;
	share = tide__numbers_within((share - warn) / (critical - warn), 0, 1);
	return share * share;
}
static uint64_t
tide__delay_next(struct tide__delay *d, const struct tide__delay_look *look)
{
	double min = (double)d->conf.min_ns, max = (double)tide__delay__delay_max(d);
	double need = tide__delay__delay_need(d, look);
	double ns, most;
	uint32_t doubled;
	d->criticals = look->critical ? d->criticals + 1 : 0;
	if (d->conf.mode == TIDE__DELAY_OFF || (d->conf.mode == TIDE__DELAY_AUTO &&
	    !look->others && !look->purge && !(look->stalled > 0)))
		return 0;
	ns = min + (max - min) * need;
	if (!(ns > 0)) {
		d->last_ns = 0;
		return 0;
	}
	for (doubled = 1; doubled < d->criticals && ns < max; doubled++)
		ns *= 2;
	most = 3 * (double)(d->last_ns > TIDE__DELAY__DELAY_LEAST_NS ? d->last_ns :
	    TIDE__DELAY__DELAY_LEAST_NS);
	if (most < min || most > ns)
		most = ns;
	ns = tide__delay__delay_draw(d, most / 3, most);
	ns = tide__numbers_within(ns, min, max);
	d->last_ns = tide__numbers_whole(ns, UINT64_MAX);
	return d->last_ns;
}
static void
tide__delay_done(struct tide__delay *d, uint64_t waited_ns, uint64_t freed)
{
	d->delays++;
	d->waited_ns += waited_ns;
	d->freed += freed;
}
static bool
tide__delay_is_vain(const struct tide__delay *d, uint64_t budget)
{
	return d->waited_ns >= TIDE__DELAY__DELAY_VAIN_NS &&
	    (double)d->freed < 0.01 * (double)budget;
}
/* --- src/model/knob.h */
static double tide__knob_pressure(double used, double warn, double critical);
static double tide__knob_value(double best, double cheapest, double pressure);
/* --- src/model/knob.c */
#define TIDE__KNOB__FINITE_MOST 1.7976931348623157e308
#define TIDE__KNOB__HALF_MOST   8.9884656743115785e307
static bool
tide__knob__is_finite(double x)
{
	return x >= -TIDE__KNOB__FINITE_MOST && x <= TIDE__KNOB__FINITE_MOST;
}
static bool
tide__knob__is_small(double x)
{
	return x >= -TIDE__KNOB__HALF_MOST && x <= TIDE__KNOB__HALF_MOST;
}
static double
tide__knob_pressure(double used, double warn, double critical)
{
	double share;
	if (!(used > warn))
		return 0;
	if (!(used < critical))
		return used >= critical ? 1 : 0;
	share = (used - warn) / (critical - warn);
	return share < 1 ? share : 1;
}
static double
tide__knob__on_line(double best, double cheapest, double pressure)
{
	double value = best + (cheapest - best) * pressure;
	if (best < cheapest)
		return value < cheapest ? value : cheapest;
	return value > cheapest ? value : cheapest;
}
static double
tide__knob_value(double best, double cheapest, double pressure)
{
	if (!(pressure > 0))
		return best;
	if (pressure >= 1)
		return cheapest;
	if (!tide__knob__is_finite(best) || !tide__knob__is_finite(cheapest))
		return best;
	if (!tide__knob__is_small(best) || !tide__knob__is_small(cheapest))
		return 2 * tide__knob__on_line(best / 2, cheapest / 2, pressure);
	return tide__knob__on_line(best, cheapest, pressure);
}
/* --- src/plan/alone-sys.c */
#define TIDE__ANSWER(type, call) \
	const int was = errno; \
	const type answer = (call); \
	const type error = (type)-errno; \
	\
	errno = was; \
	return answer < 0 ? error : answer
static int
tide__sys_open(const char *path, int flags, unsigned mode)
{
	TIDE__ANSWER(int, open(path, flags, mode));
}
static void
tide__sys_close(int fd)
{
	const int was = errno;
	(void)close(fd);
	errno = was;
}
static ssize_t
tide__sys_read(int fd, void *to, size_t bytes)
{
	TIDE__ANSWER(ssize_t, read(fd, to, bytes));
}
static ssize_t
tide__sys_write(int fd, const void *from, size_t bytes)
{
	TIDE__ANSWER(ssize_t, write(fd, from, bytes));
}
static int
tide__sys_fstat(int fd, struct stat *st)
{
	TIDE__ANSWER(int, fstat(fd, st));
}
static int
tide__sys_ftruncate(int fd, uint64_t bytes)
{
	TIDE__ANSWER(int, ftruncate(fd, (off_t)bytes));
}
static ssize_t
tide__sys_pread(int fd, void *to, size_t bytes, uint64_t offset)
{
	TIDE__ANSWER(ssize_t, pread(fd, to, bytes, (off_t)offset));
}
static int
tide__sys_fsync(int fd)
{
	TIDE__ANSWER(int, fsync(fd));
}
static int
tide__sys_fdatasync(int fd)
{
	TIDE__ANSWER(int, fdatasync(fd));
}
#ifndef TIDE__F_OFD_SETLK
#define TIDE__F_OFD_GETLK 36
#define TIDE__F_OFD_SETLK 37
#endif
static int
tide__sys_is_locked(int fd)
{
	const int was = errno;
	struct flock whole;
	int r;
	memset(&whole, 0, sizeof(whole));
	whole.l_type = F_WRLCK;
	r = fcntl(fd, TIDE__F_OFD_GETLK, &whole) < 0 ? -errno :
	    whole.l_type != F_UNLCK;
	errno = was;
	return r;
}
static int
tide__sys_lock(int fd)
{
	const int was = errno;
	struct flock whole;
	int r;
	memset(&whole, 0, sizeof(whole));
	whole.l_type = F_WRLCK;
	r = fcntl(fd, TIDE__F_OFD_SETLK, &whole) < 0 ? -errno : 0;
	errno = was;
	return r == -EACCES ? -EAGAIN : r;
}
static int
tide__sys_rename(const char *from, const char *to)
{
	TIDE__ANSWER(int, rename(from, to));
}
static ssize_t
tide__sys_readlink(const char *path, char *to, size_t bytes)
{
	TIDE__ANSWER(ssize_t, readlink(path, to, bytes));
}
static void *
tide__sys_mmap(void *at, size_t bytes, int protection, int flags, int fd,
    uint64_t offset)
{
	const int was = errno;
	void *p = mmap(at, bytes, protection, flags, fd, (off_t)offset);
	errno = was;
	return p;
}
static int
tide__sys_munmap(void *at, size_t bytes)
{
	TIDE__ANSWER(int, munmap(at, bytes));
}
static int
tide__sys_madvise(void *at, size_t bytes, int advice)
{
	TIDE__ANSWER(int, madvise(at, bytes, advice));
}
static uint64_t
tide__sys_limit(int resource)
{
	const int was = errno;
	uint64_t limit[2];
	long r = syscall(SYS_prlimit64, 0, resource, NULL, limit);
	errno = was;
	return r < 0 ? UINT64_MAX : limit[0];
}
static uint64_t
tide__sys_faults(void)
{
	struct rusage usage;
	return getrusage(RUSAGE_SELF, &usage) < 0 ? 0 :
	    (uint64_t)usage.ru_minflt;
}
static int
tide__sys_pid(void)
{
	return (int)getpid();
}
static int
tide__sys_tid(void)
{
	return (int)syscall(SYS_gettid);
}
static uint64_t
tide__read_clock(clockid_t clock)
{
	struct timespec now;
	return clock_gettime(clock, &now) < 0 ? 0 :
	    (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
static uint64_t
tide__sys_clock(void)
{
	return tide__read_clock(CLOCK_MONOTONIC);
}
static uint64_t
tide__sys_clock_coarse(void)
{
	return tide__read_clock(CLOCK_MONOTONIC_COARSE);
}
static int64_t
tide__sys_clock_wall(void)
{
	return (int64_t)tide__read_clock(CLOCK_REALTIME);
}
static void
tide__sys_end(int status)
{
	_exit(status);
}
static void
tide__sys_yield(void)
{
	(void)sched_yield();
}
static bool
tide__sys_give_way(uint64_t *since)
{
	if (*since == 0)
		*since = tide__sys_clock();
	tide__sys_yield();
	return tide__sys_clock() - *since < 1000000000;
}
static void
tide__sys_sleep(uint64_t ns)
{
	const int was = errno;
	struct timespec time;
	time.tv_sec = (time_t)(ns / 1000000000);
	time.tv_nsec = (long)(ns % 1000000000);
	(void)nanosleep(&time, NULL);
	errno = was;
}
static int
tide__sys_error_of(const void *answer)
{
	return answer == MAP_FAILED ? -ENOMEM : 0;
}
static size_t
tide__sys_page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}
static int
tide__sys_thread_exists(int tid)
{
	TIDE__ANSWER(int, (int)syscall(SYS_tgkill, getpid(), tid, 0));
}
static int
tide__sys_pipe(int ends[2])
{
	TIDE__ANSWER(int, pipe2(ends, O_CLOEXEC | O_NONBLOCK));
}
static int
tide__sys_stat(const char *path, struct stat *st)
{
	TIDE__ANSWER(int, stat(path, st));
}
static int
tide__sys_mkdir(const char *path, unsigned mode)
{
	TIDE__ANSWER(int, mkdir(path, (mode_t)mode));
}
static int
tide__sys_unlink(const char *path)
{
	TIDE__ANSWER(int, unlink(path));
}
static int
tide__sys_is_readable(const void *at)
{
	int ends[2];
	ssize_t n;
	if (tide__sys_pipe(ends) < 0)
		return 0;
	n = tide__sys_write(ends[1], at, 8);
	tide__sys_close(ends[0]);
	tide__sys_close(ends[1]);
	return n == 8;
}
static unsigned
tide__sys_uid(void)
{
	return (unsigned)geteuid();
}
static ssize_t
tide__sys_pwrite(int fd, const void *from, size_t bytes, uint64_t offset)
{
	TIDE__ANSWER(ssize_t, pwrite(fd, from, bytes, (off_t)offset));
}
static int
tide__sys_fallocate(int fd, uint64_t offset, uint64_t bytes)
{
	TIDE__ANSWER(int, (int)syscall(SYS_fallocate, fd, 0, (off_t)offset,
	    (off_t)bytes));
}
static int
tide__sys_wait_shared(const uint32_t *word, uint32_t value, uint64_t ns)
{
	struct timespec time;
	time.tv_sec = (time_t)(ns / 1000000000);
	time.tv_nsec = (long)(ns % 1000000000);
	TIDE__ANSWER(int, (int)syscall(SYS_futex, word, 0 , value,
	    &time, NULL, 0));
}
static void
tide__sys_wake_shared(const uint32_t *word)
{
	const int was = errno;
	(void)syscall(SYS_futex, word, 1 , 1, NULL, NULL, 0);
	errno = was;
}
/* --- src/sys/proc.h */
struct tide__proc_stat {
	int pid;
	int parent;
	char state;
	uint64_t ticks;
	uint64_t cpu_ticks;
	uint32_t threads;
	char name[16];
};
struct tide__proc_status {
	uint64_t resident;
	uint64_t peak;
	uint64_t address_space;
	uint64_t data;
	uint64_t swapped;
	uint32_t uid;
};
struct tide__proc_limits {
	uint64_t address_space;
	uint64_t data;
};
struct tide__proc_memory {
	uint64_t total;
	uint64_t available;
};
struct tide__proc_vma {
	uint64_t start;
	uint64_t end;
	uint64_t resident;
	bool readable, writable, executable, shared;
	uint64_t inode;
	const char *name;
};
static int tide__proc_stat_read(int pid, struct tide__proc_stat *stat);
static int tide__proc_status_read(int pid, struct tide__proc_status *status);
static int tide__proc_limits_read(const char *root, int pid, struct tide__proc_limits *limits);
static int tide__proc_memory_read(const char *root, struct tide__proc_memory *memory);
static bool tide__proc_is_alive(int pid, uint64_t ticks);
static int tide__proc_stat_parse(const char *text, struct tide__proc_stat *stat);
#define TIDE__PROC_LINE_ROOM 3072
struct tide__proc_lines {
	int fd;
	int error;
	bool skipping;
	size_t start, end;
	char buffer[TIDE__PROC_LINE_ROOM + 1];
};
static int tide__proc_path(char *path, size_t room, const char *root, int pid,
    const char *name);
static int tide__proc_lines_open(struct tide__proc_lines *lines, const char *path);
static char *tide__proc_lines_next(struct tide__proc_lines *lines);
static int tide__proc_lines_close(struct tide__proc_lines *lines);
struct tide__proc_key {
	const char *name;
	size_t at;
	uint64_t unit;
};
static bool tide__proc_key_take(const char *line, const struct tide__proc_key *keys,
    size_t count, void *into);
static bool tide__proc_number(const char **at, unsigned base, uint64_t *n);
/* --- src/sys/proc.c */
#define TIDE__PROC__PATH_ROOM 512
#define TIDE__PROC__STAT_ROOM 1024
static unsigned
tide__proc__digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16;
}
static bool
tide__proc_number(const char **at, unsigned base, uint64_t *n)
{
	const char *p = *at;
	uint64_t sum = 0;
	while (*p == ' ' || *p == '\t')
		p++;
	if (tide__proc__digit_value(*p) >= base)
		return false;
	for (; tide__proc__digit_value(*p) < base; p++)
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, tide__proc__digit_value(*p), &sum))
			return false;
	*at = p;
	*n = sum;
	return true;
}
static int
tide__proc_path(char *path, size_t room, const char *root, int pid,
    const char *name)
{
	struct tide__text t;
	tide__text_open(&t, path, room);
	tide__text_put(&t, root);
	tide__text_put(&t, "/proc/");
	if (pid == 0)
		tide__text_put(&t, "self");
	else
		tide__text_put_i64(&t, pid);
	tide__text_put(&t, "/");
	tide__text_put(&t, name);
	return t.cut ? -ENAMETOOLONG : 0;
}
static int
tide__proc__missing(int error)
{
	return error == -ENOENT ? -ESRCH : error;
}
static int
tide__proc__open_of(const char *root, int pid, const char *name)
{
	char path[TIDE__PROC__PATH_ROOM];
	int r = tide__proc_path(path, sizeof(path), root, pid, name);
	if (r < 0)
		return r;
	return tide__proc__missing(tide__sys_open(path, O_RDONLY | O_CLOEXEC, 0));
}
static void
tide__proc__lines_start(struct tide__proc_lines *lines, int fd)
{
	lines->fd = fd;
	lines->error = 0;
	lines->skipping = false;
	lines->start = lines->end = 0;
}
static int
tide__proc_lines_open(struct tide__proc_lines *lines, const char *path)
{
	int fd = tide__sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	tide__proc__lines_start(lines, fd);
	return 0;
}
static bool
tide__proc__lines_fill(struct tide__proc_lines *lines)
{
	size_t left = lines->end - lines->start;
	ssize_t got;
	memmove(lines->buffer, lines->buffer + lines->start, left);
	lines->start = 0;
	lines->end = left;
	if (lines->error != 0)
		return false;
	got = tide__sys_read(lines->fd, lines->buffer + left, TIDE__PROC_LINE_ROOM - left);
	if (got < 0)
		lines->error = (int)got;
	if (got <= 0)
		return false;
	lines->end += (size_t)got;
	return true;
}
static char *
tide__proc__lines_take(struct tide__proc_lines *lines, size_t bytes, size_t behind)
{
	char *line = lines->buffer + lines->start;
	line[bytes] = '\0';
	lines->start += bytes + behind;
	return line;
}
static char *
tide__proc_lines_next(struct tide__proc_lines *lines)
{
	char *newline, *line;
	size_t left;
	bool was_cut;
	for (;;) {
		line = lines->buffer + lines->start;
		left = lines->end - lines->start;
		newline = (char *)memchr(line, '\n', left);
		if (newline != NULL) {
			was_cut = lines->skipping;
			lines->skipping = false;
			tide__proc__lines_take(lines, (size_t)(newline - line), 1);
			if (was_cut)
				continue;
			return line;
		}
		if (lines->skipping)
			lines->start = lines->end;
		else if (left == TIDE__PROC_LINE_ROOM) {
			lines->skipping = true;
			return tide__proc__lines_take(lines, left, 0);
		}
		if (tide__proc__lines_fill(lines))
			continue;
		left = lines->end - lines->start;
		return left > 0 ? tide__proc__lines_take(lines, left, 0) : NULL;
	}
}
static int
tide__proc_lines_close(struct tide__proc_lines *lines)
{
	tide__sys_close(lines->fd);
	return lines->error;
}
static bool
tide__proc_key_take(const char *line, const struct tide__proc_key *keys, size_t count,
    void *into)
{
	const struct tide__proc_key *key;
	const char *number;
	uint64_t n;
	for (key = keys; key < keys + count; key++) {
		if (strncmp(line, key->name, strlen(key->name)) != 0)
			continue;
		number = line + strlen(key->name);
		if (!tide__proc_number(&number, 10, &n))
			return false;
		*(uint64_t *)((char *)into + key->at) = n * key->unit;
		return true;
	}
	return false;
}
static int
tide__proc_stat_parse(const char *text, struct tide__proc_stat *stat)
{
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')');
	struct tide__proc_stat s;
	uint64_t number, pid;
	unsigned field;
	size_t bytes;
	if (open == NULL || close == NULL || close < open ||
	    !tide__proc_number(&text, 10, &pid))
		return -EINVAL;
	memset(&s, 0, sizeof(s));
	s.pid = (int)pid;
	bytes = (size_t)(close - open - 1);
	memcpy(s.name, open + 1, tide__min_u64(bytes, sizeof(s.name) - 1));
	text = close + 1;
	if (*text++ != ' ' || *text == '\0')
		return -EINVAL;
	s.state = *text++;
	for (field = 4; field <= 22; field++) {
		while (*text == ' ')
			text++;
		if (*text == '-')
			text++;
		if (!tide__proc_number(&text, 10, &number))
			return -EINVAL;
		switch (field) {
		case 4: s.parent = (int)number; break;
		case 14:
		case 15: s.cpu_ticks += number; break;
		case 20: s.threads = (uint32_t)number; break;
		case 22: s.ticks = number; break;
		}
	}
	*stat = s;
	return 0;
}
static int
tide__proc_stat_read(int pid, struct tide__proc_stat *stat)
{
	char text[TIDE__PROC__STAT_ROOM];
	ssize_t got;
	int fd = tide__proc__open_of("", pid, "stat");
	if (fd < 0)
		return fd;
	got = tide__sys_read(fd, text, sizeof(text) - 1);
	tide__sys_close(fd);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	return tide__proc_stat_parse(text, stat);
}
static bool
tide__proc_is_alive(int pid, uint64_t ticks)
{
	struct tide__proc_stat stat;
	return tide__proc_stat_read(pid, &stat) == 0 && stat.ticks == ticks &&
	    stat.state != 'X' && (stat.state != 'Z' || stat.threads > 1);
}
#define TIDE__PROC__STATUS(key, field) \
	{ key, offsetof(struct tide__proc_status, field), 1024 }
static const struct tide__proc_key tide__proc__status_keys[] = {
	TIDE__PROC__STATUS("VmRSS:", resident),
	TIDE__PROC__STATUS("VmHWM:", peak),
	TIDE__PROC__STATUS("VmSize:", address_space),
	TIDE__PROC__STATUS("VmData:", data),
	TIDE__PROC__STATUS("VmSwap:", swapped),
};
static int
tide__proc_status_read(int pid, struct tide__proc_status *status)
{
	struct tide__proc_status s;
	struct tide__proc_lines lines;
	const char *at;
	char *line;
	uint64_t uid;
	int r, fd = tide__proc__open_of("", pid, "status");
	if (fd < 0)
		return fd;
	memset(&s, 0, sizeof(s));
	tide__proc__lines_start(&lines, fd);
	while ((line = tide__proc_lines_next(&lines)) != NULL) {
		if (tide__proc_key_take(line, tide__proc__status_keys,
		    TIDE__ARRAY_LENGTH(tide__proc__status_keys), &s))
			continue;
		if (strncmp(line, "Uid:", 4) != 0)
			continue;
		at = line + 4;
		if (tide__proc_number(&at, 10, &uid) && tide__proc_number(&at, 10, &uid))
			s.uid = (uint32_t)uid;
	}
	r = tide__proc_lines_close(&lines);
	if (r == 0)
		*status = s;
	return r;
}
static const struct tide__proc_key tide__proc__limits_keys[] = {
	{ "Max address space ", offsetof(struct tide__proc_limits, address_space),
	    1 },
	{ "Max data size ", offsetof(struct tide__proc_limits, data), 1 },
};
static int
tide__proc_limits_read(const char *root, int pid, struct tide__proc_limits *limits)
{
	struct tide__proc_limits l = { UINT64_MAX, UINT64_MAX };
	struct tide__proc_lines lines;
	char *line;
	int r, fd = tide__proc__open_of(root, pid, "limits");
	if (fd < 0)
		return fd;
	tide__proc__lines_start(&lines, fd);
	while ((line = tide__proc_lines_next(&lines)) != NULL)
		tide__proc_key_take(line, tide__proc__limits_keys, TIDE__ARRAY_LENGTH(tide__proc__limits_keys), &l);
	r = tide__proc_lines_close(&lines);
	if (r == 0)
		*limits = l;
	return r;
}
static const struct tide__proc_key tide__proc__memory_keys[] = {
	{ "MemTotal:", offsetof(struct tide__proc_memory, total), 1024 },
	{ "MemAvailable:", offsetof(struct tide__proc_memory, available), 1024 },
};
static int
tide__proc_memory_read(const char *root, struct tide__proc_memory *memory)
{
	struct tide__proc_memory m = { 0, 0 };
	struct tide__proc_lines lines;
	char path[TIDE__PROC__PATH_ROOM];
	struct tide__text t;
	char *line;
	int r;
	tide__text_open(&t, path, sizeof(path));
	tide__text_put(&t, root);
	tide__text_put(&t, "/proc/meminfo");
	if (t.cut)
		return -ENAMETOOLONG;
	r = tide__proc_lines_open(&lines, path);
	if (r < 0)
		return r;
	while ((line = tide__proc_lines_next(&lines)) != NULL)
		tide__proc_key_take(line, tide__proc__memory_keys, TIDE__ARRAY_LENGTH(tide__proc__memory_keys), &m);
	r = tide__proc_lines_close(&lines);
	if (r < 0)
		return r;
	if (m.total == 0)
		return -ENODATA;
	*memory = m;
	return 0;
}
/* --- src/sys/cgroup.h */
#define TIDE__CGROUP_NONE   UINT64_MAX
#define TIDE__CGROUP_LEVELS 32
#define TIDE__CGROUP_ROOM   2048
struct tide__cgroup_level {
	uint64_t max;
	uint64_t high;
	uint64_t swap;
	uint64_t used;
	size_t path_bytes;
};
struct tide__cgroup_events {
	uint64_t high;
	uint64_t max;
	uint64_t oom;
	uint64_t oom_kill;
};
struct tide__cgroup_memory {
	int version;
	uint64_t hierarchical;
	size_t levels;
	struct tide__cgroup_level level[TIDE__CGROUP_LEVELS];
	char path[TIDE__CGROUP_ROOM];
};
static int tide__cgroup_memory_read(const char *root, int pid,
    struct tide__cgroup_memory *memory);
static bool tide__cgroup_memory_has_changed(const struct tide__cgroup_memory *memory);
static const char *tide__cgroup_file_of_max(const struct tide__cgroup_memory *memory);
static int tide__cgroup_events_read(const struct tide__cgroup_memory *memory, size_t level,
    struct tide__cgroup_events *events);
static int tide__cgroup_pressure_path(const struct tide__cgroup_memory *memory, char *path,
    size_t room);
/* --- src/sys/cgroup.c */
#define TIDE__CGROUP__FILE_ROOM   (TIDE__CGROUP_ROOM + 64)
#define TIDE__CGROUP__V1_NO_LIMIT (UINT64_C(1) << 62)
struct tide__cgroup__numbers {
	uint64_t active_file, inactive_file, dirty, writeback;
	uint64_t slab_reclaimable;
	uint64_t swap;
	uint64_t limit;
};
#define TIDE__CGROUP__NUMBER(key, field) { key " ", offsetof(struct tide__cgroup__numbers, field), 1 }
static const struct tide__proc_key tide__cgroup__stat_keys_v1[] = {
	TIDE__CGROUP__NUMBER("total_active_file", active_file),
	TIDE__CGROUP__NUMBER("total_inactive_file", inactive_file),
	TIDE__CGROUP__NUMBER("total_dirty", dirty),
	TIDE__CGROUP__NUMBER("total_writeback", writeback),
	TIDE__CGROUP__NUMBER("total_swap", swap),
	TIDE__CGROUP__NUMBER("hierarchical_memory_limit", limit),
};
static const struct tide__proc_key tide__cgroup__stat_keys_v2[] = {
	TIDE__CGROUP__NUMBER("active_file", active_file),
	TIDE__CGROUP__NUMBER("inactive_file", inactive_file),
	TIDE__CGROUP__NUMBER("file_dirty", dirty),
	TIDE__CGROUP__NUMBER("file_writeback", writeback),
	TIDE__CGROUP__NUMBER("slab_reclaimable", slab_reclaimable),
};
static const struct tide__cgroup__dialect {
	int version;
	const char *type;
	const char *controller;
	const char *max, *high, *swap, *used, *swapped;
	const char *events, *hits;
	const struct tide__proc_key *stat;
	size_t stat_count;
} tide__cgroup__dialects[] = {
	{ 1, "cgroup", "memory", "memory.limit_in_bytes", NULL, NULL,
	    "memory.usage_in_bytes", NULL, "memory.oom_control",
	    "memory.failcnt", tide__cgroup__stat_keys_v1, TIDE__ARRAY_LENGTH(tide__cgroup__stat_keys_v1) },
	{ 2, "cgroup2", NULL, "memory.max", "memory.high", "memory.swap.max",
	    "memory.current", "memory.swap.current", "memory.events", NULL,
	    tide__cgroup__stat_keys_v2, TIDE__ARRAY_LENGTH(tide__cgroup__stat_keys_v2) },
};
#define TIDE__CGROUP__EVENT(key, field) { key " ", offsetof(struct tide__cgroup_events, field), 1 }
static const struct tide__proc_key tide__cgroup__events_keys[] = {
	TIDE__CGROUP__EVENT("high", high),
	TIDE__CGROUP__EVENT("max", max),
	TIDE__CGROUP__EVENT("oom", oom),
	TIDE__CGROUP__EVENT("oom_kill", oom_kill),
};
static char *
tide__cgroup__next_word(char **at, char end)
{
	char *word = *at, *behind;
	if (word == NULL)
		return NULL;
	behind = strchr(word, end);
	if (behind != NULL)
		*behind++ = '\0';
	*at = behind;
	return word;
}
static bool
tide__cgroup__has_word(const char *list, const char *word)
{
	size_t bytes = strlen(word);
	const char *p;
	for (p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, bytes) == 0 &&
		    (p[bytes] == ',' || p[bytes] == '\0'))
			return true;
	}
	return false;
}
static bool
tide__cgroup__is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' &&
	    p[2] >= '0' && p[2] <= '7';
}
static char *
tide__cgroup__unescape(char *text)
{
	char *from, *to = text;
	for (from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && tide__cgroup__is_octal(from + 1)) {
			*to = (char)((from[1] - '0') << 6 |
			    (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}
static int
tide__cgroup__find_group(const struct tide__cgroup__dialect *d, const char *root, int pid,
    char group[TIDE__CGROUP_ROOM])
{
	struct tide__proc_lines lines;
	char name[TIDE__CGROUP__FILE_ROOM];
	char *at, *controllers;
	struct tide__text t;
	int r, found = -ENOENT;
	r = tide__proc_path(name, sizeof(name), root, pid, "cgroup");
	if (r == 0)
		r = tide__proc_lines_open(&lines, name);
	if (r < 0)
		return r;
	while ((at = tide__proc_lines_next(&lines)) != NULL) {
		(void)tide__cgroup__next_word(&at, ':');
		controllers = tide__cgroup__next_word(&at, ':');
		if (at == NULL || *at != '/' || found == 0)
			continue;
		if (d->controller == NULL ? *controllers != '\0' :
		    !tide__cgroup__has_word(controllers, d->controller))
			continue;
		tide__text_open(&t, group, TIDE__CGROUP_ROOM);
		tide__text_put(&t, at);
		found = t.cut ? -ENAMETOOLONG : 0;
	}
	r = tide__proc_lines_close(&lines);
	return r < 0 ? r : found;
}
static bool
tide__cgroup__is_outside(const char *group)
{
	return strncmp(group, "/..", 3) == 0;
}
static int
tide__cgroup__covered(const char *mounted, const char *group)
{
	size_t bytes = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);
	if (strncmp(mounted, group, bytes) == 0 &&
	    (group[bytes] == '/' || group[bytes] == '\0') &&
	    !tide__cgroup__is_outside(group + bytes))
		return (int)bytes;
	if (tide__cgroup__is_outside(mounted) && !tide__cgroup__is_outside(group))
		return (int)strlen(group);
	return -1;
}
struct tide__cgroup__mount {
	char *mounted;
	char *point;
	char *type;
	char *options;
};
static bool
tide__cgroup__mount_parse(char *line, struct tide__cgroup__mount *m)
{
	char *word;
	int i;
	for (i = 0; i < 3; i++)
		(void)tide__cgroup__next_word(&line, ' ');
	m->mounted = tide__cgroup__next_word(&line, ' ');
	m->point = tide__cgroup__next_word(&line, ' ');
	do
		word = tide__cgroup__next_word(&line, ' ');
	while (word != NULL && strcmp(word, "-") != 0);
	m->type = tide__cgroup__next_word(&line, ' ');
	(void)tide__cgroup__next_word(&line, ' ');
	m->options = tide__cgroup__next_word(&line, ' ');
	if (m->options == NULL)
		return false;
	tide__cgroup__unescape(m->mounted);
	tide__cgroup__unescape(m->point);
	return true;
}
static int
tide__cgroup__put_directory(struct tide__cgroup_memory *memory, const char *root,
    const char *point, const char *group, size_t *top)
{
	struct tide__text t;
	tide__text_open(&t, memory->path, sizeof(memory->path));
	tide__text_put(&t, root);
	tide__text_put(&t, point);
	*top = t.used;
	if (strcmp(group, "/") != 0)
		tide__text_put(&t, group);
	return t.cut ? -ENAMETOOLONG : 0;
}
static int
tide__cgroup__find_directory(const struct tide__cgroup__dialect *d, const char *root, const char *group,
    struct tide__cgroup_memory *memory, size_t *top)
{
	struct tide__proc_lines lines;
	char name[TIDE__CGROUP__FILE_ROOM];
	struct tide__cgroup__mount m;
	char *line;
	int r, bytes, found = -ENOENT, best = 0;
	r = tide__proc_path(name, sizeof(name), root, 0, "mountinfo");
	if (r == 0)
		r = tide__proc_lines_open(&lines, name);
	if (r < 0)
		return r;
	while ((line = tide__proc_lines_next(&lines)) != NULL) {
		if (!tide__cgroup__mount_parse(line, &m) || strcmp(m.type, d->type) != 0)
			continue;
		if (d->controller != NULL &&
		    !tide__cgroup__has_word(m.options, d->controller))
			continue;
		bytes = tide__cgroup__covered(m.mounted, group);
		if (bytes < 0 || (found == 0 && bytes >= best))
			continue;
		best = bytes;
		found = tide__cgroup__put_directory(memory, root, m.point, group + bytes,
		    top);
	}
	r = tide__proc_lines_close(&lines);
	return r < 0 ? r : found;
}
static bool
tide__cgroup__file_of(const struct tide__cgroup_memory *memory, size_t path_bytes,
    const char *name, char path[TIDE__CGROUP__FILE_ROOM])
{
	struct tide__text t;
	tide__text_open(&t, path, TIDE__CGROUP__FILE_ROOM);
	tide__text_put_bytes(&t, memory->path, path_bytes);
	tide__text_put(&t, "/");
	tide__text_put(&t, name);
	return !t.cut;
}
static uint64_t
tide__cgroup__read_number(const struct tide__cgroup_memory *memory, size_t path_bytes,
    const char *name)
{
	struct tide__proc_lines lines;
	char path[TIDE__CGROUP__FILE_ROOM];
	const char *line;
	uint64_t n = TIDE__CGROUP_NONE;
	if (name == NULL || !tide__cgroup__file_of(memory, path_bytes, name, path) ||
	    tide__proc_lines_open(&lines, path) < 0)
		return TIDE__CGROUP_NONE;
	line = tide__proc_lines_next(&lines);
	if (line != NULL)
		(void)tide__proc_number(&line, 10, &n);
	(void)tide__proc_lines_close(&lines);
	return n;
}
static uint64_t
tide__cgroup__read_limit(const struct tide__cgroup_memory *memory, size_t path_bytes,
    const char *name)
{
	uint64_t n = tide__cgroup__read_number(memory, path_bytes, name);
	return memory->version == 1 && n >= TIDE__CGROUP__V1_NO_LIMIT ? TIDE__CGROUP_NONE : n;
}
static void
tide__cgroup__read_stat(const struct tide__cgroup__dialect *d, const struct tide__cgroup_memory *memory,
    size_t path_bytes, struct tide__cgroup__numbers *numbers)
{
	struct tide__proc_lines lines;
	char path[TIDE__CGROUP__FILE_ROOM];
	char *line;
	memset(numbers, 0, sizeof(*numbers));
	numbers->limit = TIDE__CGROUP_NONE;
	if (!tide__cgroup__file_of(memory, path_bytes, "memory.stat", path) ||
	    tide__proc_lines_open(&lines, path) < 0)
		return;
	while ((line = tide__proc_lines_next(&lines)) != NULL)
		tide__proc_key_take(line, d->stat, d->stat_count, numbers);
	(void)tide__proc_lines_close(&lines);
}
static uint64_t
tide__cgroup__droppable(const struct tide__cgroup__numbers *n)
{
	uint64_t file = n->active_file + n->inactive_file;
	uint64_t busy = n->dirty + n->writeback;
	return file - tide__min_u64(busy, file) + n->slab_reclaimable;
}
static void
tide__cgroup__read_level(const struct tide__cgroup__dialect *d, struct tide__cgroup_memory *memory,
    size_t path_bytes)
{
	struct tide__cgroup_level *level = &memory->level[memory->levels];
	struct tide__cgroup__numbers numbers;
	uint64_t held, swapped;
	tide__cgroup__read_stat(d, memory, path_bytes, &numbers);
	if (memory->levels++ == 0)
		memory->hierarchical = numbers.limit < TIDE__CGROUP__V1_NO_LIMIT ?
		    numbers.limit : TIDE__CGROUP_NONE;
	held = tide__cgroup__read_number(memory, path_bytes, d->used);
	level->path_bytes = path_bytes;
	level->max = tide__cgroup__read_limit(memory, path_bytes, d->max);
	level->high = tide__cgroup__read_limit(memory, path_bytes, d->high);
	level->swap = tide__cgroup__read_limit(memory, path_bytes, d->swap);
	swapped = tide__cgroup__read_number(memory, path_bytes, d->swapped);
	if (swapped == TIDE__CGROUP_NONE)
		swapped = numbers.swap;
	level->used = held == TIDE__CGROUP_NONE ? TIDE__CGROUP_NONE :
	    held - tide__min_u64(tide__cgroup__droppable(&numbers), held) + swapped;
}
static void
tide__cgroup__read_levels(const struct tide__cgroup__dialect *d, struct tide__cgroup_memory *memory, size_t top)
{
	size_t bytes = strlen(memory->path);
	for (;;) {
		tide__cgroup__read_level(d, memory, bytes);
		if (bytes <= top || memory->levels == TIDE__CGROUP_LEVELS)
			return;
		while (memory->path[--bytes] != '/')
			;
		if (bytes < top)
			return;
		if (d->version == 1 &&
		    tide__cgroup__read_number(memory, bytes, "memory.use_hierarchy") == 0)
			return;
	}
}
static int
tide__cgroup_memory_read(const char *root, int pid, struct tide__cgroup_memory *memory)
{
	const struct tide__cgroup__dialect *d;
	char group[TIDE__CGROUP_ROOM];
	size_t top = 0;
	int r;
	memory->version = 0;
	memory->levels = 0;
	memory->hierarchical = TIDE__CGROUP_NONE;
	memory->path[0] = '\0';
	for (d = tide__cgroup__dialects; d < tide__cgroup__dialects + TIDE__ARRAY_LENGTH(tide__cgroup__dialects); d++) {
		r = tide__cgroup__find_group(d, root, pid, group);
		if (r == 0)
			r = tide__cgroup__find_directory(d, root, group, memory, &top);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		memory->version = d->version;
		tide__cgroup__read_levels(d, memory, top);
		return 0;
	}
	return 0;
}
static const struct tide__cgroup__dialect *
tide__cgroup__dialect_of(const struct tide__cgroup_memory *memory)
{
	const struct tide__cgroup__dialect *d;
	for (d = tide__cgroup__dialects; d < tide__cgroup__dialects + TIDE__ARRAY_LENGTH(tide__cgroup__dialects); d++)
		if (d->version == memory->version)
			return d;
	return NULL;
}
static bool
tide__cgroup_memory_has_changed(const struct tide__cgroup_memory *memory)
{
	const struct tide__cgroup__dialect *d = tide__cgroup__dialect_of(memory);
	const struct tide__cgroup_level *level;
	if (d == NULL)
		return false;
	for (level = memory->level; level < memory->level + memory->levels;
	    level++)
		if (tide__cgroup__read_limit(memory, level->path_bytes, d->max) !=
		    level->max || tide__cgroup__read_limit(memory, level->path_bytes,
		    d->high) != level->high)
			return true;
	return false;
}
static const char *
tide__cgroup_file_of_max(const struct tide__cgroup_memory *memory)
{
	const struct tide__cgroup__dialect *d = tide__cgroup__dialect_of(memory);
	return d != NULL ? d->max : "";
}
static int
tide__cgroup_events_read(const struct tide__cgroup_memory *memory, size_t level,
    struct tide__cgroup_events *events)
{
	const struct tide__cgroup__dialect *d = tide__cgroup__dialect_of(memory);
	struct tide__proc_lines lines;
	struct tide__cgroup_events e;
	char path[TIDE__CGROUP__FILE_ROOM];
	char *line;
	int r;
	if (d == NULL || level >= memory->levels)
		return -ENODATA;
	if (!tide__cgroup__file_of(memory, memory->level[level].path_bytes, d->events, path))
		return -ENAMETOOLONG;
	memset(&e, 0, sizeof(e));
	r = tide__proc_lines_open(&lines, path);
	if (r < 0)
		return r;
	while ((line = tide__proc_lines_next(&lines)) != NULL)
		tide__proc_key_take(line, tide__cgroup__events_keys, TIDE__ARRAY_LENGTH(tide__cgroup__events_keys),
		    &e);
	r = tide__proc_lines_close(&lines);
	if (r < 0)
		return r;
	if (d->hits != NULL)
		e.max = tide__cgroup__read_number(memory, memory->level[level].path_bytes,
		    d->hits);
	if (e.max == TIDE__CGROUP_NONE)
		e.max = 0;
	*events = e;
	return 0;
}
static int
tide__cgroup_pressure_path(const struct tide__cgroup_memory *memory, char *path,
    size_t room)
{
	struct tide__text t;
	if (memory->version != 2 || memory->levels == 0)
		return -ENODATA;
	tide__text_open(&t, path, room);
	tide__text_put(&t, memory->path);
	tide__text_put(&t, "/memory.pressure");
	return t.cut ? -ENAMETOOLONG : 0;
}
/* --- src/plan/host.h */
struct tide__host_heap {
	uint64_t bytes, blocks;
	uint64_t allocated;
	int64_t thread;
	uint64_t failed;
	uint32_t threads;
};
struct tide__host_memory {
	uint64_t used;
	uint64_t resident;
	uint64_t faults;
};
struct tide__host_limit {
	uint64_t budget;
	uint64_t available;
	uint64_t others;
	uint64_t slow_from;
	uint32_t soft;
	char source[32];
};
struct tide__host_pressure {
	double some, full;
	uint64_t events;
};
struct tide__host_window {
	int64_t base, thread_base;
	int64_t high, thread_high;
	uint64_t p[2];
};
struct tide__plan_host {
	int level;
	bool (*heap)(struct tide__host_heap *heap);
	void (*window_open)(struct tide__host_window *w);
	void (*window_close)(struct tide__host_window *w);
	int (*memory)(struct tide__host_memory *memory);
	int (*limit)(uint64_t set_bytes, struct tide__host_limit *limit);
	int (*pressure)(struct tide__host_pressure *pressure);
	void (*epoch)(const char *name);
	bool (*purge)(void);
	void (*say)(const char *line);
	const char *(*setting)(const char *name);
	int (*pool_path)(const char *name, char *path, size_t bytes);
	struct tide_room *(*own_room)(void);
	const struct tide__plan_host *in_child;
};
/* --- src/plan/settings.h */
struct tide__plan_host;
static void tide__settings_read(const struct tide__plan_host *host);
static int tide__settings_take(const char *conf);
static const char *tide__settings_find(const char *name);
static const char *tide__settings_own(const char *name);
static uint64_t tide__settings_number(const char *name, uint64_t otherwise);
static double tide__settings_share(const char *name, double otherwise);
static uint64_t tide__settings_time(const char *name, uint64_t otherwise);
/* --- src/plan/settings.c */
enum tide__settings__form { TIDE__SETTINGS__FORM_SOURCE, TIDE__SETTINGS__FORM_PART, TIDE__SETTINGS__FORM_NUMBER, TIDE__SETTINGS__FORM_TIME, TIDE__SETTINGS__FORM_WORD };
static const struct {
	const char *key, *name;
	int form;
} tide__settings__known[] = {
	{ "budget", "BUDGET", TIDE__SETTINGS__FORM_SOURCE },
	{ "target", "TARGET", TIDE__SETTINGS__FORM_PART },
	{ "warn", "WARN", TIDE__SETTINGS__FORM_PART },
	{ "critical", "CRITICAL", TIDE__SETTINGS__FORM_PART },
	{ "batch.initial", "BATCH_INITIAL", TIDE__SETTINGS__FORM_NUMBER },
	{ "batch.min", "BATCH_MIN", TIDE__SETTINGS__FORM_NUMBER },
	{ "batch.max", "BATCH_MAX", TIDE__SETTINGS__FORM_NUMBER },
	{ "batch.fixed", "BATCH_FIXED", TIDE__SETTINGS__FORM_NUMBER },
	{ "concurrency.max", "CONCURRENCY_MAX", TIDE__SETTINGS__FORM_NUMBER },
	{ "policy", "POLICY", TIDE__SETTINGS__FORM_WORD },
	{ "checkpoint.every", "CHECKPOINT_EVERY", TIDE__SETTINGS__FORM_NUMBER },
	{ "checkpoint.seconds", "CHECKPOINT_SECONDS", TIDE__SETTINGS__FORM_NUMBER },
	{ "checkpoint.sync", "CHECKPOINT_SYNC", TIDE__SETTINGS__FORM_WORD },
	{ "delay.mode", "DELAY_MODE", TIDE__SETTINGS__FORM_WORD },
	{ "delay.min", "DELAY_MIN", TIDE__SETTINGS__FORM_TIME },
	{ "delay.max", "DELAY_MAX", TIDE__SETTINGS__FORM_TIME },
	{ "reclaim.auto", "RECLAIM_AUTO", TIDE__SETTINGS__FORM_WORD },
	{ "pool", "POOL", TIDE__SETTINGS__FORM_WORD },
	{ "enforce", "ENFORCE", TIDE__SETTINGS__FORM_WORD },
	{ "progress", "PROGRESS", TIDE__SETTINGS__FORM_WORD },
	{ "progress.unit", "PROGRESS_UNIT", TIDE__SETTINGS__FORM_WORD },
};
#define TIDE__SETTINGS__KNOWN      TIDE__ARRAY_LENGTH(tide__settings__known)
#define TIDE__SETTINGS__VALUE_ROOM 64
TIDE__SHARED struct tide__settings__settings_state {
	char own[TIDE__SETTINGS__KNOWN][TIDE__SETTINGS__VALUE_ROOM];
	char given[TIDE__SETTINGS__KNOWN][TIDE__SETTINGS__VALUE_ROOM];
} tide__settings__settings;
static bool
tide__settings__is_gap(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == ',' || c == ';';
}
static bool
tide__settings__is_accepted(int form, const char *value)
{
	struct tide__source_wish wish;
	uint64_t n;
	if (form == TIDE__SETTINGS__FORM_SOURCE)
		return tide__source_parse(value, &wish) == 0;
	if (form == TIDE__SETTINGS__FORM_PART)
		return tide__text_parse_share(value, &n) == 0 && n > 0;
	if (form == TIDE__SETTINGS__FORM_TIME)
		return tide__text_parse_duration(value, &n) == 0;
	if (form == TIDE__SETTINGS__FORM_WORD)
		return *value != '\0';
	return tide__text_parse_u64(value, UINT32_MAX, &n) == 0;
}
static int
tide__settings__take_pair(const char *pair, size_t bytes, char value[TIDE__SETTINGS__VALUE_ROOM])
{
	size_t i, n;
	for (i = 0; i < TIDE__SETTINGS__KNOWN; i++) {
		n = strlen(tide__settings__known[i].key);
		if (bytes <= n || memcmp(pair, tide__settings__known[i].key, n) != 0 ||
		    pair[n] != '=' || bytes - n - 1 >= TIDE__SETTINGS__VALUE_ROOM)
			continue;
		memcpy(value, pair + n + 1, bytes - n - 1);
		value[bytes - n - 1] = '\0';
		return tide__settings__is_accepted(tide__settings__known[i].form, value) ? (int)i : -EINVAL;
	}
	return -EINVAL;
}
static int
tide__settings_take(const char *conf)
{
	char taken[TIDE__SETTINGS__KNOWN][TIDE__SETTINGS__VALUE_ROOM];
	char value[TIDE__SETTINGS__VALUE_ROOM];
	const char *end;
	int row;
	memset(taken, 0, sizeof(taken));
	for (; conf != NULL && *conf != '\0'; conf = end) {
		for (end = conf; *end != '\0' && !tide__settings__is_gap(*end); end++)
			;
		if (end == conf) {
			end++;
			continue;
		}
		row = tide__settings__take_pair(conf, (size_t)(end - conf), value);
		if (row < 0)
			return row;
		memcpy(taken[row], value, sizeof(value));
	}
	memcpy(tide__settings__settings.own, taken, sizeof(taken));
	return 0;
}
static void
tide__settings_read(const struct tide__plan_host *host)
{
	const char *value;
	struct tide__text t;
	size_t i;
	memset(tide__settings__settings.given, 0, sizeof(tide__settings__settings.given));
	for (i = 0; host->setting != NULL && i < TIDE__SETTINGS__KNOWN; i++) {
		value = host->setting(tide__settings__known[i].name);
		if (value == NULL || !tide__settings__is_accepted(tide__settings__known[i].form, value))
			continue;
		tide__text_open(&t, tide__settings__settings.given[i], TIDE__SETTINGS__VALUE_ROOM);
		tide__text_put(&t, value);
		if (t.cut)
			tide__settings__settings.given[i][0] = '\0';
	}
}
static const char *
tide__settings_find(const char *name)
{
	size_t i;
	for (i = 0; i < TIDE__SETTINGS__KNOWN; i++) {
		if (strcmp(tide__settings__known[i].name, name) != 0)
			continue;
		if (tide__settings__settings.own[i][0] != '\0')
			return tide__settings__settings.own[i];
		if (tide__settings__settings.given[i][0] != '\0')
			return tide__settings__settings.given[i];
	}
	return NULL;
}
static const char *
tide__settings_own(const char *name)
{
	size_t i;
	for (i = 0; i < TIDE__SETTINGS__KNOWN; i++)
		if (strcmp(tide__settings__known[i].name, name) == 0)
			return tide__settings__settings.own[i][0] != '\0' ? tide__settings__settings.own[i] :
			    NULL;
	return NULL;
}
static uint64_t
tide__settings_number(const char *name, uint64_t otherwise)
{
	const char *value = tide__settings_find(name);
	uint64_t n;
	return value != NULL && tide__text_parse_u64(value, UINT64_MAX - 1, &n) == 0
	    ? n : otherwise;
}
static double
tide__settings_share(const char *name, double otherwise)
{
	const char *value = tide__settings_find(name);
	uint64_t millionths;
	if (value == NULL || tide__text_parse_share(value, &millionths) < 0)
		return otherwise;
	return (double)millionths / 1e6;
}
static uint64_t
tide__settings_time(const char *name, uint64_t otherwise)
{
	const char *value = tide__settings_find(name);
	uint64_t ns;
	return value != NULL && tide__text_parse_duration(value, &ns) == 0 ? ns :
	    otherwise;
}
/* --- src/plan/journal.h */
#define TIDE__JOURNAL_SUFFIX   ".tideck"
#define TIDE__JOURNAL_MAGIC    UINT32_C(0x6b636400)
#define TIDE__JOURNAL_ID_ROOM  40
#define TIDE__JOURNAL_PATH     1024
#define TIDE__JOURNAL_HEAD_MOST (4 * TIDE__KIB)
#define TIDE__JOURNAL_BLOB_MOST (64 * TIDE__KIB)
#define TIDE__JOURNAL_BUFFER   (32 + TIDE__JOURNAL_HEAD_MOST + TIDE__JOURNAL_BLOB_MOST)
#define TIDE__JOURNAL_MOST     (64 * TIDE__MIB)
enum tide__journal_type {
	TIDE__JOURNAL_BEGIN = 1,
	TIDE__JOURNAL_BATCH,
	TIDE__JOURNAL_FAIL,
	TIDE__JOURNAL_MARK,
	TIDE__JOURNAL_MODEL,
	TIDE__JOURNAL_QUAR,
	TIDE__JOURNAL_SWITCH,
	TIDE__JOURNAL_END,
	TIDE__JOURNAL_INPUT,
	TIDE__JOURNAL_COMMAND,
	TIDE__JOURNAL_TYPES
};
struct tide__journal_identity {
	uint64_t bytes, inode, device;
	uint64_t changed_ns;
	uint64_t hash;
	char path[512];
};
struct tide__journal_holder {
	int32_t pid;
	int32_t reserved;
	uint64_t ticks;
	uint64_t pid_namespace;
	uint64_t supervisor;
	char boot[40];
	char host[64];
};
struct tide__journal_begin {
	char id[TIDE__JOURNAL_ID_ROOM];
	char name[TIDE_NAME_ROOM];
	char unit[16];
	uint64_t total;
	uint64_t argv_hash, env_hash;
	struct tide__journal_holder holder;
	struct tide__journal_identity program;
	char conf[512];
};
struct tide__journal_batch {
	char op[TIDE_NAME_ROOM];
	uint64_t first, count;
	uint64_t n;
	uint64_t peak;
	uint64_t predicted, retained, used, budget;
	uint64_t time_ns;
	uint32_t attempt;
	int32_t state;
	uint32_t cut, failed;
};
struct tide__journal_fail {
	uint64_t first, count;
	int32_t reason;
	uint32_t attempt;
	char why[80];
};
struct tide__journal_mark {
	uint64_t cursor;
	uint64_t batches;
	uint64_t items;
	uint32_t blob;
	uint32_t by_itself;
};
struct tide__journal_switch {
	struct tide__journal_holder holder;
	uint64_t from;
	uint64_t total;
	uint32_t attempt;
	uint32_t asked;
};
struct tide__journal_end {
	uint64_t cursor, batches, items;
	int32_t ok;
	int32_t reserved;
};
struct tide__journal_record {
	uint32_t type;
	uint32_t bytes;
	uint64_t number;
	uint64_t time_ns;
	const uint8_t *payload;
};
struct tide__journal_reader {
	uint8_t *buffer;
	int fd;
	uint64_t at;
	uint64_t number;
	uint64_t window, filled;
	const char *why;
	int error;
};
static void tide__journal_read(struct tide__journal_reader *r, int fd, uint8_t *buffer);
static int tide__journal_next(struct tide__journal_reader *r, struct tide__journal_record *record);
static void tide__journal_take(const struct tide__journal_record *record, void *into,
    size_t bytes);
static int tide__journal_look(const char *path);
enum tide__journal_sync {
	TIDE__JOURNAL_SYNC_MARK,
	TIDE__JOURNAL_SYNC_BATCH,
	TIDE__JOURNAL_SYNC_NONE
};
struct tide__journal {
	int fd;
	int sync;
	uint64_t end;
	uint64_t number;
	uint64_t synced_ns;
	uint64_t compact_at;
	uint64_t lost;
	size_t held;
	bool unsynced, doubted;
	char path[TIDE__JOURNAL_PATH];
	uint8_t buffer[TIDE__JOURNAL_BUFFER] __attribute__((aligned(8)));
};
static int tide__journal_open(struct tide__journal *j, const char *path,
    void (*each)(void *context, const struct tide__journal_record *record),
    void *context);
static int tide__journal_seize(struct tide__journal *j, const char *path,
    void (*each)(void *context, const struct tide__journal_record *record),
    void *context);
static int tide__journal_create(struct tide__journal *j, const char *path,
    const struct tide__journal_begin *begin);
static void tide__journal_close(struct tide__journal *j);
static int tide__journal_put(struct tide__journal *j, enum tide__journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes);
static int tide__journal_mark(struct tide__journal *j, enum tide__journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes);
static int tide__journal_compact(struct tide__journal *j, bool all);
static int tide__journal_remove(const char *path);
/* --- src/plan/journal-file.h */
static int tide__journal_file_open(const char *path, int flags);
static int tide__journal_file_write(int fd, const void *from, size_t bytes,
    uint64_t offset);
struct tide__journal_new {
	int fd;
	uint64_t end;
	uint64_t number;
	char path[TIDE__JOURNAL_PATH + 8];
};
static int tide__journal_file_new(struct tide__journal_new *n, const char *path);
static void tide__journal_file_drop(struct tide__journal_new *n);
static int tide__journal_file_settle(struct tide__journal_new *n, const char *path, int before,
    int sync);
/* --- src/plan/journal-file.c */
static int
tide__journal_file__open_own(const char *path, int flags, struct stat *st)
{
	int fd = tide__sys_open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	int r;
	if (fd < 0)
		return fd;
	r = tide__sys_fstat(fd, st);
	if (r == 0 && !S_ISREG(st->st_mode))
		r = -EBADMSG;
	else if (r == 0 && (st->st_uid != tide__sys_uid() ||
	    (st->st_mode & 022) != 0))
		r = -EACCES;
	if (r == 0)
		return fd;
	(void)tide__sys_close(fd);
	return r;
}
static int
tide__journal_look(const char *path)
{
	struct stat st;
	return tide__journal_file__open_own(path, O_RDONLY, &st);
}
static bool
tide__journal_file__is_there(const char *path, const struct stat *opened)
{
	struct stat st;
	return tide__sys_stat(path, &st) == 0 && st.st_ino == opened->st_ino &&
	    st.st_dev == opened->st_dev;
}
static int
tide__journal_file_open(const char *path, int flags)
{
	struct stat st;
	int fd = tide__journal_file__open_own(path, O_RDWR | flags, &st);
	int r;
	if (fd < 0)
		return fd;
	r = tide__sys_lock(fd);
	if (r == 0 && !tide__journal_file__is_there(path, &st))
		r = -EAGAIN;
	if (r == 0)
		return fd;
	(void)tide__sys_close(fd);
	return r == -EAGAIN ? -EBUSY : r;
}
static int
tide__journal_file_write(int fd, const void *from, size_t bytes, uint64_t offset)
{
	const char *at = (const char *)from;
	ssize_t n;
	while (bytes > 0) {
		n = tide__sys_pwrite(fd, at, bytes, offset);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		at += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}
static int
tide__journal_file__sync_directory(const char *path)
{
	char directory[TIDE__JOURNAL_PATH];
	const char *slash = strrchr(path, '/');
	struct tide__text t;
	int fd, r;
	tide__text_open(&t, directory, sizeof(directory));
	if (slash == NULL)
		tide__text_put(&t, ".");
	else
		tide__text_put_bytes(&t, path, (size_t)(slash - path) + 1);
	fd = tide__sys_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = tide__sys_fsync(fd);
	(void)tide__sys_close(fd);
	return r == -EINVAL || r == -EROFS ? 0 : r;
}
static int
tide__journal_file_new(struct tide__journal_new *n, const char *path)
{
	struct tide__text t;
	int r;
	memset(n, 0, sizeof(*n));
	tide__text_open(&t, n->path, TIDE__JOURNAL_PATH);
	tide__text_put(&t, path);
	tide__text_put(&t, ".new");
	if (t.cut)
		return -ENAMETOOLONG;
	n->fd = tide__journal_file_open(n->path, O_CREAT);
	if (n->fd < 0)
		return n->fd;
	r = tide__sys_ftruncate(n->fd, 0);
	if (r < 0)
		(void)tide__sys_close(n->fd);
	return r;
}
static void
tide__journal_file_drop(struct tide__journal_new *n)
{
	(void)tide__sys_unlink(n->path);
	(void)tide__sys_close(n->fd);
}
static int
tide__journal_file_settle(struct tide__journal_new *n, const char *path, int before, int sync)
{
	struct stat st;
	int r = sync == TIDE__JOURNAL_SYNC_NONE ? 0 : tide__sys_fsync(n->fd);
	if (r < 0)
		return r;
	if (before < 0 && tide__sys_stat(path, &st) == 0)
		return -EEXIST;
	if (before >= 0 && (tide__sys_fstat(before, &st) < 0 ||
	    !tide__journal_file__is_there(path, &st)))
		return -EBUSY;
	r = tide__sys_rename(n->path, path);
	if (r < 0)
		return r;
	if (sync != TIDE__JOURNAL_SYNC_NONE)
		(void)tide__journal_file__sync_directory(path);
	return 0;
}
/* --- src/plan/journal.c */
struct tide__journal__journal_head {
	uint32_t magic, bytes;
	uint64_t number, time_ns;
};
struct tide__journal__journal_tail {
	uint32_t crc, bytes;
};
#define TIDE__JOURNAL__JOURNAL_AROUND (sizeof(struct tide__journal__journal_head) + \
	sizeof(struct tide__journal__journal_tail))
typedef char tide__journal__journal_is_aligned[
    sizeof(struct tide__journal__journal_head) == 24 && sizeof(struct tide__journal__journal_tail) == 8 &&
    TIDE__JOURNAL_BUFFER % 8 == 0 ? 1 : -1];
static uint64_t
tide__journal__whole_bytes(uint64_t payload)
{
	return TIDE__JOURNAL__JOURNAL_AROUND + tide__round_up(payload, 8);
}
static void
tide__journal_read(struct tide__journal_reader *r, int fd, uint8_t *buffer)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->buffer = buffer;
}
static uint64_t
tide__journal__fill(struct tide__journal_reader *r, uint64_t bytes)
{
	uint64_t before = r->at - r->window;
	ssize_t n;
	if (before + bytes <= r->filled)
		return bytes;
	r->window = r->at;
	r->filled = 0;
	while (r->filled < TIDE__JOURNAL_BUFFER) {
		n = tide__sys_pread(r->fd, r->buffer + r->filled,
		    (size_t)(TIDE__JOURNAL_BUFFER - r->filled),
		    r->window + r->filled);
		if (n == -EINTR)
			continue;
		if (n < 0)
			r->error = (int)n;
		if (n <= 0)
			break;
		r->filled += (uint64_t)n;
	}
	return tide__min_u64(bytes, r->filled);
}
static const uint8_t *
tide__journal__record_at(const struct tide__journal_reader *r)
{
	return r->buffer + (r->at - r->window);
}
static const char *
tide__journal__judge(struct tide__journal_reader *r, struct tide__journal__journal_head *head)
{
	struct tide__journal__journal_tail tail;
	uint64_t bytes, there;
	const uint8_t *at;
	there = tide__journal__fill(r, sizeof(*head));
	if (there == 0)
		return "";
	if (there < sizeof(*head))
		return "it is torn in the middle of a record";
	memcpy(head, tide__journal__record_at(r), sizeof(*head));
	if ((head->magic & ~UINT32_C(255)) != TIDE__JOURNAL_MAGIC)
		return "what follows is no record";
	bytes = tide__journal__whole_bytes(head->bytes);
	if (bytes > TIDE__JOURNAL_BUFFER)
		return "a record is too long";
	if (tide__journal__fill(r, bytes) < bytes)
		return "it is torn in the middle of a record";
	at = tide__journal__record_at(r);
	memcpy(&tail, at + bytes - sizeof(tail), sizeof(tail));
	if (tail.bytes != head->bytes ||
	    tail.crc != tide__crc_32c(0, at, (size_t)bytes - sizeof(tail)))
		return "the sum of a record is wrong";
	if (head->number <= r->number)
		return "a record is out of order";
	if (r->at == 0 && (head->magic & 255) != TIDE__JOURNAL_BEGIN)
		return "it does not begin like a file of checkpoints";
	return NULL;
}
static int
tide__journal_next(struct tide__journal_reader *r, struct tide__journal_record *record)
{
	struct tide__journal__journal_head head;
	const char *why = tide__journal__judge(r, &head);
	if (why != NULL) {
		r->why = *why != '\0' ? why : NULL;
		return 0;
	}
	record->type = head.magic & 255;
	record->bytes = head.bytes;
	record->number = head.number;
	record->time_ns = head.time_ns;
	record->payload = tide__journal__record_at(r) + sizeof(head);
	r->number = head.number;
	r->at += tide__journal__whole_bytes(head.bytes);
	return 1;
}
static void
tide__journal_take(const struct tide__journal_record *record, void *into, size_t bytes)
{
	size_t there = (size_t)tide__min_u64(record->bytes, bytes);
	memcpy(into, record->payload, there);
	memset((char *)into + there, 0, bytes - there);
}
static size_t
tide__journal__encode(uint8_t *at, int type, uint64_t number, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes)
{
	const size_t bytes = (size_t)tide__journal__whole_bytes(head_bytes + blob_bytes);
	struct tide__journal__journal_head h;
	struct tide__journal__journal_tail t;
	h.magic = TIDE__JOURNAL_MAGIC | (uint32_t)type;
	h.bytes = t.bytes = (uint32_t)(head_bytes + blob_bytes);
	h.number = number;
	h.time_ns = (uint64_t)tide__sys_clock_wall();
	memset(at, 0, bytes);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), head, head_bytes);
	if (blob_bytes > 0)
		memcpy(at + sizeof(h) + head_bytes, blob, blob_bytes);
	t.crc = tide__crc_32c(0, at, bytes - sizeof(t));
	memcpy(at + bytes - sizeof(t), &t, sizeof(t));
	return bytes;
}
static void
tide__journal__begin_at(struct tide__journal *j, int fd, const char *path, uint64_t end,
    uint64_t number)
{
	const int sync = j->sync;
	struct tide__text t;
	memset(j, 0, offsetof(struct tide__journal, buffer));
	j->fd = fd;
	j->sync = sync;
	j->end = end;
	j->number = number;
	j->compact_at = TIDE__JOURNAL_MOST;
	j->unsynced = true;
	tide__text_open(&t, j->path, sizeof(j->path));
	tide__text_put(&t, path);
}
static int
tide__journal__read_all(struct tide__journal_reader *r, void (*each)(void *context,
    const struct tide__journal_record *record), void *context)
{
	struct tide__journal_record record;
	while (tide__journal_next(r, &record) > 0)
		if (each != NULL)
			each(context, &record);
	return r->error != 0 ? r->error : r->at == 0 ? -EBADMSG : 0;
}
static int
tide__journal_open(struct tide__journal *j, const char *path,
    void (*each)(void *context, const struct tide__journal_record *record),
    void *context)
{
	struct tide__journal_reader reader;
	struct stat st;
	int fd, r;
	if (strlen(path) + 8 > sizeof(j->path))
		return -ENAMETOOLONG;
	fd = tide__journal_file_open(path, 0);
	if (fd < 0)
		return fd;
	tide__journal_read(&reader, fd, j->buffer);
	r = tide__journal__read_all(&reader, each, context);
	if (r == 0)
		r = tide__sys_fstat(fd, &st);
	if (r == 0 && (uint64_t)st.st_size > reader.at)
		r = tide__sys_ftruncate(fd, reader.at);
	if (r < 0) {
		(void)tide__sys_close(fd);
		return r;
	}
	tide__journal__begin_at(j, fd, path, reader.at, reader.number);
	return 0;
}
static int
tide__journal_create(struct tide__journal *j, const char *path,
    const struct tide__journal_begin *begin)
{
	const int before = j->fd;
	struct tide__journal_new fresh;
	size_t bytes;
	int r;
	if (strlen(path) + 8 > sizeof(j->path))
		return -ENAMETOOLONG;
	r = tide__journal_file_new(&fresh, path);
	if (r < 0)
		return r;
	bytes = tide__journal__encode(j->buffer, TIDE__JOURNAL_BEGIN, 1, begin, sizeof(*begin),
	    NULL, 0);
	r = tide__journal_file_write(fresh.fd, j->buffer, bytes, 0);
	if (r == 0)
		r = tide__journal_file_settle(&fresh, path, before, j->sync);
	if (r < 0) {
		tide__journal_file_drop(&fresh);
		return r;
	}
	tide__journal__begin_at(j, fresh.fd, path, bytes, 1);
	j->unsynced = false;
	if (before >= 0)
		(void)tide__sys_close(before);
	return 0;
}
static void
tide__journal_close(struct tide__journal *j)
{
	if (j->fd >= 0)
		(void)tide__sys_close(j->fd);
	j->fd = -1;
	j->held = 0;
}
static int
tide__journal__flush(struct tide__journal *j)
{
	int r;
	if (j->held == 0)
		return 0;
	r = tide__journal_file_write(j->fd, j->buffer, j->held, j->end);
	if (r < 0) {
		(void)tide__sys_ftruncate(j->fd, j->end);
		return r;
	}
	j->end += j->held;
	j->held = 0;
	j->unsynced = true;
	return 0;
}
static int
tide__journal__synchronise(struct tide__journal *j)
{
	int r;
	if (!j->unsynced)
		return 0;
	r = tide__sys_fdatasync(j->fd);
	if (r < 0) {
		j->doubted = true;
		return r;
	}
	j->unsynced = false;
	j->synced_ns = tide__sys_clock();
	return 0;
}
static int
tide__journal_put(struct tide__journal *j, enum tide__journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes)
{
	int r;
	if (j->fd < 0)
		return -EBADF;
	if (head_bytes > TIDE__JOURNAL_HEAD_MOST || blob_bytes > TIDE__JOURNAL_BLOB_MOST)
		return -E2BIG;
	if (j->held + tide__journal__whole_bytes(head_bytes + blob_bytes) > TIDE__JOURNAL_BUFFER) {
		r = tide__journal__flush(j);
		if (r < 0) {
			j->lost++;
			return r;
		}
	}
	j->held += tide__journal__encode(j->buffer + j->held, type, ++j->number, head,
	    head_bytes, blob, blob_bytes);
	return 0;
}
static void
tide__journal__take_back(struct tide__journal *j, uint64_t bytes)
{
	j->number--;
	if (j->held >= bytes) {
		j->held -= (size_t)bytes;
		return;
	}
	j->end -= bytes;
	(void)tide__sys_ftruncate(j->fd, j->end);
}
static bool
tide__journal__is_sync_due(const struct tide__journal *j)
{
	return j->sync == TIDE__JOURNAL_SYNC_BATCH ||
	    (j->sync == TIDE__JOURNAL_SYNC_MARK && (j->synced_ns == 0 ||
	    tide__sys_clock() - j->synced_ns >= TIDE__NS_PER_S));
}
static int
tide__journal_mark(struct tide__journal *j, enum tide__journal_type type, const void *head,
    size_t head_bytes, const void *blob, size_t blob_bytes)
{
	int r = 0;
	if (j->doubted)
		r = tide__journal_compact(j, true);
	if (r == 0)
		r = tide__journal_put(j, type, head, head_bytes, blob, blob_bytes);
	if (r < 0)
		return r;
	r = tide__journal__flush(j);
	if (r == 0 && (tide__journal__is_sync_due(j) || (type == TIDE__JOURNAL_END &&
	    j->sync != TIDE__JOURNAL_SYNC_NONE)))
		r = tide__journal__synchronise(j);
	if (r < 0) {
		tide__journal__take_back(j, tide__journal__whole_bytes(head_bytes + blob_bytes));
		return r;
	}
	if (j->end > j->compact_at && tide__journal_compact(j, false) < 0)
		j->compact_at = j->end + j->end / 4;
	return 0;
}
static uint64_t
tide__journal__kept_of(uint32_t type)
{
	switch (type) {
	case TIDE__JOURNAL_BATCH: return 1 * TIDE__MIB;
	case TIDE__JOURNAL_FAIL: return 4 * TIDE__MIB;
	case TIDE__JOURNAL_MARK: return 16 * TIDE__MIB;
	case TIDE__JOURNAL_MODEL: return 128 * TIDE__KIB;
	case TIDE__JOURNAL_QUAR: return 4 * TIDE__MIB;
	case TIDE__JOURNAL_BEGIN: return TIDE__JOURNAL_BUFFER;
	default: return 256 * TIDE__KIB;
	}
}
static uint32_t
tide__journal__kind_of(uint32_t type)
{
	return type < TIDE__JOURNAL_TYPES ? type : 0;
}
struct tide__journal__journal_sums {
	uint64_t all[TIDE__JOURNAL_TYPES], met[TIDE__JOURNAL_TYPES];
};
static void
tide__journal__sum_up(void *context, const struct tide__journal_record *record)
{
	struct tide__journal__journal_sums *sums = (struct tide__journal__journal_sums *)context;
	sums->all[tide__journal__kind_of(record->type)] += tide__journal__whole_bytes(record->bytes);
}
static bool
tide__journal__is_kept(struct tide__journal__journal_sums *sums, const struct tide__journal_record *record)
{
	uint32_t kind = tide__journal__kind_of(record->type);
	uint64_t behind = sums->all[kind] - sums->met[kind];
	sums->met[kind] += tide__journal__whole_bytes(record->bytes);
	return behind <= tide__journal__kept_of(record->type);
}
static int
tide__journal__copy(struct tide__journal_reader *from, struct tide__journal_new *to,
    struct tide__journal__journal_sums *sums)
{
	struct tide__journal_record record;
	int r;
	while (tide__journal_next(from, &record) > 0) {
		if (sums != NULL && !tide__journal__is_kept(sums, &record))
			continue;
		r = tide__journal_file_write(to->fd, record.payload -
		    sizeof(struct tide__journal__journal_head),
		    (size_t)tide__journal__whole_bytes(record.bytes), to->end);
		if (r < 0)
			return r;
		to->end += tide__journal__whole_bytes(record.bytes);
		to->number = record.number;
	}
	return from->error != 0 ? from->error : to->end == 0 ? -EBADMSG : 0;
}
static int
tide__journal__rewrite(int fd, const char *path, int sync, uint8_t *buffer,
    struct tide__journal__journal_sums *sums, struct tide__journal_new *fresh)
{
	struct tide__journal_reader reader;
	int r = tide__journal_file_new(fresh, path);
	if (r < 0)
		return r;
	tide__journal_read(&reader, fd, buffer);
	r = tide__journal__copy(&reader, fresh, sums);
	if (r == 0)
		r = tide__journal_file_settle(fresh, path, fd, sync);
	if (r < 0)
		tide__journal_file_drop(fresh);
	return r;
}
static bool
tide__journal__all_is_kept(const struct tide__journal__journal_sums *sums)
{
	uint32_t type;
	for (type = 0; type < TIDE__JOURNAL_TYPES; type++)
		if (sums->all[type] > tide__journal__kept_of(type))
			return false;
	return true;
}
static int
tide__journal_compact(struct tide__journal *j, bool all)
{
	struct tide__journal_reader reader;
	struct tide__journal__journal_sums sums;
	struct tide__journal_new fresh;
	int r = tide__journal__flush(j);
	if (r < 0)
		return r;
	memset(&sums, 0, sizeof(sums));
	tide__journal_read(&reader, j->fd, j->buffer);
	r = tide__journal__read_all(&reader, &tide__journal__sum_up, &sums);
	if (r < 0 || (!all && tide__journal__all_is_kept(&sums)))
		return r;
	r = tide__journal__rewrite(j->fd, j->path, j->sync, j->buffer, all ? NULL : &sums,
	    &fresh);
	if (r < 0)
		return r;
	(void)tide__sys_close(j->fd);
	j->fd = fresh.fd;
	j->end = fresh.end;
	j->number = tide__max_u64(j->number, fresh.number);
	j->compact_at = tide__max_u64(TIDE__JOURNAL_MOST, j->end * 2);
	j->doubted = false;
	j->unsynced = false;
	j->synced_ns = tide__sys_clock();
	return 0;
}
static int
tide__journal_seize(struct tide__journal *j, const char *path,
    void (*each)(void *context, const struct tide__journal_record *record),
    void *context)
{
	struct tide__journal_new fresh;
	int fd, r;
	fd = tide__journal_look(path);
	if (fd < 0)
		return fd;
	r = tide__journal__rewrite(fd, path, TIDE__JOURNAL_SYNC_MARK, j->buffer, NULL, &fresh);
	(void)tide__sys_close(fd);
	if (r < 0)
		return r;
	(void)tide__sys_close(fresh.fd);
	return tide__journal_open(j, path, each, context);
}
static int
tide__journal_remove(const char *path)
{
	int fd = tide__journal_file_open(path, 0);
	int r;
	if (fd < 0)
		return fd;
	r = tide__sys_unlink(path);
	(void)tide__sys_close(fd);
	return r;
}
/* --- src/plan/run-who.h */
static int tide__run_who_directory(char *const *environment, char path[TIDE__JOURNAL_PATH]);
static int tide__run_who_make_directory(char *const *environment, char path[TIDE__JOURNAL_PATH]);
static int tide__run_who_path(char *const *environment, const char *id,
    char path[TIDE__JOURNAL_PATH]);
static void tide__run_who_id(const char *name, char id[TIDE__JOURNAL_ID_ROOM]);
static int tide__run_who_parse(const char *text, char id[TIDE__JOURNAL_ID_ROOM],
    uint64_t *number);
static void tide__run_who_am_i(struct tide__journal_holder *holder, const char *supervisor);
static bool tide__run_who_is_dead(const struct tide__journal_holder *holder);
static uint64_t tide__run_who_arguments(void);
static uint64_t tide__run_who_environment(char *const *environment);
static int tide__run_who_file(const char *path, struct tide__journal_identity *file);
static const char *tide__run_who_differs(const struct tide__journal_identity *was,
    const struct tide__journal_identity *is);
/* --- src/plan/run-who.c */
static int
tide__run_who_directory(char *const *environment, char path[TIDE__JOURNAL_PATH])
{
	const char *state = tide__text_variable(environment, "HEAPTIDE_STATE");
	const char *xdg = tide__text_variable(environment, "XDG_STATE_HOME");
	const char *home = tide__text_variable(environment, "HOME");
	struct tide__text t;
	tide__text_open(&t, path, TIDE__JOURNAL_PATH);
	if (state != NULL && *state != '\0') {
		tide__text_put(&t, state);
	} else if (xdg != NULL && *xdg == '/') {
		tide__text_put(&t, xdg);
		tide__text_put(&t, "/heaptide");
	} else if (home != NULL && *home != '\0') {
		tide__text_put(&t, home);
		tide__text_put(&t, "/.local/state/heaptide");
	} else {
		return -ENOENT;
	}
	tide__text_put(&t, "/runs");
	return t.cut ? -ENAMETOOLONG : 0;
}
static int
tide__run_who_make_directory(char *const *environment, char path[TIDE__JOURNAL_PATH])
{
	int r = tide__run_who_directory(environment, path);
	char *slash;
	if (r < 0)
		return r;
	for (slash = strchr(path + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)tide__sys_mkdir(path, 0700);
		*slash = '/';
	}
	r = tide__sys_mkdir(path, 0700);
	return r == -EEXIST ? 0 : r;
}
static bool
tide__run_who__is_name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}
static bool
tide__run_who__is_id(const char *id)
{
	size_t n;
	for (n = 0; n < TIDE__JOURNAL_ID_ROOM && tide__run_who__is_name_letter(id[n]); n++)
		;
	return n > 0 && n < TIDE__JOURNAL_ID_ROOM && id[n] == '\0' &&
	    id[0] != '.' && id[0] != '-';
}
static int
tide__run_who_path(char *const *environment, const char *id,
    char path[TIDE__JOURNAL_PATH])
{
	struct tide__text t;
	size_t used;
	int r;
	if (!tide__run_who__is_id(id))
		return -EINVAL;
	r = tide__run_who_directory(environment, path);
	if (r < 0)
		return r;
	used = strlen(path);
	tide__text_open(&t, path + used, TIDE__JOURNAL_PATH - used);
	tide__text_put(&t, "/");
	tide__text_put(&t, id);
	tide__text_put(&t, TIDE__JOURNAL_SUFFIX);
	return t.cut ? -ENAMETOOLONG : 0;
}
static int
tide__run_who_parse(const char *text, char id[TIDE__JOURNAL_ID_ROOM], uint64_t *number)
{
	const char *at = strchr(text, '@');
	size_t n = at != NULL ? (size_t)(at - text) : strlen(text);
	*number = 0;
	if (n >= TIDE__JOURNAL_ID_ROOM)
		return -EINVAL;
	memset(id, 0, TIDE__JOURNAL_ID_ROOM);
	memcpy(id, text, n);
	if (!tide__run_who__is_id(id))
		return -EINVAL;
	if (at == NULL)
		return 0;
	return tide__text_parse_u64(at + 1, UINT64_MAX, number) < 0 ||
	    *number == 0 ? -EINVAL : 0;
}
static uint64_t
tide__run_who__hash_of(const char *path)
{
	uint64_t hash = 0, piece[64];
	size_t have = 0;
	ssize_t n;
	int fd = tide__sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	while ((n = tide__sys_read(fd, (char *)piece + have,
	    sizeof(piece) - have)) > 0 || n == -EINTR) {
		have += n > 0 ? (size_t)n : 0;
		if (have < sizeof(piece))
			continue;
		hash = tide__crc_hash(hash, piece, have);
		have = 0;
	}
	(void)tide__sys_close(fd);
	return tide__crc_hash(hash, piece, have);
}
static uint64_t
tide__run_who_arguments(void)
{
	return tide__run_who__hash_of("/proc/self/cmdline");
}
static bool
tide__run_who__begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}
static uint64_t
tide__run_who_environment(char *const *environment)
{
	static const char *const changing[] = {
		"HEAPTIDE_", "LD_PRELOAD=", "MEMORY_PRESSURE_", "_=",
		"OLDPWD=", "PWD=", "SHLVL=", "INVOCATION_ID=",
		"JOURNAL_STREAM=", "TERM=", "COLUMNS=", "LINES="
	};
	uint64_t sum = 0;
	size_t i;
	for (; environment != NULL && *environment != NULL; environment++) {
		for (i = 0; i < TIDE__ARRAY_LENGTH(changing); i++)
			if (tide__run_who__begins_with(*environment, changing[i]))
				break;
		if (i == TIDE__ARRAY_LENGTH(changing))
			sum += tide__crc_hash(1, *environment, strlen(*environment));
	}
	return sum;
}
#define TIDE__RUN_WHO__NAME_KEPT 30
static void
tide__run_who_id(const char *name, char id[TIDE__JOURNAL_ID_ROOM])
{
	static const char digits[] = "0123456789abcdef";
	char directory[TIDE__JOURNAL_PATH];
	uint64_t hash = tide__crc_hash(tide__run_who_arguments(), name, strlen(name));
	ssize_t n = tide__sys_readlink("/proc/self/cwd", directory,
	    sizeof(directory));
	size_t i;
	if (n > 0)
		hash = tide__crc_hash(hash, directory, (size_t)n);
	hash = tide__mix_u64(hash);
	memset(id, 0, TIDE__JOURNAL_ID_ROOM);
	for (i = 0; i < TIDE__RUN_WHO__NAME_KEPT && name[i] != '\0'; i++)
		id[i] = tide__run_who__is_name_letter(name[i]) ? name[i] : '_';
	if (id[0] == '.' || id[0] == '-')
		id[0] = '_';
	id[i++] = '-';
	for (n = 28; n >= 0; n -= 4)
		id[i++] = digits[hash >> n & 15];
}
static void
tide__run_who__read_line(const char *path, char *line, size_t room)
{
	int fd = tide__sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t n = 0;
	char *end;
	memset(line, 0, room);
	if (fd < 0)
		return;
	n = tide__sys_read(fd, line, room - 1);
	(void)tide__sys_close(fd);
	line[n > 0 ? n : 0] = '\0';
	end = strchr(line, '\n');
	if (end != NULL)
		memset(end, 0, room - (size_t)(end - line));
}
static uint64_t
tide__run_who__namespace_hash(void)
{
	char text[64];
	ssize_t n = tide__sys_readlink("/proc/self/ns/pid", text, sizeof(text));
	return n > 0 ? tide__crc_hash(0, text, (size_t)n) : 0;
}
static void
tide__run_who_am_i(struct tide__journal_holder *holder, const char *supervisor)
{
	struct tide__proc_stat stat;
	memset(holder, 0, sizeof(*holder));
	holder->pid = tide__sys_pid();
	if (tide__proc_stat_read(0, &stat) == 0)
		holder->ticks = stat.ticks;
	holder->pid_namespace = tide__run_who__namespace_hash();
	if (supervisor != NULL)
		holder->supervisor = tide__crc_hash(1, supervisor,
		    strlen(supervisor));
	tide__run_who__read_line("/proc/sys/kernel/random/boot_id", holder->boot,
	    sizeof(holder->boot));
	tide__run_who__read_line("/proc/sys/kernel/hostname", holder->host,
	    sizeof(holder->host));
}
static bool
tide__run_who_is_dead(const struct tide__journal_holder *holder)
{
	char boot[sizeof(holder->boot)];
	if (holder->pid <= 0 || holder->ticks == 0 ||
	    holder->pid_namespace == 0 ||
	    holder->pid_namespace != tide__run_who__namespace_hash())
		return false;
	tide__run_who__read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	if (memcmp(boot, holder->boot, sizeof(boot)) != 0)
		return false;
	return !tide__proc_is_alive(holder->pid, holder->ticks);
}
#define TIDE__RUN_WHO__END_BYTES (64 * TIDE__KIB)
static int
tide__run_who__hash_range(int fd, uint64_t from, uint64_t to, uint64_t *hash)
{
	uint64_t piece[512];
	size_t want, have;
	ssize_t n;
	while (from < to) {
		want = (size_t)tide__min_u64(to - from, sizeof(piece));
		for (have = 0; have < want; have += (size_t)n) {
			n = tide__sys_pread(fd, (char *)piece + have, want - have,
			    from + have);
			if (n == -EINTR)
				n = 0;
			else if (n <= 0)
				return n < 0 ? (int)n : -EIO;
		}
		*hash = tide__crc_hash(*hash, piece, want);
		from += want;
	}
	return 0;
}
static void
tide__run_who__put_path(const char *path, struct tide__journal_identity *file)
{
	char directory[sizeof(file->path)];
	struct tide__text t;
	ssize_t n = 0;
	if (*path != '/')
		n = tide__sys_readlink("/proc/self/cwd", directory,
		    sizeof(directory));
	tide__text_open(&t, file->path, sizeof(file->path));
	if (n > 0) {
		tide__text_put_bytes(&t, directory, (size_t)n);
		tide__text_put(&t, "/");
	}
	tide__text_put(&t, path);
	if (t.cut || n < 0)
		memset(file->path, 0, sizeof(file->path));
}
static int
tide__run_who_file(const char *path, struct tide__journal_identity *file)
{
	struct stat st;
	int fd, r;
	memset(file, 0, sizeof(*file));
	tide__run_who__put_path(path, file);
	fd = tide__sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	r = tide__sys_fstat(fd, &st);
	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0) {
		file->bytes = (uint64_t)st.st_size;
		file->inode = (uint64_t)st.st_ino;
		file->device = (uint64_t)st.st_dev;
		file->changed_ns = (uint64_t)st.st_mtim.tv_sec * TIDE__NS_PER_S +
		    (uint64_t)st.st_mtim.tv_nsec;
		r = tide__run_who__hash_range(fd, 0, tide__min_u64(file->bytes, TIDE__RUN_WHO__END_BYTES),
		    &file->hash);
	}
	if (r == 0 && file->bytes > TIDE__RUN_WHO__END_BYTES)
		r = tide__run_who__hash_range(fd, tide__max_u64(TIDE__RUN_WHO__END_BYTES, file->bytes -
		    TIDE__RUN_WHO__END_BYTES), file->bytes, &file->hash);
	(void)tide__sys_close(fd);
	return r;
}
static const char *
tide__run_who_differs(const struct tide__journal_identity *was,
    const struct tide__journal_identity *is)
{
	if (was->bytes != is->bytes)
		return "it has another size";
	if (was->hash != is->hash)
		return "it has other contents";
	if (was->changed_ns != is->changed_ns)
		return "it was written to since";
	return NULL;
}
/* --- src/plan/run-look.h */
struct tide__run_look {
	struct tide__journal_begin begin;
	struct tide__journal_holder holder;
	struct tide__journal_mark mark;
	uint64_t mark_number, mark_ns;
	uint64_t marks, mark_bytes;
	uint64_t total;
	uint64_t begin_ns, last_ns;
	uint64_t batches, items;
	uint64_t last_n;
	uint64_t peak;
	uint64_t failed, quarantined;
	uint64_t mended;
	uint64_t model_ns;
	uint64_t wanted;
	uint32_t asked;
	uint32_t attempts;
	bool ended, ok;
	bool command;
	bool stale;
	uint64_t bytes;
	uint64_t behind;
	const char *why;
};
static void tide__run_look_add(void *look, const struct tide__journal_record *record);
static int tide__run_look_settle(struct tide__run_look *look, int fd, uint8_t *buffer);
static int tide__run_look_read(struct tide__run_look *look, const char *path);
static bool tide__run_look_find(int fd, uint8_t *buffer, uint64_t number,
    struct tide__journal_record *record);
static uint8_t *tide__run_look_buffer(void);
static void tide__run_look_no_buffer(uint8_t *buffer);
static double tide__run_look_percent(const struct tide__run_look *look);
/* --- src/plan/run-look.c */
static void
tide__run_look__add_switch(struct tide__run_look *look, const struct tide__journal_record *record)
{
	struct tide__journal_switch s;
	tide__journal_take(record, &s, sizeof(s));
	look->holder = s.holder;
	look->attempts++;
	look->wanted = s.from;
	look->asked = s.asked;
	look->ended = false;
	if (s.total != 0)
		look->total = s.total;
	if (s.from == look->mark_number)
		return;
	look->mark_number = s.from;
	look->stale = s.from != 0;
	memset(&look->mark, 0, sizeof(look->mark));
}
static void
tide__run_look__add_mark(struct tide__run_look *look, const struct tide__journal_record *record)
{
	tide__journal_take(record, &look->mark, sizeof(look->mark));
	look->mark_number = record->number;
	look->mark_ns = record->time_ns;
	look->stale = false;
}
static void
tide__run_look__add_batch(struct tide__run_look *look, const struct tide__journal_record *record)
{
	struct tide__journal_batch b;
	tide__journal_take(record, &b, sizeof(b));
	look->batches++;
	look->items += b.count;
	look->last_n = b.count;
	look->peak = tide__max_u64(look->peak, b.peak);
}
static void
tide__run_look__add_fail(struct tide__run_look *look, const struct tide__journal_record *record)
{
	struct tide__journal_fail f;
	tide__journal_take(record, &f, sizeof(f));
	if (record->type == TIDE__JOURNAL_QUAR)
		look->quarantined += f.count;
	else if (f.reason == 0)
		look->mended += f.count;
	else
		look->failed += f.count;
}
static void
tide__run_look_add(void *context, const struct tide__journal_record *record)
{
	struct tide__run_look *look = (struct tide__run_look *)context;
	struct tide__journal_end end;
	look->last_ns = record->time_ns;
	switch (record->type) {
	case TIDE__JOURNAL_BEGIN:
		tide__journal_take(record, &look->begin, sizeof(look->begin));
		look->begin.id[sizeof(look->begin.id) - 1] = '\0';
		look->begin.name[sizeof(look->begin.name) - 1] = '\0';
		look->begin.unit[sizeof(look->begin.unit) - 1] = '\0';
		look->begin.conf[sizeof(look->begin.conf) - 1] = '\0';
		look->holder = look->begin.holder;
		look->total = look->begin.total;
		look->begin_ns = record->time_ns;
		look->attempts = 1;
		break;
	case TIDE__JOURNAL_BATCH:
		tide__run_look__add_batch(look, record);
		break;
	case TIDE__JOURNAL_FAIL:
	case TIDE__JOURNAL_QUAR:
		tide__run_look__add_fail(look, record);
		break;
	case TIDE__JOURNAL_MARK:
		tide__run_look__add_mark(look, record);
		look->marks++;
		look->mark_bytes += record->bytes;
		break;
	case TIDE__JOURNAL_MODEL:
		look->model_ns = record->time_ns;
		break;
	case TIDE__JOURNAL_SWITCH:
		tide__run_look__add_switch(look, record);
		break;
	case TIDE__JOURNAL_END:
		tide__journal_take(record, &end, sizeof(end));
		look->ended = true;
		look->ok = end.ok != 0;
		break;
	case TIDE__JOURNAL_COMMAND:
		look->command = true;
		break;
	default:
		break;
	}
}
static bool
tide__run_look_find(int fd, uint8_t *buffer, uint64_t number,
    struct tide__journal_record *record)
{
	struct tide__journal_reader reader;
	tide__journal_read(&reader, fd, buffer);
	while (tide__journal_next(&reader, record) > 0)
		if (record->number >= number)
			return record->number == number;
	return false;
}
static int
tide__run_look_settle(struct tide__run_look *look, int fd, uint8_t *buffer)
{
	struct tide__journal_record record;
	if (!look->stale)
		return 0;
	if (tide__run_look_find(fd, buffer, look->mark_number, &record) &&
	    record.type == TIDE__JOURNAL_MARK) {
		tide__run_look__add_mark(look, &record);
		return 0;
	}
	look->mark_number = 0;
	look->stale = false;
	return -ENOENT;
}
static uint8_t *
tide__run_look_buffer(void)
{
	void *p = tide__sys_mmap(NULL, TIDE__JOURNAL_BUFFER, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return tide__sys_error_of(p) != 0 ? NULL : (uint8_t *)p;
}
static void
tide__run_look_no_buffer(uint8_t *buffer)
{
	(void)tide__sys_munmap(buffer, TIDE__JOURNAL_BUFFER);
}
static int
tide__run_look_read(struct tide__run_look *look, const char *path)
{
	struct tide__journal_reader reader;
	struct tide__journal_record record;
	uint8_t *buffer;
	struct stat st;
	int r, fd = tide__journal_look(path);
	memset(look, 0, sizeof(*look));
	if (fd < 0)
		return fd;
	buffer = tide__run_look_buffer();
	r = buffer == NULL ? -ENOMEM : 0;
	if (r == 0) {
		tide__journal_read(&reader, fd, buffer);
		while (tide__journal_next(&reader, &record) > 0)
			tide__run_look_add(look, &record);
		r = reader.error != 0 ? reader.error : reader.at == 0 ?
		    -EBADMSG : 0;
		look->bytes = reader.at;
		look->why = reader.why;
		if (tide__sys_fstat(fd, &st) == 0)
			look->behind = tide__above_u64((uint64_t)st.st_size,
			    reader.at);
		(void)tide__run_look_settle(look, fd, buffer);
		tide__run_look_no_buffer(buffer);
	}
	(void)tide__sys_close(fd);
	return r;
}
static double
tide__run_look_percent(const struct tide__run_look *look)
{
	if (look->ended && look->ok)
		return 100;
	if (look->total == TIDE_NONE || look->total == 0)
		return -1;
	return 100 * (double)tide__min_u64(look->mark.cursor, look->total) /
	    (double)look->total;
}
/* --- src/plan/run.h */
static int tide__run_begin(const char *name, uint64_t total, const char *unit, char *id);
static int tide__run_input(const char *path);
static int tide__run_resume(uint64_t *cursor, void *blob, size_t *len);
static int tide__run_checkpoint(uint64_t cursor, const void *blob, size_t len);
static int tide__run_on_checkpoint(tide_checkpoint_fn fn, void *context);
static int tide__run_finish(int ok);
static void tide__run_recycle(void);
static bool tide__run_has_mark(void);
static void tide__run_note_batch(const struct tide__journal_batch *batch, const tide_op *op,
    uint32_t every);
static void tide__run_note_fail(uint64_t first, uint64_t count, int reason,
    const char *why);
static void tide__run_warm(tide_op *op);
static void tide__run_in_child(void);
/* --- src/plan/chain.h */
#define TIDE__CHAIN_WISHES 5
#define TIDE__CHAIN_ROOM (TIDE__CHAIN_WISHES + 2 + 2 * TIDE__CGROUP_LEVELS + 1 + 2 + 1)
struct tide__chain_link {
	const char *name;
	const char *file;
	size_t path_bytes;
	const char *note;
};
struct tide__chain {
	const char *root;
	int pid;
	struct tide__proc_status status;
	struct tide__cgroup_memory groups;
	size_t count;
	struct tide__source source[TIDE__CHAIN_ROOM];
	struct tide__chain_link link[TIDE__CHAIN_ROOM];
};
static void tide__chain_open(struct tide__chain *c, const char *root, int pid,
    const struct tide__proc_status *status);
static int tide__chain_add_wish(struct tide__chain *c, const char *name,
    const struct tide__source_wish *wish);
static void tide__chain_add_pool(struct tide__chain *c, uint64_t bytes, uint64_t used);
static int tide__chain_add_slurm(struct tide__chain *c, const char *per_node,
    const char *per_cpu, const char *cpus);
static int tide__chain_add_environment(struct tide__chain *c, char *const *environment);
static void tide__chain_add_system(struct tide__chain *c);
static bool tide__chain_has_changed(const struct tide__chain *c);
/* --- src/plan/chain.c */
static void
tide__chain_open(struct tide__chain *c, const char *root, int pid,
    const struct tide__proc_status *status)
{
	c->root = root;
	c->pid = pid;
	c->count = 0;
	c->groups.version = 0;
	c->groups.levels = 0;
	if (status != NULL)
		c->status = *status;
	else
		memset(&c->status, 0, sizeof(c->status));
}
static void
tide__chain__add(struct tide__chain *c, enum tide__source_kind kind, const char *name, uint64_t bytes,
    uint64_t used, const char *file, size_t path_bytes, const char *note)
{
	struct tide__source *s = &c->source[c->count];
	struct tide__chain_link *l = &c->link[c->count];
	if (c->count == TIDE__CHAIN_ROOM)
		return;
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->bytes = bytes;
	s->used = used;
	l->name = name;
	l->file = file;
	l->path_bytes = path_bytes;
	l->note = note;
	c->count++;
}
static int
tide__chain_add_wish(struct tide__chain *c, const char *name,
    const struct tide__source_wish *wish)
{
	if (c->count >= TIDE__CHAIN_WISHES)
		return -ENOSPC;
	tide__chain__add(c, TIDE__SOURCE_SET, name, TIDE__SOURCE_NONE, c->status.resident, NULL, 0,
	    NULL);
	c->source[c->count - 1].wish = *wish;
	return 0;
}
static void
tide__chain_add_pool(struct tide__chain *c, uint64_t bytes, uint64_t used)
{
	tide__chain__add(c, TIDE__SOURCE_SHARE, "pool", bytes, used, NULL, 0,
	    "what it holds of a common budget");
}
static int
tide__chain__slurm_number(const char *text, uint64_t *n)
{
	*n = 0;
	if (text == NULL || *text == '\0')
		return 0;
	return tide__text_parse_u64(text, UINT64_MAX / TIDE__MIB, n) < 0 ? -EINVAL : 0;
}
static int
tide__chain_add_slurm(struct tide__chain *c, const char *per_node, const char *per_cpu,
    const char *cpus)
{
	uint64_t node, one, count, bytes;
	if (tide__chain__slurm_number(per_node, &node) < 0 ||
	    tide__chain__slurm_number(per_cpu, &one) < 0 || tide__chain__slurm_number(cpus, &count) < 0)
		return -EINVAL;
	bytes = node * TIDE__MIB;
	if (node == 0 && __builtin_mul_overflow(one * TIDE__MIB, count, &bytes))
		return -EINVAL;
	if (bytes != 0)
		tide__chain__add(c, TIDE__SOURCE_SHARE, "slurm", bytes, c->status.resident, NULL,
		    0, "of the job on this node, all of its processes");
	return 0;
}
static int
tide__chain_add_environment(struct tide__chain *c, char *const *environment)
{
	return tide__chain_add_slurm(c,
	    tide__text_variable(environment, "SLURM_MEM_PER_NODE"),
	    tide__text_variable(environment, "SLURM_MEM_PER_CPU"),
	    tide__text_variable(environment, "SLURM_CPUS_ON_NODE"));
}
static void
tide__chain__add_hidden_group(struct tide__chain *c, uint64_t least)
{
	const struct tide__cgroup_memory *m = &c->groups;
	if (m->levels > 0 && m->hierarchical < least)
		tide__chain__add(c, TIDE__SOURCE_CGROUP, "cgroup", m->hierarchical,
		    m->level[0].used, "memory.stat", m->level[0].path_bytes,
		    "set in a group above, out of sight");
}
static void
tide__chain__add_groups(struct tide__chain *c)
{
	const struct tide__cgroup_memory *m = &c->groups;
	const struct tide__cgroup_level *level;
	uint64_t least = TIDE__SOURCE_NONE;
	if (tide__cgroup_memory_read(c->root, c->pid, &c->groups) < 0) {
		c->groups.levels = 0;
		return;
	}
	for (level = m->level; level < m->level + m->levels; level++) {
		tide__chain__add(c, TIDE__SOURCE_CGROUP, "cgroup", level->max, level->used,
		    tide__cgroup_file_of_max(m), level->path_bytes, NULL);
		least = tide__min_u64(least, level->max);
	}
	for (level = m->level; level < m->level + m->levels; level++)
		if (level->high != TIDE__CGROUP_NONE)
			tide__chain__add(c, TIDE__SOURCE_HIGH, "cgroup-high", level->high,
			    level->used, "memory.high", level->path_bytes,
			    NULL);
	tide__chain__add_hidden_group(c, least);
}
static void
tide__chain__add_limits(struct tide__chain *c)
{
	struct tide__proc_limits limits;
	memset(&limits, 0, sizeof(limits));
	if (tide__proc_limits_read(c->root, c->pid, &limits) < 0)
		return;
	tide__chain__add(c, TIDE__SOURCE_LIMIT, "rlimit-as", limits.address_space,
	    c->status.address_space, "limits", 0,
	    "address space, not resident memory");
	tide__chain__add(c, TIDE__SOURCE_LIMIT, "rlimit-data", limits.data, c->status.data,
	    "limits", 0, "data mapped, not resident memory");
}
static void
tide__chain__add_host(struct tide__chain *c)
{
	struct tide__proc_memory memory;
	if (tide__proc_memory_read(c->root, &memory) < 0)
		return;
	tide__chain__add(c, TIDE__SOURCE_HOST, "host", tide__source_of_host(memory.total,
	    memory.available, c->status.resident), c->status.resident,
	    "meminfo", 0, "what is available now, less a reserve");
}
static void
tide__chain_add_system(struct tide__chain *c)
{
	tide__chain__add_groups(c);
	tide__chain__add_limits(c);
	tide__chain__add_host(c);
}
static bool
tide__chain_has_changed(const struct tide__chain *c)
{
	return tide__cgroup_memory_has_changed(&c->groups);
}
/* --- src/plan/common.h */
static int tide__common_memory(struct tide__host_memory *memory);
static int tide__common_limit(uint64_t set_bytes, struct tide__host_limit *limit);
static int tide__common_limit_given(uint64_t set_bytes, uint64_t given_bytes,
    struct tide__host_limit *limit);
/* --- src/plan/common.c */
extern char **environ;
struct tide__common__kinds {
	uint64_t anonymous, shared, swapped, resident;
};
static const struct tide__proc_key tide__common__kind_keys[] = {
	{ "RssAnon:", offsetof(struct tide__common__kinds, anonymous), 1024 },
	{ "RssShmem:", offsetof(struct tide__common__kinds, shared), 1024 },
	{ "VmSwap:", offsetof(struct tide__common__kinds, swapped), 1024 },
	{ "VmRSS:", offsetof(struct tide__common__kinds, resident), 1024 },
};
static int
tide__common_memory(struct tide__host_memory *memory)
{
	struct tide__proc_lines lines;
	struct tide__common__kinds kinds;
	char path[64];
	char *line;
	int r = tide__proc_path(path, sizeof(path), "", 0, "status");
	memset(&kinds, 0, sizeof(kinds));
	if (r == 0)
		r = tide__proc_lines_open(&lines, path);
	if (r < 0)
		return r;
	while ((line = tide__proc_lines_next(&lines)) != NULL)
		(void)tide__proc_key_take(line, tide__common__kind_keys, TIDE__ARRAY_LENGTH(tide__common__kind_keys),
		    &kinds);
	r = tide__proc_lines_close(&lines);
	if (r < 0)
		return r;
	memory->used = kinds.anonymous + kinds.shared + kinds.swapped;
	memory->resident = kinds.resident;
	memory->faults = tide__sys_faults();
	if (memory->used == 0)
		memory->used = kinds.resident;
	return 0;
}
static void
tide__common__add_bytes(struct tide__chain *c, const char *name, uint64_t bytes)
{
	struct tide__source_wish wish;
	wish.form = TIDE__FORM_BYTES;
	wish.value = bytes;
	if (bytes != 0)
		(void)tide__chain_add_wish(c, name, &wish);
}
static void
tide__common__add_wishes(struct tide__chain *c, uint64_t set_bytes, uint64_t given_bytes)
{
	const char *own = given_bytes == TIDE_NONE ? tide__settings_find("BUDGET") :
	    tide__settings_own("BUDGET");
	uint64_t given = given_bytes == TIDE_NONE ? 0 : given_bytes;
	struct tide__source_wish wish;
	if (given != 0 && (set_bytes == 0 || given < set_bytes)) {
		if (own != NULL && tide__source_parse(own, &wish) == 0 &&
		    set_bytes == 0 && wish.form == TIDE__FORM_BYTES &&
		    wish.value < given)
			(void)tide__chain_add_wish(c, "budget", &wish);
		tide__common__add_bytes(c, "budget", given);
		return;
	}
	tide__common__add_bytes(c, "set", set_bytes);
	if (own != NULL && tide__source_parse(own, &wish) == 0)
		(void)tide__chain_add_wish(c, "budget", &wish);
}
static uint64_t
tide__common__others(const struct tide__chain *c, const struct tide__sources_answer *a)
{
	enum tide__source_kind kind;
	struct tide__host_memory memory;
	if (a->tightest >= c->count || a->budget == TIDE__SOURCE_NONE)
		return 0;
	kind = c->source[a->tightest].kind;
	if ((kind != TIDE__SOURCE_CGROUP && kind != TIDE__SOURCE_LIMIT &&
	    kind != TIDE__SOURCE_SHARE) || tide__common_memory(&memory) < 0)
		return 0;
	return tide__above_u64(tide__above_u64(a->budget, a->available), memory.used);
}
static int
tide__common_limit(uint64_t set_bytes, struct tide__host_limit *limit)
{
	return tide__common_limit_given(set_bytes, TIDE_NONE, limit);
}
static int
tide__common_limit_given(uint64_t set_bytes, uint64_t given_bytes,
    struct tide__host_limit *limit)
{
	struct tide__sources_answer judged;
	struct tide__proc_status status;
	struct tide__chain c;
	struct tide__text t;
	int r = tide__proc_status_read(0, &status);
	if (r < 0)
		return r;
	tide__chain_open(&c, "", 0, &status);
	tide__common__add_wishes(&c, set_bytes, given_bytes);
	(void)tide__chain_add_environment(&c, environ);
	tide__chain_add_system(&c);
	(void)tide__sources_judge(c.source, c.count, false, &judged);
	memset(limit, 0, sizeof(*limit));
	limit->budget = judged.budget;
	limit->available = judged.available;
	limit->slow_from = judged.slow_from;
	limit->soft = judged.soft;
	if (judged.budget != TIDE__SOURCE_NONE) {
		limit->others = tide__common__others(&c, &judged);
		tide__text_open(&t, limit->source, sizeof(limit->source));
		tide__text_put(&t, c.link[judged.rules].name);
	}
	return 0;
}
/* --- src/model/lease.h */
#define TIDE__LEASE_AGE_NS UINT64_C(2000000000)
#define TIDE__LEASE_WORTH (UINT64_C(64) << 20)
#define TIDE__LEASE_SETTLE_NS UINT64_C(15000000000)
#define TIDE__LEASE_WINDOW 32
#define TIDE__LEASE_REACH  256
#define TIDE__LEASE_WEIGHT_MOST 65535
struct tide__lease_pool {
	uint64_t budget;
	int64_t left;
	uint64_t bases;
	uint32_t active;
	uint32_t seats;
	uint32_t members;
};
struct tide__lease_ask {
	uint64_t least;
	uint64_t want;
	uint64_t waited_ns;
	uint32_t weight;
};
static uint64_t tide__lease_line(uint64_t budget);
static uint32_t tide__lease_seats(uint32_t cores);
static uint64_t tide__lease_fair(const struct tide__lease_pool *pool);
static int tide__lease_is_possible(const struct tide__lease_pool *pool, uint64_t least);
static size_t tide__lease_grant(const struct tide__lease_pool *pool, const struct tide__lease_ask *ask,
    size_t count, uint64_t *granted);
static uint64_t tide__lease_extend(const struct tide__lease_pool *pool,
    const struct tide__lease_ask *head, uint64_t more);
struct tide__lease_member {
	uint64_t started_ns;
	uint64_t reclaimable;
};
static long tide__lease_victim(const struct tide__lease_member *member, size_t count,
    uint64_t need, uint64_t now_ns, uint64_t acted_ns);
struct tide__lease_band {
	uint64_t least;
	uint64_t most;
};
static struct tide__lease_band tide__lease_band(uint64_t room, uint32_t active,
    uint64_t one_item);
/* --- src/model/lease.c */
#define TIDE__LEASE__RESERVE_PART 20
static uint64_t
tide__lease_line(uint64_t budget)
{
	return budget - budget / TIDE__LEASE__RESERVE_PART;
}
static uint32_t
tide__lease_seats(uint32_t cores)
{
	return cores;
}
static uint64_t
tide__lease__elastic(const struct tide__lease_pool *pool)
{
	uint64_t line = tide__lease_line(pool->budget);
	return tide__above_u64(line, pool->bases);
}
static uint64_t
tide__lease__room_of(const struct tide__lease_pool *pool)
{
	int64_t room = pool->left -
	    (int64_t)(pool->budget - tide__lease_line(pool->budget));
	return room > 0 ? (uint64_t)room : 0;
}
static uint64_t
tide__lease_fair(const struct tide__lease_pool *pool)
{
	uint32_t parts = pool->members;
	if (pool->seats > 0 && pool->seats < parts)
		parts = pool->seats;
	return tide__lease__elastic(pool) / (parts > 0 ? parts : 1);
}
static int
tide__lease_is_possible(const struct tide__lease_pool *pool, uint64_t least)
{
	return least <= tide__lease__elastic(pool);
}
static uint64_t
tide__lease__weight_of(const struct tide__lease_ask *ask)
{
	if (ask->weight == 0)
		return 1;
	return tide__min_u64(ask->weight, TIDE__LEASE_WEIGHT_MOST);
}
static void
tide__lease__fill(const struct tide__lease_ask *ask, size_t count, uint64_t room,
    uint64_t *granted)
{
	uint64_t part, weights, given;
	size_t i;
	do {
		weights = 0;
		for (i = 0; i < count; i++)
			if (granted[i] > 0 && granted[i] < ask[i].want)
				weights += tide__lease__weight_of(&ask[i]);
		given = 0;
		for (i = 0; i < count && weights > 0; i++) {
			if (granted[i] == 0 || granted[i] >= ask[i].want)
				continue;
			part = tide__min_u64(room * tide__lease__weight_of(&ask[i]) / weights,
			    ask[i].want - granted[i]);
			granted[i] += part;
			given += part;
		}
		room -= given;
	} while (given > count);
}
static uint64_t
tide__lease__to_come(const struct tide__lease_pool *pool, uint64_t got)
{
	uint64_t parts = pool->members;
	if (pool->seats > 0 && pool->seats < parts)
		parts = pool->seats;
	return tide__above_u64(parts, pool->active + got);
}
static size_t
tide__lease_grant(const struct tide__lease_pool *pool, const struct tide__lease_ask *ask,
    size_t count, uint64_t *granted)
{
	uint64_t room = tide__lease__room_of(pool), fair = tide__lease_fair(pool), need;
	uint32_t seats = UINT32_MAX;
	size_t i, got = 0, waiting = 0;
	if (pool->seats > 0)
		seats = pool->seats > pool->active ?
		    pool->seats - pool->active : 0;
	for (i = 0; i < count; i++)
		granted[i] = 0;
	for (i = 0; i < count && seats > 0; i++) {
		need = tide__max_u64(ask[i].least, tide__min_u64(ask[i].want, fair));
		if (pool->active == 0 && got == 0)
			need = tide__min_u64(need, tide__max_u64(ask[i].least, room));
		if (need <= room && need > 0) {
			granted[i] = need;
			room -= need;
			seats--;
			got++;
			continue;
		}
		if (!tide__lease_is_possible(pool, ask[i].least))
			continue;
		if (waiting++ == 0 && ask[i].waited_ns >= TIDE__LEASE_AGE_NS)
			break;
	}
	if (waiting == 0)
		tide__lease__fill(ask, count, tide__above_u64(room, fair * tide__lease__to_come(pool, got)),
		    granted);
	return got;
}
static uint64_t
tide__lease_extend(const struct tide__lease_pool *pool, const struct tide__lease_ask *head,
    uint64_t more)
{
	if (head != NULL && head->waited_ns >= TIDE__LEASE_AGE_NS &&
	    tide__lease_is_possible(pool, head->least))
		return 0;
	return pool->left > 0 && (uint64_t)pool->left >= more ? more : 0;
}
static long
tide__lease_victim(const struct tide__lease_member *member, size_t count, uint64_t need,
    uint64_t now_ns, uint64_t acted_ns)
{
	uint64_t worth = tide__max_u64(TIDE__LEASE_WORTH, need / 10);
	size_t i, oldest = 0;
	long victim = -1;
	if (need == 0 || count == 0)
		return -1;
	if (acted_ns != 0 && now_ns - acted_ns < TIDE__LEASE_SETTLE_NS)
		return -1;
	for (i = 1; i < count; i++)
		if (member[i].started_ns < member[oldest].started_ns)
			oldest = i;
	for (i = 0; i < count; i++)
		if (i != oldest && member[i].reclaimable >= worth &&
		    (victim < 0 || member[i].started_ns >
		    member[victim].started_ns))
			victim = (long)i;
	return victim;
}
static struct tide__lease_band
tide__lease_band(uint64_t room, uint32_t active, uint64_t one_item)
{
	uint32_t n = active > 0 ? active : 1;
	struct tide__lease_band band;
	band.least = tide__max_u64(one_item, room / (2 * (uint64_t)n));
	band.most = tide__max_u64(band.least, room / n);
	return band;
}
/* --- src/plan/shares.h */
#define TIDE__SHARES_UNIT       UINT64_C(4096)
#define TIDE__SHARES_SLOTS_MOST 16383
#define TIDE__SHARES_BYTES_MOST (UINT64_C(1) << 47)
#define TIDE__SHARES_WEIGHT_MOST 16383
struct tide__shares_head;
struct tide__shares_slot;
struct tide__shares {
	struct tide__shares_head *head;
	uint64_t *ring;
	struct tide__shares_slot *slot;
	uint64_t key;
	size_t bytes;
	uint32_t slots;
	uint32_t ring_mask;
	int can_write;
};
struct tide__shares_member {
	struct tide__shares *pool;
	uint32_t index;
};
static size_t tide__shares_bytes(uint32_t slots);
static int tide__shares_create(const char *path, uint64_t budget, uint32_t cores,
    uint32_t slots);
static int tide__shares_format(void *at, uint64_t budget, uint32_t cores, uint32_t slots);
static int tide__shares_open(struct tide__shares *pool, const char *path, int write);
static int tide__shares_use(struct tide__shares *pool, void *at);
static void tide__shares_close(struct tide__shares *pool);
static void tide__shares_in_child(struct tide__shares *pool);
static int tide__shares_join(struct tide__shares *pool, uint32_t weight, uint64_t floor,
    int afresh, struct tide__shares_member *member);
static void tide__shares_leave(struct tide__shares_member *member);
static int tide__shares_acquire(struct tide__shares_member *member, uint64_t least,
    uint64_t want, uint64_t wait_ns, uint64_t *got);
static int tide__shares_extend(struct tide__shares_member *member, uint64_t more);
static void tide__shares_shrink(struct tide__shares_member *member, uint64_t keep);
static void tide__shares_release(struct tide__shares_member *member, uint64_t base);
static void tide__shares_used(struct tide__shares_member *member, uint64_t bytes);
static uint64_t tide__shares_lease(const struct tide__shares_member *member);
enum {
	TIDE__SHARES_CLEAN = 1,
	TIDE__SHARES_RECYCLE = 2
};
static int tide__shares_wish(struct tide__shares_member *member);
static uint32_t tide__shares_sweep(struct tide__shares_member *member);
static int tide__shares_audit(struct tide__shares_member *member, uint64_t *repaired);
static int tide__shares_budget_set(struct tide__shares_member *member, uint64_t bytes);
static void tide__shares_stop(struct tide__shares *pool);
struct tide__shares_total {
	uint64_t budget;
	uint64_t set;
	int64_t left;
	uint64_t leases, bases, used;
	uint32_t active, seats, members, waiting, slots;
	uint32_t stopped;
	uint64_t granted;
	uint64_t swept;
	uint64_t repaired;
};
struct tide__shares_row {
	int pid;
	uint32_t weight;
	uint64_t lease, base, used, floor;
	uint64_t least, want;
	uint64_t waiting_ns;
	uint64_t granted;
	int wish;
};
static void tide__shares_read(const struct tide__shares *pool, struct tide__shares_total *total);
static int tide__shares_read_row(const struct tide__shares *pool, uint32_t index,
    struct tide__shares_row *row);
static uint32_t tide__shares_of(const struct tide__shares *pool, int pid, struct tide__shares_row *sum);
/* --- src/plan/shares-file.h */
#define TIDE__SHARES_MAGIC   UINT64_C(0x3165676465727374)
#define TIDE__SHARES_VERSION 1
#define TIDE__SHARES_PAGE    4096
struct tide__shares_head {
	uint64_t magic;
	uint32_t version;
	uint32_t slots;
	uint64_t set;
	uint64_t name_space;
	uint32_t cores;
	uint32_t pad0[7];
	uint64_t word;
	uint64_t pad1[7];
	uint64_t tail;
	uint64_t pad2[7];
	uint64_t head;
	uint64_t pad3[7];
	uint64_t gate;
	uint64_t budget;
	uint64_t bases;
	uint32_t members;
	uint32_t suspect;
	uint32_t stopped;
	uint32_t again;
	uint64_t granting;
	uint64_t swept_ns;
	uint64_t swept_all_ns;
	uint64_t watch;
	uint64_t watch_ns;
	uint64_t acted_ns;
	uint64_t acts;
	uint64_t granted;
	uint64_t swept;
	uint64_t repaired;
	uint32_t audited;
	uint32_t pad4;
};
struct tide__shares_slot {
	uint64_t owner;
	uint64_t held;
	uint64_t ask;
	uint64_t since_ns;
	uint64_t used;
	uint32_t busy;
	uint32_t bell;
	uint32_t floor;
	uint32_t base_first;
	uint32_t granted;
	uint16_t turn;
	uint16_t weight;
};
#define TIDE__WORD_EPOCH_BITS  12
#define TIDE__WORD_ACTIVE_BITS 14
#define TIDE__WORD_LEFT_SHIFT  (TIDE__WORD_EPOCH_BITS + TIDE__WORD_ACTIVE_BITS)
#define TIDE__WORD_EPOCH_MASK  ((UINT64_C(1) << TIDE__WORD_EPOCH_BITS) - 1)
#define TIDE__WORD_ACTIVE_MASK ((UINT64_C(1) << TIDE__WORD_ACTIVE_BITS) - 1)
#define TIDE__WORD_DEPTH       (INT64_C(1) << 36)
static inline int64_t
tide__word_left(uint64_t word)
{
	return (int64_t)word >> TIDE__WORD_LEFT_SHIFT;
}
static inline uint32_t
tide__word_active(uint64_t word)
{
	return (uint32_t)((word >> TIDE__WORD_EPOCH_BITS) & TIDE__WORD_ACTIVE_MASK);
}
static inline uint64_t
tide__word_of(int64_t left, uint32_t active, uint64_t epoch)
{
	return (uint64_t)left << TIDE__WORD_LEFT_SHIFT |
	    (uint64_t)(active & TIDE__WORD_ACTIVE_MASK) << TIDE__WORD_EPOCH_BITS |
	    (epoch & TIDE__WORD_EPOCH_MASK);
}
#define TIDE__HELD_BITS 31
#define TIDE__HELD_MOST ((UINT64_C(1) << TIDE__HELD_BITS) - 1)
#define TIDE__HELD_WAIT (UINT64_C(1) << (2 * TIDE__HELD_BITS))
static inline uint64_t
tide__held_lease(uint64_t held)
{
	return held & TIDE__HELD_MOST;
}
static inline uint64_t
tide__held_base(uint64_t held)
{
	return held >> TIDE__HELD_BITS & TIDE__HELD_MOST;
}
static inline uint64_t
tide__held_of(uint64_t base, uint64_t lease)
{
	return base << TIDE__HELD_BITS | lease;
}
static inline uint64_t
tide__held_sum(uint64_t held)
{
	return tide__held_base(held) + tide__held_lease(held);
}
#define TIDE__WEIGHT_MASK 0x3fffu
#define TIDE__WISH_SHIFT  14
#define TIDE__OWNER_GIVING UINT64_C(0x8000000000000000)
static inline int
tide__owner_pid(uint64_t owner)
{
	return (int)((owner & ~TIDE__OWNER_GIVING) >> 32);
}
#define TIDE__PLACE_SLOT_BITS   14
#define TIDE__PLACE_TICKET_BITS 34
#define TIDE__PLACE_SHIFT       (64 - TIDE__PLACE_TICKET_BITS)
static inline uint64_t
tide__place_of(uint64_t ticket, uint16_t turn, uint32_t index)
{
	return ticket << TIDE__PLACE_SHIFT | (uint64_t)turn << TIDE__PLACE_SLOT_BITS |
	    index;
}
static inline uint32_t
tide__place_slot(uint64_t place)
{
	return (uint32_t)(place & ((UINT64_C(1) << TIDE__PLACE_SLOT_BITS) - 1));
}
static inline uint16_t
tide__place_turn(uint64_t place)
{
	return (uint16_t)(place >> TIDE__PLACE_SLOT_BITS);
}
static inline int
tide__place_is_of(uint64_t place, uint64_t ticket)
{
	return place >> TIDE__PLACE_SHIFT ==
	    (ticket & ((UINT64_C(1) << TIDE__PLACE_TICKET_BITS) - 1));
}
static inline uint64_t
tide__shares_get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
static inline void
tide__shares_put(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
static inline uint64_t
tide__shares_add(uint64_t *word, uint64_t value)
{
	return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}
static inline int
tide__shares_swap(uint64_t *word, uint64_t *was, uint64_t value)
{
	return __atomic_compare_exchange_n(word, was, value, 0,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline uint32_t
tide__shares_get32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
static inline void
tide__shares_put32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
struct tide__lease_pool;
struct tide__lease_ask;
static inline struct tide__shares_slot *
tide__shares_slot_of(const struct tide__shares_member *member)
{
	return &member->pool->slot[member->index];
}
static inline void
tide__shares_suspect(struct tide__shares_head *head)
{
	(void)__atomic_fetch_add(&head->suspect, 1, __ATOMIC_SEQ_CST);
}
static uint64_t tide__shares_units(uint64_t bytes);
static void tide__shares_begin(struct tide__shares_member *member);
static void tide__shares_end(struct tide__shares_member *member);
static void tide__shares_view(const struct tide__shares *pool, uint64_t word,
    struct tide__lease_pool *view);
static void tide__shares_give(struct tide__shares *pool, int64_t units, uint32_t leases);
static int tide__shares_is_alive(uint64_t owner);
static int tide__shares_first(struct tide__shares *pool, uint64_t now_ns, struct tide__lease_ask *ask);
static void tide__shares_serve(struct tide__shares_member *member);
static int tide__shares_bury(struct tide__shares_member *member, uint32_t index, uint64_t owner);
/* --- src/plan/shares.c */
#ifdef O_CLOEXEC
#define TIDE__SHARES__OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW)
#else
#define TIDE__SHARES__OPEN_FLAGS (__O_CLOEXEC | __O_NOFOLLOW)
#endif
static uint32_t
tide__shares__ring_length(uint32_t slots)
{
	uint32_t length = 1024;
	while (length < 4 * slots)
		length *= 2;
	return length;
}
static size_t
tide__shares_bytes(uint32_t slots)
{
	size_t bytes = TIDE__SHARES_PAGE + tide__shares__ring_length(slots) * sizeof(uint64_t) +
	    slots * sizeof(struct tide__shares_slot);
	return (size_t)tide__round_up(bytes, TIDE__SHARES_PAGE);
}
static uint64_t
tide__shares_units(uint64_t bytes)
{
	uint64_t units = bytes / TIDE__SHARES_UNIT + (bytes % TIDE__SHARES_UNIT != 0);
	return tide__min_u64(units, TIDE__HELD_MOST);
}
static uint64_t
tide__shares__pid_namespace(void)
{
	struct stat st;
	return tide__sys_stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}
static int
tide__shares__fill_head(struct tide__shares_head *h, uint64_t budget, uint32_t cores,
    uint32_t slots)
{
	if (budget < TIDE__SHARES_UNIT || budget > TIDE__SHARES_BYTES_MOST ||
	    cores > TIDE__SHARES_SLOTS_MOST || slots == 0 ||
	    slots > TIDE__SHARES_SLOTS_MOST)
		return -EINVAL;
	h->magic = TIDE__SHARES_MAGIC;
	h->version = TIDE__SHARES_VERSION;
	h->slots = slots;
	h->cores = cores;
	h->set = h->budget = budget / TIDE__SHARES_UNIT;
	h->word = tide__word_of((int64_t)h->budget, 0, 0);
	h->name_space = tide__shares__pid_namespace();
	h->head = h->tail = tide__shares__ring_length(slots);
	return 0;
}
static int
tide__shares_format(void *at, uint64_t budget, uint32_t cores, uint32_t slots)
{
	return tide__shares__fill_head((struct tide__shares_head *)at, budget, cores, slots);
}
static int
tide__shares_create(const char *path, uint64_t budget, uint32_t cores,
    uint32_t slots)
{
	struct tide__shares_head head;
	int fd, r;
	memset(&head, 0, sizeof(head));
	r = tide__shares__fill_head(&head, budget, cores, slots);
	if (r < 0)
		return r;
	fd = tide__sys_open(path, O_RDWR | O_CREAT | O_EXCL | TIDE__SHARES__OPEN_FLAGS,
	    0600);
	if (fd < 0)
		return fd;
	r = tide__sys_fallocate(fd, 0, tide__shares_bytes(slots));
	if (r == -EOPNOTSUPP)
		r = tide__sys_ftruncate(fd, tide__shares_bytes(slots));
	if (r == 0) {
		ssize_t n = tide__sys_pwrite(fd, &head, sizeof(head), 0);
		r = n < 0 ? (int)n : n == (ssize_t)sizeof(head) ? 0 : -EIO;
	}
	tide__sys_close(fd);
	if (r < 0)
		(void)tide__sys_unlink(path);
	return r;
}
static int
tide__shares__own_key(uint64_t *key)
{
	struct tide__proc_stat stat;
	int r = tide__proc_stat_read(0, &stat);
	if (r == 0)
		*key = (uint64_t)(uint32_t)stat.pid << 32 |
		    (uint32_t)stat.ticks;
	return r;
}
static void
tide__shares__set_pool(struct tide__shares *pool, struct tide__shares_head *head, uint32_t slots)
{
	char *start = (char *)head;
	pool->head = head;
	pool->slots = slots;
	pool->ring_mask = tide__shares__ring_length(slots) - 1;
	pool->ring = (uint64_t *)(void *)(start + TIDE__SHARES_PAGE);
	pool->slot = (struct tide__shares_slot *)(void *)(start + TIDE__SHARES_PAGE +
	    tide__shares__ring_length(slots) * sizeof(uint64_t));
	pool->bytes = tide__shares_bytes(slots);
	pool->can_write = 1;
}
static int
tide__shares__check_head(const struct tide__shares_head *h, uint32_t *slots)
{
	*slots = h->slots;
	if (h->magic != TIDE__SHARES_MAGIC || h->version != TIDE__SHARES_VERSION ||
	    *slots == 0 || *slots > TIDE__SHARES_SLOTS_MOST)
		return -EBADMSG;
	return 0;
}
static int
tide__shares__check_file(int fd, struct stat *st)
{
	int r = tide__sys_fstat(fd, st);
	if (r < 0)
		return r;
	if (!S_ISREG(st->st_mode) || st->st_size < (off_t)TIDE__SHARES_PAGE)
		return -EBADMSG;
	if (st->st_uid != tide__sys_uid() || (st->st_mode & 022) != 0)
		return -EACCES;
	return 0;
}
static int
tide__shares_open(struct tide__shares *pool, const char *path, int write)
{
	uint32_t slots = 0;
	struct stat st;
	uint64_t ours;
	void *at;
	int fd, r;
	memset(pool, 0, sizeof(*pool));
	fd = tide__sys_open(path, (write ? O_RDWR : O_RDONLY) | TIDE__SHARES__OPEN_FLAGS |
	    O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	r = tide__shares__check_file(fd, &st);
	if (r < 0)
		goto out;
	at = tide__sys_mmap(NULL, (size_t)st.st_size,
	    write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	r = tide__sys_error_of(at);
	if (r < 0)
		goto out;
	r = tide__shares__check_head((struct tide__shares_head *)at, &slots);
	if (r == 0 && tide__shares_bytes(slots) != (uint64_t)st.st_size)
		r = -EBADMSG;
	ours = tide__shares__pid_namespace();
	if (r == 0 && write &&
	    ((struct tide__shares_head *)at)->name_space != ours)
		r = -EXDEV;
	if (r == 0 && write)
		r = tide__shares__own_key(&pool->key);
	if (r < 0) {
		(void)tide__sys_munmap(at, (size_t)st.st_size);
		goto out;
	}
	tide__shares__set_pool(pool, (struct tide__shares_head *)at, slots);
	pool->can_write = write;
out:
	tide__sys_close(fd);
	return r;
}
static int
tide__shares_use(struct tide__shares *pool, void *at)
{
	uint32_t slots = 0;
	int r;
	memset(pool, 0, sizeof(*pool));
	r = tide__shares__check_head((struct tide__shares_head *)at, &slots);
	if (r == 0)
		r = tide__shares__own_key(&pool->key);
	if (r == 0) {
		tide__shares__set_pool(pool, (struct tide__shares_head *)at, slots);
		pool->bytes = 0;
	}
	return r;
}
static void
tide__shares_close(struct tide__shares *pool)
{
	if (pool->bytes > 0)
		(void)tide__sys_munmap(pool->head, pool->bytes);
	memset(pool, 0, sizeof(*pool));
}
static void
tide__shares_in_child(struct tide__shares *pool)
{
	if (pool->head != NULL)
		(void)tide__shares__own_key(&pool->key);
}
static void
tide__shares__give_up_former(struct tide__shares *pool)
{
	struct tide__shares_member former;
	uint32_t i;
	for (i = 0; i < pool->slots; i++) {
		if (tide__shares_get(&pool->slot[i].owner) != pool->key)
			continue;
		former.pool = pool;
		former.index = i;
		tide__shares_leave(&former);
	}
}
static int
tide__shares__take_slot(struct tide__shares *pool, uint32_t *index)
{
	uint32_t start = (uint32_t)(tide__mix_u64(pool->key) % pool->slots);
	uint32_t n, i;
	uint64_t nobody;
	n = tide__shares_get32(&pool->head->members);
	if (n < pool->slots / 2)
		start %= 2 * n + 16 < pool->slots ? 2 * n + 16 : pool->slots;
	for (n = 0; n < pool->slots; n++) {
		i = (start + n) % pool->slots;
		nobody = 0;
		if (tide__shares_get(&pool->slot[i].owner) == 0 &&
		    tide__shares_swap(&pool->slot[i].owner, &nobody, pool->key)) {
			*index = i;
			return 0;
		}
	}
	return -ENOSPC;
}
static int
tide__shares_join(struct tide__shares *pool, uint32_t weight, uint64_t floor, int afresh,
    struct tide__shares_member *member)
{
	struct tide__shares_member m;
	struct tide__shares_slot *s;
	if (!pool->can_write)
		return -EROFS;
	if (weight == 0 || weight > TIDE__SHARES_WEIGHT_MOST)
		return -EINVAL;
	if (tide__shares_get32(&pool->head->stopped))
		return -ESHUTDOWN;
	if (afresh)
		tide__shares__give_up_former(pool);
	m.pool = pool;
	if (tide__shares__take_slot(pool, &m.index) < 0)
		return -ENOSPC;
	s = tide__shares_slot_of(&m);
	tide__shares_put(&s->held, 0);
	tide__shares_put32(&s->busy, 0);
	tide__shares_put(&s->used, 0);
	tide__shares_put32(&s->floor, (uint32_t)tide__shares_units(floor));
	tide__shares_put32(&s->base_first, 0);
	tide__shares_put32(&s->granted, 0);
	__atomic_store_n(&s->weight, (uint16_t)weight, __ATOMIC_SEQ_CST);
	(void)__atomic_fetch_add(&pool->head->members, 1, __ATOMIC_SEQ_CST);
	*member = m;
	return 0;
}
static void
tide__shares_give(struct tide__shares *pool, int64_t units, uint32_t leases)
{
	uint64_t was = tide__shares_get(&pool->head->word), now;
	uint32_t active;
	do {
		active = tide__word_active(was);
		now = tide__word_of(tide__word_left(was) + units,
		    active > leases ? active - leases : 0, was);
	} while (!tide__shares_swap(&pool->head->word, &was, now));
}
static void
tide__shares__set_held(struct tide__shares_member *member, uint64_t now)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t was = tide__shares_get(&s->held);
	int64_t gives = (int64_t)tide__held_sum(was) - (int64_t)tide__held_sum(now);
	uint32_t ends = tide__held_lease(was) > 0 && tide__held_lease(now) == 0;
	if (gives < 0 && tide__word_left(tide__shares_get(&pool->head->word)) + gives <
	    -TIDE__WORD_DEPTH)
		return;
	if (was == now)
		return;
	tide__shares_begin(member);
	if (gives < 0)
		tide__shares_give(pool, gives, ends);
	tide__shares_put(&s->held, now);
	if (gives >= 0)
		tide__shares_give(pool, gives, ends);
	tide__shares_end(member);
	if (tide__held_base(was) != tide__held_base(now))
		(void)tide__shares_add(&pool->head->bases,
		    tide__held_base(now) - tide__held_base(was));
}
static void
tide__shares_leave(struct tide__shares_member *member)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_slot *s;
	uint64_t owner;
	if (pool == NULL)
		return;
	s = tide__shares_slot_of(member);
	owner = pool->key;
	if (tide__shares_get(&s->owner) == owner) {
		tide__shares__set_held(member, 0);
		(void)__atomic_fetch_sub(&pool->head->members, 1,
		    __ATOMIC_SEQ_CST);
		tide__shares_serve(member);
		(void)tide__shares_swap(&s->owner, &owner, 0);
	}
	member->pool = NULL;
}
static uint64_t
tide__shares__base_of(struct tide__shares_slot *s, uint64_t bytes)
{
	uint64_t units = tide__shares_units(bytes);
	tide__shares_put(&s->used, bytes);
	if (tide__shares_get32(&s->base_first) == 0)
		tide__shares_put32(&s->base_first, (uint32_t)units);
	return units;
}
static void
tide__shares_release(struct tide__shares_member *member, uint64_t base)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t units = tide__held_base(tide__shares_get(&s->held));
	if (base != UINT64_MAX)
		units = tide__shares__base_of(s, base);
	tide__shares__set_held(member, tide__held_of(units, 0));
	tide__shares_serve(member);
}
static void
tide__shares_used(struct tide__shares_member *member, uint64_t bytes)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t held = tide__shares_get(&s->held);
	if (tide__held_lease(held) > 0) {
		tide__shares_put(&s->used, bytes);
		return;
	}
	tide__shares__set_held(member, tide__held_of(tide__shares__base_of(s, bytes), 0));
	if (tide__held_base(held) > tide__shares_units(bytes))
		tide__shares_serve(member);
}
static void
tide__shares_shrink(struct tide__shares_member *member, uint64_t keep)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t held = tide__shares_get(&s->held), units = tide__shares_units(keep);
	if (units == 0)
		units = 1;
	if (units >= tide__held_lease(held))
		return;
	tide__shares__set_held(member, tide__held_of(tide__held_base(held), units));
	tide__shares_serve(member);
}
static uint64_t
tide__shares_lease(const struct tide__shares_member *member)
{
	return tide__held_lease(tide__shares_get(&tide__shares_slot_of(member)->held)) *
	    TIDE__SHARES_UNIT;
}
static int
tide__shares_wish(struct tide__shares_member *member)
{
	return __atomic_fetch_and(&tide__shares_slot_of(member)->weight,
	    (uint16_t)TIDE__WEIGHT_MASK, __ATOMIC_SEQ_CST) >> TIDE__WISH_SHIFT;
}
/* --- src/plan/shares-queue.c */
#define TIDE__SHARES_QUEUE__GRANTING_NS (10 * TIDE__NS_PER_MS)
#define TIDE__SHARES_QUEUE__POLL_NEAR_NS (TIDE__NS_PER_S)
#define TIDE__SHARES_QUEUE__POLL_FAR_NS  (5 * TIDE__NS_PER_S)
#define TIDE__SHARES_QUEUE__NEAR         1024
#define TIDE__SHARES_QUEUE__WATCH_NS     (100 * TIDE__NS_PER_MS)
#define TIDE__SHARES_QUEUE__WATCH_OLD_NS (500 * TIDE__NS_PER_MS)
#define TIDE__SHARES_QUEUE__TRIES 64
static int
tide__shares_queue__push(struct tide__shares *pool, uint32_t index, uint16_t turn, uint64_t *ticket)
{
	struct tide__shares_head *h = pool->head;
	uint64_t tail, place, *at;
	int tries;
	for (tries = 0; tries < TIDE__SHARES_QUEUE__TRIES * 1024; tries++) {
		tail = tide__shares_get(&h->tail);
		at = &pool->ring[tail & pool->ring_mask];
		place = tide__shares_get(at);
		if (tide__place_is_of(place, tail)) {
			(void)tide__shares_swap(&h->tail, &tail, tail + 1);
			continue;
		}
		if (tail - tide__shares_get(&h->head) >= pool->ring_mask)
			return -ENOSPC;
		if (!tide__shares_swap(at, &place, tide__place_of(tail, turn, index)))
			continue;
		*ticket = tail;
		(void)tide__shares_swap(&h->tail, &tail, tail + 1);
		return 0;
	}
	return -ENOSPC;
}
static struct tide__shares_slot *
tide__shares_queue__waiter_at(const struct tide__shares *pool, uint64_t ticket, uint32_t *index)
{
	uint64_t place = tide__shares_get(&pool->ring[ticket & pool->ring_mask]);
	struct tide__shares_slot *s;
	*index = tide__place_slot(place);
	if (!tide__place_is_of(place, ticket) || *index >= pool->slots)
		return NULL;
	s = &pool->slot[*index];
	if (__atomic_load_n(&s->turn, __ATOMIC_SEQ_CST) != tide__place_turn(place) ||
	    (tide__shares_get(&s->held) & TIDE__HELD_WAIT) == 0)
		return NULL;
	return s;
}
static int
tide__shares_queue__skip_gone(struct tide__shares *pool)
{
	struct tide__shares_head *h = pool->head;
	uint64_t head = tide__shares_get(&h->head), n;
	uint32_t index;
	for (n = 0; n <= pool->ring_mask; n++) {
		if (head == tide__shares_get(&h->tail))
			return 1;
		if (tide__shares_queue__waiter_at(pool, head, &index) != NULL)
			return 0;
		if (tide__shares_swap(&h->head, &head, head + 1))
			head++;
	}
	return 0;
}
static void
tide__shares_view(const struct tide__shares *pool, uint64_t word, struct tide__lease_pool *view)
{
	const struct tide__shares_head *h = pool->head;
	view->budget = tide__min_u64(tide__shares_get(&h->budget),
	    TIDE__SHARES_BYTES_MOST / TIDE__SHARES_UNIT);
	view->left = tide__word_left(word);
	view->bases = tide__shares_get(&h->bases);
	view->active = tide__word_active(word);
	view->seats = tide__lease_seats(h->cores);
	view->members = tide__shares_get32(&h->members);
	if (view->members > pool->slots)
		view->members = pool->slots;
}
struct tide__shares_queue__window {
	struct tide__lease_ask ask[TIDE__LEASE_WINDOW];
	uint64_t got[TIDE__LEASE_WINDOW];
	uint32_t index[TIDE__LEASE_WINDOW];
	size_t count;
};
static void
tide__shares_queue__ask_of(const struct tide__shares_slot *s, uint64_t now, struct tide__lease_ask *ask)
{
	uint64_t both = tide__shares_get(&s->ask);
	ask->least = tide__max_u64(both >> 32, 1);
	ask->want = tide__max_u64(both & UINT32_MAX, ask->least);
	ask->waited_ns = tide__above_u64(now, tide__shares_get(&s->since_ns));
	ask->weight = __atomic_load_n(&s->weight, __ATOMIC_SEQ_CST) &
	    TIDE__WEIGHT_MASK;
}
static void
tide__shares_queue__read_window(struct tide__shares *pool, uint64_t now, struct tide__shares_queue__window *w)
{
	uint64_t head, tail, n;
	struct tide__shares_slot *s;
	uint32_t index;
	w->count = 0;
	if (tide__shares_queue__skip_gone(pool))
		return;
	head = tide__shares_get(&pool->head->head);
	tail = tide__shares_get(&pool->head->tail);
	for (n = 0; n < TIDE__LEASE_REACH && head + n != tail; n++) {
		s = tide__shares_queue__waiter_at(pool, head + n, &index);
		if (s == NULL)
			continue;
		w->index[w->count] = index;
		tide__shares_queue__ask_of(s, now, &w->ask[w->count]);
		if (++w->count == TIDE__LEASE_WINDOW)
			break;
	}
}
static int
tide__shares_first(struct tide__shares *pool, uint64_t now_ns, struct tide__lease_ask *ask)
{
	struct tide__shares_slot *s;
	uint32_t index;
	if (tide__shares_queue__skip_gone(pool))
		return 0;
	s = tide__shares_queue__waiter_at(pool, tide__shares_get(&pool->head->head), &index);
	if (s != NULL)
		tide__shares_queue__ask_of(s, now_ns, ask);
	return s != NULL;
}
static void
tide__shares_queue__ring(struct tide__shares_slot *s)
{
	(void)__atomic_fetch_add(&s->bell, 1, __ATOMIC_SEQ_CST);
	tide__sys_wake_shared(&s->bell);
}
static int
tide__shares_queue__take(struct tide__shares *pool, uint64_t *word, uint64_t units)
{
	uint64_t now = tide__word_of(tide__word_left(*word) - (int64_t)units,
	    tide__word_active(*word) + 1, *word);
	if (!tide__shares_swap(&pool->head->word, word, now))
		return 0;
	*word = now;
	return 1;
}
enum tide__shares_queue__handed { TIDE__SHARES_QUEUE__HANDED, TIDE__SHARES_QUEUE__HANDED_NOT, TIDE__SHARES_QUEUE__HANDED_LATE };
static enum tide__shares_queue__handed
tide__shares_queue__hand(struct tide__shares_member *member, uint32_t index, uint64_t units,
    uint64_t *word)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_slot *s = &pool->slot[index];
	uint64_t owner = tide__shares_get(&s->owner), held = tide__shares_get(&s->held);
	enum tide__shares_queue__handed result = TIDE__SHARES_QUEUE__HANDED_LATE;
	if ((held & TIDE__HELD_WAIT) == 0)
		return TIDE__SHARES_QUEUE__HANDED_NOT;
	if (tide__sys_thread_exists(tide__owner_pid(owner)) == -ESRCH) {
		(void)tide__shares_bury(member, index, owner);
		return TIDE__SHARES_QUEUE__HANDED_NOT;
	}
	tide__shares_begin(member);
	if (tide__shares_queue__take(pool, word, units)) {
		result = TIDE__SHARES_QUEUE__HANDED;
		if (!tide__shares_swap(&s->held, &held,
		    tide__held_of(tide__held_base(held), units))) {
			tide__shares_give(pool, (int64_t)units, 1);
			result = TIDE__SHARES_QUEUE__HANDED_NOT;
		}
	}
	tide__shares_end(member);
	if (result == TIDE__SHARES_QUEUE__HANDED) {
		(void)tide__shares_add(&pool->head->granted, 1);
		tide__shares_queue__ring(s);
	}
	return result;
}
static int
tide__shares_queue__grant_once(struct tide__shares_member *member)
{
	struct tide__shares *pool = member->pool;
	uint64_t word = tide__shares_get(&pool->head->word);
	struct tide__lease_pool view;
	struct tide__shares_queue__window w;
	size_t i, granted;
	int again = 0;
	tide__shares_view(pool, word, &view);
	if (view.seats > 0 && view.active >= view.seats)
		return 0;
	tide__shares_queue__read_window(pool, tide__sys_clock(), &w);
	if (w.count == 0)
		return 0;
	granted = tide__lease_grant(&view, w.ask, w.count, w.got);
	for (i = 0; i < w.count; i++) {
		if (w.got[i] == 0)
			continue;
		if (tide__shares_queue__hand(member, w.index[i], tide__min_u64(w.got[i], TIDE__HELD_MOST),
		    &word) != TIDE__SHARES_QUEUE__HANDED) {
			again = 1;
			break;
		}
	}
	return again || (granted > 0 && w.count == TIDE__LEASE_WINDOW);
}
static void
tide__shares_queue__appoint(struct tide__shares *pool, uint64_t now)
{
	struct tide__shares_head *h = pool->head;
	uint64_t head = tide__shares_get(&h->head), tail = tide__shares_get(&h->tail);
	uint64_t watch = tide__shares_get(&h->watch), n;
	struct tide__shares_slot *s;
	uint32_t index;
	if (head == tail)
		return;
	if (watch - head < tail - head &&
	    tide__above_u64(now, tide__shares_get(&h->watch_ns)) < TIDE__SHARES_QUEUE__WATCH_OLD_NS &&
	    tide__shares_queue__waiter_at(pool, watch, &index) != NULL)
		return;
	for (n = 1; n <= TIDE__LEASE_WINDOW && tail - n + 1 != head; n++) {
		s = tide__shares_queue__waiter_at(pool, tail - n, &index);
		if (s == NULL ||
		    tide__sys_thread_exists(tide__owner_pid(tide__shares_get(&s->owner))) ==
		    -ESRCH)
			continue;
		tide__shares_put(&h->watch_ns, now);
		if (tide__shares_swap(&h->watch, &watch, tail - n))
			tide__shares_queue__ring(s);
		return;
	}
}
static void
tide__shares_serve(struct tide__shares_member *member)
{
	struct tide__shares_head *h = member->pool->head;
	uint64_t since, now;
	int tries;
	if (tide__shares_get(&h->head) == tide__shares_get(&h->tail))
		return;
	tide__shares_put32(&h->again, 1);
	do {
		now = tide__max_u64(tide__sys_clock(), 1);
		since = tide__shares_get(&h->granting);
		if (since != 0 && tide__above_u64(now, since) < TIDE__SHARES_QUEUE__GRANTING_NS)
			return;
		if (!tide__shares_swap(&h->granting, &since, now))
			return;
		for (tries = 0; tries < TIDE__SHARES_QUEUE__TRIES; tries++) {
			tide__shares_put32(&h->again, 0);
			while (tide__shares_queue__grant_once(member) && tries < TIDE__SHARES_QUEUE__TRIES)
				tries++;
			if (tide__shares_get32(&h->again) == 0)
				break;
		}
		tide__shares_queue__appoint(member->pool, now);
		(void)tide__shares_swap(&h->granting, &now, 0);
	} while (tide__shares_get32(&h->again) != 0);
}
static int
tide__shares_queue__acquire_at_once(struct tide__shares_member *member, const struct tide__lease_ask *ask,
    uint64_t *units)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t word = tide__shares_get(&pool->head->word), base;
	struct tide__lease_pool view;
	int tries, done = 0;
	for (tries = 0; tries < TIDE__SHARES_QUEUE__TRIES && !done; tries++) {
		if (tide__shares_get(&pool->head->head) !=
		    tide__shares_get(&pool->head->tail) && !tide__shares_queue__skip_gone(pool))
			return 0;
		tide__shares_view(pool, word, &view);
		if (tide__lease_grant(&view, ask, 1, units) == 0)
			return 0;
		*units = tide__min_u64(*units, TIDE__HELD_MOST);
		tide__shares_begin(member);
		if (tide__shares_queue__take(pool, &word, *units)) {
			base = tide__held_base(tide__shares_get(&s->held));
			tide__shares_put(&s->held, tide__held_of(base, *units));
			done = 1;
		}
		tide__shares_end(member);
	}
	if (done)
		(void)tide__shares_add(&pool->head->granted, 1);
	return done;
}
static int
tide__shares_queue__start_waiting(struct tide__shares_member *member, const struct tide__lease_ask *ask,
    uint64_t now, uint64_t *ticket)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t held = tide__shares_get(&s->held);
	uint16_t turn;
	tide__shares_put(&s->ask, ask->least << 32 | tide__min_u64(ask->want, TIDE__HELD_MOST));
	tide__shares_put(&s->since_ns, now);
	turn = (uint16_t)(__atomic_add_fetch(&s->turn, 1, __ATOMIC_SEQ_CST));
	tide__shares_put(&s->held, held | TIDE__HELD_WAIT);
	if (tide__shares_queue__push(member->pool, member->index, turn, ticket) == 0)
		return 0;
	tide__shares_put(&s->held, held);
	return -ENOSPC;
}
static int
tide__shares_queue__stop_waiting(struct tide__shares_member *member)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t held = tide__shares_get(&s->held);
	return (held & TIDE__HELD_WAIT) != 0 &&
	    tide__shares_swap(&s->held, &held, tide__held_of(tide__held_base(held), 0));
}
static uint64_t
tide__shares_queue__pause_of(struct tide__shares *pool, uint64_t ticket, uint64_t left)
{
	struct tide__shares_head *h = pool->head;
	uint64_t poll = TIDE__SHARES_QUEUE__POLL_FAR_NS;
	if (tide__shares_get(&h->watch) == ticket)
		poll = TIDE__SHARES_QUEUE__WATCH_NS;
	else if (ticket - tide__shares_get(&h->head) < TIDE__SHARES_QUEUE__NEAR)
		poll = TIDE__SHARES_QUEUE__POLL_NEAR_NS;
	return tide__min_u64(poll, left);
}
static int
tide__shares_queue__wait_turn(struct tide__shares_member *member, uint64_t ticket, uint64_t now,
    uint64_t until)
{
	struct tide__shares_head *h = member->pool->head;
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint32_t bell;
	int r;
	for (;;) {
		r = 0;
		bell = tide__shares_get32(&s->bell);
		if ((tide__shares_get(&s->held) & TIDE__HELD_WAIT) == 0)
			return 0;
		if (tide__shares_get32(&h->stopped))
			r = -ESHUTDOWN;
		else if (now >= until)
			r = -ETIMEDOUT;
		if (r < 0)
			break;
		r = tide__sys_wait_shared(&s->bell, bell,
		    tide__shares_queue__pause_of(member->pool, ticket, until - now));
		now = tide__sys_clock();
		if (r == -ETIMEDOUT) {
			if (tide__shares_get(&h->watch) == ticket)
				tide__shares_put(&h->watch_ns, now);
			(void)tide__shares_sweep(member);
			tide__shares_serve(member);
		}
		if (r == -EPERM)
			until = 0;
	}
	if (!tide__shares_queue__stop_waiting(member))
		return 0;
	tide__shares_serve(member);
	return r;
}
static int
tide__shares_queue__check_ask(struct tide__shares_member *member, uint64_t least, uint64_t want,
    struct tide__lease_ask *ask)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	if (least == 0 || least > want)
		return -EINVAL;
	if (tide__held_lease(tide__shares_get(&s->held)) > 0)
		return -EDEADLK;
	if (tide__shares_get32(&pool->head->stopped))
		return -ESHUTDOWN;
	ask->least = tide__shares_units(least);
	ask->want = tide__shares_units(want);
	ask->waited_ns = 0;
	ask->weight = __atomic_load_n(&s->weight, __ATOMIC_SEQ_CST) &
	    TIDE__WEIGHT_MASK;
	if (ask->least > tide__lease_line(tide__shares_get(&pool->head->budget)))
		return -E2BIG;
	return 0;
}
static int
tide__shares_queue__acquire(struct tide__shares_member *member, const struct tide__lease_ask *ask,
    uint64_t wait_ns, uint64_t *units)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t now, until, ticket = 0;
	int r;
	if (tide__shares_queue__acquire_at_once(member, ask, units))
		return 0;
	(void)tide__shares_sweep(member);
	if (wait_ns == 0)
		return tide__shares_queue__acquire_at_once(member, ask, units) ? 0 : -EAGAIN;
	now = tide__sys_clock();
	until = wait_ns > UINT64_MAX - now ? UINT64_MAX : now + wait_ns;
	do {
		r = tide__shares_queue__start_waiting(member, ask, now, &ticket);
		if (r < 0) {
			tide__sys_sleep(tide__min_u64(TIDE__NS_PER_MS, until - now));
		} else {
			tide__shares_serve(member);
			r = tide__shares_queue__wait_turn(member, ticket, now, until);
		}
		now = tide__sys_clock();
	} while (r == -ENOSPC && now < until);
	if (r < 0)
		return r == -ENOSPC ? -ETIMEDOUT : r;
	*units = tide__held_lease(tide__shares_get(&s->held));
	return 0;
}
static int
tide__shares_acquire(struct tide__shares_member *member, uint64_t least, uint64_t want,
    uint64_t wait_ns, uint64_t *got)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	struct tide__lease_ask ask;
	uint64_t units = 0;
	int r = tide__shares_queue__check_ask(member, least, want, &ask);
	while (r == 0) {
		r = tide__shares_queue__acquire(member, &ask, wait_ns, &units);
		if (r < 0 || units >= ask.least)
			break;
		tide__shares_release(member, UINT64_MAX);
	}
	if (r < 0)
		return r;
	(void)__atomic_fetch_add(&s->granted, 1, __ATOMIC_RELAXED);
	*got = units * TIDE__SHARES_UNIT;
	return 0;
}
static int
tide__shares_extend(struct tide__shares_member *member, uint64_t more)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t held = tide__shares_get(&s->held), units = tide__shares_units(more);
	uint64_t word = tide__shares_get(&pool->head->word), now;
	struct tide__lease_pool view;
	struct tide__lease_ask first;
	int tries, waits, r = -EAGAIN;
	if (tide__held_lease(held) == 0 || tide__held_lease(held) + units > TIDE__HELD_MOST)
		return -EINVAL;
	waits = tide__shares_get(&pool->head->head) !=
	    tide__shares_get(&pool->head->tail) &&
	    tide__shares_first(pool, tide__sys_clock(), &first);
	tide__shares_begin(member);
	for (tries = 0; tries < TIDE__SHARES_QUEUE__TRIES && r == -EAGAIN; tries++) {
		tide__shares_view(pool, word, &view);
		if (tide__lease_extend(&view, waits ? &first : NULL, units) < units)
			break;
		now = tide__word_of(tide__word_left(word) - (int64_t)units,
		    tide__word_active(word), word);
		if (!tide__shares_swap(&pool->head->word, &word, now))
			continue;
		tide__shares_put(&s->held, held + units);
		r = 0;
	}
	tide__shares_end(member);
	return r;
}
/* --- src/plan/shares-care.c */
#define TIDE__SHARES_CARE__SWEEP_NS     (100 * TIDE__NS_PER_MS)
#define TIDE__SHARES_CARE__SWEEP_ALL_NS (TIDE__NS_PER_S)
#define TIDE__SHARES_CARE__STARTS_PART  16
#define TIDE__SHARES_CARE__AUDIT_NS     (5 * TIDE__NS_PER_MS)
#define TIDE__SHARES_CARE__GATE_NS      (20 * TIDE__NS_PER_MS)
#define TIDE__SHARES_CARE__GATE_WAIT_NS (20 * UINT64_C(1000))
#define TIDE__SHARES_CARE__TICKS_A_SECOND 100
static int
tide__shares_is_alive(uint64_t owner)
{
	struct tide__proc_stat stat;
	int r = tide__proc_stat_read(tide__owner_pid(owner), &stat);
	if (r < 0)
		return r != -ESRCH && r != -ENOENT;
	if ((uint32_t)stat.ticks != (uint32_t)owner)
		return 0;
	return (stat.state != 'Z' && stat.state != 'X') || stat.threads > 1;
}
static uint64_t
tide__shares_care__gate_of(uint64_t now, uint32_t index)
{
	return (now & ~(uint64_t)TIDE__SHARES_SLOTS_MOST) | index;
}
static int
tide__shares_care__gate_is_old(uint64_t gate, uint64_t now)
{
	return tide__above_u64(now, gate & ~(uint64_t)TIDE__SHARES_SLOTS_MOST) > TIDE__SHARES_CARE__GATE_NS;
}
static void
tide__shares_care__revoke(struct tide__shares *pool, uint64_t gate)
{
	uint64_t was = tide__shares_get(&pool->head->word);
	while (!tide__shares_swap(&pool->head->word, &was,
	    tide__word_of(tide__word_left(was), tide__word_active(was), was + 1)))
		;
	tide__shares_suspect(pool->head);
	(void)tide__shares_swap(&pool->head->gate, &gate, 0);
}
static void
tide__shares_care__wait_gate(struct tide__shares *pool, uint64_t gate)
{
	while (tide__shares_get(&pool->head->gate) == gate) {
		if (tide__shares_care__gate_is_old(gate, tide__sys_clock()))
			tide__shares_care__revoke(pool, gate);
		else
			tide__sys_sleep(TIDE__SHARES_CARE__GATE_WAIT_NS);
	}
}
static void
tide__shares_begin(struct tide__shares_member *member)
{
	struct tide__shares_slot *s = tide__shares_slot_of(member);
	uint64_t gate;
	for (;;) {
		tide__shares_put32(&s->busy, 1);
		gate = tide__shares_get(&member->pool->head->gate);
		if (TIDE__LIKELY(gate == 0))
			return;
		tide__shares_put32(&s->busy, 0);
		tide__shares_care__wait_gate(member->pool, gate);
	}
}
static void
tide__shares_end(struct tide__shares_member *member)
{
	__atomic_store_n(&tide__shares_slot_of(member)->busy, 0, __ATOMIC_RELEASE);
}
struct tide__shares_care__count {
	uint64_t held, bases;
	uint32_t active, members;
};
static int
tide__shares_care__quiesce(const struct tide__shares *pool, uint64_t until)
{
	const struct tide__shares_slot *s;
	uint64_t owner;
	uint32_t i;
	for (i = 0; i < pool->slots; i++) {
		s = &pool->slot[i];
		while (tide__shares_get32(&s->busy)) {
			owner = tide__shares_get(&s->owner);
			if (owner == 0 || (owner & TIDE__OWNER_GIVING) != 0 ||
			    !tide__shares_is_alive(owner))
				break;
			if (tide__sys_clock() > until)
				return 0;
			tide__sys_yield();
		}
	}
	return 1;
}
static void
tide__shares_care__count_all(const struct tide__shares *pool, struct tide__shares_care__count *c)
{
	uint64_t held;
	uint32_t i;
	memset(c, 0, sizeof(*c));
	for (i = 0; i < pool->slots; i++) {
		if (tide__shares_get(&pool->slot[i].owner) == 0)
			continue;
		held = tide__shares_get(&pool->slot[i].held);
		c->held += tide__held_sum(held);
		c->bases += tide__held_base(held);
		c->active += tide__held_lease(held) > 0;
		c->members++;
	}
}
static int
tide__shares_care__put_right(struct tide__shares *pool, uint64_t first, uint64_t *repaired)
{
	struct tide__shares_head *h = pool->head;
	struct tide__shares_care__count c;
	uint64_t word;
	int64_t left;
	tide__shares_care__count_all(pool, &c);
	word = tide__shares_get(&h->word);
	if (((word ^ first) & TIDE__WORD_EPOCH_MASK) != 0)
		return -EAGAIN;
	left = (int64_t)tide__shares_get(&h->budget) - (int64_t)c.held;
	if (!tide__shares_swap(&h->word, &word, tide__word_of(left, c.active, word + 1)))
		return -EAGAIN;
	tide__shares_put(&h->bases, c.bases);
	tide__shares_put32(&h->members, c.members);
	*repaired = left > tide__word_left(word) ?
	    (uint64_t)(left - tide__word_left(word)) : 0;
	return 0;
}
static void
tide__shares_care__note_audit(struct tide__shares_head *h, uint32_t reasons)
{
	uint32_t was = tide__shares_get32(&h->audited);
	while ((int32_t)(reasons - was) > 0 &&
	    !__atomic_compare_exchange_n(&h->audited, &was, reasons, 0,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}
static int
tide__shares_audit(struct tide__shares_member *member, uint64_t *repaired)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_head *h = pool->head;
	uint64_t now = tide__sys_clock(), none = 0, word, units = 0;
	uint64_t gate = tide__shares_care__gate_of(now, member->index);
	uint32_t reasons;
	int r = -EAGAIN;
	reasons = tide__shares_get32(&h->suspect);
	word = tide__shares_get(&h->word);
	if (!tide__shares_swap(&h->gate, &none, gate)) {
		if (tide__shares_care__gate_is_old(none, now))
			tide__shares_care__revoke(pool, none);
		return -EAGAIN;
	}
	if (tide__shares_care__quiesce(pool, now + TIDE__SHARES_CARE__AUDIT_NS))
		r = tide__shares_care__put_right(pool, word, &units);
	if (r == 0)
		tide__shares_care__note_audit(h, reasons);
	(void)tide__shares_swap(&h->gate, &gate, 0);
	if (r == 0 && repaired != NULL)
		*repaired = units * TIDE__SHARES_UNIT;
	return r;
}
static void
tide__shares_care__audit_if_due(struct tide__shares_member *member)
{
	struct tide__shares_head *h = member->pool->head;
	uint64_t repaired = 0;
	if (tide__shares_get32(&h->suspect) == tide__shares_get32(&h->audited) &&
	    tide__shares_get(&h->gate) == 0)
		return;
	if (tide__shares_audit(member, &repaired) == 0)
		(void)tide__shares_add(&h->repaired, repaired / TIDE__SHARES_UNIT);
}
static int
tide__shares_budget_set(struct tide__shares_member *member, uint64_t bytes)
{
	struct tide__shares_head *h = member->pool->head;
	int tries, r = -EAGAIN;
	if (bytes > TIDE__SHARES_BYTES_MOST)
		return -EINVAL;
	tide__shares_suspect(h);
	tide__shares_put(&h->budget, bytes / TIDE__SHARES_UNIT);
	for (tries = 0; tries < 8 && r == -EAGAIN; tries++)
		r = tide__shares_audit(member, NULL);
	tide__shares_serve(member);
	return r;
}
static int
tide__shares_bury(struct tide__shares_member *member, uint32_t index, uint64_t owner)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_head *h = pool->head;
	struct tide__shares_slot *s = &pool->slot[index];
	uint64_t mine = TIDE__OWNER_GIVING | pool->key, held;
	uint32_t was_busy;
	if (owner == 0 || !tide__shares_swap(&s->owner, &owner, mine))
		return 0;
	was_busy = tide__shares_get32(&s->busy);
	if (was_busy || (owner & TIDE__OWNER_GIVING) != 0)
		tide__shares_suspect(h);
	tide__shares_begin(member);
	held = __atomic_exchange_n(&s->held, 0, __ATOMIC_SEQ_CST);
	tide__shares_give(pool, (int64_t)tide__held_sum(held), tide__held_lease(held) > 0);
	tide__shares_end(member);
	tide__shares_put32(&s->busy, 0);
	(void)tide__shares_add(&h->bases, 0 - tide__held_base(held));
	(void)__atomic_fetch_sub(&h->members, 1, __ATOMIC_SEQ_CST);
	(void)tide__shares_add(&h->swept, 1);
	(void)tide__shares_swap(&s->owner, &mine, 0);
	return 1;
}
static int
tide__shares_care__is_dead(const struct tide__shares *pool, uint32_t index, uint64_t owner, int all,
    uint64_t round)
{
	uint64_t held = tide__shares_get(&pool->slot[index].held);
	if (owner == pool->key)
		return 0;
	if (tide__held_lease(held) > 0 || (owner & TIDE__OWNER_GIVING) != 0)
		return !tide__shares_is_alive(owner);
	if (!all)
		return 0;
	if (tide__sys_thread_exists(tide__owner_pid(owner)) == -ESRCH)
		return 1;
	return index % TIDE__SHARES_CARE__STARTS_PART == round % TIDE__SHARES_CARE__STARTS_PART &&
	    !tide__shares_is_alive(owner);
}
static void
tide__shares_care__wish(struct tide__shares_slot *s, uint32_t what)
{
	(void)__atomic_fetch_or(&s->weight, (uint16_t)(what << TIDE__WISH_SHIFT),
	    __ATOMIC_SEQ_CST);
	(void)__atomic_fetch_add(&s->bell, 1, __ATOMIC_SEQ_CST);
	tide__sys_wake_shared(&s->bell);
}
struct tide__shares_care__candidate {
	struct tide__lease_member as;
	long index;
};
static int
tide__shares_care__read_candidate(const struct tide__shares *pool, uint32_t index, struct tide__shares_care__candidate *c)
{
	const struct tide__shares_slot *s = &pool->slot[index];
	uint64_t owner = tide__shares_get(&s->owner);
	uint64_t base = tide__held_base(tide__shares_get(&s->held));
	if (owner == 0 || (owner & TIDE__OWNER_GIVING) != 0)
		return 0;
	c->as.started_ns = (uint64_t)(uint32_t)owner *
	    (TIDE__NS_PER_S / TIDE__SHARES_CARE__TICKS_A_SECOND);
	c->as.reclaimable = tide__above_u64(base, tide__shares_get32(&s->base_first)) *
	    TIDE__SHARES_UNIT;
	c->index = (long)index;
	return 1;
}
static long
tide__shares_care__find_victim(const struct tide__shares *pool, uint64_t need, uint64_t now,
    uint64_t acted)
{
	struct tide__shares_care__candidate kept[3], swap;
	struct tide__lease_member as[3];
	size_t count = 0, i;
	uint32_t index;
	long v = -1;
	for (index = 0; index < pool->slots; index++) {
		if (!tide__shares_care__read_candidate(pool, index, &kept[count]))
			continue;
		if (count > 0 &&
		    kept[count].as.started_ns < kept[0].as.started_ns) {
			swap = kept[0];
			kept[0] = kept[count];
			kept[count] = swap;
		}
		for (i = 0; i <= count; i++)
			as[i] = kept[i].as;
		v = tide__lease_victim(as, count + 1, need, now, acted);
		if (v > 0)
			kept[1] = kept[v];
		count = v > 0 ? 2 : 1;
	}
	return count == 2 ? kept[1].index : -1;
}
static long
tide__shares_care__find_largest(const struct tide__shares *pool)
{
	struct tide__shares_care__candidate c;
	uint64_t most = TIDE__LEASE_WORTH - 1;
	uint32_t index;
	long found = -1;
	for (index = 0; index < pool->slots; index++)
		if (tide__shares_care__read_candidate(pool, index, &c) &&
		    c.as.reclaimable > most) {
			most = c.as.reclaimable;
			found = c.index;
		}
	return found;
}
static void
tide__shares_care__make_room(struct tide__shares *pool, uint64_t now)
{
	struct tide__shares_head *h = pool->head;
	uint64_t acted = tide__shares_get(&h->acted_ns), need;
	uint64_t acts = tide__shares_get(&h->acts);
	struct tide__lease_pool view;
	struct tide__lease_ask first;
	long index;
	tide__shares_view(pool, tide__shares_get(&h->word), &view);
	if (!tide__shares_first(pool, now, &first) ||
	    tide__lease_is_possible(&view, first.least)) {
		tide__shares_put(&h->acts, 0);
		return;
	}
	if (acted != 0 && tide__above_u64(now, acted) < TIDE__LEASE_SETTLE_NS)
		return;
	need = (first.least + view.bases - tide__lease_line(view.budget)) *
	    TIDE__SHARES_UNIT;
	index = acts == 0 ? tide__shares_care__find_largest(pool) :
	    tide__shares_care__find_victim(pool, need, now, acted);
	tide__shares_put(&h->acts, acts + 1);
	if (index < 0)
		return;
	tide__shares_put(&h->acted_ns, now);
	tide__shares_care__wish(&pool->slot[index], acts == 0 ? TIDE__SHARES_CLEAN : TIDE__SHARES_RECYCLE);
}
static int
tide__shares_care__is_due(uint64_t *last_ns, uint64_t now, uint64_t every_ns)
{
	uint64_t last = tide__shares_get(last_ns);
	return tide__above_u64(now, last) >= every_ns &&
	    tide__shares_swap(last_ns, &last, now);
}
static uint32_t
tide__shares_sweep(struct tide__shares_member *member)
{
	struct tide__shares *pool = member->pool;
	struct tide__shares_head *h = pool->head;
	uint64_t now = tide__sys_clock(), owner;
	uint32_t i, found = 0;
	int all;
	if (!tide__shares_care__is_due(&h->swept_ns, now, TIDE__SHARES_CARE__SWEEP_NS))
		return 0;
	all = tide__shares_care__is_due(&h->swept_all_ns, now, TIDE__SHARES_CARE__SWEEP_ALL_NS);
	for (i = 0; i < pool->slots; i++) {
		owner = tide__shares_get(&pool->slot[i].owner);
		if (owner != 0 && tide__shares_care__is_dead(pool, i, owner, all,
		    now / TIDE__SHARES_CARE__SWEEP_ALL_NS))
			found += (uint32_t)tide__shares_bury(member, i, owner);
	}
	tide__shares_care__audit_if_due(member);
	if (all)
		tide__shares_care__make_room(pool, now);
	tide__shares_serve(member);
	return found;
}
static void
tide__shares_stop(struct tide__shares *pool)
{
	uint32_t i;
	tide__shares_put32(&pool->head->stopped, 1);
	for (i = 0; i < pool->slots; i++)
		if (tide__shares_get(&pool->slot[i].owner) != 0)
			tide__shares_care__wish(&pool->slot[i], 0);
}
static void
tide__shares_read(const struct tide__shares *pool, struct tide__shares_total *total)
{
	const struct tide__shares_head *h = pool->head;
	uint64_t word = tide__shares_get(&h->word);
	struct tide__shares_row row;
	uint32_t i;
	memset(total, 0, sizeof(*total));
	total->budget = tide__shares_get(&h->budget) * TIDE__SHARES_UNIT;
	total->set = h->set * TIDE__SHARES_UNIT;
	total->left = tide__word_left(word) * (int64_t)TIDE__SHARES_UNIT;
	total->active = tide__word_active(word);
	total->seats = tide__lease_seats(h->cores);
	total->slots = pool->slots;
	total->stopped = tide__shares_get32(&h->stopped);
	total->granted = tide__shares_get(&h->granted);
	total->swept = tide__shares_get(&h->swept);
	total->repaired = tide__shares_get(&h->repaired) * TIDE__SHARES_UNIT;
	for (i = 0; i < pool->slots; i++) {
		if (!tide__shares_read_row(pool, i, &row))
			continue;
		total->members++;
		total->leases += row.lease;
		total->bases += row.base;
		total->used += row.used;
		total->waiting += row.waiting_ns > 0;
	}
}
static int
tide__shares_read_row(const struct tide__shares *pool, uint32_t index,
    struct tide__shares_row *row)
{
	const struct tide__shares_slot *s = &pool->slot[index];
	uint64_t owner = tide__shares_get(&s->owner), held, ask;
	uint16_t weight;
	int tries;
	for (tries = 0; tries < 4; tries++) {
		if (owner == 0 || (owner & TIDE__OWNER_GIVING) != 0)
			return 0;
		memset(row, 0, sizeof(*row));
		held = tide__shares_get(&s->held);
		ask = tide__shares_get(&s->ask);
		weight = __atomic_load_n(&s->weight, __ATOMIC_SEQ_CST);
		row->pid = tide__owner_pid(owner);
		row->weight = weight & TIDE__WEIGHT_MASK;
		row->wish = weight >> TIDE__WISH_SHIFT;
		row->lease = tide__held_lease(held) * TIDE__SHARES_UNIT;
		row->base = tide__held_base(held) * TIDE__SHARES_UNIT;
		row->used = tide__shares_get(&s->used);
		row->floor = tide__shares_get32(&s->floor) * TIDE__SHARES_UNIT;
		row->granted = tide__shares_get32(&s->granted);
		if ((held & TIDE__HELD_WAIT) != 0) {
			row->least = (ask >> 32) * TIDE__SHARES_UNIT;
			row->want = (ask & UINT32_MAX) * TIDE__SHARES_UNIT;
			row->waiting_ns = tide__max_u64(1, tide__above_u64(tide__sys_clock(),
			    tide__shares_get(&s->since_ns)));
		}
		if (tide__shares_get(&s->owner) == owner)
			return 1;
		owner = tide__shares_get(&s->owner);
	}
	return 0;
}
static uint32_t
tide__shares_of(const struct tide__shares *pool, int pid, struct tide__shares_row *sum)
{
	struct tide__shares_row row;
	uint32_t i, found = 0;
	memset(sum, 0, sizeof(*sum));
	sum->pid = pid;
	for (i = 0; i < pool->slots; i++) {
		if (tide__owner_pid(tide__shares_get(&pool->slot[i].owner)) != pid ||
		    !tide__shares_read_row(pool, i, &row) || row.pid != pid)
			continue;
		found++;
		sum->weight += row.weight;
		sum->lease += row.lease;
		sum->base += row.base;
		sum->used = tide__max_u64(sum->used, row.used);
		sum->floor += row.floor;
		sum->least += row.least;
		sum->want += row.want;
		sum->waiting_ns = tide__max_u64(sum->waiting_ns, row.waiting_ns);
		sum->granted += row.granted;
		sum->wish |= row.wish;
	}
	return found;
}
/* --- src/plan/member.h */
struct tide__plan_host;
#define TIDE__MEMBERS 17
static void tide__member_begin(const struct tide__plan_host *host);
static bool tide__member_is_in(void);
static int tide__member_acquire(uint64_t least, uint64_t want, int64_t wait_ns,
    uint64_t *got, uint32_t *which);
static int tide__member_extend(uint32_t which, uint64_t more);
static void tide__member_shrink(uint32_t which, uint64_t keep);
static void tide__member_release(uint32_t which, uint64_t base);
static void tide__member_used(uint64_t bytes);
static uint64_t tide__member_lease(void);
static int tide__member_wish(void);
static void tide__member_in_child(void);
/* --- src/plan/member.c */
#define TIDE__MEMBER__MEMBER_PATH 512
TIDE__SHARED struct tide__member__membership_state {
	struct tide__shares pool;
	struct tide__shares_member member[TIDE__MEMBERS];
	uint8_t taken[TIDE__MEMBERS];
	bool in;
	uint32_t holds;
} tide__member__membership;
static void
tide__member_begin(const struct tide__plan_host *host)
{
	const char *name = tide__settings_find("POOL");
	char path[TIDE__MEMBER__MEMBER_PATH];
	if (name == NULL)
		return;
	if (strchr(name, '/') != NULL) {
		struct tide__text t;
		tide__text_open(&t, path, sizeof(path));
		tide__text_put(&t, name);
		if (t.cut)
			return;
	} else if (host->pool_path == NULL ||
	    host->pool_path(name, path, sizeof(path)) < 0) {
		return;
	}
	if (tide__shares_open(&tide__member__membership.pool, path, 1) < 0)
		return;
	if (tide__shares_join(&tide__member__membership.pool, 1, 0, 1, &tide__member__membership.member[0]) == 0)
		tide__member__membership.in = true;
	else
		tide__shares_close(&tide__member__membership.pool);
}
static bool
tide__member_is_in(void)
{
	return tide__member__membership.in;
}
static void
tide__member_in_child(void)
{
	if (tide__member__membership.in)
		tide__shares_in_child(&tide__member__membership.pool);
	memset(&tide__member__membership, 0, sizeof(tide__member__membership));
}
static int
tide__member__take_place(void)
{
	int i;
	for (i = 0; i < TIDE__MEMBERS; i++)
		if (__atomic_exchange_n(&tide__member__membership.taken[i], 1,
		    __ATOMIC_ACQUIRE) == 0)
			return i;
	return -1;
}
static void
tide__member__leave_place(uint32_t i)
{
	__atomic_store_n(&tide__member__membership.taken[i], 0, __ATOMIC_RELEASE);
}
static int
tide__member__join(uint32_t i)
{
	if (tide__member__membership.member[i].pool != NULL)
		return 0;
	return tide__shares_join(&tide__member__membership.pool, 1, 0, 0, &tide__member__membership.member[i]);
}
static int
tide__member_acquire(uint64_t least, uint64_t want, int64_t wait_ns, uint64_t *got,
    uint32_t *which)
{
	int i = tide__member__take_place();
	int r;
	if (i < 0)
		return -ENOSPC;
	r = tide__member__join((uint32_t)i);
	if (r == 0)
		r = tide__shares_acquire(&tide__member__membership.member[i],
		    tide__max_u64(least, TIDE__SHARES_UNIT), tide__max_u64(want, tide__max_u64(least,
		    TIDE__SHARES_UNIT)), wait_ns < 0 ? UINT64_MAX :
		    (uint64_t)wait_ns, got);
	if (r == 0) {
		*which = (uint32_t)i;
		(void)__atomic_add_fetch(&tide__member__membership.holds, 1,
		    __ATOMIC_RELAXED);
		return 0;
	}
	tide__member__leave_place((uint32_t)i);
	return r == -EAGAIN ? -ETIMEDOUT : r == -E2BIG ? -ENOMEM : r;
}
static int
tide__member_extend(uint32_t which, uint64_t more)
{
	return tide__shares_extend(&tide__member__membership.member[which], more);
}
static void
tide__member_shrink(uint32_t which, uint64_t keep)
{
	tide__shares_shrink(&tide__member__membership.member[which], keep);
}
static void
tide__member_release(uint32_t which, uint64_t base)
{
	tide__shares_release(&tide__member__membership.member[which], which == 0 ? base :
	    base == UINT64_MAX ? base : 0);
	(void)__atomic_sub_fetch(&tide__member__membership.holds, 1, __ATOMIC_RELAXED);
	tide__member__leave_place(which);
}
static void
tide__member_used(uint64_t bytes)
{
	if (!tide__member__membership.in || __atomic_load_n(&tide__member__membership.holds,
	    __ATOMIC_RELAXED) != 0)
		return;
	if (__atomic_exchange_n(&tide__member__membership.taken[0], 1,
	    __ATOMIC_ACQUIRE) != 0)
		return;
	tide__shares_used(&tide__member__membership.member[0], bytes);
	tide__member__leave_place(0);
}
static uint64_t
tide__member_lease(void)
{
	uint64_t bytes = 0;
	uint32_t i;
	for (i = 0; tide__member__membership.in && i < TIDE__MEMBERS; i++)
		if (tide__member__membership.member[i].pool != NULL)
			bytes += tide__shares_lease(&tide__member__membership.member[i]);
	return bytes;
}
static int
tide__member_wish(void)
{
	int wish;
	if (!tide__member__membership.in || __atomic_exchange_n(&tide__member__membership.taken[0], 1,
	    __ATOMIC_ACQUIRE) != 0)
		return 0;
	wish = tide__shares_wish(&tide__member__membership.member[0]);
	tide__member__leave_place(0);
	return wish;
}
/* --- src/plan/plan.h */
static void tide__plan_begin(const struct tide__plan_host *host, struct tide_room *room);
static bool tide__plan_has_begun(void);
static struct tide_room *tide__plan_room(void);
static const struct tide__plan_host *tide__plan_host(void);
static bool tide__plan_note(uint64_t live, uint64_t now_ns);
static uint64_t tide__plan_quantum(void);
static int tide__plan_settle(uint64_t now_ns, bool sample);
static int tide__plan_visit(void);
static void tide__plan_refresh(uint64_t now_ns);
static void tide__plan_refused(void);
static void tide__plan_in_child(void);
static void tide__plan_lock(void);
static void tide__plan_unlock(void);
static struct tide__states *tide__plan_states(void);
static uint64_t tide__plan_start_used(void);
static uint64_t tide__plan_live(void);
static uint64_t tide__plan_used_now(void);
static uint64_t tide__plan_high(void);
static void tide__plan_high_reset(void);
static void tide__plan_say(const char *line);
static int tide__plan_init(const char *conf);
static int tide__plan_status(tide_info *out);
static int tide__plan_json(char *buf, size_t cap);
static int tide__plan_budget_set(uint64_t bytes);
static int tide__plan_safe(uint64_t need, uint64_t max_used, tide_info *out);
static int tide__plan_poll(unsigned flags);
static int tide__plan_reclaim(unsigned flags, uint64_t want, tide_reclaim_result *out);
static double tide__plan_knob(const char *name, double best, double cheapest);
/* --- src/plan/pressure.h */
static int tide__pressure_fd(void);
static void tide__pressure_notify(int state);
static int64_t tide__release_pages(void *p, size_t bytes);
/* --- src/plan/refault.h */
struct tide__refault {
	uint64_t freed, returned;
	uint64_t purged;
	uint64_t time_ns;
	uint64_t pages;
	uint64_t cost_ns;
};
static void tide__refault_note(const struct tide__refault *r, uint64_t faults);
static bool tide__refault_is_due(void);
static void tide__refault_take(struct tide__refault *bill, uint64_t faults);
static void tide__refault_in_child(void);
/* --- src/plan/cleanup-list.h */
struct tide__cleanup_thread {
	int tid;
	const int *self;
};
struct tide__cleanup_rest {
	uint32_t skip;
	uint32_t back_off;
};
static bool tide__cleanup_rests(struct tide__cleanup_rest *r, bool forced);
static void tide__cleanup_rest(struct tide__cleanup_rest *r, bool little);
struct tide__cleanup_turn {
	uint64_t mark;
	uint32_t number;
	int cls_most;
	bool forced;
	uint32_t wish;
	struct tide__cleanup_thread thread;
};
struct tide__cleanup_call {
	tide_clean_fn fn;
	void *ctx;
	int id;
	int row;
};
static int tide__cleanup_list_enter(struct tide__cleanup_turn *turn);
static void tide__cleanup_list_leave(struct tide__cleanup_turn *turn);
static int tide__cleanup_list_next(const struct tide__cleanup_turn *turn,
    struct tide__cleanup_call *call);
static bool tide__cleanup_list_returned(const struct tide__cleanup_turn *turn,
    const struct tide__cleanup_call *call, uint64_t gain, uint64_t ns,
    bool little);
enum {
	TIDE__CLEANUP_MINE = 1,
	TIDE__CLEANUP_OTHERS = 2
};
static int tide__cleanup_list_whose(int cls_most, uint32_t wish);
static void tide__cleanup_list_in_child(void);
/* --- src/plan/cleanup.h */
#define TIDE__CLEANUPS_MOST 64
#define TIDE__CLEANUP_PATIENCE_NS UINT64_C(10000000000)
static int tide__cleanup_add(tide_clean_fn fn, void *ctx, int cls, int prio,
    unsigned flags, const char *name);
static int tide__cleanup_drop(int id);
static int tide__cleanup_run(int level, unsigned flags, uint64_t want,
    tide_reclaim_result *out);
static bool tide__cleanup_is_ours(int level);
static bool tide__cleanup_is_wanted(void);
static void tide__cleanup_wish(void);
static void tide__cleanup_bill(void);
static void tide__cleanup_in_child(void);
/* --- src/plan/op.h */
static tide_op *tide__op_open(const char *name, const tide_op_conf *conf);
static uint32_t tide__op_batch_size(tide_op *op, uint64_t remaining);
static int tide__op_read(tide_op *op, struct tide_op_stats *out);
static void tide__op_in_child(void);
static void tide__op_rows_in_child(void);
static uint32_t tide__op_active(void);
static int tide__batch_begin(tide_op *op, tide_batch *b, uint64_t first,
    uint64_t remaining, int64_t wait_ns);
static int tide__batch_more(tide_batch *b);
static int tide__batch_item(tide_batch *b, uint64_t weight);
static void tide__batch_item_done(tide_batch *b);
static void tide__batch_item_fail(tide_batch *b, uint64_t index, const char *why);
static int tide__batch_end(tide_batch *b, uint64_t done);
static void tide__batch_abort(tide_batch *b, int why);
/* --- src/plan/guard.h */
static int tide__guard_begin(const char *op, uint64_t need);
static void tide__guard_end(int guard);
static int tide__component_open(const char *name, uint64_t max, unsigned weight);
static void tide__component_enter(int id);
static void tide__component_leave(int id);
static uint64_t tide__component_used(int id);
static uint64_t tide__component_budget(int id);
static void tide__guard_in_child(void);
/* --- src/plan/reserve.h */
static int tide__reserve_take(uint64_t least, uint64_t most, int64_t wait_ns,
    uint64_t *got);
static void tide__reserve_give(uint64_t bytes);
static void tide__reserve_in_child(void);
/* --- src/plan/message.h */
#define TIDE__MESSAGE_ROOM 160
static const char *tide__message_state(int state);
static char *tide__message_high(char *line, size_t room, uint64_t used, uint64_t budget);
static char *tide__message_warning(char *line, size_t room, uint64_t used);
static char *tide__message_memory(char *line, size_t room, uint64_t used, uint64_t budget,
    int state);
static char *tide__message_tagged(char *line, size_t room, const char *rest);
static char *tide__message_low(char *line, size_t room, uint64_t available);
static char *tide__message_fine(char *line, size_t room, uint64_t mean);
static char *tide__message_no_room(char *line, size_t room, uint64_t baseline,
    uint64_t one, uint64_t budget, uint64_t enough);
static char *tide__message_starting(char *line, size_t room, const char *op, uint64_t used);
static char *tide__message_efficient(char *line, size_t room, const char *op);
static char *tide__message_timeout(char *line, size_t room, uint64_t ns);
static char *tide__message_item_failed(char *line, size_t room, uint64_t index,
    const char *why);
static char *tide__message_forcing(char *line, size_t room);
static char *tide__message_cleanup(char *line, size_t room, uint64_t objects,
    uint64_t freed, uint64_t used);
static char *tide__message_between(char *line, size_t room);
static char *tide__message_freed(char *line, size_t room, uint64_t freed);
static char *tide__message_freed_at(char *line, size_t room, uint64_t freed,
    uint64_t returned, uint64_t time_ns, uint64_t refault_ns);
static char *tide__message_initial(char *line, size_t room, uint64_t used);
static char *tide__message_after_chunk(char *line, size_t room, uint64_t chunk,
    uint64_t used, uint64_t initial, uint64_t cleaned);
static char *tide__message_chunk(char *line, size_t room, uint64_t chunk, uint64_t chunks,
    uint64_t first, uint64_t count, const char *unit);
static char *tide__message_chunk_items(char *line, size_t room, uint64_t count,
    const char *unit, uint64_t chunk);
static char *tide__message_item(char *line, size_t room, const char *unit, uint64_t index);
static char *tide__message_chunk_done(char *line, size_t room, uint64_t chunk,
    uint64_t ns);
static char *tide__message_progress(char *line, size_t room, uint64_t done, uint64_t whole,
    const char *unit);
static char *tide__message_elapsed(char *line, size_t room, uint64_t ns);
static char *tide__message_eta(char *line, size_t room, uint64_t ns);
/* --- src/plan/message.c */
#define TIDE__MESSAGE__MESSAGE_KIB UINT64_C(1024)
#define TIDE__MESSAGE__MESSAGE_MIB (TIDE__MESSAGE__MESSAGE_KIB * TIDE__MESSAGE__MESSAGE_KIB)
#define TIDE__MESSAGE__MESSAGE_GIB (TIDE__MESSAGE__MESSAGE_KIB * TIDE__MESSAGE__MESSAGE_MIB)
#define TIDE__MESSAGE__MESSAGE_MS  UINT64_C(1000000)
#define TIDE__MESSAGE__MESSAGE_S   (1000 * TIDE__MESSAGE__MESSAGE_MS)
static const char *
tide__message_state(int state)
{
	static const char *const names[] = {
		"ok", "warning", "critical", "exhausted"
	};
	return state >= 0 && state < 4 ? names[state] : "unknown";
}
static struct tide__text
tide__message__message_open(char *line, size_t room)
{
	struct tide__text t;
	tide__text_open(&t, line, room);
	return t;
}
static void
tide__message__message_put_rounded(struct tide__text *t, uint64_t n, uint64_t unit,
    unsigned decimals, int up)
{
	uint64_t whole = n / unit, rest = n % unit, one = 1, part;
	unsigned i;
	for (i = 0; i < decimals; i++)
		one *= 10;
	part = (rest * one + (up ? unit - 1 : unit / 2)) / unit;
	if (part == one) {
		part = 0;
		whole++;
	}
	tide__text_put_u64(t, whole);
	if (decimals == 0)
		return;
	tide__text_put(t, ".");
	for (one /= 10; one > 0; one /= 10)
		tide__text_put_u64(t, part / one % 10);
}
static void
tide__message__message_put(struct tide__text *t, uint64_t n, uint64_t unit, unsigned decimals,
    const char *name)
{
	tide__message__message_put_rounded(t, n, unit, decimals, 0);
	tide__text_put(t, name);
}
static void
tide__message__message_put_mb(struct tide__text *t, uint64_t bytes)
{
	tide__message__message_put(t, bytes, TIDE__MESSAGE__MESSAGE_MIB, 0, "MB");
}
static void
tide__message__message_put_gb(struct tide__text *t, uint64_t bytes)
{
	tide__message__message_put(t, bytes, TIDE__MESSAGE__MESSAGE_GIB, 2, "GB");
}
static void
tide__message__message_put_change(struct tide__text *t, uint64_t now, uint64_t before)
{
	tide__text_put(t, now < before ? "-" : "+");
	tide__message__message_put(t, now < before ? before - now : now - before,
	    TIDE__MESSAGE__MESSAGE_MIB, 1, "");
}
static void
tide__message__message_put_percent(struct tide__text *t, uint64_t part, uint64_t whole)
{
	uint64_t half = UINT64_MAX / 2048;
	while (part > half || whole > half) {
		part /= 2;
		whole /= 2;
	}
	if (whole == 0)
		whole = 1;
	tide__message__message_put(t, part * 1000 / whole, 10, 1, "%");
}
static void
tide__message__message_put_unit(struct tide__text *t, const char *unit, uint64_t count)
{
	size_t n;
	char last, before;
	if (unit == NULL || *unit == '\0')
		unit = "item";
	n = strlen(unit);
	last = unit[n - 1];
	before = n > 1 ? unit[n - 2] : 'a';
	if (count == 1) {
		tide__text_put(t, unit);
	} else if (last == 'y' && strchr("aeiou", before) == NULL) {
		tide__text_put_bytes(t, unit, n - 1);
		tide__text_put(t, "ies");
	} else {
		tide__text_put(t, unit);
		tide__text_put(t, last == 's' || last == 'x' || (last == 'h' &&
		    (before == 'c' || before == 's')) ? "es" : "s");
	}
}
static char *
tide__message_high(char *line, size_t room, uint64_t used, uint64_t budget)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "High memory usage detected: ");
	tide__message__message_put_mb(&t, used);
	tide__text_put(&t, " of ");
	tide__message__message_put_mb(&t, budget);
	tide__text_put(&t, ". Running cleanup...");
	return line;
}
static char *
tide__message_warning(char *line, size_t room, uint64_t used)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Memory warning: ");
	tide__message__message_put_gb(&t, used);
	return line;
}
static char *
tide__message_memory(char *line, size_t room, uint64_t used, uint64_t budget,
    int state)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Memory: ");
	tide__message__message_put_mb(&t, used);
	tide__text_put(&t, "/");
	if (budget == UINT64_MAX)
		tide__text_put(&t, "none");
	else
		tide__message__message_put_mb(&t, budget);
	tide__text_put(&t, " ");
	tide__text_put(&t, tide__message_state(state));
	return line;
}
static char *
tide__message_tagged(char *line, size_t room, const char *rest)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "[heaptide] MEMORY_OPT ");
	tide__text_put(&t, rest);
	return line;
}
static char *
tide__message_low(char *line, size_t room, uint64_t available)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Low memory (");
	tide__message__message_put_mb(&t, available);
	tide__text_put(&t, "), skipping");
	return line;
}
static char *
tide__message_fine(char *line, size_t room, uint64_t mean)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Memory usage is well within acceptable limits (");
	tide__message__message_put_mb(&t, mean);
	tide__text_put(&t, " average)");
	return line;
}
static char *
tide__message_no_room(char *line, size_t room, uint64_t baseline, uint64_t one,
    uint64_t budget, uint64_t enough)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "baseline ");
	tide__message__message_put(&t, baseline, TIDE__MESSAGE__MESSAGE_GIB, 2, " GB");
	tide__text_put(&t, " leaves no room for one item (");
	tide__message__message_put(&t, one, TIDE__MESSAGE__MESSAGE_GIB, 2, " GB");
	tide__text_put(&t, ") in ");
	tide__message__message_put(&t, budget, TIDE__MESSAGE__MESSAGE_GIB, 2, " GB");
	tide__text_put(&t, "; raise the budget to ");
	tide__message__message_put_rounded(&t, enough, TIDE__MESSAGE__MESSAGE_GIB, 2, 1);
	tide__text_put(&t, " GB or more");
	return line;
}
static char *
tide__message_starting(char *line, size_t room, const char *op, uint64_t used)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Starting ");
	tide__text_put(&t, op);
	tide__text_put(&t, " (Memory: ");
	tide__message__message_put_gb(&t, used);
	tide__text_put(&t, ")");
	return line;
}
static char *
tide__message_efficient(char *line, size_t room, const char *op)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Using memory-efficient processing (");
	tide__text_put(&t, op);
	tide__text_put(&t, ")");
	return line;
}
static char *
tide__message_timeout(char *line, size_t room, uint64_t ns)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Batch processing timeout after ");
	tide__message__message_put(&t, ns, TIDE__MESSAGE__MESSAGE_MS, 0, "ms");
	return line;
}
static char *
tide__message_item_failed(char *line, size_t room, uint64_t index, const char *why)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Item ");
	tide__text_put_u64(&t, index);
	tide__text_put(&t, " failed: ");
	tide__text_put(&t, why != NULL && *why != '\0' ? why : "no reason given");
	return line;
}
static char *
tide__message_forcing(char *line, size_t room)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Forcing memory cleanup...");
	return line;
}
static char *
tide__message_cleanup(char *line, size_t room, uint64_t objects, uint64_t freed,
    uint64_t used)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Cleanup: ");
	tide__text_put_u64(&t, objects);
	tide__text_put(&t, " objects freed (");
	tide__message__message_put(&t, freed, TIDE__MESSAGE__MESSAGE_MIB, 1, " MB), now ");
	tide__message__message_put_gb(&t, used);
	return line;
}
static char *
tide__message_between(char *line, size_t room)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Running cleanup between chunks...");
	return line;
}
static char *
tide__message_freed(char *line, size_t room, uint64_t freed)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Cleanup freed: ");
	tide__message__message_put(&t, freed, TIDE__MESSAGE__MESSAGE_MIB, 1, " MB");
	return line;
}
static char *
tide__message_freed_at(char *line, size_t room, uint64_t freed, uint64_t returned,
    uint64_t time_ns, uint64_t refault_ns)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Cleanup freed: ");
	tide__message__message_put(&t, freed, TIDE__MESSAGE__MESSAGE_MIB, 1, " MB (");
	tide__message__message_put(&t, returned, TIDE__MESSAGE__MESSAGE_MIB, 1,
	    " MB returned to the system, ");
	tide__message__message_put(&t, time_ns, TIDE__MESSAGE__MESSAGE_MS, 1, " ms");
	if (refault_ns != 0) {
		tide__text_put(&t, "; refault cost ~");
		tide__message__message_put(&t, refault_ns, TIDE__MESSAGE__MESSAGE_MS, 1, " ms");
	}
	tide__text_put(&t, ")");
	return line;
}
static char *
tide__message_initial(char *line, size_t room, uint64_t used)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Initial memory usage: ");
	tide__message__message_put(&t, used, TIDE__MESSAGE__MESSAGE_MIB, 1, " MB");
	return line;
}
static char *
tide__message_after_chunk(char *line, size_t room, uint64_t chunk, uint64_t used,
    uint64_t initial, uint64_t cleaned)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Memory after chunk ");
	tide__text_put_u64(&t, chunk);
	tide__text_put(&t, ": ");
	tide__message__message_put(&t, used, TIDE__MESSAGE__MESSAGE_MIB, 1, " MB (change: ");
	tide__message__message_put_change(&t, used, initial);
	tide__text_put(&t, " MB)");
	if (cleaned != UINT64_MAX) {
		tide__text_put(&t, " (");
		tide__message__message_put_change(&t, used, cleaned);
		tide__text_put(&t, " since cleanup)");
	}
	return line;
}
static char *
tide__message_chunk(char *line, size_t room, uint64_t chunk, uint64_t chunks,
    uint64_t first, uint64_t count, const char *unit)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "--- PROCESSING CHUNK ");
	tide__text_put_u64(&t, chunk);
	if (chunks != 0) {
		tide__text_put(&t, "/");
		tide__text_put_u64(&t, chunks);
	}
	tide__text_put(&t, " (");
	tide__message__message_put_unit(&t, unit, count);
	tide__text_put(&t, " ");
	tide__text_put_u64(&t, first + 1);
	if (count > 1) {
		tide__text_put(&t, "-");
		tide__text_put_u64(&t, first + count);
	}
	tide__text_put(&t, ") ---");
	return line;
}
static char *
tide__message_chunk_items(char *line, size_t room, uint64_t count,
    const char *unit, uint64_t chunk)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Processing ");
	tide__text_put_u64(&t, count);
	tide__text_put(&t, " ");
	tide__message__message_put_unit(&t, unit, count);
	tide__text_put(&t, " in chunk ");
	tide__text_put_u64(&t, chunk);
	return line;
}
static char *
tide__message_item(char *line, size_t room, const char *unit, uint64_t index)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "  Processing ");
	tide__message__message_put_unit(&t, unit, 1);
	tide__text_put(&t, " ");
	tide__text_put_u64(&t, index + 1);
	tide__text_put(&t, "...");
	return line;
}
static char *
tide__message_chunk_done(char *line, size_t room, uint64_t chunk, uint64_t ns)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Chunk ");
	tide__text_put_u64(&t, chunk);
	tide__text_put(&t, " completed in ");
	tide__message__message_put(&t, ns, TIDE__MESSAGE__MESSAGE_S, 1, "s");
	return line;
}
static char *
tide__message_progress(char *line, size_t room, uint64_t done, uint64_t whole,
    const char *unit)
{
	struct tide__text t = tide__message__message_open(line, room);
	tide__text_put(&t, "Progress: ");
	tide__text_put_u64(&t, done);
	tide__text_put(&t, "/");
	tide__text_put_u64(&t, whole);
	tide__text_put(&t, " ");
	tide__message__message_put_unit(&t, unit, whole);
	tide__text_put(&t, " completed (");
	tide__message__message_put_percent(&t, done, whole);
	tide__text_put(&t, ")");
	return line;
}
static char *
tide__message__message_hours(char *line, size_t room, const char *head, uint64_t ns)
{
	struct tide__text t = tide__message__message_open(line, room);
	uint64_t minutes = ns / (60 * TIDE__MESSAGE__MESSAGE_S);
	tide__text_put(&t, head);
	tide__text_put_u64(&t, minutes / 60);
	tide__text_put(&t, "h ");
	tide__text_put_u64(&t, minutes % 60);
	tide__text_put(&t, "m");
	return line;
}
static char *
tide__message_elapsed(char *line, size_t room, uint64_t ns)
{
	return tide__message__message_hours(line, room, "Elapsed: ", ns);
}
static char *
tide__message_eta(char *line, size_t room, uint64_t ns)
{
	return tide__message__message_hours(line, room, "ETA: ", ns);
}
/* --- src/plan/plan.c */
#define TIDE__PLAN__LIMIT_NS      (1 * TIDE__NS_PER_S)
#define TIDE__PLAN__LIMIT_NEAR_NS (20 * TIDE__NS_PER_MS)
#define TIDE__PLAN__CLEAN_NS (2 * TIDE__NS_PER_S)
TIDE__SHARED struct tide__plan__plan_state {
	const struct tide__plan_host *host;
	struct tide_room *room;
	uint32_t lock;
	int32_t pid;
	struct tide__sensor sensor;
	struct tide__states states;
	struct tide__host_limit limit;
	uint64_t limit_ns;
	uint64_t set_bytes;
	uint64_t base, from, near, from_near;
	uint64_t look_at;
	uint64_t look_ns;
	uint64_t quantum;
	uint64_t high;
	uint64_t live;
	uint64_t start_used;
	uint64_t allocated, allocated_ns;
	uint64_t trend_used, trend_ns;
	double trend;
	uint64_t events, events_seen;
	uint64_t followed, followed_ns;
	uint64_t failed;
	uint64_t cleaned_ns;
	int settled;
} tide__plan__plan;
static struct tide_room *
tide__plan_room(void)
{
	return tide__plan__plan.room;
}
static const struct tide__plan_host *
tide__plan_host(void)
{
	return tide__plan__plan.host;
}
static bool
tide__plan_has_begun(void)
{
	return tide__plan__plan.room != NULL;
}
static struct tide__states *
tide__plan_states(void)
{
	return &tide__plan__plan.states;
}
static uint64_t
tide__plan_live(void)
{
	return tide__plan__plan.live;
}
static uint64_t
tide__plan_start_used(void)
{
	return tide__plan__plan.start_used;
}
static void
tide__plan_lock(void)
{
	uint64_t since = 0;
	while (__atomic_exchange_n(&tide__plan__plan.lock, 1, __ATOMIC_ACQUIRE) != 0)
		if (tide__plan__plan.pid != tide__sys_pid() || !tide__sys_give_way(&since))
			return;
}
static bool
tide__plan__try_lock(void)
{
	return __atomic_exchange_n(&tide__plan__plan.lock, 1, __ATOMIC_ACQUIRE) == 0;
}
static void
tide__plan_unlock(void)
{
	__atomic_store_n(&tide__plan__plan.lock, 0, __ATOMIC_RELEASE);
}
static uint64_t
tide__plan__load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static void
tide__plan__store(uint64_t *word, uint64_t n)
{
	__atomic_store_n(word, n, __ATOMIC_RELAXED);
}
static void
tide__plan__raise_to(uint64_t *word, uint64_t n)
{
	if (n > tide__plan__load(word))
		tide__plan__store(word, n);
}
static void
tide__plan_say(const char *line)
{
	struct tide__text t;
	if (tide__plan__plan.room == NULL)
		return;
	tide__text_open(&t, tide__plan__plan.room->message, sizeof(tide__plan__plan.room->message));
	tide__text_put(&t, line);
	if (tide__plan__plan.host->say != NULL)
		tide__plan__plan.host->say(line);
}
static uint64_t
tide__plan__estimate(uint64_t live)
{
	uint64_t base = tide__plan__load(&tide__plan__plan.base);
	uint64_t used = base + tide__above_u64(live, tide__plan__load(&tide__plan__plan.from));
	return used <= tide__plan__load(&tide__plan__plan.near) ? used :
	    base + tide__above_u64(live, tide__plan__load(&tide__plan__plan.from_near));
}
static void
tide__plan__store_used(struct tide_room *room, uint64_t used)
{
	uint64_t budget = tide__plan__load(&room->budget);
	tide__plan__store(&room->used, used);
	tide__plan__store(&room->left, budget == TIDE_NONE ? TIDE_NONE :
	    tide__above_u64(budget, used));
}
static bool
tide__plan_note(uint64_t live, uint64_t now_ns)
{
	struct tide_room *room = tide__plan__plan.room;
	uint64_t used = tide__plan__estimate(live);
	bool due = used >= tide__plan__load(&tide__plan__plan.look_at) ||
	    now_ns >= tide__plan__load(&tide__plan__plan.look_ns);
	tide__plan__store(&room->live, live);
	tide__plan__store_used(room, used);
	tide__plan__raise_to(&room->peak_live, live);
	tide__plan__raise_to(&room->peak_used, used);
	tide__plan__raise_to(&tide__plan__plan.high, used);
	if (due)
		tide__plan__store(&room->gate, TIDE_NONE);
	else if (tide__plan__load(&room->gate) != TIDE_NONE)
		tide__plan__store(&room->gate, used);
	return due;
}
static uint64_t
tide__plan_quantum(void)
{
	return tide__plan__load(&tide__plan__plan.quantum);
}
static uint64_t
tide__plan_high(void)
{
	return tide__plan__load(&tide__plan__plan.high);
}
static void
tide__plan_high_reset(void)
{
	tide__plan__store(&tide__plan__plan.high, tide__plan__load(&tide__plan__plan.room->used));
}
static void
tide__plan__see_heap(struct tide__host_heap *heap)
{
	memset(heap, 0, sizeof(*heap));
	if (tide__plan__plan.host->heap == NULL || !tide__plan__plan.host->heap(heap))
		memset(heap, 0, sizeof(*heap));
}
static bool
tide__plan__is_counted(void)
{
	return tide__plan__plan.host->heap != NULL;
}
static uint64_t
tide__plan_used_now(void)
{
	struct tide__host_heap heap;
	if (!tide__plan__is_counted())
		return tide__plan__load(&tide__plan__plan.room->used);
	tide__plan__see_heap(&heap);
	return tide__plan__estimate(heap.bytes);
}
static void
tide__plan__sample(uint64_t now_ns, const struct tide__host_heap *heap)
{
	struct tide_room *room = tide__plan__plan.room;
	struct tide__host_memory memory;
	struct tide__sensor_look look;
	if (tide__plan__plan.host->memory(&memory) < 0)
		return;
	memset(&look, 0, sizeof(look));
	look.used = memory.used + tide__plan__plan.limit.others;
	look.live = heap->bytes;
	look.now_ns = now_ns;
	tide__sensor_sample(&tide__plan__plan.sensor, &look);
	room->resident = memory.resident;
	room->retained = tide__plan__is_counted() ? tide__above_u64(memory.used, heap->bytes) :
	    0;
	room->sampled_ns = now_ns;
	room->samples++;
}
static void
tide__plan__read_limit(uint64_t now_ns)
{
	struct tide_room *room = tide__plan__plan.room;
	struct tide__host_limit limit;
	memset(&limit, 0, sizeof(limit));
	if (tide__plan__plan.host->limit(tide__plan__plan.set_bytes, &limit) < 0)
		return;
	tide__plan__plan.limit = limit;
	tide__plan__plan.limit_ns = now_ns;
	tide__sensor_budget(&tide__plan__plan.sensor,
	    limit.budget == TIDE_NONE ? 0 : limit.budget);
	tide__plan__store(&room->budget, limit.budget);
	room->soft = limit.soft;
	room->slow_from = limit.slow_from;
	memcpy(room->source, limit.source, sizeof(room->source));
	room->source[sizeof(room->source) - 1] = '\0';
}
static bool
tide__plan__is_limit_old(uint64_t now_ns)
{
	uint64_t age = now_ns - tide__plan__plan.limit_ns;
	return tide__plan__plan.limit_ns == 0 || age > TIDE__PLAN__LIMIT_NS ||
	    (tide__plan__plan.room->state >= TIDE_WARNING && age > TIDE__PLAN__LIMIT_NEAR_NS);
}
static void
tide__plan__arm(uint64_t now_ns, const struct tide__host_heap *heap, uint64_t used)
{
	const struct tide__states_conf *c = &tide__plan__plan.states.conf;
	const double line[3] = { c->warn, c->critical, c->exhausted };
	const double budget = (double)tide__plan__plan.limit.budget;
	uint32_t threads = heap->threads > 0 ? heap->threads : 1;
	uint64_t next = used + tide__max_u64(heap->bytes / 20, 256 * TIDE__KIB);
	size_t i;
	for (i = 0; tide__plan__plan.limit.budget != TIDE_NONE && i < 3; i++)
		if ((double)used < line[i] * budget)
			next = tide__min_u64(next, (uint64_t)(line[i] * budget));
	tide__plan__store(&tide__plan__plan.look_at, next);
	tide__plan__store(&tide__plan__plan.look_ns, now_ns + tide__sensor_period(&tide__plan__plan.sensor,
	    heap->bytes));
	tide__plan__store(&tide__plan__plan.quantum, tide__plan__plan.limit.budget == TIDE_NONE ? 64 * TIDE__KIB :
	    tide__sensor_quantum(&tide__plan__plan.sensor, heap->bytes, threads));
	tide__plan__store(&tide__plan__plan.base, tide__plan__plan.sensor.used0);
	tide__plan__store(&tide__plan__plan.from, tide__plan__plan.sensor.live0 + tide__plan__plan.sensor.reusable0);
	tide__plan__store(&tide__plan__plan.from_near, tide__plan__plan.sensor.live0);
	tide__plan__store(&tide__plan__plan.near, tide__plan__plan.limit.budget == TIDE_NONE ? TIDE_NONE :
	    (uint64_t)(budget * 0.85));
	tide__plan__plan.room->error = tide__sensor_error(&tide__plan__plan.sensor, heap->bytes, threads,
	    now_ns);
}
static void
tide__plan__note_rate(uint64_t now_ns, const struct tide__host_heap *heap)
{
	uint64_t ns = now_ns - tide__plan__plan.allocated_ns;
	if (tide__plan__plan.allocated_ns != 0 && ns < 10 * TIDE__NS_PER_MS)
		return;
	if (tide__plan__plan.allocated_ns != 0)
		tide__plan__plan.room->rate = (uint64_t)((double)tide__above_u64(heap->allocated,
		    tide__plan__plan.allocated) * 1e9 / (double)ns);
	tide__plan__plan.allocated = heap->allocated;
	tide__plan__plan.allocated_ns = now_ns;
}
static double
tide__plan__trend(uint64_t now_ns, uint64_t used)
{
	uint64_t ns = now_ns - tide__plan__plan.trend_ns;
	if (tide__op_active() > 0)
		return 0;
	if (tide__plan__plan.trend_ns == 0 || ns >= 100 * TIDE__NS_PER_MS) {
		tide__plan__plan.trend = tide__plan__plan.trend_ns == 0 ? 0 :
		    (double)tide__above_u64(used, tide__plan__plan.trend_used) * 1e9 /
		    (double)ns;
		tide__plan__plan.trend_used = used;
		tide__plan__plan.trend_ns = now_ns;
	}
	return tide__plan__plan.trend;
}
static void
tide__plan__follow(uint64_t now_ns, uint64_t used)
{
	struct tide_room *room = tide__plan__plan.room;
	uint64_t ns = now_ns - tide__plan__plan.followed_ns;
	if (tide__plan__plan.followed_ns != 0 && ns != 0 && ns < INT64_MAX) {
		room->watched_ns += ns;
		room->used_mean += ((double)tide__plan__plan.followed -
		    room->used_mean) * (double)ns / (double)room->watched_ns;
		if (tide__plan__plan.limit.budget != TIDE_NONE &&
		    (double)tide__plan__plan.followed > 0.8 * (double)tide__plan__plan.limit.budget)
			room->high_ns += ns;
	}
	tide__plan__plan.followed_ns = now_ns;
	tide__plan__plan.followed = used;
}
static uint64_t
tide__plan__heeded(uint64_t events, uint64_t used)
{
	if (tide__plan__plan.limit.budget != TIDE_NONE &&
	    (double)used >= 0.70 * (double)tide__plan__plan.limit.budget)
		tide__plan__plan.events += tide__above_u64(events, tide__plan__plan.events_seen);
	tide__plan__plan.events_seen = events;
	return tide__plan__plan.events;
}
static void
tide__plan__judge(uint64_t now_ns, const struct tide__host_heap *heap, uint64_t used)
{
	struct tide_room *room = tide__plan__plan.room;
	struct tide__host_pressure pressure;
	struct tide__states_look look;
	int state, before = room->state;
	uint64_t pretended = tide__plan__load(&room->pressure);
	memset(&look, 0, sizeof(look));
	look.now_ns = now_ns;
	look.budget = tide__plan__plan.limit.budget == TIDE_NONE ? 0 : tide__plan__plan.limit.budget;
	look.used = used;
	look.rate = tide__plan__trend(now_ns, used);
	look.failed = heap->failed + tide__plan__load(&tide__plan__plan.failed);
	if (tide__plan__plan.host->pressure != NULL &&
	    tide__plan__plan.host->pressure(&pressure) == 0) {
		look.some = pressure.some;
		look.full = pressure.full;
		look.limit_events = tide__plan__heeded(pressure.events, used);
	}
	state = tide__states_step(&tide__plan__plan.states, &look);
	if (pretended != 0 && (int)pretended - 1 > state)
		state = (int)pretended - 1;
	room->failed = look.failed;
	if (state != before) {
		room->at_state_ns[before & 3] += now_ns - room->state_ns;
		room->state_ns = now_ns;
		room->warnings += state > before;
		room->state = state;
		tide__pressure_notify(state);
	}
}
static void
tide__plan__look_now(uint64_t now_ns, bool sampled)
{
	struct tide_room *room = tide__plan__plan.room;
	struct tide__host_heap heap;
	uint64_t used;
	tide__plan__see_heap(&heap);
	__atomic_store_n(&room->sequence, room->sequence + 1,
	    __ATOMIC_RELEASE);
	if (tide__plan__is_limit_old(now_ns))
		tide__plan__read_limit(now_ns);
	if (sampled || tide__plan__plan.sensor.looks == 0 ||
	    now_ns - room->sampled_ns >= tide__sensor_period(&tide__plan__plan.sensor,
	    heap.bytes) || tide__sensor_is_due(&tide__plan__plan.sensor, heap.bytes))
		tide__plan__sample(now_ns, &heap);
	used = tide__sensor_used(&tide__plan__plan.sensor, heap.bytes);
	tide__plan__note_rate(now_ns, &heap);
	tide__plan__follow(now_ns, used);
	tide__plan__judge(now_ns, &heap, used);
	tide__plan__arm(now_ns, &heap, used);
	tide__plan__plan.live = tide__plan__is_counted() ? heap.bytes : TIDE_NONE;
	if (tide__plan__is_counted()) {
		tide__plan__store(&room->live, heap.bytes);
		room->blocks = heap.blocks;
		tide__plan__raise_to(&room->peak_live, heap.bytes);
	}
	tide__plan__raise_to(&room->peak_used, used);
	tide__plan__raise_to(&tide__plan__plan.high, used);
	room->available = tide__plan__plan.limit.budget == TIDE_NONE ? TIDE_NONE :
	    tide__above_u64(tide__plan__plan.limit.budget, used);
	room->looks++;
	tide__plan__store_used(room, used);
	tide__plan__store(&room->gate, !tide__plan__is_counted() || tide__states_cuts(&tide__plan__plan.states) ||
	    room->state >= TIDE_CRITICAL ? TIDE_NONE : used);
	tide__plan__store(&room->refreshed_ns, now_ns);
	__atomic_store_n(&room->sequence, room->sequence + 1,
	    __ATOMIC_RELEASE);
}
#define TIDE__PLAN__BELOW_CRITICAL 0.97
static void
tide__plan__configure(void)
{
	struct tide__states_conf conf;
	double target;
	memset(&conf, 0, sizeof(conf));
	conf.warn = tide__settings_share("WARN", 0.75);
	conf.critical = tide__settings_share("CRITICAL", 0.88);
	conf.exhausted = conf.critical + (1 - conf.critical) * 2 / 3;
	tide__states_open(&tide__plan__plan.states, &conf);
	tide__plan__plan.room->warn_mille = (uint32_t)(tide__plan__plan.states.conf.warn * 1000);
	tide__plan__plan.room->critical_mille =
	    (uint32_t)(tide__plan__plan.states.conf.critical * 1000);
	target = TIDE__PLAN__BELOW_CRITICAL * tide__plan__plan.states.conf.critical;
	tide__plan__plan.room->target_mille = (uint32_t)(tide__settings_share("TARGET",
	    target < 0.90 ? target : 0.90) * 1000);
}
static void
tide__plan_begin(const struct tide__plan_host *host, struct tide_room *room)
{
	uint64_t now_ns = tide__sys_clock();
	tide__plan__plan.host = host;
	tide__plan__plan.pid = tide__sys_pid();
	tide__plan__plan.quantum = 64 * TIDE__KIB;
	room->version = TIDE_ROOM_VERSION;
	room->bytes = sizeof(*room);
	room->level = host->level;
	room->pid = tide__plan__plan.pid;
	room->live = room->blocks = TIDE_NONE;
	room->budget = room->slow_from = room->available = TIDE_NONE;
	room->left = TIDE_NONE;
	room->state_ns = now_ns;
	tide__plan__plan.room = room;
	tide__settings_read(host);
	tide__plan__configure();
	tide__sensor_open(&tide__plan__plan.sensor, 0);
	tide__plan__look_now(now_ns, true);
	tide__plan__plan.start_used = room->used;
	tide__member_begin(host);
	tide__member_used(room->used);
	__atomic_store_n(&room->magic, TIDE_ROOM_MAGIC, __ATOMIC_RELEASE);
}
static void
tide__plan_in_child(void)
{
	const struct tide__plan_host *host = tide__plan__plan.host;
	uint64_t set_bytes = tide__plan__plan.set_bytes;
	if (tide__plan__plan.room == NULL)
		return;
	memset(&tide__plan__plan, 0, sizeof(tide__plan__plan));
	tide__plan__plan.set_bytes = set_bytes;
	tide__op_in_child();
	tide__cleanup_in_child();
	tide__member_in_child();
	tide__run_in_child();
	tide__plan_begin(host->in_child != NULL ? host->in_child : host,
	    host->own_room());
	tide__op_rows_in_child();
	tide__guard_in_child();
	tide__reserve_in_child();
}
static void
tide__plan_refused(void)
{
	(void)__atomic_add_fetch(&tide__plan__plan.failed, 1, __ATOMIC_RELAXED);
	tide__plan__store(&tide__plan__plan.look_ns, 0);
	if (tide__plan__plan.room != NULL)
		tide__plan__store(&tide__plan__plan.room->gate, TIDE_NONE);
}
static int
tide__plan_init(const char *conf)
{
	int r = tide__settings_take(conf);
	if (r < 0)
		return r;
	tide__plan_lock();
	tide__plan__configure();
	tide__plan__plan.limit_ns = 0;
	tide__plan_unlock();
	if (!tide__member_is_in())
		tide__member_begin(tide__plan__plan.host);
	(void)tide__plan_settle(tide__sys_clock(), true);
	return 0;
}
static bool
tide__plan__is_automatic(void)
{
	const char *value = tide__settings_find("RECLAIM_AUTO");
	return value == NULL || strcmp(value, "off") != 0;
}
static bool
tide__plan__is_pressed(int state, uint64_t used, uint64_t budget)
{
	return tide__plan__plan.settled < state || (state >= TIDE_CRITICAL &&
	    budget != TIDE_NONE && (double)used >=
	    tide__plan__plan.states.conf.critical * (double)budget);
}
static void
tide__plan__clean(int state, uint64_t now_ns)
{
	struct tide_reclaim_result result;
	double line = state >= TIDE_CRITICAL ? 0.80 : 0.70;
	uint64_t budget = tide__plan__plan.limit.budget, used = tide__plan__load(&tide__plan__plan.room->used);
	uint64_t want;
	bool may;
	if (state < TIDE_CRITICAL && !tide__cleanup_is_ours(state))
		return;
	tide__plan_lock();
	may = now_ns - tide__plan__plan.cleaned_ns >= TIDE__PLAN__CLEAN_NS ||
	    tide__plan__is_pressed(state, used, budget);
	may = may && tide__states_may_reclaim(&tide__plan__plan.states, now_ns);
	if (may)
		tide__plan__plan.cleaned_ns = now_ns;
	tide__plan_unlock();
	if (!may)
		return;
	want = budget == TIDE_NONE ? 0 :
	    tide__above_u64(used, (uint64_t)(line * (double)budget));
	memset(&result, 0, sizeof(result));
	if (tide__cleanup_run(state, 0, want, &result) != 0)
		return;
	tide__plan_lock();
	tide__states_reclaimed(&tide__plan__plan.states, result.time_ns, now_ns);
	tide__plan__look_now(tide__sys_clock(), true);
	tide__plan_unlock();
}
static void
tide__plan__say_state(int state)
{
	char line[TIDE__MESSAGE_ROOM], tagged[TIDE__MESSAGE_ROOM + 32];
	uint64_t used = tide__plan__load(&tide__plan__plan.room->used);
	if (state >= TIDE_CRITICAL)
		(void)tide__message_high(line, sizeof(line), used,
		    tide__plan__plan.limit.budget);
	else if (state == TIDE_WARNING)
		(void)tide__message_warning(line, sizeof(line), used);
	else
		(void)tide__message_memory(line, sizeof(line), used,
		    tide__plan__plan.limit.budget, state);
	tide__plan_say(tide__message_tagged(tagged, sizeof(tagged), line));
}
static void
tide__plan__heed(void)
{
	int wish = tide__member_wish();
	if (wish & TIDE__SHARES_CLEAN)
		(void)tide__cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
	if (wish & TIDE__SHARES_RECYCLE)
		(void)__atomic_fetch_or(&tide__plan__plan.room->stop,
		    TIDE_STOP_RECYCLE, __ATOMIC_RELAXED);
	tide__member_used(tide__plan__load(&tide__plan__plan.room->used));
}
static int
tide__plan_settle(uint64_t now_ns, bool sampled)
{
	struct tide_room *room;
	int state;
	if (tide__plan__plan.pid != tide__sys_pid())
		tide__plan_in_child();
	room = tide__plan__plan.room;
	tide__plan_lock();
	tide__plan__look_now(now_ns, sampled);
	state = room->state;
	tide__plan_unlock();
	if (state != tide__plan__plan.settled)
		tide__plan__say_state(state);
	if (state >= TIDE_WARNING && tide__plan__is_automatic())
		tide__plan__clean(state, now_ns);
	if (tide__cleanup_is_wanted()) {
		tide__cleanup_wish();
		tide__plan_lock();
		tide__plan__look_now(tide__sys_clock(), true);
		tide__plan_unlock();
	}
	tide__plan__plan.settled = room->state;
	if (tide__member_is_in())
		tide__plan__heed();
	return room->state;
}
static void
tide__plan_refresh(uint64_t now_ns)
{
	if (tide__plan__plan.pid != tide__sys_pid()) {
		tide__plan_in_child();
		return;
	}
	if (!tide__plan__try_lock())
		return;
	tide__plan__look_now(now_ns, true);
	tide__plan_unlock();
}
static int
tide__plan_visit(void)
{
	uint64_t now_ns = tide__sys_clock();
	if (now_ns < tide__plan__load(&tide__plan__plan.look_ns) &&
	    tide__plan__load(&tide__plan__plan.room->used) < tide__plan__load(&tide__plan__plan.look_at) &&
	    tide__plan__plan.pid == tide__sys_pid() && !tide__cleanup_is_wanted())
		return tide__plan__plan.room->state;
	return tide__plan_settle(now_ns, false);
}
static int
tide__plan_budget_set(uint64_t bytes)
{
	tide__plan_lock();
	tide__plan__plan.set_bytes = bytes;
	tide__plan__plan.limit_ns = 0;
	tide__plan_unlock();
	(void)tide__plan_settle(tide__sys_clock(), true);
	return bytes == 0 || tide__plan__plan.room->budget == bytes ? 0 : -ERANGE;
}
/* --- src/plan/ask.c */
static void
tide__ask__fill_info(const struct tide_room *room, tide_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->version = TIDE_ROOM_VERSION;
	info->state = room->state;
	info->level = room->level;
	info->warnings = room->warnings;
	info->flags = (room->soft ? TIDE_INFO_SOFT : 0) |
	    (room->live != TIDE_NONE ? TIDE_INFO_EXACT : 0) |
	    (room->stop != 0 ? TIDE_INFO_STOP : 0);
	info->budget = room->budget;
	info->used = room->used;
	info->available = room->available;
	info->live = tide__plan_live();
	info->blocks = room->blocks;
	info->resident = room->resident;
	info->retained = room->retained;
	info->peak_live = room->peak_live;
	info->peak_used = room->peak_used;
	info->lease = room->lease;
	info->rate = room->rate;
	memcpy(info->source, room->source, sizeof(info->source));
}
static void
tide__ask__read_info(tide_info *info)
{
	tide__plan_lock();
	tide__ask__fill_info(tide__plan_room(), info);
	tide__plan_unlock();
}
static int
tide__plan_status(tide_info *out)
{
	if (out == NULL)
		return -EINVAL;
	(void)tide__plan_settle(tide__sys_clock(), false);
	tide__ask__read_info(out);
	return 0;
}
static int
tide__plan_poll(unsigned flags)
{
	if (flags & ~(unsigned)(TIDE_FORCE_RECLAIM | TIDE_EMERGENCY |
	    TIDE_NO_CALLBACKS | TIDE_NO_PURGE))
		return -EINVAL;
	(void)tide__plan_settle(tide__sys_clock(), true);
	if (flags & (TIDE_FORCE_RECLAIM | TIDE_EMERGENCY)) {
		(void)tide__cleanup_run(flags & TIDE_EMERGENCY ? TIDE_EXHAUSTED :
		    TIDE_CRITICAL, flags, 0, NULL);
		(void)tide__plan_settle(tide__sys_clock(), true);
	}
	return tide__plan_room()->state;
}
static int
tide__plan_safe(uint64_t need, uint64_t max_used, tide_info *out)
{
	tide_info info;
	uint64_t line;
	(void)tide__plan_settle(tide__sys_clock(), true);
	tide__ask__read_info(&info);
	if (out != NULL)
		*out = info;
	if (max_used != 0 && (info.used > max_used ||
	    need > max_used - info.used))
		return 0;
	if (info.budget == TIDE_NONE)
		return 1;
	line = info.budget / 1000 * tide__plan_room()->critical_mille +
	    info.budget % 1000 * tide__plan_room()->critical_mille / 1000;
	return need <= tide__above_u64(line, info.used) && need <= info.available;
}
static int
tide__plan_reclaim(unsigned flags, uint64_t want, tide_reclaim_result *out)
{
	tide_reclaim_result result;
	int r;
	(void)tide__plan_visit();
	r = tide__cleanup_run(flags & TIDE_EMERGENCY ? TIDE_EXHAUSTED :
	    TIDE_CRITICAL, flags | TIDE_FORCE_RECLAIM, want, &result);
	if (r < 0)
		return r;
	result.state = (uint32_t)tide__plan_settle(tide__sys_clock(), true);
	if (out != NULL)
		*out = result;
	return 0;
}
static double
tide__plan_knob(const char *name, double best, double cheapest)
{
	const struct tide_room *room = tide__plan_room();
	(void)name;
	if (tide__plan_visit() >= TIDE_CRITICAL)
		return tide__knob_value(best, cheapest, 1);
	if (room->budget == TIDE_NONE || room->budget == 0)
		return best;
	return tide__knob_value(best, cheapest, tide__knob_pressure((double)room->used /
	    (double)room->budget, room->warn_mille / 1000.0,
	    room->critical_mille / 1000.0));
}
static void
tide__ask__put_gigabytes(struct tide__text *t, const char *name, uint64_t bytes)
{
	uint64_t hundredths = bytes / (TIDE__GIB / 100);
	tide__text_put(t, ",\"");
	tide__text_put(t, name);
	tide__text_put(t, "\":");
	tide__text_put_u64(t, hundredths / 100);
	tide__text_put(t, hundredths % 100 < 10 ? ".0" : ".");
	tide__text_put_u64(t, hundredths % 100);
}
static void
tide__ask__put_bytes(struct tide__text *t, const char *name, uint64_t bytes)
{
	tide__text_put(t, ",\"");
	tide__text_put(t, name);
	tide__text_put(t, "\":");
	if (bytes == TIDE_NONE)
		tide__text_put(t, "null");
	else
		tide__text_put_u64(t, bytes);
}
static int
tide__plan_json(char *buf, size_t cap)
{
	static const char *const states[4] = { "ok", "warning", "critical",
		"exhausted" };
	static const char *const levels[3] = { "standalone", "page",
		"runtime" };
	tide_info info;
	struct tide__text t;
	char line[1024];
	if (buf == NULL && cap != 0)
		return -EINVAL;
	(void)tide__plan_settle(tide__sys_clock(), false);
	tide__ask__read_info(&info);
	tide__text_open(&t, line, sizeof(line));
	tide__text_put(&t, "{\"status\":\"");
	tide__text_put(&t, states[info.state & 3]);
	tide__text_put(&t, "\"");
	tide__ask__put_gigabytes(&t, "memory_usage_gb", info.used);
	tide__ask__put_gigabytes(&t, "peak_memory_gb", info.peak_used);
	tide__ask__put_bytes(&t, "memory_warnings", info.warnings);
	tide__ask__put_bytes(&t, "memory_usage", info.used);
	tide__ask__put_bytes(&t, "peak_memory", info.peak_used);
	tide__ask__put_bytes(&t, "budget", info.budget);
	tide__ask__put_bytes(&t, "available", info.available);
	tide__ask__put_bytes(&t, "live", info.live);
	tide__ask__put_bytes(&t, "resident", info.resident);
	tide__text_put(&t, ",\"source\":\"");
	tide__text_put(&t, info.source);
	tide__text_put(&t, "\",\"level\":\"");
	tide__text_put(&t, info.level >= 0 && info.level < 3 ? levels[info.level] :
	    "");
	tide__text_put(&t, "\"}");
	if (cap > 0) {
		size_t n = tide__min_u64(t.used, cap - 1);
		memcpy(buf, line, n);
		buf[n] = '\0';
	}
	return (int)t.used;
}
/* --- src/plan/pressure.c */
#ifndef TIDE__PRESSURE__MADV_DONTNEED
#define TIDE__PRESSURE__MADV_DONTNEED 4
#endif
TIDE__SHARED struct tide__pressure__pressure_state {
	uint64_t ends;
	int32_t pid;
	dev_t device;
	ino_t inode;
} tide__pressure__pressure;
static int
tide__pressure__read_end(uint64_t ends)
{
	return (int)(ends >> 32) - 1;
}
static int
tide__pressure__write_end(uint64_t ends)
{
	return (int)(ends & UINT32_MAX) - 1;
}
static bool
tide__pressure__is_the_pipe(int fd)
{
	struct stat st;
	return tide__sys_fstat(fd, &st) == 0 && st.st_dev == tide__pressure__pressure.device &&
	    st.st_ino == tide__pressure__pressure.inode;
}
static bool
tide__pressure__is_whole(uint64_t ends)
{
	return ends != 0 && tide__pressure__pressure.pid == tide__sys_pid() &&
	    tide__pressure__is_the_pipe(tide__pressure__read_end(ends)) && tide__pressure__is_the_pipe(tide__pressure__write_end(ends));
}
static void
tide__pressure__leave(uint64_t ends)
{
	__atomic_store_n(&tide__pressure__pressure.ends, 0, __ATOMIC_RELEASE);
	if (ends != 0 && tide__pressure__is_the_pipe(tide__pressure__write_end(ends)))
		(void)tide__sys_close(tide__pressure__write_end(ends));
}
static int
tide__pressure__make(void)
{
	struct stat st;
	int fd[2], r;
	r = tide__sys_pipe(fd);
	if (r < 0)
		return r;
	r = tide__sys_fstat(fd[0], &st);
	if (r < 0) {
		(void)tide__sys_close(fd[0]);
		(void)tide__sys_close(fd[1]);
		return r;
	}
	tide__pressure__pressure.pid = tide__sys_pid();
	tide__pressure__pressure.device = st.st_dev;
	tide__pressure__pressure.inode = st.st_ino;
	__atomic_store_n(&tide__pressure__pressure.ends, ((uint64_t)fd[0] + 1) << 32 |
	    ((uint64_t)fd[1] + 1), __ATOMIC_RELEASE);
	return fd[0];
}
static int
tide__pressure_fd(void)
{
	int error = errno;
	uint64_t ends;
	int fd;
	tide__plan_lock();
	ends = __atomic_load_n(&tide__pressure__pressure.ends, __ATOMIC_ACQUIRE);
	if (tide__pressure__is_whole(ends)) {
		fd = tide__pressure__read_end(ends);
	} else {
		tide__pressure__leave(ends);
		fd = tide__pressure__make();
	}
	tide__plan_unlock();
	errno = error;
	return fd;
}
static void
tide__pressure_notify(int state)
{
	uint64_t ends = __atomic_load_n(&tide__pressure__pressure.ends, __ATOMIC_ACQUIRE);
	unsigned char byte = (unsigned char)state;
	if (ends == 0 || tide__pressure__pressure.pid != tide__sys_pid() ||
	    !tide__pressure__is_the_pipe(tide__pressure__write_end(ends)))
		return;
	(void)tide__sys_write(tide__pressure__write_end(ends), &byte, 1);
}
static int64_t
tide__release_pages(void *p, size_t bytes)
{
	uintptr_t page = tide__sys_page_bytes();
	uintptr_t start = (uintptr_t)p;
	uintptr_t end = start + bytes;
	int r;
	if (bytes == 0)
		return 0;
	if (p == NULL || end < start || start > UINTPTR_MAX - page)
		return -EINVAL;
	start = (start + page - 1) & ~(page - 1);
	end &= ~(page - 1);
	if (end <= start)
		return 0;
	r = tide__sys_madvise((void *)start, end - start, TIDE__PRESSURE__MADV_DONTNEED);
	return r < 0 ? r : (int64_t)(end - start);
}
/* --- src/plan/refault.c */
#ifndef TIDE__REFAULT__MAP_ANONYMOUS
#define TIDE__REFAULT__MAP_ANONYMOUS 0x20
#endif
#define TIDE__REFAULT__TRIAL_PAGES 64
TIDE__SHARED struct tide__refault__refault_state {
	struct tide__refault sum;
	uint64_t faults;
	bool due;
	double fault_ns;
} tide__refault__refault;
static double
tide__refault__measure(void)
{
	size_t page = tide__sys_page_bytes(), bytes = TIDE__REFAULT__TRIAL_PAGES * page, i;
	char *trial = (char *)tide__sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | TIDE__REFAULT__MAP_ANONYMOUS, -1, 0);
	uint64_t before, after;
	if (tide__sys_error_of(trial) < 0)
		return -1;
	before = tide__sys_clock();
	for (i = 0; i < bytes; i += page)
		((volatile char *)trial)[i] = 1;
	after = tide__sys_clock();
	(void)tide__sys_munmap(trial, bytes);
	return after > before ? (double)(after - before) / TIDE__REFAULT__TRIAL_PAGES : 1;
}
static void
tide__refault_note(const struct tide__refault *r, uint64_t faults)
{
	tide__plan_lock();
	tide__refault__refault.sum.freed += r->freed;
	tide__refault__refault.sum.returned += r->returned;
	tide__refault__refault.sum.purged += r->purged;
	tide__refault__refault.sum.time_ns += r->time_ns;
	tide__refault__refault.faults = faults;
	tide__refault__refault.due = true;
	tide__plan_unlock();
}
static bool
tide__refault_is_due(void)
{
	return __atomic_load_n(&tide__refault__refault.due, __ATOMIC_RELAXED);
}
static void
tide__refault_take(struct tide__refault *bill, uint64_t faults)
{
	double fault_ns = tide__refault__refault.fault_ns;
	if (!(fault_ns > 0 || fault_ns < 0))
		fault_ns = tide__refault__measure();
	tide__plan_lock();
	tide__refault__refault.fault_ns = fault_ns;
	*bill = tide__refault__refault.sum;
	bill->pages = tide__min_u64(bill->returned / tide__sys_page_bytes(),
	    tide__above_u64(faults, tide__refault__refault.faults));
	bill->cost_ns = fault_ns > 0 ?
	    (uint64_t)((double)bill->pages * fault_ns) : 0;
	memset(&tide__refault__refault.sum, 0, sizeof(tide__refault__refault.sum));
	__atomic_store_n(&tide__refault__refault.due, false, __ATOMIC_RELAXED);
	tide__plan_unlock();
}
static void
tide__refault_in_child(void)
{
	memset(&tide__refault__refault.sum, 0, sizeof(tide__refault__refault.sum));
	tide__refault__refault.due = false;
}
/* --- src/plan/cleanup-list.c */
#define TIDE__CLEANUP_LIST__BACK_OFF_MOST  64
#define TIDE__CLEANUP_LIST__DROP_WAIT_NS   TIDE__NS_PER_S
struct tide__cleanup_list__cleanup_entry {
	int id;
	int cls, prio;
	unsigned flags;
	struct tide__cleanup_thread thread;
	tide_clean_fn fn;
	void *ctx;
	uint32_t inside;
	uint32_t seen;
	uint32_t wish;
	bool dropped;
	struct tide__cleanup_rest rest;
	uint64_t calls;
	double bytes, ns;
	char name[TIDE_NAME_ROOM];
};
TIDE__SHARED struct tide__cleanup_list__list_state {
	struct tide__cleanup_list__cleanup_entry entry[TIDE__CLEANUPS_MOST];
	int last_id;
	uint32_t last_number;
	uint32_t number;
	struct tide__cleanup_thread thread;
	const struct tide__cleanup_turn *turn;
	uint64_t since_ns;
} tide__cleanup_list__list;
static struct tide__cleanup_thread
tide__cleanup_list__this_thread(void)
{
	struct tide__cleanup_thread t;
	t.tid = tide__sys_tid();
	t.self = &errno;
	return t;
}
static bool
tide__cleanup_list__is_same(struct tide__cleanup_thread a, struct tide__cleanup_thread b)
{
	return a.self == b.self && (a.tid == b.tid || a.tid < 0 || b.tid < 0);
}
static bool
tide__cleanup_list__has_ended(struct tide__cleanup_thread t)
{
	return t.tid == 0 || (t.tid > 0 && tide__sys_thread_exists(t.tid) == -ESRCH);
}
static bool
tide__cleanup_rests(struct tide__cleanup_rest *r, bool forced)
{
	if (r->skip == 0)
		return false;
	r->skip--;
	return !forced;
}
static void
tide__cleanup_rest(struct tide__cleanup_rest *r, bool little)
{
	if (!little)
		r->back_off = 0;
	else if (r->back_off < TIDE__CLEANUP_LIST__BACK_OFF_MOST)
		r->back_off = r->back_off == 0 ? 1 : 2 * r->back_off;
	r->skip = r->back_off;
}
static uint64_t
tide__cleanup_list__mark_of(const struct tide__cleanup_turn *t, uint32_t number)
{
	return tide__mix_u64((uintptr_t)t + number);
}
static bool
tide__cleanup_list__is_over(const struct tide__cleanup_turn *mine, uint64_t now_ns)
{
	uintptr_t frame = (uintptr_t)tide__cleanup_list__list.turn;
	if (tide__above_u64(now_ns, tide__cleanup_list__list.since_ns) >= TIDE__CLEANUP_PATIENCE_NS)
		return true;
	if (!tide__cleanup_list__is_same(tide__cleanup_list__list.thread, mine->thread))
		return tide__cleanup_list__has_ended(tide__cleanup_list__list.thread);
	if (frame <= (uintptr_t)mine)
		return true;
	return tide__sys_is_readable(tide__cleanup_list__list.turn) &&
	    __atomic_load_n(&tide__cleanup_list__list.turn->mark, __ATOMIC_RELAXED) !=
	    tide__cleanup_list__mark_of(tide__cleanup_list__list.turn, tide__cleanup_list__list.number);
}
static void
tide__cleanup_list__say_lost(const char *name)
{
	char line[TIDE__MESSAGE_ROOM];
	struct tide__text t;
	tide__text_open(&t, line, sizeof(line));
	tide__text_put(&t, "Cleanup '");
	tide__text_put(&t, name);
	tide__text_put(&t, "' did not return; going on without it");
	tide__plan_say(line);
}
static void
tide__cleanup_list__give_up(char name[TIDE_NAME_ROOM])
{
	struct tide__cleanup_list__cleanup_entry *e = tide__cleanup_list__list.entry;
	for (; e < tide__cleanup_list__list.entry + TIDE__CLEANUPS_MOST; e++) {
		if (e->inside == 0)
			continue;
		memcpy(name, e->name, TIDE_NAME_ROOM);
		e->inside = 0;
		e->calls++;
		e->ns += 1;
		tide__cleanup_rest(&e->rest, true);
		if (e->dropped)
			e->id = 0;
	}
	tide__cleanup_list__list.number = 0;
}
static int
tide__cleanup_list_enter(struct tide__cleanup_turn *t)
{
	char lost[TIDE_NAME_ROOM] = "";
	uint64_t now_ns = tide__sys_clock();
	bool busy;
	t->thread = tide__cleanup_list__this_thread();
	tide__plan_lock();
	if (tide__cleanup_list__list.number != 0 && tide__cleanup_list__is_over(t, now_ns))
		tide__cleanup_list__give_up(lost);
	busy = tide__cleanup_list__list.number != 0;
	if (!busy) {
		if (++tide__cleanup_list__list.last_number == 0)
			tide__cleanup_list__list.last_number = 1;
		t->number = tide__cleanup_list__list.last_number;
		__atomic_store_n(&t->mark, tide__cleanup_list__mark_of(t, t->number),
		    __ATOMIC_RELAXED);
		tide__cleanup_list__list.number = t->number;
		tide__cleanup_list__list.thread = t->thread;
		tide__cleanup_list__list.turn = t;
		tide__cleanup_list__list.since_ns = now_ns;
	}
	tide__plan_unlock();
	if (lost[0] != '\0')
		tide__cleanup_list__say_lost(lost);
	return busy ? -EBUSY : 0;
}
static bool
tide__cleanup_list__is_at_it(const struct tide__cleanup_turn *t)
{
	return tide__cleanup_list__list.number == t->number;
}
static void
tide__cleanup_list_leave(struct tide__cleanup_turn *t)
{
	tide__plan_lock();
	if (tide__cleanup_list__is_at_it(t))
		tide__cleanup_list__list.number = 0;
	tide__plan_unlock();
	__atomic_store_n(&t->mark, 0, __ATOMIC_RELAXED);
}
static bool
tide__cleanup_list__is_before(const struct tide__cleanup_list__cleanup_entry *a, const struct tide__cleanup_list__cleanup_entry *b)
{
	double left = a->bytes * b->ns, right = b->bytes * a->ns;
	if (a->cls != b->cls)
		return a->cls < b->cls;
	if ((a->calls == 0) != (b->calls == 0))
		return a->calls == 0;
	if (a->calls != 0 && left != right)
		return left > right;
	return a->prio != b->prio ? a->prio > b->prio : a->id < b->id;
}
static bool
tide__cleanup_list__is_asked(const struct tide__cleanup_list__cleanup_entry *e, int cls_most, uint32_t wish)
{
	return e->id != 0 && !e->dropped && e->cls <= cls_most &&
	    (wish == 0 || e->wish != wish);
}
static bool
tide__cleanup_list__is_callable(const struct tide__cleanup_list__cleanup_entry *e, struct tide__cleanup_thread t)
{
	return (e->flags & TIDE_ANY_THREAD) != 0 || tide__cleanup_list__is_same(e->thread, t);
}
static int
tide__cleanup_list_whose(int cls_most, uint32_t wish)
{
	struct tide__cleanup_thread me = tide__cleanup_list__this_thread();
	const struct tide__cleanup_list__cleanup_entry *e = tide__cleanup_list__list.entry;
	int whose = 0;
	tide__plan_lock();
	for (; e < tide__cleanup_list__list.entry + TIDE__CLEANUPS_MOST; e++) {
		if (!tide__cleanup_list__is_asked(e, cls_most, wish))
			continue;
		if (tide__cleanup_list__is_callable(e, me))
			whose |= TIDE__CLEANUP_MINE;
		else if ((whose & TIDE__CLEANUP_OTHERS) == 0 &&
		    !tide__cleanup_list__has_ended(e->thread))
			whose |= TIDE__CLEANUP_OTHERS;
	}
	tide__plan_unlock();
	return whose;
}
static bool
tide__cleanup_list__is_for(const struct tide__cleanup_turn *t, const struct tide__cleanup_list__cleanup_entry *e)
{
	return tide__cleanup_list__is_asked(e, t->cls_most, t->wish) && e->inside == 0 &&
	    e->seen != t->number && tide__cleanup_list__is_callable(e, t->thread);
}
static struct tide__cleanup_list__cleanup_entry *
tide__cleanup_list__choose(const struct tide__cleanup_turn *t)
{
	struct tide__cleanup_list__cleanup_entry *best = NULL, *e = tide__cleanup_list__list.entry;
	for (; e < tide__cleanup_list__list.entry + TIDE__CLEANUPS_MOST; e++) {
		if (!tide__cleanup_list__is_for(t, e))
			continue;
		if (tide__cleanup_rests(&e->rest, t->forced))
			e->seen = t->number;
		else if (best == NULL || tide__cleanup_list__is_before(e, best))
			best = e;
	}
	return best;
}
static int
tide__cleanup_list_next(const struct tide__cleanup_turn *t, struct tide__cleanup_call *call)
{
	struct tide__cleanup_list__cleanup_entry *e;
	bool goes_on;
	tide__plan_lock();
	goes_on = tide__cleanup_list__is_at_it(t);
	e = goes_on ? tide__cleanup_list__choose(t) : NULL;
	if (e != NULL) {
		e->seen = e->inside = t->number;
		e->wish = t->wish;
		call->fn = e->fn;
		call->ctx = e->ctx;
		call->id = e->id;
		call->row = (int)(e - tide__cleanup_list__list.entry);
		tide__cleanup_list__list.since_ns = tide__sys_clock();
	}
	tide__plan_unlock();
	return e != NULL ? 1 : goes_on ? 0 : -EBUSY;
}
static bool
tide__cleanup_list_returned(const struct tide__cleanup_turn *t,
    const struct tide__cleanup_call *call, uint64_t gain, uint64_t ns, bool little)
{
	struct tide__cleanup_list__cleanup_entry *e = &tide__cleanup_list__list.entry[call->row];
	bool goes_on;
	tide__plan_lock();
	goes_on = tide__cleanup_list__is_at_it(t);
	if (goes_on)
		tide__cleanup_list__list.since_ns = tide__sys_clock();
	if (e->id == call->id && e->inside == t->number) {
		e->inside = 0;
		e->calls++;
		e->bytes = e->bytes / 2 + (double)gain;
		e->ns = e->ns / 2 + (double)tide__max_u64(ns, 1);
		tide__cleanup_rest(&e->rest, little);
		if (e->dropped)
			e->id = 0;
	}
	tide__plan_unlock();
	return goes_on;
}
static struct tide__cleanup_list__cleanup_entry *
tide__cleanup_list__find(int id)
{
	struct tide__cleanup_list__cleanup_entry *e = tide__cleanup_list__list.entry;
	while (e < tide__cleanup_list__list.entry + TIDE__CLEANUPS_MOST && e->id != id)
		e++;
	return e < tide__cleanup_list__list.entry + TIDE__CLEANUPS_MOST ? e : NULL;
}
static struct tide__cleanup_list__cleanup_entry *
tide__cleanup_list__find_row(void)
{
	struct tide__cleanup_list__cleanup_entry *e = tide__cleanup_list__find(0);
	if (e != NULL)
		return e;
	for (e = tide__cleanup_list__list.entry; e < tide__cleanup_list__list.entry + TIDE__CLEANUPS_MOST; e++)
		if (e->inside == 0 && (e->flags & TIDE_ANY_THREAD) == 0 &&
		    tide__cleanup_list__has_ended(e->thread))
			return e;
	return NULL;
}
static int
tide__cleanup_list__next_id(void)
{
	do
		tide__cleanup_list__list.last_id = tide__cleanup_list__list.last_id < INT32_MAX ?
		    tide__cleanup_list__list.last_id + 1 : 1;
	while (tide__cleanup_list__find(tide__cleanup_list__list.last_id) != NULL);
	return tide__cleanup_list__list.last_id;
}
static int
tide__cleanup_add(tide_clean_fn fn, void *ctx, int cls, int prio, unsigned flags,
    const char *name)
{
	struct tide__cleanup_list__cleanup_entry *e;
	size_t length = name != NULL ? strlen(name) : 0;
	struct tide__cleanup_thread thread = tide__cleanup_list__this_thread();
	int id = -ENOSPC;
	if (fn == NULL || cls < TIDE_CLEAN_COMPACT ||
	    cls > TIDE_CLEAN_DESTRUCTIVE ||
	    (flags & ~(unsigned)TIDE_ANY_THREAD) != 0)
		return -EINVAL;
	tide__plan_lock();
	e = tide__cleanup_list__find_row();
	if (e != NULL) {
		id = tide__cleanup_list__next_id();
		memset(e, 0, sizeof(*e));
		e->fn = fn;
		e->ctx = ctx;
		e->cls = cls;
		e->prio = prio;
		e->flags = flags;
		e->thread = thread;
		e->seen = tide__cleanup_list__list.number;
		if (length > 0)
			memcpy(e->name, name, tide__min_u64(length,
			    sizeof(e->name) - 1));
		e->id = id;
	}
	tide__plan_unlock();
	return id;
}
static bool
tide__cleanup_list__is_held(struct tide__cleanup_list__cleanup_entry *e, struct tide__cleanup_thread me)
{
	e->dropped = true;
	if (e->inside != 0 && e->inside == tide__cleanup_list__list.number &&
	    !tide__cleanup_list__is_same(tide__cleanup_list__list.thread, me) && !tide__cleanup_list__has_ended(tide__cleanup_list__list.thread))
		return true;
	e->id = 0;
	return false;
}
static int
tide__cleanup_drop(int id)
{
	struct tide__cleanup_list__cleanup_entry *e;
	struct tide__cleanup_thread me = tide__cleanup_list__this_thread();
	uint64_t since_ns = 0, now_ns = 0;
	bool held, first = true;
	do {
		if (!first)
			tide__sys_yield();
		tide__plan_lock();
		e = id > 0 ? tide__cleanup_list__find(id) : NULL;
		if (e == NULL || (first && e->dropped)) {
			tide__plan_unlock();
			return first ? -ENOENT : 0;
		}
		held = tide__cleanup_list__is_held(e, me);
		tide__plan_unlock();
		now_ns = held ? tide__sys_clock() : 0;
		if (first)
			since_ns = now_ns;
		first = false;
	} while (held && now_ns - since_ns < TIDE__CLEANUP_LIST__DROP_WAIT_NS);
	return held ? -EBUSY : 0;
}
static void
tide__cleanup_list_in_child(void)
{
	struct tide__cleanup_list__cleanup_entry *e = tide__cleanup_list__list.entry;
	int tid = tide__sys_tid();
	for (; e < tide__cleanup_list__list.entry + TIDE__CLEANUPS_MOST; e++) {
		if (e->id == 0)
			continue;
		e->thread.tid = e->thread.self == &errno ? tid : 0;
		e->inside = 0;
		e->wish = 0;
		if (e->dropped)
			e->id = 0;
	}
	tide__cleanup_list__list.number = 0;
}
/* --- src/plan/cleanup.c */
#define TIDE__CLEANUP__LITTLE_PART    100
#define TIDE__CLEANUP__RETAINED_PART  10
#define TIDE__CLEANUP__WARN_MILLE     750
struct tide__cleanup__cleanup_look {
	struct tide__host_heap heap;
	struct tide__host_memory memory;
	bool counts;
	bool sees;
	uint64_t at_ns;
};
struct tide__cleanup__cleanup_pass {
	struct tide__cleanup_turn turn;
	int level;
	bool said;
	bool lost;
	bool purged;
	uint64_t by_purge;
	uint64_t want, gained;
	struct tide__cleanup__cleanup_look first, last;
	tide_reclaim_result sum;
};
TIDE__SHARED struct tide__cleanup__cleanup_state {
	struct tide__cleanup_rest purge;
	uint32_t wish;
	int wish_level;
} tide__cleanup__cleanup;
static void
tide__cleanup__look(struct tide__cleanup__cleanup_look *l)
{
	const struct tide__plan_host *host = tide__plan_host();
	memset(l, 0, sizeof(*l));
	l->counts = host != NULL && host->heap != NULL &&
	    host->heap(&l->heap);
	l->sees = host != NULL && host->memory(&l->memory) == 0;
	l->at_ns = tide__sys_clock();
}
static uint64_t
tide__cleanup__fallen(int64_t by)
{
	return by > 0 ? (uint64_t)by : 0;
}
static uint64_t
tide__cleanup__freed_between(const struct tide__cleanup__cleanup_look *a, const struct tide__cleanup__cleanup_look *b,
    uint64_t said)
{
	uint64_t mine;
	if (!a->counts || !b->counts)
		return a->sees ? tide__min_u64(said, a->memory.used) : said;
	mine = tide__cleanup__fallen(a->heap.thread - b->heap.thread);
	return mine > 0 ? mine : tide__above_u64(a->heap.bytes, b->heap.bytes);
}
static uint64_t
tide__cleanup__returned_between(const struct tide__cleanup__cleanup_look *a, const struct tide__cleanup__cleanup_look *b)
{
	return a->sees && b->sees ?
	    tide__above_u64(a->memory.resident, b->memory.resident) : 0;
}
static bool
tide__cleanup__is_little(const struct tide__cleanup__cleanup_pass *p, uint64_t gain)
{
	return p->want == TIDE_NONE ? gain < tide__sys_page_bytes() :
	    gain < p->want / TIDE__CLEANUP__LITTLE_PART;
}
static void
tide__cleanup__begin_to_say(struct tide__cleanup__cleanup_pass *p)
{
	char line[TIDE__MESSAGE_ROOM];
	if (!p->said && p->level >= TIDE_CRITICAL)
		tide__plan_say(tide__message_forcing(line, sizeof(line)));
	p->said = true;
}
static bool
tide__cleanup__call_next(struct tide__cleanup__cleanup_pass *p)
{
	struct tide__cleanup__cleanup_look before;
	struct tide__cleanup_call call;
	uint64_t want = p->want == TIDE_NONE ? TIDE_NONE : p->want - p->gained;
	uint64_t said, freed, gain, since_ns;
	int r = tide__cleanup_list_next(&p->turn, &call);
	p->lost = r < 0;
	if (r <= 0)
		return false;
	tide__cleanup__begin_to_say(p);
	before = p->last;
	since_ns = tide__sys_clock();
	said = call.fn(call.ctx, p->level, want);
	tide__cleanup__look(&p->last);
	freed = tide__cleanup__freed_between(&before, &p->last, said);
	gain = tide__max_u64(freed, tide__cleanup__returned_between(&before, &p->last));
	p->sum.freed += freed;
	p->sum.callbacks++;
	p->gained += gain;
	p->lost = !tide__cleanup_list_returned(&p->turn, &call, gain,
	    p->last.at_ns - since_ns, tide__cleanup__is_little(p, gain));
	return !p->lost;
}
static bool
tide__cleanup__purge_pays(const struct tide__cleanup__cleanup_pass *p)
{
	const struct tide_room *room = tide__plan_room();
	uint64_t used, budget, warn;
	if (room == NULL || !p->last.sees || !p->last.counts)
		return false;
	budget = __atomic_load_n(&room->budget, __ATOMIC_RELAXED);
	used = tide__max_u64(__atomic_load_n(&room->used, __ATOMIC_RELAXED),
	    p->last.memory.used);
	warn = room->warn_mille != 0 ? room->warn_mille : TIDE__CLEANUP__WARN_MILLE;
	return budget != TIDE_NONE &&
	    tide__above_u64(p->last.memory.used, p->last.heap.bytes) >
	    budget / TIDE__CLEANUP__RETAINED_PART && used > budget / 1000 * warn;
}
static void
tide__cleanup__let_rest(bool little)
{
	tide__plan_lock();
	tide__cleanup_rest(&tide__cleanup__cleanup.purge, little);
	tide__plan_unlock();
}
static void
tide__cleanup__purge(struct tide__cleanup__cleanup_pass *p)
{
	const struct tide__plan_host *host = tide__plan_host();
	struct tide__cleanup__cleanup_look before = p->last;
	bool rested;
	if (host == NULL || host->purge == NULL ||
	    (!p->turn.forced && !tide__cleanup__purge_pays(p)))
		return;
	tide__plan_lock();
	rested = tide__cleanup_rests(&tide__cleanup__cleanup.purge, p->turn.forced);
	tide__plan_unlock();
	if (rested)
		return;
	tide__cleanup__begin_to_say(p);
	if (!host->purge())
		return;
	p->purged = true;
	tide__cleanup__look(&p->last);
	p->by_purge = tide__cleanup__returned_between(&before, &p->last);
	if (tide__cleanup__is_little(p, p->by_purge))
		tide__cleanup__let_rest(true);
}
static void
tide__cleanup__add(uint64_t *to, uint64_t n)
{
	__atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}
static void
tide__cleanup__settle(struct tide__cleanup__cleanup_pass *p)
{
	struct tide_room *room = tide__plan_room();
	struct tide__refault bill;
	char line[TIDE__MESSAGE_ROOM];
	p->sum.returned = tide__cleanup__returned_between(&p->first, &p->last);
	p->sum.time_ns = p->last.at_ns - p->first.at_ns;
	if (p->first.counts && p->last.counts)
		p->sum.blocks = tide__above_u64(p->first.heap.blocks,
		    p->last.heap.blocks);
	if (p->sum.callbacks == 0 && !p->purged)
		return;
	if (p->last.sees) {
		memset(&bill, 0, sizeof(bill));
		bill.freed = p->sum.freed;
		bill.returned = p->sum.returned;
		bill.purged = p->by_purge;
		bill.time_ns = p->sum.time_ns;
		tide__refault_note(&bill, p->last.memory.faults);
	}
	if (room != NULL) {
		tide__cleanup__add(&room->cleanups, 1);
		tide__cleanup__add(&room->cleanup_bytes, p->sum.freed);
		tide__cleanup__add(&room->cleanup_returned, p->sum.returned);
		tide__cleanup__add(&room->cleanup_ns, p->sum.time_ns);
	}
	if (p->level >= TIDE_CRITICAL || p->sum.freed > 0)
		tide__plan_say(tide__message_cleanup(line, sizeof(line), p->sum.blocks,
		    p->sum.freed, p->last.sees ? p->last.memory.used :
		    p->last.heap.bytes));
}
static void
tide__cleanup__run(struct tide__cleanup__cleanup_pass *p, unsigned flags)
{
	bool more = (flags & TIDE_NO_CALLBACKS) == 0;
	tide__cleanup__look(&p->first);
	p->last = p->first;
	while (more && p->gained < p->want)
		more = tide__cleanup__call_next(p);
	if (!p->lost && (flags & TIDE_NO_PURGE) == 0)
		tide__cleanup__purge(p);
	tide__cleanup__settle(p);
}
static const int tide__cleanup__cls_most[] = { -1, TIDE_CLEAN_COMPACT, TIDE_CLEAN_IDLE,
	TIDE_CLEAN_DESTRUCTIVE };
static void
tide__cleanup__set_level(struct tide__cleanup__cleanup_pass *p, int level, unsigned flags)
{
	p->turn.forced = (flags & (TIDE_FORCE_RECLAIM | TIDE_EMERGENCY)) != 0;
	if (p->turn.forced && level == TIDE_OK)
		level = TIDE_CRITICAL;
	if ((flags & TIDE_EMERGENCY) != 0)
		level = TIDE_EXHAUSTED;
	p->level = level;
	p->turn.cls_most = tide__cleanup__cls_most[level];
}
static int
tide__cleanup__run_for(uint32_t wish, int level, unsigned flags, uint64_t want,
    tide_reclaim_result *out)
{
	const struct tide_room *room = tide__plan_room();
	struct tide__cleanup__cleanup_pass p;
	int error = errno;
	int r;
	memset(&p, 0, sizeof(p));
	p.want = want == 0 ? TIDE_NONE : want;
	p.turn.wish = wish;
	tide__cleanup__set_level(&p, level, flags);
	r = tide__cleanup_list_enter(&p.turn);
	if (r == 0) {
		tide__cleanup__run(&p, flags);
		tide__cleanup_list_leave(&p.turn);
		*out = p.sum;
		out->state = room == NULL ? 0 : (uint32_t)__atomic_load_n(
		    &room->state, __ATOMIC_RELAXED);
	}
	errno = error;
	return r;
}
static int
tide__cleanup_run(int level, unsigned flags, uint64_t want,
    tide_reclaim_result *out)
{
	const unsigned known = TIDE_FORCE_RECLAIM | TIDE_EMERGENCY |
	    TIDE_NO_CALLBACKS | TIDE_NO_PURGE;
	tide_reclaim_result sum;
	int r = -EINVAL;
	memset(&sum, 0, sizeof(sum));
	if (level >= TIDE_OK && level <= TIDE_EXHAUSTED &&
	    (flags & ~known) == 0)
		r = tide__cleanup__run_for(0, level, flags, want, &sum);
	if (out != NULL)
		*out = sum;
	return r;
}
static bool
tide__cleanup_is_ours(int level)
{
	int whose = tide__cleanup_list_whose(tide__cleanup__cls_most[level & 3], 0);
	return (whose & TIDE__CLEANUP_MINE) != 0 || whose == 0;
}
static uint32_t
tide__cleanup__load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static int
tide__cleanup__wish_whose(void)
{
	return tide__cleanup_list_whose(tide__cleanup__cls_most[tide__cleanup__cleanup.wish_level],
	    tide__cleanup__cleanup.wish);
}
static bool
tide__cleanup_is_wanted(void)
{
	const struct tide_room *room = tide__plan_room();
	uint32_t wanted;
	int whose;
	if (room == NULL)
		return false;
	wanted = tide__cleanup__load(&room->cleanups_wanted);
	if (wanted == tide__cleanup__load(&room->cleanups_done))
		return false;
	if (wanted != tide__cleanup__load(&tide__cleanup__cleanup.wish))
		return true;
	whose = tide__cleanup__wish_whose();
	return (whose & TIDE__CLEANUP_MINE) != 0 || whose == 0;
}
static void
tide__cleanup__begin_wish(struct tide_room *room, uint32_t wanted)
{
	uint32_t level = tide__cleanup__load(&room->cleanup_level);
	tide__cleanup__cleanup.wish_level = level != 0 && level <= TIDE_EXHAUSTED ?
	    (int)level : room->state > TIDE_CRITICAL ? TIDE_EXHAUSTED :
	    TIDE_CRITICAL;
	(void)__atomic_compare_exchange_n(&room->cleanup_level, &level, 0,
	    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	room->wish_callbacks = 0;
	room->wish_freed = room->wish_blocks = 0;
	room->wish_returned = room->wish_ns = 0;
	__atomic_store_n(&tide__cleanup__cleanup.wish, wanted, __ATOMIC_RELEASE);
}
static void
tide__cleanup_wish(void)
{
	struct tide_room *room = tide__plan_room();
	tide_reclaim_result sum;
	uint32_t wanted;
	if (!tide__cleanup_is_wanted())
		return;
	tide__plan_lock();
	wanted = tide__cleanup__load(&room->cleanups_wanted);
	if (wanted != tide__cleanup__cleanup.wish)
		tide__cleanup__begin_wish(room, wanted);
	tide__plan_unlock();
	if (tide__cleanup__run_for(wanted, tide__cleanup__cleanup.wish_level, TIDE_FORCE_RECLAIM, 0, &sum) <
	    0)
		return;
	tide__plan_lock();
	if (wanted == tide__cleanup__cleanup.wish) {
		room->wish_callbacks += sum.callbacks;
		room->wish_freed += sum.freed;
		room->wish_blocks += sum.blocks;
		room->wish_returned += sum.returned;
		room->wish_ns += sum.time_ns;
	}
	tide__plan_unlock();
	if (wanted == tide__cleanup__load(&tide__cleanup__cleanup.wish) && tide__cleanup__wish_whose() == 0)
		__atomic_store_n(&room->cleanups_done, wanted,
		    __ATOMIC_RELEASE);
}
static void
tide__cleanup_bill(void)
{
	struct tide_room *room = tide__plan_room();
	char line[TIDE__MESSAGE_ROOM];
	struct tide__cleanup__cleanup_look now;
	struct tide__refault bill;
	int error = errno;
	if (!tide__refault_is_due())
		return;
	tide__cleanup__look(&now);
	if (now.sees) {
		tide__refault_take(&bill, now.memory.faults);
		if (bill.purged > bill.returned / 2)
			tide__cleanup__let_rest(bill.pages >
			    bill.returned / tide__sys_page_bytes() / 2);
		if (room != NULL)
			tide__cleanup__add(&room->refault_ns, bill.cost_ns);
		if (bill.freed > 0 || bill.returned > 0)
			tide__plan_say(tide__message_freed_at(line, sizeof(line),
			    bill.freed, bill.returned, bill.time_ns,
			    bill.cost_ns));
	}
	errno = error;
}
static void
tide__cleanup_in_child(void)
{
	tide__cleanup_list_in_child();
	tide__refault_in_child();
	tide__cleanup__cleanup.wish = 0;
}
/* --- src/plan/tell.h */
static bool tide__tell_is_on(const struct tide_op_conf *conf);
static void tide__tell_begin(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t first, uint64_t n);
static void tide__tell_end(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t time_ns, uint64_t used,
    uint64_t initial);
static void tide__tell_cleaned(const struct tide_op_conf *conf,
    const tide_reclaim_result *result, uint64_t used);
/* --- src/plan/tell.c */
TIDE__SHARED struct tide__tell__telling_state {
	uint64_t cleaned;
} tide__tell__telling;
static bool
tide__tell_is_on(const struct tide_op_conf *conf)
{
	const char *progress = tide__settings_find("PROGRESS");
	if (conf->monitor != 0)
		return conf->monitor > 0;
	return progress != NULL && strcmp(progress, "lines") == 0;
}
static void
tide__tell__put(char *line)
{
	size_t bytes = strlen(line);
	line[bytes] = '\n';
	(void)tide__sys_write(2, line, bytes + 1);
}
static uint64_t
tide__tell__chunks_of(const struct tide_op_conf *conf, const struct tide_op_stats *row)
{
	if (conf->fixed == 0 || row->total == 0)
		return 0;
	return (row->total + conf->fixed - 1) / conf->fixed;
}
static void
tide__tell_begin(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t first, uint64_t n)
{
	char line[TIDE__MESSAGE_ROOM + 1];
	if (!tide__tell_is_on(conf))
		return;
	if (row->batches == 0)
		tide__tell__put(tide__message_initial(line, TIDE__MESSAGE_ROOM, tide__plan_room()->used));
	tide__tell__put(tide__message_chunk(line, TIDE__MESSAGE_ROOM, row->batches + 1,
	    tide__tell__chunks_of(conf, row), first, n, row->unit));
	tide__tell__put(tide__message_chunk_items(line, TIDE__MESSAGE_ROOM, n, row->unit,
	    row->batches + 1));
}
static void
tide__tell__tell_time(const struct tide_op_stats *row)
{
	uint64_t spent = row->ended_ns - row->started_ns;
	char line[TIDE__MESSAGE_ROOM + 1];
	tide__tell__put(tide__message_elapsed(line, TIDE__MESSAGE_ROOM, spent));
	if (row->total > row->done && row->done > 0)
		tide__tell__put(tide__message_eta(line, TIDE__MESSAGE_ROOM, (uint64_t)((double)spent *
		    (double)(row->total - row->done) / (double)row->done)));
}
static void
tide__tell_end(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t time_ns, uint64_t used, uint64_t initial)
{
	uint64_t chunks = tide__tell__chunks_of(conf, row);
	char line[TIDE__MESSAGE_ROOM + 1];
	if (!tide__tell_is_on(conf))
		return;
	tide__tell__put(tide__message_chunk_done(line, TIDE__MESSAGE_ROOM, row->batches, time_ns));
	tide__tell__put(tide__message_after_chunk(line, TIDE__MESSAGE_ROOM, row->batches, used,
	    initial, tide__tell__telling.cleaned == 0 ? UINT64_MAX :
	    tide__tell__telling.cleaned - 1));
	if (chunks != 0)
		tide__tell__put(tide__message_progress(line, TIDE__MESSAGE_ROOM, row->batches, chunks,
		    "chunk"));
	else if (row->total != 0)
		tide__tell__put(tide__message_progress(line, TIDE__MESSAGE_ROOM, row->done, row->total,
		    row->unit));
	tide__tell__tell_time(row);
}
static void
tide__tell_cleaned(const struct tide_op_conf *conf,
    const tide_reclaim_result *result, uint64_t used)
{
	char line[TIDE__MESSAGE_ROOM + 1];
	tide__tell__telling.cleaned = used + 1;
	if (!tide__tell_is_on(conf))
		return;
	tide__tell__put(tide__message_between(line, TIDE__MESSAGE_ROOM));
	tide__tell__put(tide__message_freed(line, TIDE__MESSAGE_ROOM, result->freed));
}
/* --- src/plan/op-state.h */
struct tide_op {
	struct tide_op_conf conf;
	struct tide__sizing sizing;
	struct tide__knee knee;
	struct tide__delay delay;
	uint64_t ended_ns;
	bool taken;
	char name[TIDE_NAME_ROOM], unit[16];
};
struct tide__op_open {
	const tide_batch *batch;
	uint64_t reserved;
	int32_t tid;
	uint32_t begun;
	uint32_t op;
	int32_t member;
	bool waits;
};
#define TIDE__OPS_OPEN 256
struct tide__ops {
	struct tide_op op[TIDE_OPS];
	uint32_t active;
	uint32_t begun;
	uint64_t reserved;
	uint64_t base;
	double lately;
	struct tide__op_open open[TIDE__OPS_OPEN];
};
static struct tide__ops *tide__op_state(void);
static struct tide_op_stats *tide__op_row(const tide_op *op);
static bool tide__op_is(const tide_op *op);
/* --- src/plan/underway.h */
static bool tide__underway_put(const tide_op *op, const tide_batch *b, uint32_t begun,
    uint64_t reserved, int member);
static bool tide__underway_take(uint32_t begun);
static void tide__underway_count_off(uint32_t op, uint64_t reserved);
static void tide__underway_forget_at(const tide_batch *b);
static void tide__underway_forget_dead(void);
static void tide__underway_set_waits(int32_t tid, bool waits);
static bool tide__underway_will_end(const tide_op *op);
/* --- src/plan/run-state.h */
struct tide__run_state {
	struct tide__journal journal;
	struct tide__run_look look;
	uint32_t lock;
	int32_t pid;
	uint32_t attempt;
	bool same_program;
	bool calling;
	int op;
	uint64_t batches, items;
	uint64_t cursor;
	uint64_t mark_number;
	uint64_t since;
	uint64_t mark_ns, model_ns;
	tide_checkpoint_fn hook;
	void *hook_context;
};
static struct tide__run_state *tide__run_state(void);
static void tide__run_lock(void);
static void tide__run_unlock(void);
static bool tide__run_enter(void);
static const char *tide__run_given(const char *name);
static void tide__run_say(const char *before, const char *id, const char *behind);
static void tide__run_put_text(char *to, size_t room, const char *from);
/* --- src/plan/run.c */
extern char **environ;
TIDE__SHARED struct tide__run__running_state {
	struct tide__run_state state;
} tide__run__running;
static struct tide__run_state *
tide__run_state(void)
{
	return &tide__run__running.state;
}
static void
tide__run_lock(void)
{
	struct tide__run_state *run = tide__run_state();
	while (__atomic_exchange_n(&run->lock, 1, __ATOMIC_ACQUIRE) != 0)
		tide__sys_sleep(TIDE__NS_PER_MS / 5);
}
static void
tide__run_unlock(void)
{
	struct tide__run_state *run = tide__run_state();
	__atomic_store_n(&run->lock, 0, __ATOMIC_RELEASE);
}
static bool
tide__run_enter(void)
{
	struct tide__run_state *run = tide__run_state();
	if (__atomic_load_n(&run->pid, __ATOMIC_RELAXED) == 0)
		return false;
	(void)tide__plan_visit();
	tide__run_lock();
	if (run->pid == tide__sys_pid())
		return true;
	tide__run_unlock();
	return false;
}
static const char *
tide__run_given(const char *name)
{
	const struct tide__plan_host *host = tide__plan_host();
	return host->setting != NULL ? host->setting(name) : NULL;
}
static void
tide__run_put_text(char *to, size_t room, const char *from)
{
	struct tide__text t;
	memset(to, 0, room);
	tide__text_open(&t, to, room);
	tide__text_put(&t, from);
}
static void
tide__run_say(const char *before, const char *id, const char *behind)
{
	char line[160];
	struct tide__text t;
	tide__text_open(&t, line, sizeof(line));
	tide__text_put(&t, before);
	tide__text_put(&t, id);
	tide__text_put(&t, behind);
	tide__plan_say(line);
}
static int
tide__run__sync_of(void)
{
	const char *sync = tide__settings_find("CHECKPOINT_SYNC");
	return sync == NULL ? TIDE__JOURNAL_SYNC_MARK :
	    strcmp(sync, "batch") == 0 ? TIDE__JOURNAL_SYNC_BATCH :
	    strcmp(sync, "none") == 0 ? TIDE__JOURNAL_SYNC_NONE : TIDE__JOURNAL_SYNC_MARK;
}
static bool
tide__run_has_mark(void)
{
	struct tide__run_state *run = tide__run_state();
	return run->mark_number != 0 &&
	    __atomic_load_n(&run->pid, __ATOMIC_RELAXED) == tide__sys_pid();
}
static void
tide__run_in_child(void)
{
	struct tide__run_state *run = tide__run_state();
	if (run->pid != 0 && run->pid != tide__sys_pid())
		tide__journal_close(&run->journal);
	memset((char *)run + sizeof(run->journal), 0,
	    sizeof(*run) - sizeof(run->journal));
}
static void
tide__run__describe_conf(char *conf, size_t room)
{
	static const char *const names[] = { "BUDGET", "TARGET", "WARN",
		"CRITICAL", "POLICY", "BATCH_INITIAL", "BATCH_MIN",
		"BATCH_MAX", "BATCH_FIXED", "CONCURRENCY_MAX",
		"CHECKPOINT_EVERY", "CHECKPOINT_SYNC", "POOL" };
	const char *value;
	struct tide__text t;
	size_t i;
	memset(conf, 0, room);
	tide__text_open(&t, conf, room);
	for (i = 0; i < TIDE__ARRAY_LENGTH(names); i++) {
		value = tide__settings_find(names[i]);
		if (value == NULL)
			continue;
		if (t.used > 0)
			tide__text_put(&t, " ");
		tide__text_put(&t, names[i]);
		tide__text_put(&t, "=");
		tide__text_put(&t, value);
	}
}
static void
tide__run__describe(struct tide__journal_begin *begin, const char *id, const char *name,
    uint64_t total, const char *unit)
{
	memset(begin, 0, sizeof(*begin));
	tide__run_put_text(begin->id, sizeof(begin->id), id);
	tide__run_put_text(begin->name, sizeof(begin->name), name);
	tide__run_put_text(begin->unit, sizeof(begin->unit), unit != NULL &&
	    *unit != '\0' ? unit : "item");
	begin->total = total;
	begin->argv_hash = tide__run_who_arguments();
	begin->env_hash = tide__run_who_environment(environ);
	tide__run_who_am_i(&begin->holder, tide__run_given("RUN"));
	(void)tide__run_who_file("/proc/self/exe", &begin->program);
	tide__run__describe_conf(begin->conf, sizeof(begin->conf));
}
static void
tide__run__name_program(struct tide__journal_begin *begin)
{
	char *path = begin->program.path;
	ssize_t n;
	memset(path, 0, sizeof(begin->program.path));
	n = tide__sys_readlink("/proc/self/exe", path,
	    sizeof(begin->program.path) - 1);
	if (n < 0)
		path[0] = '\0';
}
static int
tide__run__choose(const char *name, char id[TIDE__JOURNAL_ID_ROOM], uint64_t *number,
    char path[TIDE__JOURNAL_PATH])
{
	struct tide__run_state *run = tide__run_state();
	const char *resume = tide__run_given("RESUME");
	int r;
	*number = 0;
	if (resume != NULL && *resume != '\0') {
		r = tide__run_who_parse(resume, id, number);
		if (r == 0)
			r = tide__run_who_path(environ, id, path);
		if (r == 0)
			r = tide__run_look_read(&run->look, path);
		if (r < 0) {
			tide__run_say("HEAPTIDE_RESUME=", resume,
			    ": there is no such run");
			return r;
		}
		if (strncmp(run->look.begin.name, name,
		    TIDE_NAME_ROOM - 1) == 0)
			return 0;
		*number = 0;
	}
	tide__run_who_id(name, id);
	return tide__run_who_path(environ, id, path);
}
static int
tide__run__open_file(const char *path)
{
	struct tide__run_state *run = tide__run_state();
	int r;
	memset(&run->look, 0, sizeof(run->look));
	r = tide__journal_open(&run->journal, path, &tide__run_look_add,
	    &run->look);
	if (r != -EBUSY || tide__run_look_read(&run->look, path) < 0 ||
	    !tide__run_who_is_dead(&run->look.holder))
		return r;
	memset(&run->look, 0, sizeof(run->look));
	return tide__journal_seize(&run->journal, path, &tide__run_look_add,
	    &run->look);
}
static int
tide__run__find_mark(uint64_t number, const struct tide__journal_holder *me, bool *asked)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__run_look *look = &run->look;
	struct tide__journal_record record;
	uint8_t *buffer = tide__run_look_buffer();
	int r = 0;
	*asked = false;
	if (buffer == NULL)
		return -ENOMEM;
	(void)tide__run_look_settle(look, run->journal.fd, buffer);
	if (number != 0 && look->asked != 0 && look->wanted == number &&
	    me->supervisor != 0 && look->holder.supervisor == me->supervisor)
		number = 0;
	if (number != 0) {
		*asked = true;
		if (tide__run_look_find(run->journal.fd, buffer, number,
		    &record) && record.type == TIDE__JOURNAL_MARK) {
			tide__journal_take(&record, &look->mark,
			    sizeof(look->mark));
			look->mark_number = number;
		} else {
			r = -ENOENT;
		}
	}
	tide__run_look_no_buffer(buffer);
	return r;
}
static int
tide__run__go_on(const struct tide__journal_begin *begin, uint64_t number)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__run_look *look = &run->look;
	struct tide__journal_switch s;
	bool asked;
	int r;
	memset(&s, 0, sizeof(s));
	s.holder = begin->holder;
	r = tide__run__find_mark(number, &s.holder, &asked);
	if (r < 0) {
		tide__run_say("there is no such checkpoint of ", begin->id, "");
		return r;
	}
	s.from = look->mark_number;
	s.asked = asked;
	s.total = begin->total;
	s.attempt = run->attempt = look->attempts + 1;
	run->same_program = look->begin.program.hash ==
	    begin->program.hash &&
	    look->begin.program.bytes == begin->program.bytes;
	run->mark_number = look->mark_number;
	run->cursor = look->mark.cursor;
	run->batches = look->mark.batches;
	run->items = look->mark.items;
	return tide__journal_mark(&run->journal, TIDE__JOURNAL_SWITCH, &s, sizeof(s),
	    NULL, 0);
}
static int
tide__run__start_anew(const struct tide__journal_begin *begin, const char *path)
{
	struct tide__run_state *run = tide__run_state();
	int r = tide__journal_create(&run->journal, path, begin);
	memset(&run->look, 0, sizeof(run->look));
	run->look.begin = *begin;
	run->look.total = begin->total;
	run->attempt = 1;
	return r;
}
static void
tide__run__keep_command(void)
{
	struct tide__run_state *run = tide__run_state();
	const char *keep = tide__run_given("KEEP_COMMAND");
	char directory[TIDE__JOURNAL_PATH];
	uint8_t *buffer;
	ssize_t n, have = 0;
	int fd;
	if (keep == NULL || (strcmp(keep, "1") != 0 &&
	    strcmp(keep, "on") != 0) || run->look.command)
		return;
	n = tide__sys_readlink("/proc/self/cwd", directory, sizeof(directory) - 1);
	fd = tide__sys_open("/proc/self/cmdline", 02000000 , 0);
	buffer = tide__run_look_buffer();
	if (n > 0 && fd >= 0 && buffer != NULL) {
		ssize_t more;
		directory[n] = '\0';
		while (have < (ssize_t)TIDE__JOURNAL_BLOB_MOST &&
		    (more = tide__sys_read(fd, buffer + have,
		    (size_t)TIDE__JOURNAL_BLOB_MOST - (size_t)have)) > 0)
			have += more;
		if (have > 0 && have < (ssize_t)TIDE__JOURNAL_BLOB_MOST)
			(void)tide__journal_put(&run->journal, TIDE__JOURNAL_COMMAND,
			    directory, (size_t)n + 1, buffer, (size_t)have);
	}
	if (fd >= 0)
		(void)tide__sys_close(fd);
	if (buffer != NULL)
		tide__run_look_no_buffer(buffer);
}
static int
tide__run__begin_locked(const char *name, uint64_t total, const char *unit)
{
	struct tide__run_state *run = tide__run_state();
	char id[TIDE__JOURNAL_ID_ROOM], path[TIDE__JOURNAL_PATH];
	char aside[TIDE__JOURNAL_PATH + 8];
	struct tide__journal_begin begin;
	uint64_t number;
	struct tide__text t;
	int r = tide__run_who_make_directory(environ, path);
	if (r < 0)
		return r;
	r = tide__run__choose(name, id, &number, path);
	if (r < 0)
		return r;
	tide__run__describe(&begin, id, name, total, unit);
	tide__run__name_program(&begin);
	run->journal.fd = -1;
	run->journal.sync = tide__run__sync_of();
	r = tide__run__open_file(path);
	if (r == -EBADMSG) {
		tide__text_open(&t, aside, sizeof(aside));
		tide__text_put(&t, path);
		tide__text_put(&t, ".bad");
		r = tide__sys_rename(path, aside);
		tide__run_say("what is there of ", id, " is no file of checkpoints, "
		    "and was put aside");
		r = r < 0 ? r : -ENOENT;
	}
	if (r == 0 && (!run->look.ended || !run->look.ok ||
	    number != 0))
		r = tide__run__go_on(&begin, number);
	else if (r == 0 || r == -ENOENT)
		r = tide__run__start_anew(&begin, path);
	if (r < 0)
		tide__journal_close(&run->journal);
	else
		tide__run__keep_command();
	return r;
}
static int
tide__run_begin(const char *name, uint64_t total, const char *unit, char *id)
{
	struct tide__run_state *run = tide__run_state();
	int i, r;
	if (name == NULL || *name == '\0')
		return -EINVAL;
	(void)tide__plan_visit();
	if (run->pid != 0 && run->pid != tide__sys_pid())
		tide__run_in_child();
	tide__run_lock();
	if (run->pid != 0) {
		tide__run_unlock();
		return -EALREADY;
	}
	run->batches = run->items = run->cursor = 0;
	run->mark_number = run->since = 0;
	run->model_ns = run->mark_ns = tide__sys_clock();
	run->same_program = false;
	r = tide__run__begin_locked(name, total == 0 ? TIDE_NONE : total, unit);
	if (r == 0) {
		if (id != NULL)
			memcpy(id, run->look.begin.id, TIDE__JOURNAL_ID_ROOM);
		__atomic_store_n(&run->pid, tide__sys_pid(), __ATOMIC_RELAXED);
	}
	tide__run_unlock();
	for (i = 0; r == 0 && i < TIDE_OPS; i++)
		if (tide__op_state()->op[i].taken)
			tide__run_warm(&tide__op_state()->op[i]);
	return r;
}
/* --- src/plan/run-mark.c */
#define TIDE__RUN_MARK__MODEL_EVERY_NS (10 * TIDE__NS_PER_S)
struct tide__run_mark__run_model {
	char name[TIDE_NAME_ROOM];
	struct tide__sizing_saved saved;
};
static bool
tide__run_mark__find_model(const char *name, struct tide__run_mark__run_model *model)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__journal_reader reader;
	struct tide__journal_record record;
	struct tide__run_mark__run_model one;
	uint8_t *buffer = tide__run_look_buffer();
	bool found = false;
	if (buffer == NULL)
		return false;
	tide__journal_read(&reader, run->journal.fd, buffer);
	while (tide__journal_next(&reader, &record) > 0) {
		if (record.type != TIDE__JOURNAL_MODEL ||
		    record.bytes != sizeof(one))
			continue;
		tide__journal_take(&record, &one, sizeof(one));
		if (strncmp(one.name, name, sizeof(one.name) - 1) != 0)
			continue;
		*model = one;
		found = true;
	}
	tide__run_look_no_buffer(buffer);
	return found;
}
static void
tide__run_warm(tide_op *op)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__run_mark__run_model model;
	bool found = false;
	if (!tide__run_enter())
		return;
	if (run->same_program && run->look.model_ns != 0 &&
	    tide__op_row(op)->batches == 0)
		found = tide__run_mark__find_model(tide__op_row(op)->name, &model);
	tide__run_unlock();
	if (!found)
		return;
	tide__plan_lock();
	(void)tide__sizing_load(&op->sizing, &model.saved);
	tide__plan_unlock();
}
static void
tide__run_mark__put_models(void)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__run_mark__run_model model;
	int i;
	run->model_ns = tide__sys_clock();
	for (i = 0; i < TIDE_OPS; i++) {
		tide_op *op = &tide__op_state()->op[i];
		memset(&model, 0, sizeof(model));
		tide__plan_lock();
		if (op->taken && tide__op_row(op)->batches > 0) {
			memcpy(model.name, tide__op_row(op)->name,
			    sizeof(model.name));
			tide__sizing_save(&op->sizing, &model.saved);
		}
		tide__plan_unlock();
		if (model.name[0] != '\0')
			(void)tide__journal_put(&run->journal, TIDE__JOURNAL_MODEL,
			    &model, sizeof(model), NULL, 0);
	}
}
static int
tide__run_mark__compare_input(const struct tide__journal_identity *now)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__journal_reader reader;
	struct tide__journal_record record;
	struct tide__journal_identity was;
	uint8_t *buffer = tide__run_look_buffer();
	int r = -ENOENT;
	if (buffer == NULL)
		return -ENOMEM;
	tide__journal_read(&reader, run->journal.fd, buffer);
	while (tide__journal_next(&reader, &record) > 0) {
		if (record.type != TIDE__JOURNAL_INPUT)
			continue;
		tide__journal_take(&record, &was, sizeof(was));
		if (strncmp(was.path, now->path, sizeof(was.path)) == 0)
			r = tide__run_who_differs(&was, now) == NULL ? 0 : -ESTALE;
	}
	tide__run_look_no_buffer(buffer);
	return r;
}
static int
tide__run_input(const char *path)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__journal_identity now;
	int r;
	if (path == NULL || *path == '\0')
		return -EINVAL;
	r = tide__run_who_file(path, &now);
	if (r < 0)
		return r;
	if (!tide__run_enter())
		return -ENOENT;
	r = tide__run_mark__compare_input(&now);
	if (r == -ENOENT)
		r = tide__journal_put(&run->journal, TIDE__JOURNAL_INPUT, &now,
		    sizeof(now), NULL, 0);
	else if (r == -ESTALE)
		tide__run_say("not what it was when the run began: ", path, "");
	tide__run_unlock();
	return r;
}
static int
tide__run_mark__read_mark(uint64_t *cursor, void *blob, size_t *len)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__journal_record record;
	struct tide__journal_mark mark;
	uint8_t *buffer = tide__run_look_buffer();
	size_t room = len != NULL ? *len : 0;
	int r = 1;
	if (buffer == NULL)
		return -ENOMEM;
	if (!tide__run_look_find(run->journal.fd, buffer,
	    run->look.mark_number, &record)) {
		tide__run_look_no_buffer(buffer);
		return -EIO;
	}
	tide__journal_take(&record, &mark, sizeof(mark));
	if (mark.blob > record.bytes - tide__min_u64(record.bytes, sizeof(mark)))
		r = -EIO;
	else if (mark.blob > room && len != NULL)
		r = -EMSGSIZE;
	else if (blob != NULL && mark.blob > 0)
		memcpy(blob, record.payload + sizeof(mark), mark.blob);
	if (len != NULL && r != -EIO)
		*len = mark.blob;
	if (r == 1 && cursor != NULL)
		*cursor = mark.cursor;
	tide__run_look_no_buffer(buffer);
	return r;
}
static int
tide__run_resume(uint64_t *cursor, void *blob, size_t *len)
{
	struct tide__run_state *run = tide__run_state();
	int r;
	if (blob != NULL && len == NULL)
		return -EINVAL;
	if (!tide__run_enter())
		return -ENOENT;
	if (run->look.mark_number != 0) {
		r = tide__run_mark__read_mark(cursor, blob, len);
	} else {
		if (cursor != NULL)
			*cursor = 0;
		if (len != NULL)
			*len = 0;
		r = 0;
	}
	tide__run_unlock();
	return r;
}
static void
tide__run_mark__note_cost(uint64_t bytes, uint64_t ns)
{
	struct tide__run_state *run = tide__run_state();
	struct tide_op_stats *row;
	tide__plan_lock();
	row = tide__op_row(&tide__op_state()->op[run->op]);
	row->checkpoints++;
	row->checkpoint_bytes += bytes;
	row->checkpoint_ns += ns;
	tide__plan_unlock();
}
static int
tide__run_checkpoint(uint64_t cursor, const void *blob, size_t len)
{
	struct tide__run_state *run = tide__run_state();
	uint64_t start_ns = tide__sys_clock();
	struct tide__journal_mark mark;
	int r;
	if (blob == NULL && len > 0)
		return -EINVAL;
	if (len > TIDE__JOURNAL_BLOB_MOST)
		return -E2BIG;
	if (!tide__run_enter())
		return -ENOENT;
	memset(&mark, 0, sizeof(mark));
	mark.cursor = cursor;
	mark.batches = run->batches;
	mark.items = run->items;
	mark.blob = (uint32_t)len;
	mark.by_itself = run->calling;
	if (start_ns - run->model_ns >= TIDE__RUN_MARK__MODEL_EVERY_NS)
		tide__run_mark__put_models();
	r = tide__journal_mark(&run->journal, TIDE__JOURNAL_MARK, &mark, sizeof(mark),
	    blob, len);
	if (r == 0) {
		run->mark_number = run->journal.number;
		run->mark_ns = tide__sys_clock();
		run->cursor = cursor;
		run->since = 0;
		tide__run_mark__note_cost(len + sizeof(mark) + 32,
		    run->mark_ns - start_ns);
	}
	tide__run_unlock();
	return r;
}
static int
tide__run_on_checkpoint(tide_checkpoint_fn fn, void *context)
{
	struct tide__run_state *run = tide__run_state();
	(void)tide__plan_visit();
	tide__run_lock();
	run->hook = fn;
	run->hook_context = context;
	tide__run_unlock();
	return 0;
}
static bool
tide__run_mark__is_due(uint32_t every)
{
	struct tide__run_state *run = tide__run_state();
	uint64_t batches = every != 0 ? every :
	    tide__settings_number("CHECKPOINT_EVERY", 5);
	uint64_t seconds = tide__settings_number("CHECKPOINT_SECONDS", 0);
	if (run->hook == NULL || run->calling)
		return false;
	return (batches != 0 && run->since >= batches) ||
	    (seconds != 0 && tide__sys_clock() - run->mark_ns >=
	    seconds * TIDE__NS_PER_S);
}
static void
tide__run_mark__call_hook(uint64_t cursor)
{
	struct tide__run_state *run = tide__run_state();
	tide_checkpoint_fn hook = run->hook;
	void *context = run->hook_context;
	run->calling = true;
	tide__run_unlock();
	(void)hook(context, cursor);
	tide__run_lock();
	run->calling = false;
}
static void
tide__run_note_batch(const struct tide__journal_batch *batch, const tide_op *op,
    uint32_t every)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__journal_batch b = *batch;
	if (!tide__run_enter())
		return;
	b.attempt = run->attempt;
	run->op = (int)(op - tide__op_state()->op);
	run->batches++;
	run->items += b.count;
	run->since++;
	if (run->journal.sync == TIDE__JOURNAL_SYNC_BATCH)
		(void)tide__journal_mark(&run->journal, TIDE__JOURNAL_BATCH, &b,
		    sizeof(b), NULL, 0);
	else
		(void)tide__journal_put(&run->journal, TIDE__JOURNAL_BATCH, &b,
		    sizeof(b), NULL, 0);
	if (tide__run_mark__is_due(every))
		tide__run_mark__call_hook(b.first + b.count);
	tide__run_unlock();
}
static void
tide__run_note_fail(uint64_t first, uint64_t count, int reason, const char *why)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__journal_fail fail;
	if (!tide__run_enter())
		return;
	memset(&fail, 0, sizeof(fail));
	fail.first = first;
	fail.count = count;
	fail.reason = reason;
	fail.attempt = run->attempt;
	tide__run_put_text(fail.why, sizeof(fail.why), why != NULL ? why : "");
	(void)tide__journal_put(&run->journal, TIDE__JOURNAL_FAIL, &fail, sizeof(fail),
	    NULL, 0);
	tide__run_unlock();
}
static int
tide__run_finish(int ok)
{
	struct tide__run_state *run = tide__run_state();
	struct tide__journal_end end;
	int r;
	if (!tide__run_enter())
		return -ENOENT;
	tide__run_mark__put_models();
	memset(&end, 0, sizeof(end));
	end.cursor = run->cursor;
	end.batches = run->batches;
	end.items = run->items;
	end.ok = ok != 0;
	r = tide__journal_mark(&run->journal, TIDE__JOURNAL_END, &end, sizeof(end),
	    NULL, 0);
	if (r == 0)
		(void)tide__journal_compact(&run->journal, false);
	tide__journal_close(&run->journal);
	__atomic_store_n(&run->pid, 0, __ATOMIC_RELAXED);
	tide__run_unlock();
	return r;
}
static bool
tide__run_mark__is_useful(void)
{
	const struct tide_room *room = tide__plan_room();
	if ((room->stop & TIDE_STOP_RECYCLE) != 0)
		return true;
	return room->budget != TIDE_NONE &&
	    tide__above_u64(tide__plan_used_now(), tide__plan_start_used()) >
	    room->budget / 50;
}
static void
tide__run_recycle(void)
{
	struct tide__run_state *run = tide__run_state();
	if (tide__run_given("RUN") == NULL || !tide__run_enter())
		return;
	if (run->mark_number != 0 && tide__run_mark__is_useful()) {
		if (run->hook != NULL && run->since > 0 &&
		    !run->calling)
			tide__run_mark__call_hook(run->cursor);
		tide__sys_end(85 );
	}
	tide__run_unlock();
}
/* --- src/plan/op.c */
TIDE__SHARED struct tide__op__operations_state {
	struct tide__ops ops;
} tide__op__operations;
static struct tide__ops *
tide__op_state(void)
{
	return &tide__op__operations.ops;
}
static struct tide_op_stats *
tide__op_row(const tide_op *op)
{
	return &tide__plan_room()->op[op - tide__op__operations.ops.op];
}
static uint32_t
tide__op_active(void)
{
	return tide__op__operations.ops.active;
}
static bool
tide__op_is(const tide_op *op)
{
	return op >= tide__op__operations.ops.op &&
	    op < tide__op__operations.ops.op + TIDE_OPS && op->taken;
}
static void
tide__op_in_child(void)
{
	struct tide__ops *ops = &tide__op__operations.ops;
	struct tide_op *op;
	ops->active = ops->begun = 0;
	ops->reserved = ops->base = 0;
	ops->lately = 0;
	memset(ops->open, 0, sizeof(ops->open));
	for (op = ops->op; op < ops->op + TIDE_OPS; op++)
		op->ended_ns = 0;
}
static uint32_t
tide__op__number(uint32_t given, const char *name, uint32_t otherwise)
{
	if (given != 0)
		return given;
	return (uint32_t)tide__min_u64(tide__settings_number(name, otherwise),
	    UINT32_MAX);
}
static int
tide__op__policy_of(int given)
{
	const char *value = tide__settings_find("POLICY");
	if (given != TIDE_POLICY_LEARN || value == NULL)
		return given;
	return strcmp(value, "seed") == 0 ? TIDE_POLICY_SEED :
	    strcmp(value, "mean") == 0 ? TIDE_POLICY_MEAN :
	    strcmp(value, "fixed") == 0 ? TIDE_POLICY_FIXED :
	    TIDE_POLICY_LEARN;
}
static void
tide__op__set_delay(struct tide_op *op)
{
	const char *mode = tide__settings_find("DELAY_MODE");
	struct tide__delay_conf conf;
	memset(&conf, 0, sizeof(conf));
	conf.mode = mode == NULL ? TIDE__DELAY_AUTO :
	    strcmp(mode, "off") == 0 ? TIDE__DELAY_OFF :
	    strcmp(mode, "always") == 0 ? TIDE__DELAY_ALWAYS : TIDE__DELAY_AUTO;
	conf.max_ns = tide__settings_time("DELAY_MAX", 0);
	conf.min_ns = tide__settings_time("DELAY_MIN", 0);
	conf.warn = tide__plan_room()->warn_mille / 1000.0;
	conf.critical = tide__plan_room()->critical_mille / 1000.0;
	tide__delay_open(&op->delay, &conf, tide__mix_u64((uint64_t)tide__sys_pid() +
	    (uint64_t)(op - tide__op__operations.ops.op)));
}
static void
tide__op__copy_conf(struct tide_op_conf *to, const tide_op_conf *from)
{
	size_t bytes = sizeof(*to);
	memset(to, 0, sizeof(*to));
	if (from == NULL)
		return;
	if (from->size != 0 && from->size < bytes)
		bytes = from->size;
	memcpy(to, from, bytes);
}
static void
tide__op__set_up(struct tide_op *op, const tide_op_conf *given)
{
	struct tide_op_conf *c = &op->conf;
	struct tide__sizing_conf conf;
	tide__op__copy_conf(c, given);
	c->initial = tide__op__number(c->initial, "BATCH_INITIAL", 0);
	c->min = tide__op__number(c->min, "BATCH_MIN", 0);
	c->max = tide__op__number(c->max, "BATCH_MAX", 0);
	c->fixed = tide__op__number(c->fixed, "BATCH_FIXED", 0);
	c->max_concurrent = tide__op__number(c->max_concurrent, "CONCURRENCY_MAX", 0);
	c->policy = tide__op__policy_of(c->policy >= TIDE_POLICY_LEARN &&
	    c->policy <= TIDE_POLICY_FIXED ? c->policy : TIDE_POLICY_LEARN);
	if (c->model < TIDE_MODEL_AUTO || c->model > TIDE_MODEL_VECTOR)
		c->model = TIDE_MODEL_AUTO;
	memset(&conf, 0, sizeof(conf));
	conf.target = c->target > 0 && c->target < 1 ? c->target :
	    tide__plan_room()->target_mille / 1000.0;
	conf.initial = c->initial;
	conf.min = c->min;
	conf.max = c->max;
	conf.fixed = c->fixed;
	conf.policy = c->policy;
	conf.model = c->model;
	tide__sizing_open(&op->sizing, &conf);
	tide__knee_open(&op->knee);
	tide__op__set_delay(op);
}
static bool
tide__op__has_name(const struct tide_op_stats *row, const char *name)
{
	return strncmp(row->name, name, sizeof(row->name) - 1) == 0;
}
static void
tide__op__put_name(char *to, size_t room, const char *from)
{
	struct tide__text t;
	memset(to, 0, room);
	tide__text_open(&t, to, room);
	tide__text_put(&t, from);
}
static void
tide__op__make_row(const struct tide_op *op)
{
	struct tide_op_stats *row = tide__op_row(op);
	memset(row, 0, sizeof(*row));
	row->policy = (uint32_t)op->conf.policy;
	tide__op__put_name(row->unit, sizeof(row->unit), op->unit);
	tide__op__put_name(row->name, sizeof(row->name), op->name);
}
static void
tide__op_rows_in_child(void)
{
	struct tide_op *op;
	for (op = tide__op__operations.ops.op; op < tide__op__operations.ops.op + TIDE_OPS; op++)
		if (op->taken)
			tide__op__make_row(op);
}
static tide_op *
tide__op__find(const char *name)
{
	struct tide_op *op;
	for (op = tide__op__operations.ops.op; op < tide__op__operations.ops.op + TIDE_OPS; op++)
		if (op->taken && tide__op__has_name(tide__op_row(op), name))
			return op;
	return NULL;
}
static tide_op *
tide__op__make(const char *name, const tide_op_conf *conf)
{
	struct tide_op *op = tide__op__operations.ops.op;
	while (op->taken && op < tide__op__operations.ops.op + TIDE_OPS - 1)
		op++;
	if (op->taken)
		return op;
	op->taken = true;
	tide__op__set_up(op, conf);
	tide__op__put_name(op->unit, sizeof(op->unit), op->conf.unit != NULL ?
	    op->conf.unit : "item");
	op->conf.unit = NULL;
	tide__op__put_name(op->name, sizeof(op->name),
	    op == tide__op__operations.ops.op + TIDE_OPS - 1 ? "(others)" : name);
	tide__op__make_row(op);
	return op;
}
static tide_op *
tide__op_open(const char *name, const tide_op_conf *conf)
{
	tide_op *op;
	bool known;
	if (name == NULL || *name == '\0')
		name = "(unnamed)";
	(void)tide__plan_visit();
	tide__plan_lock();
	op = tide__op__find(name);
	known = op != NULL;
	if (!known)
		op = tide__op__make(name, conf);
	tide__plan_unlock();
	if (!known)
		tide__run_warm(op);
	return op;
}
static int
tide__op_read(tide_op *op, struct tide_op_stats *out)
{
	if (!tide__op_is(op) || out == NULL)
		return -EINVAL;
	(void)tide__plan_visit();
	tide__plan_lock();
	*out = *tide__op_row(op);
	tide__plan_unlock();
	return 0;
}
/* --- src/plan/underway.c */
static bool
tide__underway_put(const tide_op *op, const tide_batch *b, uint32_t begun,
    uint64_t reserved, int member)
{
	struct tide__ops *ops = tide__op_state();
	struct tide__op_open *o;
	for (o = ops->open; o < ops->open + TIDE__OPS_OPEN; o++) {
		if (o->batch != NULL)
			continue;
		o->batch = b;
		o->reserved = reserved;
		o->member = member;
		o->tid = tide__sys_tid();
		o->begun = begun;
		o->op = (uint32_t)(op - ops->op);
		o->waits = false;
		return true;
	}
	return false;
}
static bool
tide__underway_take(uint32_t begun)
{
	struct tide__op_open *o = tide__op_state()->open;
	for (; o < tide__op_state()->open + TIDE__OPS_OPEN; o++)
		if (o->batch != NULL && o->begun == begun) {
			o->batch = NULL;
			return true;
		}
	return false;
}
static void
tide__underway_count_off(uint32_t op, uint64_t reserved)
{
	struct tide__ops *ops = tide__op_state();
	struct tide_op_stats *row = tide__op_row(&ops->op[op]);
	ops->active -= ops->active > 0;
	ops->reserved -= tide__min_u64(reserved, ops->reserved);
	row->active -= row->active > 0;
}
static void
tide__underway__forget(struct tide__op_open *o)
{
	o->batch = NULL;
	if (o->member >= 0)
		tide__member_release((uint32_t)o->member, UINT64_MAX);
	tide__underway_count_off(o->op, o->reserved);
	if (tide__op_state()->active == 0)
		tide__states_ended(tide__plan_states(), false);
}
static void
tide__underway_forget_at(const tide_batch *b)
{
	struct tide__op_open *o = tide__op_state()->open;
	for (; o < tide__op_state()->open + TIDE__OPS_OPEN; o++)
		if (o->batch == b)
			tide__underway__forget(o);
}
static void
tide__underway_forget_dead(void)
{
	struct tide__op_open *o = tide__op_state()->open;
	for (; o < tide__op_state()->open + TIDE__OPS_OPEN; o++)
		if (o->batch != NULL && tide__sys_thread_exists(o->tid) == -ESRCH)
			tide__underway__forget(o);
}
static void
tide__underway_set_waits(int32_t tid, bool waits)
{
	struct tide__op_open *o = tide__op_state()->open;
	for (; o < tide__op_state()->open + TIDE__OPS_OPEN; o++)
		if (o->batch != NULL && o->tid == tid)
			o->waits = waits;
}
static bool
tide__underway_will_end(const tide_op *op)
{
	struct tide__ops *ops = tide__op_state();
	struct tide__op_open *o;
	int32_t tid = tide__sys_tid();
	uint32_t known = 0, active;
	for (o = ops->open; o < ops->open + TIDE__OPS_OPEN; o++) {
		if (o->batch == NULL || (op != NULL && &ops->op[o->op] != op))
			continue;
		known++;
		if (o->tid != tid && !o->waits)
			return true;
	}
	active = op != NULL ? tide__op_row(op)->active : ops->active;
	return active > known;
}
/* --- src/plan/batch.c */
struct tide__batch__batch {
	struct tide__host_window window;
	struct tide__sizing_open_batch open;
	uint64_t used, budget, live;
	uint64_t begin_ns;
	uint64_t from_ns;
	uint64_t reserved;
	uint64_t predicted;
	uint64_t item_live, item_most;
	uint64_t done, failed;
	int32_t pid;
	uint32_t begun;
	uint32_t n;
	uint16_t open_mark;
	uint8_t grant;
	uint8_t flags;
	uint64_t line;
	uint64_t lease;
	uint32_t member;
} __attribute__((may_alias));
typedef char tide__batch__batch_fits_in[
    sizeof(struct tide__batch__batch) <= sizeof(((tide_batch *)0)->p_) ? 1 : -1];
#define TIDE__BATCH__BATCH_OPEN 0x7469
enum {
	TIDE__BATCH__BATCH_CUT = 1,
	TIDE__BATCH__BATCH_WEIGHTED = 2,
	TIDE__BATCH__BATCH_KNEE = 4,
	TIDE__BATCH__BATCH_LEASE = 8,
	TIDE__BATCH__BATCH_KNOWN = 16
};
static struct tide__batch__batch *
tide__batch__inside_of(tide_batch *b)
{
	return (struct tide__batch__batch *)(void *)b->p_;
}
static bool
tide__batch__is_open(tide_batch *b)
{
	struct tide__batch__batch *p;
	if (b == NULL)
		return false;
	p = tide__batch__inside_of(b);
	return p->open_mark == TIDE__BATCH__BATCH_OPEN && p->pid == tide__sys_pid() &&
	    b->op_ >= 1 && b->op_ <= TIDE_OPS &&
	    tide__op_state()->op[b->op_ - 1].taken && tide__op_state()->active > 0;
}
static tide_op *
tide__batch__op_of(const tide_batch *b)
{
	return &tide__op_state()->op[b->op_ - 1];
}
static double
tide__batch__target_of(const tide_op *op)
{
	return op->sizing.conf.target > 0 ? op->sizing.conf.target :
	    tide__plan_room()->target_mille / 1000.0;
}
static uint64_t
tide__batch__spoken_for(const tide_op *op, uint64_t used, uint64_t budget)
{
	const struct tide__ops *ops = tide__op_state();
	double n = ops->lately > ops->active + 1 ? ops->lately :
	    ops->active + 1;
	uint64_t line = (uint64_t)(tide__batch__target_of(op) * (double)budget);
	uint64_t base = ops->active > 0 ? tide__min_u64(ops->base, used) : used;
	uint64_t all = tide__above_u64(line, base);
	uint64_t taken = tide__max_u64(used, base + ops->reserved);
	uint64_t part = (uint64_t)((double)all / n);
	if (ops->active == 0 && n < 1.5)
		return used;
	taken = tide__max_u64(taken, tide__above_u64(line, part));
	return tide__max_u64(used, tide__min_u64(taken, tide__above_u64(line, part / 2)));
}
static void
tide__batch__size(const tide_op *op, uint64_t remaining, int verdict, uint64_t lease,
    struct tide__sizing_room *room, struct tide__sizing_plan *plan)
{
	const struct tide_room *r = tide__plan_room();
	memset(room, 0, sizeof(*room));
	room->budget = r->budget == TIDE_NONE ? UINT64_C(1) << 60 : r->budget;
	room->used = tide__batch__spoken_for(op, r->used, room->budget);
	if (lease < room->budget)
		room->used = tide__max_u64(room->used, tide__above_u64((uint64_t)(
		    tide__batch__target_of(op) * (double)room->budget), lease));
	room->remaining = remaining;
	room->knee = op->conf.fixed != 0 || op->conf.policy !=
	    TIDE_POLICY_LEARN ? 0 : (uint32_t)tide__max_u64(tide__knee_cap(&op->knee),
	    op->conf.initial);
	room->grow_allowed = r->state < TIDE_WARNING;
	room->probe = verdict == TIDE__STATES_PROBE || verdict == TIDE__STATES_ONE_ITEM;
	tide__sizing_plan(&op->sizing, room, plan);
	if (verdict == TIDE__STATES_ONE_ITEM && plan->n > 1)
		plan->n = 1;
}
static uint32_t
tide__batch__bound_of(int bound)
{
	switch (bound) {
	case TIDE__SIZING_BY_GROWTH:
	case TIDE__SIZING_BY_INITIAL:
		return TIDE_BOUND_GROWTH;
	case TIDE__SIZING_BY_OVERRUN:
	case TIDE__SIZING_BY_FALLBACK:
		return TIDE_BOUND_OVERRUN;
	case TIDE__SIZING_BY_KNEE:
		return TIDE_BOUND_KNEE;
	case TIDE__SIZING_BY_MAX:
		return TIDE_BOUND_MAX;
	case TIDE__SIZING_BY_REMAINING:
		return TIDE_BOUND_REMAINING;
	case TIDE__SIZING_BY_STATE:
		return TIDE_BOUND_STATE;
	default:
		return TIDE_BOUND_MEMORY;
	}
}
static uint32_t
tide__op_batch_size(tide_op *op, uint64_t remaining)
{
	struct tide__sizing_room room;
	struct tide__sizing_plan plan;
	if (!tide__op_is(op) || remaining == 0)
		return 0;
	(void)tide__plan_visit();
	tide__plan_lock();
	tide__batch__size(op, remaining, TIDE__STATES_GO, TIDE_NONE, &room, &plan);
	tide__plan_unlock();
	return plan.n;
}
static void
tide__batch__clean_between(tide_op *op)
{
	tide_reclaim_result result;
	memset(&result, 0, sizeof(result));
	if (tide__cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, &result) != 0)
		return;
	tide__op_row(op)->reclaim_ns += result.time_ns;
	(void)tide__plan_settle(tide__sys_clock(), true);
	tide__tell_cleaned(&op->conf, &result, tide__plan_room()->used);
}
static int
tide__batch__ask(tide_op *op, struct tide__states_answer *answer)
{
	struct tide_room *room = tide__plan_room();
	struct tide__states_wish wish;
	memset(&wish, 0, sizeof(wish));
	wish.one = tide__op_row(op)->one;
	wish.baseline = room->used;
	wish.start = tide__plan_start_used();
	wish.checkpoint = tide__run_has_mark();
	wish.in_flight = tide__underway_will_end(NULL);
	if (tide__plan_states()->probing && !wish.in_flight)
		tide__states_ended(tide__plan_states(), false);
	if (op->conf.max_concurrent != 0 &&
	    tide__op_row(op)->active >= op->conf.max_concurrent) {
		memset(answer, 0, sizeof(*answer));
		return tide__underway_will_end(op) ? TIDE__STATES_WAIT : -EDEADLK;
	}
	tide__states_ask(tide__plan_states(), &wish, answer);
	return answer->verdict;
}
#define TIDE__BATCH__NAP_NS (5 * TIDE__NS_PER_MS)
static void
tide__batch__reclaim_all(void)
{
	tide_reclaim_result result;
	uint64_t now_ns = tide__sys_clock();
	memset(&result, 0, sizeof(result));
	(void)tide__cleanup_run(TIDE_EXHAUSTED, TIDE_EMERGENCY |
	    TIDE_FORCE_RECLAIM, 0, &result);
	tide__plan_lock();
	tide__states_reclaimed(tide__plan_states(), tide__sys_clock() - now_ns, tide__sys_clock());
	tide__plan_unlock();
}
#define TIDE__BATCH__EMBRACE_NS TIDE__NS_PER_S
struct tide__batch__entrance {
	tide_op *op;
	uint64_t start_ns, now_ns;
	uint64_t embrace_ns;
	int answer;
	int verdict;
	bool waits;
};
enum { TIDE__BATCH__ENTER, TIDE__BATCH__STAY_OUT, TIDE__BATCH__ASK_AGAIN, TIDE__BATCH__WAIT };
static int
tide__batch__try_to_enter(struct tide__batch__entrance *e)
{
	struct tide__states_answer answer;
	char line[TIDE__MESSAGE_ROOM];
	struct tide_room *room;
	int verdict;
	(void)tide__plan_settle(e->now_ns, true);
	room = tide__plan_room();
	e->answer = 0;
	if (room->stop != 0)
		return TIDE__BATCH__STAY_OUT;
	tide__plan_lock();
	memset(&answer, 0, sizeof(answer));
	verdict = tide__batch__ask(e->op, &answer);
	if (verdict != -EDEADLK) {
		e->embrace_ns = e->now_ns;
	} else if (e->now_ns - e->embrace_ns >= TIDE__BATCH__EMBRACE_NS) {
		tide__plan_unlock();
		e->answer = -EDEADLK;
		return TIDE__BATCH__STAY_OUT;
	}
	switch (verdict) {
	case TIDE__STATES_GO:
	case TIDE__STATES_PROBE:
	case TIDE__STATES_ONE_ITEM:
		e->verdict = verdict;
		return TIDE__BATCH__ENTER;
	case TIDE__STATES_RECYCLE:
		(void)__atomic_fetch_or(&room->stop, TIDE_STOP_RECYCLE,
		    __ATOMIC_RELAXED);
		tide__plan_unlock();
		return TIDE__BATCH__STAY_OUT;
	case TIDE__STATES_NO_MEMORY:
		(void)__atomic_fetch_or(&room->stop, TIDE_STOP_EXHAUSTED,
		    __ATOMIC_RELAXED);
		tide__plan_unlock();
		tide__plan_say(tide__message_no_room(line, sizeof(line), answer.baseline,
		    answer.one, answer.budget, answer.raise_to));
		e->answer = -ENOMEM;
		return TIDE__BATCH__STAY_OUT;
	case TIDE__STATES_RECLAIM:
		tide__plan_unlock();
		tide__batch__reclaim_all();
		return TIDE__BATCH__ASK_AGAIN;
	default:
		return TIDE__BATCH__WAIT;
	}
}
static bool
tide__batch__wait_to_begin(struct tide__batch__entrance *e, int64_t wait_ns)
{
	const int32_t tid = tide__sys_tid();
	int r;
	e->start_ns = e->embrace_ns = e->now_ns = tide__sys_clock();
	while ((r = tide__batch__try_to_enter(e)) >= TIDE__BATCH__ASK_AGAIN) {
		if (r == TIDE__BATCH__WAIT) {
			tide__underway_forget_dead();
			tide__underway_set_waits(tid, true);
			e->waits = true;
			tide__plan_unlock();
			if (wait_ns >= 0 && e->now_ns - e->start_ns >=
			    (uint64_t)wait_ns) {
				e->answer = -ETIMEDOUT;
				break;
			}
			tide__sys_sleep(TIDE__BATCH__NAP_NS);
		}
		e->now_ns = tide__sys_clock();
	}
	if (e->waits && r != TIDE__BATCH__ENTER)
		tide__plan_lock();
	if (e->waits)
		tide__underway_set_waits(tid, false);
	if (e->waits && r != TIDE__BATCH__ENTER)
		tide__plan_unlock();
	return r == TIDE__BATCH__ENTER;
}
#define TIDE__BATCH__LEASE_FIRST (16 * TIDE__MIB)
struct tide__batch__lease {
	uint64_t bytes;
	uint32_t member;
};
static int
tide__batch__take_lease(tide_op *op, uint64_t remaining, int verdict, int64_t wait_ns,
    struct tide__batch__lease *lease, uint64_t *waited_ns)
{
	uint64_t start_ns, want, least = tide__op_row(op)->one;
	struct tide__sizing_room room;
	struct tide__sizing_plan plan;
	int r;
	lease->bytes = TIDE_NONE;
	if (!tide__member_is_in())
		return 0;
	tide__batch__size(op, remaining, verdict, TIDE_NONE, &room, &plan);
	want = plan.predicted != 0 ? plan.predicted : TIDE__BATCH__LEASE_FIRST;
	tide__plan_unlock();
	start_ns = tide__sys_clock();
	r = tide__member_acquire(least, tide__max_u64(want, least), wait_ns,
	    &lease->bytes, &lease->member);
	*waited_ns += tide__sys_clock() - start_ns;
	tide__plan_lock();
	tide__plan_room()->lease = tide__member_lease();
	return r;
}
static void
tide__batch__open_batch(tide_op *op, tide_batch *b, uint64_t first, uint64_t remaining,
    int verdict, const struct tide__batch__lease *lease)
{
	struct tide_room *room = tide__plan_room();
	struct tide__ops *ops = tide__op_state();
	struct tide_op_stats *row = tide__op_row(op);
	struct tide__batch__batch *p = tide__batch__inside_of(b);
	struct tide__sizing_room have;
	struct tide__sizing_plan plan;
	tide__batch__size(op, remaining, verdict, lease->bytes, &have, &plan);
	memset(b, 0, sizeof(*b));
	b->first = first;
	b->n = plan.n;
	if (plan.n == 0)
		return;
	b->op_ = (uint32_t)(op - ops->op) + 1;
	b->line_ = room->budget == TIDE_NONE ? TIDE_NONE : plan.line;
	tide__sizing_begin(&op->sizing, &have, &plan, &p->open);
	if (ops->active == 0) {
		ops->base = room->used;
		tide__plan_high_reset();
	}
	p->n = plan.n;
	p->used = room->used;
	p->budget = room->budget == TIDE_NONE ? 0 : room->budget;
	p->live = room->live;
	p->predicted = plan.predicted;
	p->reserved = plan.predicted;
	p->pid = room->pid;
	p->open_mark = TIDE__BATCH__BATCH_OPEN;
	p->line = b->line_;
	if (lease->bytes != TIDE_NONE) {
		p->lease = lease->bytes;
		p->member = lease->member;
		b->line_ = tide__min_u64(b->line_, room->used + lease->bytes);
	}
	p->grant = room->used >= b->line_;
	p->flags = plan.bound == TIDE__SIZING_BY_KNEE ? TIDE__BATCH__BATCH_KNEE : 0;
	ops->active++;
	ops->reserved += tide__min_u64(p->reserved, UINT64_MAX - ops->reserved);
	ops->lately = ops->lately * 0.98;
	if (ops->lately < ops->active)
		ops->lately = ops->active;
	p->begun = ++ops->begun;
	if (tide__underway_put(op, b, p->begun, p->reserved, p->lease != 0 ?
	    (int)p->member : -1))
		p->flags |= TIDE__BATCH__BATCH_KNOWN;
	tide__states_begun(tide__plan_states());
	row->active++;
	row->active_most = (uint32_t)tide__max_u64(row->active_most, row->active);
	row->bound = tide__batch__bound_of(plan.bound);
	row->n_next = plan.n;
	row->one = plan.one;
	if (row->batches == 0)
		row->first = first;
	if (remaining != TIDE_NONE)
		row->total = row->done + remaining;
	memcpy(room->last_op, row->name, sizeof(room->last_op));
}
static int
tide__batch_begin(tide_op *op, tide_batch *b, uint64_t first, uint64_t remaining,
    int64_t wait_ns)
{
	uint64_t waited_ns = 0;
	struct tide__batch__entrance e;
	struct tide__batch__lease lease;
	struct tide__batch__batch *p;
	int r;
	if (!tide__op_is(op) || b == NULL)
		return -EINVAL;
	if (tide__batch__is_open(b))
		return -EBUSY;
	if (remaining == 0)
		return 0;
	if (op->conf.reclaim_before > 0)
		tide__batch__clean_between(op);
	memset(&e, 0, sizeof(e));
	e.op = op;
	if (!tide__batch__wait_to_begin(&e, wait_ns))
		return e.answer;
	waited_ns = e.now_ns - e.start_ns;
	tide__underway_forget_at(b);
	r = tide__batch__take_lease(op, remaining, e.verdict, wait_ns, &lease, &waited_ns);
	if (r == 0)
		tide__batch__open_batch(op, b, first, remaining, e.verdict, &lease);
	tide__op_row(op)->wait_ns += waited_ns;
	tide__plan_unlock();
	if (r < 0)
		return r == -ESHUTDOWN ? 0 : r;
	if (b->n == 0) {
		if (lease.bytes != TIDE_NONE)
			tide__member_release(lease.member, UINT64_MAX);
		return 0;
	}
	p = tide__batch__inside_of(b);
	p->begin_ns = tide__sys_clock();
	p->from_ns = op->ended_ns != 0 ? op->ended_ns + waited_ns : e.start_ns;
	if (tide__op_row(op)->started_ns == 0)
		tide__op_row(op)->started_ns = p->begin_ns;
	if (tide__plan_host()->window_open != NULL)
		tide__plan_host()->window_open(&p->window);
	p->item_live = tide__plan_used_now();
	tide__tell_begin(&op->conf, tide__op_row(op), first, b->n);
	return (int)tide__min_u64(b->n, INT32_MAX);
}
static bool
tide__batch__has_room(tide_batch *b)
{
	struct tide__batch__batch *p = tide__batch__inside_of(b);
	uint64_t more = tide__max_u64(p->lease / 4, TIDE__MIB);
	if (tide__plan_used_now() < b->line_)
		return true;
	if (p->lease == 0 || b->line_ >= p->line ||
	    tide__member_extend(p->member, more) != 0)
		return false;
	p->lease += more;
	b->line_ = tide__min_u64(p->line, b->line_ + more);
	return tide__plan_used_now() < b->line_;
}
static int
tide__batch_more(tide_batch *b)
{
	struct tide__batch__batch *p;
	bool room;
	if (!tide__batch__is_open(b))
		return 0;
	(void)tide__plan_visit();
	p = tide__batch__inside_of(b);
	room = tide__batch__has_room(b) && tide__plan_room()->state < TIDE_CRITICAL &&
	    !(tide__plan_room()->stop & TIDE_STOP_EXHAUSTED);
	if (!room && p->grant == 0) {
		p->flags |= TIDE__BATCH__BATCH_CUT;
		return 0;
	}
	p->grant = 0;
	return 1;
}
static int
tide__batch_item(tide_batch *b, uint64_t weight)
{
	struct tide__batch__batch *p;
	int may;
	if (!tide__batch__is_open(b))
		return 0;
	p = tide__batch__inside_of(b);
	p->flags |= TIDE__BATCH__BATCH_WEIGHTED;
	if (p->open.n > 0 && !tide__batch__has_room(b)) {
		p->flags |= TIDE__BATCH__BATCH_CUT;
		return 0;
	}
	tide__plan_lock();
	may = tide__sizing_item(&tide__batch__op_of(b)->sizing, &p->open, weight);
	tide__plan_unlock();
	p->item_live = tide__plan_used_now();
	return may;
}
static void
tide__batch_item_done(tide_batch *b)
{
	struct tide__batch__batch *p;
	uint64_t used;
	if (!tide__batch__is_open(b))
		return;
	p = tide__batch__inside_of(b);
	used = tide__plan_used_now();
	p->item_most = tide__max_u64(p->item_most, tide__above_u64(used, p->item_live));
	p->item_live = used;
	p->done++;
	(void)tide__plan_visit();
}
static void
tide__batch_item_fail(tide_batch *b, uint64_t index, const char *why)
{
	char line[TIDE__MESSAGE_ROOM];
	if (!tide__batch__is_open(b))
		return;
	tide__batch__inside_of(b)->failed++;
	tide__plan_say(tide__message_item_failed(line, sizeof(line), index,
	    why != NULL ? why : "no reason given"));
	tide__run_note_fail(index, 1, TIDE_ERROR, why);
	(void)tide__plan_visit();
}
static void
tide__batch__measure(tide_batch *b, struct tide__sizing_batch *s, bool tide__alone)
{
	struct tide__batch__batch *p = tide__batch__inside_of(b);
	uint64_t seen = tide__above_u64(tide__plan_high(), p->used);
	int64_t high;
	memset(s, 0, sizeof(*s));
	if (tide__plan_host()->window_close != NULL) {
		tide__plan_host()->window_close(&p->window);
		high = tide__alone ? p->window.high : p->window.thread_high;
		s->growth = high > 0 ? (uint64_t)high : 0;
	}
	if (tide__alone)
		s->growth = tide__max_u64(s->growth, seen);
	else if (s->growth == 0)
		s->growth = seen / tide__op_state()->active;
	s->retained = tide__above_u64(tide__plan_room()->live != TIDE_NONE ?
	    tide__plan_room()->live : tide__plan_room()->used,
	    p->live != TIDE_NONE ? p->live : p->used);
	s->time_ns = tide__sys_clock() - p->begin_ns;
	s->item_max = p->item_most;
	s->budget = p->budget;
	s->used = p->used;
	if (p->flags & TIDE__BATCH__BATCH_WEIGHTED) {
		s->weight_sum = p->open.sum;
		s->weight_max = p->open.max;
	}
}
static void
tide__batch__describe(const tide_op *op, struct tide_op_stats *row)
{
	static const double power[TIDE__SIZING_POWERS] = { 0.6, 1, 1.4, 2, 2.5, 3 };
	const struct tide__sizing_fit *fit = op->sizing.fit;
	struct tide__knee_report knee;
	size_t i, best = 1;
	for (i = 0; i < TIDE__SIZING_POWERS; i++)
		if (fit[i].residual < fit[best].residual)
			best = i;
	row->power = power[best];
	row->per_item = fit[best].c;
	row->fixed = fit[best].a > 0 ? (uint64_t)fit[best].a : 0;
	memset(&knee, 0, sizeof(knee));
	tide__knee_read(&op->knee, &knee);
	row->knee = knee.settled ? knee.n : 0;
	row->knee_rate = knee.ns > 0 ? 1e9 / knee.ns : 0;
	row->most_rate = knee.largest_ns > 0 ? 1e9 / knee.largest_ns : 0;
}
static void
tide__batch__note(const tide_op *op, struct tide_op_stats *row, const struct tide__batch__batch *p,
    const struct tide__sizing_batch *s)
{
	uint64_t kib = s->growth / TIDE__KIB;
	uint64_t last = row->n_last;
	row->batches++;
	row->items += s->n;
	row->items_failed += p->failed;
	row->done += s->n;
	row->cuts += s->cut;
	row->overruns += p->predicted != 0 && s->growth > p->predicted;
	if (last != 0 && (s->n * 4 > last * 5 || s->n * 5 < last * 4))
		row->changes++;
	row->n_last = s->n;
	row->n_least = row->n_least == 0 ? s->n : tide__min_u64(row->n_least, s->n);
	row->n_most = tide__max_u64(row->n_most, s->n);
	row->growth_last = s->growth;
	row->growth_most = tide__max_u64(row->growth_most, s->growth);
	row->growth_sum += s->growth;
	row->growth_squares += kib * kib;
	row->item_most = tide__max_u64(row->item_most, s->item_max);
	row->predicted_last = p->predicted;
	row->retained_last = (int64_t)s->retained;
	row->retained_sum += s->retained;
	row->time_ns += s->time_ns;
	row->ended_ns = p->begin_ns + s->time_ns;
	if (p->flags & TIDE__BATCH__BATCH_WEIGHTED) {
		row->weight_most = tide__max_u64(row->weight_most, p->open.max);
		row->weight_sum += p->open.sum;
		row->weights += p->open.n;
	}
	tide__batch__describe(op, row);
}
static bool
tide__batch__leave(tide_op *op, tide_batch *b)
{
	struct tide__batch__batch *p = tide__batch__inside_of(b);
	bool counted = tide__underway_take(p->begun) ||
	    (p->flags & TIDE__BATCH__BATCH_KNOWN) == 0;
	if (counted)
		tide__underway_count_off((uint32_t)(op - tide__op_state()->op),
		    p->reserved);
	p->open_mark = 0;
	b->op_ = 0;
	b->line_ = 0;
	return counted;
}
static void
tide__batch__delay(tide_op *op)
{
	struct tide_room *room = tide__plan_room();
	uint64_t used = room->used, start_ns = tide__sys_clock(), ns;
	struct tide__delay_look look;
	memset(&look, 0, sizeof(look));
	look.budget = room->budget == TIDE_NONE ? 0 : room->budget;
	look.used = used;
	look.critical = room->state >= TIDE_CRITICAL;
	look.others = room->lease != 0;
	tide__plan_lock();
	ns = tide__delay_next(&op->delay, &look);
	tide__plan_unlock();
	if (ns == 0)
		return;
	while (tide__sys_clock() - start_ns < ns && room->stop == 0) {
		tide__sys_sleep(tide__min_u64(ns, 20 * TIDE__NS_PER_MS));
		if (tide__plan_settle(tide__sys_clock(), true) == TIDE_OK)
			break;
	}
	ns = tide__sys_clock() - start_ns;
	tide__plan_lock();
	tide__delay_done(&op->delay, ns, tide__above_u64(used, room->used));
	tide__op_row(op)->delay_ns += ns;
	tide__op_row(op)->delay_freed += tide__above_u64(used, room->used);
	tide__plan_unlock();
}
#define TIDE__BATCH__BETWEEN_NS (1 * TIDE__NS_PER_MS)
static uint64_t
tide__batch__cost_of(const struct tide__batch__batch *p, const struct tide__sizing_batch *s)
{
	uint64_t before = tide__above_u64(p->begin_ns, p->from_ns);
	return s->time_ns + tide__min_u64(before, s->time_ns + TIDE__BATCH__BETWEEN_NS);
}
static void
tide__batch__write_down(const tide_op *op, const tide_batch *b, uint64_t predicted,
    const struct tide__sizing_batch *s)
{
	struct tide__journal_batch record;
	memset(&record, 0, sizeof(record));
	memcpy(record.op, tide__op_row(op)->name, sizeof(record.op));
	record.first = b->first;
	record.count = s->n;
	record.n = b->n;
	record.peak = s->growth;
	record.predicted = predicted;
	record.retained = s->retained;
	record.used = s->used;
	record.budget = s->budget;
	record.time_ns = s->time_ns;
	record.state = tide__plan_room()->state;
	record.cut = s->cut;
	record.failed = s->failed;
	tide__run_note_batch(&record, op, op->conf.checkpoint_every);
}
static int
tide__batch__finish(tide_batch *b, uint64_t done, bool failed)
{
	tide_op *op = tide__batch__op_of(b);
	struct tide__batch__batch *p = tide__batch__inside_of(b);
	struct tide__sizing_batch s;
	uint64_t lease, predicted;
	uint32_t member;
	bool tide__alone, counted;
	int state;
	state = tide__plan_settle(tide__sys_clock(), true);
	tide__plan_lock();
	tide__alone = tide__op_state()->active == 1 && tide__op_state()->begun == p->begun;
	tide__batch__measure(b, &s, tide__alone);
	s.n = (uint32_t)tide__min_u64(done, UINT32_MAX);
	s.cut = (p->flags & TIDE__BATCH__BATCH_CUT) != 0;
	s.failed = failed;
	tide__sizing_learn(&op->sizing, &s);
	if (!failed && !s.cut && s.n > 0)
		tide__knee_learn(&op->knee, s.n, tide__batch__cost_of(p, &s),
		    !(p->flags & TIDE__BATCH__BATCH_KNEE));
	op->ended_ns = p->begin_ns + s.time_ns;
	tide__batch__note(op, tide__op_row(op), p, &s);
	tide__op_row(op)->aborts += failed;
	tide__states_ended(tide__plan_states(), !failed && state < TIDE_CRITICAL);
	lease = p->lease;
	member = p->member;
	predicted = p->predicted;
	counted = tide__batch__leave(op, b);
	tide__plan_unlock();
	if (counted && lease != 0)
		tide__member_release(member, tide__plan_room()->used);
	tide__plan_room()->lease = tide__member_lease();
	tide__tell_end(&op->conf, tide__op_row(op), s.time_ns, tide__plan_room()->used,
	    tide__plan_start_used());
	tide__batch__write_down(op, b, predicted, &s);
	tide__cleanup_bill();
	if (tide__plan_host()->epoch != NULL && op->conf.detect >= 0)
		tide__plan_host()->epoch(tide__op_row(op)->name);
	if (op->conf.reclaim_after > 0)
		tide__batch__clean_between(op);
	tide__batch__delay(op);
	return tide__plan_room()->state;
}
static int
tide__batch_end(tide_batch *b, uint64_t done)
{
	if (!tide__batch__is_open(b)) {
		if (b != NULL && tide__batch__inside_of(b)->open_mark == TIDE__BATCH__BATCH_OPEN)
			memset(b, 0, sizeof(*b));
		return tide__plan_visit();
	}
	return tide__batch__finish(b, done, false);
}
static void
tide__batch_abort(tide_batch *b, int why)
{
	if (!tide__batch__is_open(b))
		return;
	if (why == TIDE_NOMEM)
		tide__plan_refused();
	tide__run_note_fail(b->first, b->n, why != 0 ? why : TIDE_ERROR,
	    why == TIDE_NOMEM ? "no memory" : "given up");
	(void)tide__batch__finish(b, tide__batch__inside_of(b)->done > 0 ? tide__batch__inside_of(b)->done :
	    tide__batch__inside_of(b)->n, why == TIDE_NOMEM);
}
/* --- src/plan/guard.c */
#define TIDE__GUARD__GUARDS 64
#define TIDE__GUARD__VISITS 256
struct tide__guard__visit {
	int32_t tid;
	int32_t component;
	int64_t base;
	int64_t inner;
	uint32_t order;
};
TIDE__SHARED struct tide__guard__guards_state {
	struct tide_component_stats component[TIDE_COMPONENTS];
	struct tide_batch guard[TIDE__GUARD__GUARDS];
	bool taken[TIDE__GUARD__GUARDS];
	struct tide__guard__visit visit[TIDE__GUARD__VISITS];
	uint32_t order;
} tide__guard__guards;
static void
tide__guard_in_child(void)
{
	memset(tide__guard__guards.guard, 0, sizeof(tide__guard__guards.guard));
	memset(tide__guard__guards.taken, 0, sizeof(tide__guard__guards.taken));
	memset(tide__guard__guards.visit, 0, sizeof(tide__guard__guards.visit));
	tide__guard__guards.order = 0;
	memcpy(tide__plan_room()->component, tide__guard__guards.component,
	    sizeof(tide__guard__guards.component));
}
static int
tide__guard_begin(const char *op, uint64_t need)
{
	tide_op *o = tide__op_open(op, NULL);
	char line[TIDE__MESSAGE_ROOM];
	int i, n;
	if (need != 0 && tide__plan_safe(need, 0, NULL) != 1)
		return -ENOMEM;
	tide__plan_lock();
	for (i = 0; i < TIDE__GUARD__GUARDS && tide__guard__guards.taken[i]; i++)
		;
	if (i < TIDE__GUARD__GUARDS)
		tide__guard__guards.taken[i] = true;
	tide__plan_unlock();
	if (i == TIDE__GUARD__GUARDS)
		return -ENOSPC;
	memset(&tide__guard__guards.guard[i], 0, sizeof(tide__guard__guards.guard[i]));
	n = tide__batch_begin(o, &tide__guard__guards.guard[i], tide__op_row(o)->done, 1, 0);
	if (n > 0) {
		tide__plan_say(tide__message_starting(line, sizeof(line), tide__op_row(o)->name,
		    tide__plan_room()->used));
		return i + 1;
	}
	tide__plan_lock();
	tide__guard__guards.taken[i] = false;
	tide__plan_unlock();
	return n == 0 ? -ECANCELED : n;
}
static void
tide__guard_end(int guard)
{
	if (guard < 1 || guard > TIDE__GUARD__GUARDS || !tide__guard__guards.taken[guard - 1])
		return;
	(void)tide__batch_end(&tide__guard__guards.guard[guard - 1], 1);
	tide__plan_lock();
	tide__guard__guards.taken[guard - 1] = false;
	tide__plan_unlock();
}
static struct tide_component_stats *
tide__guard__row_of(int id)
{
	struct tide_component_stats *row;
	if (!tide__plan_has_begun() || id < 1 || id > TIDE_COMPONENTS)
		return NULL;
	(void)tide__plan_visit();
	row = &tide__plan_room()->component[id - 1];
	return row->name[0] != '\0' ? row : NULL;
}
static int
tide__component_open(const char *name, uint64_t max, unsigned weight)
{
	struct tide_component_stats *row;
	struct tide__text t;
	int i, id = -ENOSPC;
	if (name == NULL || *name == '\0')
		return -EINVAL;
	(void)tide__plan_visit();
	tide__plan_lock();
	row = tide__plan_room()->component;
	for (i = 0; i < TIDE_COMPONENTS && id < 0; i++) {
		if (row[i].name[0] != '\0' && strncmp(row[i].name, name,
		    sizeof(row[i].name) - 1) != 0)
			continue;
		id = i + 1;
		row[i].max = max;
		row[i].weight = weight;
		tide__text_open(&t, row[i].name, sizeof(row[i].name));
		tide__text_put(&t, name);
		tide__guard__guards.component[i] = row[i];
	}
	tide__plan_unlock();
	return id;
}
static bool
tide__guard__thread_holds(int64_t *bytes)
{
	struct tide__host_heap heap;
	memset(&heap, 0, sizeof(heap));
	if (tide__plan_host()->heap == NULL || !tide__plan_host()->heap(&heap))
		return false;
	*bytes = heap.thread;
	return true;
}
static struct tide__guard__visit *
tide__guard__visit_of(int32_t tid, int component)
{
	struct tide__guard__visit *v, *found = NULL;
	for (v = tide__guard__guards.visit; v < tide__guard__guards.visit + TIDE__GUARD__VISITS; v++)
		if (v->tid == tid && (component == 0 ||
		    v->component == component) &&
		    (found == NULL || v->order > found->order))
			found = v;
	return found;
}
static void
tide__component_enter(int id)
{
	struct tide_component_stats *row = tide__guard__row_of(id);
	struct tide__guard__visit *v;
	int64_t now;
	if (row == NULL || !tide__guard__thread_holds(&now))
		return;
	tide__plan_lock();
	for (v = tide__guard__guards.visit; v < tide__guard__guards.visit + TIDE__GUARD__VISITS && v->tid != 0; v++)
		;
	if (v < tide__guard__guards.visit + TIDE__GUARD__VISITS) {
		v->tid = tide__sys_tid();
		v->component = id;
		v->base = now;
		v->inner = 0;
		v->order = ++tide__guard__guards.order;
		row->enters++;
	}
	tide__plan_unlock();
}
static void
tide__component_leave(int id)
{
	struct tide_component_stats *row = tide__guard__row_of(id);
	int32_t tid = tide__sys_tid();
	struct tide__guard__visit *v, *outer;
	int64_t now, moved;
	if (row == NULL || !tide__guard__thread_holds(&now))
		return;
	tide__plan_lock();
	v = tide__guard__visit_of(tid, id);
	if (v != NULL) {
		moved = now - v->base;
		row->used += moved - v->inner;
		row->peak = row->peak > row->used ? row->peak : row->used;
		row->over += row->max != 0 && row->used > (int64_t)row->max;
		tide__guard__guards.component[id - 1] = *row;
		v->tid = 0;
		outer = tide__guard__visit_of(tid, 0);
		if (outer != NULL)
			outer->inner += moved;
	}
	tide__plan_unlock();
}
static uint64_t
tide__component_used(int id)
{
	struct tide_component_stats *row = tide__guard__row_of(id);
	struct tide__guard__visit *v;
	int64_t now, used;
	if (row == NULL || !tide__guard__thread_holds(&now))
		return row == NULL ? 0 : TIDE_NONE;
	tide__plan_lock();
	used = row->used;
	v = tide__guard__visit_of(tide__sys_tid(), id);
	if (v != NULL)
		used += now - v->base - v->inner;
	tide__plan_unlock();
	return used > 0 ? (uint64_t)used : 0;
}
static uint64_t
tide__component_budget(int id)
{
	struct tide_component_stats *row = tide__guard__row_of(id), *r;
	const struct tide_room *room = tide__plan_room();
	uint64_t weights = 0, part;
	if (row == NULL)
		return 0;
	(void)tide__plan_visit();
	for (r = tide__plan_room()->component; r < tide__plan_room()->component +
	    TIDE_COMPONENTS; r++)
		weights += r->name[0] != '\0' ? r->weight : 0;
	part = row->max != 0 ? row->max : TIDE_NONE;
	if (room->budget != TIDE_NONE && row->weight != 0)
		part = tide__min_u64(part, (uint64_t)((double)room->budget *
		    room->target_mille / 1000.0 * row->weight /
		    (double)weights));
	if (part == TIDE_NONE || room->state == TIDE_OK)
		return part;
	return room->state == TIDE_WARNING ? part / 4 * 3 :
	    room->state == TIDE_CRITICAL ? part / 2 : part / 4;
}
/* --- src/plan/reserve.c */
TIDE__SHARED struct tide__reserve__reserve_state {
	struct {
		uint64_t bytes;
		uint32_t member;
	} lease[TIDE__MEMBERS];
} tide__reserve__reserve;
static void
tide__reserve_in_child(void)
{
	memset(&tide__reserve__reserve, 0, sizeof(tide__reserve__reserve));
}
#define TIDE__RESERVE__NAP_NS (5 * TIDE__NS_PER_MS)
#define TIDE__RESERVE__HOPE_NS (10 * TIDE__NS_PER_S)
static uint64_t
tide__reserve__free_to_reserve(uint64_t *line)
{
	const struct tide_room *r = tide__plan_room();
	uint64_t reserved = tide__op_state()->reserved;
	*line = r->budget == TIDE_NONE ? TIDE_NONE :
	    (uint64_t)((double)r->budget * r->target_mille / 1000.0);
	if (*line == TIDE_NONE)
		return TIDE_NONE - reserved;
	return tide__above_u64(tide__above_u64(*line, r->used), reserved);
}
static int
tide__reserve__take_of_own(uint64_t least, uint64_t most, int64_t wait_ns, uint64_t *got)
{
	uint64_t start_ns = tide__sys_clock(), now_ns = start_ns, hope_ns = start_ns;
	uint64_t line, room, before = 0;
	for (;;) {
		(void)tide__plan_settle(now_ns, true);
		tide__plan_lock();
		room = tide__reserve__free_to_reserve(&line);
		if (room >= least && room > 0) {
			*got = tide__min_u64(room, most);
			tide__op_state()->reserved += *got;
			tide__plan_unlock();
			return 0;
		}
		tide__plan_unlock();
		now_ns = tide__sys_clock();
		if (room > before)
			hope_ns = now_ns;
		before = room;
		if (tide__plan_room()->stop != 0)
			return -ECANCELED;
		if (least > line)
			return -ENOMEM;
		if (wait_ns >= 0 ? now_ns - start_ns >= (uint64_t)wait_ns :
		    now_ns - hope_ns >= TIDE__RESERVE__HOPE_NS)
			return -ETIMEDOUT;
		tide__sys_sleep(TIDE__RESERVE__NAP_NS);
	}
}
static void
tide__reserve__give_of_own(uint64_t bytes)
{
	struct tide__ops *ops = tide__op_state();
	tide__plan_lock();
	ops->reserved -= tide__min_u64(bytes, ops->reserved);
	tide__plan_unlock();
}
static void
tide__reserve__keep(uint64_t bytes, uint32_t member)
{
	size_t i;
	tide__plan_lock();
	for (i = 0; i < TIDE__MEMBERS && tide__reserve__reserve.lease[i].bytes != 0; i++)
		;
	tide__reserve__reserve.lease[i].bytes = bytes;
	tide__reserve__reserve.lease[i].member = member;
	tide__plan_room()->lease = tide__member_lease();
	tide__plan_unlock();
}
static bool
tide__reserve__pick(uint64_t bytes, uint32_t *member, uint64_t *left)
{
	size_t i, best = TIDE__MEMBERS;
	for (i = 0; i < TIDE__MEMBERS; i++) {
		if (tide__reserve__reserve.lease[i].bytes == 0)
			continue;
		if (best == TIDE__MEMBERS ||
		    tide__reserve__reserve.lease[i].bytes == bytes ||
		    (tide__reserve__reserve.lease[best].bytes != bytes &&
		    tide__reserve__reserve.lease[i].bytes > tide__reserve__reserve.lease[best].bytes))
			best = i;
	}
	if (best == TIDE__MEMBERS)
		return false;
	*member = tide__reserve__reserve.lease[best].member;
	*left = tide__above_u64(tide__reserve__reserve.lease[best].bytes, bytes);
	tide__reserve__reserve.lease[best].bytes = *left;
	return true;
}
static void
tide__reserve__give_of_pool(uint64_t bytes)
{
	uint32_t member;
	uint64_t left;
	bool held;
	tide__plan_lock();
	held = tide__reserve__pick(bytes, &member, &left);
	tide__plan_unlock();
	if (!held)
		return;
	if (left == 0)
		tide__member_release(member, UINT64_MAX);
	else
		tide__member_shrink(member, left);
	tide__plan_room()->lease = tide__member_lease();
}
static int
tide__reserve_take(uint64_t least, uint64_t most, int64_t wait_ns, uint64_t *got)
{
	uint64_t start_ns = tide__sys_clock(), own, spent, leased;
	uint32_t member;
	int r;
	if (got == NULL || least > most || most == 0)
		return -EINVAL;
	r = tide__reserve__take_of_own(least, most, wait_ns, &own);
	if (r == 0 && tide__member_is_in()) {
		spent = tide__sys_clock() - start_ns;
		r = tide__member_acquire(least, own, wait_ns < 0 ?
		    (int64_t)TIDE__RESERVE__HOPE_NS : (int64_t)tide__above_u64((uint64_t)wait_ns,
		    spent), &leased, &member);
		if (r < 0) {
			tide__reserve__give_of_own(own);
			return r == -ESHUTDOWN ? -ECANCELED : r;
		}
		tide__reserve__give_of_own(tide__above_u64(own, leased));
		own = tide__min_u64(own, leased);
		tide__reserve__keep(own, member);
	}
	if (r == 0)
		*got = own;
	return r;
}
static void
tide__reserve_give(uint64_t bytes)
{
	(void)tide__plan_visit();
	tide__reserve__give_of_own(bytes);
	if (tide__member_is_in() && bytes != 0)
		tide__reserve__give_of_pool(bytes);
}
/* --- src/plan/alone.c */
TIDE__SHARED struct tide__alone__alone_state {
	struct tide_room room;
	uint32_t begun;
	uint32_t *here;
} tide__alone;
static void
tide__alone_window_open(struct tide__host_window *w)
{
	struct tide__proc_status status;
	int fd = tide__sys_open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC, 0);
	memset(w, 0, sizeof(*w));
	if (fd >= 0) {
		w->p[0] = tide__sys_write(fd, "5", 1) == 1;
		tide__sys_close(fd);
	}
	if (tide__proc_status_read(0, &status) == 0)
		w->base = (int64_t)status.resident;
}
static void
tide__alone_window_close(struct tide__host_window *w)
{
	struct tide__proc_status status;
	if (w->p[0] == 0 || tide__proc_status_read(0, &status) != 0)
		return;
	w->high = (int64_t)status.peak - w->base;
	w->thread_high = w->high;
}
static const char *
tide__alone_setting(const char *name)
{
	char variable[64];
	struct tide__text t;
	tide__text_open(&t, variable, sizeof(variable));
	tide__text_put(&t, "HEAPTIDE_");
	tide__text_put(&t, name);
	return t.cut ? NULL : getenv(variable);
}
static int
tide__alone_pool_path(const char *name, char *path, size_t bytes)
{
	const char *directory = getenv("HEAPTIDE_DIR");
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct tide__text t;
	tide__text_open(&t, path, bytes);
	if (directory != NULL && *directory != '\0') {
		tide__text_put(&t, directory);
	} else if (run != NULL && *run != '\0') {
		tide__text_put(&t, run);
		tide__text_put(&t, "/heaptide");
	} else {
		tide__text_put(&t, "/dev/shm/heaptide-");
		tide__text_put_u64(&t, tide__sys_uid());
	}
	tide__text_put(&t, "/pools/");
	tide__text_put(&t, name);
	return t.cut ? -ENAMETOOLONG : 0;
}
#define TIDE__ALONE_OLD_NS (20 * TIDE__NS_PER_MS)
static struct tide_room *
tide__alone_own_room(void)
{
	memset(&tide__alone.room, 0, sizeof(tide__alone.room));
	tide__alone.room.refresh_ns = TIDE__ALONE_OLD_NS;
	return &tide__alone.room;
}
static bool
tide__alone_purge(void)
{
	extern int malloc_trim(size_t) __attribute__((weak));
	if (malloc_trim == NULL)
		return false;
	(void)malloc_trim(0);
	return true;
}
static void
tide__alone_say(const char *line)
{
	const char *path = getenv("HEAPTIDE_LOG");
	struct tide__text t;
	char text[256];
	int fd;
	if (path == NULL || *path == '\0')
		return;
	fd = tide__sys_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	tide__text_open(&t, text, sizeof(text) - 1);
	tide__text_put(&t, line);
	text[t.used] = '\n';
	(void)tide__sys_write(fd, text, t.used + 1);
	tide__sys_close(fd);
}
static const struct tide__plan_host tide__alone_host = {
	TIDE_STANDALONE,
	NULL,
	&tide__alone_window_open,
	&tide__alone_window_close,
	&tide__common_memory,
	&tide__common_limit,
	NULL,
	NULL,
	&tide__alone_purge,
	&tide__alone_say,
	&tide__alone_setting,
	&tide__alone_pool_path,
	&tide__alone_own_room,
	NULL,
};
static struct tide_room *
tide__alone_page(void)
{
	const char *path = getenv("HEAPTIDE_PAGE");
	struct tide_room *room;
	struct tide__proc_stat stat;
	int fd;
	if (path == NULL || *path == '\0' || tide__proc_stat_read(0, &stat) < 0)
		return NULL;
	fd = tide__sys_open(path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	room = (struct tide_room *)tide__sys_mmap(NULL, sizeof(*room),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tide__sys_close(fd);
	if (room == (struct tide_room *)MAP_FAILED)
		return NULL;
	if (room->magic == TIDE_ROOM_MAGIC && room->bytes == sizeof(*room) &&
	    room->version == TIDE_ROOM_VERSION && room->pid == tide__sys_pid() &&
	    room->start_ticks == stat.ticks)
		return room;
	(void)tide__sys_munmap(room, sizeof(*room));
	return NULL;
}
static const struct tide__plan_host tide__alone_page_host = {
	TIDE_PAGE,
	NULL,
	&tide__alone_window_open,
	&tide__alone_window_close,
	&tide__common_memory,
	&tide__common_limit,
	NULL,
	NULL,
	&tide__alone_purge,
	&tide__alone_say,
	&tide__alone_setting,
	&tide__alone_pool_path,
	&tide__alone_own_room,
	&tide__alone_host,
};
#ifndef TIDE__MADV_WIPEONFORK
#define TIDE__MADV_WIPEONFORK 18
#endif
static void
tide__alone_stay_here(void)
{
	size_t bytes = tide__sys_page_bytes();
	if (tide__alone.here == NULL) {
		void *page = tide__sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return;
		if (tide__sys_madvise(page, bytes, TIDE__MADV_WIPEONFORK) < 0) {
			(void)tide__sys_munmap(page, bytes);
			return;
		}
		tide__alone.here = (uint32_t *)page;
	}
	*tide__alone.here = 1;
}
static bool
tide__alone_is_here(void)
{
	return tide__alone.here != NULL ? *tide__alone.here != 0 :
	    tide__plan_room()->pid == tide__sys_pid();
}
static struct tide_room *
tide__alone_fresh(void)
{
	struct tide_room *room = tide__plan_room();
	uint64_t now_ns = tide__sys_clock_coarse();
	if (!tide__alone_is_here()) {
		tide__plan_refresh(tide__sys_clock());
		tide__alone_stay_here();
	} else if (now_ns - room->refreshed_ns > TIDE__ALONE_OLD_NS) {
		tide__plan_refresh(tide__sys_clock());
	}
	return tide__plan_room();
}
static int
tide__alone_mark(const char *name)
{
	(void)name;
	return -ENODEV;
}
static int
tide__alone_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	(void)blocks;
	(void)bytes;
	return -ENODEV;
}
static struct tide_pool *
tide__alone_pool_create(const char *name)
{
	(void)name;
	return NULL;
}
static const char *
tide__alone_version(void)
{
	return NULL;
}
static void
tide__alone_release(void *p, size_t bytes)
{
	(void)tide__release_pages(p, bytes);
}
static const struct tide_runtime tide__alone_runtime = {
	sizeof(struct tide_runtime),
	TIDE_RUNTIME_VERSION,
	&tide__alone_fresh,
	&tide__plan_init,
	&tide__plan_status,
	&tide__plan_json,
	&tide__plan_budget_set,
	&tide__plan_safe,
	&tide__plan_poll,
	&tide__op_open,
	&tide__op_batch_size,
	&tide__batch_begin,
	&tide__batch_more,
	&tide__batch_item,
	&tide__batch_item_done,
	&tide__batch_item_fail,
	&tide__batch_end,
	&tide__batch_abort,
	&tide__op_read,
	&tide__guard_begin,
	&tide__guard_end,
	&tide__component_open,
	&tide__component_enter,
	&tide__component_leave,
	&tide__component_used,
	&tide__component_budget,
	&tide__reserve_take,
	&tide__reserve_give,
	&tide__cleanup_add,
	&tide__cleanup_drop,
	&tide__plan_reclaim,
	&tide__pressure_fd,
	&tide__plan_knob,
	&tide__alone_release,
	&tide__alone_mark,
	&tide__alone_leak_scan,
	&tide__alone_pool_create,
	&tide__alone_version,
	&tide__run_begin,
	&tide__run_input,
	&tide__run_resume,
	&tide__run_checkpoint,
	&tide__run_on_checkpoint,
	&tide__run_finish,
	&tide__run_recycle,
};
static const struct tide_runtime *
tide__alone_begin(void)
{
	uint64_t since = 0;
	uint32_t never = 0;
	struct tide_room *page;
	if (__atomic_compare_exchange_n(&tide__alone.begun, &never, 1, false,
	    __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
		page = tide__alone_page();
		tide__plan_begin(page != NULL ? &tide__alone_page_host : &tide__alone_host,
		    page != NULL ? page : tide__alone_own_room());
		tide__plan_room()->refresh_ns = TIDE__ALONE_OLD_NS;
		tide__alone_stay_here();
		__atomic_store_n(&tide__alone.begun, 2, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&tide__alone.begun, __ATOMIC_ACQUIRE) == 1 &&
	    tide__sys_give_way(&since))
		;
	return &tide__alone_runtime;
}
/* --- src/plan/discover.c */
#pragma weak dlsym
static const uint64_t tide__discover_unmet[16] = {
	0, 0, 0, 0, 0, 0, 0,
	TIDE_NONE, 0, TIDE_NONE, TIDE_NONE, 0, 1, 0, TIDE_NONE, 0
};
typedef char tide__discover_unmet_is_right[
    offsetof(struct tide_room, gate) == 7 * 8 &&
    offsetof(struct tide_room, refresh_ns) == 12 * 8 ? 1 : -1];
TIDE__SHARED const struct tide_room *tide__discover_room =
    (const struct tide_room *)(const void *)tide__discover_unmet;
TIDE__SHARED const struct tide_runtime *tide__discover_now = NULL;
static const struct tide_runtime *
tide__discover_runtime(void)
{
	const struct tide_runtime *(*ask)(void);
	const struct tide_runtime *found = NULL;
	void *symbol = dlsym != NULL ? dlsym(RTLD_DEFAULT,
	    "heaptide_runtime") : NULL;
	if (symbol != NULL) {
		memcpy(&ask, &symbol, sizeof(ask));
		found = ask();
	}
	if (found == NULL || found->version != TIDE_RUNTIME_VERSION ||
	    found->bytes < sizeof(*found))
		found = tide__alone_begin();
	__atomic_store_n(&tide__discover_room, (const struct tide_room *)
	    found->room(), __ATOMIC_RELEASE);
	__atomic_store_n(&tide__discover_now, found, __ATOMIC_RELEASE);
	return found;
}
static inline const struct tide_runtime *
tide__discover(void)
{
	const struct tide_runtime *found =
	    __atomic_load_n(&tide__discover_now, __ATOMIC_ACQUIRE);
	return __builtin_expect(found == NULL, 0) ? tide__discover_runtime() : found;
}
static const struct tide_room *
tide__discover_fresh(void)
{
	const struct tide_room *room = tide__discover()->room();
	if (room != __atomic_load_n(&tide__discover_room, __ATOMIC_RELAXED))
		__atomic_store_n(&tide__discover_room, room, __ATOMIC_RELEASE);
	return room;
}
#define TIDE_CALL_(name) tide__discover()->name
#define TIDE_ROOM_NOW_   __atomic_load_n(&tide__discover_room, __ATOMIC_RELAXED)
#define TIDE_FRESH_()    tide__discover_fresh()
#endif

/* --- queries -------------------------------------------------------------- */

/*
 * The room: where the answers lie.  Until the first question it is a page on
 * which every question goes to tide_fresh_().
 */
static inline const struct tide_room *
tide_room_(void)
{
	const struct tide_room *room = TIDE_ROOM_NOW_;

	return __builtin_expect(room->refresh_ns != 0, 0) ? TIDE_FRESH_() :
	    room;
}

/**
 * tide_budget() - how much this process may use
 *
 * The least of what is set and of all that could end or refuse the process:
 * control groups of both versions, all of them above it; RLIMIT_AS and
 * RLIMIT_DATA; what the machine has.  `heaptide budget PID` prints the chain.
 *
 * Cost:    1 ns; standalone 20 ns, and 100 us each second.
 * Signals: async-signal-safe after a first call outside of handlers.
 *
 * Return: bytes, or TIDE_NONE: there is no limit at all.
 */
static inline uint64_t
tide_budget(void)
{
	return __atomic_load_n(&tide_room_()->budget, __ATOMIC_RELAXED);
}

/**
 * tide_used() - how much of the budget is used
 *
 * Resident anonymous and shared memory and what was swapped out, as last seen,
 * and what the heap has grown by since then, which is counted exactly.  The
 * page cache has no part in it.  See tide_info for the terms.
 *
 * Cost:    1 ns; standalone 20 ns, and 3 us each 20 ms.
 * Signals: async-signal-safe after a first call outside of handlers.
 *
 * Return: bytes.
 */
static inline uint64_t
tide_used(void)
{
	return __atomic_load_n(&tide_room_()->used, __ATOMIC_RELAXED);
}

/**
 * tide_available() - how much this process may still take
 *
 * Another thread, or another process of the same control group, may have taken
 * it before you do.
 *
 * Cost:    1 ns; standalone as tide_used().
 * Signals: async-signal-safe after a first call outside of handlers.
 *
 * Return: bytes; 0 once budget and use have met; TIDE_NONE: no limit.
 */
static inline uint64_t
tide_available(void)
{
	return __atomic_load_n(&tide_room_()->left, __ATOMIC_RELAXED);
}

/**
 * tide_live() - how much of the heap is in use
 *
 * In usable bytes, as threads have published: each may have moved up to 64 KiB
 * since, less as the limit is nearer.  tide_status() is exact.
 *
 * Cost:    1 ns.
 * Signals: async-signal-safe after a first call outside of handlers.
 *
 * Return: bytes, or TIDE_NONE: nobody counts the heap of this process.
 */
static inline uint64_t
tide_live(void)
{
	return __atomic_load_n(&tide_room_()->live, __ATOMIC_RELAXED);
}

/**
 * tide_state() - how close the limit is
 *
 * Up at once, at 75, 88 and 96 % of the budget (HEAPTIDE_WARN,
 * HEAPTIDE_CRITICAL); down after a second below 70, 80 and 85 %.
 *
 * Cost:    1 ns; standalone as tide_used().
 * Signals: async-signal-safe after a first call outside of handlers.
 *
 * Return: TIDE_OK, TIDE_WARNING, TIDE_CRITICAL, TIDE_EXHAUSTED.
 */
static inline int
tide_state(void)
{
	return __atomic_load_n(&tide_room_()->state, __ATOMIC_RELAXED);
}

/**
 * tide_utilization() - which part of the budget is used
 *
 * Cost, signals: as tide_available().
 *
 * Return: 0 to 1, or more; 0 where there is no limit.
 */
static inline double
tide_utilization(void)
{
	const struct tide_room *room = tide_room_();
	uint64_t budget = __atomic_load_n(&room->budget, __ATOMIC_RELAXED);

	return budget == TIDE_NONE || budget == 0 ? 0 : (double)
	    __atomic_load_n(&room->used, __ATOMIC_RELAXED) / (double)budget;
}

/**
 * tide_should_stop() - has the program been asked to come to an end?
 *
 * By SIGTERM to its supervisor, by the operator (`heaptide ctl PID drain`), or
 * because there is no room for one more item.  What is done so far should be
 * written down; tide_batch_begin() answers 0 from then on.
 *
 * Cost:    1 ns; standalone as tide_used().
 * Signals: async-signal-safe after a first call outside of handlers.
 *
 * Return: 0, or the reasons: TIDE_STOP_*, or'ed.
 */
static inline int
tide_should_stop(void)
{
	return (int)__atomic_load_n(&tide_room_()->stop, __ATOMIC_RELAXED);
}

/**
 * tide_level() - how deep heaptide is in this process
 *
 * Return: TIDE_STANDALONE, TIDE_PAGE, TIDE_RUNTIME.
 */
static inline int
tide_level(void)
{
	return tide_room_()->level;
}

/**
 * tide_init() - begin now, and with these settings
 * @conf: NULL, or settings that go before those of the environment:
 *        `budget=512M target=80% warn=70% critical=85%`, with blanks, commas or
 *        newlines between
 *
 * Not needed: the first question begins as well.  It is for who wants the cost
 * of the first one elsewhere, or has settings of their own.
 *
 * Cost:    200 us.
 *
 * Return: 0; -EINVAL: a setting is not known, or its value not accepted or
 * longer than 63 bytes, and none of them was taken.
 */
static inline int
tide_init(const char *conf)
{
	return TIDE_CALL_(init)(conf);
}

/**
 * tide_status() - all of it, at one moment
 * @out: where it goes
 *
 * Cost:    1 us, and 3 us where resident memory is due to be looked at.
 *
 * Return: 0; -EINVAL: @out is NULL.
 */
static inline int
tide_status(tide_info *out)
{
	return TIDE_CALL_(status)(out);
}

/**
 * tide_json() - the same as a line of JSON
 * @buf: where it goes, with a terminator; may be NULL if @cap is 0
 * @cap: bytes of @buf
 *
 * Members: status, memory_usage_gb, peak_memory_gb, memory_warnings, and in
 * bytes memory_usage, peak_memory, budget, available, live, resident; source,
 * level.
 *
 * Return: bytes of the line, of which @cap - 1 are in @buf, as snprintf();
 * -EINVAL: @buf is NULL.
 */
static inline int
tide_json(char *buf, size_t cap)
{
	return TIDE_CALL_(json)(buf, cap);
}

/**
 * tide_budget_set() - use no more than so much
 * @bytes: 0: as it is without it
 *
 * It lowers the budget, and never raises it above what else limits the
 * process.
 *
 * Cost:    200 us.
 *
 * Return: 0; -ERANGE: another limit is lower, and rules.
 */
static inline int
tide_budget_set(uint64_t bytes)
{
	return TIDE_CALL_(budget_set)(bytes);
}

/**
 * tide_safe() - may something start that needs so much?
 * @need:     bytes that it will take
 * @max_used: bytes that may be used with it at the most; 0: no such line
 * @out:      NULL, or where the figures go that this was judged by
 *
 * Cost:    5 us.
 *
 * Return: 1: it may; 0: it would come to the line where new batches are held
 * back (88 % of the budget), or above @max_used.
 */
static inline int
tide_safe(uint64_t need, uint64_t max_used, tide_info *out)
{
	return TIDE_CALL_(safe)(need, max_used, out);
}

/* --- operations and batches ----------------------------------------------- */

/**
 * tide_op_open() - a kind of work whose batches are alike
 * @name: the same name is the same operation, in all of the process; at most 47
 *        bytes of it are kept; NULL, "": one without a name
 * @conf: how it is to be done, or NULL; the first caller's counts.  Set size to
 *        sizeof(tide_op_conf).  What is out of its range is as if not given;
 *        max below min is min
 *
 * There are 31; what has another name is in one together, "(others)".
 *
 * Cost:    some us.
 *
 * Return: the operation; never NULL.
 */
static inline tide_op *
tide_op_open(const char *name, const tide_op_conf *conf)
{
	return TIDE_CALL_(op_open)(name, conf);
}

/**
 * tide_batch_size() - how many items the next batch had best have
 * @op:        the operation
 * @remaining: items that are left; UINT64_MAX: not known
 *
 * A question only; tide_batch_begin() asks it, too.
 *
 * Cost:    20 us.
 *
 * Return: items; 0: @op is none, none remain, or none should be begun.
 */
static inline uint32_t
tide_batch_size(tide_op *op, uint64_t remaining)
{
	return TIDE_CALL_(batch_size)(op, remaining);
}

/**
 * tide_batch_begin() - begin a batch, sized to the room there is
 * @op:        the operation
 * @b:         filled in: b->n is how many items it may have; TIDE_BATCH_INIT
 *             or zero before the first time.  Stays where it is to the end
 * @first:     index of its first item, for reports and checkpoints
 * @remaining: items that are left; UINT64_MAX: not known
 * @wait_ns:   how long it may take until there is room; -1: as long as there
 *             is hope (10 s and what cleanups take), 0: not at all
 *
 * The only place that waits.  It waits while the state is critical, and while
 * other batches have what this one would need; never for ever: if nothing
 * comes free, cleanups are called whatever they cost, then a single item is
 * tried, and then it ends.
 *
 * Who has batches under way may begin another.  One that is never ended counts
 * as under way until its thread ends or the next begins at the same @b; nobody
 * waits for it but other threads, as long as its thread lives and does not wait
 * itself.
 *
 * Cost:    30 us, and 100 us once a second.
 * Threads: a batch is of one thread at a time.
 *
 * Return: > 0: b->n; 0: stop here (none remain, or tide_should_stop());
 *   -ETIMEDOUT no room came free in @wait_ns
 *   -ENOMEM    not even one item fits any more; exit with TIDE_EXIT_NO_MEMORY
 *   -EBUSY     @b is under way, which goes on: tide_batch_end() it
 *   -EDEADLK   as many as max_concurrent of @op are under way, all of them of
 *              this thread, or of such as wait as well
 *   -EINVAL    @op or @b is NULL
 */
static inline int
tide_batch_begin(tide_op *op, tide_batch *b, uint64_t first,
    uint64_t remaining, int64_t wait_ns)
{
	return TIDE_CALL_(batch_begin)(op, b, first, remaining, wait_ns);
}

/**
 * tide_batch_more() - is there room for one more item?
 * @b: the batch
 *
 * Ask before each item, if the items of a batch are taken one by one: what was
 * not foreseen then ends the batch, and not the program.  The first item of a
 * batch always may.
 *
 * Cost:    1 ns, six instructions, and now and then some us; standalone 250 ns.
 *
 * Return: 1, or 0: end the batch; also where @b is NULL or not under way.  In a
 * child, of a batch of its parent's: 1 as long as there is room, or 0.
 */
static inline int
tide_batch_more(tide_batch *b)
{
	if (__builtin_expect(b != NULL && __atomic_load_n(&TIDE_ROOM_NOW_->gate,
	    __ATOMIC_RELAXED) < b->line_, 1))
		return 1;
	return TIDE_CALL_(batch_more)(b);
}

/**
 * tide_item() - may an item of this weight come into the batch?
 * @b:      the batch
 * @weight: bytes, or anything else that memory grows with: the length of a
 *          record, the pixels of an image
 *
 * Ask before the item is loaded.  With weights a batch is closed before the
 * item that would not fit, however large; b->n then is no more than a guess.
 *
 * Cost:    some 100 ns.
 *
 * Return: 1: it is counted, load it; 0: end the batch first, and ask again in
 * the next; also where @b is NULL or not under way.
 */
static inline int
tide_item(tide_batch *b, uint64_t weight)
{
	return TIDE_CALL_(item)(b, weight);
}

/**
 * tide_item_done() - an item has been dealt with
 * @b: the batch, or NULL
 *
 * Optional: it tells how much a single item takes.
 *
 * Cost:    some 100 ns.
 */
static inline void
tide_item_done(tide_batch *b)
{
	TIDE_CALL_(item_done)(b);
}

/**
 * tide_item_fail() - an item could not be dealt with; the batch goes on
 * @b:     the batch, or NULL
 * @index: of the item
 * @why:   for people, or NULL
 */
static inline void
tide_item_fail(tide_batch *b, uint64_t index, const char *why)
{
	TIDE_CALL_(item_fail)(b, index, why);
}

/**
 * tide_batch_end() - a batch is over
 * @b:    the batch, or NULL; it may be begun again
 * @done: items that were dealt with; 0: there is nothing to learn from it
 *
 * What it took is learned from; an epoch ends, for `heaptide leaks`; cleanups
 * may be called, and where waiting lets others free memory, it waits (at most
 * HEAPTIDE_DELAY_MAX, 30 s; off with HEAPTIDE_DELAY_MODE=off).
 *
 * Cost:    30 us.
 *
 * Return: the state, as tide_state(); of one that is not under way as well,
 * which is left as it is.
 */
static inline int
tide_batch_end(tide_batch *b, uint64_t done)
{
	return TIDE_CALL_(batch_end)(b, done);
}

/**
 * tide_batch_abort() - a batch is given up
 * @b:   the batch, or NULL
 * @why: TIDE_NOMEM: an allocation failed, so the next is half as large;
 *       TIDE_ERROR, TIDE_CANCEL, any other: for other reasons
 *
 * Of one that is not under way it does nothing.
 */
static inline void
tide_batch_abort(tide_batch *b, int why)
{
	TIDE_CALL_(batch_abort)(b, why);
}

/**
 * tide_op_stats() - what an operation has done so far
 * @op:  the operation
 * @out: where it goes
 *
 * Return: 0; -EINVAL: one of them is NULL.
 */
static inline int
tide_op_stats(tide_op *op, struct tide_op_stats *out)
{
	return TIDE_CALL_(op_stats)(op, out);
}

static inline void
tide_batch_leave_(tide_batch *b)
{
	tide_batch_abort(b, TIDE_CANCEL);
}

/**
 * tide_for_each() - the whole loop
 * @op:    the operation
 * @total: items
 * @fn:    does items [first, first + n); 0: go on, else the loop ends
 * @ctx:   given to @fn
 *
 * @fn may throw: the batch is given up, and the exception goes on.  Where it
 * leaves by longjmp(), a batch is left that was never ended.
 *
 * Return: items that were done; less than @total: @fn said so,
 * tide_should_stop(), or there is no room for one more; 0 if @op or @fn is NULL.
 */
static inline uint64_t
tide_for_each(tide_op *op, uint64_t total,
    int (*fn)(void *ctx, uint64_t first, uint32_t n), void *ctx)
{
	tide_batch b __attribute__((cleanup(tide_batch_leave_)));
	uint64_t at = 0;
	int stop = 0;

	memset(&b, 0, sizeof(b));
	while (fn != NULL && stop == 0 && at < total &&
	    tide_batch_begin(op, &b, at, total - at, -1) > 0) {
		uint32_t n = b.n;

		stop = fn(ctx, at, n);
		(void)tide_batch_end(&b, n);
		at += n;
	}
	return at;
}

/* A walk through items [0, total), for tide_range_next(). */
typedef struct tide_range {
	tide_op *op;
	uint64_t at, total;
	tide_batch batch;
	int open;
} tide_range;

/**
 * tide_range_begin() - walk through items in batches
 * @r:     filled in
 * @op:    the operation
 * @total: items; UINT64_MAX: until the caller stops
 *
 * Who leaves a walk before tide_range_next() has said 0 ends the batch under way
 * by tide_batch_abort(&r->batch, TIDE_CANCEL).
 */
static inline void
tide_range_begin(tide_range *r, tide_op *op, uint64_t total)
{
	if (r == NULL)
		return;
	memset(r, 0, sizeof(*r));
	r->op = op;
	r->total = total;
}

/**
 * tide_range_next() - the next batch of a walk; the one before is over
 * @r:     from tide_range_begin()
 * @first: index of its first item
 * @count: how many
 *
 * Return: 1: there is one; 0: there is none, and the walk is over; or an
 * argument is NULL.
 */
static inline int
tide_range_next(tide_range *r, uint64_t *first, uint32_t *count)
{
	if (r == NULL || first == NULL || count == NULL)
		return 0;
	if (r->open) {
		(void)tide_batch_end(&r->batch, r->batch.n);
		r->at += r->batch.n;
		r->open = 0;
	}
	if (r->at >= r->total || tide_batch_begin(r->op, &r->batch, r->at,
	    r->total == TIDE_NONE ? TIDE_NONE : r->total - r->at, -1) <= 0)
		return 0;
	r->open = 1;
	*first = r->at;
	*count = r->batch.n;
	return 1;
}

/**
 * tide_page() - where the next page of a query begins, and how long it may be
 * @r:      from tide_range_begin(), with an operation whose max is the page
 * @offset: of its first row
 * @limit:  rows
 *
 * As tide_range_next(), by the names of databases.
 */
static inline int
tide_page(tide_range *r, uint64_t *offset, uint32_t *limit)
{
	return tide_range_next(r, offset, limit);
}

/* --- guards, components, reservations ------------------------------------- */

/**
 * tide_guard_begin() - a stretch of the program that is watched
 * @op:   name of the operation that it counts as a batch of one item of, as
 *        for tide_op_open()
 * @need: bytes that it will take; 0: not known
 *
 * Return: >= 1, for tide_guard_end();
 *   -ENOMEM    there is no room for @need; -ETIMEDOUT: none just now
 *   -ECANCELED tide_should_stop()
 *   -ENOSPC    64 are under way
 */
static inline int
tide_guard_begin(const char *op, uint64_t need)
{
	return TIDE_CALL_(guard_begin)(op, need);
}

/**
 * tide_guard_end() - it is over
 * @guard: from tide_guard_begin(); one that is not under way does nothing
 */
static inline void
tide_guard_end(int guard)
{
	TIDE_CALL_(guard_end)(guard);
}

static inline void
tide_guard_leave_(const int *guard)
{
	tide_guard_end(*guard);
}

/* To the end of the block.  Whether there is room is not asked. */
#define TIDE_GUARD_NAME_(line) tide_guard_at_##line
#define TIDE_GUARD_NAMED_(line) TIDE_GUARD_NAME_(line)
#define TIDE_GUARD(op) \
	__attribute__((cleanup(tide_guard_leave_), unused)) const int \
	TIDE_GUARD_NAMED_(__LINE__) = tide_guard_begin((op), 0)

/* Run a statement as a batch of one item of an operation. */
#define TIDE_WRAP(op, statement) \
	do { \
		const int tide_guard_here_ = tide_guard_begin((op), 0); \
		statement; \
		tide_guard_end(tide_guard_here_); \
	} while (0)

/**
 * tide_component() - a part of the program with a budget of its own
 * @name:   the same name is the same component; at most 47 bytes are kept
 * @max:    bytes that it may hold; 0: none of its own
 * @weight: its part of the process' budget, beside the others'; 0: none
 *
 * It holds what threads have allocated, less what they have freed, while they
 * were inside of it.
 *
 * Return: its id, from 1; -EINVAL: no name; -ENOSPC: there are 32.
 */
static inline int
tide_component(const char *name, uint64_t max, unsigned weight)
{
	return TIDE_CALL_(component)(name, max, weight);
}

/**
 * tide_component_enter() - the calling thread now works for a component
 * @id: from tide_component(); another does nothing
 *
 * They may be inside each other, 256 in all threads: the innermost is meant.
 */
static inline void
tide_component_enter(int id)
{
	TIDE_CALL_(component_enter)(id);
}

/**
 * tide_component_leave() - and now no longer
 * @id: as above; without an enter before it does nothing
 */
static inline void
tide_component_leave(int id)
{
	TIDE_CALL_(component_leave)(id);
}

/**
 * tide_component_used() - what a component holds
 * @id: as above
 *
 * With what the calling thread has taken since it came in; of others, what they
 * had when they left.
 *
 * Return: bytes; 0: there is no such component; TIDE_NONE: nobody counts the
 * heap of this process.
 */
static inline uint64_t
tide_component_used(int id)
{
	return TIDE_CALL_(component_used)(id);
}

/**
 * tide_cache_budget() - what a component should hold now
 * @id: as above
 *
 * Its max or its part by weight, whichever is less; three quarters of it at a
 * warning, half when it is critical, a quarter beyond.
 *
 * Return: bytes; 0: there is no such component; TIDE_NONE: no limit.
 */
static inline uint64_t
tide_cache_budget(int id)
{
	return TIDE_CALL_(component_budget)(id);
}

/**
 * tide_reserve() - set room aside that batches leave alone
 * @least:   bytes that it has to be
 * @most:    bytes that would be welcome
 * @wait_ns: how long it may take; 0: not at all, -1: until for 10 s nothing came
 *           free
 * @got:     how much it is; written on success only
 *
 * Return: 0; -ETIMEDOUT; -ENOMEM: the budget is less than that; -ECANCELED:
 * tide_should_stop(); -EINVAL: @got is NULL, @most is 0 or less than @least.
 */
static inline int
tide_reserve(uint64_t least, uint64_t most, int64_t wait_ns, uint64_t *got)
{
	return TIDE_CALL_(reserve)(least, most, wait_ns, got);
}

/**
 * tide_unreserve() - give it back
 * @bytes: as much as was got, or a part of it; more than is reserved is all
 */
static inline void
tide_unreserve(uint64_t bytes)
{
	TIDE_CALL_(unreserve)(bytes);
}

/**
 * tide_pool_acquire() - room for one more unit of anything: a connection, a
 * browser, a worker
 * @bytes:   that it takes
 * @wait_ns: as tide_reserve()
 *
 * Return: 0, or as tide_reserve(); tide_pool_release() gives it back.
 */
static inline int
tide_pool_acquire(uint64_t bytes, int64_t wait_ns)
{
	uint64_t got;

	return tide_reserve(bytes, bytes, wait_ns, &got);
}

static inline void
tide_pool_release(uint64_t bytes)
{
	tide_unreserve(bytes);
}

/* --- cleanup -------------------------------------------------------------- */

/**
 * tide_on_pressure() - call this when memory is short
 * @fn:    frees what can be spared
 * @ctx:   given to @fn
 * @cls:   TIDE_CLEAN_COMPACT ... TIDE_CLEAN_DESTRUCTIVE: the harmless first
 * @prio:  of one class, the higher first; what they brought counts more
 * @flags: 0: in this thread only, inside of its own tide_*() calls that are no
 *         queries; TIDE_ANY_THREAD: in whichever comes to one
 * @name:  for reports, or NULL
 *
 * Never from inside malloc.  @fn may call anything of this header; what would
 * call it again does not.  If it throws or jumps out, that goes on to who called
 * tide_*(), it counts as one that brought nothing, and the next comes to its
 * turn another time.
 *
 * Return: an id, from 1; -EINVAL: @fn is NULL or a value out of range;
 * -ENOSPC: there are 64.
 */
static inline int
tide_on_pressure(tide_clean_fn fn, void *ctx, int cls, int prio,
    unsigned flags, const char *name)
{
	return TIDE_CALL_(on_pressure)(fn, ctx, cls, prio, flags, name);
}

/**
 * tide_off_pressure() - and no longer
 * @id: from tide_on_pressure(); may be called by the callback itself
 *
 * Waits for another thread that is in it, a second at most.
 *
 * Return: 0: it has returned, and will not be called any more; -ENOENT: there is
 * none; -EBUSY: it will not be called any more, but has not returned yet.
 */
static inline int
tide_off_pressure(int id)
{
	return TIDE_CALL_(off_pressure)(id);
}

/**
 * tide_reclaim() - free what can be spared, now
 * @flags: 0, or of TIDE_EMERGENCY, TIDE_NO_CALLBACKS, TIDE_NO_PURGE
 * @want:  bytes that are enough; 0: all there is
 * @out:   NULL, or what it brought
 *
 * Cost:    what the callbacks take; giving 200 MB back to the system takes 30
 *          to 120 ms.
 *
 * Return: 0; -EBUSY: another thread is at it, or a callback called this;
 * -EINVAL: an unknown flag.
 */
static inline int
tide_reclaim(unsigned flags, uint64_t want, tide_reclaim_result *out)
{
	return TIDE_CALL_(reclaim)(flags, want, out);
}

/**
 * tide_poll() - a safe point in a program without batches
 * @flags: 0: look, and do what is due; TIDE_FORCE_RECLAIM: cleanups in any
 *         case, TIDE_EMERGENCY: all of them
 *
 * Cost:    5 us.
 *
 * Return: the state, as tide_state(); -EINVAL: an unknown flag.
 */
static inline int
tide_poll(unsigned flags)
{
	return TIDE_CALL_(poll)(flags);
}

/**
 * tide_pressure_fd() - a descriptor that can be read when the state changes
 *
 * For poll() and its like; each change is a byte, the state: read all there are
 * to wait for the next.  It is closed on exec, does not block, and belongs to
 * heaptide: who closes it nevertheless is given another the next time.
 *
 * Return: it, or a negative errno value.
 */
static inline int
tide_pressure_fd(void)
{
	return TIDE_CALL_(pressure_fd)();
}

/**
 * tide_knob() - how well it may be done
 * @name:     for reports, or NULL
 * @best:     while there is room
 * @cheapest: when it is critical
 *
 * For numbers that cost memory: samples, threads, a cache's size.
 *
 * Return: between the two, by how much of the budget is used; @best where there
 * is no limit, and where one of them is no number.
 */
static inline double
tide_knob(const char *name, double best, double cheapest)
{
	return TIDE_CALL_(knob)(name, best, cheapest);
}

/**
 * tide_release() - the system may have the memory of this back
 * @p:     of the program's own, from mmap() or a pool
 * @bytes: of it
 *
 * Whole pages only; what was in them is zero from then on.  Where there are
 * none of the program's it does nothing.
 */
static inline void
tide_release(void *p, size_t bytes)
{
	TIDE_CALL_(release)(p, bytes);
}

/*
 * --- runs and checkpoints --------------------------------------------------
 *
 * What a program has done by when, in a file that outlives it: started again,
 * with the same arguments in the same directory, it goes on from there.
 *
 *	tide_run_begin("index", total, "page", NULL);
 *	tide_resume(&at, NULL, NULL);
 *	while (at < total && !tide_should_stop()) {
 *		at += some_items(at);       flushed to where it shall be
 *		tide_checkpoint(at, NULL, 0);
 *	}
 *	tide_run_finish(at == total);
 *
 * So each item is done at least once; those since the last checkpoint may be
 * done twice.  Exactly once: keep in the blob how long the output is, with all
 * of it on the disk before; on resume, cut it to that length.
 *
 *	fflush(out); fdatasync(fileno(out)); length = ftello(out);
 *	tide_checkpoint(at, &length, sizeof(length));
 *	...
 *	if (tide_resume(&at, &length, &bytes) == 1)
 *		ftruncate(fileno(out), length);
 *
 * The file is NAME.tideck in $HEAPTIDE_STATE/runs, else in
 * $XDG_STATE_HOME/heaptide/runs, else in ~/.local/state/heaptide/runs;
 * `heaptide checkpoints` shows, verifies and cleans them up.  No argument and
 * no variable of the program is in it, but for paths, and its blobs.
 */

/**
 * tide_run_begin() - the work of this process, which can be gone on with
 * @name:  what it is called
 * @total: items, for who asks how far it is; TIDE_NONE or 0: not known
 * @unit:  what an item is called, or NULL
 * @id:    NULL, or where the name of the run goes, TIDE_RUN_ROOM bytes: @name,
 *         and a sum of the arguments and the directory
 *
 * If the last such run did not come to its end (tide_run_finish(1)), this goes
 * on with it.  One run at a time; batches from here on are noted in it.
 * HEAPTIDE_RESUME (`heaptide resume`) names another run of the same @name, or
 * another checkpoint of it: RUN@NUMBER.
 *
 * Cost:    some ms: the file is made, and is on the disk.
 * Fork:    a child has no run.
 *
 * Return: 0, or a negative errno value, and there is no run:
 *   -EINVAL  @name is NULL or empty
 *   -EALREADY this process is in a run
 *   -EBUSY   another process is at this very run
 *   -ENOENT  HEAPTIDE_RESUME names what is not there; no directory is known
 *   -ENOSPC, -EACCES, ...  the file cannot be written
 */
static inline int
tide_run_begin(const char *name, uint64_t total, const char *unit,
    char id[TIDE_RUN_ROOM])
{
	return TIDE_CALL_(run_begin)(name, total, unit, id);
}

/**
 * tide_input() - the run reads this file
 * @path: of a regular file
 *
 * Its size, time and the sum of its first and last 64 KiB are kept with the
 * run, and compared when it is gone on with; also by `heaptide checkpoints
 * verify`.
 *
 * Cost:    some 500 us.
 *
 * Return: 0; -ESTALE: the run goes on, and the file is not what it was; -ENOENT:
 * there is no run, or no file; -EINVAL: it is none that can be known again.
 */
static inline int
tide_input(const char *path)
{
	return TIDE_CALL_(input)(path);
}

/**
 * tide_resume() - where to go on
 * @cursor: NULL, or where the first item that is not done goes; 0: the start
 * @blob:   NULL, or where what was given to tide_checkpoint() goes
 * @len:    bytes of @blob, and then of what is in it; may be NULL without @blob
 *
 * Return: 1: from a checkpoint; 0: from the start; -EMSGSIZE: @blob is too
 * small, and @len is what it takes; -EIO: it cannot be read; -ENOENT: there is
 * no run; -EINVAL: @blob without @len.
 */
static inline int
tide_resume(uint64_t *cursor, void *blob, size_t *len)
{
	return TIDE_CALL_(resume)(cursor, blob, len);
}

/**
 * tide_checkpoint() - all items before this one are done
 * @cursor: the first that is not
 * @blob:   NULL, or anything that is wanted with it at tide_resume()
 * @len:    bytes of @blob, at most 65536
 *
 * Once it has returned 0 it is there, whatever becomes of the process; and of
 * the machine, if the last one that was forced to the disk was a second ago
 * (HEAPTIDE_CHECKPOINT_SYNC: batch: each; none: never).  If it fails, the one
 * before counts as before; it may be tried again.
 *
 * Cost:    20 us; what fdatasync() takes once a second.
 * Threads: from any, one after the other.
 *
 * Return: 0; -ENOENT: there is no run; -E2BIG: @len is too much; -EINVAL: @blob
 * is NULL and @len is not 0; -ENOSPC, -EIO, ...: it was not written.
 */
static inline int
tide_checkpoint(uint64_t cursor, const void *blob, size_t len)
{
	return TIDE_CALL_(checkpoint)(cursor, blob, len);
}

/**
 * tide_on_checkpoint() - call this when a checkpoint is due
 * @fn:  NULL: none; flushes what is done so far, and calls tide_checkpoint()
 * @ctx: given to @fn
 *
 * In tide_batch_end() of every fifth batch without a checkpoint
 * (HEAPTIDE_CHECKPOINT_EVERY, tide_op_conf.checkpoint_every, and by time:
 * HEAPTIDE_CHECKPOINT_SECONDS), in the thread that called that.  With batches in
 * several threads at one time the program knows which item is the first that is
 * not done; @fn is told of the batch that has just ended.
 *
 * Return: 0.
 */
static inline int
tide_on_checkpoint(tide_checkpoint_fn fn, void *ctx)
{
	return TIDE_CALL_(on_checkpoint)(fn, ctx);
}

/**
 * tide_run_finish() - the run is over
 * @ok: 1: all is done, and the next one starts anew; 0: it is to be gone on with
 *
 * Return: 0; -ENOENT: there is no run; -ENOSPC, -EIO, ...: it could not be noted,
 * so the next one goes on from the last checkpoint.
 */
static inline int
tide_run_finish(int ok)
{
	return TIDE_CALL_(run_finish)(ok);
}

/**
 * tide_recycle() - start anew, if that makes room
 *
 * Where there is a checkpoint, `heaptide run` is there to start the program
 * again, and more memory is used than at the start, by 2 % of the budget at
 * least: what tide_on_checkpoint() has is called, and the process ends at once
 * with status 85, as by _exit().  Else it returns, and nothing was done.
 */
static inline void
tide_recycle(void)
{
	TIDE_CALL_(recycle)();
}

/* --- epochs ---------------------------------------------------------------- */

/**
 * tide_mark() - an epoch ends here: a batch, a round, a request served
 * @name: at most 59 bytes of it are kept
 *
 * What every call path holds at this moment is noted, for `heaptide leaks` and
 * `heaptide diff` to say what grows from one epoch to the next.  Call it where
 * the program stands as it stood before: at the end of a batch, after its
 * memory was freed.  Of many epochs every second, fourth ... is kept, so a loop
 * may do so a million times.
 *
 * Cost:    some 10 ns for each call path and thread, where it is kept; else
 *          some 20 ns.
 * Threads: may be called from any thread; of two at the same moment one counts.
 * Signals: async-signal-safe after a first call outside of handlers.
 * Since:   0.1
 *
 * Return: 0; -ENODEV: heaptide does not count in this process; -EINVAL: @name
 * is NULL; -ENOSPC: there is no room for it.
 */
static inline int
tide_mark(const char *name)
{
	return TIDE_CALL_(mark)(name);
}

/*
 * --- pools ------------------------------------------------------------------
 *
 * An arena, a free list or a slab hands out pieces of memory that heaptide
 * sees as a few large blocks.  A program that says which pieces it hands out
 * has them reported: by the name of the pool and, with --stacks all, by the
 * path of calls that took them, with all that is done for a path - what it
 * holds and held at the peak, whether it grows, how old it is.  They have no
 * part in the heap's totals, which have the memory that they lie in.
 *
 * Where heaptide does not count there is no pool: tide_pool_create() is NULL,
 * and every other function does nothing but compare that.
 */

/**
 * tide_pool_create() - there is a pool from now on
 * @name: what it is called; at most 47 bytes of it are kept
 *
 * Pools of the same name are one in a report, and may be as many as there are
 * requests; 1023 names are told apart, what has another is under "(others)".
 *
 * Cost:    some 100 ns, and one comparison for each name that there is.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe after a first call outside of handlers.
 * Fork:    a child goes on with it; what was in it before counts as the
 *          parent's.
 * Since:   0.1
 *
 * Return: the pool; NULL: heaptide does not count in this process, @name is
 * NULL or empty, or there is no room (65,536 at one time).
 */
static inline struct tide_pool *
tide_pool_create(const char *name)
{
	return TIDE_CALL_(pool_create)(name);
}

/**
 * tide_pool_alloc() - the pool has handed out a block
 * @pool:  it, or NULL
 * @block: its address, which may be that of another pool's block as well
 * @bytes: its size, 0 to 128 GiB less one
 *
 * Called by who hands out, after the block was taken from the pool and before
 * another thread may give it back.
 *
 * Cost:    some 100 ns, with --stacks all some 150, more where millions are in
 *          use; one comparison if @pool is NULL.  30 to 150 bytes of memory for
 *          each block in use at one time.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe.
 * Since:   0.1
 *
 * Return: 0; -EEXIST: it was in use already, which ended with this call;
 * -ENODEV: @pool is NULL; -EINVAL: @block is NULL or @bytes too large; -ENOSPC:
 * there is no room, so it is not counted.
 */
static inline int
tide_pool_alloc(struct tide_pool *pool, const void *block, uint64_t bytes)
{
	return pool == NULL ? -ENODEV : pool->alloc(pool, block, bytes);
}

/**
 * tide_pool_free() - a block comes back to the pool
 * @pool:  it, or NULL
 * @block: the address that was given to tide_pool_alloc(), or NULL
 *
 * Called before the block may be handed out again.
 *
 * Cost:    some 50 ns; one comparison if @pool is NULL.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe.
 * Since:   0.1
 *
 * Return: 0; -ENODEV: @pool is NULL; -ENOENT: the pool has no such block in
 * use.
 */
static inline int
tide_pool_free(struct tide_pool *pool, const void *block)
{
	return pool == NULL ? -ENODEV : pool->free(pool, block);
}

/**
 * tide_pool_destroy() - the pool is no more, and no block of it is in use
 * @pool: it, or NULL; not to be used any more
 *
 * Cost:    some 50 ns for each block that is in use.
 * Threads: while no other thread uses this pool.
 * Signals: async-signal-safe.
 * Since:   0.1
 *
 * Return: 0, or -ENODEV: @pool is NULL.
 */
static inline int
tide_pool_destroy(struct tide_pool *pool)
{
	return pool == NULL ? -ENODEV : pool->destroy(pool);
}

/**
 * tide_leak_scan() - how much of the heap nobody can reach any more
 * @blocks: where the number of blocks goes; written on success only
 * @bytes: the same of their bytes, in usable sizes
 *
 * A child is forked off that looks for pointers to each block, in all that the
 * process has; the caller waits for it.  Call paths go into the profile, where
 * `heaptide leaks` finds them.
 *
 * Cost:    other threads are held for as long as a fork takes, some 10 ms a
 *          GiB; the search takes some seconds a GiB.
 * Threads: may be called from any thread.
 * Signals: not to be called from a handler.
 * Since:   0.1
 *
 * Return: 0, or a negative errno value:
 *   -ENODEV  heaptide does not count in this process
 *   -EINVAL  @blocks or @bytes is NULL
 *   -ENOTSUP its malloc is not glibc's; -ENOEXEC: nor one that is known
 *   -EPERM   the process has forbidden itself to fork
 *   -EAGAIN, -ENOMEM, ...  there is no child to be had
 */
static inline int
tide_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	return TIDE_CALL_(leak_scan)(blocks, bytes);
}

/**
 * tide_version() - the version of the library that counts in this process
 *
 * Return: text such as "0.1.0", or NULL: none does.
 */
static inline const char *
tide_version(void)
{
	return TIDE_CALL_(version_text)();
}

#ifdef __cplusplus
}
#endif

#endif
