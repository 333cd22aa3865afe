/*
 * The clock is ours: a process begins at START, and what it holds is what is
 * written into its only tally.
 */
#include "own-segment.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "control/history.h"
#include "control/mark.h"
#include "control/series.h"
#include "door/inside.h"

#define START (1000 * NS_PER_S)

static struct control control;

static int
begin(void **state)
{
	if (own_segment_setup(state) < 0)
		return -1;
	control = inside();
	control.bytes = control.segment->head.bytes;
	control.pid = getpid();
	control.segment->identity.clock_ns = START;
	return 0;
}

static void
hold(uint64_t bytes)
{
	struct tally *t = control_rows(&control, TABLE_TALLIES);

	t->allocated = t->freed + bytes;
}

static uint64_t
at(uint64_t second)
{
	return START + second * NS_PER_S + NS_PER_MS;
}

static uint64_t
capacity(enum segment_table_id table)
{
	return control.segment->table[table].capacity;
}

static struct point *
point_of(enum segment_table_id table, uint64_t number)
{
	return (struct point *)control_rows(&control, table) +
	    number % capacity(table);
}

static const struct moment *
moment(uint32_t column)
{
	return (struct moment *)control_rows(&control, TABLE_MOMENTS) + column;
}

static void
assert_point(enum segment_table_id table, uint64_t number, uint64_t at_ns,
    int64_t live)
{
	const struct point *p = point_of(table, number);

	assert_true(control_count(&control, table) > number % capacity(table));
	assert_true(p->at_ns == at_ns);
	assert_true(p->live_bytes == live);
}

static bool
is_near(double a, double b)
{
	double far = a > b ? a - b : b - a;

	return far < 1e-3 * (b < 0 ? -b : b) + 1e-6;
}

/* --- points ------------------------------------------------------------------- */

static void
a_second_is_noted_once(void **state)
{
	struct segment *s = control.segment;

	(void)state;
	/* The process has just begun: there is nothing to note. */
	assert_false(series_is_due(s, START));
	assert_false(series_is_due(s, START - NS_PER_S));
	series_note(&control, START + NS_PER_S - 1);
	assert_int_equal(control_count(&control, TABLE_SECONDS), 0);

	assert_true(series_is_due(s, at(3)));
	hold(100);
	series_note(&control, at(3));
	assert_point(TABLE_SECONDS, 3, at(3), 100);
	assert_false(series_is_due(s, at(3)));
	hold(200);
	series_note(&control, at(3) + 500 * NS_PER_MS);
	assert_point(TABLE_SECONDS, 3, at(3), 100);
	/* Of two that have read the clock, who is behind notes nothing. */
	series_note(&control, at(4));
	series_note(&control, at(3));
	assert_point(TABLE_SECONDS, 3, at(3), 100);
	assert_point(TABLE_SECONDS, 4, at(4), 200);
	assert_int_equal(control_count(&control, TABLE_SECONDS), 5);
	assert_true(point_of(TABLE_SECONDS, 2)->at_ns == 0);
	assert_int_equal(s->watch.second, 4);
}

static void
a_minute_is_noted_by_its_first_second(void **state)
{
	(void)state;
	hold(1000);
	series_note(&control, at(59));
	assert_int_equal(control_count(&control, TABLE_MINUTES), 0);
	hold(1061);
	series_note(&control, at(61));
	hold(1062);
	series_note(&control, at(62));
	assert_point(TABLE_MINUTES, 1, at(61), 1061);
	/* Minutes in which nothing came by have none. */
	hold(1300);
	series_note(&control, at(5 * 60));
	assert_point(TABLE_MINUTES, 5, at(5 * 60), 1300);
	assert_true(point_of(TABLE_MINUTES, 3)->at_ns == 0);
}

