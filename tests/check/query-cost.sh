#!/bin/sh
# query-cost.sh - with heaptide inside, a query of heaptide.h takes 8
# instructions at most, and tide_batch_more() 6 where there is room
#
# Counted exactly, by valgrind, in tests/bench/queries.c: once with so many
# calls and once with twice as many; less those of the loop.
. "${srcdir:-.}/tests/lib.sh"
need valgrind

[ "$(uname -m)" = x86_64 ] || skip "the counts are those of x86-64"
${CC:-cc} -O2 -I"$srcdir/include" -o queries \
    "$srcdir/tests/bench/queries.c" || fail "cannot build queries"

LD_PRELOAD=$LIBHEAPTIDE ./queries tide_level 1
same "the depth" 2 $?

# instructions_of WHAT COUNT
instructions_of()
{
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_BUDGET=1G limited 200 valgrind \
	    --tool=callgrind --callgrind-out-file=/dev/null \
	    ./queries "$1" "$2" 2>&1 | sed -n 's/.*Collected : //p'
}

# per_call WHAT CALLS: in hundredths.  What else there is to do depends on the
# clock, and may happen in one run and not in the other: so, the least of three.
per_call()
{
	least=
	for try in 1 2 3; do
		once=$(instructions_of "$1" "$2")
		twice=$(instructions_of "$1" $((2 * $2)))
		[ -n "$once" ] && [ -n "$twice" ] ||
			fail "valgrind counted nothing"
		each=$(((twice - once) * 100 / $2))
		[ -n "$least" ] && [ "$each" -ge "$least" ] || least=$each
		[ "$least" -gt "$3" ] || break
	done
	echo "$least"
}

calls=100000
loop=$(per_call nothing $calls 350) || fail "$loop"
within "instructions of the loop" 200 500 "$loop"

held()
{
	most=$2
	each=$(per_call "$1" $calls $((most * 100 + loop + 50))) ||
		fail "$each"
	each=$(((each - loop + 50) / 100))
	echo "$1: $each instructions, at most $most"
	within "instructions of $1" 1 "$most" "$each"
}
held tide_batch_more 6
held tide_used 8
held tide_available 8
held tide_budget 8
held tide_state 8
held tide_should_stop 8
