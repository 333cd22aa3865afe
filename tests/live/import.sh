#!/bin/sh
# import.sh - profiles of other tools become profiles that report, diff and
# export take, and what a tool does not know is not made up
. "${srcdir:-.}/tests/lib.sh"
need jq ${CC:-cc}

cat >old.c <<'C'
#include <stdlib.h>
#include <unistd.h>

#ifndef MORE
#define MORE 0
#endif

void *volatile kept[1000];

static __attribute__((noinline)) void
keep(int i)
{
	kept[i] = malloc(1000);
}

static __attribute__((noinline)) void
keep_more(int i)
{
	kept[i] = malloc(1000 + MORE);
}

int
main(void)
{
	char *volatile big = malloc(500000);

	big[0] = 1;
	for (int i = 0; i < 300; i++)
		keep(i);
	for (int i = 300; i < 500; i++)
		keep_more(i);
	free(big);
	for (int i = 0; i < 100; i++) {
		free(kept[i]);
		kept[i] = NULL;
	}
	for (int i = 0; i < 50; i++)
		free(malloc(77));
	return 0;
}
C
"${CC:-cc}" -g -O0 -fno-builtin -o old old.c || fail "old.c"
mkdir new && "${CC:-cc}" -g -O0 -fno-builtin -DMORE=500 -o new/old old.c
limited 60 "$HEAPTIDE" run -q --stacks all -o ours.tide -- ./old
limited 60 "$HEAPTIDE" run -q --stacks all -o new.tide -- new/old

import()
{
	limited 60 "$HEAPTIDE" import "$@" >said 2>err ||
		fail "import $*: $? $(cat err)"
	grep -q ": from " said || fail "import $*: says '$(cat said)'"
}

# Both commands take it; and between this and the new program it is what
# keep_more() keeps that grew, by 512 usable bytes 200 times.
is_taken()
{
	report "$1"
	limited 60 "$HEAPTIDE" report "$1" >text || fail "report $1: $?"
	limited 60 "$HEAPTIDE" diff --json "$1" new.tide >diff.json ||
		fail "diff $1: $?"
	same "$1: matched by" names "$(json diff.json .matched_by)"
	same "$1: what grew" "keep_more $2" "$(json diff.json \
	    '.sites[0] | "\(.stack[0].function) \(.difference)"')"
	same "$1: what did not" "" "$(json diff.json \
	    '.sites[] | select(.stack[0].function == "keep" and
	    (.difference > 3200 or .difference < 0)) | .difference')"
	for format in pprof collapsed massif heaptrack callgrind csv; do
		"$HEAPTIDE" export -f $format -o exported "$1" 2>err ||
			fail "export -f $format $1: $(cat err)"
	done
}

ask()
{
	json report.json "$1"
}

# --- heaptrack ---------------------------------------------------------------

if command -v heaptrack >/dev/null && limited 100 heaptrack -o track ./old \
    >/dev/null 2>&1; then
	record=$(ls track.*)
	import heaptrack "$record" -o track.tide
	is_taken track.tide 102400
	same "heaptrack: who made it" "heaptrack: sizes are those asked for" \
		"$(ask .origin.of)"
	same "heaptrack: what is not known" "null started" \
		"$(ask '"\(.started) \(.origin.unknown | join(" "))"')"
	# All of its calls, so figures are exact; what heaptrack's own library
	# allocates in the program is no part of these.
	jq '[.sites[] | select(any(.stack[]; .function == "main"))]' \
	    report.json >own.json
	same "heaptrack: sums" "551 151 1003850 400 400000 1000000" \
		"$(json own.json 'def sum(f): map(f) | add;
		"\(sum(.allocations)) \(sum(.frees)) " +
		"\(sum(.allocated_bytes)) \(sum(.live_blocks)) " +
		"\(sum(.live_bytes)) \(sum(.at_peak_bytes))"')"
	same "heaptrack: peak" "$(ask .totals.peak_bytes)" \
		"$(ask '[.sites[].at_peak_bytes] | add')"
	within "heaptrack: temporary" 50 51 "$(ask .totals.temporary)"
	# Whatever it is compressed by, or not at all.
	case $record in
	*.zst) zstd -qdc "$record" >plain ;;
	*) gzip -dc "$record" >plain ;;
	esac
	gzip -c plain >plain.gz
	for file in plain plain.gz; do
		import heaptrack $file -o other.tide
		cmp track.tide other.tide || fail "$file is not $record"
	done
	head -c $(($(wc -c <plain.gz) / 2)) plain.gz >cut.gz
	"$HEAPTIDE" import heaptrack cut.gz -o no.tide 2>err && fail "cut off"
	grep -q "cut off" err || fail "cut off: $(cat err)"
	# Damaged at each of many places: a sentence, or something else to read.
	lines=$(wc -l <plain)
	at=1
	while [ $at -le "$lines" ]; do
		sed "${at}s/ [0-9a-f]*/ ffffffff/" plain >bad
		limited 20 "$HEAPTIDE" import heaptrack bad -o bad.tide \
			>/dev/null 2>err
		status=$?
		[ $status -eq 0 ] || [ $status -eq 125 ] ||
			fail "line $at damaged: $status"
		[ $status -eq 0 ] || same "sentences" 1 "$(wc -l <err)"
		at=$((at + lines / 40 + 1))
	done
