#!/bin/sh
# batch-jail.sh - in a control group that kills, heaptide batch has nobody
# killed; what has no room even alone is left out, and all else is done
. "${srcdir:-.}/tests/lib.sh"
need jq perl

M=1048576
. "$srcdir/tests/jail.sh"
jail_make $((300 * M))

jailed()
{
	limited 200 sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$jail" \
		"$@"
}

kills()
{
	cat "$jail/memory.oom_control" "$jail/memory.events" 2>/dev/null |
		sed -n 's/^oom_kill //p'
}

# eat MEGABYTES:MILLISECONDS...: grows slowly, holds, and says so
cat >eat <<'PERL'
#!/usr/bin/perl
for (@ARGV) {
	my ($mib, $ms) = split /:/;
	my @held;
	for my $i (1 .. $mib) {
		my $x = "x";
		$x x= 1048576;
		push @held, $x;
		undef $x;
		select undef, undef, undef, $ms / 1000 / $mib if $ms;
	}
	print "$_\n";
}
PERL
chmod +x eat

# --- as many as fit -------------------------------------------------------------------

for i in 1 2 3 4 5 6; do
	echo 50:$((400 + i))
done >items
jailed "$HEAPTIDE" batch -j6 --summary json -- ./eat {} <items >out 2>err
same "status" 0 $?
sort out | cmp - items || fail "not all are done: $(cat err)"
same "killed" 0 "$(kills)"

# --- one far larger than all before ---------------------------------------------------

{
	for i in $(seq 20); do
		echo 4:$((50 + i))
	done
	echo 200:800
	echo 180:801
	for i in $(seq 20); do
		echo 20:$((150 + i))
	done
} >items
jailed "$HEAPTIDE" batch -j8 --summary json -- ./eat {} <items >out 2>err
same "status" 0 $?
sort items >expected
sort out | cmp - expected || fail "not all are done: $(cat err)"
same "killed" 0 "$(kills)"

# --- one that has no room at all ------------------------------------------------------

printf '%s\n' 5:1 6:1 500:0 7:1 8:1 >items
jailed "$HEAPTIDE" batch -j2 --summary json --joblog log -- ./eat {} <items \
	>out 2>err
same "status" 1 $?
same "the others" "5:1 6:1 7:1 8:1" "$(echo $(sort out))"
grep -q '^heaptide: batch: item 3 (500:0) has no room even alone' err ||
	fail "not said: $(cat err)"
sed -n '/^{/,$p' err >report.json
same "left out" 1 "$(json report.json .poison)"
[ "$(json report.json .oom_kills)" -ge 1 ] || fail "it was never killed"
same "in the joblog" 1 "$(awk '$8 == 9' log | wc -l)"

# Among others of its job it costs nobody else anything.
jailed "$HEAPTIDE" batch -j1 -n5 --summary json -- ./eat <items >out 2>err
same "status" 1 $?
same "the others" "5:1 6:1 7:1 8:1" "$(echo $(sort out))"
sed -n '/^{/,$p' err >report.json
same "taken apart" "1 1" "$(json report.json '"\(.poison) \(.jobs)"')"

# --- jobs that are alike: one more begins as another is about to end -------------------

# grow MEGABYTES: in a second, and has it for another
cat >grow <<'PERL'
#!/usr/bin/perl
my @held;
for my $i (1 .. 50) {
	my $x = "x";
	$x x= $ARGV[0] * 1048576 / 50;
	push @held, $x;
	undef $x;
	select undef, undef, undef, 0.02;
}
select undef, undef, undef, 1;
print "$ARGV[1]\n";
PERL
chmod +x grow
rmdir "$jail" && mkdir "$jail" && limit $((300 * M))
seq 8 >items
jailed "$HEAPTIDE" batch -j8 --joblog alike --summary json -- ./grow 90 {} \
	<items >out 2>err
same "status" 0 $?
sort -n out | cmp - items || fail "not all are done: $(cat err)"
same "killed" 0 "$(kills)"
sed -n '/^{/,$p' err >report.json
same "killed or ended for others" "0 0" \
	"$(json report.json '"\(.oom_kills) \(.preempted)"')"
[ "$(json report.json .budget)" -le $((300 * M)) ] ||
	fail "more than there is: $(cat report.json)"
