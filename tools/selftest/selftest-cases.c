/*
 * selftest-cases.c - the seven tests: what a program did, by its profile
 */
#include "selftest/selftest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "profile/reader.h"
#include "runs/runs.h"
#include "say/command.h"
#include "say/need.h"
#include "settings/settings.h"
#include "sys/sys.h"

static const char *const no_options[] = { NULL };

/* Run @work to its end, which is to be with status 0, and open its profile. */
static bool
run_work(struct selftest *t, const char *work, const char *const *options,
    struct profile *profile)
{
	struct selftest_program p;
	char *err;

	if (!selftest_start(t, &p, work, false, options) ||
	    !selftest_wait(t, &p))
		return false;
	if (!WIFEXITED(p.status) || WEXITSTATUS(p.status) != 0) {
		err = selftest_text(t, work, "err");
		selftest_fail(t, "the program of %s ended with status %d: "
		    "%.300s", work, WIFEXITED(p.status) ?
		    WEXITSTATUS(p.status) : 128 + WTERMSIG(p.status), err);
		free(err);
		return false;
	}
	return selftest_profile(t, work, profile);
}

/* The row of an operation; NULL: it has none. */
static const struct tide_op_stats *
find_op(const struct profile *profile, const char *name)
{
	const struct tide_op_stats *op = profile->room->op;

	for (; op < profile->room->op + TIDE_OPS; op++)
		if (strncmp(op->name, name, sizeof(op->name)) == 0)
			return op;
	return NULL;
}

/* A figure that must be so. */
static bool
is(struct selftest *t, const char *what, uint64_t expected, uint64_t found)
{
	return expected == found || selftest_fail(t, "%s: %" PRIu64 " instead "
	    "of %" PRIu64, what, found, expected);
}

static bool
says(struct selftest *t, const char *work, const char *suffix,
    const char *expected)
{
	char *text = selftest_text(t, work, suffix);
	bool so = strstr(text, expected) != NULL;

	if (!so)
		selftest_fail(t, "the program of %s says '%.200s' and not "
		    "'%s'", work, text, expected);
	free(text);
	return so;
}

/* --- 1: batches of three -------------------------------------------------- */

static bool
judge_small(struct selftest *t, const struct profile *profile)
{
	const struct tide_op_stats *op = find_op(profile, "small");
	uint64_t sum = 0, i;
	char expected[64];

	for (i = 0; i < SELFTEST_SMALL_ITEMS; i++)
		sum += selftest_item(i);
	snprintf(expected, sizeof(expected), "%d %" PRIu64 "\n",
	    SELFTEST_SMALL_ITEMS, sum);
	if (op == NULL)
		return selftest_fail(t, "no batch was noted");
	return is(t, "items", SELFTEST_SMALL_ITEMS, op->items) &&
	    is(t, "batches", SELFTEST_SMALL_ITEMS / SELFTEST_SMALL_BATCH,
	    op->batches) &&
	    is(t, "items in the largest batch", SELFTEST_SMALL_BATCH,
	    op->n_most) && says(t, "small", "out", expected);
}

static bool
test_small(struct selftest *t)
{
	static const char *const options[] = { "--preset", "seed", NULL };
	struct profile profile;
	bool passed;

	if (!run_work(t, "small", options, &profile))
		return false;
	passed = judge_small(t, &profile);
	profile_close(&profile);
	return passed;
}

/* --- 2: a threshold ------------------------------------------------------- */

static bool
judge_threshold(struct selftest *t, const struct profile *profile)
{
	const struct tide_room *room = profile->room;

	if (!is(t, "budget", 64 * MIB, room->budget))
		return false;
	if (room->peak_used > room->budget)
		return selftest_fail(t, "%" PRIu64 " bytes were used of %"
		    PRIu64, room->peak_used, room->budget);
	if (room->warnings == 0)
		return selftest_fail(t, "no threshold was noticed");
	if (room->cleanups == 0 || room->cleanup_bytes < 16 * MIB)
		return selftest_fail(t, "cleanups have freed %" PRIu64
		    " bytes", room->cleanup_bytes);
	return says(t, "threshold", "out", "96\n");
}

static bool
test_threshold(struct selftest *t)
{
	static const char *const options[] = { "--budget", "64M", NULL };
	struct profile profile;
	bool passed;

	if (!run_work(t, "threshold", options, &profile))
		return false;
	passed = judge_threshold(t, &profile);
	profile_close(&profile);
	return passed;
}

/* --- 3: checkpoints ------------------------------------------------------- */

/* The run whose name begins so; false: there is none. */
static bool
find_run(struct selftest *t, const char *name, struct run_file *file)
{
	struct runs runs;
	bool found = false;

	if (runs_open("selftest", &runs) != COMMAND_DONE)
		return selftest_fail(t, "the checkpoints cannot be read");
	for (size_t i = 0; i < runs.count && !found; i++)
		if (strncmp(runs.file[i].id, name, strlen(name)) == 0) {
			*file = runs.file[i];
			found = true;
		}
	runs_close(&runs);
	return found || selftest_fail(t, "there is no checkpoint of %s", name);
}

