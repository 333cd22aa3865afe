/*
 * host.h - what plan must be told of the process that it is in
 *
 * Floor (plan).  May use: base.  Used by: plan; door and heaptide.h, which
 * each have one.
 * Contexts: called from where a program calls tide_*(), and from the library's
 * slow path inside malloc; so nothing here may allocate or wait.
 *
 * The law is the same with the library inside, under `heaptide run` without
 * it, and alone.  What differs is how well the process can be seen.
 */
#ifndef PLAN_HOST_H
#define PLAN_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/room.h"

/* The heap as it is counted.  Bytes in usable sizes. */
struct host_heap {
	uint64_t bytes, blocks;  /* live */
	uint64_t allocated;      /* bytes since the start */
	int64_t thread;          /* allocated less freed by the caller */
	uint64_t failed;         /* allocations that were refused */
	uint32_t threads;        /* that have counted, and are there */
};

/* What the kernel says. */
struct host_memory {
	uint64_t used;           /* RssAnon + RssShmem + VmSwap, bytes */
	uint64_t resident;       /* all of it */
	uint64_t faults;         /* minor ones, since the start */
};

struct host_limit {
	uint64_t budget;         /* bytes, or TIDE_NONE */
	uint64_t available;      /* the least room in any limit, or TIDE_NONE */
	uint64_t others;         /* used against it, and not by the process'
	                          * resident memory */
	uint64_t slow_from;      /* memory.high, or TIDE_NONE */
	uint32_t soft;           /* 1: others move it */
	char source[32];
};

struct host_pressure {
	double some, full;
	uint64_t events;
};

/*
 * A stretch of time in which the highest point of the heap is wanted: of the
 * process, and of the thread that opened it.  Bytes.
 */
struct host_window {
	int64_t base, thread_base;
	int64_t high, thread_high; /* above base; once it is closed */
	uint64_t p[2];             /* the host's */
};

struct plan_host {
	int level; /* TIDE_STANDALONE, TIDE_PAGE, TIDE_RUNTIME */

	/* False: the heap is not counted, and windows are not there. */
	bool (*heap)(struct host_heap *heap);
	void (*window_open)(struct host_window *w);
	void (*window_close)(struct host_window *w);

	/* 0, or a negative errno value: it cannot be seen now. */
	int (*memory)(struct host_memory *memory);
	/* The same for less, @used but for shared and swapped memory; NULL:
	 * there is no way, or no need as the heap is counted. */
	int (*glance)(struct host_memory *memory);
	/* @set_bytes: what the program set itself, 0: nothing. */
	int (*limit)(uint64_t set_bytes, struct host_limit *limit);

	/* PSI of the last two seconds, 0 to 1; events at limits, since the
	 * start.  NULL, or -ENOENT: the kernel does not tell. */
	int (*pressure)(struct host_pressure *pressure);

	/* An epoch has ended: a batch of @name.  NULL: nobody counts them. */
	void (*epoch)(const char *name);

	/*
	 * Have the allocator give back @want bytes of what is free in it, or
	 * more; TIDE_NONE: all.  False: there is no way, or not in this
	 * context.
	 */
	bool (*purge)(uint64_t want);

	/* Does the allocator give back by itself, in its own time, what is free
	 * in it?  NULL: it does not. */
	bool (*purges)(void);

	/* A line for people, without a newline: where logs go. */
	void (*say)(const char *line);

	/* What was set for the process: "BUDGET", "WARN" ...; NULL: nothing. */
	const char *(*setting)(const char *name);

	/* Where the common budget of this name lies.  0, or -ENAMETOOLONG. */
	int (*pool_path)(const char *name, char *path, size_t bytes);

	/* In a child: the room that is its own, all zero. */
	struct tide_room *(*own_room)(void);

	/* Who it is there; NULL: the same. */
	const struct plan_host *in_child;

	/* Of heaptide; NULL: nobody knows. */
	const char *version;
};

#endif
