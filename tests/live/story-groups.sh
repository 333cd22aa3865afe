#!/bin/sh
# story-groups.sh - 10,337 texts of 444 groups under 2 GiB with lines at 1.0 and
# 1.5: what took 2.2 GiB at once now stays below the line, and comes to the same
. "${srcdir:-.}/tests/lib.sh"
need jq

GIB=$((1024 * 1024 * 1024))
available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
[ "$available" -ge $((4 * 1024 * 1024)) ] ||
	skip "less than 4 GiB are available"

# story OPTION... -- ARGUMENT...: out, log, and summary as JSON
story()
{
	rm -f log
	HEAPTIDE_LOG=$scratch/log limited 200 "$HEAPTIDE" run --stacks none \
	    --summary json -o "$scratch/s.tide" "$@" >out 2>err ||
		fail "$*: status $?: $(cat err)"
	sed -n '/^{/,$p' err >summary
}

story -- "$victims/story" groups all
sum=$(sed -n 's/.* sum //p' out)
within "at once" $((2 * GIB)) $((3 * GIB)) "$(json summary .totals.peak_bytes)"

story --preset seed001 -- "$victims/story" groups
same "what came of it" "items 10337 groups 444 sum $sum" "$(sed -n 1p out)"

# Both lines were met, and no more was used than is at the second with the one
# item that came to it: 208 KiB.
line=$((3 * GIB / 2))
within "the highest that the heap stood" $GIB $((line + 262144)) \
    "$(json summary .totals.peak_bytes)"
within "the most that was used" $GIB $((line + 262144)) \
    "$(json summary .work.used_peak)"
same "the budget" $((2 * GIB)) "$(json summary .work.budget)"
same "how it ended" "exited 0" "$(json summary '"\(.end.how) \(.end.status)"')"
same "batches" "1 5" "$(json summary '.ops[0] | "\(.n_least) \(.n_most)"')"
same "items" "10337 0" "$(json summary \
    '.work | "\(.items) \(.items_failed)"')"
clears=$(sed -n 's/^clears //p' out)
within "times that the cache was cleared" 1 20 "$clears"
within "what that has freed" $GIB $((4 * GIB)) \
    "$(json summary .work.cleanup_freed)"

# In the words that people look for.
has()
{
	grep -q "$1" log || fail "not said: $1: $(cat log)"
}
has '\[heaptide\] MEMORY_OPT Memory warning: 1\.0[0-9]GB$'
# At the line, or before, where the machine as a whole is short of memory.
has '\[heaptide\] MEMORY_OPT High memory usage detected: 1[0-5][0-9][0-9]MB of 2048MB\. Running cleanup\.\.\.$'
has 'Forcing memory cleanup\.\.\.$'
has 'Cleanup: [0-9]* objects freed (1[0-5][0-9][0-9]\.[0-9] MB), now 0\.[0-9]*GB$'

# By itself, without heaptide around it, the same.
HEAPTIDE_BUDGET=2G HEAPTIDE_WARN=50% HEAPTIDE_CRITICAL=75% \
    HEAPTIDE_POLICY=seed HEAPTIDE_BATCH_MAX=5 \
    limited 200 "$victims/story" groups >out || fail "alone: status $?"
same "alone" "items 10337 groups 444 sum $sum" "$(sed -n 1p out)"
