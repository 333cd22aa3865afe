/*
 * selftest.h - does heaptide work here?  Seven tests with real programs
 *
 * Beside the house (tools/selftest).  May use: base, sys, reader, runs,
 * settings, need.  Used by: cmd-selftest.c; selftest.c has what runs programs,
 * selftest-cases.c the tests, selftest-work.c what the programs do, by
 * heaptide.h.
 *
 * All of it happens in a directory of its own, which is gone afterwards, with
 * nothing of the user's settings.  The programs are this one, started by
 * `heaptide run` as the user would start any.
 */
#ifndef SELFTEST_SELFTEST_H
#define SELFTEST_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SELFTEST_WHY_ROOM 512
#define SELFTEST_WAIT_NS  (60 * UINT64_C(1000000000)) /* for one program */

struct selftest {
	char *directory;
	char *self;             /* this program's file */
	double used_sum;        /* of the means of what was used, bytes */
	unsigned used_count;
	char why[SELFTEST_WHY_ROOM]; /* the first that is not as it should be */
};

/* A program, and what it left behind. */
struct profile;

struct selftest_program {
	int pid;      /* of `heaptide run`; 0: it has ended */
	int input;    /* the program reads to its end before it goes on; -1 */
	int status;   /* of wait() */
	char *name;   /* of NAME.out, NAME.err, NAME.tide */
};

/* False: it cannot be begun, and @t->why says why.  Closed in any case. */
bool selftest_open(struct selftest *t);
void selftest_close(struct selftest *t);

/*
 * Begin `heaptide run @options... -- heaptide selftest @WORK`; @options ends
 * with NULL.  @waits: it is held at its standard input.  False: @t->why.
 */
bool selftest_start(struct selftest *t, struct selftest_program *p,
    const char *work, bool waits, const char *const *options);

/* Wait for its end; false: it did not come, and it was ended. */
bool selftest_wait(struct selftest *t, struct selftest_program *p);

/* Any command of heaptide, to its end; the exit status, -1: there is none. */
int selftest_command(struct selftest *t, const char *name,
    const char *const *arguments);

/* What NAME.out or NAME.err has in it, to be freed. */
char *selftest_text(const struct selftest *t, const char *name,
    const char *suffix);

/* Its profile NAME.tide; false: @t->why. */
bool selftest_profile(struct selftest *t, const char *name,
    struct profile *profile);

/* The signal that asked it to end; 0: none did. */
int selftest_interrupted(void);

/* Not so: note why, once.  Returns false. */
bool selftest_fail(struct selftest *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- selftest-cases.c ----------------------------------------------------- */

struct selftest_case {
	const char *name;
	const char *part;   /* in the closing list; NULL: none of its own */
	bool (*run)(struct selftest *t);
};

#define SELFTEST_CASES 7
extern const struct selftest_case selftest_cases[SELFTEST_CASES];

/* --- selftest-work.c ------------------------------------------------------ */

/* What a test's program does; an exit status.  @work: "small", ... */
int selftest_work(const char *work);

/* What comes of item @i: programs and tests work it out each for itself. */
static inline uint64_t
selftest_item(uint64_t i)
{
	uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return x ^ (x >> 29);
}

#define SELFTEST_SMALL_ITEMS    30
#define SELFTEST_SMALL_BATCH    3
#define SELFTEST_CACHE_ITEMS    96
#define SELFTEST_CHECKPOINTED   60
#define SELFTEST_RESUMED        100
#define SELFTEST_KILLED_AT      47 /* item before which it is killed */
#define SELFTEST_BLOCKS         1000
#define SELFTEST_BLOCK_BYTES    10000

#endif
