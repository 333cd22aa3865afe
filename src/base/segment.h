/*
 * segment.h - the layout of a profile: one mapped file a process
 *
 * Floor 0.  May use: nothing of ours.  Used by: the library, which stores, and
 * the tools, which read; it is the joint between them.
 * Contexts: declarations only.
 *
 * The library stores in place and nothing is ever "written out", so the file
 * is complete at any moment: live, stopped, killed, or years later.  Numbers
 * are in the byte order of the machine that made them.  There are no pointers:
 * tables name each other's rows by index, texts are (offset, length) pairs
 * into the table of texts.  A row 0 that rows name means "none".
 *
 * OFFSET  SIZE  MEANING
 *      0    64  struct segment_head      what this file is
 *     64  1024  struct segment_table[32] where each table lies, how full it is
 *   1088   192  struct segment_identity  which process this was
 *   1280    64  struct segment_config    how it was told to count
 *   1344   192  struct segment_live      what is true of the whole process
 *   1536   128  struct segment_lost      what could not be counted, and why
 *   1664    64  struct segment_end       how it ended, as far as anyone knows
 *   1728   384  struct segment_rss[3]    where resident memory went: last, peak
 *   2112  1024  struct segment_span[64]  address ranges that are heaptide's own
 *   3136    64  uint64_t[8]              programs executed and not profiled
 *   3200    64  struct segment_objects   where what calls are bound to lies
 *   3264  4096  struct segment_bypass[16] modules that go past heaptide
 *   7360   256  struct segment_watch    over time, and what is asked of it
 *   7616   320  struct segment_generations how old what is live is
 *   7936   192  struct segment_scan     the last look at who holds what
 *   8128     -  free, zero, up to SEGMENT_HEADER_BYTES; then the tables
 *
 * A file that was copied (`heaptide run -o`, `snapshot`) is the same with the
 * unused tails of its tables left out: read the offsets, do not assume them.
 *
 * Version: SEGMENT_LAYOUT changes when an old reader would misread.  New
 * fields go into the zero bytes that every structure has at its end.
 */
#ifndef BASE_SEGMENT_H
#define BASE_SEGMENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_MAGIC        "heaptide" /* 8 bytes, no terminator */
#define SEGMENT_LAYOUT       5
#define SEGMENT_BYTE_ORDER   UINT32_C(0x01020304)
#define SEGMENT_HEADER_BYTES 8192
#define SEGMENT_SUFFIX       ".tide"

enum segment_table_id {
	TABLE_TALLIES,  /* struct tally, one a thread */
	TABLE_SITES,    /* struct site */
	TABLE_FIRST,    /* struct count of the first thread, a row a site */
	TABLE_COUNTS,   /* struct count of the others */
	TABLE_ESTIMATES, /* struct estimate, a row a site */
	TABLE_NODES,    /* struct node */
	TABLE_MODULES,  /* struct module */
	TABLE_MAPPINGS, /* struct mapping, sorted by start */
	TABLE_TEXT,     /* bytes */
	TABLE_SECONDS,  /* struct point, a ring */
	TABLE_MINUTES,  /* struct point, a ring */
	TABLE_MARKS,    /* struct mark */
	TABLE_MOMENTS,  /* struct moment, a row a column of struct trend */
	TABLE_TRENDS,   /* struct trend, a row a site */
	TABLE_AGES,     /* struct ages */
	TABLE_FIRST_PASSED,  /* struct passed, a row for each of TABLE_FIRST */
	TABLE_COUNTS_PASSED, /* the same of TABLE_COUNTS */
	TABLE_TIMED,    /* struct timed, a hash of SEGMENT_TIMED rows */
	TABLE_LIVES,    /* struct life */
	TABLE_REACH,    /* struct reach, a row a site */
	TABLE_FINDINGS, /* struct finding */
	TABLE_POOLS,    /* struct pool */
	TABLE_BUDGET,   /* struct tide_room (base/room.h), one */
	TABLE_PASTS,    /* struct past */
	TABLE_KNOWN,    /* how many any process has */
	TABLE_SEAL = 30, /* struct seal, of a copy; it ends the file */
	TABLE_NAMES = 31, /* struct named: of Python, of `import` and `merge` */
	TABLE_ROOM = 32
};

struct segment_head {
	char magic[8];
	uint32_t layout;      /* SEGMENT_LAYOUT */
	uint32_t byte_order;  /* SEGMENT_BYTE_ORDER as the maker stored it */
	uint64_t bytes;       /* of the file, tables included */
	uint32_t header_bytes;
	uint32_t page_bytes;  /* of the machine that made it */
	uint16_t machine;     /* ELF e_machine: 62 x86-64, 183 aarch64 */
	uint16_t compact;     /* 1: a copy, table tails left out */
	_Atomic uint32_t ready; /* 1: the header is complete */
	uint8_t version[24];  /* of heaptide, text, zero-filled */
};

/*
 * Invariant: offset + capacity * entry_bytes <= head.bytes, tables do not
 * overlap, used <= capacity.
 */
struct segment_table {
	uint64_t offset;   /* of row 0, in bytes from the start of the file */
	uint64_t capacity; /* rows there is room for */
	_Atomic uint64_t used; /* rows taken; falls in TABLE_MAPPINGS only */
	uint32_t entry_bytes;
	uint32_t reserved;
};

struct segment_text {
	uint32_t offset; /* into TABLE_TEXT */
	uint32_t bytes;  /* without any terminator; 0: no text */
};

