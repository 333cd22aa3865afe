/*
 * counsel-words.c - what to say of an advice, and what exactly to set
 */
#include "control/counsel.h"

#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/numbers.h"
#include "plan/message.h"

/* --- numbers -------------------------------------------------------------- */

static uint64_t
whole(double x)
{
	return numbers_whole(x, INT64_MAX);
}

static void
put_bytes(struct text *t, double bytes)
{
	char room[TEXT_BYTES_ROOM];

	text_put(t, text_format_bytes(room, whole(bytes + 0.5)));
}

static void
put_seconds(struct text *t, double seconds)
{
	char room[TEXT_DURATION_ROOM];

	text_put(t, text_format_duration(room, whole(seconds * 1e9)));
}

/* With one decimal below 10, else none. */
static void
put_real(struct text *t, double x)
{
	uint64_t tenths = whole(x * 10 + 0.5);

	if (x >= 10) {
		text_put_u64(t, whole(x + 0.5));
		return;
	}
	text_put_u64(t, tenths / 10);
	text_put(t, ".");
	text_put_u64(t, tenths % 10);
}

static void
put_percent(struct text *t, double share)
{
	put_real(t, share * 100);
	text_put(t, " %");
}

static void
put_count(struct text *t, double n)
{
	char room[TEXT_COUNT_ROOM];

	text_put(t, text_format_count(room, whole(n + 0.5)));
}

/* --- who it is about ------------------------------------------------------ */

static const struct tide_op_stats *
op_of(const struct counsel *c, const struct advice *a)
{
	return a->op >= 0 && (size_t)a->op < c->facts.ops ?
	    &c->facts.op[a->op] : NULL;
}

static const char *
unit_of(const struct counsel *c, const struct advice *a)
{
	const struct tide_op_stats *op = op_of(c, a);

	return op != NULL && op->unit[0] != '\0' ? op->unit : "item";
}

/* `load: ` in front of what is about an operation. */
static void
put_op(struct text *t, const struct counsel *c, const struct advice *a)
{
	const struct tide_op_stats *op = op_of(c, a);

	if (op == NULL)
		return;
	text_put(t, op->name);
	text_put(t, ": ");
}

static void
put_place(struct text *t, const struct advice *a, const char *place)
{
	if (place != NULL) {
		text_put(t, place);
	} else {
		text_put(t, "site ");
		text_put_u64(t, a->site);
	}
}

/* "a batch" or "an epoch", as it was marked. */
static const char *
each(const struct counsel *c)
{
	return c->facts.by_batches ? " a batch" : " an epoch";
}

/* --- sentences, one function an id ---------------------------------------- */

#define N(i) (a->number[i])

static void
say_ok(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	char line[MESSAGE_ROOM];

	(void)place;
	text_put(t, message_fine(line, sizeof(line), whole(N(0) > 0 ? N(0) :
	    N(1))));
	if (N(2) > 0) {
		text_put(t, "; the most was ");
		put_bytes(t, N(1));
		text_put(t, " of ");
		put_bytes(t, N(2));
		if (c->source[0] != '\0') {
			text_put(t, " by ");
			text_put(t, c->source);
		}
	}
}

static void
say_use(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	(void)c;
	text_put(t, "above 80 % of the budget for ");
	put_percent(t, N(0));
	text_put(t, " of the time; the most was ");
	put_bytes(t, N(1));
	text_put(t, " of ");
	put_bytes(t, N(2));
}

static void
say_batch(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	if (N(1) > 0) {
		text_put(t, "of ");
		put_count(t, N(0));
		text_put(t, " batches ");
		put_count(t, N(1));
		text_put(t, " were cut for lack of room (");
		put_percent(t, N(1) / N(0));
		text_put(t, ")");
	} else {
		text_put(t, "the size of batches changed by more than a "
		    "quarter ");
		put_count(t, N(2));
		text_put(t, " times in ");
		put_count(t, N(0));
	}
	text_put(t, "; they had ");
	put_real(t, N(3));
	text_put(t, " ");
	text_put(t, unit_of(c, a));
	text_put(t, "s on average");
}

static void
say_knee(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	text_put(t, "n = ");
	put_count(t, N(0));
	text_put(t, " uses ");
	put_bytes(t, N(1));
	text_put(t, "; n = ");
	put_count(t, N(2));
	text_put(t, " uses ");
	put_bytes(t, N(3));
	if (N(4) >= 1.05) {
		text_put(t, " and is ");
		put_real(t, N(4));
		text_put(t, " times slower");
	} else {
		text_put(t, " and is not faster");
	}
}

