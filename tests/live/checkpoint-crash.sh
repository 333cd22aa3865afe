#!/bin/sh
# checkpoint-crash.sh - at whichever call who writes checkpoints is killed, and
# whatever its disk does, the next one goes on from the newest that was there
#
# The victim tells each checkpoint once tide_checkpoint() has returned 0.  Who
# comes next must go on from the last that was told, or from the one behind it,
# of which the victim had no time to tell; never from one that was answered with
# an error.  Killed by a library in front of libc's calls, by strace at every
# system call of the process, with heaptide inside as well, and by a machine
# that loses its power.
# In memory, if it may: some thousand times something is forced to the disk.
[ ! -w /dev/shm ] ||
	[ "$(df -Pk /dev/shm | awk 'END { print $4 }')" -lt 32768 ] ||
	TMPDIR=${TMPDIR:-/dev/shm}
. "${srcdir:-.}/tests/lib.sh"

need jq

runner=$victims/runner
shim=$modules/faulty-disk.so
[ -e "$shim" ] || fail "there is no $shim"
export HEAPTIDE_STATE="$scratch/state" HEAPTIDE_CHECKPOINT_SYNC=batch
export RUNNER=report RUNNER_N=5
unset HEAPTIDE_DIR

# 1: the disk is gone, and so is every way to take back what was refused
gone=0
# judge WHAT FILE: of what the first one told; then the next goes on
judge()
{
	last=$(sed -n 's/^there //p' "$2" | tail -n 1)
	refused=$(sed -n 's/^not there //p' "$2" | tail -n 1)
	over=$(grep -c ^finished "$2")
	limited 60 "$runner" >next 2>&1 || fail "$1: the next: $(cat next)"
	from=$(sed -n 's/^from //p' next)
	! grep -q "another blob" "$2" next || fail "$1: a blob of another"
	if [ "$over" = 1 ]; then
		same "$1: after the end" 0 "$from"
	elif [ "${last:-0}" = "$RUNNER_N" ] && [ "$from" = 0 ]; then
		: # the end was there, and not told any more
	elif [ $gone = 0 ] && [ "${refused:-0}" -gt "${last:-0}" ]; then
		same "$1: after one that was refused" "${last:-0}" "$from"
	else
		within "$1: goes on from" $((${last:-0})) \
			$((${last:-0} + 1)) "$from"
	fi
	grep -q ^finished next || fail "$1: it does not come to its end"
	[ "$from" = 0 ] || resumed=$((resumed + 1))
}

# --- the calls that change a file -------------------------------------------

# once HOW AT: the first one, undisturbed before and after
once()
{
	rm -rf state
	LD_PRELOAD=$shim FAULT_HOW=$1 FAULT_AT=$2 FAULT_COUNT=count \
		limited 60 "$runner" >first 2>&1
	status=$?
}

once none 0
same "undisturbed" "0 5" "$status $(grep -c ^there first)"
calls=$(cat count)
within "calls that change a file" 15 100 "$calls"
for how in before after torn power short ENOSPC EIO EDQUOT EINTR EROFS; do
	resumed=0 killed=0
	n=0
	while [ $n -lt "$calls" ]; do
		n=$((n + 1))
		once $how $n
		case $how in
		before | after | torn | power) want=137 ;;
		*) want=0 ;;
		esac
		# Without a run it says so, and ends by itself.
		[ $status -eq 4 ] || same "$how $n: status" $want $status
		judge "$how at call $n" first
	done
	echo "$how: $calls calls, gone on $resumed times"
	case $how in
	before | after | torn | power)
		within "$how: went on" 8 "$calls" $resumed ;;
	esac
done

# All calls from one on: the disk is full, or gone, and stays so.
gone=1
for how in ENOSPC EIO EDQUOT; do
	n=0
	while [ $n -lt "$calls" ]; do
		n=$((n + 1))
		once $how "$n+"
		[ $status -eq 4 ] || same "$how $n+: status" 0 $status
		judge "$how from call $n on" first
	done
done

gone=0
# What is not forced to the disk each time may be older, and never anything else.
export HEAPTIDE_CHECKPOINT_SYNC=mark
once none 0
calls=$(cat count) n=0
while [ $n -lt "$calls" ]; do
	n=$((n + 1))
	once power $n
	limited 60 "$runner" >next 2>&1 || fail "power $n: $(cat next)"
	within "power at $n, a second's worth" 0 \
		$(($(sed -n 's/^there //p' first | tail -n 1) + 1)) \
		"$(sed -n 's/^from //p' next)"
	! grep -q "another blob" next || fail "power $n: another blob"
done
export HEAPTIDE_CHECKPOINT_SYNC=batch

