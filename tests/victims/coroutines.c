/*
 * coroutines.c - stacks that are not a thread's, and change under its feet
 *
 * usage: coroutines MODE
 *
 *   contexts  makecontext() and swapcontext(), 16 KiB from malloc()
 *   switches  hand-written switches as boost.context has them: no unwind
 *             information, 8 KiB from malloc()
 *   copies    as greenlets: all run on the thread's own stack, and who does
 *             not run has its part of it copied away
 *   moving    fibers whose stacks are mapped and unmapped between two calls,
 *             in a thread, side by side with its stack
 *
 * In each mode work_in_fiber() allocates 8 blocks of 1000 bytes in each of 50
 * coroutines, which take turns, and main() frees them.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define FIBERS 50
#define TURNS  8

static void *blocks[FIBERS * TURNS];
static int used;

static void leave(void);

/* --- what they do --------------------------------------------------------- */

static __attribute__((noinline)) void
work_in_fiber(int depth)
{
	if (depth > 0) {
		work_in_fiber(depth - 1);
	} else {
		blocks[used++] = malloc(1000);
	}
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void
take_turns(void)
{
	for (int i = 0; i < TURNS; i++) {
		work_in_fiber(i % 4);
		leave();
	}
}

/* --- swapcontext ---------------------------------------------------------- */

static ucontext_t scheduler, context[FIBERS];
static int now;

static void
leave_context(void)
{
	swapcontext(&context[now], &scheduler);
}

static void
contexts(void)
{
	char *stacks[FIBERS];

	for (int i = 0; i < FIBERS; i++) {
		stacks[i] = malloc(16 * 1024);
		getcontext(&context[i]);
		context[i].uc_stack.ss_sp = stacks[i];
		context[i].uc_stack.ss_size = 16 * 1024;
		context[i].uc_link = &scheduler;
		makecontext(&context[i], take_turns, 0);
	}
	for (int turn = 0; turn <= TURNS; turn++)
		for (now = 0; now < FIBERS; now++)
			swapcontext(&scheduler, &context[now]);
	for (int i = 0; i < FIBERS; i++)
		free(stacks[i]);
}

/* --- switches without unwind information ---------------------------------- */

#if defined(__x86_64__)
#define HAS_SWITCH 1

/* Keep what a call keeps, go to the other stack, and return there. */
void switch_stack(void **from, void *to);
__asm__(
	".text\n"
	".type switch_stack, @function\n"
	"switch_stack:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size switch_stack, . - switch_stack\n");

static void *scheduler_at, *fiber_at[FIBERS];

static void
leave_by_switch(void)
{
	switch_stack(&fiber_at[now], scheduler_at);
}

static void
run_switched(void)
{
	take_turns();
	for (;;)
		leave_by_switch();
}

/* @top: the end of its stack.  Nonsense is all that lies behind the way in. */
static void *
prepare(char *top)
{
	void **at = (void **)(void *)top - 3; /* as after a call */
	void (*f)(void) = run_switched;

	at[0] = (void *)(uintptr_t)0x1234567812345678; /* its caller: nobody */
	memcpy(&at[-1], &f, sizeof(f));
	for (int i = 2; i <= 7; i++)
		at[-i] = (void *)(uintptr_t)0xfefefefefefefef0;
	return at - 7;
}

static void
switches(void)
{
	char *stacks[FIBERS];

	for (int i = 0; i < FIBERS; i++) {
		stacks[i] = malloc(8 * 1024);
		fiber_at[i] = prepare(stacks[i] + 8 * 1024);
	}
	for (int turn = 0; turn <= TURNS; turn++)
		for (now = 0; now < FIBERS; now++)
			switch_stack(&scheduler_at, fiber_at[now]);
	for (int i = 0; i < FIBERS; i++)
		free(stacks[i]);
}

/*
 * Calls free_a_block() with a frame pointer that says that its caller's frame
 * is told at @fp - 8, as that of a function with aligned locals does.
 */
void with_frame_pointer(void *fp);
void free_a_block(void);
__asm__(
	".text\n"
	".type with_frame_pointer, @function\n"
	"with_frame_pointer:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	mov %rdi, %rbp\n"
	"	.cfi_escape 0x0f, 3, 0x76, 0x78, 0x06\n" /* *(%rbp - 8) */
	"	call free_a_block\n"
	"	pop %rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size with_frame_pointer, . - with_frame_pointer\n");

__attribute__((used)) void
free_a_block(void)
{
	static void *volatile block;

	block = malloc(77);
	free(block);
}

/* A stack that comes and goes right below the one of the thread itself. */
#define PIECE (16 * 1024)

static void *
move(void *place)
{
	for (now = 0; now < FIBERS; now++) {
		char *map = (char *)place - (size_t)(now % 3 + 1) * PIECE;

		if (mmap(map, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_FIXED, -1, 0) != map)
			abort();
		fiber_at[now] = prepare(map + PIECE);
		for (int turn = 0; turn <= TURNS; turn++)
			switch_stack(&scheduler_at, fiber_at[now]);
		if (mprotect(map, PIECE, PROT_NONE) != 0)
			abort();
		with_frame_pointer(map + PIECE - 512);
	}
	return NULL;
}

static void
moving(void)
{
	size_t bytes = 64 * 1024;
	char *map = mmap(NULL, bytes + 4 * PIECE, PROT_NONE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);
	char *stack = map + 4 * PIECE;
	pthread_attr_t attributes;
	pthread_t thread;

	mprotect(stack, bytes, PROT_READ | PROT_WRITE);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, bytes);
	if (pthread_create(&thread, &attributes, move, stack) != 0)
		abort();
	pthread_join(thread, NULL);
}
#endif

