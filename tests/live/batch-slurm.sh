#!/bin/sh
# batch-slurm.sh - a batch on a cluster comes to what it comes to here, whatever
# happens to its tasks, their node, and who waits for them
. "${srcdir:-.}/tests/lib.sh"
. "$srcdir/tests/slurm.sh"

# --- refused ---------------------------------------------------------------------

PATH=/nowhere "$HEAPTIDE" batch --engine slurm -- true {} ::: a b >out 2>err
same "no sbatch: status" 127 $?
same "no sbatch: one sentence" 1 "$(wc -l <err)"
grep -q 'needs sbatch' err || fail "no sbatch: $(cat err)"
[ -z "$(ls states/heaptide/slurm 2>/dev/null)" ] || fail "a run is left"
"$HEAPTIDE" batch --shards 3 -- true {} ::: a >out 2>err
same "shards of nothing" 2 $?
"$HEAPTIDE" batch --engine slurm -u -- true {} ::: a >out 2>err
same "ungrouped" 2 $?
"$HEAPTIDE" batch --results out --joblog jl --first 4 -n 2 -- true ::: a \
	>out 2>err
same "--first within a job" 2 $?
grep -q -- '--first 4' err || fail "$(cat err)"

slurm_need
need jq
# One processor more than tasks: for who else is there.
slurm_start "$scratch/slurm" 5 || fail "Slurm does not start"

# --- what tasks do ---------------------------------------------------------------

seq 200 >items
# Items 20, 70 and so on wait for leave, so that there is a middle to be hit;
# they and the others are noted as they begin.
cat >step <<'SH'
#!/bin/sh
echo "$1" >>begun
case $1 in
20 | 70 | 120 | 170)
	: >"at.$1"
	while [ ! -e go ]; do sleep 0.05; done
	;;
esac
if [ "$1" = 133 ] && [ -e odd ] && [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ]; then
	echo "half of item 133"
	exit 85
