#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "sys/cgroup.h"
#include "sys/proc.h"

/* A tree in tests/unit/fixtures that looks like the root of some machine. */
static const char *
tree(const char *name)
{
	static char path[1024];
	const char *srcdir = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/tests/unit/fixtures/sysroot-%s",
	    srcdir != NULL ? srcdir : ".", name);
	if (access(path, R_OK) != 0)
		fail_msg("%s is missing; run from the top of the tree", path);
	return path;
}

static void
check_path(const struct cgroup_memory *m, size_t level, const char *name,
    const char *expected)
{
	char whole[2048];

	snprintf(whole, sizeof(whole), "%s%s", tree(name), expected);
	assert_int_equal(m->level[level].path_bytes, strlen(whole));
	assert_memory_equal(m->path, whole, strlen(whole));
}

static void
of_version_2_all_groups_above_are_read(void **state)
{
	struct cgroup_memory m;

	(void)state;
	assert_int_equal(cgroup_memory_read(tree("v2"), 0, &m), 0);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.levels, 3);
	check_path(&m, 0, "v2",
	    "/sys/fs/cgroup/user.slice/app:1.service");
	check_path(&m, 1, "v2", "/sys/fs/cgroup/user.slice");
	check_path(&m, 2, "v2", "/sys/fs/cgroup");
	assert_int_equal(m.level[0].max, 6 * GIB);
	assert_int_equal(m.level[0].high, CGROUP_NONE);
	assert_int_equal(m.level[0].swap, CGROUP_NONE);
	assert_int_equal(m.level[0].used, 512 * MIB);
	assert_int_equal(m.level[1].max, 4 * GIB);
	assert_int_equal(m.level[1].high, 3 * GIB);
	assert_int_equal(m.level[1].swap, 0);
	/* The root of the tree has no limit and counts nothing. */
	assert_int_equal(m.level[2].max, CGROUP_NONE);
	assert_int_equal(m.level[2].used, CGROUP_NONE);
	assert_int_equal(m.hierarchical, CGROUP_NONE);
	assert_string_equal(cgroup_file_of_max(&m), "memory.max");
}

static void
page_cache_that_can_be_dropped_is_not_used(void **state)
{
	struct cgroup_memory m;

	(void)state;
	assert_int_equal(cgroup_memory_read(tree("v2"), 0, &m), 0);
	/* 700 MiB of files, of which 48 are dirty or being written, and 52
	 * MiB of slab. */
	assert_int_equal(m.level[1].used, 2 * GIB - (652 + 52) * MIB);
	assert_int_equal(cgroup_memory_read(tree("v1"), 0, &m), 0);
	assert_int_equal(m.level[0].used, (300 - 100) * MIB);
}

static void
in_a_namespace_the_mount_point_is_the_group(void **state)
{
	struct cgroup_memory m;

	(void)state;
	assert_int_equal(cgroup_memory_read(tree("v2-namespace"), 0, &m), 0);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.levels, 1);
	check_path(&m, 0, "v2-namespace", "/control#groups");
	assert_int_equal(m.level[0].max, 512 * MIB);
}

static void
of_a_container_the_part_that_is_mounted_is_read(void **state)
{
	struct cgroup_memory m;

	(void)state;
	assert_int_equal(cgroup_memory_read(tree("v1"), 0, &m), 0);
	assert_int_equal(m.version, 1);
	assert_int_equal(m.levels, 2);
	check_path(&m, 0, "v1", "/sys/fs/cgroup/memory/job");
	check_path(&m, 1, "v1", "/sys/fs/cgroup/memory");
	assert_int_equal(m.level[0].max, CGROUP_NONE);
	assert_int_equal(m.level[1].max, GIB);
	/* Lower than all that is in sight: a group above has it. */
	assert_int_equal(m.hierarchical, 768 * MIB);
	assert_string_equal(cgroup_file_of_max(&m), "memory.limit_in_bytes");
}

static void
of_both_versions_the_one_with_the_memory_controller_counts(void **state)
{
	struct cgroup_memory m;

	(void)state;
	assert_int_equal(cgroup_memory_read(tree("hybrid"), 0, &m), 0);
	assert_int_equal(m.version, 1);
	check_path(&m, 0, "hybrid", "/sys/fs/cgroup/memory/a/b/c");
	assert_int_equal(m.level[0].max, 5 * GIB);
	assert_int_equal(m.level[1].max, 2 * GIB);
}

static void
a_group_that_does_not_count_what_is_below_limits_nothing(void **state)
{
	struct cgroup_memory m;

	(void)state;
	assert_int_equal(cgroup_memory_read(tree("hybrid"), 0, &m), 0);
	assert_int_equal(m.levels, 2); /* /a has no use_hierarchy */
}

static void
a_machine_without_groups_is_no_failure(void **state)
{
	struct cgroup_memory m;

	(void)state;
	errno = 7;
	assert_int_equal(cgroup_memory_read(tree("bare"), 0, &m), 0);
	assert_int_equal(m.version, 0);
	assert_int_equal(m.levels, 0);
	assert_int_equal(m.hierarchical, CGROUP_NONE);
	assert_string_equal(cgroup_file_of_max(&m), "");
	assert_int_equal(cgroup_memory_read("/nowhere", 0, &m), 0);
	assert_int_equal(m.version, 0);
	assert_int_equal(errno, 7);
}

/* --- trees made on the way ------------------------------------------------ */