static void
what_was_looked_at_lately_is_in_the_point(void **state)
{
	struct segment_rss *rss = &control.segment->rss[RSS_LAST];
	struct point *p;

	(void)state;
	rss->resident = 777;
	rss->terms[1] = 55;
	rss->at_ns = at(10);
	series_note(&control, at(12));
	p = point_of(TABLE_SECONDS, 12);
	assert_true(p->resident == 777 && p->terms[1] == 55);
	series_note(&control, at(13));
	p = point_of(TABLE_SECONDS, 13);
	assert_true(p->resident == 0 && p->terms[1] == 0);

	/* A point that was noted first is filled by the look, once it is. */
	rss->at_ns = at(13);
	rss->resident = 888;
	hold(4242);
	series_fill(&control, at(13));
	assert_true(p->resident == 888);
	assert_true(p->live_bytes != 4242);
	/* Not while somebody stores it. */
	rss->version = 1;
	series_note(&control, at(14));
	assert_true(point_of(TABLE_SECONDS, 14)->resident == 0);
	rss->version = 2;
	series_fill(&control, at(14));
	assert_true(point_of(TABLE_SECONDS, 14)->resident == 888);
	/* A look notes the point itself, if nobody has. */
	rss->at_ns = at(16);
	series_fill(&control, at(16));
	assert_true(point_of(TABLE_SECONDS, 16)->resident == 888);
	assert_point(TABLE_SECONDS, 16, at(16), 4242);
}

static void
the_ring_of_seconds_begins_anew(void **state)
{
	uint64_t round = capacity(TABLE_SECONDS);
	uint64_t i;

	(void)state;
	for (i = 1; i <= round + 5; i++) {
		hold(i);
		series_note(&control, at(i));
	}
	assert_int_equal(control_count(&control, TABLE_SECONDS), round);
	for (i = 6; i <= round + 5; i++)
		assert_point(TABLE_SECONDS, i, at(i), (int64_t)i);
	/* Long after, the same place. */
	series_note(&control, at(7 * round + 6));
	assert_point(TABLE_SECONDS, 6, at(7 * round + 6), (int64_t)round + 5);
	assert_int_equal(control_count(&control, TABLE_SECONDS), round);
}

static void
the_ring_of_minutes_begins_anew(void **state)
{
	uint64_t round = capacity(TABLE_MINUTES);
	uint64_t i;

	(void)state;
	for (i = 1; i <= round + 3; i++) {
		hold(i);
		series_note(&control, at(i * 60));
	}
	assert_int_equal(control_count(&control, TABLE_MINUTES), round);
	assert_point(TABLE_MINUTES, 3, at((round + 3) * 60),
	    (int64_t)round + 3);
	assert_point(TABLE_MINUTES, 4, at(4 * 60), 4);
}

/* --- growth ------------------------------------------------------------------- */

static void
grow(uint64_t from, uint64_t to, uint64_t start, uint64_t rate)
{
	for (uint64_t i = from; i <= to; i++) {
		hold(start + (i - from) * rate);
		series_note(&control, at(i));
	}
}

static void
growth_is_by_the_points(void **state)
{
	struct trend_line line;

	(void)state;
	hold(5000);
	assert_false(series_growth(&control, at(1), 60 * NS_PER_S, &line));
	grow(1, 200, 5000, 100);
	assert_true(series_growth(&control, at(200), 60 * NS_PER_S, &line));
	assert_true(is_near(line.rate, 100));
	assert_true(line.low <= line.rate && line.rate <= line.high);

	/* The last minute alone: it stands still since then. */
	grow(201, 300, 24900, 0);
	assert_true(series_growth(&control, at(300), 60 * NS_PER_S, &line));
	assert_true(line.rate == 0);
	assert_true(series_growth(&control, at(300), 3600 * NS_PER_S, &line));
	assert_true(line.rate > 20 && line.rate < 100);
	/* More than there is of it is all there is. */
	assert_true(series_growth(&control, at(300), UINT64_MAX, &line));
	/* And of no time there is nothing to say. */
	assert_false(series_growth(&control, at(300), 0, &line));
	assert_false(series_growth(&control, START, 60 * NS_PER_S, &line));
	assert_false(series_growth(&control, START - 5, 60 * NS_PER_S, &line));
}

/* Where the heap was left alone there are no points; it stands as before. */
static void
a_time_without_points_is_flat(void **state)
{
	struct trend_line line;

	(void)state;
	grow(1, 30, 0, 1000);
	assert_true(series_growth(&control, at(500), 60 * NS_PER_S, &line));
	assert_true(line.rate == 0);
	assert_int_equal(line.points, TREND_POINTS);
}