struct segment_identity {
	int32_t pid;
	int32_t parent_pid;
	uint64_t start_ticks;  /* /proc/PID/stat field 22: tells pids apart */
	uint64_t parent_ticks; /* 0: not known */
	int64_t started_ns;    /* CLOCK_REALTIME, since 1970 */
	uint64_t clock_ns;     /* CLOCK_MONOTONIC at the same moment */
	uint32_t uid;
	uint32_t exec_count;   /* images this pid ran before this one */
	struct segment_text executable; /* path as /proc/self/exe had it */
	struct segment_text arguments;  /* each with a zero byte behind it */
	struct segment_text host;
	struct segment_text run;        /* HEAPTIDE_RUN, "" when by hand */
	struct segment_text directory;  /* working directory at the start */
	struct segment_text allocator;  /* path of the module that allocates */
	uint32_t forked;       /* 1: made by fork, 0: by exec */
	uint32_t inherits;     /* 1: inherited_* of segment_live are meant */
	uint64_t namespace;    /* of pids, by inode; 0: the machine's own */
	struct segment_text origin; /* who made it, if the library did not */
	uint32_t unknown;      /* enum segment_unknown: what that did not tell */
	uint8_t padding[4];
	uint64_t library_start; /* where libheaptide.so itself lies */
	uint64_t library_end;
	uint8_t reserved[48];
};

/* Figures that a profile of another tool does not have, and 0 does not mean. */
enum segment_unknown {
	UNKNOWN_ALLOCATIONS = 1, /* calls and bytes since the start */
	UNKNOWN_BLOCKS = 2,      /* how many are live */
	UNKNOWN_PEAK = 4,        /* how high the heap stood, and when */
	UNKNOWN_AT_PEAK = 8,     /* what sites held then */
	UNKNOWN_TEMPORARY = 16,
	UNKNOWN_REQUESTED = 32,  /* or usable: sizes are of one kind only */
	UNKNOWN_STARTED = 64,    /* when it did */
	UNKNOWN_TIME = 128,      /* how long it ran, and when what was */
	UNKNOWN_PEAK_TIME = 256  /* when the peak was */
};

enum segment_stacks { STACKS_NONE, STACKS_SAMPLED, STACKS_ALL };

/* What is kept unless told otherwise: frames of a stack, mean of a sample. */
#define SEGMENT_DEPTH       128
#define SEGMENT_DEPTH_MOST  1024
#define SEGMENT_SAMPLE      (UINT64_C(512) << 10)
#define SEGMENT_SAMPLE_MOST (UINT64_C(1) << 40)

/* Marks by time are no closer than this. */
#define EPOCH_LEAST_NS UINT64_C(10000000)

struct segment_config {
	_Atomic uint32_t stacks; /* enum segment_stacks, as it is counted now */
	uint32_t depth;        /* frames kept of a stack, from the leaf */
	/* STACKS_SAMPLED: mean distance of two draws.  May be changed. */
	_Atomic uint64_t sample_bytes;
	uint32_t children;     /* enum segment_children */
	uint32_t drift_bytes;  /* a thread publishes after moving so many bytes */
	_Atomic uint32_t stacks_wanted; /* the same, 1 added; 0: as it is */
	uint32_t reserved_word;
	_Atomic uint64_t epoch_ns; /* a mark so often; 0: none by time */
	_Atomic uint64_t budget_bytes; /* set at the start, or later; 0: not */
	/* Of the budget, in thousandths; 0: not set, so the default. */
	uint16_t warn_mille, critical_mille, target_mille;
	uint8_t enforce;       /* enum segment_enforce */
	uint8_t reserved[9];
};

/* What becomes of who goes beyond the budget. */
enum segment_enforce {
	ENFORCE_OFF,
	ENFORCE_ENOMEM, /* allocations are refused */
	ENFORCE_ABORT,
	ENFORCE_EXIT85,
	ENFORCE_STOP
};

enum segment_children { CHILDREN_ALL, CHILDREN_EXEC, CHILDREN_NONE };

/*
 * Sums over all threads, as last published by each of them: off by at most
 * drift_bytes a thread.  The tallies themselves are exact.
 */
struct segment_live {
	_Atomic int64_t bytes;           /* published, usable sizes */
	_Atomic int64_t requested_bytes; /* published; STACKS_ALL only */
	_Atomic int64_t peak_bytes;
	_Atomic int64_t peak_requested_bytes;
	_Atomic uint64_t peak_at_ns;     /* CLOCK_MONOTONIC */
	_Atomic int64_t peak_dated;      /* the peak_bytes of peak_at_ns */
	_Atomic uint64_t seen_ns;        /* CLOCK_MONOTONIC of the last look */
	_Atomic int64_t break_bytes;     /* moved by the program's own brk/sbrk */
	/* On a line of their own: read at every call, seldom written. */
	_Atomic uint64_t stamp;          /* of now, without a site */
	_Atomic uint32_t rising;         /* 1: the heap stands at its peak */
	_Atomic uint32_t several;        /* 1: a second thread has counted */
	_Atomic uint32_t threads;        /* with a tally of their own, now */
	_Atomic uint32_t threads_most;
	uint64_t inherited_blocks;       /* live in the parent at the fork */
	int64_t inherited_bytes;
	int64_t inherited_requested_bytes;
	_Atomic int64_t window_high;     /* of @bytes, since a window was opened */
	uint64_t reserved_line[1];
	_Atomic uint64_t inherited_frees; /* of those, given back since */
	_Atomic uint64_t inherited_freed_bytes;
	_Atomic uint64_t inherited_freed_requested_bytes;
	_Atomic uint32_t mappings_version; /* odd: TABLE_MAPPINGS is changed */
	_Atomic uint32_t threads_came;   /* that ever had a tally; wraps */
	uint8_t reserved[32];
};

