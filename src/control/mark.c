#include "control/mark.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"

/* --- figures of all sites ------------------------------------------------- */

static struct trend *
trends(const struct control *c)
{
	return control_rows(c, TABLE_TRENDS);
}

/* Every other column goes; what is left is in order. */
static void
thin_out(struct control *c)
{
	struct segment_watch *w = &c->segment->watch;
	struct mark *mark = control_rows(c, TABLE_MARKS);
	uint64_t marks = control_count(c, TABLE_MARKS);
	struct trend *t = trends(c);
	uint64_t n = control_count(c, TABLE_TRENDS);
	uint32_t i;

	for (i = 0; i < TREND_COLUMNS; i++)
		if (w->trend_mark[i] < marks)
			mark[w->trend_mark[i]].column =
			    i % 2 == 0 ? i / 2 + 1 : 0;
	for (; n > 0; n--, t++)
		for (i = 1; i < TREND_COLUMNS / 2; i++)
			atomic_store(&t->live_bytes[i],
			    atomic_load(&t->live_bytes[2 * i]));
	for (i = 1; i < TREND_COLUMNS / 2; i++)
		w->trend_mark[i] = w->trend_mark[2 * i];
	w->trend_used = TREND_COLUMNS / 2;
	w->trend_stride *= 2;
}

struct column {
	struct trend *trend; /* by site */
	uint32_t number;
};

static void
add_part(void *context, uint32_t site, const struct control_part *p)
{
	const struct column *column = context;
	_Atomic int64_t *to = &column->trend[site].live_bytes[column->number];

	/* Only who holds trend_busy is here. */
	atomic_store_explicit(to, atomic_load_explicit(to,
	    memory_order_relaxed) + p->bytes, memory_order_relaxed);
}

/* What the sites hold now goes into a column. */
static int
fill_column(struct control *c, uint32_t number)
{
	struct column column = { trends(c), number };
	uint64_t sites = control_count(c, TABLE_SITES);
	uint64_t i;

	if (control_reach(c, TABLE_TRENDS, sites) < 0)
		return -ENOSPC;
	for (i = 0; i < sites; i++)
		atomic_store_explicit(&column.trend[i].live_bytes[number], 0,
		    memory_order_relaxed);
	control_each_part(c, sites, add_part, &column);
	return 0;
}

static void
note_figures(struct control *c, uint32_t number)
{
	struct segment_watch *w = &c->segment->watch;
	struct mark *mark = (struct mark *)control_rows(c, TABLE_MARKS) +
	    number;
	uint32_t idle = 0;
	uint32_t column;

	if (!atomic_compare_exchange_strong(&w->trend_busy, &idle, 1))
		return;
	if (w->trend_stride == 0)
		w->trend_stride = 1;
	if (w->epochs++ % w->trend_stride != 0)
		goto out;
	if (w->trend_used >= TREND_COLUMNS) {
		thin_out(c);
		if ((w->epochs - 1) % w->trend_stride != 0)
			goto out;
	}
	column = w->trend_used;
	if (fill_column(c, column) < 0)
		goto out;
	atomic_store(&w->trend_mark[column], number);
	w->trend_used = column + 1;
	mark->column = column + 1;
out:
	atomic_store(&w->trend_busy, 0);
}

/* --- marks ---------------------------------------------------------------- */

int64_t
mark_set(struct control *c, enum mark_kind kind, const char *name,
    uint64_t now_ns)
{
	int64_t number = control_take(c, TABLE_MARKS);
	struct control_sums sums;
	struct mark *m;

	if (number < 0)
		return number;
	m = (struct mark *)control_rows(c, TABLE_MARKS) + number;
	control_sum(c, &sums);
	m->at_ns = now_ns;
	m->live_bytes = (int64_t)sums.live_bytes;
	m->allocated = sums.allocated;
	m->freed = sums.freed;
	m->allocations = sums.allocations;
	m->frees = sums.frees;
	m->resident = c->segment->rss[RSS_LAST].resident;
	memcpy(m->name, name, min_u64(strlen(name), MARK_NAME_MOST));
	if (mark_is_epoch(kind))
		note_figures(c, (uint32_t)number);
	atomic_store(&m->kind, kind);
	return number;
}

const char *
mark_kind_name(uint32_t kind)
{
	static const char *const names[MARK_KINDS] = {
		[MARK_NAMED] = "mark",
		[MARK_TIME] = "epoch",
		[MARK_STACKS] = "stacks",
		[MARK_TRIM] = "trim",
		[MARK_GROWTH] = "growth",
	};

	return kind < MARK_KINDS ? names[kind] : NULL;
}

void
mark_by_time(struct control *c, uint64_t now_ns)
{
	struct segment *s = c->segment;
	uint64_t every = atomic_load(&s->config.epoch_ns);
	uint64_t due = atomic_load(&s->watch.next_mark_ns);
	uint64_t next;
	char name[32];
	struct text t;

	if (every == 0)
		return;
	if (due == 0)
		due = s->identity.clock_ns + every;
	if (now_ns < due)
		return;
	/* Those that went by unseen, with the heap at rest, are one. */
	next = due + (1 + (now_ns - due) / every) * every;
	due = atomic_load(&s->watch.next_mark_ns);
	if (due >= next || !atomic_compare_exchange_strong(
	    &s->watch.next_mark_ns, &due, next))
		return;
	text_open(&t, name, sizeof(name));
	text_put(&t, "epoch ");
	text_put_u64(&t, (next - s->identity.clock_ns) / every - 1);
	(void)mark_set(c, MARK_TIME, name, now_ns);
}
