#include "door/survey.h"

#include <errno.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/real.h"
#include "mem/segment.h"
#include "sys/sys.h"
#include "watch/scan.h"

#define NAP_NS       NS_PER_MS
#define WAIT_MOST_NS (150 * NS_PER_S)

static struct {
	_Atomic uint32_t busy; /* 1: a thread is at it */
	uint32_t prepared;     /* the number that it was prepared for */
	uint64_t ready_ns;     /* it is since then */
} survey;

static bool
enter(void)
{
	uint32_t none = 0;

	return atomic_compare_exchange_strong(&survey.busy, &none, 1);
}

static void
leave(void)
{
	atomic_store(&survey.busy, 0);
}

static void
begin(uint32_t number)
{
	const struct scan_setup setup = {
		.number = number,
		.starts = atomic_load(&segment_mine()->watch.scan_starts) != 0,
		.chunks = real.chunks,
		.allocator_start = real.allocator_start,
		.allocator_end = real.allocator_end,
		.key = real.cached,
	};

	(void)scan_begin(&setup);
}

/* Threads are looked at twice, some time apart, and nobody is to wait. */
static bool
is_prepared(uint32_t wanted)
{
	if (survey.prepared != wanted) {
		survey.ready_ns = sys_clock() + scan_prepare();
		survey.prepared = wanted;
	}
	return sys_clock() >= survey.ready_ns;
}

void
survey_attend(void)
{
	struct segment_watch *w = &segment_mine()->watch;
	uint32_t wanted;

	/* A child in its parent's memory has other children. */
	if (!survey_is_due(segment_mine()) || boot_is_guest() || !enter())
		return;
	wanted = atomic_load(&w->scans_wanted);
	if (scan_has_ended() && wanted != atomic_load(&w->scans_done) &&
	    is_prepared(wanted))
		begin(wanted);
	leave();
}

void
survey_in_child(void)
{
	atomic_store(&survey.busy, 0);
	survey.prepared = 0;
	scan_in_child();
}

int
survey_wait(bool starts)
{
	struct segment *s = segment_mine();
	uint64_t until = sys_clock() + WAIT_MOST_NS;
	uint32_t number;

	atomic_store(&s->watch.scan_starts, starts);
	number = atomic_fetch_add(&s->watch.scans_wanted, 1) + 1;
	for (;;) {
		survey_attend();
		if ((int32_t)(atomic_load(&s->watch.scans_done) - number) >=
		    0 && atomic_load(&s->scan.child) == 0)
			break;
		if (sys_clock() > until)
			return -ETIME;
		sys_sleep(NAP_NS);
	}
	return atomic_load(&s->scan.state) == SCAN_DONE ? 0 :
	    s->scan.error;
}
