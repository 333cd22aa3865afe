#!/bin/sh
# known-sequence.sh - what one thread does is counted to the byte
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	for mode in family libc sizes temporary signals; do
		under "$stacks" "$victims/known-sequence" "$mode" >account ||
			fail "$mode: status $?"
		report profile.tide
		totals_match account
	done
done
