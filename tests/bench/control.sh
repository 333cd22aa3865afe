#!/bin/sh
# control.sh - what asking costs: how long an answer takes, and whose time
#
# usage: make bench-control, or builddir=BUILD sh tests/bench/control.sh
#
# Puts requests to a program that allocates all the time, and prints how many a
# second were answered, how long `status` took, what the supervisor and the
# program used of the CPU meanwhile, how far the program came, and what of the
# CPU it took for each allocation, beside the same time without requests; and
# the supervisor's memory and descriptors.
#
# Environment:
#   BENCH_SECONDS  of each row: 30
#   BENCH_RATES    requests a second: 0, 100, 10000, and `most`
#   BENCH_STACKS   sampled all
#   BENCH_HELD     MiB that the program holds beside, for a census to see: 0

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"

seconds=${BENCH_SECONDS:-30}
${CC:-cc} -O2 -D_GNU_SOURCE -o ask "$here/ask.c" &&
	${CC:-cc} -O2 -D_GNU_SOURCE -pthread -I"$srcdir/tests/victims" \
	    -o turned "$srcdir/tests/victims/turned.c" || die "cannot build"
cat >hold.pl <<'PL'
# Some memory, then the program: it stays with a child.
my $held = "x" x ($ARGV[0] << 20);
open my $f, ">", "held";
sleep 1 until -e "enough";
PL

run=
trap 'status=$?; touch enough; wait $run; cd /; rm -rf "$scratch" "$segments"
	exit $status' EXIT

# figures: CPU ticks of supervisor and program, allocations
figures()
{
	for p in "$run" "$pid"; do
		sed 's/.*) //' /proc/"$p"/stat | awk '{ print $12 + $13 }'
	done | xargs
}

allocations()
{
	"$heaptide" ctl "$pid" metrics |
		sed 's/.*heaptide_allocations_total":\([0-9]*\).*/\1/'
}

# supervisor: KiB of its own, descriptors
supervisor()
{
	echo "$(awk '/^RssAnon/ { print $2 }' /proc/"$run"/status) KiB," \
	    "$(ls /proc/"$run"/fd | wc -l) descriptors"
}

ticks=$(getconf CLK_TCK)
printf '%-8s %9s %9s %9s %9s %9s %10s %9s %11s %7s\n' stacks asked answered \
    median '99 %' longest supervisor program 'allocations' each
for stacks in ${BENCH_STACKS:-sampled all}; do
	rm -rf enough held "$HEAPTIDE_DIR"
	"$heaptide" run --stacks "$stacks" --summary off -o profile.tide -- \
	    sh -c 'perl hold.pl "$0" & until [ -e held ]; do sleep 0.1; done
		exec ./turned 2 enough' "${BENCH_HELD:-0}" >messages 2>&1 &
	run=$!
	until pid=$(sed 's/ .*//' /proc/"$run"/task/"$run"/children) &&
	    [ "$(cat /proc/"$pid"/comm 2>&1)" = turned ]; do sleep 0.1; done
	socket=$HEAPTIDE_DIR/$pid.sock
	# Until a look, who asks is told of what it was before its exec.
	until "$heaptide" ctl "$pid" status | grep -q '"status":"running"'; do
		sleep 0.1
	done
	before=$(supervisor)
	for rate in ${BENCH_RATES:-0 100 10000 most}; do
		set -- $(figures) "$(allocations)"
		case $rate in
		0) sleep "$seconds"; echo 0 - - - >answered ;;
		most) ./ask "$socket" "$seconds" 0 8 status >answered ;;
		*) ./ask "$socket" "$seconds" "$rate" 8 status version memory \
		    "sites 5" metrics "marks 5" >answered ;;
		esac || die "no answers at $rate"
		set -- "$@" $(figures) "$(allocations)" $(cat answered)
		echo "$stacks $rate $7 $8 $9 ${10} $(awk "BEGIN {
			print ($4 - $1) * 100 / $ticks / $seconds,
			    ($5 - $2) * 100 / $ticks / $seconds,
			    ($6 - $3) / $seconds,
			    ($5 - $2) * 1e9 / $ticks / ($6 - $3) }")" |
			awk '{ printf "%-8s %7s/s %7s/s %6s us %6s us %6s us " \
			    "%8.1f %% %7.1f %% %9d/s %4d ns\n", $1, $2, $3,
			    $4, $5, $6, $7, $8, $9, $10 }'
	done
	echo "$stacks: the supervisor has $(supervisor); before, $before"
	touch enough
	wait "$run" || die "$(cat messages)"
	run=
done
