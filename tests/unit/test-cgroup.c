#include "sysroot.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "sys/cgroup.h"
#include "sys/proc.h"

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
a_group_can_be_found_without_reading_any(void **state)
{
	struct cgroup_memory m;
	char own[CGROUP_ROOM];

	(void)state;
	assert_int_equal(cgroup_memory_read(tree("v2"), 0, &m), 0);
	snprintf(own, sizeof(own), "%s", m.path);
	memset(&m, 0x55, sizeof(m));
	assert_int_equal(cgroup_memory_find(tree("v2"), 0, &m), 0);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.levels, 0);
	assert_string_equal(m.path, own);
	assert_int_equal(cgroup_memory_find(tree("v1"), 0, &m), 0);
	assert_int_equal(m.version, 1);
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

struct put_row {
	const char *name, *text;
};

/*
 * A root with the files of @rows, whose process is in the group @in of @type,
 * mounted at /cg.  Reads it, and what befell the group; then it is gone.
 */
static void
read_tree(const char *type, const char *in, const struct put_row *rows,
    struct cgroup_memory *m, struct cgroup_events *events, int *result)
{
	char root[] = "/tmp/heaptide-test-cgroup.XXXXXX", text[512];

	assert_non_null(mkdtemp(root));
	snprintf(text, sizeof(text), "mkdir -p %s/proc/self %s/cg/a/b", root,
	    root);
	assert_int_equal(system(text), 0);
	snprintf(text, sizeof(text), "%s:%s\n",
	    strcmp(type, "cgroup") == 0 ? "4:memory" : "0:", in);
	put(root, "proc/self/cgroup", text);
	snprintf(text, sizeof(text), "30 22 0:26 / /cg rw - %s x rw,memory\n",
	    type);
	put(root, "proc/self/mountinfo", text);
	for (; rows->name != NULL; rows++)
		put(root, rows->name, rows->text);
	assert_int_equal(cgroup_memory_read(root, 0, m), 0);
	*result = cgroup_events_read(m, 0, events);
	snprintf(text, sizeof(text), "rm -rf %s", root);
	assert_int_equal(system(text), 0);
}

static void
what_is_used_of_version_2_is_all_that_cannot_be_dropped(void **state)
{
	/* anon 100, shmem 20, kernel 30 of which slab 10 can be dropped, sock
	 * 5; of files 200, 15 are dirty and 7 being written; swap 40. */
	static const struct put_row rows[] = {
		{ "cg/a/memory.current", "355\n" },
		{ "cg/a/memory.max", "max\n" },
		{ "cg/a/memory.swap.current", "40\n" },
		{ "cg/a/memory.stat", "anon 100\nfile 220\nkernel 30\n"
		  "sock 5\nshmem 20\nfile_dirty 15\nfile_writeback 7\n"
		  "inactive_anon 60\nactive_anon 60\n"
		  "inactive_file 150\nactive_file 50\n"
		  "slab_reclaimable 10\nslab_unreclaimable 8\n" },
		{ NULL, NULL }
	};
	struct cgroup_events events;
	struct cgroup_memory m;
	int r;

	(void)state;
	read_tree("cgroup2", "/a", rows, &m, &events, &r);
	assert_int_equal(m.level[0].used,
	    100 + 20 + (30 - 10) + 5 + (15 + 7) + 40);
	assert_int_equal(m.level[0].max, CGROUP_NONE);
	assert_int_equal(r, -ENOENT); /* it has no memory.events */
}

