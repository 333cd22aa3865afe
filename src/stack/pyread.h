/*
 * pyread.h - may a piece of memory be read that a pointer of Python's leads to?
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: pyframe.
 * Contexts: inside malloc and in signal handlers.
 *
 * The kernel is asked once for each page, more or less: what was readable is
 * taken to be so later.
 */
#ifndef STACK_PYREAD_H
#define STACK_PYREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define PYREAD_PAGE_BITS 12
#define PYREAD_PAGES     1024
#define PYREAD_USER_END  (UINT64_C(1) << 47)

/* Numbers of pages that were readable. */
extern _Atomic uint64_t pyread_page[PYREAD_PAGES] INSIDE;

bool pyread_ask(uint64_t number, _Atomic uint64_t *slot);

static HOT bool
pyread_is_page(uint64_t number)
{
	_Atomic uint64_t *slot = &pyread_page[number % PYREAD_PAGES];

	return LIKELY(atomic_load_explicit(slot, memory_order_relaxed) ==
	    number) || pyread_ask(number, slot);
}

/* Of a page at most, which is not at the ends of the address space. */
static HOT bool
pyread_is_piece(uint64_t at, uint64_t bytes)
{
	uint64_t first = at >> PYREAD_PAGE_BITS;
	uint64_t last = (at + bytes - 1) >> PYREAD_PAGE_BITS;

	return pyread_is_page(first) && (LIKELY(first == last) ||
	    pyread_is_page(last));
}

/* The same of something small, in whole words, wherever it is. */
static HOT bool
pyread_is_object(uint64_t at, uint64_t bytes)
{
	return LIKELY(at % 8 == 0 && at >> PYREAD_PAGE_BITS != 0 &&
	    at < PYREAD_USER_END) && pyread_is_piece(at, bytes);
}

/* Of any size. */
bool pyread_may(uint64_t at, uint64_t bytes);

#endif
