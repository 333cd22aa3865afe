/*
 * where.h - the site of the path that leads to a caller
 *
 * Floor 8 (door), below record.  May use: all floors.
 * Contexts: inside malloc, in signal handlers.  errno is left as it was.
 */
#ifndef DOOR_WHERE_H
#define DOOR_WHERE_H

#include <stdint.h>

#include "base/base.h"
#include "door/boot.h"
#include "stack/intern.h"
#include "stack/memo.h"
#include "sys/arch.h"

/*
 * The cold halves: a stack that was not met before; and where there is more to
 * it, which Python frames it leads through, or what the judge says.
 */
uint32_t where_walked(const struct arch_frame *caller, uint32_t flags);
uint32_t where_more(const struct arch_frame *caller, uint32_t flags,
    uint32_t site);

/* The node of a call alone, whoever led to it; 0: there is no room for it. */
uint32_t where_call(uint64_t pc);

/*
 * The site of the path that leads to @caller, made with @flags (enum
 * site_flags) if it is new; SITE_FULL or SITE_NO_STACK where there is none.
 */
static HOT uint32_t
where(const struct arch_frame *caller, uint32_t flags)
{
	const struct memo_entry *e = NULL;
	uint32_t site;

	if (LIKELY(self.memo != NULL))
		e = memo_find(self.memo, caller, intern_generation());
	site = LIKELY(e != NULL) ? e->site : where_walked(caller, flags);
	if (UNLIKELY(boot_now.more))
		site = where_more(caller, flags, site);
	return site;
}

/*
 * The site of the note @note (NODE_*) at the path to @caller, made with @flags;
 * without STACKS_ALL, of the note alone.  0: a table was full.
 */
uint32_t where_noted(const struct arch_frame *caller, uint64_t note,
    uint32_t flags);

/*
 * The node of the path to the return address @pc, which is some calls of our
 * own further out; 0: there is none.  All is walked: for what seldom happens.
 * @leaf: that address in a function which was called there, and has jumped to
 * us without leaving a frame; 0: none has.
 */
uint32_t where_from(uint64_t pc, uint64_t leaf);

#endif
