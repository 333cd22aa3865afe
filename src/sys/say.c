#include "sys/say.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/text.h"
#include "sys/sys.h"

#define SAID_MOST 32
#define LINE_ROOM 512

static struct {
	const char *log;
	const char *_Atomic said[SAID_MOST]; /* texts are literals */
} say;

void
say_set_log(const char *path)
{
	say.log = path;
}

/* True: @what has not been said before.  A full list stays silent. */
static bool
is_new(const char *what)
{
	size_t i;

	for (i = 0; i < SAID_MOST; i++) {
		const char *there = NULL;

		if (atomic_compare_exchange_strong(&say.said[i], &there, what))
			return true;
		if (there == what)
			return false;
	}
	return false;
}

/* A write that passes the limit of file sizes would raise SIGXFSZ. */
static bool
may_grow(int fd, size_t bytes)
{
	uint64_t limit = sys_limit(RLIMIT_FSIZE);
	struct stat st;

	return limit == UINT64_MAX || (sys_fstat(fd, &st) == 0 &&
	    (uint64_t)st.st_size + bytes <= limit);
}

static bool
is_open(void)
{
	return say.log != NULL && say.log[0] != '\0';
}

/* A line, for now `heaptide[<pid>]: @what`. */
static void
start(struct text *t, char line[LINE_ROOM], const char *what)
{
	text_open(t, line, LINE_ROOM - 1);
	text_put(t, "heaptide[");
	text_put_i64(t, sys_pid());
	text_put(t, "]: ");
	text_put(t, what);
}

static void
finish(const struct text *t)
{
	size_t bytes = t->used + 1;
	int fd;

	t->start[t->used] = '\n';
	fd = sys_open(say.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0)
		return; /* there is no one left to tell */
	if (may_grow(fd, bytes))
		(void)sys_write(fd, t->start, bytes);
	sys_close(fd);
}

void
say_once(const char *what, int error, const char *means)
{
	char line[LINE_ROOM];
	struct text t;

	if (!is_open() || !is_new(what))
		return;
	start(&t, line, what);
	if (error < 0) {
		text_put(&t, ": error ");
		text_put_u64(&t, (uint64_t)-error);
	}
	text_put(&t, "; ");
	text_put(&t, means);
	finish(&t);
}

void
say_line(const char *what)
{
	char line[LINE_ROOM];
	struct text t;

	if (!is_open())
		return;
	start(&t, line, what);
	finish(&t);
}

void
say_number(const char *what, uint64_t n)
{
	char line[LINE_ROOM];
	struct text t;

	if (!is_open())
		return;
	start(&t, line, what);
	text_put(&t, ": ");
	text_put_u64(&t, n);
	finish(&t);
}
