#!/bin/sh
# recommend-time.sh - what is advised of delays, checkpoints and waiting holds
# when it is followed
. "${srcdir:-.}/tests/recommend.sh"

# looked FILE: what is recommended of a profile, and what its operations did
looked()
{
	last_way=$1
	limited 60 "$HEAPTIDE" recommend --json "$1" >advice.json ||
		fail "recommend: status $?"
	limited 60 "$HEAPTIDE" ops --json "$1" >ops.json ||
		fail "ops: status $?"
}

# ran FILE ARGUMENT...: the program under heaptide
ran()
{
	file=$1
	shift
	limited 120 "$HEAPTIDE" run --stacks none --summary off --budget 64M \
	    -o "$scratch/$file" -- "$victims/progress" "$@" >out 2>err ||
		fail "$*: status $?: $(cat err)"
}

# --- R-DELAY: they brought nothing -------------------------------------------

# Forty batches, each of which is followed by a third of a second.
HEAPTIDE_DELAY_MODE=always HEAPTIDE_DELAY_MIN=300ms ran delayed figures &
delayed=$!

# --- R-CKPT: eleven minutes that would be lost --------------------------------

ran aged aged
looked aged
has R-CKPT
within "seconds" 660 900 "$(number R-CKPT seconds)"
same "its key" "checkpoint.every 5" \
    "$(member R-CKPT key) $(member R-CKPT value)"
ran kept aged kept
looked kept
within "checkpoints" 1 5 "$(op checkpoints)"
lacks R-CKPT

# --- R-CONC: of a common budget, each waits for the other ---------------------

mkdir -p -m 700 "$HEAPTIDE_DIR"
limited 60 "$HEAPTIDE" pool start common --budget 64M >out 2>&1 ||
	fail "pool: $(cat out)"
for i in 1 2 3; do
	HEAPTIDE_POOL=common limited 120 "$HEAPTIDE" run --stacks none \
	    --summary off -o "$scratch/member$i" -- "$victims/progress" \
	    holding >/dev/null 2>err$i &
	eval "member$i=\$!"
done
wait "$member1" && wait "$member2" && wait "$member3" ||
	fail "members: $(cat err1 err2 err3)"
waited=0
for i in 1 2 3; do
	looked member$i
	if ids | tr ' ' '\n' | grep -qx R-CONC; then
		waited=$((waited + 1))
		same "what to do" "fewer processes of the pool at one time" \
		    "$(member R-CONC setting)"
	fi
done
[ "$waited" -gt 0 ] || fail "nobody waited: $(cat ops.json)"
HEAPTIDE_POOL=common ran alone holding
looked alone
lacks R-CONC

# --- R-DELAY, as it came out ---------------------------------------------------

wait $delayed || fail "delayed: status $?"
looked delayed
has R-DELAY
within "seconds" 10 600 "$(number R-DELAY seconds)"
same "its key" "delay.mode off" "$(member R-DELAY key) $(member R-DELAY value)"
HEAPTIDE_DELAY_MODE=off ran quick figures
looked quick
lacks R-DELAY
same "delays" 0 "$(op delay_seconds)"
