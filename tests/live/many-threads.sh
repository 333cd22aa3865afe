#!/bin/sh
# many-threads.sh - ten thousand threads in a row and two thousand at once, of
# libc's making or raw ones, are counted exactly, in memory that is bounded
. "${srcdir:-.}/tests/lib.sh"

threads=$victims/many-threads

# run MODE THREADS [idle]: the account and the report
run()
{
	under "$stacks" "$threads" "$@" >account
	same "--stacks=$stacks, $*: status" 0 $?
	report profile.tide
}

# counted MODE THREADS: exactly, the C library's share taken off; alone it does
# the same, but for what the allocator's own places make of a size
counted()
{
	run "$@" idle
	mv report.json idle.json
	run "$@"
	totals_match account idle.json
	limited 300 "$threads" "$@" >plain
	same "$*: status" 0 $?
	same "--stacks=$stacks, $*" "$(grep -v bytes plain)" \
	    "$(grep -v bytes account)"
}

rows()
{
	json report.json '.threads | length'
}

own()
{
	json report.json .rss.terms.heaptide
}

for stacks in none sampled all; do
	counted in-a-row 100
	few_rows=$(rows)
	few_own=$(own)
	counted in-a-row 10000
	within "--stacks=$stacks: rows" 1 $((few_rows + 4)) "$(rows)"
	# To a few pages: where the blocks lie is not the same each time; and
	# the first two pages each of the time series' tables, which begin with
	# the 2nd second, and of the five of what sites held, with the 2nd
	# quarter of one.
	within "--stacks=$stacks: own memory" 1 \
	    $((few_own + 32768 + 7 * 8192)) "$(own)"

	counted at-once 2000
	within "--stacks=$stacks: rows" 2000 2010 "$(rows)"

	# Without a word to say that they end; 77: not on this CPU.
	limited 60 "$threads" raw 1 idle >plain || [ $? -eq 77 ] || fail "raw"
	[ ! -s plain ] || {
		counted raw 2000
		within "--stacks=$stacks, raw: rows" 1 40 "$(rows)"
	}
	counted guests 500
	within "--stacks=$stacks, guests: rows" 1 1 "$(rows)"
	counted processes 500
	within "--stacks=$stacks, processes: rows" 1 1 "$(rows)"
	counted vfork 500
	within "--stacks=$stacks, vfork: rows" 1 20 "$(rows)"
done
