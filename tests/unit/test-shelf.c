#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "profile/shelf.h"

static void
a_name_tells_pid_start_and_image(void **state)
{
	static const struct {
		const char *text;
		struct shelf_name name;
	} cases[] = {
		{ "1.0.tide", { 1, SHELF_LAST, 0, 0 } },
		{ "4711.123456.tide", { 4711, SHELF_LAST, 123456, 0 } },
		{ "4711.123456.0.tide", { 4711, 0, 123456, 0 } },
		{ "4711.123456.12.tide", { 4711, 12, 123456, 0 } },
		{ "2147483647.18446744073709551615.2147483647.tide",
		  { INT32_MAX, INT32_MAX, UINT64_MAX, 0 } },
		{ "1-4026532201.17.tide", { 1, SHELF_LAST, 17, 4026532201 } },
		{ "1-4026532201.17.3.tide", { 1, 3, 17, 4026532201 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct shelf_name name = { 0, 0, 0, 0 };

		assert_true(shelf_parse(cases[i].text, &name));
		assert_int_equal(name.pid, cases[i].name.pid);
		assert_int_equal(name.image, cases[i].name.image);
		assert_true(name.ticks == cases[i].name.ticks);
		assert_true(name.namespace == cases[i].name.namespace);
	}
}

static void
any_other_name_is_refused_and_leaves_the_answer_alone(void **state)
{
	static const char *const cases[] = {
		"", ".", "..", "tide", ".tide", "1.tide", "1..tide",
		".1.tide", "0.1.tide", "1.2.tid", "1.2.tide.", "1.2.tide~",
		"1.2.3.4.tide", "1.2..tide", "-1.2.tide", "+1.2.tide",
		"1.-2.tide", " 1.2.tide", "1 .2.tide", "a.2.tide",
		"1.b.tide", "1.2.c.tide", "0x1.2.tide", "1.2.3.tide.log",
		"2147483648.1.tide", "1.18446744073709551616.tide",
		"1.2.2147483648.tide",
		"1.000000000000000000000000000000000000000001.tide",
		"heaptide.sh.17.tide", "1-.2.tide", "1-0.2.tide",
		"1-2-3.4.tide", "1.2-3.tide", "1.2.3-4.tide", "0-1.2.tide",
		"1-18446744073709551616.2.tide",
	};
	struct shelf_name name = { 42, 43, 44, 45 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_false(shelf_parse(cases[i], &name));
		assert_int_equal(name.pid, 42);
		assert_int_equal(name.image, 43);
		assert_int_equal(name.ticks, 44);
		assert_int_equal(name.namespace, 45);
	}
}

static void
what_belongs_to_a_run_tells_its_supervisor(void **state)
{
	static const char *const others[] = {
		"", "1.2.3", "1.2.3.tide", "1.2.log", "1.2.3.4.log",
		"0.2.3.log", "1.2.3.logs", "1.2.3.", "x.2.3.log",
		"-1.2.3.log", "1..3.log", "4294967296.2.3.pressure",
	};
	struct shelf_name name;

	(void)state;
	assert_true(shelf_parse_run("12.345.0.log", &name));
	assert_int_equal(name.pid, 12);
	assert_int_equal(name.ticks, 345);
	assert_int_equal(name.namespace, 0);
	assert_true(shelf_parse_run("7.8.4026531999.pressure", &name));
	assert_int_equal(name.namespace, 4026531999);
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		if (shelf_parse_run(others[i], &name))
			fail_msg("'%s' was taken", others[i]);
	assert_int_equal(name.pid, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_tells_pid_start_and_image),
		cmocka_unit_test(
		    any_other_name_is_refused_and_leaves_the_answer_alone),
		cmocka_unit_test(what_belongs_to_a_run_tells_its_supervisor),
	};

	return cmocka_run_group_tests_name("shelf", tests, NULL, NULL);
}
