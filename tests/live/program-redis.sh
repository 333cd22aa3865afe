#!/bin/sh
# program-redis.sh - a server under load, and after it the same data; also if it
# is watched, marked, turned, trimmed, copied and compared meanwhile
. "${srcdir:-.}/tests/lib.sh"
need redis-server redis-benchmark redis-cli jq

server=
trap 'status=$?; [ -z "$server" ] || kill -KILL $server 2>/dev/null
	cd /; rm -rf "$scratch"; exit $status' EXIT

client()
{
	limited 20 redis-cli -s "$scratch/redis.sock" "$@"
}

# serve COMMAND...: the server by way of COMMAND, until it answers
serve()
{
	rm -f redis.sock
	"$@" redis-server --port 0 --unixsocket "$scratch/redis.sock" \
	    --save '' --appendonly no --enable-debug-command yes \
	    --dir "$scratch" >server.out 2>&1 &
	server=$!
	tries=0
	until [ "$(client ping 2>/dev/null)" = PONG ]; do
		tries=$((tries + 1))
		kill -0 "$server" 2>/dev/null && [ $tries -lt 100 ] || {
			tail -n 5 server.out
			fail "the server does not start"
		}
		sleep 0.1
	done
}

# What it is given at random
load()
{
	limited 120 redis-benchmark -s "$scratch/redis.sock" -q -c 20 \
	    -n 20000 -r 5000 -t set,get,lpush,hset,zadd >benchmark.out ||
		fail "redis-benchmark: status $?"
}

# ... goes, and then what it has is not: in answers, and how it ended.
settle()
{
	client flushall >answers
	client eval 'for i = 1, 20000 do
		redis.call("set", "key" .. i, string.rep("v", i % 300))
		redis.call("rpush", "list" .. i % 50, i)
		redis.call("hset", "hash" .. i % 70, i, i * 2)
		redis.call("zadd", "set" .. i % 90, i, "m" .. i)
	end return 1' 0 >>answers
	client del key7 list3 >>answers
	client dbsize >>answers
	client debug digest >>answers
	client shutdown nosave
	wait "$server"
	echo "status $?" >>answers
	server=
}

# serve by under() would be in the background of a function's own shell.
for stacks in plain none sampled all; do
	if [ "$stacks" = plain ]; then
		serve env
		load
		settle
		mv answers plain.answers
		continue
	fi
	serve "$HEAPTIDE" run --stacks "$stacks" --summary off \
	    -o "$scratch/profile.tide" --
	load
	settle
	cmp plain.answers answers || {
		cat answers
		fail "--stacks=$stacks: other data"
	}
	report profile.tide
	adds_up
	within "allocations" 100000 1000000000 \
	    "$(json report.json .totals.allocations)"
done

# --- what an operator does, while it works ------------------------------------

serve "$HEAPTIDE" run --stacks none --summary off \
    -o "$scratch/profile.tide" --
pid=$(sed 's/ .*//' /proc/"$server"/task/"$server"/children)
await [ -e "$HEAPTIDE_DIR/$pid.sock" ]
until [ -e enough ]; do
	load
done &
loading=$!

ctl()
{
	limited 60 "$HEAPTIDE" ctl "$pid" "$@"
}
# says EXPRESSION: so it stands
says()
{
	ctl status >status.json && jq -e "$1" status.json
}
# copied FILE: and it is whole
copied()
{
	limited 60 "$HEAPTIDE" snapshot -o "$1" "$pid" >copy.out ||
		fail "no copy: $(cat copy.out)"
	"$HEAPTIDE" report --verify "$1" >verify.out ||
		fail "$1: $(cat verify.out)"
}

"$HEAPTIDE" ctl "$pid" watch 100ms >watched.json &
watching=$!
ten_lines()
{
	[ "$(wc -l <watched.json)" -ge 10 ]
}
await ten_lines
kill -TERM $watching
wait $watching
same "status of a watch that is cut short" 143 $?
jq -es 'all(.[]; .status == "running") and
    (map(.progress.allocations) | . == sort and .[0] < .[-1])' \
    watched.json >jq.out || fail "watched: $(head -n 1 watched.json)"
copied first.tide
limited 60 "$HEAPTIDE" mark "$pid" loaded >mark.out || fail "no mark"
for stacks in sampled all none all; do
	ctl stacks $stacks >answer.json || fail "stacks: $(cat answer.json)"
	await says ".configuration.stacks == \"$stacks\""
done
wanted=$(ctl trim | jq .trims_wanted)
trimmed()
{
	ctl trim last | jq -e ".trims_done >= $wanted"
}
await trimmed
ctl sites 3 >sites.json
jq -e '.sites | length > 0 and all(.[]; .stack | length > 0)' sites.json \
    >jq.out || fail "sites: $(cat sites.json)"
copied second.tide

# compared A B: with figures, and a total that has moved
compared()
{
	limited 120 "$HEAPTIDE" diff --json "$1" "$2" >diff.json 2>diff.err ||
		fail "diff $1 $2: $(cat diff.err)"
	jq -e '.a and .b' diff.json >jq.out ||
		fail "diff $1 $2: $(head -c 300 diff.json)"
}
compared first.tide second.tide
compared second.tide@loaded second.tide
compared second.tide "$pid"

touch enough
wait $loading
settle
cmp plain.answers answers || fail "operated: other data: $(cat answers)"
report profile.tide
"$HEAPTIDE" report --verify profile.tide || fail "it contradicts itself"
same "exact" true "$(json report.json .exact)"
same "marks by name" 1 \
    "$(json report.json '[.marks[] | select(.name == "loaded")] | length')"
