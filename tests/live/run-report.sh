#!/bin/sh
# run-report.sh - how a run went, all of its processes together: `report RUN` and
# `recommend RUN` say what the program itself says, and what `batch` said
. "${srcdir:-.}/tests/lib.sh"
need jq

export HEAPTIDE_STATE="$scratch/state"
job=$victims/accounted

only_run()
{
	limited 20 "$HEAPTIDE" checkpoints list | sed -n 's/^- \([^:]*\):.*/\1/p'
}
# of MEMBER...: of the run, as the program prints them
told()
{
	limited 20 "$HEAPTIDE" report --json "$1" >run.json || fail "report $1"
	jq -r '.work | "\(.batches) \(.items) \(.items_failed) \(.aborts) " +
		"\(.cleanups) \(.checkpoints) \(.batch_most)"' run.json
}

# alike RUN: what report tells of its operations, ops does
alike()
{
	limited 20 "$HEAPTIDE" ops --json "$1" >ops.json || fail "ops $1"
	limited 20 "$HEAPTIDE" report --json "$1" >run.json || fail "report $1"
	same "operations of $1" "$(json run.json .operations)" \
		"$(json ops.json .ops)"
}

# --- one process, with the library and without --------------------------------

for library in "" "$LIBHEAPTIDE"; do
	rm -rf state
	# So many batches that their records do not all stay in the file.
	LD_PRELOAD=$library HEAPTIDE_BUDGET=512M limited 100 "$job" 60000 >out ||
		fail "status $?: $(cat out)"
	id=$(only_run)
	said=$(tail -1 out)
	same "what it says itself" "$said" "$(told "$id")"
	same "of all batches" true "$(echo "$said" | awk '{ print \
		($1 > 6000 && $4 == 2 ? "true" : "false") }')"
	same "the rest" "finished 1 true 536870912" "$(json run.json \
		'"\(.state) \(.attempts) \(.told) \(.work.budget)"')"
	same "an operation" "walk page 1 2" "$(json run.json '.operations[0] |
		"\(.name) \(.unit) \(.aborts_memory) \(.aborts)"')"
	# The two that were given up were done after all.
	same "failed" "55-55" "$(limited 20 "$HEAPTIDE" checkpoints failed \
		"$id" | sed 's/ .*//')"
	limited 20 "$HEAPTIDE" report "$id" >text || fail "report"
	for line in "$id: finished, 60000/60000 pages done in .* by 1 process," \
	    "  used  .* % of the budget of 512.0 MiB$" \
	    "  batches .* with 60.* items; half took " "  cleanups .* freed" \
	    "  checkpoints .*, in " "  took .* a batch on average, .* each page" \
	    "  failed  .*1 page, not .*checkpoints failed $id$"; do
		grep -q "^$line" text || fail "no '$line' in $(cat text)"
	done
done

# --- several processes: what each came to is in it ----------------------------

rm -rf state
ACCOUNTED_LAST=2000 limited 60 "$job" 5000 >one || fail "status $?"
id=$(only_run)
limited 60 "$job" 5000 >two || fail "status $?"
same "sums" "$(cat one two | awk '{ for (i = 1; i < 7; i++) sum[i] += $i
	most = $7 > most ? $7 : most }
	END { print sum[1], sum[2], sum[3], sum[4], sum[5], sum[6], most }')" \
	"$(told "$id")"
same "processes" "2 1" "$(json run.json '"\(.attempts) \(.work.retries)"')"
limited 20 "$HEAPTIDE" report "$id" | grep -q "^  retries  *the run was started anew 1 time$" ||
	fail "no retries"

# --- one that is killed: its batches tell -------------------------------------

rm -rf state
HEAPTIDE_CHECKPOINT_SYNC=batch ACCOUNTED_LAST=3000 setsid "$job" 100000000 \
	>out 2>&1 </dev/null || fail "$(cat out)"
HEAPTIDE_CHECKPOINT_SYNC=batch "$job" 100000000 >out 2>&1 </dev/null &
started="$started $!"
i=0
id=$(only_run)
until [ "$(told "$id" | sed 's/ .*//')" -gt 400 ]; do
	i=$((i + 1))
	[ $i -lt 200 ] || fail "it does not get on: $(cat run.json)"
	sleep 0.1
done
same "while it runs" running "$(json run.json .state)"
kill -KILL $!
wait $! 2>/dev/null
told "$id" >after
same "and killed" interrupted "$(json run.json .state)"
same "batches, items" true "$(json run.json '.work.batches == .batches and
	.work.items > 3000 and .work.batch_mean > 0')"
# Whoever asks is told the same of it, though no record of its operation has all.
alike "$id"
same "the batches of its only operation" "$(json run.json '.work.batches')" \
	"$(json ops.json '.ops[0].batches')"

