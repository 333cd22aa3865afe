#include "plan/member.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/host.h"
#include "plan/settings.h"
#include "plan/shares.h"
#include "sys/sys.h"

#define MEMBER_PATH 512

static struct {
	struct shares pool;
	struct shares_member member[MEMBERS];
	uint8_t taken[MEMBERS]; /* 1: a lease is being taken, or held */
	bool in;
	uint32_t holds;         /* leases */
} membership;

void
member_begin(const struct plan_host *host)
{
	const char *name = settings_find("POOL");
	char path[MEMBER_PATH];

	if (name == NULL)
		return;
	if (strchr(name, '/') != NULL) {
		struct text t;

		text_open(&t, path, sizeof(path));
		text_put(&t, name);
		if (t.cut)
			return;
	} else if (host->pool_path == NULL ||
	    host->pool_path(name, path, sizeof(path)) < 0) {
		return;
	}
	if (shares_open(&membership.pool, path, 1) < 0)
		return;
	if (shares_join(&membership.pool, 1, 0, 1, &membership.member[0]) == 0)
		membership.in = true;
	else
		shares_close(&membership.pool);
}

bool
member_is_in(void)
{
	return membership.in;
}

void
member_in_child(void)
{
	if (membership.in)
		shares_in_child(&membership.pool);
	memset(&membership, 0, sizeof(membership));
}

/* A place that nobody else has; -1: there is none. */
static int
take_place(void)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		if (__atomic_exchange_n(&membership.taken[i], 1,
		    __ATOMIC_ACQUIRE) == 0)
			return i;
	return -1;
}

static void
leave_place(uint32_t i)
{
	__atomic_store_n(&membership.taken[i], 0, __ATOMIC_RELEASE);
}

/* The first has joined; others do when they are first needed. */
static int
join(uint32_t i)
{
	if (membership.member[i].pool != NULL)
		return 0;
	return shares_join(&membership.pool, 1, 0, 0, &membership.member[i]);
}

int
member_acquire(uint64_t least, uint64_t want, int64_t wait_ns, uint64_t *got,
    uint32_t *which)
{
	int i = take_place();
	int r;

	if (i < 0)
		return -ENOSPC;
	r = join((uint32_t)i);
	if (r == 0)
		r = shares_acquire(&membership.member[i],
		    max_u64(least, SHARES_UNIT), max_u64(want, max_u64(least,
		    SHARES_UNIT)), wait_ns < 0 ? UINT64_MAX :
		    (uint64_t)wait_ns, got);
	if (r == 0) {
		*which = (uint32_t)i;
		(void)__atomic_add_fetch(&membership.holds, 1,
		    __ATOMIC_RELAXED);
		return 0;
	}
	leave_place((uint32_t)i);
	return r == -EAGAIN ? -ETIMEDOUT : r == -E2BIG ? -ENOMEM : r;
}

void
member_keep(uint32_t which)
{
	shares_keep(&membership.member[which]);
}

int
member_extend(uint32_t which, uint64_t more)
{
	return shares_extend(&membership.member[which], more);
}

void
member_shrink(uint32_t which, uint64_t keep)
{
	shares_shrink(&membership.member[which], keep);
}

void
member_release(uint32_t which, uint64_t base)
{
	/* What all of them use without their leases is told once. */
	shares_release(&membership.member[which], which == 0 ? base :
	    base == UINT64_MAX ? base : 0);
	(void)__atomic_sub_fetch(&membership.holds, 1, __ATOMIC_RELAXED);
	leave_place(which);
}

void
member_used(uint64_t bytes)
{
	if (!membership.in || __atomic_load_n(&membership.holds,
	    __ATOMIC_RELAXED) != 0)
		return;
	if (__atomic_exchange_n(&membership.taken[0], 1,
	    __ATOMIC_ACQUIRE) != 0)
		return;
	shares_used(&membership.member[0], bytes);
	leave_place(0);
}

uint64_t
member_lease(void)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; membership.in && i < MEMBERS; i++)
		if (membership.member[i].pool != NULL)
			bytes += shares_lease(&membership.member[i]);
	return bytes;
}

bool
member_others(void)
{
	return membership.in &&
	    shares_leased(&membership.pool) > member_lease();
}

int
member_wish(void)
{
	int wish;

	if (!membership.in || __atomic_exchange_n(&membership.taken[0], 1,
	    __ATOMIC_ACQUIRE) != 0)
		return 0;
	wish = shares_wish(&membership.member[0]);
	leave_place(0);
	return wish;
}
