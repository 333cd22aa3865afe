/*
 * roots-pages.c - which pages of memory were ever written
 */
#include "watch/roots.h"

#include "base/base.h"
#include "sys/sys.h"

#define PAGE_BYTES UINT64_C(4096)

/* Bits of an entry of /proc/PID/pagemap. */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61)

static bool
read_pages(const struct roots *r, uint64_t page, size_t n)
{
	return r->pagemap >= 0 && sys_pread(r->pagemap, r->page,
	    n * sizeof(r->page[0]), page * sizeof(r->page[0])) ==
	    (ssize_t)(n * sizeof(r->page[0]));
}

static bool
was_written(uint64_t page)
{
	return (page & (PAGE_PRESENT | PAGE_SWAPPED)) != 0 &&
	    (page & PAGE_OF_FILE) == 0;
}

/*
 * A fork does not copy the tables of pages that are shared, so those in memory
 * are asked for; such memory that is swapped out is not looked at.
 */
static void
shared_written(const struct roots *r, uint64_t start, uint64_t end,
    void (*each)(void *each_context, uint64_t start, uint64_t end),
    void *each_context)
{
	uint8_t *there = (uint8_t *)r->page;
	uint64_t at, stop, i;

	for (at = round_down(start, PAGE_BYTES); at < end; at = stop) {
		stop = min_u64(round_up(end, PAGE_BYTES), at + ROOTS_PAGES *
		    PAGE_BYTES);
		if (sys_resident((const void *)(uintptr_t)at, stop - at,
		    there) < 0)
			return;
		for (i = 0; i < (stop - at) / PAGE_BYTES; i++)
			if (there[i] & 1)
				each(each_context, max_u64(start, at + i *
				    PAGE_BYTES), min_u64(end, at + (i + 1) *
				    PAGE_BYTES));
	}
}

void
roots_written(void *context, uint64_t start, uint64_t end,
    void (*each)(void *each_context, uint64_t start, uint64_t end),
    void *each_context)
{
	const struct roots *r = context;
	uint64_t at, stop, from;
	size_t i, n;

	if (r->shared) {
		shared_written(r, start, end, each, each_context);
		return;
	}
	for (at = start; at < end; at = stop) {
		uint64_t first = at / PAGE_BYTES;

		n = min_u64(ROOTS_PAGES, (end + PAGE_BYTES - 1) / PAGE_BYTES -
		    first);
		stop = min_u64(end, (first + n) * PAGE_BYTES);
		if (!read_pages(r, first, n)) {
			each(each_context, at, stop);
			continue;
		}
		for (i = 0; i < n; i++) {
			if (!was_written(r->page[i]))
				continue;
			from = i;
			while (i < n && was_written(r->page[i]))
				i++;
			each(each_context,
			    max_u64(at, (first + from) * PAGE_BYTES),
			    min_u64(stop, (first + i) * PAGE_BYTES));
		}
	}
}