static void
what_is_of_another_round_is_nothing(void **state)
{
	uint64_t round = capacity(TABLE_SECONDS);
	struct trend_line line;

	(void)state;
	grow(1, round, 0, 1000000);
	/* A whole round later no second is left, and no point is believed. */
	assert_false(series_growth(&control, at(2 * round + 100),
	    60 * NS_PER_S, &line));
	/* Across the seam of the ring. */
	grow(2 * round - 30, 2 * round + 30, 7, 50);
	assert_true(series_growth(&control, at(2 * round + 30), 60 * NS_PER_S,
	    &line));
	assert_true(is_near(line.rate, 50));
}

static void
a_long_time_is_by_minutes(void **state)
{
	struct trend_line line;
	uint64_t minute;

	(void)state;
	for (minute = 1; minute <= 600; minute++) {
		hold(minute * 60 * 25);
		series_note(&control, at(minute * 60));
	}
	assert_true(series_growth(&control, at(600 * 60), 8 * 3600 * NS_PER_S,
	    &line));
	assert_true(is_near(line.rate, 25));
	assert_int_equal(line.points, TREND_POINTS);
}

/* --- marks -------------------------------------------------------------------- */

static struct mark *
mark_of(int64_t number)
{
	return (struct mark *)control_rows(&control, TABLE_MARKS) + number;
}

static uint32_t
put_site(uint64_t pc)
{
	int64_t node = segment_take(TABLE_NODES, 1);
	struct node *n = (struct node *)segment_rows(TABLE_NODES) + node;

	assert_true(node > 0);
	atomic_store(&n->pc, pc);
	return site_make((uint32_t)node, 0);
}

static int64_t
figure(uint32_t site, uint32_t column)
{
	struct held figures[TREND_COLUMNS];

	assert_true(column > 0 && site < control_count(&control,
	    TABLE_TRENDS));
	history_of(&control, site, figures);
	return figures[column - 1].live_bytes;
}

static void
a_mark_has_what_every_site_holds(void **state)
{
	struct count *first = control_rows(&control, TABLE_FIRST);
	struct count *others = control_rows(&control, TABLE_COUNTS);
	struct estimate *e = control_rows(&control, TABLE_ESTIMATES);
	struct tally *t = control_rows(&control, TABLE_TALLIES);
	uint32_t a = put_site(0x1000), b = put_site(0x2000);
	int64_t number;
	struct mark *m;

	(void)state;
	first[a].allocated_bytes = 900;
	first[a].freed_bytes = 200;
	/* Two other threads: what one allocated, the other has freed. */
	assert_true(segment_take(TABLE_COUNTS, 3) >= 0);
	others[0].stamp = stamp_of(a, 0);
	others[0].allocated_bytes = 50;
	others[1].stamp = stamp_of(a, 0);
	others[1].freed_bytes = 45;
	others[2].stamp = stamp_of(500000, 0); /* a lie */
	others[2].allocated_bytes = 1;
	assert_int_equal(segment_reach(TABLE_ESTIMATES, b + 1), 0);
	first[b].allocated_bytes = 10;
	e[b].allocated_bytes = 640 * ESTIMATE_BYTES;
	e[b].freed_bytes = 40 * ESTIMATE_BYTES;
	t->allocated = 960;
	t->freed = 245;
	t->allocations = 12;
	t->frees = 3;
	control.segment->rss[RSS_LAST].resident = 4096;

	number = mark_set(&control, MARK_NAMED, "first", at(9));
	assert_true(number >= 0);
	m = mark_of(number);
	assert_int_equal(m->kind, MARK_NAMED);
	assert_string_equal(m->name, "first");
	assert_true(m->at_ns == at(9));
	assert_true(m->live_bytes == 715);
	assert_true(m->allocated == 960 && m->freed == 245);
	assert_true(m->allocations == 12 && m->frees == 3);
	assert_true(m->resident == 4096);
	assert_int_equal(m->column, 1);
	assert_true(figure(a, 1) == 705);
	assert_true(figure(b, 1) == 610);
	assert_int_equal(moment(0)->mark, number + 1);

	/* Events have no figures, and are no epochs. */
	number = mark_set(&control, MARK_STACKS, "all", at(10));
	assert_int_equal(mark_of(number)->column, 0);
	assert_int_equal(control.segment->watch.epochs, 1);
	/* One by time does not come while another is being set; */
	control.segment->watch.trend_busy = 1;
	assert_int_equal(control.segment->watch.epochs, 1);
	number = mark_set(&control, MARK_TIME, "beside", at(10));
	assert_int_equal(mark_of(number)->column, 0);
	assert_int_equal(control.segment->watch.epochs, 1);
	/* who was killed in the middle is not waited for for ever. */
	number = mark_set(&control, MARK_NAMED, "behind", at(10));
	assert_int_equal(mark_of(number)->column, 2);
	assert_int_equal(control.segment->watch.trend_busy, 0);
	/* A site that is new has a row from the next one on. */
	a = put_site(0x3000);
	first[a].allocated_bytes = 5;
	number = mark_set(&control, MARK_NAMED, "next", at(11));
	assert_int_equal(mark_of(number)->column, 3);
	assert_true(figure(a, 3) == 5 && figure(a, 1) == 0);
}

