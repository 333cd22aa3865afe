/*
 * test-plan.c - a process against its budget, on a host of our own making
 *
 * The host's memory is two numbers, so every figure is known.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "model/states.h"
#include "plan/cleanup.h"
#include "plan/guard.h"
#include "plan/member.h"
#include "plan/op.h"
#include "plan/op-state.h"
#include "plan/plan.h"
#include "plan/reserve.h"
#include "plan/shares.h"
#include "sys/sys.h"

static struct {
	struct tide_room room;
	uint64_t live, beside;    /* bytes: of the heap, and not of it */
	uint64_t budget, others;
	bool keeps;               /* the allocator gives nothing back */
	uint64_t kept;            /* what was live at the most, then */
	uint64_t pieces;          /* of it, too small to be used again */
	int64_t high;             /* since a window was opened */
	int64_t thread;
	uint64_t failed;
	int epochs;
	int wholes, glances;      /* how often memory was asked for */
	const char *target, *warn;
} fake;

static bool
heap(struct host_heap *h)
{
	h->bytes = fake.live;
	h->blocks = fake.live / 100;
	h->allocated = fake.live;
	h->thread = fake.thread;
	h->failed = fake.failed;
	h->threads = 1;
	return true;
}

static void
window_open(struct host_window *w)
{
	memset(w, 0, sizeof(*w));
	w->base = (int64_t)fake.live;
	fake.high = w->base;
}

static void
window_close(struct host_window *w)
{
	w->high = fake.high - w->base;
	w->thread_high = w->high / 2;
}

static int
memory(struct host_memory *m)
{
	m->used = m->resident = max_u64(fake.live, fake.kept) + fake.beside;
	m->faults = 0;
	fake.wholes++;
	return 0;
}

/* It does not know what is beside. */
static int
glance(struct host_memory *m)
{
	m->resident = max_u64(fake.live, fake.kept) + fake.beside;
	m->used = max_u64(fake.live, fake.kept);
	fake.glances++;
	return 0;
}

static int
limit(uint64_t set_bytes, struct host_limit *l)
{
	l->budget = set_bytes != 0 && set_bytes < fake.budget ? set_bytes :
	    fake.budget;
	l->available = l->budget == TIDE_NONE ? TIDE_NONE :
	    above_u64(l->budget, fake.live + fake.beside + fake.others);
	l->others = fake.others;
	l->slow_from = TIDE_NONE;
	strcpy(l->source, "fake");
	return 0;
}

static void
epoch(const char *name)
{
	assert_non_null(name);
	fake.epochs++;
}

static const char *
setting(const char *name)
{
	return strcmp(name, "TARGET") == 0 ? fake.target :
	    strcmp(name, "WARN") == 0 ? fake.warn : NULL;
}

static struct tide_room *
own_room(void)
{
	memset(&fake.room, 0, sizeof(fake.room));
	return &fake.room;
}

static const struct plan_host host = {
	.level = TIDE_RUNTIME,
	.heap = heap,
	.window_open = window_open,
	.window_close = window_close,
	.memory = memory,
	.limit = limit,
	.epoch = epoch,
	.setting = setting,
	.own_room = own_room,
};

/* Where the heap is not counted. */
static const struct plan_host bare_host = {
	.level = TIDE_STANDALONE,
	.memory = memory,
	.glance = glance,
	.limit = limit,
	.setting = setting,
	.own_room = own_room,
};

/* As the library does it when a thread publishes. */
static void
grow(int64_t bytes)
{
	fake.live += (uint64_t)bytes;
	fake.thread += bytes;
	if ((int64_t)fake.live > fake.high)
		fake.high = (int64_t)fake.live;
	if (fake.keeps)
		fake.kept = max_u64(fake.kept, fake.live + fake.pieces);
	(void)plan_note(fake.live, sys_clock());
}

static int
set_up(void **state)
{
	(void)state;
	if (plan_has_begun())
		plan_in_child(); /* forgets all */
	memset(&fake, 0, sizeof(fake));
	fake.budget = GIB;
	fake.beside = 16 * MIB;
	plan_begin(&host, own_room());
	assert_int_equal(plan_init(NULL), 0);
	assert_int_equal(plan_budget_set(0), 0);
	return 0;
}

