#!/bin/sh
# wasteful.sh - a block with more waste than can be written down is still freed
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/wasteful"
	same "blocks" 10 "$(cat under.out)"
	report profile.tide
	within "--stacks=$stacks: held" 0 10000 \
	    "$(json report.json .totals.live_bytes)"
done
