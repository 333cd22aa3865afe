/*
 * Requests of a segment in memory, which is this process' own; what is answered
 * is read by jansson.
 */
#include "own-segment.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/room.h"
#include "control/mark.h"
#include "control/request.h"
#include "door/inside.h"
#include "plan/journal.h"

static struct request r;
static char room[REQUEST_REPLY_ROOM];

/* What each is asked with; NULL: with nothing more. */
static const struct {
	const char *name;
	const char *arguments[4];
} asked[] = {
	{ "help", { NULL } },
	{ "version", { NULL } },
	{ "status", { NULL } },
	{ "memory", { NULL } },
	{ "sites", { NULL, "100", "by growth", "7 by count" } },
	{ "leaks", { NULL, "1", "100" } },
	{ "ops", { NULL } },
	{ "analyze", { NULL } },
	{ "marks", { NULL, "500" } },
	{ "series", { NULL, "600" } },
	{ "mark", { "a", "of seven words and no more, please" } },
	{ "stacks", { NULL, "none", "sampled", "all" } },
	{ "sample", { NULL, "1", "64K", "1024G" } },
	{ "budget", { NULL, "512M", "1.5G", "off" } },
	{ "trim", { NULL, "last" } },
	/* Without a word it waits: see below. */
	{ "cleanup", { "last", "max_age=24h", "Max_Age=24h" } },
	{ "reclaim", { "warning" } },
	{ "pressure", { NULL, "critical", "2", "OFF" } },
	{ "drain", { NULL } },
	{ "scan", { NULL, "starts", "last" } },
	{ "checkpoints", { NULL } },
	{ "resume", { "one-12345678" } },
	{ "metrics", { NULL, "openmetrics", "PROMETHEUS" } },
	{ "watch", { "10ms", "1h" } },
};

static struct control
beside(void)
{
	struct control c = inside();

	c.bytes = c.segment->head.bytes;
	c.pid = getpid();
	return c;
}

/* The answer to @bytes, from a room of @bytes_room; one line, of JSON. */
static json_t *
ask_within(size_t bytes_room, const char *line, size_t bytes)
{
	struct control c = beside();
	json_error_t error;
	json_t *answer;
	struct text t;

	memset(room, '#', sizeof(room));
	text_open(&t, room, bytes_room);
	request_line(&c, line, bytes, &t);
	assert_true(t.used > 0 && t.used < bytes_room);
	assert_false(t.cut);
	assert_ptr_equal(memchr(room, '\n', t.used), room + t.used - 1);
	answer = json_loadb(room, t.used, 0, &error);
	if (answer == NULL)
		fail_msg("'%.*s' is answered with: %s", (int)bytes, line, room);
	assert_true(json_is_boolean(json_object_get(answer, "ok")));
	assert_string_equal(json_string_value(json_object_get(answer,
	    "heaptide")), PACKAGE_VERSION);
	assert_int_equal(json_integer_value(json_object_get(answer,
	    "schema")), 1);
	return answer;
}

static json_t *
ask(const char *line)
{
	return ask_within(sizeof(room), line, strlen(line));
}

static void
assert_done(const char *line)
{
	json_t *answer = ask(line);

	if (!json_is_true(json_object_get(answer, "ok")))
		fail_msg("'%s' is refused: %s", line, room);
	assert_null(json_object_get(answer, "error"));
	json_decref(answer);
}

static void
assert_error(json_t *answer, const char *error)
{
	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_int_equal(json_object_size(answer), 5);
	assert_string_equal(json_string_value(json_object_get(answer,
	    "error")), error);
	assert_true(json_string_length(json_object_get(answer,
	    "message")) > 0);
	json_decref(answer);
}

static void
assert_refused(const char *line, const char *error)
{
	assert_error(ask(line), error);
}

static int64_t
number_of(const char *line, const char *name)
{
	json_t *answer = ask(line);
	int64_t n;

	assert_true(json_is_number(json_object_get(answer, name)));
	n = (int64_t)json_number_value(json_object_get(answer, name));
	json_decref(answer);
	return n;
}

/* --- reading ------------------------------------------------------------------ */

static int
parse(const char *line)
{
	return request_parse(&r, line, strlen(line));
}

static void
a_line_is_split_at_blanks(void **state)
{
	(void)state;
	assert_int_equal(parse("sites 5 by growth"), 0);
	assert_int_equal(r.words, 4);
	assert_string_equal(r.word[0], "sites");
	assert_string_equal(r.word[3], "growth");
	assert_int_equal(parse(" \t status \t\r "), 0);
	assert_int_equal(r.words, 1);
	assert_string_equal(r.word[0], "status");
	assert_int_equal(parse("a b c d e f g h"), 0);
	assert_int_equal(r.words, REQUEST_WORDS);
	assert_int_equal(parse("a b c d e f g h "), 0);
	assert_int_equal(parse("a b c d e f g h i"), -E2BIG);
}

