#!/bin/sh
# ps-damaged.sh - what is no profile is one line of ps, and no more
. "${srcdir:-.}/tests/lib.sh"
need jq perl

mkdir -m 700 "$HEAPTIDE_DIR"
LD_PRELOAD=$LIBHEAPTIDE perl -e 'my @x = (1) x 1000'
good=$(echo "$HEAPTIDE_DIR"/*.tide)
[ -s "$good" ] || fail "no segment of a program preloaded by hand"
name=${good##*/}
ticks=${name#*.}
ticks=${ticks%.tide}

cd "$HEAPTIDE_DIR" || exit
: >"2.$ticks.tide"
head -c 100 "$good" >"3.$ticks.tide"
head -c 9000 "$good" >"4.$ticks.tide"
head -c 65536 /dev/urandom >"5.$ticks.tide"
mkdir "6.$ticks.tide"
ln -s /dev/zero "7.$ticks.tide"
mkfifo "8.$ticks.tide"
touch notes.txt 12.tide a.b.tide .tide 1.2.3.4.tide

limited 60 "$HEAPTIDE" ps --json >"$scratch/ps.json" || fail "ps fails: $?"
same "damaged" 7 "$(json "$scratch/ps.json" '.damaged | length')"
same "good" 1 "$(json "$scratch/ps.json" '.processes | length')"
limited 60 "$HEAPTIDE" ps >"$scratch/out" 2>&1 || fail "ps fails: $?"
same "lines" 11 "$(wc -l <"$scratch/out")"

# Bits that lie: any line will do, but no crash and no hang.
for seed in 1 2 3 4 5 6 7 8 9 10; do
	perl -e 'srand shift; local $/; my $s = <STDIN>;
		substr($s, int(rand 8192), 1) = chr int rand 256 for 1 .. 20;
		print $s' $seed <"$good" >"9.$ticks.tide"
	limited 60 "$HEAPTIDE" ps >"$scratch/out" 2>&1 ||
		fail "seed $seed: status $?"
done

limited 60 "$HEAPTIDE" ps --clean >/dev/null 2>&1
rmdir "6.$ticks.tide"
same "what is no segment stays" \
	".tide 1.2.3.4.tide 12.tide a.b.tide notes.txt" \
	"$(ls -A | LC_ALL=C sort | xargs)"
