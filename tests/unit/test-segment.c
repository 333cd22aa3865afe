#include "own-segment.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/base.h"

static void
tables_lie_apart_and_inside_the_file(void **state)
{
	const struct segment *s = segment_mine();
	uint64_t end = s->head.header_bytes;
	struct stat st;
	int i;

	(void)state;
	for (i = 0; i < TABLE_KNOWN; i++) {
		const struct segment_table *t = &s->table[i];

		assert_true(t->offset >= end);
		end = t->offset + t->capacity * t->entry_bytes;
	}
	assert_true(end <= s->head.bytes);
	assert_int_equal(stat(own_path, &st), 0);
	assert_int_equal(st.st_size, s->head.bytes);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true((uint64_t)st.st_blocks * 512 < MIB);
}

static void
rows_come_in_order_zeroed_and_can_be_written(void **state)
{
	struct node *nodes = segment_rows(TABLE_NODES);
	int64_t first = segment_take(TABLE_NODES, 1);
	int64_t i;

	(void)state;
	assert_true(first > 0);
	for (i = 1; i < 100000; i++) {
		int64_t row = segment_take(TABLE_NODES, 1);

		assert_int_equal(row, first + i);
		assert_int_equal(nodes[row].pc, 0);
		nodes[row].pc = (uint64_t)row;
	}
}

enum { TAKERS = 4, TAKES = 20000 };

/* Rows are written as soon as they are taken: they must be backed by then. */
static void *
take_and_write(void *context)
{
	uint64_t me = (uintptr_t)context + 1;
	struct node *nodes = segment_rows(TABLE_NODES);
	char *texts = segment_rows(TABLE_TEXT);
	uintptr_t wrong = 0;
	int i;

	for (i = 0; i < TAKES; i++) {
		int64_t row = segment_take(TABLE_NODES, 1 + i % 3);
		struct segment_text text = segment_text("some text", 9);

		wrong += row < 0 || text.bytes != 9 ||
		    memcmp(texts + text.offset, "some text", 9) != 0;
		for (int k = 0; row >= 0 && k <= i % 3; k++) {
			wrong += nodes[row + k].pc != 0;
			nodes[row + k].pc = me;
		}
	}
	return (void *)wrong;
}

static void
threads_are_given_rows_apart(void **state)
{
	uint64_t first = segment_mine()->table[TABLE_NODES].used;
	const struct node *nodes = segment_rows(TABLE_NODES);
	uint64_t rows[TAKERS + 1] = { 0 };
	pthread_t thread[TAKERS];
	uintptr_t i;
	void *wrong;

	(void)state;
	for (i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
		    take_and_write, (void *)i), 0);
	for (i = 0; i < TAKERS; i++) {
		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
	for (i = first; i < segment_mine()->table[TABLE_NODES].used; i++)
		rows[nodes[i].pc]++;
	assert_int_equal(rows[0], 0);
	for (i = 1; i <= TAKERS; i++)
		assert_int_equal(rows[i], 2 * TAKES - 1);
}

static void
a_full_table_says_so_and_stays_full(void **state)
{
	const struct segment_table *t =
	    &segment_mine()->table[TABLE_MODULES];

	(void)state;
	assert_true(segment_take(TABLE_MODULES, t->capacity - t->used) >= 0);
	assert_int_equal(segment_take(TABLE_MODULES, 1), -ENOSPC);
	assert_int_equal(segment_take(TABLE_MODULES, 1), -ENOSPC);
	assert_true(t->used <= t->capacity);
}

static void
a_text_is_kept_with_its_length(void **state)
{
	struct segment_text a = segment_text("left\0right", 10);
	struct segment_text b = segment_text("", 0);

	(void)state;
	assert_int_equal(a.bytes, 10);
	assert_memory_equal((char *)segment_rows(TABLE_TEXT) + a.offset,
	    "left\0right", 10);
	assert_int_equal(b.bytes, 0);
}

/* In a child: what it does to its limits and its segment is its own. */
static int
in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
create_again(void)
{
	uint32_t exec_count = 0;

	segment_leave();
	if (segment_create(own_path, &exec_count) < 0)
		return 1;
	return exec_count == 1 ? 0 : 2;
}

static void
an_earlier_image_of_the_pid_is_set_aside(void **state)
{
	char aside[256];
	uint32_t how = 0;
	int fd;

	(void)state;
	assert_int_equal(in_child(create_again), 0);
	snprintf(aside, sizeof(aside), "%s/1.2.0.tide", own_directory);
	fd = open(aside, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &how, sizeof(how),
	    offsetof(struct segment, end.how)), sizeof(how));
	assert_int_equal(how, END_EXEC);
	close(fd);
	unlink(own_path);
	assert_int_equal(rename(aside, own_path), 0);
}

static int
create_second(void)
{
	uint32_t exec_count = 0;

	segment_leave();
	if (segment_create(own_path, &exec_count) < 0)
		return 1;
	segment_mine()->identity.exec_count = exec_count;
	return exec_count;
}

/* A supervisor takes the profiles of earlier images away as they come. */
static void
images_are_numbered_on_though_earlier_ones_are_gone(void **state)
{
	char aside[3][256];
	char kept[256];

	(void)state;
	snprintf(kept, sizeof(kept), "%s/kept", own_directory);
	for (int i = 0; i < 3; i++) {
		snprintf(aside[i], sizeof(aside[i]), "%s/1.2.%d.tide",
		    own_directory, i);
		assert_int_equal(in_child(create_second), i + 1);
		assert_int_equal(i == 0 ? rename(aside[i], kept) :
		    unlink(aside[i]), 0);
	}
	unlink(own_path);
	assert_int_equal(rename(kept, own_path), 0);
}

