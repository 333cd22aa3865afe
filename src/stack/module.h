/*
 * module.h - which loaded object a return address lies in
 *
 * Floor 5 (stack).  May use: base, sys, mem.  Used by: intern, door.
 * Contexts: module_note() anywhere: it asks _dl_find_object(), which takes no
 * lock and allocates nothing.  module_scan() at boot only, outside malloc.
 *
 * The table in the segment is for the tools, which name addresses; nothing in
 * the program reads it but these two.
 */
#ifndef STACK_MODULE_H
#define STACK_MODULE_H

#include <stdint.h>

/* Write down everything that is loaded now. */
void module_scan(void);

/* A new return address was met: its module is in the table from here on. */
void module_note(uint64_t pc, uint32_t node);

/* Forget what is remembered of the parent's table: a child, just forked. */
void module_reset(void);

#endif
