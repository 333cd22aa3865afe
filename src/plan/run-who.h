/*
 * run-who.h - by what a run, its process and its files are known again
 *
 * Floor (plan).  May use: base, sys, journal.h.  Used by: run.c, tools, and
 * heaptide.h, of which it is a part.
 * Contexts: as journal.h; no state of its own.
 */
#ifndef PLAN_RUN_WHO_H
#define PLAN_RUN_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/journal.h"

/*
 * Where the files of runs lie: $HEAPTIDE_STATE/runs, else
 * $XDG_STATE_HOME/heaptide/runs, else ~/.local/state/heaptide/runs.
 * @environment: as in main(), or NULL.  0, -ENAMETOOLONG, or -ENOENT: none of
 * the three is set.
 */
int run_who_directory(char *const *environment, char path[JOURNAL_PATH]);

/* The same, made if it is not there, 0700. */
int run_who_make_directory(char *const *environment, char path[JOURNAL_PATH]);

/* What was learned lies beside them: models/; @make: as above. */
int run_who_models(char *const *environment, bool make,
    char path[JOURNAL_PATH]);

/* The file of run @id there.  -EINVAL: that is no name of a run. */
int run_who_path(char *const *environment, const char *id,
    char path[JOURNAL_PATH]);

/*
 * A run of this name, of this program with these arguments in this directory:
 * the same when it is started again.
 */
void run_who_id(const char *name, char id[JOURNAL_ID_ROOM]);

/* @name as far as it may be in a file's, and a sum of @hash. */
void run_who_name(const char *name, uint64_t hash, char id[JOURNAL_ID_ROOM]);

/*
 * `RUN` or `RUN@NUMBER`, as in HEAPTIDE_RESUME.  @number: 0 if there is none.
 * -EINVAL: it is neither.
 */
int run_who_parse(const char *text, char id[JOURNAL_ID_ROOM],
    uint64_t *number);

/* The calling process.  @supervisor: HEAPTIDE_RUN, or NULL. */
void run_who_am_i(struct journal_holder *holder, const char *supervisor);

/* Is it surely dead: of this boot and pid namespace, and not there? */
bool run_who_is_dead(const struct journal_holder *holder);

/* Of the arguments, and of the environment but for what changes each time. */
uint64_t run_who_arguments(void);
uint64_t run_who_environment(char *const *environment);

/*
 * A file as it is now.  0, -EINVAL: it is no regular file, or what open() says;
 * @file has its path in any case.
 */
int run_who_file(const char *path, struct journal_identity *file);

/* The build-id of a program, cut or filled up with zeros; false: it has none. */
bool run_who_build_id(const char *path, uint8_t id[JOURNAL_BUILD_ID]);

/* What is other than it was, for people; NULL: nothing that is looked at. */
const char *run_who_differs(const struct journal_identity *was,
    const struct journal_identity *is);

#endif
