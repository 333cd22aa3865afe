/*
 * resumable.c - a job that may be killed at any moment, and loses nothing
 *
 *	cc -I... resumable.c -o resumable
 *	resumable TEXT INDEX
 *
 * Makes an index of a text, a line for each of its lines: its number, where it
 * begins, how many bytes and words it has, and a sum.  Each is written exactly
 * once, however often the program is killed and started again: with a
 * checkpoint goes the length of the index, which is on the disk by then; who
 * goes on cuts it to that length.
 *
 * A line of more than LINE_MOST bytes fails: it is noted, and can be done again
 * (`heaptide resume --failed`) when LINE_MOST is more.
 *
 * It is one source for all: alone, under `heaptide run`, or with
 * -DHEAPTIDE_DISABLE.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heaptide.h"

/* All that a new start has to know, beside which line is the next. */
struct place {
	int64_t in;     /* bytes read, up to that line */
	int64_t out;    /* bytes written about those before it */
	uint64_t words; /* in those */
};

struct job {
	FILE *in, *out;
	uint64_t next;  /* line */
	uint64_t words;
	size_t most;    /* bytes of a line; 0: any */
	int redo;       /* only what failed */
	char *line;
	size_t room;
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
	place.words = job->words;
	return tide_checkpoint(job->next, &place, sizeof(place));
}

static int
load(struct job *job)
{
	struct place place = { 0, 0, 0 };
	size_t bytes = sizeof(place);
	int r = tide_resume(&job->next, &place, &bytes);

	if (r < 0)
		return -1;
	if (ftruncate(fileno(job->out), place.out) != 0 ||
	    fseeko(job->out, place.out, SEEK_SET) != 0)
		return -1;
	job->words = place.words;
	job->redo = r == TIDE_REDO;
	if (job->redo) {
		/* Lines that failed may be anywhere: from the first on. */
		job->next = 0;
		place.in = 0;
	} else if (r == TIDE_RESUMED) {
		fprintf(stderr, "on from record %" PRIu64 "\n", job->next);
	}
	return fseeko(job->in, place.in, SEEK_SET);
}

static uint64_t
sum_of(const char *line, size_t bytes, uint64_t *words)
{
	uint64_t sum = 14695981039346656037u; /* FNV-1a */
	int inside = 0;

	for (size_t i = 0; i < bytes; i++) {
		int blank = line[i] == ' ' || line[i] == '\t' ||
		    line[i] == '\n';

		*words += !blank && !inside;
		inside = !blank;
		sum = (sum ^ (unsigned char)line[i]) * 1099511628211u;
	}
	return sum;
}

/* The next line, which is passed over if it is before @first.  0: none. */
static int
one_line(struct job *job, tide_batch *b)
{
	int64_t at = ftello(job->in);
	ssize_t bytes = getline(&job->line, &job->room, job->in);
	uint64_t number = job->next, words = 0, sum;

	if (bytes < 0)
		return 0;
	job->next++;
	if (number < b->first)
		return 1;
	if (job->most != 0 && (size_t)bytes > job->most) {
		tide_item_fail(b, number, "its line is too long");
		return 1;
	}
	sum = sum_of(job->line, (size_t)bytes, &words);
	job->words += words;
	fprintf(job->out, "%" PRIu64 " %" PRId64 " %zd %" PRIu64 " %016"
	    PRIx64 "\n", number, at, bytes, words, sum);
	return 1;
}

static int
work(struct job *job)
{
	tide_op *op = tide_op_open("index", NULL);
	tide_batch b;
	int more = 1;

	memset(&b, 0, sizeof(b));
	while (more && tide_batch_begin(op, &b, job->next, TIDE_NONE, -1) >
	    0) {
		/* Others failed not, or are left out. */
		while (more && job->next < b.first)
			more = one_line(job, &b);
		while (more && job->next < b.first + b.n &&
		    tide_batch_more(&b))
			more = one_line(job, &b);
		/* Every fifth time, save() is called in here. */
		tide_batch_end(&b, job->next > b.first ?
		    job->next - b.first : 0);
	}
	/* Of lines that failed there is none left; else, to the last. */
	return (!more || (job->redo && !tide_should_stop())) &&
	    !ferror(job->in);
}

/* For reading and writing, and made if it is not there. */
static FILE *
open_index(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	return fd < 0 ? NULL : fdopen(fd, "r+");
}

int
main(int argc, char **argv)
{
	const char *most = getenv("LINE_MOST");
	struct job job;
	int done, r;

	if (argc != 3) {
		fprintf(stderr, "usage: resumable TEXT INDEX\n");
		return 2;
	}
	memset(&job, 0, sizeof(job));
	job.most = most != NULL ? (size_t)atol(most) : 0;
	job.in = fopen(argv[1], "r");
	job.out = open_index(argv[2]);
	if (job.in == NULL || job.out == NULL) {
		perror("resumable");
		return 1;
	}
	r = tide_run_begin("index", TIDE_NONE, "line", NULL);
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
	free(job.line);
	/* All of it is on the disk before the run is said to be over. */
	if (fflush(job.out) != 0 || fdatasync(fileno(job.out)) != 0) {
		perror("resumable");
		return 1;
	}
	/* If that fails, what was done is done; a new start has more to do. */
	if (save(&job, job.next) != 0)
		fprintf(stderr, "resumable: no checkpoint of the end\n");
	else
		tide_run_finish(done);
	return done ? 0 : TIDE_EXIT_CHECKPOINT;
}
