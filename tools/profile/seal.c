/*
 * seal.c - what says that a file was changed since it was written
 */
#include "profile/seal.h"

#include <string.h>

#include <zlib.h>

#include "base/base.h"

#define CHUNK (64 * KIB)

static uint64_t
part_bit(uint32_t part)
{
	return UINT64_C(1) << part;
}

static uint32_t
sum_of(const void *bytes, uint64_t n)
{
	return (uint32_t)crc32_z(0, bytes, n);
}

/* --- making --------------------------------------------------------------- */

static struct seal
seal_of(uint32_t part, const void *bytes, uint64_t n, seal_parts changed)
{
	uint32_t sum = sum_of(bytes, n);

	if ((changed & part_bit(part)) != 0)
		sum = ~sum;
	return (struct seal){ .part = part, .sum = sum };
}

size_t
seal_make(const struct segment *image, seal_parts changed,
    uint8_t header[SEGMENT_HEADER_BYTES], struct seal row[SEAL_PARTS])
{
	struct segment *s = (struct segment *)(void *)header;
	size_t rows = 0;

	memset(header, 0, SEGMENT_HEADER_BYTES);
	memcpy(s, image, sizeof(*s));
	for (uint32_t i = 0; i < TABLE_ROOM; i++) {
		const struct segment_table *t = &image->table[i];

		if (t->used != 0)
			row[rows++] = seal_of(i, (const char *)image +
			    t->offset, t->used * t->entry_bytes, changed);
	}
	s->table[TABLE_SEAL] = (struct segment_table){
		.offset = image->head.bytes,
		.capacity = rows + 1,
		.used = rows + 1,
		.entry_bytes = sizeof(*row),
	};
	s->head.bytes += (rows + 1) * sizeof(*row);
	row[rows++] = seal_of(TABLE_ROOM, header, SEGMENT_HEADER_BYTES,
	    changed);
	return rows;
}

/* --- checking ------------------------------------------------------------- */

/* The checksum of @n bytes from @offset on, which are in the file. */
static int
sum_source(const struct image_source *from, uint64_t offset, uint64_t n,
    uint32_t *sum)
{
	uint8_t chunk[CHUNK];
	uLong all = 0;

	while (n > 0) {
		uint64_t part = min_u64(n, sizeof(chunk));
		int r = image_source_read(from, offset, chunk, part);

		if (r < 0)
			return r;
		all = crc32_z(all, chunk, part);
		offset += part;
		n -= part;
	}
	*sum = (uint32_t)all;
	return 0;
}

/* A table is as it was, if it is where its description says. */
static int
check_part(const struct image_source *from, const struct segment *s,
    const struct seal *seal, seal_parts *changed)
{
	uint64_t offset = 0, bytes = s->head.header_bytes;
	uint32_t sum;
	int r;

	if (seal->part < TABLE_ROOM) {
		const struct segment_table *t = &s->table[seal->part];

		offset = t->offset;
		if (offset > s->head.bytes || (t->entry_bytes != 0 && t->used >
		    (s->head.bytes - offset) / t->entry_bytes)) {
			*changed |= part_bit(seal->part);
			return 0;
		}
		bytes = t->used * t->entry_bytes;
	}
	r = sum_source(from, offset, bytes, &sum);
	if (r == 0 && sum != seal->sum)
		*changed |= part_bit(seal->part);
	return r;
}

/* The seal ends the file, and its last row is that of the header. */
static bool
is_whole(const struct segment *s, const struct segment_table *t)
{
	return t->entry_bytes == sizeof(struct seal) && t->used != 0 &&
	    t->used <= SEAL_PARTS && t->used == t->capacity &&
	    t->offset < s->head.bytes && s->head.bytes - t->offset ==
	    t->used * t->entry_bytes;
}

int
seal_check(const struct image_source *from, const struct segment *s,
    seal_parts *changed)
{
	const struct segment_table *t = &s->table[TABLE_SEAL];
	struct seal row[SEAL_PARTS];
	seal_parts sealed = 0;
	int r;

	*changed = 0;
	if (t->entry_bytes == 0 && t->offset == 0 && t->capacity == 0 &&
	    t->used == 0)
		return 0;
	if (!is_whole(s, t)) {
		*changed = part_bit(TABLE_ROOM);
		return 0;
	}
	r = image_source_read(from, t->offset, row, t->used * sizeof(*row));
	for (size_t i = 0; r == 0 && i < t->used; i++) {
		if (row[i].part > TABLE_ROOM) {
			*changed |= part_bit(TABLE_SEAL);
			continue;
		}
		sealed |= part_bit(row[i].part);
		r = check_part(from, s, &row[i], changed);
	}
	if ((sealed & part_bit(TABLE_ROOM)) == 0)
		*changed |= part_bit(TABLE_SEAL);
	for (uint32_t i = 0; i < TABLE_ROOM; i++)
		if (i != TABLE_SEAL && s->table[i].used != 0 &&
		    (sealed & part_bit(i)) == 0)
			*changed |= part_bit(TABLE_SEAL);
	return r;
}
