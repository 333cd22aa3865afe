#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/base.h"
#include "plan/host.h"
#include "plan/settings.h"

static const char *knobs, *steps;

static const char *
setting(const char *name)
{
	return strcmp(name, "KNOBS") == 0 ? knobs :
	    strcmp(name, "RECLAIM") == 0 ? steps : NULL;
}

static const struct plan_host host = { .setting = setting };

static int
begin(void **state)
{
	(void)state;
	knobs = steps = NULL;
	settings_read(&host);
	return settings_take(NULL);
}

static void
a_knob_is_found_by_its_whole_name(void **state)
{
	double value = 1;

	(void)state;
	knobs = "max_samples=9,samples=6.25,recall=0,deep=x";
	settings_read(&host);
	assert_true(settings_knob("samples", &value));
	assert_true(value == 6.25);
	assert_true(settings_knob("recall", &value));
	assert_true(value == 0);
	value = 7;
	assert_false(settings_knob("sample", &value));
	assert_false(settings_knob("samples=6", &value));
	assert_false(settings_knob("deep", &value));
	assert_false(settings_knob("", &value));
	assert_false(settings_knob(NULL, &value));
	assert_true(value == 7);
}

static void
a_program_gives_its_knobs_one_by_one(void **state)
{
	double value = 0;

	(void)state;
	knobs = "samples=10";
	settings_read(&host);
	assert_int_equal(settings_take("knobs=samples=6,knobs=depth=2.5"), 0);
	assert_true(settings_knob("samples", &value) && value == 6);
	assert_true(settings_knob("depth", &value) && value == 2.5);
	assert_int_equal(settings_take(NULL), 0);
	assert_true(settings_knob("samples", &value) && value == 10);
}

/* What nobody would follow is not taken either. */
static void
a_word_that_means_nothing_is_refused(void **state)
{
	static const char *const wrong[] = {
		"policy=banana", "delay.mode=sometimes", "reclaim.auto=perhaps",
		"reclaim.before=yes", "reclaim.between=", "reclaim.steps=call",
		"progress=rainbow", "batch.warm=2", "checkpoint.sync=marks",
		"log.debug=onoff", "budget=0", "budget=0%", "target=0%",
	};
	static const char *const right[] = {
		"policy=seed", "delay.mode=always", "reclaim.auto=0",
		"reclaim.between=never", "reclaim.steps=trim", "progress=json",
		"batch.warm=on", "checkpoint.sync=none", "budget=max-0",
	};

	(void)state;
	assert_int_equal(settings_take("policy=mean"), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		assert_int_equal(settings_take(wrong[i]), -EINVAL);
	assert_string_equal(settings_find("POLICY"), "mean");
	for (size_t i = 0; i < ARRAY_LENGTH(right); i++)
		assert_int_equal(settings_take(right[i]), 0);
	steps = "callbacks,banana";
	settings_read(&host);
	assert_null(settings_find("RECLAIM"));
	steps = "purge,callbacks";
	settings_read(&host);
	assert_string_equal(settings_find("RECLAIM"), steps);
}

static void
what_is_taken_is_counted(void **state)
{
	uint32_t before = settings_taken();

	(void)state;
	assert_int_equal(settings_take("page=30 reclaim.between=never"), 0);
	assert_int_equal(settings_taken(), before + 1);
	assert_int_equal(settings_number("PAGE_SIZE", 20), 30);
	assert_int_equal(settings_take("page=x"), -EINVAL);
	assert_int_equal(settings_taken(), before + 1);
	assert_int_equal(settings_number("PAGE_SIZE", 20), 30);
}

static void
a_list_has_its_words_and_no_others(void **state)
{
	(void)state;
	assert_true(settings_has("RECLAIM", "purge"));
	steps = "callbacks,trim";
	settings_read(&host);
	assert_true(settings_has("RECLAIM", "callbacks"));
	assert_true(settings_has("RECLAIM", "trim"));
	assert_false(settings_has("RECLAIM", "purge"));
	assert_false(settings_has("RECLAIM", "call"));
}

static void
a_switch_is_on_or_off(void **state)
{
	(void)state;
	assert_true(settings_is_on("RECLAIM_AUTO", true));
	assert_false(settings_is_on("RECLAIM_AUTO", false));
	assert_int_equal(settings_take("reclaim.auto=off reclaim.after=1"), 0);
	assert_false(settings_is_on("RECLAIM_AUTO", true));
	assert_true(settings_is_on("RECLAIM_AFTER", false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_knob_is_found_by_its_whole_name,
		    begin),
		cmocka_unit_test_setup(a_program_gives_its_knobs_one_by_one,
		    begin),
		cmocka_unit_test_setup(a_word_that_means_nothing_is_refused,
		    begin),
		cmocka_unit_test_setup(what_is_taken_is_counted, begin),
		cmocka_unit_test_setup(a_list_has_its_words_and_no_others,
		    begin),
		cmocka_unit_test_setup(a_switch_is_on_or_off, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
