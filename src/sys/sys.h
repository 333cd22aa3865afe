/*
 * sys.h - the kernel, asked directly
 *
 * Floor 2 (sys).  May use: base.  Used by: every floor above.
 * Contexts: anywhere.  No cancellation point, no malloc, no lock, and errno
 * is never touched: it belongs to the program.  The program's own wrappers of
 * these calls (ours among them) are not gone through.
 *
 * Errors: 0 or what the call gives, or a negative errno value.
 */
#ifndef SYS_SYS_H
#define SYS_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/*
 * From sys_confine() on each function below answers -EPERM and asks the kernel
 * nothing: the program is about to tell the kernel to kill it for calls that
 * are not its own.  All threads; when it returns, none is in the middle of a
 * call.  sys_release() takes one sys_confine() back.  Clocks go on, coarse.
 */
void sys_confine(void);
void sys_release(void);
bool sys_is_confined(void);

/*
 * For the tests: the call of number @at, from 1 over all threads, is not made
 * and answers @error.  A forked child counts on from where its parent was.
 */
struct sys_fault {
	uint64_t at;  /* 0: count only */
	bool onwards; /* and all calls after it */
	int error;    /* a negative errno value; 0: there is no fault to make */
};

void sys_set_fault(const struct sys_fault *fault);

/* The calls counted so far; 0 without a sys_set_fault(). */
uint64_t sys_calls(void);

/* A call of the program's own, made as it stands, whatever is refused to us. */
long sys_pass(long number, long a, long b, long c, long d, long e, long f);

int sys_open(const char *path, int flags, unsigned mode);
/* Nothing is made: @flags without O_CREAT. */
int sys_openat(int directory, const char *path, int flags);
int sys_close(int fd);
ssize_t sys_read(int fd, void *to, size_t bytes);
ssize_t sys_pread(int fd, void *to, size_t bytes, uint64_t offset);
ssize_t sys_write(int fd, const void *from, size_t bytes);
ssize_t sys_pwrite(int fd, const void *from, size_t bytes, uint64_t offset);
int sys_fstat(int fd, struct stat *st);
int sys_stat(const char *path, struct stat *st);
int sys_lstat(const char *path, struct stat *st);
int sys_mkdir(const char *path, unsigned mode);
int sys_mkfifo(const char *path, unsigned mode);
struct pollfd;
/* Without waiting: how many of them are ready. */
int sys_poll(struct pollfd *fds, unsigned count);
int sys_socket(int family, int type);
int sys_connect(int fd, const void *address, size_t bytes);
int sys_rename(const char *from, const char *to);
int sys_unlink(const char *path);
ssize_t sys_readlink(const char *path, char *to, size_t bytes);
int sys_ftruncate(int fd, uint64_t bytes);
/* Until what was written lies on the disk; with its times, of which nobody is
 * in need, or only what is needed to find it again. */
int sys_fsync(int fd);
int sys_fdatasync(int fd);
/* All of a file is this descriptor's alone, until it and its copies are closed
 * (an OFD lock).  -EAGAIN: it is another's. */
int sys_lock(int fd);
/* Is it another's?  1, 0, or a negative errno value. */
int sys_is_locked(int fd);
/* A pipe, to read from and to write to; not for programs that are executed,
 * and nobody waits at it. */
int sys_pipe(int ends[2]);
/* Set blocks aside for a range of a file; -EOPNOTSUPP: it cannot. */
int sys_fallocate(int fd, uint64_t offset, uint64_t bytes);

/* The address, or a negative errno value: ask sys_error_of(). */
void *sys_mmap(void *at, size_t bytes, int protection, int flags, int fd,
    uint64_t offset);
int sys_munmap(void *at, size_t bytes);
int sys_madvise(void *at, size_t bytes, int advice);
/* Have what is mapped shared at @from at @at as well, in place of what is. */
int sys_map_again(void *from, size_t bytes, void *at);
size_t sys_page_bytes(void);

/* A byte a page: is it in memory? */
int sys_resident(const void *at, size_t bytes, uint8_t *there);
int sys_mprotect(void *at, size_t bytes, int protection);
int sys_mlock(const void *at, size_t bytes);
int sys_munlock(const void *at, size_t bytes);

