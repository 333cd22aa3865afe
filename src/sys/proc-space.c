/*
 * proc-space.c - what /proc says of a process' ranges and its pid namespace
 *
 * Apart from proc.c, which also stands in the public header.
 */
#include "sys/proc.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/sys.h"

#define PATH_ROOM 64   /* /proc/PID/NAME */
#define NAME_ROOM 1024 /* of a range; a longer path is cut */

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
	char path[PATH_ROOM];
	int r = proc_path(path, sizeof(path), "", pid, "smaps");

	if (r == 0)
		r = proc_lines_open(&lines, path);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	r = proc_vmas_parse(&lines, each, context);
	(void)proc_lines_close(&lines);
	/* It may end while it is read. */
	return r == -ENOENT ? -ESRCH : r;
}
