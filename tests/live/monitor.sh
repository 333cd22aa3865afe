#!/bin/sh
# monitor.sh - a line an interval of any process, until it ends
. "${srcdir:-.}/tests/lib.sh"
need jq perl

# monitor ARGUMENT...: JSON lines, in lines.json
monitor()
{
	limited 60 "$HEAPTIDE" monitor --json "$@" >lines.json 2>err ||
		fail "monitor $*: status $?: $(cat err)"
}

# found EXPRESSION: of all lines, as a list
found()
{
	jq -rs "$1" lines.json || fail "no JSON: $(cat lines.json)"
}

# refused STATUS SENTENCE ARGUMENT...
refused()
{
	status=$1
	sentence=$2
	shift 2
	limited 60 "$HEAPTIDE" monitor "$@" >out 2>err
	same "status of monitor $*" "$status" $?
	grep -q -e "$sentence" err || fail "monitor $*: $(cat err)"
	same "lines of monitor $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

cat >grow.pl <<'PL'
# Some bytes every 10 ms, until the file "enough" is there.
my @held = ("x" x 2000000);
open F, ">", "ready.$$";
while (!-e "enough") {
	push @held, "x" x 20000 . scalar @held if @held < 5000;
	select undef, undef, undef, 0.01;
}
PL

# --- what is refused ---------------------------------------------------------

refused 2 "whom to watch is missing"
refused 2 "'self' is no process" self
refused 2 "'0' is no process" 0
refused 2 "--interval 'soon' is not accepted" --interval soon $$
refused 2 "--interval '0' is not accepted" --interval 0 $$
refused 2 "--daemon needs --output" --daemon $$
refused 125 "there is no process 8388608" 8388608
refused 125 "no process is called 'nobody-is-called-so'" \
	--name nobody-is-called-so
refused 125 "no process of yours with heaptide inside" --all
refused 125 "cannot append to missing/log" -o missing/log $$

# --- any process -------------------------------------------------------------

perl grow.pl &
plain=$!
started=$plain
await test -e ready.$plain
monitor --count 3 --interval 300ms $plain
same "lines" 3 "$(found length)"
same "head" "true" "$(found 'all(.heaptide != null and .schema == 1)')"
same "of whom" "$plain perl running" \
	"$(found '.[0] | "\(.pid) \(.name) \(.status)"')"
same "the names that were asked for" true "$(found 'all(
	(.memory_rss_mb * 1048576 - .resident | fabs) < 1 and
	(.memory_usage_gb * 1073741824 - .resident | fabs) < 1 and
	(.peak_memory_gb * 1073741824 - .resident_peak | fabs) < 1 and
	.cpu_percent >= 0 and .memory_warnings == (.warnings | length))')"
same "no heap is known" true "$(found 'all(.heap == null)')"
same "the limit that rules" true "$(found 'all(.limit == null or
	(.limit.bytes > 0 and .limit.source != ""))')"
same "growth needs three looks" "null null resident" \
	"$(found '[.[].growth.of] | map(tostring) | join(" ")')"
# As an option, in bare seconds, and with the one that is missing told.
limited 60 "$HEAPTIDE" monitor -i 1 --count 1 --pid $plain 8388608 \
	>text 2>err
same "status with one missing" 125 $?
same "one line of each kind" "1 1" "$(wc -l <text) $(wc -l <err)"
grep -Eq "  $plain \(perl\)  Memory: [0-9.]+ .iB/.* ok.*  rss .*, peak .*cpu" \
	text || fail "$(cat text)"

# --- with heaptide inside ----------------------------------------------------

limited 120 "$HEAPTIDE" run --stacks none --summary off -o grow.tide -- \
	perl grow.pl &
run=$!
served()
{
	ls "$HEAPTIDE_DIR"/*.tide
}
await served
inside=$(basename "$(served)" | sed 's/\..*//')
started="$plain $run"
await test -e ready.$inside

monitor --count 4 --interval 200ms $inside
same "heap" true "$(found 'all(.heap.live_bytes > 2000000 and
	.heap.live_blocks > 100 and .heap.peak_bytes >= .heap.live_bytes and
	.heap.exact)')"
same "of whom growth is" heap "$(found '.[3].growth.of')"
same "blocks are counted" true "$(found 'all(
	.heap.allocations - .heap.frees == .heap.live_blocks)')"

