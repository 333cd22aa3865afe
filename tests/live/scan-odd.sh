#!/bin/sh
# scan-odd.sh - a scan where it is difficult or not possible: it says so in a
# sentence, and no child, signal or file of its own is ever seen
. "${srcdir:-.}/tests/lib.sh"
need jq

# expect HOW ANSWER...: as the program has got them, `RESULT BLOCKS BYTES`
expect()
{
	how=$1
	shift
	for stacks in all sampled none; do
		limited 60 "$HEAPTIDE" run --stacks $stacks --summary off \
		    -o profile.tide -- "$victims/asking" "$how" >out 2>err ||
			fail "$how, $stacks: status $?: $(cat out)"
		grep -q "no filter" out && without "seccomp" && return
		same "$how, $stacks" "$*" "$(echo $(cut -d: -f2 out))"
	done
}

expect plain 0 0 0 0 10 1040
expect closed 0 0 0 0 10 1040
expect ignored 0 0 0 0 10 1040
expect confined 0 0 0 -1 0 0
# Of what the parent allocated, its child has lost the same.
expect forked 0 0 0 0 15 1560
# The superuser is given as many as there are.
if [ "$(id -u)" -ne 0 ]; then
	expect nobody 0 0 0 -11 0 0
elif command -v setpriv >/dev/null; then
	chmod 777 "$scratch"
	for command in all none; do
		limited 60 setpriv --reuid 65534 --clear-groups \
		    env HEAPTIDE_DIR="$scratch/nobody.$command" \
		    LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=$command \
		    "$victims/asking" nobody >out 2>err || :
		grep -q first out || { without "a user: $(cat err)"; break; }
		same "nobody, $command" "0 0 0 -11 0 0" \
		    "$(echo $(cut -d: -f2 out))"
	done
else
	without "RLIMIT_NPROC: nobody else to be"
fi

# Without the library nobody knows.
limited 10 "$victims/asking" plain >out
same "alone" "-19 0 0 -19 0 0" "$(echo $(cut -d: -f2 out))"

# --- who does not come by ----------------------------------------------------

alive()
{
	"$HEAPTIDE" status "$pid"
}

for keeper in auto on; do
	env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_KEEPER=$keeper sleep 600 &
	pid=$!
	started="$started $pid"
	await alive
	limited 60 "$HEAPTIDE" leaks --scan "$pid" >text 2>why
	status=$?
	if [ $keeper = on ]; then
		same "with a keeper" 0 $status
		grep -q "can be reached" text || fail "it says: $(cat text)"
	else
		same "at rest" 125 $status
		grep -q -e "--keeper on" why || fail "it says: $(cat why)"
	fi
	kill "$pid"
done

# --- another allocator -------------------------------------------------------

: >out
limited 60 env LD_PRELOAD="$modules/bump.so" "$HEAPTIDE" run --stacks all \
    --summary off -o profile.tide -- "$victims/turned" 2 enough >out 2>err &
job=$!
is_there()
{
	set -- "$HEAPTIDE_DIR"/*.tide
	for file; do
		pid=${file##*/} pid=${pid%%[.-]*}
		[ "$(cat "/proc/$pid/comm")" = turned ] && alive && return
	done
	return 1
}
await is_there
limited 30 "$HEAPTIDE" leaks --scan "$pid" >text 2>why
status=$?
touch enough
wait $job
same "another allocator" 125 "$status"
grep -q "not glibc's" why || fail "it says: $(cat why)"
