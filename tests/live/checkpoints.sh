#!/bin/sh
# checkpoints.sh - runs are listed, shown, verified, gone on with from any
# checkpoint, and cleaned up
. "${srcdir:-.}/tests/lib.sh"
need jq

export HEAPTIDE_STATE="$scratch/state"
runner=$victims/runner

run()
{
	RUNNER=$1 RUNNER_N=${2:-0} limited 60 "$runner" 2>err
}
points()
{
	limited 20 "$HEAPTIDE" checkpoints "$@"
}
where()
{
	run where | sed -n 's/^where: //p'
}

# --- none at all -------------------------------------------------------------

same "no directory" "Available checkpoints: 0" "$(points list)"

# --- one that is left --------------------------------------------------------

run marks 4 >out || fail "marks: $(cat out err)"
id=$(sed -n 's/^run: //p' out)
same "from the start" "where: 0 0 ''" "$(grep ^where out)"
file=$HEAPTIDE_STATE/runs/$id.tideck
[ -f "$file" ] || fail "there is no $file"
same "mode of the directory" 700 "$(stat -c %a "$HEAPTIDE_STATE/runs")"
same "list" "Available checkpoints: 1
- $id: 40/100 (40%)" "$(points list)"
points list --json >list.json
same "as JSON" "1 $id 40/100 40 interrupted page" "$(json list.json \
    '"\(.count) \(.data[0].batchId) \(.data[0].progress) " +
    "\(.data[0].completion) \(.data[0].state) \(.data[0].unit)"')"
same "goes on" "1 40 'blob 4'" "$(where)"

# --- from any of them --------------------------------------------------------

points show "$id" --json >show.json
same "marks" "10 20 30 40" "$(json show.json '[.marks[].cursor] |
    map(tostring) | join(" ")')"
second=$(json show.json '.marks[1].number')
same "asked for the second" "1 20 'blob 2'" \
	"$(HEAPTIDE_RESUME=$id@$second where)"
# That is the one from now on, until there is a newer one.
same "and again" "1 20 'blob 2'" "$(where)"
same "cursor" 20 "$(points show "$id" --json | jq .cursor)"
same "the last by its number" "1 40 'blob 4'" \
	"$(HEAPTIDE_RESUME=$id@$(json show.json '.marks[3].number') where)"
HEAPTIDE_RESUME=$id@99999 run where >out && fail "one that is not there"
HEAPTIDE_RESUME=$id@0 run where >out && fail "number 0"
HEAPTIDE_RESUME=none-12345678 run where >out && fail "a run that is not there"
# A supervisor that starts it again does not mean it anew.
HEAPTIDE_RUN=one HEAPTIDE_RESUME=$id@$second run marks 3 >out
same "under one" "where: 1 20 'blob 2'" "$(grep ^where out)"
same "started again by it" "1 30 'blob 3'" \
	"$(HEAPTIDE_RUN=one HEAPTIDE_RESUME=$id@$second where)"
same "and by another" "1 20 'blob 2'" \
	"$(HEAPTIDE_RUN=two HEAPTIDE_RESUME=$id@$second where)"

limited 20 "$HEAPTIDE" resume "$id@$second" --show >out || fail "resume --show"
grep -qx "Resume options:" out && grep -qx -e "- cursor: 20" out &&
	grep -qx -e "- remaining: 80 page" out || fail "resume: $(cat out)"
limited 20 "$HEAPTIDE" resume "$id" --show --json >out.json
same "resume --json" "true 20 80" "$(json out.json \
    '"\(.success) \(.availableOptions.cursor) \(.availableOptions.remaining)"')"
limited 20 "$HEAPTIDE" resume "$id" >out 2>err && fail "without a command"
grep -q "HEAPTIDE_RESUME=$id" err || fail "it does not say how: $(cat err)"

# --- two at a time; a child that is left -------------------------------------

rm -f held
RUNNER=held "$runner" >held &
holder=$!
started="$started $holder"
await grep -q ^child held
child=$(sed -n 's/^child: //p' held)
started="$started $child"
run where >out && fail "two at one run"
grep -q "^refused: .*busy" out || fail "$(cat out)"
same "state" running "$(points list --json | jq -r '.data[0].state')"
limited 20 "$HEAPTIDE" resume "$id" 2>err && fail "resume of one that runs"
kill -KILL $holder
wait $holder 2>/dev/null
kill -0 "$child" || fail "the child is gone"
same "its child has it open, and is no obstacle" "1 10 'ten'" "$(where)"
kill -KILL "$child"

