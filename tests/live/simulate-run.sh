#!/bin/sh
# simulate-run.sh - of a run that was recorded, what its items take is found
# again, and what another budget would have made of it
. "${srcdir:-.}/tests/lib.sh"
need jq

export HEAPTIDE_STATE="$scratch/state"

# recorded KIND ITEMS BUDGET: the name of its run is in $id
recorded()
{
	limited 120 "$HEAPTIDE" run --stacks none --summary off --budget "$3" \
	    -o "$scratch/profile.tide" -- "$victims/recorded" "$2" "$1" \
	    >out 2>err || fail "recorded $1: status $?: $(cat err)"
	id=$(cat out)
}

simulated()
{
	limited 60 "$HEAPTIDE" simulate --json "$@" >simulated.json ||
		fail "simulate $*: status $?"
}

mib=1048576
recorded linear 2000 96M
simulated "$id"
same "what it is of" "linear 2000 $((96 * mib))" "$(json simulated.json \
    '"\(.recorded.op) \(.recorded.items) \(.budget)"')"
same "it adds up" 1 "$(json simulated.json '.recorded.power')"
within "bytes an item" $((mib * 97 / 100)) $((mib * 103 / 100)) \
    "$(json simulated.json '.recorded.each | floor')"
within "bytes a batch" $((3 * mib)) $((5 * mib)) \
    "$(json simulated.json '.recorded.whole | floor')"
same "nobody is killed" 0 "$(json simulated.json '[.workloads[0].laws[] |
    select(.law == "+cut" or .law == "heaptide") | .kills] | add')"
batches=$(json simulated.json '.workloads[0].laws[0].batches')

# Half of it: smaller batches.
simulated "$id" --budget 48M
same "more batches" true "$(json simulated.json \
    ".workloads[0].laws[0].batches > $batches")"

recorded square 2000 96M
simulated "$id" --op square
within "the power, in tenths" 18 22 "$(json simulated.json \
    '.recorded.power * 10 | round')"

limited 60 "$HEAPTIDE" simulate "$id" >out || fail "as text: $?"
grep -q '^square: 2000 items in ' out || fail "as text: $(cat out)"

# refused STATUS SENTENCE ARGUMENT...
refused()
{
	status=$1 sentence=$2
	shift 2
	code=0
	limited 60 "$HEAPTIDE" simulate "$@" >out 2>err || code=$?
	same "status of simulate $*" "$status" "$code"
	grep -q -e "$sentence" err || fail "simulate $*: $(cat err)"
	same "lines of simulate $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}
refused 125 "has no batches of 'other'; square would be" "$id" --op other
refused 2 "'nothing' is no workload and no run" nothing
refused 2 "items is not for a run that was recorded" "$id" --items 5
refused 2 "op is not for a workload" linear --op x
refused 2 "budget 1048576 is refused" linear --budget 1M
