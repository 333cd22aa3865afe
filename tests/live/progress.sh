#!/bin/sh
# progress.sh - chunks and pages are what was asked for, how far it is is told
# in the words that people know, and every setting of it means something
. "${srcdir:-.}/tests/lib.sh"
need jq

program=$victims/progress

# told OPTION... -- WHAT: out and err of it, under heaptide
told()
{
	limited 60 "$HEAPTIDE" run --stacks none --summary off \
	    -o "$scratch/p.tide" "$@" >out 2>err ||
		fail "$*: status $?: $(cat err)"
}

# work OPTION... -- WHAT: the summary, as JSON
work()
{
	limited 60 "$HEAPTIDE" run --stacks none --summary json \
	    -o "$scratch/p.tide" "$@" >out 2>err ||
		fail "$*: status $?: $(cat err)"
	sed -n '/^{/,$p' err >summary
	jq -e . summary >/dev/null || fail "no summary: $(cat err)"
}

# --- chunks of one size, pages of twenty -------------------------------------

chunks()
{
	same "chunks" 21 "$(grep -c '^chunk ' out)"
	same "the first" "chunk 0 50" "$(sed -n 1p out)"
	same "the last" "chunk 1000 10" "$(sed -n 21p out)"
	same "items" "items 1010" "$(grep '^items' out)"
	same "sized" "sized 300" "$(grep '^sized' out)"
}
"$program" chunks >out || fail "alone: status $?"
chunks
told -- "$program" chunks
chunks

pages="full 0+20 20+20 40+20 end 60 0
short 0+20 20+20 end 35 0
empty 0+20 end 0 0
exact 0+20 20+20 40+20 end 60 0
own 0+7 7+7 end 14 0
again 0+20 20+20 end 30 0
anew 0+20 20+20 end 30 0"
"$program" pages >out || fail "alone: status $?"
same "pages alone" "$pages" "$(cat out)"
told -- "$program" pages
same "pages" "$pages" "$(cat out)"
HEAPTIDE_PAGE_SIZE=10 HEAPTIDE_MAX_PAGES=2 told -- "$program" pages
same "pages of ten, two of them" "full 0+10 10+10 end 20 0" \
    "$(sed -n 1p out)"
HEAPTIDE_MAX_PAGES=0 told -- "$program" pages
# And one more, that finds none left.
same "as many as there are" "full 51" "$(awk '/^full/ { print $1, NF - 4 }' \
    out)"

# --- line by line ------------------------------------------------------------

told --budget 200M --progress lines -- "$program" items
same "its own output" "done 5" "$(cat out)"
number='[0-9][0-9]*\.[0-9]'
sed -e "s/$number MB/N MB/g" -e "s/[+-]$number MB/+N MB/" \
    -e "s/in ${number}s/in Ns/" err >said
cat >expected <<'END'
Using memory-efficient processing (reading)
Initial memory usage: N MB
--- PROCESSING CHUNK 1/3 (items 1-2) ---
Processing 2 items in chunk 1
  Processing item 1...
  Processing item 2...
Chunk 1 completed in Ns
Memory after chunk 1: N MB (change: +N MB)
Progress: 1/3 chunks completed (33.3%)
Elapsed: 0h 0m
ETA: 0h 0m
--- PROCESSING CHUNK 2/3 (items 3-4) ---
Processing 2 items in chunk 2
  Processing item 3...
  Processing item 4...
Chunk 2 completed in Ns
Memory after chunk 2: N MB (change: +N MB)
Progress: 2/3 chunks completed (66.6%)
Elapsed: 0h 0m
ETA: 0h 0m
--- PROCESSING CHUNK 3/3 (item 5) ---
Processing 1 item in chunk 3
  Processing item 5...
Chunk 3 completed in Ns
Memory after chunk 3: N MB (change: +N MB)
Progress: 3/3 chunks completed (100.0%)
Elapsed: 0h 0m
END
diff expected said >differs || fail "lines: $(cat differs)"
HEAPTIDE_PROGRESS=lines HEAPTIDE_PROGRESS_UNIT=page "$program" items \
    >out 2>err || fail "alone: status $?"
same "its own output, alone" "done 5" "$(cat out)"
grep -q '^--- PROCESSING CHUNK 1/3 (pages 1-2) ---$' err ||
	fail "alone: $(cat err)"

# --- as JSON, as a bar, not at all -------------------------------------------

told --budget 200M --progress json -- "$program" items
same "every line is an object" 6 "$(jq -c 'select(.heaptide and .schema == 1)
	' err | wc -l | tr -d ' ')"
same "what of" "begin end" "$(jq -r .event err | sort -u | paste -sd' ' -)"
same "done" "2 4 5" "$(jq -r 'select(.event == "end").done' err |
	paste -sd' ' -)"
same "of" "5 3" "$(jq -rs '.[-1] | "\(.total) \(.chunks)"' err)"
same "at the end nothing is left" 0 "$(jq -s '.[-1].eta' err)"
same "the budget" 209715200 "$(jq -s '.[0].budget' err)"

told --budget 200M --progress bar -- "$program" figures
same "a line each tenth, in a file" 10 "$(grep -c '^chunks of 50 \[' err)"
grep -q '^chunks of 50 \[#\{30\}\] Progress: 40/40 chunks completed (100\.0%)' \
    err || fail "bar: $(cat err)"
