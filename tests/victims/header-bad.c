/*
 * header-bad.c - every function of heaptide.h, called as it should not be
 *
 * Says nothing but what is wrong; at the end the depth and how many cases there
 * were.  C and C++, with and without HEAPTIDE_DISABLE: where that has another
 * answer, OFF is 1.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <heaptide.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HEAPTIDE_DISABLE
#define OFF 1
#else
#define OFF 0
#endif

#define HUGE_NAME 10000

static int cases, wrong;
static char huge[HUGE_NAME + 1];

static void
check(int is, const char *what, int line)
{
	cases++;
	if (is)
		return;
	wrong++;
	printf("line %d: not so: %s\n", line, what);
}
#define CHECK(condition) check((condition) != 0, #condition, __LINE__)

/* No call touches errno; looked at between any two parts. */
static void
part(const char *name)
{
	if (errno != 4711) {
		wrong++;
		printf("before %s: errno is %d\n", name, errno);
	}
	errno = 4711;
}

static int
is_state(int state)
{
	return state >= TIDE_OK && state <= TIDE_EXHAUSTED;
}

static int
counts(void)
{
	return tide_level() == TIDE_RUNTIME;
}

static struct tide_op_stats
stats_of(tide_op *op)
{
	struct tide_op_stats s;

	memset(&s, 0, sizeof(s));
	CHECK(tide_op_stats(op, &s) == 0);
	return s;
}

/* --- questions ------------------------------------------------------------ */

static void
questions(void)
{
	tide_info info;
	char line[1024], one[1];
	int bytes;
	tide_batch b;

	part("questions");
	CHECK(tide_init(NULL) == 0);
	CHECK(tide_init("") == 0);
	CHECK(tide_init("nonsense") == (OFF ? 0 : -EINVAL));
	CHECK(tide_init("budget") == (OFF ? 0 : -EINVAL));
	CHECK(tide_init("budget=") == (OFF ? 0 : -EINVAL));
	CHECK(tide_init("budget=banana") == (OFF ? 0 : -EINVAL));
	CHECK(tide_init("target=90% warn=-1") == (OFF ? 0 : -EINVAL));
	CHECK(tide_init(huge) == (OFF ? 0 : -EINVAL));
	CHECK(tide_init("policy=banana") == (OFF ? 0 : -EINVAL));
	CHECK(tide_init("budget=0") == (OFF ? 0 : -EINVAL));
	CHECK(tide_init(" , target=90%\n") == 0);
	CHECK(tide_init(NULL) == 0);

	CHECK(tide_status(NULL) == -EINVAL);
	CHECK(tide_status(&info) == 0);
	CHECK(info.size == sizeof(info) && is_state(info.state));
	CHECK(info.level == tide_level());
	CHECK(OFF || info.used <= info.peak_used);

	CHECK(tide_json(NULL, 10) == -EINVAL);
	bytes = tide_json(NULL, 0);
	CHECK(bytes >= 2);
	CHECK(tide_json(one, 1) >= 2 && one[0] == '\0');
	memset(line, 'x', sizeof(line));
	bytes = tide_json(line, 10);
	CHECK(bytes >= 2 && strlen(line) < 10 && line[10] == 'x');
	bytes = tide_json(line, sizeof(line));
	CHECK(strlen(line) == (size_t)bytes && line[bytes - 1] == '}');

	CHECK(tide_budget_set(0) == 0);
	(void)tide_budget_set(UINT64_MAX);
	CHECK(tide_budget_set(1) == 0);
	CHECK(OFF || (tide_budget() == 1 && tide_available() == 0));
	CHECK(OFF || tide_utilization() > 1);
	CHECK(tide_budget_set(0) == 0);
	CHECK(OFF || tide_budget() != 1);
	/* What is too much does not undo what was set beside it. */
	CHECK(tide_init("budget=256M") == 0);
	CHECK(OFF || tide_budget() == 256 << 20);
	CHECK(tide_budget_set(UINT64_C(1) << 60) == (OFF ? 0 : -ERANGE));
	CHECK(OFF || tide_budget() == 256 << 20);
	CHECK(tide_budget_set(0) == 0);
	CHECK(tide_init(NULL) == 0);
	/* It takes its time to come down from there, and does. */
	memset(&b, 0, sizeof(b));
	do {
		CHECK(tide_batch_begin(tide_op_open("calm", NULL), &b, 0, 1,
		    -1) == 1);
		(void)tide_batch_end(&b, 1);
		cases--; /* how often does not matter */
	} while (tide_state() != TIDE_OK && wrong == 0);

	CHECK(tide_safe(0, 1, NULL) == OFF);
	CHECK(tide_safe(1, 1, NULL) == OFF);
	CHECK(tide_safe(UINT64_MAX, 0, &info) == (OFF ||
	    tide_budget() == TIDE_NONE));
	CHECK(tide_safe(UINT64_MAX, UINT64_MAX, NULL) == (OFF ||
	    tide_budget() == TIDE_NONE));
	CHECK(is_state(tide_state()) && tide_should_stop() == 0);
	CHECK(tide_live() == TIDE_NONE || counts());
	CHECK((tide_version() != NULL) == counts());
	CHECK(tide_poll(0xffffffffu) == (OFF ? 0 : -EINVAL));
	CHECK(tide_poll(TIDE_ANY_THREAD) == (OFF ? 0 : -EINVAL));
	CHECK(is_state(tide_poll(0)));
	CHECK(is_state(tide_poll(TIDE_EMERGENCY | TIDE_NO_PURGE)));
}

