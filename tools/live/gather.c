#include "live/gather.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "base/base.h"
#include "base/text.h"
#include "control/bypass.h"
#include "control/census.h"
#include "control/mark.h"
#include "control/series.h"
#include "profile/reader.h"
#include "say/print.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define INTERVAL_FIRST (50 * NS_PER_MS)
#define INTERVAL_MOST  (2 * NS_PER_S)
#define COST_SHARE     100 /* looking may take one part in so many */
#define RUN_ROOM       64

/* A name that was seen in the directory, and whose it is. */
struct gather_member {
	char name[64];
	enum { MEMBER_NEW, MEMBER_OURS, MEMBER_FOREIGN } kind;
	UT_hash_handle hh;
};

static int
path_in(const char *directory, const char *name, char path[PLACE_ROOM])
{
	int n = snprintf(path, PLACE_ROOM, "%s/%s", directory, name);

	return n < 0 || n >= PLACE_ROOM ? -ENAMETOOLONG : 0;
}

/* --- whose it is ---------------------------------------------------------- */

/*
 * Only the header is read, not checked: a segment is opened properly when it
 * is collected.
 */
static int
recognise(const char *path, const char *run)
{
	struct segment_text text;
	size_t bytes = strlen(run);
	char theirs[RUN_ROOM];
	struct segment s;
	int kind = MEMBER_NEW;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return MEMBER_NEW;
	if (pread(fd, &s, sizeof(s), 0) != sizeof(s) || s.head.ready != 1)
		goto out; /* being born; or never will be, then it stays new */
	kind = MEMBER_FOREIGN;
	text = s.identity.run;
	if (memcmp(s.head.magic, SEGMENT_MAGIC, sizeof(s.head.magic)) == 0 &&
	    s.head.layout == SEGMENT_LAYOUT && text.bytes == bytes &&
	    bytes <= sizeof(theirs) &&
	    pread(fd, theirs, bytes, (off_t)(s.table[TABLE_TEXT].offset +
	    text.offset)) == (ssize_t)bytes && memcmp(theirs, run, bytes) == 0)
		kind = MEMBER_OURS;
out:
	close(fd);
	return kind;
}

static struct gather_member *
find_member(struct gather *g, const char *name, const char *path)
{
	struct gather_member *m;

	HASH_FIND_STR(g->members, name, m);
	if (m == NULL) {
		m = calloc(1, sizeof(*m));
		if (m == NULL)
			return NULL;
		snprintf(m->name, sizeof(m->name), "%s", name);
		HASH_ADD_STR(g->members, name, m);
	}
	if (m->kind == MEMBER_NEW)
		m->kind = recognise(path, g->run);
	return m;
}

static void
forget_member(struct gather *g, struct gather_member *m)
{
	HASH_DEL(g->members, m);
	free(m);
}

/* --- the living ----------------------------------------------------------- */

/* From the first look on there is a socket to ask at. */
static void
offer(struct gather *g, const char *path, int pid)
{
	char socket[PLACE_ROOM], name[32];
	struct control c;

	if (g->serve == NULL || serve_has(g->serve, pid))
		return;
	snprintf(name, sizeof(name), "%d.sock", pid);
	if (path_in(g->directory, name, socket) < 0 ||
	    control_open(&c, path, pid) < 0)
		return;
	c.least = g->least;
	if (serve_add(g->serve, socket, &c) < 0)
		control_close(&c);
}

/* Long enough to be no start, short enough to be in time. */
#define ALARM_SPAN_NS  NS_PER_MINUTE
#define ALARM_LEAST_NS (10 * NS_PER_S)

/*
 * It grows, and beyond doubt faster than is allowed: from now on all stacks
 * are kept, to know from where.  Once a process; who turns the dial after that
 * has the last word.
 */
static void
watch_growth(const struct gather *g, struct control *c, uint64_t now)
{
	struct segment *s = c->segment;
	char rate[TEXT_RATE_ROOM], name[64];
	struct trend_line line;
	uint32_t calm = 0;

	if (g->growth <= 0 || atomic_load(&s->watch.alarms) != 0 ||
	    now - s->identity.clock_ns < ALARM_LEAST_NS ||
	    !series_growth(c, now, ALARM_SPAN_NS, &line) ||
	    line.low < g->growth || !atomic_compare_exchange_strong(
	    &s->watch.alarms, &calm, 1))
		return;
	snprintf(name, sizeof(name), "grows by %s",
	    text_format_rate(rate, line.rate));
	(void)mark_set(c, MARK_GROWTH, name, now);
	atomic_store(&s->config.stacks_wanted, STACKS_ALL + 1);
	control_nudge(c);
}

struct look {
	const struct gather *gather;
	const char *path;
	int pid;
	struct serve *serve; /* to be stopped in the end; or NULL */
	_Atomic bool over;
	uint64_t cost_ns;
};

/* A process that is gone, or a census already under way, is no trouble. */
static void
measure(const struct look *l)
{
	struct control c;
	uint64_t now;

	if (control_open(&c, l->path, l->pid) < 0)
		return;
	(void)census_take(c.segment, l->pid);
	(void)bypass_look(c.segment, l->pid);
	now = sys_clock();
	series_fill(&c, now);
	mark_by_time(&c, now);
	watch_growth(l->gather, &c, now);
	control_close(&c);
}

static void *
look_beside(void *context)
{
	struct look *l = context;
	uint64_t before = sys_clock();

	measure(l);
	l->cost_ns = sys_clock() - before;
	atomic_store(&l->over, true);
	if (l->serve != NULL)
		serve_stop(l->serve);
	return NULL;
}

/*
 * To look at some GiB takes a tenth of a second and more; who asks meanwhile
 * shall not wait for it.  Signals do, as they have to be passed on from where
 * they are waited for.  Returns what the look has cost.
 */
