#!/bin/sh
# cleanup.sh - what a program gives up when memory is short is what it held, to
# the byte; exceptions pass through, and signal handlers do no harm
. "${srcdir:-.}/tests/lib.sh"

# A callback that does not return holds the others up for ten seconds; waited
# for below.
limited 100 "$victims/cleaner" slow >slow &
slow=$!
started=$slow
limited 100 "$HEAPTIDE" run --stacks none --summary off \
    -o "$scratch/slow.tide" -- "$victims/cleaner" slow >slow-under \
    2>slow-said &
slow_under=$!
started="$started $slow_under"

# --- figures -----------------------------------------------------------------

# told FILE: three results, and what is known of the first two
told()
{
	same "$1: what is freed is what was held" 2 "$(awk '
		/^known/ { known = $2 }
		/^freed/ && known == $2 { n++ }
		END { print n }' "$1")"
	same "$1: who was called" "2 3" \
	    "$(sed -n 's/^freed.* callbacks //p' "$1" | paste -sd' ' -)"
	same "$1: one was enough, and none" "stopped 1 purged 0" \
	    "$(grep -e '^stopped' -e '^purged' "$1" | paste -sd' ' -)"
	same "$1: a cleanup in a cleanup" "nested -16" "$(grep nested "$1")"
	same "$1: wrong arguments" "wrong -22 -22 -2" "$(grep '^wrong' "$1")"
}

for stacks in none sampled all; do
	under $stacks "$victims/cleaner" figures >figures 2>said ||
		fail "figures: status $?: $(cat said)"
	told figures
	same "--stacks=$stacks: blocks" "1010 100" \
	    "$(sed -n 's/^freed.* blocks \([0-9]*\) .*/\1/p' figures |
		paste -sd' ' -)"
done
grep -q 'Forcing memory cleanup\.\.\.$' said || fail "silent: $(cat said)"
grep -q 'Cleanup: 1010 objects freed (2.9 MB), now [0-9.]*GB$' said ||
	fail "not told in these words: $(cat said)"

# That is news, and with -q only what is wrong is told.
limited 100 "$HEAPTIDE" run -q -o profile.tide -- "$victims/cleaner" figures \
    >figures 2>said || fail "quiet: status $?: $(cat said)"
! grep -e Forcing -e Cleanup said || fail "told with -q"

# Without heaptide callbacks are believed, and blocks are not counted.
limited 60 "$victims/cleaner" figures >alone || fail "alone: status $?"
told alone
same "alone: blocks" "0 0" "$(sed -n 's/^freed.* blocks \([0-9]*\) .*/\1/p' \
    alone | paste -sd' ' -)"

# --- by itself ---------------------------------------------------------------

# stayed WHAT FILE: 500 MB went through, and never was it more than there was
stayed()
{
	set -- "$1" $(sed 's/[a-z]*//g' "$2")
	same "$1: the budget, of $* ($(cat said))" 67108864 "$4"
	within "$1: cleanups" 8 400 "$2"
	within "$1: most in the cache" 30000000 67108864 "$3"
}

for stacks in none all; do
	limited 300 "$HEAPTIDE" run --stacks $stacks --summary off \
	    --budget 64M -o "$scratch/profile.tide" -- "$victims/cleaner" \
	    grow >out 2>said || fail "grow: status $?: $(cat said)"
	stayed "--stacks=$stacks" out
done
HEAPTIDE_BUDGET=64M limited 300 "$victims/cleaner" grow >out ||
	fail "grow, alone: status $?"
stayed alone out

# --- who is interrupted inside malloc ----------------------------------------

for stacks in none all; do
	under $stacks "$victims/cleaner" handler >out 2>/dev/null ||
		fail "handler: status $?"
	same "a handler that asks" "came through" "$(cat out)"
done

# --- exceptions --------------------------------------------------------------

cat >throws.cc <<'CC'
#include <cstdio>
#include <stdexcept>

#include "heaptide.h"

static int calls, others;

static uint64_t
throws(void *, int, uint64_t)
{
	calls++;
	throw std::runtime_error("no");
}

static uint64_t
does_not(void *, int, uint64_t)
{
	others++;
	return 0;
}

int
main()
{
	int caught = 0, id = tide_on_pressure(throws, nullptr, 0, 9, 0, "t");

	tide_on_pressure(does_not, nullptr, 0, 0, 0, "n");
	for (int i = 0; i < 3; i++) {
		try {
			tide_reclaim(0, 0, nullptr);
		} catch (const std::runtime_error &) {
			caught++;
		}
	}
	int r = tide_off_pressure(id);
	tide_reclaim(0, 0, nullptr);
	std::printf("%d %d %d %d\n", calls, caught, r, others);
}
CC
if command -v "${CXX:-c++}" >/dev/null; then
	"${CXX:-c++}" -std=c++11 -I"$srcdir/include" -o throws throws.cc ||
		fail "cannot compile as C++"
	same "an exception, alone" "3 3 0 2" "$(limited 60 ./throws)"
	for stacks in none all; do
		under $stacks ./throws >out 2>/dev/null || fail "status $?"
		same "an exception" "3 3 0 2" "$(cat out)"
	done
else
	without "exceptions: there is no C++ compiler"
fi

# --- who does not return -----------------------------------------------------

wait $slow || fail "slow: status $?"
wait $slow_under || fail "slow, under heaptide: status $?"
for out in slow slow-under; do
	same "$out" "refused 1 gone on 1 its 0 then 0" "$(cat $out)"
done
grep -q "Cleanup 'slow' did not return; going on without it" slow-said ||
	fail "not told: $(cat slow-said)"
