#!/bin/sh
# run-signals.sh - signals reach the program once, stops and ends reach us
. "${srcdir:-.}/tests/lib.sh"
need perl

# await FILE: until it is there
await()
{
	tries=0
	while [ ! -e "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "no $1 within 20 s"
		sleep 0.05
	done
}

# await_state PID STATE
await_state()
{
	tries=0
	until [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "process $1 is not in state $2"
		sleep 0.05
	done
}

# A program that writes down every signal it gets, until it is told to end.
cat >notes.pl <<'END'
$| = 1;
open $log, ">", "log"; select $log; $| = 1;
for my $s (qw(HUP INT QUIT TERM USR1 USR2 CONT WINCH)) {
	$SIG{$s} = sub { print $log "$s\n" };
}
open my $f, ">", "pid"; print $f $$; close $f;
rename "pid", "ready";
select undef, undef, undef, 0.05 until -e "done";
END

start()
{
	rm -f log ready done
	# A background job of sh ignores INT and QUIT: perl undoes that, and
	# makes a group of its own for the terminal's signals.
	perl -e 'setpgrp; $SIG{INT} = $SIG{QUIT} = "DEFAULT"; exec @ARGV' -- \
		"$HEAPTIDE" run -q -o profile.tide -- perl notes.pl &
	ours=$!
	await ready
	theirs=$(cat ready)
}

finish()
{
	touch done
	wait "$ours"
	same "exit status" 0 $?
}

# --- sent to us alone --------------------------------------------------------

start
for signal in HUP INT QUIT TERM USR1 USR2 WINCH; do
	kill -s $signal "$ours"
	tries=0
	until grep -q $signal log; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || fail "SIG$signal was not passed on"
		sleep 0.05
	done
done
finish
same "each of them once" "HUP INT QUIT TERM USR1 USR2 WINCH" \
	"$(sort -u log | xargs)"
same "how many" 7 "$(wc -l <log)"

# --- sent to all of our group, by one who is in it -----------------------------

# As timeout(1) does it: to the group that it has made, and it guards itself.  We
# come to it when the program has had its own already.
cat >guard.pl <<'END'
setpgrp;
my $pid = fork;
exec @ARGV if !$pid;
select undef, undef, undef, 0.05 until -e "ready";
$SIG{TERM} = "IGNORE";
kill STOP => $pid;
kill TERM => -getpgrp();
for (my $i = 0; $i < 400 && !-s "log"; $i++) {
	select undef, undef, undef, 0.05;
}
kill CONT => $pid;
waitpid $pid, 0;
exit $? >> 8;
END
rm -f log ready done
perl guard.pl "$HEAPTIDE" run -q -o profile.tide -- perl notes.pl &
guard=$!
await ready
ours=$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$(cat ready)/stat")
await log
tries=0
until grep -q TERM log && ! grep '^ShdPnd:.*[4567cdef]...$' \
	"/proc/$ours/status" >/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 400 ] || fail "no TERM within 20 s"
	sleep 0.05
done
sleep 0.5
touch done
wait $guard
same "status below it" 0 $?
same "how often it was told" 1 "$(grep -c TERM log)"

# --- sent by the program to its group ----------------------------------------

rm -f log
"$HEAPTIDE" run -q -o profile.tide -- perl -e 'setpgrp;
	exec @ARGV' -- true || fail "no run"
perl -e 'setpgrp; exec @ARGV' -- "$HEAPTIDE" run -q -o profile.tide -- \
	perl -e 'open L, ">", "log"; $SIG{USR1} = sub { syswrite L, "USR1\n" };
	kill USR1 => -getpgrp(); select undef, undef, undef, 0.2 for 1..3'
same "kill 0 of the program" 1 "$(wc -l <log)"

# --- stop and continue -------------------------------------------------------

start
kill -s STOP "$theirs"
await_state "$ours" T
kill -s CONT "$ours"
await_state "$theirs" S
finish

# Whoever knows the program alone continues it alone, or ends it.
start
for i in 1 2 3; do
	kill -s STOP "$theirs"
	await_state "$ours" T
	kill -s CONT "$theirs"
	await_state "$ours" S
done
finish
start
kill -s STOP "$theirs"
await_state "$ours" T
kill -s KILL "$theirs"
wait "$ours" 2>/dev/null
same "killed while it was stopped" 137 $?

# --- our death ---------------------------------------------------------------

start
kill -s KILL "$ours"
wait "$ours" 2>/dev/null
same "killed" 137 $?
kill -0 "$theirs" || fail "the program died with its supervisor"
touch done
while is_ours "$theirs"; do sleep 0.05; done
ls segments/"$theirs".*.tide >/dev/null || fail "its profile is gone"
