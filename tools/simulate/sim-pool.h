/*
 * sim-pool.h - many processes on one machine, by several laws, in no time
 *
 * Beside the house (tools/simulate).  May use: base, model, print.  Used by:
 * cmd-simulate.c, the bench.
 *
 * Each process does batches for ever.  It knows what an item takes (from 0.1
 * to 10 MB, lognormal), and of a batch's memory it errs by 10 %.  A batch takes
 * 16 ms and 1 ms an item; its memory grows over 70 % of that.  Bases take part
 * of the machine, the rest is 60 % of what all cores could use at best.  Above
 * the machine's memory the youngest batch is killed, and its process is back
 * 50 ms later.
 */
#ifndef SIMULATE_SIM_POOL_H
#define SIMULATE_SIM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_pool_law {
	SIM_POOL_EQUAL,   /* each has the same share, always */
	SIM_POOL_FREE,    /* what is free when a batch starts, less 10 % */
	SIM_POOL_FREE8,   /* an eighth of that, and a pause at random */
	SIM_POOL_MEMFREE, /* starts if what four batches take is free */
	SIM_POOL_FIFO,    /* leases, all that is wanted or nothing, in order */
	SIM_POOL_ELASTIC, /* leases by model/lease.h */
	SIM_POOL_LAWS
};

extern const char *const sim_pool_names[SIM_POOL_LAWS];

struct sim_pool_options {
	uint32_t processes;
	uint32_t cores;   /* 0: 8 to 128, with the processes */
	uint64_t time_ns; /* 0: 4 s */
	uint64_t seed;
	enum sim_pool_law law;
};

struct sim_pool_result {
	double efficiency; /* 1: all cores at items all the time */
	double used_most;  /* of the machine's memory */
	double wait_most;  /* seconds */
	double wait_fair;  /* seconds that one round of all takes */
	uint64_t kills;
	uint64_t batches;
	uint64_t unserved; /* processes that never got to a batch */
};

/* 0; -ENOMEM; -EINVAL: no processes, or more than a million. */
int sim_pool(const struct sim_pool_options *options,
    struct sim_pool_result *result);

/*
 * Print what each law comes to, for @count numbers of processes; @options give
 * the rest.  An exit status, with a sentence said.
 */
int sim_pool_show(const uint32_t *processes, size_t count,
    const struct sim_pool_options *options, bool json);

#endif
