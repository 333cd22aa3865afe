/*
 * merge.c - the profiles of many processes of one job as one
 */
#include "formats/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "report/report.h"
#include "say/need.h"

#define POINTS_MOST 4096 /* of the sum's series */

/* --- spreads -------------------------------------------------------------- */

static void
spread_add(struct merge_spread *s, uint32_t rank, uint64_t value)
{
	if (s->ranks == 0 || value < s->least) {
		s->least = value;
		s->who_least = rank;
	}
	if (s->ranks == 0 || value > s->most) {
		s->most = value;
		s->who_most = rank;
	}
	s->sum += value;
	s->ranks++;
}

/* Some had nothing: the least is 0, and whose it is cannot be told. */
static void
spread_finish(struct merge_spread *s, size_t ranks)
{
	if (s->ranks < ranks)
		s->least = 0;
}

double
merge_mean(const struct merge *m, const struct merge_spread *s)
{
	return m->ranks == 0 ? 0 : (double)s->sum / (double)m->ranks;
}

/* --- opening -------------------------------------------------------------- */

void
merge_open(struct merge *m, size_t ranks)
{
	*m = (struct merge){ .forge = forge_open() };
	m->rank = need(calloc(ranks + 1, sizeof(*m->rank)));
	forge_segment(m->forge)->config.stacks = STACKS_NONE;
	forge_segment(m->forge)->config.depth = 0;
}

void
merge_close(struct merge *m)
{
	for (size_t i = 0; i < m->ranks; i++) {
		free(m->rank[i].file);
		free(m->rank[i].host);
	}
	free(m->rank);
	free(m->site);
	free(m->step);
	if (m->sum.segment != NULL)
		profile_close(&m->sum);
	forge_close(m->forge);
}

/* --- who it is ------------------------------------------------------------ */

static void
put_rank(struct merge *m, const struct profile *p)
{
	const struct segment_identity *id = &p->segment->identity;
	struct merge_rank *rank = &m->rank[m->ranks];

	*rank = (struct merge_rank){
		.file = need_text("%s", p->path),
		.host = profile_text(p, id->host),
		.pid = id->pid,
		.started_ns = id->started_ns,
		.ended_ns = add_i64(id->started_ns,
		    (int64_t)(p->now_ns - id->clock_ns)),
		.ticks = id->start_ticks,
		.end = report_end(p),
	};
	profile_totals(p, &rank->totals);
}

/* Twice the same would count twice. */
static bool
is_new(const struct merge *m, char why[512])
{
	const struct merge_rank *b = &m->rank[m->ranks];

	for (size_t i = 0; i < m->ranks; i++) {
		const struct merge_rank *a = &m->rank[i];

		if (strcmp(a->file, b->file) != 0 && (a->pid == 0 ||
		    a->pid != b->pid || a->ticks != b->ticks ||
		    a->started_ns != b->started_ns ||
		    strcmp(a->host, b->host) != 0))
			continue;
		snprintf(why, 512, "'%.200s' and '%.200s' are of the same "
		    "process, which would count twice", a->file, b->file);
		return false;
	}
	return true;
}

/* --- sites ---------------------------------------------------------------- */

static uint32_t
put_note(struct merge *m, const struct profile *p, uint32_t parent,
    uint64_t pc)
{
	if (pc >= NODE_POOL && pc - NODE_POOL < p->pools)
		pc = NODE_POOL + forge_pool(m->forge,
		    &p->pool[pc - NODE_POOL]);
	return forge_address(m->forge, parent, pc);
}

static uint32_t
put_stack(struct merge *m, const struct profile *p, struct symbols *symbols,
    const struct site *site)
{
	struct frame *frame;
	size_t count = symbols_stack(symbols, site, &frame);
	uint32_t node = 0;

	for (size_t i = count; i-- > 0; ) {
		const struct forge_frame f = {
			frame[i].function, frame[i].file, frame[i].module,
			frame[i].line, frame[i].inlined,
		};

		node = frame[i].note ? put_note(m, p, node, frame[i].pc) :
		    forge_node(m->forge, node, &f);
	}
	free(frame);
	return node != 0 ? node : forge_address(m->forge, 0, NODE_NO_STACK);
}

