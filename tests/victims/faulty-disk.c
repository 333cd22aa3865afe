/*
 * faulty-disk.c - what a disk and a killer do to who writes checkpoints
 *
 * Loaded before a program: of its calls that change a file or force it to the
 * disk, the one of number $FAULT_AT (from 1) meets with $FAULT_HOW:
 *
 *	before     the process is killed before it
 *	after      and after it
 *	torn       the first half of what it writes comes through
 *	short      the same of it is said to have come through, and no more
 *	power      the machine loses its power: what was not forced to the disk
 *	           is not on it, and the process is gone
 *	ENOSPC     it fails, and nothing is done; so with each name in `errors`
 *
 * $FAULT_AT of `7+`: so with all from the seventh on.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

static int calls;

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "ENOSPC", ENOSPC }, { "EIO", EIO }, { "EDQUOT", EDQUOT },
	{ "EINTR", EINTR }, { "EROFS", EROFS }, { "ENOMEM", ENOMEM },
};

#define FILES 64 /* descriptors */

/* Of files of checkpoints: how much of them is on the disk. */
static long on_disk[FILES];
static char watched[FILES];

/* All that is not on it is lost. */
static void
lose_power(void)
{
	for (int fd = 0; fd < FILES; fd++)
		if (watched[fd])
			(void)!syscall(SYS_ftruncate, fd, on_disk[fd]);
	kill(getpid(), SIGKILL);
}

static void
note_opened(int fd)
{
	struct stat st;

	if (fd < 0 || fd >= FILES || fstat(fd, &st) != 0)
		return;
	watched[fd] = 1;
	on_disk[fd] = (long)st.st_size;
}

static void
note_synced(int fd)
{
	struct stat st;

	if (fd >= 0 && fd < FILES && watched[fd] && fstat(fd, &st) == 0)
		on_disk[fd] = (long)st.st_size;
}

/* Is it this call's turn, and in which way? */
static const char *
fault(void)
{
	const char *at = getenv("FAULT_AT"), *how = getenv("FAULT_HOW");

	calls++;
	if (at == NULL || how == NULL || (atoi(at) != calls &&
	    (strchr(at, '+') == NULL || calls < atoi(at))))
		return "";
	if (strcmp(how, "before") == 0)
		kill(getpid(), SIGKILL);
	return how;
}

static int
is_refused(const char *how)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (strcmp(how, errors[i].name) != 0)
			continue;
		errno = errors[i].error;
		return 1;
	}
	return 0;
}

static long
with_fault(long number, long a, long b, long c, long d)
{
	const char *how = fault();
	long r;

	if (is_refused(how))
		return -1;
	if ((strcmp(how, "torn") == 0 || strcmp(how, "short") == 0) &&
	    number == SYS_pwrite64)
		c /= 2;
	if (number == SYS_ftruncate && a < FILES && b < on_disk[a])
		on_disk[a] = b;
	r = syscall(number, a, b, c, d);
	if (strcmp(how, "after") == 0 || strcmp(how, "torn") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(how, "power") == 0)
		lose_power();
	return r;
}

/* Only of files of checkpoints: others are not ours to watch. */
static int
open_any(const char *path, int flags, unsigned mode)
{
	int fd;

	if (strstr(path, ".tideck") == NULL || (flags & O_ACCMODE) != O_RDWR)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	fd = (int)with_fault(SYS_openat, AT_FDCWD, (long)path, flags,
	    (long)mode);
	note_opened(fd);
	return fd;
}

int
close(int fd)
{
	if (fd < 0 || fd >= FILES || !watched[fd])
		return (int)syscall(SYS_close, fd);
	/* It is closed whatever is answered. */
	watched[fd] = 0;
	return (int)with_fault(SYS_close, fd, 0, 0, 0);
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
	int r = (int)with_fault(SYS_fsync, fd, 0, 0, 0);

	if (r == 0)
		note_synced(fd);
	return r;
}

int
fdatasync(int fd)
{
	int r = (int)with_fault(SYS_fdatasync, fd, 0, 0, 0);

	if (r == 0)
		note_synced(fd);
	return r;
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

int
unlink(const char *path)
{
	if (strstr(path, ".tideck") == NULL)
		return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	return (int)with_fault(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0);
}

int
mkdir(const char *path, mode_t mode)
{
	return (int)with_fault(SYS_mkdirat, AT_FDCWD, (long)path, (long)mode,
	    0);
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
