#include "control/mark.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "control/ages.h"
#include "control/history.h"
#include "sys/sys.h"

/* --- figures of all sites ------------------------------------------------- */

static struct moment *
moments(const struct control *c)
{
	return control_rows(c, TABLE_MOMENTS);
}

/*
 * Every other column goes, and of two neighbours the one whose mark has no name
 * that somebody gave it.  @keep: the columns that stay; returns how many.
 */
static uint32_t
choose(const struct control *c, uint32_t keep[TREND_COLUMNS])
{
	const struct moment *m = moments(c);
	uint32_t i, n = 0;

	for (i = 0; i < TREND_COLUMNS; i += 2)
		keep[n++] = i + (m[i].kind != MARK_NAMED &&
		    m[i + 1].kind == MARK_NAMED);
	return n;
}

/* Where what is older than the mark of each column, and younger than that of
 * the one before, belongs when these are kept. */
static void
map_ages(const uint32_t *keep, uint32_t kept, uint8_t to[TREND_COLUMNS])
{
	uint32_t i, n = 0;

	for (i = 0; i < TREND_COLUMNS; i++) {
		while (n < kept && keep[n] < i)
			n++;
		to[i] = (uint8_t)n;
	}
}

/* Which of its columns a mark has; 0: none (any more). */
static void
tell_mark(struct control *c, const struct moment *m, uint32_t column)
{
	struct mark *mark = control_rows(c, TABLE_MARKS);

	if (m->mark != 0 && m->mark <= control_count(c, TABLE_MARKS))
		mark[m->mark - 1].column = column;
}

/* What is left is in order. */
static void
thin_out(struct control *c)
{
	struct segment_watch *w = &c->segment->watch;
	uint32_t keep[TREND_COLUMNS];
	uint32_t kept = choose(c, keep);
	uint8_t to[TREND_COLUMNS];
	uint32_t i;

	for (i = 0; i < TREND_COLUMNS; i++)
		tell_mark(c, &moments(c)[i], 0);
	history_thin_out(c, keep, kept);
	for (i = 0; i < kept; i++)
		moments(c)[i] = moments(c)[keep[i]];
	for (i = 0; i < kept; i++)
		tell_mark(c, &moments(c)[i], i + 1);
	w->trend_used = kept;
	w->trend_stride *= 2;
	map_ages(keep, kept, to);
	ages_thin_out(c, to);
}

/* By whoever holds trend_busy.  The columns are thinned out once the last is
 * in use: what is allocated afterwards has one, too. */
static void
note_figures(struct control *c, const struct moment *moment)
{
	struct segment_watch *w = &c->segment->watch;
	uint32_t column = w->trend_used;

	if (column >= TREND_COLUMNS ||
	    control_reach(c, TABLE_MOMENTS, column + 1) < 0 ||
	    history_note(c, column) < 0)
		return;
	moments(c)[column] = *moment;
	w->trend_used = column + 1;
	tell_mark(c, moment, column + 1);
	if (w->trend_used == TREND_COLUMNS)
		thin_out(c);
	atomic_fetch_add(&w->trend_opened, 1);
}

/* --- marks ---------------------------------------------------------------- */

static int64_t
note(struct control *c, enum mark_kind kind, const char *name,
    uint64_t now_ns, uint32_t epoch, const struct control_sums *sums)
{
	int64_t number = control_take(c, TABLE_MARKS);
	struct mark *m;

	if (number < 0)
		return number;
	m = (struct mark *)control_rows(c, TABLE_MARKS) + number;
	m->at_ns = now_ns;
	m->live_bytes = (int64_t)sums->live_bytes;
	m->allocated = sums->allocated;
	m->freed = sums->freed;
	m->allocations = sums->allocations;
	m->frees = sums->frees;
	m->resident = c->segment->rss[RSS_LAST].resident;
	m->epoch = epoch;
	memcpy(m->name, name, min_u64(strlen(name), MARK_NAME_MOST));
	atomic_store(&m->kind, kind);
	return number;
}

/*
 * One that comes by itself and gets no figures of sites: a mark without them,
 * for as long as there are few.
 */
static int64_t
end_quietly(struct control *c, enum mark_kind kind, const char *name,
    uint64_t now_ns)
{
	struct control_sums sums;

	if (kind == MARK_AUTO ||
	    control_count(c, TABLE_MARKS) >= MARKS_OF_ALL_EPOCHS)
		return MARK_NOT_KEPT;
	control_sum(c, &sums);
	return note(c, kind, name, now_ns, c->segment->watch.epochs, &sums);
}