/* --- operations ----------------------------------------------------------- */

static void
operations(void)
{
	tide_op_conf conf;
	struct tide_op_stats s;
	tide_op *op, *other;
	char name[16];
	double odd[4];
	int i, others = 0;

	part("operations");
	odd[0] = -1;
	odd[1] = 1e308;
	odd[2] = odd[1] * 10;
	odd[3] = odd[2] - odd[2]; /* not a number */

	op = tide_op_open("plain", NULL);
	CHECK(op != NULL && tide_op_open("plain", NULL) == op);
	CHECK(tide_op_open(NULL, NULL) != NULL);
	CHECK(OFF || tide_op_open(NULL, NULL) == tide_op_open("", NULL));
	other = tide_op_open(huge, NULL);
	CHECK(other != NULL && tide_op_open(huge, NULL) == other);
	s = stats_of(other);
	CHECK(OFF || strlen(s.name) == TIDE_NAME_ROOM - 1);
	CHECK(tide_op_stats(NULL, &s) == -EINVAL);
	CHECK(tide_op_stats(op, NULL) == -EINVAL);

	CHECK(tide_batch_size(NULL, 1) == 0);
	CHECK(tide_batch_size(op, 0) == 0);
	CHECK(tide_batch_size(op, 1) == 1);
	CHECK(tide_batch_size(op, UINT64_MAX) >= 1);

	for (i = 0; i < 4; i++) {
		tide_batch b;

		memset(&conf, 0, sizeof(conf));
		memset(&b, 0, sizeof(b));
		conf.size = i == 0 ? 4 : i == 1 ? UINT32_MAX : sizeof(conf);
		conf.initial = conf.min = UINT32_MAX;
		conf.max = i == 2 ? 1 : UINT32_MAX;
		conf.max_concurrent = UINT32_MAX;
		conf.target = odd[i];
		conf.model = i - 2;
		conf.policy = 99 - 100 * i;
		conf.unit = huge;
		conf.checkpoint_every = UINT32_MAX;
		conf.timeout_ns = UINT64_MAX;
		snprintf(name, sizeof(name), "odd %d", i);
		op = tide_op_open(name, &conf);
		CHECK(tide_batch_begin(op, &b, UINT64_MAX, 3, 0) >= 1);
		CHECK(b.n >= 1 && b.n <= 3);
		CHECK(is_state(tide_batch_end(&b, b.n)));
	}

	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "many %d", i);
		op = tide_op_open(name, NULL);
		if (op == NULL)
			break;
		s = stats_of(op);
		others += strcmp(s.name, "(others)") == 0;
	}
	CHECK(i == 1000);
	CHECK(OFF || others >= 1000 - TIDE_OPS);
	CHECK(OFF || others < 1000);
}

/* --- batches -------------------------------------------------------------- */

static void
batches(void)
{
	tide_op *op = tide_op_open("plain", NULL);
	struct tide_op_stats before, after;
	tide_batch b, copy;
	int n;

	part("batches");
	memset(&b, 0, sizeof(b));
	CHECK(tide_batch_begin(NULL, &b, 0, 1, 0) == -EINVAL);
	CHECK(tide_batch_begin(op, NULL, 0, 1, 0) == -EINVAL);
	CHECK(OFF || tide_batch_begin((tide_op *)(void *)&b, &copy, 0, 1, 0) ==
	    -EINVAL);
	CHECK(tide_batch_begin(op, &b, 0, 0, -1) == 0);

	CHECK(tide_batch_more(NULL) == 0);
	CHECK(tide_batch_more(&b) == 0);
	CHECK(tide_item(NULL, 1) == 0);
	CHECK(tide_item(&b, 1) == 0);
	tide_item_done(NULL);
	tide_item_done(&b);
	tide_item_fail(NULL, 0, NULL);
	tide_item_fail(&b, UINT64_MAX, huge);
	tide_batch_abort(NULL, TIDE_NOMEM);
	tide_batch_abort(&b, TIDE_NOMEM);
	CHECK(is_state(tide_batch_end(NULL, 1)));
	CHECK(is_state(tide_batch_end(&b, 1)));

	/* Begun twice: the first goes on. */
	n = tide_batch_begin(op, &b, 7, 10, INT64_MAX);
	CHECK(n >= 1 && (uint32_t)n == b.n && b.first == 7);
	CHECK(OFF || tide_batch_begin(op, &b, 8, 10, -1) == -EBUSY);
	CHECK(b.first == 7 && b.n == (uint32_t)n);
	CHECK(tide_batch_more(&b) == 1);
	CHECK(tide_item(&b, 0) == 1);
	tide_item_done(&b);
	tide_item_fail(&b, UINT64_MAX, NULL);
	tide_item_fail(&b, 0, huge);
	before = stats_of(op);
	CHECK(OFF || before.active == 1);
	CHECK(is_state(tide_batch_end(&b, (uint64_t)n)));
	after = stats_of(op);
	CHECK(OFF || (after.batches == before.batches + 1 &&
	    after.active == 0));

	/* Ended twice, and given up after its end: nothing more. */
	CHECK(is_state(tide_batch_end(&b, (uint64_t)n)));
	tide_batch_abort(&b, TIDE_ERROR);
	CHECK(tide_batch_more(&b) == 0);
	after = stats_of(op);
	CHECK(OFF || after.batches == before.batches + 1);

	/* Weights and counts that cannot be. */
	CHECK(tide_batch_begin(op, &b, UINT64_MAX, UINT64_MAX, 0) >= 1);
	CHECK(tide_item(&b, UINT64_MAX) == 1); /* the first always may */
	(void)tide_item(&b, UINT64_MAX);
	(void)tide_item(&b, UINT64_MAX);
	CHECK(is_state(tide_batch_end(&b, UINT64_MAX)));
	CHECK(tide_batch_begin(op, &b, 0, 5, 0) >= 1);
	CHECK(is_state(tide_batch_end(&b, 0)));
	CHECK(tide_batch_begin(op, &b, 0, 5, 0) >= 1);
	tide_batch_abort(&b, 99);
	CHECK(tide_batch_begin(op, &b, 0, 5, 0) >= 1);
	tide_batch_abort(&b, 0);
	CHECK(tide_batch_more(&b) == 0);
	CHECK(tide_batch_begin(op, &b, 0, UINT64_MAX, 0) >= 1);
	CHECK(is_state(tide_batch_end(&b, 1)));
	after = stats_of(op);
	CHECK(OFF || after.active == 0);
}

