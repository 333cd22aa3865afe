/*
 * progress.c - chunks, pages, and what a program is told of how it goes
 *
 *	progress WHAT
 *
 * Prints what came of it, a line each; with nothing else on standard output.
 */
#include <heaptide.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KIB 1024

/* What is kept of each chunk. */
static void *volatile kept[4096];
static size_t keeps;

static void
work(uint64_t first, uint32_t count, size_t bytes, size_t keep)
{
	void *p[512];
	uint32_t i;

	(void)first;
	for (i = 0; i < count && i < 512; i++) {
		p[i] = malloc(bytes);
		if (p[i] != NULL)
			memset(p[i], 1, bytes);
	}
	for (i = 0; i < count && i < 512; i++)
		free(p[i]);
	if (keep != 0 && keeps < 4096 && (kept[keeps] = malloc(keep)) != NULL)
		memset(kept[keeps++], 1, keep);
}

static uint64_t
walk(uint64_t total, uint32_t chunk, size_t bytes, size_t keep, int shown)
{
	tide_range it = tide_chunks_begin(total, chunk);
	uint64_t first, seen = 0;
	uint32_t count;

	while (tide_range_next(&it, &first, &count)) {
		if (shown)
			printf("chunk %llu %u\n", (unsigned long long)first,
			    count);
		work(first, count, bytes, keep);
		seen += count;
	}
	return seen;
}

/* --- what is asked for ---------------------------------------------------- */

static int
chunks(void)
{
	printf("items %llu\n", (unsigned long long)walk(1010, 50, 4 * KIB, 0,
	    1));
	printf("sized %llu\n", (unsigned long long)walk(300, 0, 4 * KIB, 0,
	    0));
	return 0;
}

/* A table of @rows; what of it a page has. */
static uint32_t
query(uint64_t rows, uint64_t offset, uint32_t limit)
{
	uint64_t left = offset < rows ? rows - offset : 0;

	work(offset, limit, 4 * KIB, 0);
	return left < limit ? (uint32_t)left : limit;
}

static void
read_pages(tide_op *op, uint64_t rows, const char *name)
{
	uint64_t offset = 0;
	uint32_t limit = 0;

	printf("%s", name);
	while (tide_page(op, &offset, &limit)) {
		printf(" %llu+%u", (unsigned long long)offset, limit);
		limit = query(rows, offset, limit);
	}
	printf(" end %llu %u\n", (unsigned long long)offset, limit);
}

static int
pages(void)
{
	tide_op *op = tide_op_open("query", NULL);
	tide_op_conf conf;
	uint64_t offset = 0;
	uint32_t limit = 0;

	read_pages(op, 1000, "full");
	read_pages(op, 35, "short");
	read_pages(op, 0, "empty");
	read_pages(op, 60, "exact");
	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.page = 7;
	conf.max_pages = 2;
	read_pages(tide_op_open("own", &conf), 1000, "own");
	/* Left after the first page; the next walk begins anew. */
	if (tide_page(op, &offset, &limit))
		tide_page_end(op);
	read_pages(op, 30, "again");
	/* Given up in the middle, by another offset. */
	offset = limit = 0;
	(void)tide_page(op, &offset, &limit);
	(void)tide_page(op, &offset, &limit);
	read_pages(op, 30, "anew");
	tide_page_end(op);
	return 0;
}

static int
say(void *ctx)
{
	printf("wrapped %s\n", (const char *)ctx);
	return 42;
}

static int
tell(void *ctx, const struct tide_advice *a)
{
	int *told = ctx;

	++*told;
	printf("advice %s %d %s|%s\n", a->id, a->severity, a->text,
	    a->setting);
	return *told == 100;
}

static void
print_trend(const struct tide_trend *t)
{
	printf("trend %d points %llu rate %.0f low %.0f high %.0f p %.4f %s\n",
	    t->direction, (unsigned long long)t->points, t->per_batch, t->low,
	    t->high, t->p, t->left_ns == TIDE_NONE ? "never" : "meets");
}

static int
figures(size_t keep)
{
	struct tide_trend trend;
	struct tide_progress p;
	struct tide_run_report r;
	struct tide_stats s;
	int told = 0, n;

	printf("early %d\n", tide_trend(&trend));
	(void)walk(2000, 50, 16 * KIB, keep, 0);
	printf("trend is %d\n", tide_trend(&trend));
	print_trend(&trend);
	(void)tide_progress(NULL, &p);
	printf("progress %llu/%llu %s batches %llu/%llu share %.2f left %llu\n",
	    (unsigned long long)p.done, (unsigned long long)p.total, p.unit,
	    (unsigned long long)p.batches,
	    (unsigned long long)p.batches_total, p.share,
	    (unsigned long long)p.left_ns);
	(void)tide_run_report(&r);
	printf("report ops %u batches %llu items %llu p50 %llu p99 %llu most "
	    "%llu item %.0f\n", r.ops, (unsigned long long)r.batches,
	    (unsigned long long)r.items, (unsigned long long)r.batch_p50,
	    (unsigned long long)r.batch_p99, (unsigned long long)r.batch_most,
	    r.bytes_per_item);
	printf("stats %d\n", tide_stats(&s) == 0 && s.ops == r.ops &&
	    s.batch_peak_mean == r.batch_mean &&
	    s.batch_peak_p50 == r.batch_p50 &&
	    s.batch_peak_p95 == r.batch_p95 &&
	    s.batch_peak_p99 == r.batch_p99 && s.peak >= r.peak_used &&
	    s.utilization <= 1);
	n = tide_analyze(tell, &told);
	printf("advices %d %s\n", n < 0 ? n : n == told, told > 0 ? "told" :
	    "none");
	tide_log(TIDE_LOG_INFO, "log %d of %s", 7, "info");
	tide_log(TIDE_LOG_DEBUG, "log of debug");
	tide_log(TIDE_LOG_ERROR, "log of error");
	printf("wrap %d\n", tide_wrap("wrapped", say, (void *)"it"));
	printf("knob %.1f %.1f\n", tide_knob("samples", 10, 6),
	    tide_knob("other", 10, 6));
	return 0;
}

