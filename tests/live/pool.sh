#!/bin/sh
# pool.sh - a pool is started, looked at and stopped; a thousand processes that
# share it, a hundred of them killed at random, never hold more than there is,
# lose nothing and are all served
. "${srcdir:-.}/tests/lib.sh"
need jq
crowd=$builddir/tests/bench/crowd-shares
[ -x "$crowd" ] || skip "tests/bench/crowd-shares is not built"

pool()
{
	limited 60 "$HEAPTIDE" pool "$@"
}

# refused STATUS SENTENCE ARGUMENT...
refused()
{
	status=$1
	sentence=$2
	shift 2
	pool "$@" >out 2>err
	same "status of pool $*" "$status" $?
	grep -q -e "$sentence" err || fail "pool $*: $(cat err)"
	same "lines of pool $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

# --- the command -------------------------------------------------------------

pool status >out || fail "status without any: $?"
grep -q 'there is no pool' out || fail "no pool: $(cat out)"
refused 125 "no directory for pools" status x
mkdir -m 700 "$HEAPTIDE_DIR" || exit

refused 2 "needs --budget SIZE, such as" start night
refused 2 "'4095'" start night --budget 4095
refused 2 "'-3'" start night --budget 1G --cores -3
refused 2 "start needs the NAME" start --budget 1G
refused 2 "'../x' is no name" start ../x --budget 1G
refused 2 "there is no 'begin'; start, status and stop" begin night
refused 2 "budget is for start, not for stop" stop night --budget 1G
refused 2 "json is for status, not for start" start x --json --budget 1G
refused 125 "there is no pool 'night'" status night
refused 125 "there is no pool 'night'" stop night

pool start night --budget 1G --cores 3 --members 2000 >out 2>warning ||
	fail "start: $?"
grep -q 'HEAPTIDE_POOL=night' out || fail "start said: $(cat out)"
refused 125 "there is a pool 'night'" start night --budget 2G
same "modes" "600 700" "$(stat -c %a "$HEAPTIDE_DIR/pools/night") $(
	stat -c %a "$HEAPTIDE_DIR/pools")"
case $(stat -f -c %T "$HEAPTIDE_DIR") in
tmpfs | ramfs) [ ! -s warning ] || fail "start said: $(cat warning)" ;;
*) grep -q 'is on a disk' warning || fail "no word of the disk"  ;;
esac
pool status night --json >status.json || fail "status: $?"
same "a new pool" "night 1073741824 1073741824 3 0 0 false" "$(
	json status.json '.pools[0] | "\(.name) \(.budget) \(.left) \(
	.cores) \(.waiting) \(.members | length) \(.stopped)"')"
printf 'no pool' >"$HEAPTIDE_DIR/pools/broken"
refused 125 "is no pool" status broken
pool status >out 2>err || fail "status of all: $?"
grep -q '^pool night: 1.00 GiB' out || fail "status: $(cat out)"
pool stop broken || fail "what is broken cannot be stopped"

# --- a crowd -----------------------------------------------------------------

# value NAME: of what crowd-shares said
value()
{
	sed -n "s/^$1 //p" said
}

# sound WHAT: more was never held than there is, and all is back
sound()
{
	same "$1: failed" 0 "$(value failed)"
	same "$1: lost" "0 0 0" \
		"$(value lost) $(value active) $(value members)"
	awk -v most="$(value most_of_budget)" 'BEGIN { exit !(most <= 0.95 &&
		most > 0.1) }' || fail "$1: $(value most_of_budget) was held"
}

limited 200 "$crowd" "$HEAPTIDE_DIR/pools/night" 1000 4 100 10 >said 2>err ||
	fail "a crowd: $? $(cat err said)"
sound "a crowd"
same "a crowd: killed" 100 "$(value killed)"
same "a crowd: unfinished" 0 "$(value unfinished)"
within "a crowd: batches" 3600 4000 "$(value batches)"
within "a crowd: leases" "$(value batches)" 4000 "$(value granted)"

pool status night --json >status.json || fail "status after the crowd: $?"
same "all that is left" "1073741824 0" "$(
	json status.json '.pools[0] | "\(.left) \(.members | length)"')"

# --- the law, simulated ------------------------------------------------------

limited 60 "$HEAPTIDE" simulate pool --processes 100 --time 2s --json \
	>sim.json || fail "simulate pool: $?"
same "laws" 6 "$(json sim.json '.pools | length')"
same "a pool kills nobody, others do" "0 true true" "$(json sim.json '
	(.pools[] | select(.law == "elastic leases")) as $ours |
	(.pools[] | select(.law == "free at start")) as $theirs |
	"\($ours.kills) \($ours.efficiency >= 0.8) \($theirs.kills > 100)"')"
for wrong in '--items 5 pool' '--processes 5 linear'; do
	limited 60 "$HEAPTIDE" simulate $wrong >out 2>err
	same "status of simulate $wrong" 2 $?
	grep -q 'pool$' err || fail "simulate $wrong: $(cat err)"
done

# --- the broker --------------------------------------------------------------

# A machine with 512 MiB left, of which nobody is a member.
HEAPTIDE_SYSROOT=$srcdir/tests/unit/fixtures/sysroot-bare limited 60 \
	"$HEAPTIDE" pool start shrunk --budget 4G --broker >broker.out 2>&1 &
broker=$!
started=$broker
shrunk()
{
	pool status shrunk --json >shrunk.json &&
		jq -e ".pools[0] | .budget == $1 and (.members | length) == 1" \
			shrunk.json
}
await shrunk 536870912
grep -q '^pool shrunk: budget 512.0 MiB' broker.out ||
	fail "the broker said: $(cat broker.out)"
same "name of the broker" heaptide "$(
	json shrunk.json '.pools[0].members[0].name')"
pool status shrunk >out || fail "status: $?"
grep -q 'of 4.00 GiB that were set; others use the rest' out ||
	fail "status: $(cat out)"
pool stop shrunk || fail "stop: $?"
wait $broker
same "status of the broker, stopped" 0 $?

# Who waits when a pool is stopped is told so.
limited 60 "$crowd" "$HEAPTIDE_DIR/pools/night" 20 30s 0 100 >said 2>err &
crowded=$!
started=$crowded
waiting()
{
	pool status night --json >status.json &&
		jq -e '.pools[0].waiting > 5' status.json
}
await waiting
pool status night >out || fail "status: $?"
grep -q 'PID .*LEASE .*WAITING .*COMMAND' out || fail "no table: $(cat out)"
same "lines of members" 21 "$(grep -c ' crowd-shares' out)"
pool stop night || fail "stop: $?"
[ ! -e "$HEAPTIDE_DIR/pools/night" ] || fail "the pool is still there"
kill $crowded
wait $crowded
pool status >out || fail "status: $?"
grep -q 'there is no pool' out || fail "still a pool: $(cat out)"
