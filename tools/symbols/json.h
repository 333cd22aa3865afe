/*
 * json.h - what JSON says of a profile, in the same words in every command
 *
 * Beside the house (tools/symbols).  May use: base, reader, symbol, print.
 * Used by: report-json.c, diff-json.c, summary.c, monitor-say.c, cmd-ps.c.
 */
#ifndef SYMBOLS_JSON_H
#define SYMBOLS_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/segment.h"
#include "profile/reader.h"
#include "symbols/symbol.h"

/* jansson's integers end at 2^63 - 1, and so do ours unless damaged. */
json_t *json_number(uint64_t n);

/* A text of the profile. */
json_t *json_text_of(const struct profile *profile, struct segment_text text);

/* An array of what the process was started with. */
json_t *json_command(const struct profile *profile);

/* @how is left out if NULL. */
json_t *json_end(const char *how, const struct segment_end *end);

/* The counters of segment_lost, by name. */
json_t *json_lost(const struct profile *profile);

/* Programs that were executed and not profiled: UNFOLLOWED_KINDS counts. */
json_t *json_unfollowed(const uint64_t *counts);

/* The name of the pool that a site is of; null: of none. */
json_t *json_pool(const struct profile *profile, const struct site *site);

/* One function of a stack. */
json_t *json_frame(const struct frame *frame);

/*
 * That deeper frames were left out is no frame, but is said of the last that
 * is there.  False: @f is something else.
 */
bool json_cut(json_t *stack, const struct frame *f);

/* All of a site's, leaf first. */
json_t *json_stack(struct symbols *symbols, const struct site *site);

/* A member of an object that is written down as a table. */
struct json_member {
	const char *name;
	json_t *value; /* NULL: left out */
};

/* Put @count members into @object, which takes them over; returns it. */
json_t *json_fill(json_t *object, const struct json_member *members,
    size_t count);

#endif
