#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "control/bypass.h"

static struct segment segment;

static int
empty(void **state)
{
	(void)state;
	memset(&segment, 0, sizeof(segment));
	return 0;
}

static uint64_t
start_of(const char *function)
{
	Dl_info info;

	assert_true(dladdr(dlsym(RTLD_DEFAULT, function), &info) != 0);
	return (uintptr_t)info.dli_fbase;
}

static size_t
count(enum bypass_why why)
{
	size_t n = 0;

	for (size_t i = 0; i < SEGMENT_BYPASSES; i++)
		n += segment.bypass[i].why == why;
	return n;
}

static void
a_module_is_noted_once_for_each_reason(void **state)
{
	struct segment_bypass *a, *b;

	(void)state;
	a = bypass_note(&segment, BYPASS_BOUND, "/lib/one.so", "/lib/libc.so");
	b = bypass_note(&segment, BYPASS_BOUND, "/lib/one.so", NULL);
	assert_ptr_equal(a, b);
	assert_string_equal(a->module, "/lib/one.so");
	assert_string_equal(a->allocator, "/lib/libc.so");
	b = bypass_note(&segment, BYPASS_FREES, "/lib/one.so", NULL);
	assert_ptr_not_equal(a, b);
	assert_string_equal(b->allocator, "");
}

static void
of_a_long_path_the_end_is_kept(void **state)
{
	char path[1000] = "";
	struct segment_bypass *row;

	(void)state;
	for (int i = 0; i < 90; i++)
		strcat(path, "/directory");
	strcat(path, "/the-module.so");
	row = bypass_note(&segment, BYPASS_OWN, path, path);
	assert_int_equal(strlen(row->module), sizeof(row->module) - 1);
	assert_string_equal(row->module, path + strlen(path) -
	    (sizeof(row->module) - 1));
	assert_ptr_equal(bypass_note(&segment, BYPASS_OWN, path, NULL), row);
}

static void
when_the_rows_are_full_no_more_are_noted(void **state)
{
	char path[2] = "a";

	(void)state;
	for (size_t i = 0; i < SEGMENT_BYPASSES; i++, path[0]++)
		assert_non_null(bypass_note(&segment, BYPASS_OWN, path, NULL));
	assert_null(bypass_note(&segment, BYPASS_OWN, path, NULL));
	path[0] = 'c';
	assert_non_null(bypass_note(&segment, BYPASS_OWN, path, NULL));
}

/* As if libc were heaptide: this program's calls are bound to it. */
static void
who_is_bound_to_the_library_is_not_noted(void **state)
{
	(void)state;
	segment.objects.heaptide = start_of("malloc");
	assert_int_equal(bypass_look(&segment, 0), 0);
	assert_int_equal(count(BYPASS_NONE), SEGMENT_BYPASSES);
}

/* As if heaptide were somewhere else, and libc behind it. */
static void
who_is_bound_to_the_allocator_is_noted_with_it(void **state)
{
	const struct segment_bypass *row = NULL;
	char *path = realpath("/proc/self/exe", NULL);

	(void)state;
	assert_non_null(path);
	segment.objects.heaptide = start_of("_cmocka_run_group_tests");
	segment.objects.allocator = start_of("malloc");
	free(strdup(path)); /* bound at the latest now */
	assert_int_equal(bypass_look(&segment, 0), 0);
	for (size_t i = 0; i < SEGMENT_BYPASSES; i++)
		if (strcmp(segment.bypass[i].module, path + above_u64(
		    strlen(path), sizeof(row->module) - 1)) == 0)
			row = &segment.bypass[i];
	assert_non_null(row);
	assert_int_equal(row->why, BYPASS_BOUND);
	assert_non_null(strstr(row->allocator, "libc.so"));
	free(path);
}

/* While we look, it has become another program: that is not this one's. */
static void
of_who_has_gone_on_by_exec_nothing_is_noted(void **state)
{
	(void)state;
	segment.objects.heaptide = start_of("_cmocka_run_group_tests");
	segment.objects.allocator = start_of("malloc");
	atomic_store(&segment.end.how, END_EXEC);
	(void)bypass_look(&segment, 0);
	assert_int_equal(count(BYPASS_NONE), SEGMENT_BYPASSES);
}

static void
who_comes_first_stands_for_all_that_are_bound_to_it(void **state)
{
	(void)state;
	segment.objects.heaptide = start_of("_cmocka_run_group_tests");
	segment.objects.first = start_of("malloc");
	assert_int_equal(bypass_look(&segment, 0), 0);
	assert_int_equal(count(BYPASS_BOUND), 0);
}

static void
an_old_segment_and_a_dead_process_are_refused(void **state)
{
	(void)state;
	assert_true(bypass_look(&segment, 0) < 0);
	segment.objects.heaptide = 4096;
	assert_true(bypass_look(&segment, INT32_MAX) < 0);
	assert_int_equal(count(BYPASS_NONE), SEGMENT_BYPASSES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_module_is_noted_once_for_each_reason,
		    empty),
		cmocka_unit_test_setup(of_a_long_path_the_end_is_kept, empty),
		cmocka_unit_test_setup(
		    when_the_rows_are_full_no_more_are_noted, empty),
		cmocka_unit_test_setup(
		    who_is_bound_to_the_library_is_not_noted, empty),
		cmocka_unit_test_setup(
		    who_is_bound_to_the_allocator_is_noted_with_it, empty),
		cmocka_unit_test_setup(
		    of_who_has_gone_on_by_exec_nothing_is_noted, empty),
		cmocka_unit_test_setup(
		    who_comes_first_stands_for_all_that_are_bound_to_it,
		    empty),
		cmocka_unit_test_setup(
		    an_old_segment_and_a_dead_process_are_refused,
		    empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
