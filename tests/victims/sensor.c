/*
 * sensor.c - what heaptide.h says of memory, beside what is so
 *
 *	sensor account    four threads keep an account of every block
 *	sensor rest       tide_used() where nothing moves, and what the kernel says
 *	sensor moving S   the same a thousand times a second, for S seconds,
 *	                  while memory comes and goes; a line of figures
 *
 * The account is of usable sizes, since all threads were there.
 */
#include <heaptide.h>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define BLOCKS 500
#define BLOCK_MOST 20000
#define PHASES 20
#define DRIFT (64 * 1024) /* bytes that a thread may have to tell yet */

static struct {
	uint64_t allocated, freed; /* bytes; stored by its thread alone */
	char pad[112];
} account[THREADS];

static pthread_barrier_t barrier;
static int stop;
static int wrong;

static void
add(uint64_t *word, uint64_t n)
{
	__atomic_store_n(word, *word + n, __ATOMIC_SEQ_CST);
}

static void
sum(uint64_t *allocated, uint64_t *freed)
{
	int i;

	*allocated = *freed = 0;
	for (i = 0; i < THREADS; i++) {
		*allocated += __atomic_load_n(&account[i].allocated,
		    __ATOMIC_SEQ_CST);
		*freed += __atomic_load_n(&account[i].freed,
		    __ATOMIC_SEQ_CST);
	}
}

static unsigned
random_below(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 8) % n;
}

static void
rest(void)
{
	pthread_barrier_wait(&barrier); /* all have come */
	pthread_barrier_wait(&barrier); /* it was looked at */
}

static void *
churn(void *context)
{
	unsigned me = (unsigned)(uintptr_t)context, seed = me + 1, i, phase;
	static void *block[THREADS][BLOCKS];
	void **b;

	rest();
	for (phase = 0; phase < PHASES; phase++) {
		for (i = 0; i < 20000; i++) {
			b = &block[me][random_below(&seed, BLOCKS)];
			if (*b != NULL) {
				add(&account[me].freed, malloc_usable_size(*b));
				free(*b);
				*b = NULL;
				continue;
			}
			*b = malloc(random_below(&seed, BLOCK_MOST));
			add(&account[me].allocated, malloc_usable_size(*b));
		}
		rest();
	}
	return NULL;
}

static void
outside(const char *what, uint64_t is, uint64_t least, uint64_t most)
{
	if (wrong++ < 5)
		printf("%s is %llu, not %llu to %llu\n", what,
		    (unsigned long long)is, (unsigned long long)least,
		    (unsigned long long)most);
}

/*
 * What is live between two looks at the account is at least what was allocated
 * by the first and not freed by the second; however long it took between.
 */
static void
look_beside(uint64_t base)
{
	uint64_t allocated, freed, allocated2, freed2, least, most;
	const uint64_t one = THREADS * (BLOCK_MOST + 64); /* half counted */
	const uint64_t untold = THREADS * (uint64_t)(DRIFT + BLOCK_MOST + 64);
	uint64_t told, exact;
	tide_info info;

	sum(&allocated, &freed);
	told = tide_live();
	tide_status(&info);
	exact = info.live;
	sum(&allocated2, &freed2);
	least = base + allocated > freed2 ? base + allocated - freed2 : 0;
	most = base + allocated2 - freed;
	if (exact + one < least || exact > most + one)
		outside("in flight, tide_status", exact, least, most);
	if (told + untold < least || told > most + untold)
		outside("in flight, tide_live", told, least, most);
}

static int
by_account(void)
{
	uint64_t allocated, freed, base;
	pthread_t thread[THREADS];
	unsigned looks = 0;
	tide_info info;
	int i, phase;

	if (tide_level() != TIDE_RUNTIME)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0); /* a block that nobody counts */
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, churn,
		    (void *)(uintptr_t)i) != 0)
			return 2;
	pthread_barrier_wait(&barrier);
	tide_status(&info);
	base = info.live;
	pthread_barrier_wait(&barrier);
	for (phase = 0; phase < PHASES; phase++) {
		for (i = 0; i < 200; i++, looks++)
			look_beside(base);
		pthread_barrier_wait(&barrier);
		tide_status(&info);
		sum(&allocated, &freed);
		if (info.live - base != allocated - freed)
			outside("at rest, tide_status", info.live - base,
			    allocated - freed, allocated - freed);
		pthread_barrier_wait(&barrier);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("%u looks in flight, %d at rest, %d wrong\n", looks, PHASES,
	    wrong);
	return wrong != 0;
}

