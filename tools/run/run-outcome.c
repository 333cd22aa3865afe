/*
 * run-outcome.c - after a run: its profile is brought home and summed up, and
 * what went wrong is told
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "profile/reader.h"
#include "report/summary.h"
#include "run/oom.h"
#include "run/run.h"
#include "say/command.h"
#include "say/print.h"
#include "sys/program.h"
#include "sys/sys.h"

#define WORDS_MOST 5 /* different sentences of the library that are told */

int
run_tell_exec_failure(const struct run *run, int error)
{
	const struct inspection *in = &run->inspection;
	bool missing = in->path == NULL && error == -ENOENT;
	bool known = in->obstacle != NULL && (missing || in->path != NULL);

	print_error("cannot run %s: %s", run->argv[0],
	    known ? in->obstacle : strerror(-error));
	if (run->child.pid < 0)
		return COMMAND_FAILED; /* it never came to exec */
	return error == -ENOENT ? COMMAND_NOT_FOUND : COMMAND_NOT_EXECUTABLE;
}

/* True: @line is one of the @count before it. */
static bool
is_repeated(char *const *lines, size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(lines[i], line) == 0)
			return true;
	return false;
}

/*
 * How the work goes, and nothing is wrong: plan/message.h.  That memory is
 * short, that items fail or a batch stalls is none of these.
 */
static bool
is_news(const char *words)
{
	static const char *const openings[] = {
		"Starting ", "Using memory-efficient processing ",
		"Forcing memory cleanup", "Cleanup", "Running cleanup ",
		"Initial memory usage: ", "Memory after ",
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(openings); i++)
		if (strncmp(words, openings[i], strlen(openings[i])) == 0)
			return true;
	return false;
}

/*
 * Tell what the library said in any process of the run, each sentence once.
 * True: there was something.
 */
static bool
tell_words(const struct run *run)
{
	char *said[WORDS_MOST], *line = NULL;
	size_t count = 0, room = 0;
	FILE *log;

	log = run->log != NULL ? fopen(run->log, "re") : NULL;
	if (log == NULL)
		return false;
	while (count < WORDS_MOST && getline(&line, &room, log) > 0) {
		char *words = strstr(line, "]: "); /* behind the pid */

		words = words != NULL ? words + 3 : line;
		words[strcspn(words, "\n")] = '\0';
		if (is_repeated(said, count, words) ||
		    (run->options->quiet && is_news(words)))
			continue;
		print_error("in the program: %s", words);
		said[count] = strdup(words);
		count += said[count] != NULL;
	}
	free(line);
	fclose(log);
	unlink(run->log);
	for (size_t i = 0; i < count; i++)
		free(said[i]);
	return count != 0;
}

static void
describe_end(struct run *run, struct segment_end *end)
{
	int status = run->child.status;

	*end = (struct segment_end){ .at_ns = sys_clock() };
	if (WIFEXITED(status)) {
		end->how = END_EXITED;
		end->status = WEXITSTATUS(status);
		return;
	}
	end->how = END_SIGNALLED;
	end->signal = WTERMSIG(status);
	run->oom = end->signal == SIGKILL && (oom_kills() > run->oom_kills ||
	    oom_struck(&run->oom_groups) != NULL);
	end->out_of_memory = run->oom;
}

/* Without a segment of the program there is no profile; say why, if known. */
static int
tell_silence(const struct run *run, bool worded)
{
	const struct gather *g = &run->gather;
	struct statvfs fs;

	if (run->told)
		return COMMAND_DONE;
	if (run->attempts > 1)
		return COMMAND_FAILED; /* said of the first */
	if (worded)
		print_error("%s ran, but libheaptide never reported in from "
		    "it; the likely cause is what it said above",
		    run->argv[0]);
	else if (statvfs(run->directory, &fs) == 0 && fs.f_blocks != 0 &&
	    fs.f_bavail == 0)
		print_error("%s ran, but libheaptide never reported in from "
		    "it; the likely cause: no room is left in %s",
		    run->argv[0], run->directory);
	else
		print_error("%s ran, but libheaptide never reported in from "
		    "it; the likely cause: %s", run->argv[0],
		    g->images != 0 ? "it became another program that is "
		    "static or privileged, or was started without LD_PRELOAD" :
		    "the dynamic linker refused " PROGRAM_LIBRARY " (it says "
		    "so above), or there was no room for a profile");
	return COMMAND_FAILED;
}

