#!/bin/sh
# supervise-oom.sh - the OOM killer of a real control group strikes, and the job
# goes on in smaller batches; an item that is too large for it is left out
. "${srcdir:-.}/tests/lib.sh"
need jq

M=1048576
survivor=$victims/survivor

. "$srcdir/tests/jail.sh"
jail_make $((100 * M))

export HEAPTIDE_BATCH_FIXED=16 HEAPTIDE_CHECKPOINT_EVERY=1 \
	HEAPTIDE_DELAY_MODE=off HEAPTIDE_RETRY_JITTER=none \
	HEAPTIDE_RETRY_DELAY=10ms HEAPTIDE_STATE="$scratch/state"
items=200
limited 60 "$survivor" $items whole || fail "undisturbed: status $?"

# jailed COMMAND...: it alone, or with all of heaptide
jailed()
{
	limited 120 sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$jail" \
		"$@"
}

# --- once --------------------------------------------------------------------

rm -rf state met
SURVIVOR="eat 100" jailed "$HEAPTIDE" run --retries 3 -o p.tide -- \
	"$survivor" $items out 2>err
same "status" 0 $?
cmp whole out || fail "the output is another"
grep -q "survivor killed by the OOM killer of cgroup $jail at .* of\
 100.0 MiB; .*in a batch of 16 items from 96 on; last checkpoint: batch 6; it\
 is started again in 10 ms, with batches of 2 items up to item 112" err ||
	fail "not told: $(cat err)"
grep -q "1 done, 1 oom; the last that failed is in p.failed.tide" err ||
	fail "not in the summary: $(cat err)"
"$HEAPTIDE" report --json p.failed.tide >report.json || fail "no profile"
same "its end" "9 true" "$(json report.json '"\(.end.signal) \(.end.oom)"')"

# --- in a group of its own: the program, and not who stays beside it ---------

rm -rf state met out
SURVIVOR="eat 100" limited 120 "$HEAPTIDE" run --retries 3 --summary json \
	-o p.tide -- sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' \
	"$jail" "$survivor" $items out 2>err
same "its own group: status" 0 $?
sed -n '/^{$/,/^}$/p' err >sum.json
same "its own group" "done 1" \
	"$(json sum.json '"\(.outcome) \(.outcomes.oom)"')"
cmp whole out || fail "its own group: the output is another"

# A shell around it says so by 137; what was lost is known all the same.
rm -rf state met out out.batches
SURVIVOR="eat 100" limited 120 "$HEAPTIDE" run --retries 3 --summary json \
	-o p.tide -- sh -c 'echo $$ >"$0/cgroup.procs"; "$@"; exit $?' \
	"$jail" "$survivor" $items out 2>err
same "in a shell: status" 0 $?
sed -n '/^{$/,/^}$/p' err >sum.json
same "in a shell" "done 1 137" "$(json sum.json \
	'"\(.outcome) \(.outcomes.oom) \(.last_attempts[0].status)"')"
cmp whole out || fail "in a shell: the output is another"
n=$(awk '$1 >= 96 && $1 < 112 && $2 == 2' out.batches | wc -l)
same "batches of two in place of the lost one" 8 "$n"

# --- who grew ----------------------------------------------------------------

rm -rf state met out
HEAPTIDE_BATCH_FIXED=8 SURVIVOR="leak 170" jailed "$HEAPTIDE" run \
	--stacks all --retries 3 -o p.tide -- "$survivor" $items out 2>err
same "leak: status" 0 $?
grep -q "killed by the OOM killer of cgroup $jail at .*; grower:\
 survivor.c:[0-9]*, 2.0* MiB a batch; in a batch" err ||
	fail "no grower: $(cat err)"
cmp whole out || fail "leak: the output is another"

# --- always ------------------------------------------------------------------

rm -rf state met out
SURVIVOR="swallow 100" jailed "$HEAPTIDE" run --retries 3 --summary json \
	-o p.tide -- "$survivor" $items out 2>err
same "always: status" 0 $?
sed -n '/^{$/,/^}$/p' err >sum.json
same "left out" "done 1" "$(json sum.json '"\(.outcome) \(.left_out)"')"
grep -v -x "item 100" whole >without
cmp without out || fail "always: the output is another"

# Without retries it dies as it died.
rm -rf state met out
SURVIVOR="swallow 100" jailed "$HEAPTIDE" run -o p.tide -- "$survivor" \
	$items out 2>err
same "as it died" 137 $?
grep -q "killed by the OOM killer of cgroup $jail" err ||
	fail "no word on what it died of: $(cat err)"
