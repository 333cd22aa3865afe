/*
 * pressure.c - see pressure.h
 *
 * A pipe, and not an eventfd: what a program closed under our feet may be a
 * file of its own by now, and a pipe is known again by its inode, while all
 * eventfds have the same.
 */
#include "plan/pressure.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "plan/plan.h"
#include "sys/sys.h"

#ifndef MADV_DONTNEED
#define MADV_DONTNEED 4 /* not shown where a program is plain C99 */
#endif

static struct {
	uint64_t ends;   /* read end << 32 | write end, each 1 added; 0: none */
	int32_t pid;     /* of whom it is; changed while @ends is 0 */
	dev_t device;    /* of the pipe; the same */
	ino_t inode;
} pressure;

static int
read_end(uint64_t ends)
{
	return (int)(ends >> 32) - 1;
}

static int
write_end(uint64_t ends)
{
	return (int)(ends & UINT32_MAX) - 1;
}

static bool
is_the_pipe(int fd)
{
	struct stat st;

	return sys_fstat(fd, &st) == 0 && st.st_dev == pressure.device &&
	    st.st_ino == pressure.inode;
}

static bool
is_whole(uint64_t ends)
{
	return ends != 0 && pressure.pid == sys_pid() &&
	    is_the_pipe(read_end(ends)) && is_the_pipe(write_end(ends));
}

/* Our ends of one that is a parent's, or was closed in part. */
static void
leave(uint64_t ends)
{
	__atomic_store_n(&pressure.ends, 0, __ATOMIC_RELEASE);
	/* The program has the number of the other. */
	if (ends != 0 && is_the_pipe(write_end(ends)))
		(void)sys_close(write_end(ends));
}

static int
make(void)
{
	struct stat st;
	int fd[2], r;

	r = sys_pipe(fd);
	if (r < 0)
		return r;
	r = sys_fstat(fd[0], &st);
	if (r < 0) {
		(void)sys_close(fd[0]);
		(void)sys_close(fd[1]);
		return r;
	}
	pressure.pid = sys_pid();
	pressure.device = st.st_dev;
	pressure.inode = st.st_ino;
	__atomic_store_n(&pressure.ends, ((uint64_t)fd[0] + 1) << 32 |
	    ((uint64_t)fd[1] + 1), __ATOMIC_RELEASE);
	return fd[0];
}

int
pressure_fd(void)
{
	int error = errno;
	uint64_t ends;
	int fd;

	plan_lock();
	ends = __atomic_load_n(&pressure.ends, __ATOMIC_ACQUIRE);
	if (is_whole(ends)) {
		fd = read_end(ends);
	} else {
		leave(ends);
		fd = make();
	}
	plan_unlock();
	errno = error;
	return fd;
}

void
pressure_notify(int state)
{
	uint64_t ends = __atomic_load_n(&pressure.ends, __ATOMIC_ACQUIRE);
	unsigned char byte = (unsigned char)state;

	if (ends == 0 || pressure.pid != sys_pid() ||
	    !is_the_pipe(write_end(ends)))
		return;
	/* Full: it has been readable for 64 Ki changes. */
	(void)sys_write(write_end(ends), &byte, 1);
}

int64_t
release_pages(void *p, size_t bytes)
{
	uintptr_t page = sys_page_bytes();
	uintptr_t start = (uintptr_t)p;
	uintptr_t end = start + bytes;
	int r;

	if (bytes == 0)
		return 0;
	if (p == NULL || end < start || start > UINTPTR_MAX - page)
		return -EINVAL;
	start = (start + page - 1) & ~(page - 1);
	end &= ~(page - 1);
	if (end <= start)
		return 0;
	r = sys_madvise((void *)start, end - start, MADV_DONTNEED);
	return r < 0 ? r : (int64_t)(end - start);
}
