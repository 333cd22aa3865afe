/*
 * test-reader.c - profiles good, bad and hostile
 *
 * A profile is made by hand in memory, one thing in it is changed, and it is
 * opened: most tests are a row in a table of such changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "profile/reader.h"
#include "sys/proc.h"

#define WHY_ROOM 512

/* --- a profile made by hand ----------------------------------------------- */

#define ROWS 8 /* of each table; texts: bytes */
#define TEXT_ROOM 128

struct made {
	union {
		struct segment segment;
		uint8_t header[SEGMENT_HEADER_BYTES];
	};
	struct tally tally[ROWS];
	struct site site[ROWS];
	struct count first[ROWS];
	struct count count[ROWS];
	struct estimate estimate[ROWS];
	struct node node[ROWS];
	struct module module[ROWS];
	struct mapping mapping[ROWS];
	struct point second[ROWS];
	struct point minute[ROWS];
	struct mark mark[ROWS];
	struct moment moment[ROWS];
	struct trend trend[ROWS];
	struct ages ages[ROWS];
	struct passed first_passed[ROWS];
	struct passed count_passed[ROWS];
	struct timed timed[ROWS];
	struct life life[ROWS];
	struct finding finding[ROWS];
	struct pool pool[ROWS];
	struct tide_room room[1];
	char text[TEXT_ROOM];
};

static void
make_table(struct made *m, enum segment_table_id id, size_t offset,
    uint32_t entry_bytes, uint64_t capacity, uint64_t used)
{
	m->segment.table[id] = (struct segment_table){
		.offset = offset,
		.capacity = capacity,
		.used = used,
		.entry_bytes = entry_bytes,
	};
}

/* Two threads, two sites, three nodes, a module, a mapping and four texts. */
static void
make(struct made *m)
{
	static const char text[] = "prog\0-x\0/bin/prog\0host";
	struct segment *s = &m->segment;

	memset(m, 0, sizeof(*m));
	memcpy(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic));
	s->head.layout = SEGMENT_LAYOUT;
	s->head.byte_order = SEGMENT_BYTE_ORDER;
	s->head.bytes = sizeof(*m);
	s->head.header_bytes = SEGMENT_HEADER_BYTES;
	s->head.page_bytes = 4096;
	s->head.ready = 1;
#define TABLE(id, member, used) make_table(m, id, \
	    offsetof(struct made, member), sizeof(m->member[0]), \
	    sizeof(m->member) / sizeof(m->member[0]), used)
	TABLE(TABLE_TALLIES, tally, 3);
	TABLE(TABLE_SITES, site, 3);
	TABLE(TABLE_FIRST, first, 3);
	TABLE(TABLE_COUNTS, count, 3);
	TABLE(TABLE_ESTIMATES, estimate, 0);
	TABLE(TABLE_NODES, node, 4);
	TABLE(TABLE_MODULES, module, 1);
	TABLE(TABLE_MAPPINGS, mapping, 1);
	TABLE(TABLE_SECONDS, second, 0);
	TABLE(TABLE_MINUTES, minute, 0);
	TABLE(TABLE_MARKS, mark, 0);
	TABLE(TABLE_MOMENTS, moment, 0);
	TABLE(TABLE_TRENDS, trend, 0);
	TABLE(TABLE_AGES, ages, 0);
	TABLE(TABLE_FIRST_PASSED, first_passed, 0);
	TABLE(TABLE_COUNTS_PASSED, count_passed, 0);
	TABLE(TABLE_TIMED, timed, 0);
	TABLE(TABLE_LIVES, life, 0);
	TABLE(TABLE_FINDINGS, finding, 0);
	TABLE(TABLE_POOLS, pool, 0);
	TABLE(TABLE_BUDGET, room, 0);
	TABLE(TABLE_TEXT, text, sizeof(text) - 1);
#undef TABLE
	memcpy(m->text, text, sizeof(text) - 1);
	s->identity.pid = 1 << 30; /* no such process */
	s->identity.start_ticks = 7;
	s->identity.clock_ns = 10 * NS_PER_S;
	s->identity.arguments = (struct segment_text){ 0, 8 };
	s->identity.executable = (struct segment_text){ 8, 9 };
	s->identity.host = (struct segment_text){ 18, 4 };
	s->config.stacks = STACKS_ALL;
	s->config.drift_bytes = 65536;
	s->live.bytes = 1500;
	s->live.peak_bytes = 4000;
	s->live.peak_at_ns = 12 * NS_PER_S;
	s->live.threads_most = 2;
	s->live.seen_ns = 15 * NS_PER_S;
	m->tally[1] = (struct tally){ .tid = 11, .allocated = 6000,
	    .freed = 4000, .allocations = 6, .frees = 4, .temporary = 1,
	    .requested = 5000, .requested_freed = 3500, .published = 2000,
	    .high = 2000, .state = TALLY_OWNED };
	m->tally[2] = (struct tally){ .tid = 12, .allocated = 100,
	    .freed = 600, .allocations = 1, .frees = 2, .requested = 90,
	    .requested_freed = 500, .published = -500, .high = -500,
	    .state = TALLY_OWNED };
	m->node[1] = (struct node){ .pc = 0x1100 };
	m->node[2] = (struct node){ .pc = 0x1200, .parent = 1 };
	m->node[3] = (struct node){ .pc = 0x1300, .parent = 2 };
	m->site[1].leaf = 3;
	m->site[2].leaf = 1;
	m->first[1] = (struct count){ .stamp = stamp_of(1, 0),
	    .allocations = 6, .frees = 4,
	    .allocated_bytes = 6000, .freed_bytes = 4000, .slack_bytes = 300 };
	m->first[2].stamp = stamp_of(2, 0);
	m->count[1] = (struct count){ .stamp = stamp_of(2, 0),
	    .allocations = 1,
	    .allocated_bytes = 100 };
	m->count[2] = (struct count){ .stamp = stamp_of(1, 0),
	    .frees = 1,
	    .freed_bytes = 600, .slack_bytes = -(uint64_t)10 };
	m->module[0] = (struct module){ .start = 0x1000, .end = 0x2000,
	    .path = { 8, 9 } };
	m->mapping[0] = (struct mapping){ .start = 0x8000, .end = 0x9000,
	    .kind = MAPPING_ANONYMOUS };
}