static void
add_figures(struct figures *to, const struct figures *f)
{
	to->allocations += f->allocations;
	to->allocated_bytes += f->allocated_bytes;
	to->live_blocks += f->live_blocks;
	to->live_bytes += f->live_bytes;
	to->live_requested_bytes += f->live_requested_bytes;
	to->at_peak_bytes += f->at_peak_bytes;
	to->temporary += f->temporary;
	to->drawn += f->drawn;
	forge_add_error(to, f->error_bytes);
}

/* That of figures in the sum; what is new is all zero. */
static struct merge_site *
site_at(struct merge *m, size_t number)
{
	if (number >= m->sites_room) {
		size_t room = max_u64(256, number * 2);

		m->site = need(realloc(m->site, room * sizeof(*m->site)));
		memset(m->site + m->sites_room, 0,
		    (room - m->sites_room) * sizeof(*m->site));
		m->sites_room = room;
	}
	m->sites = max_u64(m->sites, number + 1);
	return &m->site[number];
}

/* Two sites of one rank may be one by name: their figures come together. */
struct own {
	uint64_t live, peak;
};

static void
add_rows(struct merge *m, const struct report *r, const struct site_row *row,
    size_t rows, struct own **own, size_t *owns)
{
	report_resolve(r, row, rows);
	for (size_t i = 0; i < rows; i++) {
		const struct site *site = row[i].site;
		struct figures *to = forge_site(m->forge, put_stack(m,
		    r->profile, r->symbols, site), site->flags & SITE_APART);
		size_t number = forge_number(m->forge, to);

		add_figures(to, row[i].figures);
		if (number >= *owns) {
			*own = need(realloc(*own, (number * 2 + 64) *
			    sizeof(**own)));
			memset(*own + *owns, 0, (number * 2 + 64 - *owns) *
			    sizeof(**own));
			*owns = number * 2 + 64;
		}
		(*own)[number].live += row[i].figures->live_bytes;
		(*own)[number].peak += row[i].figures->at_peak_bytes;
	}
}

static void
add_sites(struct merge *m, const struct profile *p)
{
	const struct report_options plain = { .sort = KEY_LIVE };
	struct own *own = NULL;
	struct report r;
	size_t owns = 0;

	report_open(&r, p, &plain);
	add_rows(m, &r, r.site, r.sites, &own, &owns);
	add_rows(m, &r, r.map, r.maps, &own, &owns);
	add_rows(m, &r, r.pool, r.pools, &own, &owns);
	report_close(&r);
	for (size_t i = 0; i < owns; i++) {
		if (own[i].live != 0)
			spread_add(&site_at(m, i)->live, (uint32_t)m->ranks,
			    own[i].live);
		if (own[i].peak != 0)
			spread_add(&site_at(m, i)->peak, (uint32_t)m->ranks,
			    own[i].peak);
	}
	free(own);
}

/* --- totals --------------------------------------------------------------- */

static void
add_tally(struct merge *m, const struct profile *p)
{
	const struct merge_rank *rank = &m->rank[m->ranks];
	const struct totals *t = &rank->totals;
	const struct forge_tally tally = {
		.name = basename(rank->file),
		.tid = (uint32_t)p->segment->identity.pid,
		.allocations = t->allocations,
		.frees = t->allocations - t->live_blocks,
		.allocated_bytes = t->allocated_bytes,
		.freed_bytes = t->allocated_bytes - t->live_bytes,
		.requested_bytes = t->requested_bytes,
		.requested_freed_bytes = t->requested_bytes -
		    t->live_requested_bytes,
		.temporary = t->temporary,
	};

	forge_tally(m->forge, &tally);
}

static void
add_losses(struct segment *to, const struct profile *p)
{
	for (size_t i = 0; i < PROFILE_LOSSES; i++) {
		uint64_t sum, more = profile_lost(p, &profile_losses[i]);
		char *at = (char *)&to->lost + profile_losses[i].at;

		memcpy(&sum, at, sizeof(sum));
		sum += more;
		memcpy(at, &sum, sizeof(sum));
	}
	/* It is no more exact than its parts. */
	if (p->damaged != 0)
		to->lost.blocks += p->damaged;
	to->lost.blocks += p->changed != 0;
}

