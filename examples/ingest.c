/*
 * ingest.c - a batch program like many: reads C headers, indexes what is there
 *
 * usage: ingest LIST
 *
 * LIST names a file a line.  Of each, every word goes into an index, every
 * constant (`#define NAME number`) is a record of its own, and every file it
 * includes is looked at for a guard.  Files just read stay in a cache, as the
 * next one mostly includes the same; the cache has a limit.
 *
 * It is an ordinary program, linked with nothing of heaptide, and it has an
 * ordinary fault: it loses a little memory now and then.  `./bootstrap demo`
 * finds out where.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#define CACHE_BYTES ((size_t)4 << 20)
#define BUCKETS 65536
#define SYSTEM_DIRECTORY "/usr/include"

struct word {
	struct word *next; /* in its bucket */
	unsigned long seen;
	size_t length;
	char text[];
};

struct source {
	TAILQ_ENTRY(source) by_age;
	unsigned users; /* above 0: being read, may not leave the cache */
	size_t bytes;
	char *path;
	char text[];
};

/* A definition as it stands in the file, comments and folding taken out. */
struct record {
	SLIST_ENTRY(record) others;
	long long value;
	char text[]; /* `NAME value` */
};

static struct word *words[BUCKETS];
static unsigned long distinct_words;

static TAILQ_HEAD(sources, source) cache = TAILQ_HEAD_INITIALIZER(cache);
static size_t cache_bytes;
static unsigned long hits, loads, evictions;

static SLIST_HEAD(, record) constants = SLIST_HEAD_INITIALIZER(constants);
static unsigned long accepted, rejected;

static unsigned long files, bytes, unreadable, unguarded;

/* Without memory there is no index, so there is nothing to go on with. */
static void *
need(void *p)
{
	if (p == NULL) {
		perror("ingest");
		exit(EXIT_FAILURE);
	}
	return p;
}

/* --- words ---------------------------------------------------------------- */

static struct word **
words_bucket(const char *text, size_t length)
{
	size_t h = 5381;

	while (length-- > 0)
		h = h * 33 + (unsigned char)*text++;
	return &words[h % BUCKETS];
}

static void
words_count(const char *text, size_t length)
{
	struct word **bucket = words_bucket(text, length), *w;

	for (w = *bucket; w != NULL; w = w->next)
		if (w->length == length && memcmp(w->text, text, length) == 0)
			break;
	if (w == NULL) {
		w = need(calloc(1, sizeof(*w) + length));
		memcpy(w->text, text, length);
		w->length = length;
		w->next = *bucket;
		*bucket = w;
		distinct_words++;
	}
	w->seen++;
}

static void
words_free(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct word *w = words[i], *next; w != NULL; w = next) {
			next = w->next;
			free(w);
		}
}

/* --- the cache of files --------------------------------------------------- */

static void
cache_evict(struct source *s)
{
	TAILQ_REMOVE(&cache, s, by_age);
	cache_bytes -= s->bytes;
	free(s->path);
	free(s);
}

static void
cache_make_room(size_t wanted)
{
	struct source *s = TAILQ_LAST(&cache, sources), *newer;

	for (; s != NULL && cache_bytes + wanted > CACHE_BYTES; s = newer) {
		newer = TAILQ_PREV(s, sources, by_age);
		if (s->users > 0)
			continue;
		cache_evict(s);
		evictions++;
	}
}

static struct source *
source_read(const char *path)
{
	struct source *s = NULL;
	struct stat about;
	FILE *from = fopen(path, "r");

	if (from == NULL)
		return NULL;
	if (fstat(fileno(from), &about) == 0 && S_ISREG(about.st_mode)) {
		cache_make_room((size_t)about.st_size);
		s = need(malloc(sizeof(*s) + (size_t)about.st_size + 1));
		s->bytes = fread(s->text, 1, (size_t)about.st_size, from);
		s->text[s->bytes] = '\0';
		s->path = need(strdup(path));
		s->users = 0;
	}
	fclose(from);
	return s;
}

/* The caller gives it back with users--. */
static struct source *
cache_open(const char *path)
{
	struct source *s;

	TAILQ_FOREACH(s, &cache, by_age)
		if (strcmp(s->path, path) == 0)
			break;
	if (s != NULL) {
		hits++;
		TAILQ_REMOVE(&cache, s, by_age);
	} else {
		s = source_read(path);
		if (s == NULL)
			return NULL;
		loads++;
		cache_bytes += s->bytes;
	}
	TAILQ_INSERT_HEAD(&cache, s, by_age);
	s->users++;
	return s;
}

