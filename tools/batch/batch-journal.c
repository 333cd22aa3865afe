/*
 * batch-journal.c - the run of a batch on disk, as `heaptide checkpoints` and
 * `heaptide resume` know it
 *
 * A mark's cursor is the first item that is not done, and its blob has what is
 * done behind it: pairs of a first item and a number.  Nobody goes on by
 * accident: the same command begins anew, unless HEAPTIDE_RESUME or --resume
 * says else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/crc.h"
#include "base/text.h"
#include "batch/batch.h"
#include "plan/journal.h"
#include "plan/run-look.h"
#include "plan/run-who.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/sys.h"

#define MARK_NS    NS_PER_S
#define FEW_RANGES 16
#define RANGES     (JOURNAL_BLOB_MOST / sizeof(struct range))
#define NAME_KEPT  28

extern char **environ;

struct range {
	uint64_t first, count;
};

/* --- which run it is ------------------------------------------------------ */

static uint64_t
hash_text(uint64_t hash, const char *text)
{
	size_t n = strlen(text) + 1;
	uint64_t piece[64];

	for (; n > sizeof(piece); text += sizeof(piece), n -= sizeof(piece)) {
		memcpy(piece, text, sizeof(piece));
		hash = crc_hash(hash, piece, sizeof(piece));
	}
	memset(piece, 0, sizeof(piece));
	memcpy(piece, text, n);
	return crc_hash(hash, piece, sizeof(piece));
}

/* The command, where its items are from, and the directory: no options. */
void
batch_name(struct batch *b, const struct batch_command *c)
{
	const char *name = b->options->mode != NULL ? b->options->mode :
	    c->count > 0 ? c->word[0] : "batch";
	char *directory = getcwd(NULL, 0);
	uint64_t hash = hash_text(0, directory != NULL ? directory : "");
	size_t i;

	free(directory);
	for (i = 0; i < c->count; i++)
		hash = hash_text(hash, c->word[i]);
	for (i = 0; c->item != NULL && c->item[i] != NULL; i++)
		hash = hash_text(hash, c->item[i]);
	for (i = 0; i < b->options->files.count; i++)
		hash = hash_text(hash, b->options->files.value[i]);
	name = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
	for (i = 0; i < NAME_KEPT && name[i] != '\0'; i++)
		b->id[i] = (name[i] >= 'a' && name[i] <= 'z') ||
		    (name[i] >= 'A' && name[i] <= 'Z') ||
		    (name[i] >= '0' && name[i] <= '9') ||
		    (i > 0 && strchr("._-", name[i]) != NULL) ? name[i] : '_';
	snprintf(b->id + i, sizeof(b->id) - i, "-%08x",
	    (unsigned)(mix_u64(hash) & UINT32_MAX));
}

static void
describe(const struct batch *b, struct journal_begin *begin)
{
	memset(begin, 0, sizeof(*begin));
	memcpy(begin->id, b->id, sizeof(begin->id));
	snprintf(begin->name, sizeof(begin->name), "batch");
	snprintf(begin->unit, sizeof(begin->unit), "%s", b->unit);
	begin->total = b->total;
	begin->argv_hash = run_who_arguments();
	begin->env_hash = run_who_environment(environ);
	run_who_am_i(&begin->holder, getenv("HEAPTIDE_RUN"));
	(void)run_who_file("/proc/self/exe", &begin->program);
	/* That name is everybody's: the one behind it. */
	memset(begin->program.path, 0, sizeof(begin->program.path));
	if (readlink("/proc/self/exe", begin->program.path,
	    sizeof(begin->program.path) - 1) < 0)
		begin->program.path[0] = '\0';
}

/* --- going on ------------------------------------------------------------- */

static void
add_past(struct batch *b, uint64_t first, uint64_t count)
{
	struct done **at = &b->past, *d;

	if (count == 0)
		return;
	while (*at != NULL)
		at = &(*at)->next;
	d = need(malloc(sizeof(*d)));
	*d = (struct done){ .first = first, .count = count };
	*at = d;
}

/* What the mark says that is done. */
static void
read_mark(struct batch *b, const struct run_look *look, int fd)
{
	uint8_t *buffer = run_look_buffer();
	struct journal_record record;
	struct journal_mark mark;
	struct range range;
	size_t i, n;

	add_past(b, 0, look->mark.cursor);
	if (buffer == NULL || look->mark_number == 0 ||
	    !run_look_find(fd, buffer, look->mark_number, &record))
		goto out;
	journal_take(&record, &mark, sizeof(mark));
	n = min_u64(mark.blob, above_u64(record.bytes, sizeof(mark))) /
	    sizeof(range);
	for (i = 0; i < n; i++) {
		memcpy(&range, record.payload + sizeof(mark) +
		    i * sizeof(range), sizeof(range));
		add_past(b, range.first, range.count);
	}
out:
	if (buffer != NULL)
		run_look_no_buffer(buffer);
}

