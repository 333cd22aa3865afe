/*
 * course.h - how much a job holds over its time, and whether one more fits
 * between those that run
 *
 * Floor 1 (model).  May use: base.  Used by: tools.
 * Contexts: no clock, no I/O, no memory but what it is given.
 *
 * Jobs that do the same grow alike and end alike.  Of such it is known when one
 * that runs will give its memory back, so the next need not wait for that: it
 * may begin so much earlier that it has grown to its full size only then.  With
 *
 *	h(a)  the most that any of them held at the age a; 0 once all had ended
 *
 * one more may begin if for every t >= 0
 *
 *	sum of h(a_i + t) over those that run, and h(t)  <=  the room there is
 *
 * Who is older than any before it counts with its peak for ever.
 */
#ifndef MODEL_COURSE_H
#define MODEL_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COURSE_STEPS 64

/* Of one job.  Zeroed: nothing was seen. */
struct course {
	uint64_t step_ns; /* of age that a row stands for; doubles as it ages */
	uint64_t last;    /* bytes, when last looked at */
	uint32_t rows;    /* in use */
	uint64_t most[COURSE_STEPS]; /* bytes */
};

/* Of those that have ended, the last 32 to 64.  Zeroed: of none. */
struct courses {
	struct courses_part {
		struct course most; /* of any, at each age */
		uint32_t jobs;
		uint64_t least_bytes, most_bytes; /* peaks */
		uint64_t least_ns, most_ns;       /* ages at the end */
	} part[2]; /* the second will take the place of the first */
};

/* It held @bytes at the age of @age_ns.  Ages do not fall. */
void course_note(struct course *c, uint64_t age_ns, uint64_t bytes);

/* It has ended at that age, and @peak was the most. */
void courses_add(struct courses *all, const struct course *c, uint64_t age_ns,
    uint64_t peak);

/* They differ little, in bytes as in time, and last long enough to be seen. */
bool courses_alike(const struct courses *all);

/* h(@age_ns): bytes. */
uint64_t courses_held(const struct courses *all, uint64_t age_ns);

/* May one more begin beside @count of the ages @age_ns?  @room: bytes. */
bool courses_fit(const struct courses *all, const uint64_t *age_ns,
    size_t count, uint64_t room);

#endif
