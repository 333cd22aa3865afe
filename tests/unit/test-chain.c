/*
 * test-chain.c - every limit there is, in one list
 */
#include "sysroot.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "plan/chain.h"

/* The first row of a name; NULL: there is none. */
static const struct source *
find(const struct chain *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (strcmp(c->link[i].name, name) == 0)
			return &c->source[i];
	return NULL;
}

static void
what_the_system_says_is_in_order(void **state)
{
	static const char *const names[] = { "cgroup", "cgroup", "cgroup",
		"cgroup-high", "rlimit-as", "rlimit-data", "host" };
	struct sources_answer a;
	struct chain c;
	size_t i;

	(void)state;
	chain_open(&c, tree("v2"), 0, NULL);
	chain_add_system(&c);
	assert_int_equal(c.count, ARRAY_LENGTH(names));
	for (i = 0; i < c.count; i++)
		assert_string_equal(c.link[i].name, names[i]);
	assert_int_equal(sources_judge(c.source, c.count, false, &a), 0);
	assert_int_equal(a.budget, 4 * GIB);
	assert_int_equal(a.rules, 1);
	assert_int_equal(a.slow_from, 3 * GIB);
	assert_string_equal(c.link[1].file, "memory.max");
	assert_memory_equal(c.groups.path + c.link[1].path_bytes,
	    "/app:1.service", 14);
}

static void
wishes_stand_first_and_the_nearest_of_them_counts(void **state)
{
	const struct source_wish half = { FORM_SHARE, 500000 };
	const struct source_wish one = { FORM_BYTES, GIB };
	struct sources_answer a;
	struct chain c;
	int i;

	(void)state;
	chain_open(&c, tree("v2"), 0, NULL);
	assert_int_equal(chain_add_wish(&c, "option", &half), 0);
	assert_int_equal(chain_add_wish(&c, "environment", &one), 0);
	chain_add_system(&c);
	assert_int_equal(sources_judge(c.source, c.count, false, &a), 0);
	assert_int_equal(a.budget, 2 * GIB);
	assert_string_equal(c.link[a.rules].name, "option");
	assert_int_equal(c.source[1].verdict, VERDICT_SUPERSEDED);

	chain_open(&c, "", 0, NULL);
	for (i = 0; i < CHAIN_WISHES; i++)
		assert_int_equal(chain_add_wish(&c, "x", &one), 0);
	assert_int_equal(chain_add_wish(&c, "x", &one), -ENOSPC);
}

static void
a_share_of_a_pool_is_a_limit(void **state)
{
	struct proc_status status = { .resident = 40 * MIB };
	struct sources_answer a;
	struct chain c;

	(void)state;
	chain_open(&c, tree("v2"), 0, &status);
	chain_add_pool(&c, 100 * MIB, 40 * MIB);
	chain_add_system(&c);
	assert_int_equal(sources_judge(c.source, c.count, false, &a), 0);
	assert_int_equal(a.budget, 100 * MIB);
	assert_int_equal(a.available, 60 * MIB);
	assert_string_equal(c.link[a.rules].name, "pool");
	assert_false(a.soft);
}

static void
what_slurm_gives_is_a_limit(void **state)
{
	static const struct {
		const char *node, *cpu, *cpus;
		int result;
		uint64_t bytes; /* 0: no row */
	} table[] = {
		{ NULL, NULL, NULL, 0, 0 },
		{ "4096", NULL, NULL, 0, 4 * GIB },
		{ "4096", "512", "4", 0, 4 * GIB },
		{ NULL, "512", "4", 0, 2 * GIB },
		{ "", "512", "4", 0, 2 * GIB },
		{ "0", NULL, NULL, 0, 0 }, /* all of the node */
		{ NULL, "512", NULL, 0, 0 },
		{ NULL, NULL, "4", 0, 0 },
		{ "4G", NULL, NULL, -EINVAL, 0 },
		{ "-1", NULL, NULL, -EINVAL, 0 },
		{ NULL, "512", "4(x2)", -EINVAL, 0 },
		{ "99999999999999999999", NULL, NULL, -EINVAL, 0 },
		{ NULL, "17592186044415", "2", -EINVAL, 0 },
	};
	struct proc_status status = { .resident = 40 * MIB };
	const struct source *s;
	struct chain c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		chain_open(&c, "", 0, &status);
		if (chain_add_slurm(&c, table[i].node, table[i].cpu,
		    table[i].cpus) != table[i].result)
			fail_msg("row %zu", i);
		s = find(&c, "slurm");
		if ((s != NULL) != (table[i].bytes != 0) ||
		    (s != NULL && s->bytes != table[i].bytes))
			fail_msg("row %zu", i);
		if (s != NULL)
			assert_int_equal(s->used, 40 * MIB);
	}
}

