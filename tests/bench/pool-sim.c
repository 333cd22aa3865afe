/*
 * pool-sim.c - laws by which processes share a machine's memory, simulated
 *
 * usage: pool-sim [SECONDS]
 *
 * Prints the table of doc/pool.md, of so many simulated seconds; 4.
 */
#include <stdlib.h>

#include "base/base.h"
#include "simulate/sim-pool.h"

int
main(int argc, char **argv)
{
	static const uint32_t counts[] = { 10, 100, 1000, 10000 };
	const struct sim_pool_options options = { .seed = 42,
		.time_ns = argc > 1 ? strtoul(argv[1], NULL, 10) * NS_PER_S :
		    0 };

	return sim_pool_show(counts, ARRAY_LENGTH(counts), &options, false);
}
