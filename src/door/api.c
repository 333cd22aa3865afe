/*
 * api.c - what a program that asks is answered: heaptide_*
 *
 * Floor 8 (door).  include/heaptide.h finds these with dlsym(), so that a
 * program needs no library of ours to be linked or run.
 */
#include <errno.h>
#include <stdint.h>

#include "base/base.h"
#include "control/mark.h"
#include "door/boot.h"
#include "door/inside.h"
#include "door/survey.h"
#include "heap/generation.h"
#include "heap/tally.h"
#include "mem/segment.h"
#include "sys/sys.h"

EXPORT int heaptide_used(uint64_t *bytes);
EXPORT int heaptide_peak(uint64_t *bytes);
EXPORT int heaptide_mark(const char *name);
EXPORT int heaptide_leak_scan(uint64_t *blocks, uint64_t *bytes);
EXPORT const char *heaptide_version(void);

/* Where the process stands, or NULL: nothing is counted in it. */
static struct tally *
mine(void)
{
	if (self.tally == NULL)
		(void)boot_enter();
	return self.tally;
}

EXPORT int
heaptide_used(uint64_t *bytes)
{
	struct segment *s;
	uint64_t blocks;
	int64_t live;
	int64_t requested;

	if (mine() == NULL)
		return -ENODEV;
	s = segment_mine();
	tally_sum(&blocks, &live, &requested);
	live += s->live.inherited_bytes -
	    (int64_t)s->live.inherited_freed_bytes;
	*bytes = live > 0 ? (uint64_t)live : 0;
	return 0;
}

EXPORT int
heaptide_peak(uint64_t *bytes)
{
	struct tally *t = mine();

	if (t == NULL)
		return -ENODEV;
	tally_look(t);
	*bytes = (uint64_t)segment_mine()->live.peak_bytes;
	return 0;
}

EXPORT int
heaptide_mark(const char *name)
{
	struct control c;
	int error = errno;
	int64_t number;

	if (name == NULL)
		return -EINVAL;
	if (mine() == NULL)
		return -ENODEV;
	c = inside();
	number = mark_set(&c, MARK_BATCH, name, sys_clock());
	if (generation_is_due(c.segment))
		generation_follow();
	errno = error;
	return number < 0 ? (int)number : 0;
}

EXPORT int
heaptide_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	const struct segment_scan *scan;
	int error = errno;
	int r;

	if (mine() == NULL)
		return -ENODEV;
	r = survey_wait(false);
	errno = error;
	if (r < 0)
		return r;
	scan = &segment_mine()->scan;
	*blocks = scan->direct_blocks + scan->indirect_blocks;
	*bytes = scan->direct_bytes + scan->indirect_bytes;
	return 0;
}

EXPORT const char *
heaptide_version(void)
{
	return PACKAGE_VERSION;
}
