/*
 * page.c - the page's frame: found, and filled with a profile
 */
#include "report/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/place.h"

#ifndef HEAPTIDE_DATADIR
#define HEAPTIDE_DATADIR "/usr/local/share/heaptide"
#endif

#define TEMPLATE_MOST (16 << 20)

/* Both are in it once; see web/README.md. */
#define PLACE_OF_DATA "@HEAPTIDE_DATA@"
#define ALONE         "connect-src 'none'"
#define SERVED        "connect-src 'self'"

/* --- the template --------------------------------------------------------- */

static FILE *
try_open(char *path)
{
	FILE *f = fopen(path, "re");

	free(path);
	return f;
}

/* Of the build that this executable is in, or of the prefix that it is in. */
static FILE *
open_beside(void)
{
	static const char *const beside[] = {
		"web/page.html", "../web/page.html",
		"../share/heaptide/page.html",
	};
	char self[PLACE_ROOM];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *f = NULL;

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	strrchr(self, '/')[1] = '\0';
	for (size_t i = 0; f == NULL && i < ARRAY_LENGTH(beside); i++)
		f = try_open(need_text("%s%s", self, beside[i]));
	return f;
}

static bool
is_whole(const char *text)
{
	const char *data = strstr(text, PLACE_OF_DATA);

	return data != NULL && strstr(text, ALONE) != NULL &&
	    strstr(text, ALONE) < data;
}

static char *
read_template(FILE *f)
{
	char *text = need(malloc(TEMPLATE_MOST + 1));
	size_t n = fread(text, 1, TEMPLATE_MOST, f);

	text[n] = '\0';
	if (ferror(f) == 0 && is_whole(text))
		return need(realloc(text, n + 1));
	free(text);
	return NULL;
}

char *
page_template(char why[512])
{
	const char *given = getenv("HEAPTIDE_PAGE");
	char *text = NULL;
	FILE *f;

	if (given != NULL && *given != '\0') {
		f = fopen(given, "re");
	} else {
		f = open_beside();
		if (f == NULL)
			f = fopen(HEAPTIDE_DATADIR "/page.html", "re");
		given = HEAPTIDE_DATADIR "/page.html";
	}
	if (f == NULL) {
		snprintf(why, 512, "the page's frame is missing (%s): this "
		    "heaptide was built without node and npm; build it with "
		    "them, or set HEAPTIDE_PAGE to a page.html", given);
		return NULL;
	}
	text = read_template(f);
	fclose(f);
	if (text == NULL)
		snprintf(why, 512, "the page's frame has no place for data, "
		    "so it is not of this heaptide: %s", given);
	return text;
}

/* --- filling it ----------------------------------------------------------- */

/* A '<' is in texts only; written so, none of them can end the script. */
static int
put_safely(const char *buffer, size_t size, void *to)
{
	const char *at = buffer, *end = buffer + size;

	while (at < end) {
		const char *next = memchr(at, '<', (size_t)(end - at));
		size_t n = (size_t)((next != NULL ? next : end) - at);

		if (fwrite(at, 1, n, to) != n)
			return -1;
		at += n;
		if (next != NULL) {
			if (fputs("\\u003c", to) == EOF)
				return -1;
			at++;
		}
	}
	return 0;
}

int
page_write(FILE *to, const char *template, const json_t *data, bool served)
{
	const char *policy = strstr(template, ALONE);
	const char *place = strstr(template, PLACE_OF_DATA);

	errno = 0;
	fwrite(template, 1, (size_t)(policy - template), to);
	fputs(served ? SERVED : ALONE, to);
	policy += strlen(ALONE);
	fwrite(policy, 1, (size_t)(place - policy), to);
	if (json_dump_callback(data, put_safely, to, JSON_COMPACT |
	    JSON_REAL_PRECISION(15)) != 0 && errno == 0)
		errno = EIO;
	fputs(place + strlen(PLACE_OF_DATA), to);
	if (fflush(to) == 0 && ferror(to) == 0)
		return 0;
	return errno != 0 ? -errno : -EIO;
}

/* --- a file --------------------------------------------------------------- */

/* Beside @path, and renamed when it is whole: a page is never cut off. */
static int
write_file(const char *path, const char *template, const json_t *data)
{
	char *temp = need_text("%s.XXXXXX", path);
	mode_t mask = umask(0);
	int r, fd;
	FILE *f;

	umask(mask);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		free(temp);
		return r;
	}
	f = need(fdopen(fd, "w"));
	r = page_write(f, template, data, false);
	if (r == 0 && fchmod(fd, 0666 & ~mask) < 0)
		r = -errno;
	if (fclose(f) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temp);
	free(temp);
	return r;
}

/* What is no plain file is written to as it stands: /dev/stdout, a pipe. */
static int
write_through(const char *path, const char *template, const json_t *data)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	int r;

	if (f == NULL)
		return -errno;
	r = page_write(f, template, data, false);
	if (f != stdout && fclose(f) != 0 && r == 0)
		r = -errno;
	return r;
}

static bool
is_special(const char *path)
{
	struct stat st;

	return strcmp(path, "-") == 0 ||
	    (lstat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

int
page_print(const struct report *r, const char *path)
{
	char why[512];
	char *template = page_template(why);
	json_t *data;
	int error;

	if (template == NULL) {
		print_error("report: --html: %s", why);
		return COMMAND_FAILED;
	}
	data = page_json(r);
	error = is_special(path) ? write_through(path, template, data) :
	    write_file(path, template, data);
	json_decref(data);
	free(template);
	if (error == 0)
		return COMMAND_DONE;
	print_error("report: --html: cannot write '%s': %s", path,
	    strerror(-error));
	return COMMAND_FAILED;
}