/* Of items that are asked for one by one. */
static int
items(void)
{
	tide_op_conf conf;
	tide_batch b = TIDE_BATCH_INIT;
	uint64_t at = 0;
	tide_op *op;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.fixed = 2;
	op = tide_op_open("reading", &conf);
	while (at < 5 && tide_batch_begin(op, &b, at, 5 - at, -1) > 0) {
		uint32_t i;

		for (i = 0; i < b.n && tide_batch_more(&b); i++)
			work(at + i, 1, 64 * KIB, 0);
		(void)tide_batch_end(&b, i);
		at += i;
	}
	printf("done %llu\n", (unsigned long long)at);
	return 0;
}

/* A cleanup that frees what it has, asked for at once and by chunks. */
static uint64_t
give(void *ctx, int level, uint64_t want)
{
	void **held = (void **)ctx;

	(void)level;
	(void)want;
	free(*held);
	*held = NULL;
	return 0;
}

static int
cleans(void)
{
	static void *held;
	tide_reclaim_result r;

	held = malloc(1024 * KIB);
	if (held == NULL)
		return 1;
	memset(held, 1, 1024 * KIB);
	(void)tide_on_pressure(give, &held, TIDE_CLEAN_BENIGN, 0, 0, "held");
	(void)tide_reclaim(0, 0, &r);
	printf("called %u freed %d\n", r.callbacks, held == NULL);
	return 0;
}

/* Half of 16 MiB is held in chunks of 4 KiB that nobody misses. */
static int
holds(void)
{
	static void *held;

	held = malloc(8192 * KIB);
	if (held == NULL)
		return 1;
	memset(held, 1, 8192 * KIB);
	(void)tide_on_pressure(give, &held, TIDE_CLEAN_BENIGN, 0, 0, "held");
	(void)walk(500, 50, 4 * KIB, 0, 0);
	printf("held %d\n", held != NULL);
	return 0;
}

/*
 * As if it had begun eleven minutes ago: what is known of an operation lies in
 * the room, which this program has mapped.
 */
static int
aged(int keeps_checkpoints)
{
	struct tide_op_stats *row = (struct tide_op_stats *)(uintptr_t)
	    tide_room_()->op;

	if (keeps_checkpoints && tide_run_begin("aged", 500, NULL, NULL) != 0)
		return 1;
	(void)walk(500, 50, 4 * KIB, 0, 0);
	if (keeps_checkpoints && (tide_checkpoint(500, NULL, 0) != 0 ||
	    tide_run_finish(1) != 0))
		return 1;
	row->started_ns -= UINT64_C(660) * 1000000000;
	return 0;
}

/*
 * Batches of @n times 256 KiB, each for a while: 40 MiB malloc gives back at
 * once, 30 it keeps.
 */
static int
holding(uint32_t n)
{
	struct timespec nap = { 0, 20000000 };
	tide_op_conf conf;
	tide_range r;
	uint64_t first;
	uint32_t count;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.fixed = n;
	tide_range_begin(&r, tide_op_open("holding", &conf), 3200);
	while (tide_range_next(&r, &first, &count)) {
		char *p = (char *)malloc(count * 256 * (size_t)KIB);

		if (p == NULL)
			return 1;
		memset(p, 1, count * 256 * (size_t)KIB);
		(void)nanosleep(&nap, NULL);
		printf("%d", p[count]);
		free(p);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "chunks") == 0)
		return chunks();
	if (strcmp(what, "pages") == 0)
		return pages();
	if (strcmp(what, "figures") == 0)
		return figures(0);
	if (strcmp(what, "leaking") == 0)
		return figures(32 * KIB);
	if (strcmp(what, "items") == 0)
		return items();
	if (strcmp(what, "cleans") == 0)
		return cleans();
	if (strcmp(what, "holds") == 0)
		return holds();
	if (strcmp(what, "aged") == 0)
		return aged(argc > 2);
	if (strcmp(what, "holding") == 0)
		return holding(argc > 2 ? (uint32_t)atoi(argv[2]) : 160);
	fprintf(stderr, "usage: progress chunks|pages|figures|leaking|items|cleans|holds|"
	    "aged|holding\n");
	return 2;
}
