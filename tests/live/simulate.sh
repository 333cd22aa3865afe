#!/bin/sh
# simulate.sh - the sizing law kills nobody that can be cut or weighed
. "${srcdir:-.}/tests/lib.sh"
need jq

# simulated ARGUMENT...: as JSON, in simulated.json
simulated()
{
	limited 120 "$HEAPTIDE" simulate --json "$@" >simulated.json ||
		fail "simulate $*: status $?"
}

# refused SENTENCE ARGUMENT...
refused()
{
	sentence=$1
	shift
	limited 60 "$HEAPTIDE" simulate "$@" >out 2>err
	same "status of simulate $*" 2 $?
	grep -q -e "$sentence" err || fail "simulate $*: $(cat err)"
	same "lines of simulate $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

simulated all --seeds 1 --items 20000
same "workloads" 12 "$(json simulated.json '.workloads | length')"
same "who is killed though it can be weighed" "" "$(json simulated.json '
	.workloads[] | .name as $name | .laws[] | select(.law == "+weights" and
	(.sizes_only | not) and .kills > 0) | $name')"
same "who is killed though it can be cut" "" "$(json simulated.json '
	.workloads[] | .name as $name | .laws[] | select(.law == "+cut" and
	(.sizes_only | not) and .kills > 0 and $name != "pareto-1.5") | $name')"
same "who is slower than 90 % of the best size" "" "$(json simulated.json '
	.workloads[] | .name as $name | .laws[] |
	select((.law == "+cut" or .law == "+weights") and .percent < 90) |
	$name')"

# The peers are killed, and the seed is slow: or nothing is simulated.
simulated lognormal --peers --seeds 1
same "laws" 10 "$(json simulated.json '.workloads[0].laws | length')"
same "Lightning is killed" true "$(json simulated.json '
	.workloads[0].laws[] | select(.law == "Lightning") | .kills >= 1')"
same "5-1-0 is slow" true "$(json simulated.json '
	.workloads[0].laws[] | select(.law == "seed 5-1-0") | .percent < 50')"

# What is set is followed.
law='.workloads[0].laws[0]'
simulated linear --seeds 1 --items 4000 --fixed 5
same "batches of 5" 800 "$(json simulated.json "$law.batches")"
simulated linear --seeds 1 --items 4000 --policy seed
same "batches of the seed" 800 "$(json simulated.json "$law.batches")"
simulated linear --seeds 1 --target 50%
same "half is filled" true "$(json simulated.json "$law.most | . > 0.4 and
    . < 0.6")"
simulated linear --seeds 1 --budget 2000M
same "twice the budget" true "$(json simulated.json '
	.workloads[0].best_static > 700')"

# A kill that is cheap is risked where that is faster, one that is not is not.
priced()
{
	simulated pareto-1.5 --seeds 4 "$@"
	json simulated.json "$law | \"\(.percent) \(.kills)\""
}
never=$(priced)
same "a price of an hour" "$never" "$(priced --kill-cost 1h)"
set -- $never $(priced --kill-cost 200ms)
awk -v a="$1" -v b="$3" 'BEGIN { exit !(b > a) }' ||
	fail "a price of 200 ms: $3 % at $4 kills, without $1 % at $2"

limited 60 "$HEAPTIDE" simulate linear --seeds 1 >out || fail "status $?"
grep -q '^linear .* k0.0 ' out || fail "as text: $(cat out)"

refused "'liner' is no workload and no run; linear, .* are accepted" liner
refused "RUN|WORKLOAD|all|pool is missing"
refused "'drift' is one operand too many" linear drift
refused "--target 99% is refused" linear --target 99%
refused "--budget" linear --budget 1M
refused "--seeds" linear --seeds 0
refused "--policy" linear --policy best
