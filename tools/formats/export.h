/*
 * export.h - a profile in the formats of other tools
 *
 * Beside the house (tools/formats).  May use: base, control, reader, report,
 * symbol, json, leaks, proto.  Used by: cmd-export.c.
 *
 * export.c collects what all formats are made of: the heap's sites, five
 * values of each, and a row for what the totals have and no site.  One
 * export-*.c knows a format, or two that are alike, and writes it to a stream;
 * whether that went well is for who opened it.
 */
#ifndef FORMATS_EXPORT_H
#define FORMATS_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report/report.h"

enum export_value {
	EXPORT_LIVE,
	EXPORT_PEAK,        /* bytes held when the heap stood at its peak */
	EXPORT_ALLOCATIONS,
	EXPORT_BYTES,       /* allocated since the start */
	EXPORT_GROWTH,      /* live, less what it was at the first look */
	EXPORT_VALUES
};

struct export_row {
	const struct site_row *site; /* NULL: what no site has */
	int64_t value[EXPORT_VALUES];
	uint64_t live_blocks, frees, temporary;
};

struct export {
	struct report *report;
	FILE *to;
	enum export_value by;
	bool grown;     /* EXPORT_GROWTH is known */
	bool estimated; /* sites are sampled, and scaled up */
	double grown_since; /* seconds after the start */
	struct export_row *row; /* sorted by @by, largest first */
	size_t rows;
};

/* "live", ..., by enum export_value; a NULL behind them. */
extern const char *const export_values[];

/* In words; and of what: "bytes" or "count". */
const char *export_title(enum export_value value);
const char *export_unit(enum export_value value);

/* @r is to outlive it. */
void export_open(struct export *e, struct report *r, FILE *to,
    enum export_value by);
void export_close(struct export *e);

/* The row's frames, leaf first, to be freed; never none. */
size_t export_stack(const struct export *e, const struct export_row *row,
    struct frame **frames);

/* That of all rows, those below 0 left out. */
uint64_t export_sum(const struct export *e, enum export_value value);

/*
 * "heaptide 0.1: ls -l", and what is to be said of figures: "estimated of one
 * allocation in 524288 bytes"; "" if they are counts.
 */
char *export_subject(const struct export *e);
char *export_caveat(const struct export *e);

/* False: a sentence has said why it cannot be. */
bool export_pprof(const struct export *e);
bool export_collapsed(const struct export *e);
bool export_speedscope(const struct export *e);
bool export_massif(const struct export *e);
bool export_heaptrack(const struct export *e);
bool export_callgrind(const struct export *e);
bool export_csv(const struct export *e);
bool export_openmetrics(const struct export *e);
bool export_prometheus(const struct export *e);
bool export_json(const struct export *e);

#endif