static void
what_is_used_is_what_is_seen_and_what_is_allocated_since(void **state)
{
	tide_info info;

	(void)state;
	assert_int_equal(plan_status(&info), 0);
	assert_int_equal(info.budget, GIB);
	assert_int_equal(info.used, 16 * MIB);
	assert_int_equal(info.available, GIB - 16 * MIB);
	assert_string_equal(info.source, "fake");
	assert_int_equal(info.state, TIDE_OK);
	grow(100 * MIB);
	/* Within the room that the allocator may hold free it costs nothing,
	 * and here it holds none. */
	assert_true(fake.room.used >= 100 * MIB);
	assert_true(fake.room.used <= 116 * MIB);
	assert_int_equal(fake.room.live, 100 * MIB);
}

static void
others_of_the_same_limit_count(void **state)
{
	(void)state;
	fake.others = 900 * MIB;
	assert_int_equal(plan_budget_set(0), 0);
	assert_int_equal(fake.room.used, 916 * MIB);
	assert_int_equal(fake.room.state, TIDE_CRITICAL);
}

static void
a_program_may_lower_its_budget_and_never_raise_it(void **state)
{
	(void)state;
	assert_int_equal(plan_budget_set(512 * MIB), 0);
	assert_int_equal(fake.room.budget, 512 * MIB);
	assert_int_equal(plan_budget_set(2 * GIB), -ERANGE);
	assert_int_equal(fake.room.budget, GIB);
	assert_int_equal(plan_budget_set(0), 0);
}

static void
states_follow_at_once(void **state)
{
	(void)state;
	grow(770 * MIB); /* 786 of 1024: 0.768 */
	assert_int_equal(plan_visit(), TIDE_WARNING);
	assert_int_equal(fake.room.warnings, 1);
	grow(130 * MIB);
	assert_int_equal(plan_visit(), TIDE_CRITICAL);
	grow(90 * MIB);
	assert_int_equal(plan_visit(), TIDE_EXHAUSTED);
	assert_int_equal(fake.room.gate, TIDE_NONE);
}

static void
an_allocation_that_failed_is_the_end_of_the_room(void **state)
{
	(void)state;
	fake.failed = 1;
	plan_refused();
	assert_int_equal(plan_visit(), TIDE_EXHAUSTED);
}

static void
settings_are_taken_whole_or_not_at_all(void **state)
{
	(void)state;
	assert_int_equal(plan_init("warn=50% critical=60%"), 0);
	assert_int_equal(fake.room.warn_mille, 500);
	assert_int_equal(fake.room.critical_mille, 600);
	assert_int_equal(plan_init("warn=40%, colour=blue"), -EINVAL);
	assert_int_equal(fake.room.warn_mille, 500);
	assert_int_equal(plan_init("warn=4000%"), -EINVAL);
	assert_int_equal(plan_init("warn=90% critical=80%"), -EINVAL);
	assert_int_equal(plan_init("warn=90%"), -EINVAL);
	assert_int_equal(plan_init("batch.min=9 batch.max=8"), -EINVAL);
	assert_int_equal(fake.room.warn_mille, 500);
	assert_int_equal(plan_init("critical=100% batch.min=9"), 0);
	assert_int_equal(fake.room.critical_mille, 1000);
	assert_int_equal(fake.room.target_mille, 900);
	assert_int_equal(plan_init(" , ;\n"), 0);
	assert_int_equal(fake.room.warn_mille, 750);
}

static void
of_the_host_lines_that_are_in_order_are_taken(void **state)
{
	(void)state;
	plan_in_child();
	fake.warn = "90%"; /* critical is 88 % */
	plan_begin(&host, own_room());
	assert_int_equal(plan_init(NULL), 0);
	assert_int_equal(fake.room.warn_mille, 750);
	assert_int_equal(fake.room.target_mille,
	    (int)(1000 * 0.97 * STATES_CRITICAL_FROM));
	plan_in_child();
	fake.warn = "60%";
	plan_begin(&host, own_room());
	assert_int_equal(fake.room.warn_mille, 600);
}

static void
safe_is_what_stays_below_the_line(void **state)
{
	tide_info info;

	(void)state;
	assert_int_equal(plan_safe(800 * MIB, 0, &info), 1);
	assert_int_equal(info.used, 16 * MIB);
	assert_int_equal(plan_safe(900 * MIB, 0, NULL), 0);
	assert_int_equal(plan_safe(100 * MIB, 100 * MIB, NULL), 0);
	assert_int_equal(plan_safe(84 * MIB, 100 * MIB, NULL), 1);
	assert_int_equal(plan_safe(UINT64_MAX, 0, NULL), 0);
	assert_int_equal(plan_safe(UINT64_MAX, UINT64_MAX, NULL), 0);
	assert_int_equal(plan_safe(0, 0, NULL), 1);
}

