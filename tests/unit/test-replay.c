#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/replay.h"

static uint64_t
bytes_of(const struct replay_blocks *b)
{
	return b->count * b->size + b->more;
}

/* What a plan comes to. */
static struct replay_figures
add_up(const struct replay_plan *p)
{
	return (struct replay_figures){
		.allocations = p->stay.count + p->peak.count + p->late.count +
		    p->brief.count + p->pass.count,
		.bytes = bytes_of(&p->stay) + bytes_of(&p->peak) +
		    bytes_of(&p->late) + bytes_of(&p->brief) +
		    bytes_of(&p->pass),
		.live_blocks = p->stay.count + p->late.count,
		.live_bytes = bytes_of(&p->stay) + bytes_of(&p->late),
		.peak_bytes = bytes_of(&p->stay) + bytes_of(&p->peak),
		.temporary = p->brief.count + p->peak_is_brief,
	};
}

static void
assert_sums(const struct replay_figures *f)
{
	struct replay_figures is;
	struct replay_plan plan;

	replay_plan(f, &plan);
	is = add_up(&plan);
	assert_int_equal(is.allocations, f->allocations);
	assert_int_equal(is.bytes, f->bytes);
	assert_int_equal(is.live_blocks, f->live_blocks);
	assert_int_equal(is.live_bytes, f->live_bytes);
	assert_int_equal(is.peak_bytes, f->peak_bytes);
	assert_int_equal(is.temporary, f->temporary);
}

static void
a_plan_has_the_sums_that_it_is_made_of(void **state)
{
	/* calls, bytes, live blocks and bytes, at the peak, temporary */
	static const struct replay_figures cases[] = {
		{ 0, 0, 0, 0, 0, 0 },
		{ 1, 24, 1, 24, 24, 0 },
		{ 1, 24, 0, 0, 24, 0 },
		{ 1, 24, 0, 0, 0, 1 },
		{ 1, 24, 0, 0, 0, 0 },
		{ 1, 24, 1, 24, 0, 0 },
		{ 10, 1000, 3, 300, 500, 2 },
		{ 10, 1003, 3, 301, 500, 7 }, /* one of them was the peak */
		{ 7, 700, 7, 700, 0, 0 },
		{ 9, 900, 2, 200, 900, 0 },
		{ 5, 500, 2, 300, 100, 3 },
		{ 1000000, 99999999, 1, 7, 4096, 999000 },
		{ UINT64_C(1) << 40, UINT64_C(1) << 50, 5, 50, 1000, 77 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_sums(&cases[i]);
}

/* A heap that is allocated and freed at random, and what came of it. */
static struct replay_figures
random_heap(uint64_t seed)
{
	struct replay_figures f = { 0 };
	uint64_t block[64] = { 0 }, most = 0;

	for (int i = 0; i < 300; i++) {
		uint64_t *b;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		b = &block[seed >> 58];
		if (*b != 0) {
			f.live_bytes -= *b;
			f.live_blocks--;
			*b = 0;
			continue;
		}
		*b = 24 + (seed >> 32) % 5000;
		f.allocations++;
		f.bytes += *b;
		f.live_bytes += *b;
		f.live_blocks++;
		if (f.live_bytes > most)
			most = f.live_bytes;
	}
	f.peak_bytes = most;
	return f;
}

static void
of_random_heaps_as_well(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 2000; seed++) {
		struct replay_figures f = random_heap(seed);

		assert_sums(&f);
	}
}

static void
what_contradicts_itself_keeps_its_bytes(void **state)
{
	/* Estimates: bytes without a block, more temporary than calls. */
	const struct replay_figures f = { 1, 1000, 0, 300, 400, 9 };
	struct replay_figures is;
	struct replay_plan plan;

	(void)state;
	replay_plan(&f, &plan);
	is = add_up(&plan);
	assert_int_equal(is.bytes, f.bytes);
	assert_int_equal(is.live_bytes, f.live_bytes);
	assert_int_equal(is.peak_bytes, f.peak_bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_has_the_sums_that_it_is_made_of),
		cmocka_unit_test(of_random_heaps_as_well),
		cmocka_unit_test(what_contradicts_itself_keeps_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
