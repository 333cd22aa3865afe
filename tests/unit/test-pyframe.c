/*
 * An interpreter of words: frames, code and texts where CPython 3.11 has them.
 * That real ones have them there, tests/live/python-frames.sh shows.
 */
#include "own-segment.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "stack/pychain.h"
#include "stack/pyframe.h"
#include "stack/pyname.h"
#include "stack/pywatch.h"

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

#define FRAMES 100

static _Alignas(8) char kept[PYCHAIN_BYTES(FRAMES)];

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
	(void)pychain_open(memset(kept, 0, sizeof(kept)), FRAMES);
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

/* Of who looks for the first time, and of who has looked before. */
static uint64_t
sum(void)
{
	static _Alignas(8) char anew[PYCHAIN_BYTES(FRAMES)];
	struct pychain *first = pychain_open(memset(anew, 0, sizeof(anew)),
	    FRAMES);
	struct pychain *again = (struct pychain *)kept;
	uint32_t depth = pychain_look(first, 0);

	assert_int_equal(pychain_look(again, 0), depth);
	assert_int_equal(again->seen[depth].sum, first->seen[depth].sum);
	assert_int_equal(again->seen[depth].ends, first->seen[depth].ends);
	return depth != 0 ? first->seen[depth].sum : 0;
}

static uint32_t
look(uint32_t room)
{
	struct pychain *chain = pychain_open(memset(kept, 0, sizeof(kept)),
	    room);

	return pychain_look(chain, 0);
}

static void
frames_stand_by_their_depth(void **state)
{
	const struct pychain *chain = (struct pychain *)kept;
	uint32_t i;

	(void)state;
	assert_int_equal(look(FRAMES), 3);
	for (i = 0; i < 3; i++) {
		const struct pyframe *f = &chain->seen[3 - i].f;

		assert_int_equal(f->code.address, at(code[i]));
		assert_int_equal(f->last, i > 0);
	}
	assert_int_equal(chain->seen[3].ends, 2);
	assert_int_equal(look(2), 2); /* the inner ones */
	assert_int_equal(chain->seen[1].f.code.address, at(code[1]));
}

/* A call, another one from there, the return; each time another line. */
static void
frames_that_come_and_go_are_seen(void **state)
{
	const struct pychain *chain = (struct pychain *)kept;
	uint64_t outer, inner;
	int i;

	(void)state;
	look(FRAMES);
	inner = sum();
	place[1] = at(frame[1]);
	outer = sum();
	assert_int_not_equal(outer, inner);
	place[1] = at(frame[0]);
	assert_int_equal(sum(), inner);
	frame[1][7] += 2; /* in the middle */
	assert_int_not_equal(sum(), inner);
	place[1] = at(frame[1]);
	assert_int_not_equal(sum(), outer);
	place[1] = at(frame[0]);
	frame[1][7] -= 2;
	assert_int_equal(sum(), inner);
	for (i = 3; i < 6; i++) { /* another one in the same place */
		set_frame(i, 0, i == 4);
		frame[i][6] = at(frame[i == 5 ? 1 : i + 1]);
	}
	frame[0][6] = at(frame[3]);
	assert_int_not_equal(sum(), inner);
	assert_int_equal(chain->depth, 6);
	assert_int_equal(chain->seen[6].ends, 3);
	frame[0][6] = at(frame[1]);
	assert_int_equal(sum(), inner);
	frame[0][6] = at(frame[2]);
	assert_int_not_equal(sum(), inner);
	assert_int_equal(chain->depth, 2);
}

static void
what_is_forgotten_is_read_again(void **state)
{
	struct pychain *chain = (struct pychain *)kept;
	uint64_t was;

	(void)state;
	look(FRAMES);
	was = sum();
	chain->seen[1].name = chain->seen[3].name = 1;
	assert_int_equal(sum(), was);
	assert_int_equal(chain->seen[3].name, 1);
	pychain_clear(chain);
	assert_int_equal(sum(), was);
	assert_int_equal(chain->seen[1].name, 0);
	assert_int_equal(chain->seen[3].name, 0);
}

