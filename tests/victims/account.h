/*
 * account.h - what a victim says of itself: every block, as it took it
 *
 * The names that are printed are those of "totals" in `heaptide report
 * --json`; the live tests compare the two line by line.  Nothing in here
 * allocates, so the account changes nothing.
 */
#ifndef VICTIMS_ACCOUNT_H
#define VICTIMS_ACCOUNT_H

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One for each thread that counts; they are summed when all is over. */
struct account {
	uint64_t allocations, frees, temporary;
	uint64_t allocated, freed;             /* usable bytes */
	uint64_t requested, requested_freed;   /* bytes asked for */
	uint64_t peak, peak_requested;
	void *last; /* the block that a free would make temporary */
};

static inline void
account_raise(uint64_t *peak, uint64_t now)
{
	if (now > *peak)
		*peak = now;
}

/* A block came, or a failure of the victim's own: then it ends here. */
static inline void *
account_alloc(struct account *a, void *block, size_t requested)
{
	if (block == NULL)
		abort();
	a->allocations++;
	a->allocated += malloc_usable_size(block);
	a->requested += requested;
	a->last = block;
	account_raise(&a->peak, a->allocated - a->freed);
	account_raise(&a->peak_requested, a->requested - a->requested_freed);
	return block;
}

/* The block is about to go; it is not freed here. */
static inline void
account_free(struct account *a, void *block, size_t requested)
{
	a->frees++;
	a->freed += malloc_usable_size(block);
	a->requested_freed += requested;
	if (a->last == block) {
		a->temporary++;
		a->last = NULL;
	}
}

/* The sum of peaks is a peak only if all were reached at one moment. */
static inline void
account_add(struct account *to, const struct account *from)
{
	to->allocations += from->allocations;
	to->frees += from->frees;
	to->temporary += from->temporary;
	to->allocated += from->allocated;
	to->freed += from->freed;
	to->requested += from->requested;
	to->requested_freed += from->requested_freed;
	to->peak += from->peak;
	to->peak_requested += from->peak_requested;
}

static inline void
account_say(const char *name, uint64_t value)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "%s %llu\n", name,
	    (unsigned long long)value);

	if (write(1, line, (size_t)n) != n)
		abort();
}

static inline void
account_print_live(const struct account *a)
{
	account_say("live_blocks", a->allocations - a->frees);
	account_say("live_bytes", a->allocated - a->freed);
}

/* What holds for any number of threads. */
static inline void
account_print(const struct account *a)
{
	account_say("allocations", a->allocations);
	account_say("frees", a->frees);
	account_say("temporary", a->temporary);
	account_say("allocated_bytes", a->allocated);
	account_say("requested_bytes", a->requested);
	account_print_live(a);
	account_say("live_requested_bytes",
	    a->requested - a->requested_freed);
}

static inline void
account_print_peak(const struct account *a)
{
	account_say("peak_bytes", a->peak);
	account_say("peak_requested_bytes", a->peak_requested);
}

/* The next of a row of numbers that look random and never change. */
static inline uint32_t
account_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

#endif
