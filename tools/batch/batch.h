/*
 * batch.h - one `heaptide batch`: items, jobs, and the memory between them
 *
 * Beside the house (tools/batch).  May use: base, model, sys, plan, all of the
 * tools before it.  Used by: cmd-batch.c, batch-*.c.
 *
 *   batch-template.c  the command, with places for items
 *   batch-items.c     where items come from
 *   batch-tuples.c    several of these, and all that can be made of them
 *   batch-inputs.c    which, by options and operands
 *   batch-halt.c      when it is given up; the exit status
 *   batch-joblog.c    GNU parallel's file of what was done
 *   results.c         what jobs wrote, kept for who gathers it (cluster.h)
 *   batch-settings.c  options and settings, and what contradicts each other
 *   batch-room.c      how much there is, who gets how much of it: leases
 *   batch-size.c      what a job needs, how many items it has: what was learned
 *   batch-watch.c     what jobs use while they run; who has to stand still
 *   batch-output.c    what jobs write, in pieces that belong together
 *   batch-spawn.c     a job is started
 *   batch-wait.c      jobs that are to be tried again
 *   batch-end.c       a job has ended: why, and what becomes of it
 *   batch-late.c      a job has to end, with all whom it has started
 *   batch-done.c      which items are done; what waits to be written
 *   batch-past.c      what was done before, by a joblog
 *   batch-journal.c   the same on disk: the run, for `checkpoints`, `resume`
 *   batch-work.c      and how it goes, for `report RUN`
 *   batch-progress.c  how far it is, while it runs
 *   batch-report.c    how it was, at its end
 *   batch-signals.c   signals that come, and who is told
 *   batch-loop.c      all of that, in turn
 *
 * A job is CMD with some items.  What it takes is a lease from a ledger
 * (plan/shares.h) that this batch has for itself, or with others
 * (HEAPTIDE_POOL), so the law that decides is that of model/lease.h.  A job
 * that grows beyond its lease has the lease extended; where that cannot be, the
 * youngest jobs stand still (SIGSTOP) until others have ended.  The oldest
 * never does, so there is always one that goes on.
 */
#ifndef BATCH_BATCH_H
#define BATCH_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

#include "batch/batch-halt.h"
#include "batch/batch-items.h"
#include "batch/batch-joblog.h"
#include "batch/batch-template.h"
#include "batch/batch-tuples.h"
#include "batch/results.h"
#include "model/course.h"
#include "model/delay.h"
#include "model/knee.h"
#include "model/sizing.h"
#include "plan/journal.h"
#include "plan/shares.h"
#include "profile/inspect.h"
#include "run/kin.h"
#include "say/option.h"
#include "settings/config.h"
#include "sys/place.h"

#define BATCH_PLACES 1024 /* jobs at one time, at most */

struct batch_options {
	/* items */
	struct option_list files;
	const char *delimiter;
	bool null;
	uint64_t fixed, chunk, limit;
	bool spread;
	/* jobs */
	uint64_t jobs, timeout, delay, retries, retry_delay, fallback;
	bool shell, dry_run;
	const char *halt, *mode, *gate;
	/* output */
	bool keep_order, group, lines, ungroup, tag, quiet;
	int progress, summary;
	const char *unit;
	/* going on */
	const char *joblog;
	bool resume, resume_failed, retry_failed, keep_command;
	/* memory */
	const char *preset, *budget, *target, *warn, *critical, *enforce;
	const char *config, *stacks, *profile;
	bool no_preload;
	/* on a cluster */
	int engine;
	uint64_t shards, requeues;
	struct option_list sbatch;
	bool no_wait;
	const char *results; /* of a task */
	uint64_t first;
};

enum batch_engine { ENGINE_LOCAL, ENGINE_SLURM };

#define BATCH_NOT_GIVEN UINT64_MAX

enum batch_progress { PROGRESS_OFF, PROGRESS_LINES, PROGRESS_BAR,
	PROGRESS_JSON };

/* What a job that was taken in parts comes to. */
struct batch_whole {
	size_t left; /* items */
	uint64_t end;  /* the first item behind it */
	uint64_t number, bytes, order;
	int status, signal;
	double started, seconds;
	char *command;
};

/* Why a job ended, see batch-end.c. */
enum job_end {
	JOB_DONE,
	JOB_ERROR,
	JOB_KILLED,     /* for lack of memory */
	JOB_NO_MEMORY,  /* it said so: exit status 75, or it crashed for it */
	JOB_AGAIN,      /* exit status 85: it wants to be started again */
	JOB_PREEMPTED,  /* by us, for others to go on */
	JOB_LATE,       /* --timeout */
	JOB_ABANDONED   /* the batch was given up */
};

