/*
 * fuzz-rules.c - programs of .eh_frame, as a linker would never write them
 *
 * The input is the body of a common entry and that of a function's, half and
 * half by its first byte.  Their lengths are put right: the section is part of
 * a program that runs, and how far its entries reach is believed.
 */
#include "stack/rules-frame.c"
#include "stack/rules.c"

#include "fuzz.h"

static void
put(uint8_t *to, uint32_t n)
{
	memcpy(to, &n, sizeof(n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t common, function;
	struct rule rule;
	uint8_t *section;

	if (size < 2)
		return 0;
	common = bytes[0] < size - 1 ? bytes[0] : size - 1;
	function = size - 1 - common;
	section = malloc(8 + common + 8 + function);
	MUST(section != NULL);
	put(section, (uint32_t)(4 + common));
	put(section + 4, 0);
	memcpy(section + 8, bytes + 1, common);
	put(section + 8 + common, (uint32_t)(4 + function));
	put(section + 12 + common, (uint32_t)(12 + common));
	memcpy(section + 16 + common, bytes + 1 + common, function);

	memset(&rule, 0, sizeof(rule));
	/* Any place; where the function begins, so that a row is found. */
	for (uint64_t place = 0; place < 64; place += 9) {
		struct common c;
		uint64_t first = place;

		if (read_common(section, &c)) {
			struct reader r = open_entry(section + 8 + common);

			(void)get(&r, 4);
			first += get_encoded(&r, c.encoding);
		}
		if (compile_entry(section + 8 + common, first, &rule) == 0 &&
		    may_pack(&rule)) {
			struct rule back;

			unpack(pack(&rule), &back);
			MUST(back.cfa == rule.cfa &&
			    back.cfa_offset == rule.cfa_offset);
		}
	}
	free(section);
	return 0;
}
