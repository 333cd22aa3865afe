#!/bin/sh
# mappings.sh - what the program maps itself is known by kind, to the page
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	under "$stacks" "$victims/mapper" >account || fail "status $?"
	report profile.tide
	while read -r kind bytes; do
		same "--stacks=$stacks: $kind" "$bytes" \
		    "$(json report.json ".mapped.$kind")"
	done <account
	same "allocations" 0 "$(json report.json .totals.allocations)"
	same "lost" 0 "$(json report.json .lost.mappings)"
done
# With stacks it is also known from where.
same "mapped where" mapper.c "$(json report.json '[.mappings[] | .stack[] |
	.file // empty | sub(".*/"; "")] | map(select(. == "mapper.c")) |
	unique[]')"
