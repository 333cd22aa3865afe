#!/bin/sh
# interposers.sh - beside another interposer, before it and behind it, the
# program is unharmed; and what passes through heaptide is counted exactly
. "${srcdir:-.}/tests/lib.sh"

# beside LIST PROGRAM...: as under(), with LD_PRELOAD being LIST
beside()
{
	list=$1
	shift
	under "$stacks" env LD_PRELOAD="$list" "$@"
}

# counted LIST: the family of malloc, by the account of who calls it
counted()
{
	"$victims/small-print" >plain.out 2>/dev/null
	beside "$1" "$victims/small-print" idle || fail "idle beside $1: $?"
	report profile.tide
	mv report.json idle.json
	beside "$1" "$victims/small-print" >under.out 2>account ||
		fail "small-print beside $1: status $?"
	cmp plain.out under.out || fail "another output beside $1"
	report profile.tide
	totals_match account idle.json
}

wrapper=$modules/wrapper.so
for stacks in none sampled all; do
	counted "$wrapper:$LIBHEAPTIDE"
	same "who is first, and passes on" "first true wrapper.so" "$(json \
	    report.json '.bypassed[] | "\(.why) \(.passes_on) \(
		.module | sub(".*/"; ""))"')"
	"$HEAPTIDE" report profile.tide | grep -q "wrapper.so comes before" ||
		fail "the report does not say who is before heaptide"

	# Behind us it hands out libc's blocks, but cannot tell their size.
	counted "$LIBHEAPTIDE:$wrapper"
	same "the allocator" wrapper.so "$(json report.json '.allocator |
		sub(".*/"; "")')"
done

# Another heap profiler: its own blocks count, too, so not to the byte.
for other in /usr/lib/heaptrack/libheaptrack_preload.so \
	/usr/lib/*/heaptrack/libheaptrack_preload.so; do
	[ -e "$other" ] || continue
	for stacks in none sampled all; do
		for list in "$other:$LIBHEAPTIDE" "$LIBHEAPTIDE:$other"; do
			DUMP_HEAPTRACK_OUTPUT=$scratch/heaptrack \
			    beside "$list" "$victims/small-print" >under.out \
			    2>account || fail "beside $list: status $?"
			cmp plain.out under.out ||
				fail "another output beside $list"
			report profile.tide
			within "$list: allocations" \
			    "$(sed -n 's/^allocations //p' account)" 100000 \
			    "$(json report.json .totals.allocations)"
		done
	done
	echo "beside $other"
done
