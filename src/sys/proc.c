#include "sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/sys.h"

#define PATH_ROOM 512  /* a root of a test's tree included */
#define STAT_ROOM 1024 /* 52 numbers of at most 20 digits, and a name */
#define NAME_ROOM 1024 /* of a range; a longer path is cut */

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
		newline = memchr(line, '\n', left);
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
	struct proc_stat s = { 0 };
	uint64_t number, pid;
	unsigned field;
	size_t bytes;

	if (open == NULL || close == NULL || close < open ||
	    !proc_number(&text, 10, &pid))
		return -EINVAL;
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

int
proc_stat_read(int pid, struct proc_stat *stat)
{
	char text[STAT_ROOM];
	ssize_t got;
	int fd = open_of("", pid, "stat");

	if (fd < 0)
		return fd;
	/* One read gives it whole: the kernel writes it in one go. */
	got = sys_read(fd, text, sizeof(text) - 1);
	sys_close(fd);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	return proc_stat_parse(text, stat);
}

bool
proc_is_alive(int pid, uint64_t ticks)
{
	struct proc_stat stat;

	/* A first thread that left before the others stands as a zombie. */
	return proc_stat_read(pid, &stat) == 0 && stat.ticks == ticks &&
	    stat.state != 'X' && (stat.state != 'Z' || stat.threads > 1);
}

/* --- pid namespaces ------------------------------------------------------- */

#define NAMESPACE_FIRST UINT64_C(0xeffffffc) /* PROC_PID_INIT_INO */
#define NAMESPACE_ROOM  40 /* pid:[4026531836] */

uint64_t
proc_namespace_of(int pid)
{
	char path[PATH_ROOM], text[NAMESPACE_ROOM];
	const char *at = text + strlen("pid:[");
	uint64_t n;
	ssize_t used;

	if (proc_path(path, sizeof(path), "", pid, "ns/pid") < 0)
		return 0;
	used = sys_readlink(path, text, sizeof(text) - 1);
	if (used < 0)
		return 0;
	text[used] = '\0';
	if (strncmp(text, "pid:[", strlen("pid:[")) != 0 ||
	    !proc_number(&at, 10, &n))
		return 0;
	return n == NAMESPACE_FIRST ? 0 : n;
}

uint64_t
proc_namespace(int pid)
{
	/* A /proc that was mounted further out calls us by another number, and
	 * has as its first process that of its own namespace. */
	return proc_namespace_of(pid == sys_pid() ? 0 : 1);
}

/* `NSpid:` has its numbers from the outermost namespace that we see inwards. */
int
proc_number_inside(int pid)
{
	static const char key[] = "NSpid:";
	struct proc_lines lines;
	char path[PATH_ROOM];
	uint64_t n = 0;
	char *line;

	if (proc_path(path, sizeof(path), "", pid, "status") < 0 ||
	    proc_lines_open(&lines, path) < 0)
		return 0;
	while ((line = proc_lines_next(&lines)) != NULL) {
		const char *at = line + strlen(key);

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		while (proc_number(&at, 10, &n))
			;
		break;
	}
	(void)proc_lines_close(&lines);
	return n <= INT32_MAX ? (int)n : 0;
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
};

int
proc_status_read(int pid, struct proc_status *status)
{
	struct proc_status s = { 0 };
	struct proc_lines lines;
	const char *at;
	char *line;
	uint64_t uid;
	int r, fd = open_of("", pid, "status");

	if (fd < 0)
		return fd;
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

/* --- smaps ---------------------------------------------------------------- */

/* `start-end rwxp offset device inode   name`: the first line of a range. */
static bool
range_parse(const char *line, struct proc_vma *vma, char name[NAME_ROOM])
{
	uint64_t skipped;
	const char *mode;
	struct text t;

	if (!proc_number(&line, 16, &vma->start) || *line++ != '-' ||
	    !proc_number(&line, 16, &vma->end) || strlen(line) < 5)
		return false;
	mode = line + 1;
	vma->readable = mode[0] == 'r';
	vma->writable = mode[1] == 'w';
	vma->executable = mode[2] == 'x';
	vma->shared = mode[3] == 's';
	line = mode + 4;
	if (!proc_number(&line, 16, &skipped) || /* offset */
	    !proc_number(&line, 16, &skipped) || /* device: major */
	    *line++ != ':' ||
	    !proc_number(&line, 16, &skipped) || /* minor */
	    !proc_number(&line, 10, &vma->inode))
		return false;
	while (*line == ' ')
		line++;
	text_open(&t, name, NAME_ROOM);
	text_put(&t, line);
	return true;
}

static const struct proc_key resident_key[] = {
	{ "Rss:", offsetof(struct proc_vma, resident), 1024 },
};

/*
 * The lines behind the first begin with a capital, the first with a small
 * letter or a digit: of some 25 lines a range, two are looked at closely.
 */
int
proc_vmas_parse(struct proc_lines *lines,
    void (*each)(void *context, const struct proc_vma *vma), void *context)
{
	struct proc_vma vma = { 0 };
	char name[NAME_ROOM];
	bool known = false;
	char *line;

	while ((line = proc_lines_next(lines)) != NULL) {
		if (line[0] == 'R') {
			proc_key_take(line, resident_key, 1, &vma);
			continue;
		}
		if (line[0] >= 'A' && line[0] <= 'Z')
			continue;
		if (known)
			each(context, &vma);
		vma = (struct proc_vma){ .name = name };
		known = range_parse(line, &vma, name);
	}
	if (known)
		each(context, &vma);
	return lines->error;
}

int
proc_vmas_read(int pid,
    void (*each)(void *context, const struct proc_vma *vma), void *context)
{
	struct proc_lines lines;
	int r, fd = open_of("", pid, "smaps");

	if (fd < 0)
		return fd;
	lines_start(&lines, fd);
	r = proc_vmas_parse(&lines, each, context);
	sys_close(fd);
	return missing(r);
}
