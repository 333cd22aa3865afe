#!/bin/sh
# warm-start.sh - with batch.warm a program begins with what it has learned of its
# batches before, if it is the same program; and with nothing where that is damaged
. "${srcdir:-.}/tests/lib.sh"
need jq

cat >sizes.c <<'END'
#include <heaptide.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
	int batches = argc > 1 ? atoi(argv[1]) : 1, i;
	tide_op_conf conf;
	tide_batch b = TIDE_BATCH_INIT;
	tide_op *op;
	uint32_t k;
	char *item[100000];

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.initial = 100;
	op = tide_op_open(argc > 3 ? argv[3] : "a/b c", &conf);
	for (i = 0; i < batches && tide_batch_begin(op, &b, 0, 100000, -1) > 0;
	    i++) {
		printf("%u ", b.n);
		for (k = 0; k < b.n && k < 100000 && tide_batch_more(&b); k++)
			memset(item[k] = malloc(1000000), 1, 1000000);
		tide_batch_end(&b, k);
		while (k > 0)
			free(item[--k]);
	}
	printf("\n");
	fflush(stdout);
	if (argc > 2 && strcmp(argv[2], "killed") == 0)
		raise(SIGKILL);
	return 0;
}
END
${CC:-cc} -I"$srcdir/include" -o sizes sizes.c || fail "not built"
export HEAPTIDE_BUDGET=60M HEAPTIDE_STATE="$scratch/state" \
	HEAPTIDE_LOG="$scratch/log"

# first ARGUMENT...: items of its first batch
first()
{
	limited 100 $inside ./sizes "$@" >out 2>err </dev/null
	set -- $(cat out)
	first=$1
}

models()
{
	ls state/models 2>/dev/null | wc -l
}

for how in alone inside; do
	inside=
	# 100 items of a megabyte are far too many, as is found out.
	[ $how = alone ] || inside="$HEAPTIDE run -q --summary off -o t.tide --"
	rm -rf state log
	unset HEAPTIDE_BATCH_WARM
	first 9
	same "$how: files, where nobody wants any" 0 "$(models)"
	export HEAPTIDE_BATCH_WARM=on
	first 1
	same "$how: items of the first start" 100 "$first"
	first 9 killed
	same "$how: items, as nothing is learned of one batch" 100 "$first"
	same "$how: files" 1 "$(models)"
	file=$(echo state/models/a_b_c-*.json)
	same "$how: what is kept of eight" "model 1 8 8 0" "$(json "$file" \
	    '"\(.heaptide) \(.schema) \(.n | length) \(.g | length) " +
	    "\(.weights | length)"')"
	first 1
	[ "$first" -lt 60 ] || fail "$how: $first items, as if nothing were known"
	same "$how: another operation" 100 "$(first 4 - other; echo "$first")"
	same "$how: files of two" 2 "$(models)"
	! grep learned log || fail "$how: said something"

	# Whatever is in it: nothing is taken of it, and it is told.
	cp "$file" good
	for damage in 's/"n":\[/"n":[0,/' 's/"n":\[/"n":[3,/' 's/\]}$/]/' \
	    's/"n"/"m"/' 's/"schema":1/"schema":2/' \
	    's/"g":\[[0-9]*/"g":[999999999999999999999/' \
	    's/"one":/"one":-/' 's/.*//' 's/$/x/'; do
		sed "$damage" good >"$file"
		! cmp -s "$file" good || fail "no damage: $damage"
		rm -f log
		first 1
		same "$how: items after $damage" 100 "$first"
		same "$how: sentences after $damage" 1 "$(grep -c \
		    "no such file: .*a_b_c-.*json; it will be replaced" log)"
	done
	head -c 100000 /dev/zero >"$file"
	first 9
	same "$how: items after zeros" 100 "$first"
	first 1
	[ "$first" -lt 60 ] || fail "$how: it was not replaced"
	rm "$file" && ln -s good "$file"
	cp good kept
	first 9
	same "$how: items by a link" 100 "$first"
	cmp good kept || fail "$how: what a link names was written to"

	# Of another build of the program: as if it were not there.
	rm -f "$file" log
	sed 's/"program":"../"program":"zz/' good >"$file"
	first 1
	same "$how: items of another build" 100 "$first"
	! grep learned log || fail "$how: said something"

	# Where it cannot be kept that is told once, and nothing else happens.
	rm -rf state
	: >state
	first 9
	same "$how: items where there is no room" 100 "$first"
	[ "$(wc -w <out)" -eq 9 ] || fail "$how: batches: $(cat out)"
	within "$how: sentences where there is no room" 1 1 "$(grep -c \
	    'cannot be kept' log)"
done
