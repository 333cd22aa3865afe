/*
 * answer-scan.c - which blocks nobody can reach any more
 *
 * A scan is made by a child of the process, and begun by a thread of it: so it
 * is asked for by one request, and what it found is the answer to another.
 */
#include "control/answer.h"

#include <errno.h>

#include "base/base.h"
#include "control/reply.h"

#define SITES_MOST 100

static const char *const states[] = {
	[SCAN_NEVER] = "never",
	[SCAN_RUNS] = "runs",
	[SCAN_DONE] = "done",
	[SCAN_FAILED] = "failed",
};

/* --- asking for one ------------------------------------------------------- */

static void
ask(struct control *c, bool starts, struct text *t)
{
	struct segment_watch *w = &c->segment->watch;

	atomic_store(&w->scan_starts, starts);
	reply_u64(t, "scans_wanted", atomic_fetch_add(&w->scans_wanted, 1) +
	    1);
	reply_u64(t, "scans_done", atomic_load(&w->scans_done));
	control_nudge(c);
}

/* --- what the last one found ---------------------------------------------- */

static uint64_t
unreachable(const struct reach *r)
{
	return r->direct_bytes + r->indirect_bytes;
}

/* Rows of that number are of the last scan. */
struct rows {
	const struct reach *row;
	uint32_t number;
};

static bool
is_told(const void *context, uint32_t site)
{
	const struct rows *r = context;

	return r->row[site].number == r->number &&
	    unreachable(&r->row[site]) != 0;
}

static bool
is_before(const void *context, uint32_t a, uint32_t b)
{
	const struct rows *r = context;

	return unreachable(&r->row[a]) > unreachable(&r->row[b]);
}

static void
put_fates(struct text *t, uint64_t direct_blocks, uint64_t direct_bytes,
    uint64_t indirect_blocks, uint64_t indirect_bytes)
{
	reply_u64(t, "blocks", direct_blocks + indirect_blocks);
	reply_u64(t, "bytes", direct_bytes + indirect_bytes);
	reply_u64(t, "direct_blocks", direct_blocks);
	reply_u64(t, "direct_bytes", direct_bytes);
	reply_u64(t, "indirect_blocks", indirect_blocks);
	reply_u64(t, "indirect_bytes", indirect_bytes);
}

static void
put_sites(const struct control *c, uint32_t number, struct text *t)
{
	const struct reach *row = control_rows(c, TABLE_REACH);
	uint64_t rows = min_u64(control_count(c, TABLE_REACH),
	    control_count(c, TABLE_SITES));
	const struct rows of = { row, number };
	const struct answer_order order = { is_told, is_before, &of };
	uint32_t best[SITES_MOST];
	size_t found = answer_choose(&order, rows, SITES_MOST, best), i;

	reply_open_list(t, "sites");
	for (i = 0; i < found; i++) {
		const struct reach *r = &row[best[i]];

		reply_open(t, NULL);
		reply_u64(t, "site", best[i]);
		put_fates(t, r->direct_blocks, r->direct_bytes,
		    r->indirect_blocks, r->indirect_bytes);
		reply_u64(t, "error", r->error_bytes);
		reply_u64(t, "example", r->example);
		answer_stack(c, best[i], t);
		reply_close(t);
	}
	reply_close_list(t);
}

static void
put_result(const struct control *c, const struct segment_scan *s,
    struct text *t)
{
	reply_number(t, "at", (double)above_u64(s->at_ns,
	    c->segment->identity.clock_ns) / (double)NS_PER_S);
	reply_u64(t, "pause_ns", s->pause_ns);
	reply_number(t, "seconds", (double)s->took_ns / (double)NS_PER_S);
	reply_number(t, "cpu_seconds", (double)s->busy_ns / (double)NS_PER_S);
	reply_u64(t, "scanned", s->scanned);
	reply_u64(t, "live_blocks", s->blocks);
	reply_u64(t, "live_bytes", s->bytes);
	reply_bool(t, "interior", s->starts == 0);
	reply_bool(t, "complete", s->complete == 1);
	reply_u64(t, "threads", s->threads);
	reply_u64(t, "threads_unseen", s->unseen);
	reply_u64(t, "unknown_bytes", s->unknown_bytes);
	reply_u64(t, "memory", s->memory_bytes);
	reply_open(t, "unreachable");
	put_fates(t, s->direct_blocks, s->direct_bytes, s->indirect_blocks,
	    s->indirect_bytes);
	reply_close(t);
	put_sites(c, atomic_load(&s->number), t);
}

static void
tell(struct control *c, struct text *t)
{
	const struct segment_scan *s = &c->segment->scan;
	const struct segment_watch *w = &c->segment->watch;
	uint32_t state = atomic_load(&s->state);

	reply_u64(t, "scans_wanted", atomic_load(&w->scans_wanted));
	reply_u64(t, "scans_done", atomic_load(&w->scans_done));
	reply_u64(t, "number", atomic_load(&s->number));
	reply_text(t, "state", state < ARRAY_LENGTH(states) ? states[state] :
	    "unknown");
	if (state == SCAN_FAILED)
		reply_text(t, "why", control_scan_why(s->why));
	if (state == SCAN_DONE)
		put_result(c, s, t);
}

void
answer_scan(struct control *c, const struct request *r, struct text *t)
{
	if (request_is(r, 1, "last"))
		tell(c, t);
	else if (r->words == 1 || request_is(r, 1, "starts"))
		ask(c, r->words > 1, t);
	else
		request_refuse(t, -EINVAL,
		    "'scan' is asked as: scan [starts|last]");
}
