/*
 * text-format.c - sizes, durations, rates and counts, for people
 */
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"

static const struct size_style {
	char name[4];
	unsigned decimals; /* at most; fewer where four digits are full */
} size_styles[] = {
	{ "B", 0 },
	{ "KiB", 1 },
	{ "MiB", 1 },
	{ "GiB", 2 },
	{ "TiB", 2 },
	{ "PiB", 2 },
	{ "EiB", 2 },
};

static struct {
	const struct size_style *style; /* NULL: whichever fits */
	unsigned power;                 /* of 1024 */
} text_unit;

/* @n / @unit in units of 10^-@decimals, rounded half up; nothing overflows. */
static uint64_t
quotient(uint64_t n, uint64_t unit, unsigned decimals)
{
	uint64_t q = n / unit, rest = n % unit;

	while (decimals-- > 0) {
		q = q * 10 + rest * 10 / unit; /* rest < 2^60 */
		rest = rest * 10 % unit;
	}
	return q + (rest * 2 >= unit);
}

static void
put_decimal(struct text *t, uint64_t n, unsigned decimals)
{
	uint64_t one = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;

	text_put_u64(t, n / one);
	if (decimals > 0)
		text_put(t, ".");
	if (decimals == 2)
		text_put_u64(t, n / 10 % 10);
	if (decimals > 0)
		text_put_u64(t, n % 10);
}

/*
 * The first unit, and in it the most decimals, in which the rounded number
 * has at most four digits and stays below 1024 of its unit.
 */
/* Whole bytes and KiB, then a place more each. */
static char *
format_fixed(char buffer[TEXT_BYTES_ROOM], uint64_t bytes)
{
	unsigned decimals = text_unit.power < 2 ? 0 : text_unit.power - 1;
	struct text t;

	text_open(&t, buffer, TEXT_BYTES_ROOM);
	put_decimal(&t, quotient(bytes, (uint64_t)1 << (10 * text_unit.power),
	    decimals), decimals);
	text_put(&t, " ");
	text_put(&t, text_unit.style->name);
	return buffer;
}

int
text_set_unit(const char *unit)
{
	static const char *const names[] = { "B", "KB", "MB", "GB" };
	unsigned i;

	if (strcmp(unit, "auto") == 0) {
		text_unit.style = NULL;
		return 0;
	}
	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (strcmp(unit, names[i]) == 0) {
			text_unit.style = &size_styles[i];
			text_unit.power = i;
			return 0;
		}
	return -EINVAL;
}

char *
text_format_bytes(char buffer[TEXT_BYTES_ROOM], uint64_t bytes)
{
	static const unsigned most[] = { 1023, 9999, 9999 };
	const struct size_style *style = size_styles;
	unsigned decimals = style->decimals;
	uint64_t unit = 1, n;
	struct text t;

	if (text_unit.style != NULL)
		return format_fixed(buffer, bytes);
	while ((n = quotient(bytes, unit, decimals)) > most[decimals]) {
		if (decimals > 0) {
			decimals--;
			continue;
		}
		decimals = (++style)->decimals;
		unit *= 1024;
	}
	text_open(&t, buffer, TEXT_BYTES_ROOM);
	put_decimal(&t, n, decimals);
	text_put(&t, " ");
	text_put(&t, style->name);
	return buffer;
}

/* Below @under: so many of @unit, and of @part what remains. */
static const struct duration_style {
	uint64_t under;
	uint64_t unit;
	const char *name;
	uint64_t part;
	const char *part_name; /* NULL: @part is a decimal place, 0 none */
} duration_styles[] = {
	{ 1000, 1, " ns", 0, NULL },
	{ NS_PER_MS, 1000, " us", 0, NULL },
	{ NS_PER_S, NS_PER_MS, " ms", 0, NULL },
	{ NS_PER_MINUTE, NS_PER_S, " s", NS_PER_S / 10, NULL },
	{ NS_PER_HOUR, NS_PER_MINUTE, " min ", NS_PER_S, " s" },
	{ 2 * NS_PER_DAY, NS_PER_HOUR, " h ", NS_PER_MINUTE, " min" },
	{ UINT64_MAX, NS_PER_DAY, " d ", NS_PER_HOUR, " h" },
};

/* Rounded down throughout: 59.99 s is not yet a minute. */
char *
text_format_duration(char buffer[TEXT_DURATION_ROOM], uint64_t ns)
{
	const struct duration_style *style = duration_styles;
	struct text t;
	uint64_t part;

	text_open(&t, buffer, TEXT_DURATION_ROOM);
	if (ns == 0) {
		text_put(&t, "0 s");
		return buffer;
	}
	while (ns >= style->under && style->under != UINT64_MAX)
		style++;
	text_put_u64(&t, ns / style->unit);
	part = style->part == 0 ? 0 : ns % style->unit / style->part;
	if (style->part != 0 && style->part_name == NULL) {
		text_put(&t, ".");
		text_put_u64(&t, part);
	}
	text_put(&t, style->name);
	if (style->part_name != NULL) {
		text_put_u64(&t, part);
		text_put(&t, style->part_name);
	}
	return buffer;
}

char *
text_format_rate(char buffer[TEXT_RATE_ROOM], double rate)
{
	char bytes[TEXT_BYTES_ROOM];
	double size = rate < 0 ? -rate : rate;
	bool slow = size < 1024;
	struct text t;

	if (slow)
		size *= 3600;
	text_open(&t, buffer, TEXT_RATE_ROOM);
	text_put(&t, rate < 0 ? "-" : "+");
	text_put(&t, text_format_bytes(bytes, whole_u64(size)));
	text_put(&t, slow ? "/h" : "/s");
	return buffer;
}

char *
text_format_count(char buffer[TEXT_COUNT_ROOM], uint64_t n)
{
	char digits[24];
	struct text t, plain;
	size_t i;

	text_open(&plain, digits, sizeof(digits));
	text_put_u64(&plain, n);
	text_open(&t, buffer, TEXT_COUNT_ROOM);
	for (i = 0; i < plain.used; i++) {
		text_put_bytes(&t, &digits[i], 1);
		if ((plain.used - i) % 3 == 1 && i + 1 < plain.used)
			text_put(&t, " ");
	}
	return buffer;
}