static int
open_made(const struct made *m, struct profile *p, char why[WHY_ROOM])
{
	why[0] = '\0';
	return profile_open_bytes(m, sizeof(*m), "made", p, why);
}

static void
open_well(const struct made *m, struct profile *p)
{
	char why[WHY_ROOM];

	if (open_made(m, p, why) != 0)
		fail_msg("%s", why);
}

/* Ask for everything there is to ask; what it says does not matter here. */
static void
ask_everything(const struct profile *p)
{
	struct segment_text texts[] = {
		p->segment->identity.executable, p->segment->identity.host,
		p->segment->identity.run, p->segment->identity.directory,
		p->segment->identity.allocator,
	};
	struct totals totals;
	uint64_t pcs[4];
	uint32_t nodes[4];

	profile_totals(p, &totals);
	(void)profile_is_exact(p);
	free(profile_arguments(p));
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		free(profile_text(p, texts[i]));
	for (size_t i = 0; i < p->modules; i++)
		free(profile_text(p, p->module[i].path));
	for (size_t i = 0; i < p->sites; i++) {
		size_t n = profile_stack(p, &p->site[i], pcs, nodes, 4);

		assert_true((int64_t)p->figures[i].live_bytes >= 0);
		for (size_t k = 0; k < n; k++)
			(void)profile_module(p, pcs[k], nodes[k]);
	}
}

/* --- what is good --------------------------------------------------------- */

static void
a_good_profile_shows_all_its_rows(void **state)
{
	struct made m;
	struct profile p;
	char *text;

	(void)state;
	make(&m);
	open_well(&m, &p);
	assert_int_equal(p.tallies, 3);
	assert_int_equal(p.sites, 3);
	assert_int_equal(p.nodes, 4);
	assert_int_equal(p.modules, 1);
	assert_int_equal(p.mappings, 1);
	assert_int_equal(p.damaged, 0);
	assert_false(p.live);
	assert_string_equal(p.path, "made");
	assert_int_equal(p.now_ns, 15 * NS_PER_S);
	text = profile_text(&p, p.segment->identity.host);
	assert_string_equal(text, "host");
	free(text);
	assert_true(profile_is_exact(&p));
	profile_close(&p);
}

static void
totals_are_the_sums_of_all_threads(void **state)
{
	struct made m;
	struct profile p;
	struct totals t;

	(void)state;
	make(&m);
	open_well(&m, &p);
	profile_totals(&p, &t);
	assert_int_equal(t.allocations, 7);
	assert_int_equal(t.frees, 6);
	assert_int_equal(t.allocated_bytes, 6100);
	assert_int_equal(t.live_blocks, 1);
	assert_int_equal(t.live_bytes, 1500);
	assert_int_equal(t.requested_bytes, 5090);
	assert_int_equal(t.live_requested_bytes, 1090);
	assert_int_equal(t.temporary, 1);
	assert_int_equal(t.peak_bytes, 4000);
	assert_true(t.peak_at > 1.99 && t.peak_at < 2.01);
	assert_true(t.requested_known);
	profile_close(&p);
}

static void
the_peak_counts_what_no_thread_has_published_yet(void **state)
{
	static const struct {
		int64_t peak, bytes, high, published;
		uint64_t expected;
	} cases[] = {
		{ 4000, 1500, 2000, 2000, 4000 },
		{ 4000, 1500, 4600, 2000, 4100 },
		{ 0, 0, 1800, 0, 1800 },
		{ 0, 0, 0, 0, 1500 }, /* never below what is live */
		{ INT64_MIN, 0, 0, 0, 1500 },
		{ 4000, 1500, INT64_MAX, -1, 4000 }, /* damaged */
	};
	struct made m;
	struct profile p;
	struct totals t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		make(&m);
		m.segment.live.peak_bytes = cases[i].peak;
		m.segment.live.bytes = cases[i].bytes;
		m.tally[1].high = cases[i].high;
		m.tally[1].published = cases[i].published;
		open_well(&m, &p);
		profile_totals(&p, &t);
		assert_int_equal(t.peak_bytes, cases[i].expected);
		profile_close(&p);
	}
}

static void
the_peak_of_one_thread_is_exact_and_of_several_has_a_bound(void **state)
{
	struct made m;
	struct profile p;
	struct totals t;

	(void)state;
	make(&m);
	open_well(&m, &p);
	profile_totals(&p, &t);
	assert_int_equal(t.peak_error_bytes, 3 * 65536);
	profile_close(&p);

	memset(&m.tally[2], 0, sizeof(m.tally[2]));
	m.tally[0].state = TALLY_SHARED; /* which is published at once */
	m.tally[0].allocations = 1;
	open_well(&m, &p);
	profile_totals(&p, &t);
	assert_int_equal(t.peak_error_bytes, 0);
	profile_close(&p);
}

