#!/bin/sh
# story-pages.sh - a query of 60 rows in pages of 20: 20 MB less than at once,
# fewer rows a page where memory is short, and a job that does not start there
. "${srcdir:-.}/tests/lib.sh"
need jq

MIB=$((1024 * 1024))

story()
{
	limited 100 "$HEAPTIDE" run --stacks none --summary json \
	    -o "$scratch/s.tide" "$@" >out 2>err ||
		fail "$*: status $?: $(cat err)"
	sed -n '/^{/,$p' err >summary
}

story -- "$victims/story" pages all
sum=$(sed -n 's/.* sum //p' out)
before=$(json summary .totals.peak_bytes)
within "at once" $((29 * MIB)) $((32 * MIB)) "$before"

story --budget 64M -- "$victims/story" pages
same "in pages" "items 60 groups 3 sum $sum" "$(cat out)"
after=$(json summary .totals.peak_bytes)
within "less than at once" $((19 * MIB)) $((30 * MIB)) $((before - after))
same "pages" "3 20 20" "$(json summary '.ops[0] |
	"\(.batches) \(.n_least) \(.n_most)"')"

# In 8 MiB there is no room for twenty rows of 500 KiB.
story --budget 8M -- "$victims/story" pages
same "how it ended" "exited 0" "$(json summary '"\(.end.how) \(.end.status)"')"
within "rows of the last page" 1 16 "$(json summary '.ops[0].n_last')"

# --- a job is started where there is room for it ----------------------------------

"$HEAPTIDE" run --budget 64M --gate 100M:skip -- "$victims/story" pages \
    >out 2>err
same "a job for which there is no room" 75 $?
same "did nothing" "" "$(cat out)"
grep -qx 'Low memory ([0-9]*MB), skipping' err || fail "said: $(cat err)"
story --budget 64M --gate 10M:skip -- "$victims/story" pages
same "one for which there is" "items 60 groups 3 sum $sum" "$(cat out)"
