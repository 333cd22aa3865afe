#include "door/lint.h"

#include <errno.h>
#include <link.h>

#include "door/real.h"
#include "door/where.h"
#include "heap/finding.h"
#include "heap/generation.h"
#include "heap/life.h"
#include "mem/segment.h"
#include "sys/arch.h"
#include "sys/sys.h"

/* --- noting --------------------------------------------------------------- */

static bool
find(uint64_t address, struct dl_find_object *found)
{
	return _dl_find_object((void *)(uintptr_t)address, found) == 0;
}

/*
 * Where a function was called to return to @pc that is none of ours, an address
 * in it: it ended in a jump to free(), as operator delete does that is linked
 * into a module, and left no frame.  0: it was ours, or cannot be told.
 */
static uint64_t
jumped_from(uint64_t pc)
{
	struct dl_find_object own, found;
	uint64_t called = arch_called(pc);
	uint64_t linked;

	if (called == 0 || !find((uintptr_t)site_kind, &own) ||
	    !find(called, &found) ||
	    !sys_is_readable((const void *)(uintptr_t)called) ||
	    !sys_is_readable((const void *)(uintptr_t)(called + 31)))
		return 0;
	linked = arch_linked(called);
	if (linked != 0)
		called = linked;
	if (!find(called, &found) || found.dlfo_map_start == own.dlfo_map_start)
		return 0;
	return called + 1;
}

static void
note(struct finding *f, enum finding_kind kind, uint64_t pc)
{
	int error = errno;

	f->kind = kind;
	f->freed_pc = pc;
	if (!finding_again(f)) {
		f->freed = where_from(pc, jumped_from(pc));
		finding_note(f);
	}
	errno = error;
}

/* --- by another function than it takes ------------------------------------ */

/* By how it is made and how it is freed, each KIND_NEW or that and _ARRAY. */
static const uint8_t mismatch[4][4] = {
	[0] = {
		[KIND_NEW] = FINDING_MALLOC_DELETE,
		[KIND_NEW | KIND_ARRAY] = FINDING_MALLOC_DELETE_ARRAY,
	},
	[KIND_NEW] = {
		[0] = FINDING_NEW_FREE,
		[KIND_NEW | KIND_ARRAY] = FINDING_NEW_DELETE_ARRAY,
	},
	[KIND_NEW | KIND_ARRAY] = {
		[0] = FINDING_NEW_ARRAY_FREE,
		[KIND_NEW] = FINDING_NEW_ARRAY_DELETE,
	},
};

static enum finding_kind
compare(uint32_t made, uint32_t freed)
{
	enum finding_kind found = mismatch[made & 3][freed & 3];

	if (found != FINDING_NONE || (made & KIND_NEW) == 0 ||
	    ((made ^ freed) & KIND_ALIGNED) == 0)
		return found;
	return made & KIND_ALIGNED ? FINDING_ALIGNED_NEW_DELETE :
	    FINDING_NEW_ALIGNED_DELETE;
}

/*
 * C++ asks malloc() for one byte where it was asked for none, and for a whole
 * number of alignments.  Of an allocator that rounds as it likes only what is
 * more than it gave is wrong for certain.
 */
static bool
is_other_size(uint64_t asked, uint64_t given, uint64_t alignment,
    size_t usable)
{
	if (!real.chunks)
		return given > usable;
	given = max_u64(given, 1);
	if (alignment > 1)
		return given > asked || asked - given >= alignment;
	return given != asked;
}

/* A site that is a path, of this process, and whose kind is known. */
static bool
is_known(const struct record *record)
{
	return record->site > SITE_FULL && !life_is_drawn(record->rate) &&
	    generation_is_own(record->generation) &&
	    (site_kind[record->site] & KIND_ANY) == 0;
}

static COLD void
judge(size_t usable, const struct record *record, uint32_t how, uint64_t pc)
{
	struct finding f = {
		.allocated = record->site,
		.bytes = usable,
		.asked = usable - record->slack,
		.given = self.freed.size,
	};
	enum finding_kind kind;

	if (!is_known(record))
		return;
	kind = compare(site_kind[record->site], how);
	if (kind == FINDING_NONE && (how & KIND_SIZED) != 0 &&
	    is_other_size(f.asked, f.given, self.freed.alignment, usable))
		kind = FINDING_SIZE;
	if (kind != FINDING_NONE)
		note(&f, kind, pc);
}

/* All of a C++ program's blocks come by here, and nearly all are right. */
void
lint_freed(const void *block, size_t usable, const struct record *record,
    uint64_t pc)
{
	uint32_t how = self.freed.block == block ? self.freed.kind : 0;
	bool fits = site_kind[record->site] == (how & ~(uint32_t)KIND_SIZED);

	self.freed.kind = 0;
	if (LIKELY(fits) && ((how & KIND_SIZED) == 0 ||
	    LIKELY(self.freed.size == usable - record->slack)))
		return;
	judge(usable, record, how, pc);
}

