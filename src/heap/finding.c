#include "heap/finding.h"

#include "mem/segment.h"
#include "sys/sys.h"

/*
 * Of what goes wrong all the time by the same call, so many are looked at by
 * the whole path; those behind are put down to the first of them.
 */
#define PATHS_MOST 64

static struct finding *
rows(void)
{
	return segment_rows(TABLE_FINDINGS);
}

static uint64_t
used(void)
{
	return min_u64(atomic_load(
	    &segment_mine()->table[TABLE_FINDINGS].used), FINDINGS - 1);
}

static void
count(struct finding *f, const struct finding *what)
{
	atomic_fetch_add(&f->count, 1);
	atomic_fetch_add(&f->bytes, what->bytes);
}

bool
finding_again(const struct finding *what)
{
	struct finding *f = rows();
	uint64_t n;

	for (n = used(); n > 0; n--, f++) {
		if (f->kind != what->kind || f->allocated != what->allocated ||
		    f->freed_pc != what->freed_pc || f->count < PATHS_MOST)
			continue;
		count(f, what);
		return true;
	}
	return false;
}

static struct finding *
find(const struct finding *what)
{
	struct finding *f = rows();
	uint64_t n;

	for (n = used(); n > 0; n--, f++)
		if (f->kind == what->kind && f->allocated == what->allocated &&
		    f->freed == what->freed)
			return f;
	return NULL;
}

/* A row for a new one; the last is for all that come too late. */
static COLD struct finding *
take(void)
{
	uint64_t last = min_u64(segment_capacity(TABLE_FINDINGS),
	    FINDINGS) - 1;
	int64_t row = segment_take(TABLE_FINDINGS, 1);

	if (row >= 0 && (uint64_t)row < last)
		return rows() + row;
	if (segment_room(TABLE_FINDINGS, last + 1) < 0)
		return NULL; /* the disk is full */
	atomic_store(&rows()[last].kind, FINDING_MORE);
	return rows() + last;
}

void
finding_note(const struct finding *what)
{
	struct finding *f = find(what);

	if (f == NULL)
		f = take();
	if (f == NULL)
		return;
	if (f->kind == FINDING_NONE) {
		f->allocated = what->allocated;
		f->freed = what->freed;
		f->first_freed = what->first_freed;
		f->freed_pc = what->freed_pc;
		f->asked = what->asked;
		f->given = what->given;
		f->at_ns = sys_clock();
		atomic_store(&f->kind, what->kind);
	}
	count(f, what);
}
