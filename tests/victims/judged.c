/*
 * judged.c - leaks of C for two judges: whatever allocates is called lost_* or
 * kept_*, so that they can be compared by function
 *
 * It ends by itself; both look at its end.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

struct link {
	struct link *next, *other;
	char content[40];
};

void *volatile global;
void *volatile inside;
struct link *volatile list;
struct link *volatile table[100];
uint64_t volatile hidden;
void *volatile stale;
static _Thread_local void *volatile local;

/* What calls have left on the stack is to be found by neither. */
static NOINLINE void
clear_stack(void)
{
	volatile char below[16384];

	memset((void *)below, 0, sizeof(below));
}

static NOINLINE void
lost_plain(void)
{
	int i;

	for (i = 0; i < 17; i++)
		memset(malloc(88), 1, 88);
}

static NOINLINE void
lost_calloc(void)
{
	int i;

	for (i = 0; i < 3; i++)
		((char *)calloc(13, 40))[5] = 1;
}

static NOINLINE void
lost_copy(void)
{
	char *copy = strdup("a text that is copied and forgotten");

	copy[0] = 'A';
}

static NOINLINE void
lost_list(int n)
{
	struct link *first = NULL;

	while (n-- > 0) {
		struct link *l = calloc(1, sizeof(*l));

		l->next = first;
		first = l;
	}
}

static NOINLINE struct link *
lost_branch(int depth)
{
	struct link *l = calloc(1, sizeof(*l));

	if (depth > 1) {
		l->next = lost_branch(depth - 1);
		l->other = lost_branch(depth - 1);
	}
	return l;
}

static NOINLINE void
lost_cycle(int n)
{
	struct link *first = NULL, *last = NULL;

	while (n-- > 0) {
		struct link *l = calloc(1, sizeof(*l));

		l->next = first;
		first = l;
		last = last == NULL ? l : last;
	}
	last->next = first;
}

/* A pair that points to each other and to something beside. */
static NOINLINE void
lost_pair(void)
{
	struct link *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

	a->next = b;
	b->next = a;
	b->other = calloc(1, 232);
}

/* It points to itself alone. */
static NOINLINE void
lost_self(void)
{
	struct link *l = calloc(1, sizeof(*l));

	l->next = l;
}

static NOINLINE void
lost_hidden(void)
{
	hidden = (uint64_t)(uintptr_t)calloc(1, 120) ^
	    UINT64_C(0x5555555555555555);
}

static NOINLINE void
lost_by_freed(void)
{
	struct link *l = calloc(1, sizeof(*l));

	l->other = calloc(1, 152);
	stale = l;
	free(l);
}

static NOINLINE void
lost_realloc(void)
{
	char *p = malloc(24);

	p = realloc(p, 4024);
	p = realloc(p, 2024);
	p[0] = 1;
}

static NOINLINE void
lost_large(void)
{
	((char *)calloc(1, 400000))[9] = 1;
}

static NOINLINE void
lost_aligned(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 256, 1000) == 0)
		((char *)p)[0] = 1;
}

static NOINLINE void
kept_by_global(void)
{
	int i;

	global = calloc(1, 88);
	for (i = 0; i < 100; i++)
		table[i] = calloc(1, sizeof(struct link));
	table[7]->other = calloc(1, sizeof(struct link));
}

static NOINLINE void
kept_list(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		struct link *l = calloc(1, sizeof(*l));

		l->next = list;
		list = l;
	}
}

static NOINLINE void
kept_inside(void)
{
	inside = (char *)calloc(1, 504) + 333;
}

static NOINLINE void
kept_local(void)
{
	local = calloc(1, 56);
}

static NOINLINE void *
lost_of_thread(void *unused)
{
	local = calloc(1, 72);
	return unused;
}

int
main(void)
{
	void *volatile kept_in_main;
	pthread_t thread;

	lost_plain();
	lost_calloc();
	lost_copy();
	lost_list(25);
	(void)lost_branch(5);
	lost_cycle(9);
	lost_pair();
	lost_self();
	lost_hidden();
	lost_by_freed();
	lost_realloc();
	lost_large();
	lost_aligned();
	kept_by_global();
	kept_list();
	kept_inside();
	kept_local();
	kept_in_main = malloc(99);
	(void)kept_in_main;
	pthread_create(&thread, NULL, lost_of_thread, NULL);
	pthread_join(thread, NULL);
	clear_stack();
	return 0;
}
