#!/bin/sh
# address-reuse.sh - what one thread frees is another's at once, and no block
# is counted twice, or not at all, or for the wrong call
. "${srcdir:-.}/tests/lib.sh"
need jq

# What is known of each call, from report.json, as the victim writes it.
calls()
{
	jq -r '[.sites[] | . as $s | [.stack[].function // empty |
	    select(test("^(take|align|grow)_[0-9]$"))][0] | select(. != null) |
	    { name: ., s: $s }] | group_by(.name)[] |
	    "\(.[0].name) \([.[].s.allocations] | add) " +
	    "\([.[].s.frees] | add) \([.[].s.live_bytes] | add) " +
	    "\([.[].s.live_requested_bytes] | add)"' report.json | sort
}

# truth_is ROUND: the victim's account of it, call by call
truth_is()
{
	sort "account.$1" >expected
	calls >found
	cmp -s expected found || {
		diff expected found
		fail "round $1: calls with other figures"
	}
	adds_up
	same "round $1: lost" "" "$(json report.json '.lost | to_entries[] |
		select(.value != 0 and .key != "early") | .key')"
}

# While it stands still, and at its end.
stands_up()
{
	mkfifo go said
	under all "$victims/reuse" 4 account <go >said 2>err &
	running=$!
	exec 4>go 5<said
	for round in 0 1 2 3; do
		read -r word _ <&5 && [ "$word" = quiet ] ||
			fail "it ended before round $round: $(cat err)"
		segment=$(echo "$HEAPTIDE_DIR"/*.tide)
		report "$segment"
		truth_is $round
		echo >&4
	done
	exec 4>&- 5<&-
	wait $running || fail "status $?: $(cat err)"
	rm go said
	report profile.tide
	truth_is 3
}

# glibc's blocks go from hand to hand only without its threads' caches.
for tunables in glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1 ''; do
	GLIBC_TUNABLES=$tunables
	export GLIBC_TUNABLES
	stands_up

	for stacks in none sampled all; do
		under "$stacks" "$victims/reuse" 1 idle >out </dev/null
		report profile.tide
		mv report.json idle.json
		plain_and_under "$stacks" "$victims/reuse" 3 account
		report profile.tide
		totals_match account.totals idle.json
	done
	truth_is 2
done