static void
a_long_name_is_cut(void **state)
{
	char name[200];
	int64_t number;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	number = mark_set(&control, MARK_NAMED, name, at(1));
	assert_int_equal(strlen(mark_of(number)->name), MARK_NAME_MOST);
}

/* Those that somebody named are kept as long as there is a choice. */
static void
marks_with_a_name_stay(void **state)
{
	const struct segment_watch *w = &control.segment->watch;
	struct count *first = control_rows(&control, TABLE_FIRST);
	uint32_t site = put_site(0x1000);
	int64_t number[4];
	uint32_t i, k, before = 0;

	(void)state;
	for (i = 0; i < 4 * 25; i++) {
		first[site].allocated_bytes = 100 + i;
		if (i % 25 == 0)
			number[i / 25] = mark_set(&control, MARK_NAMED, "m",
			    at(i));
		else
			assert_true(mark_set(&control, MARK_TIME, "t",
			    at(i)) >= 0);
	}
	for (i = 0; i < 4; i++) {
		k = mark_of(number[i])->column;
		assert_int_not_equal(k, 0);
		assert_int_equal(moment(k - 1)->mark, number[i] + 1);
		assert_true(figure(site, k) == 100 + 25 * i);
	}
	for (k = 1; k <= w->trend_used; k++) {
		assert_true(k == 1 || figure(site, k) > before);
		before = (uint32_t)figure(site, k);
	}
	/* Where all have one, every other goes. */
	for (i = 0; i < 200; i++)
		assert_true(mark_set(&control, MARK_NAMED, "n", at(i)) >= 0);
	assert_in_range(w->trend_used, TREND_COLUMNS / 2, TREND_COLUMNS - 1);
}

/* Who looks for the last of a hundred batches by its name finds it. */
static void
each_epoch_of_a_program_is_a_mark_while_they_are_few(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(mark_set(&control, MARK_BATCH, "b", at(i)), i);
	assert_int_equal(control_count(&control, TABLE_MARKS), 100);
	for (i = 0; i < 100; i++)
		assert_int_equal(mark_of(i)->epoch, i + 1);
}

/* A million batches take as much room as two thousand. */
static void
epochs_of_a_program_are_kept_where_they_have_figures(void **state)
{
	const struct segment_watch *w = &control.segment->watch;
	struct count *first = control_rows(&control, TABLE_FIRST);
	uint32_t site = put_site(0x1000);
	uint32_t i, marks;
	int64_t number;

	(void)state;
	for (i = 1; i <= 1000000; i++) {
		first[site].allocated_bytes = i;
		assert_true(mark_set(&control, MARK_BATCH, "b", at(i)) >= 0);
	}
	assert_int_equal(w->epochs, 1000000);
	marks = (uint32_t)control_count(&control, TABLE_MARKS);
	assert_true(marks < MARKS_OF_ALL_EPOCHS + 16 * 16);
	assert_in_range(w->trend_used, TREND_COLUMNS / 2, TREND_COLUMNS - 1);
	for (i = 0; i < w->trend_used; i++) {
		const struct mark *m = mark_of(moment(i)->mark - 1);

		assert_int_equal(m->epoch, 1 + i * w->trend_stride);
		assert_true(figure(site, i + 1) == (int64_t)m->epoch);
	}
	number = mark_set(&control, MARK_NAMED, "mine", at(1));
	assert_int_equal(number, marks);
	assert_int_not_equal(mark_of(number)->column, 0);
}

