#!/bin/sh
# log-debug.sh - what people write for log.debug is no name of a file
. "${srcdir:-.}/tests/lib.sh"

program=$builddir/examples/pipeline
[ -x "$program" ] || skip "examples/pipeline is not built"

# by_hand NAME=VALUE...: with the library preloaded, or alone
by_hand()
{
	rm -f log debug
	env LD_PRELOAD="$LIBHEAPTIDE" "$@" "$program" 200 >out 2>err ||
		fail "$*: $(cat err)"
}

mkdir here
cd here || exit
by_hand HEAPTIDE_LOG=debug
same "files" "err out" "$(echo *)"
env HEAPTIDE_LOG=debug "$program" 200 >out || fail "without the library"
same "files of it alone" "err out" "$(echo *)"

# What decides is told, by any of the names, unless the plain one says no.
by_hand HEAPTIDE_LOG=log HEAPTIDE_LOG_DEBUG=on
grep -q DEBUG log || fail "nothing is told: $(cat log)"
by_hand HEAPTIDE_LOG=log HEAPTIDE_TRACE=1
grep -q DEBUG log || fail "HEAPTIDE_TRACE=1 tells nothing"
by_hand HEAPTIDE_LOG=log HEAPTIDE_TRACE=1 HEAPTIDE_LOG_DEBUG=off
[ ! -e log ] || ! grep -q DEBUG log || fail "told all the same"