/* What the process had resident at most, by its own word or the kernel's. */
static uint64_t
resident_peak(const struct run *run, const struct profile *p)
{
	uint64_t peak = 0;

	for (size_t i = 0; i < RSS_SAMPLES; i++)
		if (p->segment->rss[i].at_ns != 0)
			peak = max_u64(peak, p->segment->rss[i].peak);
	if (peak == 0)
		peak = (uint64_t)run->child.usage.ru_maxrss * KIB;
	return peak;
}

static void
summarise(struct run *run, const struct profile *p, const char *file)
{
	char attempts[RUN_ATTEMPTS_ROOM], left_out[RUN_ATTEMPTS_ROOM];
	struct summary s = {
		.profile = p,
		.gather = &run->gather,
		.command = run->argv[0],
		.file = file,
		.resident_peak = resident_peak(run, p),
		.attempts = run_attempts_words(run, attempts),
		.left_out = run_left_out_words(run, left_out),
	};

	run_tell_end(run);
	if (run->options->quiet || run->options->summary == SUMMARY_OFF)
		return;
	if (run->options->summary == SUMMARY_JSON) {
		s.outcome = run_json_outcome(run);
		summary_print_json(&s);
		json_decref(s.outcome);
	} else {
		summary_print_text(&s);
	}
}

/* The same without a profile. */
static void
summarise_page(struct run *run)
{
	if (run->once_more)
		return;
	run_tell_end(run);
	if (!run_tell_page(run) && !run->options->quiet &&
	    run->options->summary == SUMMARY_JSON)
		run_print_outcome(run);
}

/* Copy the program's own segment to FILE, and say what is in it. */
static int
bring_home(struct run *run)
{
	char path[PLACE_ROOM], why[512] = "";
	const char *file = run->file;
	struct profile p;
	int r;

	r = gather_path(&run->gather, path);
	if (r == 0)
		r = profile_open(path, &p, why);
	if (r < 0) {
		print_error("there is no profile of %s: %s", run->argv[0],
		    why[0] != '\0' ? why : strerror(-r));
		return COMMAND_FAILED;
	}
	r = profile_compact(&p, run->file);
	if (r < 0) {
		print_error("cannot write %s: %s; the profile is in %s",
		    run->file, strerror(-r), path);
		file = path;
	} else {
		unlink(path);
		run->home = true;
	}
	run_judge(run, &p);
	if (!run->once_more)
		summarise(run, &p, file);
	profile_close(&p);
	return COMMAND_DONE;
}

static void
tell_others(const struct run *run)
{
	const struct gather *g = &run->gather;

	if (g->alive != 0 && !run->options->quiet)
		print_error("%zu process%s of this run still run%s (%s, pid "
		    "%d%s); 'heaptide ps' shows them, 'heaptide report PID' "
		    "reads them", g->alive, g->alive == 1 ? "" : "es",
		    g->alive == 1 ? "s" : "", g->first_alive.name,
		    g->first_alive.pid, g->alive == 1 ? "" : " among them");
	if (g->kept != 0)
		print_error("%zu profile%s of child processes stay%s in %s",
		    g->kept, g->kept == 1 ? "" : "s", g->kept == 1 ? "s" : "",
		    g->directory);
	if (run->told && g->processes != 0 && !run->options->quiet)
		print_error("profiles of its %zu child process%s are in %s",
		    g->processes, g->processes == 1 ? "" : "es", g->folder);
	if (!run->oom && oom_kills() > run->oom_kills)
		print_error("the OOM killer struck during the run, but not at "
		    "%s itself", run->argv[0]);
}

int
run_conclude(struct run *run)
{
	struct segment_end end;
	uint32_t was = END_UNKNOWN;
	bool worded;
	int r;

	describe_end(run, &end);
	if (run->file == NULL) {
		run_judge(run, NULL);
		summarise_page(run);
		return COMMAND_DONE; /* told before the start */
	}
	worded = tell_words(run);
	r = gather_end(&run->gather, &end, &was);
	if (r == -ENOENT) {
		r = tell_silence(run, worded);
		run_judge(run, NULL);
		summarise_page(run);
	} else {
		r = bring_home(run);
	}
	if (!run->judged) {
		run_judge(run, NULL);
		summarise_page(run);
	}
	if (was == END_EXEC)
		print_error("%s became another program that heaptide could "
		    "not enter (static, privileged, or started without "
		    "LD_PRELOAD); its profile ends there", run->argv[0]);
	tell_others(run);
	return r;
}
