#include "door/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "control/bypass.h"
#include "control/census.h"
#include "control/limit.h"
#include "door/cooperate-room.h"
#include "door/dial.h"
#include "door/heritage.h"
#include "door/identity.h"
#include "door/keeper.h"
#include "door/options.h"
#include "door/preload.h"
#include "door/python.h"
#include "door/real.h"
#include "door/stranger.h"
#include "door/survey.h"
#include "heap/generation.h"
#include "heap/life.h"
#include "heap/ledger.h"
#include "heap/mapping.h"
#include "heap/site.h"
#include "heap/tally.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/intern.h"
#include "stack/module.h"
#include "stack/unwind.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/say.h"
#include "sys/sys.h"

enum phase {
	PHASE_NEW,       /* nothing met yet */
	PHASE_RESOLVING, /* looking for the allocator: the pool serves */
	PHASE_RESOLVED,  /* the allocator is known, the segment is not there */
	PHASE_OPENING,
	PHASE_COUNTING,
	PHASE_OFF
};

static struct {
	_Atomic uint32_t phase; /* enum phase */
	_Atomic bool stopped;   /* who opens was; nobody waits for it */
	struct options options;
	bool options_read;
	bool hooked;    /* fork and exit call us */
	bool reference; /* the judge of stacks is open */
	bool unseen;    /* we are a child that nobody told us of */
	_Atomic uint64_t early; /* calls that passed uncounted, not yet said */
	bool preloaded; /* by LD_PRELOAD, as it was at the start */
	bool outside;   /* --children none, and we are one */
	int image_pid;  /* of the process that this program was started in */
	uint32_t first_generation;
	bool has_key;
	pthread_key_t key; /* its destructor tells that a thread ends */
	uint64_t stack_end; /* of the first thread; 0: not known */
	char directory[PLACE_ROOM]; /* for segments; found once a tree */
	char *const *environment; /* until libc has found it: environ */
} boot;

static char *const *
environment(void)
{
	return environ != NULL ? environ : boot.environment;
}

/* --- the segment --- */

/*
 * Room for a path while a segment is made.  That happens in one thread, which
 * may have a stack of a few pages.
 */
static char paper[PLACE_ROOM];

/*
 * What was asked for, in bytes.  A share is of what there is now, and stays: it
 * is found out once, and a child goes on with it.
 */
static uint64_t
budget_bytes(void)
{
	struct source_wish *wish = &boot.options.budget;
	uint64_t bytes = 0;

	if (!boot.options.has_budget ||
	    limit_of_wish(0, wish, &bytes) < 0)
		return 0;
	wish->form = FORM_BYTES;
	wish->value = bytes;
	return bytes;
}

uint64_t
boot_budget(void)
{
	const struct options *o = &boot.options;

	return o->has_budget && o->budget.form == FORM_BYTES ?
	    o->budget.value : 0;
}

static void
fill_config(void)
{
	struct segment_config *config = &segment_mine()->config;

	/* A child goes on as its parent does by now. */
	config->stacks = !boot_now.mixed ? boot.options.stacks :
	    boot_now.records ? STACKS_ALL :
	    boot_now.draws ? STACKS_SAMPLED : STACKS_NONE;
	segment_mine()->watch.switches = boot_now.mixed;
	config->epoch_ns = boot.options.epoch;
	config->depth = boot.options.depth;
	config->children = boot.options.children;
	config->sample_bytes = boot.options.sample;
	config->drift_bytes = TALLY_DRIFT_BYTES;
	config->budget_bytes = budget_bytes();
	config->warn_mille = boot.options.warn_mille;
	config->critical_mille = boot.options.critical_mille;
	config->target_mille = boot.options.target_mille;
	config->enforce = (uint8_t)boot.options.enforce;
}

/* Who we are; if a guest comes here first, he knows already. */
static void
know(void)
{
	boot_now.pid = sys_pid();
	boot_page.known = 1;
}

static int
make_segment(void)
{
	struct proc_stat stat;
	uint64_t namespace = 0;
	uint32_t exec_count;
	int r;

	r = boot.directory[0] != '\0' ? 0 :
	    place_find(environment(), boot.directory);
	if (boot_page.known == 0)
		know();
	if (r == 0)
		r = proc_stat_read(boot_is_guest() ? boot_now.pid : 0, &stat);
	if (r == 0) {
		namespace = proc_namespace(stat.pid);
		r = place_segment(boot.directory, stat.pid, namespace,
		    stat.ticks, paper);
	}
	if (r == 0)
		r = segment_create(paper, &exec_count);
	if (r < 0) {
		boot.directory[0] = '\0';
		return r;
	}
	fill_config();
	identity_fill(&stat, exec_count, boot.options.run);
	segment_mine()->identity.namespace = namespace;
	heritage_fill();
	stranger_store();
	generation_begin(boot.first_generation);
	if (tally_create_shared(boot_now.pid) < 0 || site_create_known() < 0)
		return -ENOSPC;
	(void)arena_spans(segment_mine()->own);
	segment_publish();
	return 0;
}

