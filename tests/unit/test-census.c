/*
 * test-census.c - the test's own process, and a segment made by hand for it
 *
 * Each test looks, gets some memory of a kind, looks again, and compares the
 * terms: what was there before does not matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "control/census.h"

#define PAGE  ((size_t)4096)
#define ROWS  8
#define SLACK (256 * KIB) /* the test itself may touch a page meanwhile */

struct made {
	struct segment segment;
	struct tally tally[ROWS];
	struct module module[ROWS];
	struct mapping mapping[ROWS];
	char text[64];
};

static void
set_table(struct made *m, enum segment_table_id id, void *rows,
    uint32_t entry_bytes, uint64_t capacity)
{
	m->segment.table[id] = (struct segment_table){
		.offset = (uint64_t)((char *)rows - (char *)m),
		.capacity = capacity,
		.entry_bytes = entry_bytes,
	};
}

static void
set_allocator(struct made *m, const char *path)
{
	strcpy(m->text, path);
	m->segment.identity.allocator.bytes = (uint32_t)strlen(path);
	m->segment.table[TABLE_TEXT].used = strlen(path);
}

static int
make_segment(void **state)
{
	struct made *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return -1;
	m->segment.head.bytes = sizeof(*m);
	m->segment.head.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	m->segment.identity.pid = getpid();
	set_table(m, TABLE_TALLIES, m->tally, sizeof(m->tally[0]), ROWS);
	set_table(m, TABLE_MODULES, m->module, sizeof(m->module[0]), ROWS);
	set_table(m, TABLE_MAPPINGS, m->mapping, sizeof(m->mapping[0]), ROWS);
	set_table(m, TABLE_TEXT, m->text, 1, sizeof(m->text));
	set_allocator(m, "/usr/lib/libc.so.6");
	*state = m;
	return 0;
}

static int
drop_segment(void **state)
{
	return munmap(*state, sizeof(struct made));
}

static void
add_mapping(struct made *m, const void *start, size_t bytes,
    enum mapping_kind kind)
{
	m->mapping[m->segment.table[TABLE_MAPPINGS].used++] =
	    (struct mapping){ .start = (uintptr_t)start,
		    .end = (uintptr_t)start + bytes, .kind = kind };
}

/* Memory between closed pages, so that no neighbour is merged with it. */
static char *
fenced(size_t bytes)
{
	char *p = mmap(NULL, bytes + 2 * PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mprotect(p + PAGE, bytes, PROT_READ | PROT_WRITE),
	    0);
	/* Counting is to the byte: no huge pages where one was touched. */
	madvise(p + PAGE, bytes, MADV_NOHUGEPAGE);
	return p + PAGE;
}

static void
unfence(char *p, size_t bytes)
{
	munmap(p - PAGE, bytes + 2 * PAGE);
}

static struct segment_rss
look(const struct made *m)
{
	struct segment_rss rss = { 0 };
	uint64_t sum = 0;
	int i;

	errno = 7;
	assert_int_equal(census_look(&m->segment, 0, &rss), 0);
	assert_int_equal(errno, 7);
	for (i = 0; i < RSS_TERMS; i++)
		sum += rss.terms[i];
	assert_int_equal(sum, rss.resident);
	assert_true(rss.resident > 0 && rss.peak >= rss.resident);
	assert_true(rss.at_ns > 0);
	return rss;
}

/* How much a term has grown, given that it has. */
static uint64_t
grown(enum rss_term term, const struct segment_rss *before,
    const struct segment_rss *after)
{
	if (after->terms[term] < before->terms[term])
		fail_msg("term %d has shrunk", term);
	return after->terms[term] - before->terms[term];
}

#define ABOUT(bytes, found) assert_in_range(found, bytes, (bytes) + SLACK)

static void
what_the_program_mapped_is_mapped(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char *p = fenced(8 * MIB);

	memset(p, 1, 3 * MIB);
	add_mapping(m, p, 8 * MIB, MAPPING_ANONYMOUS);
	after = look(m);
	assert_int_equal(grown(RSS_MAPPED, &before, &after), 3 * MIB);
	unfence(p, 8 * MIB);
}

