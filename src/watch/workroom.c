#include "watch/workroom.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "sys/sys.h"

#define SPACE_MOST  (256 * GIB)
#define SPACE_LEAST (64 * MIB)
#define ALIGNMENT   64
#define HUGE_BYTES  (2 * MIB)
#define HUGE_LEAST  (4 * MIB)

int
workroom_open(struct workroom *w, uint64_t most)
{
	uint64_t bytes;
	void *p;

	for (bytes = SPACE_MOST; bytes >= SPACE_LEAST; bytes /= 2) {
		p = sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (sys_error_of(p) < 0)
			continue;
		*w = (struct workroom){ .start = (uintptr_t)p,
			.end = (uintptr_t)p + bytes, .at = (uintptr_t)p,
			.most = most };
		return 0;
	}
	return -ENOMEM;
}

void *
workroom_take_sparse(struct workroom *w, size_t bytes)
{
	uint64_t at = w->at;

	bytes = round_up(bytes, ALIGNMENT);
	if (bytes > w->end - at)
		return NULL;
	w->at = at + bytes;
	return (void *)(uintptr_t)at;
}

void *
workroom_take(struct workroom *w, size_t bytes)
{
	void *p;

	if (bytes > above_u64(w->most, w->taken))
		return NULL;
	w->taken += bytes;
	if (bytes < HUGE_LEAST)
		return workroom_take_sparse(w, bytes);
	/* What is looked up all over the place wants few entries of the TLB. */
	w->at = min_u64(w->end, round_up(w->at, HUGE_BYTES));
	p = workroom_take_sparse(w, round_up(bytes, HUGE_BYTES));
	if (p != NULL)
		(void)sys_madvise(p, round_up(bytes, HUGE_BYTES),
		    MADV_HUGEPAGE);
	return p;
}