/*
 * An epoch ends; by whoever holds trend_busy.  A mark with a name that somebody
 * gave it has figures; of those that come by themselves every so-manyth.
 */
static int64_t
end_epoch(struct control *c, enum mark_kind kind, const char *name,
    uint64_t now_ns)
{
	struct segment_watch *w = &c->segment->watch;
	struct moment moment = { .at_ns = now_ns, .kind = kind };
	int64_t number = MARK_NOT_KEPT;
	struct control_sums sums;

	if (w->trend_stride == 0)
		w->trend_stride = 1;
	w->epochs += kind != MARK_AUTO;
	w->paced += kind == MARK_BATCH || kind == MARK_TIME;
	if (kind != MARK_NAMED && w->trend_ticks++ % w->trend_stride != 0)
		return end_quietly(c, kind, name, now_ns);
	control_sum(c, &sums);
	if (kind != MARK_AUTO) {
		moment.epoch = w->epochs;
		number = note(c, kind, name, now_ns, w->epochs, &sums);
		moment.mark = number >= 0 ? (uint32_t)number + 1 : 0;
	}
	moment.live_bytes = (int64_t)sums.live_bytes;
	moment.allocated = sums.allocated;
	note_figures(c, &moment);
	return number;
}

/*
 * Who comes by time does not wait for who is at it.  One whom somebody sent
 * does: it may be another process, which the kernel has put aside; after a
 * second it has been killed there, and we go on in its place.
 */
static bool
take_turn(_Atomic uint32_t *busy, enum mark_kind kind)
{
	bool waits = kind == MARK_NAMED || kind == MARK_BATCH;
	uint64_t since = 0;
	uint32_t idle = 0;

	while (!atomic_compare_exchange_strong(busy, &idle, 1)) {
		if (!waits)
			return false;
		if (!sys_give_way(&since))
			return true;
		idle = 0;
	}
	return true;
}

int64_t
mark_set(struct control *c, enum mark_kind kind, const char *name,
    uint64_t now_ns)
{
	_Atomic uint32_t *busy = &c->segment->watch.trend_busy;
	struct control_sums sums;
	int64_t number;

	if (mark_is_epoch(kind) && take_turn(busy, kind)) {
		number = end_epoch(c, kind, name, now_ns);
		atomic_store(busy, 0);
		return number;
	}
	control_sum(c, &sums);
	return note(c, kind, name, now_ns, 0, &sums);
}

const char *
mark_kind_name(uint32_t kind)
{
	static const char *const names[MARK_KINDS] = {
		[MARK_NAMED] = "mark",
		[MARK_TIME] = "epoch",
		[MARK_BATCH] = "batch",
		[MARK_STACKS] = "stacks",
		[MARK_TRIM] = "trim",
		[MARK_GROWTH] = "growth",
	};

	return kind < MARK_KINDS ? names[kind] : NULL;
}

/* 0: there are none. */
static uint64_t
time_between(const struct segment *s)
{
	uint64_t every = atomic_load(&s->config.epoch_ns);

	if (every != 0 || s->watch.paced != 0 ||
	    atomic_load(&s->config.stacks) == STACKS_NONE)
		return every;
	return MARK_AUTO_NS;
}

void
mark_by_time(struct control *c, uint64_t now_ns)
{
	struct segment *s = c->segment;
	uint64_t every = time_between(s);
	uint64_t start = s->identity.clock_ns;
	uint64_t due = atomic_load(&s->watch.next_mark_ns);
	uint64_t next = now_ns + NS_PER_S;
	char name[32];
	struct text t;

	/* Those that went by unseen, with the heap at rest, are one. */
	if (every != 0)
		next = start + (1 + above_u64(now_ns, start) / every) * every;
	if (now_ns < due || due >= next || !atomic_compare_exchange_strong(
	    &s->watch.next_mark_ns, &due, next))
		return;
	if (every == 0 || now_ns < start + every)
		return;
	text_open(&t, name, sizeof(name));
	text_put(&t, "epoch ");
	text_put_u64(&t, (next - start) / every - 1);
	(void)mark_set(c, atomic_load(&s->config.epoch_ns) != 0 ? MARK_TIME :
	    MARK_AUTO, name, now_ns);
}
