#!/bin/sh
# recommend-swap.sh - R-SWAP of a process that really is swapped out, in a group
# smaller than it; and none of it once it has all it needs
#
# Where the machine has no swap, there is a small file of it as long as this
# runs: for that it takes root, and a file system that lets one swap.
. "${srcdir:-.}/tests/lib.sh"
need perl jq
. "$srcdir/tests/jail.sh"
M=1048576

jail_make $((40 * M))
swap=
bye()
{
	status=$?
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	[ -z "$swap" ] || swapoff "$swap"
	(exit $status)
	leave
}
pid=
trap bye EXIT
if [ "$(awk '/^SwapFree:/ { print $2 }' /proc/meminfo)" -lt 65536 ]; then
	PATH=$PATH:/sbin:/usr/sbin
	need mkswap swapon swapoff
	dd if=/dev/zero of=swapfile bs=$M count=64 2>err ||
		skip "no room for a file to swap to"
	chmod 600 swapfile
	mkswap swapfile >out 2>err || skip "mkswap: $(cat err)"
	swapon swapfile 2>err || skip "no swap can be had: $(cat err)"
	swap=$PWD/swapfile
fi

# Holds 64 MB, and says so; looks at it all again when it is told.
cat >hold.pl <<'PL'
my $held = "x";
$held x= 64 << 20;
open my $f, ">", "held" or die;
close $f;
select undef, undef, undef, 0.05 until -e "again";
my $sum = unpack "%32C*", $held;
open $f, ">", "read" or die;
close $f;
select undef, undef, undef, 0.05 until -e "enough";
PL
advised()
{
	limited 20 "$HEAPTIDE" recommend --json "$pid" >advice.json ||
		fail "recommend: $?"
	jq -e '.recommendations[] | select(.id == "R-SWAP")' advice.json \
		>swap.json
}
swapped()
{
	awk '/^VmSwap:/ { print $2 * 1024 }' "/proc/$pid/status"
}

sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$jail" env \
	LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=none HEAPTIDE_BUDGET=100M \
	perl hold.pl </dev/null >out 2>err &
pid=$!
started="$started $pid"
present()
{
	kill -0 "$pid" 2>/dev/null || fail "it is gone: $(cat err)"
	[ -e "$1" ]
}
await present held
[ "$(swapped)" -ge $((16 * M)) ] ||
	skip "the kernel swaps nothing here: $(swapped) bytes"
advised || fail "no R-SWAP: $(cat advice.json)"
within "bytes" $((16 * M)) $((64 * M)) \
	"$(json swap.json .numbers.swapped)"
within "to what the kernel says" $(($(swapped) - 4 * M)) \
	$(($(swapped) + 4 * M)) "$(json swap.json .numbers.swapped)"
same "severity" warning "$(json swap.json .severity)"
limited 20 "$HEAPTIDE" analyze "$pid" >text || fail "analyze"
grep -q "swap" text || fail "not told: $(cat text)"

# With room for all of it, it is in memory again.
limit $((200 * M))
touch again
await present read
[ "$(swapped)" -lt $M ] || without "back in memory: $(swapped) bytes are not"
[ "$(swapped)" -ge $M ] || ! advised || fail "still: $(cat swap.json)"
touch enough
wait "$pid"
same "its status" 0 $?
