#include "door/pool.h"

#include <stdatomic.h>

char pool[POOL_BYTES] __attribute__((aligned(64)));
static _Atomic uint64_t pool_used;

/* Stands before each piece; the size is for realloc(). */
struct piece {
	size_t bytes;
	size_t head;
};

#define HEAD_MAPPED 2

void *
pool_take(size_t bytes, size_t alignment)
{
	uint64_t room;
	uint64_t at;
	struct piece *piece;

	if (alignment < sizeof(*piece))
		alignment = sizeof(*piece);
	if (bytes > POOL_BYTES || alignment > POOL_BYTES)
		return NULL;
	room = round_up(bytes, 16) + sizeof(*piece) + alignment;
	at = atomic_fetch_add(&pool_used, room);
	if (at + room > POOL_BYTES)
		return NULL;
	at = round_up((uintptr_t)pool + at + sizeof(*piece), alignment);
	piece = (struct piece *)at - 1;
	piece->bytes = bytes;
	piece->head = HEAD_MAPPED;
	return (void *)at;
}

size_t
pool_size(const void *p)
{
	return ((const struct piece *)p - 1)->bytes;
}
