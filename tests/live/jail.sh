#!/bin/sh
# jail.sh - in a real control group its limit is the budget, what it holds is
# what is used, and when it is changed the answers follow
. "${srcdir:-.}/tests/lib.sh"
need jq

M=1048576

# --- a group of our own, below the one that we are in ------------------------

. "$srcdir/tests/jail.sh"
jail_make $((300 * M))

# jailed COMMAND...: in the group from its start
jailed()
{
	limited 100 sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$jail" \
		"$@"
}

# --- the budget is the group's -----------------------------------------------

jailed "$HEAPTIDE" budget --json >in.json || fail "budget: status $?"
same "budget" "$((300 * M)) cgroup $jail/$max" "$(json in.json \
	'"\(.budget) \(.source) \(.sources[] | select(.rules) | .from)"')"
jailed "$HEAPTIDE" budget --json --budget 50% >in.json
same "half of it" $((150 * M)) "$(json in.json .budget)"
jailed "$HEAPTIDE" run -q --budget 50% -o p.tide -- env >all
grep -qx "HEAPTIDE_BUDGET=$((150 * M))" all || fail "not exported: $(cat all)"

jailed "$HEAPTIDE" safe --json --need 200M >safe.json
same "room for 200 MiB" "0 true" "$? $(json safe.json .safe)"
jailed "$HEAPTIDE" safe --json --need 301M >safe.json
same "but not for 301" "1 false" "$? $(json safe.json .safe)"

# --- what is used is what cannot be dropped ----------------------------------

# 100 MiB of page cache, which the group is charged for, and 60 MiB of memory.
mkfifo go
jailed sh -c 'head -c 100M /dev/zero >cached && sync cached &&
	cat cached >/dev/null && MEMORY_PRESSURE_WATCH=go exec "$0" 62914560 90' \
	"$victims/pressed" >out &
holder=$!

holds()
{
	pid=$(grep -l "^pressed" /proc/[0-9]*/comm 2>/dev/null |
		cut -d/ -f3 | grep -Fx -f "$jail/cgroup.procs") &&
		"$HEAPTIDE" budget --json "$pid" >of.json &&
		[ "$(json of.json .used)" -ge $((60 * M)) ]
}
await holds
held=$(json of.json '.sources[] | select(.rules) | .used')
within "used, without its page cache" $((60 * M)) $((80 * M)) "$held"

# --- a limit that is changed while it runs -----------------------------------

limit $((250 * M))
"$HEAPTIDE" budget --json "$pid" >of.json
same "the new limit" $((250 * M)) "$(json of.json .budget)"
limit $((280 * M))
"$HEAPTIDE" budget --json "$pid" >of.json
same "and one more" $((280 * M)) "$(json of.json .budget)"
echo >go
wait $holder
same "it was told" "0 told" "$? $(cat out)"

# In a program with heaptide inside the same, by its own socket.
limit $((300 * M))
jailed "$HEAPTIDE" run -q -o p.tide -- sh -c '
	"$0" ctl $$ budget; echo '$((200 * M))' >"$1/$2"; sleep 0.1
	"$0" ctl $$ budget' "$HEAPTIDE" "$jail" "$max" >answers ||
	fail "ctl: status $?: $(cat answers)"
same "before and after" "$((300 * M)) cgroup $((200 * M)) cgroup" \
	"$(echo $(jq -r '"\(.budget) \(.source)"' answers))"

# --- who waits to be told is told, without a budget --------------------------

limit $((100 * M))
jailed "$HEAPTIDE" run -q --stacks none -o p.tide -- \
	"$victims/pressed" 90000000 30 >out 2>err
same "told" "0 told" "$? $(cat out)"
