/*
 * counsel-settings.c - what exactly to set where an advice is followed
 *
 * Each as the program, the command line or the environment takes it; and, where
 * a configuration file has a key that does the same, that key.
 */
#include "control/counsel.h"

#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/numbers.h"

static uint64_t
whole(double x)
{
	return numbers_whole(x, INT64_MAX);
}

/* Never less than it is: `310M`. */
static void
put_size(struct text *t, double bytes)
{
	uint64_t n = whole(bytes + 0.999), unit = n >= 10 * MIB ? MIB : KIB;

	text_put_u64(t, n / unit + (n % unit != 0));
	text_put(t, unit == MIB ? "M" : "K");
}

static void
put_share(struct text *t, double share)
{
	text_put_u64(t, whole(share * 100 + 0.5));
	text_put(t, "%");
}

/* `tide_op_conf.max = 48`, and how a file has it. */
static void
put_member(struct text *t, const char *member, double n, const char *key)
{
	text_put(t, "tide_op_conf.");
	text_put(t, member);
	text_put(t, " = ");
	text_put_u64(t, whole(n));
	if (key == NULL)
		return;
	text_put(t, ", or ");
	text_put(t, key);
	text_put(t, " = ");
	text_put_u64(t, whole(n));
}

static void
put_option(struct text *t, double bytes)
{
	text_put(t, "--budget ");
	put_size(t, bytes);
}

static const struct tide_op_stats *
op_of(const struct counsel *c, const struct advice *a)
{
	return a->op >= 0 && (size_t)a->op < c->facts.ops ?
	    &c->facts.op[a->op] : NULL;
}

#define N(i) (a->number[i])

/* --- where there is a choice ---------------------------------------------- */

/* In the order in which it helps, as far as there is something to lower. */
static void
put_high(struct text *t, const struct counsel *c, const struct advice *a)
{
	const struct tide_op_stats *op = op_of(c, a);
	uint32_t target = c->facts.target_mille != 0 ?
	    c->facts.target_mille : 900;
	int number = 0;

	if (op != NULL && N(3) >= 2) {
		text_put_u64(t, (uint64_t)++number);
		text_put(t, ". smaller batches: ");
		put_member(t, "max", N(3) >= 4 ? N(3) / 2 : 1, "batch.max");
		text_put(t, "; ");
	}
	text_put_u64(t, (uint64_t)++number);
	text_put(t, ". a lower threshold: --target ");
	put_share(t, target > 200 ? (target - 100) / 1000.0 : 0.1);
	text_put(t, "; ");
	text_put_u64(t, (uint64_t)++number);
	text_put(t, ". checkpoints more often: checkpoint.every = 2");
	if (N(5) > 1) {
		text_put(t, "; ");
		text_put_u64(t, (uint64_t)++number);
		text_put(t, ". less at one time: ");
		put_member(t, "max_concurrent", N(5) > 2 ? N(5) / 2 : 1,
		    "concurrency.max");
	}
}

/* In the order in which it helps. */
static void
put_slow(struct text *t, const struct counsel *c, const struct advice *a)
{
	const struct tide_op_stats *op = op_of(c, a);

	if (N(0) <= 0)
		return;
	text_put(t, "1. larger batches: ");
	put_member(t, "max", N(2), "batch.max");
	if (op == NULL)
		return;
	text_put(t, "; 2. more at one time: ");
	put_member(t, "max_concurrent", (double)op->active_most + 1,
	    "concurrency.max");
	if (op->checkpoint_ns > op->time_ns / 20)
		text_put(t, "; 3. fewer checkpoints: checkpoint.every = 20");
}

static void
put_kept(struct text *t, const struct counsel *c, const struct advice *a)
{
	switch (c->facts.allocator) {
	case ALLOCATOR_JEMALLOC:
		text_put(t, "MALLOC_CONF=dirty_decay_ms:1000,muzzy_decay_ms:0");
		return;
	case ALLOCATOR_MIMALLOC:
		text_put(t, "MIMALLOC_PURGE_DELAY=0 (before version 2.1: "
		    "MIMALLOC_PAGE_RESET=1)");
		return;
	case ALLOCATOR_TCMALLOC:
		text_put(t, "TCMALLOC_RELEASE_RATE=10");
		return;
	case ALLOCATOR_GLIBC:
		if (N(4) > 0) {
			text_put(t, "MALLOC_ARENA_MAX=");
			text_put_u64(t, whole(N(4)));
			return;
		}
		break;
	default:
		break;
	}
	if (c->facts.ops != 0)
		text_put(t, "tide_op_conf.reclaim_after = 1");
	else
		text_put(t, "tide_reclaim(TIDE_FORCE_RECLAIM, 0, NULL), or "
		    "malloc_trim(0), after the peak");
}

static void
put_leaks(struct text *t, const struct counsel *c)
{
	text_put(t, "heaptide leaks ");
	text_put(t, c->options.subject != NULL ? c->options.subject : "PID");
}

static void
put_component(struct text *t, const struct advice *a)
{
	text_put(t, "tide_component(\"cache\", ");
	text_put_u64(t, whole(N(2)));
	text_put(t, ", 1), or tide_on_pressure() with TIDE_CLEAN_BENIGN");
}

