#include "stack/pyname.h"

#include <stdatomic.h>
#include <string.h>

#include "mem/arena.h"
#include "mem/segment.h"

#define LATELY 4096
#define ROWS   (UINT32_C(1) << 17) /* twice as many as TABLE_NAMES has */
#define TEXTS  (UINT32_C(1) << 15)
#define TRIES  32 /* places that are looked at */

/*
 * Hashes that only grow, of what is in the segment: who finds an equal one
 * takes it, and two who come at once may put it in twice, which makes two
 * names of one and no more.
 */
static struct {
	struct pyname_cache *lately; /* by a frame's key: its row, and 1 */
	_Atomic uint32_t *row;       /* of TABLE_NAMES, and 1 */
	_Atomic uint64_t *text;      /* struct segment_text; 0: none */
} names;

/* --- what was found out lately -------------------------------------------- */

static size_t
cache_bytes(uint64_t entries)
{
	return sizeof(struct pyname_cache) + (size_t)entries * 16;
}

struct pyname_cache *
pyname_cache_open(uint32_t entries)
{
	struct pyname_cache *cache = arena_take(cache_bytes(entries));

	if (cache != NULL)
		cache->mask = entries - 1;
	return cache;
}

void
pyname_cache_put(struct pyname_cache *cache, uint64_t key, uint64_t value)
{
	uint64_t i = key & cache->mask;

	atomic_store_explicit(&cache->entry[i].value, value,
	    memory_order_relaxed);
	atomic_store_explicit(&cache->entry[i].check, key ^ value,
	    memory_order_release);
}

void
pyname_cache_clear(struct pyname_cache *cache)
{
	uint64_t mask = cache->mask;

	arena_clear(cache, cache_bytes(mask + 1));
	cache->mask = mask;
}

/* --- texts ---------------------------------------------------------------- */

static uint64_t
sum_of(const char *s, size_t bytes)
{
	uint64_t sum = bytes;
	size_t i;

	for (i = 0; i < bytes; i++)
		sum = (sum ^ (uint8_t)s[i]) * UINT64_C(0x100000001b3);
	return mix_u64(sum);
}

static bool
is_text(uint64_t packed, const char *s, size_t bytes)
{
	const char *texts = segment_rows(TABLE_TEXT);

	return packed >> 32 == bytes &&
	    memcmp(texts + (uint32_t)packed, s, bytes) == 0;
}

static struct segment_text
unpacked(uint64_t packed)
{
	return (struct segment_text){ .offset = (uint32_t)packed,
		.bytes = (uint32_t)(packed >> 32) };
}

/* A text in the segment, where an equal one may be already. */
static struct segment_text
put_text(const char *s, size_t bytes)
{
	uint64_t at = sum_of(s, bytes);
	_Atomic uint64_t *free = NULL;
	struct segment_text text;
	uint64_t packed;
	int i;

	for (i = 0; i < TRIES && free == NULL; i++, at++) {
		packed = atomic_load(&names.text[at % TEXTS]);
		if (packed == 0)
			free = &names.text[at % TEXTS];
		else if (is_text(packed, s, bytes))
			return unpacked(packed);
	}
	text = segment_text(s, bytes);
	packed = (uint64_t)text.bytes << 32 | text.offset;
	if (free != NULL && text.bytes != 0)
		atomic_store(free, packed);
	return text;
}

/* --- rows ----------------------------------------------------------------- */

static bool
is_row(uint32_t row, const struct named *name)
{
	return memcmp((const struct named *)segment_rows(TABLE_NAMES) + row,
	    name, sizeof(*name)) == 0;
}

/* The row of a name, and 1; 0: there is no room. */
static uint32_t
put_row(const struct named *name)
{
	uint64_t at = sum_of((const char *)name, sizeof(*name));
	_Atomic uint32_t *free = NULL;
	int64_t row;
	uint32_t there;
	int i;

	for (i = 0; i < TRIES && free == NULL; i++, at++) {
		there = atomic_load(&names.row[at % ROWS]);
		if (there == 0)
			free = &names.row[at % ROWS];
		else if (is_row(there - 1, name))
			return there;
	}
	row = segment_take(TABLE_NAMES, 1);
	if (row < 0) {
		atomic_fetch_add(&segment_mine()->lost.text, 1);
		return 0;
	}
	memcpy((struct named *)segment_rows(TABLE_NAMES) + row, name,
	    sizeof(*name));
	if (free != NULL)
		atomic_store(free, (uint32_t)row + 1);
	return (uint32_t)row + 1;
}

static COLD uint32_t
name_frame(struct pyframe *f)
{
	static const char module[] = "python";
	char buffer[PYFRAME_TEXT];
	struct named name = { .line = pyframe_line(f) };
	const char *s;
	size_t bytes;

	s = pyframe_function(f, buffer, &bytes);
	name.function = bytes != 0 ? put_text(s, bytes) : put_text("?", 1);
	s = pyframe_file(f, buffer, &bytes);
	if (bytes != 0)
		name.file = put_text(s, bytes);
	name.module = put_text(module, sizeof(module) - 1);
	return name.function.bytes == 0 ? 0 : put_row(&name);
}

uint64_t
pyname_of(struct pyframe *f)
{
	uint64_t key = pyframe_key(f);
	uint64_t row = pyname_cache_find(names.lately, key);

	if (row == 0) {
		row = name_frame(f);
		if (row == 0)
			return 0;
		pyname_cache_put(names.lately, key, row);
	}
	return NODE_NAMED + row - 1;
}

/* --- all of it ------------------------------------------------------------ */

bool
pyname_open(void)
{
	names.lately = pyname_cache_open(LATELY);
	names.row = arena_take(ROWS * sizeof(*names.row));
	names.text = arena_take(TEXTS * sizeof(*names.text));
	return names.lately != NULL && names.row != NULL && names.text != NULL;
}

void
pyname_reset(void)
{
	if (names.text == NULL || names.row == NULL || names.lately == NULL)
		return;
	pyname_cache_clear(names.lately);
	arena_clear((void *)names.row, ROWS * sizeof(*names.row));
	arena_clear((void *)names.text, TEXTS * sizeof(*names.text));
}
