#!/bin/sh
# killed-at-random.sh - SIGKILL at any moment leaves a readable, true profile
. "${srcdir:-.}/tests/lib.sh"

times=100

# random MOST: a number from 0 to MOST - 1
random()
{
	echo $(($(od -An -N2 -tu2 /dev/urandom) % $1))
}

# start STACKS [calm]: the writer, until all of its threads are there
start()
{
	started_stacks=$1
	shift
	rm -rf truth "$HEAPTIDE_DIR"
	mkfifo said
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_STACKS=$started_stacks \
	    "$victims/killed-writer" truth "$@" >said &
	writer=$!
	read -r word <said
	rm said
	[ "$word" = ready ] || fail "the writer did not start"
}

# finish: the writer, and print what its profile has as live
finish()
{
	kill -KILL "$writer"
	wait "$writer" 2>/dev/null
	set -- "$HEAPTIDE_DIR"/*.tide
	[ $# -eq 1 ] || fail "there are $# profiles instead of one"
	report "$1"
	json report.json '.totals |
		"\(.live_blocks) \(.live_bytes) \(.live_requested_bytes // 0)"'
}

# held STACKS BLOCKS BYTES REQUESTED: less what is the C library's
held()
{
	eval "set -- $* \$base_$1"
	echo $(($2 - $5)) $(($3 - $6)) $(($4 - $7)) |
		if [ "$1" = all ]; then cat; else cut -d ' ' -f 1,2; fi
}

writer=
trap 'status=$?; [ -z "$writer" ] || kill -KILL $writer 2>/dev/null
	cd /; rm -rf "$scratch"; exit $status' EXIT

# What its threads cost the C library is the same each time.
for stacks in none sampled all; do
	start "$stacks" calm
	finish >live || { cat live; exit 1; }
	read -r "base_$stacks" <live
done

n=0
while [ $n -lt $times ]; do
	[ $((n % 2)) -eq 0 ] && stacks=all || stacks=none
	start "$stacks"
	sleep "0.0$(random 10)$(random 10)"
	finish >live || { cat live; exit 1; }
	"$victims/killed-writer" truth $(held "$stacks" $(cat live)) ||
		fail "run $n, --stacks=$stacks: $(json report.json .lost)"
	n=$((n + 1))
done
