#!/bin/sh
# leaks.sh - how often `heaptide leaks` is right about a real program
#
# usage: make bench-leaks, or builddir=BUILD sh tests/bench/leaks.sh
#
# Runs tests/victims/planted, whose leaks are known, with many seeds, and asks
# for verdicts.  Prints, in percent of runs:
#   found    all leaks of the scenario were accused
#   since    median of the error of where the first began, in batches
#   first    the fastest leak was the first to be told
#   alarm    anything else was accused
#   heap     the whole heap was
#   last, five, line
#            the naive tests, of the heap at each mark: the last is above the
#            first; five rises in a row; a line by least squares explains 90 %
#
# Environment:
#   BENCH_RUNS      seeds of each (200)
#   BENCH_FIRST     the first seed (1)
#   BENCH_BATCHES   how many (20 40 100)
#   BENCH_SCENARIOS which (all)
#   BENCH_STACKS    options of `heaptide run` (--stacks all)

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"
has jq || die "jq is needed"
planted=$builddir/tests/victims/planted
[ -x "$planted" ] || die "make tests first: $planted is missing"

# What leaks, the fastest first.
leaks_of()
{
	case $1 in
	tiny | late | mmap | child) echo leak_here ;;
	error-path) echo leak_on_error ;;
	two) echo leak_here leak_slowly ;;
	esac | case $1 in
	mmap) sed 's/here/by_mmap/' ;;
	child) sed 's/here/in_child/' ;;
	*) cat ;;
	esac
}

# The last epoch before leaks begin, of so many.
begins()
{
	case $1 in
	late) echo $(($2 / 2)) ;;
	*) echo 1 ;;
	esac
}

# A line for a run: found first since alarm heap.
cat >verdicts.jq <<'END'
def name: [.stack[].function | select(. != null)] |
	(map(select(startswith("leak_"))) + .)[0];
def bit(f): if f then 1 else 0 end;
($leaks | split(" ")) as $expected |
[.[].leaks[] | select(.verdict == "growing") | {name: name, since}] as $all |
[$all[].name] as $names |
([$all[] | select(.name == $expected[0]) | .since][0]) as $since |
[bit($expected != [] and $expected - $names == []),
 bit($expected != [] and $names[0] == $expected[0]),
 (if $since == null then "-" else ($since - $begins | fabs) end),
 bit($names - $expected != []),
 bit(.[-1].heap.verdict == "growing")] | map(tostring) | join(" ")
END

# And behind it: last five line.
cat >naive.jq <<'END'
def bit(f): if f then 1 else 0 end;
[.marks[].live_bytes] as $y | ($y | length) as $n |
($y | add / $n) as $my | (($n - 1) / 2) as $mx |
(reduce range($n) as $i (0; . + ($i - $mx) * ($y[$i] - $my))) as $xy |
(reduce range($n) as $i (0; . + ($i - $mx) * ($i - $mx))) as $xx |
(reduce range($n) as $i (0; . + ($y[$i] - $my) * ($y[$i] - $my))) as $yy |
(reduce range(1; $n) as $i ({row: 0, most: 0};
	.row = (if $y[$i] > $y[$i - 1] then .row + 1 else 0 end) |
	.most = ([.most, .row] | max))) as $rises |
[bit($y[-1] > $y[0]), bit($rises.most >= 5),
 bit($xy > 0 and $xy * $xy > 0.9 * $xx * $yy)] |
map(tostring) | join(" ")
END

# run SCENARIO BATCHES SEED
run()
{
	rm -rf profile.tide profile.tide.d verdict.*.json
	"$heaptide" run ${BENCH_STACKS:---stacks all} --summary off \
	    -o profile.tide -- "$planted" "$@" >messages 2>&1 ||
		die "$* failed: $(cat messages)"
	last=
	for profile in profile.tide profile.tide.d/*.tide; do
		[ -e "$profile" ] || continue
		last=$profile
		"$heaptide" leaks --json "$profile" \
		    >"verdict.${profile##*/}.json" || die "no verdicts of $*"
	done
	"$heaptide" report --json "$last" >report.json || die "no report of $*"
	echo "$(jq -rs --arg leaks "$leaks" --argjson begins "$begins" \
	    -f verdicts.jq verdict.*.json)" \
	    "$(jq -r -f naive.jq report.json)"
}

scenarios=${BENCH_SCENARIOS:-$("$planted" 2>&1 | sed 1d)}
printf '%-12s %7s %6s %5s %6s %5s %5s  %5s %5s %5s\n' scenario batches \
    found since first alarm heap last five line
for batches in ${BENCH_BATCHES:-20 40 100}; do
	for scenario in $scenarios; do
		leaks=$(leaks_of "$scenario")
		begins=$(begins "$scenario" "$batches")
		seed=${BENCH_FIRST:-1}
		end=$((seed + ${BENCH_RUNS:-200}))
		while [ $seed -lt $end ]; do
			run "$scenario" "$batches" $seed || exit
			seed=$((seed + 1))
		done >lines
		since=$(awk '$3 != "-" { print $3 }' lines | sort -n |
		    awk '{ v[NR] = $1 } END {
			if (NR > 0) print v[int((NR + 1) / 2)] }')
		awk -v name="$scenario" -v batches="$batches" \
		    -v leaks="$leaks" -v since="$since" '
		{ for (i = 1; i <= NF; i++) sum[i] += $i }
		function share(i) { return sprintf("%.1f", 100 * sum[i] / NR) }
		END {
			printf "%-12s %7d %6s %5s %6s %5s %5s  %5s %5s %5s\n",
			    name, batches, leaks == "" ? "" : share(1), since,
			    leaks == "" ? "" : share(2), share(4), share(5),
			    share(6), share(7), share(8)
		}' lines
	done
done