/* --- one stack for all, copied -------------------------------------------- */

/*
 * A coroutine's frames lie between the scheduler's frame and where it left.
 * They are copied away, and back to the same place before it goes on.
 */
#define SLICE 4096

static struct slice {
	jmp_buf at;
	char bytes[SLICE];
	int started, done;
} slices[FIBERS];

static jmp_buf scheduler_jump;
static char *base; /* the end of the part that is copied */

#define HERE() ((char *)__builtin_frame_address(0))

static void
leave_copied(void)
{
	if (_setjmp(slices[now].at) == 0) {
		memcpy(slices[now].bytes, base - SLICE, SLICE);
		_longjmp(scheduler_jump, 1);
	}
}

static __attribute__((noinline)) void
start_copied(void)
{
	volatile char room[512]; /* between the scheduler and the slice */

	room[0] = 0;
	(void)room[0];
	base = (char *)((uintptr_t)HERE() & ~(uintptr_t)15);
	slices[now].started = 1;
	take_turns();
	slices[now].done = 1;
	_longjmp(scheduler_jump, 1);
}

/* Far below the slice, which it writes over. */
static __attribute__((noinline)) void
go_on_copied(void)
{
	char room[SLICE + 2048];

	memset(room, 0x77, sizeof(room));
	__asm__ volatile("" :: "r"(room) : "memory");
	memcpy(base - SLICE, slices[now].bytes, SLICE);
	_longjmp(slices[now].at, 1);
}

static __attribute__((noinline)) void
run_copied(void)
{
	if (_setjmp(scheduler_jump) != 0)
		return;
	if (slices[now].started)
		go_on_copied();
	else
		start_copied();
}

static void
copies(void)
{
	for (int turn = 0; turn <= TURNS; turn++)
		for (now = 0; now < FIBERS; now++)
			if (!slices[now].done)
				run_copied();
}

/* --- which ---------------------------------------------------------------- */

static const struct mode {
	const char *name;
	void (*run)(void);
	void (*leave)(void);
} modes[] = {
	{ "contexts", contexts, leave_context },
	{ "copies", copies, leave_copied },
#ifdef HAS_SWITCH
	{ "switches", switches, leave_by_switch },
	{ "moving", moving, leave_by_switch },
#endif
};

static const struct mode *mode;

static void
leave(void)
{
	mode->leave();
}

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc == 2 && strcmp(argv[1], modes[i].name) == 0)
			mode = &modes[i];
	if (mode == NULL)
		return 77;
	mode->run();
	for (int i = 0; i < used; i++)
		free(blocks[i]);
	printf("%d blocks\n", used);
	return 0;
}
