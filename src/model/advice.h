/*
 * advice.h - what should be changed about a program's memory, and by how much
 *
 * Floor 1 (model).  May use: base, numbers, verdict.  Used by: control.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 *
 * Facts of a run go in; what comes out is a list of findings, each with an id
 * that stays, how bad it is, and the numbers that it follows from and leads to.
 * An advice is given only where the facts carry it: what is not known says
 * nothing.  The words for people are made in control/counsel-words.c.
 *
 * When each is given stands in advice.c at its function, with where the
 * threshold comes from; doc/recommend.md has the same as a table.
 */
#ifndef MODEL_ADVICE_H
#define MODEL_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/room.h"
#include "model/verdict.h"

enum advice_id {
	ADVICE_OK,      /* nothing is wrong */
	ADVICE_UTIL,    /* much of the time near the budget */
	ADVICE_BATCH,   /* batches are cut, or change in size all the time */
	ADVICE_KNEE,    /* smaller batches are as fast */
	ADVICE_SLOW,    /* larger ones would be faster, or: would not */
	ADVICE_TAIL,    /* some items are far larger than others */
	ADVICE_SUPER,   /* twice the items take far more than twice as much */
	ADVICE_FIXED,   /* most of a batch's memory is there without any item */
	ADVICE_LEAK,    /* sites that keep growing */
	ADVICE_CACHE,   /* sites that grew, and are full now */
	ADVICE_RETAIN,  /* the allocator keeps what was freed */
	ADVICE_ALLOC,   /* so it does because threads come and go */
	ADVICE_DELAY,   /* delays freed nothing */
	ADVICE_CKPT,    /* a long run without checkpoints */
	ADVICE_CLEAN,   /* checkpoints that nobody removed */
	ADVICE_CONC,    /* batches wait for each other's memory */
	ADVICE_BUDGET,  /* the smallest budget that is enough */
	ADVICE_RECYCLE, /* a new start would have more room */
	ADVICE_HIGH,    /* it was critical, or out of memory */
	ADVICE_GROW,    /* each batch leaves something behind */
	ADVICE_SWAP,    /* part of it was swapped out */
	ADVICE_LIMIT,   /* the host's memory is the limit, in a group without */
	ADVICE_IDS
};

enum advice_severity {
	ADVICE_FINE,  /* good news, or how little would be enough */
	ADVICE_HINT,  /* could be better */
	ADVICE_WARN,  /* costs memory or time, or will */
	ADVICE_URGENT /* it ran, or will run, out of memory */
};

enum advice_allocator {
	ALLOCATOR_OTHER,
	ALLOCATOR_GLIBC,
	ALLOCATOR_JEMALLOC,
	ALLOCATOR_MIMALLOC,
	ALLOCATOR_TCMALLOC
};

/* A site and what was found about it; site 0: none. */
struct advice_site {
	uint32_t site;
	uint64_t live;     /* bytes that it holds */
	double per_epoch;  /* bytes it grows by: an epoch, a second */
	double per_second;
	double p;          /* that this is chance */
};

#define ADVICE_UNKNOWN (-1.0) /* of a share */

/*
 * What is known of a run.  Bytes; what is not known is 0, unless said
 * otherwise.
 */
struct advice_facts {
	double seconds;      /* that it has been running */
	bool ended;

	/* Against the budget. */
	uint64_t budget;     /* TIDE_NONE: there is none */
	uint64_t used;       /* now, or at the end */
	uint64_t used_mean, used_peak;
	double high_share;   /* of the time above 80 % of the budget */
	double state_share[4]; /* of the time in each state; or the first is
	                        * ADVICE_UNKNOWN */
	uint64_t failed;     /* allocations that were refused */
	bool leased;         /* it has a share of a common budget */
	bool from_host;      /* the budget is what the host has left */
	bool in_group;       /* and there is a control group around it */
	uint64_t swapped;
	/* Shares of the budget: to fill, and where batches are cut; 0: 900,
	 * not known. */
	uint32_t target_mille, critical_mille;

	/* Of the heap, at one moment. */
	uint64_t heap_live;     /* the program's blocks, with their rounding */
	uint64_t heap_resident; /* the same, and what the allocator keeps */
	enum advice_allocator allocator;
	uint32_t threads_most;  /* at one time */
	uint64_t threads_came;  /* since the start */

	/* What grows. */
	enum verdict_kind heap;    /* all of it; unknown: too short */
	size_t growing, saturated; /* sites */
	struct advice_site leak;   /* that most surely grows */
	struct advice_site cache;  /* the largest that is full */
	double growth_per_second;  /* of all sites that grow */
	bool stacks_known;         /* false: no site is known at all */
	bool by_batches;           /* an epoch is a batch */

	/* Checkpoints on this machine. */
	uint64_t kept_bytes;
	double kept_seconds; /* age of the oldest that may go */

	const struct tide_op_stats *op;
	size_t ops;
};

#define ADVICE_NUMBERS 6

struct advice {
	enum advice_id id;
	enum advice_severity severity;
	int op;          /* of facts.op; -1: of the process */
	uint32_t site;   /* 0: none */
	/* By advice_number(); 0 where there is nothing. */
	double number[ADVICE_NUMBERS];
};

/* Each is given once, or once an operation. */
#define ADVICE_MOST (ADVICE_IDS + 12 * TIDE_OPS)

/*
 * Judge; the most severe first, then in the order of the ids.  Returns how
 * many, at most @room.
 */
size_t advice_give(const struct advice_facts *facts, struct advice *list,
    size_t room);

/* "R-BUDGET"; "fine", "hint", "warning", "urgent". */
const char *advice_name(enum advice_id id);
const char *advice_severity_name(enum advice_severity severity);

/* What number @i of an advice is, as in JSON: "budget"; NULL: there is none. */
const char *advice_number(enum advice_id id, size_t i);

/* --- what is known of an operation ---------------------------------------- */

/* Items in a batch, on average; bytes that one took; batches a second ... */
double advice_items(const struct tide_op_stats *op);
double advice_growth(const struct tide_op_stats *op);
double advice_deviation(const struct tide_op_stats *op); /* of growth */
double advice_bytes_an_item(const struct tide_op_stats *op);
double advice_items_a_second(const struct tide_op_stats *op);

/* Is there a law for it, a + c n^p?  Else the mean is all that is known. */
bool advice_is_fitted(const struct tide_op_stats *op);

/*
 * Does it come to what the largest batch took, more or less?  Where items
 * differ much the power that fits best is chance.
 */
bool advice_law_holds(const struct tide_op_stats *op);

/*
 * Bytes that a batch of @n items takes, by what was fitted or the mean; no more
 * than batches took that were as large.
 */
double advice_batch(const struct tide_op_stats *op, double n);

/* Has it done anything, and so something to be told? */
bool advice_is_used(const struct tide_op_stats *op);

#endif
