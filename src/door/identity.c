#include "door/identity.h"

#include <fcntl.h>
#include <string.h>

#include "door/real.h"
#include "mem/segment.h"
#include "sys/place.h"
#include "sys/sys.h"

static char paper[PLACE_ROOM];

/* Read a small file of /proc whole; returns its length, 0 on any failure. */
static size_t
slurp(const char *path, char *to, size_t room)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return 0;
	while (used < room && n > 0) {
		n = sys_read(fd, to + used, room - used);
		if (n > 0)
			used += (size_t)n;
	}
	sys_close(fd);
	return used;
}

static struct segment_text
link_text(const char *path)
{
	ssize_t n = sys_readlink(path, paper, sizeof(paper));

	return segment_text(paper, n > 0 ? (size_t)n : 0);
}

void
identity_fill(const struct proc_stat *stat, uint32_t exec_count,
    const char *run)
{
	struct segment_identity *id = &segment_mine()->identity;
	struct proc_stat parent;
	size_t n;

	id->pid = stat->pid;
	id->parent_pid = stat->parent;
	id->start_ticks = stat->ticks;
	/* 0: in another pid namespace, and to proc_stat_read() ourselves. */
	if (stat->parent > 0 && proc_stat_read(stat->parent, &parent) == 0)
		id->parent_ticks = parent.ticks;
	id->started_ns = sys_clock_wall();
	id->clock_ns = sys_clock();
	id->uid = sys_uid();
	id->exec_count = exec_count;
	id->executable = link_text("/proc/self/exe");
	id->directory = link_text("/proc/self/cwd");
	n = slurp("/proc/self/cmdline", paper, sizeof(paper));
	id->arguments = segment_text(paper, n);
	n = slurp("/proc/sys/kernel/hostname", paper, sizeof(paper));
	id->host = segment_text(paper, n > 0 ? n - 1 : 0); /* newline */
	id->run = segment_text(run, strlen(run));
	id->allocator = segment_text(real.allocator, strlen(real.allocator));
	id->library_start = (uintptr_t)__ehdr_start;
	id->library_end = (uintptr_t)_end;
}
