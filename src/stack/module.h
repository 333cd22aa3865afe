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

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A new return address was met: its module is in the table from here on. */
void module_note(uint64_t pc, uint32_t node);

/*
 * Objects are closed, and others are put in their places: then an address says
 * nothing of who called.  But mostly the same one comes back, and what is
 * known of it is good.  So the places of those that are gone are watched, and
 * who meets an address there looks who it is now.
 */
struct module_place {
	uint64_t start;
	uint64_t end;
};

/* How many places are watched; nearly always none. */
extern _Atomic uint32_t module_watched;

/*
 * Something may have been closed.  Sets @any if something was.  True: more are
 * gone than can be watched, so forget all of @place, and ask again.
 */
bool module_look_for_gone(bool *any, struct module_place *place);

/* Is there another object at @pc than was?  Then forget all of @place. */
bool module_is_replaced(uint64_t pc, struct module_place *place);

/* All of the place around @pc is forgotten: it is watched no more. */
void module_settle(uint64_t pc);

/* Forget what is remembered of the parent's table: a child, just forked. */
void module_reset(void);

#endif
