/*
 * test-journal.c - the file of a run: torn, bent, refused by the kernel, or in
 * two hands
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/crc.h"
#include "in-memory.h"
#include "plan/journal.h"
#include "sys/sys.h"

static char directory[64], path[128], other[160];
static struct journal journal, second;

/* What is in a file, as it is told. */
static struct {
	uint64_t records, marks, last, cursor, numbers[64];
	char blob[32];
	uint32_t types;
} told;

static void
tell(void *context, const struct journal_record *record)
{
	struct journal_mark mark;

	(void)context;
	if (told.records < 64)
		told.numbers[told.records] = record->number;
	told.records++;
	told.types |= 1u << record->type;
	told.last = record->number;
	if (record->type != JOURNAL_MARK)
		return;
	journal_take(record, &mark, sizeof(mark));
	told.marks++;
	told.cursor = mark.cursor;
	memset(told.blob, 0, sizeof(told.blob));
	memcpy(told.blob, record->payload + sizeof(mark),
	    min_u64(mark.blob, sizeof(told.blob)));
}

static int
open_again(struct journal *j)
{
	memset(&told, 0, sizeof(told));
	return journal_open(j, path, tell, NULL);
}

static int
mark_at(struct journal *j, uint64_t cursor, const char *blob)
{
	struct journal_mark mark = { .cursor = cursor,
		.blob = (uint32_t)strlen(blob) };

	return journal_mark(j, JOURNAL_MARK, &mark, sizeof(mark), blob,
	    strlen(blob));
}

static void
put_other(struct journal *j, enum journal_type type)
{
	static const char nothing[sizeof(struct journal_batch)];
	size_t bytes = type == JOURNAL_BATCH ? sizeof(struct journal_batch) :
	    type == JOURNAL_SWITCH ? sizeof(struct journal_switch) :
	    (size_t)type * 5 + 1;

	assert_int_equal(journal_put(j, type, nothing, min_u64(bytes,
	    sizeof(nothing)), NULL, 0), 0);
}

static void
create(struct journal *j)
{
	struct journal_begin begin = { .id = "one", .total = 100 };

	j->fd = -1;
	j->sync = JOURNAL_SYNC_MARK;
	assert_int_equal(journal_create(j, path, &begin), 0);
}

/* All kinds, and marks at 10, 20 and 30 in between; where these end. */
static size_t
fill(uint64_t ends[3])
{
	struct stat st;

	create(&journal);
	for (int i = 0; i < 3; i++) {
		for (enum journal_type t = JOURNAL_BATCH; t < JOURNAL_TYPES;
		    t++)
			if (t != JOURNAL_MARK && t != JOURNAL_END)
				put_other(&journal, t);
		assert_int_equal(mark_at(&journal, (uint64_t)i * 10 + 10,
		    i == 1 ? "a blob of the program's" : ""), 0);
		ends[i] = journal.end;
	}
	put_other(&journal, JOURNAL_END);
	assert_int_equal(mark_at(&journal, 99, "last"), 0);
	journal_close(&journal);
	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void
write_file(const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static char *
read_file(size_t n)
{
	char *bytes = malloc(n);
	int fd = open(path, O_RDONLY);

	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, n), (ssize_t)n);
	close(fd);
	return bytes;
}

static int
begin(void **state)
{
	(void)state;
	assert_non_null(in_memory(directory, sizeof(directory), "journal"));
	snprintf(path, sizeof(path), "%s/one%s", directory, JOURNAL_SUFFIX);
	snprintf(other, sizeof(other), "%s.new", path);
	journal.fd = second.fd = -1;
	return 0;
}

static int
finish(void **state)
{
	char command[128];

	(void)state;
	journal_close(&journal);
	journal_close(&second);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) != 0;
}

/* --- sums ----------------------------------------------------------------- */

static void
the_sum_is_that_of_the_standard(void **state)
{
	const char zeros[32] = { 0 };

	(void)state;
	assert_int_equal(crc_32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc_32c(0, zeros, 32), 0x8a9136aa);
	assert_int_equal(crc_32c(crc_32c(0, "1234", 4), "56789", 5),
	    0xe3069283);
}

