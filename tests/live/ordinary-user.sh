#!/bin/sh
# ordinary-user.sh - nothing of it needs root, nor trusts another user
. "${srcdir:-.}/tests/lib.sh"
need jq
[ "$(id -u)" -eq 0 ] || skip "all of the tests run as an ordinary user here"
need setpriv

# A copy of our own, for the build may lie where nobody else may go.
chmod 755 "$scratch"
mkdir installed own
cp "$HEAPTIDE" "$LIBHEAPTIDE" installed
chmod 755 installed installed/*
chown 65534:65534 own
HEAPTIDE=$scratch/installed/heaptide

as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
	    env HOME="$scratch/own" TMPDIR="$scratch/own" \
	    XDG_CACHE_HOME="$scratch/own/cache" "$@"
}

as_nobody true || skip "setpriv does not work here"
cd own || exit
program='[range(50000)] | map(tostring) | add | length'
jq -n "$program" >../plain

export HEAPTIDE_DIR="$scratch/own/segments"
for stacks in none sampled all; do
	as_nobody "$HEAPTIDE" run --stacks "$stacks" --summary off \
	    -o user.tide -- jq -n "$program" >../out || fail "status $?"
	cmp ../plain ../out
	as_nobody "$HEAPTIDE" report --json user.tide >../report.json ||
		fail "no report"
	(cd .. && adds_up)
done
same "mode of the directory" 700 "$(stat -c %a "$HEAPTIDE_DIR")"
same "its owner" 65534 "$(stat -c %u "$HEAPTIDE_DIR")"
same "owner of the profile" 65534 "$(stat -c %u user.tide)"
same "what stays" "" "$(ls "$HEAPTIDE_DIR")"
rmdir "$HEAPTIDE_DIR"

# By hand, in the place that is found by itself.
unset HEAPTIDE_DIR
mkdir runtime
chown 65534:65534 runtime
chmod 700 runtime
as_nobody env XDG_RUNTIME_DIR="$scratch/own/runtime" \
    LD_PRELOAD="$scratch/installed/libheaptide.so" jq -n "$program" >../out ||
	fail "status $?"
cmp ../plain ../out
set -- runtime/heaptide/*.tide
as_nobody "$HEAPTIDE" report --json "$1" >../report.json || fail "no report"
(cd .. && adds_up)

# A directory of somebody else's is no place for a profile, nor is a link.
mkdir -m 777 ../theirs
ln -s runtime link
for directory in "$scratch/theirs" "$scratch/own/link"; do
	as_nobody env HEAPTIDE_DIR="$directory" "$HEAPTIDE" run -q \
	    -o other.tide -- jq -n "$program" >../out 2>../err
	same "$directory: status" 0 $?
	cmp ../plain ../out
	same "$directory: lines" 1 "$(wc -l <../err)"
	grep -q "^heaptide: .*$directory" ../err ||
		fail "no word of the directory: $(cat ../err)"
	# By hand the library has no one to tell but a log, if there is one.
	rm -f log
	as_nobody env HEAPTIDE_DIR="$directory" HEAPTIDE_LOG="$PWD/log" \
	    LD_PRELOAD="$scratch/installed/libheaptide.so" \
	    jq -n "$program" >../out 2>../err || fail "by hand: status $?"
	cmp ../plain ../out
	same "by hand: lines on stderr" 0 "$(wc -l <../err)"
	same "by hand: lines in the log" 1 "$(wc -l <log)"
done
same "what came there" "" "$(ls ../theirs)"
