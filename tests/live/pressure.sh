#!/bin/sh
# pressure.sh - who waits to be told of memory pressure is told, by systemd's
# protocol, once the budget is nearly used
. "${srcdir:-.}/tests/lib.sh"

# pressed STATUS SAYS BUDGET BYTES SECONDS [sd-event]
pressed()
{
	expected=$1 says=$2 budget=$3
	shift 3
	limited 60 "$HEAPTIDE" run -q --stacks none -o p.tide \
		--budget "$budget" -- "$victims/pressed" "$@" >out 2>err
	status=$?
	[ $status -ne 77 ] || return 77
	same "status of pressed $*" "$expected" $status
	same "pressed $* with $budget" "$says" "$(cat out)"
}

pressed 0 told 100M 90000000 30
# At half of it nobody is told; nor without a budget.
pressed 1 "not told" 100M 40000000 5
# The line is the one that is set.
HEAPTIDE_WARN=30% pressed 0 told 100M 40000000 30

pressed 0 told 100M 90000000 30 sd-event ||
	without "sd-event: $(cat out)"

# The fifo is gone when it is over, whatever the end was.
limited 60 "$HEAPTIDE" run -q -o p.tide -- sh -c 'kill -9 $$' >out 2>err
ls "$HEAPTIDE_DIR" | grep pressure && fail "a fifo was left"

# Of a supervisor that was killed it stays, until somebody cleans up; that of
# one that runs on stays in any case.
"$HEAPTIDE" run -q -o p.tide -- sleep 60 &
started=$!
offers()
{
	living=$(ls "$HEAPTIDE_DIR"/$started.*.pressure)
}
await offers
sh -c '"$0" run -q -o q.tide -- sh -c "kill -9 \$PPID"; :' "$HEAPTIDE" \
	>out 2>err
same "fifos" 2 "$(ls "$HEAPTIDE_DIR" | grep -c pressure)"
"$HEAPTIDE" ps --clean >out || fail "ps --clean: status $?"
same "the one that is left" "$living" "$(ls "$HEAPTIDE_DIR"/*.pressure)"
kill $started
wait $started

# It is the user's alone.
limited 60 "$HEAPTIDE" run -q -o p.tide -- sh -c \
	'stat -c "%F %a" "$MEMORY_PRESSURE_WATCH"' >out
same "what is given" "fifo 600" "$(cat out)"

# Whom somebody tells already is left to them.
MEMORY_PRESSURE_WATCH=/dev/null MEMORY_PRESSURE_WRITE=YQ== limited 60 \
	"$HEAPTIDE" run -q -o p.tide -- sh -c \
	'echo "$MEMORY_PRESSURE_WATCH $MEMORY_PRESSURE_WRITE"' >out
same "what was there" "/dev/null YQ==" "$(cat out)"
