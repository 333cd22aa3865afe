#!/bin/sh
# growth.sh - what heaptide takes for itself, however long the program runs
#
# usage: make bench-growth, or builddir=BUILD sh tests/bench/growth.sh
#
# Runs programs of micro.c longer and longer, and prints what heaptide's own
# pages in the process are at the end, and how large the profile is.
#
# Environment:
#   BENCH_COUNTS  allocations, from the least: 1e6 to 1e8
#   BENCH_KINDS   kinds of micro.c: pairs churn many-50 threads handover

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"
. "$here/micro.sh"
prepare_micro || die "cannot build micro"

printf '%-10s %-8s %12s %12s %12s %10s\n' kind stacks allocations \
    'own memory' profile 'CPU time'
for kind in ${BENCH_KINDS:-pairs churn many-50 threads handover}; do
	for stacks in sampled all; do
		for count in ${BENCH_COUNTS:-1000000 10000000 100000000}; do
			rm -f profile.tide
			./measure result "$heaptide" run --stacks $stacks \
			    --summary off -o profile.tide -- ./micro "$kind" \
			    "$count" >messages 2>&1 || die "$(cat messages)"
			"$heaptide" report --json profile.tide >report.json
			own=$(sed -n 's/.*"heaptide": *\([0-9]\{4,\}\).*/\1/p' \
			    report.json | head -n 1)
			printf '%-10s %-8s %12s %8s KiB %10s B %8.2f s\n' \
			    "$kind" $stacks "$count" $((own / 1024)) \
			    "$(wc -c <profile.tide)" "$(awk \
			    '{ print $1 + $2 }' result)"
		done
	done
done
