#!/bin/sh
# gate.sh - what needs memory asks before it begins: heaptide safe, run --gate
. "${srcdir:-.}/tests/lib.sh"
need jq

M=1048576

# A machine that is only made of files: what of 1 GiB is available, less 256
# MiB in reserve.
mkdir -p machine/proc/self
machine()
{
	printf 'MemTotal: 1048576 kB\nMemAvailable: %s kB\n' $(($1 * 1024)) \
		>machine/proc/meminfo.new
	mv machine/proc/meminfo.new machine/proc/meminfo
}
export HEAPTIDE_SYSROOT="$scratch/machine"

# --- safe --------------------------------------------------------------------

# safe STATUS ARGUMENT...: leaves "safe current available" in MiB in `said`
safe()
{
	expected=$1
	shift
	limited 60 "$HEAPTIDE" safe --json "$@" >safe.json
	same "status of safe $*" "$expected" $?
	said=$(json safe.json '"\(.safe) \(.current / 1048576) \(
		.available / 1048576)"')
}

machine 512
safe 0 --need 100M
same "there is room" "true 512 256" "$said"
safe 0 --need 256M
safe 1 --need 257M
same "there is none" "false 512 256" "$said"
# What is used already counts against a ceiling.
safe 0 --need 100M --max 700M
same "below a ceiling" "true 512 188" "$said"
safe 1 --need 200M --max 700M
safe 1 --need 1M --max 400M
same "above it already" "false 512 0" "$said"
# So does a budget that is set.
HEAPTIDE_BUDGET=50M safe 1 --need 100M

limited 60 "$HEAPTIDE" safe --need 100M >out || fail "safe: status $?"
grep -qx 'safe       yes' out && grep -qx 'available  256.0 MiB' out ||
	fail "as text: $(cat out)"
limited 60 "$HEAPTIDE" safe >out 2>err
same "without --need" 2 $?
grep -q -e '--need is missing' err || fail "$(cat err)"

# Of a process.
(
	unset HEAPTIDE_SYSROOT
	sleep 60 &
	sleeper=$!
	HEAPTIDE_BUDGET=1M limited 60 "$HEAPTIDE" safe --json --need 1 $sleeper \
		>safe.json
	same "of another process, a budget of ours is none" 0 $?
	kill $sleeper
	limited 60 "$HEAPTIDE" safe --need 1 8388608 >out 2>err
	same "of no process" 125 $?
) || exit

# --- gate --------------------------------------------------------------------

# gated STATUS SAYS POLICY: whether it was started, in `ran`
gated()
{
	rm -f started
	limited 60 "$HEAPTIDE" run -q -o p.tide --gate "$3" -- touch started \
		>out 2>err
	same "status of --gate $3" "$1" $?
	same "--gate $3" "$2" "$(cat err)"
	[ -e started ] && ran=yes || ran=no
}

gated 0 "" 256M:skip
same "there is room" yes $ran
gated 75 "Low memory (256MB), skipping" 257M:skip
same "there is none" no $ran
gated 75 "Low memory (256MB), skipping" 257M:wait=200ms
same "none came" no $ran
gated 75 "heaptide: run: there is no room: 257.0 MiB are needed, 256.0 MiB \
are left (--gate)" 257M:fail
same "there is none" no $ran

# Room that comes while it is waited for.
limited 60 "$HEAPTIDE" run -q -o p.tide --gate 300M:wait=50s -- \
	touch later >out 2>err &
waiter=$!
sleep 0.5
[ ! -e later ] || fail "it did not wait"
machine 700
wait $waiter
same "status of who waited: $(cat err)" 0 $?
[ -e later ] || fail "it was not started"
