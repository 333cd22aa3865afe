/*
 * text.c - sizes, durations and lines of text
 *
 * Numbers with a point are kept as text until they meet their unit, so that
 * nothing passes through floating point: 1.5G is 1610612736, not about it.
 */
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"

void
text_open(struct text *t, char *buffer, size_t bytes)
{
	t->start = buffer;
	t->bytes = bytes;
	t->used = 0;
	t->cut = 0;
	if (bytes > 0)
		buffer[0] = '\0';
}

void
text_put_bytes(struct text *t, const char *s, size_t n)
{
	size_t room = t->bytes > t->used ? t->bytes - t->used - 1 : 0;

	/* After a cut nothing more: the line stays a prefix of the truth. */
	if (t->cut || n == 0)
		return;
	if (n > room) {
		n = room;
		t->cut = 1;
	}
	if (t->bytes == 0)
		return;
	memcpy(t->start + t->used, s, n);
	t->used += n;
	t->start[t->used] = '\0';
}

void
text_put(struct text *t, const char *s)
{
	text_put_bytes(t, s, strlen(s));
}

void
text_field(char *to, size_t room, const char *from)
{
	struct text t;

	memset(to, 0, room);
	text_open(&t, to, room);
	text_put(&t, from);
}

/* Write the digits of @n so that they end at @end; where they start. */
static char *
digits_before(char *end, uint64_t n)
{
	do
		*--end = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return end;
}

static void
put_number(struct text *t, uint64_t n)
{
	char room[20]; /* 2^64 - 1 has twenty digits */
	char *end = room + sizeof(room);
	char *start = digits_before(end, n);

	text_put_bytes(t, start, (size_t)(end - start));
}

void
text_put_u64(struct text *t, uint64_t n)
{
	put_number(t, n);
}

