/*
 * reach.c - blocks that are held in all the ways there are, and some by nobody
 *
 * reach ENOUGH [MODULE]: what a function lost_* has allocated nobody can reach;
 * what a function kept_* has, somebody can; inside_* are reached by a pointer
 * that does not point to their start.  It says `ready`, and then allocates a
 * little now and then until there is a file ENOUGH.
 *
 * Stacks are cleared of what calls have left there, since nobody else does.
 *
 * Where an int was stored over the lower half of a pointer, the word is an
 * address near by, anywhere in 4 GiB, and most often the first of these: stacks
 * have some such words.  Of the large blocks that are lost one was hit now and
 * then, and was held by that.  So these lie apart: no other address has their
 * upper half.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define HIDE     UINT64_C(0x5555555555555555)

struct link {
	struct link *next, *other;
	char content[24];
};

static void *volatile global;
static void *volatile several[64];
static void *volatile large, *volatile aligned[2];
static struct link *volatile list;
static struct link *volatile tree;
static void *volatile inside;
static uint64_t volatile hidden;
static void **volatile mapped;
static void *volatile stale;
static _Thread_local void *volatile local_data;
static const char *enough;
static _Atomic int begun;
static _Atomic uint64_t sink;

/* What is mapped goes below this as long as it is there. */
#define GAP_BYTES (UINT64_C(8) << 30)
static char *gap;
static void *volatile elsewhere[64];

static void
open_gap(void)
{
	gap = mmap(NULL, GAP_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_NORESERVE, -1, 0);
	if (gap == MAP_FAILED)
		abort();
}

static void
close_gap(void)
{
	if (munmap(gap, GAP_BYTES) != 0)
		abort();
}

/* Does a block lie apart?  One that does not is kept, and another is tried. */
static int
is_apart(void *block)
{
	static size_t n;

	if ((uintptr_t)block < (uintptr_t)gap)
		return 1;
	if (n == sizeof(elsewhere) / sizeof(elsewhere[0]))
		abort();
	elsewhere[n++] = block;
	return 0;
}

static NOINLINE void
clear_stack(void)
{
	volatile char below[16384];

	memset((void *)below, 0, sizeof(below));
}

static void *
make(size_t bytes)
{
	void *p = malloc(bytes);

	if (p == NULL)
		abort();
	memset(p, 0, bytes);
	return p;
}

static struct link *
make_list(int n)
{
	struct link *first = NULL;

	while (n-- > 0) {
		struct link *l = make(sizeof(*l));

		l->next = first;
		first = l;
	}
	return first;
}

/* Without tail calls: who allocates is to be seen in the stack. */
#define LEAVE __asm__ volatile("" ::: "memory")

/* --- lost ----------------------------------------------------------------- */

static NOINLINE void
lost_plain(void)
{
	int i;

	for (i = 0; i < 10; i++)
		((volatile char *)make(100))[0] = 1;
	LEAVE;
}

static NOINLINE void
lost_list(void)
{
	struct link *volatile l = make_list(7);

	l = NULL;
	(void)l;
}

static struct link *
make_tree(int depth)
{
	struct link *l = make(sizeof(*l));

	if (depth > 1) {
		l->next = make_tree(depth - 1);
		l->other = make_tree(depth - 1);
	}
	return l;
}

static NOINLINE void
lost_tree(void)
{
	struct link *volatile l = make_tree(4);

	l = NULL;
	(void)l;
}

static NOINLINE void
lost_cycle(void)
{
	struct link *l = make_list(5), *last = l;

	while (last->next != NULL)
		last = last->next;
	last->next = l;
	LEAVE;
}

static NOINLINE void
lost_hidden(void)
{
	hidden = (uint64_t)(uintptr_t)make(48) ^ HIDE;
}

/*
 * What was freed points to it, and is still pointed to.  Of its size there is no
 * other, so that nobody is given its place, and held by that.
 */
static NOINLINE void
lost_by_freed(void)
{
	struct link *l = make(184);

	l->other = make(64);
	stale = l;
	free(l);
	LEAVE;
}

static NOINLINE void
lost_large(void)
{
	void *p;

	do
		p = make(3 << 20);
	while (!is_apart(p));
	((volatile char *)p)[0] = 1;
	LEAVE;
}

static NOINLINE void
lost_aligned(void)
{
	static const size_t alignments[] = { 32, 64, 256, 4096, 65536 };
	size_t i;

	for (i = 0; i < sizeof(alignments) / sizeof(alignments[0]); i++) {
		void *p = NULL;

		if (posix_memalign(&p, alignments[i], 200) != 0)
			abort();
		do
			if (posix_memalign(&p, alignments[i], 1 << 20) != 0)
				abort();
		while (!is_apart(p));
	}
	LEAVE;
}

static NOINLINE void
lost_realloc(void)
{
	char *p = make(10);

	p = realloc(p, 100000);
	p = realloc(p, 5000000);
	p = realloc(p, 77);
	((volatile char *)p)[0] = 1;
	LEAVE;
}

static NOINLINE void
lost_below_stack(void)
{
	volatile char room[4000];
	void *volatile p = make(72);

	room[0] = 1;
	(void)p;
	(void)room;
}

/* --- kept ----------------------------------------------------------------- */

static NOINLINE void
kept_by_global(void)
{
	int i;

	global = make(100);
	for (i = 0; i < 64; i++)
		several[i] = make((size_t)(i + 1) * 40);
}

static NOINLINE void
kept_by_list(void)
{
	list = make_list(1000);
	LEAVE;
}

static NOINLINE void
kept_by_tree(void)
{
	tree = make_tree(8);
	LEAVE;
}

static NOINLINE void
kept_by_mapping(void)
{
	mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED)
		abort();
	mapped[1000] = make(300);
}