static int
check_input(const struct batch *b, const char *path)
{
	const char *file = b->file;
	struct journal_identity now, was = { .bytes = 0 };
	struct journal_record record;
	struct journal_reader reader;
	uint8_t *buffer;
	const char *how;
	int fd;

	if (file == NULL || run_who_file(file, &now) < 0)
		return COMMAND_DONE;
	buffer = run_look_buffer();
	fd = journal_look(path);
	if (buffer != NULL && fd >= 0) {
		journal_read(&reader, fd, buffer);
		while (journal_next(&reader, &record) > 0)
			if (record.type == JOURNAL_INPUT)
				journal_take(&record, &was, sizeof(was));
	}
	if (fd >= 0)
		close(fd);
	if (buffer != NULL)
		run_look_no_buffer(buffer);
	how = was.path[0] != '\0' ? run_who_differs(&was, &now) : NULL;
	if (how == NULL)
		return COMMAND_DONE;
	print_error("batch: cannot go on with %s: %s is not what it was: %s",
	    b->id, file, how);
	return COMMAND_FAILED;
}

/* From the newest mark, or from @number.  False: there is none such. */
static bool
find_mark(const struct batch *b, struct run_look *look, uint64_t number)
{
	uint8_t *buffer = run_look_buffer();
	struct journal_record record;
	bool found = true;

	if (buffer == NULL)
		return false;
	(void)run_look_settle(look, b->journal->fd, buffer);
	if (number != 0) {
		found = run_look_find(b->journal->fd, buffer, number,
		    &record) && record.type == JOURNAL_MARK;
		if (found)
			journal_take(&record, &look->mark,
			    sizeof(look->mark));
		look->mark_number = number;
	}
	run_look_no_buffer(buffer);
	return found;
}

static int
go_on(struct batch *b, const char *path, struct run_look *look,
    const struct journal_begin *begin, uint64_t number)
{
	struct journal_switch s = { .holder = begin->holder,
		.total = begin->total };
	int r = check_input(b, path);

	if (r != COMMAND_DONE)
		return r;
	if (!find_mark(b, look, number)) {
		print_error("batch: %s has no checkpoint %llu", b->id,
		    (unsigned long long)number);
		return COMMAND_FAILED;
	}
	s.asked = number != 0;
	s.from = look->mark_number;
	s.attempt = look->attempts + 1;
	b->before = look->work;
	read_mark(b, look, b->journal->fd);
	(void)journal_mark(b->journal, JOURNAL_SWITCH, &s, sizeof(s), NULL,
	    0);
	return COMMAND_DONE;
}

/* --- the beginning -------------------------------------------------------- */

/* Its own arguments, if somebody said that they may be kept. */
static void
keep_command(struct batch *b)
{
	const char *keep = getenv("HEAPTIDE_KEEP_COMMAND");
	char *directory, *text;
	ssize_t n = -1;
	FILE *file;

	if (!b->options->keep_command && (keep == NULL ||
	    !(strcmp(keep, "1") == 0 || strcmp(keep, "on") == 0)))
		return;
	directory = getcwd(NULL, 0);
	text = need(malloc(JOURNAL_BLOB_MOST));
	file = fopen("/proc/self/cmdline", "re");
	if (file != NULL) {
		n = (ssize_t)fread(text, 1, JOURNAL_BLOB_MOST, file);
		fclose(file);
	}
	if (directory != NULL && n > 0 && n < (ssize_t)JOURNAL_BLOB_MOST)
		(void)journal_put(b->journal, JOURNAL_COMMAND, directory,
		    strlen(directory) + 1, text, (size_t)n);
	free(directory);
	free(text);
}

static void
keep_input(struct batch *b)
{
	struct journal_identity file;

	if (b->file != NULL && run_who_file(b->file, &file) == 0)
		(void)journal_put(b->journal, JOURNAL_INPUT, &file,
		    sizeof(file), NULL, 0);
}

/* As open, but whoever left it open is dead (journal_seize()). */
static int
open_file(struct batch *b, const char *path, struct run_look *look)
{
	int r = journal_open(b->journal, path, &run_look_add, look);

	if (r != -EBUSY || run_look_read(look, path) < 0 ||
	    !run_who_is_dead(&look->holder))
		return r;
	memset(look, 0, sizeof(*look));
	return journal_seize(b->journal, path, &run_look_add, look);
}

static int
without(struct batch *b, const char *why)
{
	if (!b->silent)
		batch_say(b, "no checkpoints of this batch are kept: %s", why);
	free(b->journal);
	b->journal = NULL;
	return COMMAND_DONE;
}

/* The run that is to be gone on with; NULL: none. */
static const char *
wanted(const struct batch *b)
{
	const char *run = getenv("HEAPTIDE_RESUME");

	if (run != NULL && *run != '\0')
		return run;
	return b->options->resume && b->options->joblog == NULL ? b->id :
	    NULL;
}

