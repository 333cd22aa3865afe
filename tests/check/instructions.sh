#!/bin/sh
# instructions.sh - a pair of malloc and free takes the instructions that
# doc/performance.md says, within 2 %
#
# Counted exactly, by valgrind, in tests/bench/micro.c: once with so many
# pairs and once with twice as many; the difference is that of the pairs.
# From another compiler come other instructions: then the counts are shown.
. "${srcdir:-.}/tests/lib.sh"
need valgrind awk

[ "$(uname -m)" = x86_64 ] || skip "the counts are those of x86-64"
${CC:-cc} -O2 -D_GNU_SOURCE -pthread -o micro \
    "$srcdir/tests/bench/micro.c" || fail "cannot build micro"

# instructions_of PAIRS [NAME=VALUE...]
instructions_of()
{
	pairs=$1
	shift
	env "$@" valgrind --tool=callgrind --callgrind-out-file=/dev/null \
	    ./micro pairs "$pairs" 2>&1 | sed -n 's/.*Collected : //p'
}

# added_by NAME=VALUE...: to one pair, in tenths
pairs=20000
added_by()
{
	once=$(instructions_of $pairs "$@")
	twice=$(instructions_of $((2 * pairs)) "$@")
	[ -n "$once" ] && [ -n "$twice" ] || fail "valgrind counted nothing"
	echo $(((twice - once) * 10 / pairs - ${plain:-0}))
}

plain=
plain=$(added_by HEAPTIDE_STACKS=) || fail "$plain"
unset HEAPTIDE_SAMPLE
for stacks in none sampled all; do
	tenths=$(added_by LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_SEED=1 \
	    HEAPTIDE_STACKS=$stacks) || fail "$tenths"
	echo "$stacks: $((tenths / 10)).$((tenths % 10)) instructions"
	said=$(sed -n "s/^| a pair, \`$stacks\` | \([0-9.]*\) .*/\1/p" \
	    "$srcdir/doc/performance.md")
	[ -n "$said" ] || fail "doc/performance.md says nothing of $stacks"
	awk -v is="$tenths" -v said="$said" \
	    'BEGIN { exit !(is > said * 9.8 && is < said * 10.2) }' ||
		wrong="$wrong $stacks"
done

compiler=$(${CC:-cc} --version | sed -n '1s/.* \([0-9]*\)\.[0-9.]*$/gcc \1/p')
grep -q "^CFLAGS = .*-O2" "$builddir/Makefile" || skip "not built with -O2"
grep -q "counted with $compiler," "$srcdir/doc/performance.md" ||
	skip "doc/performance.md is of another compiler than $compiler"
[ -z "$wrong" ] || fail "not what doc/performance.md says:$wrong"
