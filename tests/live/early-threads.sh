#!/bin/sh
# early-threads.sh - threads that another library starts before main(), and
# stops after it, count as all do, whoever of the two libraries comes first
. "${srcdir:-.}/tests/lib.sh"

early=$modules/early-threads.so
program="$victims/corrupt-stack jumps"
export EARLY="$scratch/account"

# through ORDER: with the library behind ours, or before it
through()
{
	rm -f "$EARLY" profile.tide
	case $1 in
	behind) order="$LIBHEAPTIDE $early" ;;
	before) order="$early $LIBHEAPTIDE" ;;
	esac
	under "$stacks" env LD_PRELOAD="$order" $program >written
	same "--stacks=$stacks, $1: status" 0 $?
	same "--stacks=$stacks, $1: output" "$(grep -v bytes plain)" \
	    "$(grep -v bytes written)"
	[ -s "$EARLY" ] || fail "--stacks=$stacks, $1: no account"
	report profile.tide
}

limited 60 env LD_PRELOAD="$early" $program >plain || fail "alone: status $?"
[ -s "$EARLY" ] || fail "alone: no account"
for stacks in none sampled all; do
	for order in behind before; do
		export IDLE=1
		through $order
		mv report.json idle.json
		unset IDLE
		through $order
		within "allocations" 8000 1000000000 \
		    "$(sed -n 's/^allocations //p' "$EARLY")"
		grep -v ^temporary "$EARLY" >sums
		totals_match sums idle.json
	done
done
