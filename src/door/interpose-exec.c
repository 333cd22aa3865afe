/*
 * interpose-exec.c - execve and posix_spawn, as the program calls them
 *
 * Floor 8 (door).  The environment decides whether the next program has us
 * inside.  It is changed here, in the array that is handed on and nowhere
 * else: --children none takes us out of it, and so does a program that we
 * would do harm to (sys/program.h).  What needs no change is passed on as it came,
 * the same pointers.  system() and popen() call libc's own; their shell calls
 * these.
 *
 * Contexts: a signal handler, any thread of many, and a child of vfork(), in
 * which a store is one into the parent's memory.  So a new array is made on
 * the stack, or mapped when it is large.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "door/boot.h"
#include "door/preload.h"
#include "door/real.h"
#include "mem/segment.h"
#include "sys/program.h"
#include "sys/sys.h"

#define PRELOAD    "LD_PRELOAD"
#define STACK_MOST 1536 /* bytes of a new environment that lie on the stack */

enum call_kind {
	CALL_EXECV,
	CALL_EXECVE,
	CALL_EXECVP,
	CALL_EXECVPE,
	CALL_FEXECVE,
	CALL_EXECVEAT,
	CALL_SPAWN,
	CALL_SPAWNP
};

/* One call, as it came. */
struct call {
	enum call_kind kind;
	const char *path;
	char *const *argv;
	char *const *environment;
	int directory; /* CALL_FEXECVE: of the program itself */
	int flags;
	pid_t *pid;    /* CALL_SPAWN, CALL_SPAWNP */
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
};

/* What is to be done about it. */
struct plan {
	bool none;    /* nothing of ours shall be in the environment */
	bool without; /* our library is to be left out */
	enum segment_unfollowed why;
	size_t bytes; /* of the new environment, its LD_PRELOAD behind it */
};

static bool
spawns(const struct call *c)
{
	return c->kind == CALL_SPAWN || c->kind == CALL_SPAWNP;
}

static bool
searches(const struct call *c)
{
	return c->kind == CALL_EXECVP || c->kind == CALL_EXECVPE ||
	    c->kind == CALL_SPAWNP;
}

static int
pass_on(const struct call *c, char *const *environment)
{
	bool same = environment == c->environment;

	switch (c->kind) {
	case CALL_EXECV:
		return same ? real.execv(c->path, c->argv) :
		    real.execve(c->path, c->argv, environment);
	case CALL_EXECVE:
		return real.execve(c->path, c->argv, environment);
	case CALL_EXECVP:
		return same ? real.execvp(c->path, c->argv) :
		    real.execvpe(c->path, c->argv, environment);
	case CALL_EXECVPE:
		return real.execvpe(c->path, c->argv, environment);
	case CALL_FEXECVE:
		return real.fexecve(c->directory, c->argv, environment);
	case CALL_EXECVEAT:
		return real.execveat(c->directory, c->path, c->argv,
		    environment, c->flags);
	case CALL_SPAWN:
		return real.posix_spawn(c->pid, c->path, c->actions,
		    c->attributes, c->argv, environment);
	case CALL_SPAWNP:
		return real.posix_spawnp(c->pid, c->path, c->actions,
		    c->attributes, c->argv, environment);
	}
	errno = ENOSYS;
	return -1;
}

/* --- which program it is -------------------------------------------------- */

static const char *
path_variable(void)
{
	const char *value = text_variable(environ, "PATH");

	return value != NULL ? value : "/bin:/usr/bin"; /* as libc has it */
}

static bool
is_program(const char *path)
{
	struct stat st;

	return sys_stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 0111) != 0;
}

/* Of the entries of a list, those left out that make no path. */
static size_t
longest_entry(const char *list)
{
	size_t longest = 0;

	for (;;) {
		size_t n = strcspn(list, ":");

		if (n < PATH_MAX)
			longest = max_u64(longest, n);
		if (list[n] == '\0')
			return longest;
		list += n + 1;
	}
}

/* The first in PATH; a function of its own for the room that it needs. */
static __attribute__((noinline)) enum segment_unfollowed
look_along_path(const char *file)
{
	const char *list = path_variable();
	size_t bytes = strlen(file) + 1;
	size_t room = longest_entry(list);
	char *path;

	if (bytes > NAME_MAX + 1)
		return UNFOLLOWED_NOT;
	path = alloca(room + 1 + bytes);
	for (;;) {
		size_t n = strcspn(list, ":");
		size_t slash = n != 0;

		if (n <= room) {
			memcpy(path, list, n);
			path[n] = '/';
			memcpy(path + n + slash, file, bytes);
			if (is_program(path))
				return program_look(AT_FDCWD, path, 0);
		}
		if (list[n] == '\0')
			return UNFOLLOWED_NOT;
		list += n + 1;
	}
}

