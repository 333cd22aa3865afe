/*
 * history.h - what every site held at the moments that were noted
 *
 * Floor 7 (control).  May use: base, control.  Used by: mark, which writes;
 * judge, answers to requests, the tools, which read.
 * Contexts: reading anywhere; writing on the slow path inside malloc: no lock,
 * no waiting there.  Cost: some 10 ns a site and thread to write, a site to
 * read.
 *
 * Only by who holds watch.trend_busy are they written.  Who reads beside that
 * may find of a site what it held a column earlier or later.
 */
#ifndef CONTROL_HISTORY_H
#define CONTROL_HISTORY_H

#include <stdint.h>

#include "control/control.h"

struct held {
	int64_t live_bytes;
	uint64_t allocated_bytes; /* since the start */
};

/* Of @site, at all columns; zero where it was not there yet. */
void history_of(const struct control *c, uint64_t site,
    struct held held[TREND_COLUMNS]);

/* Live bytes of @site at one column: quick for those that are young. */
int64_t history_at(const struct control *c, uint64_t site, uint32_t column);

/*
 * What all sites hold now goes into @column, which is behind all others.  0, or
 * -ENOSPC: nothing has changed.
 */
int history_note(struct control *c, uint32_t column);

/* Of all columns there stay @keep[0] < @keep[1] < ..., and are 0, 1, ... */
void history_thin_out(struct control *c, const uint32_t *keep, uint32_t kept);

#endif