struct spool;

struct job {
	struct job *next, *before;
	uint64_t number;     /* Seq */
	uint64_t chunk;      /* of those that were started, which one */
	uint64_t first;      /* of its items, the first of all is 0 */
	size_t count;
	char **item;
	struct batch_whole *whole; /* that it is a part of; or NULL */
	unsigned errors, kills;    /* so far */
	uint64_t need;       /* bytes, as far as is known; 0: it is not */
	bool alone;          /* nothing else may run beside it */
	uint64_t ready_ns;   /* not before */

	unsigned place;      /* from 0 */
	int pid;             /* its process group's as well */
	uint64_t started_ns, started_wall_ns;
	uint64_t now, most;  /* bytes, when last looked at */
	uint64_t grown_ns;   /* it grew by a few percent, last */
	uint64_t stood_ns, stood_from_ns; /* it stood still so long */
	uint64_t files;      /* of its resident memory, the least seen */
	bool preloaded, suspended, preempted, late, killed;
	bool between;        /* its lease is less than it will come to */
	bool outgrown;       /* it took more than was known of it */
	uint64_t kill_ns;    /* by SIGKILL then; 0: not */
	struct kin kin;      /* whom it has started, once it has to end */
	struct spool *spool;
	uint64_t bytes;      /* of output */
};

struct job_list {
	struct job *first, *last;
};

/* A line of the joblog that waits until all items before @end are told. */
struct batch_row {
	struct batch_row *next;
	uint64_t end;
	struct joblog_row row;
};

struct done;
struct rest;

struct batch {
	const struct batch_options *options;
	struct config config;
	struct template template;
	struct items items;
	struct tuples tuples; /* if there are several */
	const char *file;    /* that the items are from, if from one; or NULL */
	struct halt halt;
	struct halt_counts counts; /* jobs */

	/* settings, as they come out */
	unsigned jobs;       /* at one time */
	uint32_t fixed;      /* items of a job; 0: learned */
	uint32_t most;       /* items of a job, at most; 0: no cap */
	uint64_t retries, retry_delay_ns, retry_cap_ns, memory_retries;
	uint32_t fallback;
	int progress, summary;
	const char *unit;
	struct setting_gate gate;
	bool gated, line_buffered, ungrouped, silent;
	uint64_t total;      /* items; UINT64_MAX: not known */
	size_t argument_bytes; /* of a command, at most */

	/* jobs */
	struct job *place[BATCH_PLACES]; /* by place; NULL: free */
	unsigned running, standing; /* of these, suspended */
	struct job_list again; /* to be tried again, by first item */
	struct job_list later; /* and not yet, by ready_ns */
	struct rest *rests;    /* of jobs that had to end, see batch-late.c */
	char *spare;         /* an item that did not fit any more */
	bool starved;        /* items may come later */
	bool exhausted;      /* there are no more */
	uint64_t items_begun, chunks;
	uint64_t before_items, before_jobs; /* of earlier shards: --first */
	const uint64_t *numbers; /* by item, of --retry-failed; or NULL */
	uint64_t started_last_ns;

	/* the end */
	bool stopping;       /* nothing is started any more */
	bool halted;
	bool leaves;         /* with 85, as it was told by SIGUSR1 */
	int last;            /* status of the job that it was halted for */
	int signal;          /* that we got; 0: none */
	int own;             /* an exit status of our own; 0: none */
	unsigned signals;
	int signal_fd;

	/* room */
	struct shares pool;
	struct shares_member keeper; /* of the pool, if it is our own */
	struct shares_member member[BATCH_PLACES];
	void *memory;        /* of the pool, if it is our own */
	uint64_t limit;      /* bytes for all jobs together, now */
	uint64_t limit_seen; /* the same, when last looked at */
	uint64_t leaving, leaving_ns; /* bytes of who has ended; since */
	uint64_t used;       /* by all jobs, when last looked at */
	uint64_t rate;       /* bytes a second, of that */
	uint64_t room_ns, look_ns; /* when looked at; next time to look */
	uint64_t late_ns;    /* that looks come later than that, lately */
	uint64_t oom_seen, oom_open; /* kills by the kernel; not yet told of */
	bool named;          /* the pool is others' as well */
	unsigned ramp;       /* jobs at one time, while nothing is known */
	bool scarce_told;    /* no file or process could be had for a job */
	uint64_t scarce_ns, scarce_since_ns; /* nothing is started till then */
	struct delay delay;
	uint64_t delay_until_ns, delay_since_ns, delay_used;

