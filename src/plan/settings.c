#include "plan/settings.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/sources.h"
#include "model/states.h"
#include "plan/host.h"

/* How a value is read. */
enum form { FORM_SOURCE, FORM_PART, FORM_NUMBER, FORM_TIME, FORM_WORD,
    FORM_CHOICE, FORM_LIST, FORM_KNOBS };

#define ON_OFF "on off 1 0"

static const struct {
	const char *key, *name; /* as the program and the environment have it */
	int form;
	const char *words;      /* FORM_CHOICE, FORM_LIST: with blanks between */
} known[] = {
	{ "budget", "BUDGET", FORM_SOURCE, NULL },
	{ "target", "TARGET", FORM_PART, NULL },
	{ "warn", "WARN", FORM_PART, NULL },
	{ "critical", "CRITICAL", FORM_PART, NULL },
	{ "batch.initial", "BATCH_INITIAL", FORM_NUMBER, NULL },
	{ "batch.min", "BATCH_MIN", FORM_NUMBER, NULL },
	{ "batch.max", "BATCH_MAX", FORM_NUMBER, NULL },
	{ "batch.fixed", "BATCH_FIXED", FORM_NUMBER, NULL },
	{ "batch.timeout", "BATCH_TIMEOUT", FORM_TIME, NULL },
	{ "batch.warm", "BATCH_WARM", FORM_CHOICE, ON_OFF },
	{ "concurrency.max", "CONCURRENCY_MAX", FORM_NUMBER, NULL },
	{ "policy", "POLICY", FORM_CHOICE, "learn seed mean fixed" },
	{ "kill.cost", "KILL_COST", FORM_TIME, NULL },
	{ "checkpoint.every", "CHECKPOINT_EVERY", FORM_NUMBER, NULL },
	{ "checkpoint.seconds", "CHECKPOINT_SECONDS", FORM_NUMBER, NULL },
	{ "checkpoint.sync", "CHECKPOINT_SYNC", FORM_CHOICE,
	  "mark batch none" },
	{ "delay.mode", "DELAY_MODE", FORM_CHOICE, "auto off always" },
	{ "delay.min", "DELAY_MIN", FORM_TIME, NULL },
	{ "delay.max", "DELAY_MAX", FORM_TIME, NULL },
	{ "reclaim.auto", "RECLAIM_AUTO", FORM_CHOICE, ON_OFF },
	{ "reclaim.steps", "RECLAIM", FORM_LIST, "callbacks purge trim" },
	{ "reclaim.threshold", "RECLAIM_THRESHOLD", FORM_PART, NULL },
	{ "reclaim.before", "RECLAIM_BEFORE", FORM_CHOICE, ON_OFF },
	{ "reclaim.after", "RECLAIM_AFTER", FORM_CHOICE, ON_OFF },
	{ "reclaim.between", "RECLAIM_BETWEEN", FORM_CHOICE,
	  "auto always never" },
	{ "poll.every", "POLL_EVERY", FORM_NUMBER, NULL },
	{ "page", "PAGE_SIZE", FORM_NUMBER, NULL },
	{ "max_pages", "MAX_PAGES", FORM_NUMBER, NULL },
	{ "knobs", "KNOBS", FORM_KNOBS, NULL },
	{ "log.debug", "LOG_DEBUG", FORM_CHOICE, ON_OFF },
	{ "pool", "POOL", FORM_WORD, NULL },
	{ "progress", "PROGRESS", FORM_CHOICE, "off lines bar json" },
	{ "progress.unit", "PROGRESS_UNIT", FORM_WORD, NULL },
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

/* One of @words, which have blanks between them: the @bytes at @value. */
static bool
is_one_of(const char *words, const char *value, size_t bytes)
{
	size_t n;

	for (;; words += n + 1) {
		for (n = 0; words[n] != ' ' && words[n] != '\0'; n++)
			;
		if (n == bytes && memcmp(words, value, n) == 0)
			return true;
		if (words[n] == '\0')
			return false;
	}
}

static bool
is_list_of(const char *words, const char *value)
{
	size_t n;

	for (;; value += n + 1) {
		for (n = 0; value[n] != ',' && value[n] != '\0'; n++)
			;
		if (!is_one_of(words, value, n))
			return false;
		if (value[n] == '\0')
			return true;
	}
}

/* As the command accepts them (tools/settings); a budget of nothing is none. */
static bool
is_accepted(size_t row, const char *value)
{
	struct source_wish wish;
	uint64_t n;

	switch (known[row].form) {
	case FORM_SOURCE:
		return source_parse(value, &wish) == 0 &&
		    (wish.value != 0 || wish.form == FORM_LESS);
	case FORM_PART:
		return text_parse_share(value, &n) == 0 && n > 0;
	case FORM_TIME:
		return text_parse_duration(value, &n) == 0;
	case FORM_CHOICE:
		return is_one_of(known[row].words, value, strlen(value));
	case FORM_LIST:
		return is_list_of(known[row].words, value);
	case FORM_NUMBER:
		return text_parse_u64(value, UINT32_MAX, &n) == 0;
	default: /* FORM_WORD, FORM_KNOBS */
		return *value != '\0';
	}
}

/* --- what is in force ----------------------------------------------------- */

/* By @own, the program's settings, or else by what its host was given. */
static const char *
find_in(char own[KNOWN][VALUE_ROOM], const char *name)
{
	size_t i;

	for (i = 0; i < KNOWN; i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		if (own[i][0] != '\0')
			return own[i];
		if (settings.given[i][0] != '\0')
			return settings.given[i];
	}
	return NULL;
}

static uint64_t
number_in(char own[KNOWN][VALUE_ROOM], const char *name, uint64_t otherwise)
{
	const char *value = find_in(own, name);
	uint64_t n;

	return value != NULL && text_parse_u64(value, UINT64_MAX - 1, &n) == 0
	    ? n : otherwise;
}

static double
share_in(char own[KNOWN][VALUE_ROOM], const char *name, double otherwise)
{
	const char *value = find_in(own, name);
	uint64_t millionths;

	if (value == NULL || text_parse_share(value, &millionths) < 0)
		return otherwise;
	return (double)millionths / 1e6;
}

/* As config_check() of the command has it. */
static bool
is_in_order(char own[KNOWN][VALUE_ROOM])
{
	uint64_t most = number_in(own, "BATCH_MAX", 0);

	return share_in(own, "WARN", STATES_WARN_FROM) <
	    share_in(own, "CRITICAL", STATES_CRITICAL_FROM) &&
	    (most == 0 || number_in(own, "BATCH_MIN", 0) <= most);
}

/* --- taking --------------------------------------------------------------- */

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
		return is_accepted(i, value) ? (int)i : -EINVAL;
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
	if (!is_in_order(taken))
		return -EINVAL;
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
		if (value == NULL || !is_accepted(i, value))
			continue;
		text_open(&t, settings.given[i], VALUE_ROOM);
		text_put(&t, value);
		if (t.cut)
			settings.given[i][0] = '\0';
	}
	/* Whoever wrote them is not here to be told: one goes after the other
	 * until those that are left, and the defaults, are in order. */
	for (i = 0; !is_in_order(settings.own) && i < KNOWN; i++)
		if (is_one_of("WARN CRITICAL BATCH_MIN BATCH_MAX",
		    known[i].name, strlen(known[i].name)))
			settings.given[i][0] = '\0';
}

/* --- asking --------------------------------------------------------------- */

const char *
settings_find(const char *name)
{
	return find_in(settings.own, name);
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
	return number_in(settings.own, name, otherwise);
}

double
settings_share(const char *name, double otherwise)
{
	return share_in(settings.own, name, otherwise);
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
