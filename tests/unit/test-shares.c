#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "model/lease.h"
#include "plan/shares-file.h"
#include "plan/shares.h"
#include "sys/sys.h"

/* 1000 units, of which 950 may be leased. */
#define U(n)    ((uint64_t)(n) * SHARES_UNIT)
#define SLOTS   16
#define FOREVER UINT64_MAX

struct world {
	char top[64], path[96];
	struct shares pool;
	struct shares_member a, b, c;
};

static int
open_world(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	strcpy(w->top, "/tmp/heaptide-shares.XXXXXX");
	if (mkdtemp(w->top) == NULL)
		return -1;
	snprintf(w->path, sizeof(w->path), "%s/pool", w->top);
	if (shares_create(w->path, U(1000), 0, SLOTS) < 0 ||
	    shares_open(&w->pool, w->path, 1) < 0 ||
	    shares_join(&w->pool, 1, 0, 0, &w->a) < 0 ||
	    shares_join(&w->pool, 1, 0, 0, &w->b) < 0 ||
	    shares_join(&w->pool, 1, 0, 0, &w->c) < 0)
		return -1;
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	shares_close(&w->pool);
	unlink(w->path);
	rmdir(w->top);
	test_free(w);
	return 0;
}

static int64_t
left(struct world *w)
{
	return word_left(w->pool.head->word);
}

/* So that the next sweep looks at everybody at once. */
static void
make_sweep_due(struct world *w)
{
	shares_put(&w->pool.head->swept_ns, 0);
	shares_put(&w->pool.head->swept_all_ns, 0);
}

/* --- a file --------------------------------------------------------------- */

static void
a_new_ledger_has_all_of_its_budget(void **state)
{
	struct world *w = *state;
	struct shares_total t;
	struct stat st;

	shares_read(&w->pool, &t);
	assert_int_equal(t.budget, U(1000));
	assert_int_equal(t.set, U(1000));
	assert_int_equal(t.left, U(1000));
	assert_int_equal(t.members, 3);
	assert_int_equal(t.slots, SLOTS);
	assert_int_equal(t.leases + t.bases + t.active + t.waiting, 0);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sizeof(struct shares_slot), 64);
	assert_true(sizeof(struct shares_head) <= SHARES_PAGE);
}

static void
values_that_make_no_ledger_are_refused(void **state)
{
	static const struct { uint64_t budget; uint32_t cores, slots; } no[] = {
		{ 0, 1, 1 }, { SHARES_UNIT - 1, 1, 1 },
		{ SHARES_BYTES_MOST + 1, 1, 1 }, { UINT64_MAX, 1, 1 },
		{ SHARES_UNIT, SHARES_SLOTS_MOST + 1, 1 },
		{ SHARES_UNIT, 1, 0 },
		{ SHARES_UNIT, 1, SHARES_SLOTS_MOST + 1 },
	};
	struct world *w = *state;
	char other[128];
	size_t i;

	snprintf(other, sizeof(other), "%s/other", w->top);
	for (i = 0; i < ARRAY_LENGTH(no); i++)
		assert_int_equal(shares_create(other, no[i].budget,
		    no[i].cores, no[i].slots), -EINVAL);
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(shares_create(w->path, U(1), 1, 1), -EEXIST);
	assert_int_equal(shares_create(other, SHARES_BYTES_MOST, 0,
	    SHARES_SLOTS_MOST), 0);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(shares_join(&w->pool, 0, 0, 0, &w->a), -EINVAL);
	assert_int_equal(shares_join(&w->pool, SHARES_WEIGHT_MOST + 1, 0, 0,
	    &w->a), -EINVAL);
}

