/*
 * box.h - what the room of a dead process says of its last moment
 *
 * Beside the house (tools/live).  May use: base.  Used by: gather.h, run-*.c.
 *
 * The room (base/room.h) lies in the segment, or in the page of a static
 * program; both outlive the process, like the recorder of an aircraft.
 */
#ifndef LIVE_BOX_H
#define LIVE_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/room.h"

struct box {
	bool known;            /* it asked for its budget */
	bool open;             /* a batch was under way, of items */
	uint64_t first, n;     /* [first, first + n) */
	uint64_t grew;         /* bytes since it began */
	uint64_t open_ns, most_ns; /* when it began; how long it may take, 0 */
	char op[TIDE_NAME_ROOM];
	uint64_t used, budget; /* bytes; TIDE_NONE */
	uint64_t refused;      /* allocations */
	int state;
};

/* @room may be hostile, and written to meanwhile. */
void box_read(struct box *box, const struct tide_room *room);

#endif
