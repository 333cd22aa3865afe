#include "model/spread.h"

#include <stddef.h>

/* Below 32 each value has a bin; from there on 16 a power of two. */
static size_t
bin_of(uint64_t value)
{
	unsigned power;

	if (value < 32)
		return (size_t)value;
	power = 63 - (unsigned)__builtin_clzll(value);
	return 32 + (power - 5) * SPREAD_PARTS +
	    (size_t)((value >> (power - 4)) & (SPREAD_PARTS - 1));
}

/* The middle of a bin. */
static uint64_t
value_of(size_t bin)
{
	size_t power, part;
	uint64_t width;

	if (bin < 32)
		return bin;
	power = (bin - 32) / SPREAD_PARTS + 5;
	part = (bin - 32) % SPREAD_PARTS;
	width = (uint64_t)1 << (power - 4);
	return ((uint64_t)(SPREAD_PARTS + part)) * width + width / 2;
}

static void
halve(struct spread *s)
{
	size_t i;

	s->count = 0;
	for (i = 0; i < SPREAD_BINS; i++) {
		s->bin[i] -= s->bin[i] / 2; /* what there was once, stays */
		s->count += s->bin[i];
	}
}

void
spread_add(struct spread *s, uint64_t value)
{
	uint32_t *bin = &s->bin[bin_of(value)];

	if (*bin == UINT32_MAX)
		halve(s);
	++*bin;
	s->count++;
	if (value > s->most)
		s->most = value;
}

uint64_t
spread_below(const struct spread *s, uint32_t mille)
{
	uint64_t rank, seen = 0, value;
	size_t i;

	if (s->count == 0)
		return 0;
	/* The 950th of 1000, the 1st of 1. */
	rank = s->count / 1000 * mille + (s->count % 1000 * mille + 999) /
	    1000;
	for (i = 0; i < SPREAD_BINS; i++) {
		seen += s->bin[i];
		if (seen >= rank && seen > 0) {
			value = value_of(i);
			return value < s->most ? value : s->most;
		}
	}
	return s->most;
}
