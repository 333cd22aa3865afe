/*
 * advise-write.c - a configuration file, with the reason of each line
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "ops/advise.h"
#include "say/command.h"
#include "say/need.h"
#include "settings/settings.h"

#define LINE_COLUMNS 78

/* A comment of lines that are not too long; words as they are. */
static void
put_comment(FILE *to, const char *text)
{
	size_t column = 1;

	fputc('#', to);
	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (column + 1 + word > LINE_COLUMNS && column > 1) {
			fputs("\n#", to);
			column = 1;
		}
		fprintf(to, " %.*s", (int)word, text);
		column += 1 + word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', to);
}

/* Has one that is more severe set that key? */
static bool
is_taken(const struct advised *a, size_t before, const char *key)
{
	char value[COUNSEL_VALUE_ROOM];

	for (size_t i = 0; i < before; i++) {
		const char *other = counsel_key(a->counsel,
		    &a->counsel->advice[i], value);

		if (other != NULL && strcmp(other, key) == 0)
			return true;
	}
	return false;
}

static void
put_advice(FILE *to, const struct advised *a, size_t i)
{
	const struct advice *advice = &a->counsel->advice[i];
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];
	char value[COUNSEL_VALUE_ROOM], *line;
	const char *key = counsel_key(a->counsel, advice, value);
	const struct setting *s = key != NULL ? setting_find(key) : NULL;

	line = need_text("%s (%s): %s", advice_name(advice->id),
	    advice_severity_name(advice->severity),
	    print_clean(advise_text(a, advice, text)));
	fputc('\n', to);
	put_comment(to, line);
	free(line);
	if (s == NULL || setting_check(s, value) < 0) {
		if (*advise_setting(a, advice, setting) == '\0')
			return;
		line = need_text("no key of this file does that: %s", setting);
		put_comment(to, line);
		free(line);
	} else if (is_taken(a, i, key)) {
		fprintf(to, "#%s = %s\n", key, value);
		put_comment(to, "is set above already");
	} else {
		fprintf(to, "%s = %s\n", key, value);
	}
}

static void
put_all(FILE *to, const struct advised *a, const char *whom)
{
	char *line = need_text("By heaptide recommend, for %s", whom);

	put_comment(to, line);
	for (size_t i = 0; i < a->counsel->count; i++)
		put_advice(to, a, i);
	free(line);
}

int
advise_write(const struct advised *a, const char *path, const char *whom)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");

	if (to == NULL) {
		if (errno == EEXIST)
			print_error("recommend: --write '%s': is there "
			    "already; a file that is not there is accepted",
			    path);
		else
			print_error("recommend: --write '%s': cannot be "
			    "written: %s", path, strerror(errno));
		return errno == EEXIST ? COMMAND_USAGE : COMMAND_FAILED;
	}
	put_all(to, a, whom);
	if (fflush(to) != 0 || ferror(to) || fsync(fd) != 0) {
		print_error("recommend: --write '%s': cannot be written: %s",
		    path, strerror(errno));
		fclose(to);
		unlink(path);
		return COMMAND_FAILED;
	}
	fclose(to);
	return COMMAND_DONE;
}