monitor --all --count 1
same "all with heaptide inside" "$inside" "$(found 'map(.pid) | join(" ")')"

# --- by name, and those that come later --------------------------------------

cp "$(command -v sleep)" tide-sleeper || fail "cannot copy sleep"
./tide-sleeper 100 &
first=$!
started="$started $first"
limited 100 "$HEAPTIDE" monitor --json --name tide-sleeper --interval 100ms \
	>named.json &
watcher=$!
of()
{
	jq -es "any(.pid == $1 and .status == \"$2\")" named.json
}
await of $first running
./tide-sleeper 100 &
second=$!
started="$started $second"
await of $second running
kill $first
await of $first ended
kill $second
wait $watcher
same "status when all have ended" 0 $?
same "last line" "$second ended" \
	"$(tail -n 1 named.json | jq -r '"\(.pid) \(.status)"')"

# Names are what a program calls itself, and may be meant for the terminal.
perl -e '$0 = "a\033[2J\nb"; open F, ">", "ready.$$"; close F; sleep 100' &
odd=$!
started="$started $odd"
await test -e ready.$odd
limited 60 "$HEAPTIDE" monitor --count 1 $odd >text || fail "status $?"
same "lines of an odd name" 1 "$(wc -l <text)"
grep -q "$odd (a?\[2J?b)  Memory: " text || fail "$(cat text)"
monitor --count 1 --name "$(printf 'a\033[2J\nb')"
same "it is found by it" "$odd" "$(found '.[0].pid')"

# --- signals, files, the background ------------------------------------------

for signal in INT TERM; do
	# A shell has its background ignore SIGINT, and that goes down to us.
	limited 60 perl -e '
		$SIG{INT} = "DEFAULT";
		my $pid = fork // die;
		exec @ARGV[1 .. $#ARGV] if !$pid;
		my $tries = 0;
		select undef, undef, undef, 0.05
			while !-s "signal.log" && $tries++ < 600;
		kill $ARGV[0], $pid;
		waitpid $pid, 0;
		print $?;
		' $signal "$HEAPTIDE" monitor -i 1h -o signal.log $plain >status
	same "status at SIG$signal" 0 "$(cat status)"
	same "lines at SIG$signal" 1 "$(wc -l <signal.log)"
	rm signal.log
done

echo "what was there" >daemon.log
limited 60 "$HEAPTIDE" monitor --daemon --interval 50ms --json \
	-o daemon.log $inside >daemon.pid || fail "--daemon: status $?"
daemon=$(cat daemon.pid)
started="$started $daemon"
at_least_five()
{
	[ "$(wc -l <daemon.log)" -ge 5 ]
}
await at_least_five
same "what was there stays" "what was there" "$(head -n 1 daemon.log)"

# --- the end -----------------------------------------------------------------

: >enough
limited 60 "$HEAPTIDE" monitor -i 1h $inside >text 2>err
status=$?
case $status in
0) grep -q "has ended" text || fail "no end is told: $(cat text)" ;;
125) grep -q "there is no process" err || fail "$(cat err)" ;;
*) fail "status $status: $(cat err)" ;;
esac
wait $run || fail "run: status $?"
told_the_end()
{
	tail -n 1 daemon.log | jq -e '.status == "ended"'
}
await told_the_end
is_gone()
{
	# A zombie is nobody's to wait for here.
	! grep -q '^State:[[:space:]]*[^ZX]' /proc/"$daemon"/status
}
await is_gone
refused 125 "there is no process $inside, or it has ended" $inside

# --- a limit -----------------------------------------------------------------

# Of 400 MiB of address space four fifths are taken.
cat >full.pl <<'PL'
my $bytes = 110_000_000;
my @held;
push @held, "x" x $bytes for 1 .. 3;
open F, ">", "ready.$$";
sleep 100;
PL
(ulimit -v 409600 && exec perl full.pl) &
full=$!
started="$started $full"
await test -e ready.$full
monitor --count 1 $full
same "the limit" "rlimit-as 419430400" \
	"$(found '.[0].limit | "\(.source) \(.bytes)"')"
same "its state" true "$(found '.[0] | (.limit.used / .limit.bytes) as $fill |
	.state == (if $fill < 0.75 then "ok" elif $fill < 0.88 then "warning"
	elif $fill < 0.96 then "critical" else "exhausted" end) and
	$fill > 0.75 and .memory_warnings > 0 and
	(.warnings[0] | test("% of the limit are used"))')"
