/*
 * cache.c - what addresses of one object mean, kept in memory and on disk
 *
 * A file an object, `<build-id>.symbols`, in lines:
 *
 *	heaptide symbols 2
 *	SOURCE
 *	@ADDRESS COUNT                       then so many lines of
 *	INLINED LINE FUNCTION<tab>FILE
 *	end CHECKSUM                         of all bytes before this line
 *
 * Numbers are hexadecimal.  Whatever is not exactly so is thrown away whole.
 */
#include "symbols/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"

#define FIRST_LINE  "heaptide symbols 2\n"
#define SUFFIX      ".symbols"
#define FILE_MOST   (256 * MIB)
#define FRAMES_MOST 256
#define KEPT_DAYS   30 /* that nobody asked for it */

/* A text that many frames share. */
struct word {
	UT_hash_handle hh;
	char text[];
};

struct cache {
	struct cache_answer *answers;
	struct word *words;
	char *file;   /* as read from disk; answers point into it */
	char *source;
	char *path;   /* NULL: in memory only */
	bool stale;
	bool changed;
};

/* --- where ---------------------------------------------------------------- */

/* $XDG_CACHE_HOME/heaptide or ~/.cache/heaptide; NULL: there is no home. */
static char *
find_directory(void)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (cache != NULL && *cache == '/')
		return need_text("%s/heaptide", cache);
	if (home != NULL && *home == '/')
		return need_text("%s/.cache/heaptide", home);
	return NULL;
}

static char *
find_path(const uint8_t *build_id, size_t bytes)
{
	char name[2 * 64 + 1];
	char *directory, *path = NULL;

	if (bytes == 0 || bytes > 64)
		return NULL;
	directory = find_directory();
	if (directory == NULL)
		return NULL;
	for (size_t i = 0; i < bytes; i++)
		snprintf(name + 2 * i, 3, "%02x", build_id[i]);
	if (asprintf(&path, "%s/%s" SUFFIX, directory, name) < 0)
		path = NULL;
	free(directory);
	return path;
}

/* --- reading -------------------------------------------------------------- */

/* FNV-1a: to notice damage, not an enemy; the directory is the user's. */
static uint64_t
checksum(const char *bytes, size_t n)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	while (n-- > 0)
		sum = (sum ^ (uint8_t)*bytes++) * UINT64_C(0x100000001b3);
	return sum;
}

static char *
read_file(const char *path)
{
	struct stat st;
	char *text = NULL;
	size_t got = 0;
	ssize_t n = 1;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > FILE_MOST)
		goto out;
	text = need(malloc((size_t)st.st_size + 1));
	while (got < (size_t)st.st_size && n > 0) {
		n = read(fd, text + got, (size_t)st.st_size - got);
		got += n > 0 ? (size_t)n : 0;
	}
	text[got] = '\0';
	/* So that what is used does not grow old. */
	(void)utimensat(AT_FDCWD, path, NULL, 0);
out:
	close(fd);
	return text;
}

/* Cut the next line off @at; NULL: there is no whole line any more. */
static char *
next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line;
}

/* The last line holds the sum of all before it; it is cut off. */
static bool
check_sum(char *text)
{
	size_t length = strlen(text);
	char *last, *end;
	uint64_t sum;

	if (length < 2 || text[length - 1] != '\n')
		return false;
	last = memrchr(text, '\n', length - 1);
	if (last == NULL || strncmp(last + 1, "end ", 4) != 0)
		return false;
	last++;
	sum = strtoull(last + 4, &end, 16);
	if (*end != '\n' || sum != checksum(text, (size_t)(last - text)))
		return false;
	*last = '\0';
	return true;
}

static bool
parse_frame(char *line, struct cache_frame *frame)
{
	char *at, *file;

	if (line == NULL)
		return false;
	frame->inlined = strtoul(line, &at, 16) != 0;
	if (*at != ' ')
		return false;
	frame->line = (uint32_t)strtoul(at + 1, &at, 16);
	file = strchr(at, '\t');
	if (*at != ' ' || file == NULL)
		return false;
	*file = '\0';
	frame->function = at + 1;
	frame->file = file + 1;
	frame->named = true;
	return true;
}

static struct cache_answer *
make_answer(struct cache *c, uint64_t address, size_t count)
{
	struct cache_answer *a;

	a = need(calloc(1, sizeof(*a) + count * sizeof(a->frame[0])));
	a->address = address;
	a->count = (uint32_t)count;
	HASH_ADD(hh, c->answers, address, sizeof(a->address), a);
	return a;
}

static bool
parse_answer(struct cache *c, char **at)
{
	char *line = next_line(at), *end;
	struct cache_answer *answer;
	uint64_t address, count;

	if (line == NULL || *line != '@')
		return false;
	address = strtoull(line + 1, &end, 16);
	if (*end != ' ')
		return false;
	count = strtoull(end + 1, &end, 16);
	if (*end != '\0' || count == 0 || count > FRAMES_MOST ||
	    cache_find(c, address) != NULL)
		return false;
	answer = make_answer(c, address, count);
	for (size_t i = 0; i < count; i++)
		if (!parse_frame(next_line(at), &answer->frame[i]))
			return false;
	return true;
}

