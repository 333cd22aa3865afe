#include "door/enforce.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "door/cooperate.h"
#include "door/real.h"
#include "mem/segment.h"
#include "plan/op.h"
#include "plan/plan.h"
#include "sys/sys.h"

bool enforce_is_on;

static struct {
	uint32_t how;         /* enum segment_enforce */
	_Atomic bool beyond;  /* it was told of this time */
	struct {
		void *(*malloc)(size_t);
		void *(*calloc)(size_t, size_t);
		void *(*realloc)(void *, size_t);
		int (*posix_memalign)(void **, size_t, size_t);
		void *(*aligned_alloc)(size_t, size_t);
		void *(*memalign)(size_t, size_t);
		void *(*valloc)(size_t);
		void *(*pvalloc)(size_t);
	} real; /* what stood there before */
} enforce;

/* Live bytes with @more of them, above the budget? */
static bool
is_beyond(uint64_t more)
{
	const struct tide_room *room = plan_room();
	int64_t live = atomic_load_explicit(&segment_mine()->live.bytes,
	    memory_order_relaxed);
	uint64_t budget = __atomic_load_n(&room->budget, __ATOMIC_RELAXED);

	return budget != TIDE_NONE && live >= 0 &&
	    (more > budget || (uint64_t)live > budget - more);
}

/* --- enomem --------------------------------------------------------------- */

static bool
refuses(size_t size)
{
	if (LIKELY(size < ENFORCE_LEAST) || segment_mine() == NULL ||
	    !is_beyond(size))
		return false;
	/* Where there are batches, what is outside of them was not foreseen. */
	if (plan_room()->op[0].name[0] != '\0' && op_active() == 0)
		return false;
	errno = ENOMEM;
	return true;
}

static void *
limited_malloc(size_t size)
{
	return refuses(size) ? NULL : enforce.real.malloc(size);
}

static void *
limited_calloc(size_t n, size_t size)
{
	size_t bytes;

	return !__builtin_mul_overflow(n, size, &bytes) && refuses(bytes) ?
	    NULL : enforce.real.calloc(n, size);
}

/* What it has already is in use as well, until it has moved. */
static void *
limited_realloc(void *block, size_t size)
{
	size_t has = block != NULL && real.usable_size != NULL ?
	    real.usable_size(block) : 0;

	return size > has && refuses(size - has) ? NULL :
	    enforce.real.realloc(block, size);
}

static int
limited_posix_memalign(void **to, size_t alignment, size_t size)
{
	int error = errno;

	if (refuses(size)) {
		errno = error;
		return ENOMEM;
	}
	return enforce.real.posix_memalign(to, alignment, size);
}

static void *
limited_aligned_alloc(size_t alignment, size_t size)
{
	return refuses(size) ? NULL :
	    enforce.real.aligned_alloc(alignment, size);
}

static void *
limited_memalign(size_t alignment, size_t size)
{
	return refuses(size) ? NULL : enforce.real.memalign(alignment, size);
}

static void *
limited_valloc(size_t size)
{
	return refuses(size) ? NULL : enforce.real.valloc(size);
}

static void *
limited_pvalloc(size_t size)
{
	return refuses(size) ? NULL : enforce.real.pvalloc(size);
}

/* In between ours and the allocator: who does not enforce pays nothing. */
static void
step_between(void)
{
#define STEP(name) \
	do { \
		enforce.real.name = real.name; \
		real.name = limited_##name; \
	} while (0)
	STEP(malloc);
	STEP(calloc);
	STEP(realloc);
	STEP(posix_memalign);
	STEP(aligned_alloc);
	STEP(memalign);
	STEP(valloc);
	STEP(pvalloc);
#undef STEP
}

/* --- the others ----------------------------------------------------------- */

void
enforce_judge(void)
{
	static const int signals[] = {
		[ENFORCE_ABORT] = SIGABRT,
		[ENFORCE_EXIT85] = SIGTERM,
		[ENFORCE_STOP] = SIGSTOP,
	};

	if (enforce.how == ENFORCE_ENOMEM || !plan_has_begun())
		return;
	if (!is_beyond(0)) {
		atomic_store(&enforce.beyond, false);
		return;
	}
	if (atomic_exchange(&enforce.beyond, true))
		return;
	segment_mine()->watch.enforced = 1;
	(void)sys_signal_self(signals[enforce.how]);
}

void
enforce_begin(void)
{
	uint32_t how = segment_mine()->config.enforce;

	if (how == ENFORCE_OFF || how > ENFORCE_STOP || enforce_is_on ||
	    heaptide_runtime() == NULL)
		return;
	enforce.how = how;
	if (how == ENFORCE_ENOMEM)
		step_between();
	enforce_is_on = true;
}
