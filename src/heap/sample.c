#include "heap/sample.h"

#include "mem/segment.h"
#include "sys/sys.h"

_Atomic uint8_t sample_page[SAMPLE_PAGES];

static struct {
	_Atomic uint64_t mean[SAMPLE_RATES]; /* by number; 0: none yet */
} samples;

/* --- rates ---------------------------------------------------------------- */

/* The number of a rate, or 0: there are too many. */
static uint32_t
rate_of(uint64_t mean)
{
	uint32_t i;

	for (i = 1; i < SAMPLE_RATES; i++) {
		uint64_t there = atomic_load(&samples.mean[i]);

		if (there == mean || (there == 0 &&
		    (atomic_compare_exchange_strong(&samples.mean[i], &there,
		    mean) || there == mean)))
			return i;
	}
	return 0;
}

struct sampling_weight
sample_weigh(uint32_t rate, size_t usable)
{
	return sampling_weigh(usable, atomic_load_explicit(
	    &samples.mean[rate % SAMPLE_RATES], memory_order_relaxed));
}

/* --- marks ---------------------------------------------------------------- */

/* SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014). */
static uint64_t
random_bits(struct sampler *s)
{
	s->random += UINT64_C(0x9e3779b97f4a7c15);
	return mix_u64(s->random);
}

/*
 * Set the next mark.  Where it lies does not depend on where the last one did,
 * so one may be set anew at any time, at another rate as well.
 */
static void
set_mark(struct sampler *s, const struct tally *t)
{
	s->next = atomic_load_explicit(&t->allocated, memory_order_relaxed) +
	    sampling_distance(s->mean, random_bits(s));
}

/* The rate that is asked for now; as long as there is a number for it. */
static void
follow_rate(struct sampler *s, const struct tally *t)
{
	uint64_t mean = atomic_load_explicit(
	    &segment_mine()->config.sample_bytes, memory_order_relaxed);
	uint32_t rate;

	if (LIKELY(mean == s->mean) || mean == 0)
		return;
	rate = rate_of(mean);
	if (rate == 0)
		return;
	s->mean = mean;
	s->rate = rate;
	set_mark(s, t);
}

void
sample_begin(struct sampler *s, const struct tally *t, uint64_t seed)
{
	uint64_t row = (uint64_t)(t -
	    (const struct tally *)segment_rows(TABLE_TALLIES));

	s->mean = 0;
	s->random = seed != 0 ? mix_u64(seed) + row :
	    mix_u64(sys_clock() ^ (uintptr_t)s) ^ mix_u64((uint64_t)sys_pid() *
	    SAMPLE_PAGES + row);
	follow_rate(s, t);
}

enum sample
sample_draw(struct sampler *s, const struct tally *t, size_t usable)
{
	enum sample sample = SAMPLE_NOT;

	if (usable >= sampling_large(s->mean)) {
		s->next += usable; /* it is not on the line */
		sample = SAMPLE_WHOLE;
	} else if (s->next <= atomic_load_explicit(&t->allocated,
	    memory_order_relaxed)) {
		set_mark(s, t);
		sample = SAMPLE_DRAWN;
	}
	return sample;
}

int64_t
sample_distance(struct sampler *s, const struct tally *t)
{
	uint64_t left;

	follow_rate(s, t);
	left = above_u64(s->next, atomic_load_explicit(&t->allocated,
	    memory_order_relaxed));
	/* No large block may pass unseen, whatever is left. */
	return (int64_t)min_u64(min_u64(left, sampling_large(s->mean)),
	    INT64_MAX) - 1;
}

/* --- which blocks have a record ------------------------------------------- */

/* A page that has 255 or more of them is asked about for ever. */
#define MANY UINT8_MAX

void
sample_look_everywhere(void)
{
	size_t i;

	for (i = 0; i < SAMPLE_PAGES; i++)
		atomic_store_explicit(&sample_page[i], MANY,
		    memory_order_relaxed);
}

void
sample_note(const void *block)
{
	_Atomic uint8_t *page = sample_page_of(block);
	uint8_t now = atomic_load(page);

	while (now != MANY && !atomic_compare_exchange_weak(page, &now,
	    (uint8_t)(now + 1)))
		;
}

void
sample_forget(const void *block)
{
	_Atomic uint8_t *page = sample_page_of(block);
	uint8_t now = atomic_load(page);

	while (now != MANY && now != 0 && !atomic_compare_exchange_weak(page,
	    &now, (uint8_t)(now - 1)))
		;
}
