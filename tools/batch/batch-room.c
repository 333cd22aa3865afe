/*
 * batch-room.c - how much memory there is for jobs, and who gets how much
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/batch.h"
#include "model/lease.h"
#include "run/pool.h"
#include "run/room.h"
#include "say/command.h"
#include "say/print.h"
#include "sys/sys.h"

#define READ_NS   (100 * NS_PER_MS) /* from one look at the limits to another */
#define LEAVES_NS (400 * NS_PER_MS) /* that one who ends takes at most */
#define NEARLY    64                /* a limit that moves by less stays */
#define UNKNOWN   4                 /* of all: a job that nothing is known of */
#define BETWEEN   92                /* of a hundred, for jobs that overlap */
#define NAMED_NS  (200 * NS_PER_MS) /* to wait with others for a lease */

/* --- how much ------------------------------------------------------------- */

static uint64_t
leaving(const struct batch *b)
{
	uint64_t ns = sys_clock() - b->leaving_ns;

	return ns >= LEAVES_NS ? 0 : b->leaving - (uint64_t)(
	    (double)b->leaving * (double)ns / (double)LEAVES_NS);
}

/*
 * The kernel takes its time to free the memory of a process that ends.  So long
 * the group has it still and no job any more: less and less of it.
 */
void
batch_room_leave(struct batch *b, uint64_t bytes)
{
	b->leaving = leaving(b) + bytes;
	b->leaving_ns = sys_clock();
}

/* What the limit may be: the more if all that may be leaving is. */
struct range {
	uint64_t low, high;
};

/*
 * The nearest wish; and what the machine and the groups leave, and the jobs
 * have already.  Limits of address space are of each process, so not ours.
 */
static struct range
read_limit(const struct batch *b)
{
	uint64_t wish = UINT64_MAX, left = UINT64_MAX, all = UINT64_MAX;
	bool force = setting_is_on(config_get(&b->config, "budget.force"));
	struct room room;
	size_t i;

	(void)room_find(&room, "batch", NULL);
	room_read(&room, &b->config);
	for (i = 0; i < room.chain.count; i++) {
		const struct source *s = &room.chain.source[i];

		if (s->bytes == SOURCE_NONE)
			continue;
		if (s->kind == SOURCE_SET)
			wish = wish == UINT64_MAX ? s->bytes : wish;
		else if (s->kind == SOURCE_SHARE && !b->named)
			all = min_u64(all, s->bytes);
		else if (s->kind == SOURCE_HOST)
			left = min_u64(left, s->bytes);
		else if (s->kind == SOURCE_CGROUP && s->used != SOURCE_NONE) {
			left = min_u64(left, above_u64(s->bytes, s->used));
			all = min_u64(all, s->bytes);
		}
	}
	room_close(&room);
	if (force && wish != UINT64_MAX)
		return (struct range){ wish, wish };
	if (left == UINT64_MAX)
		return (struct range){ min_u64(all, wish),
			min_u64(all, wish) };
	return (struct range){
		min_u64(min_u64(all, b->used + left), wish),
		min_u64(min_u64(all, b->used + leaving(b) + left), wish),
	};
}

/* Of the limit, what jobs are to fill; leases end at 95 % of that. */
static uint64_t
pool_bytes(const struct batch *b)
{
	uint64_t share = 900000;

	(void)text_parse_share(config_get(&b->config, "target"), &share);
	return max_u64(min_u64(whole_u64((double)b->limit *
	    (double)min_u64(share, 950000) / 900000.0), SHARES_BYTES_MOST),
	    SHARES_UNIT);
}