static void
a_request_is_in_either_case(void **state)
{
	(void)state;
	assert_int_equal(parse("StAtUs"), 0);
	assert_string_equal(r.word[0], "status");
	/* A name is not. */
	assert_int_equal(parse("MARK Here"), 0);
	assert_string_equal(r.word[0], "mark");
	assert_string_equal(r.word[1], "Here");
	assert_int_equal(parse("\xc3\x89T\xc3\x89"), 0);
	assert_string_equal(r.word[0], "\xc3\x89t\xc3\x89");
}

static void
what_is_no_line_is_none(void **state)
{
	char line[REQUEST_LINE_MOST + 2];

	(void)state;
	assert_int_equal(parse(""), -EINVAL);
	assert_int_equal(parse(" \t\r  "), -EINVAL);
	assert_int_equal(request_parse(&r, "status\0", 7), -EINVAL);
	assert_int_equal(request_parse(&r, "\0", 1), -EINVAL);
	assert_int_equal(request_parse(&r, "sta\0tus", 7), -EINVAL);
	memset(line, 'a', sizeof(line));
	assert_int_equal(request_parse(&r, line, REQUEST_LINE_MOST), 0);
	assert_int_equal(strlen(r.word[0]), REQUEST_LINE_MOST);
	assert_int_equal(request_parse(&r, line, REQUEST_LINE_MOST + 1),
	    -E2BIG);
	memset(line, ' ', sizeof(line));
	assert_int_equal(request_parse(&r, line, REQUEST_LINE_MOST), -EINVAL);
	/* Beyond its bytes nothing of a line is looked at. */
	assert_int_equal(request_parse(&r, "statusses", 6), 0);
	assert_string_equal(r.word[0], "status");
}

static void
only_a_watch_has_an_interval(void **state)
{
	(void)state;
	assert_int_equal(parse("watch 50ms"), 0);
	assert_true(request_interval(&r) == 50 * NS_PER_MS);
	assert_int_equal(parse("WATCH 2s"), 0);
	assert_true(request_interval(&r) == 2 * NS_PER_S);
	for (size_t i = 0; i < 5; i++) {
		static const char *const others[] = { "watch", "watch 5",
			"watch 1s 2s", "mark 1s", "watch -1s" };

		assert_int_equal(parse(others[i]), 0);
		assert_true(request_interval(&r) == 0);
	}
}

/* --- answering ---------------------------------------------------------------- */

static struct tide_room *a_room(void);

/* A run that can be gone on with, in a directory of our own. */
static void
put_run(char directory[64])
{
	static struct journal j;
	const struct journal_begin begin = { .id = "one-12345678" };
	char path[128];

	strcpy(directory, "/tmp/heaptide-request.XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(setenv("HEAPTIDE_STATE", directory, 1), 0);
	snprintf(path, sizeof(path), "%s/runs", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/runs/one-12345678.tideck",
	    directory);
	j.fd = -1;
	assert_int_equal(journal_create(&j, path, &begin), 0);
	journal_close(&j);
}

static void
drop_run(const char *directory)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/runs/one-12345678.tideck",
	    directory);
	/* It is not so old that a cleanup would have removed it. */
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/runs", directory);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(directory), 0);
	unsetenv("HEAPTIDE_STATE");
}

static void
every_request_is_answered(void **state)
{
	struct tide_room *row = a_room();
	char line[128], directory[64];
	size_t i, j;

	(void)state;
	put_run(directory);
	assert_int_equal(ARRAY_LENGTH(asked), request_row_count);
	for (i = 0; i < request_row_count; i++) {
		assert_string_equal(asked[i].name, request_rows[i].name);
		for (j = 0; j < 4; j++) {
			const char *rest = asked[i].arguments[j];

			if (rest == NULL && j > 0)
				continue;
			snprintf(line, sizeof(line), "%s %s", asked[i].name,
			    rest != NULL ? rest : "");
			assert_done(line);
			/* The name alone, in the other case. */
			for (char *c = line; *c != ' '; c++)
				*c = (char)(*c - 'a' + 'A');
			assert_done(line);
		}
	}
	drop_run(directory);
	memset(row, 0, sizeof(*row));
}

