/*
 * own-clock.c - a program with a clock_gettime() of its own, which allocates
 *
 * As libraries do that fake the time.  Prints how often it was asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *volatile kept;
static int asked;

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	asked++;
	kept = malloc(100);
	free(kept);
	return (int)syscall(SYS_clock_gettime, clock, now);
}

int
main(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		kept = malloc(10000);
		free(kept);
	}
	printf("%d\n", asked);
	return 0;
}