else
	without "heaptrack, whose records are imported"
fi

# --- massif ------------------------------------------------------------------

if command -v valgrind >/dev/null && limited 100 valgrind --tool=massif \
    --detailed-freq=1 --time-unit=ms --threshold=0 \
    --massif-out-file=massif.out ./old >/dev/null 2>&1; then
	import massif massif.out -o massif.tide
	is_taken massif.tide 102400
	same "massif: what it does not tell" "null null null null" \
		"$(ask '.totals | "\(.allocations) \(.live_blocks) " +
		"\(.temporary) \(.allocated_bytes)"')"
	same "massif: threads that it does not tell" 0 "$(ask '.threads | length')"
	same "massif: live, and by site" "400000 400000" \
		"$(ask '"\(.totals.live_bytes) \([.sites[].live_bytes] | add)"')"
	within "massif: peak" 990000 1000000 "$(ask .totals.peak_bytes)"
	same "massif: by site" "$(ask .totals.peak_bytes)" \
		"$(ask '[.sites[].at_peak_bytes] | add')"
	grep -q 'allocated   not known' text || fail "massif: $(cat text)"
	sed '/^heap_tree=detailed/q' massif.out >cut
	"$HEAPTIDE" import massif cut -o no.tide 2>err && fail "cut off"
	grep -q 'ends within a tree' err || fail "cut off: $(cat err)"
else
	without "valgrind, whose massif is imported"
fi
# Ours, as massif would have written it, comes back.
"$HEAPTIDE" export -f massif -o our.massif ours.tide
import massif our.massif -o back.tide
report ours.tide
want=$(ask '.totals | "\(.live_bytes) \(.peak_bytes)"')
report back.tide
same "massif, there and back" "$want" \
	"$(ask '.totals | "\(.live_bytes) \(.peak_bytes)"')"

# --- pprof -------------------------------------------------------------------

"$HEAPTIDE" export -f pprof -o our.pb.gz ours.tide
import pprof our.pb.gz -o back.tide
report ours.tide
want=$(ask '.totals | "\(.live_bytes) \(.live_blocks) \(.allocations)
    \(.allocated_bytes) \(.peak_bytes)"')
stack=$(ask '[.sites[] | select(.stack[0].function == "keep")][0].stack[:2]')
report back.tide
same "pprof, there and back" "$want" \
	"$(ask '.totals | "\(.live_bytes) \(.live_blocks) \(.allocations)
    \(.allocated_bytes) \(.peak_bytes)"')"
same "pprof, a stack" "$stack" \
	"$(ask '[.sites[] | select(.stack[0].function == "keep")][0].stack[:2]')"
is_taken back.tide 102400

if command -v go >/dev/null; then
	cat >heap.go <<'GO'
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

var kept [][]byte

func hold() {
	for i := 0; i < 4096; i++ {
		kept = append(kept, make([]byte, 64<<10))
	}
}

func main() {
	hold()
	runtime.GC()
	file, _ := os.Create(os.Args[1])
	pprof.WriteHeapProfile(file)
	file.Close()
	println(len(kept))
}
GO
	if GOCACHE=$PWD/gocache GOPATH=$PWD/go limited 300 go build -o heapgo \
	    heap.go 2>err && ./heapgo go.pb.gz 2>/dev/null; then
		import pprof go.pb.gz -o go.tide
		report go.tide
		# One of 64 KiB is drawn with 1 - exp(-1/8): 481 of 4096 are,
		# with a standard error of 20.6; six of these are 26 %.
		within "Go's: what hold() holds" $((189 << 20)) $((323 << 20)) \
			"$(ask '[.sites[] | select(any(.stack[];
			.function == "main.hold")) | .live_bytes] | add')"
		same "Go's: an estimate" "sampled true 524288" "$(ask \
		    '"\(.stacks) \(.sites[0].estimated) \(.sample_bytes)"')"
	else
		without "a heap profile of Go: $(head -n 1 err)"
	fi
