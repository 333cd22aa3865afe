/*
 * test-config.c - settings, presets and files of them
 */
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
#include "base/text.h"
#include "settings/config.h"
#include "settings/settings.h"

extern char **environ;

/* A directory that is the current one, with nothing of the caller's around. */
struct world {
	char top[64];
	char **environment;
	struct config config;
	char why[CONFIG_WHY_ROOM];
};

static char *none[] = { NULL };

static int
open_world(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	strcpy(w->top, "/tmp/heaptide-test-config.XXXXXX");
	if (mkdtemp(w->top) == NULL || chdir(w->top) < 0)
		return -1;
	w->environment = environ;
	environ = none;
	setenv("XDG_CONFIG_HOME", w->top, 1);
	config_open(&w->config);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;
	char command[128];

	config_close(&w->config);
	environ = w->environment;
	snprintf(command, sizeof(command), "rm -rf %s", w->top);
	if (chdir("/") < 0 || system(command) != 0)
		return -1;
	test_free(w);
	return 0;
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* --- values --------------------------------------------------------------- */

static void
every_row_of_the_table_is_well_made(void **state)
{
	char name[TEXT_SETTING_ROOM], other[TEXT_SETTING_ROOM];
	char words[SETTING_WORDS_ROOM];
	const struct setting *s, *o;

	(void)state;
	assert_true(settings_count() > 40);
	for (s = settings; s->key != NULL; s++) {
		if (*s->fallback != '\0' && setting_check(s, s->fallback) < 0)
			fail_msg("%s: its own default", s->key);
		assert_ptr_equal(setting_find(s->key), s);
		text_setting_name(name, s->key);
		for (o = settings; o < s; o++)
			if (strcmp(text_setting_name(other, o->key), name) ==
			    0)
				fail_msg("%s and %s: %s", o->key, s->key,
				    name);
		assert_true(strlen(setting_accepted(s, words)) > 3);
		assert_true(strlen(s->help) > 5);
		assert_non_null(setting_reader_word(s->reader));
	}
	assert_null(setting_find("batch"));
	assert_null(setting_find(""));
}

static void
variables_follow_from_keys_but_for_a_few(void **state)
{
	static const struct {
		const char *key, *variable;
	} table[] = {
		{ "enabled", "HEAPTIDE" },
		{ "budget", "HEAPTIDE_BUDGET" },
		{ "batch.initial", "HEAPTIDE_BATCH_INITIAL" },
		{ "checkpoint.every", "HEAPTIDE_CHECKPOINT_EVERY" },
		{ "retry.max", "HEAPTIDE_RETRIES" },
		{ "retry.delay", "HEAPTIDE_RETRY_DELAY" },
		{ "retry.fallback", "HEAPTIDE_FALLBACK" },
		{ "reclaim.steps", "HEAPTIDE_RECLAIM" },
		{ "page", "HEAPTIDE_PAGE_SIZE" },
		{ "leak.threshold_rate", "HEAPTIDE_LEAK_THRESHOLD_RATE" },
	};
	char name[TEXT_SETTING_ROOM];
	char retries[] = "HEAPTIDE_RETRIES=7", warn[] = "HEAPTIDE_WARN=";
	char *some[] = { retries, warn, NULL };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++)
		assert_string_equal(text_setting_name(name, table[i].key),
		    table[i].variable);
	assert_string_equal(text_setting(some, "retry.max"), "7");
	assert_null(text_setting(some, "warn"));
	assert_null(text_setting(some, "critical"));
	assert_null(text_setting(NULL, "critical"));
}

