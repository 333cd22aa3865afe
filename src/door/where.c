#include "door/where.h"

#include <errno.h>

#include "door/dial.h"
#include "door/kind.h"
#include "door/python.h"
#include "heap/site.h"
#include "mem/segment.h"
#include "stack/retrace.h"
#include "stack/unwind.h"
#include "sys/sys.h"

/* --- walking -------------------------------------------------------------- */

/*
 * A walk's turn at self.scratch and self.words.  A signal handler that
 * allocates takes the next turn, and so does who comes after a longjmp() or a
 * switch of stacks out of here; whose turn is over finds other frames there
 * than it wrote.
 */
static uint32_t
take_turn(void)
{
	uint32_t turn = ++self.turn;

	__asm__ volatile("" ::: "memory");
	return turn;
}

static bool
is_over(uint32_t turn)
{
	__asm__ volatile("" ::: "memory");
	return UNLIKELY(self.turn != turn);
}

/* Another thread may be forgetting old nodes. */
static uint32_t
intern_in_time(struct memo *memo, uint32_t base, const uint64_t *frames,
    size_t n)
{
	uint32_t node = intern_stack(memo, base, frames, n);
	uint64_t since = 0;

	while (UNLIKELY(node == INTERN_LATER) && intern_give_way(&since))
		node = intern_stack(memo, base, frames, n);
	return node;
}

/* A stack, as it is being found. */
struct path {
	const struct memo_entry *same; /* it is this one */
	uint32_t base;   /* node of the outer frames; 0: none */
	uint32_t frames; /* all of them */
	size_t fresh;    /* addresses in self.scratch, below the base */
	bool cut;
};

/* By what is remembered of one like it. */
static bool
find_by_kin(const struct arch_frame *caller, uint32_t generation,
    struct memo_trace *trace, struct path *path)
{
	const struct memo_entry *kin = memo_kin(self.memo, caller, generation);
	struct retraced r;

	memo_begin(trace, caller, self.words);
	if (kin == NULL || !retrace(kin, caller, &self.stack, self.scratch,
	    boot_now.depth, trace, &r))
		return false;
	*path = (struct path){
		.same = r.fresh == 0 ? kin : NULL,
		.base = r.known == 0 ? 0 :
		    intern_outer(kin->node, kin->frames - r.known),
		.frames = r.fresh + r.known,
		.fresh = r.fresh,
		.cut = r.cut != 0,
	};
	return true;
}

/* By a walk to the root. */
static void
find_by_walk(const struct arch_frame *caller, struct memo_trace *trace,
    struct path *path)
{
	int cut;

	if (LIKELY(self.memo != NULL))
		memo_begin(trace, caller, self.words);
	path->fresh = unwind_stack(caller, &self.stack, self.scratch,
	    boot_now.depth, &cut, trace);
	path->frames = (uint32_t)path->fresh;
	path->cut = cut != 0;
}

/* Made by one of C++'s operators?  That is asked once for each path. */
static uint32_t
site_at(uint32_t node, uint32_t flags)
{
	const struct node *n = (struct node *)segment_rows(TABLE_NODES) + node;

	if (flags == 0 && boot_now.records && atomic_load(&n->site) == 0)
		flags = kind_of_site(node);
	return site_of(node, flags);
}

/*
 * The site of the path that leads to @caller.  0: a table was full; or the
 * turn is over, and so is what is known of the stack.
 */
static uint32_t
walk(const struct arch_frame *caller, uint32_t flags, uint32_t turn)
{
	struct memo_result result = { .generation = intern_generation() };
	struct memo_trace trace = { .word = NULL };
	struct path path = { .base = 0 };
	uint64_t place;

	if (self.memo == NULL ||
	    !find_by_kin(caller, result.generation, &trace, &path))
		find_by_walk(caller, &trace, &path);
	if (is_over(turn))
		return 0;
	if (path.same != NULL)
		return path.same->site;
	if (UNLIKELY(path.cut)) {
		atomic_fetch_add(&segment_mine()->lost.truncated, 1);
		if (path.base == 0)
			self.scratch[path.fresh++] = NODE_CUT;
	}
	result.frames = path.frames;
	result.node = intern_in_time(self.memo, path.base, self.scratch,
	    path.fresh);
	if (result.node == 0 || result.node == INTERN_LATER)
		return result.node;
	result.site = site_at(result.node, flags);
	place = trace.word == NULL ? 0 :
	    memo_lay(self.memo, caller, &trace, &result);
	if (place != 0 && !is_over(turn))
		memo_put(self.memo, place);
	return result.site;
}

