/*
 * fuzz-import.c - profiles of other tools, as they may come from anywhere
 *
 * The first byte chooses the format.  What is made of it is opened, as `heaptide
 * import` does before it writes.
 */
#include "fuzz.h"

#include "formats/import.h"
#include "say/need.h"

static bool (*const formats[])(struct import *in) = {
	import_heaptrack, import_massif, import_pprof,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import *in;
	struct profile p;

	if (size < 2)
		return 0;
	in = need(calloc(1, sizeof(*in)));
	in->path = "it";
	in->from = need(fmemopen((void *)(uintptr_t)(data + 1), size - 1,
	    "r"));
	in->forge = forge_open();
	if (formats[data[0] % 3](in) &&
	    forge_profile(in->forge, "it", &p, in->why) == 0) {
		if (p.damaged != 0)
			abort(); /* by our own hand */
		profile_close(&p);
	}
	forge_close(in->forge);
	if (in->from != NULL)
		fclose(in->from);
	free(in->text);
	free(in);
	return 0;
}
