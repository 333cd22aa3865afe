/*
 * fuzz-text.c - sizes, shares, durations, counts and the options that hold them
 *
 * The input is a command line, an argument a line.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>

#include "base/base.h"
#include "base/text.h"
#include "say/option.h"

struct all {
	bool flag;
	const char *text;
	struct option_list list;
	int choice;
	uint64_t count, bytes, share, duration;
	struct option_amount amount;
};

#define MOST 1000
#define AT(member) offsetof(struct all, member)

static const char *const choices[] = { "none", "sampled", "all", NULL };

static const struct option_row rows[] = {
	{ .name = "flag", .letter = 'f', .kind = OPTION_FLAG, .at = AT(flag) },
	{ .name = "text", .letter = 't', .kind = OPTION_TEXT, .word = "TEXT",
	  .at = AT(text) },
	{ .name = "list", .letter = 'l', .kind = OPTION_LIST, .word = "WORD",
	  .at = AT(list) },
	{ .name = "choice", .letter = 'c', .kind = OPTION_CHOICE,
	  .choices = choices, .at = AT(choice) },
	{ .name = "count", .letter = 'n', .kind = OPTION_COUNT, .word = "N",
	  .at = AT(count), .least = 1, .most = MOST },
	{ .name = "bytes", .letter = 'b', .kind = OPTION_BYTES, .word = "SIZE",
	  .at = AT(bytes), .least = 1, .most = MOST * MIB },
	{ .name = "share", .letter = 's', .kind = OPTION_SHARE, .word = "PART",
	  .at = AT(share) },
	{ .name = "amount", .letter = 'a', .kind = OPTION_AMOUNT,
	  .word = "AMOUNT", .at = AT(amount) },
	{ .name = "duration", .letter = 'd', .kind = OPTION_DURATION,
	  .word = "TIME", .at = AT(duration) },
	{ .name = NULL }
};

/* Written on success only, and then in range. */
static void
parse(int (*how)(const char *, uint64_t *), const char *s, uint64_t most)
{
	uint64_t n = 0x5eed;
	int r = how(s, &n);

	MUST(r == 0 || r == -EINVAL || r == -ERANGE);
	MUST(r == 0 ? n <= most : n == 0x5eed);
}

static void
format(uint64_t n)
{
	char bytes[TEXT_BYTES_ROOM], duration[TEXT_DURATION_ROOM];
	char count[TEXT_COUNT_ROOM];

	MUST(strlen(text_format_bytes(bytes, n)) < sizeof(bytes));
	MUST(strlen(text_format_duration(duration, n)) < sizeof(duration));
	MUST(strlen(text_format_count(count, n)) < sizeof(count));
}

/* What is written in digits is read back. */
static void
there_and_back(uint64_t n)
{
	char digits[32];
	struct text t;
	uint64_t back;

	text_open(&t, digits, sizeof(digits));
	text_put_u64(&t, n);
	MUST(text_parse_u64(digits, UINT64_MAX, &back) == 0 && back == n);
	MUST(text_parse_bytes(digits, &back) == 0 && back == n);
	MUST(n == 0 || text_parse_u64(digits, n - 1, &back) == -ERANGE);
}

static void
command_line(int argc, char **argv, bool operands_end)
{
	struct all all;
	char why[OPTION_WHY_ROOM];
	int first = -1;
	int r;

	memset(&all, 0, sizeof(all));
	memset(why, 'x', sizeof(why));
	r = option_parse(rows, &all, argc, argv, operands_end, &first, why);
	MUST(r == 0 || r == 1 || r == -EINVAL);
	if (r == -EINVAL)
		MUST(memchr(why, '\0', sizeof(why)) != NULL);
	if (r != 0)
		return;
	MUST(first >= 1 && first <= argc);
	MUST(all.count <= MOST && all.bytes <= MOST * MIB);
	MUST(all.share <= 1000000 && all.list.count <= OPTION_LIST_ROOM);
	MUST((unsigned)all.choice < ARRAY_LENGTH(choices) - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);
	char *argument[128] = { (char *)"fuzz" };
	char *again[128];
	uint64_t n = 0;
	size_t count;

	count = 1 + fuzz_split(text, '\n', argument + 1, 127);
	for (size_t i = 1; i < count; i++) {
		parse(text_parse_bytes, argument[i], UINT64_MAX);
		parse(text_parse_share, argument[i], 1000000);
		parse(text_parse_duration, argument[i], UINT64_MAX);
	}
	memcpy(again, argument, sizeof(again));
	command_line((int)count, argument, false);
	command_line((int)count, again, true);
	memcpy(&n, bytes, size < sizeof(n) ? size : sizeof(n));
	format(n);
	there_and_back(n);
	free(text);
	return 0;
}
