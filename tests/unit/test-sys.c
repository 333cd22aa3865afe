#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/sys.h"

static void
what_cannot_be_read_is_told(void **state)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	(void)state;
	assert_true(sys_is_readable(&page));
	assert_false(sys_is_readable(page));
	munmap(page, 4096);
}

static void
who_is_confined_asks_nothing_and_does_not_read(void **state)
{
	int here;

	(void)state;
	errno = 0;
	sys_confine();
	sys_confine();
	sys_release();
	assert_true(sys_is_confined());
	assert_int_equal(sys_pid(), -EPERM);
	assert_int_equal(sys_open("/dev/null", O_RDONLY, 0), -EPERM);
	assert_false(sys_is_readable(&here));
	assert_int_equal(sys_error_of(sys_mmap(NULL, 4096, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), -EPERM);
	assert_true(sys_clock() > 0);
	assert_true(sys_clock_wall() > 0);
	/* The program's own go through. */
	assert_int_equal(sys_pass(SYS_getpid, 0, 0, 0, 0, 0, 0), getpid());
	sys_release();
	assert_false(sys_is_confined());
	assert_int_equal(sys_pid(), getpid());
	assert_true(sys_is_readable(&here));
	assert_int_equal(errno, 0);
}

/* The last: a fault is for the whole of a process. */
static void
a_fault_strikes_the_call_of_its_number(void **state)
{
	const struct sys_fault once = { .at = 2, .error = -EIO };
	const struct sys_fault always = { .at = 5, .onwards = true,
		.error = -EMFILE };
	int here;

	(void)state;
	assert_int_equal(sys_calls(), 0);
	sys_set_fault(&once);
	assert_int_equal(sys_pid(), getpid());
	assert_int_equal(sys_pid(), -EIO);
	assert_int_equal(sys_pid(), getpid());
	assert_int_equal(sys_calls(), 3);
	sys_set_fault(&always);
	assert_int_equal(sys_pid(), getpid());
	assert_int_equal(sys_pid(), -EMFILE);
	assert_int_equal(sys_open("/dev/null", O_RDONLY, 0), -EMFILE);
	assert_false(sys_is_readable(&here));
	assert_int_equal(sys_calls(), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_read_is_told),
		cmocka_unit_test(who_is_confined_asks_nothing_and_does_not_read),
		cmocka_unit_test(a_fault_strikes_the_call_of_its_number),
	};

	return cmocka_run_group_tests_name("sys", tests, NULL, NULL);
}
