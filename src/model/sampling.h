/*
 * sampling.h - which blocks are drawn, and what each of them stands for
 *
 * Floor 1 (model).  May use: base.  Used by: heap/sample, the tests.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 *
 * All bytes that a thread allocates are laid on a line, block after block, and
 * marks are set on it at random, on average one in @mean bytes, each where it
 * is whatever the others are (a Poisson process, so distances are exponential).
 * A block is drawn if a mark lies in it.  One of s bytes is, with the chance
 *
 *	p = 1 - exp(-s / mean)
 *
 * and stands for 1/p blocks of s/p bytes: then sums over what was drawn are
 * right on average, whatever the sizes (D. G. Horvitz and D. J. Thompson, A
 * generalization of sampling without replacement from a finite universe,
 * JASA 47, 1952).  Blocks are drawn independently of each other, so the
 * variance of such a sum is that of its parts, and for each drawn one
 *
 *	s^2 (1 - p) / p^2
 *
 * is right on average for what its kind adds to it (the same paper).
 */
#ifndef MODEL_SAMPLING_H
#define MODEL_SAMPLING_H

#include <stdint.h>

/* Blocks of so many bytes and more are not drawn but all recorded: p is 1. */
static inline uint64_t
sampling_large(uint64_t mean)
{
	return mean;
}

/* The chance that a block of @bytes is drawn, at one mark in @mean bytes. */
double sampling_chance(uint64_t bytes, uint64_t mean);

/* The distance to the next mark, by 64 random bits; at least 1. */
uint64_t sampling_distance(uint64_t mean, uint64_t random);

/* What a drawn block stands for. */
struct sampling_weight {
	double blocks;
	double bytes;
	double variance; /* that it adds to a sum of bytes, in bytes squared */
};

struct sampling_weight sampling_weigh(uint64_t bytes, uint64_t mean);

#endif
