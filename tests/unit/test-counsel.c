/*
 * What is said of each advice, word by word, and what is to be set; and facts
 * from a segment of this process' own.
 */
#include "own-segment.h"

#include <string.h>

#include "base/base.h"
#include "base/room.h"
#include "control/counsel.h"
#include "door/inside.h"
#include "sys/sys.h"

static struct counsel c;
static char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];
static char value[COUNSEL_VALUE_ROOM];

static int
fresh(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	c.op[0] = (struct tide_op_stats){ .name = "load", .unit = "page",
	    .active_most = 2 };
	c.facts.op = c.op;
	c.facts.ops = 1;
	c.facts.budget = GIB;
	c.facts.by_batches = true;
	c.facts.stacks_known = true;
	c.facts.allocator = ALLOCATOR_GLIBC;
	c.options.subject = "run.tide";
	strcpy(c.source, "cgroup");
	return 0;
}

/* @numbers as model/advice.c names them. */
static void
says(enum advice_id id, const double *numbers, const char *sentence,
    const char *set, const char *line)
{
	struct advice a = { .id = id, .site = 7 };
	const char *key;
	char found[128] = "";

	memcpy(a.number, numbers, sizeof(a.number));
	assert_string_equal(counsel_text(&c, &a, "fill (a.c:3)", text),
	    sentence);
	assert_string_equal(counsel_setting(&c, &a, setting), set);
	key = counsel_key(&c, &a, value);
	if (key != NULL)
		snprintf(found, sizeof(found), "%s = %s", key, value);
	assert_string_equal(found, line);
}

#define M ((double)MIB)
#define SAYS(id, sentence, set, line, ...) \
	says(id, (const double[ADVICE_NUMBERS]){ __VA_ARGS__ }, sentence, \
	    set, line)

static void
of_the_process_it_is_said_in_these_words(void **state)
{
	(void)state;
	SAYS(ADVICE_OK, "Memory usage is well within acceptable limits (245MB "
	    "average); the most was 300.0 MiB of 1.00 GiB by cgroup", "", "",
	    245 * M, 300 * M, 1024 * M);
	SAYS(ADVICE_OK, "Memory usage is well within acceptable limits (300MB "
	    "average)", "", "", 0, 300 * M);
	SAYS(ADVICE_UTIL, "above 80 % of the budget for 34 % of the time; the "
	    "most was 900.0 MiB of 1.00 GiB", "--target 75%, or --budget 1125M",
	    "target = 75%", 0.34, 900 * M, 1024 * M, 1125 * M, 0.75);
	SAYS(ADVICE_LEAK, "fill (a.c:3) keeps 1.2 KiB a batch (48.0 KiB an "
	    "hour), 2.0 MiB by now; 1 other site grows; the budget is met in "
	    "2 h 10 min", "heaptide leaks run.tide", "", 2, 2 * M, 1229,
	    48 * 1024, 0.001, 7800);
	SAYS(ADVICE_CACHE, "fill (a.c:3) has filled up and holds 120.0 MiB for "
	    "good, 12 % of the budget", "tide_component(\"cache\", 62914560, "
	    "1), or tide_on_pressure() with TIDE_CLEAN_BENIGN", "", 120 * M,
	    0.117, 60 * M, 1);
	SAYS(ADVICE_CLEAN, "checkpoints take 2.00 GiB, the oldest is 8 d 0 h "
	    "old", "heaptide checkpoints clean --max-age 24h", "", 2048 * M,
	    8 * 86400);
	SAYS(ADVICE_SWAP, "100.0 MiB are swapped out, with a budget of 1.00 "
	    "GiB", "--budget 200M", "budget = 200M", 100 * M, 1024 * M,
	    200 * M);
	SAYS(ADVICE_LIMIT, "the budget is what the machine has left (1.00 GiB, "
	    "and others move it), though the process is in a control group: "
	    "that has no limit; the most used was 300.0 MiB", "--budget 375M",
	    "budget = 375M", 1024 * M, 300 * M, 375 * M);
}