static void
json_has_the_members_that_were_asked_for(void **state)
{
	char line[1024], less[16];
	int n;

	(void)state;
	grow(3 * (int64_t)(GIB / 10));
	n = plan_json(line, sizeof(line));
	assert_int_equal(n, strlen(line));
	assert_non_null(strstr(line, "\"status\":\"ok\""));
	assert_non_null(strstr(line, "\"memory_usage_gb\":0.3"));
	assert_non_null(strstr(line, "\"peak_memory_gb\":0.3"));
	assert_non_null(strstr(line, "\"memory_warnings\":0"));
	assert_int_equal(plan_json(less, sizeof(less)), n);
	assert_int_equal(strlen(less), sizeof(less) - 1);
	assert_int_equal(plan_json(NULL, 0), n);
	assert_int_equal(plan_json(NULL, 5), -EINVAL);
}

/* --- batches -------------------------------------------------------------- */

/* Items of @bytes each, until the batch is over; how many were done. */
static uint64_t
work(tide_batch *b, uint64_t bytes)
{
	uint64_t i;

	for (i = 0; i < b->n && batch_more(b); i++) {
		grow((int64_t)bytes);
		assert_true(fake.live + fake.beside <= fake.budget);
	}
	grow(-(int64_t)(i * bytes));
	return i;
}

/* Critical, and use far below the line: who is let in at last gets on. */
static void
a_batch_that_begins_has_an_item_whatever_the_state(void **state)
{
	tide_op *op = op_open("held", NULL);
	tide_batch b;

	(void)state;
	memset(&b, 0, sizeof(b));
	fake.room.pressure = TIDE_CRITICAL + 1;
	assert_int_equal(plan_poll(0), TIDE_CRITICAL);
	assert_int_equal(batch_begin(op, &b, 0, 10, -1), 1);
	assert_int_equal(plan_poll(0), TIDE_CRITICAL);
	assert_int_equal(batch_more(&b), 1);
	assert_int_equal(batch_more(&b), 0);
	(void)batch_end(&b, 1);
	fake.room.pressure = 0;
}

static void
batches_grow_to_the_budget_and_not_beyond(void **state)
{
	tide_op *op = op_open("grow", NULL);
	struct tide_op_stats stats;
	uint64_t at = 0, most = 0;
	tide_batch b;
	int n;

	(void)state;
	memset(&b, 0, sizeof(b));
	while (at < 3000 && (n = batch_begin(op, &b, at, 3000 - at, 0)) > 0) {
		assert_int_equal(b.first, at);
		assert_int_equal(b.n, n);
		n = (int)work(&b, 4 * MIB);
		assert_true(n > 0);
		most = max_u64(most, (uint64_t)n);
		(void)batch_end(&b, (uint64_t)n);
		at += (uint64_t)n;
	}
	assert_int_equal(at, 3000);
	assert_int_equal(op_read(op, &stats), 0);
	assert_int_equal(stats.items, 3000);
	assert_int_equal(stats.n_most, most);
	assert_int_equal(stats.growth_most, most * 4 * MIB);
	assert_int_equal(stats.active, 0);
	assert_int_equal(fake.epochs, stats.batches);
	assert_int_equal(stats.retained_sum, 0);
}

static void
what_the_allocator_keeps_is_nobodys_growth(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .initial = 150 };
	tide_op *op = op_open("kept", &conf);
	struct tide_op_stats stats;
	tide_batch b;
	uint64_t at = 0, done;

	(void)state;
	fake.keeps = true;
	memset(&b, 0, sizeof(b));
	while (at < 750) {
		assert_true(batch_begin(op, &b, at, 100000, 0) > 0);
		assert_true(b.n >= 150);
		assert_int_equal(op_read(op, &stats), 0);
		assert_int_not_equal(stats.bound, TIDE_BOUND_OVERRUN);
		b.n = 150;
		done = work(&b, 4 * MIB);
		assert_int_equal(done, 150);
		(void)batch_end(&b, done);
		at += done;
	}
	assert_int_equal(op_read(op, &stats), 0);
	assert_in_range(stats.growth_last, 600 * MIB, 610 * MIB);
	/* Nor was more used than was ever resident. */
	assert_true(fake.room.peak_used <= fake.kept + fake.beside);

	assert_true(batch_begin(op, &b, at, 10, 0) > 0);
	done = work(&b, 4 * MIB);
	(void)batch_end(&b, done);
	assert_int_equal(op_read(op, &stats), 0);
	assert_in_range(stats.growth_last, done * 4 * MIB,
	    done * 4 * MIB + 10 * MIB);
}

