/*
 * test-room.c - the limits that a command finds around it
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

#include "base/base.h"
#include "plan/shares.h"
#include "run/room.h"
#include "say/command.h"
#include "settings/config.h"
#include "sys/place.h"

struct world {
	char top[64], root[1024];
	struct config config;
	struct room room;
};

static int
open_world(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));
	const char *srcdir = getenv("srcdir");

	strcpy(w->top, "/tmp/heaptide-test-room.XXXXXX");
	if (mkdtemp(w->top) == NULL)
		return -1;
	/* A machine whose lowest limit is 4 GiB. */
	snprintf(w->root, sizeof(w->root),
	    "%s/tests/unit/fixtures/sysroot-v2", srcdir != NULL ? srcdir :
	    ".");
	setenv("HEAPTIDE_SYSROOT", w->root, 1);
	setenv("HEAPTIDE_DIR", w->top, 1);
	unsetenv("HEAPTIDE_POOL");
	unsetenv("SLURM_MEM_PER_NODE");
	unsetenv("SLURM_MEM_PER_CPU");
	unsetenv("SLURM_CPUS_ON_NODE");
	config_open(&w->config);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;
	char command[128];

	room_close(&w->room);
	config_close(&w->config);
	snprintf(command, sizeof(command), "rm -rf %s", w->top);
	if (system(command) != 0)
		return -1;
	test_free(w);
	return 0;
}

static void
look(struct world *w)
{
	room_close(&w->room);
	assert_int_equal(room_find(&w->room, "test", NULL), COMMAND_DONE);
	room_read(&w->room, &w->config);
}

/* The limit that rules, and where it was read. */
static void
rules(const struct world *w, const char *name, uint64_t bytes,
    const char *from)
{
	size_t i = w->room.answer.rules;
	char *where;

	assert_true(i < w->room.chain.count);
	assert_string_equal(w->room.chain.link[i].name, name);
	assert_int_equal(w->room.answer.budget, bytes);
	where = room_from(&w->room, i);
	if (from != NULL)
		assert_string_equal(where, from);
	free(where);
}

static void
what_the_system_says_is_found(void **state)
{
	struct world *w = *state;
	char from[1200];

	look(w);
	snprintf(from, sizeof(from),
	    "%s/sys/fs/cgroup/user.slice/memory.max", w->root);
	rules(w, "cgroup", 4 * GIB, from);
	/* What the ruling group holds is what is used. */
	assert_int_equal(room_used(&w->room), 2 * GIB - 704 * MIB);
	assert_int_equal(room_available(&w->room), 2 * GIB + 704 * MIB);
}

static void
what_slurm_gives_counts(void **state)
{
	struct world *w = *state;

	setenv("SLURM_MEM_PER_CPU", "512", 1);
	setenv("SLURM_CPUS_ON_NODE", "2", 1);
	look(w);
	rules(w, "slurm", GIB, "SLURM_MEM_PER_CPU=512 SLURM_CPUS_ON_NODE=2");
	setenv("SLURM_MEM_PER_NODE", "2048", 1);
	look(w);
	rules(w, "slurm", 2 * GIB, "SLURM_MEM_PER_NODE=2048");
	setenv("SLURM_MEM_PER_NODE", "lots", 1);
	look(w);
	rules(w, "cgroup", 4 * GIB, NULL);
}

static void
what_is_left_of_a_pool_counts(void **state)
{
	struct world *w = *state;
	struct shares_member member;
	struct shares pool;
	char path[PLACE_ROOM];
	uint64_t got;

	setenv("HEAPTIDE_POOL", "night", 1);
	look(w);
	rules(w, "cgroup", 4 * GIB, NULL); /* there is none yet */

	assert_int_equal(place_pool(w->top, "night", 1, path), 0);
	assert_int_equal(shares_create(path, 100 * MIB, 0, 8), 0);
	assert_int_equal(shares_open(&pool, path, 1), 0);
	look(w);
	assert_string_equal(w->room.chain.link[w->room.answer.rules].name,
	    "pool");
	assert_true(w->room.answer.budget <= 100 * MIB);
	assert_true(w->room.answer.budget > 50 * MIB);

	assert_int_equal(shares_join(&pool, 1, 0, 0, &member), 0);
	got = w->room.answer.budget;
	assert_int_equal(shares_acquire(&member, 30 * MIB, 30 * MIB, 0, &got),
	    0);
	look(w);
	assert_true(w->room.answer.budget <= 70 * MIB);
	rules(w, "pool", w->room.answer.budget,
	    "HEAPTIDE_POOL=night: what is left");
	setenv("HEAPTIDE_POOL", path, 1);
	look(w);
	assert_string_equal(w->room.chain.link[w->room.answer.rules].name,
	    "pool");
	shares_leave(&member);
	shares_close(&pool);
}

static void
wishes_are_named_by_where_they_stand(void **state)
{
	struct world *w = *state;
	char why[CONFIG_WHY_ROOM];

	config_use_preset(&w->config, preset_find("starter"));
	look(w);
	rules(w, "preset", GIB, "preset starter: budget = 1G");
	assert_int_equal(config_set(&w->config, "budget", "--budget", "50%",
	    why), 0);
	look(w);
	rules(w, "option", 2 * GIB, "--budget 50%");
	assert_int_equal(room_check(&w->room, &w->config, why), 0);
	assert_int_equal(config_set(&w->config, "budget", "--budget",
	    "max-5G", why), 0);
	look(w);
	assert_int_not_equal(room_check(&w->room, &w->config, why), 0);
	assert_string_equal(why,
	    "--budget max-5G takes away more than the lowest limit is");
	/* By force it goes up. */
	assert_int_equal(config_set(&w->config, "budget", "--budget", "6G",
	    why), 0);
	look(w);
	rules(w, "cgroup", 4 * GIB, NULL);
	assert_int_equal(config_set(&w->config, "budget.force", "--force",
	    "on", why), 0);
	look(w);
	rules(w, "option", 6 * GIB, "--budget 6G");
}

static void
auto_is_settled_by_the_budget(void **state)
{
	struct world *w = *state;
	char why[CONFIG_WHY_ROOM];

	assert_int_equal(config_set(&w->config, "preset", "--preset", "auto",
	    why), 0);
	w->config.wants_budget = true;
	room_settle_preset(&w->config);
	assert_string_equal(w->config.preset->name, "pro");
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(what_the_system_says_is_found),
		IN_WORLD(what_slurm_gives_counts),
		IN_WORLD(what_is_left_of_a_pool_counts),
		IN_WORLD(wishes_are_named_by_where_they_stand),
		IN_WORLD(auto_is_settled_by_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
