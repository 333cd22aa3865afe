#include "watch/scan.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/base.h"
#include "heap/generation.h"
#include "heap/ledger.h"
#include "heap/life.h"
#include "heap/sample.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "model/stats.h"
#include "sys/arch.h"
#include "sys/proc.h"
#include "sys/sys.h"
#include "watch/heapwalk.h"
#include "watch/hold.h"
#include "watch/roots.h"
#include "watch/trace.h"
#include "watch/workroom.h"

#define TIME_MOST_NS  (120 * NS_PER_S)
#define PREPARED_NS   (20 * NS_PER_MS)
#define READY_MOST_NS NS_PER_S
#define NAP_NS        100000
#define STACK_BYTES   (256 * KIB)
/* Of the memory that is to be had, a child takes no more than this share. */
#define MEMORY_SHARE  2

enum fate { FATE_REACHED, FATE_DIRECT, FATE_INDIRECT, FATES };

/* What comes together for a site. */
struct sum {
	uint64_t blocks[FATES], bytes[FATES];
	/* What those that were drawn stand for. */
	double drawn_blocks[FATES], drawn_bytes[FATES];
	double variance; /* of the unreachable bytes */
	uint32_t drawn;  /* of the unreachable blocks */
	uint32_t label;
	uint64_t example;
};

/* All that the child has. */
struct scan {
	struct scan_setup setup;
	const struct hold *hold;
	int parent;
	uint64_t began_ns;
	bool complete; /* every block has a record */
	struct workroom room;
	struct roots roots;
	struct heap heap;
	struct trace trace;
	struct sum *sum;
	uint64_t sites;
};

static struct segment_scan *
result(void)
{
	return &segment_mine()->scan;
}

/* --- the end of it -------------------------------------------------------- */

/* The state is stored last, and then who waits is told. */
static void
conclude(uint32_t number, enum scan_state state)
{
	atomic_store(&result()->state, state);
	atomic_store(&segment_mine()->watch.scans_done, number);
}

static void
fail(uint32_t number, enum scan_why why, int error)
{
	result()->why = why;
	result()->error = error;
	conclude(number, SCAN_FAILED);
}

static enum scan_why
why_of(int error)
{
	switch (error) {
	case -ENOEXEC: return SCAN_WHY_SHAPE;
	case -ETIME: return SCAN_WHY_TIME;
	case -ENOSPC: return SCAN_WHY_TABLE;
	default: return SCAN_WHY_MEMORY;
	}
}

/* --- results -------------------------------------------------------------- */

static enum fate
fate_of(uint32_t label)
{
	switch (label) {
	case TRACE_LABEL_NONE: return FATE_DIRECT;
	case TRACE_LABEL_INDIRECT: return FATE_INDIRECT;
	default: return FATE_REACHED;
	}
}

static void
add_drawn(struct sum *s, enum fate fate, const struct record *record,
    uint64_t usable)
{
	struct sampling_weight weight = sample_weigh(record->rate, usable);

	s->drawn_blocks[fate] += weight.blocks;
	s->drawn_bytes[fate] += weight.bytes;
	if (fate != FATE_REACHED)
		s->variance += weight.variance;
}

static void
add_to_site(struct scan *s, uint64_t start, uint64_t usable, uint32_t label,
    const struct record *record)
{
	/* A parent's sites are not ours: those have no row. */
	uint32_t site = generation_is_own(record->generation) ?
	    record->site : 0;
	struct sum *sum = &s->sum[site < s->sites ? site : 0];
	enum fate fate = fate_of(label);

	if (life_is_drawn(record->rate)) {
		add_drawn(sum, fate, record, usable);
	} else {
		sum->blocks[fate]++;
		sum->bytes[fate] += usable;
	}
	if (fate == FATE_REACHED) {
		sum->label = trace_join(&s->trace, sum->label, label);
		return;
	}
	sum->drawn += !s->complete;
	if (sum->example == 0)
		sum->example = start;
}

