#!/bin/sh
# checkpoint-killed.sh - whenever who writes checkpoints is killed, and whatever
# its disk refuses, the next start goes on as if nothing had been
#
# examples/resumable writes a line a record, exactly once.  At each of its calls
# that change a file it is killed before and after, writes torn in the middle, or
# the call fails; then it is started again, and what it has written by then is,
# to the byte, what it writes undisturbed.
# In memory, if it may: some thousand times something is forced to the disk.
[ ! -w /dev/shm ] ||
	[ "$(df -Pk /dev/shm | awk 'END { print $4 }')" -lt 32768 ] ||
	TMPDIR=${TMPDIR:-/dev/shm}
. "${srcdir:-.}/tests/lib.sh"

program=$builddir/examples/resumable
shim=$modules/faulty-disk.so
[ -x "$program" ] || fail "there is no $program"
[ -e "$shim" ] || fail "there is no $shim"
export HEAPTIDE_STATE="$scratch/state" HEAPTIDE_BATCH_FIXED=7
# Each checkpoint is forced to the disk, not only one a second.
export HEAPTIDE_CHECKPOINT_SYNC=batch HEAPTIDE_CHECKPOINT_EVERY=3
unset HEAPTIDE_DIR

i=0
while [ $i -lt 84 ]; do
	i=$((i + 1))
	echo "record $i of the many that there are $((i * i))"
done >records
rm -rf state
limited 60 "$program" records whole 2>err || fail "undisturbed: $(cat err)"
same "lines" 84 "$(wc -l <whole)"

# faulty HOW N: once with the fault, then without
faulty()
{
	rm -rf state out
	LD_PRELOAD=$shim FAULT_HOW=$1 FAULT_AT=$2 FAULT_COUNT=count \
		limited 60 "$program" records out >first.out 2>first.err
	first=$?
	limited 60 "$program" records out 2>again.err ||
		fail "$1 at call $2: started again: $(cat again.err)"
	cmp whole out || fail "$1 at call $2: the output is another"
	! grep -q "^on from" again.err || resumed=$((resumed + 1))
}

faulty none 0
same "status without a fault" 0 $first
calls=$(cat count)
within "calls that change a file" 30 300 "$calls"

for how in before after torn power ENOSPC EIO; do
	resumed=0 ended=0
	n=0
	while [ $n -lt "$calls" ]; do
		n=$((n + 1))
		faulty $how $n
		[ $first -eq 0 ] || ended=$((ended + 1))
	done
	echo "$how: $calls calls: $ended ended by it, $resumed gone on with"
	case $how in
	before | after)
		same "$how: killed" "$calls" $ended
		within "$how: resumed" $((calls / 2)) "$calls" $resumed
		;;
	torn | power)
		same "$how: killed" "$calls" $ended
		;;
	*)
		# What could not be written is tried again, and most often
		# the program comes to its end.
		within "$how: went on regardless" $((calls / 2)) "$calls" \
			$((calls - ended))
		;;
	esac
done

# --- with the library inside -------------------------------------------------

export HEAPTIDE_DIR="$scratch/segments"
inside()
{
	rm -rf state out
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_LOG=$scratch/log HEAPTIDE_FAULT=$1 \
		limited 60 "$program" records out 2>first.err
	limited 60 env LD_PRELOAD="$LIBHEAPTIDE" "$program" records out \
		2>again.err || fail "fault $1: again: $(cat again.err)"
	cmp whole out || fail "with call $1 failing: the output is another"
}

inside count
calls=$(sed -n 's/.*system calls: //p' log | tail -n 1)
within "system calls of the library" 100 5000 "$calls"
n=1
while [ $n -le "$calls" ]; do
	inside $n
	n=$((n + 11))
done
n=1
while [ $n -le "$calls" ]; do
	inside $n+
	n=$((n + 41))
done

# --- killed again and again --------------------------------------------------

rm -rf state out
kills=0
export HEAPTIDE_CHECKPOINT_EVERY=1
n=40
while [ $n -gt 12 ]; do
	LD_PRELOAD=$shim FAULT_HOW=after FAULT_AT=$n \
		limited 60 "$program" records out 2>first.err && break
	kills=$((kills + 1))
	n=$((n - 1))
done
limited 60 "$program" records out 2>again.err ||
	fail "after $kills kills: $(cat again.err)"
cmp whole out || fail "after $kills kills: the output is another"
within "kills of one run" 2 40 $kills
