#!/bin/sh
# status.sh - one process, looked at, told and copied while it runs: status, ctl,
# mark, snapshot, also where nobody serves, and where it is stopped
. "${srcdir:-.}/tests/lib.sh"
need jq perl

heaptide()
{
	limited 20 "$HEAPTIDE" "$@"
}

# refused STATUS SENTENCE ARGUMENT...
refused()
{
	status=$1
	sentence=$2
	shift 2
	heaptide "$@" >out 2>err
	same "status of $*" "$status" $?
	grep -q -e "$sentence" err || fail "$*: $(cat err)"
	same "lines of $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

status()
{
	heaptide status --json "$pid" >status.json 2>err
}

# is EXPRESSION: of the status
is()
{
	status && jq -e "$1" status.json
}

cat >grow.pl <<'PL'
# 100 kB each 10 ms, until the file "enough" is there; else as it is.
my @held;
while (!-e "enough") {
	push @held, "x" x 100000 if !-e "rest" && @held < 20000;
	select undef, undef, undef, 0.01;
}
PL

version=$(heaptide --version --json | jq -r 'select(.schema == 1) | .heaptide')
same "version" "heaptide $version" "$(heaptide version)"

# --- what is refused ----------------------------------------------------------

refused 2 "'--yaml' is not accepted" version --yaml
refused 2 "PID|RUN is missing" status
refused 2 "'self' is no process" status self
refused 2 "'0' is no process" mark 0 name
refused 2 "is missing" mark 1
refused 2 "'x' is no process" ctl x help
refused 2 "'' is no process" snapshot ''
refused 125 "no profile of process" status $$
refused 125 "no profile of process" ctl $$ help
refused 125 "no profile of process" snapshot $$

# --- served, and not -----------------------------------------------------------

for way in run preload; do
	rm -rf enough rest "$HEAPTIDE_DIR"
	if [ $way = run ]; then
		"$HEAPTIDE" run --stacks none --summary off --on-growth 1M/s \
		    -o profile.tide -- perl grow.pl </dev/null &
		job=$!
		running()
		{
			set -- "$HEAPTIDE_DIR"/*.sock
			[ -S "$1" ] && pid=${1##*/} && pid=${pid%.sock}
		}
	else
		env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=none \
		    perl grow.pl </dev/null &
		job=$!
		pid=$job
		running()
		{
			[ -e "$(echo "$HEAPTIDE_DIR/$pid".*)" ] && status
		}
	fi
	started="$started $job"
	await running
	status || fail "$way: $(cat err)"

	# Why there is none of another, and where this one lies.
	refused 125 "in '$HEAPTIDE_DIR': it runs without heaptide" status $$
	refused 125 "in '$HEAPTIDE_DIR': there is no such process" \
	    ctl 2147483646 help
	mkdir -p elsewhere
	(HEAPTIDE_DIR=$scratch/elsewhere refused 125 \
	    "it lies in '$HEAPTIDE_DIR'; set HEAPTIDE_DIR to that" \
	    snapshot "$pid") || exit
	same "$way: members" "heaptide schema pid status progress memory \
configuration" "$(jq -r 'keys_unsorted | join(" ")' status.json)"
	same "$way: what it says" "$pid running none" "$(jq -r '"\(.pid
	    ) \(.status) \(.configuration.stacks)"' status.json)"
	same "$way: what people know comes first" "memory_rss_mb cpu_percent" \
	    "$(jq -r '.memory | keys_unsorted[:2] | join(" ")' status.json)"
	await is '.memory.growth.minute.low > 0'
	await is '.memory.limit_in == null or .memory.limit_in > 0'
	heaptide status "$pid" >out || fail "$way: no text"
	grep -q "growth .*MiB/s over the last minute" out ||
		fail "$way: $(cat out)"

	# Marks, and what has grown since.
	heaptide mark "$pid" one night >out || fail "$way: no mark"
	same "$way: mark" "mark 'one night' set, number 0" "$(cat out)"
	refused 2 "at most 59 bytes" mark "$pid" "$(printf '%064d' 1)"
	heaptide ctl "$pid" marks | jq -e '.marks[0] | .name == "one night" and
	    .kind == "mark" and .sites' >/dev/null || fail "$way: marks"
	is '.progress.mark == "one night"' >out || fail "$way: $(cat out)"

	# A refusal is an answer, and status 1; of a watch it ends it.
	heaptide ctl "$pid" nonsense >out
	same "$way: status of nonsense" 1 $?
	same "$way: nonsense" EINVAL "$(jq -r .error out)"
	heaptide ctl "$pid" watch 5ms >out
	same "$way: status of a watch too fast" "1 1" "$? $(wc -l <out)"

	# The dial, by itself and by hand.
	if [ $way = run ]; then
		await is '.configuration.stacks == "all"'
		heaptide ctl "$pid" marks | jq -e 'any(.marks[]; .kind ==
		    "growth" and (.name | test("MiB/s")))' >/dev/null ||
			fail "the alarm is not among the marks"
	else
		heaptide ctl "$pid" stacks all >/dev/null
		await is '.configuration.stacks == "all"'
	fi
	found()
	{
		heaptide ctl "$pid" sites 1 by growth >out &&
			jq -e '.sites[0].growth_bytes > 100000 and
			    (.sites[0].stack | length > 2)' out
	}
	await found

	# A copy, while it goes on.
	heaptide snapshot -o copy.tide "$pid" >out || fail "$way: no copy"
	same "$way: where the copy is" copy.tide "$(cat out)"
	report copy.tide
	same "$way: the copy" "running all true" "$(json report.json \
	    '"\(.end.how) \(.stacks) \(.stacks_since > 0)"')"
	same "$way: series and marks" "true true" "$(json report.json \
	    '"\(.series | length > 0) \(.marks | length > 0)"')"
	heaptide report copy.tide >out || fail "$way: no text of the copy"
	grep -q "running when it was copied" out || fail "$way: $(cat out)"

	mkdir -p copies
	heaptide snapshot --json -o copies "$pid" >out || fail "$way: no copy"
	same "$way: a copy in a directory" "$pid" "$(json out .pid)"
	[ -s "$(json out .file)" ] || fail "$way: there is no $(cat out)"
	same "$way: where it is" copies "$(dirname "$(json out .file)")"
	heaptide mark --json "$pid" as JSON >out || fail "$way: no mark"
	same "$way: the mark" "$version 1 $pid as JSON number number" "$(json out \
	    '"\(.heaptide) \(.schema) \(.pid) \(.mark) \(.number | type) \(
	    .epochs | type)"')"
	heaptide ctl --json "$pid" version | jq -e .ok >/dev/null ||
		fail "$way: ctl --json"

	# At rest and stopped, it is seen all the same.
	touch rest
	kill -STOP "$pid"
	await is '.status == "stopped"'
	heaptide ctl "$pid" budget 1T >/dev/null || fail "$way: budget"
	is '.configuration.budget == 1099511627776' >out ||
		fail "$way: no budget: $(cat out)"
	[ $way = preload ] || kill -CONT $job
	kill -CONT "$pid"
	await is '.status == "running"'
	touch enough
	wait $job || fail "$way: status $?"
	refused 125 "has ended\|no profile" status "$pid"
	[ $way = run ] || cp "$HEAPTIDE_DIR/$pid".*.tide profile.tide
	report profile.tide
	same "$way: exact" true "$(json report.json .exact)"
	same "$way: sockets" "" "$(ls "$HEAPTIDE_DIR" | grep sock)"
done
