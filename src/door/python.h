/*
 * python.h - is this process CPython, and which Python frames lead to a call
 *
 * Floor 8 (door), below where and boot.  May use: stack, mem.
 * Contexts: python_find() where the dynamic linker may be asked, at boot; the
 * rest inside malloc and in signal handlers.
 *
 * A Python function is called without a function of C for each, or by several;
 * so where the stack of C has the one that runs Python frames, those stand in
 * its place that this call of it runs.  See doc/python.md.
 */
#ifndef DOOR_PYTHON_H
#define DOOR_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Look for an interpreter that is loaded at the start. */
void python_find(void);

/* Is there one, and memory for what is to be known?  Once there is a segment. */
bool python_open(void);

/*
 * The site of @site's path with the calling thread's Python frames in it, as
 * far as it is known from before; 0: it is not.  @key: under which it is to be
 * put, 0: it has no Python frames, and is what it is.
 */
uint32_t python_site(uint32_t site, uint64_t *key);
void python_put(uint64_t key, uint32_t site);

/*
 * That path, leaf first, into @buffer of @room addresses.  *@cut: there are
 * more.  Return: how many; 0: they do not go together.
 */
size_t python_path(uint32_t site, uint64_t *buffer, size_t room, bool *cut);

/* A child, just forked. */
void python_in_child(void);

#endif