static void
values_are_accepted_by_their_kind(void **state)
{
	static const struct {
		const char *key, *good[6], *bad[8];
	} table[] = {
		{ "budget.force", { "on", "off", "1", "0" },
		  { "", "yes", "ON", "on " } },
		{ "stacks", { "none", "sampled", "all" },
		  { "", "some", "al", "all,none" } },
		{ "reclaim.steps", { "trim", "purge,callbacks" },
		  { "", ",", "trim,", "trim,trim", "dust", "trim purge" } },
		{ "depth", { "1", "1024" },
		  { "", "0", "1025", "1.5", "-1", "1K", "x" } },
		{ "batch.max", { "0", "4294967295" }, { "4294967296" } },
		{ "sample", { "1", "64K", "1M" }, { "0", "60%", "8E" } },
		{ "budget", { "512M", "1.5G", "60%", "max-256M", "1" },
		  { "", "0", "0%", "101%", "max-", "max-60%", "1,5G",
		    "-1" } },
		{ "warn", { "75%", "0.5%", "100%" },
		  { "", "0%", "100.1%", "0.75", "75", "75 %" } },
		{ "epoch", { "0", "10ms", "1h" }, { "", "9ms", "1", "10" } },
		{ "retry.factor", { "1", "1.5", "100" },
		  { "0.5", "101", "2x", ".", "1.2.3", "1e1", "nan" } },
		{ "leak.threshold_rate", { "10", "0.5", "10%" },
		  { "", "10M", "-1", "101%" } },
		{ "gate", { "100M:skip", "1G:wait", "1G:wait=30s", "1:fail" },
		  { "100M", ":skip", "0:skip", "100M:", "100M:wait=",
		    "100M:wait=5", "60%:skip", "100M:skip=1s" } },
		{ "knobs", { "a=1", "samples=6,high_recall=0", "x.y=1.5" },
		  { "", "a", "a=", "=1", "a=1,", "a=x", "a b=1" } },
		{ "preset", { "dev", "seed001", "auto" }, { "", "nix" } },
		{ "progress.unit", { "page", "a b" }, { "" } },
	};
	const struct setting *s;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		s = setting_find(table[i].key);
		assert_non_null(s);
		for (k = 0; k < 6 && table[i].good[k] != NULL; k++)
			if (setting_check(s, table[i].good[k]) < 0)
				fail_msg("%s = %s is refused", s->key,
				    table[i].good[k]);
		for (k = 0; k < 8 && table[i].bad[k] != NULL; k++)
			if (setting_check(s, table[i].bad[k]) == 0)
				fail_msg("%s = %s is accepted", s->key,
				    table[i].bad[k]);
	}
}

static void
a_gate_is_read_and_has_a_deadline(void **state)
{
	struct setting_gate g = { .need_bytes = 7 };

	(void)state;
	assert_int_equal(setting_gate_parse("100M:wait=30s", &g), 0);
	assert_int_equal(g.need_bytes, 100 * MIB);
	assert_int_equal(g.policy, GATE_WAIT);
	assert_int_equal(g.wait_ns, 30 * NS_PER_S);
	assert_int_equal(setting_gate_parse("1K:wait", &g), 0);
	assert_int_equal(g.wait_ns, GATE_WAIT_NS);
	assert_int_equal(setting_gate_parse("1K:later", &g), -EINVAL);
	assert_int_equal(g.need_bytes, 1024);
}

/* --- presets -------------------------------------------------------------- */

static void
every_preset_sets_what_can_be_set(void **state)
{
	const struct preset *p;
	size_t i;

	(void)state;
	for (p = presets; p->name != NULL; p++) {
		assert_ptr_equal(preset_find(p->name), p);
		for (i = 0; i < PRESET_ROWS && p->row[i].key != NULL; i++) {
			const struct setting *s = setting_find(p->row[i].key);

			if (s == NULL || setting_check(s, p->row[i].value) < 0)
				fail_msg("%s: %s = %s", p->name,
				    p->row[i].key, p->row[i].value);
		}
	}
}

static void
a_preset_is_consistent_in_itself(void **state)
{
	struct world *w = *state;
	const struct preset *p;

	for (p = presets; p->name != NULL; p++) {
		struct config c;

		config_open(&c);
		config_use_preset(&c, p);
		if (config_check(&c, w->why) < 0)
			fail_msg("%s: %s", p->name, w->why);
		config_close(&c);
	}
}

