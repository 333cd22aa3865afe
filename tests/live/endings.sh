#!/bin/sh
# endings.sh - however a program ends, its profile is whole and says how
. "${srcdir:-.}/tests/lib.sh"

ulimit -c 0
HELD=60
REQUESTED=100000

# ends MODE STATUS HOW NUMBER: as the shell sees it, as the report does
ends()
{
	under "$stacks" "$victims/endings" "$1" 2>messages
	same "$1: status" "$2" $?
	report profile.tide
	same "$1: end" "$3 $4" "$(json report.json '.end | .how + " " +
		if .how == "signalled" then "\(.signal)"
		else "\(.status)" end')"
	within "$1: blocks held" $HELD $((HELD + 10)) \
	    "$(json report.json .totals.live_blocks)"
	within "$1: requested bytes" $REQUESTED $((REQUESTED + 10000)) \
	    "$(json report.json ".totals.requested_bytes // $REQUESTED")"
	same "$1: exact" true "$(json report.json .exact)"
}

for stacks in none sampled all; do
	ends return 0 exited 0
	ends exit 3 exited 3
	ends quick_exit 5 exited 5
	ends _exit 4 exited 4
	ends abort 134 signalled 6
	ends segfault 139 signalled 11
	ends kill 137 signalled 9
	ends term 143 signalled 15
	ends thread 6 exited 6
	ends last-thread 0 exited 0

	# What static destructors free and allocate is counted as well.
	REQUESTED=120000
	ends destructor 0 exited 0
	same "blocks allocated in all" 120 \
	    "$(json report.json .totals.allocations)"
	ends in-destructor 9 exited 9
	REQUESTED=100000

	# Two images in one process: the later is the profile, the earlier
	# lies beside it and is as whole.
	for mode in exec exec-in-thread; do
		ends $mode 3 exited 3
		set -- profile.tide.d/*.tide
		same "earlier images" 1 $#
		report "$1"
		same "earlier image: end" exec "$(json report.json .end.how)"
		within "earlier image: blocks" $HELD $((HELD + 1)) \
		    "$(json report.json .totals.live_blocks)"
		rm -r profile.tide.d
	done
done

# That a child has ended is not said of its parent, whose memory it ran in.
LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_STACKS=all "$victims/endings" in-vfork
same "status of the parent" 137 $?
set -- "$HEAPTIDE_DIR"/*.tide
same "profiles" 1 $#
report "$1"
same "end of the parent" lost "$(json report.json .end.how)"

# Nobody has looked since its last thread came: it was there that long.
rm -f "$HEAPTIDE_DIR"/*.tide
for stacks in none sampled all; do
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_STACKS=$stacks \
	    "$victims/endings" late-thread
	same "late-thread: status" 4 $?
	set -- "$HEAPTIDE_DIR"/*.tide
	"$HEAPTIDE" report --verify "$1" >verified ||
		fail "late-thread, --stacks=$stacks: $(cat verified)"
	rm "$1"
done

# Looked at by `heaptide run` while it slept, and then killed by another.
is_looked_at()
{
	"$HEAPTIDE" report --json "$HEAPTIDE_DIR/$(cat child)".*.tide \
	    >report.json && [ "$(json report.json .rss.resident)" -gt 0 ]
}

mkfifo go
under none sh -c 'sleep 300 & echo $! >child; read x <go; kill -9 $!; wait $!
    echo $?' >out 2>messages &
started="$started $!"
await test -s child
await is_looked_at
echo >go
wait $!
same "what was seen of the one that was killed" 137 "$(cat out)"
for one in profile.tide.d/*.tide; do
	"$HEAPTIDE" report --verify "$one" >verified ||
		fail "$one: $(cat verified)"
done
rm -r profile.tide.d

# A program that is no home for us: the profile ends with the exec, and says so.
if printf 'int main(void) { return 4; }\n' |
    ${CC:-cc} -static -o static -x c - 2>/dev/null; then
	under all sh -c "exec ./static" 2>messages
	same "status of what it became" 4 $?
	grep -q 'became another program that heaptide could not enter' \
	    messages || fail "no word of it: $(cat messages)"
	report profile.tide
	same "and why" 1 "$(json report.json .not_profiled.static)"
fi
