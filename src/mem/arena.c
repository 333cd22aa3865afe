#include "mem/arena.h"

#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "sys/sys.h"

#define CHUNK_BYTES (UINT64_C(1) << 20)
#define ALIGNMENT   64

/* The room of a chunk that is being cut into pieces. */
struct chunk {
	_Atomic uint64_t used; /* bytes, this head included */
	uint8_t pad[ALIGNMENT - 8];
};

struct span {
	_Atomic uint64_t start; /* written last: 0 means not there yet */
	_Atomic uint64_t end;
};

static struct {
	struct chunk *_Atomic chunk;
	struct span spans[SEGMENT_SPANS];
	_Atomic uint32_t version;
} arena;

/*
 * Note a range.  The kernel places mappings beside each other, mostly
 * downwards, so that a few spans hold very many mappings; where it does not,
 * the last span is stretched and claims too much rather than too little.
 */
static void
note_span(uint64_t start, uint64_t end)
{
	size_t i;

	for (i = 0; i < SEGMENT_SPANS; i++) {
		struct span *s = &arena.spans[i];
		uint64_t s_start = atomic_load(&s->start);
		uint64_t s_end = atomic_load(&s->end);

		if (s_start == end &&
		    atomic_compare_exchange_strong(&s->start, &s_start, start))
			break;
		if (s_start != 0 && s_end == start &&
		    atomic_compare_exchange_strong(&s->end, &s_end, end))
			break;
		if (s_start == 0 && s_end == 0 &&
		    atomic_compare_exchange_strong(&s->end, &s_end, end)) {
			atomic_store(&s->start, start);
			break;
		}
	}
	if (i == SEGMENT_SPANS) {
		struct span *s = &arena.spans[SEGMENT_SPANS - 1];

		if (start < atomic_load(&s->start))
			atomic_store(&s->start, start);
		if (end > atomic_load(&s->end))
			atomic_store(&s->end, end);
	}
	atomic_fetch_add(&arena.version, 1);
}

static void *
map(size_t bytes)
{
	void *p = sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (sys_error_of(p) < 0)
		return NULL;
	/* Advice only: an old kernel that knows neither does no harm. */
	(void)sys_madvise(p, bytes, MADV_NOHUGEPAGE);
	(void)sys_madvise(p, bytes, MADV_DONTDUMP);
	return p;
}

static void *
take_large(size_t bytes)
{
	void *p;

	bytes = round_up(bytes, 4096);
	p = map(bytes);
	if (p != NULL)
		note_span((uintptr_t)p, (uintptr_t)p + bytes);
	return p;
}

void *
arena_take(size_t bytes)
{
	bytes = round_up(bytes, ALIGNMENT);
	if (bytes >= ARENA_LARGE)
		return take_large(bytes);
	for (;;) {
		struct chunk *c = atomic_load(&arena.chunk);
		struct chunk *fresh;

		if (c != NULL) {
			uint64_t at = atomic_fetch_add(&c->used, bytes);

			if (at + bytes <= CHUNK_BYTES)
				return (char *)c + at;
		}
		fresh = take_large(CHUNK_BYTES);
		if (fresh == NULL)
			return NULL;
		atomic_store(&fresh->used, sizeof(*fresh));
		if (!atomic_compare_exchange_strong(&arena.chunk, &c, fresh))
			arena_return(fresh, CHUNK_BYTES);
	}
}

void
arena_return(void *piece, size_t bytes)
{
	/*
	 * The span stays noted: what is mapped there next may be claimed as
	 * ours.  A lost race is rare enough for that.
	 */
	(void)sys_munmap(piece, round_up(bytes, 4096));
}

void
arena_clear(void *piece, size_t bytes)
{
	uintptr_t start = round_up((uintptr_t)piece, 4096);
	uintptr_t end = round_down((uintptr_t)piece + bytes, 4096);

	if (end > start && sys_madvise((void *)start, end - start,
	    MADV_DONTNEED) == 0) {
		memset(piece, 0, start - (uintptr_t)piece);
		memset((void *)end, 0, (uintptr_t)piece + bytes - end);
	} else {
		memset(piece, 0, bytes);
	}
}

size_t
arena_spans(struct segment_span spans[SEGMENT_SPANS])
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < SEGMENT_SPANS; i++) {
		uint64_t start = atomic_load(&arena.spans[i].start);

		if (start == 0)
			break;
		spans[n].start = start;
		spans[n].end = atomic_load(&arena.spans[i].end);
		n++;
	}
	return n;
}

uint32_t
arena_version(void)
{
	return atomic_load(&arena.version);
}