/*
 * Who is disturbed walks again, so that both have their stacks.  The bound is
 * for signals that come faster than a stack can be walked.
 */
#define TURNS_MOST 8

static uint32_t
walk_in_turn(const struct arch_frame *caller, uint32_t flags)
{
	struct segment_lost *lost = &segment_mine()->lost;
	uint32_t turn;
	uint32_t site;
	int i;

	for (i = 0; LIKELY(self.scratch != NULL) && i < TURNS_MOST; i++) {
		turn = take_turn();
		site = walk(caller, flags, turn);
		if (is_over(turn))
			continue;
		if (UNLIKELY(site == INTERN_LATER))
			break;
		if (LIKELY(site != 0))
			return site;
		atomic_fetch_add(&lost->sites, 1);
		return SITE_FULL;
	}
	atomic_fetch_add(&lost->nested, 1);
	return SITE_NO_STACK;
}

uint32_t
where_walked(const struct arch_frame *caller, uint32_t flags)
{
	int error = errno;
	uint32_t site;

	if (UNLIKELY(!dial_is_heard()) && self.tally != NULL)
		dial_prepare(self.tally);
	site = walk_in_turn(caller, flags);
	errno = error;
	return site;
}

/* --- for the tests: is it the stack that others see? ---------------------- */

/*
 * Where a signal came in between, libunwind gives the interrupted instruction
 * and we the address behind it.
 */
static bool
is_same(const uint64_t *ours, const uint64_t *theirs, size_t n)
{
	while (n-- > 0)
		if (ours[n] != theirs[n] && ours[n] != theirs[n] + 1)
			return false;
	return true;
}

/* Does libunwind see the same stack? */
static bool
is_same_to_judge(uint64_t caller, const uint64_t *frames, size_t n)
{
	uint64_t other[SEGMENT_DEPTH_MOST + UNWIND_OWN];
	struct aside was = boot_own_begin();
	size_t first;
	size_t m;
	int cut;

	m = unwind_reference(caller, other, boot_now.depth, &first, &cut);
	boot_own_end(was);
	return m == n && is_same(frames, other + first, n);
}

/* Is @site what a walk to the root leads to, and is that what libunwind sees? */
static COLD void
verify(const struct arch_frame *caller, uint32_t flags, uint32_t site)
{
	struct segment_lost *lost = &segment_mine()->lost;
	struct memo_trace unnoted = { .word = NULL };
	uint64_t frames[SEGMENT_DEPTH_MOST + 1];
	uint32_t node;
	size_t n;
	int cut;

	n = unwind_stack(caller, &self.stack, frames, boot_now.depth, &cut,
	    &unnoted);
	atomic_fetch_add(&lost->verified, 1);
	if (!is_same_to_judge(caller->pc, frames, n)) {
		atomic_fetch_add(&lost->differing, 1);
		return;
	}
	if (cut)
		frames[n++] = NODE_CUT;
	node = intern_in_time(NULL, 0, frames, n);
	if (site > SITE_FULL && node != 0 && node != INTERN_LATER &&
	    site != site_of(node, flags))
		atomic_fetch_add(&lost->differing, 1);
}

/* --- through Python ------------------------------------------------------- */

/* The stack of C is at @site; 0, or INTERN_LATER, as in walk(). */
static uint32_t
mix(uint32_t site, uint32_t turn)
{
	const struct site *sites = segment_rows(TABLE_SITES);
	struct python_path path;
	enum python_answer answer;
	uint32_t node;

	answer = python_path(site, self.scratch, boot_now.depth, false,
	    &path);
	if (answer == PYTHON_DISTURBED || is_over(turn))
		return 0;
	if (answer == PYTHON_APART)
		return site;
	if (path.cut)
		self.scratch[path.count++] = NODE_CUT;
	node = intern_in_time(self.memo, path.base, self.scratch, path.count);
	if (node == 0 || node == INTERN_LATER)
		return node;
	python_learn(&path, node);
	return site_of(node, sites[site].flags);
}

