#!/bin/sh
# recommend-budget.sh - what is advised of the budget holds when it is followed
. "${srcdir:-.}/tests/recommend.sh"

# --- R-OK --------------------------------------------------------------------

fit="alike items=3200 bytes=262144 fixed=64"
# shellcheck disable=SC2086 # words on purpose
advised --budget 256M -- $fit
has R-OK
case $(member R-OK text) in
"Memory usage is well within acceptable limits ("[0-9]*"MB average)"*) ;;
*) fail "R-OK says: $(member R-OK text)" ;;
esac
mean=$(json advice.json .used_mean)
within "the mean" 1000000 "$(json advice.json .used_peak)" "$mean"

# --- R-BUDGET: nine tenths of it are too little ------------------------------

has R-BUDGET
enough=$(number R-BUDGET budget_enough)
within "what is enough" $((16 << 20)) $((26 << 20)) "$enough"
least=$((64 * 95 / 100))
# shellcheck disable=SC2086
advised --budget "$(member R-BUDGET value)" -- $fit
within "items in a batch with it" "$least" 64 "$(op n_mean)"
lacks R-HIGH
# shellcheck disable=SC2086
advised --budget "$((enough * 9 / 10))" -- $fit
within "items in a batch with less" 1 $((least - 1)) "$(op n_mean)"

# --- R-UTIL: much of the time near the budget --------------------------------

near="alike items=1000 bytes=1048576 fixed=52 pace_us=30000"
# shellcheck disable=SC2086
advised --budget 64M -- $near
has R-UTIL
lacks R-OK
same "its key" target "$(member R-UTIL key)"
# shellcheck disable=SC2086
advised --budget 64M --target "$(member R-UTIL value)" -- $near
lacks R-UTIL

# --- R-HIGH: out of memory ---------------------------------------------------

high="alike bytes=13000000 blind=1"
# shellcheck disable=SC2086
advised --budget 64M -- $high items=10 fixed=5
has R-HIGH
same "how bad" urgent "$(member R-HIGH severity)"
# In that order: smaller batches, a lower threshold, checkpoints, concurrency
case $(member R-HIGH setting) in
"1. smaller batches: "*"; 2. a lower threshold: "*"; 3. checkpoints"*) ;;
*) fail "R-HIGH says: $(member R-HIGH setting)" ;;
esac
max=$(member R-HIGH value)
within "the maximum" 1 3 "$max"
# shellcheck disable=SC2086
advised --budget 64M -- $high items=10 fixed="$max"
lacks R-HIGH

# --- R-LIMIT: a group without a limit ----------------------------------------

group=/sys/fs/cgroup/memory/heaptide-$$
living()
{
	set -- "$HEAPTIDE_DIR"/*.tide
	[ -e "$1" ] && pid=${1##*/} && pid=${pid%%[.-]*} &&
	    "$HEAPTIDE" ctl "$pid" version >said 2>&1
}

# in_group [OPTION...]: the same program there, asked while it runs
in_group()
{
	sh -c "echo \$\$ >$group/cgroup.procs && exec \"\$@\"" sh \
		"$HEAPTIDE" run --summary off "$@" -o limit.tide -- \
		"$victims/advised" alike items=200 fixed=2 pace_us=50000 \
		>account 2>err &
	child=$!
	started="$started $child"
	await living
	"$HEAPTIDE" recommend --json "$pid" >advice.json ||
		fail "recommend $pid: status $?"
	wait "$child" || fail "in a group: $(cat err)"
}

if mkdir "$group" 2>/dev/null; then
	trap 'status=$?; end_started; rmdir "$group"; cd /
		rm -rf "$scratch"; exit $status' EXIT
	rm -f "$HEAPTIDE_DIR"/*
	in_group
	if [ "$(json advice.json .source)" = host ]; then
		last_way="in a group"
		echo '{}' >ops.json
		has R-LIMIT
		rm -f "$HEAPTIDE_DIR"/*
		in_group --budget 64M
		lacks R-LIMIT
	else
		without "R-LIMIT: a limit of $(json advice.json .source) rules"
	fi
else
	without "R-LIMIT: no control group can be made"
fi