/* Anything but zeros here takes the word "exact" from every report. */
struct segment_lost {
	_Atomic uint64_t sites;    /* stacks not kept: a table was full */
	_Atomic uint64_t blocks;   /* allocations without a record */
	_Atomic uint64_t threads;  /* threads that shared a tally */
	_Atomic uint64_t unknown_frees; /* of blocks that we never saw */
	_Atomic uint64_t mappings; /* mmap family calls not followed */
	_Atomic uint64_t reused;   /* an address given out twice: a free missed */
	_Atomic uint64_t modules;
	_Atomic uint64_t text;
	_Atomic uint64_t truncated; /* stacks cut at config.depth: no loss */
	_Atomic uint64_t nested;   /* made while heaptide was busy: no stack */
	_Atomic uint64_t early;    /* calls before the segment was there */
	_Atomic uint64_t space;    /* the disk or memory refused a growth step */
	_Atomic uint64_t reserved;
	_Atomic uint64_t verified; /* HEAPTIDE_VERIFY: seen by libunwind, too */
	_Atomic uint64_t differing; /* and found to be different */
	_Atomic uint64_t forks;    /* 1: what it inherited is a guess */
};

/*
 * Why a program that was executed, here or in a child without a profile of
 * its own, is not profiled.  No loss: what this process did is counted.
 */
enum segment_unfollowed {
	UNFOLLOWED_NOT,         /* it is, as far as one can see from outside */
	UNFOLLOWED_CPU,         /* made for another CPU, or of 32 bits */
	UNFOLLOWED_LIBC,        /* its dynamic linker is not glibc's */
	UNFOLLOWED_SANITIZER,   /* which must be the first library of all */
	UNFOLLOWED_STATIC,      /* no library can be loaded into it */
	UNFOLLOWED_PRIVILEGED,  /* set-user-ID: loads no foreign library */
	UNFOLLOWED_ENVIRONMENT, /* was given one without our LD_PRELOAD */
	UNFOLLOWED_REACH,       /* our library, or profiles: chroot, setuid */
	UNFOLLOWED_KINDS,
	UNFOLLOWED_ROOM = 8
};

/* Where the loaded objects begin that calls of malloc() may be bound to. */
struct segment_objects {
	uint64_t heaptide;  /* libheaptide.so */
	uint64_t allocator; /* the next after it */
	uint64_t first;     /* who is before it; 0: nobody */
	uint64_t reserved[5];
};

enum bypass_why {
	BYPASS_NONE,
	BYPASS_FIRST,     /* its malloc is found before heaptide's */
	BYPASS_BOUND,     /* its calls are bound to another's */
	BYPASS_NAMESPACE, /* and that is of a namespace of its own */
	BYPASS_OWN,       /* its calls are bound to itself */
	BYPASS_HIDDEN,    /* a malloc is linked into it, and not shown */
	BYPASS_FREES,     /* freed what heaptide had never seen: no bypass */
	BYPASS_KINDS
};

/*
 * A module that does not allocate through heaptide, or frees what did not.
 * Complete once @why is stored; the same may be there twice.
 */
struct segment_bypass {
	_Atomic uint32_t why;   /* enum bypass_why */
	_Atomic uint32_t taken; /* 1: complete, or being filled */
	_Atomic uint64_t frees; /* BYPASS_FREES: how many */
	uint64_t start;         /* of the module, BYPASS_FREES */
	uint64_t end;
	char module[112];       /* the end of its path, zero-filled */
	char allocator[112];    /* the same of whose malloc it uses */
};

#define SEGMENT_BYPASSES 16

enum segment_end_how { END_UNKNOWN, END_EXITED, END_SIGNALLED, END_EXEC };

struct segment_end {
	_Atomic uint32_t how;    /* enum segment_end_how */
	int32_t status;          /* END_EXITED */
	int32_t signal;          /* END_SIGNALLED */
	uint32_t out_of_memory;  /* 1: killed by the OOM killer */
	uint64_t at_ns;          /* CLOCK_MONOTONIC */
	uint8_t reserved[40];
};

/* The terms of resident memory; they sum to it.  model/reconcile.h defines. */
enum rss_term {
	RSS_LIVE,
	RSS_SLACK,
	RSS_RETAINED,
	RSS_MAPPED,
	RSS_STACKS,
	RSS_FILES,
	RSS_SHARED,
	RSS_HEAPTIDE,
	RSS_UNATTRIBUTED,
	RSS_TERMS
};

enum segment_rss_id { RSS_LAST, RSS_PEAK, RSS_SAMPLES = 3 };

/* One look at /proc/PID/smaps beside the counts of the same moment. */
struct segment_rss {
	_Atomic uint32_t version; /* odd: being changed */
	uint32_t requested_known; /* 1: live is in requested bytes */
	uint64_t at_ns;           /* CLOCK_MONOTONIC; 0: never taken */
	uint64_t resident;        /* bytes */
	uint64_t peak;            /* VmHWM, bytes */
	uint64_t terms[RSS_TERMS];
	uint64_t cost_ns;         /* of taking it */
	uint8_t reserved[16];
};

