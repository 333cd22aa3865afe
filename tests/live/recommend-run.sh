#!/bin/sh
# recommend-run.sh - the file of a run tells of its batches what the profile of
# the process told, and recommend, analyze and ops take either
. "${srcdir:-.}/tests/lib.sh"
need jq
export HEAPTIDE_STATE="$scratch/state"

seq 20000 | sed 's/$/ and some words/' >text
limited 60 "$HEAPTIDE" run -q --stacks all --budget 200M -o p.tide -- \
	"$builddir/examples/resumable" text index >out 2>&1 </dev/null ||
	fail "resumable: $(cat out)"
run=$("$HEAPTIDE" checkpoints list --json | jq -r '.data[0].batchId')
"$HEAPTIDE" ops --json p.tide >of-profile || fail "ops of the profile"
"$HEAPTIDE" ops --json "$run" >of-run || fail "ops $run"
[ "$(jq '.ops[0].batches' of-run)" -gt 3 ] || fail "$(cat of-run)"
for member in name batches items items_failed cuts overruns changes \
    n_last n_least n_most growth_mean growth_last growth_most growth_p50 \
    growth_p99 predicted_last retained_bytes fixed per_item power done total \
    checkpoints; do
	same "$member" "$(jq ".ops[0].$member" of-profile)" \
		"$(jq ".ops[0].$member" of-run)"
done
for command in "recommend --json" "analyze --json" recommend analyze ops; do
	limited 20 "$HEAPTIDE" $command "$run" >said 2>err ||
		fail "$command $run: $(cat err)"
	[ -s said ] && [ ! -s err ] || fail "$command $run: $(cat said err)"
done
"$HEAPTIDE" recommend --json "$run" >said
same "what was used is of the budget" "209715200 true" \
	"$(jq -r '"\(.budget) \(.used_peak <= .budget)"' said)"
jq -e '.recommendations | length > 0' said >/dev/null || fail "$(cat said)"
limited 20 "$HEAPTIDE" recommend --write r.conf "$run" >said 2>&1 ||
	fail "--write: $(cat said)"

# Of many jobs, that know nothing of it.
seq 40 | limited 100 "$HEAPTIDE" batch -q -n 4 -j 2 --retries 0 -- false
same "jobs that failed" 10 $?
run=$("$HEAPTIDE" checkpoints list --json | jq -r '.data[] |
	select(.name == "batch").batchId')
same "items of the jobs" 40 "$("$HEAPTIDE" ops --json "$run" |
	jq '.ops[0].items')"

# Its status has the same four members as that of a process.
"$HEAPTIDE" status --json "$run" >said || fail "status $run"
same "status" "finished 40 progress memory configuration" "$(jq -r '"\(.status) " +
	"\(.progress.cursor) \([keys_unsorted[]] | .[3:] | join(" "))"' said)"
"$HEAPTIDE" status "$run" >said || fail "status $run"
grep -q "^run $run, finished" said || fail "$(cat said)"
"$HEAPTIDE" status nosuch-12345678 >said 2>err
same "status of no run" "2 1" "$? $(wc -l <err)"

# One that is under way is asked itself.
cat >long.sh <<'C'
while [ ! -e enough ]; do sleep 0.05; done
C
seq 3 | "$HEAPTIDE" batch -q -n 1 -j 1 -- sh long.sh &
started="$started $!"
listed()
{
	run=$("$HEAPTIDE" checkpoints list --json | jq -er '.data[] |
		select(.state == "running").batchId')
}
await listed
limited 20 "$HEAPTIDE" ops --json "$run" >said || fail "ops of $run"
touch enough
wait $!

# --- what is no run ---------------------------------------------------------------

"$HEAPTIDE" recommend nosuch-12345678 >said 2>err
same "status" "125 1" "$? $(wc -l <err)"
grep -q "'nosuch-12345678' cannot be opened" err || fail "$(cat err)"
file=$(echo "$HEAPTIDE_STATE"/runs/resumable*.tideck "$HEAPTIDE_STATE"/runs/*.tideck |
	cut -d ' ' -f 2)
head -c 64 /dev/zero >"$file"
"$HEAPTIDE" recommend "$(basename "$file" .tideck)" >said 2>err
same "one that is damaged" "125 1" "$? $(wc -l <err)"
