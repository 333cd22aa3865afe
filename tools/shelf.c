#include "shelf.h"

#include <stddef.h>
#include <string.h>

#include "base/base.h"
#include "base/segment.h"
#include "base/text.h"

#define PARTS_MOST   3
#define NUMBER_ROOM 24

/* The number before the next dot; false: there is none, or it is too large. */
static bool
take_number(const char **at, uint64_t most, uint64_t *n)
{
	size_t length = strcspn(*at, ".");
	char digits[NUMBER_ROOM];

	if (length == 0 || length >= sizeof(digits) || (*at)[length] != '.')
		return false;
	memcpy(digits, *at, length);
	digits[length] = '\0';
	*at += length + 1;
	return text_parse_u64(digits, most, n) == 0;
}

bool
shelf_parse(const char *text, struct shelf_name *name)
{
	static const uint64_t most[PARTS_MOST] = {
		INT32_MAX, UINT64_MAX, INT32_MAX
	};
	const char *suffix = strrchr(text, '.');
	uint64_t part[PARTS_MOST];
	size_t parts = 0;

	if (suffix == NULL || strcmp(suffix, SEGMENT_SUFFIX) != 0)
		return false;
	while (text <= suffix) {
		if (parts == PARTS_MOST ||
		    !take_number(&text, most[parts], &part[parts]))
			return false;
		parts++;
	}
	if (parts < 2 || part[0] == 0)
		return false;
	name->pid = (int)part[0];
	name->ticks = part[1];
	name->image = parts == 3 ? (int)part[2] : SHELF_LAST;
	return true;
}
