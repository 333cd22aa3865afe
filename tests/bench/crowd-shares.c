/*
 * crowd-shares.c - many real processes on one ledger, some killed at random
 *
 * usage: crowd-shares POOL PROCESSES BATCHES KILLS ITEM_US [touch|perfect]
 *
 *	POOL      a file made by `heaptide pool start`
 *	BATCHES   that each does, or `60s`: as many as it can in that time
 *	KILLS     processes that get SIGKILL while the others go on
 *	ITEM_US   what an item takes; a batch takes 16 of them more, and is best
 *	          with 304.  An item needs 128 KiB to 8 MiB.  It is slept, not
 *	          computed: there may be more processes than processors.
 *	touch     the memory that is leased is mapped and written to
 *	perfect   so it is, but nobody asks for it: PROCESSES, as many as may be
 *	          at it at one time, share the line in equal parts, and do the
 *	          batches of the same crowd one after the other.  More than they
 *	          do nobody can, of whom no more may be at it
 *
 * With no PROCESSES: how long it takes to acquire and release, alone.
 *
 * Each keeps an account of what it holds beside the ledger, in memory that all
 * share; who is to be killed is stopped first, so its account can be closed
 * just as it stands.  Prints lines `name value`.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/shares.h"
#include "sys/sys.h"

#define START 16
#define BEST  304

/* NEITHER: between two steps of this account, where it must not be closed. */
enum phase { HAS_NONE, NEITHER, HAS_IT };

struct account {
	_Atomic uint64_t held;
	_Atomic uint32_t phase;
	_Atomic uint32_t batches;
	_Atomic uint64_t items;
	_Atomic uint64_t bytes; /* that batches had, all in all */
	_Atomic uint64_t waited_most_ns;
	_Atomic uint64_t waiting_since_ns;
	_Atomic uint32_t failed; /* -errno of what should not have */
	pid_t pid;    /* 0: it has been waited for */
	bool is_killed;
};

struct common {
	_Atomic uint32_t go, stop, ready;
	_Atomic uint32_t turn; /* of a perfect crowd: whose batch is next */
	_Atomic uint64_t held, most; /* by all */
	struct account of[];
};

struct setup {
	const char *path;
	uint64_t processes, batches, kills, item_us;
	uint64_t time_ns; /* 0: by batches */
	bool touch, perfect;
	uint64_t budget;
};

static struct common *common;

static void
raise_most(_Atomic uint64_t *most, uint64_t now)
{
	uint64_t was = atomic_load(most);

	while (now > was && !atomic_compare_exchange_strong(most, &was, now))
		;
}

static void
work(const struct setup *setup, uint64_t bytes, uint64_t items)
{
	volatile char *at = NULL;
	uint64_t i;

	if (setup->touch) {
		at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (i = 0; at != MAP_FAILED && i < bytes; i += 4096)
			at[i] = 1;
	}
	sys_sleep((START + items) * setup->item_us * 1000);
	if (setup->touch && at != MAP_FAILED)
		munmap((void *)at, bytes);
}

/* Of a process by its number. */
static uint64_t
item_bytes(uint32_t index)
{
	return (128 * KIB) << mix_u64(index + 1) % 7;
}

static void
note_batch(struct account *mine, uint64_t bytes, uint64_t items)
{
	mine->items += items;
	mine->bytes += bytes;
	mine->batches++;
}

/* What the law would give if all came in their turn. */
static int
do_perfect_batch(const struct setup *setup, struct account *mine)
{
	uint64_t item = item_bytes(common->turn++);
	uint64_t part = setup->budget / 100 * 95 / setup->processes;
	uint64_t bytes = min_u64(max_u64(part, item), item * BEST);

	work(setup, bytes, bytes / item);
	note_batch(mine, bytes, bytes / item);
	return 0;
}

static int
do_batch(const struct setup *setup, struct account *mine,
    struct shares_member *member, uint64_t item)
{
	uint64_t start = sys_clock(), got;
	int r;

	mine->waiting_since_ns = start;
	r = shares_acquire(member, item, item * BEST, UINT64_MAX, &got);
	if (r < 0)
		return r;
	raise_most(&mine->waited_most_ns, sys_clock() - start);
	mine->waiting_since_ns = 0;

	mine->phase = NEITHER;
	mine->held = got;
	raise_most(&common->most, atomic_fetch_add(&common->held, got) + got);
	mine->phase = HAS_IT;

	work(setup, got, got / item);

	mine->phase = NEITHER;
	common->held -= got;
	mine->held = 0;
	mine->phase = HAS_NONE;

	note_batch(mine, got, got / item);
	shares_release(member, UINT64_MAX);
	return 0;
}

