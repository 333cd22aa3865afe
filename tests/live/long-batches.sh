#!/bin/sh
# long-batches.sh - however long it runs, its memory stays the same; what leaks
# is found, and starts anew before the limit, and nothing of its work is lost
#
# The longer form of it is `make soak-batches`.
. "${srcdir:-.}/tests/lib.sh"
need jq

job=$builddir/tests/bench/long-batches
export HEAPTIDE_STATE="$scratch/state"

# 24 MB of blocks: the step in which malloc() takes and gives back is 0.5 % of it.
items=24000000
limited 200 "$job" $items 0 65536 >out || fail "status $?: $(cat out)"
same "items" $items "$(json out .items)"
same "alone, what is resident stays within 2 %: $(json out .drift)" true \
	"$(json out '.drift < 0.02 and .drift > -0.02')"
rm -rf state
limited 200 "$HEAPTIDE" run -q --summary off -o long.tide -- "$job" $items 0 \
	65536 >out || fail "status $?: $(cat out)"
same "the heap at the end of each batch, to the byte" "0 0 0" \
	"$(json out '"\(.slope) \(.low) \(.high)"')"
report long.tide
# Its tables of marks fill up to their caps, and no further.
within "what heaptide takes for itself" 1 8388608 \
	"$(json report.json .rss.terms.heaptide)"
# Blocks that are drawn lie elsewhere each time: that is no reason to grow.
same "with it, what is resident stays within 2 %: $(json out .drift)" true \
	"$(json out '.drift < 0.02 and .drift > -0.02')"
"$HEAPTIDE" leaks --json long.tide >leaks.json || fail "leaks"
same "nothing grows" 0 "$(json leaks.json \
	'[.leaks[] | select(.verdict == "growing")] | length')"

# --- a leak ------------------------------------------------------------------

rm -rf state
limited 200 "$job" 300000 >whole || fail "without a leak"
starts=0 status=85
while [ $status -eq 85 ]; do
	starts=$((starts + 1))
	[ $starts -lt 20 ] || fail "it comes to no end"
	limited 100 "$HEAPTIDE" run -q --summary off --budget 48M \
		--stacks all -o leak.$starts.tide -- "$job" 300000 300000 \
		>out 2>err
	status=$?
	report leak.$starts.tide
	within "start $starts: peak" 1 $((48 * 1024 * 1024)) \
		"$(json report.json .totals.peak_bytes)"
done
same "in the end" 0 $status
within "starts" 2 10 $starts
same "all of it was done, once" "$(json whole '.items, .sum')" \
	"$(json out '.items, .sum')"
"$HEAPTIDE" leaks --json leak.1.tide >leaks.json || fail "leaks"
same "who it is" "growing planted_leak" "$(json leaks.json \
	'.leaks[0] | "\(.verdict) \(.stack[0].function)"')"
