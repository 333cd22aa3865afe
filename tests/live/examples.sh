#!/bin/sh
# examples.sh - the examples print the same in every depth and within any
# budget, stop when they are told to, and can be gone on with
. "${srcdir:-.}/tests/lib.sh"
need jq perl

run()
{
	limited 120 "$HEAPTIDE" run -q --summary off -o example.tide "$@"
}

# alike PROGRAM ITEMS: what it prints, in all depths and three budgets
alike()
{
	program=$1
	limited 120 "$@" >expected 2>err || fail "$program: status $?"
	grep -q "^depth: standalone$" err || fail "$program: $(cat err)"
	[ -s expected ] || fail "$program says nothing"
	for budget in 16M 64M max-256M; do
		HEAPTIDE_BUDGET=$budget limited 120 "$@" >found 2>err ||
			fail "$program, $budget: status $?: $(cat err)"
		cmp expected found || fail "$program, alone, $budget: it differs"
		run --budget $budget -- "$@" >found 2>err ||
			fail "$program, run, $budget: status $?: $(cat err)"
		cmp expected found || fail "$program, run, $budget: it differs"
		grep -q "^depth: runtime$" err || fail "$program: $(cat err)"
	done
}

alike "$builddir/examples/pipeline" 400
# What came of it is in the profile.
report example.tide
same "batches, as the profile has them" true "$(json report.json \
    '.operations == null or (.operations | length) > 0')"
if [ -x "$builddir/examples/pipeline++" ]; then
	alike "$builddir/examples/pipeline++" 200
else
	without "no C++ compiler"
fi

# --- the end is wanted -------------------------------------------------------

# More than it will come to.
"$HEAPTIDE" run -q --summary off -o stopped.tide -- \
	"$builddir/examples/pipeline" 1000000000 >stopped 2>err </dev/null &
ours=$!
started="$started $ours"
# Before its first batch a signal is all there is to tell it by.
in_batches()
{
	set -- "$HEAPTIDE_DIR"/*.sock
	[ -S "$1" ] && pid=${1##*/} &&
		"$HEAPTIDE" ops --json "${pid%.sock}" >ops.json &&
		jq -e '.ops[0].batches > 0' ops.json
}
await in_batches
kill -TERM $ours
wait $ours
same "status of one that was stopped" 75 $?
grep -q "^[0-9]* images, sum [0-9a-f]*$" stopped ||
	fail "what it did is lost: $(cat stopped)"
at=$(sed -n 's/^stopped; go on with: pipeline 1000000000 \([0-9]*\)$/\1/p' err)
[ -n "$at" ] || fail "it does not say where it was: $(cat err)"
same "images that were done" "$at" "$(sed 's/ .*//' stopped)"

# The two parts come to the whole: the sum is of 64 bits, added.
limited 120 "$builddir/examples/pipeline" 400 150 >second 2>err ||
	fail "from 150 on: status $?"
limited 120 "$builddir/examples/pipeline" 150 >first 2>err || fail "150: $?"
limited 120 "$builddir/examples/pipeline" 400 >whole 2>err || fail "400: $?"
sum()
{
	sed 's/.*sum //' "$1"
}
same "both parts" "$(sum whole)" "$(perl -e 'no warnings; use integer;
	printf "%016x", hex($ARGV[0]) + hex($ARGV[1])' "$(sum first)" \
	"$(sum second)")"
