#!/bin/sh
# run-transparent.sh - a program finds everything as it would without us
. "${srcdir:-.}/tests/lib.sh"
need perl

# --- its end -----------------------------------------------------------------

for status in 0 1 3 75 125 126 127 128 255; do
	under all sh -c "exit $status"
	same "exit status" "$status" "$?"
done

# $? of a shell cannot tell 143 from signal 15; wait() can.
for signal in 1 2 3 6 9 11 13 14 15 31; do
	killed=$(perl -e 'open STDERR, ">", "/dev/null"; system @ARGV;
	    print $? & 127' -- "$HEAPTIDE" run -q -o profile.tide -- \
	    perl -e "\$SIG{$signal} = 'DEFAULT'; kill $signal, \$\$; sleep 9")
	same "signal" "$signal" "$killed"
done
[ ! -e core ] || fail "the supervisor left a core"

# --- what it is given --------------------------------------------------------

# Sigblk, ignored and caught signals; process group; session; descriptors
state='grep -E "^(Sig|NSsid|NSpgid)[A-Z]?[a-z]*:" /proc/self/status |
    grep -v -e SigQ -e SigPnd
    ls /proc/self/fd; umask; ulimit -a; pwd; echo "$0"'

for before in ':' 'trap "" HUP INT CHLD USR1' 'exec <&-' 'exec 5</dev/null' \
	'exec 2>&-; exec 6</dev/null'; do
	(eval "$before"; sh -c "$state") >plain 2>/dev/null
	(eval "$before"; "$HEAPTIDE" run -q --stacks none -o profile.tide -- \
	    sh -c "$state") >under 2>/dev/null
	grep -v pgid plain >plain.1
	grep -v pgid under >under.1
	diff plain.1 under.1 || fail "after '$before' it finds things changed"
done

group='print getpgrp()'
same "process group" "$(perl -e 'print getpgrp()')" \
	"$("$HEAPTIDE" run -q -o profile.tide -- perl -e "$group")"

# An alarm set before exec rings in the program, not in us; blocked until that
# has a handler, however long it takes to begin.
cat >alarm.pl <<'PL'
use POSIX;
my $alarm = POSIX::SigSet->new(SIGALRM);
if (@ARGV) {
	sigprocmask(SIG_BLOCK, $alarm);
	alarm 1;
	exec @ARGV;
}
$SIG{ALRM} = sub { print "rang"; exit };
sigprocmask(SIG_UNBLOCK, $alarm);
sleep 5;
PL
rang=$(perl alarm.pl "$HEAPTIDE" run -q -o profile.tide -- perl alarm.pl)
same "alarm" rang "$rang"

# The environment gains ours and loses nothing.
env | sort >plain
"$HEAPTIDE" run -q -o profile.tide -- env | sort >under
comm -23 plain under >lost
comm -13 plain under | grep -v -e ^HEAPTIDE_ -e ^LD_PRELOAD= \
	-e ^MEMORY_PRESSURE_WATCH= >gained
grep -v '^_=' lost && fail "variables are lost"
grep -v '^_=' gained && fail "variables are gained"

# --- its pipes ---------------------------------------------------------------

same "input to output" hello \
	"$(echo hello | "$HEAPTIDE" run -q -o profile.tide -- cat)"

# A reader sees the end when the program closes its output, not when we end.
"$HEAPTIDE" run -q -o profile.tide -- \
	sh -c 'exec >&-; while [ ! -e done ]; do sleep 0.05; done' |
	{ cat; echo end >seen; touch done; }
same "end of the pipe" end "$(cat seen)"
