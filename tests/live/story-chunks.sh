#!/bin/sh
# story-chunks.sh - 1,000 pages in chunks of 50: what went up to 1,500 MB stays
# between 50 and 100 MB however far it is, and comes to the same
. "${srcdir:-.}/tests/lib.sh"
need jq

MIB=$((1024 * 1024))
available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
[ "$available" -ge $((3 * 1024 * 1024)) ] ||
	skip "less than 3 GiB are available"

# story OPTION... -- ARGUMENT...: out, what was told, and summary as JSON
story()
{
	limited 200 "$HEAPTIDE" run --stacks none --summary json \
	    -o "$scratch/s.tide" "$@" >out 2>err ||
		fail "$*: status $?: $(cat err)"
	sed -n '/^{/,$p' err >summary
	sed '/^{/,$d' err >told
}

story -- "$victims/story" chunks all
sum=$(sed -n 's/.* sum //p' out)
within "at once" $((1500 * MIB)) $((1700 * MIB)) \
    "$(json summary .totals.peak_bytes)"

HEAPTIDE_PROGRESS_UNIT=page HEAPTIDE_RECLAIM_BETWEEN=always \
    story --preset starter --progress lines -- "$victims/story" chunks
same "what came of it" "items 1000 groups 20 sum $sum" "$(cat out)"
within "the highest that the heap stood" $((50 * MIB)) $((100 * MIB)) \
    "$(json summary .totals.peak_bytes)"
within "the most that was used" $((50 * MIB)) $((100 * MIB)) \
    "$(json summary .work.used_peak)"
same "how it ended" "exited 0" "$(json summary '"\(.end.how) \(.end.status)"')"
same "batches" "20 50 50" "$(json summary '.ops[0] |
	"\(.batches) \(.n_least) \(.n_most)"')"
# Nothing is left behind by a chunk.
same "growth from chunk to chunk" true "$(json summary \
    '.work.slope | .low <= 0 and .high >= 0 and .points >= 10')"

# --- in the words that people know -------------------------------------------

chunk=1
while [ $chunk -le 20 ]; do
	last=$((chunk * 50))
	for line in \
	    "--- PROCESSING CHUNK $chunk/20 (pages $((last - 49))-$last) ---" \
	    "Processing 50 pages in chunk $chunk" \
	    "Progress: $chunk/20 chunks completed ($((chunk * 5)).0%)"; do
		grep -Fqx -e "$line" told || fail "not told: $line"
	done
	grep -qx "Chunk $chunk completed in [0-9]*\.[0-9]s" told ||
		fail "not told: the end of chunk $chunk"
	grep -q "^Memory after chunk $chunk: [0-9.]* MB (change: [+-][0-9.]* MB)" \
	    told || fail "not told: memory after chunk $chunk"
	chunk=$((chunk + 1))
done
same "the first lines" "Using memory-efficient processing (chunks of 50)
Initial memory usage" "$(sed -n -e 1p -e '2s/:.*//p' told)"
same "cleanups between them" "19 19" \
    "$(grep -cx 'Running cleanup between chunks\.\.\.' told) $(grep -cx \
	'Cleanup freed: [0-9]*\.[0-9] MB' told)"
same "times" "20 19" "$(grep -cx 'Elapsed: 0h [0-9]*m' told) $(grep -cx \
    'ETA: 0h [0-9]*m' told)"

# --- stopped early ------------------------------------------------------------

# It is asked to end in the middle, and what it has done is whole.
HEAPTIDE_BUDGET=1G limited 100 "$victims/story" chunks >alone ||
	fail "alone: status $?"
same "alone" "items 1000 groups 20 sum $sum" "$(cat alone)"
