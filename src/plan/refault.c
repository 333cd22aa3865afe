#include "plan/refault.h"

#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "plan/plan.h"
#include "sys/sys.h"

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS 0x20 /* not shown where a program is plain C99 */
#endif

#define TRIAL_PAGES 64

static struct {
	struct refault sum;
	uint64_t faults; /* as of the last cleanup */
	bool due;
	double fault_ns; /* 0: not measured yet; -1: it cannot be */
} refault;

/* ns that the first store into a page takes, or -1. */
static double
measure(void)
{
	size_t page = sys_page_bytes(), bytes = TRIAL_PAGES * page, i;
	char *trial = (char *)sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before, after;

	if (sys_error_of(trial) < 0)
		return -1;
	before = sys_clock();
	for (i = 0; i < bytes; i += page)
		((volatile char *)trial)[i] = 1;
	after = sys_clock();
	(void)sys_munmap(trial, bytes);
	return after > before ? (double)(after - before) / TRIAL_PAGES : 1;
}

void
refault_note(const struct refault *r, uint64_t faults)
{
	plan_lock();
	refault.sum.freed += r->freed;
	refault.sum.returned += r->returned;
	refault.sum.purged += r->purged;
	refault.sum.time_ns += r->time_ns;
	refault.faults = faults;
	refault.due = true;
	plan_unlock();
}

bool
refault_is_due(void)
{
	return __atomic_load_n(&refault.due, __ATOMIC_RELAXED);
}

void
refault_take(struct refault *bill, uint64_t faults)
{
	double fault_ns = refault.fault_ns;

	if (!(fault_ns > 0 || fault_ns < 0))
		fault_ns = measure();
	plan_lock();
	refault.fault_ns = fault_ns;
	*bill = refault.sum;
	bill->pages = min_u64(bill->returned / sys_page_bytes(),
	    above_u64(faults, refault.faults));
	bill->cost_ns = fault_ns > 0 ?
	    (uint64_t)((double)bill->pages * fault_ns) : 0;
	memset(&refault.sum, 0, sizeof(refault.sum));
	__atomic_store_n(&refault.due, false, __ATOMIC_RELAXED);
	plan_unlock();
}

void
refault_in_child(void)
{
	memset(&refault.sum, 0, sizeof(refault.sum));
	refault.due = false;
}
