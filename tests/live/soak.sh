#!/bin/sh
# soak.sh - asked, turned, marked and forked at random for a while, a program
# has counted every block, and nothing is left behind
#
# SOAK_SECONDS=n: for so long instead of 10; 600 by hand.
. "${srcdir:-.}/tests/lib.sh"
need perl jq

seconds=${SOAK_SECONDS:-10}
cat >crowd.pl <<'PL'
# crowd.pl DIRECTORY PID SECONDS SEED: ask PID and its children at random
use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();

$SIG{PIPE} = "IGNORE";
my ($directory, $pid, $seconds, $seed) = @ARGV;
my $end = time + $seconds;
my $main = "$directory/$pid.sock";
my (%count, @asked);
srand $seed;

sub any { $_[int rand @_] }
sub reach { IO::Socket::UNIX->new(Peer => $_[0]) }

# The answer, or undef: there is nobody any more, which only a child may be.
sub ask
{
	my ($path, $line) = @_;
	my $s = reach($path);
	my $why = $s ? "it was hung up on" : "connect: $!";
	my $bytes = "";
	if ($s) {
		syswrite $s, "$line\n";
		while ($bytes !~ /\n/) {
			my $n = sysread $s, $bytes, 65536, length $bytes;
			last if !$n;
		}
	}
	if ($bytes !~ /\n\z/) {
		$path ne $main or die "no answer to '$line': $why after ",
		    length $bytes, " bytes\n";
		return $count{vanished}++;
	}
	my $json = eval { decode_json $bytes } or die "no JSON: $bytes\n";
	$count{$json->{ok} ? "answered" : $json->{error}}++;
	$json->{ok} || $json->{error} =~ /^(EBUSY|EINVAL|E2BIG|ENOSPC|ESRCH)$/
	    or die "'$line' is answered with $bytes\n";
	$json->{ok} || $line =~ /^(nonsense|mark|budget)/ ||
	    $json->{error} eq "EBUSY" || $path ne $main or
	    die "'$line' is refused: $json->{message}\n";
}

my @requests = (
	sub { "status" }, sub { "metrics" }, sub { "memory" }, sub { "help" },
	sub { "sites " . (1 + int rand 100) . any("", " by growth",
	    " by count") },
	sub { "marks " . (1 + int rand 500) },
	sub { "series " . (1 + int rand 600) },
	sub { "mark at " . rand }, sub { "mark \xff\xc3\xa9 $$" },
	sub { "stacks " . any("none", "sampled", "all") },
	sub { "stacks " . any("none", "sampled", "all") },
	sub { "sample " . any("1", "4K", "64K", "1M") },
	sub { "budget " . any("off", "100M", "1G") }, sub { "trim" },
	sub { "nonsense " . "x" x int rand 5000 },
);

# Somebody who is killed in the middle of it, reading or not.
sub victim
{
	my ($path) = @_;
	defined(my $child = fork) or die;
	if ($child) {
		push @asked, $child;
		$count{killed}++;
		return;
	}
	my $s = reach($path) or POSIX::_exit(0);
	my $what = any("watch 10ms\n", "status\n", "sites 100\n", "x" x 3000,
	    "sta");
	my $reads = rand() < 0.5;
	for (1 .. 10000) {
		syswrite $s, $what or last;
		sysread $s, my $bytes, 65536 if $reads && $what =~ /\n/;
	}
	sleep 100;
	POSIX::_exit(0);
}

while (time < $end) {
	# Most of it is for the program, the rest for its children.
	my @sockets = glob "$directory/*.sock";
	my $path = rand() < 0.7 || !@sockets ? $main : any(@sockets);
	if (rand() < 0.03) {
		victim($path);
	} else {
		ask($path, any(@requests)->());
	}
	if (@asked > 20 || (@asked && rand() < 0.03)) {
		my $child = splice @asked, int rand @asked, 1;
		kill KILL => $child;
		waitpid $child, 0;
	}
	select undef, undef, undef, 0.02 if rand() < 0.1;
}
kill KILL => @asked;
waitpid $_, 0 for @asked;
print join(" ", map "$_ $count{$_}", sort keys %count), "\n";
PL

"$HEAPTIDE" run --stacks sampled --summary off -o profile.tide -- \
	"$victims/breeder" 3 enough >account 2>err &
run=$!
started=$run
is_served()
{
	pid=$(sed 's/ .*//' /proc/"$run"/task/"$run"/children) &&
		[ -e "$HEAPTIDE_DIR/$pid.sock" ]
}
await is_served
started="$run $pid"

# stands: how it is with the run, for who has found it lacking
stands()
{
	for one in "$run" "$pid"; do
		grep -H '^State' /proc/"$one"/status
	done 2>&1
	cat err
}

seed=$(date +%s)
echo "seeds $seed and $((seed + 1))"
limited $((seconds + 60)) perl crowd.pl "$HEAPTIDE_DIR" "$pid" "$seconds" \
    "$seed" >first.out 2>&1 &
first=$!
limited $((seconds + 60)) perl crowd.pl "$HEAPTIDE_DIR" "$pid" "$seconds" \
    $((seed + 1)) >second.out 2>&1 || fail "$(cat second.out; stands)"
wait $first || fail "$(cat first.out; stands)"
cat first.out second.out
kill -0 "$run" || fail "heaptide run has gone: $(cat err)"
touch enough
wait "$run" || fail "status $?: $(cat err)"
started=
[ ! -s err ] || fail "$(head -n 5 err)"
same "left behind" "" "$(ls "$HEAPTIDE_DIR")"
! is_ours "$pid" || fail "$pid is still there"

# --- the program's account, and those of its children --------------------------

children=0
for account in account.*; do
	[ $children -lt 10 ] || break
	# Of a number that two have had it is not known which is which.
	profile=profile.tide.d/heaptide.*.${account#account.}
	[ "$(ls $profile.*tide 2>/dev/null | wc -l)" -eq 1 ] || continue
	children=$((children + 1))
	report "$(ls $profile.tide)"
	totals_match "$account"
done
within "children" 3 10 $children
same "profiles of children" "$(ls account.* | wc -l)" \
	"$(ls profile.tide.d | wc -l)"

report profile.tide
"$HEAPTIDE" report --verify profile.tide || fail "it contradicts itself"
mv report.json soaked.json
within "marks" 10 32768 "$(json soaked.json '.marks | length')"
# What threads cost by themselves, without any work.
under none "$victims/breeder" 3 enough >/dev/null
report profile.tide
mv report.json idle.json
mv soaked.json report.json
grep -v requested account >known
totals_match known idle.json
