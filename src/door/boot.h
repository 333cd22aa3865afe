/*
 * boot.h - how the library comes to life in a process, and in its children
 *
 * Floor 8 (door), below record and interpose.  May use: all floors.
 * Contexts: inside malloc, from the very first one on.
 *
 *   not met ----> resolved ----> counting        per process
 *                     \--------> off             HEAPTIDE=0, or no segment
 *
 * boot-now.c has the data that the hot road asks, and knows no other file of
 * this floor; boot.c the steps, and what is to be told when there is a child or
 * an end.
 *
 * A thread counts once self.tally is set; until then each of its calls takes
 * the cold road through boot_enter(), which tells what to do with it.
 */
#ifndef DOOR_BOOT_H
#define DOOR_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/segment.h"
#include "heap/sample.h"
#include "heap/site.h"
#include "stack/memo.h"
#include "stack/pychain.h"
#include "stack/unwind.h"

/* What the hot road needs of the calling thread.  Plain data: it has no
 * destructor, so it works in other people's, and after them. */
struct self {
	struct tally *tally; /* NULL: take the cold road */
	struct counts counts; /* by site */
	uint64_t *scratch;   /* for one stack; NULL: none yet */
	uint64_t *words;     /* for what its walk reads */
	struct memo *memo;   /* of stacks that were walked; NULL: none */
	struct pychain *chain; /* of Python's frames; NULL: none */
	uint32_t busy;       /* enum busy; volatile by barriers */
	uint32_t turn;       /* whose walk is in scratch, see where.c */
	uint32_t turned;     /* boot_now.turned, as this thread has heard */
	uint32_t shared;     /* 1: no row of its own, counts in row 0 */
	struct stack stack;  /* for the unwinder */
	struct sampler sampler;
	struct {
		uint64_t pc;   /* that an operator new returns to */
		uint32_t kind; /* enum kind */
	} made;                /* see kind.h */
	struct {
		const void *block;
		uint64_t size;
		uint64_t alignment;
		uint32_t kind; /* 0: none is being given back */
	} freed;
};

enum busy {
	BUSY_NOT,
	BUSY_OWN,       /* what comes now is for ourselves: from the pool */
	BUSY_INSIDE,    /* in an operator of the allocator: counted already */
	BUSY_MEETING    /* being given a row: a handler counts in the shared */
};

extern __thread struct self self
    __attribute__((tls_model("initial-exec")));

enum mode {
	MODE_NOT,   /* no segment; or we are a child, and have none yet */
	MODE_LONG,  /* every block has a record */
	MODE_ASK,   /* the allocator is asked for sizes; some blocks have one */
	MODE_ASK_SHORT, /* the same, and none has */
	MODE_DRAWN, /* glibc's blocks tell their size; some have a record */
	MODE_SHORT  /* the same, and none has: only the tally counts */
};

/*
 * The mode lies in a page that the kernel empties in a child
 * (MADV_WIPEONFORK), so that a child that was made without libc's fork(), and
 * thus without our handler, does not go on counting in its parent's segment.
 *
 * Beside it are masks, all ones or zero: a thread's row under one of them is
 * NULL if the thread is not met or the mode is another, at the price of one
 * question.  While the mode is changed all are zero: the long road is right
 * in any mode.
 */
#define BOOT_PAGE_BYTES 4096

struct boot_page {
	uintptr_t drawn; /* ones: MODE_DRAWN or MODE_SHORT */
	uintptr_t plain; /* ones: MODE_SHORT */
	uintptr_t asks;  /* ones: MODE_ASK or MODE_ASK_SHORT */
	bool asks_plain; /* MODE_ASK_SHORT: no block has a record */
	uint32_t mode;   /* enum mode; set before a thread counts */
	uint32_t known;  /* not 0: boot.c knows the pid, see boot_is_guest() */
} __attribute__((aligned(BOOT_PAGE_BYTES)));

extern struct boot_page boot_page INSIDE;

/* Other threads take the road of before or after, or in between the long one. */
void boot_set_mode(enum mode mode);

/*
 * This thread's row, or NULL where the @mask is zero or it is not met.  Read
 * anew each time, so that no register is kept for a second mask.
 */
static HOT struct tally *
boot_row(uintptr_t mask)
{
	struct tally *volatile *row = &self.tally;

	return (struct tally *)((uintptr_t)*row & mask);
}

/* Does this thread of this process count? */
static inline bool
boot_counts(void)
{
	return self.tally != NULL && boot_page.mode != MODE_NOT;
}

/* What boot_enter() found for this call. */
enum entry {
	ENTRY_COUNT,  /* self.tally is set: go on as on the hot road */
	ENTRY_SHARED, /* count in the shared row */
	ENTRY_PASS,   /* call the allocator and count nothing */
	ENTRY_POOL    /* there is no allocator yet: pool_take() */
};

enum entry boot_enter(void);

/* Are the next functions after ours known?  If not, boot_enter() asks the
 * dynamic linker, and that calls malloc(), which may be another's. */
bool boot_has_begun(void);

/*
 * What is allocated between the two, by this thread, is for ourselves and
 * comes from the pool: the dynamic linker's memory when we ask it something.
 */
struct aside {
	struct tally *tally;
	uint32_t busy;
};

struct aside boot_own_begin(void);
void boot_own_end(struct aside was);

/* The budget as the segment has it at its start; later a request may change
 * it there.  0: there is none. */
uint64_t boot_budget(void);

/*
 * Are we a child in its parent's memory, made by vfork() and its kin?  False
 * where the kernel may not be asked (sys_confine()).
 */
bool boot_is_guest(void);

/* Is there a segment, and is it this process'? */
bool boot_is_counting(void);

/* Was a keeper asked for?  @directory and @environment are what it needs. */
bool boot_wants_keeper(const char **directory, char *const **environment);

/* Shall a program be profiled that is executed now, in a @child or in here? */
bool boot_follows(bool child);

/* Was our library among the preloaded ones at the start? */
bool boot_was_preloaded(void);

/* Is an entry of an environment one that our options came in? */
bool boot_was_given(const char *entry);

/*
 * This process is about to become another program: its profile says so, and
 * until boot_image_goes_on() if that has failed.  False: it has no profile.
 */
bool boot_image_ends(void);
void boot_image_goes_on(void);

/* How this process is counted, as the hot road asks. */
struct boot_now {
	bool records;        /* STACKS_ALL: every block has a record */
	bool draws;          /* STACKS_SAMPLED: some have */
	bool more;           /* one of these two is */
	bool verifies;       /* stacks are compared with the reference's */
	bool python;         /* Python frames are parts of stacks */
	bool passes;         /* operators new and delete are nobody's business */
	bool mixed;          /* some blocks have a record and some have none */
	bool heeds;          /* so; or it matters to Python what is freed */
	uint32_t turned;     /* how often this has changed, see dial.h */
	uint32_t depth;      /* frames to keep of a stack */
	uint64_t seed;       /* of the draws; 0: by what is at hand */
	int pid;             /* whose segment it is; a child of fork() has its own */
};

extern struct boot_now boot_now INSIDE;

#endif