static void
what_one_batch_has_filled_the_next_may_fill(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .fixed = 300 };
	tide_op *op = op_open("filled", &conf);
	tide_batch b;
	uint64_t first, done;
	int i;

	(void)state;
	fake.keeps = true;
	memset(&b, 0, sizeof(b));
	assert_int_equal(batch_begin(op, &b, 0, 100000, 0), 300);
	first = work(&b, 4 * MIB);
	assert_in_range(first, 200, 220);
	(void)batch_end(&b, first);
	for (i = 0; i < 10; i++) {
		/* A warning, but only of what is free. */
		assert_int_equal(fake.room.state, TIDE_WARNING);
		assert_int_equal(batch_begin(op, &b, 0, 100000, 0), 300);
		assert_true(fake.room.used >= b.line_);
		done = work(&b, 4 * MIB);
		/* What a live byte costs is not known to the page. */
		assert_in_range(done, first - 8, first);
		(void)batch_end(&b, done);
	}
}

static void
what_is_free_but_in_pieces_is_not_counted_on(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .fixed = 400 };
	tide_op *op = op_open("pieces", &conf);
	tide_batch b;
	int i;

	(void)state;
	fake.keeps = true;
	memset(&b, 0, sizeof(b));
	for (i = 0; i < 2; i++) {
		/* Half of what one has had is of no use to the next. */
		fake.pieces = fake.kept / 2;
		assert_int_equal(batch_begin(op, &b, 0, 1000, 0), 400);
		assert_int_equal(work(&b, MIB), 400);
		(void)batch_end(&b, 400);
	}
	assert_int_equal(plan_settle(sys_clock(), true), TIDE_OK);
	/* 600 are free: 97 % of the budget, less what is held, less half. */
	assert_in_range(plan_fits() / MIB, 993 - 16 - 300 - 32,
	    993 - 16 - 300 + 32);
}

static void
what_the_knee_tries_under_a_warning_is_left_again(void **state)
{
	tide_op *op = op_open("warned", NULL);
	uint32_t last;
	tide_batch b;
	int i;

	(void)state;
	memset(&b, 0, sizeof(b));
	for (i = 0; i < 8; i++) {
		assert_true(batch_begin(op, &b, 0, 1000, 0) > 0);
		assert_int_equal(work(&b, MIB), b.n);
		(void)batch_end(&b, b.n);
	}
	last = op->sizing.last;
	assert_true(last >= 4);
	fake.room.pressure = TIDE_WARNING + 1;
	op->knee.now = 2; /* of two items */
	assert_int_equal(batch_begin(op, &b, 0, 1000, 0), 2);
	assert_int_equal(fake.room.state, TIDE_WARNING);
	assert_int_equal(work(&b, MIB), 2);
	(void)batch_end(&b, 2);
	assert_int_equal(op->sizing.last, last);
}

static void
a_batch_ends_where_more_bytes_would_not_pay(void **state)
{
	tide_op *op = op_open("pays", NULL);
	struct tide_op_stats stats;
	uint64_t cap;
	tide_batch b;
	int i;

	(void)state;
	/* 32 items of 256 KiB are fast, more are far slower. */
	for (i = 0; i < 300; i++) {
		cap = knee_cap(&op->knee);
		knee_grew(&op->knee, (uint32_t)cap, cap * 256 * KIB, false);
		knee_learn(&op->knee, (uint32_t)cap, 320000 + cap * (20000 +
		    (cap > 32 ? 1000 * cap : 0)), false);
	}
	cap = knee_cap(&op->knee);
	assert_in_range(cap, 16, 64);
	for (i = 1; i < 64; i = 2 * i + 1) { /* of the same: none is closed */
		memset(&b, 0, sizeof(b));
		assert_true(batch_begin(op, &b, 0, (uint64_t)i, 0) > 0);
		assert_int_equal(work(&b, 256 * KIB), b.n);
		(void)batch_end(&b, b.n);
	}
	memset(&b, 0, sizeof(b));
	assert_true(batch_begin(op, &b, 0, 1000, 0) > 1);
	i = (int)work(&b, knee_bytes(&op->knee, 8, 0) / 8 * 5);
	assert_int_equal(i, 2);
	(void)batch_end(&b, 2);
	assert_int_equal(op_read(op, &stats), 0);
	assert_int_equal(stats.cuts, 0); /* there was room */
	assert_int_equal(stats.n_last, 2);
}

