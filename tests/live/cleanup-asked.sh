#!/bin/sh
# cleanup-asked.sh - cleanup, pressure, drain and reclaim reach a program at its
# next safe point, say what came of it, and hold nobody up meanwhile
. "${srcdir:-.}/tests/lib.sh"
need jq perl

ctl()
{
	limited 20 "$HEAPTIDE" ctl "$pid" "$@" >answer
}

# of EXPRESSION: of the last answer
of()
{
	json answer "$1"
}

answers()
{
	ctl version
}

# start MODE [OPTION...]: the program, whose pid is $pid
start()
{
	mode=$1
	shift
	rm -f enough ready
	limited 200 "$HEAPTIDE" run --stacks none --summary off "$@" \
	    -o "$scratch/profile.tide" -- "$victims/cleaner" "$mode" enough \
	    >out 2>said &
	runner=$!
	started="$started $runner"
	await find_program
	await answers
}

find_program()
{
	[ -s out ] && set -- "$HEAPTIDE_DIR"/*.tide && [ -e "$1" ] &&
		pid=${1##*/} && pid=${pid%%[.-]*}
}

# finish: it ends by itself now
finish()
{
	touch enough
	wait "$runner" || fail "status $?: $(cat said)"
}

# --- one that comes by -------------------------------------------------------

start serve
ctl cleanup warning || fail "cleanup: $(cat answer)"
same "of the least" "false 1 10" \
    "$(of '"\(.waits) \(.callbacks) \(.blocks)"')"
ctl cleanup || fail "cleanup: $(cat answer)"
same "of two" "false 2 1010 true" "$(of '"\(.waits) \(.callbacks) \(.blocks) \(
    .freed >= 3001000 and .freed < 3100000)"')"
ctl CLEANUP 3 || fail "cleanup: $(cat answer)"
same "of all" "false 3 1110 3 3" "$(of '"\(.waits) \(.callbacks) \(.blocks) \(
    .cleanups_wanted) \(.cleanups_done)"')"
ctl cleanup last
same "told again" "3 3" "$(of '"\(.callbacks) \(.cleanups_wanted)"')"

# By the command, of text and of JSON.
limited 20 "$HEAPTIDE" reclaim "$pid" --json >answer || fail "reclaim: $?"
same "reclaim" "false 2 1010 null" "$(of '"\(.cleanup.waits) \(
    .cleanup.callbacks) \(.cleanup.blocks) \(.trim)"')"
limited 20 "$HEAPTIDE" reclaim --level exhausted "$pid" >text ||
	fail "reclaim: $?"
grep -q '^cleanup   .* in 1 110 blocks freed by 3 callbacks, ' text ||
	fail "reclaim says: $(cat text)"
grep -q '^resident  ' text || fail "reclaim says: $(cat text)"

# A state that is pretended is acted on, and ends.
ctl pressure critical || fail "pressure: $(cat answer)"
is_critical()
{
	ctl pressure && [ "$(of .state)" = critical ]
}
await is_critical
ctl pressure off
same "pressure" null "$(of .pressure)"

ctl drain || fail "drain: $(cat answer)"
same "drains" 1 "$(of .drains)"
wait "$runner" || fail "drained: status $?"
grep -q '^states [0-9]* stopped [1-9]' out || fail "it says: $(cat out)"
[ "$(sed -n 's/^compact \([0-9]*\) .*/\1/p' out)" -ge 5 ] ||
	fail "callbacks: $(cat out)"

# In the middle of a batch, it is the next question whether there is one more.
start batch
for i in 1 2 3; do
	ctl cleanup || fail "cleanup: $(cat answer)"
	same "in a batch" "false 1 $i" "$(of '"\(.waits) \(.callbacks) \(
	    .cleanups_done)"')"
done
finish
same "in a batch" "benign 3 2" "$(tail -n 1 out)"

# --- one that does not -------------------------------------------------------

