/*
 * known-sequence.c - one thread, and every allocation it makes is known
 *
 * usage: known-sequence MODE
 *
 * Prints its own account, which the report must equal to the byte.
 */
#include <limits.h>
#include <signal.h>
#include <stdbool.h>

#include "one-account.h"

/* Sizes in variables, or the compiler would know that they cannot work. */
static volatile size_t huge = PTRDIFF_MAX - 4096;
static volatile size_t half = SIZE_MAX / 2 + 1;
static volatile size_t zero;

/*
 * True: only what other tools count as well.  For valgrind a pvalloc() or a
 * size that nobody has ends the program, and heaptrack has no memalign().
 */
static bool judged;

static void *
change(void *block, size_t old, size_t size)
{
	account_free(&mine, block, old);
	return take(realloc(block, size), size);
}

static void *
by_posix_memalign(size_t alignment, size_t size)
{
	void *block = NULL;

	if (posix_memalign(&block, alignment, size) != 0)
		abort();
	return block;
}

static void
must_fail(const void *block)
{
	if (block != NULL)
		abort();
}

/* --- the family ----------------------------------------------------------- */

/* C23, which the C library may not have yet; heaptide has them. */
extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

static void
family_frees(void)
{
	void *block = take(malloc(300), 300);

	account_free(&mine, block, 300);
	if (free_sized != NULL)
		free_sized(block, 300);
	else
		free(block);
	block = take(aligned_alloc(256, 512), 512);
	account_free(&mine, block, 512);
	if (free_aligned_sized != NULL)
		free_aligned_sized(block, 256, 512);
	else
		free(block);
	free(NULL);
}

static void
family_failures(void)
{
	char *kept = take(malloc(5000), 5000);
	void *untouched = kept;

	must_fail(malloc(huge));
	must_fail(calloc(half, 2));
	must_fail(calloc(1, huge));
	must_fail(realloc(kept, huge));
	must_fail(reallocarray(kept, half, 2));
	must_fail(reallocarray(kept, 1, huge));
	must_fail(realloc(NULL, huge));
	must_fail(aligned_alloc(64, huge));
	must_fail(memalign(4096, huge));
	must_fail(valloc(huge));
	must_fail(pvalloc(huge));
	if (posix_memalign(&untouched, 64, huge) != ENOMEM ||
	    posix_memalign(&untouched, 3, 100) != EINVAL ||
	    untouched != kept)
		abort();
	give(kept, 5000); /* still there, so still ours to free */
}

static void
family_realloc(void)
{
	void *block = take(realloc(NULL, 10), 10);
	size_t size = 10;

	for (size_t next = 17; next < 3000000; next = next * 7 / 3) {
		block = change(block, size, next);
		size = next;
	}
	block = change(block, size, 100); /* shrinks in place, or moves */
	block = change(block, 100, 100);
	account_free(&mine, block, 100);
	must_fail(realloc(block, zero)); /* as this C library has it: a free */

	block = take(reallocarray(NULL, 30, 40), 1200);
	account_free(&mine, block, 1200);
	block = take(reallocarray(block, 300, 40), 12000);
	give(block, 12000);
}

static void
family_zeroes(void)
{
	void *a = take(malloc(zero), 0);
	void *b = take(calloc(zero, 8), 0);
	void *c = take(calloc(8, zero), 0);
	void *d = take(realloc(NULL, zero), 0);

	if (a == b || b == c || c == d)
		abort();
	give(c, 0);
	give(a, 0); /* b and d stay */
}