static void
put(const char *root, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A root whose process has these two files. */
static int
read_made(const char *groups, const char *mounts, struct cgroup_memory *m)
{
	char root[] = "/tmp/heaptide-test-cgroup.XXXXXX", command[256];
	int r;

	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command), "mkdir -p %s/proc/self %s/cg/in",
	    root, root);
	assert_int_equal(system(command), 0);
	put(root, "proc/self/cgroup", groups);
	put(root, "proc/self/mountinfo", mounts);
	put(root, "cg/memory.max", "1048576\n");
	put(root, "cg/in/memory.max", "4096\n");
	r = cgroup_memory_read(root, 0, m);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
	return r;
}

static void
groups_and_mounts_meet_or_nothing_is_read(void **state)
{
	static const struct {
		const char *groups, *mounted;
		size_t levels;
		uint64_t max; /* of the first */
	} table[] = {
		{ "0::/in\n", "/", 2, 4096 },
		{ "0::/in", "/", 2, 4096 }, /* no newline */
		{ "0::/\n", "/", 1, 1048576 },
		{ "0::/pod/in\n", "/pod", 2, 4096 },
		{ "0::/pod\n", "/pod", 1, 1048576 },
		{ "0::/podium\n", "/pod", 0, 0 }, /* not below /pod */
		{ "0::/gone\n", "/", 2, CGROUP_NONE },
		/* The mount is of some group above our namespace. */
		{ "0::/in\n", "/../..", 1, 1048576 },
		/* Of processes outside it, no name leads to their groups. */
		{ "0::/../in\n", "/", 0, 0 },
		{ "0::/../in\n", "/..", 2, 4096 },
		{ "0::/../../in\n", "/..", 0, 0 },
		/* Nonsense. */
		{ "", "/", 0, 0 },
		{ "0::in\n", "/", 0, 0 },
		{ "0:\n:\n\n", "/", 0, 0 },
	};
	struct cgroup_memory m;
	char mounts[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		snprintf(mounts, sizeof(mounts), "x\n1 2 0:1 / / - a b\n"
		    "30 22 0:26 %s /cg rw shared:1 master:2 - cgroup2 x rw\n",
		    table[i].mounted);
		assert_int_equal(read_made(table[i].groups, mounts, &m), 0);
		if (m.levels != table[i].levels)
			fail_msg("row %zu: %zu levels", i, m.levels);
		if (m.levels > 0 && m.level[0].max != table[i].max)
			fail_msg("row %zu: %ju", i,
			    (uintmax_t)m.level[0].max);
	}
}

static void
a_group_deeper_than_there_is_room_is_read_from_its_end(void **state)
{
	char groups[512] = "0::";
	struct cgroup_memory m;
	int i;

	(void)state;
	for (i = 0; i < CGROUP_LEVELS + 8; i++)
		strcat(groups, "/g");
	assert_int_equal(read_made(groups,
	    "30 22 0:26 / /cg rw - cgroup2 x rw\n", &m), 0);
	assert_int_equal(m.levels, CGROUP_LEVELS);
}

static void
a_path_that_is_too_long_is_refused(void **state)
{
	char *groups = test_malloc(CGROUP_ROOM + 64);
	struct cgroup_memory m;

	(void)state;
	memset(groups, 'g', CGROUP_ROOM + 64);
	memcpy(groups, "0::/", 4);
	groups[CGROUP_ROOM + 63] = '\0';
	assert_int_equal(read_made(groups,
	    "30 22 0:26 / /cg rw - cgroup2 x rw\n", &m), -ENAMETOOLONG);
	test_free(groups);
}

static void
this_machine_is_read_without_trouble(void **state)
{
	struct cgroup_memory self, by_pid;

	(void)state;
	assert_int_equal(cgroup_memory_read("", 0, &self), 0);
	assert_int_equal(cgroup_memory_read("", getpid(), &by_pid), 0);
	assert_int_equal(self.version, by_pid.version);
	assert_int_equal(self.levels, by_pid.levels);
	assert_string_equal(self.path, by_pid.path);
}

static void
limits_and_memory_are_read_from_the_tree_that_is_given(void **state)
{
	struct proc_limits limits;
	struct proc_memory memory;

	(void)state;
	assert_int_equal(proc_limits_read(tree("hybrid"), 0, &limits), 0);
	assert_int_equal(limits.address_space, 3 * GIB);
	assert_int_equal(limits.data, UINT64_MAX);
	assert_int_equal(proc_limits_read(tree("v2-namespace"), 0, &limits),
	    0);
	assert_int_equal(limits.address_space, UINT64_MAX);
	assert_int_equal(limits.data, 768 * MIB);
	assert_int_equal(proc_memory_read(tree("bare"), &memory), 0);
	assert_int_equal(memory.total, GIB);
	assert_int_equal(memory.available, 512 * MIB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_version_2_all_groups_above_are_read),
		cmocka_unit_test(page_cache_that_can_be_dropped_is_not_used),
		cmocka_unit_test(in_a_namespace_the_mount_point_is_the_group),
		cmocka_unit_test(
		    of_a_container_the_part_that_is_mounted_is_read),
		cmocka_unit_test(
		    of_both_versions_the_one_with_the_memory_controller_counts),
		cmocka_unit_test(
		    a_group_that_does_not_count_what_is_below_limits_nothing),
		cmocka_unit_test(a_machine_without_groups_is_no_failure),
		cmocka_unit_test(groups_and_mounts_meet_or_nothing_is_read),
		cmocka_unit_test(
		    a_group_deeper_than_there_is_room_is_read_from_its_end),
		cmocka_unit_test(a_path_that_is_too_long_is_refused),
		cmocka_unit_test(this_machine_is_read_without_trouble),
		cmocka_unit_test(
		    limits_and_memory_are_read_from_the_tree_that_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