static void
add_to_all(struct segment_scan *r, uint64_t usable, enum fate fate)
{
	r->blocks++;
	r->bytes += usable;
	r->direct_blocks += fate == FATE_DIRECT;
	r->direct_bytes += fate == FATE_DIRECT ? usable : 0;
	r->indirect_blocks += fate == FATE_INDIRECT;
	r->indirect_bytes += fate == FATE_INDIRECT ? usable : 0;
}

/*
 * Where every block has a record, one without is none of the program's: it is
 * on its way out of malloc() or into free(), or the allocator's own.
 */
static void
add_up(struct scan *s, struct segment_scan *r)
{
	uint32_t i;

	for (i = 0; i < s->heap.blocks; i++) {
		uint64_t entry = s->heap.entry[i];
		uint32_t label = heap_label(entry);
		uint64_t start, usable;
		struct record record;
		bool known;

		if (label == HEAP_DEAD)
			continue;
		start = heap_start(entry);
		usable = heap_usable(start);
		known = ledger_look((const void *)(uintptr_t)start, usable,
		    &record);
		if (!known && s->complete)
			continue;
		add_to_all(r, usable, fate_of(label));
		if (known)
			add_to_site(s, start, usable, label, &record);
	}
}

static uint64_t
whole(double x)
{
	return whole_u64(x + 0.5);
}

static void
store_through(const struct scan *s, uint32_t label, struct reach *row)
{
	const struct root *root;

	if (label == TRACE_LABEL_NONE) {
		row->kind = THROUGH_NONE;
	} else if (label == TRACE_LABEL_MANY) {
		row->kind = THROUGH_MANY;
	} else if (label >= TRACE_LABEL_WORD) {
		row->kind = THROUGH_WORD;
		row->through = s->trace.word[label - TRACE_LABEL_WORD].address;
	} else {
		root = &s->roots.root[trace_root(&s->trace, label)];
		row->kind = (uint16_t)root->kind;
		row->through = root->what;
	}
}

static void
store_site(const struct scan *s, const struct sum *sum, struct reach *row)
{
	*row = (struct reach){
		.number = s->setup.number,
		.blocks = sum->blocks[FATE_REACHED] +
		    whole(sum->drawn_blocks[FATE_REACHED]),
		.bytes = sum->bytes[FATE_REACHED] +
		    whole(sum->drawn_bytes[FATE_REACHED]),
		.direct_blocks = sum->blocks[FATE_DIRECT] +
		    whole(sum->drawn_blocks[FATE_DIRECT]),
		.direct_bytes = sum->bytes[FATE_DIRECT] +
		    whole(sum->drawn_bytes[FATE_DIRECT]),
		.indirect_blocks = sum->blocks[FATE_INDIRECT] +
		    whole(sum->drawn_blocks[FATE_INDIRECT]),
		.indirect_bytes = sum->bytes[FATE_INDIRECT] +
		    whole(sum->drawn_bytes[FATE_INDIRECT]),
		.example = sum->example,
		.drawn = sum->drawn,
		.error_bytes = sum->variance > 0 ?
		    whole(stats_root(sum->variance)) : 0,
	};
	store_through(s, sum->label, row);
}

/* 0, or -ENOSPC. */
static int
store(struct scan *s, struct segment_scan *r)
{
	struct reach *row;
	uint64_t i;

	if (segment_reach(TABLE_REACH, s->sites) < 0)
		return -ENOSPC;
	row = segment_rows(TABLE_REACH);
	for (i = 0; i < s->sites; i++)
		store_site(s, &s->sum[i], &row[i]);
	r->scanned = s->trace.scanned;
	r->unknown_bytes = s->heap.unknown_bytes;
	workroom_used(&s->room, s->trace.words * sizeof(struct trace_word));
	r->memory_bytes = s->room.taken;
	return 0;
}

/* --- the child ------------------------------------------------------------ */