static enum segment_unfollowed
look(const struct call *c)
{
	if (c->kind == CALL_FEXECVE)
		return program_look(c->directory, "", AT_EMPTY_PATH);
	if (c->kind == CALL_EXECVEAT)
		return program_look(c->directory, c->path, c->flags);
	if (c->path != NULL && c->path[0] != '\0' && searches(c) &&
	    strchr(c->path, '/') == NULL)
		return look_along_path(c->path);
	return program_look(AT_FDCWD, c->path, 0);
}

/* --- its environment ------------------------------------------------------ */

/* The value of an LD_PRELOAD that has us in it, or NULL. */
static const char *
our_list(const char *entry)
{
	const char *list = text_value(entry, PRELOAD);

	return list != NULL && preload_has(list, real.self) ? list : NULL;
}

/*
 * Can our library be opened from here, by the path in @list?  The dynamic
 * linker complains where it cannot: after chroot() or setuid().  What it would
 * have to search for is its own business.
 */
static __attribute__((noinline)) bool
is_in_reach(const char *list)
{
	size_t bytes = 0;
	const char *entry = preload_entry(list, real.self, &bytes);
	char *path;
	int fd;

	if (entry == NULL || bytes >= PATH_MAX ||
	    memchr(entry, '/', bytes) == NULL)
		return true;
	path = alloca(bytes + 1);
	memcpy(path, entry, bytes);
	path[bytes] = '\0';
	fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		sys_close(fd);
	return fd != -ENOENT && fd != -ENOTDIR && fd != -EACCES;
}

static void
make_plan(const struct call *c, struct plan *plan)
{
	char *const *e;
	size_t list = 0;
	size_t count = 1;
	const char *inside = NULL;

	memset(plan, 0, sizeof(*plan));
	plan->none = !boot_follows(spawns(c));
	for (e = c->environment; e != NULL && *e != NULL; e++) {
		count++;
		if (our_list(*e) != NULL) {
			inside = our_list(*e);
			list += strlen(*e) + 1;
		} else if (plan->none && boot_was_given(*e)) {
			plan->without = true;
		}
	}
	plan->bytes = count * sizeof(*e) + list;
	if (plan->none) {
		plan->without |= inside != NULL;
		return;
	}
	if (inside == NULL && !boot_was_preloaded())
		return;
	plan->why = look(c);
	if (plan->why == UNFOLLOWED_NOT && inside == NULL)
		plan->why = UNFOLLOWED_ENVIRONMENT;
	else if (plan->why == UNFOLLOWED_NOT && !is_in_reach(inside))
		plan->why = UNFOLLOWED_REACH;
	plan->without = inside != NULL && program_harms(plan->why);
	/* In a sandbox its profile is where it sees it, and we do not. */
	if (plan->why == UNFOLLOWED_NOT && !segment_is_in_reach())
		plan->why = UNFOLLOWED_REACH;
}

static char *const *
rewrite(void *room, const struct plan *plan, char *const *from)
{
	char **to = room;
	char *text = (char *)room + plan->bytes;
	const char *list;

	for (; *from != NULL; from++) {
		list = our_list(*from);
		if (list == NULL) {
			if (!plan->none || !boot_was_given(*from))
				*to++ = *from;
			continue;
		}
		/* What was counted for it suffices, from the end backwards. */
		text -= strlen(*from) + 1;
		memcpy(text, PRELOAD "=", sizeof(PRELOAD));
		if (preload_without(text + sizeof(PRELOAD), list,
		    real.self) != 0)
			*to++ = text;
	}
	*to = NULL;
	return room;
}

/*
 * A large array.  It goes when the call comes back; after an exec in a child of
 * vfork() it does not, and stays in the parent.  So it is remembered in the
 * thread, which is the same in both, until somebody comes here again.  It may
 * still be in use if it is our own, and we are in a signal handler; or our
 * parent's, and we are a child of vfork() from such a handler.
 */
static __thread struct {
	void *at;
	size_t bytes;
	int pid; /* who mapped it */
} large;

static void *
large_take(size_t bytes)
{
	int pid = sys_pid();
	void *p;

	if (large.at != NULL && large.pid != pid &&
	    large.pid != sys_parent_pid()) {
		(void)sys_munmap(large.at, large.bytes);
		large.at = NULL;
	}
	p = sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_error_of(p) < 0)
		return NULL;
	if (large.at == NULL) {
		large.at = p;
		large.bytes = bytes;
		large.pid = pid;
	}
	return p;
}

static void
large_give_back(void *p, size_t bytes)
{
	if (large.at == p)
		large.at = NULL;
	(void)sys_munmap(p, bytes);
}

/* --- the call ------------------------------------------------------------- */

static int
changed(const struct call *c, const struct plan *plan)
{
	void *room;
	int r;

	if (plan->bytes <= STACK_MOST)
		return pass_on(c, rewrite(alloca(plan->bytes), plan,
		    c->environment));
	room = large_take(plan->bytes);
	if (room == NULL)
		return pass_on(c, c->environment);
	r = pass_on(c, rewrite(room, plan, c->environment));
	large_give_back(room, plan->bytes);
	return r;
}