/* --- all of them ---------------------------------------------------------- */

char *
counsel_setting(const struct counsel *c, const struct advice *a,
    char setting[COUNSEL_SETTING_ROOM])
{
	struct text t;

	text_open(&t, setting, COUNSEL_SETTING_ROOM);
	switch (a->id) {
	case ADVICE_UTIL:
		if (c->facts.ops != 0) {
			text_put(&t, "--target ");
			put_share(&t, N(4));
			text_put(&t, ", or ");
		}
		put_option(&t, N(3));
		break;
	case ADVICE_BATCH:
		put_member(&t, "max", N(4), "batch.max");
		break;
	case ADVICE_KNEE:
		put_member(&t, "max", N(0), "batch.max");
		break;
	case ADVICE_SLOW:
		put_slow(&t, c, a);
		break;
	case ADVICE_TAIL:
		text_put(&t, "tide_item(&batch, bytes) before each item");
		break;
	case ADVICE_SUPER:
		put_member(&t, "max", N(5), "batch.max");
		break;
	case ADVICE_FIXED:
		put_member(&t, "min", N(3), "batch.min");
		break;
	case ADVICE_LEAK:
		put_leaks(&t, c);
		break;
	case ADVICE_CACHE:
		put_component(&t, a);
		break;
	case ADVICE_RETAIN:
		put_kept(&t, c, a);
		break;
	case ADVICE_ALLOC:
		text_put(&t, "another allocator: no libmimalloc in "
		    "LD_PRELOAD, or threads that stay");
		break;
	case ADVICE_DELAY:
		text_put(&t, "delay.mode = off");
		break;
	case ADVICE_CKPT:
		text_put(&t, "checkpoint.every = ");
		text_put_u64(&t, whole(N(2)));
		break;
	case ADVICE_CLEAN:
		text_put(&t, "heaptide checkpoints clean --max-age 24h");
		break;
	case ADVICE_CONC:
		if (N(2) <= 1) {
			text_put(&t, "fewer processes of the pool at one "
			    "time");
			break;
		}
		put_member(&t, "max_concurrent", N(3), "concurrency.max");
		break;
	case ADVICE_BUDGET:
		put_option(&t, N(0));
		break;
	case ADVICE_RECYCLE:
		text_put(&t, "end after ");
		text_put_u64(&t, whole(N(3)));
		text_put(&t, " batches with status 85 "
		    "(TIDE_EXIT_CHECKPOINT), and start again");
		break;
	case ADVICE_HIGH:
		put_high(&t, c, a);
		break;
	case ADVICE_GROW:
		if (!c->facts.stacks_known)
			text_put(&t, "--stacks all, and then ");
		put_leaks(&t, c);
		text_put(&t, "; until then ");
		put_member(&t, "max", N(3), "batch.max");
		break;
	case ADVICE_SWAP:
		put_option(&t, N(2));
		break;
	case ADVICE_LIMIT:
		put_option(&t, N(2));
		break;
	default:
		break;
	}
	return setting;
}

/* Numbers of which a file has the same. */
static const struct {
	const char *key;
	int number; /* which one; 0 also for a value that is fixed */
	const char *value;
} keys[ADVICE_IDS] = {
	[ADVICE_BATCH] = { "batch.max", 4, NULL },
	[ADVICE_KNEE] = { "batch.max", 0, NULL },
	[ADVICE_SUPER] = { "batch.max", 5, NULL },
	[ADVICE_FIXED] = { "batch.min", 3, NULL },
	[ADVICE_DELAY] = { "delay.mode", 0, "off" },
	[ADVICE_CKPT] = { "checkpoint.every", 2, NULL },
	[ADVICE_CONC] = { "concurrency.max", 3, NULL },
};

const char *
counsel_key(const struct counsel *c, const struct advice *a,
    char value[COUNSEL_VALUE_ROOM])
{
	struct text t;

	text_open(&t, value, COUNSEL_VALUE_ROOM);
	switch (a->id) {
	case ADVICE_UTIL:
		if (c->facts.ops == 0) {
			put_size(&t, N(3));
			return "budget";
		}
		put_share(&t, N(4));
		return "target";
	case ADVICE_SLOW:
		text_put_u64(&t, whole(N(2)));
		return N(0) > 0 ? "batch.max" : NULL;
	case ADVICE_BUDGET:
		put_size(&t, N(0));
		return "budget";
	case ADVICE_SWAP:
	case ADVICE_LIMIT:
		put_size(&t, N(2));
		return "budget";
	case ADVICE_HIGH:
		if (op_of(c, a) == NULL || N(3) < 2)
			return NULL;
		text_put_u64(&t, whole(N(3) >= 4 ? N(3) / 2 : 1));
		return "batch.max";
	default:
		break;
	}
	if (a->id >= ADVICE_IDS || keys[a->id].key == NULL)
		return NULL;
	if (keys[a->id].value != NULL)
		text_put(&t, keys[a->id].value);
	else
		text_put_u64(&t, whole(a->number[keys[a->id].number]));
	return keys[a->id].key;
}
