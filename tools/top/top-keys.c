/*
 * top-keys.c - what may be typed, and what it does
 *
 * Two tables of keys, one a view; the last line and the help are made of them.
 */
#include "top/top.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

struct key_row {
	int key;          /* as the help and the table have it */
	int other;        /* does the same; 0: none */
	const char *name; /* NULL: the key is its name */
	const char *brief; /* on the last line; NULL: not there */
	const char *help;
	void (*act)(struct top *t, long with);
	long with;
};

/* --- what both views do --------------------------------------------------- */

static void
act_move(struct top *t, long by)
{
	if (t->in_process)
		top_sites_move(&t->process.sites, by);
	else
		top_list_move(&t->list, by);
}

static void
act_page(struct top *t, long pages)
{
	size_t page = t->in_process ? t->process.sites.scroll.page :
	    t->list.scroll.page;

	act_move(t, pages * (long)max_u64(1, above_u64(page, 1)));
}

static void
act_help(struct top *t, long with)
{
	(void)with;
	t->in_help = true;
}

static void
act_quit(struct top *t, long with)
{
	(void)with;
	t->quit = true;
}

/* --- of the list ---------------------------------------------------------- */

static void
act_sort(struct top *t, long sort)
{
	t->list.sort = (enum top_sort)sort;
	top_list_arrange(&t->list);
}

static void
act_open(struct top *t, long with)
{
	const struct process *p = top_list_selected(&t->list);

	(void)with;
	if (p == NULL)
		return;
	top_process_open(&t->process, p->path);
	if (t->process.is_open) {
		t->in_process = true;
		return;
	}
	top_say(t, true, "%s", t->process.why);
	top_process_close(&t->process);
}

static void
act_filter(struct top *t, long with)
{
	(void)with;
	top_ask_text(t, "only commands with: ", t->list.filter);
}

static void
act_unfilter(struct top *t, long with)
{
	(void)with;
	t->list.filter[0] = '\0';
	top_list_arrange(&t->list);
}

/* --- of a process --------------------------------------------------------- */

static void
act_back(struct top *t, long with)
{
	(void)with;
	top_process_close(&t->process);
	t->in_process = false;
	t->stale = true;
}

static void
act_turn(struct top *t, long with)
{
	(void)with;
	top_sites_turn(&t->process.sites);
}

static void
act_order(struct top *t, long with)
{
	struct top_sites *s = &t->process.sites;

	(void)with;
	s->order = (s->order + 1) % ORDERS;
	s->scroll = (struct top_scroll){ .at = 0 };
	s->selected = s->selected_call = 0;
	top_sites_read(s, &t->process.profile);
}

static void
act_span(struct top *t, long with)
{
	(void)with;
	t->process.span = (t->process.span + 1) % top_span_count;
	top_say(t, false, "the chart shows up to %s",
	    top_spans[t->process.span].name);
}

/* --- the tables ----------------------------------------------------------- */

#define COMMON_KEYS \
	{ 'q', 0, NULL, "quit", "the end", act_quit, 0 }, \
	{ '?', 'h', NULL, "help", "these keys", act_help, 0 }, \
	{ SCREEN_KEY_UP, 0, "Up", NULL, "the line above", act_move, -1 }, \
	{ SCREEN_KEY_DOWN, 0, "Down", NULL, "the line below", act_move, 1 }, \
	{ SCREEN_KEY_PAGE_UP, 0, "PgUp", NULL, "a page up", act_page, -1 }, \
	{ SCREEN_KEY_PAGE_DOWN, 0, "PgDn", NULL, "a page down", act_page, \
	  1 }, \
	{ SCREEN_KEY_FIRST, 0, "Home", NULL, "the first line", act_move, \
	  -INT_MAX }, \
	{ SCREEN_KEY_LAST, 0, "End", NULL, "the last line", act_move, INT_MAX }

#define LAST_KEY { 0, 0, NULL, NULL, NULL, NULL, 0 }

static const struct key_row list_keys[] = {
	COMMON_KEYS,
	{ SCREEN_KEY_RETURN, 0, "Enter", "open", "show the process",
	  act_open, 0 },
	{ '/', 0, NULL, "filter", "only commands that have a text, or a PID",
	  act_filter, 0 },
	{ SCREEN_KEY_ESCAPE, 0, "Esc", NULL, "all commands again",
	  act_unfilter, 0 },
	{ 'm', 0, NULL, "heap", "sort by heap", act_sort, SORT_HEAP },
	{ 'p', 0, NULL, "peak", "sort by the heap's peak", act_sort,
	  SORT_PEAK },
	{ 'r', 0, NULL, "rss", "sort by resident memory", act_sort,
	  SORT_RSS },
	{ 'g', 0, NULL, "growth", "sort by growth over the last minute",
	  act_sort, SORT_GROWTH },
	{ 't', 0, NULL, "tree", "by start, children below their parents",
	  act_sort, SORT_TREE },
	LAST_KEY
};

