/*
 * room.h - how much room is left: what a program and its onlookers read
 *
 * Floor 0.  May use: nothing of ours.  Used by: the library, which stores, the
 * tools, and every program that includes heaptide.h, of which this is a part:
 * so it is C99 and C++, and its names are public ones.
 * Contexts: declarations only.
 *
 * One such page a process.  With the library inside it lies in the segment
 * (TABLE_BUDGET) and, at the same time, in the program's own memory; a static
 * program under `heaptide run` maps a file of its own; a program alone has it
 * in its data.  Whoever reads it does so without asking anybody.
 *
 * Version: fields are added in the zero bytes at the end of a structure; what
 * is there keeps its place, as programs are compiled against it.
 */
#ifndef BASE_ROOM_H
#define BASE_ROOM_H

#include <stdint.h>

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
	uint64_t aborts;           /* ended by tide_batch_abort(), all causes */
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
	uint64_t growth_p50, growth_p95, growth_p99; /* of a batch, to 3 % */
	uint64_t aborts_memory;    /* of @aborts, those with TIDE_NOMEM */
	uint64_t reserved[11];
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
	/* Of the run: checkpoints that could not be written, why the last of
	 * them could not (errno), and items that are left out. */
	uint64_t checkpoints_failed, checkpoint_error, quarantined;
	/*
	 * Of the batches under way the one begun first: what it is found in once
	 * the process is dead is what it died of, or at.  @open_ns is stored
	 * last, and cleared first.
	 */
	uint64_t open_first, open_n; /* item, items */
	uint64_t open_used;      /* bytes, as it began */
	uint64_t open_ns;        /* CLOCK_MONOTONIC, when it began; 0: there is
	                          * none */
	uint64_t open_most_ns;   /* longer, and it is stalled; 0: never */
	uint32_t open_op;        /* its row in @op */
	uint32_t forced_n;       /* items at most, as a supervisor said, until
	                          * what failed is behind; 0: as ever */
	/* What is live when no batch is under way, from batch to batch. */
	uint64_t trend_points;   /* 0: too few yet */
	double trend_rate, trend_low, trend_high; /* bytes a batch */
	uint64_t attempts;       /* starts of the run that it is in; 0: none */
	uint64_t growth_p50, growth_p95, growth_p99; /* of all batches */
	uint64_t leases;         /* of a common budget that batches had */
	uint64_t reserved[5];

	struct tide_component_stats component[TIDE_COMPONENTS];
	struct tide_op_stats op[TIDE_OPS];
};

#endif
