#!/bin/sh
# entry-points.sh - blocks taken by functions that only one allocator has may be
# given back by free() and realloc(): nothing breaks, and who did it is counted
. "${srcdir:-.}/tests/lib.sh"

cat >extra.c <<'E2'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	/* jemalloc's takes flags as well, which the others do not see. */
	void *(*take)(size_t, int);
	void *p, *q;
	int n = 0;

	*(void **)&take = dlsym(RTLD_DEFAULT, argv[1]);
	if (argc != 2 || take == NULL)
		return 2;
	for (int i = 0; i < 100; i++) {
		p = take(1000 + (size_t)i, 0);
		memset(p, i, 1000);
		n += malloc_usable_size(p) >= 1000;
		if (i % 2 == 0) {
			free(p);
			continue;
		}
		q = realloc(p, 5000);
		n += ((char *)q)[999] == i;
		free(q);
	}
	free(malloc(10));
	printf("%d\n", n);
	return 0;
}
E2

tried=0
while read -r library function; do
	path=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
		sed -n "s|.* => \(/.*/$library\)\$|\1|p" | head -n 1)
	[ -n "$path" ] || { without "$library, which is not installed"; continue; }
	"${CC:-cc}" -O1 -fno-builtin -o "extra-$function" extra.c \
	    -Wl,--no-as-needed "$path" || fail "cannot link with $path"
	for stacks in none sampled all; do
		plain_and_under "$stacks" "./extra-$function" "$function"
		same "$function" 150 "$(cat under.out)"
		report profile.tide
		[ "$stacks" = all ] || continue
		same "$function: findings" 0 "$(json report.json \
		    ".findings | length")"
		same "$function: exact" false "$(json report.json .exact)"
		same "$function: frees of blocks never seen" "100 100 extra-$function" \
		    "$(json report.json '"\(.lost.unknown_frees) \(
			.unknown_frees_by[0].frees) \(.unknown_frees_by[0] |
			.module | sub(".*/"; ""))"')"
	done
	tried=$((tried + 1))
done <<E2
libjemalloc.so.2 mallocx
libmimalloc.so.2 mi_malloc
libtcmalloc_minimal.so.4 tc_malloc
E2
[ "$tried" -gt 0 ] || skip "no such allocator is installed"
