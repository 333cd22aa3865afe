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

#include <stddef.h>
#include <stdint.h>

#include <sys/stat.h>
#include <sys/types.h>

int sys_open(const char *path, int flags, unsigned mode);
int sys_close(int fd);
ssize_t sys_read(int fd, void *to, size_t bytes);
ssize_t sys_pread(int fd, void *to, size_t bytes, uint64_t offset);
ssize_t sys_write(int fd, const void *from, size_t bytes);
ssize_t sys_pwrite(int fd, const void *from, size_t bytes, uint64_t offset);
int sys_fstat(int fd, struct stat *st);
int sys_lstat(const char *path, struct stat *st);
int sys_mkdir(const char *path, unsigned mode);
int sys_rename(const char *from, const char *to);
int sys_unlink(const char *path);
ssize_t sys_readlink(const char *path, char *to, size_t bytes);
int sys_ftruncate(int fd, uint64_t bytes);
/* Set blocks aside for a range of a file; -EOPNOTSUPP: it cannot. */
int sys_fallocate(int fd, uint64_t offset, uint64_t bytes);

/* The address, or a negative errno value: ask sys_error_of(). */
void *sys_mmap(void *at, size_t bytes, int protection, int flags, int fd,
    uint64_t offset);
int sys_munmap(void *at, size_t bytes);
int sys_madvise(void *at, size_t bytes, int advice);

/* May @at be read?  8 bytes of it; about 100 ns, and nothing happens. */
int sys_is_readable(const void *at);

/* The soft limit of RLIMIT_*; UINT64_MAX: none, or not known. */
uint64_t sys_limit(int resource);

int sys_pid(void);
int sys_tid(void);
unsigned sys_uid(void); /* effective */
/* 0: such a thread of this process exists; -ESRCH: it does not. */
int sys_thread_exists(int pid, int tid);
void sys_yield(void);
/* The caller's name, at most 16 bytes with the terminator. */
int sys_thread_name(char name[16]);

/* Through the vDSO, some 5 and 20 ns; ns since boot, since 1970. */
uint64_t sys_clock_coarse(void);
uint64_t sys_clock(void);
int64_t sys_clock_wall(void);

static inline int
sys_error_of(const void *result)
{
	intptr_t value = (intptr_t)result;

	return value < 0 && value >= -4095 ? (int)value : 0;
}

#endif