static void
contents_have_other_hashes(void **state)
{
	const char zeros[24] = { 0 };

	(void)state;
	for (size_t i = 0; i <= sizeof(zeros); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(crc_hash(1, zeros, i),
			    crc_hash(1, zeros, k));
	assert_int_not_equal(crc_hash(0, "abcdefgh", 8),
	    crc_hash(0, "abcdefgi", 8));
	assert_int_equal(crc_hash(crc_hash(7, "abcdefgh", 8), "ij", 2),
	    crc_hash(7, "abcdefghij", 10));
}

/* --- torn, bent ----------------------------------------------------------- */

static void
what_is_put_is_found_again(void **state)
{
	uint64_t ends[3];

	(void)state;
	(void)fill(ends);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.types, (1u << JOURNAL_TYPES) - 2);
	assert_int_equal(told.marks, 4);
	assert_int_equal(told.cursor, 99);
	assert_string_equal(told.blob, "last");
	assert_int_equal(journal.number, told.last);
}

static void
wherever_it_is_torn_the_last_whole_mark_counts(void **state)
{
	uint64_t ends[3], cursor;
	size_t bytes = fill(ends), first;
	char *all = read_file(bytes);

	(void)state;
	first = sizeof(struct journal_begin) + 32;
	for (size_t n = 0; n <= bytes; n++) {
		write_file(all, n);
		if (n < first) {
			assert_int_equal(open_again(&journal), -EBADMSG);
			continue;
		}
		assert_int_equal(open_again(&journal), 0);
		cursor = n == bytes ? 99 : n >= ends[2] ? 30 : n >= ends[1] ?
		    20 : n >= ends[0] ? 10 : 0;
		assert_int_equal(told.cursor, cursor);
		if (cursor == 20)
			assert_string_equal(told.blob,
			    "a blob of the program's");
		/* And it goes on from there. */
		assert_int_equal(mark_at(&journal, 1000 + n, "on"), 0);
		journal_close(&journal);
		assert_int_equal(open_again(&journal), 0);
		assert_int_equal(told.cursor, 1000 + n);
		assert_string_equal(told.blob, "on");
		journal_close(&journal);
	}
	free(all);
}

static void
a_bit_that_is_turned_ends_it_there_and_nothing_else(void **state)
{
	uint64_t ends[3], cursor;
	size_t bytes = fill(ends), first;
	char *all = read_file(bytes);

	(void)state;
	first = sizeof(struct journal_begin) + 32;
	/* One of each byte, another each time. */
	for (size_t bit = 0; bit < bytes * 8; bit += 9) {
		size_t n = bit / 8;

		all[n] ^= (char)(1 << bit % 8);
		write_file(all, bytes);
		all[n] ^= (char)(1 << bit % 8);
		if (n < first) {
			assert_int_equal(open_again(&journal), -EBADMSG);
			continue;
		}
		assert_int_equal(open_again(&journal), 0);
		cursor = n >= ends[2] ? 30 : n >= ends[1] ? 20 :
		    n >= ends[0] ? 10 : 0;
		assert_int_equal(told.cursor, cursor);
		assert_true(journal.end <= n);
		journal_close(&journal);
	}
	free(all);
}

static void
what_was_behind_a_tear_never_comes_back(void **state)
{
	uint64_t ends[3];
	size_t bytes = fill(ends);
	char *all = read_file(bytes);

	(void)state;
	/* The first mark is bent; whole ones are behind it. */
	all[ends[0] - 20] ^= 1;
	write_file(all, bytes);
	free(all);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 0);
	/* As long as the one that was there, to the byte. */
	assert_int_equal(mark_at(&journal, 5, ""), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 1);
	assert_int_equal(told.cursor, 5);
}

static void
what_is_none_of_ours_is_refused(void **state)
{
	char link[128];
	uint64_t ends[3];

	(void)state;
	assert_int_equal(open_again(&journal), -ENOENT);
	write_file("", 0);
	assert_int_equal(open_again(&journal), -EBADMSG);
	write_file("something else, and long enough to be looked at", 47);
	assert_int_equal(open_again(&journal), -EBADMSG);
	assert_int_equal(chmod(path, 0622), 0);
	assert_int_equal(open_again(&journal), -EACCES);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_again(&journal), -EBADMSG);
	assert_true(journal_look(path) < 0);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(open_again(&journal) < 0);
	rmdir(path);
	(void)fill(ends);
	snprintf(link, sizeof(link), "%s/link", directory);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(journal_open(&journal, link, NULL, NULL), -ELOOP);
}

