#!/bin/sh
# schema.sh - JSON is as its schema in doc/schema has it, and all of it is there
. "${srcdir:-.}/tests/lib.sh"
python=
for candidate in python3 /usr/bin/python3; do
	"$candidate" -c 'import jsonschema' 2>/dev/null && python=$candidate &&
		break
done
[ -n "$python" ] || skip "python3-jsonschema is not installed"
schemas=$srcdir/doc/schema

valid()
{
	schema=$1
	shift
	"$python" "$srcdir/tests/schema/validate.py" "$schemas/$schema.json" \
		"$@" >said 2>&1 || fail "$schema: $(head -n 5 said)"
}

# One of each kind: programs that leak, err, have pools, threads, batches.
"$HEAPTIDE" run -q --stacks all --epoch 100ms -o a.tide -- \
	"$victims/planted" >/dev/null 2>&1
for victim in lint pools nested findings known-sequence known-threads; do
	[ -x "$victims/$victim" ] || continue
	limited 60 "$HEAPTIDE" run -q --stacks all -o "$victim.tide" -- \
		"$victims/$victim" >/dev/null 2>&1 </dev/null
done
limited 60 "$HEAPTIDE" run -q --stacks all -o batches.tide -- \
	"$builddir/examples/pipeline" >/dev/null 2>&1 </dev/null
"$HEAPTIDE" run -q --stacks sampled -o b.tide -- true
"$HEAPTIDE" run -q --stacks none -o c.tide -- true
"$HEAPTIDE" export -f massif -o m a.tide && "$HEAPTIDE" import massif m \
	-o m.tide >/dev/null || fail "import"
"$HEAPTIDE" export -f pprof -o p a.tide && "$HEAPTIDE" import pprof p \
	-o p.tide >/dev/null || fail "import"
"$HEAPTIDE" merge -o sum.tide a.tide b.tide >/dev/null || fail "merge"

for profile in *.tide; do
	"$HEAPTIDE" report --json "$profile" >"$profile.report" ||
		fail "report $profile"
	"$HEAPTIDE" leaks --all --json "$profile" >"$profile.leaks" ||
		fail "leaks $profile"
	"$HEAPTIDE" diff --json a.tide "$profile" >"$profile.diff" 2>/dev/null ||
		fail "diff $profile"
done
valid report *.report
valid leaks *.leaks
valid diff *.diff
[ "$(cat ./*.leaks | jq -s '[.[].leaks[]] | length')" -gt 0 ] ||
	fail "no leak was judged: the schema of one was not tried"
"$HEAPTIDE" merge --json a.tide b.tide c.tide >merge.json || fail "merge"
valid merge merge.json

# --- what programs do in batches ----------------------------------------------

for profile in batches.tide c.tide; do
	"$HEAPTIDE" ops --json $profile >$profile.ops || fail "ops $profile"