static const struct key_row process_keys[] = {
	COMMON_KEYS,
	{ SCREEN_KEY_ESCAPE, SCREEN_KEY_BACK, "Esc", "back",
	  "back to the list; Left and Backspace, too", act_back, 0 },
	{ SCREEN_KEY_ERASE, 0, NULL, NULL, NULL, act_back, 0 },
	{ SCREEN_KEY_RETURN, 0, "Enter", "calls",
	  "unfold the calls of a site, or fold them", act_turn, 0 },
	{ 's', 0, NULL, "sort", "sites by live bytes, by growth since the "
	  "last mark, by blocks", act_order, 0 },
	{ 'k', 0, NULL, "mark", "set a mark; growth is counted from there",
	  top_act_mark, 0 },
	{ 'w', 0, NULL, "span", "how far back the chart reaches", act_span,
	  0 },
	{ 'n', 0, NULL, "save", "write the profile to a file here, as a "
	  "snapshot", top_act_snapshot, 0 },
	{ 'S', 0, NULL, "stacks", "keep call paths of none, a sample, or "
	  "all", top_act_stacks, 0 },
	{ 'T', 0, NULL, "trim", "have the allocator give free memory back",
	  top_act_trim, 0 },
	LAST_KEY
};

static const struct key_row *
keys_of(const struct top *t)
{
	return t->in_process ? process_keys : list_keys;
}

static const char *
name_of(const struct key_row *row, char text[2])
{
	text[0] = (char)row->key;
	text[1] = '\0';
	return row->name != NULL ? row->name : text;
}

/* --- typing --------------------------------------------------------------- */

static void
erase_last(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
		n--;
	text[n > 0 ? n - 1 : 0] = '\0';
}

/* The filter works while it is typed; Esc takes it away. */
static void
type_key(struct top *t, int key)
{
	struct top_prompt *p = &t->prompt;
	size_t used = strlen(p->text);

	if (key == SCREEN_KEY_RETURN || key == SCREEN_KEY_ESCAPE) {
		p->open = false;
		if (key == SCREEN_KEY_ESCAPE)
			p->text[0] = '\0';
		if (t->in_process)
			top_set_mark(t, p->text);
	} else if (key == SCREEN_KEY_ERASE) {
		erase_last(p->text);
	} else if (key >= ' ' && key < 0x100 && key != 0x7f &&
	    used + 1 < sizeof(p->text)) {
		p->text[used] = (char)key;
		p->text[used + 1] = '\0';
	}
	if (!t->in_process) {
		memcpy(t->list.filter, p->text, sizeof(t->list.filter));
		top_list_arrange(&t->list);
	}
}

void
top_key(struct top *t, int key)
{
	if (t->prompt.open) {
		type_key(t, key);
		return;
	}
	if (t->in_help) {
		t->in_help = false;
		return;
	}
	t->message[0] = '\0';
	for (const struct key_row *row = keys_of(t); row->act != NULL; row++)
		if (row->key == key || (row->other != 0 &&
		    row->other == key)) {
			row->act(t, row->with);
			return;
		}
}

/* --- drawing -------------------------------------------------------------- */

/* Columns that all of them take, with one blank behind each word. */
static size_t
keys_width(const struct key_row *row)
{
	size_t width = 1;
	char text[2];

	for (; row->act != NULL; row++)
		if (row->brief != NULL)
			width += strlen(name_of(row, text)) +
			    strlen(row->brief) + 2;
	return width;
}

/* Where not all fit, the last ones are for the help to tell. */
static void
draw_keys(const struct key_row *row, unsigned y)
{
	bool tight = keys_width(row) + 10 > screen_columns();
	unsigned x = 1;
	char text[2];

	for (; row->act != NULL; row++) {
		const char *name = name_of(row, text);

		if (row->brief == NULL)
			continue;
		if (x + strlen(name) + strlen(row->brief) + 1 >
		    screen_columns())
			break;
		x = screen_put(y, x, UINT32_MAX, SCREEN_STRONG, "%s", name);
		x = screen_put(y, x, UINT32_MAX, SCREEN_FAINT, " %s%s",
		    row->brief, tight ? " " : "  ");
	}
}

void
top_draw_foot(const struct top *t)
{
	unsigned y = (unsigned)above_u64(screen_rows(), 1);
	unsigned x;

	if (t->prompt.open) {
		x = screen_put(y, 1, UINT32_MAX, SCREEN_STRONG, "%s",
		    t->prompt.label);
		(void)screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, "%s_",
		    t->prompt.text);
	} else if (t->message[0] != '\0') {
		(void)screen_put(y, 1, UINT32_MAX, t->failed ? SCREEN_BAD :
		    SCREEN_GOOD, "%s", t->message);
	} else {
		draw_keys(keys_of(t), y);
	}
}

void
top_draw_help(const struct top *t)
{
	char text[2];
	unsigned y = 2;

	screen_fill(0, SCREEN_TITLE);
	(void)screen_put(0, 0, UINT32_MAX, SCREEN_TITLE,
	    " heaptide top: keys %s", t->in_process ? "of a process" :
	    "of the list");
	for (const struct key_row *row = keys_of(t); row->act != NULL; row++) {
		if (row->help == NULL)
			continue;
		(void)screen_put(y, 2, 8, SCREEN_STRONG, "%s",
		    name_of(row, text));
		(void)screen_put(y++, 10, UINT32_MAX, SCREEN_PLAIN, "%s",
		    row->help);
	}
	(void)screen_put((unsigned)above_u64(screen_rows(), 1), 1,
	    UINT32_MAX, SCREEN_FAINT, "any key goes on");
}