# --- batches -----------------------------------------------------------------

rm -rf "$HEAPTIDE_STATE"
run batches 12 >out || fail "batches: $(cat out err)"
same "asked each fifth time" "asked: 2, last at 40" "$(grep ^asked out)"
same "failed" "3-3  attempt 1  it is odd
7-7  attempt 1" "$(points failed "$id" | sed 's/ *$//')"
same "as JSON" "3 7" "$(points failed "$id" --json |
    jq -r '[.failed[].first] | map(tostring) | join(" ")')"
limited 20 "$HEAPTIDE" resume "$id" --show --failed --json >out.json
same "resume --failed" "3 7" "$(json out.json '[.failed[].first] |
    map(tostring) | join(" ")')"
limited 20 "$HEAPTIDE" resume "$id" --failed 2>err
same "how it was started is not kept" "125 1" "$? $(wc -l <err)"
for line in "$id@1 --failed" "$id --quarantined" "$id --json"; do
	limited 20 "$HEAPTIDE" resume $line >out 2>err
	same "status and lines of '$line'" "2 1" "$? $(wc -l <err)"
done
HEAPTIDE_CHECKPOINT_EVERY=3 run batches 12 >out
same "each third" "asked: 4, last at 48" "$(grep ^asked out)"
HEAPTIDE_CHECKPOINT_EVERY=0 run batches 12 >out
same "never" "asked: 0, last at 0" "$(grep ^asked out)"
# Those runs had no end, from which an interval follows: so, anew.
rm -rf "$HEAPTIDE_STATE"
same "with the library inside" "asked: 2, last at 40" "$(RUNNER=batches \
    RUNNER_N=12 limited 60 "$HEAPTIDE" run -q -o p.tide -- "$runner" |
    grep ^asked)"
same "no argument is in it" 0 "$(grep -c "RUNNER_N" "$file")"

# --- asked of a process ------------------------------------------------------

rm -f held
RUNNER=held limited 60 "$HEAPTIDE" run -q -o p.tide -- "$runner" >held &
await grep -q ^child held
child=$(sed -n 's/^child: //p' held)
[ -n "$child" ] || fail "it does not say who its child is"
pid=$(cut -d ' ' -f 4 "/proc/$child/stat")
started="$started $pid $child"
limited 20 "$HEAPTIDE" ctl "$pid" checkpoints >out.json || fail "ctl"
same "the request" "true 1 $id 10/100 10 running" "$(json out.json \
    '"\(.ok) \(.count) \(.data[0].batchId) \(.data[0].progress) " +
    "\(.data[0].completion | floor) \(.data[0].state)"')"
limited 20 "$HEAPTIDE" ctl "$pid" resume "$id" >out.json || fail "ctl resume"
same "from where" "true $id 10 90" "$(json out.json '"\(.success) " +
    "\(.batchId) \(.availableOptions.cursor) " +
    "\(.availableOptions.remaining)"')"
limited 20 "$HEAPTIDE" ctl "$pid" resume none >out.json
same "of one that is not there" ENOENT "$(json out.json .error)"
limited 20 "$HEAPTIDE" ctl "$pid" resume a/b >out.json
same "of what is no name" EINVAL "$(json out.json .error)"
limited 20 "$HEAPTIDE" ctl "$pid" cleanup max_age=3 >out.json
same "an age without a unit" EINVAL "$(json out.json .error)"
cp "$file" "$HEAPTIDE_STATE/runs/old.tideck"
sleep 0.1
limited 20 "$HEAPTIDE" ctl "$pid" cleanup max_age=50ms >out.json
same "the one that runs stays" \
	"old Cleaned up checkpoints older than 50 ms" "$(json out.json \
	'"\(.removed | join(" ")) \(.message)"')"
kill -KILL "$pid" "$child"
wait

# --- a new start that makes room ----------------------------------------------

rm -rf "$HEAPTIDE_STATE"
# The program alone: nobody would start it again.
HEAPTIDE_BUDGET=256M run recycle 64 >out
same "alone" "0 returned" "$? $(tail -n 1 out)"
HEAPTIDE_BUDGET=256M RUNNER=recycle RUNNER_N=64 limited 60 "$HEAPTIDE" run -q \
	-o p.tide -- "$runner" >out 2>err