# --- torn at every byte ------------------------------------------------------

rm -rf state
RUNNER=marks RUNNER_N=3 limited 60 "$runner" >out
file=$(ls state/runs/*.tideck)
cp "$file" whole
bytes=$(stat -c %s whole)
LC_ALL=C grep -obUaP 'blob [123]' whole | cut -d : -f 1 >at
# A record ends 8 bytes behind its blob, which is filled up to 8.
one=$(sed -n 1p at) two=$(sed -n 2p at) three=$(sed -n 3p at)
torn()
{
	case $(($1 >= one + 16)):$(($1 >= two + 16)):$(($1 >= three + 16)) in
	1:1:1) echo 30 ;;
	1:1:0) echo 20 ;;
	1:0:0) echo 10 ;;
	*) echo 0 ;;
	esac
}
n=$((one - 60))
while [ $n -le "$bytes" ]; do
	head -c $n whole >"$file"
	same "cut to $n bytes" "where: $(torn $n)" "$(RUNNER=where \
		limited 60 "$runner" | sed -n 's/^where: [01] \([0-9]*\) .*/where: \1/p')"
	n=$((n + 1))
done
# Garbage behind it, of any kind, is none of it.
for tail in torn "$(head -c 40 whole | tr '\0' x)" kcd; do
	{ cat whole; printf %s "$tail"; } >"$file"
	same "garbage behind it" "where: 1 30 'blob 3'" \
		"$(RUNNER=where limited 60 "$runner" | grep ^where)"
done
{ cat whole whole; } >"$file"
same "itself behind it" "where: 1 30 'blob 3'" \
	"$(RUNNER=where limited 60 "$runner" | grep ^where)"

# --- what it costs the program -----------------------------------------------

for library in "" "$LIBHEAPTIDE"; do
	rm -rf state log
	(ulimit -f 8; RUNNER_N=40 HEAPTIDE_LOG=$scratch/log \
		LD_PRELOAD=$library exec "$runner") >first 2>err
	same "'$library': a file that may not become so large" 0 $?
	grep -q "^not there" first || fail "all of it fitted"
	same "lines" 40 "$(grep -c there first)"
	same "on its standard error" 0 "$(wc -l <err)"
	same "told once" 1 "$(grep -c "checkpoint could not be" log)"
done

# And in the report; with more in its file than the limit is.
rm -rf state
HEAPTIDE_DIR=$scratch/segments RUNNER_N=40 RUNNER_FSIZE=4096 limited 60 \
	"$HEAPTIDE" run --summary off -q -o p.tide -- "$runner" >first 2>err
same "under heaptide run" "0 40" "$? $(grep -c there first)"
report p.tide
same "in the report" "$(grep -c "^not there" first)" \
	"$(json report.json .checkpoints.failed)"
"$HEAPTIDE" report p.tide | grep -q "could not be written, the last: File" ||
	fail "the report does not tell"

# --- every system call -------------------------------------------------------

if ! command -v strace >/dev/null ||
	! strace -o /dev/null true 2>/dev/null; then
	without "strace cannot be used"
	exit 0
fi

# traced WHAT COMMAND...: killed at each call but those before its run begins
traced()
{
	what=$1 kills=0 resumed=0
	shift
	rm -rf state
	limited 60 strace -qq -o trace "$@" >first 2>&1 ||
		fail "$what: $(cat first)"
	sed -n 's/^\([a-z_0-9]*\)(.*/\1/p' trace | grep -v -x -e execve \
		-e exit_group -e prctl -e arch_prctl | sort | uniq -c >calls
	begun=$(grep -n tideck trace | head -n 1 | cut -d : -f 1)
	while read -r count name; do
		# Those that came before it begins say nothing.
		n=$(head -n "$begun" trace | grep -c "^$name(")
		while [ $n -lt "$count" ]; do
			n=$((n + 1))
			rm -rf state
			limited 60 strace -qq -o /dev/null -e \
				inject="$name:signal=KILL:when=$n" "$@" \
				>first 2>&1 </dev/null
			status=$?
			# A call less than before: there is nothing to kill.
			[ $status -ne 0 ] || continue
			kills=$((kills + 1))
			judge "$what, killed at $name $n" first
		done
	done <calls
	echo "$what: killed $kills times, gone on $resumed times"
	within "$what: kills" 30 2000 $kills
	within "$what: gone on" 10 2000 $resumed
}

export RUNNER_N=3
traced alone "$runner"
export HEAPTIDE_DIR="$scratch/segments" HEAPTIDE_KEEPER=off
traced "with heaptide inside" env LD_PRELOAD="$LIBHEAPTIDE" "$runner"
