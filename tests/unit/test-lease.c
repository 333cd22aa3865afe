#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/lease.h"

#define OLD LEASE_AGE_NS
#define ASKS 4

/* A pool of 1000, of which 950 may be leased. */
struct row {
	const char *what;
	int64_t left;
	uint64_t bases;
	uint32_t active, seats, members;
	struct lease_ask ask[ASKS];
	uint64_t got[ASKS];
};

static const struct row rows[] = {
	{ "alone one has all that it wants",
	  1000, 0, 0, 4, 1, { { 10, 500, 0, 1 } }, { 500 } },
	{ "but for the reserve",
	  1000, 0, 0, 4, 1, { { 10, 5000, 0, 1 } }, { 950 } },
	{ "and without cores that are known",
	  1000, 0, 0, 0, 1, { { 10, 5000, 0, 1 } }, { 950 } },
	{ "a part is kept for those who may still come",
	  1000, 0, 0, 2, 8, { { 10, 5000, 0, 1 } }, { 475 } },
	{ "who wants little leaves the rest to the others",
	  1000, 0, 0, 2, 2, { { 10, 100, 0, 1 }, { 10, 5000, 0, 1 } },
	  { 100, 850 } },
	{ "what is left over goes by weight",
	  1000, 0, 0, 3, 3, { { 10, 110, 0, 1 }, { 10, 900, 0, 1 },
	  { 10, 900, 0, 3 } }, { 110, 368, 472 } },
	{ "the least goes before what is fair",
	  1000, 0, 0, 2, 2, { { 700, 900, 0, 1 }, { 250, 900, 0, 1 } },
	  { 700, 0 } },
	{ "nobody has a lease without a seat",
	  1000, 0, 4, 4, 9, { { 10, 20, 0, 1 } }, { 0 } },
	{ "nor two with one",
	  1000, 0, 3, 4, 9, { { 10, 20, 0, 1 }, { 10, 20, 0, 1 } },
	  { 20, 0 } },
	{ "less than is fair is not taken",
	  250, 0, 3, 4, 4, { { 10, 900, 0, 1 } }, { 0 } },
	{ "what is fair is",
	  287, 0, 3, 4, 4, { { 10, 900, 0, 1 } }, { 237 } },
	{ "with nobody to wait for less than that is taken",
	  250, 0, 0, 4, 4, { { 10, 900, 0, 1 } }, { 200 } },
	{ "one that asks for less goes first",
	  250, 0, 3, 5, 5, { { 300, 900, 0, 1 }, { 10, 100, 0, 1 } },
	  { 0, 100 } },
	{ "as long as the head is young",
	  250, 0, 3, 5, 5, { { 300, 900, OLD - 1, 1 }, { 10, 100, OLD, 1 } },
	  { 0, 100 } },
	{ "once it is old all is kept for it",
	  250, 0, 3, 5, 5, { { 300, 900, OLD, 1 }, { 10, 100, OLD, 1 } },
	  { 0, 0 } },
	{ "and it has it when there is enough",
	  350, 0, 3, 5, 5, { { 300, 900, OLD, 1 }, { 10, 100, 0, 1 } },
	  { 300, 0 } },
	{ "who can never have enough holds nobody up",
	  350, 650, 1, 5, 5, { { 301, 900, OLD, 1 }, { 10, 60, 0, 1 } },
	  { 0, 60 } },
	{ "nor does it take the place of the next",
	  80, 650, 1, 5, 5, { { 301, 900, OLD, 1 }, { 100, 100, OLD, 1 },
	  { 10, 20, 0, 1 } }, { 0, 0, 0 } },
	{ "while one waits for room nothing is filled up",
	  350, 0, 3, 6, 6, { { 10, 158, 0, 1 }, { 200, 900, 0, 1 } },
	  { 158, 0 } },
	{ "more than all was held once",
	  -500, 0, 0, 4, 4, { { 1, 1, OLD, 1 } }, { 0 } },
	{ "a weight of 0 is one of 1",
	  1000, 0, 0, 2, 2, { { 10, 500, 0, 0 }, { 10, 500, 0, 1 } },
	  { 475, 475 } },
};

static size_t
asks_of(const struct row *row)
{
	size_t n = 0;

	while (n < ASKS && row->ask[n].want > 0)
		n++;
	return n;
}

static struct lease_pool
pool_of(const struct row *row)
{
	return (struct lease_pool){ .budget = 1000, .left = row->left,
		.bases = row->bases, .active = row->active,
		.seats = row->seats, .members = row->members };
}

static void
who_waits_gets_what_the_law_says(void **state)
{
	const struct row *row;

	(void)state;
	for (row = rows; row < rows + ARRAY_LENGTH(rows); row++) {
		struct lease_pool pool = pool_of(row);
		uint64_t got[ASKS] = { 0 };
		size_t n = asks_of(row), i, given = 0, said;

		said = lease_grant(&pool, row->ask, n, got);
		for (i = 0; i < n; i++) {
			if (got[i] != row->got[i])
				print_message("%s: the %zuth\n", row->what, i);
			assert_int_equal(got[i], row->got[i]);
			given += got[i] > 0;
		}
		assert_int_equal(said, given);
	}
}