static int
be_one(const struct setup *setup, struct shares *pool, uint32_t index)
{
	struct account *mine = &common->of[index];
	uint64_t item = item_bytes(index);
	struct shares_member member;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shares_in_child(pool);
	r = shares_join(pool, 1, item, 0, &member);
	common->ready++;
	while (r == 0 && common->go == 0)
		sys_wait_while(&common->go, 0);
	while (r == 0 && !common->stop && (setup->time_ns > 0 ||
	    mine->batches < setup->batches))
		r = setup->perfect ? do_perfect_batch(setup, mine) :
		    do_batch(setup, mine, &member, item);
	if (r < 0 && r != -ESHUTDOWN)
		mine->failed = (uint32_t)-r;
	/* Who ends without a word is found as well. */
	if (r == 0 && index % 2 == 0)
		shares_leave(&member);
	return r < 0 && r != -ESHUTDOWN;
}

/* --- the parent ----------------------------------------------------------- */

static uint32_t running, killed;

/* One process has ended, or is stopped; false: neither, or long ago. */
static bool
wait_for(struct account *a, int flags, int *status)
{
	if (a->pid == 0 || waitpid(a->pid, status, flags) != a->pid)
		return false;
	if (WIFSTOPPED(*status))
		return true;
	running--;
	a->pid = 0;
	return true;
}

static void
reap(const struct setup *setup)
{
	uint32_t i;
	int status;

	for (i = 0; i < setup->processes; i++)
		(void)wait_for(&common->of[i], WNOHANG, &status);
}

/* Unless it has ended, or is just between two entries of its account. */
static void
kill_one(struct account *a)
{
	int status;

	if (a->pid == 0 || wait_for(a, WNOHANG, &status))
		return;
	kill(a->pid, SIGSTOP);
	if (!wait_for(a, WUNTRACED, &status) || a->pid == 0)
		return;
	if (a->phase == NEITHER) {
		kill(a->pid, SIGCONT);
		return;
	}
	common->held -= a->held;
	a->is_killed = true;
	a->waiting_since_ns = 0;
	kill(a->pid, SIGKILL);
	(void)wait_for(a, 0, &status);
	killed++;
}

static int
spawn_all(const struct setup *setup, struct shares *pool)
{
	uint32_t i;
	pid_t pid;

	for (i = 0; i < setup->processes; i++) {
		pid = fork();
		if (pid == 0)
			_exit(be_one(setup, pool, i));
		if (pid < 0) {
			fprintf(stderr, "crowd-shares: fork: %s\n",
			    strerror(errno));
			return -1;
		}
		common->of[i].pid = pid;
		running++;
	}
	while (common->ready < setup->processes)
		sys_sleep(NS_PER_MS);
	return 0;
}

/* Kills come evenly over the time, or over the first half of the batches. */
static void
watch(const struct setup *setup, uint64_t began)
{
	uint64_t random = 1, done, all = setup->processes * setup->batches / 2;
	uint32_t i, tries;

	for (;;) {
		if (setup->time_ns > 0) {
			done = sys_clock() - began;
			all = setup->time_ns;
			if (done >= all)
				break;
		} else {
			for (done = 0, i = 0; i < setup->processes; i++)
				done += common->of[i].batches;
			all = max_u64(all, 1);
		}
		for (tries = 0; tries < 100 && killed < setup->kills &&
		    killed <= done * setup->kills / all; tries++)
			kill_one(&common->of[mix_u64(random++) %
			    setup->processes]);
		if (setup->time_ns == 0) {
			reap(setup);
			if (running == 0)
				break;
		}
		sys_sleep(NS_PER_MS);
	}
}

/* A ms, so that what goes on is not held up by who looks at it. */
static void
give_back_all(struct shares *pool, struct shares_member *member)
{
	struct shares_total t;
	uint64_t repaired, since = sys_clock();

	do {
		sys_sleep(NS_PER_MS);
		(void)shares_sweep(member);
		shares_read(pool, &t);
	} while (t.members > 1 && sys_clock() - since < 60 * NS_PER_S);
	printf("lost_before_audit %" PRId64 "\n", (int64_t)t.budget - t.left);
	printf("back_after_ms %" PRIu64 "\n", (sys_clock() - since) /
	    NS_PER_MS);
	while (shares_audit(member, &repaired) == -EAGAIN)
		sys_sleep(NS_PER_MS);
	shares_read(pool, &t);
	printf("lost %" PRId64 "\n", (int64_t)t.budget - t.left);
	printf("active %u\n", t.active);
	printf("members %u\n", t.members - 1);
	printf("granted %" PRIu64 "\n", t.granted);
	printf("died %" PRIu64 "\n", t.swept);
	printf("repaired %" PRIu64 "\n", t.repaired);
}

