/*
 * test-retrace.c - what is walked by what is remembered is what a walk finds
 *
 * Functions of all kinds call each other at random; wherever one captures its
 * stack, that is done by what is remembered, and compared with a walk to the
 * root, and that with libunwind.
 */
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "stack/memo.h"
#include "stack/retrace.h"
#include "stack/unwind.h"

#define ROOM   128
#define STACKS 200000

#ifdef __clang__
#define COMPILED(...) __attribute__((noinline))
#else
#define COMPILED(...) __attribute__((noinline, optimize(__VA_ARGS__)))
#endif
#define PLAIN COMPILED("O2", "omit-frame-pointer")
#define WITH_FP COMPILED("O2", "no-omit-frame-pointer")
#define KEEP() __asm__ volatile("" ::: "memory")
/* What the compiler must not do without. */
#define USED(p) __asm__ volatile("" :: "r"(p) : "memory")

/* --- what is remembered ----------------------------------------------------- */

static _Alignas(64) char room[MEMO_LARGE];
static struct memo *memo;
static struct stack known;

/* A stack's number is where its frames begin here, and how many they are. */
static uint64_t kept[STACKS * 40];
static uint32_t kept_used;

static struct {
	size_t same, joined, walked, cut, signals;
	size_t fresh;  /* frames that were stepped through where joined */
	size_t frames;
} seen;

static uint32_t
keep(const uint64_t *pcs, size_t n)
{
	if (kept_used + n > ARRAY_LENGTH(kept))
		return 0;
	memcpy(&kept[kept_used], pcs, n * sizeof(*pcs));
	kept_used += (uint32_t)n;
	return kept_used;
}

/* The remembered frames of @kin, without the @inner ones. */
static const uint64_t *
outer(const struct memo_entry *kin, uint32_t inner)
{
	return &kept[kin->node - kin->frames + inner];
}

static void
assert_frames(const uint64_t *found, const uint64_t *walked, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (found[i] != walked[i])
			fail_msg("frame %zu: %#lx, and a walk finds %#lx", i,
			    (unsigned long)found[i], (unsigned long)walked[i]);
}

static void
assert_is_judged_so(uint64_t pc, const uint64_t *pcs, size_t n)
{
	static uint64_t other[ROOM + UNWIND_OWN];
	size_t first;
	int cut;

	assert_int_equal(unwind_reference(pc, other, ROOM, &first, &cut), n);
	assert_frames(&other[first], pcs, n);
}

static __attribute__((noinline)) void
capture(void)
{
	struct arch_frame from = arch_frame_of(ARCH_CALLER());
	uint64_t walked[ROOM];
	uint64_t found[ROOM];
	struct memo_trace none = { .word = NULL };
	uint64_t noted[MEMO_TRACE];
	struct memo_trace trace;
	const struct memo_entry *e;
	struct retraced r;
	struct memo_result result = { .generation = 1, .site = 1 };
	size_t n;
	int cut;

	n = unwind_stack(&from, &known, walked, ROOM, &cut, &none);
	assert_is_judged_so(from.pc, walked, n);
	seen.frames += n;
	e = memo_find(memo, &from, 1);
	if (e != NULL) {
		assert_int_equal(e->frames, n);
		assert_frames(outer(e, 0), walked, n);
		seen.same++;
		return;
	}
	e = memo_kin(memo, &from, 1);
	memo_begin(&trace, &from, noted);
	if (e != NULL && retrace(e, &from, &known, found, ROOM, &trace, &r)) {
		assert_int_equal(r.fresh + r.known, n);
		assert_int_equal(r.cut, cut);
		assert_frames(found, walked, r.fresh);
		assert_frames(outer(e, e->frames - r.known),
		    walked + r.fresh, r.known);
		seen.joined += r.known != 0;
		seen.fresh += r.fresh;
		if (r.fresh == 0)
			return;
	} else {
		memo_begin(&trace, &from, noted);
		(void)unwind_stack(&from, &known, found, ROOM, &cut, &trace);
		seen.walked++;
		seen.cut += cut != 0;
	}
	result.node = keep(walked, n);
	result.frames = (uint32_t)n;
	if (result.node != 0)
		memo_put(memo, memo_lay(memo, &from, &trace, &result));
	KEEP();
}

/* --- functions of all kinds -------------------------------------------------- */

static uint32_t seed;

static uint32_t
any(uint32_t of)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 10) % of;
}

static void go_on(int levels);

static PLAIN void
plain(int levels)
{
	go_on(levels);
	KEEP();
}

static PLAIN void
plain_with_locals(int levels)
{
	char locals[200];

	USED(locals);
	go_on(levels);
	KEEP();
}

/* Two places that call with the same frame around them. */
static PLAIN void
from_two_places(int levels)
{
	if (any(2) == 0)
		go_on(levels);
	else
		go_on(levels - 1);
	KEEP();
}

