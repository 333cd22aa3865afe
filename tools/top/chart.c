#include "top/chart.h"

#include <string.h>

#include "base/base.h"

#define EIGHTHS 8

static const char *const blocks[EIGHTHS + 1] = {
	" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586",
	"\u2587", "\u2588",
};

/* As dark as they are high. */
static const char *const letters[EIGHTHS + 1] = {
	" ", ".", ".", ":", ":", "+", "+", "#", "#",
};

static uint64_t
bytes_of(const struct point *p)
{
	return p->live_bytes > 0 ? (uint64_t)p->live_bytes : 0;
}

/* When column @i begins. */
static uint64_t
begin_of(const struct chart *c, unsigned i)
{
	return c->from_ns + whole_u64((double)(c->to_ns - c->from_ns) * i /
	    c->columns);
}

void
chart_fill(struct chart *c, const struct point *const *points, size_t count,
    uint64_t now)
{
	uint64_t carried = CHART_UNKNOWN;
	size_t at = 0;

	c->most = now;
	for (unsigned i = 0; i < c->columns; i++) {
		uint64_t end = i + 1 < c->columns ? begin_of(c, i + 1) :
		    UINT64_MAX;
		uint64_t value;

		while (at < count && points[at]->at_ns <= begin_of(c, i))
			carried = bytes_of(points[at++]);
		value = carried;
		for (; at < count && points[at]->at_ns < end; at++) {
			carried = bytes_of(points[at]);
			value = value == CHART_UNKNOWN ? carried :
			    max_u64(value, carried);
		}
		c->value[i] = value;
		if (value != CHART_UNKNOWN)
			c->most = max_u64(c->most, value);
	}
	if (c->columns != 0)
		c->value[c->columns - 1] = now;
}

int
chart_column(const struct chart *c, uint64_t at_ns)
{
	double span = (double)(c->to_ns - c->from_ns);

	if (at_ns < c->from_ns || at_ns > c->to_ns || c->columns == 0)
		return -1;
	return (int)min_u64(c->columns - 1, whole_u64(span > 0 ?
	    (double)(at_ns - c->from_ns) / span * c->columns : 0));
}

const char *
chart_cell(const struct chart *c, unsigned column, unsigned row,
    unsigned rows, bool utf8)
{
	uint64_t value = c->value[column], height, level;

	if (value == CHART_UNKNOWN || c->most == 0)
		return " ";
	height = whole_u64((double)value / (double)c->most * rows * EIGHTHS +
	    0.5);
	if (value != 0 && height == 0)
		height = 1; /* little is not nothing */
	level = min_u64(above_u64(height, (uint64_t)row * EIGHTHS), EIGHTHS);
	return utf8 ? blocks[level] : letters[level];
}

char *
chart_bar(char buffer[CHART_BAR_ROOM], unsigned room, uint64_t part,
    uint64_t whole, bool utf8)
{
	double share = whole != 0 ? (double)part / (double)whole : 0;
	unsigned filled;

	/* Three bytes a cell. */
	room = (unsigned)min_u64(room, (CHART_BAR_ROOM - 1) / 3);
	filled = (unsigned)min_u64(room, whole_u64(share * room + 0.5));
	if (part != 0 && filled == 0 && room != 0)
		filled = 1;
	buffer[0] = '\0';
	for (unsigned i = 0; i < room; i++)
		strcat(buffer, i < filled ? (utf8 ? blocks[EIGHTHS] : "#") :
		    utf8 ? "\u2591" : ".");
	return buffer;
}
