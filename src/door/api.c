#include "door/api.h"

#include <errno.h>
#include <stdint.h>

#include "base/base.h"
#include "control/counsel.h"
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

/* The severities of a program are those of model/advice.h. */
_Static_assert((int)TIDE_ADVICE_FINE == (int)ADVICE_FINE &&
    (int)TIDE_ADVICE_URGENT == (int)ADVICE_URGENT, "one list of severities");

static int
tell(const struct counsel *k, const struct advice *a, tide_advice_fn fn,
    void *ctx)
{
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];
	const struct tide_advice advice = {
		.size = sizeof(advice),
		.severity = (int)a->severity,
		.id = advice_name(a->id),
		.operation = a->op < 0 ? NULL : k->op[a->op].name,
		.text = counsel_text(k, a, NULL, text),
		.setting = counsel_setting(k, a, setting),
	};

	return fn(ctx, &advice);
}

int
api_analyze(tide_advice_fn fn, void *ctx)
{
	const struct counsel_options options = { .now_ns = sys_clock() };
	int error = errno, told = 0;
	struct counsel *k;
	struct control c;
	size_t i;

	if (fn == NULL)
		return -EINVAL;
	if (mine() == NULL)
		return -ENODEV;
	c = inside();
	if (counsel_open(&k, &c, &options) < 0) {
		errno = error;
		return -ENOMEM;
	}
	for (i = 0; i < k->count; i++) {
		told++;
		if (tell(k, &k->advice[i], fn, ctx) != 0)
			break;
	}
	counsel_close(k);
	errno = error;
	return told;
}

const char *
api_version(void)
{
	return PACKAGE_VERSION;
}
