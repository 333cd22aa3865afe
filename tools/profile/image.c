/*
 * image.c - a private copy of a segment, with a header that tells the truth
 */
#include "profile/image.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/room.h"
#include "profile/seal.h"

/* More than the library ever makes: a file that claims more is damaged. */
#define IMAGE_MOST (1 * GIB)
#define ROW_ALIGN  UINT64_C(64)

/*
 * The tables in the order in which they are copied.  A row may name rows of
 * tables that stand below it only, so that in a live profile, which grows
 * while we read, what a row names is always copied after the row.  But for the
 * ages of sites: copied before the counts, they are younger rather than twice
 * there, and who reads them takes a row that is missing for none.
 */
static const struct {
	enum segment_table_id id;
	uint32_t entry_bytes;
	const char *name;
} tables[] = {
	{ TABLE_TALLIES, sizeof(struct tally), "threads" },
	{ TABLE_MAPPINGS, sizeof(struct mapping), "mappings" },
	{ TABLE_FINDINGS, sizeof(struct finding), "findings" },
	{ TABLE_SECONDS, sizeof(struct point), "seconds" },
	{ TABLE_MINUTES, sizeof(struct point), "minutes" },
	{ TABLE_MARKS, sizeof(struct mark), "marks" },
	{ TABLE_MOMENTS, sizeof(struct moment), "moments" },
	{ TABLE_TRENDS, sizeof(struct trend), "figures at marks" },
	{ TABLE_PASTS, sizeof(struct past), "earlier figures at marks" },
	{ TABLE_AGES, sizeof(struct ages), "ages" },
	{ TABLE_FIRST_PASSED, sizeof(struct passed),
	    "what the first thread's counts have passed on" },
	{ TABLE_COUNTS_PASSED, sizeof(struct passed),
	    "what threads' counts have passed on" },
	{ TABLE_TIMED, sizeof(struct timed), "watched blocks" },
	{ TABLE_LIVES, sizeof(struct life), "lives of blocks" },
	{ TABLE_REACH, sizeof(struct reach), "who holds what" },
	{ TABLE_FIRST, sizeof(struct count), "the first thread's counts" },
	{ TABLE_COUNTS, sizeof(struct count), "threads' counts" },
	{ TABLE_ESTIMATES, sizeof(struct estimate), "estimates" },
	{ TABLE_SITES, sizeof(struct site), "sites" },
	{ TABLE_NODES, sizeof(struct node), "stacks" },
	{ TABLE_POOLS, sizeof(struct pool), "pools" },
	{ TABLE_BUDGET, sizeof(struct tide_room), "the budget" },
	{ TABLE_MODULES, sizeof(struct module), "modules" },
	{ TABLE_NAMES, sizeof(struct named), "names" },
	{ TABLE_TEXT, 1, "texts" },
};

/* What was made before there was such a table has none. */
static bool
is_absent(const struct segment_table *t, enum segment_table_id id)
{
	return id >= TABLE_SECONDS && t->entry_bytes == 0 && t->offset == 0 &&
	    t->capacity == 0;
}

const char *
image_part_name(uint32_t part)
{
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
		if (tables[i].id == part)
			return tables[i].name;
	return part == TABLE_SEAL ? "checksums" : "header";
}

/* --- sentences ------------------------------------------------------------ */

int
refuse(char why[WHY_ROOM], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_ROOM, format, args);
	va_end(args);
	return error;
}

/* --- bytes ---------------------------------------------------------------- */

/* --- the header ----------------------------------------------------------- */

static int
check_head(const struct image_source *from, const struct segment_head *h,
    char why[WHY_ROOM])
{
	if (memcmp(h->magic, SEGMENT_MAGIC, sizeof(h->magic)) != 0)
		return refuse(why, -EINVAL, "'%s' is not a heaptide profile",
		    from->name);
	if (h->byte_order != SEGMENT_BYTE_ORDER)
		return refuse(why, -EINVAL, "'%s' comes from a machine of the "
		    "other byte order, or is damaged", from->name);
	if (h->layout != SEGMENT_LAYOUT)
		return refuse(why, -EINVAL, "'%s' has profile layout %u, and "
		    "this heaptide reads layout %u", from->name, h->layout,
		    SEGMENT_LAYOUT);
	if (h->ready != 1)
		return refuse(why, -EINVAL, "'%s' was never completed: the "
		    "program ended while heaptide started in it", from->name);
	if (h->header_bytes < sizeof(struct segment) ||
	    h->header_bytes > h->bytes)
		return refuse(why, -EINVAL, "'%s' is damaged: its header "
		    "contradicts itself", from->name);
	if (h->bytes > from->size)
		return refuse(why, -EINVAL, "'%s' is cut off: %llu of %llu "
		    "bytes are there", from->name,
		    (unsigned long long)from->size,
		    (unsigned long long)h->bytes);
	return 0;
}

static int
check_table(const struct image_source *from, const struct segment *s, size_t i,
    char why[WHY_ROOM])
{
	const struct segment_table *t = &s->table[tables[i].id];
	uint64_t room = s->head.bytes;

	if (is_absent(t, tables[i].id))
		return 0;
	if (t->entry_bytes != tables[i].entry_bytes)
		return refuse(why, -EINVAL, "'%s' is damaged: rows of %s have "
		    "%u bytes, not %u", from->name, tables[i].name,
		    t->entry_bytes, tables[i].entry_bytes);
	if (t->offset < s->head.header_bytes || t->offset > room ||
	    t->offset % sizeof(uint64_t) != 0 ||
	    t->capacity > (room - t->offset) / t->entry_bytes)
		return refuse(why, -EINVAL, "'%s' is damaged: its table of %s "
		    "reaches outside of the file", from->name, tables[i].name);
	return 0;
}

