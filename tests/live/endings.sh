#!/bin/sh
# endings.sh - however a program ends, its profile is whole and says how
. "${srcdir:-.}/tests/lib.sh"

ulimit -c 0
HELD=60

# ends MODE STATUS HOW NUMBER: as the shell sees it, as the report does
ends()
{
	under "$stacks" "$victims/endings" "$1" 2>messages
	same "$1: status" "$2" $?
	report profile.tide
	same "$1: end" "$3 $4" "$(json report.json '.end | .how + " " +
		if .how == "signalled" then "\(.signal)"
		else "\(.status)" end')"
	within "$1: blocks held" $HELD $((HELD + 10)) \
	    "$(json report.json .totals.live_blocks)"
	within "$1: requested bytes" 100000 110000 "$(json report.json \
	    '.totals.requested_bytes // 100000')"
	same "$1: exact" true "$(json report.json .exact)"
}

for stacks in none all; do
	ends return 0 exited 0
	ends exit 3 exited 3
	ends quick_exit 5 exited 5
	ends _exit 4 exited 4
	ends abort 134 signalled 6
	ends segfault 139 signalled 11
	ends kill 137 signalled 9
	ends term 143 signalled 15
	ends thread 6 exited 6
	ends last-thread 0 exited 0

	# Two images in one process: the later is the profile, the earlier
	# lies beside it and is as whole.
	ends exec 3 exited 3
	set -- profile.tide.d/*.tide
	same "earlier images" 1 $#
	report "$1"
	same "earlier image: end" exec "$(json report.json .end.how)"
	same "earlier image: blocks" $HELD \
	    "$(json report.json .totals.live_blocks)"
	rm -r profile.tide.d
done
