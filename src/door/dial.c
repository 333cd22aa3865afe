#include "door/dial.h"

#include "control/mark.h"
#include "door/inside.h"
#include "door/real.h"
#include "heap/ledger.h"
#include "heap/sample.h"
#include "heap/tally.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "stack/memo.h"
#include "stack/pychain.h"
#include "stack/pywatch.h"

/* Address space as well is to be had for a bounded number of threads only. */
#define LARGE_MEMOS 64

#define ROWS (16 * KIB)

static struct {
	/* By row of the tallies; who takes a row over takes these as well. */
	uint64_t *scratch[ROWS];
	struct memo *memo[ROWS];
	struct pychain *chain[ROWS];
	_Atomic uint32_t turning; /* 1: a thread is at it */
} dial;

/* --- threads -------------------------------------------------------------- */

static struct memo *
take_memo(size_t row)
{
	size_t bytes = row < LARGE_MEMOS ? MEMO_LARGE : MEMO_SMALL;
	void *room = arena_take(bytes);

	return room != NULL ? memo_open(room, bytes) : NULL;
}

/* Python's own limit is 1000, and by far most programs stay below this. */
#define FRAMES_LARGE 512

static struct pychain *
take_chain(size_t row)
{
	uint32_t frames = boot_now.depth;
	void *room;

	if (row < LARGE_MEMOS && frames < FRAMES_LARGE)
		frames = FRAMES_LARGE;
	room = arena_take(PYCHAIN_BYTES(frames));
	return room != NULL ? pychain_open(room, frames) : NULL;
}

/* Who draws walks so seldom that nothing need be remembered of it. */
static void
prepare_to_walk(size_t row)
{
	size_t frames = boot_now.depth + 1;

	if (dial.scratch[row] == NULL)
		dial.scratch[row] = arena_take((frames + MEMO_TRACE) *
		    sizeof(uint64_t));
	if (dial.memo[row] == NULL && boot_now.records)
		dial.memo[row] = take_memo(row);
	if (dial.chain[row] == NULL && boot_now.python)
		dial.chain[row] = take_chain(row);
	if (self.chain == NULL && dial.chain[row] != NULL) {
		pychain_clear(dial.chain[row]);
		self.chain = dial.chain[row];
	}
	if (self.scratch != NULL && self.memo != NULL)
		return; /* in use */
	if (dial.scratch[row] == NULL)
		return;
	self.words = dial.scratch[row] + frames;
	self.scratch = dial.scratch[row];
	if (dial.memo[row] == NULL)
		return;
	memo_clear(dial.memo[row]);
	self.memo = dial.memo[row];
}

void
dial_prepare(struct tally *t)
{
	self.turned = boot_now.turned;
	if (boot_now.records || boot_now.draws)
		prepare_to_walk((size_t)(t -
		    (struct tally *)segment_rows(TABLE_TALLIES)));
	if (!boot_now.draws)
		return;
	sample_begin(&self.sampler, t, boot_now.seed);
	atomic_store(&t->until_look, min_i64(TALLY_DRIFT_BYTES,
	    sample_distance(&self.sampler, t)));
}

/* --- the process ---------------------------------------------------------- */

static void
set(enum segment_stacks stacks)
{
	boot_now.records = stacks == STACKS_ALL;
	boot_now.draws = stacks == STACKS_SAMPLED;
	boot_now.passes = !boot_now.records && !real.owns_new;
	ledger_expect_all(boot_now.records);
}

void
dial_begin(void)
{
	set(atomic_load(&segment_mine()->config.stacks));
}

enum mode
dial_mode(void)
{
	if (boot_now.records)
		return MODE_LONG;
	if (boot_now.draws || boot_now.mixed)
		return real.chunks ? MODE_DRAWN : MODE_ASK;
	return real.chunks ? MODE_SHORT : MODE_ASK_SHORT;
}

/*
 * In this order: before a block has a record without sample_note(), every free
 * looks for it.  A thread in between takes the road of before or after.
 */
static void
turn(enum segment_stacks stacks, uint64_t now_ns)
{
	struct segment *s = segment_mine();
	struct control c = inside();

	sample_look_everywhere();
	boot_now.heeds = boot_now.mixed = true;
	atomic_thread_fence(memory_order_seq_cst);
	pywatch_end();
	set(stacks);
	boot_now.turned++;
	boot_set_mode(dial_mode());
	atomic_store(&s->config.stacks, stacks);
	atomic_store(&s->watch.switched_ns, now_ns);
	atomic_fetch_add(&s->watch.switches, 1);
	(void)mark_set(&c, MARK_STACKS, control_stacks(stacks), now_ns);
}

void
dial_follow(uint64_t now_ns)
{
	struct segment_config *config = &segment_mine()->config;
	uint32_t wanted = atomic_load(&config->stacks_wanted);
	uint32_t free = 0;

	if (wanted == 0 || wanted > STACKS_ALL + 1 ||
	    wanted - 1 == atomic_load(&config->stacks) ||
	    !atomic_compare_exchange_strong(&dial.turning, &free, 1))
		return;
	if (wanted - 1 != atomic_load(&config->stacks))
		turn(wanted - 1, now_ns);
	atomic_store(&dial.turning, 0);
}
