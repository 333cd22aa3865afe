#include "plan/settings.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/sources.h"
#include "plan/host.h"

/* How a value is read. */
enum form { FORM_SOURCE, FORM_PART, FORM_NUMBER, FORM_TIME, FORM_WORD,
    FORM_KNOBS };

static const struct {
	const char *key, *name; /* as the program and the environment have it */
	int form;
} known[] = {
	{ "budget", "BUDGET", FORM_SOURCE },
	{ "target", "TARGET", FORM_PART },
	{ "warn", "WARN", FORM_PART },
	{ "critical", "CRITICAL", FORM_PART },
	{ "batch.initial", "BATCH_INITIAL", FORM_NUMBER },
	{ "batch.min", "BATCH_MIN", FORM_NUMBER },
	{ "batch.max", "BATCH_MAX", FORM_NUMBER },
	{ "batch.fixed", "BATCH_FIXED", FORM_NUMBER },
	{ "batch.timeout", "BATCH_TIMEOUT", FORM_TIME },
	{ "batch.warm", "BATCH_WARM", FORM_WORD },
	{ "concurrency.max", "CONCURRENCY_MAX", FORM_NUMBER },
	{ "policy", "POLICY", FORM_WORD },
	{ "kill.cost", "KILL_COST", FORM_TIME },
	{ "checkpoint.every", "CHECKPOINT_EVERY", FORM_NUMBER },
	{ "checkpoint.seconds", "CHECKPOINT_SECONDS", FORM_NUMBER },
	{ "checkpoint.sync", "CHECKPOINT_SYNC", FORM_WORD },
	{ "delay.mode", "DELAY_MODE", FORM_WORD },
	{ "delay.min", "DELAY_MIN", FORM_TIME },
	{ "delay.max", "DELAY_MAX", FORM_TIME },
	{ "reclaim.auto", "RECLAIM_AUTO", FORM_WORD },
	{ "reclaim.steps", "RECLAIM", FORM_WORD },
	{ "reclaim.threshold", "RECLAIM_THRESHOLD", FORM_PART },
	{ "reclaim.before", "RECLAIM_BEFORE", FORM_WORD },
	{ "reclaim.after", "RECLAIM_AFTER", FORM_WORD },
	{ "reclaim.between", "RECLAIM_BETWEEN", FORM_WORD },
	{ "poll.every", "POLL_EVERY", FORM_NUMBER },
	{ "page", "PAGE_SIZE", FORM_NUMBER },
	{ "max_pages", "MAX_PAGES", FORM_NUMBER },
	{ "knobs", "KNOBS", FORM_KNOBS },
	{ "log.debug", "LOG_DEBUG", FORM_WORD },
	{ "pool", "POOL", FORM_WORD },
	{ "progress", "PROGRESS", FORM_WORD },
	{ "progress.unit", "PROGRESS_UNIT", FORM_WORD },
};

#define KNOWN      ARRAY_LENGTH(known)
#define VALUE_ROOM 512 /* a path fits */

/* "": not set. */
static struct {
	char own[KNOWN][VALUE_ROOM];   /* by the program itself */
	char given[KNOWN][VALUE_ROOM]; /* by its host */
	uint32_t taken;
} settings;

static bool
is_gap(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == ',' || c == ';';
}

static bool
is_accepted(int form, const char *value)
{
	struct source_wish wish;
	uint64_t n;

	if (form == FORM_SOURCE)
		return source_parse(value, &wish) == 0;
	if (form == FORM_PART)
		return text_parse_share(value, &n) == 0 && n > 0;
	if (form == FORM_TIME)
		return text_parse_duration(value, &n) == 0;
	if (form == FORM_WORD || form == FORM_KNOBS)
		return *value != '\0';
	return text_parse_u64(value, UINT32_MAX, &n) == 0;
}

/* One `key=value` of @bytes; its row, or -EINVAL. */
static int
take_pair(const char *pair, size_t bytes, char value[VALUE_ROOM])
{
	size_t i, n;

	for (i = 0; i < KNOWN; i++) {
		n = strlen(known[i].key);
		if (bytes <= n || memcmp(pair, known[i].key, n) != 0 ||
		    pair[n] != '=' || bytes - n - 1 >= VALUE_ROOM)
			continue;
		memcpy(value, pair + n + 1, bytes - n - 1);
		value[bytes - n - 1] = '\0';
		return is_accepted(known[i].form, value) ? (int)i : -EINVAL;
	}
	return -EINVAL;
}