int
batch_journal_open(struct batch *b, const struct batch_command *c)
{
	char path[JOURNAL_PATH], id[JOURNAL_ID_ROOM];
	struct journal_begin begin;
	const char *resume;
	struct run_look look;
	uint64_t number = 0;
	int r;

	batch_name(b, c);
	resume = wanted(b);
	if (resume != NULL && (run_who_parse(resume, id, &number) < 0 ||
	    strcmp(id, b->id) != 0)) {
		print_error("batch: HEAPTIDE_RESUME=%s is not this batch, "
		    "which is %s: the same command, items and directory are",
		    resume, b->id);
		return COMMAND_USAGE;
	}
	b->journal = need(calloc(1, sizeof(*b->journal)));
	b->journal->fd = -1;
	memset(&look, 0, sizeof(look));
	r = run_who_make_directory(environ, path);
	if (r < 0 && resume == NULL)
		return without(b, "HEAPTIDE_STATE, XDG_STATE_HOME and HOME "
		    "name no directory that can be used");
	if (r == 0)
		r = run_who_path(environ, b->id, path);
	if (r == 0) {
		describe(b, &begin);
		r = open_file(b, path, &look);
	}
	/* Killed before there was one, or never begun: nothing is done yet. */
	if (resume == b->id && r == -ENOENT) {
		if (!b->silent)
			batch_say(b, "there is no checkpoint of %s to go on "
			    "from: it begins", b->id);
		resume = NULL;
	}
	if (resume != NULL && r < 0) {
		print_error("batch: cannot go on with %s: %s", b->id,
		    r == -ENOENT ? "there is no checkpoint of it" :
		    strerror(-r));
		return COMMAND_FAILED;
	}
	if (resume != NULL)
		return go_on(b, path, &look, &begin, number);
	if (r == 0 || r == -ENOENT)
		r = journal_create(b->journal, path, &begin);
	if (r < 0)
		return without(b, r == -EBUSY ? "another process is at it" :
		    strerror(-r));
	keep_command(b);
	keep_input(b);
	return COMMAND_DONE;
}

/* --- while it runs -------------------------------------------------------- */

/* What is done behind the cursor; more than fit are done again. */
static size_t
collect(const struct batch *b, struct range *range)
{
	const struct done *d;
	size_t n = 0;

	for (d = b->done; d != NULL; d = d->next) {
		/* What waits for its turn was not told. */
		if (d->spool != NULL)
			continue;
		if (n > 0 && range[n - 1].first + range[n - 1].count ==
		    d->first)
			range[n - 1].count += d->count;
		else if (n < RANGES)
			range[n++] = (struct range){ d->first, d->count };
		else
			break;
	}
	return n;
}

static void
mark(struct batch *b)
{
	struct journal_mark m = {
		.cursor = b->cursor,
		.batches = b->counts.done,
		.items = b->figures.items + b->figures.before,
	};
	struct range *range = need(malloc(RANGES * sizeof(*range)));
	size_t n = collect(b, range);
	int r;

	batch_work_tell(b, false);
	m.blob = (uint32_t)(n * sizeof(*range));
	r = journal_mark(b->journal, JOURNAL_MARK, &m, sizeof(m), range,
	    m.blob);
	free(range);
	b->marked_ns = sys_clock();
	b->marked_jobs = b->counts.done;
	b->mark_number = n;
	if (r == 0)
		b->figures.marks++;
	else if (r != -EBUSY)
		(void)without(b, strerror(-r));
}

void
batch_journal_job(struct batch *b, const struct job *job, uint64_t ns,
    bool failed, const char *why)
{
	struct journal_batch batch = {
		.first = job->first, .count = job->count, .n = job->count,
		.peak = job->most, .used = b->used, .budget = b->limit,
		.time_ns = ns, .attempt = job->kills + job->errors + 1,
		.failed = failed ? (uint32_t)job->count : 0,
	};
	struct journal_fail fail = { .first = job->first,
		.count = job->count, .reason = -1,
		.attempt = job->kills + job->errors + 1 };

	if (b->journal == NULL)
		return;
	snprintf(batch.op, sizeof(batch.op), "batch");
	batch_work_add(b, &batch);
	(void)journal_put(b->journal, JOURNAL_BATCH, &batch, sizeof(batch),
	    NULL, 0);
	if (failed) {
		snprintf(fail.why, sizeof(fail.why), "%s",
		    why != NULL ? why : "");
		(void)journal_put(b->journal, JOURNAL_FAIL, &fail,
		    sizeof(fail), NULL, 0);
	}
	if (b->mark_number < FEW_RANGES && b->counts.done % 5 == 0)
		mark(b);
	else
		batch_journal_tick(b);
}

void
batch_journal_tick(struct batch *b)
{
	if (b->journal != NULL && b->marked_jobs != b->counts.done &&
	    sys_clock() - b->marked_ns >= MARK_NS)
		mark(b);
}

void
batch_journal_close(struct batch *b, bool finished)
{
	struct journal_end end = { .ok = finished };

	if (b->journal == NULL)
		return;
	batch_work_tell(b, true);
	mark(b);
	if (b->journal == NULL)
		return;
	end.cursor = b->cursor;
	end.batches = b->counts.done;
	end.items = b->figures.items + b->figures.before;
	if (finished)
		(void)journal_mark(b->journal, JOURNAL_END, &end, sizeof(end),
		    NULL, 0);
	journal_close(b->journal);
	free(b->journal);
	b->journal = NULL;
}
