#!/bin/sh
# run.sh - run every test there is, two at once, and count them
#
# usage: tests/run.sh [BUILD]
#
# Tests are the functions in BUILD/tests/unit/test-* (cmocka) and the scripts
# tests/live/*.sh and tests/check/*.sh, which end with 0 (passed), 77 (skipped,
# the last line says why) or anything else; a script that leaves a part out says
# "without: why".  A line is printed for each file,
# the output of what failed behind all of them, the slowest if there were many,
# and the counts at the very end.
#
# Environment:
#   builddir      where the build is, if BUILD is not given
#   TEST_FILTER   run only what matches this pattern: 'live/*', 'unit/test-t*'
#   TEST_JOBS     how many at once: 2
#   TEST_TIMEOUT  seconds before a test counts as hung: 1500
#   TEST_SEED     in an order of its own for each whole number

if [ "${1-}" != --one ]; then
	srcdir=$(cd "$(dirname "$0")/.." && pwd)
	builddir=$(cd "${1:-${builddir:-.}}" && pwd) || exit
	export srcdir builddir
fi
seconds=${TEST_TIMEOUT:-1500}

# --- one test: `run.sh --one NAME`, called by ourselves ----------------------

# limited COMMAND...: its output into the log; 124 or 137 if it hung
limited()
{
	timeout -k 10 "$seconds" "$@" >"$log" 2>&1 </dev/null
}

hung()
{
	[ "$1" -eq 124 ] || [ "$1" -eq 137 ]
}

count_of()
{
	grep -c "$1" "$log"
}

# result WORD NAME NOTE PASSED FAILED SKIPPED
result()
{
	printf '%-4s  %s%s\n' "$1" "$2" "${3:+  ($3)}"
	echo "$4 $5 $6" >"$results/$(echo "$2" | tr / -).count"
	[ "$1" = FAIL ] || rm -f "$log"
}

# cmocka in its TAP form; 1.1.5 writes "not ok" before a test that it skipped.
run_unit()
{
	CMOCKA_MESSAGE_OUTPUT=TAP limited "$builddir/tests/$1"
	status=$?
	skipped=$(count_of '^\(not \)*ok [0-9]* # SKIP')
	passed=$(($(count_of '^ok [0-9]') - $(count_of '^ok [0-9]* # SKIP')))
	failed=$(($(count_of '^not ok [0-9]') -
		$(count_of '^not ok [0-9]* # SKIP')))
	planned=$(awk -F'\\.\\.' '/^1\.\.[0-9]+$/ { n += $2 }
		END { print n + 0 }' "$log")
	note="$passed tests"

	# A crash between two tests: what was not reached has failed.
	unseen=$((planned - passed - failed - skipped))
	[ "$unseen" -le 0 ] || failed=$((failed + unseen))
	[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
	[ $((passed + failed + skipped)) -gt 0 ] || failed=1
	! hung "$status" || note="hung for $seconds s"

	if [ "$failed" -gt 0 ]; then
		result FAIL "$1" "$note" "$passed" "$failed" "$skipped"
		return
	fi
	grep '^\(not \)*ok [0-9]* # SKIP' "$log" |
		sed "s|.*# SKIP|skip  $1:|"
	result ok "$1" "$note" "$passed" 0 "$skipped"
}

run_script()
{
	limited sh "$srcdir/tests/$1"
	status=$?
	if [ "$status" -eq 0 ]; then
		sed -n "s|^without: |skip  $1: |p" "$log"
		result ok "$1" "" 1 0 "$(count_of '^without: ')"
	elif [ "$status" -eq 77 ]; then
		result skip "$1" "$(tail -n 1 "$log")" 0 0 1
	elif hung "$status"; then
		result FAIL "$1" "hung for $seconds s" 0 1 0
	else
		result FAIL "$1" "status $status" 0 1 0
	fi
}

run_one()
{
	log=$results/$(echo "$1" | tr / -).log
	began=$(date +%s) name=$1
	trap 'echo "$(($(date +%s) - began)) $name" >>"$results/seconds"' EXIT
	case $1 in
	*.sh) run_script "$1" ;;
	*)
		if [ -x "$builddir/tests/$1" ]; then
			run_unit "$1"
		else
			result skip "$1" "not built: cmocka is missing" 0 0 1
		fi
		;;
	esac
}

if [ "${1-}" = --one ]; then
	run_one "$2"
	exit 0
fi

# --- all of them -------------------------------------------------------------

results=$(mktemp -d) || exit
export results
trap 'rm -rf "$results"' EXIT
trap 'exit 1' HUP INT TERM

cd "$srcdir/tests" || exit
for file in unit/test-*.c check/*.sh live/*.sh; do
	[ -e "$file" ] || continue
	name=${file%.c}
	case $name in
	${TEST_FILTER:-*}) echo "$name" ;;
	esac
done >"$results/names"
[ -z "${TEST_SEED-}" ] || {
	awk -v seed="$TEST_SEED" 'BEGIN { srand(seed) }
		{ print rand(), $0 }' "$results/names" | sort |
		sed 's/^[^ ]* //' >"$results/shuffled"
	mv "$results/shuffled" "$results/names"
}
cd "$builddir" || exit

xargs -n 1 -P "${TEST_JOBS:-2}" sh "$srcdir/tests/run.sh" --one \
	<"$results/names"

for log in "$results"/*.log; do
	[ -e "$log" ] || continue
	printf '\n--- %s\n' "$(basename "$log" .log)"
	tail -n 60 "$log"
done

# Where the time goes, if there were many.
if [ "$(wc -l <"$results/seconds")" -gt 20 ]; then
	printf '\nslowest, in seconds:\n'
	sort -rn "$results/seconds" | head -n 15
fi

# A test without a count was killed together with its runner.
echo
cat "$results"/*.count /dev/null | awk -v files="$(wc -l <"$results/names")" '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		failed += files - NR
		printf "%d passed, %d failed, %d skipped\n",
		    passed, failed, skipped
		exit failed > 0 || passed == 0
	}'
