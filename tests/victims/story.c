/*
 * story.c - three jobs that once ran out of memory, as they were and as they
 * are with heaptide.h
 *
 *	story groups|chunks|pages [all]
 *
 *	groups  10,337 texts of 444 groups, with a cache of what was worked out
 *	chunks  a document of 1,000 pages
 *	pages   a query that is read 20 rows at a time, three times
 *
 * With `all` everything is loaded at once, as it was before.  What is worked out
 * does not depend on that: it is summed up in the order of the items, and
 * printed.  Every byte is really written and read.
 */
#include <heaptide.h>

#include <stdio.h>
#include <stdlib.h>

#define KIB ((size_t)1024)

static uint64_t sum = UINT64_C(14695981039346656037);

static void
add(uint64_t word)
{
	sum = (sum ^ word) * UINT64_C(1099511628211);
	sum ^= sum >> 29;
}

/* What is read of item @i: words that depend on it. */
static uint64_t *
load(uint64_t i, size_t bytes)
{
	uint64_t *text = malloc(bytes);
	size_t words = bytes / sizeof(*text), w;

	if (text == NULL) {
		fprintf(stderr, "item %llu: no memory\n",
		    (unsigned long long)i);
		exit(TIDE_EXIT_NO_MEMORY);
	}
	for (w = 0; w < words; w++)
		text[w] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) + w;
	return text;
}

static void
work(const uint64_t *text, size_t bytes)
{
	size_t w;

	for (w = 0; w < bytes / sizeof(*text); w += 8)
		add(text[w]);
}

static void
print(uint64_t items, uint64_t groups)
{
	printf("items %llu groups %llu sum %016llx\n",
	    (unsigned long long)items, (unsigned long long)groups,
	    (unsigned long long)sum);
}

/* --- 10,337 texts in 444 groups ------------------------------------------- */

#define TEXTS      10337
#define GROUPS     444
#define TEXT_BYTES (48 * KIB)
#define MODEL_BYTES (160 * KIB) /* what the cache keeps of each */

static uint64_t *cache[TEXTS];
static uint64_t cached_from, cached_to, clears;

/* Whoever needs it again works it out again. */
static uint64_t
clear_cache(void *ctx, int level, uint64_t want)
{
	uint64_t freed = 0;

	(void)ctx;
	(void)level;
	(void)want;
	clears++;
	for (; cached_from < cached_to; cached_from++) {
		free(cache[cached_from]);
		cache[cached_from] = NULL;
		freed += MODEL_BYTES;
	}
	return freed;
}

static void
embed(uint64_t i, const uint64_t *text)
{
	work(text, TEXT_BYTES);
	cache[i] = load(i ^ 0x5555, MODEL_BYTES);
	add(cache[i][MODEL_BYTES / sizeof(**cache) - 1]);
	cached_to = i + 1;
}

static int
groups_at_once(void)
{
	static uint64_t *text[TEXTS];
	uint64_t i;

	for (i = 0; i < TEXTS; i++)
		text[i] = load(i, TEXT_BYTES);
	for (i = 0; i < TEXTS; i++)
		embed(i, text[i]);
	print(TEXTS, GROUPS);
	return 0;
}

/* The first 125 groups have 24 texts, the others 23. */
static uint64_t
group_size(uint64_t group)
{
	return TEXTS / GROUPS + (group < TEXTS % GROUPS);
}

/* One batch; how many were done. */
static uint32_t
embed_batch(tide_batch *b)
{
	uint64_t *text[64];
	uint32_t n = b->n < 64 ? b->n : 64, i;

	for (i = 0; i < n && tide_batch_more(b); i++)
		text[i] = load(b->first + i, TEXT_BYTES);
	n = i;
	for (i = 0; i < n; i++)
		embed(b->first + i, text[i]);
	for (i = 0; i < n; i++)
		free(text[i]);
	return n;
}

static int
groups(void)
{
	tide_op *op = tide_op_open("embedding_generation", NULL);
	tide_batch b = TIDE_BATCH_INIT;
	uint64_t at = 0, group, end;
	int r = 0;

	if (tide_on_pressure(clear_cache, NULL, TIDE_CLEAN_BENIGN, 0,
	    TIDE_ANY_THREAD, "model cache") < 0)
		return 1;
	for (group = 0; group < GROUPS; group++) {
		end = at + group_size(group);
		while (at < end && (r = tide_batch_begin(op, &b, at, end - at,
		    -1)) > 0) {
			uint32_t done = embed_batch(&b);

			(void)tide_batch_end(&b, done);
			at += done;
		}
		if (at < end)
			break;
	}
	print(at, group);
	printf("clears %llu\n", (unsigned long long)clears);
	return at == TEXTS ? 0 : TIDE_EXIT_NO_MEMORY;
}

/* --- 1,000 pages ---------------------------------------------------------- */

#define PAGES      1000
#define PAGE_BYTES (1536 * KIB)

static int
chunks_at_once(void)
{
	static uint64_t *page[PAGES];
	uint64_t i;

	for (i = 0; i < PAGES; i++)
		page[i] = load(i, PAGE_BYTES);
	for (i = 0; i < PAGES; i++)
		work(page[i], PAGE_BYTES);
	print(PAGES, 1);
	return 0;
}

static int
chunks(void)
{
	tide_range it = tide_chunks_begin(PAGES, 50);
	uint64_t *page[50], first, done = 0, n = 0;
	uint32_t count, i;

	while (tide_range_next(&it, &first, &count)) {
		for (i = 0; i < count; i++)
			page[i] = load(first + i, PAGE_BYTES);
		for (i = 0; i < count; i++)
			work(page[i], PAGE_BYTES);
		for (i = 0; i < count; i++)
			free(page[i]);
		done += count;
		n++;
	}
	print(done, n);
	return done == PAGES ? 0 : 1;
}

/* --- a query -------------------------------------------------------------- */

#define ROWS      60
#define ROW_BYTES (500 * KIB)

static void
read_rows(uint64_t offset, uint32_t limit)
{
	uint64_t *row[ROWS];
	uint32_t i;

	for (i = 0; i < limit; i++)
		row[i] = load(offset + i, ROW_BYTES);
	for (i = 0; i < limit; i++)
		work(row[i], ROW_BYTES);
	for (i = 0; i < limit; i++)
		free(row[i]);
}

static int
pages(void)
{
	tide_op *op = tide_op_open("messages", NULL);
	uint64_t offset = 0, n = 0;
	uint32_t limit = 0;

	while (tide_page(op, &offset, &limit)) {
		read_rows(offset, limit);
		n++;
	}
	print(offset, n);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int all = argc > 2 && strcmp(argv[2], "all") == 0;

	if (strcmp(what, "groups") == 0)
		return all ? groups_at_once() : groups();
	if (strcmp(what, "chunks") == 0)
		return all ? chunks_at_once() : chunks();
	if (strcmp(what, "pages") == 0 && all) {
		read_rows(0, ROWS);
		print(ROWS, 1);
		return 0;
	}
	if (strcmp(what, "pages") == 0)
		return pages();
	fprintf(stderr, "usage: story groups|chunks|pages [all]\n");
	return 2;
}
