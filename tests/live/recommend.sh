#!/bin/sh
# recommend.sh - recommend, analyze and ops say the same of a file, of a process
# and on its socket; what is written is a configuration, and acts
. "${srcdir:-.}/tests/recommend.sh"

cut="alike items=1200 bytes=262144 fixed=64"

# --- a file ------------------------------------------------------------------

# shellcheck disable=SC2086 # words on purpose
advised --budget 20M --target 70% -- $cut
same "items, by its own account" "$(sed -n 's/items \([0-9]*\) .*/\1/p' account)" \
    "$(op items)"
same "batches" "$(sed -n 's/.*batches \([0-9]*\) .*/\1/p' account)" \
    "$(op batches)"
same "its unit" page "$(json ops.json '.ops[0].unit')"
"$HEAPTIDE" recommend profile.tide >text || fail "recommend: status $?"
json advice.json '.recommendations[] | "\(.id) \(.text)"' >said
while read -r id sentence; do
	grep -Fq "$sentence" text || fail "$id is not in: $(cat text)"
done <said
"$HEAPTIDE" analyze --json profile.tide >analyze.json || fail "status $?"
same "issues" "$(json advice.json '[.recommendations[] |
    select(.severity != "fine") | .id] | join(" ")')" \
    "$(json analyze.json '[.issues[].id] | join(" ")')"
same "recommends" "$(json advice.json '[.recommendations[] |
    select(.setting != "") | .id] | join(" ")')" \
    "$(json analyze.json '[.recommends[].id] | join(" ")')"
"$HEAPTIDE" analyze profile.tide >text || fail "analyze: status $?"
grep -q '^  R-BATCH' text || fail "analyze says: $(cat text)"
"$HEAPTIDE" ops profile.tide >text || fail "ops: status $?"
grep -q '^load  *'"$(op batches)" text || fail "ops says: $(cat text)"
"$HEAPTIDE" report profile.tide >text || fail "report: status $?"
grep -q '^  operations  load: ' text || fail "report has no operations"
grep -q '^  advice      R-BATCH: ' text || fail "report has no advice"

# --- the summary -------------------------------------------------------------

# shellcheck disable=SC2086
limited 60 "$HEAPTIDE" run --budget 20M --target 70% -o s.tide -- "$victims/advised" $cut \
	>account 2>summary || fail "run: $(cat summary)"
grep -q '^  operations  *load: [0-9]* batches, peak ' summary ||
	fail "no operations in: $(cat summary)"
grep -q ' cuts' summary || fail "no cuts in: $(cat summary)"
grep -q '^  advice  *R-BATCH: ' summary || fail "no advice in: $(cat summary)"

# shellcheck disable=SC2086
limited 60 "$HEAPTIDE" run --budget 20M --target 70% --summary json -o s.tide \
	-- "$victims/advised" $cut >account 2>summary || fail "run: status $?"
same "in JSON" "load R-BATCH" "$(json summary '"\(.ops[0].name) \(.advice.id)"')"

# --- what is written acts ----------------------------------------------------

"$HEAPTIDE" recommend --write written.conf profile.tide >text ||
	fail "--write: status $?"
grep -q '^# R-BATCH (warning): load: of ' written.conf ||
	fail "no reason in: $(cat written.conf)"
grep -q "^batch.max = $(member R-BATCH value)\$" written.conf ||
	fail "no key in: $(cat written.conf)"
"$HEAPTIDE" config check written.conf >text || fail "it is refused: $?"
"$HEAPTIDE" recommend --write written.conf profile.tide >text 2>err
same "status for a file that is there" 2 $?
grep -q -e "--write 'written.conf': is there already" err ||
	fail "it says: $(cat err)"
"$HEAPTIDE" recommend --write no/such/directory profile.tide >text 2>err
same "status where it cannot be written" 125 $?
# The budget that is advised with it is for batches that are not cut.
grep -v '^budget' written.conf >heaptide.conf
limited 60 "$HEAPTIDE" run --budget 20M --target 70% --summary off -o c.tide \
	-- "$victims/advised" alike items=1200 bytes=262144 >account 2>err ||
	fail "with it: $(cat err)"
