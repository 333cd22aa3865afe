#!/bin/sh
# locked.sh - no instruction on the hot road locks a line of cache
#
# Named is what a malloc or a free runs through in each mode, as it is in the
# library; what is rare is in functions of its own.
. "${srcdir:-.}/tests/lib.sh"
need objdump awk

case $(uname -m) in
x86_64) ;;
*) skip "the instructions looked for are x86-64's" ;;
esac
objdump -d --no-show-raw-insn "$LIBHEAPTIDE" >code || fail "cannot read $LIBHEAPTIDE"

# lock: the prefix; xchg: with memory, it needs none.
locked()
{
	awk -v name="<$1>:" '/^[0-9a-f]+ </ { inside = $2 == name }
	    inside { n++ }
	    inside && (/\tlock / || /\txchg .*\(/)
	    END { exit n == 0 }' code
}

for name in malloc malloc_asking malloc_long free free_long calloc realloc \
    record_alloc record_free generation_free retrace intern_stack; do
	found=$(locked $name) || fail "there is no $name in the library"
	[ -z "$found" ] || fail "$name locks: $found"
done

# The look must be able to find one.
[ -n "$(locked tally_look)" ] || fail "the look found none in tally_look"
