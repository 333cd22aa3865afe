#!/bin/sh
# recommend-allocator.sh - what is advised of an allocator that keeps what is
# freed holds when it is followed
. "${srcdir:-.}/tests/recommend.sh"

# --- R-RETAIN: holes ---------------------------------------------------------

holes="holes items=131072 bytes=1024 linger_ms=5000"
# It is known by a look of `heaptide run` in between, every two seconds or so.
# shellcheck disable=SC2086 # words on purpose
advised_until R-RETAIN -- $holes
within "resident" $((100 << 20)) $((200 << 20)) "$(number R-RETAIN resident)"
within "live" 1 $((6 << 20)) "$(number R-RETAIN live)"
case $(member R-RETAIN setting) in
*malloc_trim*) ;;
*) fail "R-RETAIN says: $(member R-RETAIN setting)" ;;
esac
# shellcheck disable=SC2086
advised -- $holes trim=1
lacks R-RETAIN

# --- R-ALLOC: mimalloc, and threads that come and go -------------------------

mimalloc=
for candidate in /usr/lib/*/libmimalloc.so.[0-9] /usr/lib*/libmimalloc.so.[0-9]
do
	[ -e "$candidate" ] && mimalloc=$candidate
done
if [ -n "$mimalloc" ]; then
	last_way="threads, mimalloc"
	limited 120 "$HEAPTIDE" run --summary off -o m.tide -- env \
		LD_PRELOAD="$LIBHEAPTIDE:$mimalloc" "$victims/advised" threads \
		threads=240 items=50 bytes=100000 linger_ms=5000 2>err ||
		fail "advised threads: $(cat err)"
	"$HEAPTIDE" recommend --json m.tide >advice.json || fail "status $?"
	if [ "$(json advice.json '[.recommendations[].id] | any(. == "R-ALLOC" or
	    . == "R-RETAIN")')" = true ]; then
		has R-ALLOC
	else
		without "R-ALLOC: this mimalloc gives back what threads leave"
	fi
	# Another allocator, as it is advised.
	advised -- threads threads=240 items=50 bytes=100000 linger_ms=5000
	lacks R-ALLOC
else
	without "mimalloc is not installed"
fi