static void
help_lists_them_all(void **state)
{
	json_t *answer = ask("help");
	json_t *list = json_object_get(answer, "requests");

	(void)state;
	assert_int_equal(json_array_size(list), request_row_count);
	for (size_t i = 0; i < request_row_count; i++) {
		json_t *row = json_array_get(list, i);

		assert_string_equal(json_string_value(json_object_get(row,
		    "name")), request_rows[i].name);
		assert_string_equal(json_string_value(json_object_get(row,
		    "arguments")), request_rows[i].arguments);
		assert_true(json_string_length(json_object_get(row,
		    "help")) > 0);
	}
	json_decref(answer);
}

/* @count arguments, all of them "1". */
static void
with_arguments(char line[64], const char *name, size_t count)
{
	int n = snprintf(line, 64, "%s", name);

	while (count-- > 0)
		n += snprintf(line + n, 64 - (size_t)n, " 1");
}

static void
wrong_numbers_of_arguments_are_refused(void **state)
{
	char line[64];

	(void)state;
	for (size_t i = 0; i < request_row_count; i++) {
		const struct request_row *row = &request_rows[i];

		if (row->least > 0) {
			with_arguments(line, row->name, row->least - 1);
			assert_refused(line, "EINVAL");
		}
		with_arguments(line, row->name, row->most + 1);
		assert_refused(line, row->most + 1 < REQUEST_WORDS ?
		    "EINVAL" : "E2BIG");
	}
}

