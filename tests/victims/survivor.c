/*
 * survivor.c - a job that can be gone on with, and is hard to bring to its end
 *
 * SURVIVOR="HOW N" survivor TOTAL OUTPUT
 *
 * Writes a line an item, each exactly once: with every checkpoint goes how long
 * the output is.  Each batch's beginning and size goes to OUTPUT.batches.
 *
 * HOW: chance   one item in N, by chance, is the last: SIGKILL
 *      recycle  after N items it wants to be started again
 *      poison   item N takes more than there is, and aborts
 *      crash    item N is the end by SIGSEGV, always
 *      once     the same, but the first time only
 *      hang     item N takes for ever, the first time
 *      refuse   too little memory, says the batch of item N, the first time
 *      eat      item N takes memory until that is the end, the first time
 *      swallow  the same, always
 *      leak     each item leaves 256 KiB behind; item N is as with eat
 *      stay     item N waits until a file "go" is there
 *
 * Items in HEAPTIDE_QUARANTINE it leaves out, if nobody does that for it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "heaptide.h"

static struct {
	FILE *out;
	uint64_t next, total, since;
	char how[16];
	uint64_t n;
} job;

static int
save(void *ctx, uint64_t cursor)
{
	int64_t length;

	(void)ctx;
	(void)cursor;
	if (fflush(job.out) != 0 || fdatasync(fileno(job.out)) != 0)
		return -1;
	length = ftello(job.out);
	return tide_checkpoint(job.next, &length, sizeof(length));
}

static void
load(void)
{
	int64_t length = 0;
	size_t bytes = sizeof(length);

	if (tide_resume(&job.next, &length, &bytes) < 0 ||
	    ftruncate(fileno(job.out), length) != 0 ||
	    fseeko(job.out, length, SEEK_SET) != 0) {
		perror("survivor");
		exit(1);
	}
}

/* True: nobody was here before. */
static int
first_time(void)
{
	int fd = open("met", O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int
is(const char *how)
{
	return strcmp(job.how, how) == 0;
}

static void
eat(void)
{
	size_t bytes = 1 << 20;
	char *p;

	while ((p = malloc(bytes)) != NULL)
		memset(p, 1, bytes);
	abort();
}

static void
leak(void)
{
	size_t bytes = 256 << 10;
	char *volatile lost = malloc(bytes);

	if (lost != NULL)
		memset(lost, 1, bytes);
}

/* NULL, whatever there is; not so that a compiler could know. */
static void
take_too_much(void)
{
	volatile size_t bytes = SIZE_MAX / 4;

	if (malloc(bytes) == NULL)
		abort();
}

static void
fall(void)
{
	const struct timespec nap = { 0, 20 * 1000 * 1000 };

	if (is("poison"))
		take_too_much();
	if (is("crash") || (is("once") && first_time()))
		raise(SIGSEGV);
	if (is("refuse") && first_time())
		_exit(TIDE_EXIT_NO_MEMORY);
	if (is("swallow") || ((is("eat") || is("leak")) && first_time()))
		eat();
	if (is("hang") && first_time())
		for (;;)
			nanosleep(&nap, NULL);
	while (is("stay") && access("go", F_OK) != 0)
		nanosleep(&nap, NULL);
}

static int
is_left_out(uint64_t item)
{
	const char *p = getenv("HEAPTIDE_QUARANTINE");
	unsigned long long first, last;
	int bytes;

	while (p != NULL && sscanf(p, "%llu-%llu%n", &first, &last, &bytes) ==
	    2) {
		if (item >= first && item <= last)
			return 1;
		p += bytes;
		p += *p == ',';
	}
	return 0;
}

static void
one(void)
{
	if (is_left_out(job.next)) {
		job.next++;
		return;
	}
	if (is("chance") && (uint64_t)rand() % job.n == 0)
		raise(SIGKILL);
	if (is("leak"))
		leak();
	if (job.next == job.n)
		fall();
	fprintf(job.out, "item %llu\n", (unsigned long long)job.next++);
	if (++job.since == job.n && is("recycle")) {
		(void)save(NULL, 0);
		_exit(TIDE_EXIT_CHECKPOINT);
	}
}

static void
note_batch(const char *output, const tide_batch *b)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s.batches", output);
	f = fopen(path, "a");
	if (f == NULL)
		return;
	fprintf(f, "%llu %u\n", (unsigned long long)b->first, b->n);
	fclose(f);
}

/* What the last tide_batch_begin() said. */
static int
work(const char *output)
{
	tide_op *op = tide_op_open("survive", NULL);
	tide_batch b = TIDE_BATCH_INIT;
	uint64_t i;
	int r = 0;

	while (job.next < job.total && (r = tide_batch_begin(op, &b, job.next,
	    job.total - job.next, -1)) > 0) {
		note_batch(output, &b);
		job.next = b.first;
		for (i = 0; i < b.n && tide_batch_more(&b); i++)
			one();
		tide_batch_end(&b, i);
	}
	return r;
}

int
main(int argc, char **argv)
{
	const char *how = getenv("SURVIVOR");
	unsigned long long n = UINT64_MAX;
	int done, r;

	if (argc != 3)
		return 2;
	if (how != NULL && sscanf(how, "%15s %llu", job.how, &n) != 2)
		return 2;
	job.n = n;
	job.total = strtoull(argv[1], NULL, 10);
	srand((unsigned)getpid());
	job.out = fopen(argv[2], "a");
	if (job.out != NULL)
		job.out = freopen(argv[2], "r+", job.out);
	if (job.out == NULL || tide_run_begin("survivor", job.total, NULL,
	    NULL) < 0) {
		perror("survivor");
		return 1;
	}
	tide_on_checkpoint(save, NULL);
	load();
	r = work(argv[2]);
	if (save(NULL, 0) != 0)
		return 1;
	/* Those that are left may be left out. */
	done = job.next >= job.total || (r == 0 && tide_should_stop() == 0);
	tide_run_finish(done);
	return done ? 0 : r < 0 ? TIDE_EXIT_NO_MEMORY : TIDE_EXIT_CHECKPOINT;
}