static void
a_batch_is_cut_where_items_are_larger_than_foreseen(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .fixed = 100 };
	tide_op *op = op_open("cut", &conf);
	struct tide_op_stats stats;
	tide_batch b;
	uint64_t done;

	(void)state;
	memset(&b, 0, sizeof(b));
	assert_int_equal(batch_begin(op, &b, 0, 1000, 0), 100);
	done = work(&b, 20 * MIB);
	assert_true(done >= 30 && done < 100);
	(void)batch_end(&b, done);
	assert_int_equal(op_read(op, &stats), 0);
	assert_int_equal(stats.bound, TIDE_BOUND_FIXED);
	assert_int_equal(stats.cuts, 1);
	assert_int_equal(stats.done, done);
}

static void
a_batch_that_takes_too_long_is_told_once(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .timeout_ns = 1000000 };
	tide_op *op = op_open("slow", &conf);
	tide_batch b;

	(void)state;
	memset(&b, 0, sizeof(b));
	assert_int_equal(batch_begin(op, &b, 0, 5, 0), 1);
	sys_sleep(2000000);
	batch_item_done(&b);
	assert_string_equal(fake.room.message,
	    "Batch processing timeout after 1ms");
	fake.room.message[0] = '\0';
	(void)batch_more(&b);
	(void)batch_end(&b, 1);
	assert_string_equal(fake.room.message, "");
}

static void
items_are_called_what_the_program_or_else_the_settings_say(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .unit = "row" };
	struct tide_op_stats stats;

	(void)state;
	assert_int_equal(plan_init("progress.unit=page"), 0);
	assert_int_equal(op_read(op_open("pages", NULL), &stats), 0);
	assert_string_equal(stats.unit, "page");
	assert_int_equal(op_read(op_open("rows", &conf), &stats), 0);
	assert_string_equal(stats.unit, "row");
}

/* A path longer than a name: it is one all the same. */
static void
a_lease_bounds_what_the_process_alone_would_not(void **state)
{
	char path[300] = "/tmp/heaptide-test-plan-", conf[400];
	tide_op *op = op_open("leased", NULL);
	struct tide_op_stats stats;
	tide_batch b;
	uint64_t at;
	int n;

	(void)state;
	memset(path + strlen(path), 'x', 200);
	snprintf(conf, sizeof(conf), "pool=%s", path);
	unlink(path);
	assert_int_equal(shares_create(path, 60 * MIB, 0, 4), 0);
	assert_int_equal(plan_init(conf), 0);
	assert_true(member_is_in());
	memset(&b, 0, sizeof(b));
	for (at = 0; at < 400; at += (uint64_t)n) {
		assert_true(batch_begin(op, &b, at, 400 - at, 0) > 0);
		assert_true(member_lease() <= 60 * MIB);
		n = (int)work(&b, 4 * MIB);
		assert_true(n > 0 && (uint64_t)n * 4 * MIB <= 60 * MIB);
		(void)batch_end(&b, (uint64_t)n);
		assert_int_equal(op_read(op, &stats), 0);
		if (stats.bound == TIDE_BOUND_LEASE)
			break;
	}
	assert_int_equal(stats.bound, TIDE_BOUND_LEASE);
	unlink(path);
}

static void
weights_close_a_batch_before_the_item_that_would_not_fit(void **state)
{
	tide_op *op = op_open("weights", NULL);
	tide_batch b;
	uint64_t at, i, weight;

	(void)state;
	memset(&b, 0, sizeof(b));
	for (at = 0; at < 400; at += i) {
		assert_true(batch_begin(op, &b, at, 400 - at, 0) > 0);
		for (i = 0; at + i < 400; i++) {
			weight = (at + i) % 37 == 36 ? 700 * MIB : 3 * MIB;
			if (!batch_item(&b, weight))
				break;
			grow((int64_t)weight);
			assert_true(fake.live + fake.beside <= fake.budget);
			batch_item_done(&b);
		}
		assert_true(i > 0);
		grow(-(int64_t)fake.live);
		(void)batch_end(&b, i);
	}
}

