/*
 * cache.h - what addresses of one object mean, kept in memory and on disk
 *
 * Beside the house (tools/symbols).  May use: base, print.  Used by: symbol.c.
 *
 * A build-id names an object's code for good, so what was once found out of it
 * stays true when the file is long gone; it can only be found out better, when
 * a debug file has come since.  @source says what there was to ask: the file's
 * size and time, the debug file's.
 */
#ifndef SYMBOLS_CACHE_H
#define SYMBOLS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

struct cache;

struct cache_frame {
	const char *function;
	const char *file; /* "" if unknown */
	uint32_t line;    /* 0 if unknown */
	bool inlined;
	bool named;       /* false: function is an address, not kept on disk */
};

struct cache_answer {
	UT_hash_handle hh;
	uint64_t address;
	uint32_t count;
	struct cache_frame frame[];
};

/*
 * Open the answers that are kept for @build_id; of 0 bytes: in memory only.
 * Never NULL: what cannot be read or is damaged is as good as empty.
 */
struct cache *cache_open(const uint8_t *build_id, size_t build_id_bytes,
    const char *source);

/* Write what is new, if that can be done, and forget all. */
void cache_close(struct cache *cache);

/* True: there are answers from disk, but other sources to ask by now. */
bool cache_is_stale(const struct cache *cache);

/* Drop all answers: better ones will be put. */
void cache_clear(struct cache *cache);

const struct cache_answer *cache_find(const struct cache *cache,
    uint64_t address);

/* Put an answer, which is copied and cleaned; @address must be new. */
const struct cache_answer *cache_put(struct cache *cache, uint64_t address,
    const struct cache_frame *frames, size_t count);

#endif
