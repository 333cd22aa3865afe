/*
 * journal-file.h - files of one owner, and one that takes the place of another
 *
 * Floor (plan).  May use: base, sys.  Used by: journal.c, learned.c.
 * Contexts: as journal.h.
 */
#ifndef PLAN_JOURNAL_FILE_H
#define PLAN_JOURNAL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "plan/journal.h"

/*
 * Open it to write, and lock it.  -EBUSY: another process has it, or has put
 * another in its place just now; else as journal_look().
 */
int journal_file_open(const char *path, int flags);

int journal_file_write(int fd, const void *from, size_t bytes,
    uint64_t offset);

/*
 * Who puts a file into place first owns PATH.new: it is locked, so there is one
 * at a time, and one that was left behind is used again.
 */
struct journal_new {
	int fd;
	uint64_t end;    /* bytes */
	uint64_t number; /* of the last record */
	char path[JOURNAL_PATH + 8];
};

int journal_file_new(struct journal_new *n, const char *path);
void journal_file_drop(struct journal_new *n);

/*
 * It is complete: from now on it is @path.  @before: a descriptor of what is
 * there, or -1: nothing may be, or -EEXIST.  -EBUSY: something else is.
 */
int journal_file_settle(struct journal_new *n, const char *path, int before,
    int sync);

#endif
