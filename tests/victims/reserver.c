/*
 * reserver.c - reserves so many MiB, says what it got, and holds it until its
 * input ends
 *
 *	reserver [MIB [MS]]     waits for it for so long; 100
 */
#include <heaptide.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	int64_t ms = argc > 2 ? atoll(argv[2]) : 100;
	uint64_t got = 0;
	tide_info info;
	char c;
	int r;

	r = tide_reserve(mib << 20, mib << 20, ms * 1000000, &got);
	tide_status(&info);
	printf("%s %llu, lease %llu\n", r == 0 ? "got" : r == -ETIMEDOUT ?
	    "waited" : "failed", (unsigned long long)got >> 20,
	    (unsigned long long)info.lease >> 20);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	tide_unreserve(got);
	tide_status(&info);
	printf("lease %llu\n", (unsigned long long)info.lease);
	return 0;
}
