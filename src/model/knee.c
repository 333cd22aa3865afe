#include "model/knee.h"

#include <string.h>

#include "base/base.h"
#include "model/numbers.h"

#define KNEE_AS_FAST   1.02f /* K3 */
#define KNEE_FASTER    0.97f
#define KNEE_WORTH     0.96f /* twice the memory, K1 */
#define KNEE_FASTER_FAR 0.80f
#define KNEE_SLOWER    1.10f /* clearly */
#define KNEE_SLOWER_FAR 1.50f
#define KNEE_CHANGED   1.25f
#define KNEE_LASTS     12    /* batches after the first five that are slower */
#define KNEE_UNCERTAIN 0.35
#define KNEE_RAMP      3     /* batches that count, of each size */
#define KNEE_AGAIN     64    /* batches */
#define KNEE_NS        50e6f /* enough, in however few batches */
#define KNEE_FAR       2     /* times the bytes of the best size: K6 */
#define KNEE_MANY      8     /* items: of fewer one may be twice the rest */
#define KNEE_REACH     2     /* bins to either side that are neighbours */

enum knee_phase {
	KNEE_RAMPING,
	KNEE_SEARCHING,
	KNEE_SETTLED,
	KNEE_PROBING
};

/* --- bins ----------------------------------------------------------------- */

/* 2^k is bin 2k, and 3 2^(k-1) the one after it; bin 1 would be of 1.5. */
static uint32_t
knee_size(uint32_t bin)
{
	uint32_t octave = bin / 2;

	return bin % 2 == 0 ? UINT32_C(1) << octave :
	    octave == 0 ? 1 : UINT32_C(3) << (octave - 1);
}

static uint32_t
knee_bin_of(uint32_t n)
{
	uint32_t octave = numbers_log2(n);
	uint32_t bin = 2 * octave;

	if (octave > 0 && n >= UINT32_C(3) << (octave - 1))
		bin++;
	return bin < KNEE_BINS ? bin : KNEE_BINS - 1;
}

static uint32_t
knee_top(const struct knee *k)
{
	return k->top > 0 ? k->top - 1 : KNEE_BINS - 1;
}

