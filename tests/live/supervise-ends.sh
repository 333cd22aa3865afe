#!/bin/sh
# supervise-ends.sh - programs that know nothing of checkpoints: which end leads
# to another attempt, which status comes of it, and what each attempt finds
. "${srcdir:-.}/tests/lib.sh"
need jq perl

export HEAPTIDE_RETRY_JITTER=none

# again N STATUS: its first N attempts end with it
cat >again <<'END'
#!/bin/sh
echo x >>count
[ "$(wc -l <count)" -gt "$1" ] || exit "$2"
END
chmod +x again
# attempts STATUS N OPTION... -- COMMAND...
attempts()
{
	wanted=$1 n=$2
	shift 2
	rm -f count
	limited 60 "$HEAPTIDE" run -q -o p.tide "$@" >out 2>err
	same "'$*': status" "$wanted" $?
	same "'$*': attempts" "$n" "$(wc -l <count)"
}
fast="--retry-delay 10ms"

# --- which end ---------------------------------------------------------------

# Nobody asked for it.
attempts 75 1 -- ./again 1 75
attempts 85 1 -- ./again 1 85
attempts 75 1 --retries 0 -- ./again 1 75
HEAPTIDE_RETRIES=0 attempts 75 1 -- ./again 1 75

attempts 0 2 --retries 1 $fast -- ./again 1 75
attempts 75 2 --retries 1 $fast -- ./again 2 75
attempts 0 13 --retries 1 --retry-delay 1h -- ./again 12 85
attempts 3 1 --retries 5 $fast -- ./again 1 3
attempts 0 3 --retries 2 --retry-errors $fast -- ./again 2 3
attempts 3 3 --retries 2 --retry-errors $fast -- ./again 5 3
attempts 0 2 --retry-errors $fast -- ./again 1 137
attempts 0 4 $fast -- ./again 3 75
# Both are counted, and apart.
cat >mixed <<'END'
#!/bin/sh
echo x >>count
case $(wc -l <count) in
1 | 3) exit 75 ;;
2 | 4) exit 1 ;;
esac
END
chmod +x mixed
attempts 0 5 --retries 2 --retry-errors $fast -- ./mixed

# Variables and files want it as well; a preset does not.
HEAPTIDE_RETRIES=1 HEAPTIDE_RETRY_DELAY=10ms attempts 0 2 -- ./again 1 75
printf '[retry]\nmax = 1\ndelay = 10ms\n' >retry.conf
attempts 0 2 --config retry.conf -- ./again 1 75
attempts 75 1 --preset seed -- ./again 1 75
# A run within a run is not to multiply.
attempts 75 2 --retries 1 $fast -- "$HEAPTIDE" run -q -o q.tide -- ./again 9 75
HEAPTIDE_RETRIES=1 HEAPTIDE_RETRY_DELAY=10ms \
	attempts 75 2 -- "$HEAPTIDE" run -q -o q.tide -- ./again 9 75

cp retry.conf heaptide.conf
attempts 75 2 -- "$HEAPTIDE" run -q -o q.tide -- ./again 9 75
rm heaptide.conf

# What somebody wanted is what it shall be.
attempts 130 1 --retry-errors $fast -- sh -c 'echo x >>count; exit 130'
(ulimit -c 0; attempts 143 1 --retry-errors $fast -- \
	sh -c 'echo x >>count; kill $$') || exit