struct segment_span {
	uint64_t start;
	uint64_t end; /* 0: unused */
};

#define SEGMENT_SPANS 64

/*
 * What is asked of the program from outside, and what it did: the threads look
 * here on their slow path.  A number that is asked for goes up with each who
 * asks; who has carried out all up to it says so.
 */
struct segment_watch {
	_Atomic uint64_t second;    /* since the start, of the last point */
	_Atomic uint64_t minute;
	_Atomic uint32_t switches;  /* how often config.stacks has changed */
	_Atomic uint32_t trims_wanted;
	_Atomic uint32_t trims_done;
	_Atomic uint32_t trend_busy; /* 1: figures are being written */
	_Atomic uint64_t taken_ns;  /* when a living process was copied; or 0 */
	_Atomic uint64_t switched_ns; /* CLOCK_MONOTONIC of the last switch */
	_Atomic uint64_t next_mark_ns; /* by config.epoch_ns */
	uint32_t trend_stride;      /* each so-many-th tick has figures; 0: 1 */
	uint32_t trend_used;        /* columns of struct trend, now */
	uint32_t epochs;            /* that have ended so far */
	_Atomic uint32_t alarms;    /* of growth */
	_Atomic uint32_t trend_opened; /* columns so far, those gone included */
	uint32_t trend_ticks;       /* epochs that came by themselves */
	uint32_t paced;             /* of those, that somebody asked for */
	_Atomic uint32_t scans_wanted;
	_Atomic uint32_t scans_done;  /* or given up: segment_scan has which */
	_Atomic uint32_t scan_starts; /* 1: see segment_scan.starts */
	uint32_t past_free;         /* of TABLE_PASTS: the first that is not */
	uint32_t past_frees;        /* in use, by struct past.before; how many */
	uint32_t enforced;          /* 1: it was signalled for its budget */
	_Atomic uint32_t refused;   /* allocations; it stays at the most */
	uint8_t reserved[144];
};

enum scan_state { SCAN_NEVER, SCAN_RUNS, SCAN_DONE, SCAN_FAILED };

/* Why there is no result. */
enum scan_why {
	SCAN_WHY_NONE,
	SCAN_WHY_CONFINED,  /* it forbade itself system calls */
	SCAN_WHY_CLONE,     /* the kernel refused a child; error has why */
	SCAN_WHY_ALLOCATOR, /* the heap is not one of glibc's */
	SCAN_WHY_SHAPE,     /* it is, but of a version that we do not know */
	SCAN_WHY_MEMORY,    /* there is not as much as the child needs */
	SCAN_WHY_TIME,      /* it took longer than it may */
	SCAN_WHY_DIED,      /* the child has ended without a word */
	SCAN_WHY_TABLE,     /* no room for the results */
	SCAN_WHYS
};

/*
 * Which blocks nobody can reach any more, as a child of the process found in
 * its copy of the memory; per site in TABLE_REACH.  Usable bytes.
 *
 * Complete while @state is SCAN_DONE; a reader that finds the same @number
 * before and after has not met a change.
 */
struct segment_scan {
	_Atomic uint32_t state;  /* enum scan_state */
	_Atomic uint32_t number; /* of watch.scans_wanted that it answers */
	uint32_t why;            /* enum scan_why */
	int32_t error;           /* negative errno, or 0 */
	uint32_t starts;  /* 1: pointers to starts of blocks alone counted */
	uint32_t threads;
	uint32_t unseen;  /* threads whose registers could not be looked at */
	_Atomic uint32_t child; /* its pid; 0: it has been waited for */
	uint64_t at_ns;          /* CLOCK_MONOTONIC of the picture */
	uint64_t pause_ns;       /* the process was held so long */
	uint64_t took_ns;        /* until the result */
	uint64_t scanned;        /* bytes read in search of pointers */
	uint64_t blocks, bytes;  /* in use */
	/* Of these, unreachable; indirect: from unreachable ones alone. */
	uint64_t direct_blocks, direct_bytes;
	uint64_t indirect_blocks, indirect_bytes;
	uint64_t unknown_bytes;  /* of heap not understood: taken for roots */
	uint64_t memory_bytes;   /* the child's own */
	uint32_t complete; /* 1: every block has a record, so a site */
	uint32_t flags;    /* none yet */
	uint64_t busy_ns;  /* of the CPU, in the child */
	uint8_t reserved[48];
};

/*
 * A generation is what was allocated between two marks that have figures; its
 * number is in the record of each block, and goes up by one when a thread of
 * the program sees that there is a column more.
 *
 * What is left of one is noted in a slot (struct ages), and generations whose
 * columns have become one share theirs.  A slot never moves: when columns are
 * thinned out it is only said anew which column it is of.  A column has one at
 * most; slot 0 is that of column 0, of which nothing is noted.
 */
struct segment_generations {
	_Atomic uint8_t slot[256]; /* by generation */
	uint32_t first; /* of this process; those below are inherited */
	_Atomic uint32_t opened; /* watch.trend_opened when the last began */
	_Atomic uint8_t column[32]; /* by slot; 0: free, but for slot 0 */
	uint8_t reserved[24];
};

#define GENERATIONS      256
#define GENERATION_SLOTS 32