static void
a_range_of_several_owners_is_counted_page_by_page(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char *p = fenced(12 * MIB);

	/* By length each third would get as much. */
	memset(p, 1, MIB);
	memset(p + 5 * MIB, 1, 3 * MIB);
	memset(p + 8 * MIB, 1, 2 * MIB);
	m->segment.own[3] = (struct segment_span){ (uintptr_t)p,
		(uintptr_t)p + 4 * MIB };
	add_mapping(m, p + 4 * MIB, 4 * MIB, MAPPING_ANONYMOUS);
	after = look(m);
	assert_int_equal(grown(RSS_HEAPTIDE, &before, &after), MIB);
	assert_int_equal(grown(RSS_MAPPED, &before, &after), 3 * MIB);
	ABOUT(2 * MIB, grown(RSS_UNATTRIBUTED, &before, &after));
	unfence(p, 12 * MIB);
}

/* More of them than a module may have that nobody knows. */
static void
the_librarys_own_zero_pages_are_heaptides(void **state)
{
	struct made *m = *state;
	struct segment_identity *own = &m->segment.identity;
	struct segment_rss before = look(m), after;
	char *p = fenced(8 * MIB);

	memset(p, 1, 4 * MIB);
	own->library_start = (uintptr_t)p;
	own->library_end = (uintptr_t)p + 8 * MIB;
	after = look(m);
	assert_int_equal(grown(RSS_HEAPTIDE, &before, &after), 4 * MIB);
	ABOUT(0, grown(RSS_UNATTRIBUTED, &before, &after));
	unfence(p, 8 * MIB);
}

static void
claims_in_disorder_and_on_top_of_each_other_count_once(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char *p = fenced(8 * MIB);

	memset(p, 1, 8 * MIB);
	add_mapping(m, p + 6 * MIB, 2 * MIB + PAGE, MAPPING_SHARED);
	add_mapping(m, p + MIB, 2 * MIB, MAPPING_SHARED);
	add_mapping(m, p, 4 * MIB, MAPPING_RESERVED);
	add_mapping(m, p + 2 * MIB, 0, MAPPING_FILE);
	add_mapping(m, p + 5 * MIB, MIB, 1000); /* no such kind */
	after = look(m);
	assert_int_equal(grown(RSS_MAPPED, &before, &after), 4 * MIB);
	assert_int_equal(grown(RSS_SHARED, &before, &after), 2 * MIB);
	ABOUT(2 * MIB, grown(RSS_UNATTRIBUTED, &before, &after));
	unfence(p, 8 * MIB);
}

static void
what_the_allocator_mapped_is_live_as_far_as_blocks_live(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char *p = fenced(8 * MIB);

	memset(p, 1, 8 * MIB);
	add_mapping(m, p, 8 * MIB, MAPPING_ALLOCATOR);
	m->segment.config.stacks = STACKS_ALL;
	m->tally[0].allocated = 7 * MIB;
	m->tally[0].requested = 6 * MIB;
	m->tally[0].allocations = 4000;
	/* Freed by another thread than allocated it. */
	m->tally[1].freed = 3 * MIB;
	m->tally[1].requested_freed = 2500 * KIB;
	m->tally[1].frees = 2000;
	m->segment.table[TABLE_TALLIES].used = 2;
	after = look(m);
	assert_int_equal(after.requested_known, 1);
	assert_int_equal(after.terms[RSS_LIVE], 6 * MIB - 2500 * KIB);
	assert_int_equal(after.terms[RSS_SLACK],
	    4 * MIB - after.terms[RSS_LIVE] + 2000 * 8);
	assert_true(grown(RSS_RETAINED, &before, &after) > 3 * MIB);
	unfence(p, 8 * MIB);
}

static void
what_was_inherited_is_live_until_it_is_freed(void **state)
{
	struct made *m = *state;
	struct segment_rss rss;
	char *p = fenced(8 * MIB);

	memset(p, 1, 8 * MIB);
	add_mapping(m, p, 8 * MIB, MAPPING_ALLOCATOR);
	m->segment.identity.inherits = 1;
	m->segment.live.inherited_bytes = 5 * MIB;
	m->segment.live.inherited_freed_bytes = MIB;
	rss = look(m);
	assert_int_equal(rss.terms[RSS_LIVE], 4 * MIB);
	assert_int_equal(rss.requested_known, 0);
	unfence(p, 8 * MIB);
}

