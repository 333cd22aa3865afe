/*
 * judge.h - which sites of a process keep growing
 *
 * Floor 7 (control).  May use: base, model, sys, control.  Used by: answers to
 * requests, the tools.
 * Contexts: not from inside malloc.  Cost: some us a site.  Of a process that
 * runs, or of a copy of its segment.
 *
 * Of each site and each moment of which there are figures (struct moment) a
 * point is made: what it held then, and what of that is left.  model/verdict.h
 * judges by these, all sites together.
 */
#ifndef CONTROL_JUDGE_H
#define CONTROL_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/ages.h"
#include "control/control.h"
#include "model/verdict.h"

struct judge_options {
	uint64_t now_ns;   /* CLOCK_MONOTONIC */
	uint64_t since_ns; /* leave out what was before; 0: nothing */
	size_t warmup;     /* epochs to leave out; SIZE_MAX: by itself */
	bool ended;        /* the process has */
	/* What growth must come to, of a budget that is set, before as much time
	 * has gone by again; less is minor.  0: VERDICT_EFFECT */
	double effect;
};

/* What was allocated between two points, and is still there. */
struct judge_age {
	double age;    /* epochs that have ended since; of its youngest block */
	int64_t bytes;
	uint64_t made; /* bytes, of which that is what is left; 0: not known */
};

/* A site. */
struct judged {
	uint64_t allocations, allocated; /* blocks, bytes; since the start */
	int64_t live_bytes, live_blocks;
	bool estimated;  /* from a sample */
	double error;    /* standard error of live_bytes */
	double held;     /* bytes, at the last point */
	bool given_back; /* after that, when the program ended */
};

struct judge {
	struct judge_options options;
	const struct control *control;
	double epoch[VERDICT_POINTS]; /* of each point: its number, */
	double at[VERDICT_POINTS];    /* and seconds since the start */
	size_t column[VERDICT_POINTS]; /* and which of struct trend */
	size_t points;
	size_t columns;  /* as many have one; the last may be of now */
	bool timed;      /* nobody paced them: they are by time */
	uint64_t epochs; /* that ended, of those that somebody set */
	struct verdict heap;     /* of all together */
	uint64_t sites;
	struct judged *site;     /* by number; 0 is none */
	struct verdict *verdict; /* the same */
	struct age_columns *ages; /* the same */
	void *room;
	uint64_t room_bytes;
};

/* 0, or -ENOMEM. */
int judge_open(struct judge *j, const struct control *c,
    const struct judge_options *options);
void judge_close(struct judge *j);

/* From the youngest on; returns how many. */
size_t judge_ages(const struct judge *j, uint32_t site,
    struct judge_age ages[VERDICT_POINTS]);

/* The same in a few numbers. */
struct judge_brief {
	enum verdict_kind heap; /* of all together */
	size_t growing, steps;  /* sites */
	double per_second;      /* bytes, of those that grow, together */
};

struct judge_brief judge_count(const struct judge *j);

/* 0, or -ENOMEM. */
int judge_in_brief(const struct control *c,
    const struct judge_options *options, struct judge_brief *brief);

/* Has it a verdict that is to be told of: does it grow, or made a step? */
static inline bool
judge_is_told(const struct verdict *v)
{
	return v->kind == VERDICT_GROWING || v->kind == VERDICT_STEP;
}

#endif
