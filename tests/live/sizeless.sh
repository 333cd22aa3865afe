#!/bin/sh
# sizeless.sh - an allocator that cannot tell sizes is let alone, and named
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	limited 60 env LD_PRELOAD="$modules/sizeless.so" ls -d / >plain.out ||
		skip "ls does not run with this allocator by itself"
	limited 60 env LD_PRELOAD="$LIBHEAPTIDE $modules/sizeless.so" \
	    HEAPTIDE_STACKS=$stacks HEAPTIDE_LOG="$scratch/log" \
	    ls -d / >under.out || fail "status $?"
	cmp plain.out under.out || fail "another output"
	grep -q "cannot tell a block's size" log || fail "it is not said why"
	rm -f log
done
