/*
 * proc.h - what /proc says of a process
 *
 * Floor 2 (sys).  May use: base.  Used by: the library at boot and exit, the
 * tools at any time.
 * Contexts: not from inside malloc (it is slow), but it allocates nothing and
 * leaves errno alone, so a constructor or an exit handler may call it.
 * Errors: 0 or a negative errno value; -ESRCH: there is no such process.
 */
#ifndef SYS_PROC_H
#define SYS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_stat {
	int pid;
	int parent;
	char state;        /* R S D T Z X ... */
	uint64_t ticks;    /* start time, field 22 */
	uint32_t threads;
	char name[16];     /* field 2, without the brackets */
};

struct proc_status {
	uint64_t resident; /* VmRSS, bytes */
	uint64_t peak;     /* VmHWM, bytes */
	uint32_t uid;      /* effective */
};

/* One range of address space, as /proc/PID/smaps tells it. */
struct proc_vma {
	uint64_t start;
	uint64_t end;
	uint64_t resident;   /* Rss, bytes */
	bool readable, writable, executable, shared;
	uint64_t inode;      /* 0: no file */
	const char *name;    /* path, [heap], [stack], [anon:x] or ""; valid
	                      * during the call only */
};

/* @pid 0 is the caller, here and below. */
int proc_stat_read(int pid, struct proc_stat *stat);
int proc_status_read(int pid, struct proc_status *status);

/* Call @each for every range, in order of address. */
int proc_vmas_read(int pid, void (*each)(void *context,
    const struct proc_vma *vma), void *context);

/* True while @pid is the very process that started at @ticks (no zombie). */
bool proc_is_alive(int pid, uint64_t ticks);

#endif