/* --- fork, exit, threads that end --- */

static void
before_fork(void)
{
	heritage_take(atomic_load(&boot.phase) == PHASE_COUNTING);
}

/*
 * The first generation of what this process will allocate is above all that it
 * inherits.  Where few numbers would be left for its own, all that becomes of
 * generation 0; which costs a pass over the records.
 */
static void
next_generation(void)
{
	if (segment_mine() == NULL)
		return; /* nothing was allocated here */
	boot.first_generation = stamp_generation(stamp_now()) + 1;
	if (boot.first_generation <= GENERATIONS / 2)
		return;
	ledger_set_generations(0);
	boot.first_generation = 1;
}

/*
 * Leave the parent's segment at once: what this process counts is its own.
 * Its segment is made at its first allocation, which many children that go
 * on to exec never come to.
 */
static void
in_child(void)
{
	uint32_t phase = atomic_load(&boot.phase);

	self.tally = NULL;
	self.shared = 0;
	self.busy = BUSY_NOT;
	/* First of all: a signal handler must not look for the old segment. */
	if (phase == PHASE_COUNTING)
		atomic_store(&boot.phase,
		    boot.options.children == CHILDREN_ALL ? PHASE_RESOLVED :
		    PHASE_OFF);
	cooperate_in_child();
	keeper_in_child();
	survey_in_child();
	next_generation();
	know();
	self.scratch = NULL;
	self.memo = NULL;
	self.chain = NULL;
	life_reset();
	mapping_reset();
	module_reset();
	intern_reset();
	python_in_child();
	segment_leave();
}

bool
boot_is_counting(void)
{
	return atomic_load(&boot.phase) == PHASE_COUNTING &&
	    boot_page.mode != MODE_NOT;
}

/* Who cannot ask (sys_confine()) is not taken for it. */
static bool
is_first_thread(void)
{
	int tid = sys_tid();

	return tid > 0 && tid == sys_pid();
}

/* Once there is a place for it: what went by while there was none. */
static void
say_early(void)
{
	atomic_fetch_add(&segment_mine()->lost.early,
	    atomic_exchange(&boot.early, 0));
}

/*
 * A look at all of the process takes more of the stack than another thread, a
 * coroutine or a signal handler's may have left.
 */
#define LOOK_STACK (64 * KIB)

static bool
has_room_to_look(void)
{
	uint64_t depth = boot.stack_end -
	    (uintptr_t)__builtin_frame_address(0);

	return boot.stack_end != 0 && depth < UNWIND_STACK_MOST &&
	    depth + LOOK_STACK < sys_limit(RLIMIT_STACK);
}

static void
at_exit(int status, void *context)
{
	struct segment *s = segment_mine();

	(void)context;
	if (!boot_is_counting() || boot_is_guest())
		return;
	keeper_end();
	say_early();
	if (self.tally != NULL)
		tally_look(self.tally);
	(void)arena_spans(s->own);
	if (boot.options.scans_at_exit)
		(void)survey_wait(false);
	if (has_room_to_look()) {
		(void)census_take(s, 0);
		(void)bypass_look(s, 0);
	}
	s->end.status = status & 0xff;
	s->end.at_ns = sys_clock();
	atomic_store(&s->end.how, END_EXITED);
	if (sys_calls() > 0)
		say_number("system calls", sys_calls());
}

static void
thread_ends(void *tally)
{
	if (boot_is_counting() && self.tally == tally)
		tally_leave(tally);
}

/*
 * Fork and exit handlers are ours first and last: we are asked before any
 * other library's constructor has run.
 */
static void
hook(void)
{
	boot.hooked = true;
	pthread_atfork(before_fork, NULL, in_child);
	on_exit(at_exit, NULL);
	/* Only a key with its place in the thread itself: others allocate. */
	boot.has_key = pthread_key_create(&boot.key, thread_ends) == 0;
	if (boot.has_key && boot.key >= 32) {
		pthread_key_delete(boot.key);
		boot.has_key = false;
	}
}

