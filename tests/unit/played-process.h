/*
 * played-process.h - a process whose memory is two numbers, which callbacks
 * lower; the rest of plan is played here, so that only what is asked happens
 */
#ifndef TESTS_PLAYED_PROCESS_H
#define TESTS_PLAYED_PROCESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "plan/cleanup.h"
#include "plan/host.h"
#include "plan/plan.h"
#include "sys/sys.h"

/* --- the process ---------------------------------------------------------- */

static struct {
	struct tide_room room;
	bool counted, seen;
	uint64_t live, blocks, resident, faults;
	int purges;
	uint64_t by_purge, purge_want;
	char said[8][160];
	int lines;
	pthread_mutex_t lock;
} played = { .lock = PTHREAD_MUTEX_INITIALIZER };

static __thread int64_t own;
static int gone_on_without;

static bool
heap(struct host_heap *h)
{
	memset(h, 0, sizeof(*h));
	h->bytes = __atomic_load_n(&played.live, __ATOMIC_RELAXED);
	h->blocks = __atomic_load_n(&played.blocks, __ATOMIC_RELAXED);
	h->thread = own;
	return played.counted;
}

static int
memory(struct host_memory *m)
{
	m->used = m->resident = played.resident;
	m->faults = played.faults;
	return played.seen ? 0 : -EPERM;
}

static bool
purge(uint64_t want)
{
	played.purges++;
	played.purge_want = want;
	played.resident -= played.by_purge;
	return true;
}

static const struct plan_host host = {
	.heap = heap,
	.memory = memory,
	.purge = purge,
};

const struct plan_host *
plan_host(void)
{
	return &host;
}

struct tide_room *
plan_room(void)
{
	return &played.room;
}

void
plan_lock(void)
{
	pthread_mutex_lock(&played.lock);
}

void
plan_unlock(void)
{
	pthread_mutex_unlock(&played.lock);
}

void
plan_say(const char *line)
{
	if (strstr(line, "did not return") != NULL)
		gone_on_without++;
	if (played.lines < 8)
		snprintf(played.said[played.lines], 160, "%s", line);
	played.lines++;
}

/* --- callbacks ------------------------------------------------------------ */

/* What one of them does, and what came of it. */
struct thing {
	uint64_t brings;  /* bytes of the heap */
	uint64_t returns; /* bytes that are resident no more */
	uint64_t says;
	int calls, level;
	uint64_t want;
	int id;
	char letter;
};

static char order[128];
static size_t ordered;

static uint64_t
work(void *ctx, int level, uint64_t want)
{
	struct thing *t = ctx;

	t->calls++;
	t->level = level;
	t->want = want;
	if (t->letter != '\0' && ordered < sizeof(order) - 1)
		order[ordered++] = t->letter;
	order[ordered] = '\0';
	played.live -= t->brings;
	own -= (int64_t)t->brings;
	played.blocks -= t->brings / 100;
	played.resident -= t->returns;
	errno = ENOTTY;
	return t->says;
}

static int
put(struct thing *t, int cls, int prio, unsigned flags)
{
	t->id = cleanup_add(work, t, cls, prio, flags, "thing");
	assert_true(t->id > 0);
	return t->id;
}

static inline const char *
run_at(int level, unsigned flags, uint64_t want)
{
	ordered = 0;
	order[0] = '\0';
	assert_int_equal(cleanup_run(level, flags, want, NULL), 0);
	return order;
}

static int last_id;

/* A process that is well, with nothing to call. */
static int
begin(void **state)
{
	static struct thing none;

	(void)state;
	/* The newest may be one of many that a test has put. */
	for (int id = 1; id <= last_id + CLEANUPS_MOST; id++)
		(void)cleanup_drop(id);
	last_id = put(&none, 0, 0, 0);
	for (int id = 1; id <= last_id; id++)
		(void)cleanup_drop(id);
	memset(&played.room, 0, sizeof(played.room));
	played.room.budget = 100 * MIB;
	played.counted = played.seen = true;
	played.live = 50 * MIB;
	played.resident = 55 * MIB;
	played.blocks = 1000000;
	played.faults = 0;
	played.purges = 0;
	own = 0;
	/* A purge that pays: none is left out for what there was before. */
	played.by_purge = MIB;
	played.resident += MIB;
	(void)cleanup_run(TIDE_OK, TIDE_FORCE_RECLAIM, 0, NULL);
	cleanup_bill();
	played.by_purge = 0;
	played.purges = 0;
	played.lines = 0;
	gone_on_without = 0;
	cleanup_in_child(); /* it knows of no wishes yet */
	memset(&played.room, 0, sizeof(played.room));
	played.room.budget = 100 * MIB;
	return 0;
}

#endif
