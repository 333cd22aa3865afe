/*
 * pyframe.h - the Python frames of the calling thread, as CPython keeps them
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: pychain, pyname,
 * door.
 * Contexts: inside malloc and in signal handlers.  Nothing of Python's is
 * called but what tells a thread its own state, and nothing is changed.
 *
 * A thread's frames are a list in its own memory that only it changes, the
 * innermost first.  They are read as they stand; CPython 3.11 to 3.13 differ
 * in where the words lie, and within a minor version they stay there.  Each
 * pointer is looked at before it is followed (aligned, of user space, in a page
 * that was readable when it was met first), and a code object is one only if
 * it says so and is alive.  What is none ends the list.
 */
#ifndef STACK_PYFRAME_H
#define STACK_PYFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* The interpreter of this process, as the door has found it. */
struct pyframe_host {
	uint64_t version;       /* Py_Version: 0x030b07f0 is 3.11.7 */
	uint64_t runtime;       /* _PyRuntime */
	uint64_t code_type;     /* PyCode_Type */
	uint64_t eval_start;    /* _PyEval_EvalFrameDefault(), in which */
	uint64_t eval_end;      /* frames run */
	uint64_t start, end;    /* the module that it is in */
	void *(*own)(void);     /* PyGILState_GetThisThreadState() */
	void *(*current)(void); /* PyThreadState_GetUnchecked(), by any name */
	int (*ends)(void);      /* Py_IsFinalizing(), the same */
};

/* Once, while nobody else is here.  False: no version that is known. */
bool pyframe_open(const struct pyframe_host *host);

/* For this floor, and pyframe_runs(). */
extern struct pyframe_here {
	struct pyframe_host host;
	const struct pylayout *layout;
} pyframe_here INSIDE;

/* Is a return address one in the function that runs Python frames? */
static inline bool
pyframe_runs(uint64_t pc)
{
	return pc > pyframe_here.host.eval_start &&
	    pc <= pyframe_here.host.eval_end;
}

/*
 * A text as it is told from another that lay there before: by its hash, or if
 * Python has none yet by its last characters, which then are kept.
 */
#define PYTEXT_KEPT 128

struct pytext {
	uint64_t address; /* 0: there is none */
	uint64_t hash;    /* UINT64_MAX: none yet, and then */
	uint64_t length;  /* two words of its head, */
	uint64_t state;
	uint64_t end;     /* and where the last @bytes are */
	uint64_t bytes;
	char kept[PYTEXT_KEPT];
};

/*
 * A code object, and what tells it from another that lay there before.  Two
 * that differ in none of these may differ in the line within the function.
 */
struct pycode {
	uint64_t address;
	uint64_t lines;   /* its table of lines, */
	uint64_t extent;  /* its size and first line, */
	uint64_t key;     /* and all in one number */
	struct pytext function, file;
};

struct pyframe {
	uint64_t outer;     /* the frame that called it; 0: none */
	uint64_t at;        /* the instruction */
	bool last;          /* of those that one call of the function runs */
	uint64_t line_met;  /* where pyframe_line() ended last in this code */
	struct pycode code; /* address 0: no frame of the program's, but the */
			    /* end of those that a call runs */
};

/*
 * The innermost of the calling thread; 0: it runs no Python.  @met: what this
 * thread came by before, and need not be looked at again; at first zeros.
 */
struct pyframe_met {
	uint64_t state; /* its own, if it is the current one; */
	uint64_t self;  /* and then pthread_self(); */
	uint64_t place; /* where that keeps the innermost */
};

uint64_t pyframe_innermost(struct pyframe_met *met);

/* Is it a frame?  @outer: gets who called it. */
bool pyframe_is_one(uint64_t frame, uint64_t *outer);

/*
 * The same, read whole.  @is_code_known: @f->code is that of its code, and
 * left as it is.
 */
bool pyframe_read(uint64_t frame, struct pyframe *f, bool is_code_known);

/* Is it part of the interpreter's own file, and there until the end? */
bool pyframe_is_fixed(const struct pycode *c);

/* How large a block its code is, if it has one for itself. */
uint64_t pyframe_code_bytes(const struct pycode *c);

/* Of where it is: code and instruction. */
static inline uint64_t
pyframe_key(const struct pyframe *f)
{
	return mix_u64(f->code.key + f->at * UINT64_C(0xd6e8feb86659fd93));
}

/* The line of its instruction; 0: none is known. */
uint32_t pyframe_line(struct pyframe *f);

/*
 * Its function, as Python qualifies it (`Loader.rows`), and its file, in UTF-8;
 * in place, or in @buffer, where a long one is cut.  No terminator.
 */
#define PYFRAME_TEXT 512
const char *pyframe_function(const struct pyframe *f,
    char buffer[PYFRAME_TEXT], size_t *bytes);
const char *pyframe_file(const struct pyframe *f, char buffer[PYFRAME_TEXT],
    size_t *bytes);

#endif
