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
	uint64_t cpu_ticks; /* user and system time so far, 14 and 15 */
	uint32_t threads;
	char name[16];     /* field 2, without the brackets */
};

/* Bytes; zero where the process has no memory any more (a zombie). */
struct proc_status {
	uint64_t resident;      /* VmRSS */
	uint64_t peak;          /* VmHWM */
	uint64_t address_space; /* VmSize, what RLIMIT_AS limits */
	uint64_t data;          /* VmData, what RLIMIT_DATA limits */
	uint64_t swapped;       /* VmSwap */
	uint64_t anonymous;     /* RssAnon; 0 before Linux 4.5, as is the next */
	uint64_t shared;        /* RssShmem */
	uint32_t uid;           /* effective */
};

/* Soft limits of a process in bytes; UINT64_MAX: none. */
struct proc_limits {
	uint64_t address_space; /* RLIMIT_AS */
	uint64_t data;          /* RLIMIT_DATA */
};

/* Memory of the machine in bytes. */
struct proc_memory {
	uint64_t total;
	uint64_t available; /* what can be had without swapping */
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

/* Bytes, of the caller; what is shared may be in files or be memory. */
struct proc_statm {
	uint64_t resident;
	uint64_t shared;
};

int proc_statm_read(struct proc_statm *statm);

/* @pid 0 is the caller, here and below. */
int proc_stat_read(int pid, struct proc_stat *stat);
int proc_status_read(int pid, struct proc_status *status);

/*
 * How long the calling thread could have run and others had the CPU, ns; without
 * what a hypervisor gave to others.  -ENOENT: the kernel does not count it.
 */
int proc_waited(uint64_t *ns);

/* @root stands before /proc: "" but for a tree made by a test. */
int proc_limits_read(const char *root, int pid, struct proc_limits *limits);
int proc_memory_read(const char *root, struct proc_memory *memory);

/* Call @each for every range, in order of address. */
int proc_vmas_read(int pid, void (*each)(void *context,
    const struct proc_vma *vma), void *context);

/*
 * The pid namespace that the numbers of /proc are of, where @pid is the
 * caller's number there.  0: the machine's own, or not known.
 */
uint64_t proc_namespace(int pid);

/*
 * The namespace of a process, and its number there, for who looks from outside;
 * 0 as above, also if the caller may not know.
 */
uint64_t proc_namespace_of(int pid);
int proc_number_inside(int pid);

/* True while @pid is the very process that started at @ticks (no zombie). */
bool proc_is_alive(int pid, uint64_t ticks);

/*
 * The parsers beneath, for texts that come from elsewhere.  A name may hold
 * blanks, brackets and newlines: it ends at the last bracket of @text.
 */
int proc_stat_parse(const char *text, struct proc_stat *stat);

/*
 * A file read line by line, each ended by a zero byte instead of its newline;
 * what a line has beyond PROC_LINE_ROOM is left out.
 */
#define PROC_LINE_ROOM 3072

struct proc_lines {
	int fd;
	int error;     /* negative errno that ended the reading, or 0 */
	bool skipping; /* on the way through the rest of a cut line */
	size_t start, end; /* what is read and not yet handed out */
	char buffer[PROC_LINE_ROOM + 1];
};

/* Write @root/proc/@pid/@name (@pid 0: self); -ENAMETOOLONG. */
int proc_path(char *path, size_t room, const char *root, int pid,
    const char *name);

int proc_lines_open(struct proc_lines *lines, const char *path);
/* The next line, valid until the call after; NULL: the end, or an error. */
char *proc_lines_next(struct proc_lines *lines);
/* 0, or the error that ended the reading. */
int proc_lines_close(struct proc_lines *lines);

/* A number behind a word, and the uint64_t of a structure that it goes to. */
struct proc_key {
	const char *name; /* with all that stands before the blanks */
	size_t at;        /* offsetof() */
	uint64_t unit;    /* bytes that one of it means */
};

/* Store the number of @line if its key is among @keys; true: it was. */
bool proc_key_take(const char *line, const struct proc_key *keys,
    size_t count, void *into);

int proc_vmas_parse(struct proc_lines *lines, void (*each)(void *context,
    const struct proc_vma *vma), void *context);

/*
 * Whole numbers in a line of text: skip blanks, read digits of @base (10 or
 * 16), move @at behind them.  False: no digit there, or more than 64 bits.
 */
bool proc_number(const char **at, unsigned base, uint64_t *n);

#endif
