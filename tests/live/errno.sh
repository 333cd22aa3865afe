#!/bin/sh
# errno.sh - success leaves errno alone, and failure sets what it always did
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/errno"
done