/* The median, of two in the middle the lower; 0: it was never measured. */
static float
knee_ns(const struct knee_bin *b)
{
	uint32_t count = b->measured < KNEE_KEPT ? b->measured : KNEE_KEPT;
	float sorted[KNEE_KEPT], v;
	uint32_t i, j;

	if (count == 0)
		return 0;
	for (i = 0; i < count; i++) {
		v = b->ns[i];
		for (j = i; j > 0 && sorted[j - 1] > v; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = v;
	}
	return sorted[(count - 1) / 2];
}

/* The least of the last ones: a batch that had bad luck says nothing. */
static float
knee_least_ns(const struct knee_bin *b)
{
	uint32_t count = b->measured < KNEE_KEPT ? b->measured : KNEE_KEPT;
	float least = b->ns[0];
	uint32_t i;

	for (i = 1; i < count; i++)
		if (b->ns[i] < least)
			least = b->ns[i];
	return least;
}

static void
knee_measure(struct knee_bin *b, float ns, float spent_ns)
{
	b->ns[b->measured % KNEE_KEPT] = ns;
	b->measured++;
	b->spent_ns += spent_ns;
}

static bool
knee_is_known(const struct knee_bin *b)
{
	return b->measured >= KNEE_KEPT ||
	    (b->measured > 0 && b->spent_ns >= KNEE_NS);
}

/* The fastest that was measured, of those below @end; KNEE_BINS: none was. */
static uint32_t
knee_fastest_below(const struct knee *k, uint32_t end)
{
	uint32_t best = KNEE_BINS, bin;

	for (bin = 0; bin < end; bin++)
		if (k->bin[bin].measured > 0 && (best == KNEE_BINS ||
		    knee_ns(&k->bin[bin]) < knee_ns(&k->bin[best])))
			best = bin;
	return best;
}

static uint32_t
knee_fastest(const struct knee *k)
{
	return knee_fastest_below(k, knee_top(k) + 1);
}

/* K3; @best was measured. */
static uint32_t
knee_smallest_as_fast(const struct knee *k, uint32_t best)
{
	float most = knee_ns(&k->bin[best]) * KNEE_AS_FAST;
	uint32_t bin;

	for (bin = 0; bin < best; bin++)
		if (k->bin[bin].measured > 0 && knee_ns(&k->bin[bin]) <= most)
			return bin;
	return best;
}

/* --- phases --------------------------------------------------------------- */

static void
knee_settle(struct knee *k, uint32_t best)
{
	k->phase = KNEE_SETTLED;
	k->used = knee_smallest_as_fast(k, best);
	k->most = k->top > 0 && k->used == knee_top(k);
	k->settled_ns = knee_ns(&k->bin[k->used]);
	k->since = 0;
	k->since_ns = 0;
	k->now = k->used;
}

/*
 * What an item can take at best in larger batches than @from, which was measured:
 * less of what a batch costs beside its items, and that is no more than what the
 * smaller ones have shown.
 */
static double
knee_promise(const struct knee *k, uint32_t bin, uint32_t from)
{
	double ns = knee_ns(&k->bin[from]), part = 1.0 / knee_size(from);
	double call = 0, most = 0;
	uint32_t i;

	for (i = 0; i < from; i++) {
		if (k->bin[i].measured == 0)
			continue;
		call = (knee_ns(&k->bin[i]) - ns) / (1.0 / knee_size(i) -
		    part);
		if (call > most)
			most = call;
	}
	if (from == 0 || most > ns / part)
		most = ns / part;
	return ns - most * (part - 1.0 / knee_size(bin));
}

/* What it may be, at best. */
static double
knee_hope(const struct knee *k, uint32_t bin, uint32_t best)
{
	const struct knee_bin *b = &k->bin[bin];
	double hope, least;

	if (b->measured == 0) /* between the best and what is not clear yet */
		hope = knee_ns(&k->bin[best]) * 0.80;
	else if (b->measured == 1 && bin > best) /* in memory that was new */
		hope = 0;
	else
		hope = knee_ns(b) * (1 - KNEE_UNCERTAIN / numbers_root(
		    b->measured < KNEE_KEPT ? b->measured : KNEE_KEPT));
	if (bin <= best)
		return hope;
	least = knee_promise(k, bin, best);
	return hope > least ? hope : least;
}

/* K2: the next one to try; or it is over. */
static void
knee_search(struct knee *k)
{
	uint32_t best = knee_fastest(k), bin, next;
	uint32_t from, to;

	if (best == KNEE_BINS)
		return;
	k->phase = KNEE_SEARCHING;
	from = best > KNEE_REACH ? best - KNEE_REACH : 0;
	to = best + KNEE_REACH < knee_top(k) ? best + KNEE_REACH : knee_top(k);
	next = best;
	for (bin = from; bin <= to; bin++)
		if (bin != 1 && knee_hope(k, bin, best) <
		    knee_hope(k, next, best))
			next = bin;
	if (knee_is_known(&k->bin[next]))
		knee_settle(k, best);
	else
		k->now = next;
}

/* K1. */
static void
knee_ramp(struct knee *k)
{
	const struct knee_bin *b = &k->bin[k->now];
	uint32_t best = knee_fastest_below(k, k->now);
	float ratio = best == KNEE_BINS ? 0 :
	    knee_ns(b) / knee_ns(&k->bin[best]);

	/* Better than this is not needed; but the first touches memory that is
	 * new, and says nothing against its size. */
	if (ratio >= KNEE_FASTER_FAR && b->spent_ns < KNEE_NS &&
	    b->measured < (ratio > KNEE_SLOWER ? 2 : KNEE_RAMP))
		return;
	k->slower = ratio < KNEE_FASTER ? 0 : k->slower +
	    (ratio > KNEE_SLOWER_FAR ? 4 : ratio > KNEE_SLOWER ? 2 : 1);
	best = knee_fastest_below(k, k->now + 1);
	if (k->slower >= 4 || k->now + 2 > knee_top(k) ||
	    knee_promise(k, k->now + 2, k->now) > KNEE_WORTH *
	    knee_ns(&k->bin[best]))
		knee_search(k);
	else
		k->now = k->now + 2;
}

/* K4. */
static void
knee_probe(struct knee *k)
{
	uint32_t bin = k->used;

	k->since = 0;
	k->since_ns = 0;
	if (k->probes++ % 2 == 0)
		bin += bin == 0 ? 2 : 1;
	else
		bin -= bin == 2 ? 2 : bin == 0 ? 0 : 1;
	if (bin == k->used || bin > knee_top(k))
		return;
	/* What it was is not what it is. */
	k->bin[bin].measured = 0;
	k->bin[bin].spent_ns = 0;
	k->phase = KNEE_PROBING;
	k->now = bin;
}

static void
knee_look_back(struct knee *k)
{
	const struct knee_bin *b = &k->bin[k->now];

	if (b->measured < 2 && b->spent_ns < KNEE_NS)
		return;
	if (knee_ns(b) < knee_ns(&k->bin[k->used]) * KNEE_FASTER) {
		knee_search(k);
		return;
	}
	k->phase = KNEE_SETTLED;
	k->now = k->used;
}

/* Of all others only hearsay is left. */
static void
knee_forget_but(struct knee *k, uint32_t kept)
{
	uint32_t bin;

	for (bin = 0; bin < KNEE_BINS; bin++)
		if (bin != kept)
			k->bin[bin].measured = 0;
}

static void
knee_rest(struct knee *k, float spent_ns)
{
	k->changed = knee_least_ns(&k->bin[k->used]) > k->settled_ns *
	    KNEE_CHANGED ? k->changed + 1 : 0;
	if (k->changed > KNEE_LASTS) {
		k->changed = 0;
		knee_forget_but(k, k->used);
		k->settled_ns = knee_ns(&k->bin[k->used]);
		knee_search(k);
		return;
	}
	k->since_ns += spent_ns;
	if (++k->since >= KNEE_AGAIN && k->since_ns >= KNEE_NS)
		knee_probe(k);
}

/*
 * Memory allows less than @k->now.  Where a size was settled on, that is for a
 * while, as it comes: there is nothing to be tried for it; but if it stays and
 * is slower, the best of what there is room for is another.  True: it counts.
 */
static bool
knee_bounded(struct knee *k, uint32_t bin, float ns)
{
	k->top = bin + 1;
	if (k->phase == KNEE_SETTLED) {
		k->since_ns += ns;
		k->changed = ns > k->settled_ns * KNEE_CHANGED ?
		    k->changed + 1 : 0;
		if (k->changed <= KNEE_LASTS)
			return false;
		k->changed = 0;
		knee_forget_but(k, bin);
		k->phase = KNEE_SEARCHING;
	}
	k->now = bin;
	return true;
}

/* There is room again; the most that there was need not be the fastest. */
static void
knee_unbounded(struct knee *k)
{
	k->top = 0;
	if (k->phase == KNEE_SETTLED && k->most) {
		k->phase = KNEE_RAMPING;
		k->slower = 0;
	}
	k->most = false;
}

void
knee_open(struct knee *k)
{
	memset(k, 0, sizeof(*k));
}

uint32_t
knee_cap(const struct knee *k)
{
	/* Where memory ends a bin, all of it is used. */
	if (k->top > 0 && k->now == k->top - 1 && k->top < KNEE_BINS)
		return knee_size(k->now == 0 ? 2 : k->now + 1) - 1;
	return knee_size(k->now);
}

void
knee_learn(struct knee *k, uint32_t n, uint64_t ns, bool bounded)
{
	uint32_t bin = knee_bin_of(n);
	float spent = (float)ns;

	if (n == 0 || ns == 0)
		return;
	if (bounded && bin < k->now) {
		if (!knee_bounded(k, bin, spent / (float)n))
			return;
	} else if (!bounded && k->top > 0 && bin >= knee_top(k)) {
		knee_unbounded(k);
	}
	if (bin != k->now)
		return; /* the rest of something; it tells little */
	knee_measure(&k->bin[bin], spent / (float)n, spent);
	switch (k->phase) {
	case KNEE_RAMPING:
		knee_ramp(k);
		break;
	case KNEE_SEARCHING:
		knee_search(k);
		break;
	case KNEE_PROBING:
		knee_look_back(k);
		break;
	default:
		knee_rest(k, spent);
	}
}

bool
knee_is_settled(const struct knee *k)
{
	return k->phase >= KNEE_SETTLED;
}

uint64_t
knee_bytes(const struct knee *k, uint32_t n, uint64_t expected)
{
	if (k->phase < KNEE_SETTLED)
		return n < KNEE_MANY || k->far > KNEE_LASTS ? 0 :
		    KNEE_FAR * expected;
	if (k->most || k->grown < KNEE_KEPT)
		return 0;
	return whole_u64(KNEE_FAR * k->bytes);
}

void
knee_grew(struct knee *k, uint32_t n, uint64_t bytes, bool cut)
{
	double weight = cut ? 1.0 / KNEE_AGAIN : 1.0 / 8;

	k->far = cut ? k->far + 1 : 0;
	if (k->phase < KNEE_SETTLED) {
		k->grown = 0;
		return;
	}
	if (!cut && knee_bin_of(n) != k->used)
		return;
	k->bytes = k->grown == 0 ? (double)bytes :
	    k->bytes + ((double)bytes - k->bytes) * weight;
	k->grown += !cut;
}

void
knee_read(const struct knee *k, struct knee_report *report)
{
	uint32_t best = knee_fastest(k), bin;

	memset(report, 0, sizeof(*report));
	if (best == KNEE_BINS)
		return;
	best = k->phase >= KNEE_SETTLED ? k->used :
	    knee_smallest_as_fast(k, best);
	report->n = knee_size(best);
	report->ns = knee_ns(&k->bin[best]);
	report->settled = k->phase >= KNEE_SETTLED;
	for (bin = 0; bin < KNEE_BINS; bin++)
		if (k->bin[bin].measured > 0) {
			report->largest = knee_size(bin);
			report->largest_ns = knee_ns(&k->bin[bin]);
		}
}
