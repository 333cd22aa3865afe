/*
 * regrown.c - one buffer, made larger by realloc() 200 times, and never freed
 */
#include <stdlib.h>
#include <time.h>

#define TIMES 200
#define STEP  100000

int
main(void)
{
	static const struct timespec pause = { .tv_nsec = 2000000 };
	static char *volatile buffer;

	for (size_t i = 1; i <= TIMES; i++) {
		char *larger = realloc(buffer, i * STEP); /* HERE */

		if (larger == NULL)
			return 1;
		buffer = larger;
		nanosleep(&pause, NULL);
	}
	return 0;
}
