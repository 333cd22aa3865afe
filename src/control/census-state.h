/*
 * census-state.h - what the files of the census have in common
 *
 * Floor 7 (control).  May use: base, model, sys.  Used by: census*.c.
 */
#ifndef CONTROL_CENSUS_STATE_H
#define CONTROL_CENSUS_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"
#include "model/reconcile.h"
#include "sys/proc.h"

/* Where a thread stands is a claim of one byte: RANGE_STACK, or RANGE_UNKNOWN
 * if the thread has ended and the place may be something else by now. */
struct claim {
	uint64_t start;
	uint64_t end;
	enum range_class class;
};

/* A range, classified as far as its own line tells. */
struct range {
	uint64_t start;
	uint64_t end;
	uint64_t resident;
	enum range_class class;
	bool is_open;       /* to claims: private and anonymous */
	bool is_accessible; /* else address space only: a guard, a reserve */
	bool behind_guard;
	bool behind_program; /* directly behind data pages of the executable */
	bool behind_module;  /* ... or of any file */
};

struct census {
	const struct segment *segment;
	uint64_t resident[RANGE_CLASSES];

	void *scratch;
	size_t scratch_bytes;
	struct claim *claim;   /* sorted by start */
	size_t claims, claims_room;
	struct claim *footing; /* sorted by start */
	size_t footings, footings_room;
	size_t next_claim, next_footing; /* first that may still matter */

	int pagemap;           /* descriptor, or a negative errno value */
	uint64_t page_bytes;
	bool libc_allocates;
	char own_file[24];     /* "/<pid>." */

	struct range held;     /* waits for the range behind it */
	bool holds;
	uint64_t program;      /* mark of the executable's path; 0: not met */
	uint64_t data_end;     /* end of the last data pages of a file */
	bool data_is_program;
	uint64_t guard_end;    /* end of the last range without access */
};

static inline const void *
census_rows(const struct segment *s, enum segment_table_id id)
{
	return (const char *)s + s->table[id].offset;
}

static inline size_t
census_count(const struct segment *s, enum segment_table_id id)
{
	const struct segment_table *t = &s->table[id];

	return min_u64(atomic_load_explicit(&t->used, memory_order_acquire),
	    t->capacity);
}

/* --- census-claims.c ------------------------------------------------------ */

/*
 * Everything that is known about addresses, sorted.  @is_self: it is the
 * process that counts.  0, or a negative errno value; census_drop() then too.
 */
int census_collect(struct census *c, bool is_self);
void census_drop(struct census *c);

/* --- census-kind.c -------------------------------------------------------- */

/* The next line of smaps: what it tells by itself, and by those before it. */
struct range census_classify(struct census *c, const struct proc_vma *vma);

#endif
