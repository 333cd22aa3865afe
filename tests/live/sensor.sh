#!/bin/sh
# sensor.sh - what a program is told of its memory is so: of its heap exactly
# where nothing moves, and within what threads may have to tell yet where it does
. "${srcdir:-.}/tests/lib.sh"

for stacks in none sampled all; do
	limited 200 "$HEAPTIDE" run -q --summary off -o sensor.tide \
	    --stacks $stacks --budget 512M -- "$victims/sensor" account >said \
	    2>err </dev/null || fail "$stacks: status $?: $(cat said err)"
	same "$stacks" "4000 looks in flight, 20 at rest, 0 wrong" "$(cat said)"
done

# In all depths tide_used() is what the kernel says, to 2 % of the budget.
[ -e /proc/self/smaps_rollup ] || skip "the kernel has no smaps_rollup"
export HEAPTIDE_BUDGET=256M
limited 100 "$victims/sensor" rest >said 2>&1 </dev/null ||
	fail "alone: status $?: $(cat said)"
limited 100 "$HEAPTIDE" run -q --summary off -o sensor.tide -- \
    "$victims/sensor" rest >said 2>&1 </dev/null ||
	fail "with the library: status $?: $(cat said)"
# How it is while memory moves depends on the machine: it is shown.
limited 100 "$HEAPTIDE" run -q --summary off -o sensor.tide -- \
    "$victims/sensor" moving "${SENSOR_SECONDS:-2}" </dev/null ||
	fail "moving: status $?"
