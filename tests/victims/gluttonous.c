/*
 * gluttonous.c - takes one MiB after the other, and says how far it came
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
	int most = argc > 1 ? atoi(argv[1]) : 200;
	char small[64], *p;
	int i;

	for (i = 0; i < most; i++) {
		p = malloc(1 << 20);
		if (p == NULL) {
			/* What is small is never refused. */
			p = malloc(sizeof(small));
			printf("refused at %d: %s%s\n", i, strerror(ENOMEM),
			    p == NULL ? ", and small ones too" : "");
			return 3;
		}
		memset(p, 1, 1 << 20);
	}
	printf("had %d\n", i);
	return 0;
}
