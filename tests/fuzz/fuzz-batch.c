/*
 * fuzz-batch.c - what heaptide batch reads: --halt, a joblog, places for items
 */
#include "fuzz.h"

#include <stdbool.h>

#include "base/base.h"
#include "batch/batch-halt.h"
#include "batch/batch-joblog.h"
#include "batch/batch-template.h"

static void
try_halt(const char *text)
{
	struct halt halt = { .limit = 0x5eed }, was = halt;
	struct halt_counts counts = { 10, 4, 20 };

	if (halt_parse(text, &halt) < 0) {
		MUST(memcmp(&halt, &was, sizeof(halt)) == 0);
		return;
	}
	MUST(halt.when == HALT_NEVER || halt.limit > 0);
	MUST(!halt.percent || halt.limit <= 100);
	(void)halt_is_due(&halt, &counts);
	MUST(halt_status(&halt, &counts, true, 255) <= 255);
}

static void
try_joblog(const uint8_t *bytes, size_t size)
{
	struct joblog log;
	char path[64];
	size_t line = 0;
	int fd = memfd_create("joblog", 0);

	MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (joblog_read(&log, path, &line) == 0) {
		for (size_t i = 0; i < log.count; i++) {
			MUST(i == 0 || log.row[i - 1].number <
			    log.row[i].number);
			MUST(joblog_find(&log, log.row[i].number) ==
			    &log.row[i]);
			MUST(log.row[i].command != NULL);
		}
		joblog_free(&log);
	}
	close(fd);
}

/* A word that may be nothing: it asks for a value that need not be there. */
static bool
may_vanish(const char *word)
{
	for (; (word = strchr(word, '{')) != NULL; word++)
		if (word[1] == '-' || (word[1] >= '1' && word[1] <= '9'))
			return true;
	return false;
}

/*
 * However odd, a word stays one argument, or is none where it asks for a value
 * that is not there; a shell's text is the third.
 */
static void
try_template(char *text)
{
	char *word[8], *item[] = { text, (char *)"b.c/d" };
	const struct template_job job = { item, 2, 1, 1 };
	size_t n = fuzz_split(strdup(text), ' ', word, ARRAY_LENGTH(word)), i,
		stay = 0;
	char *first = word[0], *words;
	struct template t;
	char **argv;

	for (i = 0; i < n; i++)
		stay += !may_vanish(word[i]);
	for (int shell = 0; shell < 2; shell++) {
		template_open(&t, word, n, shell);
		argv = template_expand(&t, &job);
		for (i = 0; argv[i] != NULL; i++)
			;
		MUST(t.shell ? i == 3 : i >= stay);
		words = template_text(&t, argv);
		MUST(words != NULL);
		free(words);
		free(argv);
		template_close(&t);
	}
	free(first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);

	try_halt(text);
	try_joblog(bytes, size);
	try_template(text);
	free(text);
	return 0;
}
