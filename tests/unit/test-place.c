#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "sys/place.h"

/* A directory for each test, and the environment that names places in it. */
struct world {
	char top[64];
	char own[128];     /* HEAPTIDE_DIR=top/own */
	char runtime[128]; /* XDG_RUNTIME_DIR=top/run */
	char home[16], misspelt[40], empty[16];
	char *none[2], *set[4], *session[3];
	char path[PLACE_ROOM];
};

static int
open_world(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	strcpy(w->top, "/tmp/heaptide-test-place.XXXXXX");
	if (mkdtemp(w->top) == NULL)
		return -1;
	snprintf(w->own, sizeof(w->own), "HEAPTIDE_DIR=%s/own", w->top);
	snprintf(w->runtime, sizeof(w->runtime), "XDG_RUNTIME_DIR=%s/run",
	    w->top);
	strcpy(w->home, "HOME=/nowhere");
	strcpy(w->misspelt, "HEAPTIDE_DIRECTORY=/nowhere");
	strcpy(w->empty, "HEAPTIDE_DIR=");
	w->none[0] = w->home;
	w->set[0] = w->misspelt;
	w->set[1] = w->runtime;
	w->set[2] = w->own;
	w->session[0] = w->empty;
	w->session[1] = w->runtime;
	umask(0022);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", w->top);
	test_free(w);
	return system(command);
}

static const char *
in(const struct world *w, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->top, name);
	return path;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
the_directory_is_made_for_its_user_alone(void **state)
{
	struct world *w = *state;

	umask(0);
	assert_int_equal(place_find(w->set, w->path), 0);
	assert_string_equal(w->path, in(w, "own"));
	assert_int_equal(mode_of(w->path), 0700);
	/* and is found again */
	assert_int_equal(place_find(w->set, w->path), 0);
	assert_int_equal(place_look(w->set, w->path), 0);
}

static void
to_look_makes_nothing(void **state)
{
	struct world *w = *state;

	errno = 7;
	assert_int_equal(place_look(w->set, w->path), -ENOENT);
	assert_string_equal(w->path, in(w, "own"));
	assert_int_equal(access(w->path, F_OK), -1);
	errno = 7;
	assert_int_equal(place_look(w->set, w->path), -ENOENT);
	assert_int_equal(errno, 7);
}

static void
an_empty_variable_is_as_good_as_none(void **state)
{
	struct world *w = *state;
	char expected[256];

	mkdir(in(w, "run"), 0700);
	assert_int_equal(place_find(w->session, w->path), 0);
	snprintf(expected, sizeof(expected), "%s/run/heaptide", w->top);
	assert_string_equal(w->path, expected);
	assert_int_equal(mode_of(w->path), 0700);
}

static void
a_directory_of_ones_own_that_others_may_read_is_taken(void **state)
{
	struct world *w = *state;

	mkdir(in(w, "own"), 0755);
	assert_int_equal(place_find(w->set, w->path), 0);
}

static void
a_directory_that_others_may_write_to_is_refused(void **state)
{
	struct world *w = *state;

	mkdir(in(w, "own"), 0700);
	chmod(in(w, "own"), 0770);
	assert_int_equal(place_find(w->set, w->path), -EACCES);
	chmod(in(w, "own"), 0702);
	assert_int_equal(place_find(w->set, w->path), -EACCES);
	assert_string_equal(w->path, in(w, "own"));
}

static void
a_default_place_that_others_may_read_is_not_the_one(void **state)
{
	struct world *w = *state;

	mkdir(in(w, "run"), 0700);
	mkdir(in(w, "run/heaptide"), 0755);
	assert_int_equal(place_look_at(w->session, 0, w->path), -EACCES);
	chmod(in(w, "run/heaptide"), 0700);
	assert_int_equal(place_look_at(w->session, 0, w->path), 0);
}

static void
a_link_and_a_file_are_no_directory(void **state)
{
	struct world *w = *state;
	char slash[160];

	mkdir(in(w, "other"), 0700);
	assert_int_equal(symlink("other", in(w, "own")), 0);
	assert_int_equal(place_find(w->set, w->path), -ENOTDIR);
	/* A slash behind it would follow the link. */
	snprintf(slash, sizeof(slash), "%s//", w->own);
	w->set[2] = slash;
	assert_int_equal(place_find(w->set, w->path), -ENOTDIR);
	unlink(in(w, "own"));
	fclose(fopen(in(w, "own"), "w"));
	assert_int_equal(place_find(w->set, w->path), -ENOTDIR);
}

