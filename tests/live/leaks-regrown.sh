#!/bin/sh
# leaks-regrown.sh - a buffer that realloc() makes larger and larger grows: no
# epoch ends where the old block is gone and the new one is not there yet
. "${srcdir:-.}/tests/lib.sh"
need jq

line=$(grep -n HERE "$srcdir/tests/victims/regrown.c" | cut -d: -f1)
for stacks in sampled all; do
	limited 120 "$HEAPTIDE" run --stacks $stacks --epoch 10ms \
	    --summary off -o profile.tide -- "$victims/regrown" ||
		fail "--stacks=$stacks: status $?"
	"$HEAPTIDE" leaks --json profile.tide >leaks.json ||
		fail "--stacks=$stacks: no leaks of it"
	same "--stacks=$stacks: what the buffer does" \
	    "growing 20000000" "$(json leaks.json ".leaks[] |
	    select(.stack[0].line == $line) | \"\(.verdict) \" +
	    \"\(.live_bytes / 1000000 | round * 1000000)\"")"
done