	/* what was learned */
	struct sizing sizing;
	struct knee knee;
	struct sizing_conf conf;
	uint64_t peaks[256]; /* a ring, of single jobs */
	uint64_t peaks_seen, peak_largest, need_known;
	struct course course[BATCH_PLACES]; /* of what runs, by place */
	struct courses courses;             /* of what has ended */
	uint64_t files;      /* the least of any job */
	uint64_t job_ns;     /* that jobs take, about */

	/* starting */
	char **plain, **inside; /* environments; the latter is for ours */
	char library[PLACE_ROOM], directory[PLACE_ROOM];
	bool preloads, ignores_pipe;
	uint64_t started_jobs;
	char id[JOURNAL_ID_ROOM];
	int null;            /* /dev/null */

	/* output */
	struct spool *spools; /* free ones */
	struct done *done, *done_last; /* by first item, not yet told */
	uint64_t cursor;     /* all before it is done */
	unsigned held;       /* of them, with output */
	bool deaf;           /* what jobs write cannot be told any more */
	struct results results; /* where it is kept instead; .fd -1: not */
	bool keeping;        /* it is written there just now */

	/* going on */
	struct joblog joblog;
	int joblog_fd;       /* -1: none */
	struct batch_row *rows; /* of --keep-order, not yet logged */
	struct done *past;   /* done before: from the journal, sorted */
	struct journal *journal; /* NULL: none */
	uint64_t marked_ns, marked_jobs, mark_number;
	struct journal_work before; /* what earlier processes came to */
	struct tide_op_stats op;    /* our own jobs */
	uint64_t told_ns;    /* when that was written down */

	/* progress and report */
	uint64_t began_ns, shown_ns;
	bool shown;
	struct batch_figures {
		uint64_t items, items_failed, skipped, before;
		uint64_t tries, oom, no_memory, preempted, suspended, split;
		uint64_t poison, late, retried;
		uint64_t peak_sum;   /* of jobs, for the mean */
		uint64_t peak_jobs, peak_job, peak_items;
		uint64_t peak_used;  /* by all at one time */
		uint64_t peak_limit; /* that there was then */
		uint64_t wait_ns, waits; /* for room */
		uint64_t delay_ns, delay_freed;
		uint64_t wasted_us, busy_us; /* CPU time */
		uint64_t marks;
		double used_area;    /* bytes x seconds */
		uint64_t used_ns, high_ns; /* in all; above 80 % */
	} figures;
	uint64_t waiting_ns; /* for room, since; 0: not */
	uint64_t area_ns;
};

/* --- batch-settings.c ----------------------------------------------------- */

/*
 * Options, files, presets and the job of --mode.  COMMAND_DONE, or an exit
 * status, and it was said why.  @command: CMD; may come from the job, and is
 * then to be freed with @made.
 */
struct batch_command {
	const struct command *of; /* `batch` itself: its rows, its defaults */
	char **word;
	size_t count;
	char **item;  /* behind `:::`, or of several sources from the first of
	               * these words on; NULL: there was none */
	bool several; /* sources */
	bool shell;
	char *made;   /* what the words lie in, to be freed */
};
int batch_configure(struct batch *b, int operands, char **operand,
    struct batch_command *command);

/* --- batch-inputs.c ------------------------------------------------------- */

/* Operands before the first `:::` or its like. */
size_t batch_inputs_find(int operands, char **operand);
/* What stands from there on, and whether that makes several sources. */
void batch_inputs_several(const struct batch *b, struct batch_command *command,
    char **operand, size_t count);
/* @file: the one that is to be read, if one is; NULL.  An exit status. */
int batch_inputs_open(struct batch *b, const struct batch_command *command,
    const char *file);

/* --- batch-room.c --------------------------------------------------------- */

/* An exit status. */
int batch_room_open(struct batch *b);
void batch_room_close(struct batch *b);

/* How much there is now, if it is time to ask; the pool is told. */
void batch_room_read(struct batch *b, bool now);

/* May @job start at @place?  It holds its lease then. */
bool batch_room_take(struct batch *b, struct job *job, unsigned place);

