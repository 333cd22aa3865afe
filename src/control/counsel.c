/*
 * counsel.c - the facts that advice is given by, from a segment
 */
#include "control/counsel.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "control/judge.h"
#include "control/seen.h"
#include "model/numbers.h"
#include "sys/cgroup.h"
#include "sys/sys.h"

static double
seconds_of(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* --- over time ------------------------------------------------------------ */

/* Sums over the time that is known of; each value holds until the next one. */
struct course {
	double at, value, sum, high, time;
	double line;
	bool begun;
};

static void
course_add(struct course *s, double at, double value)
{
	if (s->begun && at > s->at) {
		s->sum += s->value * (at - s->at);
		s->time += at - s->at;
		if (s->value > s->line)
			s->high += at - s->at;
	}
	s->at = at;
	s->value = value;
	s->begun = true;
}

/* What of a point counts: what is resident, or else the heap. */
static double
value_of(const struct point *p)
{
	int64_t live = atomic_load(&p->live_bytes);
	uint64_t resident = atomic_load(&p->resident);
	uint64_t files = atomic_load(&p->terms[RSS_FILES]);

	return resident != 0 ? (double)above_u64(resident, files) :
	    live > 0 ? (double)live : 0;
}

static void
follow_series(const struct control *c, struct course *s)
{
	uint64_t second = atomic_load(&c->segment->watch.second);
	bool minutes = second >= SERIES_SECONDS;
	enum segment_table_id table = minutes ? TABLE_MINUTES : TABLE_SECONDS;
	uint64_t unit = minutes ? NS_PER_MINUTE : NS_PER_S;
	uint64_t last = minutes ? atomic_load(&c->segment->watch.minute) :
	    second;
	uint64_t start = c->segment->identity.clock_ns;
	const struct point *row = control_rows(c, table);
	uint64_t capacity = c->segment->table[table].capacity;
	uint64_t rows = control_count(c, table), i;

	if (capacity == 0)
		return;
	for (i = last >= capacity ? last - capacity + 1 : 0; i <= last; i++) {
		const struct point *p = &row[i % capacity];
		uint64_t at;

		if (i % capacity >= rows)
			continue;
		at = atomic_load(&p->at_ns);
		if (at != 0 && above_u64(at, start) / unit == i)
			course_add(s, seconds_of(at - start), value_of(p));
	}
}

/* Of a run of a second or two there are marks by time, four a second. */
static void
follow_moments(const struct control *c, double beside, struct course *s)
{
	const struct moment *m = control_rows(c, TABLE_MOMENTS);
	uint64_t n = min_u64(control_count(c, TABLE_MOMENTS),
	    c->segment->watch.trend_used), i;

	for (i = 0; i < n; i++)
		if (m[i].at_ns != 0)
			course_add(s, seconds_of(above_u64(m[i].at_ns,
			    c->segment->identity.clock_ns)), beside +
			    (m[i].live_bytes > 0 ? (double)m[i].live_bytes :
			    0));
}

static void
find_course(struct counsel *k, const struct control *c)
{
	struct advice_facts *f = &k->facts;
	const double line = f->budget == TIDE_NONE ? 1e30 :
	    0.8 * (double)f->budget;
	struct course s = { .line = line };
	struct control_sums sums;

	follow_series(c, &s);
	if (s.time < 1) {
		s = (struct course){ .line = line };
		control_sum(c, &sums);
		follow_moments(c, (double)above_u64(f->used,
		    sums.live_bytes), &s);
	}
	if (s.begun)
		course_add(&s, f->seconds, s.value);
	if (s.time <= 0)
		return;
	f->used_mean = numbers_whole(s.sum / s.time, INT64_MAX);
	f->used_peak = max_u64(f->used_peak, f->used_mean);
	f->high_share = f->budget == TIDE_NONE ? ADVICE_UNKNOWN :
	    s.high / s.time;
}

/* --- against the budget --------------------------------------------------- */

static void
find_states(struct counsel *k, const struct tide_room *room)
{
	struct advice_facts *f = &k->facts;
	double ns[4], all = 0;
	int i;

	for (i = 0; i < 4; i++)
		ns[i] = (double)room->at_state_ns[i];
	if (room->state >= 0 && room->state < 4)
		ns[room->state] += (double)above_u64(k->options.now_ns,
		    room->state_ns);
	for (i = 0; i < 4; i++)
		all += ns[i];
	for (i = 0; i < 4; i++)
		f->state_share[i] = all > 0 ? ns[i] / all :
		    i == 0 ? ADVICE_UNKNOWN : 0;
}

static void
read_room(struct counsel *k, const struct tide_room *room)
{
	struct advice_facts *f = &k->facts;

	f->budget = room->budget;
	f->used = room->used;
	f->used_peak = max_u64(room->peak_used, room->used);
	f->failed = room->failed;
	f->leased = room->lease != 0 || room->leases != 0;
	f->target_mille = room->target_mille;
	f->critical_mille = room->critical_mille;
	memcpy(k->source, room->source, sizeof(k->source));
	k->source[sizeof(k->source) - 1] = '\0';
	find_states(k, room);
}

/* What was followed at each look; false: too few. */
static bool
read_course(struct counsel *k, const struct tide_room *room)
{
	struct advice_facts *f = &k->facts;
	double watched = (double)room->watched_ns;

	if (room->watched_ns == 0)
		return false;
	f->used_mean = numbers_whole(room->used_mean, INT64_MAX);
	f->high_share = f->budget == TIDE_NONE ? ADVICE_UNKNOWN :
	    numbers_within((double)room->high_ns / watched, 0, 1);
	return true;
}

/* Without a room: by what others have looked at. */
static void
read_segment(struct counsel *k, const struct control *c)
{
	const struct segment_rss *last = &c->segment->rss[RSS_LAST];
	const struct segment_rss *peak = &c->segment->rss[RSS_PEAK];
	struct advice_facts *f = &k->facts;
	struct control_sums sums;
	struct limit limit;

	control_sum(c, &sums);
	f->used = max_u64(sums.live_bytes, above_u64(last->resident,
	    last->terms[RSS_FILES]));
	f->used_peak = max_u64(max_u64(sums.peak_bytes, f->used),
	    above_u64(peak->resident, peak->terms[RSS_FILES]));
	f->budget = c->segment->config.budget_bytes != 0 ?
	    c->segment->config.budget_bytes : TIDE_NONE;
	if (!k->options.ended && seen_limit(c, &limit) == 0 &&
	    limit.bytes != LIMIT_NONE) {
		f->budget = limit.bytes;
		memcpy(k->source, limit.source, min_u64(strlen(limit.source),
		    sizeof(k->source) - 1));
	}
}

/* Is the process in a group below the root of what is mounted? */
static bool
is_in_group(int pid)
{
	struct cgroup_memory memory;

	return cgroup_memory_read("", pid, &memory) == 0 &&
	    memory.version != 0 && memory.levels > 1;
}

static void
look_at_process(struct counsel *k, const struct control *c)
{
	struct advice_facts *f = &k->facts;
	struct proc_status status;

	f->from_host = strcmp(k->source, "host") == 0;
	if (k->options.ended)
		return;
	if (f->from_host)
		f->in_group = is_in_group(c->pid);
	if (seen_status(c, &status) == 0)
		f->swapped = status.swapped;
}

/* --- the allocator -------------------------------------------------------- */

static enum advice_allocator
allocator_of(const struct control *c)
{
	static const struct {
		const char *part;
		enum advice_allocator allocator;
	} known[] = {
		{ "jemalloc", ALLOCATOR_JEMALLOC },
		{ "mimalloc", ALLOCATOR_MIMALLOC },
		{ "tcmalloc", ALLOCATOR_TCMALLOC },
		{ "libc.so", ALLOCATOR_GLIBC },
		{ "libc-", ALLOCATOR_GLIBC },
	};
	const struct segment_text text = c->segment->identity.allocator;
	const char *start = control_rows(c, TABLE_TEXT);
	uint64_t bytes = control_count(c, TABLE_TEXT);
	char path[512] = "";
	size_t i;

	if (text.offset > bytes || text.bytes > bytes - text.offset ||
	    text.bytes >= sizeof(path))
		return ALLOCATOR_OTHER;
	memcpy(path, start + text.offset, text.bytes);
	path[text.bytes] = '\0';
	for (i = 0; i < ARRAY_LENGTH(known); i++)
		if (strstr(path, known[i].part) != NULL)
			return known[i].allocator;
	return ALLOCATOR_OTHER;
}

struct heap_look {
	uint64_t live, resident;
};

static struct heap_look
heap_of(const uint64_t terms[RSS_TERMS])
{
	uint64_t live = terms[RSS_LIVE] + terms[RSS_SLACK];

	return (struct heap_look){ live, live + terms[RSS_RETAINED] };
}

/* Does it keep half as much again?  As model/advice-process.c has it. */
static bool
keeps_much(const struct heap_look *h)
{
	return (double)h->resident > 1.5 * (double)h->live;
}

static uint64_t
kept_by(const struct heap_look *h)
{
	return h->resident - h->live;
}

/* When the look of a point was: points of several seconds may share it. */
static uint64_t
looked_at(const struct point *p)
{
	uint64_t looked_ns = atomic_load(&p->looked_ns);

	return looked_ns != 0 ? looked_ns : atomic_load(&p->at_ns);
}

/* What the looks at a process that has ended come to. */
struct heap_looks {
	uint64_t seen, much;    /* looks; those that found much kept, again */
	uint64_t together;      /* the last so many found that */
	struct heap_look usual; /* the last that did not */
	struct heap_look before, worst;
};

/* One alone is a moment: it may be in the middle of a malloc_trim(). */
static void
add_look(struct heap_looks *l, struct heap_look h)
{
	struct heap_look both;

	l->seen++;
	l->together = keeps_much(&h) ? l->together + 1 : 0;
	if (l->together == 0)
		l->usual = h;
	if (l->together >= 2) {
		l->much += l->together == 2 ? 2 : 1;
		both = kept_by(&h) < kept_by(&l->before) ? h : l->before;
		if (kept_by(&both) >= kept_by(&l->worst))
			l->worst = both;
	}
	l->before = h;
}

/*
 * A program that gives all back before it ends leaves an allocator that keeps
 * all; that is no fault.  Of one that has ended the looks in between count:
 * what two of them, one behind the other, found kept, where that is most, if a
 * tenth of all found much kept.  Where no point of the series has one, it is
 * the look when most was resident, unless that was the last of all.
 */
static void
find_kept(struct counsel *k, const struct control *c)
{
	const struct point *row = control_rows(c, TABLE_SECONDS);
	uint64_t rows = control_count(c, TABLE_SECONDS), last_ns = 0, i;
	const struct segment_rss *last = &c->segment->rss[RSS_LAST];
	const struct segment_rss *peak = &c->segment->rss[RSS_PEAK];
	struct heap_looks looks;
	struct heap_look found;

	memset(&looks, 0, sizeof(looks));
	for (i = 0; i < rows; i++) {
		uint64_t terms[RSS_TERMS];
		int t;

		if (atomic_load(&row[i].at_ns) == 0 ||
		    atomic_load(&row[i].resident) == 0 ||
		    looked_at(&row[i]) == last_ns)
			continue;
		last_ns = looked_at(&row[i]);
		for (t = 0; t < RSS_TERMS; t++)
			terms[t] = atomic_load(&row[i].terms[t]);
		found = heap_of(terms);
		if (found.resident != 0) /* 0: nobody has split it */
			add_look(&looks, found);
	}
	found = looks.usual;
	if (looks.seen == 0 && peak->at_ns != 0 &&
	    peak->at_ns + NS_PER_S / 10 < last->at_ns)
		found = heap_of(peak->terms);
	else if (looks.much != 0 && looks.much * 10 >= looks.seen)
		found = looks.worst;
	k->facts.heap_live = found.live;
	k->facts.heap_resident = found.resident;
}

static void
look_at_heap(struct counsel *k, const struct control *c)
{
	const struct segment_live *live = &c->segment->live;
	struct advice_facts *f = &k->facts;
	struct heap_look now;

	f->allocator = allocator_of(c);
	f->threads_most = live->threads_most;
	f->threads_came = max_u64(live->threads_came, live->threads_most);
	if (k->options.ended) {
		find_kept(k, c);
		return;
	}
	now = heap_of(c->segment->rss[RSS_LAST].terms);
	f->heap_live = now.live;
	f->heap_resident = now.resident;
}

/* --- what grows ----------------------------------------------------------- */

static void
describe(const struct judge *j, uint32_t site, struct advice_site *to)
{
	const struct verdict *v = &j->verdict[site];
	double held = j->site[site].held;

	to->site = site;
	to->live = max_u64(j->site[site].live_bytes > 0 ?
	    (uint64_t)j->site[site].live_bytes : 0,
	    numbers_whole(held, INT64_MAX));
	to->per_epoch = v->per_epoch;
	to->per_second = v->per_second;
	to->p = v->p;
}

static void
judge_sites(struct counsel *k, const struct judge *j)
{
	const struct site *row = control_rows(j->control, TABLE_SITES);
	struct advice_facts *f = &k->facts;
	uint32_t leak = 0, cache = 0, i;

	for (i = 1; i < j->sites; i++) {
		const struct verdict *v = &j->verdict[i];

		if (v->kind == VERDICT_GROWING && !v->minor) {
			f->growing++;
			f->growth_per_second += v->per_second;
			if (leak == 0 || verdict_compare(v,
			    &j->verdict[leak]) < 0)
				leak = i;
		}
		if (v->kind == VERDICT_SATURATED &&
		    (row[i].flags & SITE_APART) == 0) {
			f->saturated++;
			if (cache == 0 || j->site[i].held >
			    j->site[cache].held)
				cache = i;
		}
	}
	if (leak != 0)
		describe(j, leak, &f->leak);
	if (cache != 0)
		describe(j, cache, &f->cache);
}

static int
look_at_growth(struct counsel *k, const struct control *c)
{
	const struct judge_options options = {
		.now_ns = k->options.now_ns,
		.warmup = SIZE_MAX,
		.ended = k->options.ended,
	};
	struct judge j;
	int r = judge_open(&j, c, &options);

	if (r < 0)
		return r;
	k->facts.heap = j.heap.kind;
	k->facts.by_batches = !j.timed && k->facts.ops != 0;
	judge_sites(k, &j);
	judge_close(&j);
	return 0;
}

/* --- all of it ------------------------------------------------------------ */

static void
find_facts(struct counsel *k, const struct control *c)
{
	const struct tide_room *room = control_room(c);
	struct advice_facts *f = &k->facts;

	f->seconds = seconds_of(above_u64(k->options.now_ns,
	    c->segment->identity.clock_ns));
	f->ended = k->options.ended;
	f->high_share = f->state_share[0] = ADVICE_UNKNOWN;
	f->stacks_known = atomic_load(&c->segment->config.stacks) !=
	    STACKS_NONE;
	f->kept_bytes = k->options.kept_bytes;
	f->kept_seconds = k->options.kept_seconds;
	f->op = k->op;
	f->ops = counsel_ops(c, k->op);
	if (room != NULL)
		read_room(k, room);
	else
		read_segment(k, c);
	if (room == NULL || !read_course(k, room))
		find_course(k, c);
	look_at_process(k, c);
	look_at_heap(k, c);
}

static int
make(struct counsel **counsel, const struct counsel_options *options)
{
	struct counsel *k = sys_mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r = sys_error_of(k);

	if (r < 0)
		return r;
	k->options = *options;
	*counsel = k;
	return 0;
}

int
counsel_of(struct counsel **counsel, const struct advice_facts *facts,
    const char *source, const struct counsel_options *options)
{
	struct counsel *k;
	int r = make(&k, options);

	if (r < 0)
		return r;
	k->facts = *facts;
	k->facts.ops = min_u64(facts->ops, TIDE_OPS);
	if (k->facts.ops > 0)
		memcpy(k->op, facts->op, k->facts.ops * sizeof(k->op[0]));
	k->facts.op = k->op;
	memcpy(k->source, source, min_u64(strlen(source),
	    sizeof(k->source) - 1));
	k->facts.from_host = strcmp(k->source, "host") == 0;
	k->facts.kept_bytes = options->kept_bytes;
	k->facts.kept_seconds = options->kept_seconds;
	k->count = advice_give(&k->facts, k->advice, ADVICE_MOST);
	*counsel = k;
	return 0;
}

int
counsel_open(struct counsel **counsel, const struct control *c,
    const struct counsel_options *options)
{
	struct counsel *k;
	int r = make(&k, options);

	if (r < 0)
		return r;
	find_facts(k, c);
	r = look_at_growth(k, c);
	if (r < 0) {
		counsel_close(k);
		return r;
	}
	k->count = advice_give(&k->facts, k->advice, ADVICE_MOST);
	*counsel = k;
	return 0;
}

void
counsel_close(struct counsel *counsel)
{
	if (counsel != NULL)
		sys_munmap(counsel, sizeof(*counsel));
}
