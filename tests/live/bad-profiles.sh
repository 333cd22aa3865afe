#!/bin/sh
# bad-profiles.sh - what is no profile, or no longer, is refused in a sentence
. "${srcdir:-.}/tests/lib.sh"
need jq perl

under all jq -n '[range(2000)] | map(tostring) | length' >/dev/null
good=$scratch/profile.tide
bytes=$(wc -c <"$good")

# refused FILE WORDS: one line, nothing on stdout, heaptide's own status
refused()
{
	for form in "" --json; do
		limited 10 "$HEAPTIDE" report $form "$1" >out 2>err </dev/null
		same "status of report $form $1" 125 $?
		same "output of report $form $1" 0 "$(wc -c <out)"
		same "lines of report $form $1" 1 "$(wc -l <err)"
		grep -q "^heaptide: report: .*$2" err ||
			fail "report $1 does not say '$2' but: $(cat err)"
	done
}

# html_data FILE: the object in a page
html_data()
{
	sed -n 's|.*id="heaptide-data">\(.*\)</script>$|\1|p' "$1"
}

# survives FILE: an answer or a refusal, but an orderly one
survives()
{
	for form in "" --json --html=-; do
		limited 20 "$HEAPTIDE" report $form "$1" >out 2>err </dev/null
		status=$?
		case $status in
		0)
			case $form in
			--json) jq -e .totals out >/dev/null ;;
			--html=-) html_data out | jq -e .report.totals \
				>/dev/null ;;
			esac || fail "$1: no JSON in report $form"
			;;
		125)
			same "lines of report $form $1" 1 "$(wc -l <err)"
			;;
		*) fail "report $form $1: status $status: $(tail -n 3 err)" ;;
		esac
	done
}

# --- cut off ------------------------------------------------------------------

for size in 0 1 7 8 63 64 575 576 2623 2624 8191 8192 9000 \
	$((bytes / 2)) $((bytes - 1)); do
	head -c "$size" "$good" >cut.tide
	refused cut.tide cut.tide
done

# --- bits that fell over ------------------------------------------------------

# In the header, where they hurt most, and anywhere.
cat >flip.pl <<'PL'
my ($file, $seed, $within) = @ARGV;
srand $seed;
local $/;
open my $in, "<:raw", $file or die;
my $bytes = <$in>;
$within = length $bytes if $within > length $bytes;
for (1 .. 1 + $seed % 8) {
	vec($bytes, int rand 8 * $within, 1) ^= 1;
}
binmode STDOUT;
print $bytes;
PL
seed=0
while [ $seed -lt 40 ]; do
	for within in 700 8192 1000000000; do
		perl flip.pl "$good" $seed $within >flipped.tide
		survives flipped.tide
	done
	seed=$((seed + 1))
done
# Garbage behind a good start.
head -c 3000 "$good" >garbage.tide
head -c "$bytes" /dev/urandom >>garbage.tide
survives garbage.tide

# --- something else -----------------------------------------------------------

# Another layout, another byte order: at offset 8 and 12.
{ head -c 8 "$good"; printf '\143\000\000\000'; tail -c +13 "$good"; } >v.tide
refused v.tide v.tide
{ head -c 12 "$good"; printf '\001\002\003\004'; tail -c +17 "$good"; } >o.tide
refused o.tide o.tide

echo "some text that is longer than the head of a profile, but is none" >text
refused text text
refused "$(command -v sh)" sh
mkdir directory
refused directory directory
refused missing.tide "No such file"
refused /dev/null /dev/null
refused /dev/zero /dev/zero
mkfifo pipe
refused pipe pipe
# What another command writes is read from it, by itself and as - is.
cp "$good" ./whole.tide
"$HEAPTIDE" report --json whole.tide | jq -S 'del(.heaptide)' >file.json
cat whole.tide | limited 60 "$HEAPTIDE" report --json - >out ||
	fail "from a pipe: status $?"
jq -S 'del(.heaptide)' out | cmp - file.json || fail "from a pipe: another"
limited 60 "$HEAPTIDE" report --json - <whole.tide >out ||
	fail "from a file as standard input: status $?"
jq -S 'del(.heaptide)' out | cmp - file.json || fail "from a file: another"
cat whole.tide | limited 60 "$HEAPTIDE" report --json /dev/stdin >out ||
	fail "from /dev/stdin: status $?"
printf '' | limited 60 "$HEAPTIDE" report - >out 2>err
same "status of nothing" 125 $?
grep -q "'-' is empty" err || fail "of nothing: $(cat err)"
head -c 1000 whole.tide | limited 60 "$HEAPTIDE" report - >out 2>err
same "status of too little" 125 $?
grep -q "'-' is cut off" err || fail "of too little: $(cat err)"
ln -s circle circle
refused circle circle
refused '' ""
refused 4194305 4194305
refused $$ $$

# Not for us to read; root may read everything.
cp "$good" closed.tide
chmod 0 closed.tide
chmod 755 "$scratch"
if [ "$(id -u)" -ne 0 ]; then
	refused closed.tide "Permission denied"
elif setpriv --reuid 65534 --clear-groups "$HEAPTIDE" version \
	>/dev/null 2>&1; then
	setpriv --reuid 65534 --clear-groups "$HEAPTIDE" report \
	    "$scratch/closed.tide" >out 2>err
	same "status of what may not be read" 125 $?
	grep -q 'closed.tide.*Permission denied' err ||
		fail "no word of the permission: $(cat err)"
fi

# A place to write to that is full.
if [ -e /dev/full ]; then
	"$HEAPTIDE" report "$good" >/dev/full 2>err
	same "status of a report that nobody got" 125 $?
	same "lines" 1 "$(wc -l <err)"
fi
