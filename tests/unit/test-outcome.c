/*
 * test-outcome.c - how an attempt has come out
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/room.h"
#include "run/outcome.h"

/* As wait() has it. */
#define EXIT(code)     ((code) << 8)
#define DIED(signal)   (signal)

static const struct {
	struct outcome_facts facts;
	enum outcome outcome;
} cases[] = {
	{ { .status = EXIT(0) }, OUTCOME_DONE },
	/* What it says counts more than what it was told, or lost. */
	{ { .status = EXIT(0), .told = true, .refused = 3, .struck = true },
	  OUTCOME_DONE },
	{ { .status = EXIT(0), .timed_out = true }, OUTCOME_TIMEOUT },
	{ { .status = DIED(SIGKILL), .timed_out = true, .struck = true },
	  OUTCOME_TIMEOUT },
	{ { .status = EXIT(85) }, OUTCOME_RECYCLE },
	{ { .status = EXIT(85), .told = true }, OUTCOME_STOPPED },
	{ { .status = DIED(SIGTERM), .recycled = true }, OUTCOME_RECYCLE },
	{ { .status = EXIT(0), .recycled = true }, OUTCOME_RECYCLE },
	{ { .status = DIED(SIGTERM), .stalled = true }, OUTCOME_STALLED },
	{ { .status = EXIT(85), .stalled = true }, OUTCOME_STALLED },
	{ { .status = EXIT(75) }, OUTCOME_NO_MEMORY },
	{ { .status = DIED(SIGKILL) }, OUTCOME_ERROR },
	{ { .status = DIED(SIGKILL), .refused = 3 }, OUTCOME_ERROR },
	{ { .status = DIED(SIGKILL), .struck = true }, OUTCOME_OOM },
	{ { .status = EXIT(137), .struck = true }, OUTCOME_OOM },
	{ { .status = EXIT(137) }, OUTCOME_ERROR },
	{ { .status = DIED(SIGKILL), .used = 90, .budget = 100 },
	  OUTCOME_OOM },
	{ { .status = DIED(SIGKILL), .used = 89, .budget = 100 },
	  OUTCOME_ERROR },
	{ { .status = DIED(SIGKILL), .used = 89, .budget = 0 },
	  OUTCOME_ERROR },
	{ { .status = DIED(SIGKILL), .used = UINT64_MAX,
	    .budget = TIDE_NONE }, OUTCOME_ERROR },
	{ { .status = DIED(SIGABRT) }, OUTCOME_ERROR },
	{ { .status = DIED(SIGABRT), .refused = 1 }, OUTCOME_NOMEM_CRASH },
	{ { .status = DIED(SIGSEGV), .refused = 1 }, OUTCOME_NOMEM_CRASH },
	{ { .status = DIED(SIGABRT), .aborted = true },
	  OUTCOME_NOMEM_CRASH },
	{ { .status = EXIT(1), .refused = 1 }, OUTCOME_NOMEM_CRASH },
	{ { .status = EXIT(134), .refused = 1 }, OUTCOME_NOMEM_CRASH },
	{ { .status = EXIT(1), .state = TIDE_EXHAUSTED },
	  OUTCOME_NOMEM_CRASH },
	{ { .status = EXIT(1), .state = TIDE_CRITICAL }, OUTCOME_ERROR },
	{ { .status = EXIT(1) }, OUTCOME_ERROR },
	{ { .status = EXIT(1), .told = true }, OUTCOME_STOPPED },
	{ { .status = DIED(SIGINT) }, OUTCOME_STOPPED },
	{ { .status = EXIT(130) }, OUTCOME_STOPPED },
	{ { .status = EXIT(143), .refused = 1 }, OUTCOME_STOPPED },
	{ { .status = DIED(SIGSEGV) }, OUTCOME_ERROR },
	{ { .status = EXIT(255) }, OUTCOME_ERROR },
};

static void
each_end_has_its_name(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(cases); i++)
		if (outcome_of(&cases[i].facts) != cases[i].outcome)
			fail_msg("case %zu: %s, not %s", i,
			    outcome_name(outcome_of(&cases[i].facts)),
			    outcome_name(cases[i].outcome));
}

static void
a_shell_s_status_is_read_as_its_signal(void **state)
{
	(void)state;
	assert_int_equal(outcome_signal(EXIT(137)), SIGKILL);
	assert_int_equal(outcome_signal(EXIT(143)), SIGTERM);
	assert_int_equal(outcome_signal(DIED(SIGSEGV)), SIGSEGV);
	assert_int_equal(outcome_signal(EXIT(128)), 0);
	assert_int_equal(outcome_signal(EXIT(127)), 0);
	assert_int_equal(outcome_signal(EXIT(255)), 0);
	assert_int_equal(outcome_signal(EXIT(0)), 0);
}

static void
only_what_lacked_memory_is_of_memory(void **state)
{
	(void)state;
	assert_true(outcome_is_memory(OUTCOME_OOM));
	assert_true(outcome_is_memory(OUTCOME_NO_MEMORY));
	assert_true(outcome_is_memory(OUTCOME_NOMEM_CRASH));
	assert_false(outcome_is_memory(OUTCOME_RECYCLE));
	assert_false(outcome_is_memory(OUTCOME_ERROR));
	assert_false(outcome_is_memory(OUTCOME_STALLED));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_has_its_name),
		cmocka_unit_test(a_shell_s_status_is_read_as_its_signal),
		cmocka_unit_test(only_what_lacked_memory_is_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
