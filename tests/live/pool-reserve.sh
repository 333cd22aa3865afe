#!/bin/sh
# pool-reserve.sh - what is reserved of a common budget nobody else gets
. "${srcdir:-.}/tests/lib.sh"
need jq

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

# Who waits without the library is not taken for dead by others without it, who
# look after the dead once a second.
waiting()
{
	"$HEAPTIDE" pool status common --json >status.json &&
		jq -e ".pools[0] | .waiting == 2 and (.members | length) == 3" \
			status.json
}
"$reserver" 64 60000 </dev/null >fourth.out &
fourth=$!
"$reserver" 64 60000 </dev/null >fifth.out &
fifth=$!
started="$first $fourth $fifth"
await waiting
sleep 3
waiting >await.out || fail "members that live are lost: $(cat status.json)"

# Given back, or the holder dead: the next has it.
kill -KILL $first
wait $first 2>/dev/null
LD_PRELOAD=$LIBHEAPTIDE "$reserver" 64 60000 </dev/null >third.out
wait $fourth || fail "fourth: status $?"
wait $fifth || fail "fifth: status $?"
same "who waited" "got 64, lease 64 got 64, lease 64" \
    "$(head -n 1 fourth.out) $(head -n 1 fifth.out)"
same third "got 64, lease 64" "$(head -n 1 third.out)"
same after "lease 0" "$(tail -n 1 third.out)"
exec 9>&-
"$HEAPTIDE" pool stop common >out 2>&1 || fail "$(cat out)"
