/*
 * top-list-view.c - the list of processes, drawn
 */
#include "top/top.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"

/* From this width on words are whole, and a column more is shown. */
#define WIDE 104

#define CELL_ROOM 64

/*
 * A column writes its cell of @p to @text, short or in full, and says how it
 * is to be looked at.
 */
struct column {
	enum top_sort sort; /* by which it is the first; SORT_TREE: by none */
	const char *head, *wide_head;
	unsigned width, wide_width; /* with the blank before it */
	unsigned least;   /* columns of a screen that has it */
	bool right;
	enum screen_style (*write)(const struct process *p, bool wide,
	    char text[CELL_ROOM]);
};

static enum screen_style
put_bytes(char text[CELL_ROOM], uint64_t bytes, bool known)
{
	char size[TEXT_BYTES_ROOM];

	snprintf(text, CELL_ROOM, "%s", !known ? "-" :
	    top_bytes(size, bytes));
	return known ? SCREEN_PLAIN : SCREEN_FAINT;
}

static enum screen_style
write_pid(const struct process *p, bool wide, char text[CELL_ROOM])
{
	(void)wide;
	snprintf(text, CELL_ROOM, "%lld", process_shown_pid(p));
	return SCREEN_PLAIN;
}

static enum screen_style
write_heap(const struct process *p, bool wide, char text[CELL_ROOM])
{
	(void)wide;
	(void)put_bytes(text, p->heap, true);
	return SCREEN_STRONG;
}

static enum screen_style
write_peak(const struct process *p, bool wide, char text[CELL_ROOM])
{
	(void)wide;
	return put_bytes(text, p->peak, true);
}

static enum screen_style
write_rss(const struct process *p, bool wide, char text[CELL_ROOM])
{
	(void)wide;
	return put_bytes(text, p->resident, p->resident != 0 &&
	    process_is_living(p->state));
}

static enum screen_style
write_growth(const struct process *p, bool wide, char text[CELL_ROOM])
{
	char rate[TOP_RATE_ROOM];

	(void)wide;
	if (!p->moves || !process_is_living(p->state)) {
		snprintf(text, CELL_ROOM, "-");
		return SCREEN_FAINT;
	}
	snprintf(text, CELL_ROOM, "%s", top_rate(rate, p->growth.rate));
	if (!trend_is_sure(&p->growth))
		return SCREEN_FAINT;
	return p->growth.rate > 0 ? SCREEN_WARN : SCREEN_GOOD;
}

static enum screen_style
write_limit(const struct process *p, bool wide, char text[CELL_ROOM])
{
	(void)wide;
	return put_bytes(text, p->limit, p->limit != UINT64_MAX &&
	    process_is_living(p->state));
}

#define HOUR_S 3600 /* less than this is soon */

/* `2 h 10 min`; the second unit only where there is room. */
static enum screen_style
write_left(const struct process *p, bool wide, char text[CELL_ROOM])
{
	char duration[TEXT_DURATION_ROOM], *unit;

	if (p->left_s > UINT64_MAX / NS_PER_S ||
	    !process_is_living(p->state)) {
		snprintf(text, CELL_ROOM, "-");
		return SCREEN_FAINT;
	}
	text_format_duration(duration, p->left_s * NS_PER_S);
	unit = strchr(duration, ' ');
	unit = unit != NULL ? strchr(unit + 1, ' ') : NULL;
	if (unit != NULL && !wide)
		*unit = '\0';
	snprintf(text, CELL_ROOM, "%s", duration);
	return p->left_s < HOUR_S ? SCREEN_BAD : SCREEN_WARN;
}

static enum screen_style
write_stacks(const struct process *p, bool wide, char text[CELL_ROOM])
{
	snprintf(text, CELL_ROOM, "%s", wide ? p->stacks :
	    strcmp(p->stacks, "sampled") == 0 ? "smpl" : p->stacks);
	return SCREEN_PLAIN;
}

static enum screen_style
state_style(enum process_state state)
{
	switch (state) {
	case PROCESS_RUNNING: return SCREEN_GOOD;
	case PROCESS_STOPPED:
	case PROCESS_ZOMBIE: return SCREEN_WARN;
	default: return SCREEN_BAD;
	}
}

static enum screen_style
write_state(const struct process *p, bool wide, char text[CELL_ROOM])
{
	static const char *const shorts[PROCESS_STATES] = {
		[PROCESS_RUNNING] = "run", [PROCESS_STOPPED] = "stop",
		[PROCESS_ZOMBIE] = "zomb", [PROCESS_DEAD] = "dead",
		[PROCESS_REPLACED] = "exec", [PROCESS_ELSEWHERE] = "else",
	};
	char state[PROCESS_STATE_ROOM];

	snprintf(text, CELL_ROOM, "%s", wide ?
	    process_describe_state(p, state) : shorts[p->state]);
	return state_style(p->state);
}

