/*
 * chart.h - a value over time in the cells of a terminal, and a part of a whole
 *
 * Beside the house (tools/top).  May use: base.  Used by: top-*.c.
 *
 * Pure: no terminal, no clock.  Cells are eighths of a block where UTF-8 may
 * be used, else ASCII.
 */
#ifndef TOP_CHART_H
#define TOP_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/segment.h"

#define CHART_COLUMNS_MOST 512
#define CHART_UNKNOWN      UINT64_MAX

struct chart {
	uint64_t from_ns, to_ns; /* CLOCK_MONOTONIC; set by the caller */
	unsigned columns;        /* at most CHART_COLUMNS_MOST; the same */
	uint64_t most;           /* of all values that are known */
	uint64_t value[CHART_COLUMNS_MOST]; /* highest in its time */
};

/*
 * Live bytes of a process: @points in order of time, and @now at to_ns.  Where
 * there is no point nothing has changed since the one before.
 */
void chart_fill(struct chart *c, const struct point *const *points,
    size_t count, uint64_t now);

/* The column of a moment; -1: it is not of the time shown. */
int chart_column(const struct chart *c, uint64_t at_ns);

/* The cell of @column in @row of @rows, counted from below. */
const char *chart_cell(const struct chart *c, unsigned column, unsigned row,
    unsigned rows, bool utf8);

/* @room cells, @part of @whole filled; returns @buffer. */
#define CHART_BAR_ROOM 1024
char *chart_bar(char buffer[CHART_BAR_ROOM], unsigned room, uint64_t part,
    uint64_t whole, bool utf8);

#endif
