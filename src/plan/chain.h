/*
 * chain.h - every limit on memory that there is for a process, in one list
 *
 * Floor (plan).  May use: base, model, sys.  Used by: control, the tools, and
 * heaptide.h, of which it is a part.
 * Contexts: not from inside malloc: it reads some ten files, some 100 us;
 * allocates nothing and leaves errno alone.  The list is 9 KiB.
 * Errors: 0 or a negative errno value.
 *
 * Nearest first: what somebody wishes, what a pool or a batch system gives,
 * control groups from the process' own upwards, resource limits, the host.
 * What cannot be read is not in it.  Which of them rules is the law in
 * model/sources.h; read anew, the list follows whatever has changed.
 */
#ifndef PLAN_CHAIN_H
#define PLAN_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/sources.h"
#include "sys/cgroup.h"
#include "sys/proc.h"

#define CHAIN_WISHES 5

/* Beside these a pool, Slurm, groups twice, one above, 2 limits, the host. */
#define CHAIN_ROOM (CHAIN_WISHES + 2 + 2 * CGROUP_LEVELS + 1 + 2 + 1)

/* What a source is called, and where it was read. */
struct chain_link {
	const char *name;  /* "budget", "cgroup", "rlimit-as", "host" ... */
	const char *file;  /* in the directory of a group, or below /proc */
	size_t path_bytes; /* of groups.path, the directory; 0: /proc */
	const char *note;  /* what is to be known of it, or NULL */
};

/* @source and @link are rows of one table. */
struct chain {
	const char *root;  /* before /proc: "" but for a tree made by a test */
	int pid;           /* 0: the caller */
	struct proc_status status; /* all zero: not looked at */
	struct cgroup_memory groups;
	size_t count;
	struct source source[CHAIN_ROOM];
	struct chain_link link[CHAIN_ROOM];
};

/* Begin an empty list for @pid, whose memory @status tells; NULL: nothing. */
void chain_open(struct chain *c, const char *root, int pid,
    const struct proc_status *status);

/* Somebody's wish, behind those that are nearer.  -ENOSPC. */
int chain_add_wish(struct chain *c, const char *name,
    const struct source_wish *wish);

/* What is held of a budget that many share.  @used may be SOURCE_NONE. */
void chain_add_pool(struct chain *c, uint64_t bytes, uint64_t used);

/*
 * What Slurm gives this job on this node, from its variables, each of which may
 * be NULL: SLURM_MEM_PER_NODE, else SLURM_MEM_PER_CPU times SLURM_CPUS_ON_NODE,
 * in MiB.  0 stands for all that the node has.  -EINVAL: they are no numbers,
 * and there is nothing of it in the list.
 */
int chain_add_slurm(struct chain *c, const char *per_node,
    const char *per_cpu, const char *cpus);

/* What an environment tells, that of the process: Slurm's.  -EINVAL as above. */
int chain_add_environment(struct chain *c, char *const *environment);

/* Control groups of either version, resource limits, the host. */
void chain_add_system(struct chain *c);

/*
 * Has a limit changed that is set for a group of the list?  Reads these alone,
 * some 10 us a group: to be asked every few seconds.
 */
bool chain_has_changed(const struct chain *c);

#endif