static int
create_with_small_files(void)
{
	struct rlimit limit = { 16 * MIB, 16 * MIB };
	char path[256];
	uint32_t exec_count;
	int r;

	snprintf(path, sizeof(path), "%s/3.4.tide", own_directory);
	segment_leave();
	setrlimit(RLIMIT_FSIZE, &limit);
	r = segment_create(path, &exec_count);
	unlink(path);
	return r < 0 ? 1 : segment_mine()->head.bytes > 16 * MIB;
}

static int
create_with_tiny_files(void)
{
	struct rlimit limit = { 4096, 4096 };
	char path[256];
	uint32_t exec_count;

	snprintf(path, sizeof(path), "%s/3.4.tide", own_directory);
	segment_leave();
	setrlimit(RLIMIT_FSIZE, &limit);
	if (segment_create(path, &exec_count) != -EFBIG)
		return 1;
	return access(path, F_OK) == 0 ? 2 : 0;
}

static void
a_file_size_limit_makes_a_smaller_segment_and_no_signal(void **state)
{
	(void)state;
	assert_int_equal(in_child(create_with_small_files), 0);
	assert_int_equal(in_child(create_with_tiny_files), 0);
}

static int
create_where_nothing_may_be(void)
{
	uint32_t exec_count;

	segment_leave();
	return segment_create("/proc/none/1.2.tide", &exec_count) == -ENOENT ?
	    0 : 1;
}

/* What was written must be there in the end. */
static void *
take_and_look(void *context)
{
	uint64_t me = (uintptr_t)context + 1;
	struct node *nodes = segment_rows(TABLE_NODES);
	static int64_t taken[TAKERS][TAKES];
	uintptr_t wrong = 0;
	int i;

	for (i = 0; i < TAKES; i++) {
		taken[me - 1][i] = segment_take(TABLE_NODES, 1);
		if (taken[me - 1][i] >= 0)
			nodes[taken[me - 1][i]].pc = me;
	}
	for (i = 0; i < TAKES; i++)
		wrong += taken[me - 1][i] < 0 ||
		    nodes[taken[me - 1][i]].pc != me;
	return (void *)wrong;
}

/* The kernel is asked for the very place, and says if something is there. */
static bool
is_free(char *at)
{
	void *p = mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return p == at;
}

/*
 * Narrowed while threads take: nothing that they have is gone, what was given
 * back is free, and stays so when the segment is left.
 */
static int
narrow_and_leave(void)
{
	const struct segment *s = segment_mine();
	const struct segment_table t = s->table[TABLE_NODES];
	char *last = (char *)s + t.offset + t.capacity * t.entry_bytes - 4096;
	struct segment_span spans[SEGMENT_OWN_SPANS];
	struct node *nodes = segment_rows(TABLE_NODES);
	pthread_t thread[TAKERS];
	uintptr_t i, wrong = 0;
	void *result;
	int64_t row;

	for (i = 0; i < TAKERS; i++)
		pthread_create(&thread[i], NULL, take_and_look, (void *)i);
	segment_narrow(100 * MIB);
	for (i = 0; i < TAKERS; i++) {
		pthread_join(thread[i], &result);
		wrong += (uintptr_t)result;
	}
	while ((row = segment_take(TABLE_NODES, 1)) >= 0)
		nodes[row].pc = 1;
	if (wrong != 0 ||
	    s->table[TABLE_NODES].used != s->table[TABLE_NODES].capacity ||
	    s->table[TABLE_NODES].capacity >= t.capacity ||
	    s->table[TABLE_SITES].capacity !=
	    s->table[TABLE_TRENDS].capacity ||
	    s->table[TABLE_SECONDS].capacity != SERIES_SECONDS)
		return 1;
	if (segment_spans(spans) < 2 || !is_free(last))
		return 2;
	*last = 1;
	segment_leave();
	return *last == 1 && is_free((char *)s + t.offset) ? 0 : 3;
}

static void
a_segment_that_is_narrowed_keeps_what_was_taken(void **state)
{
	(void)state;
	assert_int_equal(in_child(narrow_and_leave), 0);
}

static void
a_directory_that_is_missing_is_an_answer(void **state)
{
	(void)state;
	assert_int_equal(in_child(create_where_nothing_may_be), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_lie_apart_and_inside_the_file),
		cmocka_unit_test(rows_come_in_order_zeroed_and_can_be_written),
		cmocka_unit_test(threads_are_given_rows_apart),
		cmocka_unit_test(a_full_table_says_so_and_stays_full),
		cmocka_unit_test(a_text_is_kept_with_its_length),
		cmocka_unit_test(an_earlier_image_of_the_pid_is_set_aside),
		cmocka_unit_test(
		    images_are_numbered_on_though_earlier_ones_are_gone),
		cmocka_unit_test(
		    a_file_size_limit_makes_a_smaller_segment_and_no_signal),
		cmocka_unit_test(
		    a_segment_that_is_narrowed_keeps_what_was_taken),
		cmocka_unit_test(a_directory_that_is_missing_is_an_answer),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