static bool
is_over(void *context)
{
	/* The roots are the context of all who look. */
	struct scan *s = (struct scan *)((char *)context -
	    offsetof(struct scan, roots));

	return sys_parent_pid() != s->parent ||
	    sys_clock() - s->began_ns > TIME_MOST_NS;
}

static bool
has_record(uint64_t block, uint64_t usable)
{
	struct record record;

	return ledger_look((const void *)(uintptr_t)block, usable, &record);
}

/* Of a block without a record it is not known what was asked for. */
static bool
is_within(uint64_t start, uint64_t address)
{
	uint64_t usable = heap_usable(start);
	struct record record;

	return address - start < usable && (!ledger_look(
	    (const void *)(uintptr_t)start, usable, &record) ||
	    address - start < usable - record.slack);
}

/* Which threads were still is known a moment after the picture was taken. */
static void
wait_until_ready(const struct scan *s)
{
	uint64_t until = sys_clock() + READY_MOST_NS;

	while (atomic_load(&s->hold->ready) == 0 && sys_clock() < until &&
	    sys_parent_pid() == s->parent)
		sys_sleep(NAP_NS);
}

static void
exclude_ours(struct scan *s)
{
	struct segment_span spans[SEGMENT_SPANS], tables[SEGMENT_OWN_SPANS];
	size_t n = arena_spans(spans), of_tables = segment_spans(tables), i;

	roots_exclude(&s->roots, s->room.start, s->room.end);
	roots_exclude(&s->roots, (uintptr_t)s->hold,
	    (uintptr_t)s->hold + s->hold->bytes);
	for (i = 0; i < of_tables; i++)
		roots_exclude(&s->roots, tables[i].start, tables[i].end);
	for (i = 0; i < n; i++)
		roots_exclude(&s->roots, spans[i].start, spans[i].end);
}

static int
open_all(struct scan *s)
{
	struct proc_memory memory = { .available = GIB };
	int r;

	(void)proc_memory_read("", &memory);
	s->room.most = memory.available / MEMORY_SHARE;
	s->sites = atomic_load(&segment_mine()->table[TABLE_SITES].used);
	r = roots_open(&s->roots, &s->room);
	if (r < 0)
		return -ENOMEM;
	exclude_ours(s);
	s->roots.has_record = s->complete ? has_record : NULL;
	s->sum = workroom_take(&s->room, (s->sites + 1) * sizeof(s->sum[0]));
	r = heap_open(&s->heap, &s->room, s->setup.key);
	return s->sum == NULL ? -ENOMEM : r;
}

static int
follow_all(struct scan *s)
{
	int r = trace_open(&s->trace, &s->heap, &s->room);

	if (r < 0)
		return r;
	s->trace.starts = s->setup.starts;
	s->trace.is_within = is_within;
	s->trace.is_over = is_over;
	s->trace.written = roots_written;
	s->trace.context = &s->roots;
	roots_mark(&s->roots, &s->trace, &s->heap, s->hold);
	return s->trace.over || !trace_indirect(&s->trace) ? -ETIME : 0;
}

static int
look(struct scan *s, struct segment_scan *r)
{
	int error = open_all(s);

	if (error == 0)
		error = roots_find_heaps(&s->roots, &s->heap,
		    s->setup.allocator_start, s->setup.allocator_end);
	if (error == 0)
		error = heap_walk(&s->heap, s->roots.arena, s->roots.arenas);
	if (error == 0)
		error = follow_all(s);
	if (error < 0)
		return error;
	add_up(s, r);
	return store(s, r);
}

static uint32_t
count_unseen(const struct hold *h)
{
	uint32_t n = h->unlisted;
	uint32_t i;

	for (i = 0; i < h->count; i++)
		n += atomic_load(&h->thread[i].state) < HOLD_HELD;
	return n;
}

