/*
 * resumable.c - a job that may be killed at any moment, and loses nothing
 *
 *	cc -I... resumable.c -o resumable
 *	resumable records.txt sums.txt
 *
 * Reads records, a line each, and writes a line about each of them: its number,
 * its length and a sum.  Each is written exactly once, however often the program
 * is killed and started again: with a checkpoint goes the length of the output,
 * which is on the disk by then; who goes on cuts it to that length.
 *
 * It is one source for all: alone, under `heaptide run`, or with
 * -DHEAPTIDE_DISABLE.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heaptide.h"

/* All that a new start has to know, beside which record is the next. */
struct place {
	int64_t in;  /* bytes read, up to that record */
	int64_t out; /* bytes written about those before it */
};

struct job {
	FILE *in, *out;
	uint64_t next; /* record */
};

/* What is done so far is on the disk, and then it is said to be. */
static int
save(void *ctx, uint64_t cursor)
{
	struct job *job = ctx;
	struct place place;

	(void)cursor; /* of the batch: the same as ours */
	if (fflush(job->out) != 0 || fdatasync(fileno(job->out)) != 0)
		return -1;
	place.in = ftello(job->in);
	place.out = ftello(job->out);
	return tide_checkpoint(job->next, &place, sizeof(place));
}

static int
load(struct job *job)
{
	struct place place = { 0, 0 };
	size_t bytes = sizeof(place);

	if (tide_resume(&job->next, &place, &bytes) < 0)
		return -1;
	if (job->next > 0)
		fprintf(stderr, "on from record %" PRIu64 "\n", job->next);
	if (ftruncate(fileno(job->out), place.out) != 0 ||
	    fseeko(job->out, place.out, SEEK_SET) != 0)
		return -1;
	return fseeko(job->in, place.in, SEEK_SET);
}

static void
digest(FILE *out, uint64_t number, const char *line, size_t bytes)
{
	uint64_t sum = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < bytes; i++)
		sum = (sum ^ (unsigned char)line[i]) * 1099511628211u;
	fprintf(out, "%" PRIu64 " %zu %016" PRIx64 "\n", number, bytes, sum);
}

/* 1: there was one; 0: that was the last. */
static int
one_record(struct job *job, char **line, size_t *room)
{
	ssize_t bytes = getline(line, room, job->in);

	if (bytes < 0)
		return 0;
	digest(job->out, job->next++, *line, (size_t)bytes);
	return 1;
}

static int
work(struct job *job)
{
	tide_op *op = tide_op_open("digest", NULL);
	char *line = NULL;
	size_t room = 0;
	tide_batch b;
	int more = 1;

	memset(&b, 0, sizeof(b));
	while (more && tide_batch_begin(op, &b, job->next, TIDE_NONE, -1) >
	    0) {
		uint64_t first = job->next;

		while (more && job->next - first < b.n &&
		    tide_batch_more(&b))
			more = one_record(job, &line, &room);
		/* Every fifth time, save() is called in here. */
		tide_batch_end(&b, job->next - first);
	}
	free(line);
	return !more && !ferror(job->in);
}

int
main(int argc, char **argv)
{
	struct job job = { NULL, NULL, 0 };
	int done, r;

	if (argc != 3) {
		fprintf(stderr, "usage: resumable RECORDS OUTPUT\n");
		return 2;
	}
	job.in = fopen(argv[1], "r");
	job.out = fopen(argv[2], "a"); /* made, if it is not there */
	if (job.out != NULL)
		job.out = freopen(argv[2], "r+", job.out);
	if (job.in == NULL || job.out == NULL) {
		perror("resumable");
		return 1;
	}
	r = tide_run_begin("digest", TIDE_NONE, "record", NULL);
	if (r < 0) {
		fprintf(stderr, "resumable: %s\n", strerror(-r));
		return 1;
	}
	if (tide_input(argv[1]) == -ESTALE) {
		fprintf(stderr, "resumable: %s is not what it was\n", argv[1]);
		return 1;
	}
	tide_on_checkpoint(save, &job);
	if (load(&job) != 0) {
		perror("resumable");
		return 1;
	}
	done = work(&job);
	/* Less is left to be done again; and what is done is on the disk. */
	if (save(&job, job.next) != 0) {
		perror("resumable");
		return 1;
	}
	tide_run_finish(done);
	return done ? 0 : TIDE_EXIT_CHECKPOINT;
}
