#!/bin/sh
# supervise.sh - a job that is killed, recycled, starved or poisoned is started
# again until it is done, and what it has written is what it writes undisturbed
. "${srcdir:-.}/tests/lib.sh"
need jq

survivor=$victims/survivor
export HEAPTIDE_BATCH_FIXED=16 HEAPTIDE_CHECKPOINT_EVERY=1 \
	HEAPTIDE_DELAY_MODE=off HEAPTIDE_RETRY_JITTER=none \
	HEAPTIDE_RETRY_DELAY=10ms
items=600

limited 60 "$survivor" $items whole || fail "undisturbed: status $?"
same "lines" $items "$(wc -l <whole)"

# survive HOW OPTION...: under a supervisor; leaves out, err, sum.json, $status
survive()
{
	rm -rf "$XDG_STATE_HOME" out out.batches met
	how=$1
	shift
	SURVIVOR=$how limited 120 "$HEAPTIDE" run \
		--summary json -o p.tide "$@" -- "$survivor" $items out 2>err
	status=$?
	sed -n '/^{$/,/^}$/p' err >sum.json
}
# ended STATUS OUTCOME
ended()
{
	same "'$how': status and outcome" "$1 $2" \
		"$status $(json sum.json .outcome)"
}
of()
{
	json sum.json ".outcomes.\"$1\""
}

# --- killed, wherever it happens to be ---------------------------------------

survive "chance 40" --retries 30 --retry-errors
ended 0 done
cmp whole out || fail "killed by chance: the output is another"
within "killed" 1 60 "$(of error)"
same "attempts" $(($(of error) + 1)) "$(json sum.json .attempts)"
same "the last that failed" p.failed.tide "$(json sum.json .failed_file)"
"$HEAPTIDE" report --json p.failed.tide >report.json || fail "no profile"
same "its end" 9 "$(json report.json .end.signal)"
"$HEAPTIDE" report --json p.tide >report.json || fail "no last profile"
same "the end of the last" "exited 0" \
	"$(json report.json '"\(.end.how) \(.end.status)"')"

# By default an error is an error.
survive "once 100" --retries 5
ended 139 error
same "one attempt" 1 "$(json sum.json .attempts)"
survive "once 100"
ended 139 error

# --- recycled: nothing is counted, nothing is waited for ---------------------

survive "recycle 7" --retries 1 --retry-delay 1h
ended 0 done
cmp whole out || fail "recycled: the output is another"
within "recycled" 60 $items "$(of recycle)"
same "nothing else" "$(of recycle)" $(($(json sum.json .attempts) - 1))
same "no failure is kept" null "$(json sum.json .failed_file)"
[ ! -e p.failed.tide.d ] || fail "a folder is left"
same "the last ones are told" 16 "$(json sum.json '.last_attempts | length')"

# Without retries its wish is for whoever started us.
survive "recycle 7"
ended 85 recycle

# --- too little memory, and it says so ---------------------------------------

survive "refuse 300" --retries 1
ended 0 done
same "once" "1 1" "$(of no-memory) $(of done)"
cmp whole out || fail "refused: the output is another"
# In smaller batches, until those that were lost are done.
n=$(awk '$1 >= 288 && $1 < 304 && $2 == 2' out.batches | wc -l)
same "batches of two in place of the lost one" 8 "$n"
awk '$1 >= 304 && $2 > 2 { found = 1 } END { exit !found }' out.batches ||
	fail "sizes stay small: $(cat out.batches)"
survive "refuse 300" --retries 1 --fallback 5
n=$(awk '$1 >= 288 && $1 < 304 && $2 == 5' out.batches | wc -l)
same "of five" 3 "$n"

# --- an item that is the end of it -------------------------------------------

