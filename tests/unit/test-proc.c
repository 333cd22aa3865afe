#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "sys/proc.h"

/* No process has this number: it is above the kernel's own limit. */
#define NOBODY (1 << 23)

#define STAT_REST " R 7 1 1 0 -1 4194304 93 0 0 0 1 2 3 4 20 -5 12 0 " \
	"987654321 5607424 1 18446744073709551615 1 1 0 0 0\n"

static void
a_name_in_stat_may_hold_anything(void **state)
{
	static const struct {
		const char *text, *name;
	} table[] = {
		{ "42 (cat)" STAT_REST, "cat" },
		{ "42 ()" STAT_REST, "" },
		{ "42 (a b)" STAT_REST, "a b" },
		{ "42 (a) R 1 (b)" STAT_REST, "a) R 1 (b" },
		{ "42 (\n)" STAT_REST, "\n" },
		{ "42 ((((()" STAT_REST, "((((" },
		{ "42 ())))" STAT_REST, ")))" },
		{ "42 (kworker/u8:1-events_unbound)" STAT_REST,
		    "kworker/u8:1-ev" },
	};
	struct proc_stat s;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		memset(&s, 0xff, sizeof(s));
		assert_int_equal(proc_stat_parse(table[i].text, &s), 0);
		assert_string_equal(s.name, table[i].name);
		assert_int_equal(s.pid, 42);
		assert_int_equal(s.state, 'R');
		assert_int_equal(s.parent, 7);
		assert_int_equal(s.threads, 12);
		assert_int_equal(s.ticks, 987654321);
	}
}

static void
a_stat_that_is_cut_short_is_refused(void **state)
{
	const char whole[] = "42 (cat) R 7 1 1 0 -1 4 93 0 0 0 1 2 3 4 20 -5 "
	    "12 0 9";
	char part[sizeof(whole)];
	struct proc_stat s = { .pid = 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(whole) - 1; i++) {
		memcpy(part, whole, i);
		part[i] = '\0';
		if (proc_stat_parse(part, &s) != -EINVAL)
			fail_msg("'%s'", part);
	}
	assert_int_equal(s.pid, 1);
	assert_int_equal(proc_stat_parse(whole, &s), 0);
}

static void
a_process_finds_itself(void **state)
{
	struct proc_status status;
	struct proc_stat self, by_pid;

	(void)state;
	assert_int_equal(proc_stat_read(0, &self), 0);
	assert_int_equal(proc_stat_read(getpid(), &by_pid), 0);
	assert_int_equal(self.pid, getpid());
	assert_int_equal(self.parent, getppid());
	assert_int_equal(self.ticks, by_pid.ticks);
	assert_int_equal(self.threads, 1);
	assert_int_equal(proc_status_read(0, &status), 0);
	assert_int_equal(status.uid, geteuid());
	assert_true(status.resident > 0);
	assert_true(status.peak >= status.resident);
	assert_true(status.address_space >= status.resident);
	assert_true(status.data > 0);
}

static void
a_glance_sees_what_the_whole_has(void **state)
{
	const size_t bytes = 8 << 20;
	struct proc_statm before, after;
	struct proc_status status;
	char *block;

	(void)state;
	assert_int_equal(proc_statm_read(&before), 0);
	assert_int_equal(proc_status_read(0, &status), 0);
	assert_in_range(before.resident - before.shared,
	    above_u64(status.anonymous, 1 << 20),
	    status.anonymous + (1 << 20));
	block = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(block, MAP_FAILED);
	memset(block, 1, bytes);
	assert_int_equal(proc_statm_read(&after), 0);
	assert_in_range(after.resident - after.shared, before.resident -
	    before.shared + bytes - (1 << 20), before.resident -
	    before.shared + bytes + (1 << 20));
	(void)munmap(block, bytes);
}

static void
a_name_with_brackets_and_a_newline_is_read_from_the_kernel(void **state)
{
	struct proc_status status = { 0 };
	struct proc_stat stat;
	char before[16];

	(void)state;
	prctl(PR_GET_NAME, before);
	prctl(PR_SET_NAME, ") Z 1\nVmRSS:9(");
	assert_int_equal(proc_stat_read(0, &stat), 0);
	assert_int_equal(proc_status_read(0, &status), 0);
	prctl(PR_SET_NAME, before);
	assert_string_equal(stat.name, ") Z 1\nVmRSS:9(");
	assert_int_equal(stat.pid, getpid());
	assert_true(status.resident > 9 * KIB);
}

