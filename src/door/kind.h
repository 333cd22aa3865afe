/*
 * kind.h - by which of C++'s operators a block is made, and given back
 *
 * Floor 8 (door), below where.  May use: mem, heap, boot, real.
 * Contexts: inside malloc, in signal handlers.
 *
 * The C++ library's operators end in malloc() and free(), mostly by a jump, so
 * these do not see who is asked.  Our operators, which come first, leave a note
 * in the calling thread.
 *
 * That of new says where it returns to.  It is looked at when a site is made,
 * and counts if the path leads there through such operators alone: one call
 * calls one function, so it need not be taken off again, and who is called by a
 * path that is known costs nothing.  That of delete says which block it is
 * about, and goes with its free().
 */
#ifndef DOOR_KIND_H
#define DOOR_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "door/boot.h"
#include "heap/site.h"

/* An operator new of the library that has them. */
struct kind_operator {
	uint64_t start, end;
	uint32_t kind; /* enum kind */
};

#define KIND_OPERATORS 8

/*
 * Those in use are all of the module between @start and @end, and nobody has
 * replaced one: from now on notes are taken.
 */
void kind_set_operators(const struct kind_operator op[KIND_OPERATORS],
    uint64_t start, uint64_t end);

extern bool kind_known INSIDE; /* that was so */

/*
 * An operator new is called, to return to @pc.  The one for arrays may jump to
 * the plain one, through ours.
 */
static inline void
kind_note_new(uint32_t kind, uint64_t pc)
{
	if (self.made.pc == pc && self.made.kind == (kind | KIND_ARRAY))
		return;
	self.made.pc = pc;
	self.made.kind = kind;
}

/*
 * One of delete is called, which may jump to a plainer one.  @size counts with
 * KIND_SIZED: it is what was asked for, up to the next multiple of @alignment.
 */
static inline void
kind_note_delete(const void *block, uint32_t kind, size_t size,
    size_t alignment)
{
	if (block == NULL ||
	    (self.freed.kind != 0 && self.freed.block == block))
		return;
	self.freed.block = block;
	self.freed.size = size;
	self.freed.alignment = alignment;
	self.freed.kind = kind;
}

/* The flags (enum site_flags) of a site that is made now, at leaf @node. */
uint32_t kind_of_site(uint32_t node);

#endif
