#include "sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/sys.h"

#define PATH_ROOM 512  /* a root of a test's tree included */
#define STAT_ROOM 1024 /* 52 numbers of at most 20 digits, and a name */

/* --- numbers and lines ---------------------------------------------------- */

static unsigned
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16; /* no digit in any base that we read */
}

bool
proc_number(const char **at, unsigned base, uint64_t *n)
{
	const char *p = *at;
	uint64_t sum = 0;

	while (*p == ' ' || *p == '\t')
		p++;
	if (digit_value(*p) >= base)
		return false;
	for (; digit_value(*p) < base; p++)
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, digit_value(*p), &sum))
			return false;
	*at = p;
	*n = sum;
	return true;
}

int
proc_path(char *path, size_t room, const char *root, int pid,
    const char *name)
{
	struct text t;

	text_open(&t, path, room);
	text_put(&t, root);
	text_put(&t, "/proc/");
	if (pid == 0)
		text_put(&t, "self");
	else
		text_put_i64(&t, pid);
	text_put(&t, "/");
	text_put(&t, name);
	return t.cut ? -ENAMETOOLONG : 0;
}

/* Where a process should be and is not, it is the process that is missing. */
static int
missing(int error)
{
	return error == -ENOENT ? -ESRCH : error;
}

static int
open_of(const char *root, int pid, const char *name)
{
	char path[PATH_ROOM];
	int r = proc_path(path, sizeof(path), root, pid, name);

	if (r < 0)
		return r;
	return missing(sys_open(path, O_RDONLY | O_CLOEXEC, 0));
}

static void
lines_start(struct proc_lines *lines, int fd)
{
	lines->fd = fd;
	lines->error = 0;
	lines->skipping = false;
	lines->start = lines->end = 0;
}

int
proc_lines_open(struct proc_lines *lines, const char *path)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	lines_start(lines, fd);
	return 0;
}

/* Move what is left to the front and read behind it; false: nothing came. */
static bool
lines_fill(struct proc_lines *lines)
{
	size_t left = lines->end - lines->start;
	ssize_t got;

	memmove(lines->buffer, lines->buffer + lines->start, left);
	lines->start = 0;
	lines->end = left;
	if (lines->error != 0)
		return false;
	got = sys_read(lines->fd, lines->buffer + left, PROC_LINE_ROOM - left);
	if (got < 0)
		lines->error = (int)got;
	if (got <= 0)
		return false;
	lines->end += (size_t)got;
	return true;
}

/* Hand out @bytes from the front, and pass over @behind more. */
static char *
lines_take(struct proc_lines *lines, size_t bytes, size_t behind)
{
	char *line = lines->buffer + lines->start;

	line[bytes] = '\0';
	lines->start += bytes + behind;
	return line;
}

char *
proc_lines_next(struct proc_lines *lines)
{
	char *newline, *line;
	size_t left;
	bool was_cut;

	for (;;) {
		line = lines->buffer + lines->start;
		left = lines->end - lines->start;
		newline = (char *)memchr(line, '\n', left);
		if (newline != NULL) {
			was_cut = lines->skipping;
			lines->skipping = false;
			lines_take(lines, (size_t)(newline - line), 1);
			if (was_cut)
				continue;
			return line;
		}
		if (lines->skipping)
			lines->start = lines->end;
		else if (left == PROC_LINE_ROOM) {
			lines->skipping = true;
			return lines_take(lines, left, 0);
		}
		if (lines_fill(lines))
			continue;
		/* The last line may lack its newline. */
		left = lines->end - lines->start;
		return left > 0 ? lines_take(lines, left, 0) : NULL;
	}
}

int
proc_lines_close(struct proc_lines *lines)
{
	sys_close(lines->fd);
	return lines->error;
}

/* --- lines of the form `Key:   123 kB` ------------------------------------ */

bool
proc_key_take(const char *line, const struct proc_key *keys, size_t count,
    void *into)
{
	const struct proc_key *key;
	const char *number;
	uint64_t n;

	for (key = keys; key < keys + count; key++) {
		if (strncmp(line, key->name, strlen(key->name)) != 0)
			continue;
		number = line + strlen(key->name);
		if (!proc_number(&number, 10, &n))
			return false;
		*(uint64_t *)((char *)into + key->at) = n * key->unit;
		return true;
	}
	return false;
}

/* --- stat ----------------------------------------------------------------- */

int
proc_stat_parse(const char *text, struct proc_stat *stat)
{
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')');
	struct proc_stat s;
	uint64_t number, pid;
	unsigned field;
	size_t bytes;

	if (open == NULL || close == NULL || close < open ||
	    !proc_number(&text, 10, &pid))
		return -EINVAL;
	memset(&s, 0, sizeof(s));
	s.pid = (int)pid;
	bytes = (size_t)(close - open - 1);
	memcpy(s.name, open + 1, min_u64(bytes, sizeof(s.name) - 1));

	text = close + 1;
	if (*text++ != ' ' || *text == '\0')
		return -EINVAL;
	s.state = *text++;
	for (field = 4; field <= 22; field++) {
		while (*text == ' ')
			text++;
		if (*text == '-') /* tty and priorities: not ours */
			text++;
		if (!proc_number(&text, 10, &number))
			return -EINVAL;
		switch (field) {
		case 4: s.parent = (int)number; break;
		case 14:
		case 15: s.cpu_ticks += number; break;
		case 20: s.threads = (uint32_t)number; break;
		case 22: s.ticks = number; break;
		}
	}
	*stat = s;
	return 0;
}

