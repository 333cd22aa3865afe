# allocators.sh - what is asked of heaptide before each allocator
#
# For the scripts in tests/live, in place of lib.sh:
#
#	. "${srcdir:-.}/tests/allocators.sh"
#	before_allocator libNAME.so.N
. "${srcdir:-.}/tests/lib.sh"

allocator=

# over STACKS COMMAND...: under(), with the allocator behind heaptide
over()
{
	over_stacks=$1
	shift
	under "$over_stacks" env LD_PRELOAD="$LIBHEAPTIDE${allocator:+:$allocator}" \
	    "$@"
}

operators_count()
{
	[ -x "$victims/operators" ] || skip "there is no C++ compiler"
	# An operator new of some allocators does not throw but abort.
	unfailing=
	LD_PRELOAD=$allocator "$victims/operators" >plain 2>&1 ||
		unfailing=unfailing
	for stacks in none all; do
		over "$stacks" "$victims/operators" idle $unfailing >account ||
			fail "operators idle: status $?"
		report profile.tide
		mv report.json idle.json
		over "$stacks" "$victims/operators" $unfailing >account ||
			fail "operators: status $?"
		report profile.tide
		totals_match account idle.json
	done
}

# known PROGRAM MODE [idle]: its account and report
known()
{
	program=$1
	shift
	over all "$victims/$program" "$@" >account || fail "$*: status $?"
	report profile.tide
	same "allocator" "$(readlink -f "$allocator")" \
	    "$(readlink -f "$(json report.json .allocator)")"
}

# before_allocator LIBRARY: skips if it is not there
before_allocator()
{
	allocator=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
		sed -n "s|.* => \(/.*/$1\)\$|\1|p" | head -n 1)
	[ -n "$allocator" ] || skip "$1 is not installed"

	LD_PRELOAD=$allocator "$victims/known-sequence" count >plain ||
		fail "$1 alone: status $?"
	known known-sequence count
	same "its own account" "$(cat plain)" "$(cat account)"
	# What the allocator or its C++ library took for itself.
	echo "$1: $(json report.json .totals.allocations) allocations"
	for mode in handed-over brief; do
		known known-threads "$mode" idle
		mv report.json idle.json
		known known-threads "$mode"
		totals_match account idle.json
	done
	operators_count
}
