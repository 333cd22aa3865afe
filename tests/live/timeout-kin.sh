#!/bin/sh
# timeout-kin.sh - what takes too long ends with all that it has started; what
# has left its session, as a daemon does, stays, and so does what was in time
. "${srcdir:-.}/tests/lib.sh"

# Its first thread leaves, and looks like a zombie; another one stays, and says
# its number.
cat >headless.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *
stay(void *unused)
{
	FILE *f = fopen("headless", "w");

	if (f != NULL) {
		fprintf(f, "%ld\n", syscall(SYS_gettid));
		fclose(f);
	}
	for (;;)
		sleep(1000);
	return unused;
}

int
main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay, NULL) != 0)
		return 1;
	pthread_exit(NULL);
}
C
${CC:-cc} -pthread -o headless-program headless.c || fail "cannot compile"

# Told to end it starts others, who would not be known by their environment.
cat >begetter.pl <<'PL'
$SIG{TERM} = sub {
	for (1 .. 20) {
		select undef, undef, undef, 0.02;
		next if fork;
		%ENV = ();
		$SIG{TERM} = "IGNORE";
		open F, ">", "late.$$";
		print F "$$\n";
		close F;
		exec "/bin/sleep", "1000";
	}
};
open F, ">", "begetter";
print F "$$\n";
close F;
sleep 1 while 1;
PL

# As a job control shell has them: in groups of their own.
cat >started.sh <<'EOS'
sleep 1000 & echo $! >child
(sleep 1000 & echo $! >orphan)
perl -e 'setpgrp; open(F, ">", "group"); print F "$$\n"; close F; sleep 1000' &
perl -e '$SIG{TERM} = "IGNORE"; open(F, ">", "stubborn"); print F "$$\n";
	close F; sleep 1 while 1' &
perl -e '$SIG{TERM} = "IGNORE"; $x = "x" x 600e6; open(F, ">", "large");
	print F "$$\n"; close F; sleep 1 while 1' &
perl -e 'use POSIX; exit if fork; POSIX::setsid; open(F, ">", "daemon");
	print F "$$\n"; close F; sleep 1000' &
(sh -c 'perl -e '\''$SIG{TERM} = "IGNORE"; open(F, ">", "lost");
	print F "$$\n"; close F; sleep 1 while 1'\'' &')
./headless-program &
perl begetter.pl &
wait
EOS
all="child orphan group stubborn large daemon lost headless begetter"

# stays PID: it runs, and will; SIGKILL waits for who hangs in a disk
stays()
{
	is_ours "$1" || return
	! grep -q '^State:.D' "/proc/$1/status" ||
		! grep -q '^S[a-z]*Pnd:.*[13579bdf]..$' "/proc/$1/status"
}
# ended COMMAND...: with --timeout behind its second word.  All have to begin
# before that, so where it was too short it is done again with a longer one.
ended()
{
	ours=$1 what=$2
	shift 2
	for seconds in 5s 15s 45s; do
		rm -f $all late.*
		limited 100 "$ours" $what --timeout $seconds "$@" >out 2>&1
		status=$?
		started="$started $(cat $all late.* 2>/dev/null | tr '\n' ' ')"
		missing=
		for one in $all; do
			[ -s $one ] || missing="$missing $one"
		done
		[ -n "$missing" ] || return "$status"
		end_started
	done
	fail "never began:$missing"
}
# judge WHO: who is left is the daemon
judge()
{
	pid=$(cat daemon)
	is_ours "$pid" || fail "$1: the daemon is gone"
	kill -KILL "$pid"
	left=
	for one in $all late.*; do
		[ $one != daemon ] && [ -s $one ] || continue
		pid=$(cat $one)
		! stays "$pid" || left="$left
$one: $(tr '\0' ' ' <"/proc/$pid/cmdline") $(cat "/proc/$pid/stat")"
	done
	[ -z "$left" ] || fail "$1: still there are$left"
	rm -f $all late.*
}

# --- heaptide run -------------------------------------------------------------

# with_run [OPTION...]
with_run()
{
	ended "$HEAPTIDE" run -q --summary off --grace 500ms "$@" -o a.tide \
		-- sh started.sh
	same "its status" 124 $?
	judge "run $*"
}
with_batch()
{
	rm -f child
	ended "$HEAPTIDE" batch -q --summary off -- sh {} ::: started.sh
	same "a job failed" 1 $?
	judge "batch"
}

# Once more where the session's leader is in another pid namespace, as a
# container's can be: then its number is 0.
if [ -n "$WITHIN" ]; then
	same "the session" 0 "$(cut -d' ' -f6 /proc/self/stat)"
	with_run
	with_batch
	exit 0
fi
if unshare -pf --mount-proc true 2>/dev/null; then
	WITHIN=1 srcdir=$srcdir builddir=$builddir limited 240 unshare -pf \
		--mount-proc sh "$srcdir/tests/live/timeout-kin.sh" \
		>within 2>&1 ||
		fail "in a session of number 0: $(cat within)"
else
	without "no pid namespaces here"
fi

with_run
with_run --retries 2 --retry-delay 1s
# Not a profile to be had: it is the same.
export HEAPTIDE_LIBRARY=/nowhere
ended "$HEAPTIDE" run -q --grace 500ms -- sh started.sh
same "its status" 124 $?
judge "run without a library"
unset HEAPTIDE_LIBRARY

# One that takes its work in batches is told so, and by no signal: it goes by
# itself, before there was one to be sent to whom it has started.
cat >told.sh <<'EOS'
sleep 1000 & echo $! >child
(sleep 12; : >go) &
SURVIVOR="stay 50" exec "$0" 200 out
EOS
HEAPTIDE_BATCH_FIXED=16 HEAPTIDE_CHECKPOINT_EVERY=1 limited 100 "$HEAPTIDE" \
	run -q --summary off --timeout 6s --grace 50s -o a.tide -- \
	sh -c '. ./told.sh' "$victims/survivor" >told 2>&1
same "one that is told: its status" 124 $?
[ -s out ] || fail "it did nothing: $(cat told)"
started="$started $(cat child)"
! is_ours "$(cat child)" || fail "who was told goes, and leaves its child"

# What ends by itself leaves what it started, as by hand.
limited 20 "$HEAPTIDE" run -q --summary off --timeout 10s -o a.tide -- \
	sh -c 'sleep 1000 & echo $! >child' || fail "status $?"
started="$started $(cat child)"
is_ours "$(cat child)" || fail "what a program leaves behind is gone"
kill -KILL "$(cat child)"

# --- heaptide batch -----------------------------------------------------------

with_batch
limited 20 "$HEAPTIDE" batch -q --summary off --timeout 10s -- \
	sh -c 'sleep 1000 >/dev/null 2>&1 & echo $! >{}' ::: child || fail "$?"
started="$started $(cat child)"
is_ours "$(cat child)" || fail "what a job leaves behind is gone"
kill -KILL "$(cat child)"
