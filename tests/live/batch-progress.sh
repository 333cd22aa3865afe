#!/bin/sh
# batch-progress.sh - how far a batch is, word by word; jobs of a file; what is
# told at the end
. "${srcdir:-.}/tests/lib.sh"
need jq

batch()
{
	limited 60 "$HEAPTIDE" batch "$@"
}

# --- lines ------------------------------------------------------------------------

seq 120 >pages
batch -q -j1 --progress lines --unit page --chunk 50 -- true {} <pages 2>err
same "status" 0 $?
sed -e 's/in [0-9.]*s$/in Ns/' -e 's/: [0-9]*h [0-9]*m$/: Nh Nm/' err |
	grep -v '^  Processing page' >found
cat >expected <<'LINES'
--- PROCESSING CHUNK 1/3 (pages 1-50) ---
Processing 50 pages in chunk 1
Chunk 1 completed in Ns
Progress: 1/3 chunks completed (33.3%)
Elapsed: Nh Nm
ETA: Nh Nm
--- PROCESSING CHUNK 2/3 (pages 51-100) ---
Processing 50 pages in chunk 2
Chunk 2 completed in Ns
Progress: 2/3 chunks completed (66.6%)
Elapsed: Nh Nm
ETA: Nh Nm
--- PROCESSING CHUNK 3/3 (pages 101-120) ---
Processing 20 pages in chunk 3
Chunk 3 completed in Ns
Progress: 3/3 chunks completed (100.0%)
Elapsed: Nh Nm
LINES
diff expected found || fail "other lines"
same "a line a page" 120 "$(grep -c '^  Processing page [0-9]*\.\.\.$' err)"
same "in order" "  Processing page 120..." "$(grep 'page 120\.' err)"

# A pipe is counted before the first job, so nothing differs.
cat pages | batch -q -j1 --progress lines --unit page --chunk 50 -- true {} \
	2>err
grep -qx -e '--- PROCESSING CHUNK 3/3 (pages 101-120) ---' err ||
	fail "$(cat err)"

# --- JSON, the bar ------------------------------------------------------------------

batch -q -j2 --progress json -- true {} <pages 2>err
same "each begins and ends" "120 120" "$(echo $(jq -s '
	[.[] | select(.event == "begin")] | length' err) $(jq -s '
	[.[] | select(.event == "end")] | length' err))"
same "the last" "120 120 0" \
	"$(jq -rs 'last | "\(.done) \(.total) \(.failed)"' err)"
batch -q -j2 --progress bar -- sleep 0.{} ::: 1 2 3 2>err
grep -q '/3 items' err || fail "no bar: $(cat -v err)"

# --- the end ------------------------------------------------------------------------

batch --summary json -- 'exit {}' ::: 0 1 0 2>err
same "two halves" 1 $?
grep -q '^Started batch: [A-Za-z0-9._-]*-[0-9a-f]\{8\}$' err ||
	fail "not said which: $(cat err)"
sed '/^Started/d' err >report.json
same "in numbers" "3 1 3 1 3" "$(json report.json \
	'"\(.items) \(.items_failed) \(.jobs) \(.failed) \(.tries)"')"
[ "$(json report.json '.schema, .peak, .bytes_per_item, .budget' |
	grep -c '^[1-9]')" = 4 ] || fail "$(cat report.json)"
batch -- 'exit {}' ::: 0 1 0 2>err
grep -q '^batch .*: 3 items in 3 jobs, ' err || fail "$(cat err)"
grep -q '^  failed     1 job, 1 item$' err || fail "$(cat err)"
batch -q -- true {} ::: a 2>err
[ ! -s err ] || fail "not quiet: $(cat err)"

# --- jobs of a file -----------------------------------------------------------------

cat >heaptide.conf <<'CONF'
concurrency.max = 3
[job.nightly]
cmd = "echo 'page {}' {#}"
items = pages
limit = 4
concurrency.max = 1
summary = off
[job.piped]
cmd = "echo {} | tr 1 2"
items = pages
limit = 1
summary = off
[job.bad]
items = pages
CONF
batch -k --mode nightly >out 2>err
same "of a file" "0 page 1 1 page 2 2 page 3 3 page 4 4" \
	"$? $(echo $(cat out))"
same "nothing but its name" 1 "$(wc -l <err)"
same "its limit is not above ours" 2 \
	"$(batch -q --mode nightly --limit 2 | wc -l)"
same "a shell's" 2 "$(batch -q --mode piped)"
batch --mode never 2>err
same "no such job" 2 $?
grep -q "'never'.*nightly, piped, bad" err || fail "$(cat err)"
batch --mode bad 2>err
same "no command" 2 $?
batch --preset nothing -- true 2>err
same "no such preset" 2 $?
for wrong in '-n 0' '-j x' '--chunk 5 -n 5' '-u -k' '--null -d ,' \
	'--resume-failed' '--unit=' '--delimiter ab' '--halt now' \
	'-a nowhere' '--budget 0' '--gate 5'; do
	batch $wrong -- true <pages >out 2>err
	same "$wrong: status" 2 $?
	same "$wrong: sentences" 1 "$(wc -l <err)"
done
