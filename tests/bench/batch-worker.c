/*
 * batch-worker.c - a job of side-by-side.sh: grows, works, and keeps an account
 *
 * usage: batch-worker NUMBER MEGABYTES MILLISECONDS
 *
 * It grows to MEGABYTES over the first half of its CPU time, and then has that
 * much until MILLISECONDS of CPU time are spent.  In $BATCH_ACCOUNT it notes
 * that it began, what it has spent so far, and that it ended; so that of one
 * that is killed is known what was lost.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int account = -1;

static double
spent_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
note(const char *what)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %d %.0f\n", what, getpid(),
	    spent_ms());

	if (account >= 0 && write(account, line, (size_t)n) < 0)
		account = -1;
}

int
main(int argc, char **argv)
{
	double megabytes = argc > 2 ? atof(argv[2]) : 1;
	double ms = argc > 3 ? atof(argv[3]) : 1, next = 50;
	size_t steps = (size_t)megabytes + 1, i;
	const char *path = getenv("BATCH_ACCOUNT");
	volatile double work = 0;
	char *p;

	if (path != NULL)
		account = open(path, O_WRONLY | O_APPEND);
	note("began");
	for (i = 0; i < steps; i++) {
		p = malloc(1 << 20);
		if (p == NULL)
			return 1;
		memset(p, (int)i + 1, 1 << 20);
		while (spent_ms() < ms / 2 * (double)i / (double)steps)
			work += 1;
		if (spent_ms() >= next) {
			note("spent");
			next += 50;
		}
	}
	while (spent_ms() < ms)
		work += 1;
	note("ended");
	puts(argc > 1 ? argv[1] : "");
	return 0;
}
