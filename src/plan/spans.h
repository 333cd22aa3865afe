/*
 * spans.h - a set of items, as ranges in their order
 *
 * Floor (plan).  May use: base, sys.  Used by: run-failed, tools, and heaptide.h, of
 * which it is a part.
 * Contexts: as journal.h; no state of its own.  Memory is mapped, and grows
 * with the number of ranges.
 *
 * Invariant: ranges are not empty, rise, and do not overlap.  Each has a stamp:
 * of what put it there.
 */
#ifndef PLAN_SPANS_H
#define PLAN_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	uint64_t first, end; /* [first, end) */
	uint64_t stamp;
};

/* All zero: none. */
struct spans {
	struct span *at;
	size_t count, room;
};

/* Put [first, end) in; what was there of it has @stamp now.  0 or -ENOMEM. */
int spans_put(struct spans *s, uint64_t first, uint64_t end, uint64_t stamp);

/* Take out what is there of [first, end), of stamps up to @most. */
int spans_drop(struct spans *s, uint64_t first, uint64_t end, uint64_t most);

/* The first range that ends behind @item, or NULL. */
const struct span *spans_from(const struct spans *s, uint64_t item);

/* Is any of [first, end) in it? */
bool spans_meet(const struct spans *s, uint64_t first, uint64_t end);

/* Items of [first, end) that are in it; of all. */
uint64_t spans_count(const struct spans *s, uint64_t first, uint64_t end);
uint64_t spans_items(const struct spans *s);

/* `3-7,9,20-29`: what is in it is added to @s.  0, -EINVAL, -ENOMEM. */
int spans_parse(struct spans *s, const char *text);

void spans_close(struct spans *s);

#endif
