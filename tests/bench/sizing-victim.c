/*
 * sizing-victim.c - batches of real memory, sized by the law, in a jail
 *
 * usage: sizing-victim JAIL LIMIT_MIB ITEMS WORKLOAD HOW [N]
 *
 * JAIL is a directory below a memory controller's, of version 1 or 2, which is
 * made and removed.  WORKLOAD is one of `heaptide simulate`, its items a
 * quarter of the size.  HOW: static N, sizes, cut, weights, knee (and cut).
 *
 * Each item is allocated and written to; then the batch computes until it has
 * had 320 us and 20 us an item in all, and all is freed.  What is killed is
 * started anew where its batch began, with what was learned.
 *
 * Writes: items a second of CPU time (the machine may have others to care for),
 * kills, the most that the jail held of its limit, mean batch, batches.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "model/knee.h"
#include "model/sensor.h"
#include "model/sizing.h"
#include "simulate.h"

#define SCALE    0.25
#define CALL_NS  320000.0
#define ITEM_NS  20000.0
#define OUTSIDE  (6 * MIB) /* of the limit: program, stacks, page tables */
#define KILLS    400       /* enough is enough */
#define BATCH    4096

enum how { STATIC, SIZES, CUT, WEIGHTS, KNEE };

static const char *const hows[] = { "static", "sizes", "cut", "weights",
	"knee", NULL };

/* What outlives a kill. */
struct shared {
	struct sizing sizing;
	struct knee knee;
	struct sensor sensor;
	uint32_t cursor, batches;
	uint32_t begun;   /* items of the batch that is running; 0: none */
	uint64_t reached; /* bytes it had grown by, when last looked at */
	uint64_t used;    /* as it began */
	uint32_t in_row;  /* kills without a batch in between */
};

static struct shared *shared;
static enum how how;
static uint32_t fixed, items;
static const struct sim_work *work;
static size_t *size;    /* bytes of each item */
static uint64_t budget, live;

static void
die(const char *what)
{
	fprintf(stderr, "sizing-victim: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Resident memory that is no file's. */
static uint64_t
resident(void)
{
	static int fd = -1;
	unsigned long all, pages, files;
	char text[128];
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/self/statm", O_RDONLY);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%lu %lu %lu", &all, &pages, &files) != 3)
		die("statm");
	return (uint64_t)(pages - files) * 4096;
}

static void
look(void)
{
	const struct sensor_look l = { .used = resident(), .live = live,
		.now_ns = clock_now() };

	sensor_sample(&shared->sensor, &l);
}

/* --- a batch -------------------------------------------------------------- */

/* How many, by what is asked for; @open is for weights. */
static uint32_t
plan_batch(struct sizing_plan *plan, struct sizing_open_batch *open,
    bool *bounded)
{
	struct sizing_room room = { .budget = budget, .grow_allowed = true,
		.used = shared->used, .remaining = items - shared->cursor };
	uint32_t n;

	if (room.remaining > BATCH)
		room.remaining = BATCH;
	if (how == KNEE)
		room.knee = knee_cap(&shared->knee);
	sizing_plan(&shared->sizing, &room, plan);
	*bounded = plan->bound != SIZING_BY_KNEE &&
	    plan->bound != SIZING_BY_REMAINING;
	n = plan->n;
	if (how == STATIC) /* the same again would be killed again */
		n >>= shared->in_row;
	if (how == WEIGHTS) {
		sizing_begin(&shared->sizing, &room, plan, open);
		for (n = 0; n < room.remaining; n++)
			if (sizing_item(&shared->sizing, open,
			    size[shared->cursor + n]) == 0)
				break;
	}
	return n > 0 ? n : 1;
}

static void
reach(uint64_t bytes)
{
	if (bytes > shared->reached)
		shared->reached = bytes;
}

/* Allocate, and stop at the line if asked to; how many there are. */
static uint32_t
load(void **block, uint32_t n, uint64_t line, uint64_t *item_max)
{
	uint64_t begun = live, bytes, used;
	uint32_t i;

	for (i = 0; i < n; i++) {
		bytes = size[shared->cursor + i];
		if (work->padded) /* as large as the largest of the batch */
			for (uint32_t j = 0; j < n; j++)
				bytes = max_u64(bytes,
				    size[shared->cursor + j]);
		block[i] = malloc(bytes);
		if (block[i] == NULL)
			die("malloc");
		memset(block[i], 1, bytes);
		live += bytes;
		*item_max = max_u64(*item_max, bytes);
		reach(live - begun);
		if (sensor_is_due(&shared->sensor, live))
			look();
		used = sensor_used(&shared->sensor, live);
		if ((how == CUT || how == KNEE) && used >= line)
			return i + 1;
	}
	return n;
}

