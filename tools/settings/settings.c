/*
 * settings.c - the table of settings, and what a value of each may be
 */
#include "settings/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/segment.h"
#include "base/text.h"
#include "control/control.h"
#include "model/sources.h"

static const char *const stacks_words[] = { "none", "sampled", "all", NULL };
static const char *const children_words[] = { "all", "exec", "none", NULL };
static const char *const keeper_words[] = { "auto", "on", "off", NULL };
static const char *const summary_words[] = { "text", "json", "off", NULL };
static const char *const enforce_words[] = { "off", "enomem", "abort",
	"exit85", "stop", NULL };
static const char *const policy_words[] = { "learn", "seed", "mean", "fixed",
	NULL };
static const char *const sync_words[] = { "mark", "batch", "none", NULL };
static const char *const jitter_words[] = { "decorrelated", "none", NULL };
static const char *const mode_words[] = { "auto", "off", "always", NULL };
static const char *const between_words[] = { "auto", "always", "never", NULL };
static const char *const steps_words[] = { "callbacks", "purge", "trim",
	NULL };
static const char *const progress_words[] = { "off", "lines", "bar", "json",
	NULL };
static const char *const unit_words[] = { "auto", "B", "KB", "MB", "GB",
	NULL };

#define NO_BOUND 0, 0
#define ITEMS    0, UINT32_MAX