fi
echo "item $1 of job $2"
[ $(($1 % 7)) -ne 0 ] || echo "error $1" >&2
[ "$1" -ne 99 ] || exit 3
SH
chmod +x step
touch go
limited 60 "$HEAPTIDE" batch -q -k -a items -- ./step {} {#} >want 2>want.err
same "here: status" 1 $?
same "here: lines" 200 "$(wc -l <want)"

slurm()
{
	limited 60 "$HEAPTIDE" batch --engine slurm --shards 4 -k "$@" \
		-a items -- ./step {} {#}
}

# as_here WHAT STATUS: what is gathered is what it was here
as_here()
{
	same "$1: status" 1 "$2"
	cmp want got || fail "$1: the output differs: $(diff want got | head -n 5)"
	grep '^error' got.err | cmp - want.err || fail "$1: the errors differ"
	same "$1: items that nobody began" "" \
		"$(sort -n begun | uniq | cmp - items 2>&1)"
	[ -z "$(ls states/heaptide/slurm)" ] || fail "$1: the run is left over"
}

# All four tasks stand at the item that waits.
in_the_middle()
{
	[ -e at.20 ] && [ -e at.70 ] && [ -e at.120 ] && [ -e at.170 ]
}

# begin OPTIONS...: a batch in the background, up to there
begin()
{
	rm -f go at.* begun
	"$HEAPTIDE" batch --engine slurm --shards 4 -k "$@" -a items \
		-- ./step {} {#} >got 2>got.err &
	batch=$!
	# Who hangs has failed.
	(sleep 60; kill -9 $batch) >/dev/null 2>&1 &
	started="$started $batch $!"
	await in_the_middle
	run=$(ls states/heaptide/slurm)
}

# The processes of task @1 (or of all), but for Slurm's own.
task_pids()
{
	for environ in /proc/[0-9]*/environ; do
		tr '\0' '\n' 2>/dev/null <"$environ" >one || continue
		grep -q "^SLURM_ARRAY_TASK_ID=${1:-}" one &&
			grep -qx "HEAPTIDE_DIR=$HEAPTIDE_DIR" one || continue
		environ=${environ#/proc/}
		echo "${environ%/environ}"
	done
}

# --- undisturbed, with all that is gathered ---------------------------------------

rm -f begun
slurm --joblog joblog --profile profiles --stacks all --progress lines \
	--summary json >got 2>got.err
as_here undisturbed $?
"$HEAPTIDE" batch -q -a items --joblog joblog --resume-failed --dry-run \
	-- ./step {} {#} >again 2>err
same "the joblog is parallel's: to be done again" "./step 99 99" "$(cat again)"
same "joblog: numbers" "$(cat items)" "$(tail -n +2 joblog | cut -f1)"
same "joblog: the status of 99" 3 \
	"$(awk -F'\t' '$1 == 99 { print $7 }' joblog)"
grep -q 'Progress: 200/200' got.err || fail "progress: $(cat got.err)"
same "a profile of each job" 200 "$(ls profiles | grep -c '^[0-9]')"
"$HEAPTIDE" report --json profiles/merged.tide >merged.json ||
	fail "no profile of all"
one=$("$HEAPTIDE" merge --json profiles/[0-9]*.tide |
	jq '.ranks | length') || fail "merge: status $?"
same "ranks" 200 "$one"
jq -e '.totals.allocations > 0' merged.json >/dev/null || fail "it is empty"

# --- its processes killed, in the middle --------------------------------------------

begin
kill -9 $(task_pids 1)
touch go
wait $batch
as_here "a task killed" $?
grep -q 'task 1 is gone before its end' got.err || fail "$(cat got.err)"
grep -q 'began anew 1 time' got.err || fail "not told: $(cat got.err)"

# --- 85: again, in another place; the rest goes on ----------------------------------

touch odd
rm -f begun
slurm >got 2>got.err
as_here "status 85" $?
same "item 133 began twice" 2 "$(grep -cx 133 begun)"
same "others began once" 200 "$(sort -u begun | wc -l)"
same "in all" 201 "$(wc -l <begun)"
rm odd

# --- who waits is killed; another command waits, and gathers -------------------------

begin
kill -9 $batch
wait $batch 2>/dev/null
limited 20 "$HEAPTIDE" resume --show "$run" >show || fail "show: status $?"
grep -q "of 200 items done.*of 4 tasks over" show || fail "$(cat show)"
limited 20 "$HEAPTIDE" batch --engine slurm --shards 4 -k -a items \
	-- ./step {} {#} >got 2>err
same "anew, while tasks run" 125 $?
grep -q "still in Slurm's queue" err || fail "$(cat err)"
touch go
limited 60 "$HEAPTIDE" resume "$run" >got 2>got.err
as_here "resumed" $?
same "nothing was done again" 200 "$(wc -l <begun)"

# --- told to end: its own array goes, nobody else's ----------------------------------

other=$(sbatch --parsable --output=/dev/null --wrap 'sleep 60')
begin
kill -TERM $batch
wait $batch
same "ended by the signal" 143 $?
none_left()
{
	[ -z "$(squeue -h -n "heaptide-$run" -o %i)" ]
}
await none_left
same "who else is there" "$other" "$(squeue -h -o %i)"
scancel "$other"
touch go
slurm --resume >got 2>got.err
as_here "after a signal" $?

# --- the node dies, and comes back ---------------------------------------------------

begin
kill -9 $slurmd_pid
# Those of ours: there may be another such test beside this one.
steps=0
for pid in /proc/[0-9]*; do
	grep -q '^slurmstepd: \[' "$pid/cmdline" 2>/dev/null &&
		is_ours "${pid#/proc/}" || continue
	kill -9 "${pid#/proc/}"
	steps=$((steps + 1))
done
[ $steps -ge 4 ] || fail "only $steps of 4 tasks were on the node"
kill -9 $(task_pids)
wait $slurmd_pid 2>/dev/null
touch go
sleep 4 # what has only just begun may be on its way, to slurmctld
slurm_slurmd
wait $batch
as_here "the node lost" $?
slurm_stop