same "under heaptide run" "85 grown: 1" "$? $(tail -n 1 out)"
same "it goes on" "1 10 'ten'" "$(where)"
# A MiB more of so many is not worth it.
HEAPTIDE_BUDGET=256M RUNNER=recycle RUNNER_N=1 limited 60 "$HEAPTIDE" run -q \
	-o p.tide -- "$runner" >out 2>err
same "hardly grown" "0 returned" "$? $(tail -n 1 out)"

# --- started again by us -----------------------------------------------------

rm -rf "$HEAPTIDE_STATE"
mkdir there
(cd there && RUNNER=marks RUNNER_N=3 limited 60 "$HEAPTIDE" run -q \
	--keep-command -o p.tide -- "$runner" "an argument") >out ||
	fail "run --keep-command: $(cat out)"
kept=$(sed -n 's/^run: //p' out)
RUNNER=where limited 60 "$HEAPTIDE" resume "$kept" >out 2>err ||
	fail "resume: $(cat out err)"
same "resumed" "run: $kept
where: 1 30 'blob 3'" "$(cat out)"

# --- everything in the wrong way ---------------------------------------------

for library in "" "$LIBHEAPTIDE"; do
	rm -rf "$HEAPTIDE_STATE"
	LD_PRELOAD=$library run odd >out || fail "odd: $(cat out err)"
	same "$library" "odd: 0" "$(cat out)"
done
for line in "" "list x" "show" "show a/b" "show none" "other" "clean x" \
	"list --no" "clean --max-age 3"; do
	points $line >out 2>err && fail "accepted: $line"
	same "lines about '$line'" 1 "$(wc -l <err)"
done

# --- verify ------------------------------------------------------------------

rm -rf "$HEAPTIDE_STATE"
seq 1 500 >records
HEAPTIDE_BATCH_FIXED=5 limited 60 "$builddir/examples/resumable" records out \
	2>err || fail "resumable: $(cat err)"
id=$(points list --json | jq -r '.data[0].batchId')
file=$HEAPTIDE_STATE/runs/$id.tideck
points verify "$id" >out || fail "verify: $(cat out)"
same "files that are as they were" 3 "$(grep -c "as it was" out)"
echo more >>records
points verify "$id" >out && fail "a changed input is no matter"
grep -q "records: it has another size" out || fail "$(cat out)"
printf 'torn' >>"$file"
points verify "$id" --json >out.json && fail "a torn file is no matter"
same "a setting that is another" "batch.fixed 5 0" "$(json out.json \
    '.settings[] | select(.key == "batch.fixed") | "\(.key) \(.was) \(.is)"')"
same "verdicts" "false true false" "$(json out.json \
    '[.verified[].ok] | map(tostring) | join(" ")')"

# --- clean -------------------------------------------------------------------

same "nothing so old" "Cleaned up checkpoints older than 24 hours" \
	"$(points clean)"
[ -e "$file" ] || fail "it was not 24 hours old"
same "another age" "Cleaned up checkpoints older than 1 hour" \
	"$(points clean --max-age 1h)"
run marks 1 >out
left=$(sed -n 's/^run: //p' out)
sleep 0.1
points clean --max-age 50ms --dry-run >out
same "would go" 2 "$(grep -c ^- out)"
HEAPTIDE_CHECKPOINT_MAX_AGE=50ms points clean --dry-run >out
same "as it is configured" 2 "$(grep -c ^- out)"
HEAPTIDE_CHECKPOINT_MAX_AGE=soon points clean >out 2>err
same "an age that is none" "2 1" "$? $(wc -l <err)"
points clean --max-age 50ms --keep-failed >out
[ ! -e "$file" ] || fail "a finished one was kept"
[ -e "$HEAPTIDE_STATE/runs/$left.tideck" ] || fail "one that is not is gone"
rm -f held
RUNNER=held "$runner" >held &
holder=$!
started="$started $holder"
await grep -q ^child held
started="$started $(sed -n 's/^child: //p' held)"
sleep 0.1
points clean --max-age 50ms >out
[ -e "$HEAPTIDE_STATE/runs/$left.tideck" ] || fail "one that runs was removed"
kill -KILL $holder $(sed -n 's/^child: //p' held)
wait $holder 2>/dev/null
points clean --max-age 50ms >out
same "in the end" "Available checkpoints: 0" "$(points list)"