static void
requested_figures_need_all_stacks(void **state)
{
	struct made m;
	struct profile p;
	struct totals t;

	(void)state;
	make(&m);
	m.segment.config.stacks = STACKS_NONE;
	open_well(&m, &p);
	profile_totals(&p, &t);
	assert_false(t.requested_known);
	assert_int_equal(t.live_requested_bytes, 0);
	assert_true(profile_is_exact(&p));
	profile_close(&p);

	m.segment.config.stacks = STACKS_SAMPLED;
	open_well(&m, &p);
	profile_totals(&p, &t);
	assert_false(t.requested_known);
	assert_true(profile_is_exact(&p)); /* its sites say what they are */
	profile_close(&p);
}

static void
what_was_inherited_is_live_until_it_is_given_back(void **state)
{
	struct made m;
	struct profile p;
	struct totals t;

	(void)state;
	make(&m);
	m.segment.live.inherited_blocks = 10;
	m.segment.live.inherited_bytes = 1000;
	m.segment.live.inherited_frees = 4;
	m.segment.live.inherited_freed_bytes = 300;
	open_well(&m, &p);
	profile_totals(&p, &t);
	assert_int_equal(t.live_bytes, 1500); /* not meant */
	profile_close(&p);

	m.segment.identity.inherits = 1;
	open_well(&m, &p);
	profile_totals(&p, &t);
	assert_int_equal(t.live_bytes, 2200);
	assert_int_equal(t.live_blocks, 7);
	assert_int_equal(t.inherited_bytes, 700);
	profile_close(&p);
}

static void
a_site_that_changed_since_the_peak_tells_what_it_held(void **state)
{
	struct made m;
	struct profile p;

	(void)state;
	make(&m);
	m.segment.live.stamp = 5;
	m.first[1].stamp = stamp_of(1, 5);
	m.first[1].at_peak_bytes = 3333;
	m.count[1].stamp = stamp_of(2, 4);
	m.count[1].at_peak_bytes = 9999;
	m.count[2].stamp = stamp_of(1, 5);
	m.count[2].at_peak_bytes = -333;
	open_well(&m, &p);
	assert_int_equal(p.figures[1].at_peak_bytes, 3000);
	assert_int_equal(p.figures[2].at_peak_bytes, 100);
	profile_close(&p);
	m.segment.live.rising = 1;
	open_well(&m, &p);
	assert_int_equal(p.figures[1].at_peak_bytes, 1400);
	profile_close(&p);
}

static void
figures_of_a_site_are_the_sums_of_what_threads_counted(void **state)
{
	struct made m;
	struct profile p;

	(void)state;
	make(&m);
	open_well(&m, &p);
	assert_int_equal(p.figures[1].allocations, 6);
	assert_int_equal(p.figures[1].frees, 5);
	assert_int_equal(p.figures[1].live_blocks, 1);
	assert_int_equal(p.figures[1].allocated_bytes, 6000);
	assert_int_equal(p.figures[1].live_bytes, 1400);
	assert_int_equal(p.figures[1].live_requested_bytes, 1110);
	assert_int_equal(p.figures[2].live_bytes, 100);
	profile_close(&p);
	/* More was given back than taken: no figure is below 0. */
	m.count[2].freed_bytes = 9000;
	m.count[2].frees = 9;
	open_well(&m, &p);
	assert_int_equal(p.figures[1].live_bytes, 0);
	assert_int_equal(p.figures[1].live_blocks, 0);
	profile_close(&p);
}

static uint64_t
bits_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static void
what_was_drawn_is_added_with_its_error(void **state)
{
	struct made m;
	struct profile p;

	(void)state;
	make(&m);
	m.segment.table[TABLE_ESTIMATES].used = 2;
	m.segment.live.stamp = 5;
	m.estimate[1] = (struct estimate){ .drawn = 3,
	    .allocations = 30 * ESTIMATE_BLOCKS, .frees = 10 * ESTIMATE_BLOCKS,
	    .allocated_bytes = 3000 * ESTIMATE_BYTES,
	    .freed_bytes = 1000 * ESTIMATE_BYTES + 7, .peak = 5,
	    .at_peak_bytes = 2500 * ESTIMATE_BYTES,
	    .variance = bits_of(1e6) };
	open_well(&m, &p);
	assert_int_equal(p.figures[1].drawn, 3);
	assert_int_equal(p.figures[1].allocations, 36);
	assert_int_equal(p.figures[1].live_blocks, 21);
	assert_int_equal(p.figures[1].live_bytes, 1400 + 1999);
	assert_int_equal(p.figures[1].error_bytes, 1000);
	assert_int_equal(p.figures[2].drawn, 0);
	assert_int_equal(p.figures[2].error_bytes, 0);
	profile_close(&p);
}

static void
an_error_that_is_none_is_not_believed(void **state)
{
	static const uint64_t bits[] = { UINT64_MAX, 0,
		UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
		UINT64_C(0x7ff8000000000001), UINT64_C(0xbff0000000000000) };
	struct made m;
	struct profile p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(bits); i++) {
		make(&m);
		m.segment.table[TABLE_ESTIMATES].used = 2;
		m.estimate[1] = (struct estimate){ .drawn = 1,
		    .freed_bytes = UINT64_MAX / 2, .variance = bits[i] };
		open_well(&m, &p);
		assert_int_equal(p.figures[1].error_bytes, 0);
		assert_int_equal(p.figures[1].live_bytes, 0);
		profile_close(&p);
	}
}

