/*
 * pylayout.h - where CPython keeps the words of frames, code and texts
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: pyframe, pychain.
 * Contexts: any.
 */
#ifndef STACK_PYLAYOUT_H
#define STACK_PYLAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "stack/pyframe.h"

/*
 * Where words lie, in bytes, in a build with the GIL, of 64 bits.  Sources:
 * cpython/pystate.h, internal/pycore_frame.h, cpython/code.h and
 * cpython/unicodeobject.h of each version; all three were compared with what
 * offsetof() says.
 */
struct pylayout {
	uint16_t version;         /* major and minor: 0x030b */
	uint8_t thread_id;        /* in the thread's state: pthread_self() */
	uint8_t current;          /* its innermost frame; or where that lies, */
	int16_t inner;            /* and so far behind it then; -1: it is it */
	uint8_t code, previous, instruction; /* in a frame */
	uint8_t owner;            /* a byte that says whether it ends a call: */
	uint8_t owner_end;        /* by this value */
	bool end_is_frame;        /* and the one that does is a frame as well */
	uint8_t first_line;       /* in a code object */
	uint8_t instructions;     /* here they begin */
	uint8_t ascii, compact;   /* bytes before the characters of a text */
};

/* The same in all of them. */
enum {
	OBJECT_REFERENCES = 0,
	OBJECT_TYPE = 8,
	OBJECT_SIZE = 16,       /* of code: its instructions; of bytes */
	BYTES_CONTENT = 32,
	CODE_FILE = 112,
	CODE_FUNCTION = 128,
	CODE_LINES = 136,
	TEXT_LENGTH = 16,
	TEXT_HASH = 24,
	TEXT_STATE = 32,
	CODE_BYTES = 144,
	FRAME_BYTES = 72,
	STATE_BYTES = 168,
	RUNTIME_NO_GIL = 16     /* from 3.13 on: a build without the GIL */
};

/* A text's hash that nobody has asked for yet. */
#define TEXT_NO_HASH UINT64_MAX

static HOT uint64_t
pylayout_word(uint64_t at)
{
	return *(const uint64_t *)(uintptr_t)at;
}

/* A code object's size, and the first line of what it is of. */
static HOT uint64_t
pylayout_extent(uint64_t code)
{
	return pylayout_word(code + OBJECT_SIZE) << 32 |
	    *(const uint32_t *)(uintptr_t)(code +
	    pyframe_here.layout->first_line);
}

/* Is it a code object, and not one that is being destroyed? */
static HOT bool
pylayout_is_alive(uint64_t code)
{
	return pylayout_word(code + OBJECT_TYPE) ==
	    pyframe_here.host.code_type &&
	    (int64_t)pylayout_word(code + OBJECT_REFERENCES) > 0;
}

static HOT uint64_t
pylayout_owner(uint64_t frame)
{
	return *(const uint8_t *)(uintptr_t)(frame +
	    pyframe_here.layout->owner);
}

static HOT bool
pylayout_ends_call(uint64_t frame)
{
	return pylayout_owner(frame) == pyframe_here.layout->owner_end;
}

#endif
