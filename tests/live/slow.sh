#!/bin/sh
# slow.sh - who allocates little is asked all the same, at its next allocation
. "${srcdir:-.}/tests/lib.sh"
need jq

# Of one that needs minutes for the bytes after which threads look by
# themselves, whatever the dial says.
pid_of()
{
	pid=$("$HEAPTIDE" ps --json | jq -r '[.processes[] |
	    select(.command | test("slow")) | .pid][0] // empty') &&
		[ -n "$pid" ]
}

stacks_are()
{
	"$HEAPTIDE" ctl "$pid" stacks | jq -e ".stacks == \"$1\""
}

trimmed()
{
	"$HEAPTIDE" ctl "$pid" trim last |
		jq -e '.trims_done == .trims_wanted and .trims_wanted > 0'
}

for stacks in none sampled all; do
	rm -f enough
	limited 400 "$HEAPTIDE" run --stacks $stacks -q -o slow.tide -- \
	    "$victims/slow" enough >out 2>err &
	run=$!
	await pid_of
	[ $stacks != all ] || {
		limited 60 "$HEAPTIDE" leaks --scan "$pid" >text 2>&1 ||
			fail "$stacks: no scan: $(cat text)"
	}
	"$HEAPTIDE" ctl "$pid" trim >answer.json ||
		fail "$stacks: $(cat answer.json)"
	await trimmed
	for next in sampled none all none; do
		[ $next != $stacks ] || continue
		"$HEAPTIDE" ctl "$pid" stacks $next >answer.json ||
			fail "$stacks: $(cat answer.json)"
		await stacks_are $next
	done
	touch enough
	wait $run || fail "$stacks: status $?: $(cat err)"
	same "$stacks" done "$(cat out)"
	rm -rf "$HEAPTIDE_DIR"
done