static void
marks_are_set_by_time(void **state)
{
	struct segment *s = control.segment;

	(void)state;
	mark_by_time(&control, START);
	assert_int_equal(control_count(&control, TABLE_MARKS), 0);
	atomic_store(&s->config.epoch_ns, 10 * NS_PER_S);
	mark_by_time(&control, at(0));
	mark_by_time(&control, START + 10 * NS_PER_S - 1);
	assert_int_equal(control_count(&control, TABLE_MARKS), 0);
	mark_by_time(&control, at(10));
	mark_by_time(&control, at(10));
	mark_by_time(&control, at(19));
	assert_int_equal(control_count(&control, TABLE_MARKS), 1);
	assert_int_equal(mark_of(0)->kind, MARK_TIME);
	assert_string_equal(mark_of(0)->name, "epoch 1");
	assert_int_equal(mark_of(0)->column, 1);
	/* Those that went by unseen are one, and the grid stays. */
	mark_by_time(&control, at(47));
	assert_int_equal(control_count(&control, TABLE_MARKS), 2);
	assert_string_equal(mark_of(1)->name, "epoch 4");
	mark_by_time(&control, at(49));
	assert_int_equal(control_count(&control, TABLE_MARKS), 2);
	mark_by_time(&control, at(50));
	assert_string_equal(mark_of(2)->name, "epoch 5");
	/* Who has an older clock sets none. */
	mark_by_time(&control, at(20));
	assert_int_equal(control_count(&control, TABLE_MARKS), 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, own_segment_teardown)

/* Where stacks are kept and nobody sets a mark; not beside those of others. */
static void
marks_come_by_themselves_where_nobody_sets_any(void **state)
{
	struct segment *s = control.segment;
	const struct segment_watch *w = &s->watch;

	(void)state;
	atomic_store(&s->config.stacks, STACKS_NONE);
	mark_by_time(&control, at(5));
	assert_int_equal(control_count(&control, TABLE_MARKS), 0);
	atomic_store(&s->config.stacks, STACKS_SAMPLED);
	mark_by_time(&control, at(6));
	mark_by_time(&control, at(6));
	assert_int_equal(control_count(&control, TABLE_MARKS), 0);
	assert_int_equal(w->trend_used, 1);
	assert_int_equal(moment(0)->kind, MARK_AUTO);
	mark_by_time(&control, at(6) + MARK_AUTO_NS);
	assert_int_equal(w->trend_used, 2);
	assert_int_equal(w->epochs, 0);
	assert_true(mark_set(&control, MARK_BATCH, "mine", at(7)) >= 0);
	assert_int_equal(mark_of(0)->epoch, 1);
	mark_by_time(&control, at(8));
	mark_by_time(&control, at(20));
	assert_int_equal(w->trend_used, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_is_noted_once),
		TEST(a_minute_is_noted_by_its_first_second),
		TEST(what_was_looked_at_lately_is_in_the_point),
		TEST(the_ring_of_seconds_begins_anew),
		TEST(the_ring_of_minutes_begins_anew),
		TEST(growth_is_by_the_points),
		TEST(a_time_without_points_is_flat),
		TEST(what_is_of_another_round_is_nothing),
		TEST(a_long_time_is_by_minutes),
		TEST(a_mark_has_what_every_site_holds),
		TEST(a_long_name_is_cut),
		TEST(marks_with_a_name_stay),
		TEST(each_epoch_of_a_program_is_a_mark_while_they_are_few),
		TEST(epochs_of_a_program_are_kept_where_they_have_figures),
		TEST(marks_are_set_by_time),
		TEST(marks_come_by_themselves_where_nobody_sets_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
