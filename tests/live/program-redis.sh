#!/bin/sh
# program-redis.sh - a server under load, and after it the same data
. "${srcdir:-.}/tests/lib.sh"
need redis-server redis-benchmark redis-cli

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

# The load is random, the data is not.
load()
{
	limited 120 redis-benchmark -s "$scratch/redis.sock" -q -c 20 \
	    -n 20000 -r 5000 -t set,get,lpush,hset,zadd >benchmark.out ||
		fail "redis-benchmark: status $?"
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
for stacks in plain none all; do
	if [ "$stacks" = plain ]; then
		serve env
		load
		mv answers plain.answers
		continue
	fi
	serve "$HEAPTIDE" run --stacks "$stacks" --summary off \
	    -o "$scratch/profile.tide" --
	load
	cmp plain.answers answers || {
		cat answers
		fail "--stacks=$stacks: other data"
	}
	report profile.tide
	adds_up
	within "allocations" 100000 1000000000 \
	    "$(json report.json .totals.allocations)"
done
