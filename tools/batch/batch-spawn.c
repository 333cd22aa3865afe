/*
 * batch-spawn.c - a job is started
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/segment.h"
#include "base/text.h"
#include "batch/batch.h"
#include "profile/reader.h"
#include "run/run.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/proc.h"
#include "sys/program.h"
#include "sys/sys.h"

#define SHORT_NS   (100 * NS_PER_MS) /* of jobs that are shorter */
#define FIRST_JOBS 2                 /* the first few are looked into, */
#define EACH_OF    1024              /* and then one of so many */

extern char **environ;

/* --- what a job finds in its environment ---------------------------------- */

struct environment {
	char **entry;
	size_t count;
};

static void
add(struct environment *e, char *entry)
{
	e->entry = need(realloc(e->entry, (e->count + 2) * sizeof(char *)));
	e->entry[e->count++] = entry;
	e->entry[e->count] = NULL;
}

static bool
is_variable(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

/* What is for us is not for a job, or is said anew. */
static struct environment
copy_environment(const char *const *without)
{
	struct environment e = { NULL, 0 };
	size_t i, k;

	for (i = 0; environ[i] != NULL; i++) {
		for (k = 0; without[k] != NULL &&
		    !is_variable(environ[i], without[k]); k++)
			;
		if (without[k] == NULL)
			add(&e, need_text("%s", environ[i]));
	}
	return e;
}

/* What a command line or a file says of jobs. */
static void
add_settings(const struct batch *b, struct environment *e)
{
	static const char *const keys[] = { "warn", "critical", "enforce" };
	char name[TEXT_SETTING_ROOM];
	enum config_origin origin;

	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
		origin = config_origin(&b->config, keys[i]);
		if (origin != FROM_DEFAULT && origin != FROM_ENVIRONMENT)
			add(e, need_text("%s=%s", text_setting_name(name,
			    keys[i]), config_get(&b->config, keys[i])));
	}
	/* Who asks for its budget gets its part. */
	add(e, need_text("HEAPTIDE_BUDGET=%llu", (unsigned long long)max_u64(
	    b->limit / b->jobs, MIB)));
}

#define FOR_US "HEAPTIDE_PROGRESS", "HEAPTIDE_RESUME", "HEAPTIDE_POOL", \
	"HEAPTIDE_GATE", "HEAPTIDE_BUDGET", "HEAPTIDE_SUMMARY", \
	"HEAPTIDE_KEEP_COMMAND"

static void
make_plain(struct batch *b)
{
	static const char *const ours[] = { FOR_US, NULL };
	struct environment e = copy_environment(ours);

	add_settings(b, &e);
	b->plain = e.entry;
}

static void
make_inside(struct batch *b)
{
	static const char *const ours[] = { FOR_US, "LD_PRELOAD",
		"HEAPTIDE_STACKS", "HEAPTIDE_DIR", "HEAPTIDE_KEEPER",
		"HEAPTIDE_CHILDREN", "HEAPTIDE_RUN", NULL };
	const char *before = getenv("LD_PRELOAD");
	struct environment e = copy_environment(ours);

	add_settings(b, &e);
	add(&e, need_text("LD_PRELOAD=%s%s%s", b->library, before != NULL &&
	    *before != '\0' ? ":" : "", before != NULL ? before : ""));
	add(&e, need_text("HEAPTIDE_STACKS=%s", config_origin(&b->config,
	    "stacks") != FROM_DEFAULT ? config_get(&b->config, "stacks") :
	    "none"));
	add(&e, need_text("HEAPTIDE_DIR=%s", b->directory));
	add(&e, need_text("HEAPTIDE_KEEPER=off"));
	add(&e, need_text("HEAPTIDE_CHILDREN=none"));
	add(&e, need_text("HEAPTIDE_RUN=%s", b->id));
	b->inside = e.entry;
}

/* --- whether there is a profile at all ------------------------------------ */

static bool
find_place(struct batch *b)
{
	char found[PLACE_ROOM];

	return run_find_library(b->library) &&
	    strpbrk(b->library, " :\t\n") == NULL &&
	    place_find(environ, found) == 0 &&
	    realpath(found, b->directory) != NULL &&
	    access(b->directory, W_OK | X_OK) == 0;
}

static int
tell_obstacle(const char *name, const struct inspection *in)
{
	bool missing = in->path == NULL || access(in->path, F_OK) != 0;

	print_error("batch: cannot run %s: %s", name, in->obstacle);
	return missing ? COMMAND_NOT_FOUND : COMMAND_NOT_EXECUTABLE;
}

int
batch_spawn_open(struct batch *b, char *const *word)
{
	struct inspection in = { .path = NULL };
	int r = COMMAND_DONE;

	b->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	b->preloads = !b->options->no_preload && find_place(b) &&
	    getenv("HEAPTIDE_RUN") == NULL;
	if (word != NULL && strchr(word[0], '{') == NULL) {
		inspect_command(word[0], &in);
		if (in.obstacle != NULL)
			r = tell_obstacle(word[0], &in);
		else if (in.reason != NULL || !in.may_preload)
			b->preloads = false; /* /proc tells enough */
		inspect_free(&in);
	}
	make_plain(b);
	make_inside(b);
	return r;
}