static void
a_stack_is_told_leaf_first_and_cut_at_the_room(void **state)
{
	struct made m;
	struct profile p;
	uint64_t pcs[4] = { 0 };
	uint32_t nodes[4] = { 0 };

	(void)state;
	make(&m);
	open_well(&m, &p);
	assert_int_equal(profile_stack(&p, &p.site[1], pcs, nodes, 4), 3);
	assert_int_equal(pcs[0], 0x1300);
	assert_int_equal(pcs[2], 0x1100);
	assert_int_equal(nodes[0], 3);
	assert_int_equal(profile_stack(&p, &p.site[1], pcs, nodes, 2), 2);
	assert_int_equal(profile_stack(&p, &p.site[0], pcs, nodes, 4), 0);
	profile_close(&p);
}

static void
an_address_belongs_to_the_module_that_was_there_at_that_time(void **state)
{
	static const struct {
		uint64_t pc;
		uint32_t node;
		int module;
	} cases[] = {
		{ 0x1100, 1, 0 },
		{ 0x1100, 2, 0 },
		{ 0x1100, 3, 1 }, /* loaded later, at the same place */
		{ 0x2000, 1, 0 }, /* the call is its last instruction */
		{ 0x1000, 1, -1 }, /* the call is in front of it */
		{ 0x2001, 1, -1 },
		{ 0, 1, -1 },
	};
	struct made m;
	struct profile p;

	(void)state;
	make(&m);
	m.module[1] = m.module[0];
	m.module[1].first_node = 3;
	m.segment.table[TABLE_MODULES].used = 2;
	open_well(&m, &p);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const struct module *found = profile_module(&p, cases[i].pc,
		    cases[i].node);

		assert_ptr_equal(found, cases[i].module < 0 ? NULL :
		    &p.module[cases[i].module]);
	}
	profile_close(&p);
}

static void
arguments_are_told_apart_by_the_zero_bytes_behind_them(void **state)
{
	static const struct {
		uint32_t offset, bytes;
		const char *first, *second;
	} cases[] = {
		{ 0, 8, "prog", "-x" },
		{ 0, 7, "prog", "-x" }, /* the last zero byte was cut */
		{ 0, 5, "prog", NULL },
		{ 0, 3, "pro", NULL },
		{ 4, 1, "", NULL },
		{ 0, 0, "/bin/prog", NULL }, /* none: the executable */
		{ 9999, 8, "/bin/prog", NULL },
	};
	struct made m;
	struct profile p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char **arguments;

		make(&m);
		m.segment.identity.arguments = (struct segment_text){
			cases[i].offset, cases[i].bytes,
		};
		open_well(&m, &p);
		arguments = profile_arguments(&p);
		assert_string_equal(arguments[0], cases[i].first);
		if (cases[i].second == NULL)
			assert_null(arguments[1]);
		else
			assert_string_equal(arguments[1], cases[i].second);
		free(arguments);
		profile_close(&p);
	}
}

static void
marks_come_along_with_what_sites_held_at_them(void **state)
{
	const struct mark *mark;
	struct made m;
	struct profile p;
	int64_t bytes;

	(void)state;
	make(&m);
	m.segment.table[TABLE_MARKS].used = 3;
	m.segment.table[TABLE_MOMENTS].used = 2;
	m.segment.table[TABLE_TRENDS].used = 2;
	m.segment.watch.trend_used = 2;
	for (int i = 0; i < 3; i++)
		m.mark[i] = (struct mark){ .kind = MARK_NAMED, .name = "one",
		    .live_bytes = 100 + i };
	memcpy(m.mark[1].name, "two", 4);
	m.mark[1].column = 2;
	m.moment[1].mark = 2;
	m.trend[1] = (struct trend){ .live_bytes = 77, .column = 1 };
	open_well(&m, &p);
	assert_int_equal(profile_mark(&p, "one")->live_bytes, 102);
	assert_int_equal(profile_mark(&p, "#0")->live_bytes, 100);
	assert_null(profile_mark(&p, "#3"));
	assert_null(profile_mark(&p, "three"));
	mark = profile_mark(&p, "two");
	assert_true(profile_held(&p, mark, 1, &bytes));
	assert_int_equal(bytes, 77);
	assert_true(profile_held(&p, mark, 2, &bytes));
	assert_int_equal(bytes, 0); /* not there yet */
	assert_false(profile_held(&p, mark + 1, 1, &bytes));
	profile_close(&p);
}

static void
any_loss_takes_the_word_exact_away(void **state)
{
	struct made m;
	struct profile p;
	size_t harmless = 0;

	(void)state;
	for (size_t i = 0; i < PROFILE_LOSSES; i++) {
		uint64_t one = 1;

		make(&m);
		memcpy((char *)&m.segment.lost + profile_losses[i].at, &one,
		    sizeof(one));
		open_well(&m, &p);
		assert_int_equal(profile_lost(&p, &profile_losses[i]), 1);
		assert_int_equal(profile_is_exact(&p),
		    !profile_losses[i].withdraws);
		harmless += !profile_losses[i].withdraws;
		profile_close(&p);
	}
	assert_int_equal(harmless, 2); /* truncated, verified */
}

/* --- what is bad ---------------------------------------------------------- */