else
	without "go, whose heap profiles are imported"
fi

# The text of gperftools: by hand, and by its library where that is there.
cat >text.heap <<'END'
heap profile:      3:     3000 [     5:     5000] @ heapprofile
     2:     2000 [     4:     4000] @ 0x00001000 0x00002000
     1:     1000 [     1:     1000] @ 0x00001500 0x00002000

MAPPED_LIBRARIES:
00001000-00003000 r-xp 00000000 00:00 1 /no/such/program
END
import pprof text.heap -o text.tide
report text.tide
same "gperftools' text" "3000 3 5 5000 null /no/such/program" "$(ask \
    '"\(.totals.live_bytes) \(.totals.live_blocks) \(.totals.allocations) " +
    "\(.totals.allocated_bytes) \(.totals.peak_bytes) \(.modules[0].path)"')"
# One of 524288 bytes was in the sample by 1 - 1/e, so it stands for 1.582.
cat >jemalloc.heap <<'END'
heap_v2/524288
  t*: 1000: 524288000 [0: 0]
@ 0x1000 0x2000
  t*: 1000: 524288000 [0: 0]
  t0: 1000: 524288000 [0: 0]
END
import pprof jemalloc.heap -o text.tide
report text.tide
same "jemalloc's text, scaled" "1582 null" \
	"$(ask '"\(.sites[0].live_blocks) \(.totals.allocations)"')"
library=$(find /usr/lib -name 'libtcmalloc.so*' 2>/dev/null | head -n 1)
if [ -n "$library" ]; then
	limited 60 env HEAPPROFILE="$PWD/tc" LD_PRELOAD="$library" ./old \
	    2>/dev/null
	dump=$(ls tc.*.heap 2>/dev/null | tail -n 1)
	if [ -n "$dump" ]; then
		import pprof "$dump" -o tc.tide
		report tc.tide
		ask '.sites[].stack[0].function' | grep -qx keep_more ||
			fail "gperftools: no name: $(ask "[.sites[].stack[0]]")"
	else
		without "a dump of gperftools"
	fi
else
	without "gperftools, whose dumps are imported"
fi

# --- what is wrong -----------------------------------------------------------

refused()
{
	status=$1 words=$2
	shift 2
	"$HEAPTIDE" import "$@" >out 2>err
	same "status of import $*" "$status" $?
	same "sentences of import $*" 1 "$(wc -l <err)"
	grep -q -- "$words" err || fail "import $*: $(cat err)"
	[ -e no.tide ] && fail "import $*: something is written"
	return 0
}

: >empty
refused 2 'heaptrack, massif or pprof is accepted' dhat empty -o no.tide
refused 2 '-o FILE is missing' massif empty
refused 125 'No such file' massif missing -o no.tide
refused 125 'is empty' heaptrack empty -o no.tide
refused 125 'is empty' pprof empty -o no.tide
refused 125 'no snapshot' massif empty -o no.tide
refused 125 'no output of massif' massif old.c -o no.tide
refused 125 'no heaptrack record' heaptrack old.c -o no.tide
refused 125 'no profile for pprof' pprof old -o no.tide
refused 125 'directory' pprof . -o no.tide
printf 'v 10400 3\nm 0 1000\n' >raw
refused 125 'raw record' heaptrack raw -o no.tide
printf 'v 10400 9\n' >raw
refused 125 'file version' heaptrack raw -o no.tide
printf 'v 10400 3\na 10 0\n- 0\n' >raw
refused 125 'more is freed' heaptrack raw -o no.tide
cp our.pb.gz good.gz
refused 125 'cannot write' pprof good.gz -o no/such/place.tide
# Any damage is a sentence or another profile, never a crash.
gzip -dc our.pb.gz >proto
size=$(wc -c <proto)
at=0
while [ $at -lt "$size" ]; do
	{ head -c $at proto; printf '\377'; tail -c +$((at + 2)) proto; } >bad
	limited 20 "$HEAPTIDE" import pprof bad -o bad.tide >/dev/null 2>&1
	status=$?
	[ $status -eq 0 ] || [ $status -eq 125 ] ||
		fail "byte $at damaged: $status"
	at=$((at + size / 60 + 1))
done
exit 0
