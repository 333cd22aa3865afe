#!/bin/sh
# coroutines.sh - stacks made by hand, of swapcontext(), of switches without
# unwind information, copied ones as greenlets', and ones that come and go
. "${srcdir:-.}/tests/lib.sh"

for mode in contexts copies switches moving; do
	case $mode in
	contexts) root='[^ ]*' ;; # of libc, before whatever it is named
	copies) root=start_copied ;;
	*) root=run_switched ;;
	esac
	"$victims/coroutines" $mode >/dev/null
	[ $? -ne 77 ] || continue # hand-written for another CPU
	unharmed "$victims/coroutines" $mode
	same "$mode: what it did" "400 blocks" "$(cat under.out)"
	same "$mode: allocations in coroutines" 400 "$(json report.json '
	    [.sites[] | select(.stack[0].function == "work_in_fiber") |
	    .allocations] | add')"
	# The path within the coroutine is whole.
	same "$mode: other paths" "" "$(json report.json '.sites[] |
	    select(.stack[0].function == "work_in_fiber") |
	    [.stack[].function | select(. != "work_in_fiber")][:2] |
	    join(" ")' | grep -vE "^take_turns $root\$")"
	within "$mode: sites" 4 8 "$(json report.json '[.sites[] |
	    select(.stack[0].function == "work_in_fiber")] | length')"
done
