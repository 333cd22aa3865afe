/*
 * runs.h - the runs of this user, by their files
 *
 * Beside the house (tools/runs).  May use: base, model, sys, plan, config,
 * need, print, json.  Used by: cmd-checkpoints.c, cmd-resume.c, cmd-report.c,
 * cmd-recommend.c, cmd-ops.c, cmd-status.c, account.h, tale.h, sim-journal.c.
 */
#ifndef RUNS_RUNS_H
#define RUNS_RUNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/run-failed.h"
#include "plan/run-look.h"
#include "profile/reader.h"

struct run_file {
	char path[JOURNAL_PATH];
	char id[JOURNAL_ID_ROOM];
	int error;        /* negative errno: what is there is not read */
	bool locked;      /* a process has it */
	struct run_look look;
};

struct runs {
	size_t count;
	struct run_file *file; /* the newest first */
};

/* An exit status; what is wrong was said for @command. */
int runs_open(const char *command, struct runs *runs);
void runs_close(struct runs *runs);

/* One of them, as `RUN` or `RUN@NUMBER`; @number NULL: without a number. */
int runs_find(const char *command, const char *name, struct run_file *file,
    uint64_t *number);

/* The same without a word, and a negative errno value. */
int runs_look_up(const char *name, struct run_file *file);
/*
 * Where a profile, a process or a run may be meant: @name is a run if it is no
 * number and no file, and there is a run of that name; or if it is the file of
 * one, by its suffix.  False: it is none.
 */
bool runs_meant(const char *name);

/* Behind why @name cannot be opened: that it is no run either, if it could
 * be. */
const char *runs_neither(const char *name);

/* That run; an exit status. */
int runs_open_meant(const char *command, const char *name,
    struct run_file *file);

/* "running", "finished", "interrupted", "damaged". */
const char *runs_state(const struct run_file *file);

/* `118/444`, or `118`; returns @text. */
#define RUNS_PROGRESS_ROOM 48
char *runs_progress(const struct run_file *file,
    char text[RUNS_PROGRESS_ROOM]);

/* Its members: batchId, progress, completion and more. */
json_t *runs_json(const struct run_file *file);

/*
 * Call @each for every record of @type, in their order.  0, or a negative errno
 * value.
 */
int runs_each(const struct run_file *file, uint32_t type,
    void (*each)(void *context, const struct journal_record *record),
    void *context);

/* What of it failed and was not done since; an exit status. */
int runs_failed(const char *command, const struct run_file *file,
    struct run_failed *failed);

/*
 * Print whether all is as it was: the file, the program, its inputs; and which
 * settings are others.  An exit status: COMMAND_GATE: it is not.
 */
int runs_verify(const struct run_file *file, bool json);

/* ns since it was last written to. */
uint64_t runs_age(const struct run_file *file);

#endif
