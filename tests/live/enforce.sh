#!/bin/sh
# enforce.sh - what becomes of a program beyond its budget, if somebody asked
. "${srcdir:-.}/tests/lib.sh"

glutton=$victims/gluttonous

# Nobody did: nothing.
"$HEAPTIDE" run -q --budget 100M -o off.tide -- "$glutton" >out ||
	fail "status $?"
same output "had 200" "$(cat out)"

# Refused below the budget, and within one block of it.
"$HEAPTIDE" run -q --budget 100M --enforce enomem -o enomem.tide -- "$glutton" >out
same status 3 $?
same output "refused at 99: Cannot allocate memory" "$(cat out)"
"$HEAPTIDE" report --json enomem.tide >report.json
peak=$(json report.json .totals.peak_bytes)
[ "$peak" -le $((100 << 20)) ] || fail "peak $peak is beyond the budget"
# All stacks, other allocators' functions as well.
"$HEAPTIDE" run -q --stacks all --budget 50M --enforce enomem -o all.tide -- "$glutton" >out
same status 3 $?
same output "refused at 49: Cannot allocate memory" "$(cat out)"

# Below it nobody is stopped.
"$HEAPTIDE" run -q --budget 100M --enforce abort -o low.tide -- "$glutton" 50 >out ||
	fail "status $? below the budget"
same output "had 50" "$(cat out)"

# A subshell: it ends by the same signal.
(ulimit -c 0; "$HEAPTIDE" run -q --budget 100M --enforce abort -o abort.tide \
    -- "$glutton" >out 2>err)
same status 134 $?
"$HEAPTIDE" report --json abort.tide >report.json
same end signalled "$(json report.json .end.how)"
same signal 6 "$(json report.json .end.signal)"

"$HEAPTIDE" run -q --budget 100M --enforce exit85 -o again.tide -- "$glutton" >out
same status 85 $?

# Stopped, for who wants to look; then let go.
"$HEAPTIDE" run -q --budget 100M --enforce stop -o stop.tide -- "$glutton" >out &
run=$!
started=$run
i=0
pid=
while [ $i -lt 200 ]; do
	pid=$("$HEAPTIDE" ps --json 2>/dev/null | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
	[ -n "$pid" ] && grep -q '^State:.*T' "/proc/$pid/status" 2>/dev/null && break
	sleep 0.05
	i=$((i + 1))
done
grep -q '^State:.*T' "/proc/$pid/status" || fail "it was not stopped"
# Its supervisor stands still with it, as a shell has it.
kill -CONT "$pid" $run
wait $run || fail "status $? after it was let go"
same output "had 200" "$(cat out)"

"$HEAPTIDE" run --enforce perhaps -- true 2>err
same status 2 $?
grep -q "perhaps" err || fail "$(cat err)"