static void
wrong_arguments_are_refused(void **state)
{
	static const char *const lines[] = {
		"what", "statuss", "\x1b[2J", "\xff\xfe", "{\"ok\":true}",
		"sites 0", "sites -1", "sites 101", "sites x", "sites by",
		"sites by size", "sites 5 growth", "sites by live 5",
		"sites 1.5", "marks 0", "marks 501", "series 601", "series x",
		"stacks some", "stacks 1", "sample 0", "sample -1",
		"sample 2048G", "sample much", "budget 0", "budget -5M",
		"budget much", "budget 18446744073709551616",
		"budget 18446744073709551615", "budget 8E", "watch 9ms",
		"budget 0%", "budget 120%", "budget max-", "budget %",
		"trim first", "cleanup ok", "cleanup 0", "cleanup 4", "cleanup -1",
		"cleanup last last", "reclaim ok", "reclaim last",
		"reclaim max_age=24h", "pressure 4", "pressure high",
		"watch 0s", "watch soon", "watch 5", "scan first", "scan 1",
		("mark a-name-of-no-more-than-sixty-three-bytes-is-to-be-had-and-"
		"this-is-not"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++)
		assert_refused(lines[i], "EINVAL");
	assert_refused("", "EINVAL");
	assert_refused("\t \r", "EINVAL");
	assert_error(ask_within(sizeof(room), "status\0", 7), "EINVAL");
}

static void
a_number_that_is_refused_is_told_its_bounds(void **state)
{
	static const struct { const char *line, *message; } cases[] = {
		{ "sites 101", "'sites' takes a number from 1 to 100" },
		{ "leaks 0", "'leaks' takes a number from 1 to 100" },
		{ "MARKS x", "'marks' takes a number from 1 to 500" },
		{ "series -1", "'series' takes a number from 1 to 600" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		json_t *answer = ask(cases[i].line);

		assert_string_equal(json_string_value(json_object_get(answer,
		    "message")), cases[i].message);
		json_decref(answer);
	}
}

static void
long_lines_are_refused(void **state)
{
	static char line[100000];

	(void)state;
	memset(line, 'a', sizeof(line));
	assert_error(ask_within(sizeof(room), line, REQUEST_LINE_MOST),
	    "EINVAL");
	assert_error(ask_within(sizeof(room), line, REQUEST_LINE_MOST + 1),
	    "E2BIG");
	assert_error(ask_within(sizeof(room), line, sizeof(line)), "E2BIG");
	/* What is refused is quoted, and need not be text. */
	memset(line, '\x80', sizeof(line));
	assert_error(ask_within(sizeof(room), line, REQUEST_LINE_MOST),
	    "EINVAL");
	assert_error(ask_within(sizeof(room), line, 63), "EINVAL");
}

/* In any room that a refusal fits into. */
static void
an_answer_that_does_not_fit_is_refused(void **state)
{
	size_t whole, bytes;

	(void)state;
	json_decref(ask("status"));
	whole = strcspn(room, "\n") + 1;
	for (bytes = 100; bytes + 200 < whole; bytes += 7)
		assert_error(ask_within(bytes, "status", 6), "EOVERFLOW");
	assert_error(ask_within(100, "help", 4), "EOVERFLOW");
}

/* --- what is done ------------------------------------------------------------- */

static void
settings_are_stored(void **state)
{
	struct segment_config *config = &segment_mine()->config;
	uint64_t share;
	json_t *answer;
	int64_t wanted;

	(void)state;
	assert_done("stacks all");
	assert_int_equal(config->stacks_wanted, STACKS_ALL + 1);
	assert_done("stacks none");
	assert_int_equal(config->stacks_wanted, STACKS_NONE + 1);
	/* Words of ours are in either case, too. */
	assert_done("STACKS Sampled");
	assert_int_equal(config->stacks_wanted, STACKS_SAMPLED + 1);
	assert_refused("stacks more", "EINVAL");
	assert_int_equal(config->stacks_wanted, STACKS_SAMPLED + 1);

	assert_done("sample 4K");
	assert_int_equal(config->sample_bytes, 4096);
	assert_refused("sample 0", "EINVAL");
	assert_int_equal(config->sample_bytes, 4096);

	assert_done("budget 1.5G");
	assert_true(config->budget_bytes == 3 * (GIB / 2));
	answer = ask("status");
	assert_true(json_number_value(json_object_get(json_object_get(answer,
	    "configuration"), "budget")) == 1610612736.0);
	json_decref(answer);
	assert_done("budget 50%");
	share = config->budget_bytes;
	assert_true(share >= MIB);
	/* Of what would rule without it, so not of the half. */
	assert_done("budget 50%");
	assert_true(config->budget_bytes > share / 4 * 3);
	assert_refused("budget max-1048576T", "EINVAL");
	assert_done("budget 1.5G");
	assert_refused("budget nothing", "EINVAL");
	assert_true(config->budget_bytes == 3 * (GIB / 2));
	assert_done("budget OFF");
	assert_int_equal(config->budget_bytes, 0);
	answer = ask("status");
	assert_true(json_is_null(json_object_get(json_object_get(answer,
	    "configuration"), "budget")));
	json_decref(answer);

	wanted = number_of("scan", "scans_wanted");
	assert_int_equal(segment_mine()->watch.scan_starts, 0);
	assert_int_equal(number_of("scan Starts", "scans_wanted"), wanted + 1);
	assert_int_equal(segment_mine()->watch.scan_starts, 1);
	assert_int_equal(number_of("scan last", "scans_wanted"), wanted + 1);

	wanted = number_of("trim", "trims_wanted");
	assert_int_equal(number_of("trim", "trims_wanted"), wanted + 1);
	assert_int_equal(number_of("trim last", "trims_wanted"), wanted + 1);
}

/* The names of the sites of an answer, from 'a' on. */
static void
assert_sites(const char *line, const char *expected)
{
	json_t *answer = ask(line);
	json_t *sites = json_object_get(answer, "sites");
	char found[32];
	size_t i;

	assert_true(json_array_size(sites) < sizeof(found));
	for (i = 0; i < json_array_size(sites); i++)
		found[i] = (char)('a' + json_integer_value(json_object_get(
		    json_array_get(sites, i), "site")) - SITE_FULL - 1);
	found[i] = '\0';
	assert_string_equal(found, expected);
	json_decref(answer);
}

/* A site that holds @blocks of @bytes. */
static struct count *
put_site(uint64_t pc, uint64_t bytes, uint64_t blocks)
{
	int64_t node = segment_take(TABLE_NODES, 1);
	struct node *n = (struct node *)segment_rows(TABLE_NODES) + node;
	struct count *c;
	uint32_t site;

	assert_true(node > 0);
	atomic_store(&n->pc, pc);
	site = site_make((uint32_t)node, 0);
	c = (struct count *)segment_rows(TABLE_FIRST) + site;
	c->allocations = blocks + 5;
	c->frees = 5;
	c->allocated_bytes = bytes + 1000;
	c->freed_bytes = 1000;
	return c;
}

static void
sites_are_in_order(void **state)
{
	struct estimate *e = segment_rows(TABLE_ESTIMATES);
	struct count *a, *c;
	json_t *answer, *site;

	(void)state;
	a = put_site(0x1000, 100, 9);
	(void)put_site(0x2000, 500, 2);
	c = put_site(0x3000, 300, 4);
	assert_sites("sites", "bca");
	assert_sites("sites 2", "bc");
	assert_sites("sites 1 by count", "a");
	assert_sites("sites by count", "acb");
	/* Without a mark all of it has grown. */
	assert_sites("sites by growth", "bca");
	answer = ask("sites 1");
	site = json_array_get(json_object_get(answer, "sites"), 0);
	assert_null(json_object_get(site, "growth_bytes"));
	assert_int_equal(json_integer_value(json_object_get(site,
	    "live_bytes")), 500);
	assert_int_equal(json_integer_value(json_object_get(site,
	    "live_blocks")), 2);
	assert_int_equal(json_integer_value(json_object_get(site,
	    "allocations")), 7);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(
	    json_object_get(site, "stack"), 0), "pc")), 0x2000);
	json_decref(answer);

	assert_done("mark Here and now");
	assert_sites("sites by growth", "");
	a->allocated_bytes += 70;
	c->freed_bytes += 20;
	assert_sites("sites BY Growth", "a");
	answer = ask("sites 3");
	site = json_array_get(json_object_get(answer, "sites"), 1);
	assert_int_equal(json_integer_value(json_object_get(site,
	    "growth_bytes")), -20);
	json_decref(answer);

	/* What was drawn is added; a new site has grown by all it holds. */
	(void)put_site(0x4000, 0, 0);
	assert_int_equal(segment_reach(TABLE_ESTIMATES, SITE_FULL + 5), 0);
	e[SITE_FULL + 4].allocated_bytes = 8000 * ESTIMATE_BYTES;
	e[SITE_FULL + 4].freed_bytes = 1000 * ESTIMATE_BYTES;
	e[SITE_FULL + 4].allocations = 30 * ESTIMATE_BLOCKS;
	e[SITE_FULL + 4].frees = 10 * ESTIMATE_BLOCKS;
	assert_sites("sites by growth", "da");
	assert_sites("sites by count", "dacb");
	assert_int_equal(number_of("status", "pid"), getpid());
}