/* --- the kernel ----------------------------------------------------------- */

/* Bytes; of /proc/self/smaps_rollup: Anonymous, Swap and shared memory. */
static uint64_t
kernel_used(int fd)
{
	static char text[8192];
	const char *at;
	uint64_t kib = 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strstr(text, "\nAnonymous:");
	if (at != NULL)
		kib += strtoull(at + 11, NULL, 10);
	at = strstr(text, "\nSwap:");
	if (at != NULL)
		kib += strtoull(at + 6, NULL, 10);
	return kib * 1024;
}

static uint64_t
apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Of memory that came since anybody asked, a while ago. */
static void
unasked(int fd, uint64_t budget)
{
	struct timespec nap = { 0, 50 * 1000 * 1000 };
	const size_t bytes = 20 << 20;
	tide_info info;
	uint64_t is;
	char *block;
	int i;

	for (i = 0; i < 60; i++)
		(void)tide_poll(0); /* it forgets how fast it has been */
	for (i = 0; i < 4; i++) {
		(void)tide_status(&info);
		block = malloc(bytes);
		memset(block, 1, bytes);
		nanosleep(&nap, NULL);
		(void)tide_status(&info);
		is = kernel_used(fd);
		if (apart(info.used, is) > budget / 50)
			outside("since then, tide_status", info.used, is, is);
		free(block);
	}
}

static int
at_rest(void)
{
	int fd = open("/proc/self/smaps_rollup", O_RDONLY), i;
	uint64_t budget = tide_budget(), used, is;
	char *block[40];

	if (fd < 0 || budget == TIDE_NONE)
		return 2;
	for (i = 0; i < 80; i++) {
		if (i < 40) {
			block[i] = malloc(3 << 20);
			memset(block[i], 1, 3 << 20);
		} else {
			free(block[i - 40]);
		}
		(void)tide_poll(0);
		used = tide_used();
		is = kernel_used(fd);
		if (apart(used, is) > budget / 50)
			outside("at rest, tide_used", used, is, is);
	}
	unasked(fd, budget);
	printf("80 looks at rest, %d wrong\n", wrong);
	return wrong != 0;
}

static void *
come_and_go(void *context)
{
	unsigned seed = (unsigned)(uintptr_t)context + 1, n, i, bytes;
	char *block[400];
	struct timespec nap = { 0, 0 };

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		n = random_below(&seed, 400);
		for (i = 0; i < n; i++) {
			bytes = 32768 + random_below(&seed, 65536);
			block[i] = malloc(bytes);
			memset(block[i], 1, bytes);
			nap.tv_nsec = (long)random_below(&seed, 100) * 1000;
			nanosleep(&nap, NULL);
		}
		while (n > 0)
			free(block[--n]);
	}
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

#define LOOKS_MOST 100000

static int
while_moving(int seconds)
{
	static double error[LOOKS_MOST];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY), i, n;
	const struct timespec tick = { 0, 1000000 };
	uint64_t budget = tide_budget(), before, after, used;
	pthread_t thread[THREADS];

	if (fd < 0 || budget == TIDE_NONE)
		return 2;
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, come_and_go,
		    (void *)(uintptr_t)i) != 0)
			return 2;
	for (n = 0; n < seconds * 1000 && n < LOOKS_MOST; n++) {
		before = kernel_used(fd);
		used = tide_used();
		after = kernel_used(fd);
		/* What moved while the kernel was asked is not its error. */
		error[n] = used < before && used < after ?
		    (double)((before < after ? before : after) - used) :
		    used > before && used > after ?
		    (double)(used - (before > after ? before : after)) : 0;
		error[n] *= 100.0 / (double)budget;
		nanosleep(&tick, NULL);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	qsort(error, (size_t)n, sizeof(error[0]), compare);
	printf("%d looks: half within %.2f %%, 99 of 100 within %.2f %%, all "
	    "within %.2f %% of the budget\n", n, error[n / 2],
	    error[n * 99 / 100], error[n - 1]);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "account") == 0)
		return by_account();
	if (strcmp(what, "rest") == 0)
		return at_rest();
	if (strcmp(what, "moving") == 0)
		return while_moving(argc > 2 ? atoi(argv[2]) : 5);
	return 2;
}
