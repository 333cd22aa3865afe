/*
 * metrics.h - what monitoring systems are told of a process, by one table
 *
 * Floor 7 (control).  May use: base, model, sys, control.  Used by: the request
 * `metrics`, the tools.
 * Contexts: not from inside malloc; allocates nothing.
 *
 * A family is a row: its name, type, unit and help, and where among the facts
 * its values are.  The request makes JSON of it, `heaptide serve` the text of
 * OpenMetrics 1.0 or of Prometheus 0.0.4, of many processes at once: there, all
 * samples of a family stand together.
 */
#ifndef CONTROL_METRICS_H
#define CONTROL_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/room.h"
#include "base/segment.h"
#include "base/text.h"
#include "control/control.h"

#define METRICS_UNKNOWN UINT64_MAX /* the sample is left out */
#define METRICS_STATES  4          /* TIDE_OK ... TIDE_EXHAUSTED */

/* Sizes in bytes, times in ns; METRICS_UNKNOWN where nothing is known. */
struct metrics_facts {
	int64_t pid;
	char command[64];
	char source[32];    /* of the limit; "" */
	const char *stacks; /* how they are kept */

	uint64_t live_bytes, live_blocks, peak_bytes;
	uint64_t allocated, freed, allocations, frees, temporary;
	uint64_t resident, resident_peak, terms[RSS_TERMS];
	uint64_t threads, started, cpu;
	uint64_t limit, limit_used, limit_available;
	uint64_t budget, used, available;
	uint64_t state[METRICS_STATES]; /* 1 where it stands, else 0 */
	uint64_t state_time[METRICS_STATES];
	uint64_t warnings, failed, cleanups, cleanup_bytes, cleanup_returned;
	uint64_t cleanup_time, drains;
	uint64_t epochs, own;
	int64_t growth;     /* bytes a second; meant if @grows */
	bool grows;
	uint64_t lost[4];   /* sites, blocks, threads, unknown frees */

	/* Filled by who has judged it: sites that grow, that made a step. */
	uint64_t leaks[2];

	size_t ops;
	struct tide_op_stats op[TIDE_OPS];
};

/* All but @leaks, which are unknown then. */
void metrics_read(const struct control *c, struct metrics_facts *facts);

enum metrics_format {
	METRICS_OPENMETRICS, /* application/openmetrics-text; version=1.0.0 */
	METRICS_PROMETHEUS   /* text/plain; version=0.0.4 */
};

/* Where text goes, piece by piece. */
struct metrics_out {
	void (*put)(void *context, const char *text, size_t bytes);
	void *context;
};

/* Of @count processes; with the end mark, where the format has one. */
void metrics_write(const struct metrics_out *out, enum metrics_format format,
    const struct metrics_facts *const *facts, size_t count);

/*
 * For families of one's own, beside those of the table: before the end.  @type
 * is "gauge", "counter" or "info"; a sample's @labels are `name="value",...`.
 */
void metrics_write_head(const struct metrics_out *out,
    enum metrics_format format, const char *name, const char *type,
    const char *unit, const char *help);
void metrics_write_end(const struct metrics_out *out,
    enum metrics_format format);

/* The text of a label's value: `\`, `"` and the newline escaped, no UTF-8
 * replaced.  What does not fit is cut. */
void metrics_put_label(struct text *t, const char *value, size_t bytes);

/* As members of an object that is open: name and number, or by label. */
void metrics_reply(struct text *t, const struct metrics_facts *facts);

#endif