static void
what_is_no_ledger_is_not_opened(void **state)
{
	static const struct { size_t at; uint8_t byte; int error; } damage[] = {
		{ offsetof(struct shares_head, magic), 0, -EBADMSG },
		{ offsetof(struct shares_head, version), 99, -EBADMSG },
		{ offsetof(struct shares_head, slots), 0, -EBADMSG },
		{ offsetof(struct shares_head, slots), SLOTS + 100, -EBADMSG },
		{ offsetof(struct shares_head, slots) + 3, 1, -EBADMSG },
		{ offsetof(struct shares_head, name_space), 1, -EXDEV },
	};
	struct world *w = *state;
	uint8_t *bytes = (uint8_t *)w->pool.head, was;
	struct shares other;
	char link[128];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(damage); i++) {
		was = bytes[damage[i].at];
		bytes[damage[i].at] = damage[i].byte;
		assert_int_equal(shares_open(&other, w->path, 1),
		    damage[i].error);
		bytes[damage[i].at] = was;
	}
	assert_int_equal(chmod(w->path, 0622), 0);
	assert_int_equal(shares_open(&other, w->path, 1), -EACCES);
	assert_int_equal(chmod(w->path, 0600), 0);
	assert_int_equal(shares_open(&other, w->top, 0), -EBADMSG);
	snprintf(link, sizeof(link), "%s/link", w->top);
	assert_int_equal(symlink(w->path, link), 0);
	assert_int_equal(shares_open(&other, link, 0), -ELOOP);
	unlink(link);
	assert_int_equal(mkfifo(link, 0600), 0);
	assert_int_equal(shares_open(&other, link, 0), -EBADMSG);
	unlink(link);
	assert_int_equal(shares_open(&other, link, 0), -ENOENT);

	assert_int_equal(shares_open(&other, w->path, 0), 0);
	assert_int_equal(shares_join(&other, 1, 0, 0, &w->c), -EROFS);
	shares_close(&other);
	/* Mapped by us: nothing is read, so nothing ends us. */
	assert_int_equal(truncate(w->path, 100), 0);
	assert_int_equal(shares_open(&other, w->path, 0), -EBADMSG);
}

/* --- leases --------------------------------------------------------------- */

static void
a_lease_is_taken_off_what_is_left_until_it_is_released(void **state)
{
	struct world *w = *state;
	struct shares_row row;
	uint64_t got = 0;

	assert_int_equal(shares_acquire(&w->a, 1, U(100), 0, &got), 0);
	assert_int_equal(got, U(100));
	assert_int_equal(shares_lease(&w->a), U(100));
	assert_int_equal(left(w), 900);
	assert_int_equal(word_active(w->pool.head->word), 1);
	assert_true(shares_read_row(&w->pool, w->a.index, &row));
	assert_int_equal(row.pid, getpid());
	assert_int_equal(row.lease, U(100));
	assert_int_equal(row.granted, 1);

	shares_shrink(&w->a, U(30) - 5);
	assert_int_equal(left(w), 970);
	shares_shrink(&w->a, U(40));
	assert_int_equal(left(w), 970);
	shares_release(&w->a, UINT64_MAX);
	assert_int_equal(left(w), 1000);
	assert_int_equal(word_active(w->pool.head->word), 0);
	assert_int_equal(shares_lease(&w->a), 0);
}

static void
what_cannot_be_had_is_refused_with_its_reason(void **state)
{
	struct world *w = *state;
	uint64_t got = 42;

	assert_int_equal(shares_acquire(&w->a, 0, 1, 0, &got), -EINVAL);
	assert_int_equal(shares_acquire(&w->a, 2, 1, 0, &got), -EINVAL);
	assert_int_equal(shares_acquire(&w->a, U(951), U(951), FOREVER, &got),
	    -E2BIG);
	assert_int_equal(shares_acquire(&w->a, UINT64_MAX, UINT64_MAX,
	    FOREVER, &got), -E2BIG);
	assert_int_equal(shares_extend(&w->a, 1), -EINVAL);
	assert_int_equal(got, 42);

	assert_int_equal(shares_acquire(&w->a, U(900), U(900), 0, &got), 0);
	assert_int_equal(shares_acquire(&w->a, 1, 1, FOREVER, &got),
	    -EDEADLK);
	assert_int_equal(shares_acquire(&w->b, U(51), U(60), 0, &got),
	    -EAGAIN);
	assert_int_equal(shares_acquire(&w->b, U(51), U(60), NS_PER_MS, &got),
	    -ETIMEDOUT);
	assert_int_equal(got, U(900));
	/* Who gave up is in nobody's way. */
	assert_int_equal(shares_acquire(&w->c, U(50), U(50), 0, &got), 0);
	assert_int_equal(left(w), 50);
}