/* --- what the program does itself ----------------------------------------- */

static void
who_does_not_ask_for_a_budget_is_not_asked(void **state)
{
	struct tide_room *row = a_room();

	(void)state;
	row->magic = 0;
	assert_refused("cleanup", "ENODEV");
	assert_refused("cleanup last", "ENODEV");
	assert_refused("cleanup exhausted", "ENODEV");
	assert_refused("pressure", "ENODEV");
	assert_refused("pressure 2", "ENODEV");
	assert_refused("drain", "ENODEV");
	assert_true(row->cleanups_wanted == 0 && row->pressure == 0 &&
	    row->stop == 0);
	/* What is asked wrongly is that first. */
	assert_refused("cleanup soon", "EINVAL");
	assert_refused("reclaim soon", "EINVAL");
	assert_refused("pressure soon", "EINVAL");
}

/* The program: carries out the next that is wanted. */
static void *
carry_out(void *arg)
{
	struct tide_room *row = arg;
	uint32_t done = row->cleanups_done;

	while (__atomic_load_n(&row->cleanups_wanted, __ATOMIC_ACQUIRE) ==
	    done)
		usleep(1000);
	row->wish_callbacks = 3;
	row->wish_freed = 1000;
	row->wish_blocks = 10;
	row->wish_returned = 4096;
	row->wish_ns = 2 * NS_PER_MS;
	__atomic_store_n(&row->cleanups_done, done + 1, __ATOMIC_RELEASE);
	return NULL;
}

static void
assert_waits(json_t *answer, bool waits, uint64_t freed)
{
	assert_true(json_is_true(json_object_get(answer, "ok")));
	assert_int_equal(json_is_true(json_object_get(answer, "waits")),
	    waits);
	assert_int_equal(json_integer_value(json_object_get(answer, "freed")),
	    freed);
	json_decref(answer);
}

static void
a_cleanup_is_waited_for(void **state)
{
	struct tide_room *row = a_room();
	pthread_t program;
	json_t *answer;

	(void)state;
	row->gate = 5;
	assert_int_equal(pthread_create(&program, NULL, carry_out, row), 0);
	answer = ask("CLEANUP Warning");
	assert_int_equal(pthread_join(program, NULL), 0);
	assert_int_equal(row->cleanup_level, TIDE_WARNING);
	/* It comes by at its next item. */
	assert_true(row->gate == TIDE_NONE);
	assert_int_equal(json_integer_value(json_object_get(answer,
	    "cleanups_wanted")), 1);
	assert_int_equal(json_integer_value(json_object_get(answer,
	    "cleanups_done")), 1);
	assert_int_equal(json_integer_value(json_object_get(answer,
	    "callbacks")), 3);
	assert_int_equal(json_integer_value(json_object_get(answer,
	    "blocks")), 10);
	assert_int_equal(json_integer_value(json_object_get(answer,
	    "returned")), 4096);
	assert_true(json_number_value(json_object_get(answer, "seconds")) ==
	    0.002);
	assert_waits(answer, false, 1000);
	assert_waits(ask("cleanup last"), false, 1000);
	assert_int_equal(row->cleanups_wanted, 1);
}

