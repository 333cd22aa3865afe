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
kill "$(cat pid)"
wait $runner

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
