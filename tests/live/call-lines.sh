#!/bin/sh
# call-lines.sh - a frame is where the call was, not where it would return to;
# and where a signal came, it is the very instruction
. "${srcdir:-.}/tests/lib.sh"

# calls BYTES: the functions that led to the block of so many bytes, from the
# caller of the one that allocated it
calls()
{
	json report.json "[.sites[] | select(.live_requested_bytes == $1) |
	    .stack[1:][] | .function | select(startswith(\"__\") or
	    startswith(\"libc\") | not)][0]"
}

# line BYTES: that its innermost frame but one is at
line()
{
	json report.json "[.sites[] | select(.live_requested_bytes == $1) |
	    .stack[1].line][0]"
}

unharmed "$victims/call-lines"
same "who called last of all" "before_it the_caller behind_it" \
    "$(calls 1001) $(calls 1002) $(calls 1003)"
for bytes in 1001 1002 1003; do
	same "$bytes: at" "$(grep -n "never_return($bytes)" \
	    "$srcdir/tests/victims/call-lines.c" | cut -d: -f1)" "$(line $bytes)"
done
same "who was interrupted at once" "interrupted_at_once main" \
    "$(json report.json '[.sites[] | select(.live_requested_bytes == 2001) |
    .stack[] | .function | select(IN("handle", "not_this_one",
    "interrupted_at_once", "main"))] | .[1:] | join(" ")')"
