/*
 * sizing-victim.c - batches of real memory, sized by the law, in a jail
 *
 * usage: sizing-victim JAIL LIMIT_MIB ITEMS WORKLOAD HOW [N]
 *
 * JAIL is a directory below a memory controller's, of version 1 or 2, which is
 * made and removed.  WORKLOAD is one of `heaptide simulate`, its items a
 * quarter of the size.  HOW: static N; the laws by themselves: sizes, cut,
 * weights, knee (and cut); or a program that asks heaptide.h, with the library
 * inside or without it: program, told (of weights).
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

#include "heaptide.h"

#include "base/base.h"
#include "model/knee.h"
#include "model/sensor.h"
#include "model/sizing.h"
#include "simulate/simulate.h"

#define SCALE    0.25
#define CALL_NS  320000.0
#define ITEM_NS  20000.0
#define OUTSIDE  (6 * MIB) /* of the limit: program, stacks, page tables */
#define CRITICAL  0.88     /* as plan/plan.c has it */
#define KILLS    400       /* enough is enough */
#define BATCH    4096
#define STOPPED  75        /* by heaptide.h, which is as good as killed */

enum how { STATIC, SIZES, CUT, WEIGHTS, KNEE, PROGRAM, TOLD };

static const char *const hows[] = { "static", "sizes", "cut", "weights",
	"knee", "program", "told", NULL };

/* What outlives a kill. */
struct shared {
	struct sizing sizing;
	struct knee knee;
	struct sensor sensor;
	uint32_t cursor, batches;
	uint32_t begun;   /* items of the batch that is running; 0: none */
	uint64_t reached; /* bytes it had grown by, when last looked at */
	uint64_t used;    /* as it began, less what was free in the heap */
	uint64_t stood;   /* and with it */
	uint64_t high;    /* the most, with it */
	uint64_t pays;    /* knee_bytes() of the batch */
	uint64_t held;    /* the most, less what was free, since then */
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
	if (l.used > shared->high)
		shared->high = l.used;
	if (sensor_held(&shared->sensor, live) > shared->held)
		shared->held = sensor_held(&shared->sensor, live);
}

/* --- a batch -------------------------------------------------------------- */

