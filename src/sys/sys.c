#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

/*
 * Zeroed: every call is made.  One word says whether to look any closer, so
 * that what is rare costs the others a load.
 */
static struct {
	_Atomic uint32_t watched;  /* reasons to look: confinements, a fault */
	_Atomic uint32_t confined; /* sys_confine() less sys_release() */
	_Atomic uint32_t inside;   /* calls that are being made now */
	_Atomic uint64_t calls;    /* counted after sys_set_fault() only */
	struct sys_fault fault;    /* set before any other thread counts */
} sys;

/* Where a thread may stand in the middle of a call that it entered before. */
#define WAITS_MOST 10000

/*
 * In the raw: libc's wrappers set errno, are cancellation points, and may be
 * somebody else's by symbol.
 */
long
sys_pass(long number, long a, long b, long c, long d, long e, long f)
{
	long result;

#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
	    : "=a"(result)
	    : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	    : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
	    : "+r"(x0)
	    : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
	    : "memory");
	result = x0;
#endif
	return result;
}

/* Is this call not to be made?  A negative errno value, or 0. */
static COLD long
refusal(void)
{
	const struct sys_fault *f = &sys.fault;
	uint64_t n;

	if (atomic_load(&sys.confined) > 0)
		return -EPERM;
	if (f->error == 0)
		return 0;
	n = atomic_fetch_add(&sys.calls, 1) + 1;
	return n == f->at || (f->onwards && n > f->at) ? f->error : 0;
}

/*
 * One place through which all system calls of our own go.  Who is inside is
 * counted, so that sys_confine() can tell when nobody is.
 */
static long
call(long number, long a, long b, long c, long d, long e, long f)
{
	long result = 0;

	atomic_fetch_add(&sys.inside, 1);
	if (UNLIKELY(atomic_load(&sys.watched) > 0))
		result = refusal();
	if (LIKELY(result == 0))
		result = sys_pass(number, a, b, c, d, e, f);
	atomic_fetch_sub(&sys.inside, 1);
	return result;
}

