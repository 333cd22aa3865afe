/*
 * module.h - which loaded object a return address lies in
 *
 * Floor 5 (stack).  May use: base, sys, mem.  Used by: intern, door.
 * Contexts: anywhere: it asks _dl_find_object() (glibc 2.35), which takes no
 * lock and allocates nothing.
 *
 * The table in the segment is for the tools, which name addresses; nothing in
 * the program reads it but this file.
 */
#ifndef STACK_MODULE_H
#define STACK_MODULE_H

#include <stdint.h>

/* A new return address was met: its module is in the table from here on. */
void module_note(uint64_t pc, uint32_t node);

/* Forget what is remembered of the parent's table: a child, just forked. */
void module_reset(void);

#endif
