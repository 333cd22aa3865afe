/*
 * top-process-view.c - one process, drawn: from its numbers to its marks
 *
 * What is most wanted gets its rows first; on a small terminal the chart and
 * the marks shrink, and go.
 */
#include "top/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/reconcile.h"
#include "top/chart.h"

#define LABEL 8 /* columns of the word before a line of numbers */

/* --- how the rows are shared ---------------------------------------------- */

struct layout {
	unsigned chart; /* rows of the chart, its axis not counted; 0: none */
	unsigned marks; /* rows, the heading not counted; 0: none */
	unsigned sites; /* rows, the heading not counted */
};

#define NUMBERS 5 /* title and four lines */
#define FOOT    1

static struct layout
share_rows(unsigned rows, size_t marks)
{
	static const struct {
		unsigned least, chart, marks;
	} kinds[] = {
		{ 48, 8, 6 }, { 34, 6, 5 }, { 24, 4, 3 }, { 20, 3, 2 },
		{ 15, 1, 1 }, { 12, 0, 1 }, { 0, 0, 0 },
	};
	struct layout l = { 0 };
	unsigned taken = NUMBERS + FOOT + 1;
	size_t i = 0;

	while (rows < kinds[i].least)
		i++;
	l.chart = kinds[i].chart;
	l.marks = (unsigned)min_u64(kinds[i].marks, marks);
	taken += l.chart != 0 ? l.chart + 1 : 0;
	taken += l.marks != 0 ? l.marks + 1 : 0;
	l.sites = (unsigned)above_u64(rows, taken);
	return l;
}

/* --- numbers -------------------------------------------------------------- */

static uint64_t
age_ns(const struct top_process *p)
{
	return above_u64(p->profile.now_ns,
	    p->profile.segment->identity.clock_ns);
}

static void
draw_title(const struct top_process *p)
{
	char age[TEXT_DURATION_ROOM], state[TOP_STATE_ROOM], right[160];
	int pid = p->pid != 0 ? p->pid : p->profile.segment->identity.pid;
	unsigned room = screen_columns(), width;

	screen_fill(0, SCREEN_TITLE);
	snprintf(right, sizeof(right), "  %s  %s  stacks %s ",
	    top_process_state(p, state), text_format_duration(age, age_ns(p)),
	    profile_stacks(&p->profile));
	width = (unsigned)strlen(right);
	if (width + 24 <= room) {
		room -= width;
		(void)screen_put_right(0, room, width, SCREEN_TITLE, "%s",
		    right);
	}
	(void)screen_put(0, 0, room, SCREEN_TITLE, " %d  %s%s", pid,
	    p->pid == 0 && room == screen_columns() ? "ended  " : "",
	    p->command);
}

static unsigned
draw_label(unsigned y, const char *label)
{
	(void)screen_put(y, 1, LABEL, SCREEN_HEAD, "%s", label);
	return LABEL;
}

static void
draw_heap(const struct top_process *p, unsigned y)
{
	char bytes[TEXT_BYTES_ROOM], count[TEXT_COUNT_ROOM];
	char rate[TOP_RATE_ROOM];
	unsigned x = draw_label(y, "heap");

	x = screen_put(y, x, UINT32_MAX, SCREEN_STRONG, "%s",
	    text_format_bytes(bytes, p->totals.live_bytes));
	x = screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, " in %s blocks",
	    text_format_count(count, p->totals.live_blocks));
	x = screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, ", peak %s",
	    text_format_bytes(bytes, p->totals.peak_bytes));
	if (p->rate_known)
		(void)screen_put(y, x, UINT32_MAX, SCREEN_PLAIN,
		    ", allocates %s", p->rate < 1 ? "nothing" :
		    top_rate(rate, p->rate) + 1);
}

/* The largest term that was not told yet; -1: there is none. */
static int
next_term(const struct segment_rss *rss, const bool *told)
{
	int most = -1;

	for (int i = 0; i < RSS_TERMS; i++)
		if (!told[i] && rss->terms[i] != 0 &&
		    (most < 0 || rss->terms[i] > rss->terms[most]))
			most = i;
	return most;
}

