#!/bin/sh
# soak-batches.sh - eight hours of batches in constant memory, and with a leak
#
# usage: make soak-batches, or builddir=BUILD sh tests/bench/soak-batches.sh
#
# Prints what long-batches.c says of SOAK_ITEMS items (1e8: minutes), alone and
# with heaptide inside, and how often a job that leaks was started anew within
# its budget, and whether its sum is the same.
#
# Environment:
#   SOAK_ITEMS  100000000
#   SOAK_LEAK   bytes a batch that the second part forgets (8192)
#   SOAK_SLOTS  blocks that live on (65536)

srcdir=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit
. "$srcdir/tests/bench/lib.sh"
items=${SOAK_ITEMS:-100000000}
leak=${SOAK_LEAK:-8192}
slots=${SOAK_SLOTS:-65536}
job=$builddir/tests/bench/long-batches
export HEAPTIDE_STATE="$PWD/states"

echo "alone:"
"$job" "$items" 0 "$slots" || die "status $?"
rm -rf states
for stacks in sampled all; do
	echo "with heaptide inside, --stacks $stacks:"
	"$heaptide" run -q --summary off --stacks $stacks -o long.tide -- \
		"$job" "$items" 0 "$slots" || die "status $?"
	"$heaptide" leaks long.tide | sed -n '/^[0-9]* sites* grow/p'
done

echo "with a leak of $leak bytes a batch, in 256 MiB:"
starts=0 status=85
while [ $status -eq 85 ]; do
	starts=$((starts + 1))
	"$heaptide" run -q --summary off --budget 256M -o leak.$starts.tide \
		-- "$job" "$items" "$leak" "$slots" 2>messages
	status=$?
done
echo "$starts starts, status $status"
