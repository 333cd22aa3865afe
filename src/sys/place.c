#include "sys/place.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/segment.h"
#include "base/text.h"
#include "sys/sys.h"

/* Where to look, in this order: `$variable` or `path`, then what follows. */
static const struct candidate {
	const char *variable; /* NULL: @behind is the whole path */
	const char *behind;
	bool with_uid;        /* the path ends in the user's number */
	mode_t forbidden;     /* mode bits that it must not have */
	bool alone;           /* if it is set, no other place will do */
} candidates[] = {
	{ "HEAPTIDE_DIR", "", false, 0022, true },
	{ "XDG_RUNTIME_DIR", "/heaptide", false, 0077, false },
	{ NULL, "/dev/shm/heaptide-", true, 0077, false },
	{ NULL, "/tmp/heaptide-", true, 0077, false },
};

/* Empty is as good as unset. */
static const char *
value_of(char *const *environment, const char *variable)
{
	const char *value = text_variable(environment, variable);

	return value != NULL && *value != '\0' ? value : NULL;
}

static bool
is_set(const struct candidate *c, char *const *environment)
{
	return c->variable == NULL ||
	    value_of(environment, c->variable) != NULL;
}

/* -ENOENT: the variable that it starts with is not set. */
static int
path_of(const struct candidate *c, char *const *environment,
    char path[PLACE_ROOM])
{
	const char *start = "";
	struct text t;

	text_open(&t, path, PLACE_ROOM);
	if (c->variable != NULL)
		start = value_of(environment, c->variable);
	if (start == NULL)
		return -ENOENT;
	text_put(&t, start);
	text_put(&t, c->behind);
	if (c->with_uid)
		text_put_u64(&t, sys_uid());
	/* With a slash at its end a symbolic link would be followed. */
	while (t.used > 1 && path[t.used - 1] == '/')
		path[--t.used] = '\0';
	return t.cut ? -ENAMETOOLONG : 0;
}

static int
check(const struct candidate *c, const char *path)
{
	struct stat st;
	int r = sys_lstat(path, &st);

	if (r < 0)
		return r;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (st.st_uid != sys_uid() || (st.st_mode & c->forbidden) != 0)
		return -EACCES;
	return 0;
}

/* One candidate: make it if @make and it is missing, and see if it is good. */
static int
try(const struct candidate *c, char *const *environment, bool make,
    char path[PLACE_ROOM])
{
	int r = path_of(c, environment, path);

	if (r < 0)
		return r;
	if (make) {
		r = sys_mkdir(path, 0700);
		/* A read-only place may hold the directory already. */
		if (r < 0 && r != -EEXIST && check(c, path) == -ENOENT)
			return r;
	}
	return check(c, path);
}

/*
 * The first that is good.  If none is, the one to speak of is the first that
 * is there and was refused; else the last that was tried.
 */
static int
find(char *const *environment, bool make, char path[PLACE_ROOM])
{
	const struct candidate *c, *refused = NULL;
	int r, error = -ENOENT;

	for (c = candidates; c < candidates + ARRAY_LENGTH(candidates); c++) {
		if (!is_set(c, environment))
			continue;
		r = try(c, environment, make, path);
		if (r == 0 || c->alone)
			return r;
		if (r != -ENOENT && refused == NULL) {
			refused = c;
			error = r;
		}
	}
	if (refused != NULL)
		(void)path_of(refused, environment, path);
	return error;
}

int
place_find(char *const *environment, char path[PLACE_ROOM])
{
	return find(environment, true, path);
}

int
place_look(char *const *environment, char path[PLACE_ROOM])
{
	return find(environment, false, path);
}

int
place_look_at(char *const *environment, unsigned n, char path[PLACE_ROOM])
{
	const struct candidate *c;

	for (c = candidates; c < candidates + ARRAY_LENGTH(candidates); c++) {
		if (!is_set(c, environment))
			continue;
		if (n-- == 0)
			return try(c, environment, false, path);
		if (c->alone)
			break;
	}
	path[0] = '\0';
	return -ENODEV;
}

int
place_segment(const char *directory, int pid, uint64_t namespace,
    uint64_t ticks, char path[PLACE_ROOM])
{
	struct text t;

	text_open(&t, path, PLACE_ROOM);
	text_put(&t, directory);
	text_put(&t, "/");
	text_put_i64(&t, pid);
	if (namespace != 0) {
		text_put(&t, "-");
		text_put_u64(&t, namespace);
	}
	text_put(&t, ".");
	text_put_u64(&t, ticks);
	text_put(&t, SEGMENT_SUFFIX);
	return t.cut ? -ENAMETOOLONG : 0;
}

#define POOL_NAME_MOST 64

static bool
is_pool_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return length > 0 && length <= POOL_NAME_MOST &&
	    name[length] == '\0' && name[0] != '.' && name[0] != '-';
}

int
place_pools(const char *directory, char path[PLACE_ROOM])
{
	struct text t;

	text_open(&t, path, PLACE_ROOM);
	text_put(&t, directory);
	text_put(&t, "/pools");
	return t.cut ? -ENAMETOOLONG : 0;
}

int
place_pool(const char *directory, const char *name, int make,
    char path[PLACE_ROOM])
{
	static const struct candidate pools = { NULL, "", false, 0022, true };
	struct text t;
	int r;

	if (!is_pool_name(name))
		return -EINVAL;
	r = place_pools(directory, path);
	if (r < 0)
		return r;
	if (make) {
		r = sys_mkdir(path, 0700);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	r = check(&pools, path);
	if (r < 0)
		return r;
	text_open(&t, path, PLACE_ROOM);
	text_put(&t, directory);
	text_put(&t, "/pools/");
	text_put(&t, name);
	return t.cut ? -ENAMETOOLONG : 0;
}
