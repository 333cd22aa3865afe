#!/bin/sh
# static-allocator.sh - an allocator that is linked into the program is let
# alone, and it is said that what it gives out is not seen, shown or hidden
. "${srcdir:-.}/tests/lib.sh"

# built NAME LIBRARY FLAGS...: the victim with its allocator inside
built()
{
	out=$1 archive=$2
	shift 2
	"${CXX:-c++}" -x c -D_GNU_SOURCE -O1 -fno-builtin -o "$out" \
	    "$srcdir/tests/victims/small-print.c" -x none "$@" \
	    -Wl,--whole-archive "$archive" -Wl,--no-whole-archive \
	    -lm -lpthread -ldl >cc.log 2>&1 ||
		fail "cannot link $out: $(cat cc.log)"
}

# is_said PROGRAM WHY WORDS: by the report, and by `run` before the start
is_said()
{
	report profile.tide
	same "$1, $stacks: who is not seen" "$2 $1" \
	    "$(json report.json '.bypassed[] | .why + " " + (
		.module | sub(".*/"; ""))')"
	"$HEAPTIDE" report profile.tide | grep -q "not seen .*$3" ||
		fail "$1, $stacks: the report does not say '$3'"
	limited 60 "$HEAPTIDE" run --summary off -o other.tide -- "./$1" idle \
	    2>words
	grep -q "^heaptide: ./$1: it has .*$3\|malloc of its own" words ||
		fail "$1: run does not say '$3' but '$(cat words)'"
}

archives=0
for name in jemalloc tcmalloc_minimal; do
	archive=$("${CC:-cc}" -print-file-name="lib$name.a")
	if [ ! -e "$archive" ]; then
		without "lib$name.a, which is not installed"
		continue
	fi
	archives=$((archives + 1))
	built shown "$archive"
	built hidden "$archive" -Wl,--exclude-libs,ALL
	for stacks in none sampled all; do
		plain_and_under "$stacks" ./shown zero refused
		is_said shown first "malloc of .*shown"
		same "shown: exact" false "$(json report.json .exact)"
		same "shown: seen" 0 "$(json report.json .totals.allocations)"
		plain_and_under "$stacks" ./hidden zero refused
		is_said hidden hidden "${name%_minimal}"
	done
	echo "lib$name.a: said"
done

# A malloc of the program's own.
cp "$victims/own-malloc" own
cp "$victims/.libs/own-malloc" own 2>/dev/null
for stacks in none sampled all; do
	plain_and_under "$stacks" ./own
	is_said own first "malloc of .*own"
done
[ "$archives" -gt 0 ] || skip "no allocator is there to be linked statically"