static void
an_extension_takes_the_reserve(void **state)
{
	struct world *w = *state;
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(950), U(950), 0, &got), 0);
	assert_int_equal(shares_extend(&w->a, U(51)), -EAGAIN);
	assert_int_equal(shares_extend(&w->a, U(50)), 0);
	assert_int_equal(shares_lease(&w->a), U(1000));
	assert_int_equal(left(w), 0);
	shares_release(&w->a, UINT64_MAX);
	assert_int_equal(left(w), 1000);
}

static void
what_a_member_uses_without_a_lease_is_its_base(void **state)
{
	struct world *w = *state;
	struct shares_total t;
	uint64_t got;

	shares_used(&w->a, U(300) - 1);
	assert_int_equal(left(w), 700);
	shares_used(&w->a, U(200));
	assert_int_equal(left(w), 800);
	assert_int_equal(shares_acquire(&w->a, U(100), U(100), 0, &got), 0);
	shares_used(&w->a, U(290)); /* of which the lease is a part */
	assert_int_equal(left(w), 700);
	shares_release(&w->a, U(210));
	assert_int_equal(left(w), 790);

	/* It is there, whether there is room or not. */
	shares_used(&w->b, U(900));
	assert_int_equal(left(w), -110);
	assert_int_equal(shares_acquire(&w->c, 1, 1, 0, &got), -EAGAIN);
	shares_read(&w->pool, &t);
	assert_int_equal(t.bases, U(1110));
	assert_int_equal(t.left, -(int64_t)U(110));
	shares_used(&w->b, 0);
	shares_leave(&w->a);
	assert_int_equal(left(w), 1000);
	assert_int_equal(w->pool.head->bases, 0);
	assert_int_equal(w->pool.head->members, 2);
}

static void
a_base_that_no_machine_has_is_not_believed(void **state)
{
	struct world *w = *state;
	int i;

	for (i = 0; i < 100; i++) {
		struct shares_member m;

		if (shares_join(&w->pool, 1, 0, 0, &m) == 0)
			shares_used(&m, UINT64_MAX);
	}
	assert_true(left(w) < 0);
	assert_int_equal(w->pool.head->members, SLOTS);
}

static void
a_pool_is_full_when_all_slots_are_taken(void **state)
{
	struct world *w = *state;
	struct shares_member m[SLOTS], one;
	int i;

	for (i = 3; i < SLOTS; i++)
		assert_int_equal(shares_join(&w->pool, 1, 0, 0, &m[i]), 0);
	assert_int_equal(shares_join(&w->pool, 1, 0, 0, &one), -ENOSPC);
	shares_leave(&m[7]);
	assert_int_equal(shares_join(&w->pool, 1, 0, 0, &one), 0);
	/* A program that was executed knows nothing of all these. */
	assert_int_equal(shares_join(&w->pool, 1, 0, 1, &one), 0);
	assert_int_equal(w->pool.head->members, 1);
}

/* --- who waits ------------------------------------------------------------ */

struct waiter {
	struct world *w;
	struct shares_member *member;
	uint64_t least, want, wait_ns, got;
	int r;
	pthread_t thread;
};

static void *
wait_for_lease(void *argument)
{
	struct waiter *one = argument;

	one->r = shares_acquire(one->member, one->least, one->want,
	    one->wait_ns, &one->got);
	return NULL;
}

static uint32_t
waiting(struct world *w)
{
	struct shares_total t;

	shares_read(&w->pool, &t);
	return t.waiting;
}

/* Returns once it is in the queue behind @before others. */
static void
start_waiter(struct waiter *one, uint32_t before)
{
	assert_int_equal(pthread_create(&one->thread, NULL, wait_for_lease,
	    one), 0);
	while (waiting(one->w) <= before)
		sys_sleep(NS_PER_MS);
}

/* It has been waiting for long. */
static void
make_old(struct world *w, const struct shares_member *m)
{
	(void)shares_add(&w->pool.slot[m->index].since_ns,
	    0 - LEASE_AGE_NS);
}

