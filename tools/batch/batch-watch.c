/*
 * batch-watch.c - what jobs use while they run, and who has to stand still
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/batch.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define LOOK_LEAST_NS (5 * NS_PER_MS)
#define LOOK_MOST_NS  (100 * NS_PER_MS)
#define SETTLED_NS    (500 * NS_PER_MS) /* it has not grown for so long */
#define DEPTH_MOST    16
#define CHILDREN_ROOM 4096
#define OF_TIME       16 /* that looks take, at most one in so many */

/* --- what a job uses ------------------------------------------------------ */

struct use {
	uint64_t bytes, files;
	bool seen;
};

static void add_tree(struct use *use, int pid, unsigned depth);

/* All numbers of @text that end in it; how many bytes of one more there are. */
static size_t
add_listed(struct use *use, const char *text, unsigned depth)
{
	const char *end = strrchr(text, ' '), *at = text;
	uint64_t child;

	if (end == NULL)
		return strlen(text);
	while (at < end && proc_number(&at, 10, &child))
		add_tree(use, (int)child, depth + 1);
	return strlen(end + 1);
}

/* Those that thread @tid has started; none where the kernel does not tell. */
static void
add_children(struct use *use, int directory, const char *tid, unsigned depth)
{
	char path[64], text[CHILDREN_ROOM + 1];
	size_t kept = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.20s/children", tid);
	fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = read(fd, text + kept, CHILDREN_ROOM - kept)) > 0) {
		n += (ssize_t)kept;
		text[n] = '\0';
		kept = add_listed(use, text, depth);
		memmove(text, text + n - kept, kept);
	}
	close(fd);
}

/* Any of its threads may have started some. */
static void
add_threads(struct use *use, int pid, unsigned depth)
{
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (tasks == NULL)
		return;
	while ((entry = readdir(tasks)) != NULL)
		if (entry->d_name[0] != '.')
			add_children(use, dirfd(tasks), entry->d_name, depth);
	closedir(tasks);
}

/* Memory of its own: what the kernel could not simply drop. */
static void
add_tree(struct use *use, int pid, unsigned depth)
{
	struct proc_status s;

	if (depth > DEPTH_MOST || proc_status_read(pid, &s) < 0)
		return;
	use->bytes += s.anonymous + s.shared + s.swapped;
	use->files = max_u64(use->files, above_u64(s.resident,
	    s.anonymous + s.shared));
	use->seen = use->seen || s.resident != 0;
	add_threads(use, pid, depth);
}

static void
look_at(struct batch *b, struct job *job, uint64_t now_ns)
{
	struct use use = { 0, 0, false };

	add_tree(&use, job->pid, 0);
	if (!use.seen)
		return;
	if (use.bytes < job->now)
		batch_room_leave(b, job->now - use.bytes);
	job->now = use.bytes;
	course_note(&b->course[job->place], batch_size_age(job), use.bytes);
	if (use.bytes > job->most + job->most / 32) {
		job->grown_ns = now_ns;
		job->most = use.bytes;
	}
	job->most = max_u64(job->most, use.bytes);
	if (use.files != 0) {
		job->files = use.files;
		b->files = min_u64(b->files, use.files);
	}
}

/*
 * The kernel's figure has files in it, of which it can drop what it likes, and
 * counts one process; ours are of the whole tree, and moments.
 */
uint64_t
batch_watch_peak(struct batch *b, struct job *job, const struct rusage *usage,
    uint64_t heap)
{
	uint64_t files = job->files != 0 ? job->files :
	    b->files != UINT64_MAX ? b->files : 0;
	uint64_t resident = above_u64((uint64_t)usage->ru_maxrss * KIB, files);

	return max_u64(max_u64(job->most, heap), resident);
}

/* --- who goes on ---------------------------------------------------------- */

void
batch_watch_signal(struct batch *b, struct job *job, int signal)
{
	(void)b;
	if (kill(-job->pid, signal) < 0)
		(void)kill(job->pid, signal);
}

