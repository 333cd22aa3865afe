/*
 * suppress.h - call paths that are known, and not to be told again
 *
 * Beside the house (tools/report).  May use: base, need, print, symbol.  Used
 * by: leaks, check.
 *
 * A file of LeakSanitizer's form: a line `leak:PATTERN` matches a call path if
 * PATTERN is found in a function's name, a file's or a module's, of any of its
 * frames; `*` stands for any text, `^` and `$` for the beginning and the end.
 * Lines that begin with # are comments.
 */
#ifndef REPORT_SUPPRESS_H
#define REPORT_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "symbols/symbol.h"

struct suppress_rule {
	const char *pattern;
	const char *file; /* NULL: it is built in */
	unsigned line;
};

struct suppress {
	struct suppress_rule *rule;
	size_t rules;
};

/* Those that are built in: what libc takes once and never gives back. */
void suppress_open(struct suppress *s, bool built_in);

/* False: it cannot be read, or a line is wrong; a sentence says which. */
bool suppress_read(struct suppress *s, const char *file, const char *name);
void suppress_close(struct suppress *s);

/* Is @pattern found in @text?  As described above. */
bool suppress_match(const char *pattern, const char *text);

/* Is it in the function, file or module of one of the frames? */
bool suppress_match_frames(const char *pattern, const struct frame *frames,
    size_t count);

/* The rule that matches these frames, or NULL. */
const struct suppress_rule *suppress_find(const struct suppress *s,
    const struct frame *frames, size_t count);

#endif