void
sys_confine(void)
{
	int waits;

	atomic_fetch_add(&sys.confined, 1);
	atomic_fetch_add(&sys.watched, 1);
	/*
	 * A filter may be for all threads: who has passed the look above has
	 * to be through.  The bound is for a call that this very thread was
	 * interrupted in, and for a thread that a fork left behind.
	 */
	for (waits = 0; waits < WAITS_MOST && atomic_load(&sys.inside) > 0;
	    waits++)
		(void)sys_pass(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

void
sys_release(void)
{
	atomic_fetch_sub(&sys.confined, 1);
	atomic_fetch_sub(&sys.watched, 1);
}

bool
sys_is_confined(void)
{
	return atomic_load(&sys.confined) > 0;
}

void
sys_set_fault(const struct sys_fault *fault)
{
	if (fault->error == 0)
		return;
	sys.fault = *fault;
	atomic_fetch_add(&sys.watched, 1);
}

uint64_t
sys_calls(void)
{
	return atomic_load(&sys.calls);
}

/* A call that a signal may interrupt before it has done anything. */
static long
call_again(long number, long a, long b, long c, long d)
{
	long result;

	do {
		result = call(number, a, b, c, d, 0, 0);
	} while (result == -EINTR);
	return result;
}

int
sys_open(const char *path, int flags, unsigned mode)
{
	return (int)call_again(SYS_openat, AT_FDCWD, (long)path, flags, mode);
}

int
sys_openat(int directory, const char *path, int flags)
{
	return (int)call_again(SYS_openat, directory, (long)path, flags, 0);
}

int
sys_close(int fd)
{
	return (int)call(SYS_close, fd, 0, 0, 0, 0, 0);
}

ssize_t
sys_read(int fd, void *to, size_t bytes)
{
	return call_again(SYS_read, fd, (long)to, (long)bytes, 0);
}

ssize_t
sys_pread(int fd, void *to, size_t bytes, uint64_t offset)
{
	return call_again(SYS_pread64, fd, (long)to, (long)bytes,
	    (long)offset);
}

ssize_t
sys_write(int fd, const void *from, size_t bytes)
{
	return call_again(SYS_write, fd, (long)from, (long)bytes, 0);
}

ssize_t
sys_pwrite(int fd, const void *from, size_t bytes, uint64_t offset)
{
	return call_again(SYS_pwrite64, fd, (long)from, (long)bytes,
	    (long)offset);
}

int
sys_fstat(int fd, struct stat *st)
{
	return (int)call(SYS_fstat, fd, (long)st, 0, 0, 0, 0);
}

int
sys_stat(const char *path, struct stat *st)
{
	return (int)call(SYS_newfstatat, AT_FDCWD, (long)path, (long)st, 0, 0,
	    0);
}

int
sys_lstat(const char *path, struct stat *st)
{
	return (int)call(SYS_newfstatat, AT_FDCWD, (long)path, (long)st,
	    AT_SYMLINK_NOFOLLOW, 0, 0);
}

int
sys_mkdir(const char *path, unsigned mode)
{
	return (int)call(SYS_mkdirat, AT_FDCWD, (long)path, mode, 0, 0, 0);
}

int
sys_mkfifo(const char *path, unsigned mode)
{
	return (int)call(SYS_mknodat, AT_FDCWD, (long)path, S_IFIFO | mode, 0,
	    0, 0);
}

int
sys_poll(struct pollfd *fds, unsigned count)
{
	const struct timespec none = { 0, 0 };

	return (int)call(SYS_ppoll, (long)fds, count, (long)&none, 0, 0, 0);
}

int
sys_socket(int family, int type)
{
	return (int)call(SYS_socket, family, type, 0, 0, 0, 0);
}

int
sys_connect(int fd, const void *address, size_t bytes)
{
	return (int)call(SYS_connect, fd, (long)address, (long)bytes, 0, 0, 0);
}

int
sys_rename(const char *from, const char *to)
{
	return (int)call(SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD,
	    (long)to, 0, 0);
}

int
sys_unlink(const char *path)
{
	return (int)call(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0, 0, 0);
}

ssize_t
sys_readlink(const char *path, char *to, size_t bytes)
{
	return call(SYS_readlinkat, AT_FDCWD, (long)path, (long)to,
	    (long)bytes, 0, 0);
}

int
sys_ftruncate(int fd, uint64_t bytes)
{
	return (int)call_again(SYS_ftruncate, fd, (long)bytes, 0, 0);
}

int
sys_fsync(int fd)
{
	return (int)call_again(SYS_fsync, fd, 0, 0, 0);
}

int
sys_fdatasync(int fd)
{
	return (int)call_again(SYS_fdatasync, fd, 0, 0, 0);
}

int
sys_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int r = (int)call(SYS_fcntl, fd, F_OFD_SETLK, (long)&whole, 0, 0, 0);

	return r == -EACCES ? -EAGAIN : r;
}

int
sys_is_locked(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int r = (int)call(SYS_fcntl, fd, F_OFD_GETLK, (long)&whole, 0, 0, 0);

	return r < 0 ? r : whole.l_type != F_UNLCK;
}

int
sys_pipe(int ends[2])
{
	return (int)call(SYS_pipe2, (long)ends, O_CLOEXEC | O_NONBLOCK, 0, 0,
	    0, 0);
}

int
sys_fallocate(int fd, uint64_t offset, uint64_t bytes)
{
	return (int)call_again(SYS_fallocate, fd, 0, (long)offset,
	    (long)bytes);
}

void *
sys_mmap(void *at, size_t bytes, int protection, int flags, int fd,
    uint64_t offset)
{
	return (void *)call(SYS_mmap, (long)at, (long)bytes, protection, flags,
	    fd, (long)offset);
}

int
sys_munmap(void *at, size_t bytes)
{
	return (int)call(SYS_munmap, (long)at, (long)bytes, 0, 0, 0, 0);
}

/* By a size of 0 the pages stay where they were, too (mremap(2)). */
int
sys_map_again(void *from, size_t bytes, void *at)
{
	long r = call(SYS_mremap, (long)from, 0, (long)bytes,
	    MREMAP_MAYMOVE | MREMAP_FIXED, (long)at, 0);

	return r < 0 && r > -4096 ? (int)r : 0;
}

int
sys_madvise(void *at, size_t bytes, int advice)
{
	return (int)call_again(SYS_madvise, (long)at, (long)bytes, advice, 0);
}

size_t
sys_page_bytes(void)
{
	return getauxval(AT_PAGESZ);
}

int
sys_resident(const void *at, size_t bytes, uint8_t *there)
{
	return (int)call(SYS_mincore, (long)at, (long)bytes, (long)there, 0, 0,
	    0);
}

int
sys_mprotect(void *at, size_t bytes, int protection)
{
	return (int)call(SYS_mprotect, (long)at, (long)bytes, protection, 0, 0,
	    0);
}

int
sys_mlock(const void *at, size_t bytes)
{
	return (int)call(SYS_mlock, (long)at, (long)bytes, 0, 0, 0, 0);
}

int
sys_munlock(const void *at, size_t bytes)
{
	return (int)call(SYS_munlock, (long)at, (long)bytes, 0, 0, 0, 0);
}

int
sys_is_readable(const void *at)
{
	/*
	 * There is no such way to set a mask, and that is the answer once the
	 * kernel has copied it.  Any other: who cannot ask does not read.
	 */
	return call(SYS_rt_sigprocmask, -1, (long)at, 0, 8, 0, 0) == -EINVAL;
}

ssize_t
sys_read_pieces(int pid, const uint64_t *at, size_t count, void *to,
    size_t each)
{
	const struct iovec local = { to, count * each };
	struct iovec remote[SYS_PIECES_MOST];
	size_t i;

	if (count > SYS_PIECES_MOST)
		return -EINVAL;
	for (i = 0; i < count; i++)
		remote[i] = (struct iovec){ (void *)(uintptr_t)at[i], each };
	return call(SYS_process_vm_readv, pid, (long)&local, 1, (long)remote,
	    (long)count, 0);
}

uint64_t
sys_limit(int resource)
{
	struct rlimit limit;

	if (call(SYS_prlimit64, 0, resource, 0, (long)&limit, 0, 0) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

uint64_t
sys_faults(void)
{
	struct rusage usage;

	return call(SYS_getrusage, RUSAGE_SELF, (long)&usage, 0, 0, 0, 0) < 0 ?
	    0 : (uint64_t)usage.ru_minflt;
}

uint64_t
sys_switches(void)
{
	struct rusage usage;

	return call(SYS_getrusage, RUSAGE_THREAD, (long)&usage, 0, 0, 0, 0) < 0 ?
	    0 : (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

int
sys_pid(void)
{
	return (int)call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

int
sys_parent_pid(void)
{
	return (int)call(SYS_getppid, 0, 0, 0, 0, 0, 0);
}

int
sys_tid(void)
{
	return (int)call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

unsigned
sys_uid(void)
{
	return (unsigned)call(SYS_geteuid, 0, 0, 0, 0, 0, 0);
}

int
sys_thread_exists(int tid)
{
	return (int)call(SYS_tkill, tid, 0, 0, 0, 0, 0);
}

void
sys_yield(void)
{
	(void)call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

int
sys_thread_name(char name[16])
{
	return (int)call(SYS_prctl, PR_GET_NAME, (long)name, 0, 0, 0, 0);
}

void
sys_name_thread(const char *name)
{
	(void)call(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0, 0);
}

/* --- a quiet child --------------------------------------------------------- */

int
sys_fork_quietly(void)
{
	/* No exit signal in the low byte, and nothing that is shared. */
	return (int)call(SYS_clone, 0, 0, 0, 0, 0, 0);
}

int
sys_wait_quietly(int pid)
{
	long r = call(SYS_wait4, pid, 0, WNOHANG | __WCLONE, 0, 0, 0);

	return r == pid || r == -ECHILD;
}

void
sys_end(int status)
{
	for (;;)
		(void)sys_pass(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

#define SIGNALS_MOST 64

void
sys_reset_signals(void)
{
	int i;

	for (i = 1; i <= SIGNALS_MOST; i++)
		(void)sys_action(i, &(struct sys_action){ .handler = NULL }, NULL);
}

#define FILES_MOST 65536 /* to try by number, before Linux 5.9 */

void
sys_close_all(void)
{
	int fd;

	if (call(SYS_close_range, 0, (long)UINT32_MAX, 0, 0, 0, 0) == 0)
		return;
	for (fd = 0; fd < FILES_MOST; fd++)
		(void)sys_close(fd);
}

#define IDLE_CLASS (3 << 13) /* of ioprio_set(): IOPRIO_CLASS_IDLE */
#define NICENESS   10

void
sys_step_back(void)
{
	const struct rlimit none = { 0, 0 };
	int fd;

	(void)call(SYS_setpriority, PRIO_PROCESS, 0, NICENESS, 0, 0, 0);
	(void)call(SYS_ioprio_set, 1, 0, IDLE_CLASS, 0, 0, 0);
	(void)call(SYS_prlimit64, 0, RLIMIT_CORE, (long)&none, 0, 0, 0);
	fd = sys_open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		(void)sys_write(fd, "1000", 4);
		sys_close(fd);
	}
}

void
sys_sleep(uint64_t ns)
{
	const struct timespec time = { (time_t)(ns / NS_PER_S),
		(long)(ns % NS_PER_S) };

	(void)call(SYS_nanosleep, (long)&time, 0, 0, 0, 0, 0);
}

ssize_t
sys_list(int fd, void *to, size_t bytes)
{
	return call(SYS_getdents64, fd, (long)to, (long)bytes, 0, 0, 0);
}

/* --- signals --------------------------------------------------------------- */

int
sys_action(int number, const struct sys_action *set, struct sys_action *was)
{
	return (int)call(SYS_rt_sigaction, number, (long)set, (long)was,
	    sizeof(uint64_t), 0, 0);
}

int
sys_signal_thread(int tid, int number)
{
	return (int)call(SYS_tgkill, sys_pid(), tid, number, 0, 0, 0);
}

int
sys_signal_self(int number)
{
	return (int)call(SYS_kill, sys_pid(), number, 0, 0, 0, 0);
}

int
sys_signal_mask(uint64_t mask, uint64_t *was)
{
	return (int)call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask,
	    (long)was, sizeof(mask), 0, 0);
}

/* No time is given: the kernel goes on by itself after a stop. */
void
sys_wait_while(const void *word, uint32_t value)
{
	(void)call(SYS_futex, (long)word, FUTEX_WAIT, value, 0, 0, 0);
}

void
sys_wake_all(const void *word)
{
	(void)call(SYS_futex, (long)word, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
}

int
sys_wait_shared(const uint32_t *word, uint32_t value, uint64_t ns)
{
	const struct timespec time = { (time_t)(ns / NS_PER_S),
		(long)(ns % NS_PER_S) };
	long r = call(SYS_futex, (long)word, FUTEX_WAIT, value, (long)&time, 0,
	    0);

	return r == -EAGAIN ? 0 : (int)r;
}

void
sys_wake_shared(const uint32_t *word)
{
	(void)call(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0);
}

/* --- clocks --------------------------------------------------------------- */

int
sys_clock_ask(clockid_t clock, struct timespec *now)
{
	return (int)call(SYS_clock_gettime, clock, (long)now, 0, 0, 0, 0);
}