static void
more_freed_than_allocated_is_nothing_live(void **state)
{
	struct made *m = *state;

	m->tally[0].freed = GIB;
	m->tally[0].frees = 7;
	m->segment.table[TABLE_TALLIES].used = 1;
	assert_int_equal(look(m).terms[RSS_LIVE], 0);
}

static void
only_libc_has_arenas(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), libc, other;
	const size_t arena = 64 * MIB;
	char *p, *start;

	/* An arena, and below it memory that the kernel merges with it. */
	p = mmap(NULL, 3 * arena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	start = (char *)round_up((uintptr_t)p + arena, arena);
	mprotect(start - MIB, 4 * MIB, PROT_READ | PROT_WRITE);
	madvise(start - MIB, 4 * MIB, MADV_NOHUGEPAGE);
	memset(start - MIB, 1, 4 * MIB);
	libc = look(m);
	ABOUT(3 * MIB, grown(RSS_RETAINED, &before, &libc));
	ABOUT(1 * MIB, grown(RSS_UNATTRIBUTED, &before, &libc));
	set_allocator(m, "/usr/lib/libjemalloc.so.2");
	other = look(m);
	ABOUT(4 * MIB, grown(RSS_UNATTRIBUTED, &before, &other));
	munmap(p, 3 * arena);
}

static void
shared_memory_is_shared_and_a_shared_file_is_a_file(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char path[] = "/tmp/heaptide-test-census.XXXXXX";
	int fd = mkstemp(path);
	int memory = memfd_create("census", 0);
	char *file, *shared, *named;

	unlink(path);
	assert_int_equal(ftruncate(fd, 2 * MIB), 0);
	assert_int_equal(ftruncate(memory, 3 * MIB), 0);
	file = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	named = mmap(NULL, 3 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED,
	    memory, 0);
	shared = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(file, 1, 2 * MIB);
	memset(named, 1, 3 * MIB);
	memset(shared, 1, MIB);
	after = look(m);
	ABOUT(2 * MIB, grown(RSS_FILES, &before, &after));
	assert_int_equal(grown(RSS_SHARED, &before, &after), 4 * MIB);
	munmap(file, 2 * MIB);
	munmap(named, 3 * MIB);
	munmap(shared, MIB);
	close(fd);
	close(memory);
}

static void
map_file(const char *path, char **p)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	assert_int_equal(ftruncate(fd, MIB), 0);
	*p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(*p, 1, MIB);
	close(fd);
	unlink(path);
}

static void
the_segment_is_known_by_its_name_even_when_it_is_unlinked(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char own[64], other[64], *p, *q;

	snprintf(own, sizeof(own), "/tmp/%d.99.tide", getpid());
	snprintf(other, sizeof(other), "/tmp/%d9.99.tide", getpid());
	map_file(own, &p);
	map_file(other, &q);
	after = look(m);
	assert_int_equal(grown(RSS_HEAPTIDE, &before, &after), MIB);
	ABOUT(MIB, grown(RSS_FILES, &before, &after));
	munmap(p, MIB);
	munmap(q, MIB);
}

/* --- stacks --------------------------------------------------------------- */

static struct {
	sem_t ready, done;
	uintptr_t address;
} thread;

static void *
stand(void *unused)
{
	volatile char room[MIB];
	size_t i;

	for (i = 0; i < sizeof(room); i += PAGE)
		room[i] = 1;
	thread.address = (uintptr_t)&room[sizeof(room) - 1];
	sem_post(&thread.ready);
	sem_wait(&thread.done);
	return unused;
}

static void
a_range_in_which_a_thread_stands_is_a_stack(void **state)
{
	struct made *m = *state;
	struct segment_rss before, after;
	pthread_t id;

	sem_init(&thread.ready, 0, 0);
	sem_init(&thread.done, 0, 0);
	before = look(m);
	assert_int_equal(pthread_create(&id, NULL, stand, NULL), 0);
	sem_wait(&thread.ready);
	m->tally[0].stack_address = thread.address;
	m->tally[0].tid = 1;
	m->segment.table[TABLE_TALLIES].used = 1;
	after = look(m);
	sem_post(&thread.done);
	pthread_join(id, NULL);
	ABOUT(MIB, grown(RSS_STACKS, &before, &after));
}

