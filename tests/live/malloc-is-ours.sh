#!/bin/sh
# malloc-is-ours.sh - the program's calls come to us: 12345 of them are counted
#
# Where this one fails, no other result means anything.
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/known-sequence" count
	report profile.tide
	same "--stacks=$stacks: allocations" 12345 \
	    "$(json report.json .totals.allocations)"
	same "--stacks=$stacks: bytes" \
	    "$(sed -n 's/^allocated_bytes //p' under.out)" \
	    "$(json report.json .totals.allocated_bytes)"
done