static void
count_unfollowed(enum segment_unfollowed why, uint64_t by)
{
	struct segment *s = segment_nearest();

	if (why != UNFOLLOWED_NOT && s != NULL)
		atomic_fetch_add(&s->unfollowed[why], by);
}

/* Kept out of line: a call has one frame of it. */
static __attribute__((noinline)) int
call(const struct call *c)
{
	struct plan plan;
	bool image;
	int r;

	if (real.execve == NULL)
		(void)boot_enter();
	make_plan(c, &plan);
	/* Before the call: after it there is nobody to do it. */
	count_unfollowed(plan.why, 1);
	image = !spawns(c) && boot_image_ends();
	r = plan.without ? changed(c, &plan) : pass_on(c, c->environment);
	if (image)
		boot_image_goes_on();
	if (r != 0)
		count_unfollowed(plan.why, (uint64_t)-1);
	return r;
}

/* --- the family ----------------------------------------------------------- */

EXPORT int
execve(const char *path, char *const argv[], char *const environment[])
{
	return call(&(struct call){ .kind = CALL_EXECVE, .path = path,
	    .argv = argv, .environment = environment });
}

EXPORT int
execv(const char *path, char *const argv[])
{
	return call(&(struct call){ .kind = CALL_EXECV, .path = path,
	    .argv = argv, .environment = environ });
}

EXPORT int
execvp(const char *file, char *const argv[])
{
	return call(&(struct call){ .kind = CALL_EXECVP, .path = file,
	    .argv = argv, .environment = environ });
}

EXPORT int
execvpe(const char *file, char *const argv[], char *const environment[])
{
	return call(&(struct call){ .kind = CALL_EXECVPE, .path = file,
	    .argv = argv, .environment = environment });
}

EXPORT int
fexecve(int fd, char *const argv[], char *const environment[])
{
	return call(&(struct call){ .kind = CALL_FEXECVE, .directory = fd,
	    .argv = argv, .environment = environment });
}

EXPORT int
execveat(int directory, const char *path, char *const argv[],
    char *const environment[], int flags)
{
	return call(&(struct call){ .kind = CALL_EXECVEAT,
	    .directory = directory, .path = path, .argv = argv,
	    .environment = environment, .flags = flags });
}

EXPORT int
posix_spawn(pid_t *pid, const char *path,
    const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[],
    char *const environment[])
{
	return call(&(struct call){ .kind = CALL_SPAWN, .path = path,
	    .argv = argv, .environment = environment, .pid = pid,
	    .actions = actions, .attributes = attributes });
}

EXPORT int
posix_spawnp(pid_t *pid, const char *file,
    const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[],
    char *const environment[])
{
	return call(&(struct call){ .kind = CALL_SPAWNP, .path = file,
	    .argv = argv, .environment = environment, .pid = pid,
	    .actions = actions, .attributes = attributes });
}

/*
 * The arguments of execl() and its kin, up to their NULL, as an array on the
 * stack: with libc it is the same.
 */
static size_t
count_arguments(const char *first, va_list *list)
{
	size_t n = 1;

	for (; first != NULL; first = va_arg(*list, char *))
		n++;
	return n;
}

static void
copy_arguments(char **to, const char *first, va_list *list)
{
	for (; first != NULL; first = va_arg(*list, char *))
		*to++ = (char *)(uintptr_t)first;
	*to = NULL;
}

/* @list stands behind the NULL in the end. */
#define ARGUMENTS(argv, list, first)					\
	do {								\
		va_start(list, first);					\
		argv = alloca(count_arguments(first, &list) *		\
		    sizeof(*argv));					\
		va_end(list);						\
		va_start(list, first);					\
		copy_arguments(argv, first, &list);			\
	} while (0)

EXPORT int
execl(const char *path, const char *first, ...)
{
	va_list list;
	char **argv;

	ARGUMENTS(argv, list, first);
	va_end(list);
	return call(&(struct call){ .kind = CALL_EXECV, .path = path,
	    .argv = argv, .environment = environ });
}

EXPORT int
execle(const char *path, const char *first, ...)
{
	char *const *environment;
	va_list list;
	char **argv;

	ARGUMENTS(argv, list, first);
	environment = va_arg(list, char *const *);
	va_end(list);
	return call(&(struct call){ .kind = CALL_EXECVE, .path = path,
	    .argv = argv, .environment = environment });
}

EXPORT int
execlp(const char *file, const char *first, ...)
{
	va_list list;
	char **argv;

	ARGUMENTS(argv, list, first);
	va_end(list);
	return call(&(struct call){ .kind = CALL_EXECVP, .path = file,
	    .argv = argv, .environment = environ });
}
