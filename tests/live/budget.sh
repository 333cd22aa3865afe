#!/bin/sh
# budget.sh - of all limits on memory the lowest rules, wherever it is set
. "${srcdir:-.}/tests/lib.sh"
need jq

# budget ARGUMENT...: on this machine, as JSON, in budget.json
budget()
{
	limited 60 "$HEAPTIDE" budget --json "$@" >budget.json ||
		fail "budget $*: status $?"
}

# budget_on TREE ARGUMENT...: on a machine that is only made of files
budget_on()
{
	tree=$srcdir/tests/unit/fixtures/sysroot-$1
	shift
	HEAPTIDE_SYSROOT=$tree limited 60 "$HEAPTIDE" budget --json "$@" \
		>budget.json || fail "budget on $tree: status $?"
}

# found EXPRESSION
found()
{
	json budget.json "$1"
}

# refused SENTENCE ARGUMENT...: a usage error that says so
refused()
{
	sentence=$1
	shift
	limited 60 "$HEAPTIDE" budget "$@" >out 2>err
	same "status of budget $*" 2 $?
	grep -q "$sentence" err || fail "budget $*: $(cat err)"
	same "lines of budget $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

M=1048576
G=1073741824

# --- the kinds of machine ----------------------------------------------------

budget_on v2
same "v2: budget" $((4 * G)) "$(found .budget)"
same "v2: source" cgroup "$(found .source)"
same "v2: soft" false "$(found .soft)"
same "v2: from" "$tree/sys/fs/cgroup/user.slice/memory.max" \
	"$(found '.sources[] | select(.rules) | .from')"
same "v2: slow from" $((3 * G)) "$(found .slow_from)"
same "v2: one rules" 1 "$(found '[.sources[] | select(.rules)] | length')"
same "v2: left" $((4 * G - 2 * G + 704 * M)) "$(found .available)"

budget_on v2-namespace
same "namespace: budget" $((512 * M)) "$(found .budget)"
same "namespace: left" $((12 * M)) "$(found .available)"

budget_on v1
same "v1: budget, set out of sight" $((768 * M)) "$(found .budget)"
same "v1: from" "$tree/sys/fs/cgroup/memory/job/memory.stat" \
	"$(found '.sources[] | select(.rules) | .from')"

budget_on hybrid
same "hybrid: budget" $((2 * G)) "$(found .budget)"

# The host: 512 MiB available, 256 MiB of them in reserve.
budget_on bare
same "bare: budget" $((256 * M)) "$(found .budget)"
same "bare: source" host "$(found .source)"
same "bare: soft" true "$(found .soft)"

# --- wishes ------------------------------------------------------------------

budget_on v2 --budget 60%
same "60 %" $((4 * G * 6 / 10)) "$(found .budget)"
same "60 %: source" option "$(found .source)"
budget_on v2 --budget max-256M
same "max-256M" $((4 * G - 256 * M)) "$(found .budget)"
budget_on v2 --budget 5G
same "a wish does not raise" $((4 * G)) "$(found .budget)"
budget_on v2 --budget 5G --force
same "but by force it does" $((5 * G)) "$(found .budget)"

export HEAPTIDE_BUDGET=1G
budget_on v2
same "environment" "environment $G" "$(found '"\(.source) \(.budget)"')"
budget_on v2 --budget 2G
same "the option is nearer" $((2 * G)) "$(found .budget)"
export HEAPTIDE_BUDGET=plenty
refused "HEAPTIDE_BUDGET 'plenty' is not accepted"
unset HEAPTIDE_BUDGET

refused "'1,5G' is not accepted: give 512M, 60% or max-256M" --budget 1,5G
refused "'101%' is not accepted" --budget 101%
refused "max-8E takes away more" --budget max-8E
refused "'self' is no process" self
refused "'0' is no process" 0

# --- this machine ------------------------------------------------------------

(
	ulimit -v 4000000 || exit
	budget --budget 64G
	same "rlimit" 4096000000 \
		"$(found '.sources[] | select(.name == "rlimit-as") | .bytes')"
) || exit

# A process with heaptide inside tells its heap, and whose budget it has.
HEAPTIDE_BUDGET=900M LD_PRELOAD=$LIBHEAPTIDE sleep 60 &
sleeper=$!
trap 'kill $sleeper; cd /; rm -rf "$scratch"' EXIT
tries=0
until ls "$HEAPTIDE_DIR"/$sleeper.*.tide >ls.out 2>&1; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || fail "no segment of the process: $(cat ls.out)"
	sleep 0.1
done
budget $sleeper
same "pid" $sleeper "$(found .pid)"
same "its own wish" $((900 * M)) "$(found \
	'.sources[] | select(.name == "environment") | .bytes')"
within "resident" 4096 $((900 * M)) "$(found .used)"
within "live in its heap" 0 $((100 * M)) "$(found .live)"
limited 60 "$HEAPTIDE" budget $sleeper >text || fail "budget: status $?"
grep -q "^process $sleeper (sleep)" text || fail "no name: $(cat text)"
grep -q "live in its heap" text || fail "no heap: $(cat text)"

limited 60 "$HEAPTIDE" budget 8388608 >out 2>err
same "status without such a process" 125 $?
grep -q 'process 8388608: No such process' err || fail "$(cat err)"