static void
records_of_kinds_to_come_are_passed_over(void **state)
{
	(void)state;
	create(&journal);
	assert_int_equal(mark_at(&journal, 7, ""), 0);
	assert_int_equal(journal_put(&journal, (enum journal_type)200, "x", 1,
	    NULL, 0), 0);
	assert_int_equal(mark_at(&journal, 8, ""), 0);
	assert_int_equal(journal_compact(&journal, true), 0);
	assert_int_equal(mark_at(&journal, 9, ""), 0);
	journal_close(&journal);
	memset(&told, 0, sizeof(told));
	assert_int_equal(journal_open(&journal, path, NULL, NULL), 0);
	assert_int_equal(journal.number, 5);
}

static void
what_is_too_long_is_refused(void **state)
{
	static char big[JOURNAL_BLOB_MOST + 1];
	struct journal_mark mark = { .blob = JOURNAL_BLOB_MOST };

	(void)state;
	create(&journal);
	assert_int_equal(journal_mark(&journal, JOURNAL_MARK, &mark,
	    sizeof(mark), big, sizeof(big)), -E2BIG);
	for (int i = 0; i < 3; i++)
		assert_int_equal(journal_mark(&journal, JOURNAL_MARK, &mark,
		    sizeof(mark), big, JOURNAL_BLOB_MOST), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 3);
	journal_close(&journal);
	memset(path, 'x', sizeof(path) - 1);
	for (size_t n = 0; n < JOURNAL_PATH; n++)
		big[n] = 'x';
	assert_int_equal(journal_open(&journal, big, NULL, NULL),
	    -ENAMETOOLONG);
}

/* --- two hands ------------------------------------------------------------ */

static void
of_two_one_is_refused(void **state)
{
	struct journal_begin begin = { .id = "two" };

	(void)state;
	create(&journal);
	assert_int_equal(mark_at(&journal, 1, ""), 0);
	assert_int_equal(journal_open(&second, path, NULL, NULL), -EBUSY);
	assert_int_equal(journal_create(&second, path, &begin), -EEXIST);
	assert_int_equal(journal_remove(path), -EBUSY);
	/* Whatever file it is by now. */
	assert_int_equal(journal_compact(&journal, true), 0);
	assert_int_equal(journal_open(&second, path, NULL, NULL), -EBUSY);
	assert_int_equal(mark_at(&journal, 2, ""), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&second), 0);
	assert_int_equal(told.cursor, 2);
	journal_close(&second);
	assert_int_equal(journal_remove(path), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void
who_makes_a_new_one_is_alone_with_it(void **state)
{
	struct journal_begin begin = { .id = "two" };
	int fd = open(other, O_RDWR | O_CREAT, 0600);

	(void)state;
	/* Somebody is at it. */
	assert_int_equal(sys_lock(fd), 0);
	assert_int_equal(journal_create(&journal, path, &begin), -EBUSY);
	assert_int_equal(access(path, F_OK), -1);
	/* And is killed: what is left behind is no obstacle. */
	assert_int_equal(write(fd, "half of a", 9), 9);
	close(fd);
	assert_int_equal(journal_create(&journal, path, &begin), 0);
	assert_int_equal(access(other, F_OK), -1);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.records, 1);
}

static void
what_a_dead_writer_left_open_can_be_seized(void **state)
{
	(void)state;
	create(&journal);
	assert_int_equal(mark_at(&journal, 3, "three"), 0);
	memset(&told, 0, sizeof(told));
	assert_int_equal(journal_seize(&second, path, tell, NULL), 0);
	assert_int_equal(told.cursor, 3);
	/* What the one before writes goes nowhere. */
	(void)mark_at(&journal, 4, "");
	assert_int_equal(mark_at(&second, 5, ""), 0);
	journal_close(&second);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 2);
	assert_int_equal(told.cursor, 5);
}

