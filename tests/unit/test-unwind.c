#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "base/base.h"
#include "stack/unwind.h"

#define ROOM 256

/* Kinds of frames that gcc makes on demand; clang makes what it will. */
#ifdef __clang__
#define COMPILED(...) __attribute__((noinline))
#else
#define COMPILED(...) __attribute__((noinline, optimize(__VA_ARGS__)))
#endif

/*
 * What an allocation function is to the walk: its return address is the first
 * frame.  Both walkers start here, and must see the same.
 */
struct walk {
	uint64_t pcs[ROOM + UNWIND_OWN];
	size_t depth;
	int cut;
	size_t other_depth;
	uint64_t other[ROOM + UNWIND_OWN];
	int other_cut;
	size_t first;
};

static struct walk walk;
static struct stack known;
static struct memo_trace unnoted; /* nobody wants to know */

static __attribute__((noinline)) void
capture(void)
{
	struct arch_frame from = arch_frame_of(ARCH_CALLER());

	walk.depth = unwind_stack(&from, &known, walk.pcs, ROOM, &walk.cut,
	    &unnoted);
	walk.other_depth = unwind_reference(from.pc, walk.other, ROOM,
	    &walk.first, &walk.other_cut);
	__asm__ volatile("" ::: "memory");
}

/* @signals frames may differ by the one that unwind.h tells of. */
static void
assert_same(int signals)
{
	size_t i;

	assert_true(walk.depth > 0);
	assert_int_equal(walk.depth, walk.other_depth);
	for (i = 0; i < walk.depth; i++) {
		uint64_t other = walk.other[walk.first + i];

		if (walk.pcs[i] == other + 1 && signals > 0)
			signals--;
		else
			assert_int_equal(walk.pcs[i], other);
	}
	assert_int_equal(signals, 0);
}

#define KEEP() __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) int
plain(int n)
{
	if (n == 0)
		capture();
	else
		plain(n - 1);
	KEEP();
	return n;
}

static void
calls_of_calls_are_followed_to_the_root(void **state)
{
	(void)state;
	plain(0);
	assert_same(0);
	assert_int_equal(walk.cut, 0);
	plain(40);
	assert_same(0);
}

static __attribute__((noinline)) void
with_alloca(size_t n)
{
	char *p = alloca(n);

	memset(p, 1, n);
	capture();
	__asm__ volatile("" :: "r"(p) : "memory");
}

static __attribute__((noinline)) void
with_aligned_locals(size_t n)
{
	char aligned[64] __attribute__((aligned(64)));
	char *p = alloca(n);

	memset(aligned, 1, sizeof(aligned));
	__asm__ volatile("" :: "r"(p), "r"(aligned) : "memory");
	with_alloca(n);
	KEEP();
}

static COMPILED("no-omit-frame-pointer") void
with_a_frame_pointer(size_t n)
{
	with_aligned_locals(n);
	KEEP();
}

static void
frames_of_all_kinds_are_followed(void **state)
{
	size_t n;

	(void)state;
	for (n = 1; n < 5000; n = 3 * n + 1) {
		with_a_frame_pointer(n);
		assert_same(0);
	}
}

static COMPILED("O1", "omit-frame-pointer") void
with_a_large_frame(void)
{
	char large[200000];

	memset(large, 1, sizeof(large));
	capture();
	__asm__ volatile("" :: "r"(large) : "memory");
}

static void
a_frame_too_large_for_the_table_is_followed_too(void **state)
{
	(void)state;
	with_a_large_frame();
	assert_same(0);
}

static int
compare_and_capture(const void *a, const void *b)
{
	capture();
	return *(const int *)a - *(const int *)b;
}

static void
a_callback_is_seen_through_the_library_that_calls_it(void **state)
{
	int numbers[] = { 3, 1, 2 };

	(void)state;
	qsort(numbers, 3, sizeof(numbers[0]), compare_and_capture);
	assert_same(0);
	assert_true(walk.depth > 3);
}

static void
in_handler(int signal)
{
	(void)signal;
	plain(2);
}

static void
a_signal_is_seen_through_on_the_same_and_on_another_stack(void **state)
{
	struct sigaction action = { .sa_handler = in_handler };
	stack_t other = { .ss_size = 64 * 1024 };

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	assert_same(1);
	other.ss_sp = malloc(other.ss_size);
	assert_int_equal(sigaltstack(&other, NULL), 0);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	assert_same(1);
	other.ss_flags = SS_DISABLE;
	sigaltstack(&other, NULL);
	free(other.ss_sp);
}

static void *
in_thread(void *context)
{
	memset(&known, 0, sizeof(known));
	plain(3);
	return context;
}

static void
a_thread_ends_where_it_was_made(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, in_thread, NULL), 0);
	pthread_join(thread, NULL);
	memset(&known, 0, sizeof(known));
	assert_same(0);
	assert_int_equal(walk.cut, 0);
}

