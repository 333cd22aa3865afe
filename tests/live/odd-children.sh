#!/bin/sh
# odd-children.sh - however a child is made, it counts for itself alone
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	for how in clone _Fork small-stack; do
		rm -rf profile.tide.d
		plain_and_under "$stacks" "$victims/odd-children" $how
		report profile.tide
		# Besides: standard output's buffer, what a thread costs.
		within "$stacks, $how: allocations" 10000 10010 \
		    "$(json report.json .totals.allocations)"
		within "$stacks, $how: held" 0 10 \
		    "$(json report.json .totals.live_blocks)"
		set -- profile.tide.d/*.tide
		same "$stacks, $how: children" 1 $#
		report "$1"
		same "$stacks, $how: the child's allocations" 1000 \
		    "$(json report.json .totals.allocations)"
		within "$stacks, $how: what it held" 10000000 10100000 \
		    "$(json report.json .totals.live_bytes)"
	done
	rm -rf profile.tide.d
	plain_and_under "$stacks" "$victims/odd-children" busy
	same "$stacks: children that hung or died" "bad: 0" "$(cat under.out)"

	rm -rf profile.tide.d
	plain_and_under "$stacks" "$victims/odd-children" threads
	same "$stacks: children that died" "bad: 0" "$(cat under.out)"
	set -- profile.tide.d/*.tide
	same "$stacks: profiles, one a child" 40 $#
	report "$1"
	same "$stacks: allocations of three threads" 300 \
	    "$(json report.json .totals.allocations)"
done