static void
what_is_wrong_with_a_batch_is_told_and_harms_nothing(void **state)
{
	tide_op *op = op_open("wrong", NULL);
	tide_batch b;

	(void)state;
	memset(&b, 0, sizeof(b));
	assert_int_equal(batch_more(NULL), 0);
	assert_int_equal(batch_more(&b), 0);
	assert_int_equal(batch_item(NULL, 1), 0);
	assert_int_equal(batch_item(&b, 1), 0);
	batch_item_done(NULL);
	batch_item_fail(NULL, 0, NULL);
	batch_abort(NULL, TIDE_NOMEM);
	assert_int_equal(batch_end(NULL, 5), TIDE_OK);
	assert_int_equal(batch_end(&b, 5), TIDE_OK);
	assert_int_equal(batch_begin(NULL, &b, 0, 1, 0), -EINVAL);
	assert_int_equal(batch_begin(op, NULL, 0, 1, 0), -EINVAL);
	assert_int_equal(batch_begin(op, &b, 0, 0, 0), 0);
	assert_int_equal(batch_begin(op, &b, 0, UINT64_MAX, 0), 1);
	assert_int_equal(batch_begin(op, &b, 0, 1, 0), -EBUSY);
	assert_int_equal(batch_more(&b), 1);
	(void)batch_end(&b, 1);
	assert_int_equal(batch_more(&b), 0);
	assert_int_equal(batch_end(&b, 1), TIDE_OK);
}

static void
a_failed_allocation_makes_the_next_batch_smaller(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .initial = 64 };
	tide_op *op = op_open("nomem", &conf);
	tide_batch b;

	(void)state;
	memset(&b, 0, sizeof(b));
	assert_int_equal(batch_begin(op, &b, 0, 1000, 0), 64);
	batch_abort(&b, TIDE_NOMEM);
	assert_true(op_batch_size(op, 1000) <= 32);
}

static void
no_batch_begins_while_it_is_critical_and_none_waits_for_ever(void **state)
{
	tide_op *op = op_open("full", NULL);
	tide_batch b;

	(void)state;
	memset(&b, 0, sizeof(b));
	grow(950 * MIB);
	assert_int_equal(batch_begin(op, &b, 0, 10, 0), -ETIMEDOUT);
	assert_int_equal(batch_more(&b), 0);
	fake.room.stop = TIDE_STOP_DRAIN;
	assert_int_equal(batch_begin(op, &b, 0, 10, -1), 0);
}

static void
batches_at_one_time_share_the_room(void **state)
{
	tide_op_conf conf = { .size = sizeof(conf), .max_concurrent = 2 };
	tide_op *op = op_open("share", &conf);
	tide_batch b[3];
	uint64_t at;
	int i, n;

	(void)state;
	memset(b, 0, sizeof(b));
	for (at = 0; at < 500; at += (uint64_t)n) {
		n = batch_begin(op, &b[0], at, 500, 0);
		assert_true(n > 0);
		n = (int)work(&b[0], 4 * MIB);
		(void)batch_end(&b[0], (uint64_t)n);
	}
	for (i = 0; i < 2; i++)
		assert_true(batch_begin(op, &b[i], 0, 500, 0) > 0);
	assert_int_equal(batch_begin(op, &b[2], 0, 500, 0), -ETIMEDOUT);
	assert_true((b[0].n + b[1].n) * 4 * MIB <= fake.budget);
	assert_true(b[1].n >= 1);
	(void)batch_end(&b[0], 0);
	(void)batch_end(&b[1], 0);
}

static void
all_names_have_an_operation(void **state)
{
	struct tide_op_stats stats;
	tide_op *op = NULL;
	char name[2000];
	int i;

	(void)state;
	assert_ptr_equal(op_open("same", NULL), op_open("same", NULL));
	assert_non_null(op_open(NULL, NULL));
	assert_non_null(op_open("", NULL));
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_ptr_equal(op_open(name, NULL), op_open(name, NULL));
	for (i = 0; i < 100; i++) {
		name[0] = (char)('0' + i % 10);
		name[1] = (char)('0' + i / 10);
		op = op_open(name, NULL);
		assert_non_null(op);
	}
	assert_int_equal(op_read(op, &stats), 0);
	assert_string_equal(stats.name, "(others)");
	assert_int_equal(op_read(op, NULL), -EINVAL);
	assert_int_equal(op_read(NULL, &stats), -EINVAL);
}

/* --- guards, components, reservations ------------------------------------- */