static void
auto_goes_by_the_budget(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} table[] = {
		{ 0, "free" }, { 512 * MIB, "free" }, { GIB, "starter" },
		{ 2 * GIB, "standard" }, { 4 * GIB, "pro" },
		{ 8 * GIB, "dev" }, { 16 * GIB, "dev" }, { 32 * GIB, "prod" },
		{ 64 * GIB, "high" }, { UINT64_MAX, "high" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++)
		assert_string_equal(preset_of_budget(table[i].bytes)->name,
		    table[i].name);
}

/* --- who is nearer -------------------------------------------------------- */

/* The value that counts, and where it is from. */
static void
check(const struct config *c, const char *key, const char *value,
    enum config_origin origin, const char *where)
{
	if (value == NULL)
		assert_null(config_get(c, key));
	else
		assert_string_equal(config_get(c, key), value);
	assert_int_equal(config_origin(c, key), origin);
	assert_string_equal(config_where(c, key), where);
}

static void
the_nearest_value_counts_and_tells_where_it_is_from(void **state)
{
	struct world *w = *state;
	struct config *c = &w->config;
	char user[128];

	assert_int_equal(mkdir("heaptide", 0700), 0);
	put("heaptide/heaptide.conf", "depth = 1\nbudget = 1M\n"
	    "batch.initial = 1\nwarn = 11%\n");
	put("heaptide.conf", "# two\ndepth = 2\nbudget = 2M\n"
	    "preset = dev\nbatch.initial = 2\n");
	setenv("HEAPTIDE_DEPTH", "3", 1);
	setenv("HEAPTIDE_BUDGET", "3M", 1);
	assert_int_equal(config_set(c, "depth", "--depth", "4", w->why), 0);
	assert_int_equal(config_read(c, NULL, w->why), 0);

	check(c, "depth", "4", FROM_COMMAND_LINE, "--depth");
	check(c, "budget", "3M", FROM_ENVIRONMENT, "HEAPTIDE_BUDGET");
	check(c, "batch.initial", "2", FROM_FILE, "./heaptide.conf:5");
	snprintf(user, sizeof(user), "%s/heaptide/heaptide.conf:4", w->top);
	check(c, "warn", "11%", FROM_USER_FILE, user);
	check(c, "checkpoint.every", "3", FROM_PRESET, "preset dev");
	check(c, "target", "90%", FROM_DEFAULT, "default");
	check(c, "pool", NULL, FROM_DEFAULT, "default");
	assert_string_equal(config_values(c, "budget")[FROM_PRESET].text,
	    "256M");
}

static void
a_file_that_is_named_stands_alone(void **state)
{
	struct world *w = *state;
	struct config *c = &w->config;

	put("heaptide.conf", "depth = 2\n");
	put("other.conf", "warn = 50%\n");
	setenv("HEAPTIDE_CONFIG", "other.conf", 1);
	assert_int_equal(config_read(c, NULL, w->why), 0);
	check(c, "depth", "128", FROM_DEFAULT, "default");
	check(c, "warn", "50%", FROM_FILE, "other.conf:1");

	/* And the option before the variable. */
	config_close(c);
	config_open(c);
	setenv("HEAPTIDE_CONFIG", "none.conf", 1);
	assert_int_equal(config_read(c, "heaptide.conf", w->why), 0);
	check(c, "depth", "2", FROM_FILE, "heaptide.conf:1");
	config_close(c);
	config_open(c);
	assert_int_equal(config_read(c, NULL, w->why), -EINVAL);
	assert_string_equal(w->why,
	    "none.conf cannot be read: No such file or directory");
}

static void
a_bare_start_has_defaults(void **state)
{
	struct world *w = *state;

	assert_int_equal(config_read(&w->config, NULL, w->why), 0);
	check(&w->config, "stacks", "sampled", FROM_DEFAULT, "default");
	assert_null(w->config.file[0]);
	assert_null(w->config.preset);
	assert_false(w->config.wants_budget);
	assert_int_equal(config_check(&w->config, w->why), 0);
}