static void
who_waits_is_served_when_a_lease_returns(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(100), U(300), FOREVER, 0, 1, 0 };
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(900), U(900), 0, &got), 0);
	start_waiter(&one, 0);
	assert_int_equal(left(w), 100);
	shares_release(&w->a, UINT64_MAX);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, 0);
	assert_int_equal(one.got, U(300));
	assert_int_equal(left(w), 700);
}

static void
a_part_that_returns_is_enough_for_who_needs_no_more(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(10), U(70), FOREVER, 0, 1, 0 };
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(940), U(940), 0, &got), 0);
	start_waiter(&one, 0);
	shares_shrink(&w->a, U(880));
	pthread_join(one.thread, NULL);
	assert_int_equal(one.got, U(70));
}

static void
who_came_first_is_served_first(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(800), U(800), FOREVER, 0, 1, 0 };
	struct waiter two = { w, &w->c, U(700), U(700), FOREVER, 0, 1, 0 };
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(900), U(900), 0, &got), 0);
	start_waiter(&one, 0);
	start_waiter(&two, 1);
	shares_release(&w->a, UINT64_MAX);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, 0);
	assert_int_equal(two.r, 1);
	assert_int_equal(waiting(w), 1);
	/* Nor does anybody who comes now go before. */
	assert_int_equal(shares_acquire(&w->a, U(800), U(800), 0, &got),
	    -EAGAIN);
	shares_release(&w->b, UINT64_MAX);
	pthread_join(two.thread, NULL);
	assert_int_equal(two.r, 0);
}

static void
who_asks_for_little_passes_a_young_head_only(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(800), U(800), FOREVER, 0, 1, 0 };
	struct waiter two = { w, &w->c, U(20), U(20), FOREVER, 0, 1, 0 };
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(900), U(900), 0, &got), 0);
	start_waiter(&one, 0);
	assert_int_equal(shares_acquire(&w->c, U(20), U(20), NS_PER_S, &got),
	    0);
	shares_release(&w->c, UINT64_MAX);

	make_old(w, &w->b);
	start_waiter(&two, 1);
	assert_int_equal(shares_extend(&w->a, U(20)), -EAGAIN);
	shares_shrink(&w->a, U(400));
	assert_int_equal(waiting(w), 2);
	shares_release(&w->a, UINT64_MAX);
	pthread_join(one.thread, NULL);
	pthread_join(two.thread, NULL);
	assert_int_equal(one.r, 0);
	assert_int_equal(two.r, 0);
}

static void
one_who_gives_up_lets_the_next_go_on(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(800), U(800), 200 * NS_PER_MS, 0, 1,
		0 };
	struct waiter two = { w, &w->c, U(20), U(20), FOREVER, 0, 1, 0 };
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(900), U(900), 0, &got), 0);
	start_waiter(&one, 0);
	make_old(w, &w->b);
	start_waiter(&two, 1);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, -ETIMEDOUT);
	pthread_join(two.thread, NULL);
	assert_int_equal(two.r, 0);
	assert_int_equal(left(w), 80);
}

static void
no_more_hold_a_lease_than_there_are_seats(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(1), U(1), FOREVER, 0, 1, 0 };
	uint64_t got;

	w->pool.head->cores = 1;
	assert_int_equal(shares_acquire(&w->a, U(1), U(1), 0, &got), 0);
	start_waiter(&one, 0);
	assert_int_equal(word_active(w->pool.head->word), 1);
	shares_release(&w->a, UINT64_MAX);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, 0);
	assert_int_equal(word_active(w->pool.head->word), 1);
}

static void
a_pool_that_is_stopped_tells_all(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(800), U(800), FOREVER, 0, 1, 0 };
	struct shares_member late;
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(900), U(900), 0, &got), 0);
	start_waiter(&one, 0);
	shares_stop(&w->pool);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, -ESHUTDOWN);
	assert_int_equal(shares_acquire(&w->c, 1, 1, 0, &got), -ESHUTDOWN);
	assert_int_equal(shares_join(&w->pool, 1, 0, 0, &late), -ESHUTDOWN);
	shares_release(&w->a, UINT64_MAX);
	assert_int_equal(left(w), 1000);
}

/* --- the budget ----------------------------------------------------------- */

