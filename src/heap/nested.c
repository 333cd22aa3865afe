#include "heap/nested.h"

#include <errno.h>
#include <stddef.h>

#include "mem/arena.h"

#define SITE_BITS       19
#define GENERATION_BITS 8

_Static_assert(SEGMENT_SITES <= UINT32_C(1) << SITE_BITS, "a site fits");
_Static_assert(GENERATIONS <= UINT32_C(1) << GENERATION_BITS, "so does this");

static uint64_t
pack(const struct nested_record *record)
{
	return (record->bytes << GENERATION_BITS | record->generation) <<
	    SITE_BITS | record->site;
}

static struct nested_record
unpack(uint64_t packed)
{
	return (struct nested_record){
		.bytes = packed >> (SITE_BITS + GENERATION_BITS),
		.generation = packed >> SITE_BITS & (GENERATIONS - 1),
		.site = packed & ((UINT32_C(1) << SITE_BITS) - 1),
	};
}

static uint64_t
places(uint32_t part)
{
	return UINT64_C(1) << (NESTED_FIRST_BITS + NESTED_STEP_BITS * part);
}

/* The first of the places where it may be. */
static struct nested_place *
window(const struct nested *n, uint32_t part, uint64_t address)
{
	uint64_t last = places(part) - 1;

	return atomic_load_explicit(&n->part[part], memory_order_acquire) +
	    (mix_u64(address) & last & ~(uint64_t)(NESTED_WINDOW - 1));
}

/* Where it is; NULL: nowhere, and @free is where it may be put, or NULL. */
static struct nested_place *
find(const struct nested *n, uint64_t address, struct nested_place **free)
{
	uint32_t part = atomic_load_explicit(&n->parts, memory_order_acquire);
	struct nested_place *p;
	uint64_t there;
	int i;

	*free = NULL;
	while (part-- > 0) {
		p = window(n, part, address);
		for (i = 0; i < NESTED_WINDOW; i++, p++) {
			there = atomic_load_explicit(&p->address,
			    memory_order_relaxed);
			if (there == address)
				return p;
			if (there == 0 && *free == NULL)
				*free = p;
		}
	}
	return NULL;
}

/* Who loses the race finds the part of the other. */
static bool
grow(struct nested *n)
{
	uint32_t part = atomic_load(&n->parts);
	struct nested_place *none = NULL;
	struct nested_place *fresh;
	uint64_t bytes;

	if (part == NESTED_PARTS)
		return false;
	bytes = places(part) * sizeof(*fresh);
	if (atomic_load(&n->part[part]) == NULL) {
		fresh = bytes <= arena_room() ? arena_take(bytes) : NULL;
		if (fresh == NULL)
			return false;
		if (!atomic_compare_exchange_strong(&n->part[part], &none,
		    fresh) && bytes >= ARENA_LARGE)
			arena_return(fresh, bytes);
	}
	(void)atomic_compare_exchange_strong(&n->parts, &part, part + 1);
	return true;
}

int
nested_put(struct nested *n, uint64_t address,
    const struct nested_record *record, struct nested_record *old)
{
	struct nested_place *p;
	struct nested_place *to;
	uint64_t none;
	uint64_t was;

	for (;;) {
		p = find(n, address, &to);
		if (p != NULL) {
			was = atomic_exchange(&p->packed, pack(record));
			*old = unpack(was);
			return was == 0 ? 0 : -EEXIST;
		}
		none = 0;
		if (to == NULL) {
			if (!grow(n))
				return -ENOMEM;
		} else if (atomic_compare_exchange_strong(&to->address, &none,
		    address)) {
			atomic_store(&to->packed, pack(record));
			return 0;
		}
	}
}

bool
nested_take(struct nested *n, uint64_t address, struct nested_record *record)
{
	struct nested_place *unused;
	struct nested_place *p = find(n, address, &unused);
	uint64_t packed = p != NULL ? atomic_exchange(&p->packed, 0) : 0;

	if (packed == 0)
		return false;
	atomic_store_explicit(&p->address, 0, memory_order_release);
	*record = unpack(packed);
	return true;
}

void
nested_empty(struct nested *n, void (*each)(void *context,
    const struct nested_record *record), void *context)
{
	uint32_t part = atomic_exchange(&n->parts, 0);
	struct nested_record record;
	struct nested_place *p;
	uint64_t i;

	while (part-- > 0) {
		p = atomic_load(&n->part[part]);
		for (i = 0; i < places(part); i++) {
			if (p[i].address == 0)
				continue;
			record = unpack(p[i].packed);
			if (p[i].packed != 0)
				each(context, &record);
		}
		arena_clear(p, places(part) * sizeof(*p));
	}
}