/* How many, by what is asked for; @open is for weights. */
static uint32_t
plan_batch(struct sizing_plan *plan, struct sizing_open_batch *open,
    bool *bounded)
{
	struct sizing_room room = { .budget = budget, .grow_allowed = true,
		.used = shared->used, .remaining = items - shared->cursor,
		.fits = sensor_fits(&shared->sensor, shared->stood,
		    shared->used) };
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

/* Of the batch that begins at the cursor: all are padded to the largest. */
static uint64_t
bytes_of(uint32_t i, uint32_t n)
{
	uint64_t bytes = size[shared->cursor + i];

	for (uint32_t j = 0; work->padded && j < n; j++)
		bytes = max_u64(bytes, size[shared->cursor + j]);
	return bytes;
}

static void *
make_item(uint64_t bytes)
{
	void *block = malloc(bytes);

	if (block == NULL)
		die("malloc");
	memset(block, 1, bytes);
	live += bytes;
	return block;
}

/* What is done with them, of which the batch began at @began. */
static void
compute(uint64_t began, uint32_t n)
{
	uint64_t due = began + (uint64_t)(CALL_NS + ITEM_NS * n);
	volatile uint64_t spun = 0;

	while (cpu_now() < due)
		spun++;
}

/* Is it at its line, as plan_may_grow() has it?  @plan NULL: it has none. */
static bool
is_full(const struct sizing_plan *plan)
{
	uint64_t last;
	int may;

	if (sensor_is_due(&shared->sensor, live))
		look();
	if (plan == NULL)
		return false;
	last = min_u64(plan->last, (uint64_t)(CRITICAL * (double)budget));
	may = sensor_may_grow(&shared->sensor, live, plan->line, last,
	    shared->stood);
	if (may == SENSOR_LOOK) {
		look();
		may = sensor_may_grow(&shared->sensor, live, plan->line, last,
		    shared->stood);
	}
	return may != SENSOR_GROW;
}

/* Allocate, and stop at the line if asked to; how many there are. */
static uint32_t
load(void **block, uint32_t n, const struct sizing_plan *plan,
    uint64_t *item_max)
{
	uint64_t pays = how != KNEE ? 0 : shared->pays;
	uint64_t begun = live, bytes;
	uint32_t i;

	for (i = 0; i < n; i++) {
		bytes = bytes_of(i, n);
		block[i] = make_item(bytes);
		*item_max = max_u64(*item_max, bytes);
		reach(live - begun);
		if (is_full(plan) || (pays != 0 && live - begun >= pays &&
		    !work->padded))
			return i + 1;
	}
	return n;
}

/* Did it find room in what was free? */
static void
took_room(uint64_t grown)
{
	const struct sensor_batch b = { .stood = shared->stood,
		.held = shared->used, .live = grown,
		.risen = shared->high - shared->stood };

	sensor_reused(&shared->sensor, &b);
}

static void
run_batch(void)
{
	static void *block[BATCH];
	struct sizing_open_batch open = { 0 };
	struct sizing_batch b = { .budget = budget };
	struct sizing_plan plan;
	uint64_t began = cpu_now(), begun_live = live;
	uint32_t n, wanted, i;
	bool bounded;

	look();
	shared->used = sensor_held(&shared->sensor, live);
	shared->stood = shared->sensor.used0;
	shared->held = shared->used;
	shared->high = shared->stood;
	shared->reached = 0;
	wanted = plan_batch(&plan, &open, &bounded);
	shared->pays = knee_bytes(&shared->knee, wanted,
	    sizing_expect(&shared->sizing, wanted));
	shared->begun = wanted;
	n = load(block, wanted, how == STATIC || how == SIZES || work->padded ?
	    NULL : &plan, &b.item_max);
	look();
	reach(above_u64(shared->sensor.used0, shared->stood));
	reach(shared->held - shared->used);
	compute(began, n);
	took_room(live - begun_live);
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
	if (how == KNEE) { /* as plan/batch-close.c has it */
		bool paid = b.cut && shared->pays != 0 &&
		    b.growth >= shared->pays;
		if (!b.cut || (paid && knee_is_settled(&shared->knee)))
			knee_learn(&shared->knee, n, b.time_ns,
			    bounded || paid);
		if (!b.cut || paid)
			knee_grew(&shared->knee, n, b.growth, b.cut);
	}
	shared->cursor += n;
	shared->batches++;
	shared->begun = 0;
	shared->in_row = 0;
}

/* --- a program ------------------------------------------------------------ */

/* May it have an item more?  @n: of the batch. */
static int
ask_more(tide_batch *b, uint32_t i)
{
	if (how == TOLD)
		return tide_item(b, size[shared->cursor + i]);
	/* Nothing to stop between two items where all are padded. */
	return work->padded || tide_batch_more(b);
}

/* False: there is nothing more to be had, or to be done. */
static bool
run_as_told(tide_op *op)
{
	static void *block[BATCH];
	uint64_t began = cpu_now();
	uint32_t i, n, most;
	tide_batch b;

	memset(&b, 0, sizeof(b));
	if (tide_batch_begin(op, &b, shared->cursor,
	    items - shared->cursor, -1) <= 0)
		return false;
	most = how == TOLD ? items - shared->cursor : b.n;
	if (most > BATCH)
		most = BATCH;
	shared->begun = b.n;
	for (n = 0; n < most && ask_more(&b, n); n++)
		if (!work->padded || how != TOLD)
			block[n] = make_item(bytes_of(n, b.n));
	for (i = 0; work->padded && how == TOLD && i < n; i++)
		block[i] = make_item(bytes_of(i, n));
	compute(began, n);
	for (i = 0; i < n; i++)
		free(block[i]);
	tide_batch_end(&b, n);
	shared->cursor += n;
	shared->batches++;
	shared->begun = shared->in_row = 0;
	return true;
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
	if (how >= PROGRAM) {
		tide_op *op = tide_op_open("work", NULL);

		while (shared->cursor < items && run_as_told(op))
			;
	}
	while (how < PROGRAM && shared->cursor < items)
		run_batch();
	_exit(shared->cursor < items ? STOPPED : 0);
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
		if ((WIFEXITED(status) && WEXITSTATUS(status) != STOPPED) ||
		    ++kills >= KILLS)
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
