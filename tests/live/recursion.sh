#!/bin/sh
# recursion.sh - 100 000 calls deep each of which allocates: as many sites as
# frames are kept, and what was cut is said
. "${srcdir:-.}/tests/lib.sh"

limited 60 "$victims/recursion" >plain || fail "alone: status $?"
for depth in 16 128; do
	for stacks in none sampled all; do
		limited 300 "$HEAPTIDE" run --stacks $stacks --depth $depth \
		    --summary off -o profile.tide -- "$victims/recursion" \
		    >account || fail "--stacks=$stacks: status $?"
		same "--stacks=$stacks" "$(grep -v bytes plain)" \
		    "$(grep -v bytes account)"
		report profile.tide
		mv report.json with.json
	done
	# Once down and once by turns of two: each depth up to the cap.
	within "--depth $depth: sites" $((2 * depth)) $((2 * depth + 4)) \
	    "$(json with.json '.sites | length')"
	within "--depth $depth: cut" $((200002 - 2 * depth)) 200002 \
	    "$(json with.json .lost.truncated)"
	same "--depth $depth: frames of the deepest, those that are cut" \
	    "$depth true" "$(json with.json '[.sites[].stack] |
	    "\(map(length) | max) \(map(select(.[-1].cut)) | length > 0)"')"
	same "exact" true "$(json with.json .exact)"
	# The C library's one block for the thread is taken off.
	same "allocations" 200002 $(($(json with.json .totals.allocations) -
	    $(json with.json '[.sites[] | select(.stack[0].function |
	    IN("descend", "ping", "pong") | not) | .allocations] | add')))
	mv with.json report.json
	adds_up
done
