#include "door/api.h"

#include <errno.h>
#include <stdint.h>

#include "base/base.h"
#include "control/mark.h"
#include "door/boot.h"
#include "door/inside.h"
#include "door/survey.h"
#include "heap/generation.h"
#include "mem/segment.h"
#include "sys/sys.h"

/* Where the process stands, or NULL: nothing is counted in it. */
static struct tally *
mine(void)
{
	if (self.tally == NULL)
		(void)boot_enter();
	return self.tally;
}

int
api_mark(const char *name)
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

int
api_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	const struct segment_scan *scan;
	int error = errno;
	int r;

	if (blocks == NULL || bytes == NULL)
		return -EINVAL;
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

const char *
api_version(void)
{
	return PACKAGE_VERSION;
}
