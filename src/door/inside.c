#include "door/inside.h"

#include "mem/segment.h"

static int
back_inside(struct control *c, enum segment_table_id table, uint64_t from,
    uint64_t rows)
{
	(void)c;
	(void)from;
	return segment_room(table, rows);
}

struct control
inside(void)
{
	return (struct control){ .segment = segment_mine(), .fd = -1,
		.back = back_inside };
}