static uint32_t
mix_in_turn(uint32_t site, uint64_t key)
{
	uint32_t mixed;
	uint32_t turn;
	int i;

	for (i = 0; self.scratch != NULL && i < TURNS_MOST; i++) {
		turn = take_turn();
		mixed = mix(site, turn);
		if (is_over(turn))
			continue;
		if (mixed == 0 || mixed == INTERN_LATER)
			break;
		python_put(key, mixed);
		return mixed;
	}
	return site; /* that much is known */
}

/* Is @mixed the site of what is there when nothing is remembered? */
static COLD void
verify_mixed(uint32_t site, uint32_t mixed)
{
	const struct site *sites = segment_rows(TABLE_SITES);
	struct segment_lost *lost = &segment_mine()->lost;
	uint64_t frames[SEGMENT_DEPTH_MOST + 1];
	struct python_path path;
	uint32_t node = sites[site].leaf;

	if (!python_is_right()) {
		atomic_fetch_add(&lost->differing, 1);
		return;
	}
	if (python_path(site, frames, boot_now.depth, true, &path) ==
	    PYTHON_MIXED) {
		if (path.cut)
			frames[path.count++] = NODE_CUT;
		node = intern_in_time(NULL, 0, frames, path.count);
	}
	if (node != 0 && node != INTERN_LATER && node != sites[mixed].leaf)
		atomic_fetch_add(&lost->differing, 1);
}

/* @mixed: as far as it is known. */
static __attribute__((noinline)) uint32_t
more_long(const struct arch_frame *caller, uint32_t flags, uint32_t site,
    uint32_t mixed, uint64_t key)
{
	int error = errno;

	if (boot_now.verifies)
		verify(caller, flags, site);
	if (mixed == 0)
		mixed = key != 0 ? mix_in_turn(site, key) : site;
	if (boot_now.verifies && key != 0)
		verify_mixed(site, mixed);
	errno = error;
	return mixed;
}

/* What is more than the stack of C, or to be known of that. */
uint32_t
where_more(const struct arch_frame *caller, uint32_t flags, uint32_t site)
{
	uint32_t mixed = 0;
	uint64_t key = 0;

	if (boot_now.python && LIKELY(site > SITE_FULL))
		mixed = python_site(site, &key);
	if (LIKELY(mixed != 0) && LIKELY(!boot_now.verifies))
		return mixed;
	return more_long(caller, flags, site, mixed, key);
}

/* --- of a pool ------------------------------------------------------------ */

uint32_t
where_noted(const struct arch_frame *caller, uint64_t note, uint32_t flags)
{
	const struct site *sites = segment_rows(TABLE_SITES);
	uint32_t path = boot_now.records ? where(caller, 0) : SITE_NONE;
	uint32_t node;

	node = intern_in_time(self.memo, path > SITE_FULL ?
	    sites[path].leaf : 0, &note, 1);
	if (node != 0 && node != INTERN_LATER)
		return site_of(node, flags);
	atomic_fetch_add(&segment_mine()->lost.sites, 1);
	return 0;
}

/* --- of a free ------------------------------------------------------------ */

/* Between who frees and where_from(), at most. */
#define FRAMES_OWN 12

static uint32_t
walk_from(const struct arch_frame *own, uint64_t pc, uint64_t leaf)
{
	struct memo_trace unnoted = { .word = NULL };
	uint64_t *frames = self.scratch;
	size_t first, n;
	int cut;

	n = unwind_stack(own, &self.stack, frames, boot_now.depth, &cut,
	    &unnoted);
	for (first = 0; first < n && frames[first] != pc; first++)
		if (first == FRAMES_OWN)
			return 0;
	if (first == n)
		return 0;
	if (cut)
		frames[n++] = NODE_CUT;
	if (leaf != 0 && first > 0)
		frames[--first] = leaf;
	return intern_in_time(NULL, 0, frames + first, n - first);
}

COLD uint32_t
where_from(uint64_t pc, uint64_t leaf)
{
	const struct arch_frame own = arch_frame_of(ARCH_CALLER());
	uint32_t node = 0;
	int error = errno;
	uint32_t turn;
	int i;

	for (i = 0; self.scratch != NULL && i < TURNS_MOST; i++) {
		turn = take_turn();
		node = walk_from(&own, pc, leaf);
		if (!is_over(turn))
			break;
		node = 0;
	}
	errno = error;
	return node == INTERN_LATER ? 0 : node;
}

COLD uint32_t
where_call(uint64_t pc)
{
	uint32_t node = intern_in_time(NULL, 0, &pc, 1);

	return node == INTERN_LATER ? 0 : node;
}