static void
a_budget_shrinks_below_what_is_held_and_grows_again(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(100), U(100), FOREVER, 0, 1, 0 };
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(600), U(600), 0, &got), 0);
	assert_int_equal(shares_budget_set(&w->c, U(500)), 0);
	assert_int_equal(left(w), -100);
	assert_int_equal(shares_lease(&w->a), U(600));
	start_waiter(&one, 0);
	assert_int_equal(shares_budget_set(&w->c, U(2000)), 0);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, 0);
	assert_int_equal(left(w), 1300);
	assert_int_equal(shares_budget_set(&w->c, SHARES_BYTES_MOST + 1),
	    -EINVAL);
	assert_int_equal(w->pool.head->budget, 2000);
}

/* Another process with a base that has grown; it stays until it is killed. */
static pid_t
start_grown(struct world *w, uint64_t base, uint32_t *index)
{
	struct shares_member m;
	struct shares_row row;
	pid_t child;

	sys_sleep(20 * NS_PER_MS); /* younger by a tick of the clock */
	child = fork();
	if (child == 0) {
		shares_in_child(&w->pool);
		if (shares_join(&w->pool, 1, 0, 0, &m) < 0)
			_exit(1);
		shares_used(&m, SHARES_UNIT);
		shares_used(&m, base);
		for (;;)
			pause();
	}
	for (*index = 0;; *index = (*index + 1) % SLOTS)
		if (shares_read_row(&w->pool, *index, &row) &&
		    row.pid == child && row.base == base)
			return child;
}

static void
bases_that_leave_no_room_are_to_be_cleaned_up_and_then_recycled(void **state)
{
	struct world *w = *state;
	const uint64_t unit = LEASE_WORTH;
	struct waiter one = { w, &w->c, 6 * unit, 6 * unit, FOREVER, 0, 1, 0 };
	struct shares_row row;
	uint32_t young;
	pid_t child;

	assert_int_equal(shares_budget_set(&w->a, 10 * unit), 0);
	/* The older has more to give; the younger shall go all the same. */
	shares_used(&w->a, SHARES_UNIT);
	shares_used(&w->a, 3 * unit);
	child = start_grown(w, 2 * unit, &young);
	start_waiter(&one, 0);
	while (shares_wish(&w->a) != SHARES_CLEAN) {
		make_sweep_due(w);
		(void)shares_sweep(&w->b);
	}
	assert_true(shares_read_row(&w->pool, young, &row));
	assert_int_equal(row.wish, 0);
	/* Not before what that has brought is to be seen. */
	make_sweep_due(w);
	(void)shares_sweep(&w->b);
	assert_true(shares_read_row(&w->pool, young, &row));
	assert_int_equal(row.wish, 0);
	(void)shares_add(&w->pool.head->acted_ns, 0 - LEASE_SETTLE_NS);
	do {
		make_sweep_due(w);
		(void)shares_sweep(&w->b);
		assert_true(shares_read_row(&w->pool, young, &row));
	} while (row.wish == 0);
	assert_int_equal(row.wish, SHARES_RECYCLE);
	assert_int_equal(shares_wish(&w->a), 0);

	kill(child, SIGKILL);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, 0);
	waitpid(child, NULL, 0);
}

/* --- death ---------------------------------------------------------------- */

enum last_step {
	HOLDS, WAITS, HAS_TAKEN, IS_GIVING, HAS_PUSHED, AUDITS, BURIES
};

/* In a child that shall be killed where it stands. */
static void
die_at(struct world *w, enum last_step step)
{
	struct shares *pool = &w->pool;
	struct shares_member m;
	struct shares_slot *s;
	uint64_t got, none = 0;

	shares_in_child(pool);
	if (shares_join(pool, 1, 0, 0, &m) < 0 ||
	    shares_acquire(&m, U(50), U(50), 0, &got) < 0)
		_exit(1);
	s = &pool->slot[m.index];
	switch (step) {
	case HOLDS:
		break;
	case WAITS:
		shares_release(&m, UINT64_MAX);
		(void)shares_acquire(&m, U(940), U(940), FOREVER, &got);
		break;
	case HAS_TAKEN:
		shares_begin(&m);
		shares_give(pool, -70, 0);
		break;
	case IS_GIVING:
		shares_begin(&m);
		shares_put(&s->held, 0);
		break;
	case HAS_PUSHED:
		s->turn++;
		pool->ring[pool->head->tail & pool->ring_mask] =
		    place_of(pool->head->tail, s->turn, m.index);
		break;
	case AUDITS:
		(void)shares_swap(&pool->head->gate, &none,
		    (sys_clock() & ~(uint64_t)SHARES_SLOTS_MOST) | m.index);
		break;
	case BURIES:
		/* Of @c, as if that were dead, and halfway. */
		shares_begin(&m);
		pool->slot[w->c.index].owner = OWNER_GIVING | pool->key;
		shares_put(&pool->slot[w->c.index].held, 0);
	}
	(void)kill(getpid(), SIGKILL);
}