static void
what_is_used_of_version_1_has_its_swap_too(void **state)
{
	static const struct put_row rows[] = {
		{ "cg/a/memory.usage_in_bytes", "320\n" },
		{ "cg/a/memory.limit_in_bytes", "9223372036854771712\n" },
		{ "cg/a/memory.stat", "cache 1\nswap 2\n"
		  "total_cache 220\ntotal_rss 100\ntotal_shmem 20\n"
		  "total_swap 40\ntotal_dirty 15\ntotal_writeback 0\n"
		  "total_inactive_file 150\ntotal_active_file 50\n" },
		{ "cg/a/memory.failcnt", "12\n" },
		{ "cg/a/memory.oom_control",
		  "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n" },
		{ NULL, NULL }
	};
	struct cgroup_events events;
	struct cgroup_memory m;
	int r;

	(void)state;
	read_tree("cgroup", "/a", rows, &m, &events, &r);
	assert_int_equal(m.level[0].used, 100 + 20 + 15 + 40);
	assert_int_equal(m.level[0].max, CGROUP_NONE);
	assert_int_equal(r, 0);
	assert_int_equal(events.max, 12);
	assert_int_equal(events.oom_kill, 3);
	assert_int_equal(events.high, 0);
}

static void
what_befell_a_group_is_counted(void **state)
{
	static const struct put_row rows[] = {
		{ "cg/a/b/memory.max", "4096\n" },
		{ "cg/a/b/memory.events", "low 1\nhigh 22\nmax 333\n"
		  "oom 4\noom_kill 5\noom_group_kill 6\n" },
		{ NULL, NULL }
	};
	struct cgroup_events events;
	struct cgroup_memory m;
	char path[128];
	int r;

	(void)state;
	read_tree("cgroup2", "/a/b", rows, &m, &events, &r);
	assert_int_equal(r, 0);
	assert_int_equal(events.high, 22);
	assert_int_equal(events.max, 333);
	assert_int_equal(events.oom, 4);
	assert_int_equal(events.oom_kill, 5);
	assert_int_equal(cgroup_events_read(&m, 7, &events), -ENODATA);
	assert_int_equal(cgroup_pressure_path(&m, path, sizeof(path)), 0);
	assert_string_equal(path + strlen(path) - 23,
	    "/cg/a/b/memory.pressure");
	assert_int_equal(cgroup_pressure_path(&m, path, 16), -ENAMETOOLONG);
	m.version = 1;
	assert_int_equal(cgroup_pressure_path(&m, path, sizeof(path)),
	    -ENODATA);
}

static void
a_lower_limit_above_is_found_and_soft_ones_are_apart(void **state)
{
	static const struct put_row rows[] = {
		{ "cg/a/b/memory.max", "max\n" },
		{ "cg/a/b/memory.high", "3000\n" },
		{ "cg/a/memory.max", "2000" }, /* no newline */
		{ "cg/a/memory.high", "max\n" },
		{ "cg/memory.max", "nonsense\n" },
		{ NULL, NULL }
	};
	struct cgroup_events events;
	struct cgroup_memory m;
	int r;

	(void)state;
	read_tree("cgroup2", "/a/b", rows, &m, &events, &r);
	assert_int_equal(m.levels, 3);
	assert_int_equal(m.level[0].max, CGROUP_NONE);
	assert_int_equal(m.level[0].high, 3000);
	assert_int_equal(m.level[1].max, 2000);
	assert_int_equal(m.level[1].high, CGROUP_NONE);
	assert_int_equal(m.level[2].max, CGROUP_NONE);
	/* Files that are missing are no limit, and tell nothing of use. */
	assert_int_equal(m.level[0].used, CGROUP_NONE);
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
		cmocka_unit_test(a_group_can_be_found_without_reading_any),
		cmocka_unit_test(page_cache_that_can_be_dropped_is_not_used),
		cmocka_unit_test(in_a_namespace_the_mount_point_is_the_group),
		cmocka_unit_test(
		    of_a_container_the_part_that_is_mounted_is_read),
		cmocka_unit_test(
		    of_both_versions_the_one_with_the_memory_controller_counts),
		cmocka_unit_test(
		    a_group_that_does_not_count_what_is_below_limits_nothing),
		cmocka_unit_test(a_machine_without_groups_is_no_failure),
		cmocka_unit_test(
		    what_is_used_of_version_2_is_all_that_cannot_be_dropped),
		cmocka_unit_test(what_is_used_of_version_1_has_its_swap_too),
		cmocka_unit_test(what_befell_a_group_is_counted),
		cmocka_unit_test(
		    a_lower_limit_above_is_found_and_soft_ones_are_apart),
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
