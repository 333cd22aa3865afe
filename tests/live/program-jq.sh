#!/bin/sh
# program-jq.sh - ten megabytes of JSON, grouped
. "${srcdir:-.}/tests/lib.sh"
need jq awk

awk 'BEGIN { for (i = 0; i < 100000; i++) printf "{\"id\": %d, " \
    "\"kind\": \"kind %d\", \"value\": %.3f, \"list\": [%d, null, true, " \
    "{\"deep\": \"%d times\"}]}\n", i, i % 31, i / 7, i * 3, i % 1000 }' \
    >input.json
unharmed jq -s -c 'group_by(.kind) | map({kind: .[0].kind, n: length,
    sum: (map(.value) | add), deepest: (map(.list[3].deep) | max)})' \
    input.json
# It says what is wrong with its input, and returns it.
echo '[1, 2' >input.json
unharmed jq . input.json