static void
nobody(void *context, const struct proc_vma *vma)
{
	(void)context;
	fail_msg("%s", vma->name);
}

static void
who_is_not_there_is_told_and_nothing_written(void **state)
{
	struct proc_status status = { .resident = 42 };
	struct proc_stat stat = { .pid = 42 };
	struct proc_limits limits = { 42, 42 };

	(void)state;
	errno = 7;
	assert_int_equal(proc_stat_read(NOBODY, &stat), -ESRCH);
	assert_int_equal(proc_stat_read(-5, &stat), -ESRCH);
	assert_int_equal(proc_status_read(NOBODY, &status), -ESRCH);
	assert_int_equal(proc_limits_read("", NOBODY, &limits), -ESRCH);
	assert_int_equal(proc_vmas_read(NOBODY, nobody, NULL), -ESRCH);
	assert_int_equal(stat.pid, 42);
	assert_int_equal(status.resident, 42);
	assert_int_equal(limits.data, 42);
	assert_int_equal(errno, 7);
}

static void
a_zombie_is_not_alive_and_nor_is_who_took_the_number_over(void **state)
{
	struct proc_stat stat;
	siginfo_t info;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(proc_stat_read(child, &stat), 0);
	assert_true(proc_is_alive(child, stat.ticks));
	assert_false(proc_is_alive(child, stat.ticks + 1));
	kill(child, SIGKILL);
	/* Dead, but not yet buried. */
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	assert_int_equal(proc_stat_read(child, &stat), 0);
	assert_int_equal(stat.state, 'Z');
	assert_false(proc_is_alive(child, stat.ticks));
	waitpid(child, NULL, 0);
	assert_false(proc_is_alive(child, stat.ticks));
}

static void
limits_are_those_of_the_process_that_is_asked_for(void **state)
{
	const struct rlimit data = { 3 * GIB, RLIM_INFINITY };
	struct proc_limits limits;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		setrlimit(RLIMIT_DATA, &data);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, WUNTRACED);
	assert_int_equal(proc_limits_read("", child, &limits), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(limits.data, 3 * GIB);
}

static void
the_machine_has_memory(void **state)
{
	struct proc_memory memory = { 0 };

	(void)state;
	assert_int_equal(proc_memory_read("", &memory), 0);
	assert_true(memory.total > 16 * MIB);
	assert_true(memory.available <= memory.total);
	assert_int_equal(proc_memory_read("/nowhere", &memory), -ENOENT);
}

/* --- lines ---------------------------------------------------------------- */

/* A descriptor to read @text from, at most @piece bytes at a time.  What a
 * read has no room for is lost, so pieces are small if the text is long. */
static int
text_in_pieces(const char *text, size_t bytes, size_t piece)
{
	int end[2];

	assert_int_equal(pipe(end), 0);
	if (fork() == 0) {
		/* In packet mode a read gives one write, however large. */
		fcntl(end[1], F_SETFL, O_DIRECT);
		for (; bytes > 0; text += piece, bytes -= piece) {
			piece = min_u64(piece, bytes);
			if (write(end[1], text, piece) < 0)
				break;
		}
		_exit(0);
	}
	close(end[1]);
	return end[0];
}

static void
lines_are_whole_wherever_the_reads_end(void **state)
{
	static const char text[] = "one\n\nthree and more\nfour";
	static const char *const expected[] = {
		"one", "", "three and more", "four"
	};
	size_t piece, i;

	(void)state;
	for (piece = 1; piece <= sizeof(text); piece++) {
		struct proc_lines lines = { .fd = text_in_pieces(text,
		    sizeof(text) - 1, piece) };

		for (i = 0; i < ARRAY_LENGTH(expected); i++)
			assert_string_equal(proc_lines_next(&lines),
			    expected[i]);
		assert_null(proc_lines_next(&lines));
		assert_null(proc_lines_next(&lines));
		assert_int_equal(proc_lines_close(&lines), 0);
		wait(NULL);
	}
}

