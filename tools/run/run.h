/*
 * run.h - one `heaptide run`, from the command line to the exit status
 *
 * Beside the house (tools/run).  May use: base, sys, all of the tools before
 * it.  Used by: cmd-run.c, cmd-check.c.
 *
 *   run-program.c  calls the others in their order
 *   run-settings.c what files, presets and the environment say
 *   run-gate.c     whether there is room for it at all
 *   run-name.c     where the profile goes
 *   run-prepare.c  before the start: what stands against a profile, and what
 *                  the program is given
 *   run-watch.c    while it runs: it is looked at, and ended if it must be
 *   run-pressure.c the same: that memory is short
 *   run-page.c     the same, where nothing can be preloaded; that it shall end
 *   run-outcome.c  after its end: the profile is brought home, and told of
 *   run-judge.c    how it has come out, and what follows
 *   run-mortem.c   what it died of, in a sentence
 *   run-again.c    it is started again
 *
 * Whatever goes wrong on our side, the program runs; its user is told in one
 * sentence what will be lacking.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/room.h"
#include "control/limit.h"
#include "live/box.h"
#include "live/gather.h"
#include "plan/journal.h"
#include "profile/inspect.h"
#include "profile/reader.h"
#include "run/oom.h"
#include "run/outcome.h"
#include "run/retry.h"
#include "run/supervise.h"
#include "say/print.h"
#include "sys/place.h"
#include "sys/pressure.h"

#define RUN_NOT_GIVEN (-1)

/* Where the profile goes if nothing else is said. */
#define RUN_FILE "heaptide.%c.%p" SEGMENT_SUFFIX

enum keeper_choice { KEEPER_AUTO, KEEPER_ON, KEEPER_OFF };
enum summary_kind { SUMMARY_TEXT, SUMMARY_JSON, SUMMARY_OFF };

struct run_options {
	int stacks;       /* enum segment_stacks */
	int children;
	int summary;      /* enum summary_kind */
	uint64_t depth;   /* 0: not given */
	uint64_t sample;  /* the same */
	uint64_t epoch;   /* the same, in ns */
	bool scan;        /* at exit */
	int keeper;       /* enum keeper_choice */
	const char *on_growth; /* a rate, or NULL */
	const char *config;    /* a file, or NULL */
	/* Settings by their options, as given, or NULL. */
	const char *preset, *budget, *target, *warn, *critical, *enforce;
	const char *progress;
	const char *gate;
	const char *retries, *retry_delay, *fallback;
	bool retry_errors;
	uint64_t timeout;      /* ns, of all attempts; 0: none */
	uint64_t grace;        /* ns from SIGTERM to SIGKILL */
	const char *file;
	bool quiet;
	bool keep_command; /* with the checkpoints of the program */
};

/* Words by their number (enum segment_children), a NULL behind them. */
extern const char *const run_children_choices[];

#define RUN_GRACE_NS (10 * NS_PER_S) /* where nobody says anything */

/* Where the run (tide_run_begin()) of the program stands. */
struct run_standing {
	bool known, marked;    /* there is one; with a checkpoint */
	char id[JOURNAL_ID_ROOM];
	uint64_t cursor, batches; /* of that */
	uint64_t last_ns;      /* since 1970, of its last word */
};

/* An attempt, as it is told of. */
struct run_attempt {
	enum outcome outcome;
	int status, pid;
	uint64_t lived_ns, delay_ns;
	uint32_t n;            /* items of a batch in the next; 0: as ever */
};

#define RUN_LAST  16       /* attempts that are told of one by one */
#define RUN_WORDS 768

/* One run, from the command line to the exit status. */
struct run {
	const struct run_options *options;
	char **argv;
	int stacks;
	double growth;        /* bytes a second to turn to all stacks at; 0 */
	bool inside;          /* heaptide will be in the program; if not, */
	bool told;            /* why was said before the start */
	char directory[PLACE_ROOM]; /* of segments; "": there is none */
	char library[PLACE_ROOM];
	char id[64];          /* HEAPTIDE_RUN */
	char mark[80];        /* the same, as it is in an environment */
	char *log;            /* what the library has to say; NULL: the user
	                       * has a file for that */
	char *file;
	char *folder;
	bool home;            /* the profile is in file */
	struct inspection inspection;
	struct supervise child;
	struct gather gather;
	struct pressure_server pressure; /* fd -1: nobody is told by us */
	struct tide_room *page; /* for a program without us inside, or NULL */
	char *page_path;
	bool terminated;      /* SIGTERM has come */
	struct serve *serve;  /* where it can be asked; NULL: nowhere */
	uint64_t oom_kills;   /* at the start */
	bool oom;             /* the program was killed for lack of memory */
	bool recycled;        /* it was ended for its budget: start it again */