static bool
tables_overlap(const struct segment_table *a, const struct segment_table *b)
{
	return a->offset < b->offset + b->capacity * b->entry_bytes &&
	    b->offset < a->offset + a->capacity * a->entry_bytes;
}

static int
check_tables(const struct image_source *from, const struct segment *s,
    char why[WHY_ROOM])
{
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
		int r = check_table(from, s, i, why);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
		for (size_t k = 0; k < i; k++)
			if (tables_overlap(&s->table[tables[i].id],
			    &s->table[tables[k].id]))
				return refuse(why, -EINVAL, "'%s' is damaged: "
				    "its tables of %s and %s overlap",
				    from->name, tables[k].name,
				    tables[i].name);
	return 0;
}

static int
read_header(const struct image_source *from, struct segment *s,
    char why[WHY_ROOM])
{
	int r;

	if (from->size == 0)
		return refuse(why, -EINVAL, "'%s' is empty, no profile",
		    from->name);
	memset(s, 0, sizeof(*s));
	r = image_source_read(from, 0, s, min_u64(sizeof(*s), from->size));
	if (r < 0)
		return refuse(why, r, "'%s' cannot be read: %s", from->name,
		    strerror(-r));
	if (from->size < sizeof(*s) &&
	    memcmp(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic)) == 0)
		return refuse(why, -EINVAL, "'%s' is cut off: %llu bytes are "
		    "too few for a profile", from->name,
		    (unsigned long long)from->size);
	r = check_head(from, &s->head, why);
	return r < 0 ? r : check_tables(from, s, why);
}

/* --- the copy ------------------------------------------------------------- */

/* How many rows of a table are used by now. */
static int
read_used(const struct image_source *from, const struct segment *s,
    enum segment_table_id id, uint64_t *used)
{
	uint64_t now;
	int r;

	r = image_source_read(from, offsetof(struct segment, table) +
	    id * sizeof(struct segment_table) +
	    offsetof(struct segment_table, used), &now, sizeof(now));
	if (r < 0)
		return r;
	*used = min_u64(now, s->table[id].capacity);
	return 0;
}

/* Append the used rows of table @i to @image, and say where they are. */
static int
copy_table(const struct image_source *from, const struct segment *s, size_t i,
    char **image, uint64_t *bytes, struct segment_table *t)
{
	uint64_t used = 0, room;
	char *grown;
	int r;

	r = read_used(from, s, tables[i].id, &used);
	if (r < 0)
		return r;
	room = round_up(used * tables[i].entry_bytes, ROW_ALIGN);
	if (*bytes + room > IMAGE_MOST)
		return -EFBIG;
	grown = realloc(*image, *bytes + room);
	if (grown == NULL)
		return -ENOMEM;
	*image = grown;
	memset(grown + *bytes, 0, room);
	r = image_source_read(from, s->table[tables[i].id].offset,
	    grown + *bytes, used * tables[i].entry_bytes);
	if (r < 0)
		return r;
	*t = (struct segment_table){
		.offset = *bytes,
		.capacity = used,
		.used = used,
		.entry_bytes = tables[i].entry_bytes,
	};
	*bytes += room;
	return 0;
}

/* Make the private copy.  @image is to be freed on failure, too. */
static int
copy_segment(const struct image_source *from, const struct segment *s,
    char **image, uint64_t *bytes)
{
	struct segment_table table[TABLE_ROOM] = { 0 };
	struct segment *copy;
	int r;

	*bytes = SEGMENT_HEADER_BYTES;
	*image = calloc(1, *bytes);
	if (*image == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
		r = copy_table(from, s, i, image, bytes,
		    &table[tables[i].id]);
		if (r < 0)
			return r;
	}
	/* The header once more: its sums shall not be older than the rows. */
	copy = (struct segment *)(void *)*image;
	r = image_source_read(from, 0, copy, sizeof(*copy));
	if (r < 0)
		return r;
	copy->head = s->head;
	memcpy(copy->table, table, sizeof(table));
	copy->head.bytes = *bytes;
	copy->head.header_bytes = SEGMENT_HEADER_BYTES;
	copy->head.compact = 1;
	return 0;
}

int
image_read(const struct image_source *from, struct image *image,
    char why[WHY_ROOM])
{
	uint64_t bytes = 0, changed = 0;
	struct segment header;
	char *copy = NULL;
	int r;

	r = read_header(from, &header, why);
	if (r < 0)
		return r;
	r = copy_segment(from, &header, &copy, &bytes);
	if (r == 0)
		r = seal_check(from, &header, &changed);
	if (r == 0) {
		*image = (struct image){
			.segment = (struct segment *)(void *)copy,
			.bytes = bytes,
			.copied = header.head.compact != 0,
			.changed = changed,
		};
		return 0;
	}
	free(copy);
	switch (r) {
	case -EFBIG:
		return refuse(why, -EINVAL, "'%s' is damaged: its tables claim "
		    "more than any profile has", from->name);
	case -EINVAL:
		return refuse(why, r, "'%s' was cut off while it was read",
		    from->name);
	}
	return refuse(why, r, "'%s' cannot be read: %s", from->name,
	    strerror(-r));
}
