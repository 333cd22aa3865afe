/*
 * many-threads.c - thousands of threads, of all makings; each allocates
 *
 * usage: many-threads MODE THREADS [idle]
 *
 *   in-a-row   one after another; main frees what each has left
 *   at-once    all there at the same time; each frees its neighbour's blocks
 *   raw        made by clone(), in a row, with thread-local data of their own,
 *              and gone without libc's knowledge
 *   guests     made by clone() without such data: they use that of their
 *              maker, who waits
 *   processes  the same, but processes of their own that share the memory
 *   vfork      the first to allocate in a thread is its vfork()ed child
 *
 * Prints the account of all of them.  With `idle` they come and go without a
 * call of their own: what is counted then is the C library's share.
 */
#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "account.h"

#define BLOCKS 20
#define MOST   10000
#define STACK  (64 * 1024)

static bool idle;
static int count;

struct worker {
	struct account account;
	void *left[BLOCKS];
};

static struct worker workers[MOST];
static struct worker first; /* the thread of main() */

static size_t
size_of(int i)
{
	return 24 + 40 * (size_t)i;
}

static void
allocate(struct worker *w)
{
	for (int i = 0; i < BLOCKS; i++) {
		void *brief = account_alloc(&w->account, malloc(99), 99);

		account_free(&w->account, brief, 99);
		free(brief);
		w->left[i] = account_alloc(&w->account, malloc(size_of(i)),
		    size_of(i));
	}
}

/* @w frees what @of has left from its block @i on. */
static void
free_of(struct worker *w, struct worker *of, int i)
{
	for (; i < BLOCKS; i++) {
		account_free(&w->account, of->left[i], size_of(i));
		free(of->left[i]);
	}
}

static void *
be_brief(void *argument)
{
	if (!idle)
		allocate(argument);
	return NULL;
}

static void
join(pthread_t thread)
{
	if (pthread_join(thread, NULL) != 0)
		abort();
}

static pthread_t
start(void *(*function)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(&thread, &attributes, function, argument) != 0)
		abort();
	return thread;
}

static void
in_a_row(void)
{
	for (int i = 0; i < count; i++) {
		join(start(be_brief, &workers[i]));
		if (!idle)
			free_of(&first, &workers[i], 0);
	}
}

/* --- all at once ---------------------------------------------------------- */

static pthread_barrier_t all_there;

static void *
be_there(void *argument)
{
	struct worker *w = argument;
	size_t next = (size_t)(w - workers + 1) % (size_t)count;

	if (!idle)
		allocate(w);
	pthread_barrier_wait(&all_there);
	if (!idle)
		free_of(w, &workers[next], 1);
	pthread_barrier_wait(&all_there); /* none is joined before */
	return NULL;
}

static void
at_once(void)
{
	static pthread_t thread[MOST];

	pthread_barrier_init(&all_there, NULL, (unsigned)count);
	for (int i = 0; i < count; i++)
		thread[i] = start(be_there, &workers[i]);
	for (int i = 0; i < count; i++)
		join(thread[i]);
}

/* --- by clone() ----------------------------------------------------------- */

static char stack[STACK] __attribute__((aligned(64)));
static _Atomic int running;

static void
wait_until_gone(void)
{
	int tid;

	while ((tid = running) != 0)
		syscall(SYS_futex, &running, FUTEX_WAIT, tid, NULL, NULL, 0);
}

static int
be_guest(void *argument)
{
	(void)be_brief(argument);
	syscall(SYS_exit, 0); /* of this thread alone */
	return 0;
}

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
	CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID)

static void
run_clone(int flags, void *data, struct worker *w)
{
	running = 1;
	if (clone(be_guest, stack + sizeof(stack), flags, w, NULL, data,
	    &running) < 0)
		abort();
	wait_until_gone();
}

static void
guests(void)
{
	for (int i = 0; i < count; i++)
		run_clone(THREAD, NULL, &workers[i]);
}

static void
processes(void)
{
	for (int i = 0; i < count; i++) {
		run_clone(CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL,
		    &workers[i]);
		wait(NULL);
	}
}

#if defined(__x86_64__)
/*
 * What the loader allots for a thread, and what libc wants of its head: its
 * own address, twice, and the two guards.
 */
static void
raw(void)
{
	void *(*allot)(void *);
	void (*give_back)(void *, int);
	const uintptr_t *own;

	*(void **)&allot = dlsym(RTLD_DEFAULT, "_dl_allocate_tls");
	*(void **)&give_back = dlsym(RTLD_DEFAULT, "_dl_deallocate_tls");
	if (allot == NULL || give_back == NULL)
		exit(77);
	__asm__("mov %%fs:0, %0" : "=r"(own));
	for (int i = 0; i < count; i++) {
		/* libc's own data of a thread lies behind the head. */
		char *room = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uintptr_t *head = (void *)(room + STACK / 2);

		if (allot(head) != head)
			abort();
		head[0] = head[2] = (uintptr_t)head;
		head[5] = own[5];
		head[6] = own[6];
		run_clone(THREAD | CLONE_SETTLS, head, &workers[i]);
		give_back(head, 0);
		munmap(room, STACK);
	}
}
#else
static void
raw(void)
{
	exit(77);
}
#endif

/* --- vfork ---------------------------------------------------------------- */

static void *
let_a_child_begin(void *argument)
{
	struct worker *w = argument;
	pid_t child = vfork();
	int status;

	if (child == 0) {
		(void)be_brief(w);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		abort();
	pthread_barrier_wait(&all_there);
	for (int i = 0; !idle && i < 20; i++) {
		free_of(w, w, 0);
		allocate(w);
	}
	return NULL;
}

/* While one that began so goes on, others come that look for a row. */
static void
by_vfork(void)
{
	for (int i = 0; i + 4 < count; i += 5) {
		pthread_t thread[5];

		pthread_barrier_init(&all_there, NULL, 2);
		thread[0] = start(let_a_child_begin, &workers[i]);
		pthread_barrier_wait(&all_there);
		for (int k = 1; k < 5; k++)
			thread[k] = start(be_brief, &workers[i + k]);
		for (int k = 0; k < 5; k++)
			join(thread[k]);
	}
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "in-a-row", in_a_row },
		{ "at-once", at_once },
		{ "raw", raw },
		{ "guests", guests },
		{ "processes", processes },
		{ "vfork", by_vfork },
	};
	struct account sum = { 0 };

	count = argc > 2 ? atoi(argv[2]) : 0;
	idle = argc > 3;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (count > 0 && count <= MOST &&
		    strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run();
			for (int k = 0; k < count; k++)
				account_add(&sum, &workers[k].account);
			account_add(&sum, &first.account);
			account_print(&sum);
			return 0;
		}
	return 2;
}
