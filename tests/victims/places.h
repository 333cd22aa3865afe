/*
 * places.h - functions that call each other on any path, and then allocate
 *
 * Before: PLACES, how many there are.  Behind: PLACE(n) for each, from 0 on,
 * and the table places[] of their names, place_n.
 */
#ifndef VICTIMS_PLACES_H
#define VICTIMS_PLACES_H

#include <stdint.h>
#include <stdlib.h>

typedef void *place(size_t bytes, uint32_t path);

static place *const places[];

/* The next place of a path, or the end of it. */
#define PLACE(n) \
	static __attribute__((noinline)) void * \
	place_##n(size_t bytes, uint32_t path) \
	{ \
		void *volatile block = path == 0 ? malloc(bytes) : \
		    places[path % PLACES](bytes, path / PLACES); \
		return block; \
	}

#endif
