/*
 * top.h - `heaptide top`: what it knows, how that is drawn, what keys do
 *
 * Beside the house (tools/top).  May use: base, control, processes, reader,
 * symbol, report, ask, screen, chart.  Used by: cmd-top.c, top-*.c.
 *
 * Two models, which know nothing of a terminal: the list of processes
 * (top-list.c), and one process (top-process.c, with its sites in top-sites.c
 * and their names in top-names.c).  Each has a view (*-view.c) that draws it
 * and changes nothing but where its list is scrolled to.  top-keys.c has the
 * tables of keys, of which the help is made, top-act.c what they do to a
 * process.
 */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "base/text.h"
#include "control/limit.h"
#include "live/ask.h"
#include "model/trend.h"
#include "profile/reader.h"
#include "report/leaks.h"
#include "top/processes.h"
#include "top/screen.h"

/* A list with a line under the cursor, of which a page is shown. */
struct top_scroll {
	size_t at, first, page;
};

/* @by lines up or down, held within @count lines. */
void top_scroll_move(struct top_scroll *s, long by, size_t count);

/* Make @page lines of @count show the one under the cursor. */
void top_scroll_fit(struct top_scroll *s, size_t page, size_t count);

/* As text_format_bytes(), but of three digits before a point none behind. */
char *top_bytes(char text[TEXT_BYTES_ROOM], uint64_t bytes);

/* "+1.2 MiB/s"; "0" for less than a byte. */
#define TOP_RATE_ROOM 32
char *top_rate(char text[TOP_RATE_ROOM], double bytes_per_second);

/* --- top-list.c: all processes -------------------------------------------- */

enum top_sort { SORT_TREE, SORT_HEAP, SORT_PEAK, SORT_RSS, SORT_GROWTH };

struct top_row {
	const struct process *process;
	unsigned depth;   /* in the tree; 0 if sorted by a number */
};

#define TOP_TEXT_ROOM 128 /* of what may be typed */

struct top_list {
	struct processes processes;
	char why[PROCESSES_WHY_ROOM]; /* "": it can be read */
	enum top_sort sort;
	char filter[TOP_TEXT_ROOM]; /* "": none */
	struct top_row *row;
	size_t rows;
	size_t living, dead, damaged; /* of all, filtered or not */
	uint64_t heap, resident;      /* of the living */
	struct top_scroll scroll;
	struct process_key selected;  /* stays under the cursor */
};

/* Look at all processes again. */
void top_list_read(struct top_list *l);
void top_list_free(struct top_list *l);

/* Make the rows anew, by sort and filter. */
void top_list_arrange(struct top_list *l);

void top_list_move(struct top_list *l, long by);

/* The one under the cursor, or NULL. */
const struct process *top_list_selected(const struct top_list *l);

/* --- top-list-view.c ------------------------------------------------------ */

void top_list_draw(struct top_list *l);

/* --- top-names.c: the calls of a site, in words --------------------------- */

struct top_name {
	uint32_t site;
	char *title;    /* "function  file.c:12" */
	char *callers;  /* " < caller < caller" */
	char **call;    /* a line each, the caller nearest to malloc first */
	size_t calls;
	bool unfolded;
	UT_hash_handle hh;
};

/* Keeps what it has found; the sites of a profile keep their numbers. */
struct top_names {
	struct top_name *by_site;
};

/* NULL: not looked up yet. */
struct top_name *top_names_find(const struct top_names *n, uint32_t site);

/* Look up those of @sites that are not known.  Reads files: may take long. */
void top_names_add(struct top_names *n, const struct profile *profile,
    const uint32_t *sites, size_t count);
void top_names_free(struct top_names *n);

/* --- top-sites.c: who holds the memory ------------------------------------ */

enum top_order { ORDER_LIVE, ORDER_GROWTH, ORDER_COUNT, ORDERS };

struct top_site {
	uint32_t id;
	bool estimated;
	uint64_t live, blocks;
	int64_t growth;  /* since the mark; with none it is 0 */
};

/* A site, or one of the calls below it. */
struct top_line {
	uint32_t site;   /* index into @site, not its number */
	uint32_t call;   /* of its name; 0: the site itself */
};

