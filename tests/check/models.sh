#!/bin/sh
# models.sh - the protocols without locks hold in every order of their steps
#
# Each model in tests/model is gone through by spin to the last state, and
# broken on purpose it must be found wrong.
. "${srcdir:-.}/tests/lib.sh"
need spin
cc=${CC:-cc}

# search MODEL SPIN-OPTION PAN-FLAGS COMPILER-FLAGS: leaves what spin says in
# `said`; true: all states were met, and nothing was wrong
search()
{
	rm -f pan*
	spin -a $2 "$srcdir/tests/model/$1.pml" >said 2>&1 &&
		$cc -O0 -DCOLLAPSE $4 -o pan pan.c >>said 2>&1 ||
		fail "$1: $(cat said)"
	limited 200 ./pan -m1000000 $3 >said 2>&1 ||
		fail "$1: status $?: $(tail -n 5 said)"
	! grep -q -e 'max search depth too small' -e 'out of memory' said ||
		fail "$1: not searched to the end"
	grep -q 'errors: 0' said
}

holds()
{
	search "$@" || fail "$1 $2 is wrong: $(grep '^pan:1' said)"
}

is_found_wrong()
{
	! search "$@" || fail "$1 $2: what is broken was not found"
	grep -q '^pan:1: assertion violated' said ||
		fail "$1 $2: no assertion, but $(cat said)"
}

# A process that is interrupted, which the reduction does not know of.
queue='-DNOREDUCE'
holds mapping-queue '' '' "$queue -DSAFETY -DNOCLAIM -O2"
holds mapping-queue -DTWO '-a -f -N every_call_returns' "$queue"
for break in ORDER RECHECK; do
	is_found_wrong mapping-queue "-DBREAK_$break" '' \
	    "$queue -DSAFETY -DNOCLAIM"
done

backed='-N what_is_used_is_backed'
holds segment-growth '' "$backed" -DSAFETY
holds segment-growth '' '-a -f -N every_call_returns' -O2
is_found_wrong segment-growth -DBREAK_ORDER "$backed" -DSAFETY

# Leases, with deaths; audits, by two that may die at it.
safe='-DSAFETY -DNOCLAIM -O2'
holds shares -DAUDITS=0 '' "$safe"
holds shares -DAUDITS=1 '' "$safe"
two='-DMEMBERS=1 -DCARERS=2'
holds shares "$two -DAUDITS=2 -DDEATHS=2" '' "$safe"
holds shares '-DAUDITS=0 -DDEATHS=0' '-a -f -N all_get_to_the_end' -O2
for break in ORDER QUIET EARLY EPOCH; do
	is_found_wrong shares "-DBREAK_$break -DAUDITS=1" '' "$safe"
done
is_found_wrong shares "-DBREAK_BURY $two -DAUDITS=1" '' "$safe"
is_found_wrong shares "-DBREAK_DUE $two -DAUDITS=2 -DDEATHS=2" '' "$safe"
