/*
 * answer-sites.c - the sites that hold most, and the marks
 */
#include "control/answer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "control/history.h"
#include "control/mark.h"
#include "control/reply.h"
#include "sys/sys.h"

#define SITES_MOST  100
#define MARKS_MOST  500

/* --- what sites hold ------------------------------------------------------ */

enum order { BY_LIVE, BY_GROWTH, BY_COUNT };

struct holding {
	int64_t live, blocks;
	uint64_t allocations;
	int64_t growth; /* since the last column of struct trend */
};

struct holdings {
	struct holding *of; /* by site */
	uint64_t sites, bytes;
	bool since; /* there is a column to compare with */
};

static int
open_holdings(struct holdings *h, const struct control *c)
{
	void *room;

	h->sites = control_count(c, TABLE_SITES);
	h->bytes = round_up((h->sites + 1) * sizeof(h->of[0]), 4096);
	room = sys_mmap(NULL, h->bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_error_of(room) < 0)
		return sys_error_of(room);
	h->of = room;
	return 0;
}

static void
add_part(void *context, uint32_t site, const struct control_part *p)
{
	struct holding *of = (struct holding *)context + site;

	of->live += p->bytes;
	of->blocks += p->blocks;
	of->allocations += p->allocations;
}

static void
add_up(struct holdings *h, const struct control *c)
{
	uint32_t used = min_u64(c->segment->watch.trend_used, TREND_COLUMNS);
	uint64_t i;

	control_each_part(c, h->sites, add_part, h->of);
	h->since = used > 0;
	for (i = 0; i < h->sites; i++)
		h->of[i].growth = h->of[i].live - (h->since ?
		    history_at(c, i, used - 1) : 0);
}

static int64_t
value_of(const struct holding *h, enum order order)
{
	switch (order) {
	case BY_GROWTH: return h->growth;
	case BY_COUNT: return h->blocks;
	default: return h->live;
	}
}

struct by_value {
	const struct holdings *held;
	enum order order;
};

static bool
holds_any(const void *context, uint32_t site)
{
	const struct by_value *by = context;

	return value_of(&by->held->of[site], by->order) > 0;
}

static bool
holds_more(const void *context, uint32_t a, uint32_t b)
{
	const struct by_value *by = context;

	return value_of(&by->held->of[a], by->order) >
	    value_of(&by->held->of[b], by->order);
}

static void
put_site(const struct control *c, const struct holdings *h, uint32_t site,
    struct text *t)
{
	const struct holding *of = &h->of[site];

	reply_open(t, NULL);
	reply_u64(t, "site", site);
	reply_i64(t, "live_bytes", of->live);
	reply_i64(t, "live_blocks", of->blocks);
	reply_u64(t, "allocations", of->allocations);
	if (h->since)
		reply_i64(t, "growth_bytes", of->growth);
	answer_stack(c, site, t);
	reply_close(t);
}

/* `sites`, `sites 5`, `sites by growth`, `sites 5 by count` */
static bool
read_order(const struct request *r, uint64_t *n, enum order *order,
    struct text *t)
{
	static const char *const words[] = { "live", "growth", "count" };
	size_t at = 1;
	size_t i;

	*n = 10;
	*order = BY_LIVE;
	if (at < r->words && !request_is(r, at, "by") &&
	    !answer_count(r, at++, SITES_MOST, 10, t, n))
		return false;
	if (at == r->words)
		return true;
	for (i = 0; at + 2 == r->words && request_is(r, at, "by") &&
	    i < ARRAY_LENGTH(words); i++)
		if (request_is(r, at + 1, words[i])) {
			*order = (enum order)i;
			return true;
		}
	request_refuse(t, -EINVAL,
	    "'sites' is asked as: sites [N] [by live|growth|count]");
	return false;
}

void
answer_sites(struct control *c, const struct request *r, struct text *t)
{
	uint32_t best[SITES_MOST];
	struct holdings h;
	enum order order;
	uint64_t n;
	size_t found, i;

	if (!read_order(r, &n, &order, t))
		return;
	if (open_holdings(&h, c) < 0) {
		request_refuse(t, -ENOSPC, "there is no memory for it");
		return;
	}
	add_up(&h, c);
	found = answer_choose(&(struct answer_order){ holds_any, holds_more,
	    &(struct by_value){ &h, order } }, h.sites, n, best);
	reply_text(t, "stacks", control_stacks(atomic_load(
	    &c->segment->config.stacks)));
	reply_open_list(t, "sites");
	for (i = 0; i < found; i++)
		put_site(c, &h, best[i], t);
	reply_close_list(t);
	sys_munmap(h.of, h.bytes);
}

/* --- marks ---------------------------------------------------------------- */

static void
put_mark(const struct control *c, const struct mark *m, uint64_t number,
    struct text *t)
{
	const char *kind = mark_kind_name(atomic_load(&m->kind));

	if (kind == NULL)
		return; /* it is just being set */
	reply_open(t, NULL);
	reply_u64(t, "number", number);
	reply_text(t, "kind", kind);
	reply_text_bytes(t, "name", m->name, strnlen(m->name,
	    sizeof(m->name)));
	reply_number(t, "at", (double)above_u64(m->at_ns,
	    c->segment->identity.clock_ns) / (double)NS_PER_S);
	reply_i64(t, "live_bytes", m->live_bytes);
	reply_u64(t, "allocated_bytes", m->allocated);
	reply_u64(t, "resident", m->resident);
	reply_bool(t, "sites", m->column != 0);
	reply_close(t);
}

void
answer_marks(struct control *c, const struct request *r, struct text *t)
{
	const struct mark *mark = control_rows(c, TABLE_MARKS);
	uint64_t marks = control_count(c, TABLE_MARKS);
	uint64_t n, i;

	if (!answer_count(r, 1, MARKS_MOST, 20, t, &n))
		return;
	reply_open_list(t, "marks");
	for (i = marks - min_u64(n, marks); i < marks; i++)
		put_mark(c, &mark[i], i, t);
	reply_close_list(t);
}
