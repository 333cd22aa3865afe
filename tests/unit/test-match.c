/*
 * test-match.c - which sites of two profiles are the same
 *
 * Two profiles are made by hand, alike but for the addresses; one thing in the
 * second is changed, and it shows in the rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/base.h"
#include "diff/match.h"

#define ROWS 8
#define TEXT_ROOM 64
#define MOVED 0x500000 /* where the second has its modules */

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
	struct trend trend[ROWS];
	char text[TEXT_ROOM];
};

static void
make_head(struct segment *s)
{
	memcpy(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic));
	s->head.layout = SEGMENT_LAYOUT;
	s->head.byte_order = SEGMENT_BYTE_ORDER;
	s->head.bytes = sizeof(struct made);
	s->head.header_bytes = SEGMENT_HEADER_BYTES;
	s->head.page_bytes = 4096;
	s->head.ready = 1;
	s->identity.pid = 1 << 30; /* no such process */
	s->config.stacks = STACKS_ALL;
}

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

/*
 * /bin/prog with an id at @base + 0x1000 and /lib/lib without at + 0x3000.
 * Site 1 is prog+0x100 below lib+0x200, site 2 prog+0x180 below the same.
 */
static void
make(struct made *m, uint64_t base)
{
	static const char text[] = "/bin/prog/lib/lib";

	memset(m, 0, sizeof(*m));
	make_head(&m->segment);
#define TABLE(id, member, used) make_table(m, id, \
	    offsetof(struct made, member), sizeof(m->member[0]), \
	    sizeof(m->member) / sizeof(m->member[0]), used)
	TABLE(TABLE_TALLIES, tally, 0);
	TABLE(TABLE_SITES, site, 3);
	TABLE(TABLE_FIRST, first, 0);
	TABLE(TABLE_COUNTS, count, 0);
	TABLE(TABLE_ESTIMATES, estimate, 0);
	TABLE(TABLE_NODES, node, 4);
	TABLE(TABLE_MODULES, module, 2);
	TABLE(TABLE_MAPPINGS, mapping, 0);
	TABLE(TABLE_SECONDS, second, 0);
	TABLE(TABLE_MINUTES, minute, 0);
	TABLE(TABLE_MARKS, mark, 0);
	TABLE(TABLE_TRENDS, trend, 0);
	TABLE(TABLE_TEXT, text, sizeof(text) - 1);
#undef TABLE
	memcpy(m->text, text, sizeof(text) - 1);
	m->module[0] = (struct module){ .start = base + 0x1000,
	    .end = base + 0x2000, .base = base + 0x1000, .path = { 0, 9 },
	    .build_id_bytes = 4, .build_id = { 1, 2, 3, 4 } };
	m->module[1] = (struct module){ .start = base + 0x3000,
	    .end = base + 0x4000, .base = base + 0x3000, .path = { 9, 8 } };
	m->node[1] = (struct node){ .pc = base + 0x3200 };
	m->node[2] = (struct node){ .pc = base + 0x1100, .parent = 1 };
	m->node[3] = (struct node){ .pc = base + 0x1180, .parent = 1 };
	m->site[1].leaf = 2;
	m->site[2].leaf = 3;
}

/* Site 1 holds 100 and 1000, site 2 200 and 2000. */
static const struct holding held[2][ROWS] = {
	{ { 0 }, { .bytes = 100, .variance = 9 }, { .bytes = 200 } },
	{ { 0 }, { .bytes = 1000, .variance = 16 }, { .bytes = 2000 } },
};

static void
match_made(const struct made *a, const struct made *b,
    struct profile profile[2], struct match *match)
{
	const struct made *made[2] = { a, b };
	struct match_side side[2];
	char why[512];

	for (int i = 0; i < 2; i++) {
		if (profile_open_bytes(made[i], sizeof(*made[i]), "made",
		    &profile[i], why) != 0)
			fail_msg("%s", why);
		side[i] = (struct match_side){
			.profile = &profile[i],
			.symbols = symbols_open(&profile[i], false),
			.held = held[i],
		};
	}
	match_open(match, side);
	for (int i = 0; i < 2; i++)
		symbols_close(side[i].symbols);
}

static void
give_back(struct profile profile[2], struct match *match)
{
	match_close(match);
	profile_close(&profile[0]);
	profile_close(&profile[1]);
}

/* The row that holds @a and @b, or NULL. */
static const struct match_row *
find_row(const struct match *m, uint64_t a, uint64_t b)
{
	for (size_t i = 0; i < m->rows; i++)
		if (m->row[i].held[0].bytes == a &&
		    m->row[i].held[1].bytes == b)
			return &m->row[i];
	return NULL;
}