struct segment {
	struct segment_head head;
	struct segment_table table[TABLE_ROOM];
	struct segment_identity identity;
	struct segment_config config;
	struct segment_live live;
	struct segment_lost lost;
	struct segment_end end;
	struct segment_rss rss[RSS_SAMPLES];
	struct segment_span own[SEGMENT_SPANS];
	_Atomic uint64_t unfollowed[UNFOLLOWED_ROOM]; /* by cause */
	struct segment_objects objects;
	struct segment_bypass bypass[SEGMENT_BYPASSES];
	struct segment_watch watch;
	struct segment_generations generations;
	struct segment_scan scan;
};

/*
 * Which peak and which generation it is, or was when a count last changed; a
 * count has its site in it as well, so that one comparison says all three.
 */
#define STAMP_PEAK_BITS       37
#define STAMP_SITE_SHIFT      45
#define STAMP_GENERATION_ONE  (UINT64_C(1) << STAMP_PEAK_BITS)

/* How often the heap has left a peak. */
static inline uint64_t
stamp_peak(uint64_t stamp)
{
	return stamp & (STAMP_GENERATION_ONE - 1);
}

static inline uint32_t
stamp_generation(uint64_t stamp)
{
	return stamp >> STAMP_PEAK_BITS & (GENERATIONS - 1);
}

/* 0: of a count, the row is free. */
static inline uint32_t
stamp_site(uint64_t stamp)
{
	return (uint32_t)(stamp >> STAMP_SITE_SHIFT);
}

/* Of a count of @site, at @stamp. */
static inline uint64_t
stamp_of(uint32_t site, uint64_t stamp)
{
	return stamp | (uint64_t)site << STAMP_SITE_SHIFT;
}

/*
 * What one thread has allocated and freed.  Only its owner writes it, with
 * adds that a signal of the same thread cannot tear; others read it with
 * relaxed loads: counting needs neither lock nor locked add.
 *
 * Invariant: allocated - freed, summed over all rows, is the live bytes of
 * the process.  The difference of one row may be negative: a thread may free
 * what another has allocated.  A row outlives its thread and may be taken
 * over by another; the counts go on, and base_* tell the owners apart.
 */
struct tally {
	_Atomic uint64_t allocated;   /* bytes since start, usable sizes */
	_Atomic uint64_t freed;       /* bytes since start, usable sizes */
	_Atomic uint64_t allocations; /* blocks */
	_Atomic uint64_t frees;       /* blocks */
	_Atomic uint64_t temporary;   /* freed before the next allocation */
	_Atomic uint64_t last;        /* address of the last allocation */
	_Atomic int64_t high;         /* allocated - freed at its top lately */
	_Atomic int64_t until_look;   /* bytes to move before the slow path */

	_Atomic uint64_t requested;   /* bytes asked for, since start */
	_Atomic uint64_t requested_freed; /* STACKS_ALL only, as its high is */
	_Atomic int64_t requested_high;
	_Atomic int64_t published;    /* allocated - freed, when last summed */
	_Atomic int64_t requested_published;
	_Atomic uint32_t tid;         /* of the owner; 0: the row is free */
	_Atomic uint32_t state;       /* enum tally_state */
	uint64_t stack_address;       /* some address on the owner's stack */
	uint64_t born_ns;             /* CLOCK_MONOTONIC */

	uint64_t base_allocated;      /* the same counts when the owner came */
	uint64_t base_freed;
	uint64_t base_allocations;
	uint64_t base_frees;
	char name[16];                /* of the owner, zero-filled */
	uint32_t counts;              /* its rows of TABLE_COUNTS: the first, */
	uint32_t counts_bits;         /* and log2 of how many; 0: none */
	_Atomic int64_t window_high;  /* as @high, since a window was opened */
};

enum tally_state {
	TALLY_FREE,
	TALLY_OWNED,
	TALLY_LEAVING, /* the owner has run its key destructors */
	TALLY_SHARED   /* row 0: threads without a row of their own, locked adds */
};

/*
 * A call path: this return address below the path @parent.  Paths start at
 * the leaf's end, so a whole stack is the node of its leaf and the chain of
 * parents is leaf first.  @pc is the return address (the instruction after
 * the call), or one of NODE_*.
 *
 * Invariant: parent < own index (a chain ends), so no reader can loop.
 */
struct node {
	_Atomic uint64_t pc;
	_Atomic uint32_t parent; /* node; 0: the outermost frame kept */
	_Atomic uint32_t site;   /* 0: nothing was allocated right here */
};

#define NODE_CUT      UINT64_C(1) /* deeper frames were left out */
#define NODE_NO_STACK UINT64_C(2) /* heaptide was busy in this very thread */
#define NODE_FULL     UINT64_C(3) /* a table was full: stacks lumped */
#define NODE_POOL     UINT64_C(256) /* and more: the row of TABLE_POOLS */
/* And more: the row of TABLE_NAMES.  No program has code up there. */
#define NODE_NAMED    (UINT64_C(1) << 63)

/*
 * A function as somebody else named it: there is no file to ask.  Of Python
 * (module `python`), or of what another tool or profile has called it.
 */
struct named {
	struct segment_text function;
	struct segment_text file;
	struct segment_text module;
	uint32_t line;    /* 0: not known */
	uint32_t inlined; /* 1: into the frame that follows */
};

/*
 * What a part of a copy was when that was written, by the CRC-32 of zlib and
 * Ethernet: of a table its used rows, of the header all header_bytes.
 */
struct seal {
	uint32_t part; /* enum segment_table_id; TABLE_ROOM: the header */
	uint32_t sum;
};