/* The largest first: what does not fit is small. */
static void
draw_terms(const struct segment_rss *rss, unsigned y, unsigned x)
{
	char bytes[TEXT_BYTES_ROOM], term[64];
	bool told[RSS_TERMS] = { false };
	const char *sign = "  =";
	int i;

	while (rss->at_ns != 0 && (i = next_term(rss, told)) >= 0) {
		told[i] = true;
		snprintf(term, sizeof(term), "%s %s %s", sign,
		    top_bytes(bytes, rss->terms[i]), reconcile_names[i]);
		if (x + strlen(term) + 4 > screen_columns()) {
			(void)screen_put(y, x, UINT32_MAX, SCREEN_FAINT,
			    " ...");
			return;
		}
		x = screen_put(y, x, UINT32_MAX, SCREEN_FAINT, "%s", term);
		sign = " +";
	}
}

static void
draw_rss(const struct top_process *p, unsigned y)
{
	char bytes[TEXT_BYTES_ROOM];
	unsigned x = draw_label(y, "rss");

	x = screen_put(y, x, UINT32_MAX, SCREEN_STRONG, "%s", p->resident ==
	    0 ? "-" : text_format_bytes(bytes, p->resident));
	if (p->rss.peak != 0)
		x = screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, ", peak %s",
		    text_format_bytes(bytes, max_u64(p->rss.peak,
		    p->resident)));
	draw_terms(&p->rss, y, x);
}

static unsigned
draw_rate(unsigned y, unsigned x, bool known, const struct trend_line *line,
    const char *when)
{
	enum screen_style style = SCREEN_PLAIN;
	char rate[TOP_RATE_ROOM];

	if (known && trend_is_sure(line))
		style = line->rate > 0 ? SCREEN_WARN : SCREEN_GOOD;
	x = screen_put(y, x, UINT32_MAX, style, "%s", known ?
	    top_rate(rate, line->rate) : "-");
	return screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, " %s", when);
}

static void
draw_growth(const struct top_process *p, unsigned y)
{
	bool old = age_ns(p) > NS_PER_HOUR;
	unsigned x = draw_label(y, "growth");

	if (!p->minute_known && !p->hour_known) {
		(void)screen_put(y, x, UINT32_MAX, SCREEN_FAINT,
		    "not known yet");
		return;
	}
	x = draw_rate(y, x, p->minute_known, &p->minute, "in a minute");
	x = screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, ", ");
	x = draw_rate(y, x, p->hour_known, &p->hour, old ? "in an hour" :
	    "since its start");
	if (p->leaks.growing != 0)
		(void)screen_put(y, x, UINT32_MAX, SCREEN_BAD,
		    "; %zu site%s grow%s", p->leaks.growing,
		    p->leaks.growing == 1 ? "" : "s",
		    p->leaks.growing == 1 ? "s" : "");
}

/* Of what is allowed so much is used. */
static enum screen_style
limit_style(uint64_t used, uint64_t bytes)
{
	double share = bytes != 0 ? (double)used / (double)bytes : 1;

	return share < 0.7 ? SCREEN_GOOD : share < 0.9 ? SCREEN_WARN :
	    SCREEN_BAD;
}

#define BAR_LEAST 5
#define BAR_MOST  40

static void
draw_limit(const struct top_process *p, unsigned y)
{
	char used[TEXT_BYTES_ROOM], bytes[TEXT_BYTES_ROOM], words[96];
	char bar[CHART_BAR_ROOM], left[TEXT_DURATION_ROOM], tail[80] = "";
	const struct limit *l = &p->limit;
	unsigned x = draw_label(y, "limit"), room;

	if (l->bytes == LIMIT_NONE) {
		(void)screen_put(y, x, UINT32_MAX, SCREEN_FAINT, p->pid != 0 ?
		    "none" : "-");
		return;
	}
	snprintf(words, sizeof(words), " %s of %s, %s",
	    text_format_bytes(used, l->used),
	    text_format_bytes(bytes, l->bytes), l->source);
	if (p->left_s < UINT64_MAX / NS_PER_S)
		snprintf(tail, sizeof(tail),
		    "; %s to the limit at this rate",
		    text_format_duration(left, p->left_s * NS_PER_S));
	room = (unsigned)above_u64(screen_columns(), x + strlen(words) +
	    strlen(tail) + 1);
	if (room < BAR_LEAST && tail[0] != '\0') {
		snprintf(tail, sizeof(tail), "; %s left", left);
		room = (unsigned)above_u64(screen_columns(), x +
		    strlen(words) + strlen(tail) + 1);
	}
	room = (unsigned)min_u64(room, BAR_MOST);
	x = screen_put(y, x, UINT32_MAX, limit_style(l->used, l->bytes), "%s",
	    room < BAR_LEAST ? "" : chart_bar(bar, room, l->used, l->bytes,
	    screen_is_utf8()));
	x = screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, "%s",
	    words + (room < BAR_LEAST));
	(void)screen_put(y, x, UINT32_MAX, SCREEN_BAD, "%s", tail);
}

