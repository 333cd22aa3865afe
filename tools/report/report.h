/*
 * report.h - what a profile says, collected once and written in two forms
 *
 * Beside the house (tools/report).  May use: base, control, reader, symbol,
 * print.  Used by: cmd-report.c; what is said of frames also by diff and top.
 *
 * report.c collects: sites and threads with what one looks for, the look at
 * resident memory, how the process ended.  report-json.c leaves nothing out;
 * report-text.c and report-sites.c tell a person, what is wanted first first.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/segment.h"
#include "profile/reader.h"
#include "say/print.h"
#include "symbols/symbol.h"

/* What sites are sorted by. */
enum site_key {
	KEY_LIVE,
	KEY_PEAK,
	KEY_ALLOCATED,
	KEY_ALLOCATIONS,
	KEY_TEMPORARY,
	KEYS
};

struct report_options {
	bool json;
	bool threads;
	bool full;
	bool debuginfod;
	bool verify;
	const char *html; /* a file to write the page to, or NULL */
	bool page;        /* print what is in it, as JSON */
	int sort;         /* enum site_key */
	uint64_t top;     /* 0: the default */
	uint64_t callers; /* of a site, in text */
};

struct site_row {
	const struct site *site;
	const struct figures *figures;
	uint32_t id;
	uint64_t value[KEYS]; /* of the figures, those to sort by */
};

/* A thread's own counts; those of earlier owners of its row taken off. */
struct thread_row {
	char name[sizeof(((struct tally *)NULL)->name) + 1];
	uint32_t tid;
	const char *state;
	uint64_t allocations, frees, allocated, freed;
};

/* What all parts of a report are made of. */
struct report {
	const struct report_options *options;
	const struct profile *profile;
	struct totals totals;
	struct symbols *symbols;
	struct segment_rss rss;    /* at_ns 0: never taken */
	struct site_row *site;     /* heap sites, sorted */
	size_t sites;
	struct site_row *map;      /* sites of the mmap family, sorted */
	size_t maps;
	struct site_row *pool;     /* sites of the program's pools, sorted */
	size_t pools;
	struct thread_row *thread; /* their sums are the totals; sorted */
	size_t threads;
};

/* --- report.c ------------------------------------------------------------- */

/* Both @profile and @options must live as long as the report. */
void report_open(struct report *r, const struct profile *profile,
    const struct report_options *options);
void report_close(struct report *r);

void report_sort(struct site_row *rows, size_t count, enum site_key key);

/* How many of @count rows: what the user asked for, or else @standard. */
size_t report_wanted(const struct report *r, size_t count, uint64_t standard);

/* Look up the names of @rows all at once. */
void report_resolve(const struct report *r, const struct site_row *rows,
    size_t count);

/* "exited", "signalled", "exec", "running" or "lost". */
const char *report_end(const struct profile *profile);

/* --- report-json.c -------------------------------------------------------- */

/* All of it, and all but what is one a site or a moment. */
json_t *report_json(const struct report *r);
json_t *report_json_brief(const struct report *r);

/* On stdout; an exit status. */
int report_print_json(const struct report *r);

/* --- report-sites.c ------------------------------------------------------- */

/* A blank line, and a strong one with @title and @more behind it. */
void report_heading(const struct print *out, const char *title,
    const char *more);

/* "now", "at the end", "when it was copied" */
const char *report_when(const struct report *r);

/* "12.5 %" */
#define REPORT_SHARE_ROOM 16
char *report_share(char words[REPORT_SHARE_ROOM], uint64_t part,
    uint64_t whole);

/* "function  file.c:12", or the module where the file is not known. */
void report_frame(char *words, size_t room, const struct frame *frame);

/*
 * One line for several frames where the rest tells little: a recursion, or
 * what goes on inside of a container between the allocation and the code that
 * uses it; there the outermost is shown.  Returns how many are taken.
 */
size_t report_fold(const struct frame *frames, size_t count, char *words,
    size_t room);

/* A list of sites under a title, without those that have nothing. */
void report_site_list(const struct report *r, const struct print *out,
    const char *title, struct site_row *rows, size_t count,
    enum site_key key, size_t top, uint64_t callers);

/* The lists of sites, in the text. */
void report_print_sites(const struct report *r, const struct print *out);

/* --- report-time.c -------------------------------------------------------- */

/* [[seconds, live bytes, resident], ...], and the marks. */
json_t *report_json_series(const struct profile *profile);
json_t *report_json_marks(const struct profile *profile);

/* A line, if there is growth beyond doubt; a table, if there are marks. */
void report_print_growth(const struct report *r, const struct print *out);
void report_print_leaks(const struct report *r, const struct print *out);
void report_print_marks(const struct report *r, const struct print *out);

/* --- report-pools.c ------------------------------------------------------- */

/* What the program's own pools hold: a list; a section if there is any. */
json_t *report_json_pools(const struct report *r);
void report_print_pools(const struct report *r, const struct print *out);

/* --- report-findings.c ---------------------------------------------------- */

/* What was done wrong with blocks: a list, and a section if there is any. */
json_t *report_json_findings(const struct report *r);
void report_print_findings(const struct report *r, const struct print *out);

/* --- verify.c ------------------------------------------------------------- */

/* Say what contradicts what, or that nothing does.  An exit status. */
int report_verify(const struct report *r);

/* --- report-text.c -------------------------------------------------------- */

/* On stdout. */
void report_print_text(const struct report *r);

#endif