static void
a_new_run_takes_the_place_of_one_that_is_over(void **state)
{
	struct journal_begin begin = { .id = "two", .total = 5 };
	uint64_t ends[3];

	(void)state;
	(void)fill(ends);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(journal_create(&journal, path, &begin), 0);
	assert_int_equal(journal_open(&second, path, NULL, NULL), -EBUSY);
	assert_int_equal(mark_at(&journal, 1, ""), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.records, 2);
}

/* --- refused by the kernel ------------------------------------------------ */

static void
set_fault(uint64_t at, bool onwards, int error)
{
	const struct sys_fault fault = { .at = sys_calls() + at,
		.onwards = onwards, .error = error };

	sys_set_fault(&fault);
}

/* No call fails any more; they are counted only. */
static void
no_fault(void)
{
	const struct sys_fault fault = { .at = 0, .error = -EIO };

	sys_set_fault(&fault);
}

/*
 * Marks that are answered with 0 are there, in order, and no others; whichever
 * call fails, alone or with all behind it.
 */
static void
with_every_call_failing(int error, bool onwards)
{
	uint64_t good = 0, calls, start;

	no_fault();
	unlink(path);
	start = sys_calls();
	create(&journal);
	journal.sync = JOURNAL_SYNC_BATCH;
	for (uint64_t i = 1; i <= 4; i++)
		(void)mark_at(&journal, i, "x");
	calls = sys_calls() - start;
	journal_close(&journal);
	assert_true(calls > 15);
	for (uint64_t n = 1; n <= calls; n++) {
		struct journal_begin begin = { .id = "one" };

		unlink(path);
		good = 0;
		set_fault(n, onwards, error);
		journal.fd = -1;
		journal.sync = JOURNAL_SYNC_BATCH;
		if (journal_create(&journal, path, &begin) == 0) {
			for (uint64_t i = 1; i <= 4; i++) {
				(void)journal_put(&journal, JOURNAL_FAIL,
				    "why", 3, NULL, 0);
				if (mark_at(&journal, i, "x") == 0)
					good = i;
			}
		}
		no_fault();
		journal_close(&journal);
		if (open_again(&second) == 0)
			assert_int_equal(told.cursor, good);
		else
			assert_int_equal(good, 0);
		/* Alone it costs one mark at the most. */
		if (!onwards && good != 0)
			assert_true(good >= 3);
		journal_close(&second);
	}
}

static void
a_full_disk_costs_what_it_refuses(void **state)
{
	(void)state;
	with_every_call_failing(-ENOSPC, false);
	with_every_call_failing(-EIO, false);
}

static void
a_disk_that_is_gone_leaves_what_was_there(void **state)
{
	(void)state;
	no_fault();
	create(&journal);
	assert_int_equal(mark_at(&journal, 1, "x"), 0);
	set_fault(1, true, -EIO);
	for (uint64_t i = 2; i < 6; i++)
		assert_int_equal(mark_at(&journal, i, "x"), -EIO);
	no_fault();
	/* It is back. */
	assert_int_equal(mark_at(&journal, 7, "x"), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 2);
	assert_int_equal(told.cursor, 7);
}

static void
after_a_failed_sync_all_is_written_anew(void **state)
{
	struct stat before, after;

	(void)state;
	no_fault();
	create(&journal);
	journal.sync = JOURNAL_SYNC_BATCH;
	assert_int_equal(mark_at(&journal, 1, "x"), 0);
	assert_int_equal(stat(path, &before), 0);
	set_fault(3, false, -EIO); /* limit and write go through */
	assert_int_equal(mark_at(&journal, 2, "x"), -EIO);
	no_fault();
	assert_true(journal.doubted);
	assert_int_equal(mark_at(&journal, 3, "x"), 0);
	assert_false(journal.doubted);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 2);
	assert_int_equal(told.cursor, 3);
}

static void
what_does_not_fit_while_the_disk_is_full_is_counted(void **state)
{
	static const char bytes[4000];
	uint64_t lost;

	(void)state;
	no_fault();
	create(&journal);
	set_fault(1, true, -ENOSPC);
	for (int i = 0; i < 40; i++)
		(void)journal_put(&journal, JOURNAL_FAIL, bytes, sizeof(bytes),
		    NULL, 0);
	no_fault();
	lost = journal.lost;
	assert_true(lost > 10 && lost < 40);
	assert_int_equal(mark_at(&journal, 1, ""), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.records, 42 - lost);
}