start away
ctl cleanup || fail "cleanup: $(cat answer)"
same "it waits" "true 1 0 null" "$(of '"\(.waits) \(.cleanups_wanted) \(
    .cleanups_done) \(.callbacks)"')"
limited 20 "$HEAPTIDE" reclaim "$pid" --json >answer
same "reclaim: nothing was done" 1 $?
same "reclaim" "true null true" "$(of '"\(.cleanup.waits) \(
    .cleanup.callbacks) \(.trim.waits)"')"

# Who waits holds up no other, and has its answers in order.
cat >clients.pl <<'PL'
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path) = @ARGV;
$SIG{ALRM} = sub { die "hung\n" };
alarm 60;
sub reach { IO::Socket::UNIX->new(Peer => $path) or die "connect: $!\n" }
my ($slow, $other, $gone) = (reach(), reach(), reach());
syswrite $slow, "version\ncleanup\ncleanup last\nversion";
shutdown $slow, 1;
syswrite $gone, "cleanup\n";
close $gone;
# As many as can be had of the other while the first waits.
my $n = 0;
my $bits = "";
vec($bits, fileno $slow, 1) = 1;
<$slow> =~ /"heaptide"/ or die "no version\n";
until (select(my $ready = $bits, undef, undef, 0)) {
	syswrite $other, "version\n";
	<$other> =~ /"heaptide"/ or die "the other has no answer\n";
	$n++;
}
my @answers = <$slow>;
print scalar(@answers), " ", join(" ", map { /"waits":true/ ? "waits" :
    /"heaptide"/ ? "version" : $_ } @answers), " ",
    $n > 10 ? "others served" : "others waited: $n", "\n";
PL
same "who waits" "3 waits waits version others served" \
    "$(perl clients.pl "$HEAPTIDE_DIR/$pid.sock")"
finish
grep -q '^compact 0 ' out || fail "it came by: $(cat out)"

# --- a setting, and the descriptor -------------------------------------------

start knob --budget 100M
same "at the best" "knob 10" "$(cat out)"
ctl pressure critical || fail "pressure: $(cat answer)"
has_heard()
{
	grep -q '^state 2 knob 6$' out
}
await has_heard
ctl pressure off
is_over()
{
	[ "$(tail -n 1 out)" = "state 0 knob 10" ]
}
await is_over
finish

# --- one that does not ask for its budget ------------------------------------

rm -f enough
limited 200 "$HEAPTIDE" run --stacks none --summary off \
    -o "$scratch/profile.tide" -- "$victims/turned" 1 enough >out 2>said &
runner=$!
started="$started $runner"
find_other()
{
	set -- "$HEAPTIDE_DIR"/*.tide && [ -e "$1" ] && pid=${1##*/} &&
		pid=${pid%%[.-]*} && ctl version
}
await find_other
ctl cleanup
same "cleanup" "1 ENODEV" "$? $(of .error)"
ctl pressure 2
same "pressure" "1 ENODEV" "$? $(of .error)"
limited 20 "$HEAPTIDE" reclaim "$pid" --json >answer || fail "reclaim: $?"
same "reclaim is a trim" "null false" "$(of '"\(.cleanup) \(.trim.waits)"')"
touch enough
wait "$runner" || fail "status $?: $(cat said)"

# --- what is wrong -----------------------------------------------------------

# refused STATUS SENTENCE ARGUMENT...
refused()
{
	status=$1 sentence=$2
	shift 2
	"$HEAPTIDE" reclaim "$@" >out 2>said
	same "reclaim $*: status" "$status" $?
	same "reclaim $*: lines" 1 "$(wc -l <said)"
	grep -q "$sentence" said || fail "reclaim $*: $(cat said)"
}

refused 2 "'x' is no process; a pid is accepted" x
refused 2 "PID is missing"
refused 2 "one operand too many" 1 2
refused 2 "'high'.*warning, critical" --level high 1
refused 125 "process" 1