const struct setting settings[] = {
	{ "enabled", NULL, SETTING_SWITCH, READ_BY_LIBRARY, "on",
	  "count at all", NULL, NO_BOUND },
	{ "preset", "preset", SETTING_PRESET, READ_BY_COMMANDS, "",
	  "a set of settings by name, for what is not set otherwise", NULL,
	  NO_BOUND },

	/* The budget. */
	{ "budget", "budget", SETTING_AMOUNT, READ_BY_RUN, "",
	  "how much memory may be used, if no limit is lower", NULL,
	  NO_BOUND },
	{ "budget.force", NULL, SETTING_SWITCH, READ_BY_COMMANDS, "off",
	  "let the budget be above a limit", NULL, NO_BOUND },
	{ "target", "target", SETTING_SHARE, READ_BY_LIBRARY, "90%",
	  "the share of the budget that batches are to fill", NULL, NO_BOUND },
	{ "warn", "warn", SETTING_SHARE, READ_BY_LIBRARY, "75%",
	  "the share of the budget from which on it is a warning", NULL,
	  NO_BOUND },
	{ "critical", "critical", SETTING_SHARE, READ_BY_LIBRARY, "88%",
	  "the share of the budget from which on it is critical", NULL,
	  NO_BOUND },
	{ "enforce", "enforce", SETTING_CHOICE, READ_BY_LIBRARY, "off",
	  "what becomes of who goes beyond the budget", enforce_words,
	  NO_BOUND },
	{ "gate", "gate", SETTING_GATE, READ_BY_RUN, "",
	  "start a program only if so much is free", NULL, NO_BOUND },
	{ "pool", NULL, SETTING_TEXT, READ_BY_LIBRARY, "",
	  "the common budget to take part in", NULL, NO_BOUND },

	/* The profile. */
	{ "stacks", "stacks", SETTING_CHOICE, READ_BY_LIBRARY, "sampled",
	  "of which allocations to keep the call path", stacks_words,
	  NO_BOUND },
	{ "sample", "sample", SETTING_BYTES, READ_BY_LIBRARY, "512K",
	  "bytes allocated for each block that is drawn", NULL, 1,
	  SEGMENT_SAMPLE_MOST },
	{ "depth", "depth", SETTING_COUNT, READ_BY_LIBRARY, "128",
	  "frames to keep of a call path", NULL, 1, SEGMENT_DEPTH_MOST },
	{ "epoch", "epoch", SETTING_DURATION, READ_BY_LIBRARY, "0",
	  "set a mark so often", NULL, EPOCH_LEAST_NS, 0 },
	{ "children", "children", SETTING_CHOICE, READ_BY_LIBRARY, "all",
	  "which child processes to follow", children_words, NO_BOUND },
	{ "keeper", "keeper", SETTING_CHOICE, READ_BY_RUN, "auto",
	  "whether the control socket is served", keeper_words, NO_BOUND },
	{ "summary", "summary", SETTING_CHOICE, READ_BY_RUN, "text",
	  "what to print on stderr at the end", summary_words, NO_BOUND },
	{ "log", NULL, SETTING_TEXT, READ_BY_LIBRARY, "",
	  "a file for the library's messages", NULL, NO_BOUND },
	{ "log.debug", NULL, SETTING_SWITCH, READ_BY_LIBRARY, "off",
	  "log how each batch was sized and what it took", NULL, NO_BOUND },
	{ "dir", NULL, SETTING_TEXT, READ_BY_LIBRARY, "",
	  "the directory of profiles and control sockets", NULL, NO_BOUND },

	/* Batches. */
	{ "batch.initial", NULL, SETTING_COUNT, READ_BY_LIBRARY, "1",
	  "items of the first batch", NULL, 1, UINT32_MAX },
	{ "batch.min", NULL, SETTING_COUNT, READ_BY_LIBRARY, "1",
	  "items of the least batch", NULL, 1, UINT32_MAX },
	{ "batch.max", NULL, SETTING_COUNT, READ_BY_LIBRARY, "0",
	  "items of the largest batch; 0: no cap", NULL, ITEMS },
	{ "batch.fixed", NULL, SETTING_COUNT, READ_BY_LIBRARY, "0",
	  "items of every batch; 0: sized by what they take", NULL, ITEMS },
	{ "batch.timeout", NULL, SETTING_DURATION, READ_BY_LIBRARY, "0",
	  "a batch that takes longer is stalled, which is told once; 0: none "
	  "is", NULL, NO_BOUND },
	{ "batch.warm", NULL, SETTING_SWITCH, READ_BY_LIBRARY, "off",
	  "begin with what was learned at earlier starts, and keep it", NULL,
	  NO_BOUND },
	{ "policy", NULL, SETTING_CHOICE, READ_BY_LIBRARY, "learn",
	  "the law that sizes batches", policy_words, NO_BOUND },
	{ "kill.cost", NULL, SETTING_DURATION, READ_BY_LIBRARY, "0",
	  "what a kill costs beside its batch, in a run that goes on by "
	  "itself; 0: no batch is worth one", NULL, NO_BOUND },
	{ "concurrency.max", NULL, SETTING_COUNT, READ_BY_LIBRARY, "0",
	  "batches at one time; 0: no cap", NULL, ITEMS },
	{ "poll.every", NULL, SETTING_COUNT, READ_BY_LIBRARY, "1",
	  "batches from one look at memory to the next", NULL, 1,
	  UINT32_MAX },
	{ "page", NULL, SETTING_COUNT, READ_BY_LIBRARY, "20",
	  "items of a page", NULL, 1, UINT32_MAX },
	{ "max_pages", NULL, SETTING_COUNT, READ_BY_LIBRARY, "3",
	  "pages of a walk; 0: no cap", NULL, ITEMS },
	{ "knobs", NULL, SETTING_KNOBS, READ_BY_LIBRARY, "",
	  "the best value of a knob, by its name", NULL, NO_BOUND },

	/* Checkpoints and retries. */
	{ "checkpoint.every", NULL, SETTING_COUNT, READ_BY_LIBRARY, "5",
	  "batches from one checkpoint to the next; 0: none by batches", NULL,
	  ITEMS },
	{ "checkpoint.seconds", NULL, SETTING_COUNT, READ_BY_LIBRARY, "0",
	  "seconds from one checkpoint to the next; 0: none by time", NULL,
	  ITEMS },
	{ "checkpoint.sync", NULL, SETTING_CHOICE, READ_BY_LIBRARY, "mark",
	  "when checkpoints are forced to disk", sync_words, NO_BOUND },
	{ "checkpoint.max_age", NULL, SETTING_DURATION, READ_BY_COMMANDS,
	  "24h", "older checkpoints are cleaned up", NULL, NO_BOUND },
	{ "state", NULL, SETTING_TEXT, READ_BY_LIBRARY, "",
	  "the directory of checkpoints", NULL, NO_BOUND },
	{ "retry.max", "retries", SETTING_COUNT, READ_BY_RUN, "3",
	  "tries more of a batch that failed", NULL, ITEMS },
	{ "retry.delay", "retry-delay", SETTING_DURATION, READ_BY_RUN, "5s",
	  "the time before the first of them", NULL, NO_BOUND },
	{ "retry.factor", NULL, SETTING_FACTOR, READ_BY_RUN, "2",
	  "by which each is later than the one before", NULL, 1, 100 },
	{ "retry.cap", NULL, SETTING_DURATION, READ_BY_RUN, "5m",
	  "the longest of these times", NULL, NO_BOUND },
	{ "retry.jitter", NULL, SETTING_CHOICE, READ_BY_RUN,
	  "decorrelated", "how they are spread", jitter_words, NO_BOUND },
	{ "retry.fallback", "fallback", SETTING_COUNT, READ_BY_RUN, "2",
	  "items of a batch that is tried again", NULL, 1, UINT32_MAX },

	/* Delays and cleanups. */
	{ "delay.min", NULL, SETTING_DURATION, READ_BY_LIBRARY, "0",
	  "the least delay between batches", NULL, NO_BOUND },
	{ "delay.max", NULL, SETTING_DURATION, READ_BY_LIBRARY, "30s",
	  "the longest delay between batches", NULL, NO_BOUND },
	{ "delay.mode", NULL, SETTING_CHOICE, READ_BY_LIBRARY, "auto",
	  "whether there are delays", mode_words, NO_BOUND },
	{ "reclaim.auto", NULL, SETTING_SWITCH, READ_BY_LIBRARY, "on",
	  "clean up when memory is short", NULL, NO_BOUND },
	{ "reclaim.threshold", NULL, SETTING_SHARE, READ_BY_LIBRARY, "",
	  "the share of the budget to do all of it from; that of critical",
	  NULL, NO_BOUND },
	{ "reclaim.before", NULL, SETTING_SWITCH, READ_BY_LIBRARY, "off",
	  "clean up before each batch", NULL, NO_BOUND },
	{ "reclaim.after", NULL, SETTING_SWITCH, READ_BY_LIBRARY, "off",
	  "clean up after the last batch of an operation", NULL, NO_BOUND },
	{ "reclaim.between", NULL, SETTING_CHOICE, READ_BY_LIBRARY, "auto",
	  "clean up between batches: auto: when memory is short; never: only "
	  "when it is critical", between_words,
	  NO_BOUND },
	{ "reclaim.steps", NULL, SETTING_WORDS, READ_BY_LIBRARY,
	  "callbacks,purge,trim", "what may be done to clean up", steps_words,
	  NO_BOUND },
	{ "leak.threshold_rate", NULL, SETTING_GROWTH, READ_BY_COMMANDS, "",
	  "growth of less is too little to matter: MiB an hour, or a share a "
	  "batch",
	  NULL, NO_BOUND },

	/* What people see. */
	{ "progress", "progress", SETTING_CHOICE, READ_BY_LIBRARY, "off",
	  "how batches are told on standard error",
	  progress_words, NO_BOUND },
	{ "progress.unit", NULL, SETTING_TEXT, READ_BY_LIBRARY, "item",
	  "what an item is called", NULL, NO_BOUND },
	{ "display.unit", NULL, SETTING_CHOICE, READ_BY_COMMANDS, "auto",
	  "the unit of sizes that commands print", unit_words, NO_BOUND },
	{ NULL, NULL, SETTING_TEXT, READ_BY_PROGRAM, NULL, NULL, NULL,
	  NO_BOUND }
};