/* The kernel would end the program with SIGXFSZ, and nothing was promised. */
static void
beyond_the_limit_of_a_file_nothing_is_written(void **state)
{
	struct rlimit before, small;

	(void)state;
	no_fault();
	create(&journal);
	assert_int_equal(mark_at(&journal, 1, "x"), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = journal.end + 40;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	/* A part of it would fit. */
	assert_int_equal(mark_at(&journal, 2, "y"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(mark_at(&journal, 3, "z"), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 2);
	assert_int_equal(told.cursor, 3);
}

/* --- compaction ----------------------------------------------------------- */

static void
the_oldest_go_first_and_numbers_stay(void **state)
{
	static const struct journal_batch batch;
	uint64_t number, first;

	(void)state;
	create(&journal);
	journal.sync = JOURNAL_SYNC_NONE;
	assert_int_equal(mark_at(&journal, 1, "kept"), 0);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(journal_put(&journal, JOURNAL_BATCH, &batch,
		    sizeof(batch), NULL, 0), 0);
	assert_int_equal(mark_at(&journal, 2, "kept"), 0);
	number = journal.number;
	assert_true(journal.end > 2 * MIB);
	assert_int_equal(journal_compact(&journal, false), 0);
	assert_true(journal.end < 3 * MIB / 2);
	assert_int_equal(mark_at(&journal, 3, "kept"), 0);
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.marks, 3);
	assert_int_equal(told.last, number + 1);
	assert_int_equal(told.numbers[0], 1);
	assert_int_equal(told.numbers[1], 2);
	first = told.numbers[2];
	assert_true(first > 10000 && first < 20000);
}

static void
nothing_is_written_anew_if_nothing_would_go(void **state)
{
	struct stat before, after;

	(void)state;
	create(&journal);
	assert_int_equal(mark_at(&journal, 1, ""), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(journal_compact(&journal, false), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void
it_does_not_grow_for_ever(void **state)
{
	static char big[JOURNAL_BLOB_MOST];
	struct journal_mark mark = { .blob = sizeof(big) };

	(void)state;
	create(&journal);
	journal.sync = JOURNAL_SYNC_NONE;
	for (mark.cursor = 1; mark.cursor <= 2000; mark.cursor++) {
		assert_int_equal(journal_mark(&journal, JOURNAL_MARK, &mark,
		    sizeof(mark), big, sizeof(big)), 0);
		assert_true(journal.end < JOURNAL_MOST + MIB);
	}
	journal_close(&journal);
	assert_int_equal(open_again(&journal), 0);
	assert_int_equal(told.cursor, 2000);
	assert_true(told.marks >= 250 && told.marks < 1100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sum_is_that_of_the_standard),
		cmocka_unit_test(contents_have_other_hashes),
		TEST(what_is_put_is_found_again),
		TEST(wherever_it_is_torn_the_last_whole_mark_counts),
		TEST(a_bit_that_is_turned_ends_it_there_and_nothing_else),
		TEST(what_was_behind_a_tear_never_comes_back),
		TEST(what_is_none_of_ours_is_refused),
		TEST(records_of_kinds_to_come_are_passed_over),
		TEST(what_is_too_long_is_refused),
		TEST(of_two_one_is_refused),
		TEST(who_makes_a_new_one_is_alone_with_it),
		TEST(what_a_dead_writer_left_open_can_be_seized),
		TEST(a_new_run_takes_the_place_of_one_that_is_over),
		TEST(a_full_disk_costs_what_it_refuses),
		TEST(a_disk_that_is_gone_leaves_what_was_there),
		TEST(after_a_failed_sync_all_is_written_anew),
		TEST(what_does_not_fit_while_the_disk_is_full_is_counted),
		TEST(beyond_the_limit_of_a_file_nothing_is_written),
		TEST(the_oldest_go_first_and_numbers_stay),
		TEST(nothing_is_written_anew_if_nothing_would_go),
		TEST(it_does_not_grow_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
