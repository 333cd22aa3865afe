#!/bin/sh
# batch-resume.sh - a batch that was ended, however, goes on where it was
. "${srcdir:-.}/tests/lib.sh"
need jq

batch()
{
	limited 60 "$HEAPTIDE" batch "$@"
}

# Each says that it is done, and the slow ones wait for leave.
cat >step <<'SH'
#!/bin/sh
echo "$1" >>began
[ -e go ] || [ "$1" -lt 20 ] || while [ ! -e go ]; do sleep 0.05; done
echo "$1" >>done.list
SH
chmod +x step
seq 30 >items

at_twenty()
{
	[ "$(cat done.list 2>/dev/null | wc -l)" -ge 19 ] && grep -qx 20 began
}

# What is done is in its file: a second later at most.
marked()
{
	run=$(sed -n 's/^Started batch: //p' err)
	"$HEAPTIDE" checkpoints list | grep "^- $run: 19"
}

# begin OPTIONS...: a batch in the background, up to item 20
begin()
{
	rm -f go began done.list
	"$HEAPTIDE" batch -j2 "$@" -- ./step {} <items >out 2>err &
	batch=$!
	started="$started $batch"
	await at_twenty
	await marked
}

# --- told to end -----------------------------------------------------------------

begin
run=$(sed -n 's/^Started batch: //p' err)
[ -n "$run" ] || fail "no run is named: $(cat err)"
kill -TERM $batch
wait $batch
same "ended by the signal" 143 $?
"$HEAPTIDE" checkpoints list >list
grep -q "^- $run: 19" list || fail "not in the list: $(cat list)"

touch go
batch -j2 --resume -- ./step {} <items >out 2>err
same "gone on: status" 0 $?
sort -n done.list | cmp - items || fail "done: $(sort -n done.list | uniq -c)"

# Nothing was begun yet that it could go on with.
rm -f done.list
batch -j2 --resume -- ./step {} ::: 1 2 3 >out 2>err
same "nothing to go on from: status" 0 $?
same "nothing to go on from" 3 "$(wc -l <done.list)"
grep -q 'there is no checkpoint of step-[0-9a-f]* to go on from: it begins$' \
    err || fail "not said: $(cat err)"
HEAPTIDE_RESUME=$(sed -n 's/^Started batch: //p' err)-not \
    batch -q -- ./step {} ::: 1 2 3 2>err && fail "another run is gone on with"

# Finished, it begins anew.
rm -f done.list
batch -q -j2 -- ./step {} <items >out 2>err
same "anew" 30 "$(wc -l <done.list)"

# --- killed ------------------------------------------------------------------------

begin
kill -KILL $batch
wait $batch 2>/dev/null
touch go
# What it had started goes on without it, or was ended with it.
sleep 0.3
batch -q -j2 --resume -- ./step {} <items >out 2>err
same "after SIGKILL: status" 0 $?
same "all are done" "" "$(sort -n done.list | uniq | comm -3 - items 2>/dev/null |
	tr -d '[:space:]')"
repeated=$(sort -n done.list | uniq -d | wc -l)
[ "$repeated" -le 2 ] || fail "$repeated items were done twice"

# --- heaptide resume ----------------------------------------------------------------

cp items list.of.items
rm -f go began done.list
"$HEAPTIDE" batch -j2 --keep-command -a list.of.items -- ./step {} \
	>out 2>err &
batch=$!
started="$started $batch"
await at_twenty
await marked
run=$(sed -n 's/^Started batch: //p' err)
kill -TERM $batch
wait $batch
touch go
limited 60 "$HEAPTIDE" resume "$run" >out 2>err
same "resume: status" 0 $?
sort -n done.list | cmp - items || fail "resume: $(sort -n done.list | uniq -c)"
limited 60 "$HEAPTIDE" resume "$run" >out 2>err
[ $? -ne 0 ] || fail "a batch that is finished was resumed"

# Another list under the same name is not gone on with.
rm -f go began done.list
"$HEAPTIDE" batch -j2 -a list.of.items -- ./step {} >out 2>err &
batch=$!
started="$started $batch"
await at_twenty
await marked
kill -TERM $batch
wait $batch
echo 31 >>list.of.items
touch go
batch -q -j2 --resume -a list.of.items -- ./step {} >out 2>err
same "another list" 125 $?
grep -q 'list.of.items is not what it was' err || fail "$(cat err)"

# --- signals ------------------------------------------------------------------------

# The first is passed on, and who takes care of it ends well.
rm -f ready
"$HEAPTIDE" batch -q -j2 -- sh -c 'trap "echo tidy; exit 0" TERM; echo >>ready
	while :; do sleep 0.05; done' _ {} <items >out 2>err &
batch=$!
started="$started $batch"
both_run()
{
	[ "$(cat ready 2>/dev/null | wc -l)" -ge 2 ]
}
await both_run
kill -TERM $batch
wait $batch
same "status" 143 $?
same "what they had to say" 2 "$(grep -c tidy out)"

# The second kills.
rm -f ready
"$HEAPTIDE" batch -q -j2 -- sh -c 'trap "" TERM; echo >>ready
	while :; do sleep 0.05; done' _ {} <items >out 2>err &
batch=$!
started="$started $batch"
await both_run
kill -TERM $batch
sleep 0.3
kill -0 $batch || fail "it did not wait for its jobs"
kill -TERM $batch
wait $batch
same "killed" 143 $?

# Who reads our output goes away.
seq 100000 >many
{
	limited 60 "$HEAPTIDE" batch -q -k -n1 -- echo {} <many
	echo $? >status
} | head -n 1 >out
same "nobody reads" "1 141" "$(cat out) $(cat status)"