static void
memory_is_reclaimed_by_what_there_is(void **state)
{
	struct tide_room *row = a_room();
	pthread_t program;
	json_t *answer;
	int64_t trims;

	(void)state;
	assert_int_equal(pthread_create(&program, NULL, carry_out, row), 0);
	answer = ask("reclaim exhausted");
	assert_int_equal(pthread_join(program, NULL), 0);
	assert_int_equal(row->cleanup_level, TIDE_EXHAUSTED);
	assert_waits(answer, false, 1000);
	row->magic = 0;
	trims = number_of("trim last", "trims_wanted");
	assert_int_equal(number_of("reclaim", "trims_wanted"), trims + 1);
	assert_int_equal(number_of("reclaim warning", "trims_wanted"),
	    trims + 2);
	assert_int_equal(row->cleanups_wanted, 1);
}

static void
but_not_for_long(void **state)
{
	struct tide_room *row = a_room();

	(void)state;
	assert_waits(ask("cleanup critical"), true, 0);
	assert_int_equal(row->cleanups_wanted, 1);
	/* The hardest that is wanted is what will be done. */
	assert_waits(ask("cleanup 1"), true, 0);
	assert_int_equal(row->cleanup_level, TIDE_CRITICAL);
	assert_int_equal(row->cleanups_wanted, 2);
	assert_waits(ask("cleanup last"), true, 0);
	assert_int_equal(row->cleanups_wanted, 2);
}

static void
a_state_is_pretended_and_an_end_is_asked_for(void **state)
{
	struct tide_room *row = a_room();
	json_t *answer;

	(void)state;
	row->gate = 5;
	assert_done("pressure Critical");
	assert_int_equal(row->pressure, TIDE_CRITICAL + 1);
	assert_true(row->gate == TIDE_NONE);
	assert_done("pressure 0");
	assert_int_equal(row->pressure, TIDE_OK + 1);
	answer = ask("pressure");
	assert_string_equal(json_string_value(json_object_get(answer,
	    "pressure")), "ok");
	assert_string_equal(json_string_value(json_object_get(answer,
	    "state")), "warning");
	json_decref(answer);
	assert_done("pressure off");
	assert_int_equal(row->pressure, 0);
	answer = ask("pressure");
	assert_true(json_is_null(json_object_get(answer, "pressure")));
	json_decref(answer);
	/* Another's nonsense. */
	row->pressure = 99;
	row->state = 77;
	assert_done("pressure");

	row->stop = TIDE_STOP_TERM;
	assert_int_equal(number_of("drain", "drains"), 1);
	assert_int_equal(number_of("drain", "drains"), 2);
	assert_int_equal(row->stop, TIDE_STOP_TERM | TIDE_STOP_DRAIN);
	memset(row, 0, sizeof(*row));
}

static void
marks_are_told(void **state)
{
	json_t *answer, *mark;
	size_t n;

	(void)state;
	assert_done("mark one\x7f\xff  two");
	answer = ask("marks 1");
	assert_int_equal(json_array_size(json_object_get(answer, "marks")), 1);
	mark = json_array_get(json_object_get(answer, "marks"), 0);
	assert_string_equal(json_string_value(json_object_get(mark, "name")),
	    "one\x7f\xef\xbf\xbd two");
	assert_string_equal(json_string_value(json_object_get(mark, "kind")),
	    "mark");
	assert_true(json_is_true(json_object_get(mark, "sites")));
	json_decref(answer);
	answer = ask("marks 500");
	n = json_array_size(json_object_get(answer, "marks"));
	assert_int_equal(number_of("mark again", "number"), (int64_t)n);
	json_decref(answer);

	/* One whose row is taken, and not yet filled, is left out. */
	assert_true(segment_take(TABLE_MARKS, 1) > 0);
	answer = ask("marks 500");
	assert_int_equal(json_array_size(json_object_get(answer, "marks")),
	    n + 1);
	json_decref(answer);
}

static void
a_full_table_of_marks_is_told(void **state)
{
	struct control c = beside();

	(void)state;
	while (mark_set(&c, MARK_TRIM, "event", 1) >= 0)
		;
	assert_int_equal(control_count(&c, TABLE_MARKS),
	    segment_mine()->table[TABLE_MARKS].capacity);
	assert_refused("mark more", "ENOSPC");
	assert_done("marks 500");
	assert_done("status");
}

/* --- scans ---------------------------------------------------------------- */

