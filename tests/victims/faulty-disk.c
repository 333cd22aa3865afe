/*
 * faulty-disk.c - what a disk and a killer do to who writes checkpoints
 *
 * Loaded before a program: of its calls that change a file or force it to the
 * disk, the one of number $FAULT_AT (from 1) meets with $FAULT_HOW:
 *
 *	before     the process is killed before it
 *	after      and after it
 *	torn       the first half of what it writes comes through
 *	ENOSPC     it fails, and nothing is done; so with EIO
 *
 * How many there were is written to the file $FAULT_COUNT at its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

static int calls;

/* Is it this call's turn, and in which way? */
static const char *
fault(void)
{
	const char *at = getenv("FAULT_AT"), *how = getenv("FAULT_HOW");

	calls++;
	if (at == NULL || how == NULL || atoi(at) != calls)
		return "";
	if (strcmp(how, "before") == 0)
		kill(getpid(), SIGKILL);
	return how;
}

static long
with_fault(long number, long a, long b, long c, long d)
{
	const char *how = fault();
	long r;

	if (strcmp(how, "ENOSPC") == 0 || strcmp(how, "EIO") == 0) {
		errno = *how == 'E' && how[1] == 'N' ? ENOSPC : EIO;
		return -1;
	}
	if (strcmp(how, "torn") == 0 && number == SYS_pwrite64)
		c /= 2;
	r = syscall(number, a, b, c, d);
	if (strcmp(how, "after") == 0 || strcmp(how, "torn") == 0)
		kill(getpid(), SIGKILL);
	return r;
}

/* Only of files of checkpoints: others are not ours to watch. */
static int
open_any(const char *path, int flags, unsigned mode)
{
	if (strstr(path, ".tideck") == NULL || (flags & O_ACCMODE) != O_RDWR)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	return (int)with_fault(SYS_openat, AT_FDCWD, (long)path, flags,
	    (long)mode);
}

#define MODE(flags, mode) do { \
	va_list args; \
	\
	va_start(args, flags); \
	mode = (flags) & O_CREAT ? va_arg(args, unsigned) : 0; \
	va_end(args); \
} while (0)

int
open(const char *path, int flags, ...)
{
	unsigned mode;

	MODE(flags, mode);
	return open_any(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	unsigned mode;

	MODE(flags, mode);
	return open_any(path, flags, mode);
}

ssize_t
pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
	return with_fault(SYS_pwrite64, fd, (long)from, (long)bytes, offset);
}

int
fsync(int fd)
{
	return (int)with_fault(SYS_fsync, fd, 0, 0, 0);
}

int
fdatasync(int fd)
{
	return (int)with_fault(SYS_fdatasync, fd, 0, 0, 0);
}

int
ftruncate(int fd, off_t bytes)
{
	return (int)with_fault(SYS_ftruncate, fd, bytes, 0, 0);
}

int
rename(const char *from, const char *to)
{
	return (int)with_fault(SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD,
	    (long)to);
}

static __attribute__((destructor)) void
tell(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *to = path != NULL && calls > 0 ? fopen(path, "w") : NULL;

	if (to == NULL)
		return;
	fprintf(to, "%d\n", calls);
	fclose(to);
}
