/*
 * tables.h - which tables a segment has, and how large they may become
 *
 * Floor 3 (mem), below segment.  May use: base, sys.  Used by: segment.
 * Contexts: anywhere; nothing is allocated and nobody is asked.
 */
#ifndef MEM_TABLES_H
#define MEM_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"

#define TABLES_PAGE_BYTES UINT64_C(4096)

/* How often what takes room may be halved, see tables_shift(). */
#define TABLES_SHIFT_MOST 8

/* Rows of a table where all are halved @shift times; small ones never are. */
uint64_t tables_rows(enum segment_table_id table, int shift);

/* Rows that are backed beforehand where nothing can grow any more. */
uint64_t tables_reserve(enum segment_table_id table);

/*
 * May its capacity never change?  All are that are small, among them rings and
 * hashes, where the place of a row depends on it.
 */
bool tables_is_fixed(enum segment_table_id table);

/* The first of those of its capacity: as they are indexed by the same. */
enum segment_table_id tables_kin(enum segment_table_id table);

/*
 * How often tables are to be halved so that the file keeps below @most; it has
 * @bytes then.  Or -EFBIG.
 */
int tables_shift(uint64_t most, uint64_t *bytes);

/* Fill the head, and where each table is, in a segment of zeros. */
void tables_lay_out(struct segment *s, uint64_t bytes, int shift);

#endif
