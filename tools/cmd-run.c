/*
 * cmd-run.c - `heaptide run`: a program with heaptide inside, and its end
 *
 * Whatever goes wrong on our side, the program runs; it is told in one
 * sentence what it will lack.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "command.h"
#include "gather.h"
#include "inspect.h"
#include "oom.h"
#include "option.h"
#include "print.h"
#include "reader.h"
#include "summary.h"
#include "supervise.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/sys.h"

#ifndef HEAPTIDE_LIBDIR
#define HEAPTIDE_LIBDIR "/usr/local/lib/heaptide"
#endif

#define LIBRARY   "libheaptide.so"
#define DEPTH_MOST 1024
#define NOT_GIVEN (-1)
#define WORDS_MOST 5 /* different sentences of the library that are told */

extern char **environ;

/* --- options -------------------------------------------------------------- */

enum summary_kind { SUMMARY_TEXT, SUMMARY_JSON, SUMMARY_OFF };

struct run_options {
	int stacks;       /* enum segment_stacks */
	int children;
	int summary;      /* enum summary_kind */
	uint64_t depth;   /* 0: not given */
	const char *file;
	bool quiet;
};

static const struct run_options run_defaults = {
	.stacks = NOT_GIVEN,
	.children = NOT_GIVEN,
	.summary = SUMMARY_TEXT,
	.file = "heaptide.%c.%p" SEGMENT_SUFFIX,
};

static const char *const stacks_choices[] = {
	[STACKS_NONE] = "none",
	[STACKS_SAMPLED] = "sampled",
	[STACKS_ALL] = "all",
	NULL
};
static const char *const children_choices[] = {
	[CHILDREN_ALL] = "all",
	[CHILDREN_EXEC] = "exec",
	[CHILDREN_NONE] = "none",
	NULL
};
static const char *const summary_choices[] = {
	[SUMMARY_TEXT] = "text",
	[SUMMARY_JSON] = "json",
	[SUMMARY_OFF] = "off",
	NULL
};

#define AT(member) .at = offsetof(struct run_options, member)

static const struct option_row run_rows[] = {
	{ .name = "stacks", .kind = OPTION_CHOICE, AT(stacks),
	  .choices = stacks_choices,
	  .help = "of which allocations to keep the call path (all)" },
	{ .name = "depth", .kind = OPTION_COUNT, AT(depth), .word = "N",
	  .least = 1, .most = DEPTH_MOST,
	  .help = "frames to keep of a call path (128)" },
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT, AT(file),
	  .word = "FILE",
	  .help = "where the profile goes; %p pid, %h host, %c command, "
	  "%r rank (heaptide.%c.%p.tide)" },
	{ .name = "children", .kind = OPTION_CHOICE, AT(children),
	  .choices = children_choices,
	  .help = "which child processes to follow (all)" },
	{ .name = "summary", .kind = OPTION_CHOICE, AT(summary),
	  .choices = summary_choices,
	  .help = "what to print on stderr at the end (text)" },
	{ .name = "quiet", .letter = 'q', .kind = OPTION_FLAG, AT(quiet),
	  .help = "print nothing unless something is wrong" },
	{ .name = NULL }
};

/* A rank is what the launcher of a parallel job calls its processes. */
static const char *const rank_variables[] = {
	"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK",
	"SLURM_PROCID",
};

/* One run, from the command line to the exit status. */
struct run {
	const struct run_options *options;
	char **argv;
	int stacks;
	bool inside;          /* heaptide will be in the program; if not, */
	bool told;            /* why was said before the start */
	char directory[PLACE_ROOM]; /* of segments; "": there is none */
	char library[PLACE_ROOM];
	char id[64];          /* HEAPTIDE_RUN */
	char *log;            /* what the library has to say; NULL: the user
	                       * has a file for that */
	char *file;
	char *folder;
	struct inspection inspection;
	struct supervise child;
	struct gather gather;
	uint64_t oom_kills;   /* at the start */
	bool oom;             /* the program was killed for lack of memory */
};

/* --- the name of the profile ---------------------------------------------- */

