#!/bin/sh
# demo.sh - the report names first where examples/ingest loses its memory
. "${srcdir:-.}/tests/lib.sh"
need jq

source=$srcdir/examples/ingest.c
line=$(grep -n 'r = need(malloc(' "$source" | cut -d: -f1)
find /usr/include -type f -name '*.h' | LC_ALL=C sort | head -n 500 >list

plain_and_under all "$builddir/examples/ingest" list
report profile.tide
rejected=$(sed -n 's/.* \([0-9]*\) rejected.*/\1/p' under.out)
first='[.sites[] | select(.live_bytes > 0)] | max_by(.live_bytes)'
within "headers with something to reject" 100 1000000 "$rejected"
same "blocks lost" "$rejected" "$(json report.json "$first | .live_blocks")"
same "where" "ingest.c:$line" "$(json report.json "$first
	| .stack[0] | (.file | sub(\".*/\"; \"\")) + \":\" + (.line | tostring)")"
# stdio keeps the buffer of stdout.
within "live blocks beside them" 0 1 "$(json report.json \
	".totals.live_blocks - $rejected")"

# The same for people: of the lines with a place in them it is the first.
limited 60 "$HEAPTIDE" report profile.tide >report.txt ||
	fail "report: status $?"
grep -o '[a-z_-]*\.c:[0-9]*' report.txt | head -n 1 >first
same "first place in the report" "ingest.c:$line" "$(cat first)"