static void
of_batches_it_is_said_in_these_words(void **state)
{
	(void)state;
	SAYS(ADVICE_BATCH, "load: of 100 batches 10 were cut for lack of room "
	    "(10 %); they had 50 pages on average", "tide_op_conf.max = 40, "
	    "or batch.max = 40", "batch.max = 40", 100, 10, 30, 50, 40);
	SAYS(ADVICE_BATCH, "load: the size of batches changed by more than a "
	    "quarter 30 times in 100; they had 50 pages on average",
	    "tide_op_conf.max = 40, or batch.max = 40", "batch.max = 40", 100,
	    0, 30, 50, 40);
	SAYS(ADVICE_KNEE, "load: n = 48 uses 61.0 MiB; n = 400 uses 480.0 MiB "
	    "and is 3.9 times slower", "tide_op_conf.max = 48, or batch.max = "
	    "48", "batch.max = 48", 48, 61 * M, 400, 480 * M, 3.9);
	SAYS(ADVICE_SLOW, "load: the largest batches (n = 50) were the "
	    "fastest, with 812 pages a second, and memory is free: n = 400 "
	    "would take 400.0 MiB", "1. larger batches: tide_op_conf.max = "
	    "400, or batch.max = 400; 2. more at one time: "
	    "tide_op_conf.max_concurrent = 3, or concurrency.max = 3",
	    "batch.max = 400", 1, 50, 400, 400 * M, 812, 1);
	SAYS(ADVICE_SLOW, "load: larger batches would not help: n = 12 gives "
	    "812 pages a second, and n = 50 is 1.6 times slower", "", "", 0,
	    50, 12, 12 * M, 812, 1.6);
	SAYS(ADVICE_TAIL, "load: the largest page takes 25.0 MiB, 25 times the "
	    "mean of 1.0 MiB; 2 batches grew beyond what was predicted",
	    "tide_item(&batch, bytes) before each item", "", M, 25 * M, 25, 2);
	SAYS(ADVICE_SUPER, "load: doubling the batch costs 3.9 times the "
	    "memory (power 2.0): n = 50 takes 100.0 MiB, half of it 26.0 MiB",
	    "tide_op_conf.max = 25, or batch.max = 25", "batch.max = 25", 2,
	    50, 100 * M, 26 * M, 3.9, 25);
	SAYS(ADVICE_FIXED, "load: 300.0 MiB of a batch (75 %) are there "
	    "whatever its size: n = 100 instead of 50 would take 500.0 MiB",
	    "tide_op_conf.min = 100, or batch.min = 100", "batch.min = 100",
	    300 * M, 0.75, 50, 100, 500 * M);
	SAYS(ADVICE_GROW, "load: each batch leaves 41.0 KiB behind, 2.1 MiB in "
	    "52 batches, most surely fill (a.c:3)", "heaptide leaks run.tide; "
	    "until then tide_op_conf.max = 25, or batch.max = 25", "",
	    41 * 1024, 2.1 * M, 52, 25);
}

static void
of_time_it_is_said_in_these_words(void **state)
{
	(void)state;
	SAYS(ADVICE_DELAY, "load: delays 12.0 s, memory released meanwhile 0 B",
	    "delay.mode = off", "delay.mode = off", 12, 0);
	SAYS(ADVICE_CKPT, "load: the work of 34 min 0 s would be lost; a "
	    "checkpoint every 5 batches leaves 12.0 s of it at risk",
	    "checkpoint.every = 5", "checkpoint.every = 5", 2040, 850, 5, 12);
	SAYS(ADVICE_CONC, "load: batches waited 50.0 s for memory (50 % of "
	    "their time), 8 of them at one time", "tide_op_conf.max_concurrent "
	    "= 4, or concurrency.max = 4", "concurrency.max = 4", 0.5, 50, 8,
	    4);
}

