#!/bin/sh
# pool-nested.sh - members of a pool that have a lease and want another do not
# wait for each other for ever, and what is reserved takes nobody's place
. "${srcdir:-.}/tests/lib.sh"
need jq

# A batch inside of a batch, once the file is there; says how many items.
cat >nested.c <<'C'
#include <heaptide.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	tide_batch outer = TIDE_BATCH_INIT, inner = TIDE_BATCH_INIT;
	int n;

	if (tide_batch_begin(tide_op_open("outer", NULL), &outer, 0, 9, -1) <=
	    0)
		return 3;
	puts("outer");
	fflush(stdout);
	while (argc > 1 && access(argv[1], F_OK) != 0)
		usleep(10000);
	n = tide_batch_begin(tide_op_open("inner", NULL), &inner, 0, 9, -1);
	printf("inner %d\n", n);
	if (n > 0)
		tide_batch_end(&inner, 1);
	tide_batch_end(&outer, 1);
	return 0;
}
C
${CC:-cc} -I"$srcdir/include" -o nested nested.c || fail "not built"

"$HEAPTIDE" pool start two --budget 100M --cores 2 >out 2>&1 ||
	fail "$(cat out)"
export HEAPTIDE_POOL=two
has_begun()
{
	grep -q outer first && grep -q outer second
}
limited 100 ./nested go >first &
one=$!
limited 100 "$HEAPTIDE" run -q --summary off -o n.tide -- ./nested go >second &
two=$!
started="$one $two"
await has_begun
# Both have one of two places, and want another.
: >go
wait $one || fail "without the library: status $?"
wait $two || fail "with the library: status $?"
same "items of the batch inside" "inner 1 inner 1" \
    "$(tail -n 1 first) $(tail -n 1 second)"

# Two that have reserved some leave both places to who works.
mkfifo hold1 hold2
"$victims/reserver" 20 <hold1 >held1 &
"$victims/reserver" 20 <hold2 >held2 &
exec 8>hold1 9>hold2
holds()
{
	grep -q got held1 && grep -q got held2
}
await holds
limited 60 ./nested >third || fail "beside what is reserved: status $?"
grep -q '^inner [1-9]' third || fail "beside what is reserved: $(cat third)"
"$HEAPTIDE" pool status two --json >status.json || fail "status: $?"
same "what they hold" 41943040 "$(json status.json \
    '[.pools[0].members[].lease] | add')"
exec 8>&- 9>&-
wait
"$HEAPTIDE" pool status two --json >status.json || fail "status: $?"
same "what they hold after" 0 "$(json status.json \
    '[.pools[0].members[].lease] | add // 0')"
"$HEAPTIDE" pool stop two >out 2>&1 || fail "$(cat out)"