/* Another file name where one was, as when code comes after other code. */
static void
code_that_is_trusted_is_compared_again_when_some_has_ended(void **state)
{
	struct pychain *chain = (struct pychain *)kept;
	uint64_t was, trusting;
	uint32_t i;

	(void)state;
	was = sum();
	assert_true(chain->doubts);
	for (i = 1; i <= 3; i++) {
		assert_false(pychain_is_settled(chain, i));
		pychain_trust(chain, i, i != 2);
		assert_true(pychain_is_settled(chain, i));
	}
	chain->doubts = false;
	assert_int_equal(sum(), was);
	frame[0][7] += 2; /* what is not code is still compared */
	frame[2][7] += 2;
	assert_int_not_equal(sum(), was);
	frame[0][7] -= 2;
	frame[2][7] -= 2;
	assert_int_equal(sum(), was);
	for (i = 1; i <= 3; i++)
		pychain_trust(chain, i, true);
	set_text(file, "another.py", 9);
	trusting = chain->seen[pychain_look(chain, 0)].sum;
	assert_int_equal(trusting, was);
	assert_int_not_equal(chain->seen[pychain_look(chain, 1)].sum, was);
	assert_false(pychain_is_settled(chain, 3));
}

static void
the_end_of_what_is_watched_is_heard_of_once(void **state)
{
	uint32_t ended = pywatch_ended();
	uint64_t others;

	(void)state;
	pywatch_put(at(code[0]));
	pywatch_put(at(code[1]));
	for (others = 0; others < 100; others++)
		if (pywatch_hash(others * 16) != pywatch_hash(at(code[0])) &&
		    pywatch_hash(others * 16) != pywatch_hash(at(code[1])))
			pywatch_freed((void *)(uintptr_t)(others * 16));
	assert_int_equal(pywatch_ended(), ended);
	pywatch_freed(code[1]);
	assert_int_not_equal(pywatch_ended(), ended);
	ended = pywatch_ended();
	pywatch_freed(code[0]); /* nobody has put it in again */
	assert_int_equal(pywatch_ended(), ended);
	pywatch_put(at(code[0]));
	pywatch_freed(code[0]);
	assert_int_not_equal(pywatch_ended(), ended);
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
	struct pyframe f;

	set_frame(0, instruction, true);
	assert_true(pyframe_read(at(frame[0]), &f, false));
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
	struct pyframe f;
	size_t i;

	(void)state;
	set_lines(table, sizeof(table));
	for (i = 0; i < ARRAY_LENGTH(line); i++)
		assert_int_equal(line_at((int)i), line[i]);
	assert_true(pyframe_read(at(frame[0]), &f, false));
	for (i = 0; i < 4 * ARRAY_LENGTH(line); i++) { /* back and forth */
		size_t k = i * 7 % ARRAY_LENGTH(line);

		f.at = at(code[0]) + 184 + 2 * k;
		assert_int_equal(pyframe_line(&f), line[k]);
	}
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
	struct pyframe f;
	const char *s;
	size_t n;

	(void)state;
	assert_true(pyframe_read(at(frame[0]), &f, false));
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
	struct pyframe f;
	uint64_t first;

	(void)state;
	assert_true(pyname_open());
	assert_true(pyframe_read(at(frame[0]), &f, false));
	first = pyname_of(&f);
	assert_true(first >= NODE_NAMED);
	assert_int_equal(pyname_of(&f), first);
	f.code.key++;
	assert_int_equal(pyname_of(&f), first);
	assert_int_equal(atomic_load(&names->used), 1);
	set_text(function, "another", 70);
	f.code.key++;
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
		cmocka_unit_test_setup(frames_stand_by_their_depth, fresh),
		cmocka_unit_test_setup(frames_that_come_and_go_are_seen,
		    fresh),
		cmocka_unit_test_setup(what_is_forgotten_is_read_again, fresh),
		cmocka_unit_test_setup(
		    code_that_is_trusted_is_compared_again_when_some_has_ended,
		    fresh),
		cmocka_unit_test_setup(
		    the_end_of_what_is_watched_is_heard_of_once, fresh),
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