static void
resume(struct batch *b, struct job *job)
{
	job->suspended = false;
	job->stood_ns += sys_clock() - job->stood_from_ns;
	b->standing--;
	batch_watch_signal(b, job, SIGCONT);
}

/* The youngest, or the oldest, of those that stand, or that do not. */
static struct job *
find(const struct batch *b, bool youngest, bool suspended)
{
	struct job *found = NULL, *job;

	for (unsigned i = 0; i < b->jobs; i++) {
		job = b->place[i];
		if (job == NULL || job->suspended != suspended ||
		    job->killed || job->preempted)
			continue;
		if (found == NULL || (youngest ?
		    job->started_ns > found->started_ns :
		    job->started_ns < found->started_ns))
			found = job;
	}
	return found;
}

static unsigned
going(const struct batch *b)
{
	return b->running - b->standing;
}

static void
suspend_youngest(struct batch *b)
{
	struct job *job = find(b, true, false);

	if (job == NULL)
		return;
	job->suspended = true;
	job->stood_from_ns = sys_clock();
	b->standing++;
	b->figures.suspended++;
	batch_watch_signal(b, job, SIGSTOP);
}

/* What a job that stands may still need. */
static uint64_t
still(const struct batch *b, const struct job *job)
{
	return max_u64(above_u64(batch_size_need(b, job), job->now),
	    b->limit / 20);
}

void
batch_watch_resume(struct batch *b)
{
	struct job *job;

	while ((job = find(b, false, true)) != NULL) {
		if (going(b) > 0 && b->used + still(b, job) >
		    b->limit - b->limit / 10)
			return;
		resume(b, job);
	}
}

/* All but one, the oldest. */
static void
suspend_most(struct batch *b)
{
	while (going(b) > 1)
		suspend_youngest(b);
}

/* So many of the youngest that the others come no higher than @high, @ahead
 * being where all would be; one goes on. */
static void
suspend_some(struct batch *b, uint64_t ahead, uint64_t high)
{
	uint64_t each = above_u64(ahead, b->used) / going(b);

	do {
		suspend_youngest(b);
		ahead -= each;
	} while (ahead > high && going(b) > 1);
}

static bool
is_one_dying(const struct batch *b)
{
	for (unsigned i = 0; i < b->jobs; i++)
		if (b->place[i] != NULL && b->place[i]->preempted)
			return true;
	return false;
}

/*
 * Nobody is left to stand still: the youngest of those begins anew, later.  Its
 * memory comes back when it is gone, which ends the waiting of all: who goes on
 * until then might need more than there is.
 */
static void
preempt(struct batch *b)
{
	struct job *job = find(b, true, true);

	if (job == NULL)
		return;
	suspend_youngest(b);
	job->preempted = true;
	b->figures.preempted++;
	batch_watch_signal(b, job, SIGKILL);
}

/* As it was just seen: what the kernel is still freeing is taken, for now. */
static uint64_t
limit_now(const struct batch *b)
{
	return min_u64(b->limit, b->limit_seen);
}

/* What is known of all jobs says that they stay within what there is for
 * them. */
static bool
is_covered(const struct batch *b, uint64_t ns)
{
	uint64_t line = limit_now(b) - limit_now(b) / 20, sum = 0, reach;

	if (!batch_size_is_even(b))
		return false;
	for (unsigned i = 0; i < b->jobs; i++) {
		if (b->place[i] == NULL)
			continue;
		reach = batch_size_reach(b, b->place[i],
		    batch_room_lease(b, b->place[i]), ns);
		if (reach > line - sum)
			return false;
		sum += reach;
	}
	return true;
}

/* @tight: a job needs more than there are leases for. */
static void
act(struct batch *b, bool tight, uint64_t ahead, uint64_t ns)
{
	uint64_t limit = limit_now(b), high = limit - limit / 10;
	uint64_t top = limit - limit / 25;

	if (b->running < 2)
		return;
	if (b->used > top) {
		suspend_most(b);
		/* Nobody begins anew for what will be free in a moment. */
		if (b->standing > 0 && b->used > b->limit - b->limit / 25 &&
		    !is_one_dying(b))
			preempt(b);
	} else if (going(b) > 1 && ((ahead > high && !is_covered(b, ns)) ||
	    (tight && b->used > high))) {
		suspend_some(b, ahead, high);
	} else if (b->standing > 0 && b->used < b->limit - b->limit / 5) {
		batch_watch_resume(b);
	}
}

