/*
 * output.h - what a command writes: to stdout, or a file, whole or not at all
 *
 * Beside the house (tools/say).  May use: base, need.  Used by: cmd-export.c,
 * cmd-snapshot.c, reader.c, run-name.c, batch-joblog.c, cluster-gather.c.
 *
 * A file comes into its place when all of it is there; one that is there
 * already stays as it was until then.  A device or a pipe is written through.
 */
#ifndef SAY_OUTPUT_H
#define SAY_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output {
	FILE *to;
	const char *file; /* NULL: stdout */
	char *temporary;  /* NULL: written through */
};

/* @file NULL or "-": stdout.  0 or a negative errno. */
int output_open(struct output *o, const char *file);

/* The same.  Not @good: nothing of it stays. */
int output_close(struct output *o, bool good);

/*
 * What stands between @file and a name in it, "/" or, behind a slash, nothing;
 * NULL: it is no directory, but the file itself.
 */
const char *output_folder(const char *file);

/* All of @bytes, in as many calls as it takes.  0 or a negative errno. */
int output_write(int fd, const void *bytes, size_t n);

#endif
