#!/bin/sh
# serve-metrics.sh - /metrics is what it says it is: by a strict parser, by
# promtool, and by a Prometheus that scrapes it and is asked
. "${srcdir:-.}/tests/lib.sh"
need curl jq perl pgrep
. "$srcdir/tests/serve.sh"

open='Accept: application/openmetrics-text; version=1.0.0'
# one that asks for its budget, in batches
batches()
{
	env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=all HEAPTIDE_BUDGET=64M \
	    "$victims/advised" alike items=100000000 fixed=8 pace_us=1000 \
	    >/dev/null 2>&1 </dev/null &
	advised=$!
	started="$started $!"
}

grow
# Its name is an attempt on the format.
name=$(printf 'odd "\\{}\nname')
ln -s "$(command -v perl)" "./$name"
env LD_PRELOAD="$LIBHEAPTIDE" "./$name" -e 'sleep 1 until -e "enough"' \
    </dev/null >/dev/null 2>&1 &
odd=$!
started="$started $odd"
await limited 20 "$HEAPTIDE" status "$odd"
batches
serve
asks()
{
	ask /metrics
	grep '^heaptide_op_batches_total{.*op="' answer
}
await asks

# --- both formats, by their types -------------------------------------------------

answers 200 /metrics -D head
grep -qi '^content-type: text/plain; version=0.0.4' head || fail "$(cat head)"
same "the end of text" 0 "$(grep -c '^# EOF' answer)"
cp answer plain
answers 200 /metrics -H "$open" -D head
grep -qi '^content-type: application/openmetrics-text; version=1.0.0' head ||
	fail "$(cat head)"
same "the last line" '# EOF' "$(tail -n 1 answer)"
cp answer open
# The same families in both, and of the socket, the same names.
names()
{
	sed -n 's/^\([a-z_]*\)[ {].*/\1/p' "$1" | sort -u
}
same "names" "$(names plain)" "$(names open)"
for family in live_bytes live_blocks allocated_bytes_total peak_bytes \
    resident_bytes rss_bytes budget_bytes budget_used_bytes \
    budget_available_bytes memory_state op_batches_total op_items_total \
    op_delay_seconds_total cleanups_total op_checkpoints_total leaks own_bytes
do
	names open | grep -qx "heaptide_$family" || fail "no $family"
done
grep -q 'heaptide_memory_state{.*heaptide_memory_state="ok"} 1$' open ||
	fail "no state: $(grep memory_state open)"
grep -q "^heaptide_threads{pid=\"$odd\",command=\"odd \\\\\"\\\\\\\\{}\\\\nname\"} 1\$" \
    open || fail "an odd name: $(grep heaptide_threads open)"

# As the socket has it.
for format in openmetrics prometheus; do
	limited 20 "$HEAPTIDE" ctl "$pid" metrics $format >answer ||
		fail "ctl: $?"
	jq -r .text answer >text
	[ $format = prometheus ] || same "its end" '# EOF' \
	    "$(sed -n '/^# EOF/p' text)"
	grep -q "^heaptide_live_bytes{pid=\"$pid\",command=\"perl\"} [0-9]" text ||
		fail "$format: $(head -n 20 text)"
done
limited 20 "$HEAPTIDE" ctl "$pid" metrics >answer
has '.metrics.heaptide_live_bytes > 0 and .metrics.heaptide_leaks.growing >= 0'
limited 20 "$HEAPTIDE" ctl "$pid" metrics xml >answer
same "status of an unknown format" 1 $?

# --- by parsers of others --------------------------------------------------------

cat >parse.py <<'PY'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain
pid, odd = sys.argv[1:]
of = {}
for f in text_string_to_metric_families(open("open").read()):
	assert f.documentation and f.name.startswith("heaptide_"), f
	assert not f.unit or f.name.endswith("_" + f.unit), f
	for s in f.samples:
		of[s.name, s.labels.get("pid"), s.labels.get("op")] = s
assert of["heaptide_live_bytes", pid, None].value > 0
assert of["heaptide_live_bytes", odd, None].labels["command"] == \
    'odd "\\{}\nname'
assert of["heaptide_allocated_bytes_total", pid, None].value >= \
    of["heaptide_live_bytes", pid, None].value
assert any(k[0] == "heaptide_op_items_total" and k[2] for k in of)
assert len(list(plain(open("plain").read()))) > 40
PY
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
	/usr/bin/python3 parse.py "$pid" "$odd" >out 2>&1 ||
		fail "a strict parser: $(tail -n 3 out)"
else
	without "python3-prometheus-client is not installed"
fi
if command -v promtool >/dev/null; then
	promtool check metrics <plain >out 2>&1 || fail "promtool: $(cat out)"
else
	without "promtool is not installed"
fi

# --- by a Prometheus ----------------------------------------------------------------

# What it has stored of @1, for our process.
stored()
{
	curl -sG --max-time 10 "http://127.0.0.1:$prometheus_port/api/v1/query" \
	    --data-urlencode "query=$1" >stored.json &&
		jq -er '.data.result[0].value[1]' stored.json
}

scraped_by_prometheus()
{
	cat >prometheus.yml <<EOF2
global: { scrape_interval: 3s, scrape_timeout: 3s }
scrape_configs:
  - job_name: heaptide
    static_configs: [ { targets: [ "${url#http://}" ] } ]
EOF2
	prometheus_port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
	    --web.listen-address="127.0.0.1:$prometheus_port" \
	    </dev/null >prometheus.log 2>&1 &
	prometheus=$!
	started="$started $prometheus"
	await stored "up{job=\"heaptide\"} == 1"
	await stored "heaptide_live_bytes{pid=\"$pid\"} > 0"
	await stored "sum by (pid) (heaptide_memory_state{pid=\"$advised\"}) == 1"
	await stored "sum by (op) (heaptide_op_items_total) > 0"
	await stored "heaptide_process_info{stacks=\"all\",pid=\"$pid\"}"
	await stored "heaptide_start_time_seconds{pid=\"$pid\"} > 1e9"
	kill -TERM "$prometheus"
	wait "$prometheus"
	same "status of prometheus" 0 $?
}

if command -v prometheus >/dev/null && command -v python3 >/dev/null; then
	scraped_by_prometheus
else
	without "prometheus is not installed"
fi
touch enough
ended