static void
add_rss(struct merge *m, struct segment_rss *to,
    const struct segment_rss *from)
{
	if (from->at_ns == 0 || from->version % 2 != 0 ||
	    (m->ranks != 0 && to->at_ns == 0)) {
		*to = (struct segment_rss){ 0 }; /* not of all */
		return;
	}
	to->at_ns = forge_segment(m->forge)->identity.clock_ns;
	to->requested_known = (m->ranks == 0 || to->requested_known) &&
	    from->requested_known;
	to->resident += from->resident;
	to->peak += from->peak;
	for (size_t i = 0; i < RSS_TERMS; i++)
		to->terms[i] += from->terms[i];
}

/* Whose end is the worst tells how the job ended. */
static void
add_end(struct merge *m, struct segment_end *to,
    const struct segment_end *from)
{
	uint32_t how = from->how;

	if (m->ranks == 0 || to->how == END_EXITED) {
		if (m->ranks == 0 || how != END_EXITED || to->status == 0)
			*to = *from;
	} else if (how == END_SIGNALLED) {
		*to = *from;
	}
}

static void
add_config(struct segment_config *to, const struct segment_config *from)
{
	uint32_t stacks = from->stacks;

	if (stacks == STACKS_SAMPLED || to->stacks == STACKS_NONE)
		to->stacks = stacks;
	to->sample_bytes = max_u64(to->sample_bytes, from->sample_bytes);
	to->depth = (uint32_t)max_u64(to->depth, from->depth);
}

static void
add_totals(struct merge *m, const struct profile *p)
{
	struct segment *to = forge_segment(m->forge);
	const struct totals *t = &m->rank[m->ranks].totals;
	uint32_t rank = (uint32_t)m->ranks;

	add_tally(m, p);
	add_losses(to, p);
	add_config(&to->config, &p->segment->config);
	to->config.drift_bytes = (uint32_t)min_u64(UINT32_MAX,
	    to->config.drift_bytes + t->peak_error_bytes);
	add_end(m, &to->end, &p->segment->end);
	for (size_t i = 0; i < RSS_SAMPLES; i++)
		add_rss(m, &to->rss[i], &p->segment->rss[i]);
	to->live.peak_bytes = add_i64(to->live.peak_bytes,
	    (int64_t)t->peak_bytes);
	to->live.peak_requested_bytes = add_i64(
	    to->live.peak_requested_bytes, (int64_t)t->peak_requested_bytes);
	to->identity.unknown |= p->segment->identity.unknown |
	    (t->requested_known ? 0 : UNKNOWN_REQUESTED);
	spread_add(&m->peak, rank, t->peak_bytes);
	spread_add(&m->live, rank, t->live_bytes);
	spread_add(&m->allocated, rank, t->allocated_bytes);
}

static void
name_job(struct merge *m, const struct profile *p)
{
	struct segment_identity *id = &forge_segment(m->forge)->identity;
	char **arguments = profile_arguments(p), *text = NULL;
	char *executable = profile_text(p, p->segment->identity.executable);
	size_t bytes;
	FILE *to = need(open_memstream(&text, &bytes));

	for (size_t i = 0; arguments[i] != NULL; i++)
		fwrite(arguments[i], 1, strlen(arguments[i]) + 1, to);
	fclose(to);
	id->arguments = forge_bytes(m->forge, need(text), bytes);
	id->executable = forge_text(m->forge, executable);
	free(text);
	free(arguments);
	free(executable);
}

/* --- over time ------------------------------------------------------------ */

static void
put_step(struct merge *m, int64_t at_ns, int64_t live, int64_t resident)
{
	if (m->steps == m->steps_room) {
		m->steps_room = max_u64(1024, m->steps_room * 2);
		m->step = need(realloc(m->step,
		    m->steps_room * sizeof(*m->step)));
	}
	m->step[m->steps++] = (struct merge_step){ at_ns, live, resident };
}

/* From here on the rank holds @live; what is not known of it stays. */
static void
move_to(struct merge *m, struct merge_step *now, uint64_t at_ns, int64_t live,
    int64_t resident)
{
	int64_t at = add_i64(m->rank[m->ranks].started_ns, (int64_t)at_ns);

	put_step(m, at, sub_i64(live, now->live_bytes), sub_i64(resident,
	    now->resident));
	*now = (struct merge_step){ at, live, resident };
}

/*
 * The peak lies between points, or is one of them; at the end all goes that was
 * resident.
 */
