#!/bin/sh
# budget-chaos.sh - whatever budget a program is given while it runs, whatever
# pressure is pretended, stopped and continued: it gets on, and comes to its end
# or says why not
#
# CHAOS_SECONDS=600 for longer, CHAOS_SEED=N for the same again.
. "${srcdir:-.}/tests/lib.sh"
need jq awk

seconds=${CHAOS_SECONDS:-6}
seed=${CHAOS_SEED:-$(date +%s)}

pid_of_run()
{
	set -- "$HEAPTIDE_DIR"/*.tide
	[ -e "$1" ] && pid=${1##*/} && pid=${pid%%.*} &&
		"$HEAPTIDE" ctl "$pid" budget >/dev/null
}

ctl()
{
	# It may have come to its end meanwhile.
	limited 60 "$HEAPTIDE" ctl "$pid" "$@" >said 2>&1 || kill -0 "$pid" \
		2>/dev/null && [ -s said ] || return 0
}

# --- a budget that is set reaches the program --------------------------------

cat >asks.c <<'END'
#include <heaptide.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
reached(uint64_t bytes)
{
	while (tide_budget() != bytes && !tide_should_stop()) {
		usleep(10000);
		tide_poll(0);
	}
	printf("%llu\n", (unsigned long long)tide_budget());
	fflush(stdout);
}

int
main(void)
{
	reached(UINT64_C(200) << 20);
	reached(UINT64_C(50) << 20);
	reached(UINT64_C(100) << 20);
	tide_budget_set(UINT64_C(70) << 20);
	reached(UINT64_C(70) << 20);
	reached(UINT64_C(60) << 20);
	return 0;
}
END
${CC:-cc} -I"$srcdir/include" -o asks asks.c || fail "not built"
"$HEAPTIDE" run -q --summary off --budget 200M -o asks.tide -- ./asks >asked \
	</dev/null &
ours=$!
started="$started $ours"
await pid_of_run
lines()
{
	[ "$(wc -l <asked)" -eq "$1" ]
}
# As at the start, lower, higher than at the start it was, and below its own.
await lines 1
ctl budget 50M
await lines 2
ctl budget 100M
await lines 4
ctl budget 60M
wait $ours
same "status of who asks" 0 $?
same "budgets that it saw" "209715200 52428800 104857600 73400320 62914560 " \
    "$(tr '\n' ' ' <asked)"

# --- chaos -------------------------------------------------------------------

# One action a line, from the seed: what it takes is told if it fails.
awk -v seed="$seed" -v n=$((seconds * 5)) 'BEGIN {
	srand(seed)
	split("ok warning critical exhausted off", level, " ")
	for (i = 0; i < n; i++) {
		r = rand()
		if (r < 0.45)
			print "budget", int(4 + rand() * rand() * 200) "M"
		else if (r < 0.55)
			print "budget off"
		else if (r < 0.75)
			print "pressure", level[1 + int(rand() * 5)]
		else if (r < 0.85)
			print "cleanup critical"
		else
			print "stop"
	}
}' >actions

# survives THREADS STACKS: until its end, whatever is done to it
survives()
{
	rm -f "$HEAPTIDE_DIR"/*.tide ended
	(
	"$HEAPTIDE" run -q --summary off --budget 32M --stacks "$2" \
	    -o chaos.tide -- "$victims/budget-chaos" "$1" "$seconds" >chaos.out \
	    2>chaos.err </dev/null
	echo $? >ended.new
	mv ended.new ended
	) &
	await pid_of_run
	runner=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
	started="$started $pid $runner"
	while read -r what more; do
		[ ! -e ended ] || break
		case $what in
		stop)
			kill -STOP "$pid" 2>/dev/null
			# Who runs it stops with it, as soon as it hears of it.
			tries=0
			until grep -q '^State:.*[TZ]' "/proc/$runner/status" \
			    2>/dev/null || [ -e ended ] || [ $tries -ge 100 ]; do
				tries=$((tries + 1))
				sleep 0.05
			done
			kill -CONT "$runner" "$pid" 2>/dev/null
			;;
		*) ctl "$what" $more ;;
		esac
		sleep 0.1
	done <actions
	# Whatever was last: it may go on, and has its own time to come to an
	# end: that of a stall, 10 s, for each of few waits at a time.
	before=$(tail -n 1 chaos.out)
	tries=0
	while [ ! -e ended ]; do
		tries=$((tries + 1))
		now=$(tail -n 1 chaos.out)
		[ "$now" = "$before" ] || tries=0
		before=$now
		[ $tries -lt 1200 ] || fail "threads $1, CHAOS_SEED=$seed: no" \
		    "progress for two minutes, after $(tail -n 3 chaos.out):" \
		    "$(cat actions)"
		sleep 0.1
	done
	wait
	status=$(cat ended)
	last=$(tail -n 1 chaos.out)
	case "$status $last" in
	"0 done "[1-9]*) ;;
	"75 stopped "*": no memory, 4") ;;
	"75 stopped "*": should stop, "[1-9]*) ;;
	*)
		fail "threads $1, CHAOS_SEED=$seed: status $status:" \
		    "$(tail -n 3 chaos.out chaos.err)"
		;;
	esac
	echo "threads $1: $last"
}

survives 1 none
survives 4 sampled
survives 12 all
