#!/bin/sh
# bare-allocator.sh - behind an allocator that lacks part of the family, what it
# lacks is made of what it has, or its blocks are not counted, and that is said
. "${srcdir:-.}/tests/lib.sh"

for kind in bare bare-aligned; do
	"${CC:-cc}" -O1 -fPIC -shared -fno-builtin -o $kind.so \
	    $([ $kind = bare ] || echo -DALIGNED) \
	    "$srcdir/tests/victims/bare.c" || fail "cannot build $kind.so"
done

for stacks in none sampled all; do
	# Its aligned blocks are libc's: about them it must not be asked.
	LD_PRELOAD=./bare.so limited 10 "$victims/aligner"
	same "bare, alone" 0 $?
	under "$stacks" env LD_PRELOAD="$LIBHEAPTIDE:$scratch/bare.so" \
	    "$victims/aligner" 2>words
	same "bare: status" 0 $?
	grep -q "cannot tell a block's size" words ||
		fail "bare: it is not said: $(cat words)"

	# Of valloc() and pvalloc() it has none, and they are made of memalign().
	for turn in idle work; do
		under "$stacks" env \
		    LD_PRELOAD="$LIBHEAPTIDE:$scratch/bare-aligned.so" \
		    "$victims/aligner" $turn ||
			fail "bare-aligned: status $?"
		report profile.tide
		adds_up
		json report.json '.totals.allocations, .totals.frees' >$turn
	done
	same "allocations and frees of the six" "6 6" \
	    "$(paste idle work | awk '{ print $2 - $1 }' | xargs)"
done
