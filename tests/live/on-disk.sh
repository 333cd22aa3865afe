#!/bin/sh
# on-disk.sh - where profiles lie on a disk, their holes are not read ahead:
# each such page is time, and memory that the program's control group pays for
. "${srcdir:-.}/tests/lib.sh"
need fincore stat

case $(stat -f -c %T "$scratch") in
tmpfs|ramfs) skip "$scratch is no disk" ;;
esac

# looked_at FILE: no more of it is in memory than there is of it
looked_at()
{
	held=$(fincore -b -n -o RES "$1" | tr -d ' ') || skip "no fincore"
	blocks=$(stat -c %b "$1")
	[ "$blocks" -gt 0 ] || fail "nothing is in $1"
	# What was stored may not have been given a block yet, nor be dirty.
	within "bytes of $(basename "$1") in memory" 4096 \
	    $((blocks * 512 + 65536)) "$held"
}

# By hand, with nobody beside it.
LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_KEEPER=off HEAPTIDE_STACKS=all \
	sort "$srcdir/HACKING.md" >/dev/null || fail "by hand: $?"
set -- "$HEAPTIDE_DIR"/*.tide
[ -f "$1" ] || fail "no profile"
for file; do
	looked_at "$file"
done
rm -f "$HEAPTIDE_DIR"/*

# And while somebody asks and tells it.
LD_PRELOAD=$LIBHEAPTIDE sleep 60 &
started=$!
marked()
{
	"$HEAPTIDE" mark "$started" here
}
await marked
looked_at "$(ls "$HEAPTIDE_DIR/$started".*.tide)"
