/*
 * killed-writer.c - is killed while it allocates, and has written down where
 * it was
 *
 * usage: killed-writer TRUTH [calm]
 *        killed-writer TRUTH BLOCKS BYTES [REQUESTED]
 *
 * The first form allocates and frees in THREADS threads for ever; it prints
 * "ready" when all of them are there.  With `calm` they stay where they are,
 * and all that is held is the C library's.  Each thread writes into the file
 * TRUTH, which is mapped and so survives any end, what it holds and what it
 * is about to do.
 *
 * The second form judges: can BLOCKS, BYTES and REQUESTED be what the threads
 * held, if each of them may or may not have come through with
 * its last operation?
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "account.h"

#define THREADS 4
#define SLOTS   500
#define SIZES   64
#define SPARE   16 /* bytes: an allocator may not bother to cut them off */

enum figure { BLOCKS, BYTES, REQUESTED, FIGURES };

/*
 * What a thread holds after @done operations is in held[done % 2], and the
 * next one changes it by `change` if `intended` says that it is the next one.
 */
struct slot {
	_Atomic uint64_t done;
	_Atomic uint64_t intended;
	int64_t held[2][FIGURES];
	int64_t change[FIGURES];
	char apart[128];
};

struct worker {
	struct slot *slot;
	uint32_t seed;
	void *block[SLOTS];
	size_t size[SLOTS];
};

static struct worker workers[THREADS];
static pthread_barrier_t all_there;
static int64_t usable[SIZES]; /* by size class; at most SPARE bytes more */

static size_t
size_of(uint32_t class)
{
	return class * 50 + 1;
}

static void
intend(struct slot *s, int sign, size_t size, size_t expected)
{
	s->change[BLOCKS] = sign;
	s->change[BYTES] = sign * (int64_t)expected;
	s->change[REQUESTED] = sign * (int64_t)size;
	atomic_store_explicit(&s->intended, s->done + 1,
	    memory_order_release);
}

static void
confirm(struct slot *s)
{
	uint64_t done = s->done;

	for (int i = 0; i < FIGURES; i++)
		s->held[(done + 1) % 2][i] = s->held[done % 2][i] +
		    s->change[i];
	atomic_store_explicit(&s->done, done + 1, memory_order_release);
}

static void
operate(struct worker *w)
{
	size_t i = account_random(&w->seed) % SLOTS;
	uint32_t class;

	if (w->block[i] != NULL) {
		intend(w->slot, -1, w->size[i],
		    malloc_usable_size(w->block[i]));
		free(w->block[i]);
		w->block[i] = NULL;
	} else {
		class = account_random(&w->seed) % SIZES;
		w->size[i] = size_of(class);
		intend(w->slot, 1, w->size[i], (size_t)usable[class]);
		w->block[i] = malloc(w->size[i]);
		w->slot->change[BYTES] =
		    (int64_t)malloc_usable_size(w->block[i]);
	}
	confirm(w->slot);
}

static void *
work(void *argument)
{
	pthread_barrier_wait(&all_there);
	for (;;)
		operate(argument);
	return NULL;
}

static void
write_on(struct slot *slots, bool calm)
{
	pthread_t thread;

	for (uint32_t i = 0; i < SIZES; i++) {
		void *block = malloc(size_of(i));

		usable[i] = (int64_t)malloc_usable_size(block);
		free(block);
	}
	pthread_barrier_init(&all_there, NULL, THREADS + 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i].slot = &slots[i];
		workers[i].seed = i;
		if (pthread_create(&thread, NULL, work, &workers[i]) != 0)
			abort();
	}
	if (write(1, "ready\n", 6) != 6)
		abort();
	if (!calm)
		pthread_barrier_wait(&all_there);
	for (;;)
		pause();
}

/* --- the judge ------------------------------------------------------------ */

static bool
is_under_way(struct slot *s)
{
	return s->intended == s->done + 1;
}

/* Is there a set of the threads whose last operation counts, to match? */
static bool
is_possible(struct slot *slots, enum figure f, int64_t found)
{
	for (unsigned set = 0; set < 1u << THREADS; set++) {
		int64_t sum = 0, spare = 0;
		bool real = true;

		for (int i = 0; i < THREADS; i++) {
			struct slot *s = &slots[i];

			sum += s->held[s->done % 2][f];
			if ((set >> i & 1) == 0)
				continue;
			sum += s->change[f];
			real &= is_under_way(s);
			if (f == BYTES && s->change[f] > 0)
				spare += SPARE;
		}
		if (real && sum <= found && found <= sum + spare)
			return true;
	}
	return false;
}

static int
judge(struct slot *slots, int figures, char **found)
{
	static const char *const names[] = { "blocks", "bytes", "requested" };
	int wrong = 0;

	for (int f = 0; f < figures; f++) {
		int64_t sum = 0;

		if (is_possible(slots, (enum figure)f, atoll(found[f])))
			continue;
		for (int i = 0; i < THREADS; i++)
			sum += slots[i].held[slots[i].done % 2][f];
		printf("%s: the threads held %lld, the profile says %s\n",
		    names[f], (long long)sum, found[f]);
		wrong = 1;
	}
	return wrong;
}

int
main(int argc, char **argv)
{
	const size_t bytes = THREADS * sizeof(struct slot);
	bool calm = argc == 3 && strcmp(argv[2], "calm") == 0;
	struct slot *slots;
	int fd;

	if (argc < 2 || argc > 2 + FIGURES)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return 2;
	slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (slots == MAP_FAILED)
		return 2;
	if (argc > 2 && !calm)
		return judge(slots, argc - 2, argv + 2);
	write_on(slots, calm);
	return 0;
}