static void
where_a_thread_stood_is_a_stack_only_behind_a_guard(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char *p = fenced(4 * MIB);

	memset(p, 1, 2 * MIB);
	m->tally[0].stack_address = (uintptr_t)p + MIB;
	m->segment.table[TABLE_TALLIES].used = 1;
	after = look(m);
	assert_int_equal(grown(RSS_STACKS, &before, &after), 2 * MIB);
	mprotect(p - PAGE, PAGE, PROT_READ);
	after = look(m);
	assert_true(grown(RSS_STACKS, &before, &after) < SLACK);
	ABOUT(2 * MIB, grown(RSS_UNATTRIBUTED, &before, &after));
	unfence(p, 4 * MIB);
}

/* --- zero pages of files -------------------------------------------------- */

static char zeros[4 * MIB];

static void
zero_pages_of_the_program_are_files(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;

	memset(zeros, 1, sizeof(zeros));
	after = look(m);
	ABOUT(sizeof(zeros) - 2 * PAGE, grown(RSS_FILES, &before, &after));
}

static void
memory_behind_a_module_is_its_own_only_as_far_as_it_goes(void **state)
{
	struct made *m = *state;
	struct segment_rss before = look(m), after;
	char path[] = "/tmp/heaptide-test-census.XXXXXX";
	char *p = fenced(8 * MIB);
	int fd = mkstemp(path);

	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)PAGE), 0);
	assert_ptr_equal(mmap(p, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_FIXED, fd, 0), p);
	memset(p, 1, 8 * MIB);
	/* Nobody knows how far it goes: a guess. */
	after = look(m);
	ABOUT(MIB + PAGE, grown(RSS_FILES, &before, &after));
	m->module[0] = (struct module){ .start = (uintptr_t)p,
		.end = (uintptr_t)p + 3 * MIB - 100 };
	m->segment.table[TABLE_MODULES].used = 1;
	after = look(m);
	ABOUT(3 * MIB, grown(RSS_FILES, &before, &after));
	ABOUT(5 * MIB, grown(RSS_UNATTRIBUTED, &before, &after));
	close(fd);
	unfence(p, 8 * MIB);
}

/* --- storing -------------------------------------------------------------- */

static void
to_look_writes_nothing_into_the_segment(void **state)
{
	struct made *m = *state;

	assert_int_equal(mprotect(m, sizeof(*m), PROT_READ), 0);
	(void)look(m);
	assert_int_equal(mprotect(m, sizeof(*m), PROT_READ | PROT_WRITE), 0);
}

static void
the_last_census_is_stored_and_the_highest_kept(void **state)
{
	struct made *m = *state;
	const struct segment_rss *last = &m->segment.rss[RSS_LAST];
	const struct segment_rss *peak = &m->segment.rss[RSS_PEAK];
	char *p = fenced(16 * MIB);
	uint64_t most;

	memset(p, 1, 16 * MIB);
	assert_int_equal(census_take(&m->segment, 0), 0);
	assert_int_equal(last->version, 2);
	assert_int_equal(peak->version, 2);
	assert_int_equal(last->resident, peak->resident);
	most = last->resident;
	unfence(p, 16 * MIB);
	assert_int_equal(census_take(&m->segment, getpid()), 0);
	assert_int_equal(last->version, 4);
	assert_int_equal(peak->version, 2);
	assert_true(last->resident < most);
	assert_int_equal(peak->resident, most);
	assert_true(last->at_ns > peak->at_ns);
}

static void
who_comes_second_is_turned_away(void **state)
{
	struct made *m = *state;

	m->segment.rss[RSS_LAST].version = 1;
	assert_int_equal(census_take(&m->segment, 0), -EBUSY);
	assert_int_equal(m->segment.rss[RSS_LAST].version, 1);
	assert_int_equal(m->segment.rss[RSS_LAST].resident, 0);
	assert_int_equal(m->segment.rss[RSS_PEAK].resident, 0);
}