/*
 * May @at be read?  8 bytes of it; about 100 ns, and nothing happens.  0 also
 * if the kernel cannot be asked.
 */
int sys_is_readable(const void *at);

/*
 * Read @each bytes of process @pid at each of @count addresses, one piece
 * behind the other; what cannot be read ends it, and is no fault.  How many
 * bytes there are, or -EPERM, -ESRCH, -EFAULT.
 */
#define SYS_PIECES_MOST 64
ssize_t sys_read_pieces(int pid, const uint64_t *at, size_t count, void *to,
    size_t each);

/* The soft limit of RLIMIT_*; UINT64_MAX: none, or not known. */
uint64_t sys_limit(int resource);

/* Minor page faults of the process so far. */
uint64_t sys_faults(void);

/* So often has the calling thread made way for others, of its own or not. */
uint64_t sys_switches(void);

int sys_pid(void);
int sys_parent_pid(void);
int sys_tid(void);
unsigned sys_uid(void); /* effective */
/* -ESRCH: there is no such thread, in any process. */
int sys_thread_exists(int tid);
void sys_yield(void);
/*
 * Gives way to a thread that is waited for; @since is 0 before the first time.
 * False from a second on: it was stopped for good in the middle of what it did,
 * as by a jump out of a signal handler.  Most often it takes some us, and a few
 * timeslices where the kernel put it aside.
 */
bool sys_give_way(uint64_t *since);
/* The caller's name, at most 16 bytes with the terminator. */
int sys_thread_name(char name[16]);
void sys_name_thread(const char *name);

/* --- for a child that looks at its parent's memory ------------------------ */

/*
 * A child with a copy of this memory, that nobody is told of: no signal when it
 * ends, and no wait() of the program's sees it.  Nothing of libc's may be called
 * in it.  The pid, or 0 in the child.
 */
int sys_fork_quietly(void);
/* Wait for such a child.  1: it has ended; 0: not yet. */
int sys_wait_quietly(int pid);
/* End this process, whatever threads it has. */
void sys_end(int status) __attribute__((noreturn));
/* All signals as at the start of a program. */
void sys_reset_signals(void);
void sys_close_all(void);
/* Least of all: CPU, disk, life when memory is short, core files. */
void sys_step_back(void);
/* At most @ns, unless a signal comes. */
void sys_sleep(uint64_t ns);

/* Entries of a directory, as the kernel has them; bytes, 0: no more. */
ssize_t sys_list(int fd, void *to, size_t bytes);

/* --- signals among our own threads ---------------------------------------- */

/* As the kernel takes it. */
struct sys_action {
	void *handler; /* NULL: the default */
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

/* @set or @was may be NULL. */
int sys_action(int number, const struct sys_action *set,
    struct sys_action *was);
int sys_signal_thread(int tid, int number);
/* To the whole process. */
int sys_signal_self(int number);
/* Replace the calling thread's mask. */
int sys_signal_mask(uint64_t mask, uint64_t *was);
/* While *@word, of 32 bits, is @value; a signal may end it before. */
void sys_wait_while(const void *word, uint32_t value);
void sys_wake_all(const void *word);

/*
 * The same of a word that processes have in common, and for @ns at most.  0: it
 * was woken, or has another value; -ETIMEDOUT; -EINTR.
 */
int sys_wait_shared(const uint32_t *word, uint32_t value, uint64_t ns);
/* One of those who wait there. */
void sys_wake_shared(const uint32_t *word);

/* Through the vDSO, some 5 and 20 ns; ns since boot, since 1970. */
uint64_t sys_clock_coarse(void);
uint64_t sys_clock(void);
int64_t sys_clock_wall(void);
/* CPU time of this process so far; asks the kernel. */
uint64_t sys_clock_busy(void);
/* The kernel itself is asked for the time: 0, or a negative errno value. */
int sys_clock_ask(clockid_t clock, struct timespec *now);

static inline int
sys_error_of(const void *result)
{
	intptr_t value = (intptr_t)result;

	return value < 0 && value >= -4095 ? (int)value : 0;
}

#endif
