/*
 * An interpreter of words: frames, code and texts where CPython 3.11 has them.
 * That real ones have them there, tests/live/python-frames.sh shows.
 */
#include "own-segment.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "stack/pyframe.h"
#include "stack/pyname.h"

#define WORDS 64

static uint64_t type[WORDS], thread[WORDS], place[WORDS], runtime[WORDS];
static uint64_t frame[8][WORDS], code[8][WORDS];
static uint64_t function[WORDS], file[WORDS], lines[WORDS];

static uint64_t
at(const void *p)
{
	return (uintptr_t)p;
}

static void *
own_thread(void)
{
	return thread;
}

static bool ends;

static void *
current_thread(void)
{
	return place;
}

static int
it_ends(void)
{
	return ends;
}

static void
set_text(uint64_t *text, const char *s, uint64_t hash)
{
	memset(text, 0, WORDS * 8);
	text[2] = strlen(s);
	text[3] = hash;
	text[4] = 1 << 2 | 0x20 | 0x40; /* of bytes, compact, ASCII */
	memcpy((char *)text + 48, s, strlen(s));
}

static void
set_lines(const uint8_t *bytes, size_t n)
{
	memset(lines, 0, sizeof(lines));
	lines[2] = n;
	memcpy((char *)lines + 32, bytes, n);
}

static void
set_frame(int i, int instruction, bool last)
{
	memset(frame[i], 0, sizeof(frame[i]));
	memset(code[i], 0, sizeof(code[i]));
	code[i][0] = 1;
	code[i][1] = at(type);
	code[i][2] = 40;
	((uint32_t *)code[i])[18] = 100; /* the first line */
	code[i][14] = at(file);
	code[i][16] = at(function);
	code[i][17] = at(lines);
	frame[i][4] = at(code[i]);
	frame[i][6] = i < 7 ? at(frame[i + 1]) : 0;
	frame[i][7] = at(code[i]) + 184 + 2 * (uint64_t)instruction;
	((uint8_t *)frame[i])[68] = last;
}

/* Three frames, the first two of one call. */
static int
fresh(void **state)
{
	const struct pyframe_host host = {
		.version = 0x030b07f0,
		.runtime = at(runtime),
		.code_type = at(type),
		.own = own_thread,
		.current = current_thread,
		.ends = it_ends,
	};
	static const uint8_t table[] = { 0x80 | 0 << 3 | 7, 0 };

	(void)state;
	assert_true(pyframe_open(&host));
	ends = false;
	thread[19] = (uint64_t)pthread_self();
	thread[7] = at(place);
	place[1] = at(frame[0]);
	set_text(function, "Loader.rows", 7);
	set_text(file, "ingest.py", 8);
	set_lines(table, sizeof(table));
	set_frame(0, 0, false);
	set_frame(1, 0, true);
	set_frame(2, 0, true);
	frame[2][6] = 0;
	return 0;
}

static uint64_t
sum(void)
{
	uint32_t calls;

	return pyframe_sum(100, &calls);
}

static void
frames_come_from_the_innermost_on(void **state)
{
	struct pyframe_walk w;
	struct pyframe f;
	uint32_t calls;
	int i;

	(void)state;
	pyframe_begin(&w, 100);
	for (i = 0; pyframe_next(&w, &f); i++) {
		assert_int_equal(f.code, at(code[i]));
		assert_int_equal(f.last, i > 0);
	}
	assert_int_equal(i, 3);
	assert_int_not_equal(pyframe_sum(100, &calls), 0);
	assert_int_equal(calls, 2);
	pyframe_begin(&w, 2);
	for (i = 0; pyframe_next(&w, &f); i++)
		;
	assert_int_equal(i, 2);
}

static void
another_thread_s_state_is_not_believed(void **state)
{
	(void)state;
	assert_int_not_equal(sum(), 0);
	ends = true; /* and it may be freed */
	assert_int_equal(sum(), 0);
	ends = false;
	thread[19]++;
	assert_int_equal(sum(), 0);
}

static void
the_sum_tells_code_from_what_lay_there_before(void **state)
{
	uint64_t was = sum();
	uint64_t now;

	(void)state;
	assert_int_equal(sum(), was);
	frame[2][7] += 2;
	now = sum();
	assert_int_not_equal(now, was);
	frame[2][7] -= 2;
	set_text(function, "Loader.cols", 9);
	assert_int_not_equal(sum(), was);
	set_text(function, "Loader.rows", 7);
	assert_int_equal(sum(), was);
	/* Nobody has asked for their hashes yet. */
	set_text(file, "a1", UINT64_MAX);
	was = sum();
	set_text(file, "a2", UINT64_MAX);
	assert_int_not_equal(sum(), was);
	set_text(file, "a/long/path/of/some/1.py", UINT64_MAX);
	was = sum();
	set_text(file, "a/long/path/of/some/2.py", UINT64_MAX);
	assert_int_not_equal(sum(), was);
	((uint8_t *)frame[0])[68] = true;
	now = sum();
	((uint8_t *)frame[0])[68] = false;
	assert_int_not_equal(sum(), now);
}