static const struct column columns[] = {
	{ SORT_TREE, "PID", "PID", 8, 8, 0, true, write_pid },
	{ SORT_HEAP, "HEAP", "HEAP", 9, 10, 0, true, write_heap },
	{ SORT_PEAK, "PEAK", "PEAK", 9, 10, 64, true, write_peak },
	{ SORT_RSS, "RSS", "RSS", 9, 10, 46, true, write_rss },
	{ SORT_GROWTH, "GROWTH", "GROWTH", 12, 12, 58, true, write_growth },
	{ SORT_TREE, "LIMIT", "LIMIT", 9, 10, WIDE, true, write_limit },
	{ SORT_TREE, "LEFT", "LEFT", 7, 12, 72, true, write_left },
	{ SORT_TREE, "STK", "STACKS", 5, 8, 78, false, write_stacks },
	{ SORT_TREE, "STATE", "STATE", 6, 16, 36, false, write_state },
};

/* --- drawing -------------------------------------------------------------- */

static void
draw_title(const struct top_list *l)
{
	char heap[TEXT_BYTES_ROOM], resident[TEXT_BYTES_ROOM];
	unsigned x;

	screen_fill(0, SCREEN_TITLE);
	x = screen_put(0, 0, UINT32_MAX, SCREEN_TITLE, " heaptide top  ");
	x = screen_put(0, x, UINT32_MAX, SCREEN_TITLE,
	    "%zu running, heap %s, rss %s", l->living,
	    text_format_bytes(heap, l->heap),
	    text_format_bytes(resident, l->resident));
	if (l->dead != 0)
		x = screen_put(0, x, UINT32_MAX, SCREEN_TITLE, ", %zu dead",
		    l->dead);
	if (l->damaged != 0)
		x = screen_put(0, x, UINT32_MAX, SCREEN_TITLE,
		    ", %zu unreadable", l->damaged);
	if (l->filter[0] != '\0')
		(void)screen_put(0, x, UINT32_MAX, SCREEN_TITLE,
		    "  with '%s'", l->filter);
}

static void
draw_heads(const struct top_list *l, bool wide)
{
	const char *arrow = screen_is_utf8() ? "\u25be" : "*";
	unsigned x = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(columns); i++) {
		const struct column *c = &columns[i];
		unsigned width = wide ? c->wide_width : c->width;
		const char *head = wide ? c->wide_head : c->head;

		if (screen_columns() < c->least)
			continue;
		if (c->right)
			(void)screen_put_right(1, x + 1, width - 1,
			    SCREEN_HEAD, "%s%s", c->sort != SORT_TREE &&
			    c->sort == l->sort ? arrow : "", head);
		else
			(void)screen_put(1, x + 1, width - 1, SCREEN_HEAD,
			    "%s", head);
		x += width;
	}
	(void)screen_put(1, x + 1, UINT32_MAX, SCREEN_HEAD, "COMMAND");
}

static void
draw_command(const struct top_row *row, unsigned y, unsigned x,
    enum screen_style style)
{
	unsigned room = screen_columns() - x;
	unsigned indent = (unsigned)min_u64((uint64_t)row->depth * 2,
	    room / 2);

	if (indent >= 2)
		(void)screen_put(y, x + indent - 2, 2, SCREEN_FAINT, "%s",
		    screen_is_utf8() ? "\u2514" : "`");
	(void)screen_put(y, x + indent, UINT32_MAX, style, "%s",
	    row->process->command);
}

static void
draw_row(const struct top_row *row, unsigned y, bool wide)
{
	bool living = process_is_living(row->process->state);
	char text[CELL_ROOM];
	unsigned x = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(columns); i++) {
		const struct column *c = &columns[i];
		unsigned width = wide ? c->wide_width : c->width;
		enum screen_style style;

		if (screen_columns() < c->least)
			continue;
		style = c->write(row->process, wide, text);
		if (!living && c->write != write_state)
			style = SCREEN_FAINT;
		if (c->right)
			(void)screen_put_right(y, x + 1, width - 1, style,
			    "%s", text);
		else
			(void)screen_put(y, x + 1, width - 1, style, "%s",
			    text);
		x += width;
	}
	if (x + 1 < screen_columns())
		draw_command(row, y, x + 1, living ? SCREEN_PLAIN :
		    SCREEN_FAINT);
}

static void
draw_nothing(const struct top_list *l)
{
	if (l->why[0] != '\0')
		(void)screen_put(3, 2, UINT32_MAX, SCREEN_BAD, "%s", l->why);
	else if (l->filter[0] != '\0')
		(void)screen_put(3, 2, UINT32_MAX, SCREEN_PLAIN,
		    "no process has '%s' in its command", l->filter);
	else
		(void)screen_put(3, 2, UINT32_MAX, SCREEN_PLAIN, "no process "
		    "with heaptide inside; 'heaptide run COMMAND' starts one");
}

void
top_list_draw(struct top_list *l)
{
	bool wide = screen_columns() >= WIDE;
	unsigned page = (unsigned)above_u64(screen_rows(), 3);

	draw_title(l);
	draw_heads(l, wide);
	if (l->rows == 0)
		draw_nothing(l);
	top_scroll_fit(&l->scroll, page, l->rows);
	for (size_t i = 0; i < page && l->scroll.first + i < l->rows; i++) {
		size_t at = l->scroll.first + i;

		screen_select(at == l->scroll.at);
		if (at == l->scroll.at)
			screen_fill((unsigned)i + 2, SCREEN_PLAIN);
		draw_row(&l->row[at], (unsigned)i + 2, wide);
		screen_select(false);
	}
}
