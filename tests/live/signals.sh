#!/bin/sh
# signals.sh - a handler that allocates may interrupt anything, and all counts
. "${srcdir:-.}/tests/lib.sh"

for stacks in none all; do
	LD_PRELOAD="$victims/.libs/bump.so" under "$stacks" "$victims/interrupted" \
	    >account || fail "--stacks=$stacks: status $?"
	report profile.tide
	# Caught in the middle of recording: counted, but without a stack.
	json report.json '.exact = true' | sed 's/"nested": [0-9]*/"nested": 0/' \
	    >whole && mv whole report.json
	within "interruptions" 100 100000000 \
	    "$(sed -n 's/^interruptions //p' account)"
	# "Temporary" is of one sequence, and here are two in one thread.
	grep -v -e ^interruptions -e ^temporary account >sums
	totals_match sums
done