static void
a_directory_of_another_user_is_refused(void **state)
{
	struct world *w = *state;

	if (geteuid() == 0) {
		mkdir(in(w, "own"), 0700);
		assert_int_equal(chown(in(w, "own"), 12345, 12345), 0);
		assert_int_equal(place_find(w->set, w->path), -EACCES);
	} else {
		strcpy(w->own, "HEAPTIDE_DIR=/");
		assert_int_equal(place_find(w->set, w->path), -EACCES);
	}
}

static void
a_set_directory_rules_alone(void **state)
{
	struct world *w = *state;

	/* Its parent is missing, and the session's place would do. */
	snprintf(w->own, sizeof(w->own), "HEAPTIDE_DIR=%s/a/b", w->top);
	mkdir(in(w, "run"), 0700);
	assert_int_equal(place_find(w->set, w->path), -ENOENT);
	assert_string_equal(w->path, in(w, "a/b"));
	assert_int_equal(place_look_at(w->set, 1, w->path), -ENODEV);
}

static void
without_a_session_there_are_places_by_user(void **state)
{
	struct world *w = *state;
	char expected[64];
	unsigned n;

	for (n = 0; n < 2; n++) {
		(void)place_look_at(n == 0 ? w->none : NULL, n, w->path);
		snprintf(expected, sizeof(expected), "%s/heaptide-%u",
		    n == 0 ? "/dev/shm" : "/tmp", geteuid());
		assert_string_equal(w->path, expected);
	}
	assert_int_equal(place_look_at(NULL, 2, w->path), -ENODEV);
}

static void
a_path_that_is_too_long_is_refused(void **state)
{
	struct world *w = *state;
	char *variable = test_malloc(PLACE_ROOM + 64);

	memset(variable, 'x', PLACE_ROOM + 64);
	memcpy(variable, "HEAPTIDE_DIR=/", 14);
	variable[PLACE_ROOM + 63] = '\0';
	w->set[2] = variable;
	assert_int_equal(place_find(w->set, w->path), -ENAMETOOLONG);
	assert_int_equal(place_segment(variable, 1, 0, 1, w->path),
	    -ENAMETOOLONG);
	test_free(variable);
}

static void
a_segment_is_named_by_pid_and_start(void **state)
{
	struct world *w = *state;

	assert_int_equal(place_segment("/run/x", 4711, 0, UINT64_MAX, w->path),
	    0);
	assert_string_equal(w->path, "/run/x/4711.18446744073709551615.tide");
	assert_int_equal(place_segment("/run/x", 1, 4026532201, 17, w->path),
	    0);
	assert_string_equal(w->path, "/run/x/1-4026532201.17.tide");
}

static void
a_pool_is_named_by_its_user(void **state)
{
	static const char *const no[] = { "", ".", ".x", "-x", "a/b", "a b",
		"../x", "\xc3\xa4",
		("0123456789012345678901234567890123456789"
		"0123456789012345678901234") };
	struct world *w = *state;
	struct stat st;
	size_t i;

	mkdir(in(w, "own"), 0700);
	assert_int_equal(place_pool(in(w, "own"), "nightly-2.x", 0, w->path),
	    -ENOENT);
	assert_int_equal(place_pool(in(w, "own"), "nightly-2.x", 1, w->path),
	    0);
	assert_string_equal(w->path, in(w, "own/pools/nightly-2.x"));
	assert_int_equal(stat(in(w, "own/pools"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_int_equal(place_pool(in(w, "own"), no[i], 1, w->path),
		    -EINVAL);
	chmod(in(w, "own/pools"), 0777);
	assert_int_equal(place_pool(in(w, "own"), "x", 1, w->path), -EACCES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_directory_is_made_for_its_user_alone),
		TEST(to_look_makes_nothing),
		TEST(an_empty_variable_is_as_good_as_none),
		TEST(a_directory_of_ones_own_that_others_may_read_is_taken),
		TEST(a_directory_that_others_may_write_to_is_refused),
		TEST(a_default_place_that_others_may_read_is_not_the_one),
		TEST(a_link_and_a_file_are_no_directory),
		TEST(a_directory_of_another_user_is_refused),
		TEST(a_set_directory_rules_alone),
		TEST(without_a_session_there_are_places_by_user),
		TEST(a_path_that_is_too_long_is_refused),
		TEST(a_segment_is_named_by_pid_and_start),
		TEST(a_pool_is_named_by_its_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
