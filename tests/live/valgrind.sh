#!/bin/sh
# valgrind.sh - a program that valgrind runs is run by it with heaptide inside,
# and valgrind finds what it finds alone
. "${srcdir:-.}/tests/lib.sh"

need valgrind
cat >leaky.c <<'E2'
#include <stdio.h>
#include <stdlib.h>
static void *volatile kept;
int main(void)
{
	for (int i = 0; i < 100; i++)
		free(malloc((size_t)i * 10));
	kept = malloc(3333);
	kept = NULL;
	puts("done");
	return 4;
}
E2
"${CC:-cc}" -g -O0 -o leaky leaky.c || fail "cannot build leaky"
valgrind --error-exitcode=9 ./leaky >plain.out 2>plain.err ||
	[ $? -eq 4 ] || skip "valgrind does not work here: $(tail -n 1 plain.err)"
valgrind --leak-check=full --errors-for-leak-kinds=none \
    --error-exitcode=9 ./leaky >plain.out 2>plain.err
plain_status=$?
for stacks in none sampled all; do
	limited 120 "$HEAPTIDE" run --stacks $stacks --summary off \
	    -o outer.tide -- valgrind --leak-check=full \
	    --errors-for-leak-kinds=none --error-exitcode=9 \
	    ./leaky >under.out 2>under.err
	same "status under run and valgrind" "$plain_status" $?
	cmp plain.out under.out || fail "another output"
	grep -q "definitely lost: 3,333 bytes in 1 blocks" under.err ||
		fail "valgrind does not find the leak: $(tail -n 15 under.err)"
done

# The other way round: only the command is looked at, unless all are.
limited 120 valgrind --error-exitcode=9 --trace-children=yes "$HEAPTIDE" run \
    --summary off -o inner.tide -- ./leaky >under.out 2>under.err
same "status of run under valgrind" 4 $?
cmp plain.out under.out || fail "another output under valgrind"
