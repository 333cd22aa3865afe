#!/bin/sh
# run.sh - what heaptide costs a program, beside the same program alone
#
# usage: make bench, or builddir=BUILD sh tests/bench/run.sh
#
# Every program runs plain and in each of the ways that are measured, one
# after another, BENCH_RUNS times; who comes first in a round is last in the
# next, so that none is always the one behind another.  A ratio is that of two
# runs of one round; a table shows their medians, and below the geometric mean
# over the programs.  CPU time is user and system time of the program and all
# of its children; the peak is the largest resident set among them.
#
# Ways: none, sampled, all
#                   libheaptide.so preloaded by hand, with --stacks as named
#       run         `heaptide run --stacks all` as a whole, profile and all
# and, where they are installed, others' as their manuals have them:
#       heaptrack   with its helpers; preload: its library alone, which
#                   writes what happens into a file
#       jemalloc    its own allocator; jeprof: the same, drawing each 512 KiB
#       gperftools  HEAPPROFILE with its own allocator; gmalloc: without
#       memusage    glibc's
#       massif, dhat: valgrind's
#
# Environment:
#   BENCH_SETS    which programs, real.sh and micro.sh: real micro
#   BENCH_FILTER  only those whose name matches this expression
#   BENCH_RUNS    how many rounds: 5
#   BENCH_WAYS    which ways: none sampled all
#
# Prints a table for each set and leaves all of it in BUILD/bench-SET.json.

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
rounds=${BENCH_RUNS:-5}
. "$srcdir/tests/bench/lib.sh"

case $rounds in
'' | *[!0-9]* | 0) die "BENCH_RUNS is '$rounds'; give a number from 1" ;;
esac

# --- ways ---------------------------------------------------------------------

libraries=/usr/lib/$(${CC:-cc} -print-multiarch 2>/dev/null)
jemalloc=$libraries/libjemalloc.so.2
gperftools=$libraries/libtcmalloc.so.4
memusage=$libraries/libmemusage.so
preload=/usr/lib/heaptrack/libheaptrack_preload.so

# Is there what the way needs?
can()
{
	case $1 in
	heaptrack) has heaptrack ;;
	massif | dhat) has valgrind ;;
	preload) [ -e "$preload" ] ;;
	jemalloc | jeprof) [ -e "$jemalloc" ] ;;
	gperftools | gmalloc) [ -e "$gperftools" ] ;;
	memusage) [ -e "$memusage" ] ;;
	esac
}

# A program calls measured COMMAND..., and the way puts itself around it.
# $beside, if set, is a command that keeps it busy.
measure()
{
	if [ -n "$beside" ]; then
		./measure -b "$beside" result "$@"
	else
		./measure result "$@"
	fi >/dev/null 2>messages
}

measured()
{
	case $way in
	plain) measure "$@" ;;
	none | sampled | all)
		measure LD_PRELOAD="$library" HEAPTIDE_STACKS="$way" "$@"
		;;
	run)
		measure "$heaptide" run --stacks all --summary off \
		    -o "$scratch/profile.tide" -- "$@"
		;;
	heaptrack) measure heaptrack -o "$scratch/profile" "$@" ;;
	preload)
		measure LD_PRELOAD="$preload" \
		    DUMP_HEAPTRACK_OUTPUT="$scratch/profile" "$@"
		;;
	jemalloc) measure LD_PRELOAD="$jemalloc" "$@" ;;
	jeprof)
		measure LD_PRELOAD="$jemalloc" MALLOC_CONF=prof:true "$@"
		;;
	gmalloc) measure LD_PRELOAD="$gperftools" "$@" ;;
	gperftools)
		measure LD_PRELOAD="$gperftools" \
		    HEAPPROFILE="$scratch/profile" "$@"
		;;
	memusage)
		measure LD_PRELOAD="$memusage" \
		    MEMUSAGE_OUTPUT="$scratch/profile" "$@"
		;;
	massif)
		measure valgrind --tool=massif \
		    --massif-out-file="$scratch/profile" "$@"
		;;
	dhat)
		measure valgrind --tool=dhat \
		    --dhat-out-file="$scratch/profile" "$@"
		;;
	*) die "there is no way '$way'" ;;
	esac
}

ways=
for way in ${BENCH_WAYS:-none sampled all}; do
	if can "$way"; then
		ways="$ways $way"
	else
		echo "bench: $way is left out, it is not installed" >&2
	fi
done

# --- rounds -------------------------------------------------------------------

# All rounds of $program; a line of a run in results.
rounds_of()
{
	round=1
	turn=$(echo plain $ways)
	while [ $round -le "$rounds" ]; do
		[ ! -t 2 ] || printf '\r%-16s %s of %s ' "$program" \
		    $round "$rounds" >&2
		for way in $turn; do
			rm -f result
			"run_$program"
			[ -s result ] || die "$program, $way: $(cat messages)"
			echo "$program $way $round $(cat result)" >>results
			rm -rf segments profile*
		done
		round=$((round + 1))
		turn="${turn#* } ${turn%% *}"
	done
}

status=0
tables=0
for set in ${BENCH_SETS:-real micro}; do
	[ -e "$here/$set.sh" ] || die "there is no set of programs '$set'"
	. "$here/$set.sh"
	beside=
	rm -f results
	for program in $programs; do
		echo "$program" | grep -qE -e "${BENCH_FILTER:-.}" || continue
		"prepare_$program" >prepared 2>&1 || {
			echo "bench: $program is left out," \
			    "it cannot be run here" >&2
			continue
		}
		rounds_of
	done
	[ -s results ] || continue
	[ ! -t 2 ] || printf '\r%40s\r' '' >&2
	[ $tables = 0 ] || echo
	tables=$((tables + 1))
	perl "$here/table.pl" "$builddir/bench-$set.json" $ways <results ||
		status=1
done
[ $tables != 0 ] || die "no program matches BENCH_FILTER='${BENCH_FILTER-}'"
exit $status
