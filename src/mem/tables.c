#include "mem/tables.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/room.h"
#include "sys/arch.h"

#define PAGE_BYTES  TABLES_PAGE_BYTES
#define SMALL_BYTES (64 * KIB) /* nothing is won by halving these */
#define FIXED_BYTES MIB        /* nor by taking from these what they had */

/*
 * Rows there is address space for; a process short of it gets fewer.  And how
 * many are backed beforehand where nothing can grow any more: a large program
 * has some 10 000 sites.
 */
static const struct {
	uint32_t entry_bytes;
	uint64_t capacity;
	uint64_t reserve;
} plan[TABLE_ROOM] = {
	[TABLE_TALLIES] = { sizeof(struct tally), 16 * KIB, 1 * KIB },
	[TABLE_SITES] = { sizeof(struct site), SEGMENT_SITES, 16 * KIB },
	[TABLE_FIRST] = { sizeof(struct count), SEGMENT_SITES, 16 * KIB },
	[TABLE_COUNTS] = { sizeof(struct count), SEGMENT_SITES + 64 * KIB,
	    20 * KIB },
	[TABLE_ESTIMATES] = { sizeof(struct estimate), SEGMENT_SITES,
	    16 * KIB },
	[TABLE_NODES] = { sizeof(struct node), 2 * MIB, 64 * KIB },
	[TABLE_MODULES] = { sizeof(struct module), 4 * KIB, 256 },
	[TABLE_MAPPINGS] = { sizeof(struct mapping), 64 * KIB, 4 * KIB },
	[TABLE_TEXT] = { 1, 4 * MIB, 32 * KIB },
	[TABLE_SECONDS] = { sizeof(struct point), SERIES_SECONDS, 600 },
	[TABLE_MINUTES] = { sizeof(struct point), SERIES_MINUTES, 60 },
	[TABLE_MARKS] = { sizeof(struct mark), 32 * KIB, 64 },
	[TABLE_MOMENTS] = { sizeof(struct moment), TREND_COLUMNS,
	    TREND_COLUMNS },
	[TABLE_TRENDS] = { sizeof(struct trend), SEGMENT_SITES, 16 * KIB },
	[TABLE_AGES] = { sizeof(struct ages), 512 * KIB, 32 * KIB },
	[TABLE_FIRST_PASSED] = { sizeof(struct passed), SEGMENT_SITES, 16 * KIB },
	[TABLE_COUNTS_PASSED] = { sizeof(struct passed), SEGMENT_SITES + 64 * KIB,
	    20 * KIB },
	[TABLE_TIMED] = { sizeof(struct timed), SEGMENT_TIMED, 1 * KIB },
	[TABLE_LIVES] = { sizeof(struct life), 8 * KIB, 512 },
	[TABLE_REACH] = { sizeof(struct reach), SEGMENT_SITES, 1 * KIB },
	[TABLE_FINDINGS] = { sizeof(struct finding), FINDINGS, 64 },
	[TABLE_POOLS] = { sizeof(struct pool), POOL_NAMES, 64 },
	[TABLE_BUDGET] = { sizeof(struct tide_room), 1, 1 },
	[TABLE_PASTS] = { sizeof(struct past), 512 * KIB, 16 * KIB },
	[TABLE_NAMES] = { sizeof(struct named), 64 * KIB, 1 * KIB },
};

bool
tables_is_fixed(enum segment_table_id table)
{
	return plan[table].capacity * plan[table].entry_bytes <= FIXED_BYTES;
}

enum segment_table_id
tables_kin(enum segment_table_id table)
{
	int i;

	for (i = 0; plan[i].entry_bytes == 0 ||
	    plan[i].capacity != plan[table].capacity; i++)
		;
	return i;
}

uint64_t
tables_reserve(enum segment_table_id table)
{
	return plan[table].reserve;
}

uint64_t
tables_rows(enum segment_table_id table, int shift)
{
	uint64_t rows = plan[table].capacity;

	return rows * plan[table].entry_bytes <= SMALL_BYTES ? rows :
	    rows >> shift;
}

static uint64_t
bytes_of(enum segment_table_id table, int shift)
{
	return round_up(tables_rows(table, shift) * plan[table].entry_bytes,
	    PAGE_BYTES);
}

int
tables_shift(uint64_t most, uint64_t *bytes)
{
	int shift;
	int i;

	for (shift = 0; shift <= TABLES_SHIFT_MOST; shift++) {
		*bytes = SEGMENT_HEADER_BYTES;
		for (i = 0; i < TABLE_ROOM; i++)
			*bytes += bytes_of(i, shift);
		if (*bytes <= most)
			return shift;
	}
	return -EFBIG;
}

void
tables_lay_out(struct segment *s, uint64_t bytes, int shift)
{
	uint64_t offset = SEGMENT_HEADER_BYTES;
	int i;

	memcpy(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic));
	s->head.layout = SEGMENT_LAYOUT;
	s->head.byte_order = SEGMENT_BYTE_ORDER;
	s->head.bytes = bytes;
	s->head.header_bytes = SEGMENT_HEADER_BYTES;
	s->head.page_bytes = PAGE_BYTES;
	s->head.machine = ARCH_ELF_MACHINE;
	memcpy(s->head.version, PACKAGE_VERSION, sizeof(PACKAGE_VERSION));
	for (i = 0; i < TABLE_ROOM; i++) {
		if (plan[i].entry_bytes == 0)
			continue; /* there is none of that number */
		s->table[i].offset = offset;
		s->table[i].capacity = tables_rows(i, shift);
		s->table[i].entry_bytes = plan[i].entry_bytes;
		offset += bytes_of(i, shift);
	}
	/* Row 0 means "none" where rows are named. */
	atomic_store(&s->table[TABLE_SITES].used, 1);
	atomic_store(&s->table[TABLE_COUNTS].used, 1);
	atomic_store(&s->table[TABLE_NODES].used, 1);
	atomic_store(&s->table[TABLE_AGES].used, 1);
	atomic_store(&s->table[TABLE_PASTS].used, 1);
}
