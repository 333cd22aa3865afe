#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/course.h"

#define MS NS_PER_MS

static struct courses all;

/* Grows to @mib over the first half of @ms, and holds that; looked at every 20. */
static struct course
ramp(uint64_t ms, uint64_t mib)
{
	struct course c;

	memset(&c, 0, sizeof(c));
	for (uint64_t t = 0; t < ms; t += 20)
		course_note(&c, t * MS, min_u64(mib * MIB * t * 2 / ms,
		    mib * MIB));
	return c;
}

static void
end_one(uint64_t ms, uint64_t mib)
{
	const struct course c = ramp(ms, mib);

	courses_add(&all, &c, ms * MS, mib * MIB);
}

static int
fits(uint64_t room_mib, size_t count, const uint64_t *age_ms)
{
	uint64_t age_ns[8];

	for (size_t i = 0; i < count; i++)
		age_ns[i] = age_ms[i] * MS;
	return courses_fit(&all, age_ns, count, room_mib * MIB);
}

static void
what_was_seen_is_kept_at_its_age(void **state)
{
	uint64_t ms, held, was;

	(void)state;
	memset(&all, 0, sizeof(all));
	assert_int_equal(courses_held(&all, 0), 0);
	end_one(2000, 200);
	for (ms = 0; ms < 2000; ms += 10) {
		was = min_u64(200 * ms / 1000, 200) * MIB;
		held = courses_held(&all, ms * MS);
		/* Never less; more by a row of 40 ms and a little. */
		assert_true(held >= was);
		assert_true(held <= (was + 13 * MIB) / 32 * 33);
	}
	assert_true(courses_held(&all, 2100 * MS) >= 200 * MIB);
	assert_int_equal(courses_held(&all, 2200 * MS), 0);
}

static void
a_gap_between_two_looks_counts_as_the_more(void **state)
{
	struct course c;

	(void)state;
	memset(&all, 0, sizeof(all));
	memset(&c, 0, sizeof(c));
	course_note(&c, 0, 10 * MIB);
	course_note(&c, 300 * MS, 100 * MIB);
	course_note(&c, 600 * MS, 20 * MIB);
	courses_add(&all, &c, 900 * MS, 100 * MIB);
	assert_true(courses_held(&all, 100 * MS) >= 100 * MIB);
	assert_true(courses_held(&all, 500 * MS) >= 100 * MIB);
	assert_true(courses_held(&all, 800 * MS) < 21 * MIB);
}

static void
a_peak_between_two_looks_raises_all(void **state)
{
	const struct course c = ramp(2000, 100);

	(void)state;
	memset(&all, 0, sizeof(all));
	courses_add(&all, &c, 2000 * MS, 150 * MIB);
	assert_true(courses_held(&all, 1500 * MS) >= 150 * MIB);
	assert_true(courses_held(&all, 500 * MS) >= 75 * MIB);
}

static void
one_more_begins_when_another_is_about_to_end(void **state)
{
	static const struct {
		uint64_t room;
		size_t count;
		uint64_t age[3];
		int fits;
	} cases[] = {
		{ 205, 0, { 0 }, 0 }, /* 200, and the margin */
		{ 210, 0, { 0 }, 1 },
		{ 410, 1, { 0 }, 0 },
		{ 420, 1, { 0 }, 1 },
		{ 420, 1, { 1000 }, 1 },
		/* There is not room for three of the full size at one time; */
		{ 550, 2, { 0, 0 }, 0 },
		{ 550, 2, { 1000, 1000 }, 0 },
		{ 550, 2, { 1600, 0 }, 1 }, /* the first ends before these are */
		{ 550, 2, { 1300, 1300 }, 0 },
		{ 550, 2, { 1600, 1600 }, 1 }, /* but it is smaller at first */
		{ 550, 2, { 1600, 800 }, 1 },
		{ 550, 2, { 1400, 700 }, 0 },
		/* 206 twice, with the margin, and 144 or 136 of the third. */
		{ 550, 2, { 1430, 715 }, 0 },
		{ 550, 2, { 1450, 725 }, 1 },
		/* Who should have ended and did not may go on for ever. */
		{ 550, 2, { 1600, 2200 }, 1 },
		{ 550, 2, { 1400, 2200 }, 0 },
		{ 630, 2, { 1400, 2200 }, 1 },
	};

	(void)state;
	memset(&all, 0, sizeof(all));
	end_one(2000, 200);
	end_one(2000, 200);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		if (fits(cases[i].room, cases[i].count, cases[i].age) !=
		    cases[i].fits)
			fail_msg("case %zu", i);
}

/* By this law eight jobs of 200 MB in 550: never above it, and sooner done. */
static void
a_row_of_jobs_stays_below_the_line(void **state)
{
	uint64_t begin[8], age[8], now, sum, held;
	size_t begun = 0, i, running;

	(void)state;
	memset(&all, 0, sizeof(all));
	end_one(2000, 200);
	end_one(2000, 200);
	for (now = 0; now < 8000; now += 10) {
		for (i = running = 0, sum = 0; i < begun; i++) {
			if (now >= begin[i] + 2000)
				continue;
			age[running++] = now - begin[i];
			held = min_u64(200 * (now - begin[i]) / 1000, 200);
			sum += held;
		}
		assert_true(sum <= 550);
		if (begun < 8 && fits(550, running, age))
			begin[begun++] = now;
	}
	assert_int_equal(begun, 8);
	/* Two at a time end after four rounds, 8,000 ms. */
	assert_true(begin[7] + 2000 < 7600);
}

static void
unlike_jobs_are_known(void **state)
{
	static const struct {
		uint64_t ms, mib, ms2, mib2;
		int alike;
	} cases[] = {
		{ 2000, 200, 2000, 200, 1 },
		{ 2000, 200, 2400, 210, 1 },
		{ 2000, 200, 2600, 200, 0 },
		{ 2000, 200, 2000, 240, 0 },
		{ 2600, 200, 2000, 200, 0 },
		{ 100, 200, 100, 200, 0 }, /* looks are too far apart */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		memset(&all, 0, sizeof(all));
		end_one(cases[i].ms, cases[i].mib);
		assert_false(courses_alike(&all));
		end_one(cases[i].ms2, cases[i].mib2);
		if (courses_alike(&all) != cases[i].alike)
			fail_msg("case %zu", i);
	}
}

static void
one_that_was_unlike_is_forgotten(void **state)
{
	int i;

	(void)state;
	memset(&all, 0, sizeof(all));
	end_one(9000, 500);
	for (i = 0; i < 62; i++)
		end_one(2000, 200);
	assert_false(courses_alike(&all));
	end_one(2000, 200);
	assert_true(courses_alike(&all));
	assert_int_equal(courses_held(&all, 5000 * MS), 0);
	/* And there is no moment in which nothing is known. */
	for (i = 0; i < 200; i++) {
		end_one(2000, 200);
		assert_true(courses_alike(&all));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen_is_kept_at_its_age),
		cmocka_unit_test(a_gap_between_two_looks_counts_as_the_more),
		cmocka_unit_test(a_peak_between_two_looks_raises_all),
		cmocka_unit_test(one_more_begins_when_another_is_about_to_end),
		cmocka_unit_test(a_row_of_jobs_stays_below_the_line),
		cmocka_unit_test(unlike_jobs_are_known),
		cmocka_unit_test(one_that_was_unlike_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
