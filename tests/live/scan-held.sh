#!/bin/sh
# scan-held.sh - many scans in a row of a busy program with many threads: no call
# of theirs ends early or short, no sum is wrong, no child is left
#
# A scan has the CPU last, and this program leaves it little: SCANS=100 is for
# who has the time.
. "${srcdir:-.}/tests/lib.sh"
need jq

is_ready()
{
	grep -q ready out
}

: >out
scans=${SCANS:-25}
limited $((scans * 24)) "$HEAPTIDE" run --stacks all --children none \
    --summary off -o profile.tide -- "$victims/held" enough >out 2>err &
job=$!
await is_ready
set -- "$HEAPTIDE_DIR"/*.tide
pid=${1##*/}
pid=${pid%%[.-]*}
lost=0
for n in $(seq "$scans"); do
	limited 60 "$HEAPTIDE" leaks --scan --json "$pid" >scan.json 2>why ||
		fail "scan $n: $(cat why)"
	lost=$((lost + $(json scan.json .scan.blocks)))
done
touch enough
wait "$job" || fail "status $?: $(cat out err)"
same "the program's account" "ready undisturbed" "$(echo $(cat out))"
same "lost" 0 "$lost"
report profile.tide
same "exact" true "$(json report.json .exact)"