size_t
settings_count(void)
{
	return ARRAY_LENGTH(settings) - 1;
}

const struct setting *
setting_find(const char *key)
{
	const struct setting *s;

	for (s = settings; s->key != NULL; s++)
		if (strcmp(s->key, key) == 0)
			return s;
	return NULL;
}

const char *
setting_reader_word(enum setting_reader reader)
{
	static const char *const words[] = {
		[READ_BY_COMMANDS] = "commands",
		[READ_BY_RUN] = "run",
		[READ_BY_LIBRARY] = "library",
		[READ_BY_PROGRAM] = "exported",
	};

	return words[reader];
}

/* --- values --------------------------------------------------------------- */

static int
check_word(const char *const *words, const char *value, size_t length)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == length &&
		    strncmp(*words, value, length) == 0)
			return 0;
	return -EINVAL;
}

/* At least one, none twice: what stands there is what is done. */
static int
check_words(const char *const *words, const char *value)
{
	const char *p = value, *q;
	size_t length;

	for (;; p += length + 1) {
		length = strcspn(p, ",");
		if (check_word(words, p, length) < 0)
			return -EINVAL;
		for (q = value; q < p; q += strcspn(q, ",") + 1)
			if (strcspn(q, ",") == length &&
			    strncmp(q, p, length) == 0)
				return -EINVAL;
		if (p[length] == '\0')
			return 0;
	}
}

