#!/bin/sh
# budget-chaos.sh - whatever budget a program is given while it runs, whatever
# pressure is pretended, stopped and continued, and though those that it shares
# a pool with are stopped, and killed while they hold a lease: it gets on, and
# comes to its end or says why not
#
# CHAOS_SECONDS=600 for longer, each of CHAOS_RUNS="12:all 4:none", threads and
# stacks; CHAOS_SEED=N for the same again.
. "${srcdir:-.}/tests/lib.sh"
need jq awk

seconds=${CHAOS_SECONDS:-6}
seed=${CHAOS_SEED:-$(date +%s)}

pid_of_run()
{
	set -- "$HEAPTIDE_DIR"/*.tide
	[ -e "$1" ] && pid=${1##*/} && pid=${pid%%[.-]*} &&
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
		else if (r < 0.80)
			print "cleanup critical"
		else if (r < 0.88)
			print "stop"
		else if (r < 0.96)
			print "kill", int(rand() * 3)
		else
			print "freeze", int(rand() * 3)
	}
}' >actions

# --- those that it shares with -----------------------------------------------

# companion N: three of them, with no library inside; each in its turn
companion()
{
	(
	cd / && exec env HEAPTIDE_POOL=chaos HEAPTIDE_BUDGET=64M \
	    "$victims/budget-chaos" 2 3600 >/dev/null 2>&1 </dev/null 3<&-
	) &
	eval "companion_$1=$!"
	note_started
}

# Those that are there now; the numbers of others may be somebody's.
note_started()
{
	started="$own $companion_0 $companion_1 $companion_2"
}

# What all its members hold, once it is stopped.
lease_of()
{
	limited 60 "$HEAPTIDE" pool status chaos --json >pool.json 2>/dev/null &&
		jq "[.pools[0].members[] | select(.pid == $1) | .lease] |
			add // 0" pool.json
}

# kill_holder N: with a lease in its hands, if it has one within some looks
kill_holder()
{
	eval "victim=\$companion_$1"
	tries=0 held=0
	while [ $tries -lt 20 ] && kill -STOP "$victim" 2>/dev/null; do
		held=$(lease_of "$victim")
		[ "${held:-0}" -eq 0 ] || break
		kill -CONT "$victim"
		tries=$((tries + 1))
		sleep 0.02
	done
	[ "${held:-0}" -eq 0 ] || killed=$((killed + 1))
	kill -KILL "$victim" 2>/dev/null
	wait "$victim" 2>/dev/null
	companion "$1"
}

# freeze N: it keeps what it has; the others get on by what is left
freeze()
{
	eval "victim=\$companion_$1"
	kill -STOP "$victim" 2>/dev/null && sleep 0.5
	kill -CONT "$victim" 2>/dev/null
}

# survives THREADS STACKS SECONDS: until its end, whatever is done to it, by
# the actions that descriptor 3 has
survives()
{
	rm -f "$HEAPTIDE_DIR"/*.tide ended
	began=$(date +%s)
	(
	HEAPTIDE_POOL=chaos "$HEAPTIDE" run -q --summary off --budget 32M --stacks "$2" \
	    -o chaos.tide -- "$victims/budget-chaos" "$1" "$3" >chaos.out \
	    2>chaos.err </dev/null 3<&-
	echo $? >ended.new
	mv ended.new ended
	) &
	await pid_of_run
	runner=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
	own="$pid $runner"
	note_started
	while [ ! -e ended ] && read -r what more <&3; do
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
		kill) kill_holder "$more" ;;
		freeze) freeze "$more" ;;
		*) ctl "$what" $more ;;
		esac
		sleep 0.1
	done
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
	# A stall lasts ten seconds, and what follows has as long; on a busy
	# machine three times that is no deadlock yet.
	longest=$(sed -n 's/^longest //p' chaos.out)
	[ "$longest" -le 600 ] || fail "threads $1, CHAOS_SEED=$seed:" \
	    "$longest tenths of a second without progress: $(cat actions)"
	echo "threads $1: $last, in $(($(date +%s) - began)) s;" \
	    "$longest tenths without progress"
}

# Who is told to stop, as pressure is pretended for longer than a stall, is
# started anew until the time is over.
killed=0 own='' companion_0='' companion_1='' companion_2=''
"$HEAPTIDE" pool start chaos --budget 96M --cores 4 >said 2>&1 ||
	fail "pool start: $(cat said)"
for i in 0 1 2; do
	companion $i
done
for run in ${CHAOS_RUNS:-1:none 4:sampled 12:all}; do
	exec 3<actions
	end=$(($(date +%s) + seconds))
	while left=$((end - $(date +%s))) && [ "$left" -gt 0 ]; do
		survives "${run%:*}" "${run#*:}" "$left"
	done
	exec 3<&-
done
own=
note_started

# --- what the dead held is back -----------------------------------------------

[ "$killed" -gt 0 ] || kill_holder 0
[ "$killed" -gt 0 ] || fail "nobody was killed who held a lease"
for i in 0 1 2; do
	eval "kill -KILL \$companion_$i"
done
wait
# Who waits for it takes it back: of 86 MiB that a program may fill nearly all.
HEAPTIDE_POOL=chaos limited 100 "$victims/reserver" 80 \
    90000 </dev/null >came || fail "nothing comes back: $?"
same "what the dead held" "got 80, lease 80" "$(head -n 1 came)"
echo "killed with a lease: $killed"
"$HEAPTIDE" pool stop chaos >said || fail "pool stop: $?"
