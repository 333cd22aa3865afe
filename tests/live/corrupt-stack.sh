#!/bin/sh
# corrupt-stack.sh - a stack full of nonsense, registers that are, functions
# without rules, generated code and longjmp() are walked without harm
. "${srcdir:-.}/tests/lib.sh"

for mode in trampled registers generated jumps; do
	for stacks in none sampled all; do
		limited 60 "$victims/corrupt-stack" $mode >plain
		status=$?
		[ $status -ne 77 ] || continue # hand-written for another CPU
		same "$mode: status alone" 0 $status
		under "$stacks" "$victims/corrupt-stack" $mode >account
		same "--stacks=$stacks, $mode: status" 0 $?
		same "--stacks=$stacks, $mode" "$(grep -v bytes plain)" \
		    "$(grep -v bytes account)"
		report profile.tide
		totals_match account
	done
	[ $mode = generated ] || # where each caller is another
		within "$mode: sites" 1 1000 "$(json report.json '.sites |
		    length')"
	# Whatever lies above, who allocates is known.
	[ $status -eq 77 ] || same "$mode: who allocates" 2000 "$(json \
	    report.json '[.sites[] | select(.stack[0].function == "allocate") |
	    .allocations] | add')"
done