static void no_magic(struct made *m) { m->segment.head.magic[0] = 'H'; }
static void other_order(struct made *m)
{ m->segment.head.byte_order = UINT32_C(0x04030201); }
static void other_layout(struct made *m) { m->segment.head.layout = 99; }
static void not_ready(struct made *m) { m->segment.head.ready = 0; }
static void small_header(struct made *m) { m->segment.head.header_bytes = 64; }
static void huge_header(struct made *m)
{ m->segment.head.header_bytes = UINT32_MAX; }
static void more_bytes(struct made *m) { m->segment.head.bytes += 1; }
static void huge_count(struct made *m)
{ m->segment.table[TABLE_SITES].capacity = UINT64_MAX; }
static void wrapping_count(struct made *m)
{ m->segment.table[TABLE_SITES].capacity = UINT64_MAX / 16 + 2; }
static void outside(struct made *m)
{ m->segment.table[TABLE_NODES].offset = sizeof(*m); }
static void far_outside(struct made *m)
{ m->segment.table[TABLE_NODES].offset = UINT64_MAX - 7; }
static void in_header(struct made *m)
{ m->segment.table[TABLE_NODES].offset = 64; }
static void crooked(struct made *m)
{ m->segment.table[TABLE_NODES].offset += 3; }
static void other_rows(struct made *m)
{ m->segment.table[TABLE_TALLIES].entry_bytes = 0; }
static void overlap(struct made *m)
{ m->segment.table[TABLE_SITES].offset = offsetof(struct made, tally) + 192; }

static void
what_is_no_good_profile_is_refused_with_the_reason(void **state)
{
	static const struct {
		void (*change)(struct made *m);
		const char *why;
	} cases[] = {
		{ no_magic, "'made' is not a heaptide profile" },
		{ other_order, "'made' comes from a machine of the other byte "
		  "order, or is damaged" },
		{ other_layout, "'made' has profile layout 99, and this "
		  "heaptide reads layout 5" },
		{ not_ready, "'made' was never completed: the program ended "
		  "while heaptide started in it" },
		{ small_header, "'made' is damaged: its header contradicts "
		  "itself" },
		{ huge_header, "'made' is damaged: its header contradicts "
		  "itself" },
		{ more_bytes, "'made' is cut off: " },
		{ huge_count, "'made' is damaged: its table of sites reaches "
		  "outside of the file" },
		{ wrapping_count, "'made' is damaged: its table of sites "
		  "reaches outside of the file" },
		{ outside, "'made' is damaged: its table of stacks reaches "
		  "outside of the file" },
		{ far_outside, "'made' is damaged: its table of stacks reaches "
		  "outside of the file" },
		{ in_header, "'made' is damaged: its table of stacks reaches "
		  "outside of the file" },
		{ crooked, "'made' is damaged: its table of stacks reaches "
		  "outside of the file" },
		{ other_rows, "'made' is damaged: rows of threads have 0 "
		  "bytes, not 192" },
		{ overlap, "'made' is damaged: its tables of threads and sites "
		  "overlap" },
	};
	struct made m;
	struct profile p;
	char why[WHY_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		make(&m);
		cases[i].change(&m);
		assert_int_equal(open_made(&m, &p, why), -EINVAL);
		if (strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%s", why);
	}
}

static void
a_profile_cut_anywhere_is_refused(void **state)
{
	struct made m;
	struct profile p;
	char why[WHY_ROOM];

	(void)state;
	make(&m);
	for (size_t size = 0; size < sizeof(m); size++) {
		uint8_t *cut = malloc(size + 1); /* its end is watched */

		memcpy(cut, &m, size);
		assert_int_equal(profile_open_bytes(cut, size, "made", &p,
		    why), -EINVAL);
		free(cut);
	}
}

static void
any_bit_may_flip_without_harm(void **state)
{
	struct made m;
	struct profile p;
	char why[WHY_ROOM];
	size_t opened = 0;

	(void)state;
	make(&m);
	for (size_t at = 0; at < sizeof(m); at++) {
		if (at == sizeof(struct segment))
			at = SEGMENT_HEADER_BYTES; /* zeros between */
		for (unsigned bit = 0; bit < 8; bit++) {
			uint8_t *byte = (uint8_t *)&m + at;

			*byte ^= (uint8_t)(1U << bit);
			if (open_made(&m, &p, why) == 0) {
				ask_everything(&p);
				profile_close(&p);
				opened++;
			}
			*byte ^= (uint8_t)(1U << bit);
		}
	}
	assert_true(opened > 0);
}

static void
used_rows_end_where_the_table_does(void **state)
{
	struct made m;
	struct profile p;

	(void)state;
	make(&m);
	m.segment.table[TABLE_SITES].used = UINT64_MAX;
	m.segment.table[TABLE_NODES].used = ROWS + 1;
	open_well(&m, &p);
	assert_int_equal(p.sites, ROWS);
	assert_int_equal(p.nodes, ROWS);
	ask_everything(&p);
	profile_close(&p);
}

static void circle(struct made *m) { m->node[2].parent = 3; }
static void own_parent(struct made *m) { m->node[2].parent = 2; }
static void far_parent(struct made *m) { m->node[2].parent = UINT32_MAX; }
static void far_leaf(struct made *m) { m->site[1].leaf = 4; }
static void far_text(struct made *m)
{ m->module[0].path = (struct segment_text){ 20, UINT32_MAX }; }
static void long_id(struct made *m) { m->module[0].build_id_bytes = 21; }
static void reversed(struct made *m) { m->mapping[0].end = 0x7000; }
static void strange_kind(struct made *m) { m->mapping[0].kind = 77; }
static void far_site(struct made *m) { m->mapping[0].site = 3; }
static void far_count(struct made *m) { m->count[1].stamp = stamp_of(3, 0); }
static void other_count(struct made *m) { m->first[2].stamp = stamp_of(1, 0); }

static void
make_finding(struct made *m, struct finding f)
{
	m->finding[0] = f;
	m->segment.table[TABLE_FINDINGS].used = 1;
}

static void finding_kind(struct made *m)
{ make_finding(m, (struct finding){ .kind = FINDING_KINDS }); }
static void finding_site(struct made *m)
{ make_finding(m, (struct finding){ .kind = 1, .allocated = 3 }); }
static void finding_node(struct made *m)
{ make_finding(m, (struct finding){ .kind = 1, .freed = 4 }); }

static void
rows_that_lie_are_counted_and_harm_nobody(void **state)
{
	static void (*const changes[])(struct made *m) = {
		circle, own_parent, far_parent, far_leaf, far_text, long_id,
		reversed, strange_kind, far_site, far_count, other_count,
		finding_kind, finding_site, finding_node,
	};
	struct made m;
	struct profile p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
		make(&m);
		changes[i](&m);
		open_well(&m, &p);
		assert_int_equal(p.damaged, 1);
		assert_false(profile_is_exact(&p));
		ask_everything(&p);
		profile_close(&p);
	}
}