/* Sites there may be.  The number is chosen to fit a record of the ledger. */
#define SEGMENT_SITES (UINT32_C(448) << 10)

enum site_flags {
	SITE_MAPPING = 1, /* of the mmap family */
	/* By which of C++'s operators, see enum kind in heap/site.h. */
	SITE_NEW = 2,
	SITE_ARRAY = 4,     /* new[] */
	SITE_ALIGNED = 8,   /* with an alignment of its own */
	SITE_ANY_KIND = 16, /* this cannot be told */
	SITE_POOL = 32      /* blocks of a pool of the program's */
};

/* No part of the heap's totals. */
#define SITE_APART (SITE_MAPPING | SITE_POOL)

/* Where memory comes from.  Its figures are the sums of its counts. */
struct site {
	uint32_t leaf;  /* node */
	uint32_t flags; /* enum site_flags */
	_Atomic uint32_t shared; /* row of TABLE_COUNTS for all; 0: none yet */
	_Atomic uint32_t ages;   /* row of TABLE_AGES, the first; 0: none yet */
};

/*
 * What one thread has counted of one site.  Only that thread adds to it, so
 * there is neither a lock nor a locked add; the counts stay when it ends, and
 * who takes over its tally goes on with them.  The exception is a site's shared
 * row, to which threads add, locked, that have no place for one of their own.
 *
 * Invariant: summed over all counts of a site, allocated - freed is what it
 * holds; that of one row may be negative, as with a tally.
 *
 * At the peak: while live.rising is set, what a row holds now is what it held
 * at the peak.  When the heap leaves a peak, that of the process' stamp goes up
 * by one; a row that changes afterwards first stores what it held.
 * So: at_peak = !live.rising && stamp_peak(stamp) == stamp_peak(live.stamp) ?
 *         at_peak_bytes : allocated_bytes - freed_bytes.
 *
 * Of the generation in its stamp it holds allocated_bytes - freed_bytes less
 * the bytes in its row of TABLE_*_PASSED (none: 0), which are what it holds of
 * others, those that other rows count below zero included; struct ages has the
 * sums of these.
 */
struct count {
	_Atomic uint64_t allocations;
	_Atomic uint64_t frees;
	_Atomic uint64_t allocated_bytes; /* usable */
	_Atomic uint64_t freed_bytes;
	_Atomic uint64_t slack_bytes; /* of live blocks: usable less asked for */
	_Atomic uint64_t temporary;
	_Atomic int64_t at_peak_bytes;
	_Atomic uint64_t stamp; /* of its last change; 0: the row is free */
};

/*
 * Beside a count.  What is freed of other generations is mostly of one for a
 * while: so it waits here, where only the owner writes, and is taken off the
 * ages when that generation changes.
 *
 *    63        56 55          0
 *   | generation | bytes freed |
 */
struct passed {
	_Atomic int64_t bytes;
	_Atomic uint64_t late; /* not yet in struct ages; none of a shared row */
};

#define LATE_SHIFT 56
#define LATE_BYTES ((UINT64_C(1) << LATE_SHIFT) - 1)

/*
 * What the blocks of a site stand for that were drawn (model/sampling.h), to
 * be added to its counts, which then have the large ones only.  All threads
 * write it, as it is done once in sample_bytes.  Numbers of blocks are in 1/
 * ESTIMATE_BLOCKS, bytes in 1/ESTIMATE_BYTES.  At the peak: as struct count.
 */
struct estimate {
	_Atomic uint64_t allocations;
	_Atomic uint64_t frees;
	_Atomic uint64_t allocated_bytes; /* usable */
	_Atomic uint64_t freed_bytes;
	_Atomic uint64_t temporary;
	_Atomic uint64_t variance; /* of the live bytes; a double's bits */
	_Atomic int64_t at_peak_bytes;
	_Atomic uint32_t peak;  /* that at_peak_bytes is of */
	_Atomic uint32_t drawn; /* blocks of which this is made, live or not */
};

#define ESTIMATE_BLOCKS 65536
#define ESTIMATE_BYTES  256

/*
 * A loaded object.  A return address belongs to the module that holds it and,
 * where several did in turn, to the last whose first_node is not above the
 * node's index.
 */
struct module {
	uint64_t start; /* lowest address */
	uint64_t end;   /* first address behind */
	uint64_t base;  /* what ELF addresses are relative to */
	struct segment_text path;
	uint32_t first_node;
	uint8_t build_id_bytes;
	uint8_t build_id[20];
	uint8_t unloaded;
	uint8_t reserved[6];
};

enum mapping_kind {
	MAPPING_NONE,
	MAPPING_ANONYMOUS,
	MAPPING_FILE,
	MAPPING_SHARED,
	MAPPING_RESERVED,  /* PROT_NONE or MAP_NORESERVE: address space only */
	MAPPING_ALLOCATOR, /* made by the malloc in use */
	MAPPING_KINDS
};

/* A range that the program mapped by the mmap family and still has. */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint16_t kind; /* enum mapping_kind */
	uint16_t generation;
	uint32_t site; /* 0: not known */
	uint64_t born_ns; /* CLOCK_MONOTONIC */
};

/* --- over time ------------------------------------------------------------ */

/*
 * How the process stood at a moment.  A ring has a place for each second, or
 * minute, since the start, modulo its length; @at_ns says which one it is, and
 * 0 that it is being written.  Where there is none, nothing had happened since
 * the one before: the heap is as it was there.
 */
