#!/bin/sh
# fuzz.sh - no bytes make a parser crash, hang or contradict itself
#
# Each tests/fuzz/fuzz-NAME.c is built with clang, libFuzzer, AddressSanitizer
# and UndefinedBehaviorSanitizer in $builddir/fuzz, given all of its corpus, and
# then runs from a fixed seed.  FUZZ_SECONDS=n: for so long instead, from any
# seed, keeping what it learnt in $builddir/fuzz/learnt; `make fuzz`.
. "${srcdir:-.}/tests/lib.sh"
need make

# name, runs of a short round, longest input
targets='
	text 100000 400
	environment 100000 400
	batch 20000 600
	gate 100000 300
	rules 100000 500
	proc 2000 2000
	command 3000 4000
	request 4000 5000
	journal 4000 6000
	import 6000 4000
	web 100000 600
	profile 3000 100000'

fuzzer=-fsanitize=fuzzer,address,undefined
clang=
for candidate in clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14
do
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >empty.c
	$candidate $fuzzer -o empty empty.c 2>/dev/null || continue
	clang=$candidate
	break
done
[ -n "$clang" ] || skip "there is no clang with libFuzzer"

unset MAKEFLAGS
mkdir -p "$builddir/fuzz"
cd "$builddir/fuzz" || exit
# make(1) would configure it anew with what links the targets, and fail.
[ Makefile -nt "$srcdir/configure" ] || "$srcdir/configure" CC="$clang" CFLAGS="-g -O1 \
    -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=undefined" >configure.log 2>&1 ||
	fail "cannot configure: $(tail -n 5 configure.log)"
programs=$(echo "$targets" | awk 'NF { print "tests/fuzz/fuzz-" $1 }')
make -j2 LDFLAGS="$fuzzer" $programs >make.log 2>&1 ||
	fail "cannot build: $(grep -e error: -e '\*\*\*' make.log | head -n 5)"

# A seed that is made here: no profile of another machine is in the tree.
seeds=$scratch/seeds
mkdir -p "$seeds/profile" "$seeds/command" "$seeds/journal"
for how in marks batches walk; do
	HEAPTIDE_STATE=$scratch/runs RUNNER=$how RUNNER_N=3 RUNNER_FAILS=,3,9, \
		HEAPTIDE_QUARANTINE=17,40-45 "$victims/runner" >/dev/null ||
		fail "no file of a run as a seed"
	cp "$scratch"/runs/runs/*.tideck "$seeds/journal/$how.tideck" ||
		fail "no file of a run as a seed"
done
HEAPTIDE_DIR=$scratch/segments "$HEAPTIDE" run --stacks all --summary off \
	-o "$seeds/profile/true.tide" -- true || fail "no profile as a seed"
HEAPTIDE_DIR=$scratch/segments "$HEAPTIDE" run --stacks all --summary off \
	-o "$seeds/profile/epochs.tide" -- "$victims/epochs" 1 12 >/dev/null ||
	fail "no profile with epochs as a seed"
HEAPTIDE_DIR=$scratch/segments "$HEAPTIDE" run --summary off --budget 64M \
	-o "$seeds/profile/advised.tide" -- "$victims/advised" alike items=200 \
	fixed=8 >/dev/null || fail "no profile with operations as a seed"
head -c 4000 "$(command -v env)" >"$seeds/command/elf"

# run NAME RUNS LENGTH
run()
{
	learnt=$scratch/learnt
	limit="-seed=1 -runs=$2"
	if [ -n "${FUZZ_SECONDS-}" ]; then
		learnt=$builddir/fuzz/learnt/$1
		limit=-max_total_time=$FUZZ_SECONDS
	fi
	mkdir -p "$learnt" "$seeds/$1"
	# Of some there is nothing yet but the seeds that are made here.
	corpus=$srcdir/tests/fuzz/corpus/$1
	[ -d "$corpus" ] || corpus=
	# Its own output is closed: the parsers' is of no use here.
	limited $((300 + ${FUZZ_SECONDS:-0})) "./tests/fuzz/fuzz-$1" $limit \
		-max_len="$3" -timeout=20 -rss_limit_mb=2000 -close_fd_mask=3 \
		-artifact_prefix="$builddir/fuzz/$1-" -print_final_stats=1 \
		"$learnt" ${corpus:+"$corpus"} "$seeds/$1" \
		>"$scratch/$1.log" 2>&1 && return
	grep -m 1 -A 25 -e 'runtime error' -e ERROR: -e 'not so' \
		"$scratch/$1.log"
	fail "$1: the input is in $builddir/fuzz/$1-*; it belongs into" \
	    "tests/fuzz/corpus/$1 once it is understood"
}

echo "$targets" >"$scratch/targets"
while read -r name runs length; do
	[ -n "$name" ] || continue
	run "$name" "$runs" "$length" || exit
	grep -h -e stat::number_of_executed_units -e '#[0-9]*.DONE' \
		"$scratch/$name.log" | sed "s/^/$name: /"
	rm -rf "$scratch/learnt"
done <"$scratch/targets"
