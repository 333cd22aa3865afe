#!/bin/sh
# ps-tree.sh - ps shows the living and the dead, children below their parents
. "${srcdir:-.}/tests/lib.sh"
need jq perl

# The listing as JSON, in ps.json.
ps_json()
{
	limited 60 "$HEAPTIDE" ps --json "$@" >ps.json || fail "ps fails"
}

state_of()
{
	json ps.json ".processes[] | select(.pid == $1) | .state"
}

await_state()
{
	tries=0
	until ps_json && [ "$(state_of "$1")" = "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || fail "$1 is not $2: $(cat ps.json)"
		sleep 0.1
	done
}

# --- nobody ------------------------------------------------------------------

"$HEAPTIDE" ps >out || fail "ps of nothing fails"
same "ps of nothing" "no process with heaptide inside is running" \
	"$(cat out)"

# --- a family ----------------------------------------------------------------

mkdir -m 700 "$HEAPTIDE_DIR"
LD_PRELOAD=$LIBHEAPTIDE perl -e '
	my @held = (1) x 100000;
	if (my $child = fork) {
		open F, ">", "child.part"; print F $child; close F;
		rename "child.part", "child";
		waitpid $child, 0;
		sleep 600;
	}
	my @more = (1) x 200000;
	sleep 600;' &
parent=$!
while [ ! -e child ]; do sleep 0.05; done
child=$(cat child)
await_state "$parent" running
await_state "$child" running
same "the child's parent" "$parent" \
	"$(json ps.json ".processes[] | select(.pid == $child) | .parent")"
same "heap above 0.8 MB" true "$(json ps.json \
	".processes[] | select(.pid == $parent) | .heap > 800000 and
	.peak >= .heap and .rss > .heap and .threads == 1")"

"$HEAPTIDE" ps >out
order=$(awk -v p="$parent" -v c="$child" '$1 == p || $1 == c { print $1 }' out)
same "order of the lines" "$parent $child" "$(echo $order)"
grep "^ *$child " out | grep -q '  perl' || fail "the child is not indented"
grep -q '^total of 2: ' out || fail "no total: $(cat out)"

same "the total" true "$(json ps.json '.total.running == 2 and
	.total.heap == ([.processes[].heap] | add)')"

# A dead process of the same pid, by its start time another one.
segment=$(ls "$HEAPTIDE_DIR/$parent".*.tide)
cp "$segment" "$HEAPTIDE_DIR/$parent.1.tide"
ps_json
same "with the one before of that pid" "dead running running" \
	"$(json ps.json '[.processes[].state] | sort | join(" ")')"
"$HEAPTIDE" ps >out
order=$(awk -v p="$parent" -v c="$child" '$1 == p || $1 == c { print $1 }' out)
same "the child is below the living" "$parent $parent $child" "$(echo $order)"
rm "$HEAPTIDE_DIR/$parent.1.tide"

kill -s STOP "$child"
await_state "$child" stopped
kill -s KILL "$child"
await_state "$child" dead

# --- what is left ------------------------------------------------------------

"$HEAPTIDE" ps >out
grep -q '^1 dead and not collected' out ||
	fail "the dead is not told: $(cat out)"
"$HEAPTIDE" ps --clean >out || fail "ps --clean fails"
grep -q 'removed 1 profile' out || fail "it says: $(cat out)"
ps_json
same "after --clean" "$parent" "$(json ps.json '.processes[].pid')"
[ -e "$HEAPTIDE_DIR/$parent".*.tide ] || fail "the living one is removed"
kill "$parent"
wait "$parent" 2>/dev/null
"$HEAPTIDE" ps --clean >/dev/null

# --- before an exec ----------------------------------------------------------

LD_PRELOAD=$LIBHEAPTIDE sh -c 'exec perl -e "sleep 600"' &
image=$!
await_state "$image" running
while ! grep -q perl "/proc/$image/cmdline"; do sleep 0.05; done
await_state "$image" running
same "processes" 1 "$(json ps.json '.processes | length')"
ps_json --all
same "with what it was" "replaced running" \
	"$(json ps.json '[.processes[].state] | sort | join(" ")')"
kill "$image"
wait "$image" 2>/dev/null
"$HEAPTIDE" ps --clean >/dev/null

# Into a program that we are not in: it lives, but what is here is the past.
echo '#include <unistd.h>
int main(void) { return pause(); }' >pause.c
if ${CC:-cc} -static -o stranger pause.c 2>/dev/null; then
	LD_PRELOAD=$LIBHEAPTIDE sh -c 'exec ./stranger' &
	image=$!
	while ! grep -q stranger "/proc/$image/cmdline"; do sleep 0.05; done
	same "processes" 0 "$(ps_json && json ps.json '.processes | length')"
	ps_json --all
	same "with what it was" replaced "$(json ps.json '.processes[].state')"
	"$HEAPTIDE" ps --clean >/dev/null
	ps_json --all
	same "it is not cleaned away" 1 "$(json ps.json '.processes | length')"
	kill "$image"
	wait "$image" 2>/dev/null
	"$HEAPTIDE" ps --clean >/dev/null
fi
same "everything removed" "" "$(ls "$HEAPTIDE_DIR")"
