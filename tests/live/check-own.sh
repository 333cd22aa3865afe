#!/bin/sh
# check-own.sh - the gate finds what examples/ingest loses, and our own commands
# lose nothing
. "${srcdir:-.}/tests/lib.sh"
need jq

source=$srcdir/examples/ingest.c
line=$(grep -n 'r = need(malloc(' "$source" | cut -d: -f1)
find /usr/include -type f -name '*.h' | LC_ALL=C sort | head -n 500 >list

# gate STATUS ARGUMENT...: what is said is in err
gate()
{
	expected=$1
	shift
	limited 300 "$HEAPTIDE" check "$@" >out 2>err
	status=$?
	[ $status -eq "$expected" ] ||
		fail "status $status instead of $expected: $*: $(cat err)"
}

gate 1 --json --fail-if 'leaked>0' --fail-if 'lost>0' --fail-if 'peak>64M' \
	-o ingest.tide -- "$builddir/examples/ingest" list
same "what holds" 'leaked>0' "$(json err '[.expressions[] |
	select(.answer == "holds") | .expression] | join(" ")')"
first='.expressions[0].findings[0]'
same "where" "ingest.c:$line" "$(json err "$first.stack[0] |
	(.file | sub(\".*/\"; \"\")) + \":\" + (.line | tostring)")"
same "all of it is there" 1 "$(json err '.expressions[0].findings | length')"
# And it is the same for who judges the profile later.
gate 1 --fail-if 'leaked>0' ingest.tide
gate 0 --fail-if 'leaked>0' --ignore record_read ingest.tide

# Commands that read a profile give back all that they took.
for command in report leaks 'report --json' 'leaks --all' \
	'diff ingest.tide' 'check --fail-if peak>1G'; do
	gate 0 --fail-if 'leaked>0' --fail-if 'lost>0' -- \
		"$HEAPTIDE" $command ingest.tide
done

# One that goes on and on does not grow: it is marked between its lines, until
# what it watches has ended.
sleep 300 &
watched=$!
started=$watched
limited 120 "$HEAPTIDE" check --json --fail-if 'growth>0' --fail-if 'leaked>0' \
	-- "$HEAPTIDE" monitor --interval 20ms --pid $watched >out 2>err &
gate=$!
started="$started $gate"
is_found()
{
	pid=$(ls "$HEAPTIDE_DIR" | sed -n 's/^\([0-9]*\)\.sock$/\1/p')
	[ -n "$pid" ]
}
has_lines()
{
	[ "$(wc -l <out)" -ge "$1" ]
}
await is_found
for mark in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	await has_lines $((mark * 5))
	"$HEAPTIDE" mark "$pid" "line $mark" >/dev/null || fail "no mark $mark"
done
kill $watched
wait $gate || fail "status $?: $(cat err)"
started=
same "answers" "clear clear" "$(json err '[.expressions[].answer] | join(" ")')"