static void
auto_waits_for_the_budget(void **state)
{
	struct world *w = *state;
	struct config *c = &w->config;

	setenv("HEAPTIDE_PRESET", "auto", 1);
	assert_int_equal(config_read(c, NULL, w->why), 0);
	assert_true(c->wants_budget);
	assert_null(config_get(c, "budget"));
	config_use_preset(c, preset_find("pro"));
	check(c, "batch.fixed", "200", FROM_PRESET, "preset auto: pro");
	assert_false(c->wants_budget);
}

/* --- files ---------------------------------------------------------------- */

static void
sections_quotes_and_comments_are_understood(void **state)
{
	struct world *w = *state;
	struct config *c = &w->config;
	const struct config_job *job;

	put("it", "\r\n  ; nothing\n"
	    "[ batch ] # of batches\n"
	    "\tinitial=7\r\n"
	    "max = 8 ; eight\n"
	    "[progress]\n"
	    "unit = \"a \\\"b\\\" \\\\ # c\" # quoted\n"
	    "[job.one]\n"
	    "cmd = ./x '#1' {}   # not the second\n"
	    "limit = 1000\n"
	    "batch.max = 4\n"
	    "[job.two-2]\n"
	    "items = \"*.c\"");
	if (config_read_file(c, "it", w->why) < 0)
		fail_msg("%s", w->why);
	check(c, "batch.initial", "7", FROM_FILE, "it:4");
	check(c, "batch.max", "8", FROM_FILE, "it:5");
	check(c, "progress.unit", "a \"b\" \\ # c", FROM_FILE, "it:7");
	assert_int_equal(c->jobs, 2);
	job = config_job(c, "one");
	assert_non_null(job);
	assert_int_equal(job->count, 3);
	assert_string_equal(job->line[0].key, "cmd");
	assert_string_equal(job->line[0].text, "./x '#1' {}");
	assert_string_equal(job->line[2].where, "it:11");
	assert_string_equal(config_job(c, "two-2")->line[0].text, "*.c");
	assert_null(config_job(c, "three"));
}

static void
what_is_wrong_in_a_file_is_told_in_one_sentence(void **state)
{
	static const struct {
		const char *text, *why;
	} table[] = {
		{ "depth = 0\n", "it:1: depth '0' is not accepted: give a "
		  "number from 1 to 1024" },
		{ "\n\nstacks = some\n", "it:3: stacks 'some' is not "
		  "accepted: give none, sampled or all" },
		{ "dept = 1\n", "it:1: there is no setting 'dept'; "
		  "'heaptide config' lists them" },
		{ "[batch]\ndepth = 1\n", "it:2: there is no setting "
		  "'batch.depth'; 'heaptide config' lists them" },
		{ "[bath]\n", "it:1: there is no section 'bath'; "
		  "'heaptide config' lists all settings" },
		{ "[batch\n", "it:1: '[batch' is no section; [batch] or "
		  "[job.NAME] are" },
		{ "[batch] x\n", "it:1: '[batch] x' is no section; [batch] "
		  "or [job.NAME] are" },
		{ "depth\n", "it:1: 'depth' is neither 'key = value' nor "
		  "'[section]'" },
		{ "= 1\n", "it:1: '= 1' is neither 'key = value' nor "
		  "'[section]'" },
		{ "depth =\n", "it:1: depth has no value; leave the line out "
		  "to have the default" },
		{ "depth = # 7\n", "it:1: depth has no value; leave the line "
		  "out to have the default" },
		{ "log = \"x\n", "it:1: the value of log has no closing "
		  "quote, or something behind it" },
		{ "log = \"x\" y\n", "it:1: the value of log has no closing "
		  "quote, or something behind it" },
		{ "depth = 1\n[batch]\n[job.x]\n", NULL },
		{ "depth = 1\ndepth = 2\n", "it:2: depth was set before, at "
		  "it:1" },
		{ "[job.x]\ncmd=a\ncmd=b\n", "it:3: cmd was set before, at "
		  "it:2" },
		{ "[job.x]\n[job.x]\n", "it:2: there is a job 'x' already" },
		{ "[job.]\n", "it:1: '' is no name of a job: letters, digits "
		  "and - _ . are accepted" },
		{ "[job.x]\ncommand=a\n", "it:2: a job has no 'command'; "
		  "cmd, items, limit and settings are accepted" },
		{ "[job.x]\nwarn=a\n", "it:2: warn 'a' is not accepted: give "
		  "a share such as 75%, at most 100%" },
		{ "preset = nix\n", "it:1: preset 'nix' is not accepted: "
		  "give dev, prod, high, free, starter, standard, pro, "
		  "large, constrained, performance, seed, seed001 or auto" },
	};
	struct world *w = *state;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		struct config c;

		put("it", table[i].text);
		config_open(&c);
		w->why[0] = '\0';
		r = config_read_file(&c, "it", w->why);
		config_close(&c);
		if (table[i].why == NULL) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_int_equal(r, -EINVAL);
		assert_string_equal(w->why, table[i].why);
	}
}

