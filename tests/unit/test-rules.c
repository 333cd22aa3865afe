#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"
#include "stack/rules.h"

/* Places in this program and in libc, closer together than functions are. */
#define PLACES 20000
#define STRIDE 7

static uint64_t
place(size_t i)
{
	return i < PLACES / 10 ? (uintptr_t)place + i :
	    (uintptr_t)qsort + (i - PLACES / 10) * STRIDE;
}

static bool
is_same(const struct rule *a, const struct rule *b)
{
	return a->cfa == b->cfa && a->cfa_offset == b->cfa_offset &&
	    a->fp == b->fp && a->fp_offset == b->fp_offset &&
	    a->ra_offset == b->ra_offset;
}

static void *
find_all(void *context)
{
	struct rule *first = context;
	uintptr_t wrong = 0;

	for (size_t i = 0; i < PLACES; i++) {
		struct rule once = { 0 };
		struct rule again = { 0 };
		int r = rules_find(place(i), &once);

		/* The second time it comes from the table. */
		wrong += rules_find(place(i), &again) != r;
		wrong += r == 0 && !is_same(&once, &again);
		first[i] = r == 0 ? once : (struct rule){ 0 };
	}
	return (void *)wrong;
}

static void
threads_that_share_the_table_find_the_same_rules(void **state)
{
	static struct rule rules[4][PLACES];
	pthread_t thread[4];
	size_t known = 0;
	void *wrong;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, find_all,
		    rules[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
	for (size_t i = 0; i < PLACES; i++) {
		known += rules[0][i].cfa_offset != 0;
		for (int k = 1; k < 4; k++)
			assert_true(is_same(&rules[0][i], &rules[k][i]));
	}
	assert_true(known > PLACES / 4);
}

static void
a_place_in_no_object_has_no_rule(void **state)
{
	struct rule rule;
	int here;

	(void)state;
	assert_true(rules_find(0, &rule) < 0);
	assert_true(rules_find((uintptr_t)&here, &rule) < 0);
	assert_true(rules_find(UINT64_MAX, &rule) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    threads_that_share_the_table_find_the_same_rules),
		cmocka_unit_test(a_place_in_no_object_has_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