"$HEAPTIDE" ops --json c.tide >ops.json || fail "status $?"
within "most items with it" 1 "$(member R-BATCH value)" "$(op n_most)"
rm heaptide.conf

# --- a process ---------------------------------------------------------------

living()
{
	set -- "$HEAPTIDE_DIR"/*.tide
	[ -e "$1" ] && pid=${1##*/} && pid=${pid%%[.-]*} &&
	    "$HEAPTIDE" ctl "$pid" ops >ctl.json 2>/dev/null &&
	    [ "$(jq '.ops[0].batches' ctl.json)" -ge 10 ] 2>/dev/null
}

limited 120 "$HEAPTIDE" run --budget 20M --target 70% --summary off -o p.tide -- \
	"$victims/advised" alike items=100000 bytes=262144 fixed=64 \
	pace_us=20000 >account 2>err &
started="$started $!"
await living
"$HEAPTIDE" ctl "$pid" ANALYZE >ctl.json || fail "ctl analyze: status $?"
same "on the socket" true "$(json ctl.json '[.issues[].id] |
    any(. == "R-BATCH")')"
"$HEAPTIDE" recommend --json "$pid" >advice.json || fail "status $?"
has R-BATCH
"$HEAPTIDE" ops --json "$pid" >ops.json || fail "status $?"
within "batches so far" 10 2000 "$(op batches)"
"$HEAPTIDE" status --json "$pid" >status.json || fail "status: $?"
same "its members" "heaptide schema pid status progress memory configuration" \
    "$(json status.json 'keys_unsorted | join(" ")')"
same "what it does" "load page 100000" "$(json status.json '.progress |
    "\(.operation) \(.unit) \(.total)"')"
within "how far it is" 100 100000 "$(json status.json .progress.done)"
same "an end is foreseen" number "$(json status.json '.progress.eta | type')"
same "its budget" $((20 << 20)) "$(json status.json .memory.budget)"
"$HEAPTIDE" status "$pid" >text || fail "status: $?"
grep -q '^  operation   load: .* of 100 000 (.*) pages done, .* left$' text &&
	grep -q '^  budget      20.0 MiB, .* used: ' text ||
	fail "status says: $(cat text)"
"$HEAPTIDE" ps --json >ps.json || fail "ps: status $?"
same "its budget in ps" $((20 << 20)) "$(json ps.json ".processes[] |
    select(.pid == $pid) | .budget")"
"$HEAPTIDE" ps >text || fail "ps: status $?"
grep -q '% of 20.0 MiB' text || fail "ps says: $(cat text)"
kill "$pid"

# --- programs without operations ---------------------------------------------

under none true || fail "true: status $?"
"$HEAPTIDE" ops profile.tide >text || fail "ops of none: status $?"
grep -q 'no operations' text || fail "ops of none says: $(cat text)"
"$HEAPTIDE" ops --json profile.tide >ops.json || fail "status $?"
same "operations" 0 "$(json ops.json '.ops | length')"
"$HEAPTIDE" recommend profile.tide >text || fail "status $?"
"$HEAPTIDE" analyze profile.tide >text || fail "status $?"

# --- checkpoints of this machine: R-CLEAN ------------------------------------

mkdir -p state/runs
echo checkpoint >state/runs/old.tideck
touch -d '10 days ago' state/runs/old.tideck
HEAPTIDE_STATE=$scratch/state "$HEAPTIDE" recommend --json profile.tide \
	>advice.json || fail "status $?"
last_way="with checkpoints of ten days"
has R-CLEAN
touch state/runs/old.tideck
HEAPTIDE_STATE=$scratch/state "$HEAPTIDE" recommend --json profile.tide \
	>advice.json || fail "status $?"
lacks R-CLEAN

# --- what is wrong -----------------------------------------------------------

for command in ops analyze recommend; do
	"$HEAPTIDE" $command >text 2>err
	same "$command of nothing" 2 $?
	"$HEAPTIDE" $command a b >text 2>err
	same "$command of two" 2 $?
	"$HEAPTIDE" $command nowhere.tide >text 2>err
	same "$command of what is not there" 125 $?
	grep -q "heaptide: $command: 'nowhere.tide' cannot be opened" err ||
		fail "$command says: $(cat err)"
done
"$HEAPTIDE" recommend --write >text 2>err
same "--write without a file" 2 $?
