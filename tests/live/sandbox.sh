#!/bin/sh
# sandbox.sh - a program that is executed where our directory for profiles is
# not to be seen is told of, and runs as it would alone
. "${srcdir:-.}/tests/lib.sh"
need unshare mount

unshare -rm sh -c 'mount -t tmpfs none "$1"' sh "$scratch" 2>/dev/null ||
	skip "no mount namespaces here"

# Not exported: the program is to be the one that hides the directory.
mkdir -m 700 "$HEAPTIDE_DIR"
covered='mount -t tmpfs none "$0" && exec sort "$1"'
plain_and_under all unshare -rm sh -c "$covered" "$HEAPTIDE_DIR" \
	"$srcdir/HACKING.md"
limited 60 "$HEAPTIDE" run -o p.tide -- unshare -rm sh -c "$covered" \
	"$HEAPTIDE_DIR" "$srcdir/HACKING.md" >out 2>err ||
	fail "status $?: $(cat err)"
cmp plain.out out || fail "another output"
grep -q 'not profiled .* 1 with our library or profiles out of reach' err ||
	fail "it is not told: $(cat err)"

# Where it is to be seen, nothing is missing.
limited 60 "$HEAPTIDE" run -o q.tide -- unshare -rm sh -c 'exec sort "$0"' \
	"$srcdir/HACKING.md" >out 2>err || fail "status $?: $(cat err)"
! grep -q 'not profiled' err || fail "in reach: $(cat err)"