static const char *
find_rank(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rank_variables); i++) {
		const char *rank = getenv(rank_variables[i]);

		if (rank != NULL && *rank != '\0')
			return rank;
	}
	return "0";
}

/* The first `%x` in @pattern that means nothing, or NULL. */
static const char *
find_bad_percent(const char *pattern)
{
	for (; (pattern = strchr(pattern, '%')) != NULL; pattern += 2)
		if (pattern[1] == '\0' || strchr("phcr%", pattern[1]) == NULL)
			return pattern;
	return NULL;
}

static char *
expand_file(const char *pattern, int pid, const char *command)
{
	char host[HOST_NAME_MAX + 1] = "localhost";
	char name[GATHER_NAME_ROOM];
	char *file = NULL;
	size_t bytes;
	FILE *out;

	out = open_memstream(&file, &bytes);
	if (out == NULL)
		return NULL;
	(void)gethostname(host, sizeof(host) - 1);
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%') {
			fputc(*pattern, out);
			continue;
		}
		switch (*++pattern) {
		case 'p': fprintf(out, "%d", pid); break;
		case 'h': fputs(host, out); break;
		case 'c': fputs(gather_name(command, name), out); break;
		case 'r': fputs(find_rank(), out); break;
		default: fputc('%', out); break;
		}
	}
	return fclose(out) == 0 ? file : NULL;
}

/* --- what the program is given -------------------------------------------- */

/* Beside this executable (built, not installed), or where it was installed. */
static bool
find_library(char path[PLACE_ROOM])
{
	static const char *const beside[] = { "", ".libs/" };
	const char *given = getenv("HEAPTIDE_LIBRARY");
	char self[PLACE_ROOM];
	ssize_t n;
	char *end;

	if (given != NULL && *given != '\0') {
		if (realpath(given, path) != NULL)
			return true;
		snprintf(path, PLACE_ROOM, "%s", given);
		return false;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		end = strrchr(self, '/');
		end[1] = '\0';
		for (size_t i = 0; i < ARRAY_LENGTH(beside); i++) {
			int r = snprintf(path, PLACE_ROOM, "%s%s" LIBRARY,
			    self, beside[i]);

			if (r > 0 && r < PLACE_ROOM && access(path, R_OK) == 0)
				return true;
		}
	}
	snprintf(path, PLACE_ROOM, "%s", HEAPTIDE_LIBDIR "/" LIBRARY);
	return access(path, R_OK) == 0;
}

/* Put @library in front of what is preloaded anyway. */
static void
export_preload(const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	char *list = NULL;

	if (before == NULL || *before == '\0') {
		setenv("LD_PRELOAD", library, 1);
		return;
	}
	if (strncmp(before, library, strlen(library)) == 0 &&
	    strchr(" :", before[strlen(library)]) != NULL)
		return; /* a run within a run; strchr() finds the end, too */
	if (asprintf(&list, "%s:%s", library, before) > 0)
		setenv("LD_PRELOAD", list, 1);
	free(list);
}

static void
export_choice(const char *variable, const char *const *choices, int choice)
{
	if (choice != NOT_GIVEN)
		setenv(variable, choices[choice], 1);
}

static void
export_number(const char *variable, uint64_t n)
{
	char digits[24];

	if (n == 0)
		return;
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	setenv(variable, digits, 1);
}

/* Inside the program the library is silent; here its words are wanted. */
static void
export_log(struct run *run)
{
	const char *given = getenv("HEAPTIDE_LOG");

	if (given != NULL && *given != '\0')
		return;
	if (asprintf(&run->log, "%s/%s.log", run->directory, run->id) < 0)
		run->log = NULL;
	else
		setenv("HEAPTIDE_LOG", run->log, 1);
}

static void
export_options(const struct run_options *o, int stacks)
{
	export_choice("HEAPTIDE_STACKS", stacks_choices, stacks);
	export_choice("HEAPTIDE_CHILDREN", children_choices, o->children);
	export_number("HEAPTIDE_DEPTH", o->depth);
}

/* --- before the start ----------------------------------------------------- */