/* --- on the way to counting --- */

/* From here on a child of any making is told apart, see struct boot_page. */
static void
come_alive(void)
{
	(void)sys_madvise(&boot_page, sizeof(boot_page), MADV_WIPEONFORK);
	boot_set_mode(dial_mode());
}

/*
 * A child that no handler of ours was called in.  What it inherited is taken
 * from the parent's segment a moment late, so it may be wrong.
 */
static COLD void
notice_fork(void)
{
	before_fork();
	in_child();
	boot.unseen = true;
}

/*
 * --children none without `heaptide run`, which would have told us who is the
 * first: where the parent has a profile, we are a child.
 */
static bool
has_profiled_parent(void)
{
	struct proc_stat stat;
	struct proc_stat parent;
	struct stat st;

	return place_find(environment(), boot.directory) == 0 &&
	    proc_stat_read(0, &stat) == 0 && stat.parent > 0 &&
	    proc_stat_read(stat.parent, &parent) == 0 &&
	    place_segment(boot.directory, parent.pid, proc_namespace(stat.pid),
	    parent.ticks, paper) == 0 &&
	    sys_lstat(paper, &st) == 0;
}

static bool
is_preloaded(void)
{
	char *const *e;

	for (e = environment(); *e != NULL; e++) {
		const char *list = text_value(*e, "LD_PRELOAD");

		if (list != NULL && preload_has(list, real.self))
			return true;
	}
	return false;
}

static bool
may_count(void)
{
	struct options *o = &boot.options;
	const char *wrong = NULL;

	if (!boot.options_read) {
		boot.options_read = true;
		if (options_read(environment(), &boot.options, &wrong) < 0) {
			say_set_log(o->log);
			say_once(wrong, -EINVAL, "its value is not accepted, "
			    "so nothing is counted in this process");
			boot.options.enabled = false;
		}
		say_set_log(o->log);
		/* Nothing of ours has asked the kernel anything before. */
		sys_set_fault(&o->fault);
		boot.image_pid = boot_now.pid = sys_pid();
		boot.preloaded = is_preloaded();
		boot.outside = o->children == CHILDREN_NONE &&
		    (o->root != 0 ? o->root != boot_now.pid :
		    has_profiled_parent());
	}
	return o->enabled && !boot.outside;
}

static void
open_all(void)
{
	int r;

	r = !may_count() ? -ECANCELED :
	    real.usable_size == NULL ? -ENOTSUP : make_segment();
	if (r < 0) {
		if (r == -ENOTSUP)
			say_once("the allocator cannot tell a block's size", 0,
			    "nothing is counted in this process");
		else if (r != -ECANCELED)
			say_once("cannot make a segment", r,
			    "nothing is counted in this process");
		segment_discard();
		boot_now.passes = true;
		atomic_store(&boot.phase, PHASE_OFF);
		return;
	}
	if (!boot.hooked)
		hook();
	if (boot.options.verify && !boot.reference) {
		boot.reference = unwind_reference_open() == 0;
		boot.options.verify = boot.reference;
	}
	boot_now.seed = boot.options.seed;
	boot_now.verifies = boot.options.verify;
	boot_now.python = boot.options.python && python_open();
	boot_now.more = boot_now.verifies || boot_now.python;
	boot_now.heeds = boot_now.mixed || boot_now.python;
	boot_now.depth = boot.options.depth;
	dial_begin();
	if (boot.unseen)
		atomic_fetch_add(&segment_mine()->lost.forks, 1);
	boot.unseen = false;
	come_alive();
	atomic_store(&boot.phase, PHASE_COUNTING);
	say_early();
}

/* True: this thread takes the process from @phase to @next. */
static bool
go_on(uint32_t phase, uint32_t next)
{
	return atomic_compare_exchange_strong(&boot.phase, &phase, next);
}

/*
 * One thread does it, nearly always the only one: the loader and libc
 * allocate long before main().  In a forked child two may come at once, since
 * making a thread need not allocate; the other waits in wait_for_segment().
 */
static void
advance(void)
{
	struct aside was = boot_own_begin();
	int error = errno;

	if (go_on(PHASE_NEW, PHASE_RESOLVING)) {
		real_resolve();
		stranger_find();
		python_find();
		boot.stack_end = real_stack_end();
		boot.environment = real_environment();
		atomic_store(&boot.phase, PHASE_RESOLVED);
	}
	if (environment() != NULL && go_on(PHASE_RESOLVED, PHASE_OPENING))
		open_all();
	boot_own_end(was);
	errno = error;
}

