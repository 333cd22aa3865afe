/*
 * pipeline.c - images become thumbnails, as many at a time as there is room for
 *
 *	pipeline IMAGES [FIRST]
 *
 * Builds with nothing but heaptide.h, and works with and without heaptide
 * around it.  The images are made up; what it prints is the same however large
 * the batches were.  Stopped early it says where to go on, and exits with 75.
 */
#include <heaptide.h>

#include <stdio.h>
#include <stdlib.h>

/* --- the work, which knows nothing of memory budgets ---------------------- */

struct image {
	uint32_t kind;
	size_t bytes;
	unsigned char *pixels;
};

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 29);
}

/* Known before it is loaded, as from a directory or a header. */
static size_t
size_of(uint64_t number)
{
	return (size_t)(mix(number + 1) % 64 + 1) * 4096;
}

static int
load(struct image *image, uint64_t number)
{
	image->kind = (uint32_t)(mix(number + 2) % 32);
	image->bytes = size_of(number);
	image->pixels = malloc(image->bytes);
	if (image->pixels == NULL)
		return -1;
	memset(image->pixels, (int)(number & 0xff), image->bytes);
	return 0;
}

/* --- a cache, which does ----------------------------------------------------
 *
 * A table for each kind of image, the one used last in front.  It holds what
 * its component may hold now, and gives up its tail when memory is short.
 */
#define TABLE_BYTES (256 * 1024)

struct table {
	struct table *next;
	uint32_t kind;
	unsigned char entry[TABLE_BYTES];
};

static struct table *tables;
static int component;

static uint64_t
drop_tables(uint64_t keep)
{
	struct table **end = &tables, *gone;
	uint64_t freed = 0;

	for (; *end != NULL && keep > 0; keep--)
		end = &(*end)->next;
	while ((gone = *end) != NULL) {
		*end = gone->next;
		free(gone);
		freed += sizeof(*gone);
	}
	return freed;
}

/* Memory is short: the more so, the fewer tables stay. */
static uint64_t
spare_tables(void *context, int level, uint64_t want)
{
	(void)context;
	(void)want;
	return drop_tables(level >= TIDE_CRITICAL ? 1 : 4);
}

static struct table *
table_of(uint32_t kind)
{
	struct table **at = &tables, *t;

	while (*at != NULL && (*at)->kind != kind)
		at = &(*at)->next;
	t = *at;
	if (t != NULL) {
		*at = t->next;
	} else {
		/* One table is needed in any case. */
		drop_tables(tide_cache_budget(component) / sizeof(*t));
		t = malloc(sizeof(*t));
		if (t == NULL)
			return NULL;
		t->kind = kind;
		memset(t->entry, (int)kind, sizeof(t->entry));
	}
	t->next = tables;
	return tables = t;
}

/* --- the loop ------------------------------------------------------------- */

#define AT_ONCE 1024

/* Load as many as there is room for, and deal with them; how many, or -1. */
static int
do_batch(tide_batch *b, uint64_t at, uint64_t total, uint64_t *sum)
{
	static struct image image[AT_ONCE];
	const struct table *table;
	int n = 0, failed = 0, i;

	while (!failed && n < AT_ONCE && at + (uint64_t)n < total &&
	    tide_batch_more(b) && tide_item(b, size_of(at + (uint64_t)n))) {
		failed = load(&image[n], at + (uint64_t)n) != 0;
		n++;
	}
	for (i = 0; i < n; i++) {
		tide_component_enter(component);
		table = failed ? NULL : table_of(image[i].kind);
		tide_component_leave(component);
		failed |= table == NULL;
		if (!failed)
			*sum += mix(at + (uint64_t)i) ^
			    image[i].pixels[image[i].bytes - 1] ^
			    table->entry[image[i].bytes % TABLE_BYTES];
		free(image[i].pixels);
	}
	return failed ? -1 : n;
}

int
main(int argc, char **argv)
{
	uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
	uint64_t at = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t sum = 0, before;
	static const char *const depths[] = { "standalone", "page", "runtime" };
	tide_batch b = TIDE_BATCH_INIT;
	tide_op_conf conf;
	tide_op *op;
	int n, failures = 0;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.unit = "image";
	conf.model = TIDE_MODEL_ADDITIVE;
	op = tide_op_open("thumbnails", &conf);
	component = tide_component("tables", 8 * TABLE_BYTES, 0);
	(void)tide_on_pressure(spare_tables, NULL, TIDE_CLEAN_BENIGN, 0, 0,
	    "tables");
	fprintf(stderr, "depth: %s\n", depths[tide_level()]);

	while (failures < 3 &&
	    tide_batch_begin(op, &b, at, total - at, -1) > 0) {
		before = sum;
		n = do_batch(&b, at, total, &sum);
		if (n < 0) { /* no memory: the next is smaller */
			sum = before;
			failures++;
			tide_batch_abort(&b, TIDE_NOMEM);
			continue;
		}
		failures = 0;
		tide_batch_end(&b, (uint64_t)n);
		at += (uint64_t)n;
	}
	drop_tables(0);
	printf("%llu images, sum %016llx\n", (unsigned long long)at,
	    (unsigned long long)sum);
	if (at == total)
		return 0;
	fprintf(stderr, "stopped; go on with: pipeline %llu %llu\n",
	    (unsigned long long)total, (unsigned long long)at);
	return TIDE_EXIT_NO_MEMORY;
}
