#!/bin/sh
# batch-slurm-ends.sh - how a batch on a cluster ends: given up, short of time,
# without its command, with nothing to do, for an ordinary user
. "${srcdir:-.}/tests/lib.sh"
. "$srcdir/tests/slurm.sh"
slurm_need
need jq
slurm_start "$scratch/slurm" 4 || fail "Slurm does not start"

slurm()
{
	limited 60 "$HEAPTIDE" batch --engine slurm "$@"
}

runs()
{
	ls states/heaptide/slurm
}

seq 3000 >items

# --- as many items a job as are learned ------------------------------------------

cat >many <<'SH'
#!/bin/sh
for i; do echo "$i"; done
SH
chmod +x many
slurm -q --shards 3 -k --joblog jl -a items -- ./many >out 2>err
same "learned: status" 0 $?
cmp out items || fail "learned: the output differs"
# Each item is of one row: they follow one another.
tail -n +2 jl | awk -F'\t' '$1 != at + 1 { exit 1 } { at += $5 }
	END { exit at != 3000 }' || fail "the joblog: $(cut -f 1,5 jl)"

# --- of standard input, by a shell ------------------------------------------------

seq 5 | slurm -q -k 'echo "a {}" | tr a b' >out 2>err
same "shell: status" 0 $?
same "shell: output" "b 1 b 2 b 3 b 4 b 5" "$(echo $(cat out))"
slurm --summary json -- true {} </dev/null 2>err
same "no items: status" 0 $?
same "no items" 0 "$(jq .items err)"

# --- given up ----------------------------------------------------------------------

cat >fails <<'SH'
#!/bin/sh
echo >>began
[ "$1" -gt 2 ] || exit 9
sleep 0.3
SH
chmod +x fails
slurm --shards 2 --halt soon,fail=1 -a items --limit 100 -- ./fails {} \
	>out 2>err
same "halt: status" 9 $?
grep -q 'given up by --halt soon,fail=1' err || fail "halt: $(cat err)"
[ "$(wc -l <began)" -lt 60 ] || fail "it was not given up"
run=$(runs)
"$HEAPTIDE" resume --show --json "$run" >show || fail "show: status $?"
same "of how many" 100 "$(jq .total show)"
[ "$(jq .done show)" -lt 60 ] || fail "done: $(cat show)"

# --- no such command on the node ----------------------------------------------------

slurm --shards 2 -- ./missing {} ::: a b >out 2>err
same "missing: status" 127 $?
grep -q 'task 1: heaptide: batch: cannot run ./missing' err ||
	fail "missing: $(cat err)"
run=$(runs | grep missing)
printf '#!/bin/sh\necho $1\n' >missing
chmod +x missing
limited 60 "$HEAPTIDE" resume "$run" >out 2>err
same "no longer missing: status" 0 $?
same "no longer missing" "a b" "$(echo $(cat out))"

# --- sbatch refuses ------------------------------------------------------------------

slurm --sbatch-arg=--partition=nowhere -- true {} ::: a b >out 2>err
same "refused: status" 125 $?
same "refused: one sentence" 1 "$(wc -l <err)"
grep -q 'sbatch takes no array of it: .*nowhere' err || fail "$(cat err)"

# --- the time is nearly over ----------------------------------------------------------

slurm --no-wait --shards 1 -k -a items --limit 40 -- \
	sh -c 'echo $1 >>late; sleep 0.1; echo $1' _ {} >out 2>err
same "no wait: status" 0 $?
run=$(sed -n 's/^Submitted batch: \([^ ]*\) .*/\1/p' out)
[ -n "$run" ] || fail "no run: $(cat out)"
some()
{
	[ "$(wc -l <late)" -ge 5 ]
}
await some
scancel --batch --signal=USR1 "$(squeue -h -o %A)"
limited 60 "$HEAPTIDE" resume "$run" >out 2>err
same "warned: status" 0 $?
head -n 40 items | cmp - out || fail "warned: $(cat out)"
same "nothing was done again" 40 "$(wc -l <late)"
grep -q 'began anew 1 time' err || fail "it was not requeued: $(cat err)"

# --- an ordinary user -----------------------------------------------------------------

if command -v setpriv >/dev/null && id nobody >/dev/null 2>&1 &&
	setpriv --reuid=nobody --clear-groups test -x "$HEAPTIDE"; then
	mkdir own
	chmod 755 "$scratch"
	chown nobody own
	cd own || exit
	HOME=$scratch/own HEAPTIDE_STATE=$scratch/own/state \
		HEAPTIDE_DIR=$scratch/own/segments limited 60 \
		setpriv --reuid=nobody --clear-groups "$HEAPTIDE" batch \
		--engine slurm -q -k --shards 2 -- \
		sh -c 'echo $(id -un) $0' {} ::: a b >../out 2>../err
	same "nobody: status" 0 $?
	cd ..
	same "nobody: output" "nobody a nobody b" "$(echo $(cat out))"
else
	without "an ordinary user: the build is not open to nobody"
fi
slurm_stop