/* --- batches whose end never comes ---------------------------------------- */

#define NEVER 1000

static void *
begin_and_end_the_thread(void *op)
{
	tide_batch b;

	memset(&b, 0, sizeof(b));
	CHECK(tide_batch_begin((tide_op *)op, &b, 0, 1, -1) == 1);
	return NULL;
}

static jmp_buf out;

static int
jump_out(void *ctx, uint64_t first, uint32_t n)
{
	(void)ctx;
	(void)first;
	(void)n;
	longjmp(out, 1);
}

static void
never_ended(void)
{
	static tide_batch many[NEVER];
	tide_op *op = tide_op_open("plain", NULL), *single;
	struct tide_op_stats s;
	tide_op_conf conf;
	tide_batch b;
	pthread_t thread;
	int i;

	part("batches that never end");
	for (i = 0; i < NEVER; i++)
		if (tide_batch_begin(op, &many[i], 0, 1, 0) != 1)
			break;
	CHECK(i == NEVER);
	memset(&b, 0, sizeof(b));
	CHECK(tide_batch_begin(op, &b, 0, 1, -1) == 1);
	CHECK(is_state(tide_batch_end(&b, 1)));
	/* Where they were, others are begun. */
	memset(many, 0, sizeof(many));
	for (i = 0; i < NEVER; i++) {
		if (tide_batch_begin(op, &many[i], 0, 1, 0) != 1)
			break;
		(void)tide_batch_end(&many[i], 1);
	}
	CHECK(i == NEVER);

	/* One at a time: who has it himself is told so. */
	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.max_concurrent = 1;
	single = tide_op_open("odd 3", NULL);
	CHECK(single != NULL);
	single = tide_op_open("one at a time", &conf);
	s = stats_of(single);
	if (!OFF && strcmp(s.name, "(others)") != 0) {
		CHECK(tide_batch_begin(single, &many[0], 0, 1, -1) == 1);
		CHECK(tide_batch_begin(single, &many[1], 0, 1, 0) ==
		    -ETIMEDOUT);
		CHECK(tide_batch_begin(single, &many[1], 0, 1, -1) ==
		    -EDEADLK);
		CHECK(is_state(tide_batch_end(&many[0], 1)));
		/* Its thread has ended: nobody waits for it. */
		CHECK(pthread_create(&thread, NULL, begin_and_end_the_thread,
		    single) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
		CHECK(tide_batch_begin(single, &many[0], 0, 1, -1) == 1);
		CHECK(is_state(tide_batch_end(&many[0], 1)));
		s = stats_of(single);
		CHECK(s.active == 0);
	}

	/* A callback of the loop that does not come back. */
	if (setjmp(out) == 0)
		(void)tide_for_each(op, 10, jump_out, NULL);
	memset(&b, 0, sizeof(b));
	CHECK(tide_batch_begin(op, &b, 0, 1, -1) == 1);
	CHECK(is_state(tide_batch_end(&b, 1)));
}

/* --- loops ---------------------------------------------------------------- */

static uint64_t handed_out;
static uint32_t largest;

static int
count_all(void *ctx, uint64_t first, uint32_t n)
{
	if (first != handed_out)
		wrong++;
	handed_out += n;
	largest = n > largest ? n : largest;
	return ctx != NULL && handed_out >= *(uint64_t *)ctx;
}

static void
loops(void)
{
	tide_op *op = tide_op_open("plain", NULL);
	uint64_t first = 0, at = 0, enough = 1;
	uint32_t n = 0;
	tide_range r;

	part("loops");
	CHECK(tide_for_each(NULL, 10, count_all, NULL) == 0);
	CHECK(tide_for_each(op, 10, NULL, NULL) == 0);
	CHECK(tide_for_each(op, 0, count_all, NULL) == 0);
	CHECK(handed_out == 0);
	CHECK(tide_for_each(op, 1000, count_all, NULL) == 1000);
	CHECK(handed_out == 1000);
	handed_out = 0;
	CHECK(tide_for_each(op, UINT64_MAX, count_all, &enough) ==
	    handed_out && handed_out > 0);

	tide_range_begin(NULL, op, 10);
	tide_range_begin(&r, NULL, 10);
	CHECK(tide_range_next(&r, &first, &n) == 0);
	CHECK(tide_range_next(&r, &first, &n) == 0);
	tide_range_begin(&r, op, 0);
	CHECK(tide_range_next(&r, &first, &n) == 0);
	CHECK(tide_range_next(NULL, &first, &n) == 0);
	tide_range_begin(&r, op, 100);
	CHECK(tide_range_next(&r, NULL, &n) == 0);
	while (tide_range_next(&r, &first, &n)) {
		CHECK(first == at && n >= 1);
		at += n;
	}
	CHECK(at == 100);
	CHECK(tide_range_next(&r, &first, &n) == 0);
	/* Left in the middle, and walked anew. */
	tide_range_begin(&r, op, UINT64_MAX);
	CHECK(tide_range_next(&r, &first, &n) == 1);
	tide_range_begin(&r, op, 1);
	CHECK(tide_range_next(&r, &first, &n) == 1 && first == 0 && n == 1);
	CHECK(tide_range_next(&r, &first, &n) == 0);
	r = tide_chunks_begin(0, UINT32_MAX);
	CHECK(tide_range_next(&r, &first, &n) == 0);
	/* There are no names left: of the size that the others have. */
	r = tide_chunks_begin(10, UINT32_MAX);
	for (at = 0; tide_range_next(&r, &first, &n); at += n)
		CHECK(first == at && n >= 1);
	CHECK(at == 10);
}

static void
pages(void)
{
	tide_op *op = tide_op_open("plain", NULL);
	uint64_t offset = 0;
	uint32_t limit = 0, n = 0;

	part("pages");
	CHECK(tide_page(NULL, &offset, &limit) == 0);
	CHECK(tide_page(op, NULL, &limit) == 0);
	CHECK(tide_page(op, &offset, NULL) == 0);
	tide_page_end(NULL);
	tide_page_end(op);
	while (tide_page(op, &offset, &limit) && n < 10)
		n++;
	CHECK(n == 3 && offset >= 3 && offset <= 60 && limit == 0);
	/* More rows than were asked for, and none at all. */
	offset = 0;
	CHECK(tide_page(op, &offset, &limit) == 1 && limit >= 1);
	n = limit;
	limit = UINT32_MAX;
	CHECK(tide_page(op, &offset, &limit) == 1 && offset == n);
	limit = 0;
	CHECK(tide_page(op, &offset, &limit) == 0 && offset == n);
	tide_page_end(op);
}

/* --- how it goes ---------------------------------------------------------- */

static int
hear_once(void *ctx, const struct tide_advice *advice)
{
	++*(int *)ctx;
	CHECK(advice->size == sizeof(*advice) && advice->id != NULL &&
	    advice->text != NULL && advice->setting != NULL);
	return 1;
}

static int
return_seven(void *ctx)
{
	return ctx == NULL ? 7 : 0;
}

static void
going(void)
{
	struct tide_progress p;
	struct tide_trend t;
	struct tide_run_report r;
	struct tide_stats short_;
	int heard = 0, n;

	part("going");
	CHECK(tide_progress(NULL, NULL) == -EINVAL);
	CHECK(tide_progress(NULL, &p) == 0 && p.size == sizeof(p));
	CHECK(OFF || tide_progress((tide_op *)(void *)&r, &p) == -EINVAL);
	CHECK(tide_trend(NULL) == -EINVAL);
	n = tide_trend(&t);
	CHECK((n == 0 || n == -ENODATA) && t.size == sizeof(t));
	CHECK(t.low <= t.per_batch && t.per_batch <= t.high);
	CHECK(tide_run_report(NULL) == -EINVAL);
	CHECK(tide_run_report(&r) == 0 && r.size == sizeof(r));
	CHECK(tide_stats(NULL) == -EINVAL);
	CHECK(tide_stats(&short_) == 0 && short_.size == sizeof(short_));
	CHECK(r.batch_p50 <= r.batch_p95 && r.batch_p95 <= r.batch_p99 &&
	    r.batch_p99 <= r.batch_most);
	CHECK(tide_analyze(NULL, NULL) == -EINVAL);
	n = tide_analyze(hear_once, &heard);
	CHECK(counts() ? n == heard && n >= 0 && n <= 1 : n == -ENODEV);
	tide_log(TIDE_LOG_ERROR, NULL);
	tide_log(-1, "%s", huge);
	tide_log(99, "%d", 7);
	CHECK(tide_wrap(NULL, return_seven, NULL) == 7);
	CHECK(tide_wrap(huge, NULL, NULL) == 0);
}

/* --- guards, components, reservations ------------------------------------- */

static void
guards(void)
{
	int guard[64], i, id;

	part("guards");
	tide_guard_end(0);
	tide_guard_end(-1);
	tide_guard_end(999);
	tide_guard_end(2147483647);
	CHECK((id = tide_guard_begin(NULL, 0)) >= 1);
	tide_guard_end(id);
	tide_guard_end(id);
	CHECK((id = tide_guard_begin(huge, 1)) >= 1);
	tide_guard_end(id);
	CHECK(tide_guard_begin("large", UINT64_MAX) == (OFF ||
	    tide_budget() == TIDE_NONE ? 1 : -ENOMEM));
	for (i = 0; i < 64; i++)
		if ((guard[i] = tide_guard_begin("nested", 0)) < 1)
			break;
	CHECK(i == 64);
	CHECK(tide_guard_begin("nested", 0) == (OFF ? 1 : -ENOSPC));
	while (i-- > 0)
		tide_guard_end(guard[i]);
	CHECK((id = tide_guard_begin("nested", 0)) >= 1);
	tide_guard_end(id);
	{
		TIDE_GUARD("block"); TIDE_GUARD("and of one line");
	}
	TIDE_WRAP("statement", i = 5);
	CHECK(i == 5);
}

static void
components(void)
{
	char name[32];
	int first, id = 0, i, full = 0;

	part("components");
	CHECK(tide_component(NULL, 1, 1) == -EINVAL);
	CHECK(tide_component("", 1, 1) == -EINVAL);
	CHECK((first = tide_component(huge, 0, 0)) >= 1);
	CHECK(tide_component(huge, UINT64_MAX, UINT32_MAX) == first);
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "part %d", i);
		id = tide_component(name, UINT64_MAX, UINT32_MAX);
		full += id == -ENOSPC;
		if (id < 1 && id != -ENOSPC)
			break;
	}
	CHECK(i == 100);
	CHECK(OFF || full == 101 - TIDE_COMPONENTS);

	tide_component_enter(-1);
	tide_component_enter(0);
	tide_component_enter(33);
	tide_component_enter(2147483647);
	tide_component_leave(-1);
	tide_component_leave(99);
	tide_component_leave(first);
	for (i = 0; i < 1000; i++)
		tide_component_enter(first);
	for (i = 0; i < 1001; i++)
		tide_component_leave(first);
	CHECK(OFF || tide_component_used(-1) == 0);
	CHECK(OFF || tide_component_used(0) == 0);
	CHECK(OFF || tide_component_used(1000) == 0);
	CHECK(tide_component_used(first) == (counts() ? 0 : TIDE_NONE));
	CHECK(OFF || tide_cache_budget(0) == 0);
	CHECK(OFF || tide_cache_budget(-5) == 0);
	CHECK(OFF || tide_cache_budget(first) > 0);
}

