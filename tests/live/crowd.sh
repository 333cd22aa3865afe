#!/bin/sh
# crowd.sh - a table that is full harms nobody, and is counted and said: no
# figure is called exact any more, and the totals still are
. "${srcdir:-.}/tests/lib.sh"
need jq

# crowded MODE LOSS...: those tables, and no other, overflow
crowded()
{
	mode=$1
	shift
	plain_and_under "$stacks" "$victims/crowd" "$mode"
	report profile.tide
	same "$mode: what was lost" "$*" "$(json report.json '[.lost |
		to_entries[] | select(.value != 0 and
		(.key | IN("early", "truncated") | not)) | .key] | join(" ")')"
	[ $# -eq 0 ] && exact=true || exact=false
	same "$mode: exact" $exact "$(json report.json .exact)"
	limited 60 "$HEAPTIDE" report profile.tide >text ||
		fail "$mode: no report"
	[ $# -eq 0 ] || grep -qi 'not exact\|inexact\|exact: no' text ||
		fail "$mode: not said: $(head -n 20 text)"
}

# totals_hold [BASELINE]: by the victim's account
totals_hold()
{
	while read -r name value; do
		found=$(json report.json ".totals.$name")
		[ "$found" != null ] || continue # without stacks: not known
		[ $# -eq 0 ] || found=$((found - $(json "$1" ".totals.$name")))
		same "$mode, --stacks=$stacks: $name" "$value" "$found"
	done <under.out
}

sums_hold()
{
	same "$mode: sums over the sites less the totals" "0 0 0" \
	    "$(json report.json '.totals as $t |
		"\(([.sites[].allocations] | add) - $t.allocations) " +
		"\(([.sites[].frees] | add) - $t.frees) " +
		"\(([.sites[].live_bytes] | add) - $t.live_bytes)"')"
}

# Threads without a row of their own share one, and lose nothing in it.  What
# libc has for each is taken off: it is what idle threads have.
crowd_of_threads()
{
	crowded idle
	mv report.json idle.json
	crowded threads threads
	totals_hold idle.json
}

stacks=none
crowded paths
totals_hold
crowd_of_threads
crowded mappings mappings

stacks=all
crowded paths sites
totals_hold
sums_hold
# All that was lumped together is where it says so.
same "lumped" "$(json report.json .lost.sites)" "$(json report.json \
    '[.sites[] | select(any(.stack[].function; test("table"))) |
    .allocations] | add')"
crowd_of_threads
sums_hold
crowded mappings mappings