static void
say_slow(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	if (N(0) > 0) {
		text_put(t, "the largest batches (n = ");
		put_count(t, N(1));
		text_put(t, ") were the fastest, with ");
		put_real(t, N(4));
		text_put(t, " ");
		text_put(t, unit_of(c, a));
		text_put(t, "s a second, and memory is free: n = ");
		put_count(t, N(2));
		text_put(t, " would take ");
		put_bytes(t, N(3));
		return;
	}
	text_put(t, "larger batches would not help: n = ");
	put_count(t, N(2));
	text_put(t, " gives ");
	put_real(t, N(4));
	text_put(t, " ");
	text_put(t, unit_of(c, a));
	text_put(t, "s a second, and n = ");
	put_count(t, N(1));
	if (N(5) >= 1.05) {
		text_put(t, " is ");
		put_real(t, N(5));
		text_put(t, " times slower");
	} else {
		text_put(t, " is not faster");
	}
}

static void
say_tail(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	text_put(t, "the largest ");
	text_put(t, unit_of(c, a));
	text_put(t, " takes ");
	put_bytes(t, N(1));
	text_put(t, ", ");
	put_real(t, N(2));
	text_put(t, " times the mean of ");
	put_bytes(t, N(0));
	if (N(3) > 0) {
		text_put(t, "; ");
		put_count(t, N(3));
		text_put(t, " batches grew beyond what was predicted");
	}
}

static void
say_super(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	text_put(t, "doubling the batch costs ");
	put_real(t, N(4));
	text_put(t, " times the memory (power ");
	put_real(t, N(0));
	text_put(t, "): n = ");
	put_real(t, N(1));
	text_put(t, " takes ");
	put_bytes(t, N(2));
	text_put(t, ", half of it ");
	put_bytes(t, N(3));
}

static void
say_fixed(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	put_bytes(t, N(0));
	text_put(t, " of a batch (");
	put_percent(t, N(1));
	text_put(t, ") are there whatever its size");
	if (N(3) > N(2)) {
		text_put(t, ": n = ");
		put_count(t, N(3));
		text_put(t, " instead of ");
		put_real(t, N(2));
		text_put(t, " would take ");
		put_bytes(t, N(4));
	}
}

static void
say_leak(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	put_place(t, a, place);
	text_put(t, " keeps ");
	put_bytes(t, N(2));
	text_put(t, each(c));
	text_put(t, " (");
	put_bytes(t, N(3));
	text_put(t, " an hour), ");
	put_bytes(t, N(1));
	text_put(t, " by now");
	if (N(0) > 1) {
		text_put(t, "; ");
		put_count(t, N(0) - 1);
		text_put(t, N(0) > 2 ? " other sites grow" :
		    " other site grows");
	}
	if (N(5) > 0) {
		text_put(t, "; the budget is met in ");
		put_seconds(t, N(5));
	}
}

static void
say_cache(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	put_place(t, a, place);
	text_put(t, " has filled up and holds ");
	put_bytes(t, N(0));
	text_put(t, " for good, ");
	put_percent(t, N(1));
	text_put(t, c->facts.budget != TIDE_NONE ? " of the budget" :
	    " of the peak");
}

static const char *
allocator_word(const struct counsel *c)
{
	switch (c->facts.allocator) {
	case ALLOCATOR_GLIBC: return "glibc's malloc";
	case ALLOCATOR_JEMALLOC: return "jemalloc";
	case ALLOCATOR_MIMALLOC: return "mimalloc";
	case ALLOCATOR_TCMALLOC: return "tcmalloc";
	default: return "the allocator";
	}
}

static void
say_kept(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	text_put(t, allocator_word(c));
	text_put(t, " holds ");
	put_bytes(t, N(1));
	text_put(t, " for ");
	put_bytes(t, N(0));
	text_put(t, " that are in use (");
	put_real(t, N(2));
	text_put(t, " times)");
	if (a->id == ADVICE_ALLOC) {
		text_put(t, ", as ");
		put_count(t, N(4));
		text_put(t, " threads came and went");
	} else if (N(4) > 0) {
		text_put(t, ", in arenas for ");
		put_count(t, N(3));
		text_put(t, " threads");
	}
}

/* A contract, like the messages. */
static void
say_delay(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	text_put(t, "delays ");
	put_seconds(t, N(0));
	text_put(t, ", memory released meanwhile ");
	put_bytes(t, N(1));
}

static void
say_checkpoints(struct text *t, const struct counsel *c,
    const struct advice *a, const char *place)
{
	(void)place;
	put_op(t, c, a);
	text_put(t, "the work of ");
	put_seconds(t, N(0));
	text_put(t, " would be lost; a checkpoint every ");
	put_count(t, N(2));
	text_put(t, " batches leaves ");
	put_seconds(t, N(3));
	text_put(t, " of it at risk");
}

