#!/bin/sh
# serve.sh - what `heaptide serve` answers: each path, events, and what is posted
. "${srcdir:-.}/tests/lib.sh"
need curl jq perl pgrep
. "$srcdir/tests/serve.sh"

json='Content-Type: application/json'
ours='X-Heaptide: 1'
schema=$srcdir/tests/schema

# conforms NAME: the last answer is as its schema has it
conforms()
{
	jq -r --slurpfile schema "$schema/serve.json" --arg name "$1" \
	    '$schema[0].definitions[$name] as $it |
	    [$schema[0] + $it] as $schema | '"$(sed '/^#/d' \
	    "$schema/validate.jq")" answer >said || fail "jq: $?"
	[ ! -s said ] || fail "$1: $(cat said)"
}

grow
serve --interval 200ms

# --- what is ------------------------------------------------------------------

answers 200 /version
has '.heaptide != null and .schema == 1'
answers 200 /help
conforms help
answers 200 /processes
conforms processes
has ".processes[0].pid == $pid and .total.running == 1"
answers 200 "/status/$pid"
conforms status
has ".pid == $pid and .status == \"running\" and .configuration.stacks == \"all\""
same "members" "heaptide schema pid status progress memory configuration" \
    "$(jq -r 'keys_unsorted | join(" ")' answer)"
answers 200 /status
has ".processes | length == 1 and .[0].pid == $pid"
answers 200 "/status?pid=$pid"
has ".pid == $pid"
for path in /memory-status "/memory-status?pid=$pid" "/memory-status/$pid"; do
	answers 200 "$path"
	conforms memory
	same "$path: what people know comes first" "memory_rss_mb cpu_percent" \
	    "$(jq -r 'keys_unsorted[:2] | join(" ")' answer)"
	has '.memory_rss_mb > 1 and .cpu_percent >= 0'
done
answers 200 "/report/$pid"
has ".pid == $pid and .end.how == \"running\" and (.sites | length > 10)"
has 'any(.sites[].stack[]; .function == "Perl_sv_grow" or .module != null)'
answers 200 "/leaks/$pid"
has '.leaks | type == "array"'
answers 200 "/ops/$pid"
has '.ops == []'
answers 200 "/analyze/$pid"
has '.issues | type == "array"'
answers 200 "/sites/$pid?n=2&by=count"
has '.ok and (.sites | length == 2)'
answers 200 "/marks/$pid"
has '.marks | type == "array"'
answers 200 "/series/$pid?n=3"
has '.series | length <= 3'
answers 200 "/scan/$pid"
has '.state == "never"'
answers 200 "/budget/$pid"
has ".pid == $pid and (.sources | length > 2)"
answers 200 /budget
has '.pid == null and (.sources | length > 2)'
answers 200 /checkpoints
has '.count == 0 and .data == []'
answers 200 /
grep -q "<td><a href=\"[a-z]*/$pid\">$pid</a>" answer || fail "$(cat answer)"
grep -q 'perl grow.pl' answer || fail "no command in the page"
answers 200 "/profile/$pid"
has ".page == 1 and .report.pid == $pid"
if [ -e "$builddir/web/page.html" ]; then
	answers 200 "/process/$pid"
	grep -q "{\"serve\": *{\"profile\": *\"../profile/$pid\"" answer ||
		fail "the page has no place for its data"
	grep -q "connect-src 'self'" answer || fail "the page may not ask"
else
	answers 404 "/process/$pid"
fi
answers 200 /live.js
grep -q EventSource answer || fail "no script"

# --- what is not ---------------------------------------------------------------

answers 404 /nothing
answers 404 "/status/$$"
answers 404 "/report/$$"
answers 404 "/events/$$"
answers 404 /checkpoints/nothing
answers 404 /resume/nothing
answers 400 /status/x
answers 400 /report
answers 400 "/sites/$pid?n=-1"
answers 400 "/sites/$pid?by=size"
answers 400 "/status/$pid?colour=red"
answers 400 "/events?interval=1ms"
answers 405 /status -X DELETE
answers 405 "/drain/$pid"
answers 405 /metrics -X POST -H "$ours"
has '.message | test("GET, HEAD, OPTIONS")'
answers 204 "/budget/$pid" -X OPTIONS -D head
grep -qi '^allow: GET, HEAD, POST, OPTIONS' head || fail "$(cat head)"
! grep -qi '^access-control' head || fail "cross-origin: $(cat head)"
answers 200 "/report/$pid" -I -D head
grep -qi '^content-length: [1-9]' head || fail "HEAD: $(cat head)"

# --- what shall be ----------------------------------------------------------------

