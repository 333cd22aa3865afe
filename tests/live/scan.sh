#!/bin/sh
# scan.sh - of a running program it is found which blocks nobody can reach, to
# the block, whatever holds the others; and the program does not notice
. "${srcdir:-.}/tests/lib.sh"
need jq

is_ready()
{
	grep -q ready out
}

# begin COMMAND...: under $stacks; its pid
begin()
{
	rm -rf enough "$HEAPTIDE_DIR"
	: >out
	limited 600 "$HEAPTIDE" run --stacks "$stacks" --summary off \
	    -o profile.tide -- "$@" >out 2>err &
	job=$!
	await is_ready
	set -- "$HEAPTIDE_DIR"/*.tide
	pid=${1##*/}
	pid=${pid%%[.-]*}
}

end()
{
	touch enough
	wait "$job" || fail "$stacks: status $?: $(cat err)"
}

scan()
{
	limited 60 "$HEAPTIDE" leaks --scan --json "$@" "$pid" >scan.json ||
		fail "$stacks: no scan"
}

# Blocks by the function of the victim that made them, "NAME BLOCKS DIRECT".
by_function()
{
	json scan.json '[.leaks[] | {blocks, direct_blocks, name: ([.stack[
	    ].function | select(test("^(lost|kept|inside)_"))] | last)}] |
	    group_by(.name)[] | "\(.[0].name) \(map(.blocks) | add) \(map(
	    .direct_blocks) | add)"'
}

cat >expected <<'EOF'
lost_aligned 10 10
lost_below_stack 1 1
lost_by_ended 2 2
lost_by_freed 1 1
lost_cycle 5 0
lost_hidden 1 1
lost_large 1 1
lost_list 7 1
lost_plain 10 10
lost_realloc 1 1
lost_tree 15 1
EOF

# --- every block has a record ------------------------------------------------

stacks=all
begin "$victims/reach" enough "$modules/reach-module.so"
# On a busy machine a thread may not come in time to be held.
all_are_held()
{
	scan && [ "$(json scan.json .scan.threads_unseen)" -eq 0 ]
}
await all_are_held
by_function >found
diff expected found >differing ||
	fail "< expected, > found: $(cat differing)"
same "sums" "54 29 25" "$(json scan.json '.scan | "\(.blocks) \(
    .direct_blocks) \(.indirect_blocks)"')"
same "sums over sites" "$(json scan.json .scan.bytes)" \
    "$(json scan.json '[.leaks[].bytes] | add')"
# One of them comes and goes.
live=$("$HEAPTIDE" report --json "$pid" | jq .totals.live_blocks)
within "live blocks" $((live - 1)) $((live + 1)) \
    "$(json scan.json .scan.live_blocks)"
same "unknown heap" 0 "$(json scan.json .scan.unknown_bytes)"
same "held by a variable" "list (reach)" "$(json scan.json '.held[] | select(
    any(.stack[]; .function == "kept_by_list")).through')"
same "without" "" "$(grep without out)"
limited 60 "$HEAPTIDE" leaks --scan "$pid" >text || fail "no text"
grep -q "lost_plain" text || fail "the text names no leak: $(cat text)"
# The dynamic linker as well has pointers to the middle of its blocks alone.
all_are_held_again()
{
	scan --starts && [ "$(json scan.json .scan.threads_unseen)" -eq 0 ]
}
await all_are_held_again
lost=$(json scan.json .scan.blocks)
by_function | grep -v -e ^null -e ^kept_by_library >found
printf 'inside_middle 1 1\n' | sort - expected >starts
diff starts found >differing ||
	fail "--starts: < expected, > found: $(cat differing)"
# A child of its own is never to be seen, and leaves nobody behind.
has_no_child()
{
	[ -z "$(cat "/proc/$pid/task/$pid/children")" ]
}
await has_no_child
end

# What was found stays in the profile.
limited 60 "$HEAPTIDE" leaks --scan --json profile.tide >scan.json ||
	fail "nothing is in the profile"
same "in the profile" "$lost" "$(json scan.json .scan.blocks)"

# Each of them has all that an entry of `leaks` has, there and among the others.
limited 60 "$HEAPTIDE" leaks --json profile.tide >leaks.json || fail "leaks"
for file in scan.json leaks.json; do
	same "entries of $file that have not all" 0 "$(json $file '
		["verdict", "site", "live_bytes", "bytes_per_epoch",
		 "bytes_per_hour", "low", "high", "p", "since", "limit_in",
		 "survivors", "stack"] as $all | [.leaks[] | select($all - keys
		!= [])] | length')"
	same "epochs of $file" number "$(json $file '.epochs | type')"
done

# --- nobody is held -----------------------------------------------------------

# The program has taken the signals that one might be held by for itself: what
# a register alone points to is not found, and that is said.
if [ "$(uname -m)" = x86_64 ]; then
	begin sh -c 'trap "" URG WINCH; exec "$@"' sh "$victims/reach" enough
	scan
	by_function | grep -v ^kept_in_register >found
	same "kept in a register" "kept_in_register 1 1" \
	    "$(by_function | grep kept)"
	diff expected found >differing ||
		fail "not held: < expected, > found: $(cat differing)"
	same "threads of whom that is said" 3 \
	    "$(json scan.json .scan.threads_unseen)"
	end
fi

# --- few have, or none -------------------------------------------------------

for stacks in none sampled; do
	begin "$victims/reach" enough "$modules/reach-module.so"
	await all_are_held
	same "$stacks: sums" "54 29 25" "$(json scan.json '.scan | "\(.blocks
	    ) \(.direct_blocks) \(.indirect_blocks)"')"
	end
done