static void
add_points(struct merge *m, const struct profile *p)
{
	size_t count;
	const struct point **point = need(profile_series(p, &count));
	const struct merge_rank *rank = &m->rank[m->ranks];
	uint64_t start = p->segment->identity.clock_ns;
	uint64_t peak_ns = totals_peak_ns(&rank->totals);
	struct merge_step now = { 0 };
	bool peaked = profile_lacks(p, UNKNOWN_PEAK | UNKNOWN_TIME);

	for (size_t i = 0; i < count; i++) {
		if (!peaked && point[i]->at_ns - start >= peak_ns) {
			move_to(m, &now, peak_ns,
			    (int64_t)rank->totals.peak_bytes, now.resident);
			peaked = true;
		}
		move_to(m, &now, point[i]->at_ns - start, point[i]->live_bytes,
		    (int64_t)point[i]->resident);
	}
	if (!peaked)
		move_to(m, &now, peak_ns, (int64_t)rank->totals.peak_bytes,
		    now.resident);
	move_to(m, &now, (uint64_t)sub_i64(rank->ended_ns, rank->started_ns),
	    (int64_t)rank->totals.live_bytes, 0);
	free(point);
}

static int
compare_steps(const void *a, const void *b)
{
	const struct merge_step *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return 0;
}

/* Of many points that lie close the last one stays. */
static void
finish_points(struct merge *m, int64_t from_ns, int64_t to_ns)
{
	int64_t live = 0, resident = 0;
	int64_t distance = sub_i64(to_ns, from_ns) / POINTS_MOST;

	if (m->steps != 0)
		qsort(m->step, m->steps, sizeof(*m->step), compare_steps);
	for (size_t i = 0, last = 0; i < m->steps; i++) {
		const struct merge_step *s = &m->step[i];

		live = add_i64(live, s->live_bytes);
		resident = add_i64(resident, s->resident);
		if (live > 0 && (uint64_t)live > m->together)
			m->together = (uint64_t)live;
		if (i + 1 < m->steps && sub_i64(s[1].at_ns,
		    m->step[last].at_ns) <= distance)
			continue;
		last = i;
		forge_point(m->forge, above_u64((uint64_t)s->at_ns,
		    (uint64_t)from_ns), (uint64_t)(live > 0 ? live : 0),
		    (uint64_t)(resident > 0 ? resident : 0));
	}
}

/* --- the whole ------------------------------------------------------------ */

bool
merge_add(struct merge *m, const char *what, char why[512])
{
	struct profile p;

	if (profile_open(what, &p, why) < 0)
		return false;
	put_rank(m, &p);
	if (!is_new(m, why)) {
		free(m->rank[m->ranks].file);
		free(m->rank[m->ranks].host);
		profile_close(&p);
		return false;
	}
	if (m->ranks == 0)
		name_job(m, &p);
	add_totals(m, &p);
	add_sites(m, &p);
	add_points(m, &p);
	m->ranks++;
	m->changed |= profile_tell_changed(&p, "merge", 0) != 0;
	profile_close(&p);
	return true;
}

bool
merge_finish(struct merge *m, char why[512])
{
	struct segment *s = forge_segment(m->forge);
	int64_t from = INT64_MAX, to = INT64_MIN;
	char *origin = need_text("merge of %zu profiles; peaks are sums of "
	    "each one's own", m->ranks);

	for (size_t i = 0; i < m->ranks; i++) {
		from = min_i64(from, m->rank[i].started_ns);
		if (to < m->rank[i].ended_ns)
			to = m->rank[i].ended_ns;
	}
	finish_points(m, from, to);
	s->identity.origin = forge_text(m->forge, origin);
	s->identity.started_ns = from;
	s->end.at_ns = s->identity.clock_ns + (uint64_t)sub_i64(to, from);
	s->watch.taken_ns = s->end.at_ns;
	if (m->ranks > 1)
		s->identity.unknown |= UNKNOWN_PEAK_TIME;
	s->live.peak_at_ns = m->ranks == 1 ? s->identity.clock_ns +
	    totals_peak_ns(&m->rank[0].totals) : s->end.at_ns;
	for (size_t i = 0; i < m->sites; i++) {
		spread_finish(&m->site[i].live, m->ranks);
		spread_finish(&m->site[i].peak, m->ranks);
	}
	free(origin);
	return forge_profile(m->forge, "the sum", &m->sum, why) == 0;
}
