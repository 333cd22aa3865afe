/*
 * fuzz-environment.c - HEAPTIDE_* as anybody may set them
 *
 * The input is an environment, a variable a line.
 */
#include "fuzz.h"

#include <errno.h>

#include "door/options.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);
	char *environment[128];
	struct options o;
	const char *wrong = NULL;
	int r;

	fuzz_split(text, '\n', environment, 128);
	memset(&o, 0xa5, sizeof(o));
	r = options_read(environment, &o, &wrong);
	MUST(r == 0 || r == -EINVAL);
	MUST((r == 0) == (wrong == NULL));
	MUST(memchr(o.run, '\0', sizeof(o.run)) != NULL);
	MUST(memchr(o.log, '\0', sizeof(o.log)) != NULL);
	if (r == 0) {
		MUST(o.stacks <= STACKS_ALL && o.children <= CHILDREN_NONE);
		MUST(o.depth >= 1 && o.depth <= SEGMENT_DEPTH_MOST);
		MUST(o.root >= 0);
		MUST(o.enforce <= ENFORCE_STOP);
		MUST(o.warn_mille <= 1000 && o.critical_mille <= 1000 &&
		    o.target_mille <= 1000);
		MUST(!o.has_budget || o.budget.form <= FORM_LESS);
	}
	free(text);
	return 0;
}
