/*
 * leaks-scan.h - which blocks of a process nobody can reach any more
 *
 * Beside the house (tools/report).  May use: base, control, reader, symbol,
 * print, report, ask.  Used by: cmd-leaks.c.
 *
 * A scan is asked of the process itself, which forks off a child for it; what
 * it found stays in the profile, so a profile that was left behind has it too.
 */
#ifndef REPORT_LEAKS_SCAN_H
#define REPORT_LEAKS_SCAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "live/ask.h"
#include "profile/reader.h"
#include "say/print.h"
#include "symbols/symbol.h"

struct leaks_scan_options {
	bool json;
	bool starts;     /* only pointers to starts of blocks count */
	bool debuginfod;
	uint64_t top;    /* sites to show in text; 0: the default */
};

/*
 * Have process @pid scanned, and wait for it.  0; -1: there is no result, and
 * @why has the sentence (one line, no full stop).
 */
int leaks_scan_ask(int pid, bool starts, char why[ASK_WHY_ROOM]);

/* Is the result of a scan in the profile? */
bool leaks_scan_has(const struct profile *profile);

/* What the last scan found of a site; NULL: nothing. */
const struct reach *leaks_scan_of(const struct profile *profile,
    uint32_t site);

/*
 * The sites of which something is unreachable, most first: their numbers, to
 * be freed.
 */
uint32_t *leaks_scan_sites(const struct profile *profile, size_t *count);

/* Of all blocks: an object. */
json_t *leaks_scan_json_summary(const struct profile *profile);

/* One of leaks_scan_sites(), as an entry of `leaks`. */
json_t *leaks_scan_json_site(const struct profile *profile,
    struct symbols *symbols, uint32_t site);

/* What single things hold, most first: an array. */
json_t *leaks_scan_json_held(const struct profile *profile,
    struct symbols *symbols);

/* All of it for a person; what is lost first. */
void leaks_scan_print(const struct profile *profile, struct symbols *symbols,
    const struct print *out, uint64_t top);

/*
 * `heaptide leaks --scan PID`: ask, and print what was found on stdout.
 * @what may also be a profile in which there is a result.  An exit status.
 */
int leaks_scan(const char *what, const struct leaks_scan_options *options);

#endif
