#include "plan/journal-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/sys.h"

/* It may be anybody's, and anything. */
static int
open_own(const char *path, int flags, struct stat *st)
{
	int fd, r;

	do
		fd = sys_open(path, flags | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK, 0600);
	while (fd == -EINTR);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, st);
	if (r == 0 && !S_ISREG(st->st_mode))
		r = -EBADMSG;
	else if (r == 0 && (st->st_uid != sys_uid() ||
	    (st->st_mode & 022) != 0))
		r = -EACCES;
	if (r == 0)
		return fd;
	(void)sys_close(fd);
	return r;
}

int
journal_look(const char *path)
{
	struct stat st;

	return open_own(path, O_RDONLY, &st);
}

/* Is what is open the file of that name still? */
static bool
is_there(const char *path, const struct stat *opened)
{
	struct stat st;

	return sys_stat(path, &st) == 0 && st.st_ino == opened->st_ino &&
	    st.st_dev == opened->st_dev;
}

int
journal_file_open(const char *path, int flags)
{
	struct stat st;
	int fd = open_own(path, O_RDWR | flags, &st);
	int r;

	if (fd < 0)
		return fd;
	r = sys_lock(fd);
	if (r == 0 && !is_there(path, &st))
		r = -EAGAIN;
	if (r == 0)
		return fd;
	(void)sys_close(fd);
	return r == -EAGAIN ? -EBUSY : r;
}

int
journal_file_write(int fd, const void *from, size_t bytes, uint64_t offset)
{
	const char *at = (const char *)from;
	ssize_t n;

	/* Beyond that SIGXFSZ would come, which ends the program. */
	if (sys_limit(RLIMIT_FSIZE) < offset + bytes)
		return -EFBIG;
	while (bytes > 0) {
		n = sys_pwrite(fd, at, bytes, offset);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		at += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* That it has this name, too, is on the disk. */
static int
sync_directory(const char *path)
{
	char directory[JOURNAL_PATH];
	const char *slash = strrchr(path, '/');
	struct text t;
	int fd, r;

	text_open(&t, directory, sizeof(directory));
	if (slash == NULL)
		text_put(&t, ".");
	else
		text_put_bytes(&t, path, (size_t)(slash - path) + 1);
	fd = sys_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = sys_fsync(fd);
	(void)sys_close(fd);
	/* There are file systems that know no such thing. */
	return r == -EINVAL || r == -EROFS ? 0 : r;
}

/* --- a file in the place of another --------------------------------------- */

int
journal_file_new(struct journal_new *n, const char *path)
{
	struct text t;
	int r;

	memset(n, 0, sizeof(*n));
	text_open(&t, n->path, JOURNAL_PATH);
	text_put(&t, path);
	text_put(&t, ".new");
	if (t.cut)
		return -ENAMETOOLONG;
	n->fd = journal_file_open(n->path, O_CREAT);
	if (n->fd < 0)
		return n->fd;
	r = sys_ftruncate(n->fd, 0);
	if (r < 0)
		(void)sys_close(n->fd);
	return r;
}

void
journal_file_drop(struct journal_new *n)
{
	/* While it is locked: then it is ours. */
	(void)sys_unlink(n->path);
	(void)sys_close(n->fd);
}

int
journal_file_settle(struct journal_new *n, const char *path, int before, int sync)
{
	struct stat st;
	int r = sync == JOURNAL_SYNC_NONE ? 0 : sys_fsync(n->fd);

	if (r < 0)
		return r;
	if (before < 0 && sys_stat(path, &st) == 0)
		return -EEXIST;
	if (before >= 0 && (sys_fstat(before, &st) < 0 ||
	    !is_there(path, &st)))
		return -EBUSY;
	r = sys_rename(n->path, path);
	if (r < 0)
		return r;
	/* Where this fails the old name may come back after a crash. */
	if (sync != JOURNAL_SYNC_NONE)
		(void)sync_directory(path);
	return 0;
}
