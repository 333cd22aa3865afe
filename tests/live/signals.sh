#!/bin/sh
# signals.sh - a handler that allocates may interrupt anything, on whatever
# stack, and all counts; both have their stacks; it may even jump out
. "${srcdir:-.}/tests/lib.sh"

# interrupted MODE ROUNDS: the account and the report
interrupted()
{
	LD_PRELOAD="$modules/bump.so" under "$stacks" \
	    "$victims/interrupted" "$@" >account ||
		fail "--stacks=$stacks, $*: status $?"
	report profile.tide
	inside=$(sed -n 's/^in_handlers //p' account)
	outside=$(sed -n 's/^outside //p' account)
	nested=$(json report.json .lost.nested)
	# Caught in the middle too often: counted, but without a stack.
	json report.json 'if .lost | del(.nested, .truncated, .early) |
	    add > 0 then . else .exact = true end' >whole && mv whole report.json
}

# from FUNCTION: the allocations that it called for itself
from()
{
	json report.json "[.sites[] | select(.stack[0].function == \"$1\") |
	    .allocations] | add // 0"
}

for stacks in none sampled all; do
	for mode in "here 50000" "elsewhere 50000" "threads 10000"; do
		interrupted ${mode% *} 0 # what the C library allocates
		mv report.json idle.json
		interrupted $mode
		within "$mode: allocations in handlers" 400 100000000 "$inside"
		# "Temporary" is of one sequence, and here are two in a thread.
		grep -v -e ^in_handlers -e ^outside -e ^temporary account >sums
		totals_match sums idle.json
		[ "$stacks" = all ] || continue
		within "$mode: from handlers" 0 "$inside" "$(from handle)"
		within "$mode: from elsewhere" 0 "$outside" "$(from round_of)"
		same "$mode: all stacks" $((inside + outside)) \
		    $(($(from handle) + $(from round_of) + nested))
	done

	interrupted leaving 1000
	[ "$stacks" != all ] ||
		same "after 1000 jumps" 1000 "$(from afterwards)"
done