void
text_put_i64(struct text *t, int64_t n)
{
	if (n < 0)
		text_put(t, "-");
	put_number(t, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

const char *
text_value(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && entry[n] == '=' ?
	    entry + n + 1 : NULL;
}

const char *
text_variable(char *const *environment, const char *name)
{
	const char *value = NULL;

	for (; value == NULL && environment != NULL && *environment != NULL;
	    environment++)
		value = text_value(*environment, name);
	return value;
}

/* Those that do not follow from their key; HEAPTIDE_PAGE is a mapped page. */
static const struct setting_name {
	const char *key, *variable;
} setting_names[] = {
	{ "enabled", "HEAPTIDE" },
	{ "page", "HEAPTIDE_PAGE_SIZE" },
	{ "reclaim.steps", "HEAPTIDE_RECLAIM" },
	{ "retry.fallback", "HEAPTIDE_FALLBACK" },
	{ "retry.max", "HEAPTIDE_RETRIES" },
};

char *
text_setting_name(char buffer[TEXT_SETTING_ROOM], const char *key)
{
	struct text t;
	size_t i;
	char c;

	text_open(&t, buffer, TEXT_SETTING_ROOM);
	for (i = 0; i < ARRAY_LENGTH(setting_names); i++) {
		if (strcmp(key, setting_names[i].key) == 0) {
			text_put(&t, setting_names[i].variable);
			return buffer;
		}
	}
	text_put(&t, "HEAPTIDE_");
	for (; *key != '\0'; key++) {
		c = *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') :
		    *key == '.' || *key == '-' ? '_' : *key;
		text_put_bytes(&t, &c, 1);
	}
	return buffer;
}

static bool
text_variable_is(char *const *environment, const char *name, const char *word)
{
	const char *value = text_variable(environment, name);

	return value != NULL && strcmp(value, word) == 0;
}

const char *
text_log(char *const *environment)
{
	const char *value = text_variable(environment, "HEAPTIDE_LOG");

	return value != NULL && *value != '\0' &&
	    !text_variable_is(environment, "HEAPTIDE_LOG", "debug") ? value :
	    NULL;
}

bool
text_log_debugs(char *const *environment)
{
	return text_variable_is(environment, "HEAPTIDE_LOG", "debug") ||
	    text_variable_is(environment, "HEAPTIDE_TRACE", "1") ||
	    text_variable_is(environment, "HEAPTIDE_TRACE", "on");
}

const char *
text_setting(char *const *environment, const char *key)
{
	char name[TEXT_SETTING_ROOM];
	const char *value = text_variable(environment,
	    text_setting_name(name, key));

	return value != NULL && *value != '\0' ? value : NULL;
}

/* isdigit() asks the locale. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A decimal number as written, not yet a multiple of anything. */
struct decimal {
	uint64_t whole;
	const char *fraction; /* its first digit; NULL: there was no point */
	const char *end;      /* the first character behind the number */
};

/* `12` or `1.5`: a digit on either side of the point. */
static int
decimal_parse(const char *s, struct decimal *d)
{
	d->whole = 0;
	d->fraction = NULL;
	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(d->whole, 10, &d->whole) ||
		    __builtin_add_overflow(d->whole, (uint64_t)(*s - '0'),
			&d->whole))
			return -ERANGE;
	if (*s == '.') {
		d->fraction = ++s;
		if (!is_digit(*s))
			return -EINVAL;
		while (is_digit(*s))
			s++;
	}
	d->end = s;
	return 0;
}

/*
 * @d units of @unit, rounded down: what is asked for is never exceeded.  The
 * fraction is worked off from its last digit, one division by ten a digit.
 * Dropping each remainder is exact, for floor((n + x) / 10) is
 * floor((n + floor(x)) / 10) where n is whole.
 */
static int
decimal_times(const struct decimal *d, uint64_t unit, uint64_t *product)
{
	uint64_t whole, part = 0, sum;
	const char *p;

	if (__builtin_mul_overflow(d->whole, unit, &whole))
		return -ERANGE;
	if (d->fraction != NULL)
		for (p = d->end; p-- > d->fraction;)
			part = ((uint64_t)(*p - '0') * unit + part) / 10;
	if (__builtin_add_overflow(whole, part, &sum))
		return -ERANGE;
	*product = sum;
	return 0;
}

static const char size_letters[] = "kmgtpe"; /* each 1024 times the last */

/*
 * What follows a size: nothing, `B`, or a letter, then perhaps `i`, then
 * perhaps `B`, in either case.  0: it is none of these.
 */
static uint64_t
size_unit(const char *s)
{
	const char *letter;
	uint64_t unit = 1;

	letter = *s == '\0' ? NULL : strchr(size_letters, text_lower(*s));
	if (letter != NULL) {
		unit = KIB << (10 * (letter - size_letters));
		s++;
		if (text_lower(*s) == 'i')
			s++;
	}
	if (text_lower(*s) == 'b')
		s++;
	return *s == '\0' ? unit : 0;
}

/*
 * 0.1K is 102 bytes, rounded down like every fraction of a byte; but 1.5 or
 * 1.5B speaks of half a byte where a unit was surely forgotten.
 */
int
text_parse_bytes(const char *s, uint64_t *bytes)
{
	struct decimal d;
	uint64_t unit;
	int r = decimal_parse(s, &d);

	if (r < 0)
		return r;
	unit = size_unit(d.end);
	if (unit == 0 || (unit == 1 && d.fraction != NULL))
		return -EINVAL;
	return decimal_times(&d, unit, bytes);
}

/* Finer than a millionth is rounded down. */
int
text_parse_share(const char *s, uint64_t *millionths)
{
	struct decimal d;
	uint64_t share;
	int r = decimal_parse(s, &d);

	if (r < 0)
		return r;
	if (strcmp(d.end, "%") != 0)
		return -EINVAL;
	r = decimal_times(&d, 10000, &share);
	if (r < 0)
		return r;
	if (share > 1000000)
		return -ERANGE;
	*millionths = share;
	return 0;
}

static const struct duration_unit {
	char name[4];
	uint64_t ns;
} duration_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "m", NS_PER_MINUTE },
	{ "min", NS_PER_MINUTE },
	{ "h", NS_PER_HOUR },
	{ "d", NS_PER_DAY },
};

int
text_parse_duration(const char *s, uint64_t *ns)
{
	struct decimal d;
	size_t i;
	int r = decimal_parse(s, &d);

	if (r < 0)
		return r;
	for (i = 0; i < ARRAY_LENGTH(duration_units); i++)
		if (strcmp(d.end, duration_units[i].name) == 0)
			return decimal_times(&d, duration_units[i].ns, ns);
	return -EINVAL;
}

int
text_parse_times(const char *s, uint64_t unit, uint64_t *product)
{
	struct decimal d;
	int r = decimal_parse(s, &d);

	if (r < 0)
		return r;
	return *d.end == '\0' ? decimal_times(&d, unit, product) : -EINVAL;
}

int
text_parse_u64(const char *s, uint64_t most, uint64_t *n)
{
	struct decimal d;
	int r = decimal_parse(s, &d);

	if (r < 0)
		return r;
	if (d.fraction != NULL || *d.end != '\0')
		return -EINVAL;
	if (d.whole > most)
		return -ERANGE;
	*n = d.whole;
	return 0;
}