static void
of_the_budget_it_is_said_in_these_words(void **state)
{
	(void)state;
	SAYS(ADVICE_BUDGET, "load: smallest budget for 95 % of this "
	    "throughput: 310.0 MiB (n = 46 instead of 48); it is 1.00 GiB",
	    "--budget 310M", "budget = 310M", 310 * M, 1024 * M, 300 * M, 48,
	    46);
	SAYS(ADVICE_BUDGET, "load: smallest budget that holds the peak of "
	    "300.0 MiB: 333.5 MiB; it is not limited", "--budget 334M",
	    "budget = 334M", 333.5 * M, 0, 300 * M);
	SAYS(ADVICE_RECYCLE, "load: 730.0 MiB of 1.00 GiB are used between "
	    "batches, which have left 260.0 MiB behind: a new start would have "
	    "that much more room", "end after 50 batches with status 85 "
	    "(TIDE_EXIT_CHECKPOINT), and start again", "", 730 * M, 1024 * M,
	    260 * M, 50);
}

static void
high_use_is_answered_in_the_order_that_is_due(void **state)
{
	(void)state;
	SAYS(ADVICE_HIGH, "load: 3 allocations were refused; memory was "
	    "critical for 12 % of the time; the most was 1000 MiB of 1.00 GiB",
	    "1. smaller batches: tide_op_conf.max = 24, or batch.max = 24; 2. "
	    "a lower threshold: --target 80%; 3. checkpoints more often: "
	    "checkpoint.every = 2; 4. less at one time: "
	    "tide_op_conf.max_concurrent = 1, or concurrency.max = 1",
	    "batch.max = 24", 0.12, 1000 * M, 1024 * M, 48, 3, 2);
	/* Of batches of one item there is nothing to lower. */
	SAYS(ADVICE_HIGH, "load: memory was critical for 12 % of the time; the "
	    "most was 1000 MiB of 1.00 GiB", "1. a lower threshold: --target "
	    "80%; 2. checkpoints more often: checkpoint.every = 2", "", 0.12,
	    1000 * M, 1024 * M, 1, 0, 1);
}

static void
each_allocator_has_its_own_setting(void **state)
{
	(void)state;
	SAYS(ADVICE_RETAIN, "glibc's malloc holds 484.0 MiB for 20.0 MiB that "
	    "are in use (24 times), in arenas for 8 threads",
	    "MALLOC_ARENA_MAX=2", "", 20 * M, 484 * M, 24.2, 8, 2);
	SAYS(ADVICE_RETAIN, "glibc's malloc holds 484.0 MiB for 20.0 MiB that "
	    "are in use (24 times)", "tide_op_conf.reclaim_after = 1", "",
	    20 * M, 484 * M, 24.2, 1, 0);
	c.facts.ops = 0;
	SAYS(ADVICE_RETAIN, "glibc's malloc holds 484.0 MiB for 20.0 MiB that "
	    "are in use (24 times)", "tide_reclaim(TIDE_FORCE_RECLAIM, 0, "
	    "NULL), or malloc_trim(0), after the peak", "", 20 * M, 484 * M,
	    24.2, 1, 0);
	c.facts.allocator = ALLOCATOR_JEMALLOC;
	SAYS(ADVICE_RETAIN, "jemalloc holds 484.0 MiB for 20.0 MiB that are in "
	    "use (24 times)", "MALLOC_CONF=dirty_decay_ms:1000,"
	    "muzzy_decay_ms:0", "", 20 * M, 484 * M, 24.2, 8, 0);
	c.facts.allocator = ALLOCATOR_TCMALLOC;
	SAYS(ADVICE_RETAIN, "tcmalloc holds 484.0 MiB for 20.0 MiB that are in "
	    "use (24 times)", "TCMALLOC_RELEASE_RATE=10", "", 20 * M, 484 * M,
	    24.2, 8, 0);
	c.facts.allocator = ALLOCATOR_MIMALLOC;
	SAYS(ADVICE_ALLOC, "mimalloc holds 484.0 MiB for 20.0 MiB that are in "
	    "use (24 times), as 320 threads came and went", "another "
	    "allocator: no libmimalloc in LD_PRELOAD, or threads that stay",
	    "", 20 * M, 484 * M, 24.2, 8, 320);
}