/*
 * Another thread is at it, which takes some 100 us.  Not a signal handler of
 * that thread itself: it is BUSY_OWN and never comes here.  Where it was
 * stopped in the middle, what is allocated until it goes on is not counted.
 */
static uint32_t
wait_for_segment(void)
{
	uint32_t phase = PHASE_OPENING;
	uint64_t since = 0;

	while (phase == PHASE_OPENING && !atomic_load(&boot.stopped)) {
		if (!sys_give_way(&since))
			atomic_store(&boot.stopped, true);
		phase = atomic_load(&boot.phase);
	}
	return phase;
}

static void
meet_thread(void)
{
	struct tally *rows = segment_rows(TABLE_TALLIES);
	struct tally *t = tally_claim();
	size_t row = (size_t)(t - rows);

	if (row == 0) {
		self.shared = 1;
		return;
	}
	/* libc puts a thread's control block on top of its stack; the first
	 * thread's is elsewhere. */
	if (self.stack.top != 0)
		; /* the child of a fork stands where it stood */
	else if (is_first_thread())
		unwind_set_top(&self.stack, boot.stack_end,
		    UNWIND_STACK_MOST);
	else
		unwind_set_top(&self.stack,
		    (uintptr_t)__builtin_thread_pointer(), UNWIND_STACK_LEAST);
	counts_open(&self.counts, t);
	dial_prepare(t);
	/* It may have taken a memo: a look from outside is to know whose. */
	(void)arena_spans(segment_mine()->own);
	if (boot.has_key)
		pthread_setspecific(boot.key, t);
	self.tally = t;
}

static enum entry
enter(void)
{
	uint32_t phase = atomic_load(&boot.phase);

	if (phase == PHASE_OFF || self.busy == BUSY_INSIDE)
		return ENTRY_PASS;
	if (self.busy == BUSY_OWN)
		return ENTRY_POOL;
	if (phase == PHASE_COUNTING && boot_page.mode == MODE_NOT) {
		notice_fork();
		phase = atomic_load(&boot.phase);
	}
	if (phase == PHASE_NEW || phase == PHASE_RESOLVED) {
		advance();
		phase = atomic_load(&boot.phase);
	}
	if (phase == PHASE_OPENING)
		phase = wait_for_segment();
	if (phase != PHASE_COUNTING) {
		if (phase != PHASE_OFF)
			atomic_fetch_add(&boot.early, 1);
		return phase == PHASE_RESOLVING ? ENTRY_POOL : ENTRY_PASS;
	}
	if (self.shared || self.busy == BUSY_MEETING)
		return ENTRY_SHARED;
	if (self.tally == NULL) {
		int error = errno;

		self.busy = BUSY_MEETING;
		meet_thread();
		self.busy = BUSY_NOT;
		errno = error;
	}
	return self.tally != NULL ? ENTRY_COUNT : ENTRY_SHARED;
}

/*
 * Before the dynamic linker has been here, when a library behind us has an
 * IFUNC resolver that allocates, our thread-local data is not where we look
 * for it, and there is no libc to call.  It writes this word's own address
 * into it.
 */
static void *volatile relocated = (void *)&relocated;

enum entry
boot_enter(void)
{
	if (UNLIKELY(relocated != (void *)&relocated))
		return ENTRY_POOL;
	return enter();
}

bool
boot_has_begun(void)
{
	return atomic_load(&boot.phase) >= PHASE_RESOLVED;
}

bool
boot_follows(bool child)
{
	if (boot.options.children != CHILDREN_NONE)
		return true;
	return !child && !boot.outside && sys_pid() == boot.image_pid;
}

bool
boot_was_preloaded(void)
{
	return boot.preloaded;
}

bool
boot_was_given(const char *entry)
{
	return options_given(&boot.options, entry);
}

bool
boot_image_ends(void)
{
	struct segment *s = segment_mine();

	/* Who cannot ask (sys_confine()) may be a guest. */
	if (!boot_is_counting() || sys_pid() != boot_now.pid)
		return false;
	s->end.at_ns = sys_clock();
	atomic_store(&s->end.how, END_EXEC);
	return true;
}

void
boot_image_goes_on(void)
{
	atomic_store(&segment_mine()->end.how, END_UNKNOWN);
}

bool
boot_wants_keeper(const char **directory, char *const **environment_of)
{
	if (!boot.options.keeper)
		return false;
	*directory = boot.directory;
	*environment_of = boot.environment;
	return true;
}
