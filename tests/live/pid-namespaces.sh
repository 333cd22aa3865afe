#!/bin/sh
# pid-namespaces.sh - processes that are all called 1, each in a namespace of
# its own, do not meet in one file, and the living are told from the dead
. "${srcdir:-.}/tests/lib.sh"
need unshare jq

unshare -pf --mount-proc true 2>/dev/null ||
	skip "pid namespaces cannot be made here"

# --- many at once ------------------------------------------------------------

# With a /proc of their own they are 1, else what they are outside.
cat >many <<'END'
cd "$1" || exit
for i in 1 2 3 4 5 6 7 8 9 10; do
	unshare -pf --mount-proc sh -c 'cd "$0" && exec "$1" exit' "$1" "$2" &
	unshare -pf "$2" exit &
done
wait
END
for stacks in none sampled all; do
	rm -rf profile.tide.d
	under $stacks sh many "$scratch" "$victims/endings"
	same "status" 0 $?
	same "profiles" 20 "$(ls profile.tide.d/heaptide.endings.* |
		grep -c -v '\.0\.tide$')"
	inside=0
	for profile in profile.tide.d/heaptide.endings.*; do
		report "$profile"
		[ "$(json report.json '.command[1]')" = exit ] || continue
		same "$profile: how it ended" "exited 3 true" \
			"$(json report.json '"\(.end.how) \(.end.status
			) \(.exact)"')"
		within "$profile: what it held" 60 70 \
			"$(json report.json .totals.live_blocks)"
		[ "$(json report.json .pid)" -ne 1 ] || inside=$((inside + 1))
	done
	same "those that were called 1" 10 $inside
done
same "what stays in the directory" "" "$(ls "$HEAPTIDE_DIR")"

# --- living and dead ---------------------------------------------------------

# Seen from outside, by the pid that they have there; nobody is collected who
# lives, and nothing of theirs is cleaned away.
limited 60 "$HEAPTIDE" run -q -o run.tide -- unshare -pf --mount-proc sh -c \
	'perl -e "select undef, undef, undef, 0.05 until -e q(go); exit 5"; exit $?' &
run=$!
for try in $(seq 200); do
	"$HEAPTIDE" ps --json >ps.json || fail "ps fails"
	perl=$(json ps.json '.processes[] | select(.state == "running" and
		(.command | startswith("perl"))) | .pid')
	[ -z "$perl" ] || break
	sleep 0.05
done
[ -n "$perl" ] || fail "the process inside is not listed: $(cat ps.json)"
same "the process that is listed" perl "$(cat "/proc/$perl/comm")"
"$HEAPTIDE" report --json "$perl" >report.json || fail "no report by its pid"
same "its number inside, its end" "2 running" \
	"$(json report.json '"\(.pid) \(.end.how)"')"
sleep 0.3 # for the supervisor to look at it meanwhile
"$HEAPTIDE" ps --clean >/dev/null
"$HEAPTIDE" ps >ps
grep -q '^total of 3: ' ps || fail "not all three are alive: $(cat ps)"
grep "^ *$perl " ps | grep -q '  perl' || fail "it is not below its parent"
touch go
wait $run
same "status" 5 $?
set -- run.tide.d/heaptide.perl.2.tide
report "$1"
same "how it ended" "exited 5" \
	"$(json report.json '"\(.end.how) \(.end.status)"')"
same "what stays in the directory" "" "$(ls "$HEAPTIDE_DIR")"
