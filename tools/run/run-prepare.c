/*
 * run-prepare.c - before a run: can there be a profile, and what the program
 * is given for it
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "control/control.h"
#include "profile/absent.h"
#include "profile/reader.h"
#include "profile/shelf.h"
#include "run/run.h"
#include "say/print.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/program.h"

#ifndef HEAPTIDE_LIBDIR
#define HEAPTIDE_LIBDIR "/usr/local/lib/heaptide"
#endif

extern char **environ;

const char *const run_children_choices[] = {
	[CHILDREN_ALL] = "all",
	[CHILDREN_EXEC] = "exec",
	[CHILDREN_NONE] = "none",
	NULL
};

/* --- what the program is given -------------------------------------------- */

/*
 * Beside this executable (built, not installed), in a tree that was moved as a
 * whole, or where it was installed.
 */
bool
run_find_library(char path[PLACE_ROOM])
{
	static const char *const beside[] = { "", ".libs/", "../lib/" };
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
			int r = snprintf(path, PLACE_ROOM, "%s%s%s", self,
			    beside[i], PROGRAM_LIBRARY);

			if (r > 0 && r < PLACE_ROOM && access(path, R_OK) == 0)
				return true;
		}
	}
	snprintf(path, PLACE_ROOM, "%s", HEAPTIDE_LIBDIR "/" PROGRAM_LIBRARY);
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
	if (choice != RUN_NOT_GIVEN)
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

static void
export_time(const char *variable, uint64_t ns)
{
	char digits[32];

	if (ns == 0)
		return;
	snprintf(digits, sizeof(digits), "%llums",
	    (unsigned long long)(ns / NS_PER_MS));
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
	export_choice("HEAPTIDE_STACKS", control_stacks_words, stacks);
	export_choice("HEAPTIDE_CHILDREN", run_children_choices, o->children);
	export_number("HEAPTIDE_DEPTH", o->depth);
	export_number("HEAPTIDE_SAMPLE", o->sample);
	export_time("HEAPTIDE_EPOCH", o->epoch);
	if (o->keep_command)
		setenv("HEAPTIDE_KEEP_COMMAND", "on", 1);
	if (o->scan)
		setenv("HEAPTIDE_SCAN_AT_EXIT", "on", 1);
	/* We serve the socket, or nobody does. */
	setenv("HEAPTIDE_KEEPER", "off", 1);
}

/* --- what stands against it ----------------------------------------------- */

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
		    absent_place(found, r));
}

static void
prepare_library(struct run *run)
{
	if (run_find_library(run->library) &&
	    strpbrk(run->library, " :\t\n") == NULL)
		return;
	if (run->inside && access(run->library, R_OK) == 0)
		tell_absence(run, "%s cannot be preloaded, for its path holds "
		    "a blank or a colon; set HEAPTIDE_LIBRARY to a copy",
		    run->library);
	else if (run->inside)
		tell_absence(run, "%s is not there; set HEAPTIDE_LIBRARY to "
		    "the path of " PROGRAM_LIBRARY, run->library);
	run->library[0] = '\0';
}

void
run_prepare(struct run *run)
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
void
run_export(struct run *run)
{
	struct proc_stat self;

	if (proc_stat_read(0, &self) < 0) {
		self.pid = getpid();
		self.ticks = 0;
	}
	/* Three numbers of at most 20 digits: the room is enough. */
	snprintf(run->id, sizeof(run->id), "%d.%llu.%llu", self.pid,
	    (unsigned long long)self.ticks,
	    (unsigned long long)shelf_namespace());
	setenv("HEAPTIDE_RUN", run->id, 1);
	export_options(run->options, run->stacks);
	if (run->directory[0] == '\0' || run->library[0] == '\0')
		return;
	setenv("HEAPTIDE_DIR", run->directory, 1);
	export_log(run);
	if (run->inspection.may_preload)
		export_preload(run->library);
}

void
run_export_attempt(struct run *run)
{
	if (run->directory[0] == '\0')
		return;
	run_offer_page(run);
	if (run->library[0] != '\0')
		run_offer_pressure(run);
}
