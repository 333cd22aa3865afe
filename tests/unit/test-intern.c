#include "own-segment.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>

#include "base/base.h"

/* Who is at it, and for how long, is nobody's to see but the test's. */
#include "stack/intern.c"

static const struct node *
row(uint32_t node)
{
	return (const struct node *)segment_rows(TABLE_NODES) + node;
}

static void
a_stack_is_the_chain_of_its_frames_leaf_first(void **state)
{
	const uint64_t pcs[] = { 0x30, 0x20, 0x10 };
	uint32_t node = intern_stack(NULL, 0, pcs, 3);

	(void)state;
	assert_int_equal(row(node)->pc, 0x30);
	node = row(node)->parent;
	assert_int_equal(row(node)->pc, 0x20);
	node = row(node)->parent;
	assert_int_equal(row(node)->pc, 0x10);
	assert_int_equal(row(node)->parent, 0);
}

static void
equal_stacks_are_one_and_others_are_not(void **state)
{
	const uint64_t a[] = { 1000, 2000, 3000 };
	const uint64_t b[] = { 1000, 2000, 3001 };
	const uint64_t c[] = { 2000, 1000, 3000 };

	(void)state;
	assert_int_equal(intern_stack(NULL, 0, a, 3), intern_stack(NULL, 0, a, 3));
	assert_int_not_equal(intern_stack(NULL, 0, a, 3), intern_stack(NULL, 0, b, 3));
	assert_int_not_equal(intern_stack(NULL, 0, a, 3), intern_stack(NULL, 0, c, 3));
	assert_int_not_equal(intern_stack(NULL, 0, a, 3), intern_stack(NULL, 0, a, 2));
	assert_int_equal(intern_stack(NULL, 0, a, 0), 0);
}

/* Enough of them that tables are added while they come. */
static void
many_stacks_keep_their_numbers(void **state)
{
	enum { STACKS = 60000 };
	static uint32_t node[STACKS];
	uint64_t used;
	int i;

	(void)state;
	for (i = 0; i < STACKS; i++) {
		const uint64_t pcs[] = { (uint64_t)i + 1, 77, 78 };

		node[i] = intern_stack(NULL, 0, pcs, 3);
		assert_int_not_equal(node[i], 0);
		assert_true(row(node[i])->parent < node[i]);
	}
	used = segment_mine()->table[TABLE_NODES].used;
	for (i = 0; i < STACKS; i++) {
		const uint64_t pcs[] = { (uint64_t)i + 1, 77, 78 };

		assert_int_equal(intern_stack(NULL, 0, pcs, 3), node[i]);
	}
	assert_int_equal(segment_mine()->table[TABLE_NODES].used, used);
}

enum { SHARED = 40000 };

/* Every other is one of many with one parent; the rest are of a tree whose
 * nodes have 7, 8, 9 and many children. */
static void *
intern_all(void *context)
{
	uint32_t *node = context;
	uint64_t i;

	for (i = 0; i < SHARED; i++) {
		const uint64_t wide[] = { i + 500000, 5, 6, 7 };
		const uint64_t tree[] = { i % 7 + 1, i / 7 % 8 + 1,
			i / 56 % 9 + 1, i / 504 + 1 };

		node[i] = intern_stack(NULL, 0, i % 2 == 0 ? wide : tree, 4);
	}
	return NULL;
}

static void
threads_that_meet_the_same_stacks_agree(void **state)
{
	static uint32_t node[4][SHARED];
	pthread_t thread[4];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, intern_all,
		    node[i]), 0);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (i = 1; i < 4; i++)
		assert_memory_equal(node[0], node[i], sizeof(node[0]));
	for (i = 0; i < SHARED; i++)
		assert_int_not_equal(node[0][i], 0);
}

/* What a child does after a fork, in a segment of its own. */
static void
after_a_reset_numbers_start_anew(void **state)
{
	const uint64_t pcs[] = { 0x99, 0x98 };
	char path[256];
	uint32_t exec_count;

	(void)state;
	assert_int_not_equal(intern_stack(NULL, 0, pcs, 2), 0);
	snprintf(path, sizeof(path), "%s/5.6.tide", own_directory);
	segment_leave();
	assert_int_equal(segment_create(path, &exec_count), 0);
	unlink(path);
	intern_reset();
	assert_int_equal(intern_stack(NULL, 0, pcs, 2), 2);
	assert_int_equal(row(2)->pc, 0x99);
	assert_int_equal(row(1)->pc, 0x98);
}

static sem_t forgets;
static atomic_int given_away;

/* Like one that was put aside by the scheduler. */
static void *
forget_for_long(void *context)
{
	(void)context;
	assert_true(may_forget());
	sem_post(&forgets);
	while (atomic_load(&given_away) < 5000)
		sched_yield();
	atomic_store(&intern.forgetting, 0);
	return NULL;
}

static int
turns_given_away(void)
{
	uint64_t since = 0;

	atomic_store(&given_away, 0);
	while (atomic_load(&intern.forgetting) != 0 && intern_give_way(&since))
		atomic_fetch_add(&given_away, 1);
	return atomic_load(&given_away);
}

static void
who_forgets_is_waited_for_even_if_put_aside(void **state)
{
	uint64_t began_ns = sys_clock();
	pthread_t thread;
	bool over;

	(void)state;
	sem_init(&forgets, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, forget_for_long, NULL),
	    0);
	sem_wait(&forgets);
	(void)turns_given_away();
	over = atomic_load(&intern.forgetting) == 0;
	/* On a busy machine so many turns may take more than the second. */
	assert_true(over || sys_clock() - began_ns >= NS_PER_S);
	atomic_store(&given_away, INT_MAX);
	pthread_join(thread, NULL);
}

static void
who_forgets_further_out_is_not_waited_for(void **state)
{
	(void)state;
	assert_true(may_forget());
	assert_int_equal(turns_given_away(), 0);
	atomic_store(&intern.forgetting, 0);
}

static void
who_was_stopped_in_the_middle_is_waited_for_once(void **state)
{
	(void)state;
	atomic_store(&intern.forgetting, caller() + 2);
	assert_int_not_equal(turns_given_away(), 0);
	assert_int_equal(turns_given_away(), 0);

	/* The next that is at it is another. */
	atomic_store(&intern.forgetting, 0);
	assert_true(may_forget());
	assert_int_equal(atomic_load(&intern.stopped), 0);
	atomic_store(&intern.forgetting, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_is_the_chain_of_its_frames_leaf_first),
		cmocka_unit_test(equal_stacks_are_one_and_others_are_not),
		cmocka_unit_test(many_stacks_keep_their_numbers),
		cmocka_unit_test(threads_that_meet_the_same_stacks_agree),
		cmocka_unit_test(who_forgets_is_waited_for_even_if_put_aside),
		cmocka_unit_test(who_forgets_further_out_is_not_waited_for),
		cmocka_unit_test(who_was_stopped_in_the_middle_is_waited_for_once),
		cmocka_unit_test(after_a_reset_numbers_start_anew),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