if command -v script >/dev/null; then
	HEAPTIDE_PROGRESS=bar script -qec "$program items" /dev/null \
	    </dev/null >typed 2>&1 || fail "on a terminal: status $?"
	tr '\r' '\n' <typed | grep -q 'Progress: 3/3 chunks completed' ||
		fail "on a terminal: $(cat typed)"
else
	without "script is not installed"
fi

told --budget 200M --progress off -- "$program" items
same "off" "" "$(cat err)"
"$HEAPTIDE" run --progress loud -- true 2>err
same "of a word that is none" 2 $?
grep -q "'loud'.*off, lines, bar or json" err || fail "$(cat err)"

# --- what a program is told --------------------------------------------------

told --budget 200M -- "$program" figures
grep -q '^trend 0 points 19 rate 0 ' out || fail "$(grep ^trend out)"
grep -q '^progress 2000/2000 item batches 40/40 share 1.00 left 0$' out ||
	fail "$(grep ^progress out)"
grep -q '^report ops 1 batches 40 items 2000 p50 819600 p99 819600 most 819600 item 16392$' \
    out || fail "$(grep ^report out)"
grep -q '^advice R-OK 0 Memory usage is well within' out || fail "$(cat out)"
grep -q '^stats 1$' out || fail "in short: $(cat out)"
grep -q '^advices 1 told$' out || fail "$(cat out)"
told --budget 200M -- "$program" leaking
grep -q '^trend 1 points 19 rate 32776 low 32776 high 32776 p 0.0000 meets$' \
    out || fail "$(grep ^trend out)"
"$program" leaking >out || fail "alone: status $?"
grep -q '^trend 1 points 19 ' out || fail "alone: $(grep ^trend out)"
grep -q '^advices -19 none$' out || fail "alone: $(cat out)"

HEAPTIDE_LOG=$scratch/log told -- "$program" figures
grep -q ']: log 7 of info$' log || fail "log: $(cat log)"
grep -q ']: ERROR log of error$' log || fail "log: $(cat log)"
grep -q DEBUG log && fail "debug: $(cat log)"
rm log
HEAPTIDE_LOG_DEBUG=on HEAPTIDE_LOG=$scratch/log told -- "$program" figures
grep -q ']: DEBUG log of debug$' log || fail "log: $(cat log)"
same "decisions" 82 "$(grep -c 'DEBUG .*breaker closed$' log)"

# --- settings that mean something --------------------------------------------

HEAPTIDE_KNOBS=samples=8 told -- "$program" figures
same "a knob that is set" "knob 8.0 10.0" "$(grep ^knob out)"

same "what cleanups may do" "called 1 freed 1" "$("$program" cleans)"
same "no callbacks" "called 0 freed 0" \
    "$(HEAPTIDE_RECLAIM=purge,trim "$program" cleans)"

# setting VALUE: cleanups of ten batches
cleanups()
{
	work --budget 200M -- "$program" holds
	json summary .work.cleanups
}
same "cleanups by default" 0 "$(cleanups)"
same "between each" 9 "$(HEAPTIDE_RECLAIM_BETWEEN=always cleanups)"
same "after the last" 1 "$(HEAPTIDE_RECLAIM_AFTER=on cleanups)"
same "before each" 10 "$(HEAPTIDE_RECLAIM_BEFORE=on cleanups)"
HEAPTIDE_RECLAIM_BETWEEN=always told --budget 200M --progress lines -- \
    "$program" holds
same "told between chunks" 9 \
    "$(grep -cx 'Running cleanup between chunks\.\.\.' err)"
grep -q '^Cleanup freed: 8\.0 MB$' err || fail "$(cat err)"
grep -q '^Memory after chunk 2: .* MB (change: .* MB) (.* since cleanup)$' \
    err || fail "$(grep '^Memory' err)"

# Half of 16 MiB is no warning; but a line of its own lies below.
work --budget 16M -- "$program" holds
same "held" "held 1" "$(cat out)"
HEAPTIDE_RECLAIM_THRESHOLD=40% work --budget 16M -- "$program" holds
same "cleaned up from 40 % on" "held 0" "$(cat out)"
# At 8 of 10.5 it is one, which is for cheap ones only; never: for none.
HEAPTIDE_RECLAIM_BETWEEN=never HEAPTIDE_RECLAIM_THRESHOLD=40% \
    work --budget 16M -- "$program" holds
same "never" "held 1" "$(cat out)"

# Two looks a batch, or in one of fifty; how high it stood is asked for anyway.
if command -v strace >/dev/null && strace -o trace true 2>/dev/null; then
	looks()
	{
		strace -f -o trace -e trace=open,openat "$program" figures \
		    >/dev/null 2>&1
		grep -c '/proc/self/status' trace
	}
	every=$(HEAPTIDE_POLL_EVERY=1 looks)
	seldom=$(HEAPTIDE_POLL_EVERY=50 looks)
	within "looks at each of 40 batches" 80 1000 "$every"
	within "looks at one in fifty" 1 $((every - 60)) "$seldom"
else
	without "strace cannot be used here"
fi

# --- sizes in one unit --------------------------------------------------------

told -- "$program" figures
HEAPTIDE_DISPLAY_UNIT=KB "$HEAPTIDE" report "$scratch/p.tide" >kib ||
	fail "report: status $?"
grep -q MiB kib && fail "not in KiB: $(grep MiB kib)"
HEAPTIDE_DISPLAY_UNIT=furlong "$HEAPTIDE" report "$scratch/p.tide" 2>err
same "of no unit" 2 $?
grep -q "'furlong' is not accepted" err || fail "$(cat err)"
