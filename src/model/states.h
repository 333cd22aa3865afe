/*
 * states.h - how near the limit is, whether a batch may start, what to do next
 *
 * Floor 1 (model).  May use: base.  Used by: plan, tools, the header.
 * Contexts: no clock, no I/O, no memory but what it is given: time comes in as
 * now_ns and never goes back.  One thread at a time per structure.  Portable:
 * C99 and C++11; part of the public header.
 *
 *	state      enter, of the budget   leave, for a second
 *	ok
 *	warning    0.75                   below 0.70
 *	critical   0.88                   below 0.80
 *	exhausted  0.96, or no memory     below 0.85
 *
 *  S1  Up at once, by any number of steps; down a step at a time, each after
 *	its own dwell.
 *  S2  Others may raise it: PSI some of 10 % in two seconds, to warning; PSI
 *	full of 5 %, or a limit that moved or was hit, to critical; a malloc that
 *	failed, to exhausted.  Each lasts for the dwell.  PSI is that of our
 *	group, or of a machine that is short (sys/pressure.h).
 *  S3  If what is left would be used up in half a second at the present rate,
 *	the state is one higher.
 *  S4  The breaker opens at critical: no new batch.  Once the state has been
 *	below critical it is half open: one batch of the least size is a probe.
 *	If that ends well it closes, else it opens again.
 *  S5  Cleanups may take 5 % of the time, over ten seconds (a bucket that
 *	leaks).  Once it is full, go straight to the next remedy.
 *  S6  No wait is for ever.  If the breaker is open for `stall` (10 s) while no
 *	batch runs, the next step has a name: an emergency reclaim; then one item
 *	if that fits into 0.98; then, if memory has grown since the start and a
 *	checkpoint exists, start anew (85); else end for want of memory (75),
 *	with the figures that tell by how much to raise the budget.
 */
#ifndef MODEL_STATES_H
#define MODEL_STATES_H

#include <stdbool.h>
#include <stdint.h>

/* Of the budget, unless told otherwise. */
#define STATES_WARN_FROM      0.75
#define STATES_CRITICAL_FROM  0.88
#define STATES_EXHAUSTED_FROM 0.96

/* S2: of two seconds, that some task waited for memory; it counts from here. */
#define STATES_SOME 0.10

enum states_state {
	STATES_OK,
	STATES_WARNING,
	STATES_CRITICAL,
	STATES_EXHAUSTED
};

enum states_breaker {
	STATES_CLOSED,
	STATES_OPEN,
	STATES_HALF_OPEN
};

/* What a caller who wants to start a batch is told. */
enum states_verdict {
	STATES_GO,        /* a batch of any size */
	STATES_PROBE,     /* one batch of the least size */
	STATES_WAIT,      /* until answer.until_ns, then ask again */
	STATES_RECLAIM,   /* reclaim all that can be, whatever it costs; then
			   * states_reclaimed(), and ask again */
	STATES_ONE_ITEM,  /* a batch of one item: it fits, just so */
	STATES_RECYCLE,   /* checkpoint and exit 85: start me again */
	STATES_NO_MEMORY  /* exit 75 with the figures of the answer */
};

/* 0 is the default of each. */
struct states_conf {
	double warn, critical, exhausted; /* enter; STATES_WARN_FROM ... */
	uint64_t dwell_ns;                /* 1 s */
	uint64_t stall_ns;                /* 10 s */
};

/* What is known now.  What is not known is 0. */
struct states_look {
	uint64_t now_ns;
	uint64_t budget, used;  /* bytes; budget 0: none, all is well */
	double rate;            /* bytes a second that it grows by */
	double some, full;      /* PSI of the last two seconds, 0 to 1 */
	uint64_t failed;        /* mallocs that failed, since the start */
	uint64_t limit_events;  /* memory.events' high and max, and the
				 * events of version 1, since the start */
	bool lease_overrun;     /* more used than leased, no more to be had */
};

/* For a caller who wants to start a batch; bytes. */
struct states_wish {
	uint64_t one;      /* that one item may take; 0: not known */
	uint64_t baseline; /* used now, with no batch running */
	uint64_t start;    /* used when the process began to work */
	bool checkpoint;   /* there is one to start anew from */
	bool in_flight;    /* another batch of this process is running */
};

struct states_answer {
	int verdict;       /* enum states_verdict */
	uint64_t until_ns; /* of STATES_WAIT */
	/* "baseline B leaves no room for one item (O) in M; raise the budget
	 * to >= R": of STATES_NO_MEMORY and STATES_RECYCLE; bytes */
	uint64_t baseline, one, budget, raise_to;
	bool grew;         /* the baseline has grown since the start */
};

/* Zeroed is "not met yet", with all defaults. */
struct states {
	struct states_conf conf;
	struct states_look look; /* the last one */
	int state;               /* enum states_state */
	int breaker;             /* enum states_breaker */
	bool predicted;          /* the state is one higher by S3 */
	uint32_t rises;          /* times that a state was entered from below */
	uint64_t below_ns;       /* since when the state could be left; 0: it
				  * cannot */
	uint64_t raised_ns[4];   /* until when S2 holds, by state */
	uint64_t failed, limit_events; /* as of the last look */
	uint64_t open_ns;        /* since when the breaker is open and no batch
				  * runs; 0: else */
	uint32_t step;           /* of S6, done so far */
	bool probing;            /* the probe is running */
	bool met;                /* there was a look */
	double bucket_ns;        /* S5 */
	uint64_t bucket_at_ns;
};

/* @conf NULL: all defaults.  Thresholds that are not in order (critical and
 * exhausted may be one), or outside of 0 to 1, are put back to these. */
void states_open(struct states *s, const struct states_conf *conf);

/* Look.  Return: the state, enum states_state. */
int states_step(struct states *s, const struct states_look *look);

/*
 * May a batch start?  By the last look.  Changes what S6 has done so far, so
 * who is told to do something does it.
 */
void states_ask(struct states *s, const struct states_wish *wish,
    struct states_answer *answer);

/* A batch has begun, or is over; @well: no kill, no cut by the state, and the
 * last look was below critical. */
void states_begun(struct states *s);
void states_ended(struct states *s, bool well);

/* May a cleanup run now, by S5? */
bool states_may_reclaim(const struct states *s, uint64_t now_ns);

/* One ran, for @spent_ns. */
void states_reclaimed(struct states *s, uint64_t spent_ns, uint64_t now_ns);

/* Does an open batch have to end before its next item? */
bool states_cuts(const struct states *s);

/*
 * Has memory that stays grown so far that starting anew from a checkpoint pays:
 * 0.7 of the budget, of which a quarter of the budget came since the start?
 */
bool states_recycle_pays(uint64_t budget, uint64_t baseline, uint64_t start);

/* "ok", "warning", "critical", "exhausted"; "closed", "open", "half open". */
const char *states_name(int state);
const char *states_breaker_name(int breaker);

#endif