static void
free_environment(char **entry)
{
	for (size_t i = 0; entry != NULL && entry[i] != NULL; i++)
		free(entry[i]);
	free(entry);
}

void
batch_spawn_close(struct batch *b)
{
	free_environment(b->plain);
	free_environment(b->inside);
	if (b->null >= 0)
		close(b->null);
}

/* --- starting ------------------------------------------------------------- */

/*
 * The library costs a short job more than the job: of such, the first and a
 * few others tell what their heap took, and the kernel tells of the rest.
 */
static bool
is_looked_into(struct batch *b)
{
	if (!b->preloads)
		return false;
	if (b->options->profile != NULL || b->started_jobs <= FIRST_JOBS ||
	    b->job_ns >= SHORT_NS)
		return true;
	return b->started_jobs % EACH_OF == 0;
}

char *
batch_job_text(const struct batch *b, const struct job *job)
{
	const struct template_job what = { job->item, job->count, job->number,
		job->place + 1 };
	char **argv = template_expand(&b->template, &what);
	char *text = template_text(&b->template, argv);

	free(argv);
	return text;
}

static void
set_up_files(const struct batch *b, const struct job *job,
    posix_spawn_file_actions_t *files)
{
	const struct spool *s = job->spool;

	posix_spawn_file_actions_init(files);
	posix_spawn_file_actions_adddup2(files, b->null, STDIN_FILENO);
	if (s == NULL)
		return;
	for (int i = 0; i < 2; i++)
		posix_spawn_file_actions_adddup2(files, s->pipes ? s->to[i] :
		    s->fd[i], STDOUT_FILENO + i);
}

/* A group of its own, so that all of it can be made to stand still. */
static void
set_up_signals(const struct batch *b, posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	posix_spawnattr_init(attributes);
	sigemptyset(&none);
	sigemptyset(&all);
	if (!b->ignores_pipe)
		sigaddset(&all, SIGPIPE);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static void
close_job_ends(struct spool *s)
{
	for (int i = 0; s != NULL && s->pipes && i < 2; i++) {
		close(s->to[i]);
		s->to[i] = -1;
	}
}

int
batch_spawn(struct batch *b, struct job *job)
{
	const struct template_job what = { job->item, job->count, job->number,
		job->place + 1 };
	char **argv = template_expand(&b->template, &what);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int r;

	b->started_jobs++;
	job->preloaded = is_looked_into(b);
	job->started_ns = sys_clock();
	job->started_wall_ns = (uint64_t)sys_clock_wall();
	set_up_files(b, job, &files);
	set_up_signals(b, &attributes);
	r = posix_spawnp(&job->pid, argv[0], &files, &attributes, argv,
	    job->preloaded ? b->inside : b->plain);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	close_job_ends(job->spool);
	free(argv);
	return r;
}

/* --- its segment ---------------------------------------------------------- */

/* Earlier images of the same process, each with a number less. */
static void
forget_images(const char *path, uint32_t count)
{
	char *image;

	for (uint32_t i = 0; i < min_u64(count, 64); i++) {
		image = need_text("%.*s.%u" SEGMENT_SUFFIX,
		    (int)(strlen(path) - strlen(SEGMENT_SUFFIX)), path, i);
		unlink(image);
		free(image);
	}
}

static void
keep_profile(struct batch *b, const struct job *job, const char *path)
{
	struct profile p;
	char why[512];
	char *to;
	int r;

	if (profile_open(path, &p, why) < 0) {
		batch_say(b, "no profile of job %llu: %s",
		    (unsigned long long)job->number, why);
		return;
	}
	to = need_text("%s/%llu.%d" SEGMENT_SUFFIX, b->options->profile,
	    (unsigned long long)job->number, job->pid);
	r = profile_compact(&p, to);
	if (r < 0)
		batch_say(b, "cannot write %s: %s", to, strerror(-r));
	free(to);
	profile_close(&p);
}

uint64_t
batch_spawn_heap(struct batch *b, struct job *job)
{
	struct segment *s;
	struct proc_stat stat;
	char path[PLACE_ROOM];
	uint64_t heap = 0;
	int fd;

	/* It has ended, and was not waited for: it still has its number. */
	if (proc_stat_read(job->pid, &stat) < 0 ||
	    place_segment(b->directory, job->pid, proc_namespace(job->pid),
	    stat.ticks, path) < 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	s = need(malloc(sizeof(*s)));
	if (pread(fd, s, sizeof(*s), 0) == (ssize_t)sizeof(*s) &&
	    memcmp(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic)) == 0 &&
	    s->head.layout == SEGMENT_LAYOUT && s->live.peak_bytes > 0) {
		heap = (uint64_t)s->live.peak_bytes;
		forget_images(path, s->identity.exec_count);
	}
	free(s);
	close(fd);
	if (b->options->profile != NULL)
		keep_profile(b, job, path);
	unlink(path);
	return heap;
}
