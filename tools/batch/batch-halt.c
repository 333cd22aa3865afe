#include "batch/batch-halt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"

#define STATUS_MOST 101
#define FEW 3 /* failures, of which a share says nothing yet */

static int
parse_limit(const char *text, struct halt *halt)
{
	size_t bytes = strlen(text);
	char digits[12];
	uint64_t n;

	halt->percent = bytes > 0 && text[bytes - 1] == '%';
	bytes -= halt->percent;
	if (bytes >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, bytes);
	digits[bytes] = '\0';
	if (text_parse_u64(digits, halt->percent ? 100 : UINT32_MAX, &n) < 0 ||
	    n == 0)
		return -EINVAL;
	halt->limit = (uint32_t)n;
	return 0;
}

static bool
take(const char **text, const char *word)
{
	size_t bytes = strlen(word);

	if (strncmp(*text, word, bytes) != 0)
		return false;
	*text += bytes;
	return true;
}

/* As older versions of parallel had it. */
static int
parse_old(const char *text, struct halt *halt)
{
	static const struct {
		const char *text;
		struct halt halt;
	} olds[] = {
		{ "never", { HALT_NEVER, HALT_FAIL, false, 0 } },
		{ "0", { HALT_NEVER, HALT_FAIL, false, 0 } },
		{ "1", { HALT_SOON, HALT_FAIL, false, 1 } },
		{ "2", { HALT_NOW, HALT_FAIL, false, 1 } },
		{ "-1", { HALT_SOON, HALT_SUCCESS, false, 1 } },
		{ "-2", { HALT_NOW, HALT_SUCCESS, false, 1 } },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(olds); i++) {
		if (strcmp(text, olds[i].text) != 0)
			continue;
		*halt = olds[i].halt;
		return 0;
	}
	*halt = (struct halt){ .when = HALT_SOON, .what = HALT_FAIL };
	return strchr(text, '%') != NULL ? parse_limit(text, halt) : -EINVAL;
}

int
halt_parse(const char *text, struct halt *halt)
{
	struct halt h = { .when = HALT_NEVER };
	int r;

	if (take(&text, "soon,"))
		h.when = HALT_SOON;
	else if (take(&text, "now,"))
		h.when = HALT_NOW;
	if (h.when == HALT_NEVER) {
		r = parse_old(text, &h);
	} else {
		if (take(&text, "success="))
			h.what = HALT_SUCCESS;
		else if (take(&text, "done="))
			h.what = HALT_DONE;
		else if (!take(&text, "fail="))
			return -EINVAL;
		r = parse_limit(text, &h);
	}
	if (r == 0)
		*halt = h;
	return r;
}

static uint64_t
counted(const struct halt *halt, const struct halt_counts *c)
{
	return halt->what == HALT_FAIL ? c->failed :
	    halt->what == HALT_DONE ? c->done : c->done - c->failed;
}

bool
halt_is_due(const struct halt *halt, const struct halt_counts *counts)
{
	uint64_t n = counted(halt, counts);

	if (halt->when == HALT_NEVER || n == 0)
		return false;
	if (!halt->percent)
		return n >= halt->limit;
	if (counts->whole == 0 || (halt->what == HALT_FAIL && n < FEW &&
	    counts->whole > FEW))
		return false;
	return n * 100 >= counts->whole * halt->limit;
}

int
halt_status(const struct halt *halt, const struct halt_counts *counts,
    bool halted, int last)
{
	if (halted && halt->what == HALT_SUCCESS)
		return 0;
	if (halt->when != HALT_NEVER && halt->what == HALT_FAIL &&
	    halt->percent && counts->whole != 0)
		return (int)(counts->failed * 100 / counts->whole);
	if (halted && halt->what == HALT_FAIL && halt->limit == 1)
		return last;
	return (int)min_u64(counts->failed, STATUS_MOST);
}
