#!/bin/sh
# batch-fits.sh - jobs of heaptide batch have room together: by what they were
# seen to use, as many at a time, or as many items, as the budget takes
. "${srcdir:-.}/tests/lib.sh"
need perl jq

M=1048576

batch()
{
	limited 100 "$HEAPTIDE" batch "$@"
}

# eat MEGABYTES ITEM...: so much for each item, held for a while
cat >eat <<'PERL'
#!/usr/bin/perl
my $mib = shift;
my @held;
open my $log, '>>', 'running' or die;
syswrite $log, "+\n";
for (@ARGV) {
	my $x = "x";
	$x x= $mib * 1048576;
	push @held, $x;
	undef $x;
}
select undef, undef, undef, 0.3;
syswrite $log, "-\n";
syswrite STDOUT, join('', map { "$_\n" } @ARGV);
PERL
chmod +x eat

# The most that ran at one time.
most()
{
	awk '/\+/ { if (++n > m) m = n } /-/ { n-- } END { print m }' running
}

# --- one item a job: how many at a time ----------------------------------------

seq 10 >items
"$HEAPTIDE" run --stacks none --summary off -o p.tide -- ./eat 20 1 >out
one=$("$HEAPTIDE" report --json p.tide | jq .rss.peak)
: >running
batch -j8 --budget $((one * 3))  --summary json -- ./eat 20 {} <items >out 2>err
same "status" 0 $?
sort -n out | cmp - items || fail "not all are done: $(cat err)"
sed '/^Started/d' err >report.json
within "at one time" 2 3 "$(most)"
within "their peak" $((20 * M)) $((one * 3)) "$(json report.json .peak)"
same "killed, ended, suspended" "0 0 0" \
	"$(json report.json '"\(.oom_kills) \(.preempted) \(.suspended)"')"
[ "$(json report.json .waits)" -gt 0 ] || fail "nobody has waited"

# With room for all of them, all places are used.
: >running
batch -q -j4 --summary off -- ./eat 1 {} <items >out
within "at one time" 3 4 "$(most)"

# The same without heaptide inside, and for programs that start others.
: >running
batch -j8 --no-preload --budget $((one * 3)) --summary json -- \
	sh -c './eat 20 "$1"; :' _ {} <items >out 2>err
sort -n out | cmp - items || fail "not all are done: $(cat err)"
within "at one time" 2 3 "$(most)"

# --- many items a job: how many ------------------------------------------------

seq 150 >items
: >running
batch -j1 --budget 60M --summary json -- ./eat 1 <items >out 2>err
same "status" 0 $?
cmp items out || fail "not all are done, or not in order: $(cat err)"
sed '/^Started/d' err >report.json
within "jobs" 3 40 "$(json report.json .jobs)"
within "their peak" $((20 * M)) $((60 * M)) "$(json report.json .job_peak)"

# --- a ledger that others have, too ----------------------------------------------

"$HEAPTIDE" pool start common --budget $((one * 3)) --cores 8 \
	>out 2>&1 ||
	fail "pool start: $?"
seq 4 >items
: >running
HEAPTIDE_POOL=common batch -q -j4 -- ./eat 20 {} <items >one.out 2>one.err &
first=$!
HEAPTIDE_POOL=common batch -q -j4 -- ./eat 20 {} <items >two.out 2>two.err
same "the one" 0 $?
wait $first
same "the other" 0 $?
sort -n one.out | cmp - items || fail "of the one not all are done"
sort -n two.out | cmp - items || fail "of the other not all are done"
"$HEAPTIDE" pool status common --json >pool.json
same "what is still held" 0 "$(json pool.json '.leases // .pools[0].leases')"
"$HEAPTIDE" pool stop common

# --- gates -----------------------------------------------------------------------

batch -q --gate 900T:skip -- echo {} ::: a b >out 2>err
same "skipped: status" 2 $?
same "skipped" 2 "$(grep -c '^Low memory ([0-9]*MB), skipping$' err)"
[ ! -s out ] || fail "it ran: $(cat out)"
batch -q --gate 900T:fail -- echo {} ::: a b >out 2>err
same "refused" 75 $?
batch -q --gate 900T:wait=300ms -- echo {} ::: a >out 2>err
same "waited for in vain" 1 $?
batch -q --gate 1K:skip -- echo {} ::: a >out 2>err
same "there is room" "0 a" "$? $(cat out)"

# --- nothing is left behind -------------------------------------------------------

same "segments" "" "$(find "$HEAPTIDE_DIR" -name '*.tide')"
mkdir kept
batch -q --profile kept -- ./eat 1 {} ::: a b >out
same "profiles" 2 "$(find kept -name '*.tide' | wc -l)"
for profile in kept/*; do
	"$HEAPTIDE" report --json "$profile" >report.json ||
		fail "no report of $profile"
done