done
valid ops ./*.ops
jq -e '.ops | length > 0' batches.tide.ops >/dev/null ||
	fail "no operation: the schema of one was not tried"

export HEAPTIDE_STATE="$scratch/state"
seq 9 | "$HEAPTIDE" batch -j 2 -n 2 --retries 0 --summary json -- \
	sh -c 'exit $(($1 == 3))' sh >/dev/null 2>batch.all
sed -n '/^{/,$p' batch.all >batch.json
[ -s batch.json ] || fail "no summary: $(cat batch.all)"
valid batch batch.json
same "jobs that failed" 1 "$(jq .failed batch.json)"

seq 1000 >text
limited 60 "$builddir/examples/resumable" text index >out 2>&1 </dev/null ||
	fail "resumable: $(cat out)"
"$HEAPTIDE" checkpoints list --json >checkpoints.json || fail "checkpoints"
valid checkpoints checkpoints.json
run=$(jq -r '.data[0].batchId' checkpoints.json)
"$HEAPTIDE" checkpoints show --json "$run" >checkpoint.json || fail "show"
valid checkpoint checkpoint.json
jq -e '.marks | length > 0' checkpoint.json >/dev/null ||
	fail "no mark: the schema of one was not tried"

# --- gates and limits -----------------------------------------------------------

n=0
for gate in 'leaked>0' 'live>=0' 'peak>1T' 'growth>0/batch' 'allocations>+10%'; do
	"$HEAPTIDE" check --json --fail-if "$gate" -b b.tide a.tide \
		>"$((n += 1)).check" 2>err
	case $? in
	0|1|125) ;;
	*) fail "check $gate: $(cat err)" ;;
	esac
done
"$HEAPTIDE" check --json --fail-if 'growth>0' b.tide >unknown.check
"$HEAPTIDE" check --json --fail-if 'leaked>0' -- "$victims/planted" \
	error-path 20 1 >out 2>program.check
same "a leak" 1 $?
sed -i '/^{/,$!d' program.check
valid check *.check
jq -es 'any(.[].expressions[]; .findings | length > 0) and
    any(.[].expressions[]; .why != null)' ./*.check >/dev/null ||
	fail "no finding, or all can be said: their schema was not tried"
"$HEAPTIDE" budget --json >budget.json && valid budget budget.json
"$HEAPTIDE" safe --json --need 1M >safe.json && valid safe safe.json
"$HEAPTIDE" safe --json --need 1000T >safe.json
same "no room" 1 $?
valid safe safe.json

# --- what runs ------------------------------------------------------------------

"$HEAPTIDE" run -q --stacks all --budget 1G -- sleep 100 &
runner=$!
started="$started $runner"
seen()
{
	"$HEAPTIDE" ps --json | jq -e '.processes[0].pid' >pid
}
await seen
started="$started $(cat pid)"
"$HEAPTIDE" mark "$(cat pid)" now >/dev/null
"$HEAPTIDE" status --json "$(cat pid)" >status.json || fail "status"
valid status status.json
limited 60 "$HEAPTIDE" monitor --json -i 100ms -c 6 "$(cat pid)" $$ \
	>monitor || fail "monitor"
split -l 1 monitor monitor.line.
valid monitor monitor.line.*
jq -es 'any(.[]; .heap == null) and any(.[]; .heap != null)' monitor \
	>/dev/null || fail "with heaptide inside, and without: $(cat monitor)"
"$HEAPTIDE" budget --json "$(cat pid)" >budget.json || fail "budget"
valid budget budget.json
"$HEAPTIDE" ps --json >ps.json || fail "ps"
same "its budget and name" "1073741824 sleep" \
	"$(jq -r '.processes[0] | "\(.budget) \(.name)"' ps.json)"
# One that is killed without its supervisor is not collected.
kill -KILL $runner
kill -KILL "$(cat pid)"
dead()
{
	"$HEAPTIDE" ps --json | jq -e '.processes[0].state == "dead"'
}
await dead
cp c.tide "$HEAPTIDE_DIR/4711.1.tide"
head -c 100 c.tide >"$HEAPTIDE_DIR/4712.1.tide"
"$HEAPTIDE" ps --json >ps.dead.json || fail "ps"
valid ps ps.json ps.dead.json
same "damaged" 1 "$(jq '.damaged | length' ps.dead.json)"

# A validator that takes anything would take these.
jq 'del(.totals)' a.tide.report >bad.json
valid_is_no_judge()
{
	"$python" "$srcdir/tests/schema/validate.py" \
		"$schemas/report.json" bad.json >said 2>&1 &&
		fail "$1 passes"
	return 0
}
valid_is_no_judge "a report without totals"
jq '.totals.live_bytes = "many"' a.tide.report >bad.json
valid_is_no_judge "a size that is a text"
jq '.sites[0].news = 1' a.tide.report >bad.json
valid_is_no_judge "a member that the schema does not know"