static void
a_stack_ends_where_its_parent_lies(void **state)
{
	struct made m;
	struct profile p;
	uint64_t pcs[4];
	uint32_t nodes[4];

	(void)state;
	make(&m);
	circle(&m);
	open_well(&m, &p);
	assert_int_equal(profile_stack(&p, &p.site[1], pcs, nodes, 4), 2);
	assert_int_equal(pcs[1], 0x1200);
	profile_close(&p);
}

static void
a_text_outside_of_the_table_is_empty(void **state)
{
	static const struct segment_text texts[] = {
		{ 0, 0 }, { 0, TEXT_ROOM }, { UINT32_MAX, 1 },
		{ 1, UINT32_MAX }, { UINT32_MAX, UINT32_MAX },
	};
	struct made m;
	struct profile p;

	(void)state;
	make(&m);
	open_well(&m, &p);
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		char *text = profile_text(&p, texts[i]);

		assert_string_equal(text, "");
		free(text);
	}
	profile_close(&p);
}

static void
a_module_not_finished_yet_is_no_damage(void **state)
{
	struct made m;
	struct profile p;

	(void)state;
	make(&m);
	m.module[0].end = 0;
	open_well(&m, &p);
	assert_int_equal(p.damaged, 0);
	assert_null(profile_module(&p, 0x1100, 1));
	profile_close(&p);
}

/* --- files ---------------------------------------------------------------- */

static char directory[] = "/tmp/test-reader.XXXXXX";

/* A path in the directory of this test; valid until the fourth call after. */
static const char *
in_directory(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *to = path[next++ % 4];

	snprintf(to, sizeof(path[0]), "%s/%s", directory, name);
	return to;
}

static void
write_file(const char *path, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

static int
make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	return setenv("HEAPTIDE_DIR", directory, 1);
}

