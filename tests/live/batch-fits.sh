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
# The first ones, until so many have begun.
for (my $tries = 0; $ENV{TOGETHER} && $tries < 600; $tries++) {
	open my $seen, '<', 'running' or die;
	last if $ENV{TOGETHER} <= grep /\+/, <$seen>;
	select undef, undef, undef, 0.05;
}
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
# Three, and who begins as another is about to end: of eight that might.
within "at one time" 2 5 "$(most)"
within "their peak" $((20 * M)) $((one * 3)) "$(json report.json .peak)"
# Three that grow at the very same time may have one of them wait a moment.
same "killed, ended" "0 0" \
	"$(json report.json '"\(.oom_kills) \(.preempted)"')"
[ "$(json report.json .waits)" -gt 0 ] || fail "nobody has waited"

# With room for all of them, all places are used.
: >running
TOGETHER=4 batch -q -j4 --summary off -- ./eat 1 {} <items >out
same "at one time" 4 "$(most)"

# The same without heaptide inside, and for programs that start others.
: >running
batch -j8 --no-preload --budget $((one * 3)) --summary json -- \
	sh -c './eat 20 "$1"; :' _ {} <items >out 2>err
sort -n out | cmp - items || fail "not all are done: $(cat err)"
within "at one time" 2 5 "$(most)"

# --- nobody stands still whose lease is enough --------------------------------------

# Each grows at once to 43 of 100 of what there is, so two have a lease, and what
# they could come to at that rate is above the line.  The first is alone, the
# second waits until that has ended.
cat >burst <<'PERL'
#!/usr/bin/perl
if ($ARGV[0] == 2) {
	select undef, undef, undef, 0.05 until -e "first";
	select undef, undef, undef, 1;
	exit;
}
for (1 .. 4) {
	my $x = "x";
	$x x= 60 * 1048576;
	push @held, $x;
	undef $x;
	select undef, undef, undef, 0.02;
}
select undef, undef, undef, 0.3;
open my $f, ">", "first";
PERL
chmod +x burst
batch --summary json -- ./burst {} ::: 1 2>err || fail "$(cat err)"
sed '/^Started/d' err >report.json
one=$(json report.json .job_peak)
rm first
seq 14 | batch -j2 --budget $((one * 2325 / 1000)) --summary json -- \
	./burst {} >out 2>err
same "status" 0 $?
sed '/^Started/d' err >report.json
same "stood still" 0 "$(json report.json .suspended)"
[ "$(json report.json .peak)" -gt $((one * 3 / 2)) ] ||
	fail "two never ran together"

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
