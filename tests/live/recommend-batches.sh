#!/bin/sh
# recommend-batches.sh - what is advised of the size of batches holds when it
# is followed
. "${srcdir:-.}/tests/recommend.sh"

# --- R-BATCH: batches that are cut -------------------------------------------

cut="alike items=1200 bytes=262144 fixed=64"
# shellcheck disable=SC2086 # words on purpose
advised --budget 20M --target 70% -- $cut
within "cuts" 15 1200 "$(op cuts)"
has R-BATCH
same "its key" batch.max "$(member R-BATCH key)"
max=$(member R-BATCH value)
within "the maximum" 20 60 "$max"
advised --budget 20M --target 70% -- alike items=1200 bytes=262144 fixed="$max"
same "cuts with a maximum of $max" 0 "$(op cuts)"
lacks R-BATCH

# --- R-KNEE: smaller ones are as fast ----------------------------------------

# From the 17th on each takes 2 ms; the first 16 take 2 ms together.
slow="alike items=4000 bytes=65536 pace_us=2000 slow_from=16 slow_us=2000"
# shellcheck disable=SC2086
advised_until R-KNEE --budget 256M -- $slow
knee=$(number R-KNEE knee)
within "the knee" 2 24 "$knee"
before=$(op growth_most)
# shellcheck disable=SC2086
advised --budget 256M -- $slow max="$knee"
within "most items" 1 "$knee" "$(op n_most)"
within "bytes of the largest batch" 1 $((before * 3 / 4)) "$(op growth_most)"

# --- R-SLOW: larger ones are faster, and memory is free ----------------------

paced="alike items=400 bytes=65536 pace_us=20000"
# shellcheck disable=SC2086
advised_until R-SLOW --budget 256M -- $paced max=4
max=$(member R-SLOW value)
within "the maximum" 8 2000 "$max"
before=$(op batches)
bytes=$(number R-SLOW max_bytes)
# shellcheck disable=SC2086
advised --budget 256M -- $paced max="$max"
within "batches" 1 $((before * 3 / 4)) "$(op batches)"
within "bytes of the largest batch" 1 "$bytes" "$(op growth_most)"

# --- R-TAIL: few items are far larger than others ----------------------------

tail="tail items=20000 bytes=65536 heavy=200"
# shellcheck disable=SC2086
advised --budget 256M -- $tail
has R-TAIL
within "the largest to the mean" 20 60 "$(number R-TAIL ratio)"
same "what to do" "tide_item(&batch, bytes) before each item" \
    "$(member R-TAIL setting)"
# shellcheck disable=SC2086
advised --budget 256M -- $tail weights=1
lacks R-TAIL
same "the largest that was told" $((50 * 65536)) "$(op weight_most)"

# --- R-SUPER: each with each -------------------------------------------------

square="square items=3000 bytes=4096 pace_us=1000"
# shellcheck disable=SC2086
advised --budget 128M -- $square max=40
has R-SUPER
within "doubling, in tenths" 35 42 "$(json advice.json '.recommendations[] |
    select(.id == "R-SUPER") | .numbers.doubling * 10 | floor')"
max=$(member R-SUPER value)
before=$(op growth_most)
# shellcheck disable=SC2086
advised --budget 128M -- $square max="$max"
within "bytes of the largest batch" 1 $((before / 2)) "$(op growth_most)"

# --- R-FIXED: most of it is there whatever the size --------------------------

based="alike items=2000 bytes=65536 base=16000000"
# shellcheck disable=SC2086
advised --budget 128M -- $based max=16
has R-FIXED
within "what is there" 15000000 17000000 "$(number R-FIXED fixed)"
min=$(member R-FIXED value)
report profile.tide
before=$(json report.json .totals.allocated_bytes)
# shellcheck disable=SC2086
advised --budget 128M -- $based min="$min" max="$min"
lacks R-FIXED
report profile.tide
within "bytes allocated in all" 1 $((before / 2)) \
    "$(json report.json .totals.allocated_bytes)"
