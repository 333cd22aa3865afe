/*
 * test-results.c - what jobs wrote, kept in records; the joblog that grows
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/base.h"
#include "batch/batch-joblog.h"
#include "batch/results.h"

static char directory[64];

static int
set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "test-results.XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	char path[128];

	(void)state;
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%d", directory, i);
		unlink(path);
	}
	return rmdir(directory);
}

static void
put(struct results *r, uint64_t first, uint64_t count, const char *out,
    const char *err)
{
	results_begin(r);
	assert_int_equal(results_add(r, 0, out, strlen(out)), 0);
	assert_int_equal(results_add(r, 1, err, strlen(err)), 0);
	assert_int_equal(results_end(r, first, count), 0);
}

static void
has(const struct results_set *s, size_t i, uint64_t first, const char *text)
{
	const struct result *r = &s->row[i];
	char piece[64] = "";

	assert_int_equal(r->first, first);
	assert_int_equal(r->bytes[0] + r->bytes[1], strlen(text));
	assert_int_equal(pread(s->fd[r->file], piece, strlen(text),
	    (off_t)r->at), strlen(text));
	assert_string_equal(piece, text);
}

static void
what_is_kept_is_found_by_its_items(void **state)
{
	struct results_set s;
	struct results r;

	(void)state;
	assert_int_equal(results_create(&r, directory), 0);
	put(&r, 3, 2, "three\n", "oh\n");
	put(&r, 0, 3, "", "");
	assert_int_equal(results_close(&r), 0);
	assert_int_equal(results_open(&s, directory, 6), 0);
	assert_int_equal(s.count, 2);
	has(&s, 0, 0, "");
	has(&s, 1, 3, "three\noh\n");
	assert_true(results_have(&s, 0, 5));
	assert_false(results_have(&s, 5, 1));
	assert_false(results_have(&s, 4, UINT64_MAX));
	results_free(&s);
}

static void
what_was_done_again_is_the_newer(void **state)
{
	struct results_set s;
	struct results r;

	(void)state;
	assert_int_equal(results_create(&r, directory), 0);
	put(&r, 0, 4, "old", "");
	put(&r, 4, 1, "stays", "");
	assert_int_equal(results_close(&r), 0);
	assert_int_equal(results_create(&r, directory), 0);
	put(&r, 2, 2, "second half", "");
	put(&r, 0, 2, "first half", "");
	assert_int_equal(results_close(&r), 0);
	assert_int_equal(results_open(&s, directory, 5), 0);
	assert_int_equal(s.count, 3);
	has(&s, 0, 0, "first half");
	has(&s, 1, 2, "second half");
	has(&s, 2, 4, "stays");
	results_free(&s);
}

/* At each length, and with each byte another: what is left is whole. */
static void
what_is_torn_or_damaged_counts_for_nothing(void **state)
{
	struct results_set s;
	struct results r;
	struct stat st;
	char path[128], byte;
	int fd;

	(void)state;
	assert_int_equal(results_create(&r, directory), 0);
	put(&r, 0, 1, "a", "");
	put(&r, 1, 1, "bc", "d");
	assert_int_equal(results_close(&r), 0);
	snprintf(path, sizeof(path), "%s/0", directory);
	fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 49; at < st.st_size; at++) {
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_int_equal(results_open(&s, directory, 2), 0);
		assert_true(results_have(&s, 0, 1));
		assert_false(results_have(&s, 1, 1));
		results_free(&s);
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	for (off_t size = st.st_size - 1; size >= 0; size--) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(results_open(&s, directory, 2), 0);
		assert_int_equal(results_have(&s, 0, 1), size >= 49);
		assert_false(results_have(&s, 1, 1));
		results_free(&s);
	}
	close(fd);
}

static void
where_nothing_was_kept_there_is_nothing(void **state)
{
	struct results_set s;

	(void)state;
	assert_int_equal(results_open(&s, "test-results.none", 2), -ENOENT);
}

static void
a_joblog_is_read_on_by_whole_lines(void **state)
{
	const struct joblog_row row = { .number = 1, .items = 3,
		.command = (char *)"true" };
	const struct joblog_row bad = { .number = 2, .items = 2, .status = 7,
		.command = (char *)"false" };
	struct joblog_tail tail = { 0 };
	char path[128];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/0", directory);
	assert_int_equal(joblog_follow(&tail, path, 0), -ENOENT);
	fd = joblog_open(path, true);
	assert_int_equal(joblog_add(fd, &row), 0);
	assert_int_equal(joblog_follow(&tail, path, 0), 0);
	assert_int_equal(tail.jobs, 1);
	assert_int_equal(tail.items, 3);
	assert_int_equal(joblog_add(fd, &bad), 0);
	assert_int_equal(write(fd, "3\t:\t1", 5), 5);
	assert_int_equal(joblog_follow(&tail, path, 0), 0);
	assert_int_equal(joblog_follow(&tail, path, 0), 0);
	assert_int_equal(tail.jobs, 2);
	assert_int_equal(tail.items, 5);
	assert_int_equal(tail.failed, 1);
	assert_int_equal(tail.items_failed, 2);
	assert_int_equal(tail.last, 7);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_found_by_its_items),
		TEST(what_was_done_again_is_the_newer),
		TEST(what_is_torn_or_damaged_counts_for_nothing),
		TEST(where_nothing_was_kept_there_is_nothing),
		TEST(a_joblog_is_read_on_by_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