void
batch_room_read(struct batch *b, bool now)
{
	uint64_t clock_ns = sys_clock(), limit, was = b->limit, low;
	struct range r;

	if (!now && clock_ns < b->room_ns)
		return;
	b->room_ns = clock_ns + READ_NS;
	r = read_limit(b);
	/* What a job that just ended had may be counted twice: once again. */
	low = b->limit_seen == 0 ? r.low : min_u64(r.low, b->limit_seen);
	b->limit_seen = r.low;
	limit = min_u64(max_u64(was, low), r.high);
	if (was == 0 || !batch_size_is_even(b))
		limit = r.low;
	b->limit = min_u64(limit, SHARES_BYTES_MOST);
	if (b->named || b->keeper.pool == NULL || (b->limit < was + was /
	    NEARLY && b->limit > was - was / NEARLY))
		return;
	(void)shares_budget_set(&b->keeper, pool_bytes(b));
}

/* --- the ledger ----------------------------------------------------------- */

static int
open_named(struct batch *b, const char *name)
{
	char path[PLACE_ROOM];
	int r;

	if (strchr(name, '/') != NULL) {
		snprintf(path, sizeof(path), "%s", name);
	} else {
		r = pool_path(name, false, path);
		if (r != COMMAND_DONE)
			return r;
	}
	r = shares_open(&b->pool, path, 1);
	if (r < 0) {
		print_error("batch: cannot take part in the pool '%s': %s",
		    name, strerror(-r));
		return COMMAND_FAILED;
	}
	b->named = true;
	return COMMAND_DONE;
}

