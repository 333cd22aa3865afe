#!/bin/sh
# thread-sanitizer.sh - no two threads race in the tables that have no locks
#
# The unit tests that have threads, built once more with ThreadSanitizer in
# $builddir/tsan.  It watches C only: see ARCH_ONE_INSTRUCTION in sys/arch.h.
. "${srcdir:-.}/tests/lib.sh"
need make

# Not: unwind (the walk meets the sanitizer's own frames and signals that it
# holds back), census (a thread of the test's; the module has none).
tests='arena segment tally ledger site nested mapping rules intern module
	shares cleanup-threads'

echo 'int main(void) { return 0; }' >empty.c
${CC:-cc} -fsanitize=thread -o empty empty.c 2>/dev/null ||
	skip "${CC:-cc} has no ThreadSanitizer"
# Where the kernel spreads addresses widely, the sanitizer finds no place.
alone=
setarch -R true 2>/dev/null && alone='setarch -R'
$alone ./empty 2>/dev/null || skip "ThreadSanitizer does not start here"

unset MAKEFLAGS
mkdir -p "$builddir/tsan"
cd "$builddir/tsan" || exit
{
	[ -f Makefile ] || "$srcdir/configure" CC="${CC:-cc}" \
	    CFLAGS='-g -O1 -fsanitize=thread'
} >configure.log 2>&1 || fail "cannot configure: $(tail -n 5 configure.log)"
grep -q 'unit tests: *yes' config.log configure.log ||
	skip "cmocka is missing"
make -j2 $(printf 'tests/unit/test-%s ' $tests) >make.log 2>&1 ||
	fail "cannot build: $(grep -e error: -e '\*\*\*' make.log | head -n 5)"

# The test must be able to fail: these two do race.
cat >"$scratch/race.c" <<'C'
#include <pthread.h>
static int word;
static void *add(void *argument) { word++; return argument; }
int main(void)
{
	pthread_t t;
	pthread_create(&t, 0, add, 0);
	word++;
	return pthread_join(t, 0);
}
C
${CC:-cc} -fsanitize=thread -o "$scratch/race" "$scratch/race.c" -lpthread
$alone "$scratch/race" 2>/dev/null && fail "a race was not found"

status=0
for test in $tests; do
	limited 300 $alone "./tests/unit/test-$test" \
		>"$scratch/$test.log" 2>&1 && continue
	echo "$test: failed under ThreadSanitizer, status $?"
	grep -A 12 -e WARNING: -e ERROR -e SUMMARY "$scratch/$test.log" |
		head -n 50
	tail -n 3 "$scratch/$test.log"
	status=1
done
exit $status