static void
all_that_the_dead_held_is_back(struct world *w, enum last_step step,
    int is_reaped)
{
	uint64_t got;
	siginfo_t end;
	pid_t child;
	int tries;

	assert_int_equal(shares_acquire(&w->a, U(100), U(100), 0, &got), 0);
	assert_int_equal(shares_acquire(&w->c, U(30), U(30), 0, &got), 0);
	child = fork();
	if (child == 0)
		die_at(w, step);
	if (step == WAITS) {
		while (waiting(w) == 0)
			sys_sleep(NS_PER_MS);
		kill(child, SIGKILL);
	}
	assert_int_equal(waitid(P_PID, (id_t)child, &end,
	    WEXITED | (is_reaped ? 0 : WNOWAIT)), 0);
	assert_int_equal(end.si_code, CLD_KILLED);
	assert_true(left(w) <= 900);

	/* A gate that the dead has left holds up for a while. */
	for (tries = 0; tries < 100 && (tries == 0 ||
	    w->pool.head->suspect != w->pool.head->audited ||
	    w->pool.head->gate != 0); tries++) {
		make_sweep_due(w);
		(void)shares_sweep(&w->b);
		if (step == AUDITS)
			shares_used(&w->b, 0);
		sys_sleep(NS_PER_MS);
	}
	assert_int_equal(left(w), step == BURIES ? 900 : 870);
	assert_int_equal(waiting(w), 0);
	assert_int_equal(word_active(w->pool.head->word),
	    step == BURIES ? 1 : 2);
	/* And nobody is in the way. */
	assert_int_equal(shares_acquire(&w->b, U(700), U(700), NS_PER_S,
	    &got), 0);
	shares_release(&w->b, UINT64_MAX);
	shares_release(&w->a, UINT64_MAX);
	if (!is_reaped)
		waitpid(child, NULL, 0);
}

static void
wherever_a_process_is_killed_nothing_is_lost(void **state)
{
	struct world *w = *state;
	enum last_step step;

	for (step = HOLDS; step <= BURIES; step++) {
		if (step != HOLDS)
			shares_release(&w->c, UINT64_MAX);
		all_that_the_dead_held_is_back(w, step, 1);
	}
}

static void
a_zombie_is_dead(void **state)
{
	all_that_the_dead_held_is_back(*state, HAS_TAKEN, 0);
}

