#!/bin/sh
# bindings-node.sh - the package heaptide does what heaptide.h does, alone and
# with heaptide inside
. "${srcdir:-.}/tests/lib.sh"
need node

addon=$builddir/bindings/node/.libs/heaptide.node
[ -f "$addon" ] || skip "no heaptide.node: node_api.h is not installed"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node $major has no test runner"

# The package as it is installed, addon included.
package=$scratch/node_modules/heaptide
mkdir -p "$package"
cp "$srcdir"/bindings/node/*.js "$srcdir"/bindings/node/*.d.ts \
	"$srcdir/bindings/node/package.json" "$addon" "$package"
mv "$package/test.js" bindings.test.js
export HEAPTIDE_STATE="$scratch/state"

# passes DEPTH COMMAND...
passes()
{
	depth=$1
	shift
	HEAPTIDE_EXPECT=$depth limited 240 "$@" bindings.test.js >said 2>&1 \
		</dev/null
	status=$?
	[ $status -eq 0 ] || fail "$depth: status $status:
$(grep -B 2 -A 30 '^not ok' said | head -n 60)"
	[ "$(grep -c '^ok' said)" -ge 34 ] || fail "$depth: too few tests ran"
}

tap=
node --test-reporter=tap -e 0 2>/dev/null && tap=--test-reporter=tap
passes standalone node $tap
passes runtime env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_KEEPER=on node $tap
passes runtime "$HEAPTIDE" run -q --summary off --stacks all -o node.tide -- \
	node $tap

# --- asked from outside ------------------------------------------------------

cat >drained.js <<'END2'
const heaptide = require('heaptide');
(async () => {
  const walk = heaptide.operation('drained', { fixed: 1 }).batches(
    (function* () { for (;;) yield 1; })());
  for await (const batch of walk) {
    require('fs').writeFileSync('begun', `${batch.length}`);
    await new Promise((r) => setTimeout(r, 10));
  }
  console.log(heaptide.shouldStop().join(), walk.finished);
})();
END2
LD_PRELOAD=$LIBHEAPTIDE node drained.js >said 2>&1 </dev/null &
pid=$!
started=$pid
await test -e begun
limited 30 "$HEAPTIDE" ctl $pid drain >/dev/null || fail "no drain"
wait $pid || fail "drained: status $?: $(cat said)"
same "drained" "drain false" "$(cat said)"

# What an operation of it did is seen from outside as any other's.
"$HEAPTIDE" run -q --summary off -o ops.tide -- node -e '
	const heaptide = require("heaptide");
	(async () => {
		for await (const b of heaptide.operation("seen", { fixed: 4 })
			.batches([1, 2, 3, 4, 5, 6, 7, 8])) b.length;
	})();' || fail "not run"
limited 60 "$HEAPTIDE" report ops.tide >report || fail "no report"
grep -q 'seen' report || fail "the report does not tell of the operation"

# An addon that is not there is said.
HEAPTIDE_NODE=/nowhere/x.node node -e 'require("heaptide")' >said 2>&1 &&
	fail "it is there"
grep -q 'heaptide.node is not found; install heaptide' said ||
	fail "not said: $(cat said)"
