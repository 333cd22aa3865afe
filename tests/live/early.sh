#!/bin/sh
# early.sh - what is allocated before main() and after it counts as well
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	under "$stacks" "$victims/early" >account || fail "status $?"
	report profile.tide
	totals_match account
done