/* Bytes that @job holds of the pool. */
uint64_t batch_room_lease(const struct batch *b, const struct job *job);
/* It is to be at least @bytes; false: there is no room for that. */
bool batch_room_extend(struct batch *b, struct job *job, uint64_t bytes);
void batch_room_give(struct batch *b, const struct job *job);

/* So much of what jobs used is not theirs any more. */
void batch_room_leave(struct batch *b, uint64_t bytes);
/* All jobs together use so much now. */
void batch_room_peak(struct batch *b, uint64_t used);
/* How much there was when they used most. */
uint64_t batch_room_budget(const struct batch *b);

/* What a batch could take now: to be compared with a gate. */
uint64_t batch_room_left(const struct batch *b);

/* --- batch-size.c --------------------------------------------------------- */

void batch_size_open(struct batch *b);
/* Items that the next job is to have, if @left bytes are its own. */
uint32_t batch_size_next(const struct batch *b);
/* Bytes that @job will need; 0: nothing is known. */
uint64_t batch_size_need(const struct batch *b, const struct job *job);
/* Bytes beside, for one job that is larger than most. */
uint64_t batch_size_tail(const struct batch *b);
/* A lease is about what any has taken: no tail of far larger ones. */
bool batch_size_is_even(const struct batch *b);
/* May one more begin, as others end before it has grown?  See
 * model/course.h. */
bool batch_size_fits_between(const struct batch *b, uint64_t room);
/* How far @job, which has @lease, will have come in @ns; UINT64_MAX: nobody
 * knows. */
uint64_t batch_size_reach(const struct batch *b, const struct job *job,
    uint64_t lease, uint64_t ns);
/* How old it is, without the time that it stood still. */
uint64_t batch_size_age(const struct job *job);
/* It has ended, and took @bytes; @failed: for lack of memory. */
void batch_size_learn(struct batch *b, const struct job *job, uint64_t bytes,
    uint64_t ns, bool failed);

/* --- batch-watch.c -------------------------------------------------------- */

/* Look at all jobs, if it is time; suspend, resume, end. */
void batch_watch(struct batch *b);
/* What it used at most, now that it has ended but was not waited for yet. */
uint64_t batch_watch_peak(struct batch *b, struct job *job,
    const struct rusage *usage, uint64_t heap);
void batch_watch_resume(struct batch *b);
void batch_watch_signal(struct batch *b, struct job *job, int signal);

/* --- batch-output.c ------------------------------------------------------- */

struct spool {
	struct spool *next;
	int fd[2];     /* of stdout and stderr: files, or our ends of pipes */
	int to[2];     /* the job's ends of pipes; -1 */
	bool pipes;
	bool haunted;  /* a process of its job may still write there */
	char *tag;     /* or NULL */
	struct part_line {
		char *text;
		size_t used, room;
		bool begun; /* a part of this line was told */
	} line[2];
};

/* NULL: none can be had; errno. */
struct spool *batch_spool(struct batch *b, const struct job *job);
/* The job has ended: bytes that it wrote. */
uint64_t batch_spool_end(struct batch *b, const struct job *job);
/* False: there was no room for all that the job wrote, and the batch is
 * over. */
bool batch_spool_is_whole(struct batch *b, const struct job *job);
/* All of it is told, or (@drop) nobody wants it. */
void batch_spool_tell(struct batch *b, struct spool *spool, bool drop);
/* Of line-buffered jobs: what can be read now. */
void batch_spool_pump(struct batch *b, struct spool *spool);
/* The same, into b->results; @spool NULL: there is nothing. */
void batch_spool_keep(struct batch *b, struct spool *spool, uint64_t first,
    uint64_t count);
void batch_spools_close(struct batch *b);
void batch_write(struct batch *b, int fd, const char *text, size_t bytes);

/* --- batch-spawn.c -------------------------------------------------------- */

/* An exit status; it is said what stands against a profile. */
int batch_spawn_open(struct batch *b, char *const *word);
void batch_spawn_close(struct batch *b);
/* 0: it runs at its place; else an errno value. */
int batch_spawn(struct batch *b, struct job *job);
/* The command of a job, for people and the joblog; to be freed. */
char *batch_job_text(const struct batch *b, const struct job *job);
/* What its heap came to, by its segment, which goes; 0: not known. */
uint64_t batch_spawn_heap(struct batch *b, struct job *job);

/* --- batch-wait.c --------------------------------------------------------- */