static void
reservations(void)
{
	uint64_t got = 42, budget = tide_budget();

	part("reservations");
	CHECK(tide_reserve(0, 1, 0, NULL) == -EINVAL);
	CHECK(tide_reserve(0, 0, 0, &got) == -EINVAL);
	CHECK(tide_reserve(2, 1, 0, &got) == -EINVAL);
	CHECK(got == 42);
	if (OFF || budget == TIDE_NONE) {
		CHECK(tide_reserve(1, UINT64_MAX, -1, &got) == 0);
	} else {
		CHECK(tide_reserve(UINT64_MAX, UINT64_MAX, -1, &got) ==
		    -ENOMEM);
		CHECK(got == 42);
		CHECK(tide_pool_acquire(UINT64_MAX, 0) == -ENOMEM);
		CHECK(tide_reserve(1, UINT64_MAX, 0, &got) == 0);
		CHECK(got >= 1 && got <= budget);
		CHECK(tide_reserve(budget / 2, UINT64_MAX, 0, &got) ==
		    -ETIMEDOUT);
	}
	tide_unreserve(got);
	tide_unreserve(UINT64_MAX);
	tide_unreserve(1);
	tide_unreserve(0);
	CHECK(tide_pool_acquire(1, 0) == 0);
	tide_pool_release(1);
	tide_pool_release(UINT64_MAX);
	CHECK(tide_pool_acquire(0, 0) == -EINVAL);
}

