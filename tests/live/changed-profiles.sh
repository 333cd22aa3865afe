#!/bin/sh
# changed-profiles.sh - a profile in which bytes have changed is told as such
. "${srcdir:-.}/tests/lib.sh"
need jq perl

under all jq -n '[range(2000)] | map(tostring) | length' >/dev/null
mv profile.tide good.tide
good=good.tide

# flip FILE TABLE BYTE [bare]: one bit of the table's rows turned over; bare:
# without what says that it was, as in a profile that was not copied
cat >flip.pl <<'PL'
my ($file, $table, $byte, $bare) = @ARGV;
local $/;
open my $in, "<:raw", $file or die;
my $all = <$in>;
my ($offset, undef, $used, $row) = unpack "Q<Q<Q<L<",
	substr $all, 64 + 32 * $table, 32;
$byte < $used * $row or die "table $table is smaller";
vec($all, 8 * ($offset + $byte) + 2, 1) ^= 1;
substr($all, 64 + 32 * 30, 32) = "\0" x 32 if $bare;
binmode STDOUT;
print $all;
PL
flip()
{
	perl flip.pl "$good" "$@" >flipped.tide || fail "flip $*"
}

# told COMMAND...: says it in one line, and ends with 125
told()
{
	limited 20 "$HEAPTIDE" "$@" >out 2>err </dev/null
	same "status of $*" 125 $?
	same "lines of $*" 1 "$(grep -c . err)"
	grep -q "^heaptide: $1: 'flipped.tide' was changed since heaptide" \
		err || fail "$*: $(cat err)"
}

# --- copies ---------------------------------------------------------------------

"$HEAPTIDE" report "$good" >whole || fail "the good one"
grep -q changed whole && fail "the good one was changed"
same "changed parts of the good one" 0 \
	"$("$HEAPTIDE" report --json "$good" | jq .lost.changed)"

# threads, sites, counts, stacks, modules, texts, watched blocks
for table in 0 1 2 5 6 8 17; do
	flip $table 10
	told report flipped.tide
	[ -s out ] || fail "report shows nothing of table $table"
	grep -q '^  changed  ' out || fail "the report itself does not tell"
	told report --json flipped.tide
	same "changed parts" 1 "$(jq .lost.changed out)"
	same "exact" false "$(jq .exact out)"
done
flip 1 20
told leaks flipped.tide
told export --format csv flipped.tide
[ -s out ] || fail "nothing is exported"
told ops flipped.tide
told recommend flipped.tide
told diff --json flipped.tide "$good"
same "what the object says of it" 1 "$(grep -c 'was changed since' out)"
"$HEAPTIDE" diff flipped.tide "$good" >out 2>err
same "status of diff" 125 $?
same "lines that say what was changed" 1 "$(grep -c 'was changed since' err)"
under all jq -n 1 >/dev/null
told merge flipped.tide profile.tide
told diff --json "$good" flipped.tide
same "a gate of what was changed" 125 "$("$HEAPTIDE" check \
	--fail-if 'live > 1T' flipped.tide >out 2>err; echo $?)"
grep -q 'was changed.* and is not judged' err || fail "check: $(cat err)"
"$HEAPTIDE" report --verify flipped.tide >out 2>err
same "status of --verify" 1 $?
grep -q '^it was changed since heaptide wrote it, in its sites$' out ||
	fail "--verify: $(cat out)"

# --- profiles as the program left them ------------------------------------------

# Without the checksum: what figures say of each other.
cp "$good" flipped.tide
perl -e 'open my $f, "+<:raw", $ARGV[0]; seek $f, 64 + 32 * 30, 0;
	print $f "\0" x 32' flipped.tide
"$HEAPTIDE" report --verify flipped.tide >out || fail "bare: $(cat out)"

# contradicts TABLE BYTE...
contradicts()
{
	table=$1
	shift
	for byte; do
		flip "$table" "$byte" bare
		limited 20 "$HEAPTIDE" report --verify flipped.tide >out 2>&1
		same "table $table, byte $byte: $(head -n 1 out)" 1 $?
	done
}
# Of the first thread: allocated, freed, allocations, frees, temporary,
# requested, freed of that, published.
contradicts 0 192 200 208 216 224 256 264 280
# Of the site with row 3: allocations, frees, bytes, freed, slack, temporary.
contradicts 2 192 200 208 216 224 232
# Its leaf, its flags; the stack of another, the site of a stack.
contradicts 1 48
contradicts 5 76
# Where modules lie.
contradicts 6 0 16
