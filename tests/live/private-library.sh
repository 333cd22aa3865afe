#!/bin/sh
# private-library.sh - a C program may open a C++ library for itself alone
#
# The library's operators bind to ours, and the ones they would have found
# are in nobody's reach but its own.
. "${srcdir:-.}/tests/lib.sh"

private=$victims/.libs/private.so
[ -e "$private" ] || skip "there is no C++ compiler"
# The same with nothing around it to share.
"${CXX:-c++}" -std=gnu++17 -O2 -fPIC -shared -static-libstdc++ \
    -static-libgcc -o whole.so "$srcdir/tests/victims/private.cc" ||
	fail "cannot build whole.so"

for library in "$private" ./whole.so; do
	for stacks in none sampled all; do
		plain_and_under "$stacks" "$victims/loader" "$library" 1000
		report profile.tide
		adds_up
		# Two words each of which needs a block of its own, and a node.
		within "allocations" 4000 1000000 \
		    "$(json report.json .totals.allocations)"
	done
done
