#!/bin/sh
# pool-retained.sh - what the allocators of waiting members keep is not what they
# wait for: each gives it back before it waits, and all of them finish
. "${srcdir:-.}/tests/lib.sh"
need jq

mkdir -m 700 "$HEAPTIDE_DIR"
limited 60 "$HEAPTIDE" pool start small --budget 48M >out 2>&1 ||
	fail "pool: $(cat out)"
# Each batch takes 30 MiB, and glibc would keep them.
for i in 1 2 3; do
	HEAPTIDE_POOL=small limited 60 "$HEAPTIDE" run --stacks none \
	    --summary off -o "$scratch/member$i" -- "$victims/progress" \
	    holding 120 >/dev/null 2>err$i &
	eval "member$i=\$!"
done
for i in 1 2 3; do
	eval "wait \$member$i" || fail "member $i: status $?: $(cat err$i)"
	"$HEAPTIDE" ops --json member$i >ops.json || fail "ops: status $?"
	same "items of member $i" 3200 "$(json ops.json '.ops[0].items')"
done
