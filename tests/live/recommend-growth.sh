#!/bin/sh
# recommend-growth.sh - what is advised of memory that stays holds when it is
# followed
. "${srcdir:-.}/tests/recommend.sh"

# --- R-LEAK, R-GROW ----------------------------------------------------------

leak="alike items=2000 bytes=65536 fixed=8"
# shellcheck disable=SC2086 # words on purpose
advised --budget 256M -- $leak keep=100000
has R-LEAK
has R-GROW
same "who" true "$(json advice.json '[.recommendations[] |
    select(.id == "R-LEAK") | .stack[].function] |
    any(. == "keep_forever")')"
within "bytes a batch" 90000 110000 "$(number R-LEAK bytes_per_epoch)"
within "what is left of a batch" 98000 104000 \
    "$(number R-GROW bytes_per_batch)"
case $(member R-LEAK setting) in
"heaptide leaks profile.tide") ;;
*) fail "R-LEAK says: $(member R-LEAK setting)" ;;
esac
"$HEAPTIDE" leaks profile.tide >leaks || fail "leaks: status $?"
grep -q keep_forever leaks || fail "leaks does not know: $(cat leaks)"
# shellcheck disable=SC2086
advised --budget 256M -- $leak
lacks R-LEAK
lacks R-GROW

# --- R-RECYCLE: what is left fills the budget --------------------------------

full="alike bytes=1048576 fixed=2 keep=1048576"
# shellcheck disable=SC2086
advised --budget 64M -- $full items=94
has R-RECYCLE
same "how bad" urgent "$(member R-RECYCLE severity)"
batches=$(number R-RECYCLE batches)
within "batches until a new start" 20 27 "$batches"
# shellcheck disable=SC2086
advised --budget 64M -- $full items=$((batches * 2))
lacks R-RECYCLE

# --- R-CACHE -----------------------------------------------------------------

cache="alike items=1600 bytes=65536 fixed=4 pace_us=3000"
# shellcheck disable=SC2086
advised --budget 256M -- $cache cache=62914560
has R-CACHE
lacks R-LEAK
within "what it holds" 60000000 64000000 "$(number R-CACHE live_bytes)"
same "who" true "$(json advice.json '[.recommendations[] |
    select(.id == "R-CACHE") | .stack[].function] | any(. == "fill_cache")')"
wanted=$(number R-CACHE wanted)
peak=$(json advice.json .used_peak)
# shellcheck disable=SC2086
advised --budget 256M -- $cache cache="$wanted"
within "the peak with half of it" 1 $((peak - 25000000)) \
    "$(json advice.json .used_peak)"