static int
open_own(struct batch *b)
{
	uint32_t slots = b->jobs + 1;
	int r;

	b->memory = sys_mmap(NULL, shares_bytes(slots),
	    3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
	r = sys_error_of(b->memory);
	if (r == 0)
		r = shares_format(b->memory, pool_bytes(b), b->jobs, slots);
	if (r == 0)
		r = shares_use(&b->pool, b->memory);
	if (r == 0) {
		b->pool.can_write = 1;
		r = shares_join(&b->pool, 1, 0, 0, &b->keeper);
	}
	if (r == 0)
		return COMMAND_DONE;
	print_error("batch: no ledger for leases: %s", strerror(-r));
	return COMMAND_FAILED;
}

int
batch_room_open(struct batch *b)
{
	const char *name = config_get(&b->config, "pool");
	int r;

	b->ramp = 2;
	batch_room_read(b, true);
	r = name != NULL ? open_named(b, name) : open_own(b);
	if (r != COMMAND_DONE)
		return r;
	for (unsigned i = 0; i < b->jobs; i++) {
		r = shares_join(&b->pool, 1, 0, 0, &b->member[i]);
		if (r < 0) {
			print_error("batch: cannot take part in the pool: %s",
			    r == -ENOSPC ? "all its places are taken" :
			    strerror(-r));
			return COMMAND_FAILED;
		}
	}
	return COMMAND_DONE;
}

void
batch_room_close(struct batch *b)
{
	for (unsigned i = 0; i < b->jobs; i++)
		shares_leave(&b->member[i]);
	shares_leave(&b->keeper);
	if (b->memory != NULL)
		(void)sys_munmap(b->memory, shares_bytes(b->jobs + 1));
	else
		shares_close(&b->pool);
}

/* --- leases --------------------------------------------------------------- */

static uint64_t
pool_left(const struct batch *b, uint64_t *line)
{
	struct shares_total total;
	uint64_t rest;

	shares_read(&b->pool, &total);
	*line = lease_line(total.budget);
	rest = total.budget - *line;
	return total.left > (int64_t)rest ? (uint64_t)total.left - rest : 0;
}

/* As much as the largest of those that run, and at least a part of all. */
static uint64_t
unknown_need(const struct batch *b, uint64_t line)
{
	uint64_t most = line / UNKNOWN;

	for (unsigned i = 0; i < b->jobs; i++)
		if (b->place[i] != NULL)
			most = max_u64(most, b->place[i]->most +
			    b->place[i]->most / 4);
	return most;
}

/* With nothing beside it a job starts, whatever it needs. */
static bool
take_anyway(struct batch *b, const struct job *job, unsigned place,
    uint64_t need, uint64_t left)
{
	struct shares_member *m = &b->member[place];
	uint64_t got, want = need != 0 && !job->alone ? min_u64(need, left) :
	    job->alone ? left : min_u64(left, left / UNKNOWN + SHARES_UNIT);

	want = max_u64(want, SHARES_UNIT);
	return shares_acquire(m, b->named ? want : SHARES_UNIT, want,
	    b->named ? NAMED_NS : 0, &got) == 0 || !b->named;
}

/* Its lease is to be @need; less, if there is less.  False: it is less. */
static bool
top_up(struct batch *b, const struct job *job, uint64_t need)
{
	struct shares_member *m = &b->member[job->place];
	uint64_t lease = shares_lease(m), line, got;
	uint64_t more = min_u64(above_u64(need, lease), pool_left(b, &line));

	if (more >= SHARES_UNIT && lease == 0)
		(void)shares_acquire(m, SHARES_UNIT, more, 0, &got);
	else if (more >= SHARES_UNIT)
		(void)shares_extend(m, more);
	return shares_lease(m) >= need;
}

/* What came back is first for those that began with less than they need. */
static void
top_up_all(struct batch *b)
{
	for (unsigned i = 0; i < b->jobs; i++)
		if (b->place[i] != NULL && b->place[i]->between &&
		    top_up(b, b->place[i], batch_size_need(b, b->place[i])))
			b->place[i]->between = false;
}

/*
 * Others will have ended before it has grown: it begins with a lease of what is
 * left, if anything is, and gets the rest of what they give back.
 */
static bool
take_between(struct batch *b, struct job *job, uint64_t need)
{
	job->between = job->kills == 0 &&
	    batch_size_fits_between(b, b->limit / 100 * BETWEEN);
	if (job->between)
		(void)top_up(b, job, need);
	return job->between;
}

bool
batch_room_take(struct batch *b, struct job *job, unsigned place)
{
	uint64_t need = batch_size_need(b, job), line, left, got, tail = 0;

	top_up_all(b);
	left = pool_left(b, &line);
	if (b->running == 0)
		return take_anyway(b, job, place, need, left);
	if (job->alone || b->standing > 0)
		return false;
	for (unsigned i = 0; i < b->jobs; i++)
		if (b->place[i] != NULL && b->place[i]->alone)
			return false;
	if (need == 0) {
		if (b->running >= b->ramp)
			return false;
		need = unknown_need(b, line);
	} else {
		tail = min_u64(batch_size_tail(b), line / 3);
	}
	/* What the others have been seen to use, leases aside. */
	if (need + tail > left || b->used + need > b->limit)
		return take_between(b, job, need);
	return shares_acquire(&b->member[place], need, need, 0, &got) == 0;
}

uint64_t
batch_room_lease(const struct batch *b, const struct job *job)
{
	return shares_lease(&b->member[job->place]);
}

bool
batch_room_extend(struct batch *b, struct job *job, uint64_t bytes)
{
	struct shares_member *m = &b->member[job->place];
	uint64_t lease = shares_lease(m);

	shares_used(m, job->now);
	if (bytes <= lease)
		return true;
	return lease != 0 && shares_extend(m, bytes - lease) == 0;
}

void
batch_room_give(struct batch *b, const struct job *job)
{
	struct shares_member *m = &b->member[job->place];

	if (shares_lease(m) != 0)
		shares_release(m, 0);
}

void
batch_room_peak(struct batch *b, uint64_t used)
{
	if (used <= b->figures.peak_used)
		return;
	b->figures.peak_used = used;
	b->figures.peak_limit = max_u64(b->limit, used);
}

uint64_t
batch_room_budget(const struct batch *b)
{
	return b->figures.peak_limit != 0 ? b->figures.peak_limit : b->limit;
}

uint64_t
batch_room_left(const struct batch *b)
{
	return above_u64(b->limit, b->used);
}