static void
without_a_name_a_site_has_its_number(void **state)
{
	struct advice a = { .id = ADVICE_CACHE, .site = 7 };

	(void)state;
	a.number[0] = 10 * M;
	c.facts.budget = TIDE_NONE;
	assert_string_equal(counsel_text(&c, &a, NULL, text), "site 7 has "
	    "filled up and holds 10.0 MiB for good, 0.0 % of the peak");
}

/* --- facts ---------------------------------------------------------------- */

static struct counsel *
counsel_now(uint64_t now_ns)
{
	const struct counsel_options options = { .now_ns = now_ns,
	    .ended = true };
	struct control control = inside();
	struct counsel *k;

	assert_int_equal(counsel_open(&k, &control, &options), 0);
	return k;
}

static void
time_in_states_is_told_in_shares(void **state)
{
	uint64_t start = segment_mine()->identity.clock_ns;
	struct tide_room *room;
	struct counsel *k;

	(void)state;
	assert_int_equal(segment_reach(TABLE_BUDGET, 1), 0);
	room = segment_rows(TABLE_BUDGET);
	*room = (struct tide_room){ .version = TIDE_ROOM_VERSION,
	    .budget = 100 * MIB, .used = 80 * MIB, .peak_used = 90 * MIB,
	    .state = TIDE_WARNING, .warn_mille = 700, .source = "option",
	    .magic = TIDE_ROOM_MAGIC };
	room->at_state_ns[TIDE_OK] = 6 * NS_PER_S;
	room->at_state_ns[TIDE_CRITICAL] = NS_PER_S;
	room->state_ns = start + 7 * NS_PER_S;
	k = counsel_now(start + 10 * NS_PER_S);
	assert_float_equal(k->facts.state_share[TIDE_OK], 0.6, 1e-9);
	assert_float_equal(k->facts.state_share[TIDE_WARNING], 0.3, 1e-9);
	assert_float_equal(k->facts.state_share[TIDE_CRITICAL], 0.1, 1e-9);
	assert_string_equal(k->source, "option");
	assert_int_equal(k->facts.used_peak, 90 * MIB);
	counsel_close(k);
	room->watched_ns = 10 * NS_PER_S;
	room->high_ns = 2 * NS_PER_S;
	room->used_mean = 70 * M;
	k = counsel_now(start + 10 * NS_PER_S);
	assert_float_equal(k->facts.high_share, 0.2, 1e-9);
	assert_int_equal(k->facts.used_mean, 70 * MIB);
	counsel_close(k);
	room->magic = 0;
}

/* 10 MiB for two seconds, then 90 MiB for one: it holds until the next. */
static void
the_mean_is_over_time(void **state)
{
	struct segment *s = segment_mine();
	uint64_t start = s->identity.clock_ns;
	struct point *row;
	struct counsel *k;

	(void)state;
	assert_int_equal(segment_reach(TABLE_SECONDS, 8), 0);
	row = segment_rows(TABLE_SECONDS);
	row[1].live_bytes = 10 * MIB;
	row[1].at_ns = start + NS_PER_S;
	row[3].live_bytes = 90 * MIB;
	row[3].at_ns = start + 3 * NS_PER_S;
	s->watch.second = 3;
	s->config.budget_bytes = 100 * MIB;
	k = counsel_now(start + 4 * NS_PER_S);
	assert_int_equal(k->facts.used_mean / KIB,
	    (10 * MIB * 2 + 90 * MIB) / 3 / KIB);
	assert_float_equal(k->facts.high_share, 1 / 3.0, 1e-9);
	counsel_close(k);
	s->config.budget_bytes = 0;
	k = counsel_now(start + 4 * NS_PER_S);
	assert_true(k->facts.high_share < 0);
	counsel_close(k);
	s->watch.second = 0;
}

