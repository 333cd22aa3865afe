#!/bin/sh
# own-malloc.sh - a program whose malloc is its own keeps it, reallocarray too
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/own-malloc"
done
same "what it says" "still here" "$(cat under.out)"
