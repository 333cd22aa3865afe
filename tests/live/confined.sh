#!/bin/sh
# confined.sh - who forbids itself system calls (seccomp) is killed by none of ours
#
# Neither by a filter that allows what the program needs and kills it for the
# rest, installed in each of the ways there are, nor in strict mode, which
# leaves read(), write() and exit().  What it allocates then is counted on.
. "${srcdir:-.}/tests/lib.sh"
need jq

confined=$victims/confined
limited 60 "$confined" prctl idle >out
! grep -q '^no filter' out || skip "seccomp does not work here"

# Sizes are the allocator's affair, and libheaptide.so moves its blocks.
plain()
{
	limited 60 "$confined" "$@" >out
	status=$?
	grep -v bytes out >plain.out
}

# survives HOW WHAT: as without heaptide, and the account is in the profile
survives()
{
	name="--stacks=$stacks: $*"
	plain "$@"
	under "$stacks" "$confined" "$@" >account
	same "$name: status" "$status" $?
	grep -v bytes account | cmp - plain.out || fail "$name: another output"
	report profile.tide
}

for stacks in none sampled all; do
	for how in prctl seccomp libseccomp; do
		survives $how idle
		grep -q 'no libseccomp' account && continue
		mv report.json idle.json
		survives $how work
		totals_match account idle.json
		survives $how idle-threads
		mv report.json idle.json
		survives $how threads
		# One sequence for us is three in the account.
		grep -v temporary account >sums
		totals_match sums idle.json
		survives $how fork
		adds_up
	done
	survives strict idle
	mv report.json idle.json
	survives strict work
	totals_match account idle.json

	# Other threads are in the middle of it: none is killed.
	for i in 1 2 3 4 5; do
		survives tsync work
		adds_up
	done

	# Of what confines somebody else, or nobody, nothing changes.
	for how in refused guest; do
		survives $how idle
		mv report.json idle.json
		survives $how work
		totals_match account idle.json
	done
done

# --- it is said -----------------------------------------------------------------

# The look at resident memory is left out, but only by who is confined.
for how in prctl refused guest; do
	rm -rf "$HEAPTIDE_DIR"
	: >$how.log
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_LOG=$scratch/$how.log \
	    "$confined" $how work >out
	set -- "$HEAPTIDE_DIR"/*.tide
	report "$1"
	echo "$(json report.json '.rss != null') $(grep -c \
	    'confines itself by seccomp' $how.log)" >$how.said
done
same "confined: resident memory, lines" "false 1" "$(cat prctl.said)"
same "refused: resident memory, lines" "true 1" "$(cat refused.said)"
same "guest: resident memory, lines" "true 0" \
    "$(cat guest.said)"

# --- a judge --------------------------------------------------------------------

command -v strace >/dev/null || skip "strace is not installed: all passed but
	the comparison of system calls"

# calls_of NAME COMMAND...: what is called behind the filter
calls_of()
{
	limited 60 strace -f -qq -o trace "$@" >out 2>strace.err
	sed -n '/SECCOMP_SET_MODE_FILTER\|PR_SET_SECCOMP/,$p' trace |
		sed -n -e 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' | sed 1d | sort
}

for how in prctl seccomp; do
	for what in work idle fork; do
		calls_of "$confined" $how $what >plain.calls
		grep -qx write plain.calls ||
			skip "strace does not work here: $(tail -n 1 strace.err)"
		for stacks in none sampled all; do
			calls_of env LD_PRELOAD="$LIBHEAPTIDE" \
			    HEAPTIDE_STACKS=$stacks "$confined" $how $what \
			    >under.calls
			diff plain.calls under.calls >difference ||
				fail "--stacks=$stacks: $how, $what: calls that" \
				    "the program does not make: $(cat difference)"
		done
	done
done