grep -v -x "item 300" whole >without
survive "poison 300" --retries 3
ended 0 done
cmp without out || fail "poison: the output is another"
same "left out" 1 "$(json sum.json .left_out)"
within "tries" 3 6 "$(of nomem-crash)"
# It was alone: no batch is lost for it but its own.
tail -n 1 out.batches >last
[ "$(cut -d' ' -f1 last)" -gt 300 ] || fail "not beyond it: $(cat last)"

# The same of one that crashes, where errors are tried again as well.
survive "crash 300" --retries 3 --retry-errors
ended 0 done
cmp without out || fail "crash: the output is another"
within "tries" 3 6 "$(of error)"

# As long as it goes on a little in between, all tries are there again.
survive "poison 300" --retries 1
ended 0 done
cmp without out || fail "poison, one try: the output is another"
survive "poison 0" --retries 1
ended 134 nomem-crash
same "given up" "all tries are used up" "$(json sum.json .given_up)"

# --- a batch that takes for ever ---------------------------------------------

HEAPTIDE_BATCH_TIMEOUT=3s survive "hang 300" --retries 2 --grace 1s
ended 0 done
cmp whole out || fail "hung: the output is another"
same "stalled once" "1 1" "$(of stalled) $(of done)"

# --- what is said ------------------------------------------------------------

rm -rf "$XDG_STATE_HOME" out met
SURVIVOR="poison 5" limited 60 "$HEAPTIDE" run --retries 1 \
	-o p.tide -- "$survivor" $items out 2>err
grep -q "survivor ended by signal 6 (Aborted) after 1 allocation had been\
 refused at .*; in a batch of 16 items from 0 on; there is no checkpoint yet;\
 it is started again in 10 ms, with batches of 2 items up to item 16" err ||
	fail "not told: $(cat err)"
grep -q "in a batch of 2 items from 4 on; last checkpoint: batch 2; it is\
 started again in 10 ms, with batches of 1 item up to item 16" err ||
	fail "not told what comes after: $(cat err)"
grep -q "survivor: item 5 is left out from now on" err ||
	fail "not told that it is left out: $(cat err)"
grep -q "^  attempts  *[0-9]*: 1 done, [0-9]* nomem-crash; the last that failed\
 is in p.failed.tide$" err || fail "no attempts: $(cat err)"
grep -q "^  left out  *1 item" err || fail "not in the summary: $(cat err)"

# --- resume does the same ----------------------------------------------------

rm -rf "$XDG_STATE_HOME" out out.batches met
SURVIVOR="poison 300" limited 60 "$HEAPTIDE" run -q --keep-command -o p.tide \
	-- "$survivor" $items out 2>err
same "left" 134 $?
id=$("$HEAPTIDE" checkpoints list --json | jq -r '.data[0].batchId')
limited 20 "$HEAPTIDE" resume --retries many "$id" 2>err
same "resume: a number that is none" 2 $?
grep -q "many" err || fail "no sentence: $(cat err)"
SURVIVOR="poison 300" limited 60 "$HEAPTIDE" resume --retry-delay 10ms "$id" \
	2>err || fail "resume: $(cat err)"
cmp without out || fail "resumed: the output is another"
awk '$1 >= 288 && $1 < 304 && $2 == 1 { n++ } END { exit n < 10 }' \
	out.batches || fail "not one by one: $(cat out.batches)"

# --- a static program says it in its page ------------------------------------

if ! ${CC:-cc} -static -O1 -I"$builddir/include" -I"$srcdir/include" \
	-o static "$srcdir/tests/victims/survivor.c" 2>err; then
	without "no static libc"
	exit 0
fi
rm -rf "$XDG_STATE_HOME" out met
SURVIVOR="crash 300" limited 120 "$HEAPTIDE" run --retries 3 --retry-errors \
	--summary json -o p.tide -- ./static $items out 2>err
same "static: status" 0 $?
cmp without out || fail "static: the output is another"
grep '^{' err >sum.json
same "static" "page done 1" \
	"$(json sum.json '"\(.level) \(.outcome) \(.left_out)"')"