static void
family(void)
{
	static const size_t alignments[] = { 8, 16, 32, 64, 512, 4096, 65536 };
	size_t i;

	for (i = 1; i < 400; i++)
		take(malloc(i * i % 7000), i * i % 7000);
	for (i = 0; i < 40; i++)
		give(take(malloc(i * 4096), i * 4096), i * 4096);
	for (i = 0; i < sizeof(alignments) / sizeof(*alignments); i++) {
		size_t alignment = alignments[i];

		take(by_posix_memalign(alignment, 1000), 1000);
		give(take(by_posix_memalign(alignment, 3), 3), 3);
		take(aligned_alloc(alignment, alignment), alignment);
		if (judged)
			continue;
		give(take(memalign(alignment, 777), 777), 777);
		take(memalign(alignment, 77), 77);
	}
	give(take(valloc(5000), 5000), 5000);
	take(valloc(1), 1);
	if (!judged) {
		give(take(pvalloc(5000), 5000), 5000);
		take(pvalloc(4096), 4096);
		family_failures();
	}
	for (i = 0; i < 50; i++)
		take(calloc(i, 33), i * 33);
	give(take(malloc(20 << 20), 20 << 20), 20 << 20); /* by mmap: a peak */
	family_realloc();
	family_zeroes();
	family_frees();
	account_print(&mine);
	account_print_peak(&mine);
}

static void
family_judged(void)
{
	judged = true;
	family();
}

/* --- what the C library allocates for its caller -------------------------- */

/*
 * How often it calls malloc on the way is its own business; what it hands
 * over is not, and after it nothing else is held.
 */
static void
from_libc(void)
{
	static char file[] = "a line\nand a longer line than that\n";
	char *words = NULL, *line = NULL, *path;
	size_t bytes = 0, room = 0;
	FILE *stream;

	path = strdup("twelve bytes");
	take(path, 13);
	take(strndup(path, 6), 7);
	if (asprintf(&words, "%s and %0500d", path, 1) < 0)
		abort();
	take(words, 0);
	take(getcwd(NULL, 0), 0);
	take(realpath("/usr/..", NULL), 0);

	stream = open_memstream(&words, &bytes);
	for (int i = 0; i < 1000; i++)
		fprintf(stream, "%d ", i);
	fclose(stream);
	take(words, 0);

	stream = fmemopen(file, strlen(file), "r");
	while (getline(&line, &room, stream) > 0)
		;
	fclose(stream);
	take(line, 0);
	account_print_live(&mine);
}

/* --- freed before the next allocation ------------------------------------- */

static void
temporary(void)
{
	void *one, *two;

	for (size_t i = 1; i <= 1000; i++)
		give(take(malloc(i), i), i);
	for (size_t i = 0; i < 10; i++) {
		one = take(malloc(40), 40);
		two = take(malloc(50), 50);
		give(one, 40); /* no: two came between */
		give(two, 50); /* yes: nothing was allocated since */
	}
	one = take(malloc(60), 60);
	one = change(one, 60, 600);
	give(one, 600);
	account_print(&mine);
	account_print_peak(&mine);
}

/* --- from a signal handler ------------------------------------------------ */

static void
handle(int signal)
{
	void *kept = take(malloc((size_t)signal), (size_t)signal);

	give(take(calloc(3, 100), 300), 300);
	give(kept, (size_t)signal);
	take(malloc(24), 24);
}

/* On a stack of its own, where a profiler's walk comes to a seam. */
static void
signals(void)
{
	static char stack[64 * 1024];
	const stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = handle };

	sigaction(SIGUSR1, &action, NULL);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &action, NULL);
	sigaltstack(&other, NULL);
	for (int i = 0; i < 500; i++) {
		void *around = take(malloc(70), 70);

		raise(i % 2 == 0 ? SIGUSR1 : SIGUSR2);
		give(around, 70);
	}
	account_print(&mine);
	account_print_peak(&mine);
}

/* Every size that an allocator may have a class of its own for. */
static void
sizes(void)
{
	for (size_t i = 0; i <= 40000; i += i < 5000 ? 1 : 97) {
		void *block = take(malloc(i), i);

		if (i % 3 != 0)
			give(block, i);
	}
	account_print(&mine);
	account_print_peak(&mine);
}

/* A number of calls that nobody makes by chance. */
static void
count(void)
{
	for (int i = 0; i < 12345; i++)
		take(malloc(100), 100);
	account_print(&mine);
	account_print_peak(&mine);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "count", count },
		{ "family", family },
		{ "judged", family_judged },
		{ "libc", from_libc },
		{ "sizes", sizes },
		{ "temporary", temporary },
		{ "signals", signals },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc == 2 && strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run();
			return 0;
		}
	return 2;
}
