#!/bin/sh
# supervise-signals.sh - who wants an end gets one, in an attempt and between
# two; and without its supervisor a program comes to its own
. "${srcdir:-.}/tests/lib.sh"
need jq perl python3

survivor=$victims/survivor
export HEAPTIDE_BATCH_FIXED=16 HEAPTIDE_CHECKPOINT_EVERY=1 \
	HEAPTIDE_DELAY_MODE=off HEAPTIDE_RETRY_JITTER=none
limited 60 "$survivor" 200 whole || fail "undisturbed: status $?"

is_there()
{
	[ -e "$1" ]
}
in_state()
{
	[ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = "$2" ]
}
says()
{
	grep -q "$1" err
}
# SIGTERM, bit 14 of the mask, does not wait for it any more.
has_taken()
{
	! grep '^ShdPnd:.*[4567cdef]...$' "/proc/$ours/status"
}
# start COMMAND...: heaptide's pid is $ours, in a group of its own
start()
{
	: >err
	perl -e 'setpgrp; $SIG{INT} = $SIG{QUIT} = "DEFAULT"; exec @ARGV' -- \
		"$HEAPTIDE" run -o p.tide "$@" >said 2>err &
	ours=$!
	started="$started $ours"
}

# --- in an attempt -----------------------------------------------------------

# It stops at its next checkpoint, and that is the end of it: 85 is for who has
# started us.
SURVIVOR="stay 50" start --retries 5 --summary json -- "$survivor" 200 out
await is_there out.batches
sleep 0.3
kill -TERM $ours
await has_taken
touch go
wait $ours
same "SIGTERM: status" 85 $?
sed -n '/^{$/,/^}$/p' err >sum.json
same "stopped" "stopped 1" "$(json sum.json '"\(.outcome) \(.attempts)"')"
"$HEAPTIDE" run -q -o p.tide -- "$survivor" 200 out || fail "status $?"
cmp whole out || fail "SIGTERM: the output is another"

# One that says 1 after it has not failed.  By a key: see below.
start --retry-errors --retry-delay 10ms -- perl -e '
	$SIG{INT} = sub { exit 1 }; open $f, ">", "ready"; close $f;
	sleep 1 while 1'
await is_there ready
kill -INT $ours
wait $ours
same "SIGINT to us alone: status" 1 $?
! says "started again" || fail "SIGINT to us alone: $(cat err)"

# --- between two -------------------------------------------------------------

for pair in INT:130 TERM:143 HUP:129; do
	start --retries 3 --retry-delay 1h -- sh -c 'exit 75'
	await says "started again in"
	kill -s ${pair%:*} $ours
	wait $ours
	same "SIG${pair%:*} while it waits" ${pair#*:} $?
done
start --retries 3 --retry-delay 1h -- sh -c 'exit 75'
await says "started again in"
kill -TSTP $ours
await in_state $ours T
kill -CONT $ours
await in_state $ours S
kill -WINCH $ours
kill -USR1 $ours
wait $ours
same "SIGUSR1 while it waits" 138 $?
# What is ignored is ignored.
perl -e '$SIG{HUP} = "IGNORE"; exec @ARGV' -- "$HEAPTIDE" run -o p.tide \
	--retries 1 --retry-delay 3s -- sh -c 'exit 75' 2>err &
ours=$!
started="$started $ours"
await says "started again in"
kill -HUP $ours
wait $ours
same "ignored SIGHUP while it waits" 75 $?

# --- the supervisor is killed ------------------------------------------------

rm -rf "$XDG_STATE_HOME" out out.batches go
SURVIVOR="stay 50" start --retries 5 -- "$survivor" 200 out
await is_there out.batches
sleep 0.2
kill -KILL $ours
wait $ours 2>/dev/null
touch go
all_is_there()
{
	cmp -s whole out
}
await all_is_there

# --- the terminal is as it was -----------------------------------------------

cat >key.pl <<'END'
$| = 1;
$SIG{INT} = sub { exit 1 };
print "key\n";
sleep 1 while 1;
END
cat >modes.sh <<'END'
stty -a | grep -o -w -e '-*echo' -e '-*icanon' | xargs
stty -echo -icanon
exit 75
END
cat >terminal.py <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
pressed = False
try:
    while True:
        more = os.read(fd, 4096)
        if not more:
            break
        seen += more
        if b"key" in seen and not pressed:
            pressed = True
            os.write(fd, b"\x03")
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.write(seen.decode(errors="replace"))
END
limited 60 python3 terminal.py "$HEAPTIDE" run --retries 2 \
	--retry-delay 10ms -o p.tide -- sh modes.sh >out.terminal
same "modes" 3 "$(tr -d '\r' <out.terminal | grep -c '^icanon echo$')"
limited 60 python3 terminal.py "$HEAPTIDE" run --retry-errors \
	--retry-delay 10ms -o p.tide -- perl key.pl >out.terminal
grep -q "exit status 1" out.terminal || fail "no end: $(cat out.terminal)"
! grep -q "started again" out.terminal ||
	fail "^C: started again: $(cat out.terminal)"
