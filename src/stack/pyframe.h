/*
 * pyframe.h - the Python frames of the calling thread, as CPython keeps them
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: pyname, door.
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

/* The interpreter of this process, as the door has found it. */
struct pyframe_host {
	uint64_t version;       /* Py_Version: 0x030b07f0 is 3.11.7 */
	uint64_t runtime;       /* _PyRuntime */
	uint64_t code_type;     /* PyCode_Type */
	uint64_t eval_start;    /* _PyEval_EvalFrameDefault(), in which */
	uint64_t eval_end;      /* frames run */
	void *(*own)(void);     /* PyGILState_GetThisThreadState() */
	void *(*current)(void); /* PyThreadState_GetUnchecked(), by any name */
	int (*ends)(void);      /* Py_IsFinalizing(), the same */
};

/* Once, while nobody else is here.  False: no version that is known. */
bool pyframe_open(const struct pyframe_host *host);

/* Is a return address one in the function that runs Python frames? */
bool pyframe_runs(uint64_t pc);

struct pyframe {
	uint64_t code;  /* the code object */
	uint64_t at;    /* the instruction */
	/*
	 * Of both, and of what tells this code from another that lay there
	 * before: names, sizes, first line.  Two that differ in none of these
	 * may differ in the line within the same function.
	 */
	uint64_t key;
	bool last;      /* of those that one call of the function runs */
};

struct pyframe_walk {
	uint64_t frame; /* the next; 0: none */
	uint32_t left;  /* that may still be told */
};

/* Of the calling thread, @most frames; none where it runs no Python. */
void pyframe_begin(struct pyframe_walk *w, uint32_t most);

/*
 * The next one, and true.  False: there are no more.  @f->code 0: no frame of
 * the program's, but the end of those that a call runs.
 */
bool pyframe_next(struct pyframe_walk *w, struct pyframe *f);

/*
 * Of all that a walk would tell, and where calls end among them: equal for
 * equal stacks, and for others different but by a chance of 2^-64.  @calls:
 * gets how many calls they are run by.  0: there are none.
 */
uint64_t pyframe_sum(uint32_t most, uint32_t *calls);

/* The line of its instruction; 0: none is known. */
uint32_t pyframe_line(const struct pyframe *f);

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