static int
within(const struct setting *s, uint64_t n)
{
	return n < s->least || (s->most != 0 && n > s->most) ? -EINVAL : 0;
}

/* `2`, `1.5`. */
static int
parse_decimal(const char *value, double *n)
{
	char *end;

	if (strspn(value, "0123456789.") != strlen(value) || *value == '\0' ||
	    *value == '.')
		return -EINVAL;
	*n = strtod(value, &end);
	return *end == '\0' ? 0 : -EINVAL;
}

static int
check_factor(const struct setting *s, const char *value)
{
	double n;

	if (parse_decimal(value, &n) < 0)
		return -EINVAL;
	return n < (double)s->least || n > (double)s->most ? -EINVAL : 0;
}

static int
check_growth(const char *value)
{
	struct control_least least;

	return control_parse_least(value, &least);
}

static bool
is_name_of(const char *name, size_t length)
{
	return length > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") >= length;
}

static int
check_knobs(const char *value)
{
	char number[32];
	const char *p = value, *equal;
	size_t length, digits;
	double n;

	for (;; p += length + 1) {
		length = strcspn(p, ",");
		equal = memchr(p, '=', length);
		if (equal == NULL || !is_name_of(p, (size_t)(equal - p)))
			return -EINVAL;
		digits = length - (size_t)(equal + 1 - p);
		if (digits >= sizeof(number))
			return -EINVAL;
		memcpy(number, equal + 1, digits);
		number[digits] = '\0';
		if (parse_decimal(number, &n) < 0)
			return -EINVAL;
		if (p[length] == '\0')
			return 0;
	}
}

int
setting_gate_parse(const char *value, struct setting_gate *gate)
{
	struct setting_gate g = { .wait_ns = GATE_WAIT_NS };
	const char *colon = strchr(value, ':'), *word;
	char size[32];

	if (colon == NULL || (size_t)(colon - value) >= sizeof(size))
		return -EINVAL;
	memcpy(size, value, (size_t)(colon - value));
	size[colon - value] = '\0';
	word = colon + 1;
	if (text_parse_bytes(size, &g.need_bytes) < 0 || g.need_bytes == 0)
		return -EINVAL;
	if (strcmp(word, "skip") == 0)
		g.policy = GATE_SKIP;
	else if (strcmp(word, "fail") == 0)
		g.policy = GATE_FAIL;
	else if (strcmp(word, "wait") == 0)
		g.policy = GATE_WAIT;
	else if (strncmp(word, "wait=", 5) == 0 &&
	    text_parse_duration(word + 5, &g.wait_ns) == 0)
		g.policy = GATE_WAIT;
	else
		return -EINVAL;
	*gate = g;
	return 0;
}

