#!/bin/sh
# refused.sh - whichever of our system calls fails, the program ends as alone
#
# HEAPTIDE_FAULT makes the n-th of them fail, for each n there is: alone, and
# with all that come after it.  What was lost is said in the log or is counted
# in the profile; where nothing was, the profile is as exact as ever.
. "${srcdir:-.}/tests/lib.sh"
need jq

refused=$victims/refused
log=$scratch/log
limited 60 "$refused" >account
same "status alone" 5 $?
grep -v bytes account >plain.out

# run FAULT: as alone?
run()
{
	rm -rf "$HEAPTIDE_DIR" log
	limited 60 sh -c 'echo $$ >pid; exec env "$@"' - \
	    LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=$stacks \
	    HEAPTIDE_LOG="$log" HEAPTIDE_FAULT=$1 "$refused" >account 2>err
	same "--stacks=$stacks: status with call $1 failing" 5 $?
	grep -v bytes account | cmp - plain.out ||
		fail "--stacks=$stacks: another output with call $1 failing"
	same "lines on stderr" 0 "$(wc -l <err)"
}

# What does not depend on where blocks lie.
figures()
{
	limited 60 "$HEAPTIDE" report --json --top 1 "$1" >report.json || return
	jq -c '.exact, (.totals | [.allocations, .frees, .live_blocks,
	    .requested_bytes]), .children' report.json
}

# The profile of the last run, if there is one, and not of its child.
first_profile()
{
	set -- "$HEAPTIDE_DIR/$(cat pid)".*.tide
	[ ! -e "$1" ] || echo "$1"
}

for stacks in none sampled all; do
	run count
	calls=$(sed -n 's/.*system calls: //p' log)
	within "--stacks=$stacks: system calls" 50 5000 "$calls"
	figures "$(first_profile)" >whole
	same "with no call failing: exact" true "$(head -n 1 whole)"

	silent=0 exact=0 said=0
	n=0
	while [ $n -lt "$calls" ]; do
		n=$((n + 1))
		run $n
		profile=$(first_profile)
		if [ -z "$profile" ]; then
			[ -s log ] || fail "--stacks=$stacks: neither profile" \
			    "nor a word, with call $n failing"
			said=$((said + 1))
			continue
		fi
		figures "$profile" >found || fail "no report"
		[ "$(head -n 1 found)" = true ] || continue
		cmp -s found whole || fail "--stacks=$stacks: called exact," \
		    "with call $n failing: $(cat found)"
		exact=$((exact + 1))
	done
	echo "--stacks=$stacks: $calls calls: $exact exact, $said without profile"
	within "--stacks=$stacks: runs that lost nothing" 10 "$calls" $exact
	within "--stacks=$stacks: runs without a profile" 3 100 $said

	n=1
	while [ $n -lt "$calls" ]; do
		run $n+
		profile=$(first_profile)
		# A file that was not begun could not be removed either.
		if [ -n "$profile" ] && figures "$profile" >found 2>&1; then
			[ "$(head -n 1 found)" = false ] ||
				cmp -s found whole ||
				fail "--stacks=$stacks: called exact, with" \
				    "all calls from $n failing: $(cat found)"
		fi
		n=$((n + 7))
	done
done