static void
tell(const struct setup *setup, uint64_t took, uint32_t seats)
{
	uint64_t items = 0, bytes = 0, waited = 0, batches = 0, now = sys_clock();
	uint32_t unserved = 0, failed = 0, unfinished = 0, i;

	for (i = 0; i < setup->processes; i++) {
		const struct account *a = &common->of[i];

		items += a->items;
		bytes += a->bytes;
		batches += a->batches;
		waited = max_u64(waited, a->waited_most_ns);
		if (a->waiting_since_ns > 0)
			waited = max_u64(waited, now - a->waiting_since_ns);
		failed += a->failed != 0;
		if (!a->is_killed) {
			unserved += a->batches == 0;
			unfinished += a->batches < setup->batches;
		}
	}
	printf("processes %" PRIu64 "\n", setup->processes);
	printf("killed %u\n", killed);
	printf("batches %" PRIu64 "\n", batches);
	printf("failed %u\n", failed);
	printf("unserved %u\n", unserved);
	printf("unfinished %u\n", unfinished);
	printf("most_of_budget %.3f\n", (double)common->most /
	    (double)setup->budget);
	printf("wait_most_s %.2f\n", (double)waited / 1e9);
	printf("round_s %.2f\n", batches > 0 ? (double)took / 1e9 /
	    (double)batches * (double)setup->processes : 0);
	printf("seconds %.2f\n", (double)took / 1e9);
	printf("mib_a_second %.1f\n", (double)bytes / (double)MIB * 1e9 /
	    (double)took);
	if (seats > 0)
		printf("efficiency %.3f\n", (double)items *
		    (double)setup->item_us * 1e3 / (double)took /
		    (double)seats);
}

static void
measure_alone(const struct setup *setup, struct shares_member *member)
{
	uint64_t began = sys_clock(), i, got;

	for (i = 0; i < setup->batches; i++) {
		if (shares_acquire(member, MIB, MIB, 0, &got) < 0)
			break;
		shares_release(member, UINT64_MAX);
	}
	printf("pairs %" PRIu64 "\n", i);
	printf("ns_a_pair %.1f\n", i > 0 ?
	    (double)(sys_clock() - began) / (double)i : 0);
}

/* Once all have ended: what they took beside the ledger counts as well. */
static void
tell_cpu(const struct setup *setup)
{
	uint64_t batches = 0, bytes = 0;
	struct rusage used;
	double us;
	uint32_t i;

	for (i = 0; i < setup->processes; i++) {
		batches += common->of[i].batches;
		bytes += common->of[i].bytes;
	}
	getrusage(RUSAGE_CHILDREN, &used);
	us = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
	    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	printf("cpu_us_a_batch %.1f\n", batches > 0 ?
	    us / (double)batches : 0);
	printf("mib_a_cpu_second %.1f\n", us > 0 ?
	    (double)bytes / (double)MIB * 1e6 / us : 0);
}

static int
read_setup(int argc, char **argv, struct setup *s)
{
	if (argc < 6 || argc > 7)
		return -1;
	s->path = argv[1];
	if (text_parse_u64(argv[2], SHARES_SLOTS_MOST - 1, &s->processes) < 0 ||
	    text_parse_u64(argv[4], UINT32_MAX, &s->kills) < 0 ||
	    text_parse_u64(argv[5], UINT32_MAX, &s->item_us) < 0)
		return -1;
	if (text_parse_u64(argv[3], UINT32_MAX, &s->batches) < 0 &&
	    text_parse_duration(argv[3], &s->time_ns) < 0)
		return -1;
	s->perfect = argc > 6 && strcmp(argv[6], "perfect") == 0;
	s->touch = s->perfect || (argc > 6 && strcmp(argv[6], "touch") == 0);
	return 0;
}

int
main(int argc, char **argv)
{
	struct setup setup = { .path = NULL };
	struct shares_member member;
	struct shares_total t;
	struct shares pool;
	uint64_t began, took;
	uint32_t i;
	int r;

	if (read_setup(argc, argv, &setup) < 0) {
		fprintf(stderr, "usage: crowd-shares POOL PROCESSES BATCHES "
		    "KILLS ITEM_US [touch|perfect]\n");
		return 2;
	}
	r = shares_open(&pool, setup.path, 1);
	if (r == 0)
		r = shares_join(&pool, 1, 0, 0, &member);
	if (r < 0) {
		fprintf(stderr, "crowd-shares: %s: %s\n", setup.path,
		    strerror(-r));
		return 1;
	}
	if (setup.processes == 0) {
		measure_alone(&setup, &member);
		shares_leave(&member);
		return 0;
	}
	shares_read(&pool, &t);
	setup.budget = t.budget;
	common = mmap(NULL, sizeof(*common) +
	    setup.processes * sizeof(struct account), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED || spawn_all(&setup, &pool) < 0)
		return 1;
	began = sys_clock();
	common->go = 1;
	sys_wake_all(&common->go);
	watch(&setup, began);
	took = sys_clock() - began;
	common->stop = 1;
	tell(&setup, took, t.seats);
	/* What is still at it is killed where it stands. */
	for (i = 0; i < setup.processes && setup.time_ns > 0; i++)
		if (common->of[i].pid != 0)
			kill(common->of[i].pid, SIGKILL);
	while (running > 0) {
		reap(&setup);
		sys_sleep(NS_PER_MS);
	}
	tell_cpu(&setup);
	give_back_all(&pool, &member);
	shares_leave(&member);
	return 0;
}
