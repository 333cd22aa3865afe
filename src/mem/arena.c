#include "mem/arena.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/base.h"
#include "sys/sys.h"

#define CHUNK_BYTES MIB
#define PAGE_BYTES  UINT64_C(4096)
#define ALIGNMENT   64

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* The room of a chunk that is being cut into pieces. */
struct chunk {
	_Atomic uint64_t used; /* bytes, this head included */
	uint64_t bytes;
	uint8_t pad[ALIGNMENT - 16];
};

struct span {
	_Atomic uint64_t start; /* written last: 0 means not there yet */
	_Atomic uint64_t end;
};

static struct {
	struct chunk *_Atomic chunk;
	struct chunk *_Atomic reserve; /* for when nothing can be mapped */
	_Atomic uint64_t mapped;       /* bytes, given back ones left out */
	_Atomic bool keeps_sparse;
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

uint64_t
arena_room(void)
{
	uint64_t most = min_u64(sys_limit(RLIMIT_AS), sys_limit(RLIMIT_DATA));

	return most == UINT64_MAX ? most :
	    above_u64(most / ARENA_SHARE, atomic_load(&arena.mapped));
}

/*
 * What cannot be touched is not filled, so under MCL_FUTURE a mapping is
 * opened only once it has been unlocked.
 */
static void *
map_sparse(size_t bytes)
{
	void *p = sys_mmap(NULL, bytes, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (sys_error_of(p) == 0 && (sys_munlock(p, bytes) < 0 ||
	    sys_mprotect(p, bytes, PROT_READ | PROT_WRITE) < 0)) {
		(void)sys_munmap(p, bytes);
		return NULL;
	}
	return p;
}

static void *
map(size_t bytes)
{
	void *p;

	if (bytes > arena_room())
		return NULL;
	p = atomic_load(&arena.keeps_sparse) ? map_sparse(bytes) :
	    sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == NULL || sys_error_of(p) < 0)
		return NULL;
	/* Advice only: an old kernel that knows neither does no harm. */
	(void)sys_madvise(p, bytes, MADV_NOHUGEPAGE);
	(void)sys_madvise(p, bytes, MADV_DONTDUMP);
	atomic_fetch_add(&arena.mapped, bytes);
	note_span((uintptr_t)p, (uintptr_t)p + bytes);
	return p;
}

/* A piece of a chunk, or NULL: it is used up. */
static void *
cut(struct chunk *c, size_t bytes)
{
	uint64_t at = atomic_load(&c->used);

	do {
		if (bytes > c->bytes - at)
			return NULL;
	} while (!atomic_compare_exchange_weak(&c->used, &at, at + bytes));
	return (char *)c + at;
}

static void *
take_large(size_t bytes)
{
	void *p = map(round_up(bytes, PAGE_BYTES));
	struct chunk *reserve = atomic_load(&arena.reserve);

	return p == NULL && reserve != NULL ? cut(reserve, bytes) : p;
}

static void
open_chunk(struct chunk *c, size_t bytes)
{
	c->bytes = bytes;
	atomic_store(&c->used, sizeof(*c));
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

		void *piece = c != NULL ? cut(c, bytes) : NULL;

		if (piece != NULL)
			return piece;
		fresh = take_large(CHUNK_BYTES);
		if (fresh == NULL)
			return NULL;
		open_chunk(fresh, CHUNK_BYTES);
		if (!atomic_compare_exchange_strong(&arena.chunk, &c, fresh))
			arena_return(fresh, CHUNK_BYTES);
	}
}

bool
arena_fill(void *piece, size_t bytes)
{
	uintptr_t start = round_up((uintptr_t)piece, PAGE_BYTES);
	uintptr_t end = round_down((uintptr_t)piece + bytes, PAGE_BYTES);

	return !atomic_load(&arena.keeps_sparse) &&
	    arena_room() == UINT64_MAX && end > start &&
	    sys_madvise((void *)start, end - start, MADV_POPULATE_WRITE) == 0;
}

void
arena_return(void *piece, size_t bytes)
{
	bytes = round_up(bytes, PAGE_BYTES);
	/*
	 * The span stays noted: what is mapped there next may be claimed as
	 * ours.  A lost race is rare enough for that.  What was cut from the
	 * reserve does not start with a page: the kernel leaves it alone.
	 */
	if (sys_munmap(piece, bytes) == 0)
		atomic_fetch_sub(&arena.mapped, bytes);
}

void
arena_reserve(size_t bytes)
{
	struct chunk *none = NULL;
	struct chunk *c = NULL;

	if (atomic_load(&arena.reserve) != NULL)
		return;
	for (; c == NULL && bytes >= CHUNK_BYTES; bytes /= 2) {
		c = map(bytes);
		if (c != NULL)
			open_chunk(c, bytes);
	}
	if (c != NULL &&
	    !atomic_compare_exchange_strong(&arena.reserve, &none, c))
		arena_return(c, c->bytes);
}

void
arena_keep_sparse(void)
{
	atomic_store(&arena.keeps_sparse, true);
}

void
arena_clear(void *piece, size_t bytes)
{
	uintptr_t start = round_up((uintptr_t)piece, PAGE_BYTES);
	uintptr_t end = round_down((uintptr_t)piece + bytes, PAGE_BYTES);

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
