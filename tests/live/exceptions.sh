#!/bin/sh
# exceptions.sh - C++ exceptions arrive as without heaptide, from everywhere;
# libgcc's _Unwind_RaiseException throws them, for as many instructions
. "${srcdir:-.}/tests/lib.sh"

throws=$victims/throws
[ -x "$throws" ] || skip "there is no C++ compiler"
for stacks in none sampled all; do
	unharmed "$throws" 20 30
	plain_and_under "$stacks" "$throws" 10 100 "$modules/throws-library.so"
	grep -q "^caught 110, .*libgcc_s" under.out ||
		fail "not as it is to be: $(cat under.out)"
done
for flags in "-static-libgcc -static-libstdc++" "-O3 -flto" \
	"-fuse-ld=gold" "-fuse-ld=lld" "-Wl,-z,now,-z,relro" \
	"-fomit-frame-pointer -O2"; do
	# shellcheck disable=SC2086
	"${CXX:-c++}" -std=gnu++17 -pthread $flags -o other \
	    "$srcdir/tests/victims/throws.cc" >cc.log 2>&1 || {
		echo "not with $flags: $(tail -n 1 cc.log)"
		continue
	}
	for stacks in none sampled all; do
		plain_and_under "$stacks" ./other 5 30
	done
done

# --- instructions of a throw, the same within 5 % ----------------------------

command -v valgrind >/dev/null || {
	without "valgrind, so no instructions are counted"
	exit 0
}

# instructions ROUNDS: of the whole program
instructions()
{
	valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \
	    "$throws" "$1" 40 only 2>&1 |
		sed -n 's/.*I *refs: *//p' | tr -d ,
}

# per_throw: of one, in the environment as it is
per_throw()
{
	few=$(instructions 100) && many=$(instructions 600)
	[ -n "$few" ] && [ -n "$many" ] || fail "valgrind counts nothing"
	echo $(((many - few) / 500))
}

plain=$(per_throw)
within "instructions of a throw through 40 frames" 1000 1000000 "$plain"
for stacks in none sampled all; do
	with=$(LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_STACKS=$stacks per_throw)
	echo "a throw through 40 frames: $plain, with --stacks=$stacks $with"
	within "instructions" 1000 $((plain + plain / 20)) "$with"
done