/* --- cleanups ------------------------------------------------------------- */

static int calls, own_id, inner;

static uint64_t
clean_nothing(void *ctx, int level, uint64_t want)
{
	(void)ctx;
	(void)want;
	calls++;
	CHECK(level >= TIDE_WARNING && level <= TIDE_EXHAUSTED);
	return UINT64_MAX;
}

static uint64_t
clean_once(void *ctx, int level, uint64_t want)
{
	(void)ctx;
	(void)level;
	(void)want;
	calls++;
	CHECK(tide_off_pressure(own_id) == 0);
	CHECK(tide_off_pressure(own_id) == -ENOENT);
	return 0;
}

static uint64_t
clean_by_everything(void *ctx, int level, uint64_t want)
{
	tide_batch b;

	(void)level;
	(void)want;
	calls++;
	CHECK(tide_reclaim(TIDE_EMERGENCY, 0, NULL) == -EBUSY);
	CHECK(is_state(tide_poll(TIDE_EMERGENCY)));
	memset(&b, 0, sizeof(b));
	inner = tide_batch_begin((tide_op *)ctx, &b, 0, 1, -1);
	(void)tide_batch_end(&b, 1);
	return 1;
}

static uint64_t
clean_and_jump(void *ctx, int level, uint64_t want)
{
	(void)ctx;
	(void)level;
	(void)want;
	calls++;
	longjmp(out, 1);
}

