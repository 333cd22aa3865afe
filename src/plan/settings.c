#include "plan/settings.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/sources.h"
#include "plan/host.h"

/* What a program may set by itself, and how it is read. */
enum form { FORM_SOURCE, FORM_PART, FORM_NUMBER };

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
	{ "concurrency.max", "CONCURRENCY_MAX", FORM_NUMBER },
};

#define KNOWN      ARRAY_LENGTH(known)
#define VALUE_ROOM 32

static struct {
	char value[KNOWN][VALUE_ROOM]; /* "": not set */
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
		memcpy(taken[row], value, sizeof(value));
	}
	memcpy(settings.value, taken, sizeof(taken));
	return 0;
}

const char *
settings_find(const struct plan_host *host, const char *name)
{
	const char *value;
	size_t i;

	for (i = 0; i < KNOWN; i++)
		if (strcmp(known[i].name, name) == 0 &&
		    settings.value[i][0] != '\0')
			return settings.value[i];
	value = host->setting != NULL ? host->setting(name) : NULL;
	return value != NULL && *value != '\0' ? value : NULL;
}

uint64_t
settings_number(const struct plan_host *host, const char *name,
    uint64_t otherwise)
{
	const char *value = settings_find(host, name);
	uint64_t n;

	return value != NULL && text_parse_u64(value, UINT64_MAX - 1, &n) == 0
	    ? n : otherwise;
}

double
settings_share(const struct plan_host *host, const char *name,
    double otherwise)
{
	const char *value = settings_find(host, name);
	uint64_t millionths;

	if (value == NULL || text_parse_share(value, &millionths) < 0)
		return otherwise;
	return (double)millionths / 1e6;
}

uint64_t
settings_time(const struct plan_host *host, const char *name,
    uint64_t otherwise)
{
	const char *value = settings_find(host, name);
	uint64_t ns;

	return value != NULL && text_parse_duration(value, &ns) == 0 ? ns :
	    otherwise;
}