static bool
test_checkpoints(struct selftest *t)
{
	static const char *const options[] = { "--preset", "seed", NULL };
	static const char *const list[] = { "checkpoints", "list", NULL };
	struct profile profile;
	struct run_file file;
	bool passed;

	if (!run_work(t, "checkpoints", options, &profile))
		return false;
	profile_close(&profile);
	passed = find_run(t, "selftest-checkpoints", &file) &&
	    /* 20 batches of 3, a checkpoint each 5 of them. */
	    is(t, "checkpoints", 4, file.look.marks) &&
	    is(t, "items done", SELFTEST_CHECKPOINTED,
	    file.look.mark.cursor);
	return passed && is(t, "status of heaptide checkpoints", 0,
	    (uint64_t)selftest_command(t, "list", list)) &&
	    says(t, "list", "out", "selftest-checkpoints");
}

/* --- 4: recovery ---------------------------------------------------------- */

/* Every item is there, each once and in its place. */
static bool
judge_recovered(struct selftest *t)
{
	char *text = selftest_text(t, "recovered", "txt");
	char *at = text;
	uint64_t i;
	bool so;

	for (i = 0; i < SELFTEST_RESUMED; i++)
		if (strtoull(at, &at, 10) != selftest_item(i) ||
		    *at++ != '\n')
			break;
	so = i == SELFTEST_RESUMED && *at == '\0';
	free(text);
	return so || selftest_fail(t, "the output is not what it should be "
	    "from item %" PRIu64 " on", i);
}

static bool
test_recovery(struct selftest *t)
{
	struct selftest_program p;
	struct profile profile;
	struct run_file file;

	if (!selftest_start(t, &p, "recovery", false, no_options) ||
	    !selftest_wait(t, &p))
		return false;
	if (!WIFSIGNALED(p.status) || WTERMSIG(p.status) != SIGKILL)
		return selftest_fail(t, "a program that was to be killed was "
		    "not");
	if (!find_run(t, "selftest-recovery", &file) ||
	    !is(t, "items done before", SELFTEST_KILLED_AT / 10 * 10,
	    file.look.mark.cursor) ||
	    !run_work(t, "recovery", no_options, &profile))
		return false;
	profile_close(&profile);
	return says(t, "recovery", "out", "1\n") && judge_recovered(t) &&
	    find_run(t, "selftest-recovery", &file) &&
	    is(t, "its run is over", 1, file.look.ended && file.look.ok);
}

/* --- 5: monitoring -------------------------------------------------------- */

/* Until the program has said @word; what it has said, or NULL. */
static char *
wait_for_word(struct selftest *t, const char *work, const char *word)
{
	const struct timespec nap = { .tv_nsec = 5 * NS_PER_MS };
	uint64_t since = sys_clock();
	char *text;

	while (!selftest_interrupted() &&
	    sys_clock() - since < SELFTEST_WAIT_NS) {
		text = selftest_text(t, work, "out");
		if (strstr(text, word) != NULL)
			return text;
		free(text);
		nanosleep(&nap, NULL);
	}
	selftest_fail(t, "the program of %s did not say '%s'", work, word);
	return NULL;
}

/* Live bytes and blocks of a process that runs. */
static bool
look_at(struct selftest *t, const char *pid, struct totals *totals)
{
	struct profile profile;
	char why[512] = "";

	if (profile_open(pid, &profile, why) < 0)
		return selftest_fail(t, "process %s cannot be seen: %s", pid,
		    why);
	profile_totals(&profile, totals);
	profile_close(&profile);
	return true;
}

static bool
judge_monitored(struct selftest *t, struct selftest_program *p)
{
	const char *status[] = { "status", "--json", NULL, NULL };
	struct totals before, after;
	char *text = wait_for_word(t, "monitored", "ready ");
	char pid[16] = "";
	bool so;

	if (text == NULL || sscanf(text, "ready %15s", pid) != 1) {
		free(text);
		return false;
	}
	free(text);
	so = look_at(t, pid, &before) && write(p->input, "x", 1) == 1;
	text = so ? wait_for_word(t, "monitored", "holds\n") : NULL;
	so = text != NULL && look_at(t, pid, &after) &&
	    is(t, "blocks that came", SELFTEST_BLOCKS,
	    after.live_blocks - before.live_blocks);
	free(text);
	if (so && after.live_bytes - before.live_bytes < SELFTEST_BLOCKS *
	    SELFTEST_BLOCK_BYTES)
		so = selftest_fail(t, "of %d bytes only %" PRIu64 " are seen",
		    SELFTEST_BLOCKS * SELFTEST_BLOCK_BYTES,
		    after.live_bytes - before.live_bytes);
	status[2] = pid;
	return so && is(t, "status of heaptide status", 0,
	    (uint64_t)selftest_command(t, "status", status)) &&
	    says(t, "status", "out", "\"memory\"");
}