COLD void
lint_realloc(const void *block, size_t usable, size_t size,
    const struct record *record, uint64_t pc)
{
	struct finding f = { .bytes = usable };

	if (record == NULL) {
		lint_unknown(block, usable, pc);
		return;
	}
	if (!is_known(record))
		return;
	f.allocated = record->site;
	if (site_kind[record->site] != 0)
		note(&f, FINDING_NEW_REALLOC, pc);
	else if (size == 0)
		note(&f, FINDING_REALLOC_ZERO, pc);
}

/* --- what is no block ----------------------------------------------------- */

/*
 * Does some module allocate past us?  Then a block that we have not seen may
 * lie where one was that we have.
 */
static bool
is_bypassed(void)
{
	const struct segment *s = segment_mine();
	size_t i;

	for (i = 0; i < SEGMENT_BYPASSES; i++)
		if (s->bypass[i].why != BYPASS_NONE &&
		    s->bypass[i].why != BYPASS_FREES)
			return true;
	return false;
}

/*
 * So many blocks came that we have not seen, and nothing explains: of an
 * allocator's own function, say.  Counted no further than to VAIN_MOST.
 */
static _Atomic uint32_t unseen;

/* glibc keeps those larger than this where their neighbours know of it. */
#define FAST_MOST 128

/* glibc marks what it keeps for the thread; else the next block may tell. */
static bool
is_surely_free(const void *block, size_t usable)
{
	const uint64_t *next = (const void *)((const char *)block + usable);

	if (!real.chunks || usable < 2 * sizeof(uint64_t))
		return false;
	if (real.cached != 0 &&
	    ((const uint64_t *)block)[1] == real.cached)
		return true;
	return usable > FAST_MOST && usable < GIB && sys_is_readable(next) &&
	    (*next & 1) == 0;
}

/* The block is free already, and this is where what was in it came from. */
static bool
is_free(const void *block, size_t usable, struct finding *f)
{
	struct record last;

	if (!ledger_last(block, usable, &last) ||
	    !generation_is_own(last.generation))
		return false;
	if (!is_surely_free(block, usable) && (unseen != 0 || is_bypassed()))
		return false;
	/* Of more sites than fit what is kept, it may be one or another. */
	if (atomic_load(&segment_mine()->table[TABLE_SITES].used) <=
	    UINT32_C(1) << LEDGER_LAST_BITS && last.site > SITE_FULL)
		f->allocated = last.site;
	return true;
}

/*
 * How far in front of an address its block is looked for, and how often in vain.
 * Where frees of blocks without a record are the rule, as after a time without
 * room for records, the looks would be most of what the program does.
 */
#define INSIDE_MOST  (64 * KIB)
#define VAIN_MOST    1000
#define PAGE_BYTES   4096
#define BLOCK_ALIGN  16

/* Does the block at @at, by what stands in front of it, hold @address? */
static bool
holds(uint64_t at, uint64_t address, struct record *record)
{
	size_t head = real_head((const void *)(uintptr_t)at);
	size_t bytes = real_size(head);

	return !real_is_mapped(head) && bytes < GIB && at + bytes > address &&
	    ledger_look((const void *)(uintptr_t)at, bytes, record);
}

/* It is an address in a block that is in use.  glibc's only. */
static bool
is_interior(uint64_t address, struct finding *f)
{
	uint64_t page = 0;
	struct record record;
	uint64_t at;

	if (!real.chunks)
		return false;
	for (at = round_down(address, BLOCK_ALIGN); address - at < INSIDE_MOST;
	    at -= BLOCK_ALIGN) {
		uint64_t head = at - sizeof(size_t);

		if (round_down(head, PAGE_BYTES) != page &&
		    !sys_is_readable((const void *)(uintptr_t)head))
			return false;
		page = round_down(head, PAGE_BYTES);
		if (!holds(at, address, &record))
			continue;
		if (generation_is_own(record.generation) &&
		    record.site > SITE_FULL)
			f->allocated = record.site;
		return true;
	}
	return false;
}

/* On this thread's stack, or a variable of the program or a library. */
static bool
is_elsewhere(const void *block)
{
	uint64_t address = (uintptr_t)block;
	struct dl_find_object found;

	if (real.chunks && address % BLOCK_ALIGN != 0)
		return true;
	if (address > (uintptr_t)__builtin_frame_address(0) &&
	    address < self.stack.top)
		return true;
	/* The allocator may have been without memory when it was young. */
	return (address < real.allocator_start ||
	    address >= real.allocator_end) &&
	    _dl_find_object((void *)(uintptr_t)block, &found) == 0;
}

COLD void
lint_unknown(const void *block, size_t usable, uint64_t pc)
{
	struct finding f = { .kind = FINDING_NONE };

	self.freed.kind = 0;
	if (is_free(block, usable, &f)) {
		f.bytes = usable;
		note(&f, FINDING_DOUBLE_FREE, pc);
	} else if (unseen < VAIN_MOST && is_interior((uintptr_t)block, &f)) {
		note(&f, FINDING_INTERIOR_FREE, pc);
	} else if (is_elsewhere(block)) {
		note(&f, FINDING_FOREIGN_FREE, pc);
	} else if (unseen < VAIN_MOST) {
		unseen++;
	}
}
