#!/bin/sh
# selftest.sh - the seven tests pass where heaptide works, and fail where it does
# not; nothing of them is left
. "${srcdir:-.}/tests/lib.sh"
need jq

export TMPDIR="$scratch/tmp"
mkdir tmp

limited 120 "$HEAPTIDE" selftest >report 2>err ||
	fail "status $?: $(cat report err)"
sed -e 's/[0-9][0-9]*ms/Nms/' -e 's/([0-9]*MB average)/(NMB average)/' \
    report >said
cat >expected <<'END'
MEMORY-OPTIMIZED BATCH PROCESSING TEST REPORT
============================================================

SUMMARY:
   Total Tests: 7
   Passed: 7
   Failed: 0
   Success Rate: 100%
   Total Duration: Nms

TESTS:
   Small Batch Processing: passed (Nms)
   Memory Threshold Enforcement: passed (Nms)
   Checkpoint System: passed (Nms)
   Recovery Mechanism: passed (Nms)
   Memory Monitoring: passed (Nms)
   Adaptive Delays: passed (Nms)
   Configuration Validation: passed (Nms)

MEMORY OPTIMIZATION RECOMMENDATIONS:
   Memory usage is well within acceptable limits (NMB average)

All tests passed! Memory-optimized batch processing is working correctly.
   - Small batch sizes: ok
   - Checkpoint system: ok
   - Recovery mechanisms: ok
   - Memory monitoring: ok
   - Adaptive delays: ok
END
diff expected said >differs || fail "$(cat differs)"
same "said on stderr" "" "$(cat err)"
same "left behind" "" "$(ls tmp)"

# What the user has set, and where the user is, has no part in it.
mkdir elsewhere
echo "nonsense" >elsewhere/heaptide.conf
(cd elsewhere && HEAPTIDE_BUDGET=1M HEAPTIDE_BATCH_FIXED=1 \
    HEAPTIDE_DELAY_MODE=off HEAPTIDE_DIR=/nowhere \
    limited 120 "$HEAPTIDE" selftest --json) >json.out ||
	fail "with settings: $(cat json.out)"
same "as JSON" "7 7 0 100" "$(json json.out \
    '"\(.total) \(.passed) \(.failed) \(.success_rate)"')"
same "names" "Small Batch Processing,Memory Threshold Enforcement,Checkpoint System,Recovery Mechanism,Memory Monitoring,Adaptive Delays,Configuration Validation" \
    "$(json json.out '[.tests[].name] | join(",")')"
same "left behind" "" "$(ls tmp)"

# As an ordinary user, from where it was copied to.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$scratch"
	mkdir copied own
	cp "$HEAPTIDE" "$LIBHEAPTIDE" copied
	chmod 755 copied copied/*
	chown 65534:65534 own
	limited 120 setpriv --reuid 65534 --regid 65534 --clear-groups \
	    env HOME=/nonexistent TMPDIR="$scratch/own" \
	    "$scratch/copied/heaptide" selftest --tap >tap 2>err ||
		fail "as an ordinary user: $(cat tap err)"
	same "passed" 7 "$(grep -c '^ok' tap)"
	same "left behind" "" "$(ls own)"
else
	without "an ordinary user: this is one, or there is no setpriv"
fi

# --- where heaptide does not work --------------------------------------------

# Its library is not there: who was only copied cannot be preloaded.
mkdir broken
cp "$HEAPTIDE" broken/heaptide
echo "no library" >broken/libheaptide.so
limited 120 broken/heaptide selftest --tap >tap 2>err
same "status where the library is broken" 1 $?
same "its plan" "1..7" "$(sed -n 2p tap)"
grep -q '^not ok 1 - Small Batch Processing$' tap || fail "$(cat tap)"
grep -q '^not ok 4 - Recovery Mechanism$' tap || fail "$(cat tap)"
grep -q '^ok 7 - Configuration Validation$' tap || fail "$(cat tap)"
same "a reason each" "$(grep -c '^not ok' tap)" "$(grep -c '^# ' tap)"
same "left behind" "" "$(ls tmp)"

# There is no place for it.
TMPDIR=$scratch/nowhere limited 60 "$HEAPTIDE" selftest >report 2>err
same "status without a place" 1 $?
grep -q 'Passed: 0' report || fail "$(cat report)"
grep -q 'no directory can be made.*nowhere' report || fail "$(cat report)"

# --- asked to end ------------------------------------------------------------

"$HEAPTIDE" selftest >report 2>err &
pid=$!
tries=0
until [ -n "$(ls tmp)" ]; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || fail "it does not begin"
	sleep 0.05
done
kill -TERM $pid
wait $pid
same "status when it was ended" 143 $?
same "left behind" "" "$(ls tmp)"

"$HEAPTIDE" selftest more 2>err
same "of an operand" 2 $?
"$HEAPTIDE" selftest --json --tap 2>err
same "of both" 2 $?