static void
assert_state(const char *state, const char *member)
{
	json_t *answer = ask("scan last");

	assert_string_equal(json_string_value(json_object_get(answer,
	    "state")), state);
	assert_true(member == NULL || json_object_get(answer, member) != NULL);
	json_decref(answer);
}

static void
what_a_scan_found_is_told(void **state)
{
	struct segment_scan *s = &segment_mine()->scan;
	struct reach *row;
	json_t *answer, *sites;

	(void)state;
	assert_state("never", NULL);
	assert_int_equal(segment_reach(TABLE_REACH, 5), 0);
	row = segment_rows(TABLE_REACH);
	row[3] = (struct reach){ .number = 7, .direct_blocks = 2,
	    .direct_bytes = 100, .example = 4096 };
	row[4] = (struct reach){ .number = 7, .indirect_blocks = 3,
	    .indirect_bytes = 200 };
	row[2] = (struct reach){ .number = 6, .direct_bytes = 900 };
	*s = (struct segment_scan){ .state = SCAN_DONE, .number = 7,
	    .direct_blocks = 2, .direct_bytes = 100, .indirect_blocks = 3,
	    .indirect_bytes = 200 };
	answer = ask("scan last");
	sites = json_object_get(answer, "sites");
	/* That of an earlier scan is none of it; most comes first. */
	assert_int_equal(json_array_size(sites), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(
	    sites, 0), "bytes")), 200);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(
	    answer, "unreachable"), "bytes")), 300);
	json_decref(answer);
	s->state = SCAN_FAILED;
	s->why = SCAN_WHY_CLONE;
	assert_state("failed", "why");
	s->why = 12345;
	assert_state("failed", "why");
	s->state = 99;
	assert_state("unknown", NULL);
	s->state = SCAN_NEVER;
}

/* --- operations --------------------------------------------------------------- */

/* Two operations, of which one has been cut in a tenth of its batches. */
static struct tide_room *
a_room(void)
{
	struct tide_room *row;

	assert_int_equal(segment_reach(TABLE_BUDGET, 1), 0);
	row = segment_rows(TABLE_BUDGET);
	*row = (struct tide_room){ .version = TIDE_ROOM_VERSION,
	    .bytes = sizeof(*row), .budget = GIB, .used = 250 * MIB,
	    .peak_used = 300 * MIB, .state = TIDE_WARNING, .warnings = 3,
	    .retained = 5 * MIB, .source = "cgroup" };
	/* Rows need not follow each other. */
	row->op[3] = (struct tide_op_stats){ .name = "load", .unit = "page",
	    .batches = 100, .items = 5000, .cuts = 10, .n_last = 50,
	    .n_most = 50, .growth_sum = 5000 * MIB, .growth_most = 50 * MIB,
	    .time_ns = 10 * NS_PER_S, .started_ns = NS_PER_S,
	    .ended_ns = 11 * NS_PER_S, .done = 5000, .total = 10000,
	    .bound = TIDE_BOUND_KNEE, .retained_last = -7 };
	row->op[1] = (struct tide_op_stats){ .name = "parse",
	    .unit = "item", .started_ns = 1, .ended_ns = 2, .bound = 77 };
	row->magic = TIDE_ROOM_MAGIC;
	return row;
}

static const json_t *
in_list(const json_t *answer, const char *list, const char *name,
    const char *text)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(answer, list), i, row)
		if (strcmp(json_string_value(json_object_get(row, name)),
		    text) == 0)
			return row;
	return NULL;
}

static void
assert_number(const json_t *object, const char *name, double expected)
{
	if (!json_is_number(json_object_get(object, name)))
		fail_msg("no number %s in %s", name, room);
	assert_float_equal(json_number_value(json_object_get(object, name)),
	    expected, 0.001);
}

static void
operations_are_told(void **state)
{
	struct tide_room *row = a_room();
	json_t *answer = ask("ops");
	const json_t *op = in_list(answer, "ops", "name", "load");

	(void)state;
	assert_int_equal(json_array_size(json_object_get(answer, "ops")), 2);
	assert_non_null(op);
	assert_number(op, "batches", 100);
	assert_number(op, "n_mean", 50);
	assert_number(op, "bytes_per_item", (double)MIB);
	assert_number(op, "items_per_second", 500);
	assert_number(op, "seconds", 10);
	assert_number(op, "retained_last", -7);
	assert_string_equal(json_string_value(json_object_get(op, "bound")),
	    "knee");
	op = in_list(answer, "ops", "name", "parse");
	assert_string_equal(json_string_value(json_object_get(op, "bound")),
	    "-");
	json_decref(answer);
	/* What is no number of bytes is none. */
	row->op[1].per_item = row->op[1].power = NAN;
	memset(row->op[3].name, 'x', sizeof(row->op[3].name));
	assert_done("ops");
	/* A row that is not complete is no row. */
	row->magic = 0;
	answer = ask("ops");
	assert_int_equal(json_array_size(json_object_get(answer, "ops")), 0);
	json_decref(answer);
}

