#!/bin/sh
# first-calls.sh - whoever allocates first, and however early, is served
#
# An IFUNC resolver while libraries are relocated, the constructor of another
# preload, with lazy and with immediate binding, before and behind heaptide;
# without an environment; a static-pie program, into which nothing gets.
. "${srcdir:-.}/tests/lib.sh"

resolver=$modules/resolver.so
first=$victims/first-calls
expected=$(limited 10 "$first" "$resolver") || fail "it does not run by itself"
same "what it says" "1 400" "$expected"

"${CC:-cc}" -O1 -o linked "$srcdir/tests/victims/first-calls.c" \
    -Wl,--no-as-needed "$resolver" -Wl,-rpath,"$modules" ||
	fail "cannot link"
"${CC:-cc}" -O1 -o linked-now "$srcdir/tests/victims/first-calls.c" \
    -Wl,--no-as-needed -Wl,-z,now -Wl,-z,relro "$resolver" \
    -Wl,-rpath,"$modules" || fail "cannot link with -z now"

for stacks in none sampled all; do
	unharmed "$first" "$resolver"
	for program in ./linked ./linked-now; do
		plain_and_under "$stacks" $program
		same "$program" "1 400" "$(cat under.out)"
		plain_and_under "$stacks" env LD_BIND_NOW=1 $program
	done
	for list in "$resolver:$LIBHEAPTIDE" "$LIBHEAPTIDE:$resolver"; do
		under "$stacks" env LD_PRELOAD="$list" "$first" >under.out ||
			fail "with $list: status $?"
		same "with $list" "1 400" "$(cat under.out)"
		under "$stacks" env LD_PRELOAD="$list" LD_BIND_NOW=1 \
		    "$first" >under.out || fail "now, with $list: status $?"
		same "now, with $list" "1 400" "$(cat under.out)"
	done

	# Its options come from what the kernel was given: there is nothing.
	under "$stacks" "$victims/no-environment" LD_PRELOAD="$LIBHEAPTIDE" \
	    HEAPTIDE_DIR="$HEAPTIDE_DIR" -- "$first" "$resolver" >under.out ||
		fail "a bare environment: status $?"
	same "a bare environment" "1 400" "$(cat under.out)"
	under "$stacks" "$victims/no-environment" -- "$first" "$resolver" \
	    >under.out 2>err || fail "no environment: status $?"
	same "no environment" "1 400" "$(cat under.out)"
done

printf '%s\n' '#include <stdlib.h>' \
    'int main(void) { free(malloc(9)); return 5; }' >five.c
if "${CC:-cc}" -static-pie -o five five.c 2>/dev/null; then
	"$HEAPTIDE" run -o five.tide -- ./five 2>err
	same "static-pie: status" 5 $?
	grep -q "statically linked" err || fail "static-pie: $(cat err)"
fi
