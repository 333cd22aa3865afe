#!/bin/sh
# title.sh - a program that overwrites its environment keeps its children
. "${srcdir:-.}/tests/lib.sh"

for how in moved cleaned; do
	rm -rf profile.tide.d
	under all "$victims/title" $how || fail "$how: status $?"
	set -- profile.tide.d/*.tide
	same "$how: profiles of children" 1 $#
	report "$1"
	same "$how: the child's bytes" 1234 \
	    "$(json report.json .totals.requested_bytes)"
done