/* The last one counts; but commas are gaps, so each knob comes alone. */
static void
take_value(char to[VALUE_ROOM], int form, const char *value)
{
	size_t used = form == FORM_KNOBS ? strlen(to) : 0;
	struct text t;

	text_open(&t, to + used, VALUE_ROOM - used);
	if (used > 0)
		text_put(&t, ",");
	text_put(&t, value);
}

int
settings_take(const char *conf)
{
	char taken[KNOWN][VALUE_ROOM];
	char value[VALUE_ROOM];
	const char *end;
	int row;

	memset(taken, 0, sizeof(taken));
	for (; conf != NULL && *conf != '\0'; conf = end) {
		for (end = conf; *end != '\0' && !is_gap(*end); end++)
			;
		if (end == conf) {
			end++;
			continue;
		}
		row = take_pair(conf, (size_t)(end - conf), value);
		if (row < 0)
			return row;
		take_value(taken[row], known[row].form, value);
	}
	memcpy(settings.own, taken, sizeof(taken));
	settings.taken++;
	return 0;
}

uint32_t
settings_taken(void)
{
	return settings.taken;
}

void
settings_read(const struct plan_host *host)
{
	const char *value;
	struct text t;
	size_t i;

	memset(settings.given, 0, sizeof(settings.given));
	for (i = 0; host->setting != NULL && i < KNOWN; i++) {
		value = host->setting(known[i].name);
		if (value == NULL || !is_accepted(known[i].form, value))
			continue;
		text_open(&t, settings.given[i], VALUE_ROOM);
		text_put(&t, value);
		if (t.cut)
			settings.given[i][0] = '\0';
	}
}

const char *
settings_find(const char *name)
{
	size_t i;

	for (i = 0; i < KNOWN; i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		if (settings.own[i][0] != '\0')
			return settings.own[i];
		if (settings.given[i][0] != '\0')
			return settings.given[i];
	}
	return NULL;
}

const char *
settings_own(const char *name)
{
	size_t i;

	for (i = 0; i < KNOWN; i++)
		if (strcmp(known[i].name, name) == 0)
			return settings.own[i][0] != '\0' ? settings.own[i] :
			    NULL;
	return NULL;
}

uint64_t
settings_number(const char *name, uint64_t otherwise)
{
	const char *value = settings_find(name);
	uint64_t n;

	return value != NULL && text_parse_u64(value, UINT64_MAX - 1, &n) == 0
	    ? n : otherwise;
}

double
settings_share(const char *name, double otherwise)
{
	const char *value = settings_find(name);
	uint64_t millionths;

	if (value == NULL || text_parse_share(value, &millionths) < 0)
		return otherwise;
	return (double)millionths / 1e6;
}

uint64_t
settings_time(const char *name, uint64_t otherwise)
{
	const char *value = settings_find(name);
	uint64_t ns;

	return value != NULL && text_parse_duration(value, &ns) == 0 ? ns :
	    otherwise;
}

bool
settings_is_on(const char *name, bool otherwise)
{
	const char *value = settings_find(name);

	return value == NULL ? otherwise : strcmp(value, "on") == 0 ||
	    strcmp(value, "1") == 0;
}

bool
settings_has(const char *name, const char *word)
{
	const char *p = settings_find(name);
	size_t bytes = strlen(word), n;

	if (p == NULL)
		return true;
	for (;; p += n + 1) {
		for (n = 0; p[n] != ',' && p[n] != '\0'; n++)
			;
		if (n == bytes && memcmp(p, word, bytes) == 0)
			return true;
		if (p[n] == '\0')
			return false;
	}
}

/* `6`, `0.25`, as no locale has a say in it; behind it is nothing or a comma. */
static bool
read_decimal(const char *s, double *value)
{
	double n = 0, place = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; (*s >= '0' && *s <= '9') || (*s == '.' && place <= 0); s++) {
		if (*s == '.') {
			place = 1;
		} else if (place > 0) {
			place /= 10;
			n += place * (*s - '0');
		} else {
			n = 10 * n + (*s - '0');
		}
	}
	if (*s != ',' && *s != '\0')
		return false;
	*value = n;
	return true;
}

bool
settings_knob(const char *name, double *value)
{
	const char *p = settings_find("KNOBS");
	size_t bytes = name == NULL ? 0 : strlen(name);

	while (p != NULL && bytes > 0 && *p != '\0') {
		if (strncmp(p, name, bytes) == 0 && p[bytes] == '=')
			return read_decimal(p + bytes + 1, value);
		while (*p != ',' && *p != '\0')
			p++;
		p += *p == ',';
	}
	return false;
}
