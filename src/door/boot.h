/*
 * boot.h - how the library comes to life in a process, and in its children
 *
 * Floor 8 (door), below record and interpose.  May use: all floors.
 * Contexts: inside malloc, from the very first one on.
 *
 *   not met ----> resolved ----> counting        per process
 *                     \--------> off             HEAPTIDE=0, or no segment
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

/*
 * The allocator in use, and libc's mappers: what comes after us in the
 * dynamic linker's order.  Allocation functions are never NULL once
 * boot_enter() has returned; the optional ones say so.
 */
struct real {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	size_t (*usable_size)(void *);
	void (*free_sized)(void *, size_t);                 /* optional */
	void (*free_aligned_sized)(void *, size_t, size_t); /* optional */
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	void *(*mremap)(void *, size_t, size_t, int, ...);
	int (*brk)(void *);
	void *(*sbrk)(intptr_t);
	uint64_t allocator_start; /* the module that real.malloc lies in */
	uint64_t allocator_end;
	bool owns_new; /* it has an operator new that does not call malloc */
};

extern struct real real;

/* What the hot road needs of the calling thread.  Plain data: it has no
 * destructor, so it works in other people's, and after them. */
struct self {
	struct tally *tally; /* NULL: take the cold road */
	uint64_t *scratch;   /* for one stack; NULL: none yet */
	uint32_t busy;       /* enum busy; volatile by barriers */
	uint32_t shared;     /* 1: no row of its own, counts in row 0 */
	uint32_t warm;       /* 1: the unwinder knows this thread */
};

enum busy {
	BUSY_NOT,
	BUSY_RECORDING, /* in record.c: what comes now is a signal handler's */
	BUSY_OWN,       /* what comes now is for ourselves: from the pool */
	BUSY_INSIDE     /* in an operator of the allocator: counted already */
};

extern __thread struct self self
    __attribute__((tls_model("initial-exec")));

/* What boot_enter() found for this call. */
enum entry {
	ENTRY_COUNT,  /* self.tally is set: go on as on the hot road */
	ENTRY_SHARED, /* count in the shared row */
	ENTRY_PASS,   /* call the allocator and count nothing */
	ENTRY_POOL    /* there is no allocator yet: pool_take() */
};

enum entry boot_enter(void);

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

/* STACKS_ALL: every block has a record in the ledger. */
extern bool boot_recording;

/* The unwinder is there. */
bool boot_unwinds(void);

/* Blocks of this generation are this process' own; others its parent's. */
uint32_t boot_generation(void);

/* The frames to keep of a stack. */
uint32_t boot_depth(void);

/*
 * The pool: memory for what ourselves and the dynamic linker allocate while
 * the allocator is not to be called.  Never given back, known by address.
 */
#define POOL_BYTES (4 * MIB)
extern char pool[POOL_BYTES];

static inline bool
pool_has(const void *p)
{
	return (uintptr_t)p - (uintptr_t)pool < POOL_BYTES;
}

void *pool_take(size_t bytes, size_t alignment);
size_t pool_size(const void *p);

#endif
