/*
 * real.h - the allocator that the program would have without us
 *
 * Floor 8 (door).  May use: base, sys, plan/giveback.h.  Used by: boot, record,
 * interpose*.c.
 * Contexts: real_resolve() once, while the pool serves this thread; the rest
 * is read only from then on.
 */
#ifndef DOOR_REAL_H
#define DOOR_REAL_H

#include <stdbool.h>
#include <stddef.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/base.h"

#define REAL_SIZES 513 /* by eights, to 4096 bytes */

/*
 * The allocator in use, and libc's mappers and ways to start programs: what
 * comes after us in the dynamic linker's order.  Allocation functions are
 * never NULL once real_resolve() has returned; the optional ones say so.
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
	size_t (*usable_size)(void *); /* NULL: blocks cannot be counted */
	void (*trim)(uint64_t);        /* give so many bytes back, or more;
	                                * NULL: it cannot */
	void (*free_sized)(void *, size_t);                 /* optional */
	void (*free_aligned_sized)(void *, size_t, size_t); /* optional */
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	void *(*mremap)(void *, size_t, size_t, int, ...);
	int (*brk)(void *);
	void *(*sbrk)(intptr_t);
	int (*dlclose)(void *);
	int (*execv)(const char *, char *const *);
	int (*execve)(const char *, char *const *, char *const *);
	int (*execvp)(const char *, char *const *);
	int (*execvpe)(const char *, char *const *, char *const *);
	int (*fexecve)(int, char *const *, char *const *);
	int (*execveat)(int, const char *, char *const *, char *const *, int);
	int (*posix_spawn)(pid_t *, const char *,
	    const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
	    char *const *, char *const *);
	int (*posix_spawnp)(pid_t *, const char *,
	    const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
	    char *const *, char *const *);
	int (*prctl)(int, ...);
	int (*mlockall)(int);
	int (*setrlimit)(__rlimit_resource_t, const struct rlimit *);
	int (*prlimit)(pid_t, enum __rlimit_resource, const struct rlimit *,
	    struct rlimit *);
	const char *self;      /* the path that we were loaded from, or "" */
	const char *allocator;    /* path of real.malloc's module, or "" */
	uint64_t allocator_start; /* its range */
	uint64_t allocator_end;
	bool chunks;   /* glibc's: the size stands before a block */
	size_t cached; /* it writes this into blocks it keeps for a thread */
	bool owns_new; /* it has an operator new that does not call malloc */
	/* What malloc() of 8 * i bytes makes usable, or 0: not known. */
	uint16_t sizes[REAL_SIZES];
};

extern struct real real INSIDE;

/* By itself, for assembler to find it; NULL until it is known. */
extern long (*real_syscall)(long, ...);

/*
 * The bytes of a block of glibc's by the word before it, its head.
 *
 * glibc's own function also looks at the block behind, only to learn that this
 * one is in use, and that line of cache is often a cold one.  So where
 * real_resolve() has found that the head tells the size, as it has since 1997
 * (real.chunks), it is read.  Bit 1 is set in the head of blocks that are
 * mapped by themselves: about those, glibc is asked.
 */
static inline size_t
real_head(const void *block)
{
	return ((const size_t *)block)[-1];
}

static inline bool
real_is_mapped(size_t head)
{
	return UNLIKELY(head & 2);
}

static inline size_t
real_size(size_t head)
{
	return (head & ~(size_t)7) - sizeof(head);
}

static inline size_t
real_usable(void *block)
{
	size_t head;

	if (LIKELY(real.chunks)) {
		head = real_head(block);
		if (!real_is_mapped(head))
			return real_size(head);
	}
	return real.usable_size(block);
}

/* Of a new block: tcmalloc says less than was asked for until it is ready. */
static inline size_t
real_held(void *block, size_t requested)
{
	return max_u64(real_usable(block), requested);
}

/*
 * What malloc(@size) will make usable; 0: that is known when there is a block.
 * jemalloc rounds to a size class and lets itself be asked which without one:
 * its answers for small sizes are kept.
 */
static inline size_t
real_made(size_t size)
{
	size_t i = (size + 7) / 8;

	return LIKELY(i < REAL_SIZES) ? real.sizes[i] : 0;
}

/* Of one that malloc() or calloc() made. */
static inline size_t
real_held_made(void *block, size_t requested)
{
	size_t made;

	if (LIKELY(real.chunks))
		return real_held(block, requested);
	made = real_made(requested);
	return made != 0 ? made : real_held(block, requested);
}

/*
 * A system call of the program's, as libc would make it, errno and all: for
 * who calls before real_resolve() has returned.
 */
long real_directly(long number, long a, long b, long c, long d, long e,
    long f);

/* Does the allocator give free memory back by itself? */
bool real_purges(void);

/* Find all of it. */
void real_resolve(void);

/*
 * The environment as the kernel left it on the stack, for who allocates
 * before libc has looked there (.preinit_array), or NULL.
 */
char *const *real_environment(void);

/* The top of the first thread's stack, or 0. */
uint64_t real_stack_end(void);

#endif
