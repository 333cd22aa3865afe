/*
 * runner.c - a program with a run, that does what programs do to it
 *
 * RUNNER=HOW RUNNER_N=N runner: by its environment, as its arguments are a part
 * of what its run is known by
 *
 * HOW: marks    make checkpoints at 10, 20 ... 10 N of 100, and leave without
 *               an end
 *      finish   the same, and end it
 *      where    say from where it goes on
 *      odd      call everything in ways that are wrong
 *      held     make one at 10; leave a child that has the file open, say its
 *               pid, and wait
 *      batches  batches of 4 with a callback for checkpoints, N of them; items
 *               3 and 7 fail
 *      report   go on, and make checkpoints up to N one by one, each told once
 *               it is there, then an end
 *      walk     do all of 100 items in batches of 4, each told, with a
 *               checkpoint behind each; items of RUNNER_FAILS (",3,7,") fail,
 *               at item RUNNER_DIES it kills itself; then an end
 *      recycle  make one at 10, grow by N MiB, and ask for a new start
 *
 * RUNNER_FSIZE: bytes that a file of it may have at most.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heaptide.h"

static int
begin(void)
{
	char id[TIDE_RUN_ROOM] = "";
	int r = tide_run_begin("runner", 100, "page", id);

	if (r < 0)
		printf("refused: %s\n", strerror(-r));
	else
		printf("run: %s\n", id);
	fflush(stdout);
	return r;
}

static int
say_where(void)
{
	char blob[64];
	size_t bytes = sizeof(blob) - 1;
	uint64_t cursor = 77;
	int r = tide_resume(&cursor, blob, &bytes);

	blob[r >= 0 ? bytes : 0] = '\0';
	printf("where: %d %llu '%s'\n", r, (unsigned long long)cursor, blob);
	return r;
}

static int
put_marks(int n)
{
	char blob[32];
	int i, r = 0;

	for (i = 1; i <= n && r == 0; i++) {
		snprintf(blob, sizeof(blob), "blob %d", i);
		r = tide_checkpoint((uint64_t)i * 10, blob, strlen(blob));
	}
	return r;
}

#define IS(expected, call) do { \
	long got_ = (call); \
	\
	if (got_ != (expected)) { \
		printf("%s: %ld\n", #call, got_); \
		bad++; \
	} \
} while (0)

static int
odd(void)
{
	static char big[65537];
	uint64_t cursor = 5;
	size_t bytes = 1;
	char byte;
	int bad = 0, status = -1;
	pid_t child;

	IS(-ENOENT, tide_checkpoint(1, NULL, 0));
	IS(-ENOENT, tide_resume(&cursor, NULL, NULL));
	IS(-ENOENT, tide_run_finish(1));
	IS(-ENOENT, tide_input("/proc/self/exe"));
	IS(-EINVAL, tide_run_begin(NULL, 1, NULL, NULL));
	IS(-EINVAL, tide_run_begin("", 1, NULL, NULL));
	tide_recycle();
	IS(0, tide_run_begin("odd/../name of mine", 0, NULL, NULL));
	IS(-EALREADY, tide_run_begin("another", 0, NULL, NULL));
	IS(0, tide_resume(&cursor, NULL, NULL));
	IS(0, cursor);
	IS(0, tide_resume(NULL, NULL, NULL));
	IS(-EINVAL, tide_resume(NULL, &byte, NULL));
	IS(-EINVAL, tide_checkpoint(1, NULL, 1));
	IS(-E2BIG, tide_checkpoint(1, big, sizeof(big)));
	IS(0, tide_checkpoint(UINT64_MAX, big, sizeof(big) - 1));
	IS(-EINVAL, tide_input(NULL));
	IS(-EINVAL, tide_input(""));
	IS(-EINVAL, tide_input("/dev/null"));
	IS(-EINVAL, tide_input("."));
	IS(-ENOENT, tide_input("there is no such file"));
	IS(0, tide_on_checkpoint(NULL, NULL));
	child = fork();
	if (child == 0) {
		IS(-ENOENT, tide_checkpoint(1, NULL, 0));
		IS(-ENOENT, tide_run_finish(1));
		IS(-EBUSY, tide_run_begin("odd/../name of mine", 0, NULL,
		    NULL));
		fflush(stdout);
		_exit(bad);
	}
	(void)waitpid(child, &status, 0);
	IS(0, status);
	IS(0, tide_checkpoint(3, "four", 4));
	tide_recycle(); /* nobody would start it again */
	IS(0, tide_run_finish(0));
	IS(-ENOENT, tide_run_finish(0));
	/* It goes on with what it left. */
	IS(0, tide_run_begin("odd/../name of mine", 0, NULL, NULL));
	IS(-EMSGSIZE, tide_resume(&cursor, &byte, &bytes));
	IS(4, (long)bytes);
	IS(1, tide_resume(&cursor, NULL, NULL));
	IS(3, (long)cursor);
	IS(0, tide_run_finish(1));
	IS(0, tide_run_begin("odd/../name of mine", 0, NULL, NULL));
	IS(0, tide_resume(&cursor, NULL, NULL));
	IS(0, tide_run_finish(1));
	printf("odd: %d\n", bad);
	return bad != 0;
}

static int
held(void)
{
	pid_t child;

	if (begin() < 0 || tide_checkpoint(10, "ten", 3) != 0)
		return 1;
	child = fork();
	if (child == 0) {
		for (;;)
			pause();
	}
	printf("child: %d\n", (int)child);
	fflush(stdout);
	for (;;)
		pause();
}

