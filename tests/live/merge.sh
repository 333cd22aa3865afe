#!/bin/sh
# merge.sh - the ranks of a job add up to one profile, and who has more than
# the others is told
. "${srcdir:-.}/tests/lib.sh"
need jq ${CC:-cc}

cat >rank.c <<'C'
#include <stdlib.h>
#include <string.h>

static __attribute__((noinline)) void *
even(void)
{
	return malloc(10000);
}

static __attribute__((noinline)) void *
uneven(void)
{
	return malloc(1000);
}

static int
rank(void)
{
	const char *names[] = { "OMPI_COMM_WORLD_RANK", "PMI_RANK",
		"SLURM_PROCID" };

	for (int i = 0; i < 3; i++)
		if (getenv(names[i]) != NULL)
			return atoi(getenv(names[i]));
	return 0;
}

int
main(void)
{
	void *volatile kept;

	for (int i = 0; i < 10; i++)
		kept = even();
	for (int i = 0; i < 100 * rank(); i++)
		kept = uneven();
	memset(kept, 1, 1000);
	return 0;
}
C
"${CC:-cc}" -g -O0 -fno-builtin -o rank rank.c || fail "rank.c"

# Ranks 0 to 3; what is asked of the merged one holds of them all.
check()
{
	limited 60 "$HEAPTIDE" merge --json -o sum.tide "$1".0.tide "$1".1.tide \
	    "$1".2.tide "$1".3.tide >merge.json 2>err ||
		fail "merge: $? $(cat err)"
	sums=
	for key in allocations allocated_bytes live_blocks live_bytes \
	    peak_bytes; do
		sum=0
		for rank in 0 1 2 3; do
			report "$1".$rank.tide
			sum=$((sum + $(json report.json .totals.$key)))
		done
		sums="$sums$sum "
	done
	report sum.tide
	same "$1: sums" "$sums" "$(json report.json '.totals |
	    "\(.allocations) \(.allocated_bytes) \(.live_blocks) " +
	    "\(.live_bytes) \(.peak_bytes) "')"
	same "$1: exact" "true null" "$(json report.json \
	    '"\(.exact) \(.totals.peak_at)"')"
	same "$1: sites of a name" "1 1" "$(json report.json '"\([.sites[] |
	    select(.stack[0].function == "even")] | length) \([.sites[] |
	    select(.stack[0].function == "uneven")] | length)"')"
	same "$1: what sites hold" "400320 600000" "$(json report.json \
	    '[.sites[] | select(.stack[0].function == "even")][0].live_bytes
	    as $a | [.sites[] | select(.stack[0].function == "uneven")][0]
	    .live_bytes as $b | "\($a) \($b)"')"
	same "$1: threads are ranks" 4 "$(json report.json '.threads | length')"
	same "$1: who has most" "3 0" "$(json merge.json \
	    '.imbalance.peak_bytes | "\(.max_rank) \(.min_rank)"')"
	same "$1: an uneven site" "0 300000 150000 2 3 null 3" "$(json \
	    merge.json '.sites[] | select(.stack[0].function == "uneven") |
	    .peak | "\(.min) \(.max) \(.mean) \(.max_over_mean) " +
	    "\(.max_rank) \(.min_rank) \(.ranks)"')"
	same "$1: an even site" "100080 100080 1" "$(json merge.json '.sites[] |
	    select(.stack[0].function == "even") | .peak |
	    "\(.min) \(.max) \(.max_over_mean)"')"
	[ "$(json merge.json .together_bytes)" -ge \
	    "$(json merge.json .imbalance.peak_bytes.max)" ] ||
		fail "$1: together less than one of them"
}

# --- by hand -----------------------------------------------------------------

for rank in 0 1 2 3; do
	variable=PMI_RANK
	[ $rank -lt 2 ] || variable=SLURM_PROCID
	env $variable=$rank "$HEAPTIDE" run -q --stacks all -o hand.%r.tide \
		-- ./rank
done
check hand

"$HEAPTIDE" merge hand.?.tide >text || fail "merge: $?"
grep -q '^4 ranks' text || fail "the text: $(cat text)"
grep -q '^ *0 B .* 2\.00  hand\.3\.tide  *uneven ' text ||
	fail "no imbalance: $(cat text)"

# A sum is a profile like others: it can be compared, exported, merged again.
"$HEAPTIDE" diff --json hand.3.tide sum.tide >diff.json || fail "diff: $?"
same "diff to a rank" "even 300240" "$(json diff.json '[.sites[] |
    select(.stack[0].function == "even")][0] |
    "\(.stack[0].function) \(.difference)"')"
"$HEAPTIDE" export -f collapsed -o out sum.tide || fail "export: $?"
same "exported" "$(json report.json .totals.live_bytes)" \
	"$(awk '{ s += $NF } END { print s }' out)"
"$HEAPTIDE" merge -o twice.tide sum.tide back.tide 2>/dev/null &&
	fail "a file that is missing"
[ -e twice.tide ] && fail "half a sum is written"

# --- sampled -----------------------------------------------------------------

for rank in 0 1 2 3; do
	PMI_RANK=$rank "$HEAPTIDE" run -q --stacks sampled -o some.%r.tide \
		-- ./rank
done
"$HEAPTIDE" merge --json -o some.tide some.?.tide >merge.json
report some.tide
same "sampled" "sampled true" \
	"$(json report.json '"\(.stacks) \(.sites[0].estimated)"')"
sum=$(for rank in 0 1 2 3; do
	report some.$rank.tide
	json report.json '[.sites[].live_bytes] | add'
done | awk '{ s += $1 } END { print s }')
report some.tide
same "sampled: sites" "$sum" "$(json report.json '[.sites[].live_bytes] | add')"

# --- MPI ---------------------------------------------------------------------

if command -v mpirun >/dev/null; then
	limited 120 mpirun --allow-run-as-root --oversubscribe -np 4 \
	    "$HEAPTIDE" run -q --stacks all -o mpi.%r.tide -- ./rank \
	    >mpi.out 2>&1 || fail "mpirun: $(tail -n 3 mpi.out)"
	check mpi
else
	without "mpirun, which starts ranks"
fi

# --- what is wrong -----------------------------------------------------------

refused()
{
	status=$1 words=$2
	shift 2
	"$HEAPTIDE" merge "$@" >out 2>err
	same "status of merge $*" "$status" $?
	same "sentences of merge $*" 1 "$(wc -l <err)"
	grep -q -- "$words" err || fail "merge $*: $(cat err)"
	[ -s out ] && fail "merge $* prints"
	return 0
}

refused 2 'FILE|PID... is missing'
refused 125 'No such file' hand.0.tide nothing.tide
refused 125 'same process' hand.0.tide hand.1.tide hand.0.tide
cp hand.0.tide copy.tide
refused 125 'same process' hand.0.tide copy.tide
refused 125 'is not a heaptide profile' hand.0.tide rank.c
"$HEAPTIDE" merge -o no/such/place.tide hand.0.tide >/dev/null 2>err
same "a place that is not there" 125 $?
grep -q 'cannot write' err || fail "no place: $(cat err)"