static void
run(void *context)
{
	struct scan *s = context;
	struct segment_scan *r = result();
	int error;

	sys_reset_signals();
	sys_close_all();
	sys_name_thread("heaptide-scan");
	sys_step_back();
	wait_until_ready(s);
	r->threads = s->hold->count + s->hold->unlisted;
	r->unseen = count_unseen(s->hold);
	r->complete = s->complete;
	error = look(s, r);
	/* Who was our program is no more: nobody is to hear of this. */
	if (sys_parent_pid() != s->parent)
		sys_end(0);
	r->busy_ns = sys_clock_busy();
	r->took_ns = sys_clock() - s->began_ns;
	if (error < 0)
		fail(s->setup.number, why_of(error), error);
	else
		conclude(s->setup.number, SCAN_DONE);
	sys_end(0);
}

/* On a stack of its own: that of the thread may be a signal handler's. */
static _Noreturn void
begin_child(const struct scan_setup *setup, const struct hold *hold,
    int parent, uint64_t began_ns)
{
	struct workroom room;
	struct scan *s;
	char *stack;

	if (workroom_open(&room, UINT64_MAX) < 0) {
		fail(setup->number, SCAN_WHY_MEMORY, -ENOMEM);
		sys_end(1);
	}
	stack = workroom_take(&room, STACK_BYTES);
	s = workroom_take(&room, sizeof(*s));
	*s = (struct scan){ .setup = *setup, .hold = hold, .parent = parent,
		.began_ns = began_ns, .room = room,
		.complete = atomic_load(&segment_mine()->config.stacks) ==
		    STACKS_ALL && segment_mine()->watch.switches == 0 };
	arch_go_on_at(stack + STACK_BYTES, run, s);
}

/* --- the program ---------------------------------------------------------- */

static void
open_result(const struct scan_setup *setup, uint64_t now)
{
	struct segment_scan *r = result();
	const struct segment_scan fresh = { .number = setup->number,
		.state = SCAN_RUNS, .starts = setup->starts, .at_ns = now };

	atomic_store(&r->state, SCAN_RUNS);
	memcpy(r, &fresh, sizeof(*r));
}

static __attribute__((noinline)) int
fork_child(const struct scan_setup *setup)
{
	uint64_t began = sys_clock();
	int parent = sys_pid();
	struct hold *hold;
	int pid;

	/* What is in registers goes to the stack, which the child scans: no
	 * further down, where calls that are over have left what they knew. */
	__builtin_unwind_init();
	hold = hold_begin(arch_sp());
	if (hold == NULL)
		return -ENOMEM;
	pid = sys_fork_quietly();
	if (pid == 0)
		begin_child(setup, hold, parent, began);
	hold_end(hold);
	result()->pause_ns = sys_clock() - began;
	return pid;
}

uint64_t
scan_prepare(void)
{
	/* Of a thread alone nothing has to be known. */
	return !sys_is_confined() && hold_note() > 1 ? PREPARED_NS : 0;
}

void
scan_in_child(void)
{
	hold_in_child();
}

int
scan_begin(const struct scan_setup *setup)
{
	int pid;

	open_result(setup, sys_clock());
	if (sys_is_confined()) {
		fail(setup->number, SCAN_WHY_CONFINED, -EPERM);
		return -EPERM;
	}
	if (!setup->chunks) {
		fail(setup->number, SCAN_WHY_ALLOCATOR, -ENOTSUP);
		return -ENOTSUP;
	}
	pid = fork_child(setup);
	if (pid < 0) {
		fail(setup->number, SCAN_WHY_CLONE, pid);
		return pid;
	}
	atomic_store(&result()->child, (uint32_t)pid);
	return 0;
}

bool
scan_has_ended(void)
{
	uint32_t child = atomic_load(&result()->child);

	if (child == 0)
		return true;
	if (sys_wait_quietly((int)child) == 0)
		return false;
	if (atomic_load(&result()->state) == SCAN_RUNS)
		fail(atomic_load(&result()->number), SCAN_WHY_DIED, -ECHILD);
	atomic_store(&result()->child, 0);
	return true;
}