static void
say_clean(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)c;
	(void)place;
	text_put(t, "checkpoints take ");
	put_bytes(t, N(0));
	text_put(t, ", the oldest is ");
	put_seconds(t, N(1));
	text_put(t, " old");
}

static void
say_waits(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	text_put(t, "batches waited ");
	put_seconds(t, N(1));
	text_put(t, " for memory (");
	put_percent(t, N(0));
	text_put(t, " of their time), ");
	put_count(t, N(2));
	text_put(t, " of them at one time");
}

static void
say_budget(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	if (N(3) > 0) {
		text_put(t, "smallest budget for 95 % of this throughput: ");
		put_bytes(t, N(0));
		text_put(t, " (n = ");
		put_count(t, N(4));
		if (N(3) > N(4)) {
			text_put(t, " instead of ");
			put_count(t, N(3));
		}
		text_put(t, ")");
	} else {
		text_put(t, "smallest budget that holds the peak of ");
		put_bytes(t, N(2));
		text_put(t, ": ");
		put_bytes(t, N(0));
	}
	text_put(t, "; it is ");
	if (N(1) > 0)
		put_bytes(t, N(1));
	else
		text_put(t, "not limited");
}

static void
say_recycle(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	put_bytes(t, N(0));
	text_put(t, " of ");
	put_bytes(t, N(1));
	text_put(t, " are used between batches, which have left ");
	put_bytes(t, N(2));
	text_put(t, " behind: a new start would have that much more room");
}

static void
say_high(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)place;
	put_op(t, c, a);
	if (N(4) > 0) {
		put_count(t, N(4));
		text_put(t, N(4) > 1 ? " allocations were refused; " :
		    " allocation was refused; ");
	}
	if (N(0) > 0) {
		text_put(t, "memory was critical for ");
		put_percent(t, N(0));
		text_put(t, " of the time; ");
	}
	text_put(t, "the most was ");
	put_bytes(t, N(1));
	if (N(2) > 0) {
		text_put(t, " of ");
		put_bytes(t, N(2));
	}
}

static void
say_growth(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	put_op(t, c, a);
	text_put(t, "each batch leaves ");
	put_bytes(t, N(0));
	text_put(t, " behind, ");
	put_bytes(t, N(1));
	text_put(t, " in ");
	put_count(t, N(2));
	text_put(t, " batches");
	if (a->site != 0) {
		text_put(t, ", most surely ");
		put_place(t, a, place);
	}
}

static void
say_swap(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)c;
	(void)place;
	put_bytes(t, N(0));
	text_put(t, " are swapped out");
	if (N(1) > 0) {
		text_put(t, ", with a budget of ");
		put_bytes(t, N(1));
	}
}

static void
say_limit(struct text *t, const struct counsel *c, const struct advice *a,
    const char *place)
{
	(void)c;
	(void)place;
	text_put(t, "the budget is what the machine has left (");
	put_bytes(t, N(0));
	text_put(t, ", and others move it), though the process is in a control "
	    "group: that has no limit; the most used was ");
	put_bytes(t, N(1));
}

static void (*const sentences[ADVICE_IDS])(struct text *t,
    const struct counsel *c, const struct advice *a, const char *place) = {
	[ADVICE_OK] = say_ok,
	[ADVICE_UTIL] = say_use,
	[ADVICE_BATCH] = say_batch,
	[ADVICE_KNEE] = say_knee,
	[ADVICE_SLOW] = say_slow,
	[ADVICE_TAIL] = say_tail,
	[ADVICE_SUPER] = say_super,
	[ADVICE_FIXED] = say_fixed,
	[ADVICE_LEAK] = say_leak,
	[ADVICE_CACHE] = say_cache,
	[ADVICE_RETAIN] = say_kept,
	[ADVICE_ALLOC] = say_kept,
	[ADVICE_DELAY] = say_delay,
	[ADVICE_CKPT] = say_checkpoints,
	[ADVICE_CLEAN] = say_clean,
	[ADVICE_CONC] = say_waits,
	[ADVICE_BUDGET] = say_budget,
	[ADVICE_RECYCLE] = say_recycle,
	[ADVICE_HIGH] = say_high,
	[ADVICE_GROW] = say_growth,
	[ADVICE_SWAP] = say_swap,
	[ADVICE_LIMIT] = say_limit,
};

char *
counsel_text(const struct counsel *c, const struct advice *a,
    const char *place, char text[COUNSEL_TEXT_ROOM])
{
	struct text t;

	text_open(&t, text, COUNSEL_TEXT_ROOM);
	if (a->id < ADVICE_IDS)
		sentences[a->id](&t, c, a, place);
	return text;
}