static bool
test_monitoring(struct selftest *t)
{
	struct selftest_program p;
	bool passed;

	if (!selftest_start(t, &p, "monitored", true, no_options))
		return false;
	passed = judge_monitored(t, &p);
	return selftest_wait(t, &p) && passed &&
	    is(t, "status of the program", 0, (uint64_t)p.status);
}

/* --- 6: delays ------------------------------------------------------------ */

static bool
test_delays(struct selftest *t)
{
	static const char *const options[] = { "--budget", "64M", "--warn",
		"50%", "--critical", "90%", NULL };
	const struct tide_op_stats *low, *high;
	struct profile profile;
	bool passed;

	setenv("HEAPTIDE_DELAY_MODE", "always", 1);
	setenv("HEAPTIDE_DELAY_MAX", "200ms", 1);
	passed = run_work(t, "delays", options, &profile);
	unsetenv("HEAPTIDE_DELAY_MODE");
	unsetenv("HEAPTIDE_DELAY_MAX");
	if (!passed)
		return false;
	low = find_op(&profile, "low");
	high = find_op(&profile, "high");
	if (low == NULL || high == NULL)
		passed = selftest_fail(t, "no batch was noted");
	else if (low->delay_ns != 0)
		passed = selftest_fail(t, "delayed by %" PRIu64 " ns with "
		    "little in use", low->delay_ns);
	else if (high->delay_ns == 0)
		passed = selftest_fail(t, "not delayed with much in use");
	profile_close(&profile);
	return passed;
}

/* --- 7: settings ---------------------------------------------------------- */

/* Every default, and every value of a preset, is one that is accepted. */
static bool
check_tables(struct selftest *t)
{
	const struct preset_row *row;
	const struct setting *s;

	for (s = settings; s->key != NULL; s++)
		if (*s->fallback != '\0' && setting_check(s, s->fallback) < 0)
			return selftest_fail(t, "the default '%s' of %s is "
			    "not accepted", s->fallback, s->key);
	for (const struct preset *p = presets; p->name != NULL; p++)
		for (row = p->row; row < p->row + PRESET_ROWS &&
		    row->key != NULL; row++) {
			s = setting_find(row->key);
			if (s == NULL || setting_check(s, row->value) < 0)
				return selftest_fail(t, "preset %s: %s=%s is "
				    "not accepted", p->name, row->key,
				    row->value);
		}
	return true;
}

/* What is wrong is refused, and the sentence names what it is. */
static bool
check_refused(struct selftest *t)
{
	static const struct {
		const char *option, *value;
	} wrong[] = {
		{ "--budget", "12Q" }, { "--target", "150%" },
		{ "--warn", "high" }, { "--critical", "-1%" },
		{ "--enforce", "harder" }, { "--preset", "nonsense" },
		{ "--gate", "100M" }, { "--sample", "0" },
		{ "--stacks", "most" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		const char *arguments[] = { "run", wrong[i].option,
			wrong[i].value, "--", t->self, "--version", NULL };
		int status = selftest_command(t, "refused", arguments);

		if (status != COMMAND_USAGE)
			return selftest_fail(t, "%s %s: status %d",
			    wrong[i].option, wrong[i].value, status);
		if (!says(t, "refused", "err", wrong[i].value))
			return false;
	}
	return true;
}

static bool
write_file(struct selftest *t, const char *name, const char *text)
{
	FILE *f = fopen(name, "we");

	if (f == NULL || fputs(text, f) < 0)
		selftest_fail(t, "%s cannot be written", name);
	return f != NULL && fclose(f) == 0;
}

/* Of two files, one is right. */
static bool
check_files(struct selftest *t)
{
	static const char *const right[] = { "config", "--config",
		"right.conf", "--json", NULL };
	static const char *const wrong[] = { "config", "--config",
		"wrong.conf", NULL };

	return write_file(t, "right.conf", "budget = 100M\n[batch]\n"
	    "max = 7\n") && write_file(t, "wrong.conf", "bugdet = 100M\n") &&
	    is(t, "status with a right file", 0,
	    (uint64_t)selftest_command(t, "right", right)) &&
	    says(t, "right", "out", "\"batch.max\"") &&
	    is(t, "status with a wrong file", COMMAND_USAGE,
	    (uint64_t)selftest_command(t, "wrong", wrong)) &&
	    says(t, "wrong", "err", "bugdet");
}

static bool
test_settings(struct selftest *t)
{
	return check_tables(t) && check_refused(t) && check_files(t);
}

/* -------------------------------------------------------------------------- */

const struct selftest_case selftest_cases[SELFTEST_CASES] = {
	{ "Small Batch Processing", "Small batch sizes", test_small },
	{ "Memory Threshold Enforcement", NULL, test_threshold },
	{ "Checkpoint System", "Checkpoint system", test_checkpoints },
	{ "Recovery Mechanism", "Recovery mechanisms", test_recovery },
	{ "Memory Monitoring", "Memory monitoring", test_monitoring },
	{ "Adaptive Delays", "Adaptive delays", test_delays },
	{ "Configuration Validation", NULL, test_settings },
};
