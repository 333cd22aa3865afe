/*
 * lint.h - what a program does wrong with its blocks
 *
 * Floor 8 (door), below record.  May use: all floors.
 * Contexts: inside malloc, in signal handlers, under boot_now.records.  errno
 * is left as it was.
 *
 * It is noted (heap/finding.h), and that is all: the allocator is called with
 * what the program gave, and does what it does.
 */
#ifndef DOOR_LINT_H
#define DOOR_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "door/boot.h"
#include "heap/ledger.h"
#include "heap/site.h"

/* Is there more to ask than that malloc() made it and free() was called? */
static HOT bool
lint_may_mind(const struct record *record)
{
	return UNLIKELY((site_kind[record->site] | self.freed.kind) != 0);
}

/* The block of @record is freed by who is at @pc. */
void lint_freed(const void *block, size_t usable, const struct record *record,
    uint64_t pc);

/*
 * It is given to realloc(), for @size.  @record NULL: there is none.  Before
 * the allocator may do anything.
 */
void lint_realloc(const void *block, size_t usable, size_t size,
    const struct record *record, uint64_t pc);

/* A block is freed that has no record. */
void lint_unknown(const void *block, size_t usable, uint64_t pc);

#endif
