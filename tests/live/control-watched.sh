#!/bin/sh
# control-watched.sh - who is asked tens of thousands of times keeps nothing of
# it: heaptide is watched by heaptide; and the program asked about is the same
#
# CONTROL_REQUESTS=n: so many instead of 20000.
. "${srcdir:-.}/tests/lib.sh"
need perl jq

requests=${CONTROL_REQUESTS:-20000}
cat >ask.pl <<'PL'
# ask.pl SOCKET COUNT: so many requests, of each kind, some at once; how many
# of them were done and how many refused
use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP;

my ($path, $count) = @ARGV;
my @kinds = ("status", "version", "memory", "sites 5", "sites by growth",
    "metrics", "metrics openmetrics", "marks 5", "series", "leaks", "ops",
    "analyze", "help", "budget", "budget 4G", "trim last", "scan last",
    "checkpoints", "mark by number", "sample 64K", "nonsense",
    "sites none", "watch 1ms", "x" x 4200);
my @sockets = map { IO::Socket::UNIX->new(Peer => $path) or
    die "connect: $!\n" } 1 .. 8;
my ($done, $refused) = (0, 0);

for (my $n = 0; $n < $count; ) {
	for my $s (@sockets) {
		my @lines = map $kinds[$_ % @kinds], $n .. $n + 9;
		$n += @lines;
		syswrite $s, join "", map "$_\n", @lines;
		for my $line (@lines) {
			my $answer = <$s> // die "'$line' has no answer\n";
			$answer =~ /\A\{"ok":(true|false),.*\}\n\z/ or
			    die "'$line' is answered with $answer\n";
			$1 eq "true" ? $done++ : $refused++;
		}
	}
}
# A kind in six is none.
$done / ($done + $refused) > 0.8 or die "$done done, $refused refused\n";
print "$done done, $refused refused\n";
PL

asked()
{
	limited 300 perl ask.pl "$HEAPTIDE_DIR/$pid.sock" "$1" >ask.out 2>&1 ||
		fail "$1 requests: $(cat ask.out)"
}

# The outer one watches the inner one, which watches the program.
"$HEAPTIDE" run --stacks all --summary off -o outer.tide -- \
	"$HEAPTIDE" run --stacks sampled --summary off -o profile.tide -- \
	"$victims/turned" 2 enough >account 2>err &
outer=$!
started=$outer
children()
{
	sed 's/ .*//' /proc/"$1"/task/"$1"/children
}
is_served()
{
	inner=$(children "$outer") && pid=$(children "$inner") &&
		[ -e "$HEAPTIDE_DIR/$pid.sock" ]
}
await is_served
started="$outer $inner $pid"

kib()
{
	awk '/^VmSize/ { print $2 }' /proc/"$inner"/status
}
descriptors()
{
	ls /proc/"$inner"/fd | wc -l
}
# All that is made once, a look at the program among it.
asked 2000
sleep 3
size=$(kib)
open=$(descriptors)
asked "$requests"
cat ask.out
few_descriptors()
{
	[ "$(descriptors)" -le "$open" ]
}
await few_descriptors
within "KiB of address space" 1 $((size + 2048)) "$(kib)"

touch enough
wait "$outer" || fail "status $?: $(cat err)"
started=
[ ! -s err ] || fail "$(head -n 5 err)"
same "left behind" "" "$(ls "$HEAPTIDE_DIR")"

report outer.tide
adds_up
same "how it ended" exited "$(json report.json .end.how)"
# Its environment, and what a thread has.
within "blocks that it holds at its end" 1 40 \
	"$(json report.json .totals.live_blocks)"
# One kind in 24 sets a mark: 128 bytes of the profile, which it reads then.
within "bytes that it held at most" 1 $((200000 + requests / 24 * 128)) \
	"$(json report.json .totals.peak_bytes)"

# --- and the program's own account -------------------------------------------

report profile.tide
"$HEAPTIDE" report --verify profile.tide || fail "it contradicts itself"
mv report.json asked.json
# What threads cost by themselves, without any work.
under none "$victims/turned" 2 enough >/dev/null
report profile.tide
mv report.json idle.json
mv asked.json report.json
grep -v requested account >known
totals_match known idle.json