static void
a_guard_is_a_batch_of_one(void **state)
{
	struct tide_op_stats stats;
	int guard, i;

	(void)state;
	guard = guard_begin("load", 100 * MIB);
	assert_true(guard >= 1);
	grow(50 * MIB);
	grow(-50 * (int64_t)MIB);
	guard_end(guard);
	guard_end(guard);
	guard_end(0);
	guard_end(-5);
	guard_end(1000);
	assert_int_equal(op_read(op_open("load", NULL), &stats), 0);
	assert_int_equal(stats.batches, 1);
	assert_int_equal(stats.growth_most, 50 * MIB);
	assert_int_equal(guard_begin("load", 2 * GIB), -ENOMEM);
	for (i = 0; i < 64; i++)
		assert_true(guard_begin("many", 0) >= 1);
	assert_int_equal(guard_begin("many", 0), -ENOSPC);
}

static void
components_have_what_is_allocated_inside_of_them(void **state)
{
	int outer = component_open("outer", 0, 1);
	int inner = component_open("inner", 10 * MIB, 3);
	int i;

	(void)state;
	assert_true(outer >= 1 && inner >= 1 && inner != outer);
	assert_int_equal(component_open("outer", 0, 1), outer);
	component_enter(outer);
	grow(5 * MIB);
	component_enter(inner);
	grow(20 * MIB);
	assert_int_equal(component_used(inner), 20 * MIB);
	component_leave(inner);
	grow(1 * MIB);
	assert_int_equal(component_used(outer), 6 * MIB);
	component_leave(outer);
	component_leave(outer);
	assert_int_equal(component_used(outer), 6 * MIB);
	assert_int_equal(fake.room.component[inner - 1].over, 1);
	assert_int_equal(component_budget(inner), 10 * MIB);
	assert_int_equal(component_open("outer", 0, 0), outer);
	assert_int_equal(component_open(NULL, 0, 0), -EINVAL);
	component_enter(77);
	component_leave(-1);
	assert_int_equal(component_used(77), 0);
	assert_int_equal(component_budget(0), 0);
	for (i = 2; i < TIDE_COMPONENTS; i++) {
		char name[] = "c00";

		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		assert_int_equal(component_open(name, 0, 0), i + 1);
	}
	assert_int_equal(component_open("one more", 0, 0), -ENOSPC);
}

static void
what_is_reserved_is_left_alone(void **state)
{
	uint64_t got = 7;

	(void)state;
	assert_int_equal(reserve_take(1, 2, 0, NULL), -EINVAL);
	assert_int_equal(reserve_take(0, 0, 0, &got), -EINVAL);
	assert_int_equal(reserve_take(3, 2, 0, &got), -EINVAL);
	assert_int_equal(reserve_take(2 * GIB, 2 * GIB, -1, &got), -ENOMEM);
	assert_int_equal(got, 7);
	assert_int_equal(reserve_take(100 * MIB, 400 * MIB, 0, &got), 0);
	assert_int_equal(got, 400 * MIB);
	assert_int_equal(reserve_take(600 * MIB, 600 * MIB, 0, &got),
	    -ETIMEDOUT);
	reserve_give(400 * MIB);
	reserve_give(UINT64_MAX);
	assert_int_equal(reserve_take(600 * MIB, 600 * MIB, 0, &got), 0);
}

static void
a_child_begins_anew(void **state)
{
	tide_op *op = op_open("parent", NULL);
	struct tide_op_stats stats;
	tide_batch b;

	(void)state;
	memset(&b, 0, sizeof(b));
	assert_true(batch_begin(op, &b, 0, 5, 0) > 0);
	plan_in_child();
	assert_int_equal(op_active(), 0);
	(void)batch_end(&b, 1);
	/* What the operation is called it is called there as well. */
	assert_true(batch_begin(op, &b, 0, 5, 0) > 0);
	(void)batch_end(&b, 1);
	assert_int_equal(op_read(op, &stats), 0);
	assert_string_equal(stats.name, "parent");
	assert_int_equal(stats.batches, 1);
}

/* Threads that begin and end batches as fast as they can. */
static void *
hurry(void *context)
{
	tide_op *op = op_open(context, NULL);
	tide_batch b;
	int i;

	memset(&b, 0, sizeof(b));
	for (i = 0; i < 200; i++)
		if (batch_begin(op, &b, 0, 100, -1) > 0) {
			(void)batch_more(&b);
			(void)batch_end(&b, b.n);
		}
	return NULL;
}

static void
threads_lose_no_batch(void **state)
{
	static char names[4][8] = { "a", "b", "a", "b" };
	struct tide_op_stats a, b;
	pthread_t thread[4];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hurry,
		    names[i]), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(op_read(op_open("a", NULL), &a), 0);
	assert_int_equal(op_read(op_open("b", NULL), &b), 0);
	assert_int_equal(a.batches, 400);
	assert_int_equal(b.batches, 400);
	assert_int_equal(a.active + b.active, 0);
	assert_int_equal(op_active(), 0);
}