struct point {
	_Atomic uint64_t at_ns;      /* CLOCK_MONOTONIC; stored last */
	_Atomic int64_t live_bytes;
	_Atomic int64_t peak_bytes;
	_Atomic uint64_t allocated;  /* bytes since the start */
	_Atomic uint64_t resident;   /* 0: nobody had looked */
	_Atomic uint64_t terms[RSS_TERMS];
	_Atomic uint64_t looked_ns;  /* when that look was; 0: not noted */
	uint8_t reserved[8];
};

#define SERIES_SECONDS 3600
#define SERIES_MINUTES (3 * 24 * 60)

enum mark_kind {
	MARK_NONE,
	/* Epochs: from one to the next, growth is judged. */
	MARK_NAMED,   /* by the operator or the program */
	MARK_TIME,    /* --epoch */
	MARK_BATCH,   /* by the program, at the end of each of its batches */
	MARK_AUTO,    /* by time, where nobody sets any; it gets no mark */
	/* Events. */
	MARK_STACKS,  /* config.stacks has changed; the name says to what */
	MARK_TRIM,
	MARK_GROWTH,  /* it grew faster than it may; the name says how fast */
	MARK_KINDS
};

/* Something that happened; its number is its row. */
struct mark {
	_Atomic uint32_t kind;  /* enum mark_kind; all but @column is there */
	uint32_t column;        /* of struct trend, 1 added; 0: no figures */
	uint64_t at_ns;         /* CLOCK_MONOTONIC */
	int64_t live_bytes;
	uint64_t allocated, freed; /* bytes since the start */
	uint64_t allocations, frees;
	uint64_t resident;      /* 0: not known */
	uint32_t epoch;         /* which one ends here, from 1; 0: none does */
	char name[60];          /* zero-filled */
};

/*
 * When it was noted what all sites hold.  There are so many columns; once they
 * are all in use every other one goes, and they are twice as far apart.
 */
#define TREND_COLUMNS 32

struct moment {
	uint64_t at_ns;      /* CLOCK_MONOTONIC */
	int64_t live_bytes;  /* of all */
	uint64_t allocated;  /* bytes since the start */
	uint32_t kind;       /* enum mark_kind */
	uint32_t epoch;      /* that ended then, from 1; 0: none did */
	uint32_t mark;       /* its row, 1 added; 0: it is no mark */
	uint8_t reserved[28];
};

/*
 * What a site held at each of them.  Most sites change at few, so it is only
 * noted where it was another than before: since @column it is as here, at the
 * columns before as its pasts say.  All by who holds watch.trend_busy.
 */
struct trend {
	_Atomic int64_t live_bytes;
	_Atomic uint64_t allocated_bytes; /* since the start */
	_Atomic int64_t next_live_bytes;  /* for the next column; being summed */
	_Atomic uint64_t next_allocated_bytes;
	_Atomic uint32_t column;
	_Atomic uint32_t past; /* row of TABLE_PASTS, the last; 0: it was nothing */
};

/*
 * From column[i] on it was this, up to where the next begins: column[i + 1],
 * that of the row which names this one, or of the site's struct trend.
 */
#define PAST_ROOM 3

struct past {
	_Atomic uint32_t before; /* the row with what was earlier; 0: nothing */
	_Atomic uint8_t used;
	_Atomic uint8_t column[PAST_ROOM];
	_Atomic int64_t live_bytes[PAST_ROOM];
	_Atomic uint64_t allocated_bytes[PAST_ROOM];
};

/*
 * What a site holds of what was allocated before the mark of each column, and
 * after the one before, but for what struct passed has to be taken off yet; the
 * last column is since the last mark.  It has a row
 * for each seven slots of segment_generations that anything was ever noted in,
 * from slot 1 + 7 * @group on.  Of column 0 nothing is noted: it has what is
 * left when all others are taken off the whole.
 */
#define AGES_ROOM 7

struct ages {
	_Atomic uint32_t next; /* row of the same site; 0: the last */
	uint32_t group;
	_Atomic int64_t live_bytes[AGES_ROOM];
};

/* Those that a site may have. */
#define AGES_GROUPS ((GENERATION_SLOTS - 2) / AGES_ROOM + 1)

/*
 * Of the @count rows at @row those of a site, from **@link on: where @slot, which
 * is not 0, is noted.  NULL: there is no row for it, and *@link is where the
 * number of one belongs.
 */
static inline _Atomic int64_t *
ages_find(struct ages *row, uint64_t count, uint32_t slot,
    _Atomic uint32_t **link)
{
	uint32_t group = (slot - 1) / AGES_ROOM;
	uint32_t next, n;

	for (n = 0; n < AGES_GROUPS; n++) {
		next = atomic_load_explicit(*link, memory_order_acquire);
		if (next == 0 || next >= count)
			return NULL;
		if (row[next].group == group)
			return &row[next].live_bytes[(slot - 1) % AGES_ROOM];
		*link = &row[next].next;
	}
	return NULL;
}

/*
 * There was none: the row @fresh, which nobody has yet, becomes it.  If another
 * was faster, its row is meant, and @fresh stays empty.  NULL: they are damaged.
 */
static inline _Atomic int64_t *
ages_hang(struct ages *row, uint64_t count, uint32_t slot,
    _Atomic uint32_t *link, uint32_t fresh)
{
	_Atomic int64_t *cell;
	uint32_t none, n;

	row[fresh].group = (slot - 1) / AGES_ROOM;
	for (n = 0; n < AGES_GROUPS; n++) {
		none = 0;
		if (atomic_compare_exchange_strong(link, &none, fresh))
			return &row[fresh].live_bytes[(slot - 1) % AGES_ROOM];
		cell = ages_find(row, count, slot, &link);
		if (cell != NULL)
			return cell;
	}
	return NULL;
}