static void
run_batch(void)
{
	static void *block[BATCH];
	struct sizing_open_batch open = { 0 };
	struct sizing_batch b = { .budget = budget };
	struct sizing_plan plan;
	uint64_t began = cpu_now(), due, begun_live = live;
	volatile uint64_t spun = 0;
	uint32_t n, wanted, i;
	bool bounded;

	look();
	shared->used = sensor_held(&shared->sensor, live);
	shared->reached = 0;
	wanted = plan_batch(&plan, &open, &bounded);
	shared->begun = wanted;
	n = load(block, wanted, how == STATIC ? UINT64_MAX : plan.line,
	    &b.item_max);
	look();
	reach(above_u64(shared->sensor.used0, shared->used));
	due = began + (uint64_t)(CALL_NS + ITEM_NS * n);
	while (cpu_now() < due)
		spun++;
	for (i = 0; i < n; i++)
		free(block[i]);
	live = begun_live;

	b.n = n;
	b.cut = n < wanted;
	b.growth = shared->reached;
	b.used = shared->used;
	b.weight_sum = open.sum;
	b.weight_max = open.max;
	b.time_ns = cpu_now() - began;
	if (how != STATIC)
		sizing_learn(&shared->sizing, &b);
	if (how == KNEE)
		knee_learn(&shared->knee, n, b.time_ns, bounded || b.cut);
	shared->cursor += n;
	shared->batches++;
	shared->begun = 0;
	shared->in_row = 0;
}

/* --- the jail ------------------------------------------------------------- */

static void
store(const char *directory, const char *file, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static double
load_number(const char *directory, const char *file)
{
	char path[512];
	double number = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%lf", &number) != 1)
		number = 0;
	if (f != NULL)
		fclose(f);
	return number;
}

static bool
is_version_2(const char *jail)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/memory.max", jail);
	return access(path, F_OK) == 0;
}

static void
build_jail(const char *jail, uint64_t limit)
{
	char text[32];

	if (mkdir(jail, 0755) < 0)
		die(jail);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)limit);
	store(jail, is_version_2(jail) ? "memory.max" :
	    "memory.limit_in_bytes", text);
}

static void
worker(const char *jail)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", (int)getpid());
	store(jail, "cgroup.procs", text);
	sensor_open(&shared->sensor, budget);
	live = 0;
	while (shared->cursor < items)
		run_batch();
	_exit(0);
}

/* It was killed in the middle of a batch. */
static void
learn_kill(void)
{
	struct sizing_batch b = { .budget = budget, .failed = true,
		.n = shared->begun, .used = shared->used,
		.growth = shared->reached };

	if (how != STATIC)
		sizing_learn(&shared->sizing, &b);
	if (++shared->in_row > 12) {
		shared->cursor++; /* an item that nobody can do */
		shared->in_row = 0;
	}
}

static void
make_items(void)
{
	uint64_t random = 77;
	uint32_t i;

	size = calloc(items + BATCH, sizeof(*size));
	if (size == NULL)
		die("calloc");
	for (i = 0; i < items; i++)
		size[i] = (size_t)(SCALE * work->item(&random, i, items)) + 1;
}

static void
open_sizing(void)
{
	struct sizing_conf conf = { .fixed = how == STATIC ? fixed : 0 };

	sizing_open(&shared->sizing, &conf);
	knee_open(&shared->knee);
}

int
main(int argc, char **argv)
{
	uint32_t kills = 0;
	struct rusage usage;
	double seconds, most;
	uint64_t limit;
	int status;
	pid_t pid;

	if (argc < 6)
		return 2;
	limit = strtoull(argv[2], NULL, 10) * MIB;
	items = (uint32_t)strtoul(argv[3], NULL, 10);
	work = sim_work_find(argv[4]);
	while (hows[how] != NULL && strcmp(hows[how], argv[5]) != 0)
		how++;
	fixed = argc > 6 ? (uint32_t)strtoul(argv[6], NULL, 10) : 0;
	if (work == NULL || work->item == NULL || hows[how] == NULL ||
	    (how == STATIC && fixed == 0))
		return 2;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	budget = limit - OUTSIDE;
	make_items();
	open_sizing();
	build_jail(argv[1], limit);

	for (;;) {
		pid = fork();
		if (pid == 0)
			worker(argv[1]);
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			die("fork");
		if (WIFEXITED(status) || ++kills >= KILLS)
			break;
		learn_kill();
	}
	getrusage(RUSAGE_CHILDREN, &usage);
	seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	most = load_number(argv[1], is_version_2(argv[1]) ? "memory.peak" :
	    "memory.max_usage_in_bytes");
	printf("%.0f %u %.3f %.0f %u\n", shared->cursor / seconds, kills,
	    most / (double)limit, (double)shared->cursor /
	    (shared->batches > 0 ? shared->batches : 1), shared->batches);
	rmdir(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}