static ucontext_t here, there;

static void
in_fiber(void)
{
	plain(2);
}

/* The stack ends at the very end of what is mapped: a step too far faults. */
static void
a_fiber_s_stack_is_not_left(void **state)
{
	size_t bytes = 16 * 4096;
	char *map = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_int_equal(mprotect(map + bytes, 4096, PROT_NONE), 0);
	getcontext(&there);
	there.uc_stack.ss_sp = map;
	there.uc_stack.ss_size = bytes;
	there.uc_link = &here;
	makecontext(&there, in_fiber, 0);
	swapcontext(&here, &there);
	assert_true(walk.depth >= 4);
	munmap(map, bytes + 4096);
	plain(1);
	assert_same(0);
}

/* A page that a stack ends at, read in one walk and gone in the next. */
static void
what_was_readable_in_one_walk_is_asked_for_in_the_next(void **state)
{
	char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct arch_frame from;
	uint64_t pcs[8];
	int cut;

	(void)state;
	plain(1);
	from.pc = walk.pcs[0]; /* a frame of several words, in plain() */
	from.sp = (uintptr_t)map + 2 * 4096 - 8;
	from.fp = from.sp;
	(void)unwind_stack(&from, &known, pcs, 8, &cut, &unnoted);
	assert_int_equal(mprotect(map + 2 * 4096, 4096, PROT_NONE), 0);
	assert_int_equal(unwind_stack(&from, &known, pcs, 8, &cut, &unnoted), 1);
	assert_int_equal(cut, 1);
	munmap(map, 3 * 4096);
}

static void
the_walk_is_the_same_where_the_stack_is_known(void **state)
{
	pthread_attr_t attributes;
	void *start;
	size_t bytes;

	(void)state;
	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstack(&attributes, &start, &bytes);
	pthread_attr_destroy(&attributes);
	unwind_set_top(&known, (uintptr_t)start + bytes, 0);
	plain(30);
	assert_same(0);
	assert_true(known.low <= (uintptr_t)&attributes);
	assert_true(known.low >= (uintptr_t)start);
	with_a_large_frame();
	assert_same(0);
	in_fiber();
	assert_same(0);
	memset(&known, 0, sizeof(known));
}

static void
a_stack_that_is_deeper_than_there_is_room_is_cut(void **state)
{
	(void)state;
	plain(300);
	assert_int_equal(walk.depth, ROOM);
	assert_int_equal(walk.cut, 1);
}

/* What a bug may leave of a frame: @slot 0 the frame pointer, 1 the way back. */
static COMPILED("no-omit-frame-pointer") void
with_a_trampled_frame(int slot, uint64_t with)
{
	uint64_t *volatile frame = __builtin_frame_address(0);
	uint64_t was = frame[slot];
	struct arch_frame from;

	frame[slot] = with;
	KEEP();
	from = arch_frame_of(ARCH_CALLER());
	walk.depth = unwind_stack(&from, &known, walk.pcs, ROOM, &walk.cut,
	    &unnoted);
	frame[slot] = was;
	KEEP();
}

static void
a_stack_full_of_nonsense_is_cut_and_not_followed(void **state)
{
	static const uint64_t nonsense[] = {
		0, 1, 7, 8, 4096, UINT64_MAX, UINT64_MAX - 7,
		UINT64_C(0x7ffffffffff8), UINT64_C(0xffff800000000000),
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(nonsense); i++) {
		with_a_trampled_frame(1, nonsense[i]);
		assert_int_equal(walk.depth, nonsense[i] > 1);
		assert_int_equal(walk.cut, nonsense[i] > 1);
		/* Used only where a caller further out has one, and then it
		 * leads nowhere. */
		with_a_trampled_frame(0, nonsense[i]);
		assert_true(walk.depth >= 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_of_calls_are_followed_to_the_root),
		cmocka_unit_test(frames_of_all_kinds_are_followed),
		cmocka_unit_test(
		    a_frame_too_large_for_the_table_is_followed_too),
		cmocka_unit_test(
		    a_callback_is_seen_through_the_library_that_calls_it),
		cmocka_unit_test(
		    a_signal_is_seen_through_on_the_same_and_on_another_stack),
		cmocka_unit_test(a_thread_ends_where_it_was_made),
		cmocka_unit_test(a_fiber_s_stack_is_not_left),
		cmocka_unit_test(
		    what_was_readable_in_one_walk_is_asked_for_in_the_next),
		cmocka_unit_test(the_walk_is_the_same_where_the_stack_is_known),
		cmocka_unit_test(
		    a_stack_that_is_deeper_than_there_is_room_is_cut),
		cmocka_unit_test(
		    a_stack_full_of_nonsense_is_cut_and_not_followed),
	};

	if (unwind_reference_open() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