/* Somebody asks, @ns after what is known was true. */
static void
refresh_after(uint64_t ns)
{
	plan_refresh(fake.room.refreshed_ns + ns);
}

static void
what_is_not_counted_is_asked_for_as_it_moves(void **state)
{
	int wholes;

	(void)state;
	plan_in_child();
	memset(&fake, 0, sizeof(fake));
	fake.budget = GIB;
	fake.beside = 16 * MIB;
	plan_begin(&bare_host, own_room());
	assert_int_equal(plan_init(NULL), 0);
	assert_int_equal(fake.room.used, 16 * MIB);
	assert_int_equal(fake.room.refresh_ns, PLAN_CALM_NS);
	wholes = fake.wholes;

	/* 20 of 1024 MiB in 5 ms: by 1 % in 2.56 ms. */
	fake.live = 20 * MIB;
	refresh_after(PLAN_CALM_NS);
	assert_int_equal(fake.room.used, 36 * MIB);
	assert_in_range(fake.room.refresh_ns, 2 * NS_PER_MS, 3 * NS_PER_MS);

	/* It falls as far at once, and is seen to. */
	fake.live = 0;
	refresh_after(fake.room.refresh_ns);
	assert_int_equal(fake.room.used, 16 * MIB);
	assert_in_range(fake.room.refresh_ns, 1 * NS_PER_MS, 2 * NS_PER_MS);
	fake.live = 500 * MIB;
	refresh_after(fake.room.refresh_ns);
	assert_int_equal(fake.room.used, 516 * MIB);
	assert_int_equal(fake.room.refresh_ns, 100 * NS_PER_US);
	assert_int_equal(fake.wholes, wholes); /* all by glances */

	/* What a glance does not see comes with the whole of it. */
	fake.beside = 32 * MIB;
	refresh_after(NS_PER_MS);
	assert_int_equal(fake.room.used, 516 * MIB);
	refresh_after(PLAN_OLD_NS);
	assert_int_equal(fake.room.used, 532 * MIB);
	assert_int_equal(fake.wholes, wholes + 1);

	/* Where nothing moves that is forgotten. */
	refresh_after(NS_PER_S);
	assert_int_equal(fake.room.refresh_ns, PLAN_CALM_NS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
		TEST(what_is_used_is_what_is_seen_and_what_is_allocated_since),
		TEST(others_of_the_same_limit_count),
		TEST(a_program_may_lower_its_budget_and_never_raise_it),
		TEST(states_follow_at_once),
		TEST(an_allocation_that_failed_is_the_end_of_the_room),
		TEST(settings_are_taken_whole_or_not_at_all),
		TEST(of_the_host_lines_that_are_in_order_are_taken),
		TEST(safe_is_what_stays_below_the_line),
		TEST(json_has_the_members_that_were_asked_for),
		TEST(a_batch_that_begins_has_an_item_whatever_the_state),
		TEST(batches_grow_to_the_budget_and_not_beyond),
		TEST(what_the_allocator_keeps_is_nobodys_growth),
		TEST(what_one_batch_has_filled_the_next_may_fill),
		TEST(what_is_free_but_in_pieces_is_not_counted_on),
		TEST(what_the_knee_tries_under_a_warning_is_left_again),
		TEST(a_batch_ends_where_more_bytes_would_not_pay),
		TEST(a_batch_is_cut_where_items_are_larger_than_foreseen),
		TEST(a_batch_that_takes_too_long_is_told_once),
		TEST(items_are_called_what_the_program_or_else_the_settings_say),
		TEST(a_lease_bounds_what_the_process_alone_would_not),
		TEST(weights_close_a_batch_before_the_item_that_would_not_fit),
		TEST(what_is_wrong_with_a_batch_is_told_and_harms_nothing),
		TEST(a_failed_allocation_makes_the_next_batch_smaller),
		TEST(no_batch_begins_while_it_is_critical_and_none_waits_for_ever),
		TEST(batches_at_one_time_share_the_room),
		TEST(a_guard_is_a_batch_of_one),
		TEST(components_have_what_is_allocated_inside_of_them),
		TEST(what_is_reserved_is_left_alone),
		TEST(a_child_begins_anew),
		TEST(threads_lose_no_batch),
		TEST(what_is_not_counted_is_asked_for_as_it_moves),
		/* Leaves no room for names. */
		TEST(all_names_have_an_operation),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