static void
a_chain_that_is_none_ends(void **state)
{
	char *gone = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	const uint64_t wild[] = { 8, 4096, 0x1001, at(gone), UINT64_MAX,
		UINT64_C(1) << 47, (UINT64_C(1) << 47) - 8 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(wild); i++) {
		fresh(NULL);
		frame[1][6] = wild[i];
		assert_int_not_equal(sum(), 0);
		frame[1][4] = wild[i];
		assert_int_not_equal(sum(), 0);
		frame[0][4] = wild[i];
		assert_int_equal(sum(), 0);
		fresh(NULL);
		place[1] = wild[i];
		assert_int_equal(sum(), 0);
		fresh(NULL);
		thread[7] = wild[i];
		assert_int_equal(sum(), 0);
		fresh(NULL);
		code[0][14] = code[0][16] = code[0][17] = wild[i];
		assert_int_not_equal(sum(), 0);
	}
	fresh(NULL);
	frame[2][6] = at(frame[0]); /* a circle */
	assert_int_not_equal(sum(), 0);
	code[0][0] = 0; /* it is being destroyed */
	assert_int_equal(sum(), 0);
	munmap(gone, 4096);
}

static uint32_t
line_at(int instruction)
{
	struct pyframe_walk w;
	struct pyframe f;

	set_frame(0, instruction, true);
	pyframe_begin(&w, 1);
	assert_true(pyframe_next(&w, &f));
	return pyframe_line(&f);
}

static void
lines_are_those_of_the_instruction(void **state)
{
	static const uint8_t table[] = {
		0x80 | 0 << 3 | 1, 0x11,           /* 2 on line 100 */
		0x80 | 11 << 3 | 0, 1, 2,          /* 1 on 101 */
		0x80 | 13 << 3 | 0, 0x40 | 8, 3,   /* 1 on 101 + 100 */
		0x80 | 14 << 3 | 2, 7, 0, 1, 1,    /* 3 on 201 - 3 */
		0x80 | 15 << 3 | 0,                /* 1 on none */
		0x80 | 10 << 3 | 0, 1, 2,          /* 1 on 198 */
	};
	static const uint32_t line[] = { 100, 100, 101, 201, 198, 198, 198, 0,
		198, 0, 0 };
	size_t i;

	(void)state;
	set_lines(table, sizeof(table));
	for (i = 0; i < ARRAY_LENGTH(line); i++)
		assert_int_equal(line_at((int)i), line[i]);
	assert_int_equal(line_at(-1), 100); /* it has not begun */
	/* Cut in the middle of a number, and without any. */
	set_lines(table, 7);
	assert_int_equal(line_at(0), 100);
	assert_int_equal(line_at(3), 105);
	set_lines(table, 0);
	assert_int_equal(line_at(0), 0);
	lines[2] = UINT64_MAX;
	assert_int_equal(line_at(0), 100);
}

static void
texts_are_utf_8(void **state)
{
	static const uint32_t wide[] = { 'a', 0xe4, 0x20ac, 0x1f600, 0xd800 };
	char buffer[PYFRAME_TEXT];
	struct pyframe_walk w;
	struct pyframe f;
	const char *s;
	size_t n;

	(void)state;
	pyframe_begin(&w, 1);
	assert_true(pyframe_next(&w, &f));
	s = pyframe_file(&f, buffer, &n);
	assert_int_equal(n, 9);
	assert_memory_equal(s, "ingest.py", n);
	set_text(function, "", 7);
	function[2] = 5;
	function[4] = 4 << 2 | 0x20;
	memcpy((char *)function + 72, wide, sizeof(wide));
	s = pyframe_function(&f, buffer, &n);
	assert_int_equal(n, 11);
	assert_memory_equal(s, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80?", n);
	function[4] = 0; /* not in one piece */
	(void)pyframe_function(&f, buffer, &n);
	assert_int_equal(n, 0);
}

static void
a_line_has_one_name_however_it_is_come_by(void **state)
{
	const struct segment_table *names =
	    &segment_mine()->table[TABLE_NAMES];
	struct pyframe_walk w;
	struct pyframe f;
	uint64_t first;

	(void)state;
	assert_true(pyname_open());
	pyframe_begin(&w, 1);
	assert_true(pyframe_next(&w, &f));
	first = pyname_of(&f);
	assert_true(first >= NODE_NAMED);
	assert_int_equal(pyname_of(&f), first);
	f.key++;
	assert_int_equal(pyname_of(&f), first);
	assert_int_equal(atomic_load(&names->used), 1);
	set_text(function, "another", 70);
	f.key++;
	assert_int_not_equal(pyname_of(&f), first);
	pyname_reset();
	assert_int_not_equal(pyname_of(&f), 0);
	assert_int_equal(atomic_load(&names->used), 3);
}

static void
versions_that_are_not_known_are_left_alone(void **state)
{
	struct pyframe_host host = { .runtime = at(runtime) };

	(void)state;
	host.version = 0x030a0cf0;
	assert_false(pyframe_open(&host));
	host.version = 0x030e00f0;
	assert_false(pyframe_open(&host));
	host.version = 0x030d00f0;
	assert_true(pyframe_open(&host));
	runtime[2] = 1; /* without the GIL */
	assert_false(pyframe_open(&host));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(frames_come_from_the_innermost_on,
		    fresh),
		cmocka_unit_test_setup(another_thread_s_state_is_not_believed,
		    fresh),
		cmocka_unit_test_setup(
		    the_sum_tells_code_from_what_lay_there_before, fresh),
		cmocka_unit_test_setup(a_chain_that_is_none_ends, fresh),
		cmocka_unit_test_setup(lines_are_those_of_the_instruction,
		    fresh),
		cmocka_unit_test_setup(texts_are_utf_8, fresh),
		cmocka_unit_test_setup(
		    a_line_has_one_name_however_it_is_come_by, fresh),
		cmocka_unit_test(versions_that_are_not_known_are_left_alone),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