static uint64_t
look(struct gather *g, const char *path, int pid)
{
	struct look l = { .gather = g, .path = path, .pid = pid };
	pthread_t thread;

	l.serve = g->serve;
	if (g->serve == NULL ||
	    pthread_create(&thread, NULL, look_beside, &l) != 0) {
		l.serve = NULL;
		(void)look_beside(&l);
		return l.cost_ns;
	}
	serve_watch(g->serve, -1);
	while (!atomic_load(&l.over))
		(void)serve_turn(g->serve, 1000);
	pthread_join(thread, NULL);
	return l.cost_ns;
}

/* --- looking -------------------------------------------------------------- */

static void
note_alive(struct gather *g, int pid)
{
	struct proc_stat stat;

	if (g->alive++ != 0)
		return;
	g->first_alive.pid = pid;
	if (proc_stat_read(pid, &stat) == 0)
		gather_name(stat.name, g->first_alive.name);
}

/* One name of the directory.  Returns what measuring it has cost, in ns. */
static uint64_t
visit(struct gather *g, const char *text, bool running)
{
	struct shelf_name name;
	struct gather_member *m;
	char path[PLACE_ROOM];
	uint64_t cost;
	bool first, last;
	int pid;

	if (!shelf_parse(text, &name) ||
	    path_in(g->directory, text, path) < 0)
		return 0;
	m = find_member(g, text, path);
	if (m == NULL || m->kind != MEMBER_OURS)
		return 0;
	last = name.image == SHELF_LAST;
	first = last && gather_is_program(g, &name);
	if (first && !running)
		return 0; /* the caller has plans for it */
	pid = last && !first ? shelf_pid(&name) : name.pid;
	if (!first && (!last || pid == 0)) {
		if (gather_collect(g, path, &name))
			forget_member(g, m);
		else
			m->kind = MEMBER_FOREIGN; /* tried, and told */
		return 0;
	}
	if (!first)
		note_alive(g, pid);
	if (!running)
		return 0;
	cost = look(g, path, pid);
	offer(g, path, pid);
	return cost;
}

static uint64_t
visit_all(struct gather *g, bool running)
{
	struct dirent *entry;
	uint64_t cost = 0;
	DIR *dir;

	g->alive = 0;
	dir = opendir(g->directory);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		cost += visit(g, entry->d_name, running);
	closedir(dir);
	return cost;
}

uint64_t
gather_look(struct gather *g)
{
	uint64_t cost, wait;

	if (g->serve != NULL)
		(void)serve_sweep(g->serve);
	cost = visit_all(g, true);
	wait = max_u64(g->interval_ns, cost * (COST_SHARE - 1));

	g->interval_ns = min_u64(g->interval_ns + g->interval_ns / 2,
	    INTERVAL_MOST);
	return sys_clock() + wait;
}

/* --- the end is wanted ---------------------------------------------------- */

bool
gather_has_batches(const struct tide_room *room)
{
	return room->op[0].batches != 0 || room->op[0].active != 0;
}

/* True: it takes its work in batches. */
static bool
stop_one(const char *path, int pid, uint32_t why)
{
	struct tide_room *room;
	struct control c;
	bool batches = false;

	if (control_open(&c, path, pid) < 0)
		return false;
	if (control_room(&c) != NULL) {
		room = control_rows(&c, TABLE_BUDGET);
		(void)__atomic_fetch_or(&room->stop, why, __ATOMIC_RELEASE);
		batches = gather_has_batches(room);
	}
	control_close(&c);
	return batches;
}

bool
gather_stop(struct gather *g, uint32_t why)
{
	struct gather_member *m, *next;
	struct shelf_name name;
	char path[PLACE_ROOM];

	HASH_ITER(hh, g->members, m, next) {
		if (m->kind != MEMBER_OURS || !shelf_parse(m->name, &name) ||
		    name.image != SHELF_LAST || gather_is_program(g, &name) ||
		    path_in(g->directory, m->name, path) < 0)
			continue;
		(void)stop_one(path, shelf_pid(&name), why);
	}
	/* It may be too young to have been looked at. */
	return gather_path(g, path) == 0 && stop_one(path, g->pid, why);
}

/* --- beginning and end ---------------------------------------------------- */

void
gather_clear(const char *folder)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		const char *suffix = strrchr(entry->d_name, '.');

		if (strncmp(entry->d_name, "heaptide.", 9) == 0 &&
		    suffix != NULL && strcmp(suffix, SEGMENT_SUFFIX) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
	rmdir(folder); /* an empty one only */
}

void
gather_open(struct gather *g)
{
	g->interval_ns = INTERVAL_FIRST;
	gather_clear(g->folder);
}

void
gather_close(struct gather *g)
{
	struct gather_member *m, *next;

	(void)visit_all(g, false);
	HASH_ITER(hh, g->members, m, next)
		forget_member(g, m);
}

int
gather_path(const struct gather *g, char path[PLACE_ROOM])
{
	return place_segment(g->directory, g->pid, shelf_namespace(), g->ticks,
	    path);
}

int
gather_end(const struct gather *g, const struct segment_end *end,
    uint32_t *was)
{
	char path[PLACE_ROOM];
	struct segment *s;
	struct stat st;
	int fd, r;

	r = gather_path(g, path);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(*s)) {
		r = -EINVAL;
		goto out;
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED) {
		r = -errno;
		goto out;
	}
	*was = s->end.how;
	s->end.status = end->status;
	s->end.signal = end->signal;
	s->end.out_of_memory = end->out_of_memory;
	s->end.at_ns = end->at_ns;
	atomic_store_explicit(&s->end.how, end->how, memory_order_release);
	munmap(s, sizeof(*s));
out:
	close(fd);
	return r;
}