/*
 * All of a file of one line, which is closed; the kernel writes it in one go, so
 * one read has it.  Bytes, or -errno, @fd's own included.
 */
static ssize_t
read_once(int fd, char *text, size_t room)
{
	ssize_t got;

	if (fd < 0)
		return fd;
	got = sys_read(fd, text, room - 1);
	sys_close(fd);
	if (got >= 0)
		text[got] = '\0';
	return got;
}

int
proc_stat_read(int pid, struct proc_stat *stat)
{
	char text[STAT_ROOM];
	ssize_t got = read_once(open_of("", pid, "stat"), text, sizeof(text));

	return got < 0 ? (int)got : proc_stat_parse(text, stat);
}

bool
proc_is_alive(int pid, uint64_t ticks)
{
	struct proc_stat stat;

	/* A first thread that left before the others stands as a zombie. */
	return proc_stat_read(pid, &stat) == 0 && stat.ticks == ticks &&
	    stat.state != 'X' && (stat.state != 'Z' || stat.threads > 1);
}

/* proc_pid_schedstat(5): time on a CPU, time without one, ns; turns. */
int
proc_waited(uint64_t *ns)
{
	char text[64];
	const char *at = text;
	uint64_t ran, waited;
	ssize_t got = read_once(sys_open("/proc/thread-self/schedstat",
	    O_RDONLY | O_CLOEXEC, 0), text, sizeof(text));

	if (got < 0)
		return (int)got;
	if (!proc_number(&at, 10, &ran) || !proc_number(&at, 10, &waited))
		return -EINVAL;
	*ns = waited;
	return 0;
}

/* --- status, limits, meminfo ---------------------------------------------- */

#define STATUS(key, field) \
	{ key, offsetof(struct proc_status, field), 1024 }

static const struct proc_key status_keys[] = {
	STATUS("VmRSS:", resident),
	STATUS("VmHWM:", peak),
	STATUS("VmSize:", address_space),
	STATUS("VmData:", data),
	STATUS("VmSwap:", swapped),
	STATUS("RssAnon:", anonymous),
	STATUS("RssShmem:", shared),
};

int
proc_status_read(int pid, struct proc_status *status)
{
	struct proc_status s;
	struct proc_lines lines;
	const char *at;
	char *line;
	uint64_t uid;
	int r, fd = open_of("", pid, "status");

	if (fd < 0)
		return fd;
	memset(&s, 0, sizeof(s));
	lines_start(&lines, fd);
	while ((line = proc_lines_next(&lines)) != NULL) {
		if (proc_key_take(line, status_keys,
		    ARRAY_LENGTH(status_keys), &s))
			continue;
		if (strncmp(line, "Uid:", 4) != 0)
			continue;
		at = line + 4; /* the real one, then the effective one */
		if (proc_number(&at, 10, &uid) && proc_number(&at, 10, &uid))
			s.uid = (uint32_t)uid;
	}
	r = proc_lines_close(&lines);
	if (r == 0)
		*status = s;
	return r;
}

int
proc_statm_read(struct proc_statm *statm)
{
	char text[STAT_ROOM];
	const char *at = text;
	uint64_t size, resident, shared;
	ssize_t got = read_once(open_of("", 0, "statm"), text, sizeof(text));

	if (got < 0)
		return (int)got;
	if (!proc_number(&at, 10, &size) || !proc_number(&at, 10, &resident) ||
	    !proc_number(&at, 10, &shared))
		return -EINVAL;
	statm->resident = resident * sys_page_bytes();
	statm->shared = shared * sys_page_bytes();
	return 0;
}

/* "unlimited" is no number and leaves the field as it is. */
static const struct proc_key limits_keys[] = {
	{ "Max address space ", offsetof(struct proc_limits, address_space),
	    1 },
	{ "Max data size ", offsetof(struct proc_limits, data), 1 },
};

int
proc_limits_read(const char *root, int pid, struct proc_limits *limits)
{
	struct proc_limits l = { UINT64_MAX, UINT64_MAX };
	struct proc_lines lines;
	char *line;
	int r, fd = open_of(root, pid, "limits");

	if (fd < 0)
		return fd;
	lines_start(&lines, fd);
	while ((line = proc_lines_next(&lines)) != NULL)
		proc_key_take(line, limits_keys, ARRAY_LENGTH(limits_keys), &l);
	r = proc_lines_close(&lines);
	if (r == 0)
		*limits = l;
	return r;
}

static const struct proc_key memory_keys[] = {
	{ "MemTotal:", offsetof(struct proc_memory, total), 1024 },
	{ "MemAvailable:", offsetof(struct proc_memory, available), 1024 },
};

int
proc_memory_read(const char *root, struct proc_memory *memory)
{
	struct proc_memory m = { 0, 0 };
	struct proc_lines lines;
	char path[PATH_ROOM];
	struct text t;
	char *line;
	int r;

	text_open(&t, path, sizeof(path));
	text_put(&t, root);
	text_put(&t, "/proc/meminfo");
	if (t.cut)
		return -ENAMETOOLONG;
	r = proc_lines_open(&lines, path);
	if (r < 0)
		return r;
	while ((line = proc_lines_next(&lines)) != NULL)
		proc_key_take(line, memory_keys, ARRAY_LENGTH(memory_keys), &m);
	r = proc_lines_close(&lines);
	if (r < 0)
		return r;
	if (m.total == 0)
		return -ENODATA;
	*memory = m;
	return 0;
}