static void
a_heap_that_was_given_back_at_the_end_was_not_kept(void **state)
{
	struct segment *s = segment_mine();
	struct point *row;
	struct counsel *k;
	uint64_t start = s->identity.clock_ns;

	(void)state;
	assert_int_equal(segment_reach(TABLE_SECONDS, 32), 0);
	row = segment_rows(TABLE_SECONDS);
	memset(row, 0, 32 * sizeof(*row));
	for (uint64_t i = 1; i <= 20; i++) {
		row[i].resident = 110 * MIB;
		row[i].terms[RSS_LIVE] = i < 20 ? 100 * MIB : 0;
		row[i].terms[RSS_RETAINED] = i < 20 ? 10 * MIB : 110 * MIB;
		row[i].at_ns = start + i * NS_PER_S;
	}
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_live, 100 * MIB);
	counsel_close(k);
	row[19].terms[RSS_LIVE] = 20 * MIB;
	row[19].terms[RSS_RETAINED] = 90 * MIB;
	row[20].terms[RSS_LIVE] = 100 * MIB;
	row[20].terms[RSS_RETAINED] = 10 * MIB;
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_live, 100 * MIB);
	row[18] = row[19];
	row[18].at_ns = start + 18 * NS_PER_S;
	counsel_close(k);
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_live, 20 * MIB);
	assert_int_equal(k->facts.heap_resident, 110 * MIB);
	counsel_close(k);
	/* Two seconds that tell of one look; then of two, the lesser of them. */
	row[18].looked_ns = row[19].looked_ns = start + 18 * NS_PER_S;
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_live, 100 * MIB);
	counsel_close(k);
	row[19].looked_ns = start + 19 * NS_PER_S;
	row[19].terms[RSS_RETAINED] = 40 * MIB;
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_resident, 60 * MIB);
	counsel_close(k);
	memset(row, 0, 32 * sizeof(*row));
	/* A single look, in the middle of whatever it was. */
	row[1].resident = 110 * MIB;
	row[1].terms[RSS_LIVE] = 3 * MIB;
	row[1].terms[RSS_RETAINED] = 37 * MIB;
	row[1].at_ns = start + NS_PER_S;
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_resident, 0);
	counsel_close(k);
	memset(row, 0, 32 * sizeof(*row));
	/* Without points: a look that was not the last. */
	s->rss[RSS_PEAK].terms[RSS_LIVE] = 20 * MIB;
	s->rss[RSS_PEAK].terms[RSS_RETAINED] = 90 * MIB;
	s->rss[RSS_PEAK].at_ns = s->rss[RSS_LAST].at_ns = start + NS_PER_S;
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_resident, 0);
	counsel_close(k);
	s->rss[RSS_LAST].at_ns += NS_PER_S;
	k = counsel_now(start + 21 * NS_PER_S);
	assert_int_equal(k->facts.heap_resident, 110 * MIB);
	counsel_close(k);
	memset(s->rss, 0, sizeof(s->rss));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, fresh)
		TEST(of_the_process_it_is_said_in_these_words),
		TEST(of_batches_it_is_said_in_these_words),
		TEST(of_time_it_is_said_in_these_words),
		TEST(of_the_budget_it_is_said_in_these_words),
		TEST(high_use_is_answered_in_the_order_that_is_due),
		TEST(each_allocator_has_its_own_setting),
		TEST(without_a_name_a_site_has_its_number),
		TEST(time_in_states_is_told_in_shares),
		TEST(the_mean_is_over_time),
		TEST(a_heap_that_was_given_back_at_the_end_was_not_kept),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