/* Say why there will be no profile; the program runs all the same. */
__attribute__((format(printf, 2, 3)))
static void
tell_absence(struct run *run, const char *format, ...)
{
	char *why = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&why, format, args) >= 0)
		print_error("%s runs without a profile: %s", run->argv[0],
		    why);
	va_end(args);
	free(why);
	run->told = true;
	run->inside = false;
}

/* Options and variables that contradict what there is; false: refused. */
static bool
check_options(struct run *run)
{
	const struct run_options *o = run->options;
	const char *bad = find_bad_percent(o->file);
	const char *given = getenv("HEAPTIDE_STACKS");

	if (bad != NULL) {
		print_error("run: --output '%s' is not accepted: '%.2s' means "
		    "nothing, give %%p, %%h, %%c, %%r or %%%%", o->file, bad);
		return false;
	}
	if (*o->file == '\0') {
		print_error("run: --output '' is not accepted: give FILE");
		return false;
	}
	run->stacks = o->stacks;
	if (run->stacks == NOT_GIVEN) {
		run->stacks = STACKS_ALL;
		for (int i = 0; given != NULL && *given != '\0'; i++) {
			if (stacks_choices[i] == NULL) {
				print_error("run: HEAPTIDE_STACKS '%s' is not "
				    "accepted: give none, sampled or all",
				    given);
				return false;
			}
			if (strcmp(given, stacks_choices[i]) == 0) {
				run->stacks = i;
				break;
			}
		}
	}
	/* All is what a sample stands for, so nothing is wrong but the cost. */
	if (run->stacks == STACKS_SAMPLED && !o->quiet &&
	    o->summary == SUMMARY_TEXT)
		print_error("this version does not draw samples yet: every "
		    "allocation is recorded");
	return true;
}

/* Where its segment shall lie.  No directory, no profile. */
static void
prepare_directory(struct run *run)
{
	char found[PLACE_ROOM] = "";
	int r = place_find(environ, found);

	/* The program may go elsewhere before it looks. */
	if (r == 0 && realpath(found, run->directory) == NULL)
		r = -errno;
	if (r == 0 && access(run->directory, W_OK | X_OK) != 0)
		r = -errno;
	if (r == 0)
		return;
	run->directory[0] = '\0';
	if (run->inside)
		tell_absence(run, "the directory for profiles, %s, cannot be "
		    "used: %s; set HEAPTIDE_DIR to one of your own", found,
		    r == -EACCES ? "it is not yours alone" : strerror(-r));
}

static void
prepare_library(struct run *run)
{
	if (find_library(run->library) &&
	    strpbrk(run->library, " :\t\n") == NULL)
		return;
	if (run->inside && access(run->library, R_OK) == 0)
		tell_absence(run, "%s cannot be preloaded, for its path holds "
		    "a blank or a colon; set HEAPTIDE_LIBRARY to a copy",
		    run->library);
	else if (run->inside)
		tell_absence(run, "%s is not there; set HEAPTIDE_LIBRARY to "
		    "the path of " LIBRARY, run->library);
	run->library[0] = '\0';
}

/* Say what stands against a profile, most fundamental first. */
static void
prepare(struct run *run)
{
	struct inspection *in = &run->inspection;
	const char *off = getenv("HEAPTIDE");

	inspect_command(run->argv[0], in);
	run->inside = true;
	if (in->obstacle != NULL)
		return; /* exec will tell, and nothing else matters */
	if (off != NULL && strcmp(off, "0") == 0) {
		tell_absence(run, "HEAPTIDE=0 is set");
		return;
	}
	if (in->reason != NULL)
		tell_absence(run, "%s", in->reason);
	if (in->warning != NULL)
		print_error("%s: %s", run->argv[0], in->warning);
	prepare_library(run);
	prepare_directory(run);
}

/*
 * A program that cannot be profiled may start others that can, so it is given
 * the same environment; unless the library would harm it.
 */
static void
export_environment(struct run *run)
{
	struct proc_stat self;

	if (proc_stat_read(0, &self) < 0)
		self.ticks = 0;
	snprintf(run->id, sizeof(run->id), "%d.%llu", getpid(),
	    (unsigned long long)self.ticks);
	setenv("HEAPTIDE_RUN", run->id, 1);
	export_options(run->options, run->stacks);
	if (run->directory[0] == '\0' || run->library[0] == '\0')
		return;
	setenv("HEAPTIDE_DIR", run->directory, 1);
	export_log(run);
	if (run->inspection.may_preload)
		export_preload(run->library);
}