static void
a_long_line_is_cut_and_the_next_one_is_whole(void **state)
{
	const size_t lengths[] = {
		PROC_LINE_ROOM - 1, PROC_LINE_ROOM, PROC_LINE_ROOM + 1,
		2 * PROC_LINE_ROOM, 3 * PROC_LINE_ROOM + 7
	};
	size_t i, length;
	char *text, *line;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(lengths); i++) {
		length = lengths[i];
		text = malloc(length + 6);
		memset(text, 'x', length);
		memcpy(text + length, "\nnext\n", 6);
		struct proc_lines lines = { .fd = text_in_pieces(text,
		    length + 6, 1) };

		line = proc_lines_next(&lines);
		assert_non_null(line);
		assert_int_equal(strlen(line),
		    min_u64(length, PROC_LINE_ROOM));
		assert_string_equal(proc_lines_next(&lines), "next");
		assert_null(proc_lines_next(&lines));
		assert_int_equal(proc_lines_close(&lines), 0);
		wait(NULL);
		free(text);
	}
}

static void
a_read_that_fails_ends_the_lines_and_is_told(void **state)
{
	struct proc_lines lines;

	(void)state;
	assert_int_equal(proc_lines_open(&lines, "/"), 0);
	assert_null(proc_lines_next(&lines));
	assert_int_equal(proc_lines_close(&lines), -EISDIR);
	assert_int_equal(proc_lines_open(&lines, "/nowhere"), -ENOENT);
}

static void
numbers_end_where_their_digits_do(void **state)
{
	const char *at = " \t12 ff 18446744073709551616";
	uint64_t n = 0;

	(void)state;
	assert_true(proc_number(&at, 10, &n));
	assert_int_equal(n, 12);
	assert_false(proc_number(&at, 10, &n));
	assert_true(proc_number(&at, 16, &n));
	assert_int_equal(n, 255);
	assert_false(proc_number(&at, 10, &n));
	assert_int_equal(n, 255);
}

/* --- ranges --------------------------------------------------------------- */

#define DETAILS(kib) \
	"Size:                  8 kB\nKernelPageSize:        4 kB\n" \
	"Rss:          " kib " kB\nPss:                   1 kB\n" \
	"AnonHugePages:         0 kB\nVmFlags: rd wr mr mw me ac sd\n"

static const char smaps[] =
    "00400000-00402000 r-xp 00000000 fe:00 1234       /a dir/b (deleted)\n"
    DETAILS("  8")
    "7f0000000000-7f0000002000 rw-p 00000000 00:00 0 \n"
    DETAILS("  0")
    "7f0000002000-7f0000004000 ---s 0000f000 00:01 99 /dev/zero (deleted)\n"
    DETAILS("  4")
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n"
    "Size:                  4 kB\n";

struct seen {
	int count;
	struct proc_vma vma[4];
	char name[4][64];
};

static void
see(void *context, const struct proc_vma *vma)
{
	struct seen *s = context;

	assert_true(s->count < 4);
	s->vma[s->count] = *vma;
	snprintf(s->name[s->count++], sizeof(s->name[0]), "%s", vma->name);
}

static void
ranges_are_read_wherever_the_reads_end(void **state)
{
	size_t piece;

	(void)state;
	for (piece = 1; piece < sizeof(smaps); piece += 37) {
		struct seen s = { 0 };
		struct proc_lines lines = { .fd = text_in_pieces(smaps,
		    sizeof(smaps) - 1, piece) };

		assert_int_equal(proc_vmas_parse(&lines, see, &s), 0);
		proc_lines_close(&lines);
		wait(NULL);
		assert_int_equal(s.count, 4);
		assert_int_equal(s.vma[0].start, 0x400000);
		assert_int_equal(s.vma[0].end, 0x402000);
		assert_int_equal(s.vma[0].resident, 8192);
		assert_int_equal(s.vma[0].inode, 1234);
		assert_true(s.vma[0].readable && s.vma[0].executable);
		assert_false(s.vma[0].writable || s.vma[0].shared);
		assert_string_equal(s.name[0], "/a dir/b (deleted)");
		assert_string_equal(s.name[1], "");
		assert_int_equal(s.vma[1].resident, 0);
		assert_true(s.vma[1].writable);
		assert_true(s.vma[2].shared);
		assert_false(s.vma[2].readable);
		assert_int_equal(s.vma[2].resident, 4096);
		assert_int_equal(s.vma[3].start, UINT64_C(0xffffffffff600000));
		assert_string_equal(s.name[3], "[vsyscall]");
	}
}

