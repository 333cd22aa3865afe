#!/bin/sh
# thread-ends.sh - threads that are cancelled or end the process, and what is
# allocated by destructors and exit handlers then, are counted to the byte
. "${srcdir:-.}/tests/lib.sh"

# ends STATUS COMMAND...: without its own calls, with them, and alone
ends()
{
	expected=$1
	shift
	what="--stacks=$stacks, $*"
	under "$stacks" "$@" idle >account
	same "$what: status of the idle one" "$expected" $?
	report profile.tide
	mv report.json idle.json
	under "$stacks" "$@" >account
	same "$what: status" "$expected" $?
	report profile.tide
	[ -s account ] || fail "$what: says nothing"
	# "Temporary" is of one sequence, and libc's own blocks are in it.
	sed -i /^temporary/d account
	totals_match account idle.json
	limited 60 "$@" >plain
	same "$what: status alone" "$expected" $?
	# How often a thread went round before it was cancelled is its own.
	[ "$2" = cancelled ] || [ "$2" = at-any-time ] ||
		same "$what: account" "$(grep -v 'bytes\|temp' plain)" \
		    "$(grep -v bytes account)"
}

for stacks in none sampled all; do
	ends 0 "$victims/thread-ends" cancelled
	ends 0 "$victims/thread-ends" at-any-time
	ends 5 "$victims/thread-ends" main-leaves
	ends 6 "$victims/thread-ends" exits
	ends 6 "$victims/thread-ends" leaves
	ends 0 "$victims/thread-ends" keys
	ends 0 "$victims/thread-ends" handlers
	[ ! -x "$victims/destructors" ] || ends 0 "$victims/destructors"
done
[ -x "$victims/destructors" ] || skip "the part of C++: there is no compiler"