static void
status_says_how_far_it_is_and_how_it_stands(void **state)
{
	struct tide_room *row = a_room();
	json_t *answer = ask("status");
	const json_t *progress = json_object_get(answer, "progress");
	const json_t *memory = json_object_get(answer, "memory");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(progress,
	    "operation")), "load");
	assert_number(progress, "done", 5000);
	assert_number(progress, "percent", 50);
	assert_number(progress, "eta", 10);
	assert_string_equal(json_string_value(json_object_get(memory,
	    "state")), "warning");
	assert_number(memory, "budget", (double)GIB);
	assert_number(memory, "used", 250.0 * (double)MIB);
	assert_number(memory, "memory_warnings", 3);
	json_decref(answer);
	/* Who is at it counts as last. */
	row->op[1].active = 1;
	row->budget = TIDE_NONE;
	answer = ask("status");
	progress = json_object_get(answer, "progress");
	assert_string_equal(json_string_value(json_object_get(progress,
	    "operation")), "parse");
	assert_true(json_is_null(json_object_get(progress, "total")));
	assert_true(json_is_null(json_object_get(progress, "eta")));
	assert_true(json_is_null(json_object_get(json_object_get(answer,
	    "memory"), "budget")));
	json_decref(answer);
	row->magic = 0;
	answer = ask("status");
	assert_null(json_object_get(json_object_get(answer, "progress"),
	    "operation"));
	assert_true(json_is_null(json_object_get(json_object_get(answer,
	    "memory"), "state")));
	json_decref(answer);
}

static void
analyze_tells_issues_and_what_to_set(void **state)
{
	struct tide_room *row = a_room();
	json_t *answer = ask("analyze");
	const json_t *issue = in_list(answer, "issues", "id", "R-BATCH");
	const json_t *advice = in_list(answer, "recommends", "id",
	    "R-BATCH");

	(void)state;
	assert_non_null(issue);
	assert_string_equal(json_string_value(json_object_get(issue,
	    "text")), "load: of 100 batches 10 were cut for lack of room "
	    "(10 %); they had 50 pages on average");
	assert_string_equal(json_string_value(json_object_get(issue,
	    "severity")), "warning");
	assert_number(json_object_get(issue, "numbers"), "max", 40);
	assert_non_null(advice);
	assert_string_equal(json_string_value(json_object_get(advice,
	    "setting")), "tide_op_conf.max = 40, or batch.max = 40");
	assert_string_equal(json_string_value(json_object_get(advice,
	    "key")), "batch.max");
	assert_string_equal(json_string_value(json_object_get(advice,
	    "value")), "40");
	/* Good news are no issue. */
	assert_null(in_list(answer, "issues", "id", "R-BUDGET"));
	assert_non_null(in_list(answer, "recommends", "id", "R-BUDGET"));
	json_decref(answer);
	row->magic = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_split_at_blanks),
		cmocka_unit_test(a_request_is_in_either_case),
		cmocka_unit_test(what_is_no_line_is_none),
		cmocka_unit_test(only_a_watch_has_an_interval),
		cmocka_unit_test(sites_are_in_order),
		cmocka_unit_test(every_request_is_answered),
		cmocka_unit_test(help_lists_them_all),
		cmocka_unit_test(wrong_numbers_of_arguments_are_refused),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(a_number_that_is_refused_is_told_its_bounds),
		cmocka_unit_test(long_lines_are_refused),
		cmocka_unit_test(an_answer_that_does_not_fit_is_refused),
		cmocka_unit_test(settings_are_stored),
		cmocka_unit_test(what_a_scan_found_is_told),
		cmocka_unit_test(operations_are_told),
		cmocka_unit_test(status_says_how_far_it_is_and_how_it_stands),
		cmocka_unit_test(analyze_tells_issues_and_what_to_set),
		cmocka_unit_test(who_does_not_ask_for_a_budget_is_not_asked),
		cmocka_unit_test(a_cleanup_is_waited_for),
		cmocka_unit_test(memory_is_reclaimed_by_what_there_is),
		cmocka_unit_test(but_not_for_long),
		cmocka_unit_test(a_state_is_pretended_and_an_end_is_asked_for),
		cmocka_unit_test(marks_are_told),
		cmocka_unit_test(a_full_table_of_marks_is_told),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
