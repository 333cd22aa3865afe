/*
 * pool-sim.c - laws by which processes share a machine's memory, simulated
 *
 * usage: pool-sim [PROCESSES...]
 *
 * Prints the table of doc/pool.md.  BENCH_POOL_TIME: simulated seconds, 4.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "sim-pool.h"

static int
print_row(uint32_t processes, enum sim_pool_law law, double seconds)
{
	const struct sim_pool_options options = { .processes = processes,
		.seed = 42 + processes, .law = law,
		.time_ns = (uint64_t)(seconds * 1e9) };
	struct sim_pool_result r;
	int error = sim_pool(&options, &r);

	if (error < 0) {
		fprintf(stderr, "pool-sim: %s\n", strerror(-error));
		return 1;
	}
	printf("%9u  %-18s %9.1f%% %9llu %8.2f %10.2f s %8.2f s %8llu\n",
	    processes, sim_pool_names[law], 100 * r.efficiency,
	    (unsigned long long)r.kills, r.used_most, r.wait_most, r.wait_fair,
	    (unsigned long long)r.unserved);
	fflush(stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	static const uint32_t usual[] = { 10, 100, 1000, 10000 };
	const char *time = getenv("BENCH_POOL_TIME");
	double seconds = time != NULL ? atof(time) : 4;
	int n = argc > 1 ? argc - 1 : (int)ARRAY_LENGTH(usual), i, status = 0;

	printf("%9s  %-18s %10s %9s %8s %12s %10s %8s\n", "processes", "law",
	    "efficiency", "kills", "most use", "longest wait", "one round",
	    "unserved");
	for (i = 0; i < n && status == 0; i++)
		for (int law = 0; law < SIM_POOL_LAWS && status == 0; law++)
			status = print_row(argc > 1 ?
			    (uint32_t)strtoul(argv[i + 1], NULL, 10) :
			    usual[i], (enum sim_pool_law)law, seconds);
	return status;
}