/* --- while it runs -------------------------------------------------------- */

static int
tell_exec_failure(const struct run *run, int error)
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

static bool
name_results(struct run *run)
{
	run->file = expand_file(run->options->file, run->child.pid,
	    run->argv[0]);
	if (run->file == NULL || asprintf(&run->folder, "%s.d", run->file) < 0)
		return false;
	return true;
}

static void
watch(struct run *run)
{
	struct gather *g = &run->gather;
	uint64_t next;

	if (run->directory[0] == '\0' || !name_results(run)) {
		(void)supervise_wait(&run->child, UINT64_MAX);
		return;
	}
	*g = (struct gather){
		.directory = run->directory,
		.run = run->id,
		.folder = run->folder,
		.pid = run->child.pid,
		.ticks = run->child.ticks,
	};
	gather_open(g);
	next = sys_clock() + g->interval_ns;
	while (!supervise_wait(&run->child, next))
		next = gather_look(g);
	gather_close(g);
}

/* --- after its end -------------------------------------------------------- */

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
		if (is_repeated(said, count, words))
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
	run->oom = end->signal == SIGKILL && oom_kills() > run->oom_kills;
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
		    "the dynamic linker refused " LIBRARY " (it says so "
		    "above), or there was no room for a profile");
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
summarise(const struct run *run, const struct profile *p, const char *file)
{
	struct summary s = {
		.profile = p,
		.gather = &run->gather,
		.command = run->argv[0],
		.file = file,
		.resident_peak = resident_peak(run, p),
	};

	if (run->options->quiet || run->options->summary == SUMMARY_OFF)
		return;
	if (run->options->summary == SUMMARY_JSON)
		summary_print_json(&s);
	else
		summary_print_text(&s);
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
	}
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

/* 0, or what heaptide itself has to say by its exit status. */
static int
conclude(struct run *run)
{
	struct segment_end end;
	uint32_t was = END_UNKNOWN;
	bool worded;
	int r;

	describe_end(run, &end);
	if (run->file == NULL)
		return COMMAND_DONE; /* told before the start */
	worded = tell_words(run);
	r = gather_end(&run->gather, &end, &was);
	if (r == -ENOENT)
		r = tell_silence(run, worded);
	else
		r = bring_home(run);
	if (was == END_EXEC)
		print_error("%s became another program that heaptide could "
		    "not enter (static, privileged, or started without "
		    "LD_PRELOAD); its profile ends there", run->argv[0]);
	tell_others(run);
	return r;
}

static int
run_run(const void *options, int operands, char **operand)
{
	struct run *run;
	int r, status;

	(void)operands;
	run = calloc(1, sizeof(*run));
	if (run == NULL) {
		print_error("run: no memory");
		return COMMAND_FAILED;
	}
	run->options = options;
	run->argv = operand;
	if (!check_options(run)) {
		free(run);
		return COMMAND_USAGE;
	}
	prepare(run);
	export_environment(run);
	run->oom_kills = oom_kills();
	run->child.pid_variable = "HEAPTIDE_ROOT"; /* for --children none */
	r = supervise_start(&run->child, run->argv);
	if (r < 0) {
		status = tell_exec_failure(run, r);
		goto out;
	}
	watch(run);
	r = conclude(run);
	status = supervise_leave(&run->child);
	if (status == COMMAND_DONE)
		status = r;
out:
	inspect_free(&run->inspection);
	free(run->log);
	free(run->file);
	free(run->folder);
	free(run);
	return status;
}

const struct command command_run = {
	.name = "run",
	.args = "-- CMD...",
	.help = "run a program with heaptide inside, and sum up at its end",
	.rows = run_rows,
	.defaults = &run_defaults,
	.options_bytes = sizeof(struct run_options),
	.operands_least = 1,
	.operands_most = -1,
	.operands_end = true,
	.run = run_run,
};
