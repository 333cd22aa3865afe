/*
 * results.h - what the jobs of a batch wrote, kept in files until it is
 * gathered
 *
 * Beside the house (tools/batch).  May use: base, need.  Used by: batch.h.
 *
 * A directory has a file of records for each process that ever wrote there,
 * named by numbers; a record is what the job of some items wrote, on its
 * standard output and its standard error.  A record counts if all of it is
 * there, by its sum: it has a head of
 *
 *	OFFSET SIZE  MEANING
 *	     0    8  RESULTS_MAGIC
 *	     8    8  its first item, from 0
 *	    16    8  how many items
 *	    24    8  bytes of output, which lie behind the head
 *	    32    8  bytes of errors, which lie behind these
 *	    40    4  CRC-32C of the content
 *	    44    4  CRC-32C of the 44 bytes before
 *
 * that is written when the rest is.  What was done twice is there twice, and
 * the newer counts.
 */
#ifndef BATCH_RESULTS_H
#define BATCH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_MAGIC 0x3153455245444954 /* "TIDERES1" */

/* --- writing: one process a file ------------------------------------------ */

struct results {
	int fd;
	uint64_t begin, at; /* of the record, and of what comes next in it */
	uint64_t bytes[2];
	uint32_t crc;
};

/* A new file in @directory, which is made.  0 or a negative errno. */
int results_create(struct results *r, const char *directory);

/*
 * A record is begun, filled with output and then with errors, and ended: then
 * it is there.  All return 0 or a negative errno; after one, begin anew.
 */
void results_begin(struct results *r);
int results_add(struct results *r, int which, const void *data, size_t bytes);
int results_end(struct results *r, uint64_t first, uint64_t count);

/* All of it is on the disk. */
int results_close(struct results *r);

/* --- reading -------------------------------------------------------------- */

struct result {
	uint64_t first, count;
	uint64_t at;       /* of its content */
	uint64_t bytes[2];
	uint32_t file;     /* index */
	uint64_t number;   /* in which order they were written */
};

struct results_set {
	size_t files, count;
	int *fd;
	struct result *row;  /* those that count, by first item */
	uint8_t *has;        /* by item, a bit */
	uint64_t items;
};

/*
 * All that counts of the first @items; -ENOENT: there is no such directory.
 */
int results_open(struct results_set *s, const char *directory,
    uint64_t items);
void results_free(struct results_set *s);

/* Is there something of each of these? */
bool results_have(const struct results_set *s, uint64_t first,
    uint64_t count);

#endif
