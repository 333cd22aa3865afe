#include "formats/roll.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "say/need.h"

struct roll_entry {
	uint64_t number;
	UT_hash_handle hh;
	char key[];
};

uint64_t
roll_number(struct roll_entry **roll, const void *key, size_t bytes,
    uint64_t first, bool *fresh)
{
	struct roll_entry *e;

	HASH_FIND(hh, *roll, key, bytes, e);
	*fresh = e == NULL;
	if (e == NULL) {
		e = need(calloc(1, sizeof(*e) + bytes + 1));
		if (bytes != 0)
			memcpy(e->key, key, bytes);
		e->number = first + HASH_COUNT(*roll);
		HASH_ADD(hh, *roll, key, bytes, e);
	}
	return e->number;
}

void
roll_free(struct roll_entry **roll)
{
	struct roll_entry *e, *next;

	HASH_ITER(hh, *roll, e, next) {
		HASH_DEL(*roll, e);
		free(e);
	}
}
