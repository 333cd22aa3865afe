/*
 * forward.c - a module that calls what it is given; there are two of it, which
 * differ in nothing but the names of their functions
 *
 * The function fills a page and more, so that with either loaded at the same
 * place the same addresses are in its middle.
 */
#include <stddef.h>

#ifndef FORWARD
#define FORWARD call_on
#endif

static __attribute__((noinline)) void *
FORWARD(void *(*f)(size_t), size_t bytes)
{
	void *p = f(bytes);

	__asm__ volatile("" ::: "memory"); /* no tail call */
	return p;
}

void *forward(void *(*f)(size_t), size_t bytes);

void *
forward(void *(*f)(size_t), size_t bytes)
{
	void *p = FORWARD(f, bytes);

	__asm__ volatile("" ::: "memory");
	return p;
}