static void
name_length(void *context, const struct proc_vma *vma)
{
	*(size_t *)context = strlen(vma->name);
	assert_int_equal(vma->resident, 12 * KIB);
}

static void
the_longest_path_is_cut_and_its_numbers_are_kept(void **state)
{
	const char start[] = "1000-4000 rw-p 00000000 fe:00 1234 /";
	const char end[] = "\nSize: 12 kB\nRss: 12 kB\n";
	char text[sizeof(start) + 4096 + sizeof(end)];
	struct proc_lines lines;
	size_t length = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, start, sizeof(start) - 1);
	memcpy(text + sizeof(text) - sizeof(end), end, sizeof(end));
	lines = (struct proc_lines){ .fd = text_in_pieces(text,
	    sizeof(text) - 1, 1) };
	assert_int_equal(proc_vmas_parse(&lines, name_length, &length), 0);
	proc_lines_close(&lines);
	wait(NULL);
	assert_true(length > 900 && length < 4096);
}

static void
nonsense_in_smaps_does_no_harm(void **state)
{
	static const char text[] = "\n-\n12-\n12-34\n12-34 r\nRss: 4 kB\n"
	    "12-34 rw-p\n12-34 rw-p 0 0 0\nzz\n12-3";
	struct proc_lines lines = { .fd = text_in_pieces(text,
	    sizeof(text) - 1, 5) };

	(void)state;
	assert_int_equal(proc_vmas_parse(&lines, nobody, NULL), 0);
	proc_lines_close(&lines);
	wait(NULL);
}

struct own_range {
	uint64_t address, resident, last_end;
	int found;
};

static void
find_own(void *context, const struct proc_vma *vma)
{
	struct own_range *own = context;

	assert_true(vma->start >= own->last_end);
	assert_true(vma->end > vma->start);
	assert_true(vma->resident <= vma->end - vma->start);
	own->last_end = vma->end;
	if (vma->start == own->address) {
		own->found++;
		own->resident = vma->resident;
	}
}

static void
own_pages_are_resident_once_touched(void **state)
{
	const size_t bytes = 64 * 4096;
	struct own_range own = { 0 };
	char *p;

	(void)state;
	/* Shared, so that no neighbour is merged with it. */
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	own.address = (uintptr_t)p;
	memset(p, 1, bytes / 4);
	assert_int_equal(proc_vmas_read(0, find_own, &own), 0);
	assert_int_equal(own.found, 1);
	assert_int_equal(own.resident, bytes / 4);
	munmap(p, bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_in_stat_may_hold_anything),
		cmocka_unit_test(a_stat_that_is_cut_short_is_refused),
		cmocka_unit_test(a_process_finds_itself),
		cmocka_unit_test(a_glance_sees_what_the_whole_has),
		cmocka_unit_test(
		    a_name_with_brackets_and_a_newline_is_read_from_the_kernel),
		cmocka_unit_test(who_is_not_there_is_told_and_nothing_written),
		cmocka_unit_test(
		    a_zombie_is_not_alive_and_nor_is_who_took_the_number_over),
		cmocka_unit_test(
		    limits_are_those_of_the_process_that_is_asked_for),
		cmocka_unit_test(the_machine_has_memory),
		cmocka_unit_test(lines_are_whole_wherever_the_reads_end),
		cmocka_unit_test(a_long_line_is_cut_and_the_next_one_is_whole),
		cmocka_unit_test(a_read_that_fails_ends_the_lines_and_is_told),
		cmocka_unit_test(numbers_end_where_their_digits_do),
		cmocka_unit_test(ranges_are_read_wherever_the_reads_end),
		cmocka_unit_test(
		    the_longest_path_is_cut_and_its_numbers_are_kept),
		cmocka_unit_test(nonsense_in_smaps_does_no_harm),
		cmocka_unit_test(own_pages_are_resident_once_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