static void
what_is_no_text_is_refused(void **state)
{
	struct world *w = *state;
	FILE *f = fopen("it", "w");

	assert_non_null(f);
	fwrite("depth = 7\nx\0y\n", 1, 14, f);
	fclose(f);
	assert_int_equal(config_read_file(&w->config, "it", w->why), -EINVAL);
	assert_string_equal(w->why,
	    "it:2: there is a zero byte in it; it is no text");
	config_close(&w->config);
	config_open(&w->config);
	assert_int_equal(config_read_file(&w->config, ".", w->why), -EINVAL);
	assert_string_equal(w->why, ". cannot be read: Is a directory");
}

static void
a_wrong_variable_is_told_by_its_name(void **state)
{
	struct world *w = *state;

	setenv("HEAPTIDE_RETRIES", "many", 1);
	assert_int_equal(config_read(&w->config, NULL, w->why), -EINVAL);
	assert_string_equal(w->why, "HEAPTIDE_RETRIES 'many' is not accepted: "
	    "give a number from 0 to 4294967295");
	assert_int_equal(config_set(&w->config, "budget", "--budget", "lots",
	    w->why), -EINVAL);
	assert_string_equal(w->why, "--budget 'lots' is not accepted: give "
	    "512M, 60% or max-256M");
}

static void
what_contradicts_each_other_is_refused(void **state)
{
	struct world *w = *state;
	struct config *c = &w->config;

	assert_int_equal(config_set(c, "warn", "--warn", "90%", w->why), 0);
	assert_int_equal(config_check(c, w->why), -EINVAL);
	assert_string_equal(w->why, "warn 90% (--warn) is not below critical "
	    "88% (default)");
	assert_int_equal(config_set(c, "critical", "--critical", "95%",
	    w->why), 0);
	assert_int_equal(config_check(c, w->why), 0);
	assert_int_equal(config_set(c, "batch.min", "x", "5", w->why), 0);
	assert_int_equal(config_check(c, w->why), 0); /* max 0: no cap */
	assert_int_equal(config_set(c, "batch.max", "y", "4", w->why), 0);
	assert_int_equal(config_check(c, w->why), -EINVAL);
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_is_well_made),
		cmocka_unit_test(variables_follow_from_keys_but_for_a_few),
		cmocka_unit_test(values_are_accepted_by_their_kind),
		cmocka_unit_test(a_gate_is_read_and_has_a_deadline),
		cmocka_unit_test(every_preset_sets_what_can_be_set),
		IN_WORLD(a_preset_is_consistent_in_itself),
		cmocka_unit_test(auto_goes_by_the_budget),
		IN_WORLD(the_nearest_value_counts_and_tells_where_it_is_from),
		IN_WORLD(a_file_that_is_named_stands_alone),
		IN_WORLD(a_bare_start_has_defaults),
		IN_WORLD(auto_waits_for_the_budget),
		IN_WORLD(sections_quotes_and_comments_are_understood),
		IN_WORLD(what_is_wrong_in_a_file_is_told_in_one_sentence),
		IN_WORLD(what_is_no_text_is_refused),
		IN_WORLD(a_wrong_variable_is_told_by_its_name),
		IN_WORLD(what_contradicts_each_other_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
