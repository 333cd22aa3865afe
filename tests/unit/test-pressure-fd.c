/*
 * The descriptor that tells of the state, and pages that are given back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/plan.h"
#include "plan/pressure.h"
#include "sys/sys.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
plan_lock(void)
{
	pthread_mutex_lock(&lock);
}

void
plan_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static bool
can_be_read(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	assert_true(poll(&p, 1, 0) >= 0);
	return (p.revents & POLLIN) != 0;
}

/* All that is there, as digits. */
static const char *
read_all(int fd)
{
	static char states[64];
	ssize_t n = read(fd, states, sizeof(states) - 1);

	for (ssize_t i = 0; i < n; i++)
		states[i] = (char)(states[i] + '0');
	states[n > 0 ? n : 0] = '\0';
	return states;
}

static void
until_somebody_asks_nothing_is_there(void **state)
{
	int before, after;

	(void)state;
	before = open("/dev/null", O_RDONLY);
	pressure_notify(2);
	after = open("/dev/null", O_RDONLY);
	assert_int_equal(after, before + 1);
	close(before);
	close(after);
}

static void
it_can_be_read_once_the_state_has_changed(void **state)
{
	int fd;

	(void)state;
	errno = EXDEV;
	fd = pressure_fd();
	assert_true(fd >= 0);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(pressure_fd(), fd);
	assert_false(can_be_read(fd));
	pressure_notify(1);
	pressure_notify(3);
	assert_true(can_be_read(fd));
	assert_string_equal(read_all(fd), "13");
	assert_false(can_be_read(fd));
	/* Who reads without need does not wait. */
	assert_int_equal(read(fd, (char[1]){ 0 }, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
programs_that_are_executed_do_not_get_it(void **state)
{
	(void)state;
	assert_true(fcntl(pressure_fd(), F_GETFD) & FD_CLOEXEC);
}

static void
who_never_reads_is_not_waited_for(void **state)
{
	int fd = pressure_fd(), n = 0;
	char c;

	(void)state;
	errno = EXDEV;
	for (int i = 0; i < 100000; i++)
		pressure_notify(2);
	assert_int_equal(errno, EXDEV);
	while (read(fd, &c, 1) == 1)
		n++;
	assert_true(n > 0 && n < 100000);
}

/* A program that closes what it does not know, and opens files of its own. */
static void
what_the_program_has_closed_is_not_written_to(void **state)
{
	char path[] = "/tmp/tide-unit.XXXXXX";
	int own[64], fd = pressure_fd(), file;

	(void)state;
	for (int i = 3; i < 64; i++)
		close(i);
	file = mkstemp(path);
	assert_true(file >= 0);
	for (int i = 0; i < 64; i++)
		own[i] = dup(file);
	pressure_notify(2);
	assert_int_equal(lseek(file, 0, SEEK_END), 0);
	/* Nor is a stranger's closed when one is asked for again. */
	fd = pressure_fd();
	assert_true(fd > own[63]);
	for (int i = 0; i < 64; i++)
		assert_int_equal(close(own[i]), 0);
	pressure_notify(1);
	assert_string_equal(read_all(fd), "1");
	close(file);
	unlink(path);
}

static void
a_child_has_its_own(void **state)
{
	int fd = pressure_fd(), status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int its;

		pressure_notify(3); /* nobody here has asked */
		its = pressure_fd();
		pressure_notify(1);
		_exit(its >= 0 && its != fd && !can_be_read(fd) &&
		    strcmp(read_all(its), "1") == 0 ? 7 : 8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_false(can_be_read(fd));
	pressure_notify(2);
	assert_string_equal(read_all(fd), "2");
}

static void
where_there_is_none_to_be_had_that_is_said(void **state)
{
	struct rlimit was, none;
	int fd = pressure_fd();

	(void)state;
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(pressure_fd(), -EMFILE);
	pressure_notify(1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_true(pressure_fd() >= 0);
	sys_confine();
	assert_int_equal(pressure_fd(), -EPERM);
	pressure_notify(1);
	sys_release();
	assert_true(pressure_fd() >= 0);
}

/* --- pages ---------------------------------------------------------------- */

#define PAGES 8

static unsigned char *
make_pages(void)
{
	size_t bytes = PAGES * sys_page_bytes();
	unsigned char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	memset(p, 7, bytes);
	return p;
}

static void
whole_pages_go_and_parts_of_one_stay(void **state)
{
	size_t page = sys_page_bytes();
	unsigned char *p = make_pages();

	(void)state;
	assert_int_equal(release_pages(p + 1, 2 * page), page);
	assert_int_equal(p[page - 1], 7);
	assert_int_equal(p[page], 0);
	assert_int_equal(p[2 * page - 1], 0);
	assert_int_equal(p[2 * page], 7);
	/* Within one, and across the border of two. */
	assert_int_equal(release_pages(p + 3 * page + 1, page - 1), 0);
	assert_int_equal(release_pages(p + 4 * page - 9, 18), 0);
	assert_int_equal(release_pages(p + 3 * page, page - 1), 0);
	assert_int_equal(p[3 * page], 7);
	assert_int_equal(release_pages(p, PAGES * page), PAGES * page);
	assert_int_equal(p[7 * page], 0);
	p[7 * page] = 1; /* it is there as before */
	munmap(p, PAGES * page);
}

static void
wrong_ranges_are_refused(void **state)
{
	size_t page = sys_page_bytes();
	unsigned char *p = make_pages();
	char one;

	(void)state;
	assert_int_equal(release_pages(NULL, 0), 0);
	assert_int_equal(release_pages(p, 0), 0);
	assert_int_equal(release_pages(&one, 1), 0);
	assert_int_equal(release_pages(NULL, 1), -EINVAL);
	assert_int_equal(release_pages(p, SIZE_MAX), -EINVAL);
	assert_int_equal(release_pages((void *)UINTPTR_MAX, 1), -EINVAL);
	assert_int_equal(release_pages((void *)(UINTPTR_MAX - 5), 5), -EINVAL);
	assert_int_equal(p[0], 7);
	munmap(p + page, page);
	errno = EXDEV;
	assert_int_equal(release_pages(p, PAGES * page), -ENOMEM);
	assert_int_equal(errno, EXDEV);
	munmap(p, PAGES * page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_somebody_asks_nothing_is_there),
		cmocka_unit_test(it_can_be_read_once_the_state_has_changed),
		cmocka_unit_test(programs_that_are_executed_do_not_get_it),
		cmocka_unit_test(who_never_reads_is_not_waited_for),
		cmocka_unit_test(
		    what_the_program_has_closed_is_not_written_to),
		cmocka_unit_test(a_child_has_its_own),
		cmocka_unit_test(where_there_is_none_to_be_had_that_is_said),
		cmocka_unit_test(whole_pages_go_and_parts_of_one_stay),
		cmocka_unit_test(wrong_ranges_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