# --- recommend: as of its profile, for what both know -------------------------

rm -rf state
limited 60 "$HEAPTIDE" run -q --summary off --budget 64M -o a.tide -- "$job" \
	20000 >out || fail "status $?"
id=$(only_run)
limited 20 "$HEAPTIDE" recommend --json a.tide >file.json || fail "of a file"
limited 20 "$HEAPTIDE" recommend --json "$id" >run.json || fail "of a run"
same "of the operation" \
	"$(json file.json '[.recommendations[] | select(.operation) | .id]')" \
	"$(json run.json '[.recommendations[] | select(.operation) | .id]')"
same "R-HIGH: one was given up for memory" 1 \
	"$(json run.json '[.recommendations[] | select(.id == "R-HIGH")] | length')"
same "which run" "$id finished false" \
	"$(json run.json '"\(.run) \(.state) \(.running)"')"
same "curves" "$(json file.json .curves)" "$(json run.json .curves)"
limited 20 "$HEAPTIDE" recommend --write a.conf "$id" >text || fail "--write"
head -1 text | grep -qx "the run $id, finished" || fail "$(cat text)"
head -1 a.conf | grep -qx "# By heaptide recommend, for the run $id, finished" ||
	fail "$(cat a.conf)"
limited 20 "$HEAPTIDE" config check a.conf >out 2>&1 ||
	fail "it is no configuration: $(cat out) $(cat a.conf)"
limited 20 "$HEAPTIDE" analyze --json "$id" >an.json || fail "analyze"
same "analyze" true "$(json an.json '.issues | map(.id) | index("R-HIGH") != null')"
same "by the path of its file" "$id" "$(limited 20 "$HEAPTIDE" recommend --json \
	"state/runs/$id.tideck" | jq -r .run)"

# --- heaptide batch -----------------------------------------------------------

rm -rf state
seq 40 | limited 100 "$HEAPTIDE" batch --summary json -j 2 -- sh -c \
	'[ {} != 7 ] || exit 3; [ {} != 9 ] || exit 75' >out 2>err
sed -n '/^{/,$p' err >said.json
id=$(only_run)
told "$id" >/dev/null
same "what batch said" \
	"$(json said.json '[.tries, .oom_kills, .no_memory, .poison, .retries, .jobs,
		.job_peak, .peak, .items, .checkpoints]')" \
	"$(json run.json '[.jobs.tries, .jobs.oom_kills, .jobs.no_memory,
		.jobs.poison, .jobs.retries, .work.batches, .work.batch_most,
		.work.used_peak, .work.items, .work.checkpoints]')"
limited 20 "$HEAPTIDE" report "$id" | grep -q '^  jobs  *4[0-9] started, ' ||
	fail "$(limited 20 "$HEAPTIDE" report "$id")"
limited 20 "$HEAPTIDE" recommend "$id" >out || fail "recommend"
alike "$id"

# And one that is killed between two times that it writes down how it went: of
# jobs that are done there are records.
rm -rf state
mkfifo more
(seq 30 && exec cat more) | setsid "$HEAPTIDE" batch -q -j 2 -- \
	sh -c 'echo $$ >{}.ran' >out 2>err &
started="$started $!"
exec 9>more
noted()
{
	id=$(only_run)
	[ -n "$id" ] && limited 20 "$HEAPTIDE" report --json "$id" \
		>run.json && [ "$(json run.json .work.batches)" -eq 30 ]
}
await noted
kill -KILL "$(json run.json .pid)"
exec 9>&-
alike "$id"
same "jobs, items" "interrupted 30 30 30" "$(json run.json '"\(.state) " +
	"\(.work.batches) \(.operations[0].batches) \(.operations[0].items)"')"
limited 20 "$HEAPTIDE" recommend "$id" >out || fail "recommend of it"

# --- what it is not -----------------------------------------------------------

for option in --html=x --page --verify --threads --full --top=3; do
	limited 20 "$HEAPTIDE" report $option "$id" >out 2>err
	same "$option" 2 $?
	grep -q "^heaptide: report: ${option%%=*} is for a profile" err ||
		fail "$option: $(cat err)"
done
limited 20 "$HEAPTIDE" report nothing-here 2>err
same "neither" 125 $?
grep -q "nothing-here.*no run of that name" err || fail "$(cat err)"
echo junk >junk.tideck
limited 20 "$HEAPTIDE" report junk.tideck 2>err
same "junk" 125 $?
grep -q "no file of checkpoints" err || fail "$(cat err)"
# A file goes before a run of its name.
echo >"$id"
limited 20 "$HEAPTIDE" report "$id" 2>err
same "a file of that name" 125 $?
rm "$id"
