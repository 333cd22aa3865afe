#!/bin/sh
# shares.sh - real processes on one ledger: never above the budget, nothing
# lost, nobody starved?
#
# usage: make bench-shares, or builddir=BUILD sh tests/bench/shares.sh
#
# First with memory that is accounted and not touched: what a batch takes is
# slept, so that there may be more cores than the machine has.  Then with real
# memory, in a control group of version 1 that is as large as the budget and
# what the processes are themselves; left out where that cannot be made.  There
# the cores that the machine has are what bounds it, as memory has to be written;
# so efficiency is by how much is in a second of CPU time, beside the same batches
# without any ledger, one after the other in as many processes as may be at it at
# one time.  These are measured before and after.
#
# Environment:
#   BENCH_PROCESSES  10 100 1000 10000
#   BENCH_TIME       how long each row runs: 20s; a round of 10,000 needs more:
#                    60s there, and of real memory
#   BENCH_KILLED     of a hundred processes so many get SIGKILL: 10
#   BENCH_TOUCHED    processes with real memory: 200; 0: none

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"
crowd=$builddir/tests/bench/crowd-shares
[ -x "$crowd" ] || die "tests/bench/crowd-shares is not built"

# Not on a disk: whenever that is written back, all would wait for it.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then
	HEAPTIDE_DIR=$(mktemp -d /dev/shm/heaptide-bench.XXXXXX) || exit
	trap 'status=$?; cd /; rm -rf "$scratch" "$HEAPTIDE_DIR"
		exit $status' EXIT
else
	echo "without /dev/shm: the pools are on a disk, and are held up by it"
fi
mkdir -p -m 700 "$HEAPTIDE_DIR"

value()
{
	sed -n "s/^$1 //p" said
}

# crowd PROCESSES CORES BUDGET TIME KILLS ITEM_US [touch|perfect]: in said
crowd()
{
	n=$1 cores=$2 budget=$3 time=$4 kills=$5 item=$6
	shift 6
	"$heaptide" pool start bench --budget "$budget" --cores "$cores" \
		>messages || die "$(cat messages)"
	$inside "$crowd" "$HEAPTIDE_DIR/pools/bench" "$n" "$time" "$kills" \
		"$item" "$@" >said || die "crowd-shares: $?"
	"$heaptide" pool stop bench
}

# show WHAT EFFICIENCY
show()
{
	printf '%-10s %6s %5s %6s %8s %8.3f %6s %8s %8.2f s %7.2f s %9.1f %% %7s us\n' \
		"$1" "$n" "$cores" "$(value killed)" "$(value lost)" \
		"$(value most_of_budget)" "$(value failed)" \
		"$(value unserved)" "$(value wait_most_s)" \
		"$(value round_s)" "$(awk -v e="$2" \
		'BEGIN { print 100 * e }')" "$(value cpu_us_a_batch)"
}

# a_tenth N: so many of N are killed
a_tenth()
{
	echo $(($1 * ${BENCH_KILLED:-10} / 100))
}

printf '%-10s %6s %5s %6s %8s %8s %6s %8s %10s %9s %11s %10s\n' memory \
	processes cores killed 'lost B' 'most use' failed unserved \
	'longest wait' 'one round' efficiency 'CPU/batch'
inside=
for n in ${BENCH_PROCESSES:-10 100 1000 10000}; do
	cores=128 time=20s
	[ "$n" -ge 128 ] || cores=32
	[ "$n" -ge 32 ] || cores=8
	[ "$n" -lt 10000 ] || time=60s
	# Items are 2.3 MiB in the mean; as in the simulator, 60 % of what all
	# cores could use.
	crowd "$n" $cores $((cores * 304 * 23 / 10 * 6 / 10))M \
		"${BENCH_TIME:-$time}" "$(a_tenth "$n")" 1000
	show accounted "$(value efficiency)"
done

"$heaptide" pool start bench --budget 1G --cores 8 >messages
"$crowd" "$HEAPTIDE_DIR/pools/bench" 0 10000000 0 1 >said
"$heaptide" pool stop bench
echo "alone: $(value ns_a_pair) ns to acquire and release"

n=${BENCH_TOUCHED:-200}
[ "$n" -gt 0 ] || exit 0
jail=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2 }' \
	/proc/mounts | head -n 1)/heaptide-bench-$$
if ! mkdir "$jail" 2>/dev/null ||
    ! [ -w "$jail/memory.limit_in_bytes" ]; then
	rmdir "$jail" 2>/dev/null
	echo "real memory: there is no control group of version 1 to be made"
	exit 0
fi
trap 'status=$?; cd /; rmdir "$jail"; rm -rf "$scratch" "$HEAPTIDE_DIR"
	exit $status' EXIT
# A process is some 300 KiB itself; what the kernel keeps for it is counted.
echo $((512 + n / 2))M >"$jail/memory.limit_in_bytes"
cat >enter <<SH
#!/bin/sh
echo \$\$ >"$jail/cgroup.procs"
exec "\$@"
SH
chmod +x enter
inside=./enter
# perfect: MiB a second of CPU time, and of any
perfect()
{
	crowd 8 8 512M "${BENCH_TIME:-20s}" 0 200 perfect
	echo "$(value mib_a_cpu_second) $(value mib_a_second)"
}

touched=${BENCH_TOUCHED:-200}
before=$(perfect) || exit
crowd "$touched" 8 512M "${BENCH_TIME:-60s}" "$(a_tenth "$touched")" 200 touch
cp said crowd-said
rate="$(value mib_a_cpu_second) $(value mib_a_second)"
after=$(perfect) || exit
cp crowd-said said
n=$touched
set -- $rate $before $after
show touched "$(awk -v r="$1" -v a="$3" -v b="$5" \
	'BEGIN { print 2 * r / (a + b) }')"
printf '%-10s MiB a second of CPU time %s; without a ledger %s, after it %s\n' \
	'' "$1" "$3" "$5"
printf '%-10s and a second of any %s; %s, %s\n' '' "$2" "$4" "$6"
printf '%-10s %s OOM kills, %s failures to charge, at most %s of %s MiB\n' \
	'' "$(sed -n 's/^oom_kill //p' "$jail/memory.oom_control")" \
	"$(cat "$jail/memory.failcnt")" \
	$(($(cat "$jail/memory.max_usage_in_bytes") / 1048576)) \
	$((512 + n / 2))