static WITH_FP void
with_fp(int levels)
{
	go_on(levels);
	KEEP();
}

static WITH_FP void
with_fp_from_two_places(int levels)
{
	char locals[72];

	USED(locals);
	if (any(2) == 0)
		go_on(levels);
	else
		go_on(levels - 1);
	KEEP();
}

static PLAIN void
with_alloca(int levels)
{
	char *p = alloca(16 + any(300));

	USED(p);
	go_on(levels);
	KEEP();
}

static PLAIN void
aligned(int levels)
{
	char a[64] __attribute__((aligned(64)));

	USED(a);
	go_on(levels);
	KEEP();
}

static PLAIN void
aligned_with_alloca(int levels)
{
	char a[64] __attribute__((aligned(64)));
	char *p = alloca(16 + any(300));

	USED(a);
	USED(p);
	go_on(levels);
	KEEP();
}

/* The register is this function's own, and holds anything. */
static PLAIN void
spoils_fp(int levels)
{
	register uint64_t anything __asm__("rbx") = any(1000);

	__asm__ volatile("" : "+r"(anything));
	go_on(levels);
	__asm__ volatile("" : "+r"(anything));
}

static PLAIN void
large(int levels)
{
	char frame[150000];

	USED(frame);
	go_on(levels);
	KEEP();
}

static int
compare(const void *a, const void *b)
{
	(void)a;
	(void)b;
	go_on(2);
	return 0;
}

static PLAIN void
through_a_library(int levels)
{
	int two[2] = { 2, 1 };

	if (levels > 6 && any(4) == 0)
		qsort(two, 2, sizeof(two[0]), compare);
	else
		go_on(levels);
	KEEP();
}

static void (*const kinds[])(int) = {
	plain, plain_with_locals, from_two_places, with_fp,
	with_fp_from_two_places, with_alloca, aligned, aligned_with_alloca,
	spoils_fp, through_a_library, plain, from_two_places, large,
};
static size_t kinds_used;

/* Two calls at one level in three are, 60 deep, a hundred million. */
static size_t frames_enough;

static void
go_on(int levels)
{
	int calls = 1 + (any(3) == 0);

	if (seen.frames >= frames_enough)
		return;
	if (levels <= 0) {
		capture();
		return;
	}
	if (any(8) == 0)
		capture();
	while (calls-- > 0)
		kinds[any((uint32_t)kinds_used)](levels - 1);
	KEEP();
}

/* --- tests -------------------------------------------------------------------- */

static int
set_up(void **state)
{
	pthread_attr_t attributes;
	void *start;
	size_t bytes;

	(void)state;
	memset(room, 0, sizeof(room));
	memo = memo_open(room, sizeof(room));
	memset(&seen, 0, sizeof(seen));
	memset(&known, 0, sizeof(known));
	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstack(&attributes, &start, &bytes);
	pthread_attr_destroy(&attributes);
	unwind_set_top(&known, (uintptr_t)start + bytes, 0);
	kept_used = 1;
	return 0;
}

static void
calls_at_random_are_seen_as_a_walk_sees_them(void **state)
{
	(void)state;
	kinds_used = ARRAY_LENGTH(kinds) - 1;
	frames_enough = 4000000;
	for (seed = 1; seen.frames < frames_enough; seed++)
		go_on(1 + (int)any(20));
	print_message("%zu known, %zu joined after %.1f of %.1f frames, "
	    "%zu walked\n", seen.same, seen.joined,
	    (double)seen.fresh / (double)seen.joined, (double)seen.frames /
	    (double)(seen.same + seen.joined + seen.walked), seen.walked);
	/* And it is of use. */
	assert_true(seen.joined > seen.walked);
}

static void
frames_of_more_than_128_kib_are_no_hindrance(void **state)
{
	(void)state;
	kinds_used = ARRAY_LENGTH(kinds);
	frames_enough = 400000;
	for (seed = 1; seen.frames < frames_enough; seed++)
		go_on(1 + (int)any(9));
	assert_true(seen.joined > seen.walked);
}

static void
a_stack_that_is_too_deep_is_walked_and_cut(void **state)
{
	(void)state;
	kinds_used = 4;
	frames_enough = 20000000;
	for (seed = 1; seen.frames < frames_enough; seed++)
		go_on(60 + (int)any(10));
	print_message("%zu known, %zu walked, %zu of them cut\n", seen.same,
	    seen.walked, seen.cut);
	assert_true(seen.cut >= 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    calls_at_random_are_seen_as_a_walk_sees_them, set_up),
		cmocka_unit_test_setup(
		    frames_of_more_than_128_kib_are_no_hindrance, set_up),
		cmocka_unit_test_setup(
		    a_stack_that_is_too_deep_is_walked_and_cut, set_up),
	};

	if (unwind_reference_open() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