struct top_sites {
	enum top_order order;
	struct top_site *site;  /* sorted */
	size_t sites;
	const struct mark *since; /* of growth; NULL: no mark has figures */
	struct top_names names;
	struct top_line *line;
	size_t lines;
	struct top_scroll scroll;
	uint32_t selected, selected_call; /* stay under the cursor */
};

/* Collect and sort them. */
void top_sites_read(struct top_sites *s, const struct profile *profile);

/* Is some site that will be shown without a name?  Then find it. */
bool top_sites_need_names(const struct top_sites *s);
void top_sites_find_names(struct top_sites *s, const struct profile *profile);

void top_sites_move(struct top_sites *s, long by);

/* Unfold the site under the cursor, or fold it. */
void top_sites_turn(struct top_sites *s);
void top_sites_free(struct top_sites *s);

/* --- top-process.c: one process ------------------------------------------- */

struct top_process {
	char *path;      /* of its segment */
	struct profile profile;
	bool is_open;    /* there is a profile, the newest that could be read */
	char why[512];   /* why not */
	bool gone;       /* its segment is: this is the last there was */
	int pid;         /* as we know it; 0: it has ended */
	char *command;
	struct totals totals;
	struct segment_rss rss; /* at_ns 0: not known */
	uint64_t resident; /* now, or in the last look */
	bool rate_known, minute_known, hour_known;
	double rate;     /* bytes allocated a second */
	struct trend_line minute, hour; /* growth of live bytes */
	struct limit limit; /* bytes LIMIT_NONE: none */
	uint64_t left_s; /* to the limit at the hour's rate; or never */
	struct judge_brief leaks; /* how many sites grow, */
	uint64_t judged_ns;       /* as it was then */
	uint64_t allocated_before, at_before_ns; /* for @rate */
	uint64_t looked_ns; /* by ourselves, at resident memory */
	struct top_sites sites;
	unsigned span;   /* of the chart, index into top_spans */
};

/* How far back the chart reaches. */
struct top_span {
	const char *name;
	uint64_t ns;
};

extern const struct top_span top_spans[];
extern const unsigned top_span_count;

/* Begin with the segment at @path. */
void top_process_open(struct top_process *p, const char *path);
void top_process_close(struct top_process *p);

/* Look at it again. */
void top_process_read(struct top_process *p);

/* "running", "exited, status 0", "killed by signal 9" */
#define TOP_STATE_ROOM 64
const char *top_process_state(const struct top_process *p,
    char text[TOP_STATE_ROOM]);

/* The profile as it is shown becomes a file; its name, or a negative errno. */
int top_process_save(const struct top_process *p, char *name, size_t room);

/* --- top-process-view.c --------------------------------------------------- */

void top_process_draw(struct top_process *p);

/* --- top-sites-view.c ----------------------------------------------------- */

/* Its sites and its marks, from row @y on, under a line of heads. */
void top_sites_draw(struct top_process *p, unsigned y, unsigned rows);
void top_marks_draw(const struct top_process *p, unsigned y, unsigned rows);

/* --- all of it ------------------------------------------------------------ */

/* A line that is being typed. */
struct top_prompt {
	bool open;
	const char *label;
	char text[TOP_TEXT_ROOM];
};

struct top {
	struct top_list list;
	struct top_process process;
	bool in_process; /* it is shown, and not the list */
	bool in_help;
	bool quit;
	bool stale;      /* something was done: look again at once */
	struct top_prompt prompt;
	char message[ASK_WHY_ROOM + 64]; /* of what was done last */
	bool failed;     /* it says what was not */
	uint64_t said_ns;
};

/* --- top-act.c ------------------------------------------------------------ */

/* Leave a message on the last line, for a while or until the next key. */
void top_say(struct top *t, bool failed, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Have a line typed there, beginning with @text. */
void top_ask_text(struct top *t, const char *label, const char *text);

/* What keys do to a process. */
void top_act_mark(struct top *t, long with);
void top_act_trim(struct top *t, long with);
void top_act_stacks(struct top *t, long with);
void top_act_snapshot(struct top *t, long with);

/* The mark whose name was typed; a blank one is none. */
void top_set_mark(struct top *t, const char *name);

/* --- top-keys.c ----------------------------------------------------------- */

/* Do what @key means where we are. */
void top_key(struct top *t, int key);

/* The last line: what is being typed, what was said, or what may be typed. */
void top_draw_foot(const struct top *t);
void top_draw_help(const struct top *t);

#endif
