#include "live/box.h"

#include <string.h>

#include "base/base.h"

void
box_read(struct box *box, const struct tide_room *room)
{
	uint32_t op = room->open_op;

	memset(box, 0, sizeof(*box));
	box->known = room->looks != 0;
	box->state = room->state;
	box->used = room->used;
	box->budget = room->budget;
	box->refused = room->failed;
	box->open_ns = __atomic_load_n(&room->open_ns, __ATOMIC_ACQUIRE);
	box->open = box->known && box->open_ns != 0 && op < TIDE_OPS;
	if (!box->open)
		return;
	box->first = room->open_first;
	box->n = room->open_n;
	box->most_ns = room->open_most_ns;
	box->grew = above_u64(box->used, room->open_used);
	memcpy(box->op, room->op[op].name, sizeof(box->op));
	box->op[sizeof(box->op) - 1] = '\0';
}
