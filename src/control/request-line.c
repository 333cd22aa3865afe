/*
 * request-line.c - a request as it comes: its words; and how one is refused
 */
#include "control/request.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "control/reply.h"

#define INTERVAL_LEAST_NS (10 * NS_PER_MS)

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int
request_parse(struct request *r, const char *line, size_t bytes)
{
	char *at;

	r->words = 0;
	r->until_ns = 0;
	r->ticket = 0;
	if (bytes > REQUEST_LINE_MOST)
		return -E2BIG;
	if (memchr(line, '\0', bytes) != NULL)
		return -EINVAL;
	memcpy(r->text, line, bytes);
	r->text[bytes] = '\0';
	for (at = r->text; ; ) {
		while (is_blank(*at))
			*at++ = '\0';
		if (*at == '\0')
			break;
		if (r->words == REQUEST_WORDS)
			return -E2BIG;
		r->word[r->words++] = at;
		while (*at != '\0' && !is_blank(*at))
			at++;
	}
	if (r->words == 0)
		return -EINVAL;
	for (at = r->text + (r->word[0] - r->text); *at != '\0'; at++)
		*at = text_lower(*at);
	return 0;
}

/* Where @word of @r and @expected part. */
static const char *
parting(const struct request *r, size_t word, const char **expected)
{
	const char *at = word < r->words ? r->word[word] : "";

	while (*at != '\0' && text_lower(*at) == **expected) {
		at++;
		(*expected)++;
	}
	return at;
}

bool
request_is(const struct request *r, size_t word, const char *expected)
{
	const char *at = parting(r, word, &expected);

	return *at == *expected;
}

bool
request_starts(const struct request *r, size_t word, const char *expected)
{
	(void)parting(r, word, &expected);
	return *expected == '\0';
}

uint64_t
request_interval(const struct request *r)
{
	uint64_t ns;

	if (r->words != 2 || strcmp(r->word[0], "watch") != 0 ||
	    text_parse_duration(r->word[1], &ns) < 0 ||
	    ns < INTERVAL_LEAST_NS)
		return 0;
	return ns;
}

void
request_refuse(struct text *t, int error, const char *message)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ EINVAL, "EINVAL" }, { E2BIG, "E2BIG" },
		{ ENOSPC, "ENOSPC" }, { ESRCH, "ESRCH" },
		{ EBUSY, "EBUSY" }, { EOVERFLOW, "EOVERFLOW" },
		{ ENODEV, "ENODEV" }, { ENOENT, "ENOENT" },
	};
	const char *name = "EIO";
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (names[i].error == -error)
			name = names[i].name;
	text_open(t, t->start, t->bytes);
	reply_head(t, false);
	reply_text(t, "error", name);
	reply_text(t, "message", message);
	reply_close(t);
	text_put(t, "\n");
}
