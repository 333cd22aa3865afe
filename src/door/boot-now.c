/*
 * boot-now.c - how this thread and this process count now: what the hot road
 * asks
 */
#include "door/boot.h"

#include <stdatomic.h>

#include "sys/sys.h"

struct boot_now boot_now;

struct boot_page boot_page;
__thread struct self self;

void
boot_set_mode(enum mode mode)
{
	boot_page.drawn = boot_page.plain = boot_page.asks = 0;
	boot_page.asks_plain = false;
	atomic_thread_fence(memory_order_seq_cst);
	boot_page.mode = mode;
	boot_page.drawn = mode >= MODE_DRAWN ? UINTPTR_MAX : 0;
	boot_page.plain = mode == MODE_SHORT ? UINTPTR_MAX : 0;
	boot_page.asks = mode == MODE_ASK || mode == MODE_ASK_SHORT ?
	    UINTPTR_MAX : 0;
	boot_page.asks_plain = mode == MODE_ASK_SHORT;
}

struct aside
boot_own_begin(void)
{
	struct aside was = { self.tally, self.busy };

	self.tally = NULL;
	self.busy = BUSY_OWN;
	return was;
}

void
boot_own_end(struct aside was)
{
	self.busy = was.busy;
	self.tally = was.tally;
}

bool
boot_is_guest(void)
{
	int pid;

	/* A child with a memory of its own has an empty page here. */
	if (boot_page.known == 0)
		return false;
	pid = sys_pid();
	return pid > 0 && pid != boot_now.pid;
}
