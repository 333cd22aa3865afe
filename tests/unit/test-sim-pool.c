#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "simulate/sim-pool.h"

static struct sim_pool_result
run(enum sim_pool_law law, uint32_t processes, uint64_t seconds)
{
	const struct sim_pool_options options = { .processes = processes,
		.law = law, .seed = 42 + processes,
		.time_ns = seconds * NS_PER_S };
	struct sim_pool_result result;

	assert_int_equal(sim_pool(&options, &result), 0);
	return result;
}

static void
leases_kill_nobody_and_use_four_fifths_at_any_scale(void **state)
{
	static const uint32_t counts[] = { 1, 2, 10, 31, 100, 1000, 10000 };
	struct sim_pool_result r;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(counts); i++) {
		r = run(SIM_POOL_ELASTIC, counts[i], 4);
		assert_int_equal(r.kills, 0);
		assert_true(r.used_most <= 1);
		assert_true(r.efficiency >= 0.80);
		assert_true(r.efficiency <= 1);
	}
}

static void
leases_starve_nobody(void **state)
{
	struct sim_pool_result r = run(SIM_POOL_ELASTIC, 1000, 20);

	(void)state;
	assert_int_equal(r.unserved, 0);
	assert_true(r.batches > 2 * 1000);
	assert_true(r.wait_most <= 2 * r.wait_fair);
}

/* Or the figures above would mean nothing. */
static void
the_other_laws_kill_or_waste(void **state)
{
	(void)state;
	assert_true(run(SIM_POOL_FREE, 100, 4).kills > 1000);
	assert_true(run(SIM_POOL_FREE, 100, 4).used_most > 1);
	assert_true(run(SIM_POOL_FREE8, 1000, 4).kills > 1000);
	assert_true(run(SIM_POOL_MEMFREE, 1000, 4).kills > 1000);
	assert_true(run(SIM_POOL_EQUAL, 10000, 4).efficiency < 0.3);
	assert_true(run(SIM_POOL_FIFO, 1000, 4).efficiency < 0.6);
}

static void
the_same_seed_gives_the_same_run(void **state)
{
	struct sim_pool_result a = run(SIM_POOL_ELASTIC, 100, 2);
	struct sim_pool_result b = run(SIM_POOL_ELASTIC, 100, 2);

	(void)state;
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
no_processes_and_too_many_are_refused(void **state)
{
	struct sim_pool_options options = { .processes = 0 };
	struct sim_pool_result result;

	(void)state;
	assert_int_equal(sim_pool(&options, &result), -EINVAL);
	options.processes = 1000001;
	assert_int_equal(sim_pool(&options, &result), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    leases_kill_nobody_and_use_four_fifths_at_any_scale),
		cmocka_unit_test(leases_starve_nobody),
		cmocka_unit_test(the_other_laws_kill_or_waste),
		cmocka_unit_test(the_same_seed_gives_the_same_run),
		cmocka_unit_test(no_processes_and_too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