static int
remove_directory(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

static void
what_is_no_file_to_read_is_refused_by_its_name(void **state)
{
	static const struct {
		const char *name;
		int error;
		const char *why; /* behind the name */
	} cases[] = {
		{ "missing", -ENOENT, "cannot be opened: No such file or "
		  "directory" },
		{ "empty", -EINVAL, "is empty, no profile" },
		{ ".", -EINVAL, "is a directory, not a profile" },
		{ "fifo", -EINVAL, "is not a regular file, so no profile" },
		{ "foreign", -EINVAL, "is not a heaptide profile" },
		{ "short", -EINVAL, "is cut off: 100 bytes are too few for a "
		  "profile" },
	};
	struct made m;
	struct profile p;
	char why[WHY_ROOM];

	(void)state;
	make(&m);
	write_file(in_directory("empty"), "", 0);
	write_file(in_directory("foreign"), "something else", 14);
	write_file(in_directory("short"), &m, 100);
	assert_int_equal(mkfifo(in_directory("fifo"), 0600), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const char *path = in_directory(cases[i].name);
		char expected[WHY_ROOM];

		snprintf(expected, sizeof(expected), "'%s' %s", path,
		    cases[i].why);
		assert_int_equal(profile_open(path, &p, why), cases[i].error);
		assert_string_equal(why, expected);
	}
}

static void
a_sparse_file_is_read_by_its_used_rows(void **state)
{
	struct made m;
	struct profile p;
	char why[WHY_ROOM];
	const char *path = in_directory("sparse");

	(void)state;
	make(&m);
	m.segment.head.bytes = 200 * MIB;
	m.segment.table[TABLE_TEXT].capacity = 100 * MIB;
	write_file(path, &m, sizeof(m));
	assert_int_equal(truncate(path, 200 * MIB), 0);
	assert_int_equal(profile_open(path, &p, why), 0);
	assert_true(p.bytes < 64 * KIB);
	assert_int_equal(p.sites, 3);
	profile_close(&p);
}

static void
a_copy_says_the_same_in_fewer_bytes(void **state)
{
	struct made m;
	struct profile p, copy;
	struct totals a, b;
	struct stat st;
	char why[WHY_ROOM];
	char *text;
	const char *path = in_directory("copy");

	(void)state;
	make(&m);
	m.segment.identity.pid = getpid(); /* it is no live one all the same */
	open_well(&m, &p);
	assert_int_equal(profile_compact(&p, path), 0);
	assert_int_equal(stat(path, &st), 0);
	/* And what the parts were. */
	assert_in_range(st.st_size, p.bytes + 1, p.bytes + 300);
	assert_int_equal(profile_open(path, &copy, why), 0);
	assert_int_equal(copy.changed, 0);
	assert_int_equal(copy.bytes, p.bytes);
	assert_int_equal(copy.segment->head.compact, 1);
	assert_false(copy.live);
	profile_totals(&p, &a);
	profile_totals(&copy, &b);
	assert_int_equal(a.live_bytes, b.live_bytes);
	assert_int_equal(a.peak_bytes, b.peak_bytes);
	assert_int_equal(a.allocations, b.allocations);
	assert_int_equal(copy.sites, p.sites);
	assert_memory_equal(copy.site, p.site, p.sites * sizeof(*p.site));
	assert_memory_equal(copy.node, p.node, p.nodes * sizeof(*p.node));
	text = profile_text(&copy, copy.segment->identity.executable);
	assert_string_equal(text, "/bin/prog");
	free(text);
	profile_close(&copy);
	profile_close(&p);
}

/* --- a copy that was changed ---------------------------------------------- */

/* A good copy as it is in its file; to be freed. */
static uint8_t *
make_copy(size_t *bytes)
{
	const char *path = in_directory("changed");
	struct profile p;
	struct stat st;
	struct made m;
	uint8_t *copy;
	FILE *file;

	make(&m);
	open_well(&m, &p);
	assert_int_equal(profile_compact(&p, path), 0);
	profile_close(&p);
	assert_int_equal(stat(path, &st), 0);
	*bytes = (size_t)st.st_size;
	copy = malloc(*bytes);
	file = fopen(path, "r");
	assert_true(copy != NULL && file != NULL);
	assert_int_equal(fread(copy, 1, *bytes, file), *bytes);
	fclose(file);
	return copy;
}

/* Is byte @at of the file in the header, or in a row? */
static bool
is_meant(const struct segment *s, size_t at)
{
	if (at < SEGMENT_HEADER_BYTES)
		return true;
	for (size_t i = 0; i < TABLE_ROOM; i++) {
		const struct segment_table *t = &s->table[i];

		if (at >= t->offset &&
		    at < t->offset + t->used * t->entry_bytes)
			return true;
	}
	return false;
}

static void
whatever_byte_of_a_copy_is_changed_is_noticed(void **state)
{
	struct profile p;
	char why[WHY_ROOM];
	size_t bytes, meant = 0;
	uint8_t *copy = make_copy(&bytes);
	const struct segment *s = (struct segment *)(void *)copy;

	(void)state;
	for (size_t at = 0; at < bytes; at++) {
		bool is = is_meant(s, at);

		meant += is;
		copy[at] ^= (uint8_t)(1 << at % 8);
		if (profile_open_bytes(copy, bytes, "p", &p, why) == 0) {
			if ((p.changed != 0) != is)
				fail_msg("byte %zu: %s", at, is ?
				    "not noticed" : "nobody reads it");
			profile_close(&p);
		} else {
			assert_true(is);
		}
		copy[at] ^= (uint8_t)(1 << at % 8);
	}
	assert_true(meant > SEGMENT_HEADER_BYTES);
	free(copy);
}

static void
where_a_copy_was_changed_is_told(void **state)
{
	static const struct {
		enum segment_table_id id[4];
		const char *where;
	} cases[] = {
		{ { TABLE_SITES }, "its sites" },
		{ { TABLE_SITES, TABLE_NODES }, "its sites, its stacks" },
		{ { TABLE_SEAL }, "its checksums" },
		{ { TABLE_TALLIES, TABLE_SITES, TABLE_TEXT, TABLE_MODULES },
		  "its threads, its sites, its modules and others" },
	};
	char where[PROFILE_CHANGED_ROOM], why[WHY_ROOM];
	struct segment *s;
	struct profile p;
	size_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint8_t *copy = make_copy(&bytes);

		s = (struct segment *)(void *)copy;
		for (size_t k = 0; k == 0 || (k < 4 && cases[i].id[k]); k++)
			copy[s->table[cases[i].id[k]].offset + 1] ^= 1;
		assert_int_equal(profile_open_bytes(copy, bytes, "p", &p, why),
		    0);
		profile_describe_changed(&p, where);
		assert_string_equal(where, cases[i].where);
		assert_false(profile_is_exact(&p));
		profile_close(&p);
		free(copy);
	}
}

static void
a_copy_of_what_was_changed_says_so_as_well(void **state)
{
	const char *path = in_directory("again");
	struct profile p, again;
	char why[WHY_ROOM];
	size_t bytes;
	uint8_t *copy = make_copy(&bytes);
	const struct segment *s = (struct segment *)(void *)copy;

	(void)state;
	copy[s->table[TABLE_SITES].offset + 20] ^= 4;
	assert_int_equal(profile_open_bytes(copy, bytes, "p", &p, why), 0);
	assert_int_equal(profile_compact(&p, path), 0);
	assert_int_equal(profile_open(path, &again, why), 0);
	assert_int_equal(again.changed, UINT64_C(1) << TABLE_SITES);
	profile_close(&again);
	profile_close(&p);
	free(copy);
}

static void
a_copy_of_before_there_were_checksums_is_as_good(void **state)
{
	struct profile p;
	char why[WHY_ROOM];
	size_t bytes;
	uint8_t *copy = make_copy(&bytes);
	struct segment *s = (struct segment *)(void *)copy;

	(void)state;
	s->head.bytes = s->table[TABLE_SEAL].offset;
	memset(&s->table[TABLE_SEAL], 0, sizeof(*s->table));
	assert_int_equal(profile_open_bytes(copy, s->head.bytes, "p", &p, why),
	    0);
	assert_int_equal(p.changed, 0);
	profile_close(&p);
	free(copy);
}

