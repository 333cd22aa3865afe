/*
 * python.h - is this process CPython, and which Python frames lead to a call
 *
 * Floor 8 (door), below where and boot.  May use: stack, mem.
 * Contexts: python_find() where the dynamic linker may be asked, at boot; the
 * rest inside malloc and in signal handlers.
 *
 * A Python function is called without a function of C for each, or by several;
 * so where the stack of C has the one that runs Python frames, those stand in
 * its place that this call of it runs.  See doc/python.md.
 */
#ifndef DOOR_PYTHON_H
#define DOOR_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "door/boot.h"
#include "stack/intern.h"
#include "stack/pychain.h"
#include "stack/pyname.h"
#include "stack/pywatch.h"

/* Look for an interpreter that is loaded at the start. */
void python_find(void);

/* Is there one, and memory for what is to be known?  Once there is a segment. */
bool python_open(void);

/* By path and Python frames: the site. */
extern struct pyname_cache *python_sites INSIDE;

/* Of a sum that is a hash already, and the number of a site or a node. */
static HOT uint64_t
python_key(uint64_t sum, uint32_t number)
{
	return sum + ((uint64_t)intern_generation() << 32 | number) *
	    UINT64_C(0x9e3779b97f4a7c15);
}

/* From now on, or never, the chain may trust the code of its frames. */
void python_settle(struct pychain *chain);

/*
 * The site of @site's path with the calling thread's Python frames in it, as
 * far as it is known from before; 0: it is not.  @key: under which it is to be
 * put, 0: it has no Python frames, and is what it is.
 */
static HOT uint32_t
python_site(uint32_t site, uint64_t *key)
{
	struct pychain *chain = self.chain;
	uint32_t depth;

	*key = 0;
	if (UNLIKELY(chain == NULL))
		return 0;
	depth = pychain_look(chain, pywatch_ended());
	if (UNLIKELY(depth == 0))
		return 0;
	if (UNLIKELY(chain->doubts))
		python_settle(chain);
	*key = python_key(chain->seen[depth].sum, site);
	return (uint32_t)pyname_cache_find(python_sites, *key);
}

void python_put(uint64_t key, uint32_t site);

/*
 * That path: @count addresses, leaf first, above the frames of node @base; and
 * what is to be known of it when it has a node.
 */
#define PYTHON_LEVELS 16

struct python_path {
	uint32_t base;   /* 0: none */
	uint32_t outer;  /* frames that it has */
	uint32_t count;
	uint32_t room;   /* for all of them */
	uint32_t levels; /* calls that run Python in what is above the base, */
	bool cut;        /* there are more frames than room; */
	bool ends_cut;   /* the base is of such a path, and ends with NODE_CUT */
	struct {
		uint64_t key;   /* of where one lies, and all behind it; */
		uint32_t count; /* addresses before it */
	} level[PYTHON_LEVELS];
};

enum python_answer {
	PYTHON_MIXED,
	PYTHON_APART,    /* they do not go together */
	PYTHON_DISTURBED /* a signal came in between */
};

/*
 * Of what python_site() has found, into @buffer of @room addresses.  @whole: by
 * nothing that is known from before.
 */
enum python_answer python_path(uint32_t site, uint64_t *buffer, size_t room,
    bool whole, struct python_path *path);

/* It has been found to be @node. */
void python_learn(const struct python_path *path, uint32_t node);

/* For the tests: are the frames what is to be read now? */
bool python_is_right(void);

/* A child, just forked. */
void python_in_child(void);

#endif