static void
another_process_is_counted_as_well_while_it_lives(void **state)
{
	struct made *m = *state;
	struct segment_rss rss = { .resident = 42 };
	siginfo_t info;
	pid_t child;
	char *p = fenced(8 * MIB);

	add_mapping(m, p, 4 * MIB, MAPPING_ANONYMOUS);
	child = fork();
	if (child == 0) {
		memset(p, 1, 6 * MIB);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, WUNTRACED);
	assert_int_equal(census_look(&m->segment, child, &rss), 0);
	assert_int_equal(rss.terms[RSS_MAPPED], 4 * MIB);

	kill(child, SIGKILL);
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	assert_int_equal(census_take(&m->segment, child), -ESRCH);
	waitpid(child, NULL, 0);
	assert_int_equal(census_take(&m->segment, child), -ESRCH);
	assert_int_equal(m->segment.rss[RSS_LAST].version, 0);
	unfence(p, 8 * MIB);
}

static void
a_table_that_is_always_being_changed_does_not_hold_it_up(void **state)
{
	struct made *m = *state;
	char *p = fenced(MIB);

	memset(p, 1, MIB);
	add_mapping(m, p, MIB, MAPPING_ANONYMOUS);
	m->segment.live.mappings_version = 1;
	assert_int_equal(look(m).terms[RSS_MAPPED], MIB);
	unfence(p, MIB);
}

static void
tables_that_do_not_fit_are_refused(void **state)
{
	static const enum segment_table_id tables[] = {
		TABLE_TALLIES, TABLE_MODULES, TABLE_MAPPINGS, TABLE_TEXT
	};
	struct made *m = *state;
	struct segment_table was, *t;
	struct segment_rss rss;
	size_t i;

	assert_true(census_may(&m->segment, sizeof(*m)));
	assert_false(census_may(&m->segment, sizeof(m->segment)));
	for (i = 0; i < ARRAY_LENGTH(tables); i++) {
		t = &m->segment.table[tables[i]];
		was = *t;
		t->capacity = UINT64_MAX / 2;
		assert_false(census_may(&m->segment, sizeof(*m)));
		*t = was;
		t->offset = UINT64_MAX - 8;
		assert_int_equal(census_look(&m->segment, 0, &rss), -EINVAL);
		*t = was;
		t->entry_bytes = 0;
		assert_int_equal(census_take(&m->segment, 0), -EINVAL);
		*t = was;
		t->used = UINT64_MAX; /* no more than there is room for */
		assert_int_equal(census_look(&m->segment, 0, &rss), 0);
		*t = was;
	}
	m->segment.identity.allocator.offset = UINT32_MAX;
	(void)look(m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_segment, drop_segment)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_program_mapped_is_mapped),
		TEST(a_range_of_several_owners_is_counted_page_by_page),
		TEST(the_librarys_own_zero_pages_are_heaptides),
		TEST(claims_in_disorder_and_on_top_of_each_other_count_once),
		TEST(what_the_allocator_mapped_is_live_as_far_as_blocks_live),
		TEST(what_was_inherited_is_live_until_it_is_freed),
		TEST(more_freed_than_allocated_is_nothing_live),
		TEST(only_libc_has_arenas),
		TEST(shared_memory_is_shared_and_a_shared_file_is_a_file),
		TEST(the_segment_is_known_by_its_name_even_when_it_is_unlinked),
		TEST(a_range_in_which_a_thread_stands_is_a_stack),
		TEST(where_a_thread_stood_is_a_stack_only_behind_a_guard),
		TEST(zero_pages_of_the_program_are_files),
		TEST(memory_behind_a_module_is_its_own_only_as_far_as_it_goes),
		TEST(to_look_writes_nothing_into_the_segment),
		TEST(the_last_census_is_stored_and_the_highest_kept),
		TEST(who_comes_second_is_turned_away),
		TEST(another_process_is_counted_as_well_while_it_lives),
		TEST(a_table_that_is_always_being_changed_does_not_hold_it_up),
		TEST(tables_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
