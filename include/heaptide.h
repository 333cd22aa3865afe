/**
 * heaptide.h - a program asks how high its heap stands
 *
 * One header, no library to link: C99 and C++.  Where libheaptide.so is
 * preloaded the answers are its exact counts; where it is not, every function
 * says so with -ENODEV and costs one comparison after the first call.
 *
 * Since: 0.1
 */
#ifndef HEAPTIDE_H
#define HEAPTIDE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_DEFAULT */
#endif
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TIDE_VERSION_MAJOR 0
#define TIDE_VERSION_MINOR 1

/*
 * Look @name up once; @slot remembers the answer.  dlsym() and not a weak
 * symbol: GNU ld resolves those to NULL for good in a position-dependent
 * executable, and would never see a preloaded library.
 */
static inline void *
tide_find(void **slot, const char *name)
{
	if (*slot == NULL) {
		void *found = dlsym(RTLD_DEFAULT, name);

		*slot = found != NULL ? found : (void *)slot;
	}
	return *slot == (void *)slot ? NULL : *slot;
}

/**
 * tide_used() - how much of the heap is in use
 * @bytes: where the answer goes, in usable bytes; written on success only
 *
 * Cost:    one pass over the threads; no thread that allocates is held up.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe after a first call outside of handlers.
 * Since:   0.1
 *
 * Return: 0, or -ENODEV: heaptide does not count in this process.
 */
static inline int
tide_used(uint64_t *bytes)
{
	static void *slot;
	int (*f)(uint64_t *);
	void *found = tide_find(&slot, "heaptide_used");

	if (found == NULL)
		return -ENODEV;
	memcpy(&f, &found, sizeof(f));
	return f(bytes);
}

/**
 * tide_peak() - the most that was ever in use at one time
 * @bytes: where the answer goes, in usable bytes; written on success only
 *
 * Exact for a program that allocates in one thread; with several, to within
 * 64 KiB for each thread and one more.
 *
 * Cost:    some 20 ns.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe after a first call outside of handlers.
 * Since:   0.1
 *
 * Return: 0, or -ENODEV: heaptide does not count in this process.
 */
static inline int
tide_peak(uint64_t *bytes)
{
	static void *slot;
	int (*f)(uint64_t *);
	void *found = tide_find(&slot, "heaptide_peak");

	if (found == NULL)
		return -ENODEV;
	memcpy(&f, &found, sizeof(f));
	return f(bytes);
}

/**
 * tide_mark() - an epoch ends here: a batch, a round, a request served
 * @name: at most 59 bytes of it are kept
 *
 * What every call path holds at this moment is noted, for `heaptide leaks` and
 * `heaptide diff` to say what grows from one epoch to the next.  Call it where
 * the program stands as it stood before: at the end of a batch, after its
 * memory was freed.  Of many epochs every second, fourth ... is kept, so a loop
 * may do so a million times.
 *
 * Cost:    some 10 ns for each call path and thread, where it is kept; else
 *          some 20 ns.
 * Threads: may be called from any thread; of two at the same moment one counts.
 * Signals: async-signal-safe after a first call outside of handlers.
 * Since:   0.1
 *
 * Return: 0; -ENODEV: heaptide does not count in this process; -EINVAL: @name
 * is NULL; -ENOSPC: there is no room for it.
 */
static inline int
tide_mark(const char *name)
{
	static void *slot;
	int (*f)(const char *);
	void *found = tide_find(&slot, "heaptide_mark");

	if (found == NULL)
		return -ENODEV;
	memcpy(&f, &found, sizeof(f));
	return f(name);
}

/*
 * --- pools ------------------------------------------------------------------
 *
 * An arena, a free list or a slab hands out pieces of memory that heaptide
 * sees as a few large blocks.  A program that says which pieces it hands out
 * has them reported: by the name of the pool and, with --stacks all, by the
 * path of calls that took them, with all that is done for a path - what it
 * holds and held at the peak, whether it grows, how old it is.  They have no
 * part in the heap's totals, which have the memory that they lie in.
 *
 * Where heaptide does not count there is no pool: tide_pool_create() is NULL,
 * and every other function does nothing but compare that.
 */

/* A pool, to be used by the functions below; what is in it is theirs. */
struct tide_pool {
	int (*alloc)(struct tide_pool *pool, const void *block,
	    uint64_t bytes);
	int (*free)(struct tide_pool *pool, const void *block);
	int (*destroy)(struct tide_pool *pool);
};