/* --- looking -------------------------------------------------------------- */

/* While nothing has ended, what has stopped to grow is as good as known. */
static void
ramp_up(struct batch *b, uint64_t now_ns)
{
	if (b->peaks_seen != 0 || b->sizing.batches != 0 ||
	    b->running < b->ramp)
		return;
	for (unsigned i = 0; i < b->jobs; i++)
		if (b->place[i] != NULL && now_ns < max_u64(
		    b->place[i]->grown_ns, b->place[i]->started_ns) +
		    SETTLED_NS)
			return;
	b->ramp = (unsigned)min_u64(b->ramp * 2, b->jobs);
}

static void
note_rate(struct batch *b, uint64_t was, uint64_t ns)
{
	double grown = ns != 0 ? (double)above_u64(b->used, was) : 0;
	uint64_t rate = whole_u64(grown * (double)NS_PER_S /
	    (double)max_u64(ns, NS_PER_MS));

	/* Remembered for some looks: growth comes in steps. */
	b->rate = max_u64(rate, b->rate - b->rate / 8);
	b->figures.used_area += (double)b->used * (double)ns /
	    (double)NS_PER_S;
	b->figures.used_ns += ns;
	b->figures.high_ns += b->used > b->limit / 10 * 8 ? ns : 0;
	batch_room_peak(b, b->used);
}

/* Until a third of what is left could be gone. */
static uint64_t
interval(const struct batch *b)
{
	double seconds = (double)above_u64(limit_now(b), b->used) /
	    (3.0 * (double)max_u64(b->rate, 1));
	uint64_t ns = min_u64(NS_PER_S, whole_u64(seconds * (double)NS_PER_S));

	if (b->peaks_seen == 0 && b->sizing.batches == 0 && b->running > 1)
		ns = min_u64(ns, 2 * LOOK_LEAST_NS);
	return min_u64(max_u64(ns, LOOK_LEAST_NS), LOOK_MOST_NS);
}

/* What the last looks came too late, the most of them, fading. */
static void
note_late(struct batch *b, uint64_t now_ns)
{
	uint64_t late = b->look_ns != 0 ? now_ns - b->look_ns : 0;

	b->late_ns = min_u64(max_u64(late, b->late_ns - b->late_ns / 8),
	    LOOK_MOST_NS);
}

void
batch_watch(struct batch *b)
{
	uint64_t now_ns = sys_clock(), was = b->used, ns;
	bool tight = false;

	if (b->running == 0)
		b->look_ns = 0;
	if (now_ns < b->look_ns || b->running == 0)
		return;
	note_late(b, now_ns);
	b->used = 0;
	for (unsigned i = 0; i < b->jobs; i++) {
		struct job *job = b->place[i];

		if (job == NULL)
			continue;
		look_at(b, job, now_ns);
		b->used += job->now;
		job->outgrown = job->outgrown || (!job->between &&
		    job->now > batch_room_lease(b, job));
		tight = (!batch_room_extend(b, job, job->now) &&
		    !job->between) || tight;
	}
	ns = b->area_ns != 0 ? now_ns - b->area_ns : 0;
	b->area_ns = now_ns;
	note_rate(b, was, ns);
	/* Near the line the limit itself is looked at each time. */
	batch_room_read(b, b->used > b->limit / 4 * 3);
	ns = interval(b);
	act(b, tight, b->used + whole_u64((double)b->rate *
	    (double)(ns + b->late_ns) / (double)NS_PER_S), ns + b->late_ns);
	ramp_up(b, now_ns);
	/* Of a thousand jobs a look takes its time. */
	b->look_ns = now_ns + max_u64(ns, (sys_clock() - now_ns) * OF_TIME);
}
