#!/bin/sh
# run-end.sh - however the program ends, its profile says so; who lives on is
# named and left alone
. "${srcdir:-.}/tests/lib.sh"
need jq perl

# ends JQ-TEXT PERL: how it ended, as the profile tells
ends()
{
	"$HEAPTIDE" run --summary json -o profile.tide -- perl -e "$2" 2>err
	sed '/^}$/q' err >end.json # a shell may tell of the signal behind it
	same "the end of '$2'" "$1" \
		"$(json end.json '"\(.end.how) \(.end.status) \(.end.signal)"')"
	report profile.tide
	same "the end in the report of '$2'" "$1" "$(json report.json \
		'"\(.end.how) \(.end.status) \(.end.signal)"')"
	same "exact after '$2'" true "$(json report.json .exact)"
}

ends "exited 0 0" '1'
ends "exited 7 0" 'exit 7'
ends "exited 7 0" 'use POSIX; POSIX::_exit(7)'
ends "signalled 0 15" 'kill 15, $$; sleep 9'
ends "signalled 0 9" 'kill 9, $$; sleep 9'
ends "signalled 0 11" 'kill 11, $$; sleep 9'
ends "signalled 0 6" 'use POSIX; POSIX::abort()'

# --- who lives on ------------------------------------------------------------

"$HEAPTIDE" run -o profile.tide -- sh -c \
	'perl -e "open F, q(>), q(begun); sleep 600" >/dev/null 2>&1 &
	echo $! >pid; while [ ! -e begun ]; do sleep 0.05; done' 2>err
pid=$(cat pid)
kill -0 "$pid" || fail "the daemon ended with the run"
grep -q "1 process of this run .*perl.* $pid" err ||
	fail "no word of the daemon: $(cat err)"
"$HEAPTIDE" report "$pid" >/dev/null || fail "the daemon cannot be reported"
"$HEAPTIDE" ps --json >ps.json
same "in ps" running \
	"$(json ps.json ".processes[] | select(.pid == $pid) | .state")"
kill "$pid"
# A zombie is not dead: whoever is to wait for it may take a moment.
while is_ours "$pid" || grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
	sleep 0.05
done
"$HEAPTIDE" ps --clean >/dev/null
same "after --clean" "" "$(ls "$HEAPTIDE_DIR")"