static bool
parse_file(struct cache *c, const char *source)
{
	const size_t first = strlen(FIRST_LINE);
	char *at = c->file, *line;

	if (!check_sum(c->file) || strncmp(at, FIRST_LINE, first) != 0)
		return false;
	at += first;
	line = next_line(&at);
	if (line == NULL)
		return false;
	c->stale = strcmp(line, source) != 0;
	while (*at != '\0')
		if (!parse_answer(c, &at))
			return false;
	return true;
}

struct cache *
cache_open(const uint8_t *build_id, size_t build_id_bytes, const char *source)
{
	struct cache *c = need(calloc(1, sizeof(*c)));

	c->source = print_clean(need(strdup(source)));
	c->path = find_path(build_id, build_id_bytes);
	if (c->path == NULL)
		return c;
	c->file = read_file(c->path);
	if (c->file == NULL || parse_file(c, c->source))
		return c;
	cache_clear(c);
	c->stale = false;
	return c;
}

/* --- writing -------------------------------------------------------------- */

static void
put_answer(FILE *to, const struct cache_answer *a)
{
	fprintf(to, "@%" PRIx64 " %" PRIx32 "\n", a->address, a->count);
	for (uint32_t i = 0; i < a->count; i++)
		fprintf(to, "%d %" PRIx32 " %s\t%s\n", a->frame[i].inlined,
		    a->frame[i].line, a->frame[i].function, a->frame[i].file);
}

/* All that is worth keeping, as one text. */
static char *
format_file(const struct cache *c, size_t *bytes)
{
	const struct cache_answer *a;
	char *text = NULL;
	FILE *to = need(open_memstream(&text, bytes));

	fprintf(to, FIRST_LINE "%s\n", c->source);
	for (a = c->answers; a != NULL; a = a->hh.next)
		if (a->frame[a->count - 1].named)
			put_answer(to, a);
	fflush(to);
	fprintf(to, "end %" PRIx64 "\n", checksum(text, *bytes));
	if (fclose(to) != 0)
		need(NULL);
	return text;
}

static void
make_directories(char *path)
{
	for (char *at = path + 1; *at != '\0'; at++)
		if (*at == '/') {
			*at = '\0';
			(void)mkdir(path, 0700);
			*at = '/';
		}
}

/* Files of builds that nobody asks for any more make room. */
static void
drop_old(const char *path)
{
	time_t before = time(NULL) - (time_t)KEPT_DAYS * 24 * 60 * 60;
	char *directory = need(strdup(path));
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	*strrchr(directory, '/') = '\0';
	dir = opendir(directory);
	free(directory);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, SUFFIX) != NULL &&
		    fstatat(dirfd(dir), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    st.st_mtime < before)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

/* Whole or not at all; what fails costs time at the next look, no more. */
static void
write_file(const struct cache *c)
{
	char *temporary = NULL, *text;
	size_t bytes = 0;
	ssize_t put;
	int fd;

	make_directories(c->path);
	if (asprintf(&temporary, "%s.XXXXXX", c->path) < 0)
		return;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		goto out;
	text = format_file(c, &bytes);
	put = write(fd, text, bytes);
	free(text);
	if (close(fd) != 0 || put != (ssize_t)bytes ||
	    rename(temporary, c->path) != 0)
		(void)unlink(temporary);
	drop_old(c->path);
out:
	free(temporary);
}

void
cache_close(struct cache *cache)
{
	if (cache->changed && cache->path != NULL)
		write_file(cache);
	cache_clear(cache);
	free(cache->source);
	free(cache->path);
	free(cache);
}

/* --- answers -------------------------------------------------------------- */

bool
cache_is_stale(const struct cache *cache)
{
	return cache->stale;
}

void
cache_clear(struct cache *cache)
{
	struct cache_answer *answer, *next_answer;
	struct word *word, *next_word;

	HASH_ITER(hh, cache->answers, answer, next_answer) {
		HASH_DEL(cache->answers, answer);
		free(answer);
	}
	HASH_ITER(hh, cache->words, word, next_word) {
		HASH_DEL(cache->words, word);
		free(word);
	}
	free(cache->file);
	cache->file = NULL;
	cache->stale = false;
}

const struct cache_answer *
cache_find(const struct cache *cache, uint64_t address)
{
	const struct cache_answer *answer;

	HASH_FIND(hh, cache->answers, &address, sizeof(address), answer);
	return answer;
}

/* One copy of @text, cleaned: it cannot hold a tab or a newline any more. */
static const char *
share(struct cache *c, const char *text)
{
	size_t length = strlen(text);
	struct word *fresh = need(malloc(sizeof(*fresh) + length + 1));
	struct word *word;

	memcpy(fresh->text, text, length + 1);
	print_clean(fresh->text);
	HASH_FIND(hh, c->words, fresh->text, length, word);
	if (word != NULL) {
		free(fresh);
		return word->text;
	}
	HASH_ADD_KEYPTR(hh, c->words, fresh->text, length, fresh);
	return fresh->text;
}

const struct cache_answer *
cache_put(struct cache *cache, uint64_t address,
    const struct cache_frame *frames, size_t count)
{
	struct cache_answer *answer = make_answer(cache, address, count);

	for (size_t i = 0; i < count; i++) {
		answer->frame[i] = frames[i];
		answer->frame[i].function = share(cache, frames[i].function);
		answer->frame[i].file = share(cache, frames[i].file);
		cache->changed |= frames[i].named;
	}
	return answer;
}