static uint64_t
draw(uint64_t *from, uint64_t below)
{
	return mix_u64(++*from) % below;
}

/* Whatever is asked: the line, the seats, the least and the most are kept. */
static void
no_draw_of_asks_breaks_a_bound(void **state)
{
	uint64_t from = 1;
	int round;

	(void)state;
	for (round = 0; round < 200000; round++) {
		uint64_t budget = 1 + draw(&from, 1000), sum = 0;
		struct lease_pool pool = {
			.budget = budget,
			.left = (int64_t)draw(&from, budget + 200) - 200,
			.bases = draw(&from, budget + 1),
			.active = (uint32_t)draw(&from, 5),
			.seats = (uint32_t)draw(&from, 6),
			.members = (uint32_t)draw(&from, 9),
		};
		struct lease_ask ask[ASKS];
		uint64_t got[ASKS], least;
		size_t i, n = draw(&from, ASKS + 1), given;

		for (i = 0; i < n; i++) {
			least = 1 + draw(&from, 300);
			ask[i] = (struct lease_ask){ least,
				least + draw(&from, 600),
				draw(&from, 2) * OLD,
				(uint32_t)draw(&from, 4) };
		}
		given = lease_grant(&pool, ask, n, got);
		for (i = 0; i < n; i++) {
			sum += got[i];
			if (got[i] > 0)
				assert_in_range(got[i], ask[i].least,
				    ask[i].want);
		}
		if (sum > 0)
			assert_true((int64_t)sum <= pool.left -
			    (int64_t)(budget - lease_line(budget)));
		if (pool.seats > 0 && given > 0)
			assert_true(pool.active + given <= pool.seats);
		/* The first is never kept waiting by nobody. */
		if (n > 0 && pool.active == 0 && pool.left -
		    (int64_t)(budget - lease_line(budget)) >=
		    (int64_t)ask[0].least)
			assert_true(got[0] > 0);
	}
}

static void
an_extension_may_take_the_reserve_but_not_what_is_kept_for_the_head(
    void **state)
{
	struct lease_pool pool = { .budget = 1000, .left = 50, .active = 2,
		.seats = 4, .members = 4 };
	struct lease_ask head = { 100, 200, OLD - 1, 1 };

	(void)state;
	assert_int_equal(lease_extend(&pool, NULL, 50), 50);
	assert_int_equal(lease_extend(&pool, NULL, 51), 0);
	assert_int_equal(lease_extend(&pool, &head, 50), 50);
	head.waited_ns = OLD;
	assert_int_equal(lease_extend(&pool, &head, 50), 0);
	head.least = 951; /* never */
	assert_int_equal(lease_extend(&pool, &head, 50), 50);
	pool.left = -1;
	assert_int_equal(lease_extend(&pool, NULL, 1), 0);
}

static void
the_youngest_that_is_worth_it_is_recycled(void **state)
{
	const struct lease_member members[] = {
		{ 30, 500 * MIB }, { 10, 900 * MIB }, { 50, 63 * MIB },
		{ 40, 64 * MIB }, { 20, 900 * MIB },
	};
	const size_t n = ARRAY_LENGTH(members);

	(void)state;
	assert_int_equal(lease_victim(members, n, 1, 1, 0), 3);
	/* A tenth of what is missing is more than 64 MiB. */
	assert_int_equal(lease_victim(members, n, 650 * MIB, 1, 0), 0);
	/* Nobody but the oldest is worth it: it is spared. */
	assert_int_equal(lease_victim(members, 2, 6 * GIB, 1, 0), -1);
	assert_int_equal(lease_victim(members, n, 6 * GIB, 1, 0), 4);
	assert_int_equal(lease_victim(members, 1, 1, 1, 0), -1);
	assert_int_equal(lease_victim(members, 0, 1, 1, 0), -1);
	assert_int_equal(lease_victim(members, n, 0, 1, 0), -1);
	/* The last one's memory is on its way. */
	assert_int_equal(lease_victim(members, n, 1, LEASE_SETTLE_NS, 1), -1);
	assert_int_equal(lease_victim(members, n, 1, LEASE_SETTLE_NS + 1, 1),
	    3);
}

static void
of_several_operations_each_is_sure_of_half_an_equal_part(void **state)
{
	struct lease_band b = lease_band(800, 4, 10);

	(void)state;
	assert_int_equal(b.least, 100);
	assert_int_equal(b.most, 200);
	b = lease_band(800, 4, 300);
	assert_int_equal(b.least, 300);
	assert_int_equal(b.most, 300);
	b = lease_band(800, 0, 1);
	assert_int_equal(b.least, 400);
	assert_int_equal(b.most, 800);
	b = lease_band(0, 7, 1);
	assert_int_equal(b.least, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_gets_what_the_law_says),
		cmocka_unit_test(no_draw_of_asks_breaks_a_bound),
		cmocka_unit_test(
		    an_extension_may_take_the_reserve_but_not_what_is_kept_for_the_head),
		cmocka_unit_test(the_youngest_that_is_worth_it_is_recycled),
		cmocka_unit_test(
		    of_several_operations_each_is_sure_of_half_an_equal_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