/* --- the same ------------------------------------------------------------- */

static void
the_same_stacks_at_other_addresses_are_the_same(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;
	const struct match_row *row;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rows, 2);
	assert_int_equal(match.rebuilts, 0);
	row = find_row(&match, 100, 1000);
	assert_non_null(row);
	assert_true(row->held[0].variance == 9 && row->held[1].variance == 16);
	assert_ptr_equal(row->site[0], &profile[0].site[1]);
	assert_ptr_equal(row->site[1], &profile[1].site[1]);
	assert_non_null(find_row(&match, 200, 2000));
	give_back(profile, &match);
}

static void
numbers_of_sites_and_nodes_mean_nothing(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.site[1].leaf = 3;
	b.site[2].leaf = 2;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rows, 2);
	assert_non_null(find_row(&match, 100, 2000));
	assert_non_null(find_row(&match, 200, 1000));
	give_back(profile, &match);
}

static void
a_module_without_build_id_on_one_side_is_known_by_name(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.module[0].build_id_bytes = 0;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rows, 2);
	assert_int_equal(match.rebuilts, 0);
	give_back(profile, &match);
}

static void
the_same_build_in_another_directory_is_the_same(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	memcpy(b.text, "/new/prog", 9);
	b.module[0].path.bytes = 9;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rows, 2);
	give_back(profile, &match);
}

/* --- another -------------------------------------------------------------- */

static void
a_stack_that_one_side_has_alone_has_no_other(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.node[3].pc += 8;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rows, 3);
	assert_non_null(find_row(&match, 100, 1000));
	assert_null(find_row(&match, 200, 0)->site[1]);
	assert_null(find_row(&match, 0, 2000)->site[0]);
	give_back(profile, &match);
}

static void
another_caller_makes_another_stack(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.node[1].pc += 8;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rows, 4);
	give_back(profile, &match);
}

static void
a_mapping_is_not_a_block_of_the_same_stack(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.site[1].flags = SITE_MAPPING;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rows, 3);
	assert_true(find_row(&match, 0, 1000)->mapping);
	assert_false(find_row(&match, 100, 0)->mapping);
	give_back(profile, &match);
}

static void
without_names_nothing_of_another_build_is_the_same(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.module[0].build_id[0] = 9;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rebuilts, 1);
	assert_string_equal(match.rebuilt[0], "prog");
	assert_int_equal(match.rows, 4);
	assert_int_equal(match.unnamed, 4);
	give_back(profile, &match);
}

static void
a_second_build_on_one_side_does_not_make_the_first_another(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.segment.table[TABLE_MODULES].used = 3;
	b.module[2] = b.module[0];
	b.module[2].start += 0x8000;
	b.module[2].end += 0x8000;
	b.module[2].build_id[0] = 9;
	match_made(&a, &b, profile, &match);
	assert_int_equal(match.rebuilts, 0);
	assert_int_equal(match.rows, 2);
	give_back(profile, &match);
}

/* --- what is wrong -------------------------------------------------------- */

static void
damaged_rows_are_no_danger(void **state)
{
	struct profile profile[2];
	struct match match;
	struct made a, b;

	(void)state;
	make(&a, 0);
	make(&b, MOVED);
	b.node[2].parent = 3; /* below one that comes later */
	b.node[3].parent = 7; /* below one that there is not */
	b.site[2].leaf = 77;
	b.module[1].path.bytes = 1000;
	match_made(&a, &b, profile, &match);
	assert_non_null(find_row(&match, 0, 1000));
	give_back(profile, &match);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_same_stacks_at_other_addresses_are_the_same),
		cmocka_unit_test(numbers_of_sites_and_nodes_mean_nothing),
		cmocka_unit_test(
		    a_module_without_build_id_on_one_side_is_known_by_name),
		cmocka_unit_test(
		    the_same_build_in_another_directory_is_the_same),
		cmocka_unit_test(a_stack_that_one_side_has_alone_has_no_other),
		cmocka_unit_test(another_caller_makes_another_stack),
		cmocka_unit_test(a_mapping_is_not_a_block_of_the_same_stack),
		cmocka_unit_test(
		    without_names_nothing_of_another_build_is_the_same),
		cmocka_unit_test(
		    a_second_build_on_one_side_does_not_make_the_first_another),
		cmocka_unit_test(damaged_rows_are_no_danger),
	};

	/* Names are asked for, and must be nobody's in particular. */
	setenv("XDG_CACHE_HOME", "/nonexistent", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
