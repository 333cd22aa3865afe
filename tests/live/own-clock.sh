#!/bin/sh
# own-clock.sh - heaptide does not ask the program's own clock for the time
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/own-clock"
done
same "times it was asked" 0 "$(cat under.out)"