static void
who_waits_finds_the_dead_by_itself(void **state)
{
	struct world *w = *state;
	struct waiter one = { w, &w->b, U(800), U(800), FOREVER, 0, 1, 0 };
	struct shares_member m;
	uint64_t got;
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		shares_in_child(&w->pool);
		if (shares_join(&w->pool, 1, 0, 0, &m) < 0 ||
		    shares_acquire(&m, U(900), U(900), 0, &got) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	start_waiter(&one, 0);
	kill(child, SIGKILL);
	pthread_join(one.thread, NULL);
	assert_int_equal(one.r, 0);
	assert_int_equal(one.got, U(800));
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void
another_process_of_the_same_number_is_another(void **state)
{
	struct world *w = *state;
	uint64_t got;

	assert_int_equal(shares_acquire(&w->a, U(100), U(100), 0, &got), 0);
	w->pool.slot[w->a.index].owner ^= 1; /* started at another time */
	make_sweep_due(w);
	assert_int_equal(shares_sweep(&w->b), 1);
	assert_int_equal(left(w), 1000);
}

static void
what_is_kept_takes_no_seat(void **state)
{
	struct world *w = *state;
	uint64_t got = 0;

	w->pool.head->cores = 1;
	assert_int_equal(shares_acquire(&w->a, U(100), U(100), 0, &got), 0);
	assert_int_equal(shares_acquire(&w->b, U(100), U(100), 0, &got),
	    -EAGAIN);
	shares_keep(&w->a);
	assert_int_equal(word_active(w->pool.head->word), 0);
	assert_int_equal(shares_lease(&w->a), U(100));
	assert_int_equal(shares_acquire(&w->b, U(100), U(100), 0, &got), 0);
	/* Twice is once; less of it, and more, is as it was. */
	shares_keep(&w->a);
	shares_shrink(&w->a, U(50));
	assert_int_equal(shares_extend(&w->a, U(10)), 0);
	assert_int_equal(shares_lease(&w->a), U(60));
	assert_int_equal(word_active(w->pool.head->word), 1);
	assert_true(shares_leased(&w->pool) == U(160));
	/* An audit counts the same. */
	assert_int_equal(shares_audit(&w->b, NULL), 0);
	assert_int_equal(word_active(w->pool.head->word), 1);
	assert_int_equal(left(w), 1000 - 160);
	shares_release(&w->a, UINT64_MAX);
	assert_int_equal(word_active(w->pool.head->word), 1);
	shares_release(&w->b, UINT64_MAX);
	assert_int_equal(word_active(w->pool.head->word), 0);
	assert_int_equal(left(w), 1000);
}

static void
an_audit_finds_what_was_lost_and_what_was_too_much(void **state)
{
	struct world *w = *state;
	uint64_t got, repaired = 0;

	assert_int_equal(shares_acquire(&w->a, U(100), U(100), 0, &got), 0);
	w->pool.head->word = word_of(500, 7, 3);
	assert_int_equal(shares_audit(&w->b, &repaired), 0);
	assert_int_equal(repaired, U(400));
	assert_int_equal(left(w), 900);
	assert_int_equal(word_active(w->pool.head->word), 1);
	w->pool.head->word = word_of(1500, 0, 3);
	assert_int_equal(shares_audit(&w->b, &repaired), 0);
	assert_int_equal(repaired, 0);
	assert_int_equal(left(w), 900);
	/* Not while somebody who lives is between two steps. */
	shares_begin(&w->a);
	assert_int_equal(shares_audit(&w->b, NULL), -EAGAIN);
	shares_end(&w->a);
	assert_int_equal(shares_audit(&w->b, NULL), 0);
}

/* --- many ----------------------------------------------------------------- */

#define THREADS 6
#define ROUNDS  3000

static struct {
	_Atomic uint64_t held, most, wrong;
} seen;

static void *
come_and_go(void *argument)
{
	struct world *w = argument;
	struct shares_member m;
	uint64_t from, least, got, now, i;

	if (shares_join(&w->pool, 1, 0, 0, &m) < 0) {
		seen.wrong++;
		return NULL;
	}
	from = m.index * UINT64_C(1000003);
	for (i = 0; i < ROUNDS; i++) {
		least = 1 + mix_u64(++from) % 400;
		if (shares_acquire(&m, U(least), U(least + 100), FOREVER,
		    &got) < 0 || got < U(least) || got > U(least + 100)) {
			seen.wrong++;
			break;
		}
		now = atomic_fetch_add(&seen.held, got) + got;
		if (now > U(950))
			seen.wrong++;
		if (i % 7 == 0)
			sys_yield();
		seen.held -= got;
		shares_release(&m, UINT64_MAX);
	}
	shares_leave(&m);
	return NULL;
}

/* More waits than the ring has places. */
static void
threads_that_come_and_go_never_hold_more_than_there_is(void **state)
{
	struct world *w = *state;
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, come_and_go,
		    w), 0);
	for (i = 0; i < 200; i++) {
		(void)shares_audit(&w->a, NULL);
		sys_yield();
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(seen.wrong, 0);
	assert_int_equal(left(w), 1000);
	assert_int_equal(word_active(w->pool.head->word), 0);
	assert_int_equal(w->pool.head->granted, THREADS * ROUNDS);
	assert_int_equal(w->pool.head->repaired, 0);
}

static void
a_ledger_of_any_bytes_harms_nobody(void **state)
{
	struct world *w = *state;
	uint64_t *word = (uint64_t *)w->pool.head, from = 7, got, kept[4];
	size_t words = w->pool.bytes / sizeof(*word), i;
	struct shares_member m;
	struct shares_total t;
	int round;

	memcpy(kept, word, sizeof(kept));
	for (round = 0; round < 300; round++) {
		for (i = 0; i < words; i++) {
			word[i] = mix_u64(++from);
			/* Small numbers lead further. */
			if (round % 3 > 0 && word[i] % 2 == 0)
				word[i] = word[i] % (round % 3 == 1 ? 4 : 2000);
		}
		memcpy(word, kept, sizeof(kept));
		/* Nobody is there who could be stopped for long. */
		w->pool.head->gate = w->pool.head->granting = 0;
		for (i = 0; i < SLOTS; i++)
			if (w->pool.slot[i].owner % 3 == 0)
				w->pool.slot[i].owner = w->pool.key;
		m.pool = &w->pool;
		m.index = (uint32_t)round % SLOTS;
		(void)shares_acquire(&m, U(1), U(10), NS_PER_MS, &got);
		(void)shares_extend(&m, U(1));
		shares_used(&m, U(3));
		(void)shares_sweep(&m);
		shares_release(&m, 0);
		shares_read(&w->pool, &t);
		if (shares_join(&w->pool, 1, 0, round % 2, &m) == 0)
			shares_leave(&m);
	}
}

static void
threads_of_one_process_share_a_ledger_in_memory(void **state)
{
	void *at = test_calloc(1, shares_bytes(4) + SHARES_PAGE);
	void *page = (void *)round_up((uint64_t)(uintptr_t)at, SHARES_PAGE);
	struct shares pool;
	struct shares_member m;
	uint64_t got;

	(void)state;
	assert_int_equal(shares_use(&pool, page), -EBADMSG);
	assert_int_equal(shares_format(page, U(1000), 2, 4), 0);
	assert_int_equal(shares_use(&pool, page), 0);
	assert_int_equal(shares_join(&pool, 1, 0, 0, &m), 0);
	assert_int_equal(shares_acquire(&m, 1, U(10), 0, &got), 0);
	assert_int_equal(word_left(pool.head->word), 990);
	shares_leave(&m);
	shares_close(&pool);
	test_free(at);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_ledger_has_all_of_its_budget),
		TEST(values_that_make_no_ledger_are_refused),
		TEST(what_is_no_ledger_is_not_opened),
		TEST(a_lease_is_taken_off_what_is_left_until_it_is_released),
		TEST(what_cannot_be_had_is_refused_with_its_reason),
		TEST(an_extension_takes_the_reserve),
		TEST(what_a_member_uses_without_a_lease_is_its_base),
		TEST(a_base_that_no_machine_has_is_not_believed),
		TEST(a_pool_is_full_when_all_slots_are_taken),
		TEST(who_waits_is_served_when_a_lease_returns),
		TEST(a_part_that_returns_is_enough_for_who_needs_no_more),
		TEST(who_came_first_is_served_first),
		TEST(who_asks_for_little_passes_a_young_head_only),
		TEST(one_who_gives_up_lets_the_next_go_on),
		TEST(no_more_hold_a_lease_than_there_are_seats),
		TEST(a_pool_that_is_stopped_tells_all),
		TEST(a_budget_shrinks_below_what_is_held_and_grows_again),
		TEST(bases_that_leave_no_room_are_to_be_cleaned_up_and_then_recycled),
		TEST(wherever_a_process_is_killed_nothing_is_lost),
		TEST(a_zombie_is_dead),
		TEST(who_waits_finds_the_dead_by_itself),
		TEST(another_process_of_the_same_number_is_another),
		TEST(what_is_kept_takes_no_seat),
		TEST(an_audit_finds_what_was_lost_and_what_was_too_much),
		TEST(threads_that_come_and_go_never_hold_more_than_there_is),
		TEST(a_ledger_of_any_bytes_harms_nobody),
		TEST(threads_of_one_process_share_a_ledger_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