static uint64_t asked, saved;

static int
save(void *ctx, uint64_t cursor)
{
	(void)ctx;
	asked++;
	saved = cursor;
	return tide_checkpoint(cursor, NULL, 0);
}

static int
batches(int n)
{
	tide_op_conf conf;
	tide_batch b = TIDE_BATCH_INIT;
	uint64_t at = 0;
	tide_op *op;
	int i;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.fixed = 4;
	op = tide_op_open("work", &conf);
	if (begin() < 0)
		return 1;
	tide_on_checkpoint(save, NULL);
	(void)say_where();
	for (i = 0; i < n; i++) {
		if (tide_batch_begin(op, &b, at, TIDE_NONE, -1) <= 0)
			return 1;
		if (i == 0)
			tide_item_fail(&b, 3, "it is odd");
		if (i == 1)
			tide_item_fail(&b, 7, NULL);
		tide_batch_end(&b, 4);
		at += 4;
	}
	printf("asked: %llu, last at %llu\n", (unsigned long long)asked,
	    (unsigned long long)saved);
	return 0;
}

static void
tell(const char *what, uint64_t n)
{
	char line[64];
	int bytes = snprintf(line, sizeof(line), "%s %llu\n", what,
	    (unsigned long long)n);

	/* At once: it may be killed the next moment. */
	if (write(1, line, (size_t)bytes) != bytes)
		_exit(3);
}

static int
report(uint64_t n)
{
	char blob[32] = "";
	size_t bytes = sizeof(blob) - 1;
	uint64_t at = 0;

	if (tide_run_begin("runner", n, "page", NULL) < 0) {
		tell("no run", 0);
		return 4;
	}
	if (tide_resume(&at, blob, &bytes) < 0)
		return 5;
	blob[bytes] = '\0';
	if (at != 0 && (uint64_t)atoi(blob) != at)
		tell("another blob at", at);
	tell("from", at);
	while (at < n) {
		int r;

		at++;
		snprintf(blob, sizeof(blob), "%llu", (unsigned long long)at);
		r = tide_checkpoint(at, blob, strlen(blob));
		tell(r == 0 ? "there" : "not there", at);
	}
	if (tide_run_finish(1) == 0)
		tell("finished", 0);
	return 0;
}

static int
is_listed(const char *variable, uint64_t item)
{
	const char *list = getenv(variable);
	char word[32];

	snprintf(word, sizeof(word), ",%llu,", (unsigned long long)item);
	return list != NULL && strstr(list, word) != NULL;
}

static int
walk(void)
{
	tide_batch b = TIDE_BATCH_INIT;
	tide_op_conf conf;
	uint64_t at = 0;
	tide_op *op;
	int r;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.fixed = 4;
	if (begin() < 0)
		return 1;
	op = tide_op_open("work", &conf);
	r = tide_resume(&at, NULL, NULL);
	tell(r == TIDE_REDO ? "again from" : "from", at);
	while (at < 100 && tide_batch_begin(op, &b, at, 100 - at, -1) > 0) {
		for (at = b.first; at < b.first + b.n; at++) {
			if (is_listed("RUNNER_DIES", at))
				raise(SIGKILL);
			if (is_listed("RUNNER_FAILS", at))
				tide_item_fail(&b, at, "it is listed");
			else
				tell("item", at);
		}
		tide_batch_end(&b, at - b.first);
		(void)tide_checkpoint(at, NULL, 0);
	}
	if (at < 100 && b.n == 0)
		at = b.first;
	tell("at", at);
	return tide_run_finish(at == 100) < 0;
}

static int
recycle(int n)
{
	size_t bytes = (size_t)n << 20;
	char *held;

	if (begin() < 0)
		return 1;
	tide_recycle(); /* there is nothing to go on from */
	if (tide_checkpoint(10, "ten", 3) != 0)
		return 1;
	tide_recycle(); /* it would bring nothing */
	held = malloc(bytes);
	if (held == NULL)
		return 1;
	memset(held, 1, bytes);
	printf("grown: %d\n", held[bytes / 2]);
	fflush(stdout);
	tide_recycle();
	printf("returned\n");
	return 0;
}

/* From here on, as `ulimit -f` would have it from the start. */
static void
limit_files(const char *bytes)
{
	struct rlimit limit;

	if (bytes == NULL || getrlimit(RLIMIT_FSIZE, &limit) != 0)
		return;
	limit.rlim_cur = (rlim_t)atol(bytes);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
}

int
main(int argc, char **argv)
{
	const char *how = getenv("RUNNER");
	int n = getenv("RUNNER_N") != NULL ? atoi(getenv("RUNNER_N")) : 0;

	(void)argv;
	if (how == NULL || argc > 2)
		return 2;
	limit_files(getenv("RUNNER_FSIZE"));
	if (strcmp(how, "odd") == 0)
		return odd();
	if (strcmp(how, "held") == 0)
		return held();
	if (strcmp(how, "recycle") == 0)
		return recycle(n);
	if (strcmp(how, "batches") == 0)
		return batches(n);
	if (strcmp(how, "report") == 0)
		return report((uint64_t)n);
	if (strcmp(how, "walk") == 0)
		return walk();
	if (begin() < 0)
		return 1;
	if (say_where() < 0)
		return 1;
	if (strcmp(how, "where") == 0)
		return 0;
	if (put_marks(n) != 0)
		return 1;
	return strcmp(how, "finish") == 0 && tide_run_finish(1) != 0;
}
