#!/bin/sh
# pool-reserve.sh - what is reserved of a common budget nobody else gets
. "${srcdir:-.}/tests/lib.sh"

reserver=$victims/reserver
"$HEAPTIDE" pool start common --budget 100M >out 2>&1 || fail "$(cat out)"
export HEAPTIDE_POOL=common

mkfifo hold
"$reserver" 64 <hold >first.out &
first=$!
started=$first
exec 9>hold
await grep -q got first.out
same first "got 64, lease 64" "$(cat first.out)"

# Not as long as it is held, in either depth.
"$reserver" 64 </dev/null >second.out
same second "waited 0, lease 0" "$(head -n 1 second.out)"
LD_PRELOAD=$LIBHEAPTIDE "$reserver" 64 </dev/null >second.out
same preloaded "waited 0, lease 0" "$(head -n 1 second.out)"
# What is left may be had.
"$reserver" 20 </dev/null >second.out
same small "got 20, lease 20" "$(head -n 1 second.out)"
# More than there is can never be.
"$reserver" 200 </dev/null >second.out
same large "failed 0, lease 0" "$(head -n 1 second.out)"

# Given back, or the holder dead: the next has it.
kill -KILL $first
wait $first 2>/dev/null
LD_PRELOAD=$LIBHEAPTIDE "$reserver" 64 </dev/null >third.out
same third "got 64, lease 64" "$(head -n 1 third.out)"
same after "lease 0" "$(tail -n 1 third.out)"
exec 9>&-
"$HEAPTIDE" pool stop common >out 2>&1 || fail "$(cat out)"
