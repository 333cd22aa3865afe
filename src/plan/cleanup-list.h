/*
 * cleanup-list.h - the callbacks that there are, who is next, and who is at it
 *
 * Floor (plan).  May use: base, sys, plan.h.  Used by: cleanup, and heaptide.h,
 * of which it is a part: C99 and C++.
 * Contexts: as cleanup.h; errno is left alone.
 *
 * All of it is changed under plan_lock(), which is never held while a callback
 * is called.  So who comes back from one looks first whether it is still at it.
 */
#ifndef PLAN_CLEANUP_LIST_H
#define PLAN_CLEANUP_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/client.h"

/*
 * A thread.  Its number tells it from those that have ended, where its errno
 * lies from those that run now, also in a child and where the kernel may not be
 * asked for the number.
 */
struct cleanup_thread {
	int tid; /* below 0: not known */
	const int *self;
};

/* What is left out of some runs, as it brought little. */
struct cleanup_rest {
	uint32_t skip;     /* runs to go */
	uint32_t back_off; /* so many the next time, by halves */
};

/* Is it left out of this run, unless that is @forced? */
bool cleanup_rests(struct cleanup_rest *r, bool forced);
void cleanup_rest(struct cleanup_rest *r, bool little);

/* Who runs them; it lies in the frame of who does. */
struct cleanup_turn {
	uint64_t mark;   /* a word by which the frame is known again */
	uint32_t number;
	int cls_most;
	bool forced;
	uint32_t wish;   /* only who was not called for this one; 0: all */
	struct cleanup_thread thread;
};

/* One that is to be called. */
struct cleanup_call {
	tide_clean_fn fn;
	void *ctx;
	int id;
	int row;
};

/* Be at it; -EBUSY: somebody is.  @turn: all zero but for what it wants. */
int cleanup_list_enter(struct cleanup_turn *turn);
void cleanup_list_leave(struct cleanup_turn *turn);

/* 1: call @call, which is inside of from now on; 0: there is no more; -EBUSY:
 * somebody else has gone on in our place. */
int cleanup_list_next(const struct cleanup_turn *turn,
    struct cleanup_call *call);

/*
 * It has returned, has brought @gain bytes in @ns, which was @little.  It may
 * be gone by now.  False: somebody else has gone on in our place.
 */
bool cleanup_list_returned(const struct cleanup_turn *turn,
    const struct cleanup_call *call, uint64_t gain, uint64_t ns,
    bool little);

/* Whose are those up to a class that were not called for @wish (0: all)? */
enum {
	CLEANUP_MINE = 1,  /* this thread may call one */
	CLEANUP_OTHERS = 2 /* one waits for another thread, which is there */
};
int cleanup_list_whose(int cls_most, uint32_t wish);

void cleanup_list_in_child(void);

#endif