/* --- records -------------------------------------------------------------- */

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Copy a definition up to the end of its last line, made one line. */
static struct record *
record_read(const char *from)
{
	const char *end = from;
	struct record *r;
	char *to;

	while (*end != '\0' && (*end != '\n' || end[-1] == '\\'))
		end++;
	r = need(malloc(sizeof(*r) + (size_t)(end - from) + 1));
	for (to = r->text; from < end && strncmp(from, "/*", 2) != 0; from++)
		*to++ = *from == '\\' || *from == '\n' ? ' ' : *from;
	*to = '\0';
	return r;
}

static int
record_evaluate(struct record *r)
{
	const char *body = r->text;
	char *end;

	while (is_word(*body))
		body++;
	body += strspn(body, " \t(");
	errno = 0;
	r->value = strtoll(body, &end, 0);
	if (end == body || errno != 0)
		return -EINVAL;
	end += strspn(end, "uUlL) \t");
	return *end == '\0' ? 0 : -EINVAL;
}

static int
record_add(const char *from)
{
	struct record *r = record_read(from);

	if (record_evaluate(r) < 0) {
		rejected++;
		return -EINVAL;
	}
	SLIST_INSERT_HEAD(&constants, r, others);
	accepted++;
	return 0;
}

static void
records_free(void)
{
	struct record *r;

	while ((r = SLIST_FIRST(&constants)) != NULL) {
		SLIST_REMOVE_HEAD(&constants, others);
		free(r);
	}
}

/* --- files ---------------------------------------------------------------- */

/* An included file is looked for in the one place that we know. */
static void
include_check(const char *name)
{
	char path[512];
	struct source *s;

	snprintf(path, sizeof(path), "%s/%.*s", SYSTEM_DIRECTORY,
	    (int)strcspn(name, ">\n"), name);
	s = cache_open(path);
	if (s == NULL)
		return;
	if (strstr(s->text, "#ifndef") == NULL &&
	    strstr(s->text, "#pragma once") == NULL)
		unguarded++;
	s->users--;
}

static const char *
directive(const char *line, const char *name)
{
	line += strspn(line, " \t");
	if (*line++ != '#')
		return NULL;
	line += strspn(line, " \t");
	if (strncmp(line, name, strlen(name)) != 0)
		return NULL;
	line += strlen(name);
	return line + strspn(line, " \t");
}

static void
line_index(const char *line, const char *end)
{
	const char *at;

	at = directive(line, "define");
	if (at != NULL)
		(void)record_add(at);
	at = directive(line, "include");
	if (at != NULL && *at == '<')
		include_check(at + 1);

	while (line < end) {
		const char *start = line;

		while (line < end && is_word(*line))
			line++;
		if (line > start)
			words_count(start, (size_t)(line - start));
		else
			line++;
	}
}

static void
file_index(const char *path)
{
	struct source *s = cache_open(path);

	if (s == NULL) {
		unreadable++;
		return;
	}
	files++;
	bytes += s->bytes;
	for (const char *line = s->text, *end; *line != '\0'; line = end) {
		end = line + strcspn(line, "\n");
		line_index(line, end);
		end += *end == '\n';
	}
	s->users--;
}

int
main(int argc, char **argv)
{
	FILE *list = argc == 2 ? fopen(argv[1], "r") : NULL;
	char *path = NULL;
	size_t room = 0;
	ssize_t length;

	if (list == NULL) {
		fputs("usage: ingest LIST, a file that can be read\n", stderr);
		return 2;
	}
	while ((length = getline(&path, &room, list)) > 0) {
		path[length - 1] = '\0';
		file_index(path);
	}
	free(path);
	fclose(list);

	printf("files      %lu, %lu bytes, %lu unreadable\n", files, bytes,
	    unreadable);
	printf("words      %lu\n", distinct_words);
	printf("constants  %lu, %lu rejected: no number\n", accepted, rejected);
	printf("includes   %lu of files without a guard\n", unguarded);
	printf("cache      %lu hits, %lu loads, %lu evictions\n", hits, loads,
	    evictions);

	while (!TAILQ_EMPTY(&cache))
		cache_evict(TAILQ_FIRST(&cache));
	records_free();
	words_free();
	return 0;
}