# A malloc that failed, and not just anything.
(ulimit -v 2000000; attempts 1 3 --retries 2 $fast -- perl -e '
	system "echo x >>count"; $n = 8e9; $x = "x" x $n') || exit
same "told" 3 "$(grep -c 'allocation.* refused' err)"

# The budget, if that is what ends it.
attempts 85 1 --budget 60M --enforce exit85 -- sh -c 'echo x >>count
	exec "$0"' "$victims/gluttonous"
attempts 0 4 --retries 1 --retry-delay 1h --budget 60M --enforce exit85 -- \
	sh -c 'echo x >>count
	[ "$(wc -l <count)" -gt 3 ] || exec "$0"' "$victims/gluttonous"
(ulimit -c 0; attempts 134 2 --retries 1 $fast --budget 60M \
	--enforce abort -- sh -c 'echo x >>count; exec "$0"' \
	"$victims/gluttonous") || exit

# --- waits -------------------------------------------------------------------

limited 60 "$HEAPTIDE" run --retries 4 --retry-delay 10ms --summary json \
	-o p.tide -- sh -c 'exit 75' 2>err
same "waits" "10 20 40 80 0" "$(json err \
	'[.last_attempts[].delay * 1000 | round | tostring] | join(" ")')"
HEAPTIDE_RETRY_CAP=30ms HEAPTIDE_RETRY_FACTOR=1.5 limited 60 "$HEAPTIDE" run \
	--retries 4 --retry-delay 16ms --summary json -o p.tide -- \
	sh -c 'exit 75' 2>err
same "with a cap" "16 24 30 30 0" "$(json err \
	'[.last_attempts[].delay * 1000 | round | tostring] | join(" ")')"

# --- too long ----------------------------------------------------------------

limited 60 "$HEAPTIDE" run --timeout 300ms --summary json -o p.tide -- \
	sleep 50 2>err
same "timeout" "124 timeout 15" \
	"$? $(json err '"\(.outcome) \(.end.signal)"')"
limited 60 "$HEAPTIDE" run --timeout 300ms --grace 300ms --summary json \
	-o p.tide -- perl -e '$SIG{TERM} = "IGNORE"; sleep 1 while 1' 2>err
same "and the kill" "124 timeout 9" \
	"$? $(json err '"\(.outcome) \(.end.signal)"')"
# All attempts together; a stopped one as well.
attempts 124 1 --timeout 4s --retry-errors $fast -- \
	sh -c 'echo x >>count; sleep 50'
attempts 75 1 --timeout 20s --retries 3 --retry-delay 1h -- ./again 9 75
grep -q "timeout leaves no time" err || fail "not told: $(cat err)"
attempts 124 1 --timeout 4s -- perl -e '
	system "echo x >>count"; $SIG{CONT} = sub { exit 1 }; sleep 50'
# One that is done in time is not disturbed.
attempts 0 1 --timeout 50s -- ./again 0 1

# --- what each attempt finds -------------------------------------------------

printf 'one\ntwo\n' >in
limited 60 "$HEAPTIDE" run -q --retries 2 $fast -o p.tide -- \
	sh -c 'echo x >>count; read line; echo "$line"; exit 75' <in >out 2>err
same "a file from its start" "one one one" "$(xargs <out)"
! grep -q pipe err || fail "said of a file: $(cat err)"
(printf 'one\ntwo\nthree\n'; sleep 1) | limited 60 "$HEAPTIDE" run -q \
	--retries 2 $fast -o p.tide -- \
	sh -c 'read line; echo "$line"; exit 75' >out 2>err
same "a pipe goes on" "one two three" "$(xargs <out)"
same "which is said once" 1 "$(grep -c 'standard input is a pipe' err)"

# Descriptors: all that were there, and none of ours.
exec 7<in
sh -c 'ls /proc/self/fd | xargs' >plain 2>err
limited 60 "$HEAPTIDE" run -q --retries 2 $fast -o p.tide -- \
	sh -c 'ls /proc/self/fd | xargs; exit 75' >out 2>err
exec 7<&-
# ls itself has one open for the directory.
same "the same each time" 1 "$(sort -u out | wc -l)"
same "which" "$(cat plain)" "$(sed 1q out)"
case " $(cat plain) " in
*" 7 "*) ;;
*) fail "7 is not there: $(cat plain)" ;;
esac

# Masks and dispositions.
cat >state.pl <<'END'
open $f, "<", "/proc/self/status";
print join " ", map { /^Sig(?:Blk|Ign):\s*(\S+)/ ? $1 : () } <$f>;
print "\n";
exit 75;
END
perl state.pl >plain
perl -e '$SIG{HUP} = "IGNORE"; exec @ARGV' -- perl state.pl >plain.hup
limited 60 "$HEAPTIDE" run -q --retries 2 $fast -o p.tide -- \
	perl state.pl >out 2>err
same "masks" "$(cat plain)" "$(sort -u out)"
perl -e '$SIG{HUP} = "IGNORE"; exec @ARGV' -- "$HEAPTIDE" run -q \
	--retries 2 $fast -o p.tide -- perl state.pl >out 2>err
same "and what is ignored" "$(cat plain.hup)" "$(sort -u out)"

# --- without a profile -------------------------------------------------------

HEAPTIDE=0 limited 60 "$HEAPTIDE" run --retries 2 $fast --summary json \
	-o p.tide -- sh -c 'exit 75' 2>err
same "status" 75 $?
grep '^{' err >sum.json
same "outcome" "no-memory 3" "$(json sum.json '"\(.outcome) \(.attempts)"')"

# --- refused -----------------------------------------------------------------

for bad in "--retries -1" "--retries 1.5" "--retry-delay soon" \
	"--fallback 0" "--timeout 5x" "--grace x"; do
	limited 20 "$HEAPTIDE" run $bad -- touch started 2>err
	same "'$bad': status" 2 $?
	same "'$bad': lines" 1 "$(wc -l <err)"
	grep -q -e "${bad%% *}" err || fail "'$bad' not named: $(cat err)"
done
[ ! -e started ] || fail "it was started"