int
setting_check(const struct setting *s, const char *value)
{
	static const char *const switches[] = { "on", "off", "1", "0", NULL };
	struct setting_gate gate;
	struct source_wish wish;
	uint64_t n;

	if (*value == '\0')
		return -EINVAL;
	switch (s->kind) {
	case SETTING_SWITCH:
		return check_word(switches, value, strlen(value));
	case SETTING_CHOICE:
		return check_word(s->words, value, strlen(value));
	case SETTING_WORDS:
		return check_words(s->words, value);
	case SETTING_COUNT:
		return text_parse_u64(value, UINT64_MAX, &n) < 0 ? -EINVAL :
		    within(s, n);
	case SETTING_FACTOR:
		return check_factor(s, value);
	case SETTING_BYTES:
		return text_parse_bytes(value, &n) < 0 ? -EINVAL :
		    within(s, n);
	case SETTING_AMOUNT:
		return source_parse(value, &wish) < 0 ||
		    (wish.form != FORM_LESS && wish.value == 0) ? -EINVAL : 0;
	case SETTING_SHARE:
		return text_parse_share(value, &n) < 0 || n == 0 ? -EINVAL : 0;
	case SETTING_DURATION:
		if (strcmp(value, "0") == 0)
			return 0;
		return text_parse_duration(value, &n) < 0 ? -EINVAL :
		    within(s, n);
	case SETTING_GROWTH:
		return check_growth(value);
	case SETTING_GATE:
		return setting_gate_parse(value, &gate);
	case SETTING_KNOBS:
		return check_knobs(value);
	case SETTING_PRESET:
		return preset_find(value) != NULL ? 0 : -EINVAL;
	case SETTING_TEXT:
		return 0;
	}
	return -EINVAL;
}

int
setting_is_on(const char *value)
{
	return strcmp(value, "on") == 0 || strcmp(value, "1") == 0;
}

/* --- what is accepted, in words ------------------------------------------- */

static void
accept_words(const char *const *words, const char *last,
    char to[SETTING_WORDS_ROOM])
{
	struct text t;
	size_t i;

	text_open(&t, to, SETTING_WORDS_ROOM);
	for (i = 0; words[i] != NULL; i++) {
		if (i > 0)
			text_put(&t, words[i + 1] != NULL ? ", " : last);
		text_put(&t, words[i]);
	}
}

static void
accept_number(const struct setting *s, char to[SETTING_WORDS_ROOM])
{
	if (s->most == 0 && s->least == 0)
		snprintf(to, SETTING_WORDS_ROOM, "a whole number");
	else
		snprintf(to, SETTING_WORDS_ROOM, "a number from %llu to %llu",
		    (unsigned long long)s->least,
		    (unsigned long long)s->most);
}

char *
setting_accepted(const struct setting *s, char words[SETTING_WORDS_ROOM])
{
	char size[TEXT_BYTES_ROOM], time[TEXT_DURATION_ROOM];

	switch (s->kind) {
	case SETTING_SWITCH:
		snprintf(words, SETTING_WORDS_ROOM, "on or off");
		break;
	case SETTING_CHOICE:
		accept_words(s->words, " or ", words);
		break;
	case SETTING_WORDS:
		accept_words(s->words, " and ", words);
		strncat(words, ", with commas between",
		    SETTING_WORDS_ROOM - strlen(words) - 1);
		break;
	case SETTING_COUNT:
	case SETTING_FACTOR:
		accept_number(s, words);
		break;
	case SETTING_BYTES:
		snprintf(words, SETTING_WORDS_ROOM, "a size such as 64K or "
		    "512M, at most %s", text_format_bytes(size, s->most));
		break;
	case SETTING_AMOUNT:
		snprintf(words, SETTING_WORDS_ROOM, "512M, 60%% or max-256M");
		break;
	case SETTING_SHARE:
		snprintf(words, SETTING_WORDS_ROOM,
		    "a share such as 75%%, at most 100%%");
		break;
	case SETTING_DURATION:
		snprintf(words, SETTING_WORDS_ROOM, "a time such as 500ms, "
		    "5s or 2m%s%s, or 0", s->least != 0 ? ", at least " : "",
		    s->least != 0 ? text_format_duration(time, s->least) : "");
		break;
	case SETTING_GROWTH:
		snprintf(words, SETTING_WORDS_ROOM,
		    "10 (MiB an hour) or 10%% (a batch)");
		break;
	case SETTING_GATE:
		snprintf(words, SETTING_WORDS_ROOM,
		    "SIZE:skip, SIZE:wait, SIZE:wait=TIME or SIZE:fail");
		break;
	case SETTING_KNOBS:
		snprintf(words, SETTING_WORDS_ROOM,
		    "NAME=NUMBER, with commas between");
		break;
	case SETTING_PRESET:
		preset_names(words);
		break;
	case SETTING_TEXT:
		snprintf(words, SETTING_WORDS_ROOM, "a text");
		break;
	}
	return words;
}
