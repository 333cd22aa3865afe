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

# Without stacks a size may be known from another place than with them.
sizes_count()
{
	LD_PRELOAD=$allocator "$victims/known-sequence" sizes >plain ||
		fail "known-sequence sizes alone: status $?"
	for stacks in none all; do
		over "$stacks" "$victims/known-sequence" sizes >account ||
			fail "known-sequence sizes: status $?"
		same "its own account" "$(cat plain)" "$(cat account)"
		report profile.tide
		json report.json '.totals | "\(.allocations) \(.frees) \(
			.allocated_bytes) \(.live_bytes)"' >"sizes.$stacks"
	done
	same "with stacks and without" "$(cat sizes.all)" "$(cat sizes.none)"
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

# What an allocator answers at the edges stays what it is, and counts.
small_print_counts()
{
	for stacks in none all; do
		over "$stacks" "$victims/small-print" idle || fail "idle: $?"
		report profile.tide
		mv report.json idle.json
		LD_PRELOAD=$allocator limited 60 "$victims/small-print" \
		    >plain.out 2>/dev/null
		plain_status=$?
		over "$stacks" "$victims/small-print" >under.out 2>under.err
		same "small print: status" "$plain_status" $?
		cmp plain.out under.out || fail "another small print"
		grep '^[a-z_]* [0-9]*$' under.err >account
		[ -s account ] || fail "the small print has no account"
		report profile.tide
		totals_match account idle.json
	done
}

# linked NAME: the victim in whose list of libraries the allocator stands
linked()
{
	"${CC:-cc}" -D_GNU_SOURCE -O1 -fno-builtin -pthread -o "linked-$1" \
	    "$srcdir/tests/victims/$1.c" -Wl,--no-as-needed "$allocator" ||
		fail "cannot link $1 with $allocator"
}

# The program brings its allocator along: we are before it all the same.
linked_counts()
{
	linked small-print
	linked known-threads
	for stacks in none all; do
		plain_and_under "$stacks" ./linked-small-print
		under "$stacks" ./linked-known-threads handed-over idle \
		    >account || fail "linked idle: status $?"
		report profile.tide
		mv report.json idle.json
		under "$stacks" ./linked-known-threads handed-over \
		    >account || fail "linked: status $?"
		report profile.tide
		grep -v ^peak account >sums
		totals_match sums idle.json
		same "linked: allocator" "$(readlink -f "$allocator")" \
		    "$(readlink -f "$(json report.json .allocator)")"
	done
}

# Who is preloaded before us keeps all calls to itself, and that is said.
behind_allocator()
{
	for stacks in none all; do
		under "$stacks" env LD_PRELOAD="$allocator:$LIBHEAPTIDE" \
		    "$victims/small-print" zero refused >under.out \
		    2>/dev/null || fail "behind $allocator: status $?"
		LD_PRELOAD=$allocator "$victims/small-print" zero refused \
		    >plain.out 2>/dev/null
		cmp plain.out under.out || fail "behind: another output"
		report profile.tide
		same "behind: exact, and who is first" \
		    "false first false $(readlink -f "$allocator")" \
		    "$(json report.json '"\(.exact) \(.bypassed[0] |
			"\(.why) \(.passes_on)")"') $(readlink -f \
		    "$(json report.json '.bypassed[0].module')")"
		same "behind: others that go past" 1 \
		    "$(json report.json '.bypassed | length')"
		"$HEAPTIDE" report profile.tide | grep -q "not seen .*${allocator##*/}.* comes before" ||
			fail "behind: the report is silent"
	done
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
	sizes_count
	operators_count
	small_print_counts
	linked_counts
	behind_allocator
}
