#!/bin/sh
# scan.sh - how long a scan holds a program, how fast it is, what it takes
#
# usage: make bench-scan, or builddir=BUILD sh tests/bench/scan.sh
#
# Environment:
#   BENCH_MIB      of heap: 2048
#   BENCH_BLOCKS   mean sizes of its blocks: 64 128 1024 65536
#   BENCH_STACKS   none all
#   BENCH_RUNS     scans of each: 3; the median is printed

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"
has jq || die "jq is needed"

${CC:-cc} -O2 -fno-builtin -o scan-heap "$here/scan-heap.c" ||
	die "cannot build"
run=
trap 'status=$?; touch enough; wait $run; cd /; rm -rf "$scratch"
	exit $status' EXIT

printf '%-7s %6s %11s %9s %9s %9s %12s %9s\n' stacks block blocks held \
    'CPU time' whole 'heap a s' memory
for stacks in ${BENCH_STACKS:-none all}; do
	for block in ${BENCH_BLOCKS:-64 128 1024 65536}; do
		rm -rf enough "$HEAPTIDE_DIR"
		: >out
		"$heaptide" run --stacks $stacks --summary off -o last.tide \
		    -- ./scan-heap "${BENCH_MIB:-2048}" "$block" >out &
		run=$!
		until grep -q blocks out; do
			kill -0 $run 2>/dev/null || die "it has ended"
			sleep 0.2
		done
		set -- "$HEAPTIDE_DIR"/*.tide
		pid=${1##*/}
		pid=${pid%%.*}
		for n in $(seq "${BENCH_RUNS:-3}"); do
			"$heaptide" leaks --scan --json "$pid" ||
				die "no scan"
		done | jq -rs --arg stacks $stacks --arg block "$block" '
		    def median: sort | .[length / 2 | floor];
		    map(.scan) | "\($stacks) \($block) \(.[0].live_blocks) \(
		    (map(.pause) | median) * 1000) \(
		    map(.cpu_seconds) | median) \(map(.seconds) | median) \(
		    .[0].live_bytes / (map(.cpu_seconds) | median) / 1e6) \(
		    .[0].memory_bytes / 1e6)"' |
			awk '{ printf "%-7s %6d %11d %6.1f ms %7.2f s %7.2f s" \
			    " %8.0f MB %6.0f MB\n", $1, $2, $3, $4, $5, $6,
			    $7, $8 }'
		touch enough
		wait $run
	done
done