static void
a_copy_that_cannot_be_made_leaves_nothing_behind(void **state)
{
	struct made m;
	struct profile p;
	struct stat st;

	(void)state;
	make(&m);
	open_well(&m, &p);
	assert_int_equal(profile_compact(&p, in_directory("no/such")),
	    -ENOENT);
	/* A device is written to, never replaced by a file. */
	assert_int_equal(profile_compact(&p, "/dev/full"), -ENOSPC);
	assert_int_equal(profile_compact(&p, "/dev/null"), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	profile_close(&p);
}

/* --- by pid --------------------------------------------------------------- */

static void
a_pid_finds_the_profile_of_the_process_that_is_alive(void **state)
{
	struct proc_stat stat;
	struct profile p;
	struct made m;
	char name[64], why[WHY_ROOM], pid[16];

	(void)state;
	assert_int_equal(proc_stat_read(0, &stat), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	make(&m);
	m.segment.identity.pid = getpid();
	m.segment.identity.start_ticks = stat.ticks;
	snprintf(name, sizeof(name), "%s.%llu.tide", pid,
	    (unsigned long long)stat.ticks);
	write_file(in_directory(name), &m, sizeof(m));

	/* An image before an exec, and a process of the same pid before. */
	m.segment.identity.uid = 4711;
	snprintf(name, sizeof(name), "%s.%llu.0.tide", pid,
	    (unsigned long long)stat.ticks);
	write_file(in_directory(name), &m, sizeof(m));
	snprintf(name, sizeof(name), "%s.1.tide", pid);
	write_file(in_directory(name), &m, sizeof(m));

	assert_int_equal(profile_open(pid, &p, why), 0);
	assert_true(p.live);
	assert_int_equal(p.segment->identity.uid, 0);
	profile_close(&p);
}

static void
a_process_that_became_another_program_is_not_live(void **state)
{
	struct proc_stat stat;
	struct profile p;
	struct made m;

	(void)state;
	assert_int_equal(proc_stat_read(0, &stat), 0);
	make(&m);
	m.segment.identity.pid = getpid();
	m.segment.identity.start_ticks = stat.ticks;
	m.segment.end.how = END_EXEC;
	m.segment.end.at_ns = 14 * NS_PER_S;
	open_well(&m, &p);
	assert_false(p.live);
	assert_int_equal(p.now_ns, 14 * NS_PER_S);
	profile_close(&p);
}

static void
a_pid_without_a_profile_is_said_to_have_none(void **state)
{
	struct profile p;
	char why[WHY_ROOM], expected[WHY_ROOM];

	(void)state;
	assert_int_equal(profile_open("1073741823", &p, why), -ENOENT);
	snprintf(expected, sizeof(expected), "there is no profile of process "
	    "1073741823 in '%s': there is no such process", directory);
	assert_string_equal(why, expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_profile_shows_all_its_rows),
		cmocka_unit_test(totals_are_the_sums_of_all_threads),
		cmocka_unit_test(
		    the_peak_counts_what_no_thread_has_published_yet),
		cmocka_unit_test(
		    the_peak_of_one_thread_is_exact_and_of_several_has_a_bound),
		cmocka_unit_test(requested_figures_need_all_stacks),
		cmocka_unit_test(
		    what_was_inherited_is_live_until_it_is_given_back),
		cmocka_unit_test(
		    a_site_that_changed_since_the_peak_tells_what_it_held),
		cmocka_unit_test(
		    figures_of_a_site_are_the_sums_of_what_threads_counted),
		cmocka_unit_test(what_was_drawn_is_added_with_its_error),
		cmocka_unit_test(an_error_that_is_none_is_not_believed),
		cmocka_unit_test(
		    a_stack_is_told_leaf_first_and_cut_at_the_room),
		cmocka_unit_test(
		    an_address_belongs_to_the_module_that_was_there_at_that_time
		    ),
		cmocka_unit_test(
		    arguments_are_told_apart_by_the_zero_bytes_behind_them),
		cmocka_unit_test(
		    marks_come_along_with_what_sites_held_at_them),
		cmocka_unit_test(any_loss_takes_the_word_exact_away),
		cmocka_unit_test(
		    what_is_no_good_profile_is_refused_with_the_reason),
		cmocka_unit_test(a_profile_cut_anywhere_is_refused),
		cmocka_unit_test(any_bit_may_flip_without_harm),
		cmocka_unit_test(used_rows_end_where_the_table_does),
		cmocka_unit_test(rows_that_lie_are_counted_and_harm_nobody),
		cmocka_unit_test(a_stack_ends_where_its_parent_lies),
		cmocka_unit_test(a_text_outside_of_the_table_is_empty),
		cmocka_unit_test(a_module_not_finished_yet_is_no_damage),
		cmocka_unit_test(
		    what_is_no_file_to_read_is_refused_by_its_name),
		cmocka_unit_test(a_sparse_file_is_read_by_its_used_rows),
		cmocka_unit_test(a_copy_says_the_same_in_fewer_bytes),
		cmocka_unit_test(whatever_byte_of_a_copy_is_changed_is_noticed),
		cmocka_unit_test(where_a_copy_was_changed_is_told),
		cmocka_unit_test(a_copy_of_what_was_changed_says_so_as_well),
		cmocka_unit_test(
		    a_copy_of_before_there_were_checksums_is_as_good),
		cmocka_unit_test(
		    a_copy_that_cannot_be_made_leaves_nothing_behind),
		cmocka_unit_test(
		    a_pid_finds_the_profile_of_the_process_that_is_alive),
		cmocka_unit_test(
		    a_process_that_became_another_program_is_not_live),
		cmocka_unit_test(a_pid_without_a_profile_is_said_to_have_none),
	};

	return cmocka_run_group_tests(tests, make_directory,
	    remove_directory);
}