static void
cleanups(void)
{
	tide_reclaim_result result;
	int id[64], i, fd;

	part("cleanups");
	CHECK(tide_on_pressure(NULL, NULL, 0, 0, 0, NULL) == -EINVAL);
	CHECK(OFF || tide_on_pressure(clean_nothing, NULL, -1, 0, 0, NULL) ==
	    -EINVAL);
	CHECK(OFF || tide_on_pressure(clean_nothing, NULL, 4, 0, 0, NULL) ==
	    -EINVAL);
	CHECK(OFF || tide_on_pressure(clean_nothing, NULL, 0, 0, 0xf0, NULL) ==
	    -EINVAL);
	CHECK(OFF || tide_off_pressure(0) == -ENOENT);
	CHECK(OFF || tide_off_pressure(-1) == -ENOENT);
	CHECK(OFF || tide_off_pressure(2147483647) == -ENOENT);
	CHECK(OFF || tide_reclaim(0xffffffffu, 0, &result) == -EINVAL);
	CHECK(OFF || tide_reclaim(TIDE_ANY_THREAD, 0, &result) == -EINVAL);
	CHECK(tide_reclaim(0, UINT64_MAX, NULL) == 0);

	for (i = 0; i < 64; i++)
		if ((id[i] = tide_on_pressure(clean_nothing, NULL,
		    TIDE_CLEAN_DESTRUCTIVE, i % 2 ? 2147483647 : -2147483647,
		    i % 3 ? TIDE_ANY_THREAD : 0, huge)) < 1)
			break;
	CHECK(i == 64);
	CHECK(tide_on_pressure(clean_nothing, NULL, 0, 0, 0, NULL) ==
	    (OFF ? 1 : -ENOSPC));
	CHECK(tide_reclaim(TIDE_EMERGENCY, 0, &result) == 0);
	CHECK(OFF || (calls == 64 && result.callbacks == 64));
	while (i-- > 0)
		CHECK(tide_off_pressure(id[i]) == 0);
	CHECK(OFF || tide_off_pressure(id[0]) == -ENOENT);

	calls = 0;
	own_id = tide_on_pressure(clean_once, NULL, 0, 0, 0, "once");
	CHECK(tide_reclaim(0, 0, NULL) == 0);
	CHECK(tide_reclaim(0, 0, NULL) == 0);
	CHECK(OFF || calls == 1);

	calls = 0;
	id[0] = tide_on_pressure(clean_by_everything, tide_op_open("plain",
	    NULL), 0, 0, 0, NULL);
	CHECK(tide_reclaim(TIDE_NO_PURGE, 0, NULL) == 0);
	CHECK(OFF || (calls == 1 && inner == 1));
	CHECK(tide_off_pressure(id[0]) == 0);

	/* It jumps out of ours: the next comes to its turn all the same. */
	calls = 0;
	id[0] = tide_on_pressure(clean_and_jump, NULL, 0, 0, 0, "jumps");
	if (setjmp(out) == 0) {
		(void)tide_reclaim(0, 0, NULL);
		CHECK(OFF);
	}
	CHECK(OFF || calls == 1);
	CHECK(tide_off_pressure(id[0]) == 0);
	id[0] = tide_on_pressure(clean_nothing, NULL, 0, 0, 0, NULL);
	CHECK(tide_reclaim(0, 0, &result) == 0);
	CHECK(OFF || result.callbacks == 1);
	CHECK(tide_off_pressure(id[0]) == 0);

	fd = tide_pressure_fd();
	CHECK(OFF ? fd == -ENODEV : fd >= 0);
	CHECK(tide_pressure_fd() == fd);
	if (!OFF) {
		close(fd); /* though it is not theirs to close */
		errno = 4711;
		CHECK(tide_pressure_fd() >= 0);
	}
}

/* --- the rest ------------------------------------------------------------- */

static void
the_rest(void)
{
	const double huge_value = 1e308 * 10;
	uint64_t blocks = 1, bytes = 2;
	char *p;
	int r;

	part("the rest");
	CHECK(tide_knob(NULL, 3, 3) == 3);
	CHECK(tide_knob("samples", 8, 1) <= 8);
	CHECK(tide_knob("samples", 8, 1) >= 1);
	(void)tide_knob(huge, huge_value, -huge_value);
	(void)tide_knob("", huge_value - huge_value, 0);

	tide_release(NULL, 0);
	tide_release(NULL, 1 << 20);
	tide_release((void *)1, SIZE_MAX);
	p = (char *)malloc(100);
	memset(p, 'x', 100);
	tide_release(p, 100); /* no whole page of it */
	CHECK(p[0] == 'x' && p[99] == 'x');
	free(p);
	p = (char *)mmap(NULL, 3 * 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 'x', 3 * 65536);
	tide_release(p + 1, 3 * 65536 - 2);
	CHECK(p[0] == 'x' && p[3 * 65536 - 1] == 'x');
	CHECK(OFF || p[65536] == 0);
	munmap(p, 3 * 65536);

	CHECK(tide_mark(NULL) == (counts() ? -EINVAL : -ENODEV));
	r = tide_mark(huge);
	CHECK(r == (counts() ? 0 : -ENODEV));
	r = tide_leak_scan(NULL, NULL);
	CHECK(r == (counts() ? -EINVAL : -ENODEV));
	r = tide_leak_scan(&blocks, NULL);
	CHECK(r == (counts() ? -EINVAL : -ENODEV));
	CHECK(blocks == 1 && bytes == 2);
	CHECK(tide_pool_create(NULL) == NULL);
	CHECK(tide_pool_create("") == NULL);
	CHECK(tide_pool_alloc(NULL, &blocks, 1) == -ENODEV);
	CHECK(tide_pool_free(NULL, &blocks) == -ENODEV);
	CHECK(tide_pool_destroy(NULL) == -ENODEV);
}

