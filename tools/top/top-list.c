/*
 * top-list.c - the list of processes: which, in what order, who is selected
 */
#include "top/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "say/need.h"

/* More than memory has; a damaged profile may say anything. */
#define RATE_MOST 1e18

/* --- what both lists need ------------------------------------------------- */

void
top_scroll_move(struct top_scroll *s, long by, size_t count)
{
	if (by < 0)
		s->at -= min_u64(s->at, (uint64_t)-by);
	else
		s->at = min_u64(s->at + (uint64_t)by, above_u64(count, 1));
}

void
top_scroll_fit(struct top_scroll *s, size_t page, size_t count)
{
	s->page = page;
	s->at = min_u64(s->at, above_u64(count, 1));
	if (s->at < s->first)
		s->first = s->at;
	if (s->at >= s->first + page)
		s->first = above_u64(s->at + 1, page);
	s->first = min_u64(s->first, above_u64(count, page));
}

char *
top_bytes(char text[TEXT_BYTES_ROOM], uint64_t bytes)
{
	char *point;

	text_format_bytes(text, bytes);
	point = strchr(text, '.');
	if (point != NULL && point - text >= 3)
		memmove(point, strchr(text, ' '), strlen(strchr(text, ' ')) +
		    1);
	return text;
}

char *
top_rate(char text[TOP_RATE_ROOM], double rate)
{
	char bytes[TEXT_BYTES_ROOM];
	double size = rate < 0 ? -rate : rate;

	if (!(size >= 1 && size < RATE_MOST))
		snprintf(text, TOP_RATE_ROOM, "0");
	else
		snprintf(text, TOP_RATE_ROOM, "%c%s/s", rate < 0 ? '-' : '+',
		    top_bytes(bytes, (uint64_t)size));
	return text;
}

/* --- rows ----------------------------------------------------------------- */

/* What a process was before an exec is not listed; its children are. */
static bool
is_listed(const struct top_list *l, const struct process *p)
{
	char pid[24];

	if (p->trouble != NULL || p->state == PROCESS_REPLACED)
		return false;
	snprintf(pid, sizeof(pid), "%lld", process_shown_pid(p));
	return l->filter[0] == '\0' || strcmp(pid, l->filter) == 0 ||
	    strcasestr(p->command, l->filter) != NULL;
}

static void
add_tree(struct top_list *l, struct process *p, unsigned depth)
{
	if (p->shown)
		return;
	p->shown = true;
	if (is_listed(l, p))
		l->row[l->rows++] = (struct top_row){ p, depth++ };
	for (struct process *c = p->first_child; c != NULL; c = c->sibling)
		add_tree(l, c, depth);
}

static double
value_of(const struct process *p, enum top_sort sort)
{
	switch (sort) {
	case SORT_HEAP: return (double)p->heap;
	case SORT_PEAK: return (double)p->peak;
	case SORT_RSS: return (double)p->resident;
	case SORT_GROWTH: return p->moves ? p->growth.rate : 0;
	default: return 0;
	}
}

static enum top_sort sort_key; /* qsort() hands nothing through */

/* The dead last: they take nothing. */
static int
compare_rows(const void *a, const void *b)
{
	const struct process *x = ((const struct top_row *)a)->process;
	const struct process *y = ((const struct top_row *)b)->process;
	bool lx = process_is_living(x->state), ly = process_is_living(y->state);
	double vx = value_of(x, sort_key), vy = value_of(y, sort_key);

	if (lx != ly)
		return lx ? -1 : 1;
	if (vx != vy)
		return vx > vy ? -1 : 1;
	return x->key.ticks < y->key.ticks ? -1 : x->key.ticks > y->key.ticks;
}

/* Whom the cursor was on keeps it; where that is gone, the line does. */
static void
follow_selected(struct top_list *l)
{
	for (size_t i = 0; i < l->rows; i++)
		if (memcmp(&l->row[i].process->key, &l->selected,
		    sizeof(l->selected)) == 0)
			l->scroll.at = i;
	top_list_move(l, 0);
}

void
top_list_arrange(struct top_list *l)
{
	struct processes *ps = &l->processes;

	free(l->row);
	l->row = need(calloc(ps->count + 1, sizeof(l->row[0])));
	l->rows = 0;
	for (size_t i = 0; i < ps->count; i++)
		ps->process[i]->shown = false;
	for (size_t i = 0; i < ps->count; i++)
		if (!ps->process[i]->has_parent)
			add_tree(l, ps->process[i], 0);
	for (size_t i = 0; i < ps->count; i++)
		add_tree(l, ps->process[i], 0);
	if (l->sort != SORT_TREE) {
		sort_key = l->sort;
		qsort(l->row, l->rows, sizeof(l->row[0]), compare_rows);
		for (size_t i = 0; i < l->rows; i++)
			l->row[i].depth = 0;
	}
	follow_selected(l);
}

/* --- reading -------------------------------------------------------------- */

static void
sum_up(struct top_list *l)
{
	l->living = l->dead = l->damaged = 0;
	l->heap = l->resident = 0;
	for (size_t i = 0; i < l->processes.count; i++) {
		const struct process *p = l->processes.process[i];

		l->damaged += p->trouble != NULL;
		l->dead += p->trouble == NULL && p->state == PROCESS_DEAD;
		if (p->trouble != NULL || !process_is_living(p->state))
			continue;
		l->living++;
		l->heap += p->heap;
		l->resident += p->resident;
	}
}

void
top_list_read(struct top_list *l)
{
	l->why[0] = '\0';
	(void)processes_read(&l->processes, l->why);
	for (size_t i = 0; i < l->processes.count; i++)
		process_measure(l->processes.process[i]);
	sum_up(l);
	top_list_arrange(l);
}

void
top_list_free(struct top_list *l)
{
	free(l->row);
	processes_free(&l->processes);
	*l = (struct top_list){ .rows = 0 };
}

/* --- the cursor ----------------------------------------------------------- */

void
top_list_move(struct top_list *l, long by)
{
	top_scroll_move(&l->scroll, by, l->rows);
	if (l->rows != 0)
		l->selected = l->row[l->scroll.at].process->key;
}

const struct process *
top_list_selected(const struct top_list *l)
{
	return l->scroll.at < l->rows ? l->row[l->scroll.at].process : NULL;
}