void batch_job_free(struct job *job);
/* Put it among those to be tried again. */
void batch_wait_again(struct batch *b, struct job *job);
/* The first of them whose time has come, or NULL. */
struct job *batch_wait_next(struct batch *b, uint64_t now_ns);
bool batch_wait_any(const struct batch *b);
void batch_wait_free(struct batch *b);

/* --- batch-end.c ---------------------------------------------------------- */

/* All that have ended by now. */
void batch_reap(struct batch *b);
/* It could not be started: errno value @error. */
void batch_end_unstarted(struct batch *b, struct job *job, int error);
/* It is not to be started, by the gate. */
void batch_end_skipped(struct batch *b, struct job *job);
/* Of --keep-order: lines of the joblog for what ends by @cursor. */
void batch_rows_log(struct batch *b, uint64_t cursor);

/* --- batch-late.c --------------------------------------------------------- */

/* The batch is given up: @now: and so is what runs. */
void batch_stop(struct batch *b, bool now);
/* What must go on while we wait for who reads. */
void batch_attend(struct batch *b);

/* It has to end: SIGTERM now, SIGKILL later. */
void batch_late_end(struct batch *b, struct job *job);
/* It has ended, and was not waited for: whom it leaves behind. */
void batch_late_left(struct batch *b, struct job *job);
/* Who is late, and who has had the time that there was. */
void batch_late_look(struct batch *b);
/* When to look next, if before @until_ns. */
uint64_t batch_late_next(const struct batch *b, uint64_t until_ns);
/* Nobody is left behind. */
void batch_late_wait(struct batch *b);

/* --- batch-done.c --------------------------------------------------------- */

struct done {
	struct done *next, *before;
	uint64_t first, count;
	struct spool *spool; /* what is to be told in its turn, or NULL */
};

/*
 * These items are done with.  @spool is given over.  False: what they wrote
 * could not be told, so for who goes on they are not done.
 */
bool batch_done(struct batch *b, uint64_t first, uint64_t count,
    struct spool *spool);
/* Were these done by an earlier process?  Their number from @first on. */
uint64_t batch_done_before(struct batch *b, uint64_t first);
/* There will be no more: what waits for its turn is told. */
void batch_done_flush(struct batch *b);
void batch_done_free(struct batch *b);

/* --- batch-past.c --------------------------------------------------------- */

/* Read the joblog, if it is to be gone on with, and open it.  An exit
 * status. */
int batch_past_open(struct batch *b);

/* --- batch-journal.c ------------------------------------------------------ */

/* What it is called, in b->id. */
void batch_name(struct batch *b, const struct batch_command *command);
/* An exit status. */
int batch_journal_open(struct batch *b, const struct batch_command *command);
void batch_journal_job(struct batch *b, const struct job *job, uint64_t ns,
    bool failed, const char *why);
/* What is done is on disk a second later. */
void batch_journal_tick(struct batch *b);
void batch_journal_close(struct batch *b, bool finished);

/* --- batch-work.c --------------------------------------------------------- */

/* A job is over, which counts as a batch. */
void batch_work_add(struct batch *b, const struct journal_batch *batch);
/* How it went so far, of this process alone. */
void batch_work_sum(const struct batch *b, struct journal_totals *t);
/* That of all, into the journal; if it is time, or @now. */
void batch_work_tell(struct batch *b, bool now);

/* --- batch-say.c ---------------------------------------------------------- */

/* A sentence on stderr, past the bar. */
void batch_say(struct batch *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The bar is off the screen, till it is shown again. */
void batch_bar_clear(struct batch *b);

/* --- batch-progress.c ----------------------------------------------------- */

void batch_progress_begin(struct batch *b, const struct job *job);
void batch_progress_end(struct batch *b, const struct job *job, uint64_t ns);
void batch_progress_tick(struct batch *b);
/* What is done, without a job that it is told of. */
void batch_progress_far(struct batch *b);

/* --- batch-report.c ------------------------------------------------------- */

void batch_report(const struct batch *b);

/* --- batch-signals.c ------------------------------------------------------ */

/* Block ours, and a descriptor for them; @was: the mask as it was. */
void batch_signals_open(struct batch *b, sigset_t *was);
void batch_signals_close(struct batch *b, const sigset_t *was);
/* Those that have come; outside of open and close none ever has. */
void batch_signals_take(struct batch *b);
/* A job has ended badly: was it a signal that comes to us as well, just now? */
void batch_signals_await(struct batch *b, int status);

/* --- batch-loop.c --------------------------------------------------------- */

/* An exit status. */
int batch_loop(struct batch *b);

#endif