/* --- the chart ------------------------------------------------------------ */

#define AXIS 10 /* columns left of it */

/* A process is young at first: its life is shown, and at least a minute. */
static void
fill_chart(const struct top_process *p, struct chart *c)
{
	const struct profile *f = &p->profile;
	uint64_t chosen = top_spans[p->span].ns, span;
	const struct point **points;
	size_t count = 0;

	span = min_u64(chosen, max_u64(age_ns(p), NS_PER_MINUTE));
	c->to_ns = f->now_ns;
	c->from_ns = above_u64(f->now_ns, span);
	c->columns = (unsigned)min_u64(above_u64(screen_columns(), AXIS + 1),
	    CHART_COLUMNS_MOST);
	points = profile_points(f, span > SERIES_SECONDS * NS_PER_S, &count);
	chart_fill(c, points, points != NULL ? count : 0,
	    p->totals.live_bytes);
	free(points);
}

/* Marks are arrows; returns the last column that has one. */
static unsigned
draw_arrows(const struct top_process *p, const struct chart *c, unsigned y)
{
	const char *arrow = screen_is_utf8() ? "\u25b2" : "^";
	unsigned last = 0;

	for (size_t i = 0; i < p->profile.marks; i++) {
		const struct mark *m = &p->profile.mark[i];
		int column = profile_mark_kind(m) == NULL ? -1 :
		    chart_column(c, m->at_ns);

		if (column < 0)
			continue;
		last = (unsigned)max_u64(last, (unsigned)column);
		(void)screen_put(y, AXIS + (unsigned)column, 1, SCREEN_WARN,
		    "%s", arrow);
	}
	return last;
}

static void
draw_axis(const struct top_process *p, const struct chart *c, unsigned y)
{
	const char *end = p->pid != 0 ? "now" : "end";
	char span[TEXT_DURATION_ROOM];

	text_format_duration(span, c->to_ns - c->from_ns);
	if (strstr(span, " 0 ") != NULL)
		*strstr(span, " 0 ") = '\0';
	(void)screen_put(y, AXIS, UINT32_MAX, SCREEN_FAINT, "%s ago", span);
	if (draw_arrows(p, c, y) + strlen(end) < c->columns)
		(void)screen_put_right(y, AXIS, c->columns, SCREEN_FAINT,
		    "%s", end);
}

static void
draw_chart(const struct top_process *p, unsigned y, unsigned rows)
{
	char bytes[TEXT_BYTES_ROOM];
	struct chart c;

	fill_chart(p, &c);
	(void)screen_put_right(y, 0, AXIS - 1, SCREEN_FAINT, "%s",
	    text_format_bytes(bytes, c.most));
	if (rows > 1)
		(void)screen_put_right(y + rows - 1, 0, AXIS - 1,
		    SCREEN_FAINT, "0");
	for (unsigned row = 0; row < rows; row++)
		for (unsigned i = 0; i < c.columns; i++)
			(void)screen_put(y + row, AXIS + i, 1, SCREEN_HEAD,
			    "%s", chart_cell(&c, i, rows - 1 - row, rows,
			    screen_is_utf8()));
	draw_axis(p, &c, y + rows);
}

/* --- all of it ------------------------------------------------------------ */

void
top_process_draw(struct top_process *p)
{
	struct layout l = share_rows(screen_rows(), p->profile.marks);
	unsigned y = 1;

	draw_title(p);
	draw_heap(p, y++);
	draw_rss(p, y++);
	draw_growth(p, y++);
	draw_limit(p, y++);
	if (l.chart != 0) {
		draw_chart(p, y, l.chart);
		y += l.chart + 1;
	}
	top_sites_draw(p, y, l.sites);
	y += 1 + l.sites;
	if (l.marks != 0)
		top_marks_draw(p, y, l.marks);
}
