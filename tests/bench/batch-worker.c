/*
 * batch-worker.c - a job of side-by-side.sh: grows, works, and keeps an account
 *
 * usage: batch-worker NUMBER MEGABYTES MILLISECONDS
 *
 * It grows to MEGABYTES over the first half of its time, and then has that much
 * until MILLISECONDS are over: of CPU time if $BATCH_CLOCK is cpu, else of time
 * that it waits.  In $BATCH_ACCOUNT it notes that it began, what it has spent so
 * far, and that it ended; so that of one that is killed is known what was lost.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int account = -1;
static int computes;
static double start_ms;
static volatile double work; /* for the compiler to leave it there */

static double
spent_ms(void)
{
	struct timespec t;

	clock_gettime(computes ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
	    &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6 - start_ms;
}

/* Until so much is spent. */
static void
spend(double ms)
{
	while (spent_ms() < ms) {
		if (computes)
			work += 1;
		else
			usleep((useconds_t)((ms - spent_ms()) * 1000) + 1);
	}
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
	const char *clock = getenv("BATCH_CLOCK");
	char *p;

	computes = clock != NULL && strcmp(clock, "cpu") == 0;
	start_ms = computes ? 0 : spent_ms();
	if (path != NULL)
		account = open(path, O_WRONLY | O_APPEND);
	note("began");
	for (i = 0; i < steps; i++) {
		p = malloc(1 << 20);
		if (p == NULL)
			return 1;
		memset(p, (int)i + 1, 1 << 20);
		spend(ms / 2 * (double)i / (double)steps);
		if (spent_ms() >= next) {
			note("spent");
			next += 50;
		}
	}
	spend(ms);
	note("ended");
	puts(argc > 1 ? argv[1] : "");
	return 0;
}
