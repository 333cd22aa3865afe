/*
 * alone-sys.c - what plan asks of sys/sys.h, done by libc
 *
 * Part of heaptide.h only, before all of plan; it is never compiled into ours.
 * errno stays as it was, answers are negative errno values: as in sys/sys.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* The answer of a call, errno being put back. */
#define ANSWER(type, call) \
	const int was = errno; \
	const type answer = (call); \
	const type error = (type)-errno; \
	\
	errno = was; \
	return answer < 0 ? error : answer

static int
sys_open(const char *path, int flags, unsigned mode)
{
	ANSWER(int, open(path, flags, mode));
}

static void
sys_close(int fd)
{
	const int was = errno;

	(void)close(fd);
	errno = was;
}

static ssize_t
sys_read(int fd, void *to, size_t bytes)
{
	ANSWER(ssize_t, read(fd, to, bytes));
}

static ssize_t
sys_write(int fd, const void *from, size_t bytes)
{
	ANSWER(ssize_t, write(fd, from, bytes));
}

static int
sys_fstat(int fd, struct stat *st)
{
	ANSWER(int, fstat(fd, st));
}

static int
sys_ftruncate(int fd, uint64_t bytes)
{
	ANSWER(int, ftruncate(fd, (off_t)bytes));
}

static ssize_t
sys_pread(int fd, void *to, size_t bytes, uint64_t offset)
{
	ANSWER(ssize_t, pread(fd, to, bytes, (off_t)offset));
}

static int
sys_fsync(int fd)
{
	ANSWER(int, fsync(fd));
}

static int
sys_fdatasync(int fd)
{
	ANSWER(int, fdatasync(fd));
}

#ifndef F_OFD_SETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

static int
sys_is_locked(int fd)
{
	const int was = errno;
	struct flock whole;
	int r;

	memset(&whole, 0, sizeof(whole));
	whole.l_type = F_WRLCK;
	r = fcntl(fd, F_OFD_GETLK, &whole) < 0 ? -errno :
	    whole.l_type != F_UNLCK;
	errno = was;
	return r;
}

static int
sys_lock(int fd)
{
	const int was = errno;
	struct flock whole;
	int r;

	memset(&whole, 0, sizeof(whole));
	whole.l_type = F_WRLCK;
	r = fcntl(fd, F_OFD_SETLK, &whole) < 0 ? -errno : 0;
	errno = was;
	return r == -EACCES ? -EAGAIN : r;
}

static int
sys_rename(const char *from, const char *to)
{
	ANSWER(int, rename(from, to));
}

static ssize_t
sys_readlink(const char *path, char *to, size_t bytes)
{
	ANSWER(ssize_t, readlink(path, to, bytes));
}

/* MAP_FAILED if it cannot be. */
static void *
sys_mmap(void *at, size_t bytes, int protection, int flags, int fd,
    uint64_t offset)
{
	const int was = errno;
	void *p = mmap(at, bytes, protection, flags, fd, (off_t)offset);

	errno = was;
	return p;
}

static int
sys_munmap(void *at, size_t bytes)
{
	ANSWER(int, munmap(at, bytes));
}

static int
sys_madvise(void *at, size_t bytes, int advice)
{
	ANSWER(int, madvise(at, bytes, advice));
}

static uint64_t
sys_limit(int resource)
{
	const int was = errno;
	uint64_t limit[2]; /* soft, hard; of 64 bits on every machine */
	/* No libc has the same type for @resource in C and in C++. */
	long r = syscall(SYS_prlimit64, 0, resource, NULL, limit);

	errno = was;
	return r < 0 ? UINT64_MAX : limit[0];
}

static uint64_t
sys_faults(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) < 0 ? 0 :
	    (uint64_t)usage.ru_minflt;
}

#ifndef RUSAGE_THREAD
#define RUSAGE_THREAD 1
#endif

static uint64_t
sys_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) < 0 ? 0 :
	    (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

static int
sys_pid(void)
{
	return (int)getpid();
}

static int
sys_tid(void)
{
	return (int)syscall(SYS_gettid);
}

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec now;

	return clock_gettime(clock, &now) < 0 ? 0 :
	    (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t
sys_clock(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static uint64_t
sys_clock_coarse(void)
{
	return read_clock(CLOCK_MONOTONIC_COARSE);
}

static int64_t
sys_clock_wall(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME);
}

/* Nothing that the program has for its end is done. */
static void
sys_end(int status)
{
	_exit(status);
}

static void
sys_yield(void)
{
	(void)sched_yield();
}

static bool
sys_give_way(uint64_t *since)
{
	if (*since == 0)
		*since = sys_clock();
	sys_yield();
	return sys_clock() - *since < 1000000000;
}

static void
sys_sleep(uint64_t ns)
{
	const int was = errno;
	struct timespec time;

	time.tv_sec = (time_t)(ns / 1000000000);
	time.tv_nsec = (long)(ns % 1000000000);
	(void)nanosleep(&time, NULL);
	errno = was;
}

static int
sys_error_of(const void *answer)
{
	return answer == MAP_FAILED ? -ENOMEM : 0;
}

static size_t
sys_page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* -ESRCH: there is no such thread, in any process: a pool's members ask. */
static int
sys_thread_exists(int tid)
{
	ANSWER(int, (int)syscall(SYS_tkill, tid, 0));
}

static int
sys_pipe(int ends[2])
{
	ANSWER(int, pipe2(ends, O_CLOEXEC | O_NONBLOCK));
}

static int
sys_stat(const char *path, struct stat *st)
{
	ANSWER(int, stat(path, st));
}

static int
sys_poll(struct pollfd *fds, unsigned count)
{
	ANSWER(int, poll(fds, count, 0));
}

static int
sys_socket(int family, int type)
{
	ANSWER(int, socket(family, type, 0));
}

static int
sys_connect(int fd, const void *address, size_t bytes)
{
	ANSWER(int, connect(fd, (const struct sockaddr *)address,
	    (socklen_t)bytes));
}

static int
sys_mkdir(const char *path, unsigned mode)
{
	ANSWER(int, mkdir(path, (mode_t)mode));
}

static int
sys_unlink(const char *path)
{
	ANSWER(int, unlink(path));
}

/* As the kernel sees it: what it may not read it does not write. */
static int
sys_is_readable(const void *at)
{
	int ends[2];
	ssize_t n;

	if (sys_pipe(ends) < 0)
		return 0;
	n = sys_write(ends[1], at, 8);
	sys_close(ends[0]);
	sys_close(ends[1]);
	return n == 8;
}

static unsigned
sys_uid(void)
{
	return (unsigned)geteuid();
}

static ssize_t
sys_pwrite(int fd, const void *from, size_t bytes, uint64_t offset)
{
	ANSWER(ssize_t, pwrite(fd, from, bytes, (off_t)offset));
}

static int
sys_fallocate(int fd, uint64_t offset, uint64_t bytes)
{
	ANSWER(int, (int)syscall(SYS_fallocate, fd, 0, (off_t)offset,
	    (off_t)bytes));
}

static int
sys_wait_shared(const uint32_t *word, uint32_t value, uint64_t ns)
{
	struct timespec time;

	time.tv_sec = (time_t)(ns / 1000000000);
	time.tv_nsec = (long)(ns % 1000000000);
	ANSWER(int, (int)syscall(SYS_futex, word, 0 /* FUTEX_WAIT */, value,
	    &time, NULL, 0));
}

static void
sys_wake_shared(const uint32_t *word)
{
	const int was = errno;

	(void)syscall(SYS_futex, word, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0);
	errno = was;
}
