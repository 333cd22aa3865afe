/*
 * telling.c - the one function of a path that tells who wanted the memory
 */
#include "symbols/telling.h"

#include <string.h>

#include "base/base.h"

/* Modules whose functions say what was done, not who wanted it. */
static const char *const runtimes[] = {
	"libc.so", "libc-", "ld-linux", "ld-2", "libstdc++.so", "libgcc_s.so",
	"libpthread",
};

bool
telling_is_runtime(const struct frame *frame)
{
	const char *name = basename(frame->module);

	for (size_t i = 0; i < ARRAY_LENGTH(runtimes); i++)
		if (strncmp(name, runtimes[i], strlen(runtimes[i])) == 0)
			return true;
	return false;
}

/* How much a frame says of who wanted the memory. */
static int
rate_frame(const struct frame *frame)
{
	if (frame->note || telling_is_runtime(frame))
		return 0;
	if (frame->file[0] != '\0')
		return 3;
	return frame->named ? 2 : 1;
}

const struct frame *
telling_frame(const struct frame *frames, size_t count)
{
	const struct frame *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (best == NULL || rate_frame(&frames[i]) > rate_frame(best))
			best = &frames[i];
	return best;
}
