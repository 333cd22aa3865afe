#!/bin/sh
# sizing-real.sh - the sizing law on real memory, in a jail that kills
#
# usage: make bench-sizing-real, or builddir=BUILD sh tests/bench/sizing-real.sh
#
# Runs sizing-victim.c in a group of the memory controller with each size of a
# sweep, and with the law: cut, weights, and cut below the knee.  Prints items a
# second of CPU time, how often the kernel killed it, and the most that the
# group held.  `best` is the fastest size that was not killed; `largest` the
# largest, which others look for.
#
# Environment:
#   BENCH_ITEMS      items of each run: 20000
#   BENCH_RUNS       of each, the median counts: 3
#   BENCH_MIB        the limit: 256
#   BENCH_SIZES      the sweep
#   BENCH_WORKLOADS  linear drift bursts lognormal pareto-2.1 padded
#   BENCH_ALLOCATORS glibc and jemalloc, if it is there

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"

skip()
{
	echo "skipped: $*"
	exit 0
}

# The controller's directory, of version 1 or 2, and that we may use it.
group=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' \
	/proc/mounts)
[ -n "$group" ] || group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$group" ] || skip "there is no memory controller"
jail=$group/heaptide-bench.$$
mkdir "$jail" 2>/dev/null || skip "no group may be made in $group"
[ -w "$jail/memory.limit_in_bytes" ] || [ -w "$jail/memory.max" ] || {
	rmdir "$jail"
	skip "$group has no limit on memory that may be set"
}
rmdir "$jail"
trap 'status=$?; cd /; rmdir "$jail" 2>/dev/null; rm -rf "$scratch"
	exit $status' EXIT

model=$srcdir/src/model
${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE -I"$srcdir/src" -I"$srcdir/tools" \
	-o victim "$here/sizing-victim.c" "$srcdir/tools/sim-work.c" \
	"$model/numbers.c" "$model"/sizing*.c "$model/knee.c" \
	"$model/sensor.c" || die "cannot build the victim"

items=${BENCH_ITEMS:-20000}
limit=${BENCH_MIB:-256}
sizes=${BENCH_SIZES:-1 2 4 8 12 16 24 32 48 64 96 128 192 256 320 384 512}

# run HOW [N]: items/s, kills, most/limit, mean n; by the median of the rates
run()
{
	for i in $(seq "${BENCH_RUNS:-3}"); do
		env ${preload:+LD_PRELOAD="$preload"} ./victim "$jail" \
		    "$limit" "$items" "$work" "$@" || die "victim $*"
	done | sort -n >runs
	awk '{ line[NR] = $0; kills += $2; if ($3 > most) most = $3 }
		END { split(line[int((NR + 1) / 2)], f)
		    printf "%d %.1f %.2f %d\n", f[1], kills / NR, most, f[4] }' \
	    runs
}

# percent PART WHOLE
percent()
{
	[ "${2:-0}" -gt 0 ] && echo "$((100 * $1 / $2)) %" || echo -
}

missed=
printf '%-9s %-11s %-8s %8s %6s %5s %6s %8s %8s\n' allocator workload how \
	'items/s' kills most n 'of lrgst' 'of best'
for allocator in ${BENCH_ALLOCATORS:-glibc jemalloc}; do
	preload=
	if [ "$allocator" != glibc ]; then
		preload=$(ldconfig -p | awk -v name="lib$allocator.so" \
		    'index($1, name) == 1 { print $NF; exit }')
		[ -n "$preload" ] || {
			echo "without $allocator: it is not installed"
			continue
		}
	fi
	for work in ${BENCH_WORKLOADS:-linear drift bursts lognormal pareto-2.1 \
	    padded}; do
		: >sweep
		for n in $sizes; do
			echo "$n $(run static "$n")" >>sweep
			# Beyond what is killed often it gets no better.
			[ "$(awk 'END { print ($3 > 5) }' sweep)" -eq 0 ] ||
				break
		done
		set -- $(awk '$3 == 0 && $2 > best { best = $2; line = $0 }
			END { print line }' sweep)
		best=${2:-0}
		printf '%-9s %-11s %-8s %8s %6s %5s %6s %8s %8s\n' "$allocator" \
		    "$work" "best" "$2" "$3" "$4" "$1" "" ""
		set -- $(awk '$3 == 0 { line = $0 } END { print line }' sweep)
		largest=${2:-0}
		printf '%-9s %-11s %-8s %8s %6s %5s %6s %8s %8s\n' "$allocator" \
		    "$work" "largest" "${2:--}" "$3" "$4" "$1" "" \
		    "$(percent "$largest" "$best")"
		for how in sizes cut weights knee; do
			# Nothing to stop between two items where all are padded.
			[ "$work $how" != "padded cut" ] || continue
			set -- $(run $how)
			printf '%-9s %-11s %-8s %8s %6s %5s %6s %8s %8s\n' \
			    "$allocator" "$work" "$how" "$1" "$2" "$3" "$4" \
			    "$(percent "$1" "$largest")" \
			    "$(percent "$1" "$best")"
			case $how in
			cut | weights)
				[ "$2" = 0.0 ] ||
					missed="$missed $work/$how/killed"
				[ "$largest" -eq 0 ] ||
				[ $((100 * $1)) -ge $((95 * largest)) ] ||
					missed="$missed $work/$how/slow" ;;
			knee)
				[ $((100 * $1)) -ge $((85 * best)) ] ||
					missed="$missed $work/$how/slow" ;;
			esac
		done
	done
done
echo
echo "not as it is to be:${missed:- nothing}"