	/* Attempts: all of them, */
	bool supervised;      /* there may be more than one */
	struct retry_policy policy;
	struct retry retry;
	uint64_t deadline_ns; /* sys_clock(); 0: none */
	uint64_t attempts, outcomes[OUTCOMES];
	struct run_attempt last[RUN_LAST];
	uint64_t left_out;    /* items */
	char *failed_file;    /* profile of the last that failed, or NULL */
	bool input_told;
	/* and this one. */
	uint64_t started_ns;
	bool timed_out, stalled;
	struct box stall;     /* what it was ended for */
	struct oom oom_groups;
	struct limit limit;   /* as last looked at; bytes 0: never */
	bool judged;          /* and from here on it has ended */
	struct box box;
	uint64_t used, budget, refused;
	enum outcome outcome;
	struct run_standing standing;
	struct retry_verdict verdict;
	bool once_more, late; /* late: there is no time left for it */
	char words[RUN_WORDS]; /* what it died of */
};

/* --- run-program.c -------------------------------------------------------- */

/* @options and @argv must outlive it.  NULL: no memory, and it was said. */
struct run *run_create(const struct run_options *options, char **argv);
void run_free(struct run *run);

/*
 * Run it, from its start to what is told at its end.  True: it ran, and @status
 * is 0, or what heaptide itself has to say; run->home tells whether there is a
 * profile.  False: it could not be started, and @status is the one to end with.
 */
bool run_program(struct run *run, int *status);

/* --- run-name.c ----------------------------------------------------------- */

/* The first `%x` in @pattern that means nothing, or NULL. */
const char *run_bad_percent(const char *pattern);

/* Once the pid is known: run->file and run->folder.  False: no memory. */
bool run_name_results(struct run *run);

/* --- run-settings.c ------------------------------------------------------- */

struct config;

/*
 * Resolve all settings for a run: fill in @options what its command line left
 * open, and export what the program is to find.  False: @command has said what
 * is wrong.
 */
bool run_configure(const char *command, struct run_options *options,
    struct config *config);

/* --- run-gate.c ----------------------------------------------------------- */

/*
 * Is there the memory that the setting `gate` asks for?  COMMAND_DONE: go on;
 * else the exit status, and it was said why.
 */
int run_gate(const struct config *config);

/* --- run-prepare.c -------------------------------------------------------- */

/*
 * Beside this executable (built, not installed), or where it was installed.
 * False: it is not there, and @path says where it should be.
 */
bool run_find_library(char path[PLACE_ROOM]);

/* Say what stands against a profile, most fundamental first. */
void run_prepare(struct run *run);

/* Set the variables that the program and its children find. */
void run_export(struct run *run);

/* The same of what each attempt has for itself. */
void run_export_attempt(struct run *run);

/* --- run-watch.c ---------------------------------------------------------- */

/* Until it has ended. */
void run_watch(struct run *run);

/* --- run-pressure.c ------------------------------------------------------- */

/* Make and export what the program may wait at; not open yet. */
void run_offer_pressure(struct run *run);

/* Note its limit, and tell who waits there if there is pressure now. */
void run_look_at_pressure(struct run *run);

/* --- run-page.c ----------------------------------------------------------- */

/* Make and export the page.  Without it, such a program knows less. */
void run_offer_page(struct run *run);

/* In the new process, before it becomes the program: it is its own now. */
void run_sign_page(void *context);

/*
 * A signal is about to be passed on.  If it is SIGTERM, all processes of the
 * run that ask for their budget see that they should stop.  Return: ns that the
 * signal is to be held back for, or 0.
 */
uint64_t run_heed_signal(void *context, int signal);

/* What the page says, in place of a summary; false: it was not used. */
bool run_tell_page(struct run *run);

void run_close_page(struct run *run);

/* --- run-judge.c ---------------------------------------------------------- */

/* It has ended; @profile may be NULL.  Sets all that is said above of that. */
void run_judge(struct run *run, const struct profile *profile);

/* --- run-mortem.c --------------------------------------------------------- */

/* Fill in run->words, a sentence without who and without a full stop. */
void run_post_mortem(struct run *run, const struct profile *profile);

/* --- run-again.c ---------------------------------------------------------- */

/* What is to be done after a failure, as configured. */
void run_set_policy(struct run *run, const struct config *config);

/* True: another attempt is to be started, and the time for it has come. */
bool run_again(struct run *run);

/* If it is over, and not well: why. */
void run_tell_end(const struct run *run);

/* Its part of the summary. */
json_t *run_json_outcome(struct run *run);
void run_print_outcome(struct run *run);
#define RUN_ATTEMPTS_ROOM 512
char *run_attempts_words(const struct run *run, char words[RUN_ATTEMPTS_ROOM]);
char *run_left_out_words(const struct run *run, char words[RUN_ATTEMPTS_ROOM]);

/* --- run-outcome.c -------------------------------------------------------- */

/* It could not be started, with the negative errno @error.  An exit status. */
int run_tell_exec_failure(const struct run *run, int error);

/* It has ended.  0, or what heaptide itself has to say by its exit status. */
int run_conclude(struct run *run);

#endif
