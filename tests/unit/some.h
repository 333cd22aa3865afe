/*
 * some.h - numbers as if by chance, the same each time
 */
#ifndef TESTS_SOME_H
#define TESTS_SOME_H

#include <stdint.h>

static uint32_t seed = 1;

static uint32_t
some(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

#endif