static void
slurm_is_found_in_an_environment(void **state)
{
	char cpus[] = "SLURM_CPUS_ON_NODE=4", each[] = "SLURM_MEM_PER_CPU=512";
	char *some[] = { cpus, each, NULL };
	struct chain c;

	(void)state;
	chain_open(&c, "", 0, NULL);
	assert_int_equal(chain_add_environment(&c, some), 0);
	assert_int_equal(find(&c, "slurm")->bytes, 2 * GIB);
	chain_open(&c, "", 0, NULL);
	assert_int_equal(chain_add_environment(&c, NULL), 0);
	assert_int_equal(c.count, 0);
}

static void
limits_are_compared_in_their_own_measure(void **state)
{
	struct proc_status status = { .resident = 100 * MIB,
		.address_space = 2 * GIB, .data = 300 * MIB };
	struct sources_answer a;
	struct chain c;

	(void)state;
	chain_open(&c, tree("hybrid"), 0, &status);
	chain_add_system(&c);
	assert_int_equal(find(&c, "rlimit-as")->bytes, 3 * GIB);
	assert_int_equal(find(&c, "rlimit-as")->used, 2 * GIB);
	assert_int_equal(find(&c, "rlimit-data")->used, 300 * MIB);
	assert_int_equal(sources_judge(c.source, c.count, false, &a), 0);
	assert_int_equal(a.budget, 2 * GIB); /* a cgroup of version 1 */
}

/* --- a limit that moves --------------------------------------------------- */

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

static void
a_limit_that_changes_is_noticed_and_read_anew(void **state)
{
	char root[] = "/tmp/heaptide-test-chain.XXXXXX", command[256];
	struct sources_answer a;
	struct chain c;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command), "mkdir -p %s/proc/self %s/cg/in",
	    root, root);
	assert_int_equal(system(command), 0);
	put(root, "proc/self/cgroup", "0::/in\n");
	put(root, "proc/self/mountinfo",
	    "30 22 0:26 / /cg rw - cgroup2 x rw\n");
	put(root, "cg/in/memory.max", "max\n");
	put(root, "cg/memory.max", "8192\n");

	chain_open(&c, root, 0, NULL);
	chain_add_system(&c);
	assert_int_equal(sources_judge(c.source, c.count, false, &a), 0);
	assert_int_equal(a.budget, 8192);
	assert_false(chain_has_changed(&c));
	put(root, "cg/in/memory.max", "4096\n");
	assert_true(chain_has_changed(&c));

	chain_open(&c, root, 0, NULL);
	chain_add_system(&c);
	assert_int_equal(sources_judge(c.source, c.count, false, &a), 0);
	assert_int_equal(a.budget, 4096);
	assert_false(chain_has_changed(&c));
	put(root, "cg/memory.high", "2048\n");
	assert_true(chain_has_changed(&c));

	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

static void
this_machine_has_limits_and_errno_is_left_alone(void **state)
{
	struct proc_status status;
	struct chain c;

	(void)state;
	assert_int_equal(proc_status_read(0, &status), 0);
	errno = 7;
	chain_open(&c, "", 0, &status);
	chain_add_system(&c);
	assert_int_equal(errno, 7);
	assert_non_null(find(&c, "host"));
	assert_non_null(find(&c, "rlimit-as"));
	assert_true(c.count <= CHAIN_ROOM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_system_says_is_in_order),
		cmocka_unit_test(
		    wishes_stand_first_and_the_nearest_of_them_counts),
		cmocka_unit_test(a_share_of_a_pool_is_a_limit),
		cmocka_unit_test(what_slurm_gives_is_a_limit),
		cmocka_unit_test(slurm_is_found_in_an_environment),
		cmocka_unit_test(limits_are_compared_in_their_own_measure),
		cmocka_unit_test(
		    a_limit_that_changes_is_noticed_and_read_anew),
		cmocka_unit_test(
		    this_machine_has_limits_and_errno_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