/* --- runs ----------------------------------------------------------------- */

static void
runs(void)
{
	char id[TIDE_RUN_ROOM], blob[4] = "", more[4];
	uint64_t cursor = 42;
	size_t len = sizeof(more);

	part("runs");
	CHECK(OFF || tide_run_begin(NULL, 1, NULL, NULL) == -EINVAL);
	CHECK(OFF || tide_run_begin("", 1, NULL, NULL) == -EINVAL);
	/* Without one. */
	CHECK(OFF || tide_input("/etc/passwd") == -ENOENT);
	CHECK(OFF || tide_resume(&cursor, NULL, NULL) == -ENOENT);
	CHECK(OFF || tide_checkpoint(1, NULL, 0) == -ENOENT);
	CHECK(OFF || tide_run_finish(1) == -ENOENT);
	CHECK(tide_on_checkpoint(NULL, NULL) == 0);
	tide_recycle(); /* there is no checkpoint */

	CHECK(tide_run_begin(huge, UINT64_MAX, huge, id) == 0);
	CHECK(OFF || strlen(id) < TIDE_RUN_ROOM);
	CHECK(OFF || tide_run_begin("another", 0, NULL, NULL) == -EALREADY);
	CHECK(OFF || tide_input(NULL) < 0);
	CHECK(OFF || tide_input("/nonexistent") == -ENOENT);
	CHECK(OFF || tide_input("/") == -EINVAL);
	CHECK(OFF || tide_resume(NULL, blob, NULL) == -EINVAL);
	CHECK(tide_resume(NULL, NULL, NULL) == 0);
	CHECK(OFF || tide_checkpoint(1, NULL, 1) == -EINVAL);
	CHECK(OFF || tide_checkpoint(1, blob, 65537) == -E2BIG);
	CHECK(OFF || tide_checkpoint(1, blob, SIZE_MAX) == -E2BIG);
	CHECK(tide_checkpoint(UINT64_MAX, blob, sizeof(blob)) == 0);
	CHECK(tide_run_finish(0) == 0);
	CHECK(tide_run_begin(huge, 0, NULL, NULL) == 0); /* goes on */
	len = 1;
	CHECK(OFF || (tide_resume(&cursor, more, &len) == -EMSGSIZE &&
	    len == sizeof(blob)));
	CHECK(OFF || (tide_resume(&cursor, NULL, NULL) == 1 &&
	    cursor == UINT64_MAX));
	CHECK(tide_run_finish(99) == 0);
	CHECK(OFF || tide_run_finish(1) == -ENOENT);
}

/* --- threads and children ------------------------------------------------- */

static void *
go_on_with_it(void *b)
{
	CHECK(tide_batch_more((tide_batch *)b) == 1);
	CHECK(tide_item((tide_batch *)b, 1) == 1);
	tide_item_done((tide_batch *)b);
	CHECK(is_state(tide_batch_end((tide_batch *)b, 1)));
	return NULL;
}

/* What a child of fork() has: its own, and nothing under way. */
static int
child_of(tide_op *op, tide_batch *b, int id, int guard)
{
	struct tide_op_stats s;
	tide_batch own;
	tide_info info;
	int before = wrong, n;
	uint64_t got;

	CHECK(OFF || tide_used() > 0);
	(void)tide_batch_more(b); /* by the room there is */
	CHECK(OFF || tide_item(b, 1) == 0);
	tide_guard_end(guard);
	CHECK(is_state(tide_batch_end(b, 1)));
	CHECK(tide_batch_more(b) == 0);
	CHECK(tide_status(&info) == 0);
	CHECK(info.level == tide_level());
	CHECK(OFF || tide_level() != TIDE_PAGE);
	CHECK((tide_level() == TIDE_RUNTIME) == (tide_live() != TIDE_NONE));
	/* The parent's operation is known by the parent's name. */
	s = stats_of(op);
	CHECK(OFF || (s.batches == 0 && s.active == 0));
	CHECK(OFF || strcmp(s.name, "plain") == 0);
	CHECK(tide_op_open("plain", NULL) == op);
	tide_component_enter(id);
	tide_component_leave(id);
	CHECK(OFF || tide_cache_budget(id) > 0);
	memset(&own, 0, sizeof(own));
	n = tide_batch_begin(op, &own, 0, 5, -1);
	CHECK(n >= 1 && n <= 5);
	CHECK(tide_batch_more(&own) == 1);
	CHECK(is_state(tide_batch_end(&own, (uint64_t)n)));
	CHECK(tide_reserve(1, 1, 0, &got) == 0);
	tide_unreserve(1);
	s = stats_of(op);
	CHECK(OFF || (s.batches == 1 && s.active == 0));
	return wrong == before ? 0 : 1;
}

struct forking {
	tide_op *op;
	tide_batch *b;
	int id, guard;
};

static void *
fork_one(void *context)
{
	struct forking *f = (struct forking *)context;
	int status = -1, pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		status = child_of(f->op, f->b, f->id, f->guard);
		fflush(stdout);
		_exit(status);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	return NULL;
}

