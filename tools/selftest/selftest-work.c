/*
 * selftest-work.c - what the programs of a selftest do, by heaptide.h alone
 */
#include <heaptide.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "selftest/selftest.h"

#define MIB_BYTES ((size_t)1024 * 1024)

/* Memory that is really there. */
static char *
take(size_t bytes)
{
	char *p = malloc(bytes);

	if (p == NULL)
		exit(TIDE_EXIT_NO_MEMORY);
	memset(p, 1, bytes);
	/* Or the compiler sees that nobody reads it. */
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

/* --- small batches -------------------------------------------------------- */

static int
work_small(void)
{
	tide_op *op = tide_op_open("small", NULL);
	tide_batch b = TIDE_BATCH_INIT;
	uint64_t at = 0, sum = 0;

	while (at < SELFTEST_SMALL_ITEMS && tide_batch_begin(op, &b, at,
	    SELFTEST_SMALL_ITEMS - at, -1) > 0) {
		char *p = take(b.n * MIB_BYTES);
		uint32_t i;

		for (i = 0; i < b.n && tide_batch_more(&b); i++)
			sum += selftest_item(at + i);
		free(p);
		(void)tide_batch_end(&b, i);
		at += i;
	}
	printf("%llu %llu\n", (unsigned long long)at,
	    (unsigned long long)sum);
	return 0;
}

/* --- a threshold ---------------------------------------------------------- */

static char *cached[SELFTEST_CACHE_ITEMS];

static uint64_t
clear_cache(void *ctx, int level, uint64_t want)
{
	uint64_t freed = 0;
	int i;

	(void)ctx;
	(void)level;
	(void)want;
	for (i = 0; i < SELFTEST_CACHE_ITEMS; i++) {
		freed += cached[i] != NULL ? MIB_BYTES : 0;
		free(cached[i]);
		cached[i] = NULL;
	}
	return freed;
}

static int
work_threshold(void)
{
	tide_op *op = tide_op_open("cached", NULL);
	tide_batch b = TIDE_BATCH_INIT;
	uint64_t at = 0;

	(void)tide_on_pressure(clear_cache, NULL, TIDE_CLEAN_BENIGN, 0, 0,
	    "cache");
	while (at < SELFTEST_CACHE_ITEMS && tide_batch_begin(op, &b, at,
	    SELFTEST_CACHE_ITEMS - at, -1) > 0) {
		uint32_t i;

		for (i = 0; i < b.n && tide_batch_more(&b); i++)
			cached[at + i] = take(MIB_BYTES);
		(void)tide_batch_end(&b, i);
		at += i;
	}
	printf("%llu\n", (unsigned long long)at);
	return 0;
}

/* --- checkpoints ---------------------------------------------------------- */

static int
keep(void *ctx, uint64_t cursor)
{
	(void)ctx;
	return tide_checkpoint(cursor, NULL, 0);
}

/* It ends in the middle, as far as its run is concerned. */
static int
work_checkpoints(void)
{
	tide_range r;
	tide_op *op;
	uint64_t first;
	uint32_t count;

	if (tide_run_begin("selftest-checkpoints", SELFTEST_CHECKPOINTED,
	    "item", NULL) != 0)
		return 1;
	(void)tide_on_checkpoint(keep, NULL);
	op = tide_op_open("checkpointed", NULL);
	tide_range_begin(&r, op, SELFTEST_CHECKPOINTED);
	while (tide_range_next(&r, &first, &count))
		free(take(count * MIB_BYTES / 8));
	return tide_run_finish(0) == 0 ? 0 : 1;
}

/* --- recovery ------------------------------------------------------------- */

/* Exactly once: the checkpoint has how long the output was. */
static int
work_recovery(void)
{
	FILE *out = fopen("recovered.txt", "ab");
	uint64_t at = 0, length = 0;
	size_t bytes = sizeof(length);
	int r;

	if (out == NULL || tide_run_begin("selftest-recovery",
	    SELFTEST_RESUMED, "item", NULL) != 0)
		return 1;
	r = tide_resume(&at, &length, &bytes);
	if (r < 0 || ftruncate(fileno(out), r == 1 ? (off_t)length : 0) != 0)
		return 1;
	for (; at < SELFTEST_RESUMED; at++) {
		if (r == 0 && at == SELFTEST_KILLED_AT) {
			(void)fflush(out); /* too much, as it happens */
			(void)raise(SIGKILL);
		}
		fprintf(out, "%llu\n", (unsigned long long)selftest_item(at));
		if (at % 10 != 9)
			continue;
		(void)fflush(out);
		length = (uint64_t)ftello(out);
		if (tide_checkpoint(at + 1, &length, sizeof(length)) != 0)
			return 1;
	}
	printf("%d\n", r);
	return fclose(out) == 0 && tide_run_finish(1) == 0 ? 0 : 1;
}

/* --- monitoring ----------------------------------------------------------- */

/* Says that it is ready, and holds what it has until it may go on. */
static int
work_monitored(void)
{
	static char *block[SELFTEST_BLOCKS];
	char byte;
	int i;

	(void)tide_status(NULL);
	printf("ready %d %llu\n", (int)getpid(),
	    (unsigned long long)tide_live());
	(void)fflush(stdout);
	if (read(0, &byte, 1) != 1)
		return 1;
	for (i = 0; i < SELFTEST_BLOCKS; i++)
		block[i] = take(SELFTEST_BLOCK_BYTES);
	printf("holds\n");
	(void)fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	for (i = 0; i < SELFTEST_BLOCKS; i++)
		free(block[i]);
	return 0;
}

/* --- delays --------------------------------------------------------------- */

static void
batches(const char *name)
{
	tide_op_conf conf;
	tide_range r;
	uint64_t first;
	uint32_t count;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.fixed = 1;
	tide_range_begin(&r, tide_op_open(name, &conf), 3);
	while (tide_range_next(&r, &first, &count))
		free(take(64 * 1024));
}

static int
work_delays(void)
{
	char *held;

	batches("low");
	/* Three quarters of the 64 MiB that it has. */
	held = take(48 * MIB_BYTES);
	batches("high");
	free(held);
	return 0;
}

/* -------------------------------------------------------------------------- */

int
selftest_work(const char *work)
{
	static const struct {
		const char *name;
		int (*function)(void);
	} works[] = {
		{ "small", work_small },
		{ "threshold", work_threshold },
		{ "checkpoints", work_checkpoints },
		{ "recovery", work_recovery },
		{ "monitored", work_monitored },
		{ "delays", work_delays },
	};
	size_t i;

	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (strcmp(work, works[i].name) == 0)
			return works[i].function();
	return 2;
}
