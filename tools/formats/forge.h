/*
 * forge.h - a profile made by a tool: of another tool's, or of many
 *
 * Beside the house (tools/formats).  May use: base, need, reader (figures).
 * Used by: import*.c, merge.h.
 *
 * Rows are put in any order, and become the image of a segment that
 * profile_open_bytes() reads like any other.  Functions have names, not
 * addresses (NODE_NAMED), unless their module is there to be asked.
 */
#ifndef FORMATS_FORGE_H
#define FORMATS_FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/room.h"
#include "base/segment.h"
#include "profile/reader.h"

struct forge;

/* The head is filled in; never NULL. */
struct forge *forge_open(void);
void forge_close(struct forge *f);

/* To be filled in: identity, config, live, lost, end, rss. */
struct segment *forge_segment(struct forge *f);

/* Put a text; @bytes of it may be zero bytes. */
struct segment_text forge_bytes(struct forge *f, const char *text,
    size_t bytes);
struct segment_text forge_text(struct forge *f, const char *text);

/* --- stacks, from the outermost frame ------------------------------------- */

struct forge_frame {
	const char *function, *file, *module; /* NULL: not known */
	uint32_t line;
	bool inlined;
};

/* The node of @frame below @parent (0: it is the outermost). */
uint32_t forge_node(struct forge *f, uint32_t parent,
    const struct forge_frame *frame);

/* The same of an address in a module, or of a note. */
uint32_t forge_address(struct forge *f, uint32_t parent, uint64_t pc);

void forge_module(struct forge *f, const struct module *module);

/* The row of the pool of that name. */
uint32_t forge_pool(struct forge *f, const struct pool *pool);

/* --- figures -------------------------------------------------------------- */

/*
 * Those of the site of @leaf, to be added to until the next site is put;
 * @flags are of SITE_APART.  live_blocks counts, frees is made of it.
 * error_bytes is to be added to by forge_add_error().
 */
struct figures *forge_site(struct forge *f, uint32_t leaf, uint32_t flags);
/* The number of the site that they are of. */
size_t forge_number(const struct forge *f, const struct figures *figures);
void forge_add_error(struct figures *to, uint64_t error_bytes);

/* What one thread, or one process, counted; @name may be NULL. */
struct forge_tally {
	const char *name;
	uint32_t tid;
	uint64_t allocations, frees;
	uint64_t allocated_bytes, freed_bytes;
	uint64_t requested_bytes, requested_freed_bytes;
	uint64_t temporary;
};

void forge_tally(struct forge *f, const struct forge_tally *tally);

/* Sums of the heap's sites as the only tally; for who knows nothing else. */
void forge_tally_sites(struct forge *f);

/* A point of the series, @at_ns after the start; in order of time. */
void forge_point(struct forge *f, uint64_t at_ns, uint64_t live_bytes,
    uint64_t resident);

/* --- the whole ------------------------------------------------------------ */

/* Make the image and open it; the sentence of a failure is in @why. */
int forge_profile(struct forge *f, const char *name, struct profile *profile,
    char why[512]);

#endif