static NOINLINE void
kept_by_shared(void)
{
	void **shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		abort();
	shared[7] = make(310);
}

static NOINLINE void
kept_large(void)
{
	struct link *l = make(4 << 20);

	large = l;
	l->next = make(56);
}

static NOINLINE void
kept_aligned(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 4096, 1 << 20) != 0)
		abort();
	*(void **)p = make(57);
	aligned[0] = p;
	if (posix_memalign(&p, 1 << 16, 300) != 0)
		abort();
	aligned[1] = p;
}

static NOINLINE void
inside_middle(void)
{
	inside = (char *)make(500) + 200;
}

static NOINLINE void
kept_by_library(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void **data = library != NULL ? dlsym(library, "reach_data") : NULL;
	void **(*place)(void) = NULL;

	if (data == NULL) {
		puts("without the library");
		return;
	}
	*(void **)&place = dlsym(library, "reach_local");
	*data = make(111);
	*place() = make(112);
}

static NOINLINE void
kept_by_thread_data(void)
{
	local_data = make(113);
}

static NOINLINE void
kept_by_key(void)
{
	pthread_key_t key[40];
	int i;

	/* Beyond 32, where libc has a block for them. */
	for (i = 0; i < 40; i++)
		if (pthread_key_create(&key[i], NULL) != 0)
			abort();
	if (pthread_setspecific(key[39], make(114)) != 0)
		abort();
}

/* --- threads -------------------------------------------------------------- */

/* The pointer is in a register, and the loop calls nobody. */
static NOINLINE void *
kept_in_register(void *unused)
{
	uint64_t *p = make(120), sum = 0;
	uint64_t i;

	(void)unused;
	kept_by_thread_data();
	clear_stack();
	begun++;
	for (i = 0; access(enough, F_OK) != 0; i++) {
		uint64_t n = 200000000;

#if defined(__x86_64__)
		/* Only here, and nowhere in memory, while it lasts: what
		 * calls have saved below is cleared. */
		uint64_t q = (uint64_t)(uintptr_t)p ^ HIDE;

		p = NULL;
		__asm__ volatile(
		    "xorq %2, %0\n"
		    "leaq -65536(%%rsp), %%rdi\n"
		    "movl $8192, %%ecx\n"
		    "xorl %%eax, %%eax\n"
		    "rep stosq\n"
		    "1: addq (%0), %1\n"
		    "decq %3\n"
		    "jnz 1b\n"
		    "xorq %2, %0\n"
		    : "+r"(q), "+r"(sum)
		    : "r"(HIDE), "r"(n) : "cc", "memory", "rdi", "rcx",
		    "rax");
		p = (uint64_t *)(uintptr_t)(q ^ HIDE);
#endif
		sink += sum;
	}
	free(p);
	return NULL;
}

static NOINLINE void *
kept_by_blocked(void *unused)
{
	void *volatile p = make(130);
	struct pollfd none = { -1, 0, 0 };

	(void)unused;
	kept_by_thread_data();
	kept_by_key();
	begun++;
	while (access(enough, F_OK) != 0)
		poll(&none, 1, 50);
	free(p);
	return NULL;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void *
kept_by_waiting(void *unused)
{
	void *volatile p = make(140);

	(void)unused;
	begun++;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	free(p);
	return NULL;
}

/* What a thread has returned, and nobody has asked for. */
static NOINLINE void *
kept_by_result(void *unused)
{
	(void)unused;
	return make(150);
}

static NOINLINE void *
lost_by_ended(void *unused)
{
	void *volatile on_stack = make(160);

	(void)unused;
	local_data = make(161);
	(void)on_stack;
	return NULL;
}

/* Many at once, so that there are many arenas. */
static NOINLINE void *
kept_of_arena(void *place)
{
	int i;

	for (i = 0; i < 50; i++) {
		struct link *l = make(sizeof(*l));

		l->next = *(struct link **)place;
		*(struct link **)place = l;
	}
	begun++;
	while (begun < 100)
		usleep(1000);
	return NULL;
}

static void *volatile of_arena[8];

int
main(int argc, char **argv)
{
	pthread_t thread[3], ended, result, many[8];
	int i;

	if (argc < 2)
		return 2;
	enough = argv[1];
	lost_plain();
	lost_list();
	lost_tree();
	lost_cycle();
	lost_hidden();
	lost_by_freed();
	open_gap();
	lost_large();
	lost_aligned();
	close_gap();
	lost_realloc();
	lost_below_stack();
	kept_by_global();
	kept_by_list();
	kept_by_tree();
	kept_by_mapping();
	kept_by_shared();
	kept_large();
	kept_aligned();
	inside_middle();
	kept_by_thread_data();
	if (argc > 2)
		kept_by_library(argv[2]);
	for (i = 0; i < 8; i++)
		pthread_create(&many[i], NULL, kept_of_arena,
		    (void *)&of_arena[i]);
	while (begun < 8)
		usleep(1000);
	begun = 100;
	for (i = 0; i < 8; i++)
		pthread_join(many[i], NULL);
	pthread_create(&ended, NULL, lost_by_ended, NULL);
	pthread_join(ended, NULL);
	pthread_create(&result, NULL, kept_by_result, NULL);
	pthread_mutex_lock(&mutex);
	begun = 0;
	pthread_create(&thread[0], NULL, kept_in_register, NULL);
	pthread_create(&thread[1], NULL, kept_by_blocked, NULL);
	pthread_create(&thread[2], NULL, kept_by_waiting, NULL);
	while (begun < 3)
		usleep(1000);
	clear_stack();
	puts("ready");
	fflush(stdout);
	while (access(enough, F_OK) != 0) {
		free(make(2 << 20));
		usleep(10000);
	}
	pthread_mutex_unlock(&mutex);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
