#include "runs/runs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/run-who.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/sys.h"

extern char **environ;

/* --- reading -------------------------------------------------------------- */

static void
read_file(struct run_file *file)
{
	int fd = journal_look(file->path);

	file->error = run_look_read(&file->look, file->path);
	if (fd >= 0) {
		file->locked = sys_is_locked(fd) == 1;
		close(fd);
	}
}

static int
by_age(const void *a, const void *b)
{
	const struct run_file *x = a, *y = b;

	if (x->look.last_ns != y->look.last_ns)
		return x->look.last_ns > y->look.last_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

static void
add(struct runs *runs, const char *directory, const char *name)
{
	size_t n = strlen(name), end = strlen(JOURNAL_SUFFIX);
	struct run_file *file;

	if (n <= end || n - end >= JOURNAL_ID_ROOM ||
	    strcmp(name + n - end, JOURNAL_SUFFIX) != 0)
		return;
	runs->file = need(realloc(runs->file, (runs->count + 1) *
	    sizeof(*runs->file)));
	file = &runs->file[runs->count++];
	memset(file, 0, sizeof(*file));
	memcpy(file->id, name, n - end);
	if (snprintf(file->path, sizeof(file->path), "%s/%s", directory,
	    name) < (int)sizeof(file->path))
		read_file(file);
	else
		file->error = -ENAMETOOLONG;
}

int
runs_open(const char *command, struct runs *runs)
{
	char path[JOURNAL_PATH];
	struct dirent *entry;
	DIR *directory;
	int r = run_who_directory(environ, path);

	memset(runs, 0, sizeof(*runs));
	if (r < 0) {
		print_error("%s: there is no directory of runs: %s", command,
		    r == -ENOENT ? "set HEAPTIDE_STATE or HOME" :
		    strerror(-r));
		return COMMAND_FAILED;
	}
	directory = opendir(path);
	if (directory == NULL && errno == ENOENT)
		return COMMAND_DONE;
	if (directory == NULL) {
		print_error("%s: cannot read %s: %s", command, path,
		    strerror(errno));
		return COMMAND_FAILED;
	}
	while ((entry = readdir(directory)) != NULL)
		add(runs, path, entry->d_name);
	closedir(directory);
	if (runs->count > 0)
		qsort(runs->file, runs->count, sizeof(*runs->file), by_age);
	return COMMAND_DONE;
}

void
runs_close(struct runs *runs)
{
	free(runs->file);
	memset(runs, 0, sizeof(*runs));
}

static int
refuse(const char *command, const struct run_file *file, int error)
{
	if (error == -ENOENT)
		print_error("%s: there is no run '%s'; 'heaptide checkpoints "
		    "list' has their names", command, file->id);
	else if (error == -EBADMSG)
		print_error("%s: %s is no file of checkpoints, or damaged at "
		    "its start", command, file->path);
	else
		print_error("%s: cannot read %s: %s", command, file->path,
		    strerror(-error));
	return COMMAND_FAILED;
}

/* 0; -EINVAL: no run can have that name; or why it cannot be read. */
static int
look_up(const char *name, struct run_file *file, uint64_t *number)
{
	uint64_t ignored;
	int r;

	memset(file, 0, sizeof(*file));
	r = run_who_parse(name, file->id, number != NULL ? number : &ignored);
	if (r < 0 || (number == NULL && ignored != 0))
		return -EINVAL;
	r = run_who_path(environ, file->id, file->path);
	if (r < 0)
		return r;
	read_file(file);
	return file->error;
}

int
runs_look_up(const char *name, struct run_file *file)
{
	return look_up(name, file, NULL);
}

int
runs_find(const char *command, const char *name, struct run_file *file,
    uint64_t *number)
{
	int r = look_up(name, file, number);

	if (r == -EINVAL && file->path[0] == '\0') {
		print_error("%s: '%s' is no name of a run; %s is accepted, "
		    "and 'heaptide checkpoints list' has the names", command,
		    name, number != NULL ? "RUN or RUN@NUMBER" : "RUN");
		return COMMAND_USAGE;
	}
	return r == 0 ? COMMAND_DONE : refuse(command, file, r);
}

/* `dir/index-5f3c09aa.tideck`: its name; false: it is no such path. */
static bool
is_path(const char *name, char id[JOURNAL_ID_ROOM])
{
	const char *slash = strrchr(name, '/');
	const char *last = slash != NULL ? slash + 1 : name;
	size_t n = strlen(last), end = strlen(JOURNAL_SUFFIX);

	if (n <= end || n - end >= JOURNAL_ID_ROOM ||
	    strcmp(last + n - end, JOURNAL_SUFFIX) != 0)
		return false;
	memset(id, 0, JOURNAL_ID_ROOM);
	memcpy(id, last, n - end);
	return access(name, F_OK) == 0;
}

bool
runs_meant(const char *name)
{
	char id[JOURNAL_ID_ROOM], path[JOURNAL_PATH];
	uint64_t number;

	if (is_path(name, id))
		return true;
	return text_parse_u64(name, INT32_MAX, &number) != 0 &&
	    access(name, F_OK) != 0 &&
	    run_who_parse(name, id, &number) == 0 && number == 0 &&
	    run_who_path(environ, id, path) == 0 && access(path, F_OK) == 0;
}

const char *
runs_neither(const char *name)
{
	char id[JOURNAL_ID_ROOM];
	uint64_t number;

	return access(name, F_OK) == 0 || strchr(name, '/') != NULL ||
	    text_parse_u64(name, INT32_MAX, &number) == 0 ||
	    run_who_parse(name, id, &number) < 0 ? "" : ", and there is no "
	    "run of that name ('heaptide checkpoints list')";
}

int
runs_open_meant(const char *command, const char *name, struct run_file *file)
{
	memset(file, 0, sizeof(*file));
	if (!is_path(name, file->id))
		return runs_find(command, name, file, NULL);
	if (strlen(name) >= sizeof(file->path))
		file->error = -ENAMETOOLONG;
	else
		strcpy(file->path, name);
	if (file->error == 0)
		read_file(file);
	return file->error == 0 ? COMMAND_DONE :
	    refuse(command, file, file->error);
}

int
runs_each(const struct run_file *file, uint32_t type,
    void (*each)(void *context, const struct journal_record *record),
    void *context)
{
	struct journal_reader reader;
	struct journal_record record;
	uint8_t *buffer;
	int fd = journal_look(file->path);

	if (fd < 0)
		return fd;
	buffer = run_look_buffer();
	if (buffer == NULL) {
		close(fd);
		return -ENOMEM;
	}
	journal_read(&reader, fd, buffer);
	while (journal_next(&reader, &record) > 0)
		if (record.type == type)
			each(context, &record);
	run_look_no_buffer(buffer);
	close(fd);
	return reader.error;
}

int
runs_failed(const char *command, const struct run_file *file,
    struct run_failed *failed)
{
	uint8_t *buffer = need(malloc(JOURNAL_BUFFER));
	int fd = journal_look(file->path), r = fd;

	memset(failed, 0, sizeof(*failed));
	if (fd >= 0) {
		r = run_failed_read(fd, buffer, failed);
		close(fd);
	}
	free(buffer);
	if (r == 0)
		return COMMAND_DONE;
	print_error("%s: cannot read %s: %s", command, file->path,
	    strerror(-r));
	return COMMAND_FAILED;
}

/* --- words ---------------------------------------------------------------- */

const char *
runs_state(const struct run_file *file)
{
	if (file->error != 0)
		return "damaged";
	if (file->look.ended && file->look.ok)
		return "finished";
	return file->locked ? "running" : "interrupted";
}

char *
runs_progress(const struct run_file *file, char text[RUNS_PROGRESS_ROOM])
{
	const struct run_look *look = &file->look;

	if (look->total == TIDE_NONE)
		snprintf(text, RUNS_PROGRESS_ROOM, "%llu",
		    (unsigned long long)look->mark.cursor);
	else
		snprintf(text, RUNS_PROGRESS_ROOM, "%llu/%llu",
		    (unsigned long long)look->mark.cursor,
		    (unsigned long long)look->total);
	return text;
}

uint64_t
runs_age(const struct run_file *file)
{
	return above_u64((uint64_t)sys_clock_wall(), file->look.last_ns);
}

static json_t *
seconds(uint64_t ns)
{
	return json_real((double)ns / (double)NS_PER_S);
}

json_t *
runs_json(const struct run_file *file)
{
	const struct run_look *look = &file->look;
	double percent = run_look_percent(look);
	char progress[RUNS_PROGRESS_ROOM];
	const struct json_member members[] = {
		{ "batchId", json_text(file->id) },
		{ "progress", json_text(runs_progress(file, progress)) },
		{ "completion", percent < 0 ? json_null() :
		    json_real(percent) },
		{ "name", json_text(look->begin.name) },
		{ "state", json_text(runs_state(file)) },
		{ "unit", json_text(look->begin.unit) },
		{ "cursor", json_number(look->mark.cursor) },
		{ "total", look->total == TIDE_NONE ? json_null() :
		    json_number(look->total) },
		{ "checkpoint", json_number(look->mark_number) },
		{ "checkpoints", json_number(look->marks) },
		{ "batches", json_number(look->batches) },
		{ "last_n", json_number(look->last_n) },
		{ "failed", json_number(look->failed) },
		{ "quarantined", json_number(look->quarantined) },
		{ "attempts", json_integer(look->attempts) },
		{ "pid", json_integer(look->holder.pid) },
		{ "started", seconds(look->begin_ns) },
		{ "written", seconds(look->last_ns) },
		{ "bytes", json_number(look->bytes) },
		{ "path", json_text(file->path) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}