answers 200 "/mark/$pid" -H "$json" -d '{"name":"night 1"}'
has '.ok and .mark == "night 1"'
answers 200 "/ctl/$pid" -H "$ours" -d 'mark by hand'
has '.ok and .mark == "by hand"'
answers 200 "/ctl/$pid" -H "$json" -d '{"request":"marks"}'
has '[.marks[].name] == ["night 1", "by hand"]'
answers 200 "/budget/$pid" -H "$json" -d '{"size":"400M"}'
has '.budget == 419430400'
answers 200 "/budget/$pid?size=off" -X POST -H "$ours"
answers 200 "/sample/$pid" -H "$json" -d '{"size":65536}'
has '.sample_bytes == 65536'
answers 200 "/stacks/$pid" -H "$json" -d '{"stacks":"none"}'
dialled()
{
	answers 200 "/status/$pid"
	jq -e '.configuration.stacks == "none"' answer
}
await dialled
answers 200 "/stacks/$pid" -H "$json" -d '{"stacks":"all"}'
answers 200 "/trim/$pid" -X POST -H "$ours"
has '.trims_wanted == 1'
answers 200 "/scan/$pid" -X POST -H "$ours"
has '.scans_wanted == 1'
answers 409 "/drain/$pid" -X POST -H "$ours"
answers 409 "/cleanup/$pid" -H "$json" -d '{"level":"critical"}'
answers 409 "/pressure/$pid" -H "$json" -d '{"level":"warning"}'
answers 400 "/ctl/$pid" -H "$ours" -d nonsense
has '.error == "EINVAL"'
answers 400 "/ctl/$pid" -H "$ours" -d 'watch 1s'
answers 400 "/mark/$pid" -H "$json" -d '{}'
answers 400 "/mark/$pid" -H "$json" -d '{"name":"a","more":1}'
answers 400 "/mark/$pid" -H "$json" -d '{"name":'
answers 404 "/mark/$$" -H "$json" -d '{"name":"a"}'
answers 200 /checkpoints/clean -H "$json" -d '{"max_age":"24h"}'
has '.removed == []'

# --- events ------------------------------------------------------------------------

# events PATH OPTION...: three of them, in a file of that name
events()
{
	path=$1
	shift
	limited 30 curl -sN "$@" "$url$path" | awk '{ print; fflush() }
	    /^event: / { n++ } /^$/ && n == 3 { exit }' >events
	same "$path: events" 3 "$(grep -c '^event: ' events)"
}

events "/events/$pid"
same "names" change "$(sed -n 's/^event: //p' events | sort -u)"
same "numbers grow" "" "$(sed -n 's/^id: //p' events | sort -n -u -c 2>&1)"
sed -n 's/^data: //p' events | jq -es "length == 3 and all(.pid == $pid) and
    .[0].progress.uptime < .[2].progress.uptime" >/dev/null ||
	fail "$(cat events)"
last=$(sed -n 's/^id: //p' events | head -n 1)

# Who comes back has what it missed, and nothing twice.
events "/events/$pid" -H "Last-Event-ID: $last"
[ "$(sed -n 's/^id: //p' events | head -n 1)" -gt "$last" ] ||
	fail "$last again: $(cat events)"
events /events?interval=100ms
same "names" processes "$(sed -n 's/^event: //p' events | sort -u)"
sed -n 's/^data: //p' events | jq -es "all(.processes[0].pid == $pid)" \
    >/dev/null || fail "$(cat events)"

# --- one that is stopped, and one that ends -------------------------------------------

kill -STOP "$pid"
answers 200 "/status/$pid"
has '.status == "stopped"'
answers 200 "/mark/$pid" -H "$json" -d '{"name":"stopped"}'
kill -CONT "$pid"

limited 60 curl -sN "$url/events/$pid" >events &
listener=$!
started="$started $listener"
await grep -q '^event: change' events
kill -KILL "$pid"
wait "$listener" || fail "the events of who is gone: $?"
same "the last event" end "$(sed -n 's/^event: //p' events | tail -n 1)"
answers 404 "/status/$pid"
answers 404 "/mark/$pid" -H "$json" -d '{"name":"a"}'
answers 200 "/report/$pid"
has ".pid == $pid"
# Who comes later, as its page does, is told the end as well, and nothing else.
limited 30 curl -sNf "$url/events/$pid" >events || fail "no events: $?"
same "events of who is gone" end "$(sed -n 's/^event: //p' events)"
sed -n 's/^data: //p' events | jq -e ".pid == $pid and .status == \"ended\"" \
    >/dev/null || fail "$(cat events)"
answers 200 /processes
has '.total.running == 0 and .processes[0].state == "dead"'
answers 200 /memory-status
has '.memory_rss_mb == 0 and .processes == []'
ended
