#!/bin/sh
# leaks-least.sh - who answers `leaks` and `analyze` beside a process knows from
# which growth on leaks matter, as `heaptide leaks` does
. "${srcdir:-.}/tests/lib.sh"
need jq

# begin WAY: a program that leaks, of which growth of less than 1 TiB an hour is
# too little to matter; its pid
begin()
{
	case $1 in
	run)	HEAPTIDE_LEAK_THRESHOLD_RATE=1048576 "$HEAPTIDE" run -q \
		    --stacks all --epoch 100ms -o $1.tide -- \
		    "$victims/hoarder" 60 ;;
	*)	env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_KEEPER=$1 \
		    HEAPTIDE_STACKS=all HEAPTIDE_EPOCH=100ms \
		    HEAPTIDE_LEAK_THRESHOLD_RATE=1048576 \
		    "$victims/hoarder" 60 ;;
	esac </dev/null >out 2>err &
	started="$started $!"
	await pid_of
}

pid_of()
{
	pid=$(limited 20 "$HEAPTIDE" ps --json | jq -r '[.processes[] |
	    select(.state == "running" and (.command | test("hoarder"))) |
	    .pid][0] // empty') && [ -n "$pid" ]
}

# minor EXPECTED: that is said of all that grows, which is something
minor()
{
	limited 20 "$HEAPTIDE" ctl "$pid" leaks 5 >leaks.json &&
	    jq -e --argjson minor "$1" '[.leaks[] |
		select(.verdict == "growing") | .minor] |
		length > 0 and all(. == $minor)' leaks.json
}

# advised: how often its leak is an issue
advised()
{
	limited 20 "$HEAPTIDE" ctl "$pid" analyze >analyze.json ||
		fail "analyze: $(cat analyze.json)"
	jq '[.issues[] | select(.id == "R-LEAK")] | length' analyze.json
}

for way in run on; do
	begin $way
	await minor true
	same "$way: an issue" 0 "$(advised)"
	kill "$pid"
	wait
done

# Nobody serves it: who asks is who answers, by his own environment.
begin off
await minor false
same "an issue, to who has no threshold" 1 "$(advised)"
export HEAPTIDE_LEAK_THRESHOLD_RATE=1048576
await minor true
same "an issue, to who has one" 0 "$(advised)"
kill "$pid"