static void
threads_and_children(void)
{
	struct tide_op_stats before, after;
	struct forking f;
	tide_batch b;
	pthread_t thread;

	part("threads and children");
	f.op = tide_op_open("plain", NULL);
	f.id = tide_component(huge, 0, 0);
	f.b = &b;
	memset(&b, 0, sizeof(b));
	CHECK(tide_batch_begin(f.op, &b, 0, 10, 0) >= 1);
	CHECK(pthread_create(&thread, NULL, go_on_with_it, &b) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(tide_batch_more(&b) == 0);

	CHECK(tide_batch_begin(f.op, &b, 0, 10, 0) >= 1);
	CHECK((f.guard = tide_guard_begin("across", 0)) >= 1);
	before = stats_of(f.op);
	(void)fork_one(&f);
	CHECK(pthread_create(&thread, NULL, fork_one, &f) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	/* What they did is nothing to us. */
	after = stats_of(f.op);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	CHECK(tide_batch_more(&b) == 1);
	tide_guard_end(f.guard);
	CHECK(is_state(tide_batch_end(&b, 1)));
	after = stats_of(f.op);
	CHECK(OFF || (after.batches == before.batches + 1 &&
	    after.active == before.active - 1));
}

/* Of all kinds of calls at once, from many threads, while others fork. */
#define CROWD 6
#define ROUNDS 300

static void *
do_all(void *context)
{
	tide_op *op = tide_op_open("crowd", NULL);
	int i, guard, status;
	tide_batch b;
	uint64_t got;

	memset(&b, 0, sizeof(b));
	for (i = 0; i < ROUNDS; i++) {
		if (tide_batch_begin(op, &b, 0, 100, 0) > 0) {
			(void)tide_batch_more(&b);
			(void)tide_item(&b, (uint64_t)i);
			if (i % 2)
				(void)tide_batch_end(&b, 1);
			else
				tide_batch_abort(&b, TIDE_CANCEL);
		}
		guard = tide_guard_begin("crowd", 1);
		tide_guard_end(guard);
		if (tide_reserve(1, 100, 0, &got) == 0)
			tide_unreserve(got);
		tide_component_enter(1);
		tide_component_leave(1);
		if (i % 50 == 0 && context != NULL) {
			int pid = fork();

			if (pid == 0) {
				memset(&b, 0, sizeof(b));
				_exit(tide_batch_begin(op, &b, 0, 1, -1) == 1 ?
				    0 : 1);
			}
			status = -1;
			(void)waitpid(pid, &status, 0);
			if (status != 0)
				return &wrong;
		}
	}
	return NULL;
}

static void
crowd(void)
{
	pthread_t thread[CROWD];
	void *answer;
	int i;

	part("a crowd");
	for (i = 0; i < CROWD; i++)
		CHECK(pthread_create(&thread[i], NULL, do_all,
		    i % 2 ? &wrong : NULL) == 0);
	for (i = 0; i < CROWD; i++) {
		CHECK(pthread_join(thread[i], &answer) == 0);
		CHECK(answer == NULL);
	}
	CHECK(OFF || stats_of(tide_op_open("crowd", NULL)).active == 0);
}

#ifdef __cplusplus
/* --- exceptions ----------------------------------------------------------- */

static int
throw_out(void *ctx, uint64_t first, uint32_t n)
{
	(void)ctx;
	(void)first;
	(void)n;
	throw 42;
}

static uint64_t
clean_and_throw(void *ctx, int level, uint64_t want)
{
	(void)ctx;
	(void)level;
	(void)want;
	calls++;
	throw 43;
}

static void
exceptions(void)
{
	tide_op *op = tide_op_open("plain", NULL);
	tide_reclaim_result result;
	uint32_t active = stats_of(op).active;
	int caught = 0, id;

	part("exceptions");
	try {
		(void)tide_for_each(op, 10, throw_out, NULL);
	} catch (int what) {
		caught = what;
	}
	CHECK(caught == 42);
	CHECK(OFF || stats_of(op).active == active);
	try {
		TIDE_GUARD("thrown through");
		throw 41;
	} catch (int what) {
		caught = what;
	}
	CHECK(caught == 41);
	CHECK(OFF || stats_of(tide_op_open("thrown through", NULL)).active ==
	    0);

	calls = 0;
	id = tide_on_pressure(clean_and_throw, NULL, 0, 0, 0, "throws");
	try {
		(void)tide_reclaim(0, 0, NULL);
	} catch (int what) {
		caught = what;
	}
	CHECK(OFF || (calls == 1 && caught == 43));
	CHECK(tide_off_pressure(id) == 0);
	id = tide_on_pressure(clean_nothing, NULL, 0, 0, 0, NULL);
	CHECK(tide_reclaim(0, 0, &result) == 0);
	CHECK(OFF || result.callbacks == 1);
	CHECK(tide_off_pressure(id) == 0);
}
#endif

int
main(void)
{
	static const char *const levels[3] = { "standalone", "page",
	    "runtime" };

	memset(huge, 'h', HUGE_NAME);
	errno = 4711;
	questions();
	operations();
	batches();
	loops();
	pages();
	going();
	guards();
	components();
	reservations();
	cleanups();
	the_rest();
	runs();
	never_ended();
	threads_and_children();
	crowd();
#ifdef __cplusplus
	exceptions();
#endif
	part("the end");
	printf("%s: %d cases, %d wrong\n", levels[tide_level()], cases, wrong);
	return wrong != 0;
}
