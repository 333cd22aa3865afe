#!/bin/sh
# sizing-real.sh - the sizing law on real memory, in a jail that kills
#
# usage: make bench-sizing-real, or builddir=BUILD sh tests/bench/sizing-real.sh
#
# Runs sizing-victim.c in a group of the memory controller: with each size of a
# sweep; with the laws by themselves: by sizes alone, cut, weights, and cut below
# the knee; and as a program that asks heaptide.h with the library inside, item
# by item or telling weights.  Prints items a second of CPU time, how often the
# kernel killed it, the most that the group held, and the mean batch.
#
# `best` is the fastest size that was not killed, `largest` the largest, which
# others look for.  The fastest of a sweep is also the luckiest: both are run
# again, in turn with what is compared to them, and only that counts.  If one of
# them is killed then, the next smaller one takes its place.
#
# Environment:
#   BENCH_ITEMS      items of each run: 20000
#   BENCH_RUNS       of each, the median counts: 3; of the sweep: 1
#   BENCH_MIB        the limit: 256
#   BENCH_SIZES      the sweep
#   BENCH_WORKLOADS  linear drift bursts lognormal pareto-2.1 padded
#   BENCH_ALLOCATORS glibc, jemalloc, mimalloc, tcmalloc: those that are there

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"

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
	-I"$srcdir/include" -pthread -o victim \
	"$here/sizing-victim.c" "$srcdir/tools/simulate/sim-work.c" \
	"$model/numbers.c" "$model"/sizing*.c "$model/knee.c" \
	"$model/sensor.c" -ldl || die "cannot build the victim"

items=${BENCH_ITEMS:-20000}
limit=${BENCH_MIB:-256}
sizes=${BENCH_SIZES:-1 2 4 8 12 16 24 32 48 64 96 128 192 256 320 384 512}

# once HOW [N]: items/s, kills, most/limit, mean n, batches
once()
{
	case $1 in
	program | told) with="$library $preload" ;;
	*) with=$preload ;;
	esac
	env HEAPTIDE_STACKS=none ${with:+LD_PRELOAD="$with"} ./victim "$jail" \
	    "$limit" "$items" "$work" "$@" || die "victim $*"
}

# median FILE: by the rates
median()
{
	sort -n "$1" | awk '{ line[NR] = $0; kills += $2
		if ($3 > most) most = $3 }
		END { split(line[int((NR + 1) / 2)], f)
		    printf "%d %.1f %.2f %d\n", f[1], kills / NR, most, f[4] }'
}

# percent HOW OTHER: of the rates, the median over the rounds, as what else the
# machine does slows all that runs in a round.  A row without a partner, as one
# that was killed was taken out, is compared with the median of the others.
percent()
{
	paste -d' ' "run.$1" "run.$2" | awk -v other="$(median "run.$2")" '
		BEGIN { split(other, m) }
		{ print 100 * $1 / (NF > 5 && $6 > 0 ? $6 : m[1]) }' |
	    sort -n | awk '{ r[NR] = $1 } END { print int(r[int((NR + 1) / 2)]) }'
}

# row HOW RATE KILLS MOST N
row()
{
	of_largest=$(percent "$1" largest)
	of_best=$(percent "$1" "$best_is")
	printf '%-9s %-11s %-8s %8s %6s %5s %6s %8s %8s\n' "$allocator" \
	    "$work" "$@" "$of_largest %" "$of_best %"
}

# The library of an allocator, or nothing.
find_library()
{
	ldconfig -p | awk -v name="^lib$1(_minimal)?[.]so" \
	    '$1 ~ name { print $NF; exit }'
}

# Which sizes are the best and the largest, into $best_n and $largest_n.
sweep()
{
	: >sweep
	for n in $sizes; do
		echo "$n $(once static "$n")" >>sweep
		# Beyond what is killed often it gets no better.
		[ "$(awk 'END { print ($3 > 5) }' sweep)" -eq 0 ] || break
	done
	best_n=$(awk '$3 == 0 && $2 > best { best = $2; n = $1 }
		END { print n }' sweep)
	largest_n=$(awk '$3 == 0 { n = $1 } END { print n }' sweep)
	[ -n "$best_n" ] || die "$allocator, $work: every size is killed"
}

# smaller N: the size of the sweep below it
smaller()
{
	awk -v n="$1" '$1 < n { m = $1 } END { print m }' sweep
}

# Of each that is compared, in turn, $BENCH_RUNS runs.
compare()
{
	rm -f run.*
	for i in $(seq "${BENCH_RUNS:-3}"); do
		once static "$best_n" >>run.best
		once static "$largest_n" >>run.largest
		# One that is killed is none of those that count.
		while [ "$(awk '{ k += $2 } END { print k }' run.largest)" -ne 0 ]
		do
			largest_n=$(smaller "$largest_n")
			once static "$largest_n" >run.largest
		done
		for how in $hows; do
			once "$how" >>"run.$how"
		done
	done
}

judge()
{
	case $1 in
	cut | weights | program | told)
		[ "$3" = 0.0 ] || missed="$missed $allocator/$work/$1/killed" ;;
	esac
	case $1 in
	cut | weights)
		[ "$of_largest" -ge 95 ] ||
			missed="$missed $allocator/$work/$1/slow" ;;
	knee | program | told)
		[ "$of_best" -ge 85 ] ||
			missed="$missed $allocator/$work/$1/slow" ;;
	esac
}

missed=
printf '%-9s %-11s %-8s %8s %6s %5s %6s %8s %8s\n' allocator workload how \
	'items/s' kills most n 'of lrgst' 'of best'
for allocator in ${BENCH_ALLOCATORS:-glibc jemalloc mimalloc tcmalloc}; do
	preload=
	[ "$allocator" = glibc ] || preload=$(find_library "$allocator")
	[ "$allocator" = glibc ] || [ -n "$preload" ] || {
		echo "without $allocator: it is not installed"
		continue
	}
	for work in ${BENCH_WORKLOADS:-linear drift bursts lognormal pareto-2.1 \
	    padded}; do
		hows='sizes cut weights knee program told'
		# Nothing to stop between two items where all are padded.
		[ "$work" != padded ] || hows='sizes weights knee program told'
		sweep
		compare
		best=$(median run.best) best=${best%% *}
		largest=$(median run.largest) largest=${largest%% *}
		best_is=best
		[ "$best" -ge "$largest" ] || best_is=largest
		for how in best largest $hows; do
			set -- $(median "run.$how")
			row "$how" "$@"
			judge "$how" "$@"
		done
	done
done
echo
echo "not as it is to be:${missed:- nothing}"
