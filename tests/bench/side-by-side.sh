#!/bin/sh
# side-by-side.sh - heaptide batch, GNU parallel and xargs in one jail: who is
# killed, how long it takes, what was done for nothing
#
# usage: make bench-batch, or builddir=BUILD sh tests/bench/side-by-side.sh
#
# Two lists of jobs in a group of the memory controller: 8 jobs of 200 MB in
# 600 MB, and BENCH_JOBS jobs whose sizes have a heavy tail (Pareto, 1.1; the
# median 7 MB, the largest 450 MB) in 600 MB.  A job grows over the first half
# of its time, writes its number when it has done its work, and is the same
# whoever starts it.  `killed` is what the kernel counts; `again` how often a
# job had to begin anew, whoever ended it; `wasted` the time of tries that came
# to nothing; `done` the jobs whose output is there.
#
# Environment:
#   BENCH_JOBS     of the second list: 2000
#   BENCH_MIB      the limit: 600
#   BENCH_AT_ONCE  jobs at one time, where nobody knows better: 8
#   BENCH_CLOCK    time: jobs wait, as for a disk or a server, so that other load
#                  does not matter; cpu: they compute.  time

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"

parallel --version 2>/dev/null | grep -q 'GNU parallel' ||
	skip "GNU parallel is not installed"
group=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' \
	/proc/mounts)
[ -n "$group" ] || group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$group" ] || skip "there is no memory controller"
jail=$group/heaptide-bench.$$
mkdir "$jail" 2>/dev/null || skip "no group may be made in $group"
max=$jail/memory.limit_in_bytes events=$jail/memory.oom_control
[ -w "$max" ] || max=$jail/memory.max events=$jail/memory.events
[ -w "$max" ] || {
	rmdir "$jail"
	skip "$group has no limit on memory that may be set"
}
rmdir "$jail"
trap 'status=$?; cd /; rmdir "$jail" 2>/dev/null
	rm -rf "$scratch" "$segments"; exit $status' EXIT
export PARALLEL_HOME="$scratch/parallel" HEAPTIDE_STATE="$scratch/state"
mkdir -p "$PARALLEL_HOME" && touch "$PARALLEL_HOME/will-cite"

cc=${CC:-cc}
$cc -std=gnu11 -O2 -o worker "$srcdir/tests/bench/batch-worker.c" ||
	die "cannot build the worker"

mib=${BENCH_MIB:-600} at_once=${BENCH_AT_ONCE:-8}
export BATCH_ACCOUNT="$scratch/account" BATCH_CLOCK="${BENCH_CLOCK:-time}"

# enter COMMAND...: in a fresh group with the limit
enter()
{
	mkdir "$jail" && echo $((mib * 1048576)) >"$max" || die "no jail"
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$jail" "$@"
	kills=$(sed -n 's/^oom_kill //p' "$events")
	tries=0
	until rmdir "$jail" 2>/dev/null || [ $tries -ge 50 ]; do
		while read -r pid; do
			kill -9 "$pid" 2>/dev/null
		done <"$jail/cgroup.procs"
		tries=$((tries + 1))
		sleep 0.1
	done
}

now()
{
	date +%s.%N
}

# row NAME COMMAND...: reads the list
row()
{
	name=$1
	shift
	rm -f "$BATCH_ACCOUNT"
	: >"$BATCH_ACCOUNT"
	start=$(now)
	enter timeout 900 "$@" <list >out 2>err
	end=$(now)
	# What each try that came to its end has spent, and how many began.
	# A try that was killed has its last word of how far it was.
	done=$(sort -u out | wc -l)
	began=$(grep -c '^began' "$BATCH_ACCOUNT")
	awk -v name="$name" -v kills="$kills" -v done="$done" \
	    -v whole="$whole" -v began="$began" -v start="$start" \
	    -v end="$end" '
		$1 == "spent" { spent[$2] = $3 }
		$1 == "ended" { delete spent[$2] }
		END {
			for (pid in spent)
				wasted += spent[pid]
			again = began - done
			if (again < 0)
				again = 0
			printf "| %-36s | %6d | %6d | %5d/%d | %7.1f s | %6.1f s |\n",
			    name, kills, again, done, whole,
			    end - start, wasted / 1000
		}' "$BATCH_ACCOUNT"
}

head_of()
{
	printf '\n%s\n\n' "$1"
	echo '| in a jail of '"$mib"' MiB | killed | again | done | makespan | wasted |'
	echo '|---|---|---|---|---|---|'
}

all()
{
	row "xargs -P$at_once" xargs -P"$at_once" -L1 ./worker
	row "xargs -P2" xargs -P2 -L1 ./worker
	row "parallel -j$at_once" parallel -j"$at_once" --colsep ' ' \
		./worker '{1}' '{2}' '{3}'
	row "parallel -j2" parallel -j2 --colsep ' ' ./worker '{1}' '{2}' \
		'{3}'
	row "parallel -j$at_once --memfree 250M" parallel -j"$at_once" \
		--memfree 250M --retries 3 --colsep ' ' ./worker '{1}' '{2}' \
		'{3}'
	row "parallel -j$at_once --memsuspend 250M" parallel -j"$at_once" \
		--memsuspend 250M --retries 3 --colsep ' ' ./worker '{1}' \
		'{2}' '{3}'
	sed 's,^,./worker ,' list >commands && mv commands list
	row "heaptide batch -j$at_once" "$heaptide" batch -q --summary off \
		-j"$at_once"
}

whole=8
for i in 1 2 3 4 5 6 7 8; do
	echo "$i 200 2000"
done >list
head_of '8 jobs of 200 MB'
all

whole=${BENCH_JOBS:-2000}
awk -v n="$whole" 'BEGIN {
	srand(7)
	for (i = 1; i <= n; i++) {
		m = 4 / (1 - rand()) ^ (1 / 1.1)
		if (m > 450)
			m = 450
		printf "%d %d %d\n", i, m, 20 + m * 4
	}
}' >list
head_of "$whole jobs, heavy-tailed"
all
