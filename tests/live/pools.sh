#!/bin/sh
# pools.sh - a program that says what its own pools hand out has it reported, by
# name and call path, beside the heap's totals; without heaptide it runs the same
. "${srcdir:-.}/tests/lib.sh"

# pool NAME: "blocks bytes allocations peak" of report.json
pool()
{
	json report.json ".pools[] | select(.name == \"$1\") |
	    \"\(.live_blocks) \(.live_bytes) \(.allocations) \(.peak_bytes)\""
}

# sites NAME: a line for each path, "blocks bytes leaf < caller"
sites()
{
	json report.json "[.pool_sites[] | select(.pool == \"$1\") |
	    \"\(.live_blocks) \(.live_bytes) \([.stack[].function |
	    select(. != \"tide_pool_alloc\")][:3] | join(\" < \"))\"] |
	    sort | .[]"
}

# What comes of a pool is no part of the heap: the sums still match.
unharmed "$victims/pools" count
unharmed "$victims/pools" odd
unharmed "$victims/pools" threads
[ "$plain_status" -eq 0 ] || fail "status $plain_status"
limited 60 "$HEAPTIDE" report --verify profile.tide || fail "it contradicts"
same "of four threads" "4000 40000 400000 200000" "$(pool shared)"
same "its sites" "4000 40000 [pool shared] < work < start_thread" \
    "$(sites shared)"

for stacks in none sampled all; do
	under $stacks "$victims/pools" count >/dev/null || fail "status $?"
	report profile.tide
	same "first" "100 4800 1100 4848" "$(pool first)"
	same "second" "7 336 7 336" "$(pool second)"
	same "gone" "0 0 500 24000" "$(pool gone)"
	[ $stacks != all ] || continue
	same "sites of the first" "100 4800 [pool first]" "$(sites first)"
done
same "sites of the first" "0 0 [pool first] < cells_take < use_some
100 4800 [pool first] < cells_take < keep_some" "$(sites first)"

under all "$victims/pools" odd >/dev/null || fail "status $?"
report profile.tide
same "at odd addresses" "1 2 1001 1001" "$(pool odd)"
same "at the same ones" "1000 3000 1000 3000" "$(pool other)"

# A pool for each of 100,000 requests leaves nothing behind.
under all "$victims/pools" many >/dev/null || fail "status $?"
report profile.tide
same "many" "0 0 200000 127" "$(pool request)"
same "pools of that name" 100000 \
    "$(json report.json '.pools[] | select(.name == "request").pools')"
same "those without a name of their own" "78 78 78 78" "$(pool "(others)")"

# In a child, what the parent took is the parent's.
under all "$victims/pools" child >/dev/null || fail "status $?"
report profile.tide
same "of the parent" "10 480 10 480" "$(pool family)"
for child in profile.tide.d/*.tide; do
	report "$child"
	same "of the child" "3 144 3 144" "$(pool family)"
done

# --- a leak inside of a pool -------------------------------------------------

under all "$victims/pools" leak >/dev/null || fail "status $?"
limited 60 "$HEAPTIDE" leaks --json profile.tide >leaks.json ||
	fail "no leaks: status $?"
same "what grows" "requests 2880 leak_one leak
requests 2880 leak_one leak" "$(json leaks.json '.leaks[] |
    select(.verdict == "growing") | "\(.pool) \(.live_bytes) \([.stack[].function |
    select(. != "tide_pool_alloc" and . != "cells_take")][1:3] | join(" "))"')"
limited 60 "$HEAPTIDE" leaks profile.tide >text || fail "no leaks"
grep -q '\[pool requests\] (in a pool)' text || fail "leaks does not say"
limited 60 "$HEAPTIDE" report profile.tide >text || fail "no report"
grep -q '^  requests  *6.1 KiB  *130 ' text || fail "the report does not say"
grep -q '\[pool requests\]' text || fail "the report does not say who"

# Pools are matched by name, in whatever order they are named.
under all "$victims/pools" count >/dev/null || fail "status $?"
mv profile.tide count.tide
under all "$victims/pools" count swapped >/dev/null || fail "status $?"
pools_that_differ()
{
	limited 60 "$HEAPTIDE" diff --json "$1" "$2" >diff.json || fail "no diff"
	json diff.json '[.sites[] | select((.stack[0].function |
	    startswith("[pool ")) and .difference != 0)] | length'
}
same "sites that differ" 0 "$(pools_that_differ count.tide profile.tide)"
under all "$victims/pools" leak >/dev/null || fail "status $?"
same "from another pool" 5 "$(pools_that_differ count.tide profile.tide)"

[ -x "$victims/pools++" ] || {
	without "C++: there is no compiler"
	exit 0
}
plain_and_under all "$victims/pools++"
report profile.tide
same "map" "100 4800 1000 48000" "$(pool map)"
same "gone" "0 0 1 100" "$(pool gone)"
