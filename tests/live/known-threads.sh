#!/bin/sh
# known-threads.sh - what many threads do is counted to the byte, whoever frees
. "${srcdir:-.}/tests/lib.sh"

# known MODE [idle]: its account and report
known()
{
	under "$stacks" "$victims/known-threads" "$@" >account ||
		fail "$*: status $?"
	report profile.tide
}

for stacks in none sampled all; do
	for mode in apart handed-over brief; do
		known "$mode" idle
		mv report.json idle.json
		known "$mode"
		grep -v ^peak account >sums
		totals_match sums idle.json
	done

	# The peak of several threads has a bound, and it is kept.
	known apart idle
	idle=$(json report.json .totals.peak_bytes)
	known apart
	peak=$(sed -n 's/^peak_bytes //p' account)
	error=$(json report.json .totals.peak_error_bytes)
	within "--stacks=$stacks: error" 1 1000000 "$error"
	within "--stacks=$stacks: peak" $((peak - error)) \
	    $((peak + idle + error)) "$(json report.json .totals.peak_bytes)"
done

# A thousand threads one after another need one row, not a thousand.
known brief
within "rows" 1 20 "$(json report.json '.threads | length')"