/**
 * tide_pool_create() - there is a pool from now on
 * @name: what it is called; at most 47 bytes of it are kept
 *
 * Pools of the same name are one in a report, and may be as many as there are
 * requests; 1023 names are told apart, what has another is under "(others)".
 *
 * Cost:    some 100 ns, and one comparison for each name that there is.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe after a first call outside of handlers.
 * Fork:    a child goes on with it; what was in it before counts as the
 *          parent's.
 * Since:   0.1
 *
 * Return: the pool; NULL: heaptide does not count in this process, @name is
 * NULL or empty, or there is no room (65,536 at one time).
 */
static inline struct tide_pool *
tide_pool_create(const char *name)
{
	static void *slot;
	struct tide_pool *(*f)(const char *);
	void *found = tide_find(&slot, "heaptide_pool_create");

	if (found == NULL)
		return NULL;
	memcpy(&f, &found, sizeof(f));
	return f(name);
}

/**
 * tide_pool_alloc() - the pool has handed out a block
 * @pool:  it, or NULL
 * @block: its address, which may be that of another pool's block as well
 * @bytes: its size, 0 to 128 GiB less one
 *
 * Called by who hands out, after the block was taken from the pool and before
 * another thread may give it back.
 *
 * Cost:    some 100 ns, with --stacks all some 150, more where millions are in
 *          use; one comparison if @pool is NULL.  30 to 150 bytes of memory for
 *          each block in use at one time.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe.
 * Since:   0.1
 *
 * Return: 0; -EEXIST: it was in use already, which ended with this call;
 * -ENODEV: @pool is NULL; -EINVAL: @block is NULL or @bytes too large; -ENOSPC:
 * there is no room, so it is not counted.
 */
static inline int
tide_pool_alloc(struct tide_pool *pool, const void *block, uint64_t bytes)
{
	return pool == NULL ? -ENODEV : pool->alloc(pool, block, bytes);
}

/**
 * tide_pool_free() - a block comes back to the pool
 * @pool:  it, or NULL
 * @block: the address that was given to tide_pool_alloc(), or NULL
 *
 * Called before the block may be handed out again.
 *
 * Cost:    some 50 ns; one comparison if @pool is NULL.
 * Threads: may be called from any thread, at any time.
 * Signals: async-signal-safe.
 * Since:   0.1
 *
 * Return: 0; -ENODEV: @pool is NULL; -ENOENT: the pool has no such block in
 * use.
 */
static inline int
tide_pool_free(struct tide_pool *pool, const void *block)
{
	return pool == NULL ? -ENODEV : pool->free(pool, block);
}

/**
 * tide_pool_destroy() - the pool is no more, and no block of it is in use
 * @pool: it, or NULL; not to be used any more
 *
 * Cost:    some 50 ns for each block that is in use.
 * Threads: while no other thread uses this pool.
 * Signals: async-signal-safe.
 * Since:   0.1
 *
 * Return: 0, or -ENODEV: @pool is NULL.
 */
static inline int
tide_pool_destroy(struct tide_pool *pool)
{
	return pool == NULL ? -ENODEV : pool->destroy(pool);
}

/**
 * tide_leak_scan() - how much of the heap nobody can reach any more
 * @blocks: where the number of blocks goes; written on success only
 * @bytes: the same of their bytes, in usable sizes
 *
 * A child is forked off that looks for pointers to each block, in all that the
 * process has; the caller waits for it.  Call paths go into the profile, where
 * `heaptide leaks` finds them.
 *
 * Cost:    other threads are held for as long as a fork takes, some 10 ms a
 *          GiB; the search takes some seconds a GiB.
 * Threads: may be called from any thread.
 * Signals: not to be called from a handler.
 * Since:   0.1
 *
 * Return: 0, or a negative errno value:
 *   -ENODEV  heaptide does not count in this process
 *   -ENOTSUP its malloc is not glibc's; -ENOEXEC: nor one that is known
 *   -EPERM   the process has forbidden itself to fork
 *   -EAGAIN, -ENOMEM, ...  there is no child to be had
 */
static inline int
tide_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	static void *slot;
	int (*f)(uint64_t *, uint64_t *);
	void *found = tide_find(&slot, "heaptide_leak_scan");

	if (found == NULL)
		return -ENODEV;
	memcpy(&f, &found, sizeof(f));
	return f(blocks, bytes);
}

/**
 * tide_version() - the version of the library that counts in this process
 *
 * Return: text such as "0.1.0", or NULL: none does.
 */
static inline const char *
tide_version(void)
{
	static void *slot;
	const char *(*f)(void);
	void *found = tide_find(&slot, "heaptide_version");

	if (found == NULL)
		return NULL;
	memcpy(&f, &found, sizeof(f));
	return f();
}

#ifdef __cplusplus
}
#endif

#endif