/* --- how long blocks live ------------------------------------------------- */

/*
 * A block that is watched from its birth to its end, under STACKS_ALL: the
 * first of each site, then one in a few hundred, which @weight tells.  Its row
 * is one of TIMED_WAYS that belong to the hash of its address, in any of the
 * parts of the table, which are of 1024, 1024, 2048 and 4096 rows.
 */
struct timed {
	_Atomic uint64_t block; /* its address; 0: the row is free */
	uint64_t born_ns;       /* CLOCK_MONOTONIC */
	uint32_t site;
	uint32_t weight;        /* blocks that it stands for */
	uint64_t usable;
};

#define SEGMENT_TIMED 8192
#define TIMED_WAYS    8

/*
 * Blocks of a site that one call has freed.  In bucket i are those that lived
 * for 4^i microseconds or more, but less than 4^(i+1); in the first all shorter
 * ones as well, in the last all longer ones.
 */
#define LIFE_BUCKETS 22

struct life {
	_Atomic uint64_t key;     /* site << 32 | node of who freed; 0: free */
	_Atomic uint64_t blocks;  /* by weight */
	_Atomic uint64_t longest_ns;
	_Atomic uint32_t watched; /* so many were */
	uint32_t reserved;
	_Atomic uint32_t bucket[LIFE_BUCKETS]; /* by weight */
	uint64_t reserved_word;
};

/* --- who holds it --------------------------------------------------------- */

enum reach_through {
	THROUGH_NONE,    /* nothing of it can be reached */
	THROUGH_WORD,    /* a word of a module's data, @through */
	THROUGH_MODULE,  /* data of a module, @through is in it */
	THROUGH_STACK,   /* stack or registers of the thread of tid @through */
	THROUGH_MAPPING, /* the program's mapping at @through */
	THROUGH_MANY
};

/*
 * What the last scan found of a site's blocks: those in use that it reached,
 * and whether all of these hang on one thing; and those that it did not.
 * Where few blocks have a record (@drawn != 0), all are estimates.
 */
struct reach {
	uint32_t number;  /* of segment_scan; else the row is an older one's */
	uint16_t kind;    /* enum reach_through */
	uint16_t reserved_short;
	uint64_t through;
	uint64_t blocks, bytes;
	uint64_t direct_blocks, direct_bytes;
	uint64_t indirect_blocks, indirect_bytes;
	uint64_t example; /* address of an unreachable block; 0: none */
	uint64_t error_bytes; /* standard error of the unreachable bytes */
	uint32_t drawn;   /* unreachable blocks with a record; 0: exact */
	uint32_t reserved_word;
	uint64_t reserved;
};

/* --- pools ---------------------------------------------------------------- */

#define POOL_NAME_ROOM 48
#define POOL_NAMES     1024 /* the last row is for all that found none */

/*
 * What the program tells of its pools of one name (tide_pool_create()).  Their
 * sites have a leaf NODE_POOL + row, and below it the path of who allocates,
 * which is known with STACKS_ALL.
 */
struct pool {
	char name[POOL_NAME_ROOM]; /* zero-filled; empty: not used */
	_Atomic uint64_t pools;    /* made in this process */
	_Atomic int64_t live_bytes;
	_Atomic int64_t peak_bytes;
	_Atomic uint64_t lost;     /* blocks for which there was no room */
	uint8_t reserved[48];
};

/* --- what is wrong -------------------------------------------------------- */

enum finding_kind {
	FINDING_NONE,
	FINDING_DOUBLE_FREE,
	FINDING_FOREIGN_FREE,  /* of what no allocation function gave */
	FINDING_INTERIOR_FREE, /* of an address inside of a block */
	FINDING_MALLOC_DELETE,
	FINDING_MALLOC_DELETE_ARRAY,
	FINDING_NEW_FREE,
	FINDING_NEW_ARRAY_FREE,
	FINDING_NEW_DELETE_ARRAY,
	FINDING_NEW_ARRAY_DELETE,
	FINDING_NEW_REALLOC,   /* or new[] */
	FINDING_ALIGNED_NEW_DELETE, /* without the alignment */
	FINDING_NEW_ALIGNED_DELETE,
	FINDING_SIZE,          /* given back with another than asked for */
	FINDING_REALLOC_ZERO,
	FINDING_MORE,          /* the last row: others, without a place */
	FINDING_KINDS
};

/*
 * A wrong use of the allocator, by STACKS_ALL; the same there twice is once.
 * Stored before the allocator gets the block, as that may end the process.
 */
struct finding {
	_Atomic uint32_t kind;  /* enum finding_kind; stored last */
	uint32_t allocated;     /* site; 0: not known */
	uint32_t freed;         /* node; 0: no stack */
	uint32_t first_freed;   /* node; 0: not known */
	_Atomic uint64_t count;
	_Atomic uint64_t bytes; /* usable */
	uint64_t freed_pc;      /* where that returns to, of the first */
	uint64_t asked;         /* FINDING_SIZE, of the first: bytes */
	uint64_t given;
	uint64_t at_ns;         /* CLOCK_MONOTONIC, of the first */
};

/* There is room for, the last row included. */
#define FINDINGS 256

#endif
