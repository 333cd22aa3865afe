#!/bin/sh
# checkpoint-redo.sh - what failed is done again and nothing else is; what is
# left out no batch has, in this process and in all that come
. "${srcdir:-.}/tests/lib.sh"
need jq

export HEAPTIDE_STATE="$scratch/state" RUNNER=walk
runner=$victims/runner

# walked [VARIABLE=VALUE...]: the items that it did, in their order
walked()
{
	env "$@" timeout -k 5 60 "$runner" >out 2>err
	status=$?
	sed -n 's/^item //p' out | tr '\n' ' ' | sed 's/ $//'
}
# without ITEM...: all of 100 but these
but()
{
	i=0
	while [ $i -lt 100 ]; do
		case " $* " in
		*" $i "*) ;;
		*) printf '%s ' $i ;;
		esac
		i=$((i + 1))
	done | sed 's/ $//'
}
failed()
{
	limited 20 "$HEAPTIDE" checkpoints failed "$id" |
		sed 's/ *$//; s/  .*//' | tr '\n' ' '
}
again()
{
	limited 60 "$HEAPTIDE" resume "$id" "$@"
}

for library in "" "$LIBHEAPTIDE"; do
	rm -rf state

	# --- some fail, and the run comes to its end --------------------------

	same "all but those" "$(but 3 7 8 9 50 99)" "$(walked \
		LD_PRELOAD="$library" RUNNER_FAILS=,3,7,8,9,50,99,)"
	id=$(sed -n 's/^run: //p' out)
	same "listed" "3-3 7-7 8-8 9-9 50-50 99-99 " "$(failed)"
	same "in the list" 6 "$(limited 20 "$HEAPTIDE" checkpoints list --json |
		jq '.data[0].failed')"
	# Without a wish, a run that is over begins anew: it has another end.
	same "those only" "3 7 8 9 50" "$(walked LD_PRELOAD="$library" \
		HEAPTIDE_RESUME="$id" HEAPTIDE_RESUME_FAILED=1 \
		RUNNER_FAILS=,99,)"
	grep -qx "again from 3" out || fail "$(cat out)"
	grep -qx "at 100" out || fail "it does not see the end: $(cat out)"
	same "one is left" "99-99 " "$(failed)"
	same "and that one" "99" "$(walked LD_PRELOAD="$library" \
		HEAPTIDE_RESUME="$id" HEAPTIDE_RESUME_FAILED=1)"
	same "nothing is left" "nothing failed " "$(failed)"
	same "nothing to do" "" "$(walked LD_PRELOAD="$library" \
		HEAPTIDE_RESUME="$id" HEAPTIDE_RESUME_FAILED=1)"
	same "it is over" finished "$(limited 20 "$HEAPTIDE" checkpoints list \
		--json | jq -r '.data[0].state')"

	# --- it is killed on its way, and while it does again what failed ------

	rm -rf state
	walked LD_PRELOAD="$library" RUNNER_FAILS=,3,30,45, RUNNER_DIES=,46, \
		>done
	id=$(sed -n 's/^run: //p' out)
	# 45 was behind the last checkpoint, and will be done in any case.
	same "before the checkpoint" "3" "$(walked LD_PRELOAD="$library" \
		HEAPTIDE_RESUME="$id" HEAPTIDE_RESUME_FAILED=1 \
		RUNNER_DIES=,30,)"
	walked LD_PRELOAD="$library" HEAPTIDE_RESUME="$id" \
		HEAPTIDE_RESUME_FAILED=1 RUNNER_DIES=,30, >done
	same "killed at the other; 3 is done since then" "137 " \
		"$status $(cat done)"
	same "the other" "30" "$(walked LD_PRELOAD="$library" \
		HEAPTIDE_RESUME="$id" HEAPTIDE_RESUME_FAILED=1)"
	# How far the run itself is has not changed by that.
	same "the run goes on where it was" "$(but $(seq 0 43))" \
		"$(walked LD_PRELOAD="$library")"
	same "nothing is left" "nothing failed " "$(failed)"

	# --- left out ----------------------------------------------------------

	rm -rf state
	same "three are left out" "$(but 0 17 40 41 42 43 44 45 98 99)" \
		"$(walked LD_PRELOAD="$library" \
		HEAPTIDE_QUARANTINE=0,17,40-45,98-99)"
	grep -qx "at 100" out || fail "the end of those left out: $(cat out)"
	rm -rf state
	walked LD_PRELOAD="$library" HEAPTIDE_QUARANTINE=17,40-45 \
		RUNNER_DIES=,20, >done
	id=$(sed -n 's/^run: //p' out)
	same "and later on, though nobody says so" \
		"$(but $(seq 0 19) $(seq 40 45))" \
		"$(walked LD_PRELOAD="$library" | tr ' ' '\n' |
		awk '$1 > 19' | tr '\n' ' ' | sed 's/ $//')"
	limited 20 "$HEAPTIDE" checkpoints failed "$id" >list
	same "told" "17-17  attempt 1  left out: its process ended with it
40-45  attempt 1  left out: its process ended with it" "$(cat list)"
	same "noted once" 7 "$(limited 20 "$HEAPTIDE" checkpoints list --json |
		jq '.data[0].quarantined')"
	same "they did not fail" "" "$(walked LD_PRELOAD="$library" \
		HEAPTIDE_RESUME="$id" HEAPTIDE_RESUME_FAILED=1)"
	same "they are wanted after all" "17 40 41 42 43 44 45" "$(walked \
		LD_PRELOAD="$library" HEAPTIDE_RESUME="$id" \
		HEAPTIDE_RESUME_FAILED=all)"
	same "and were done" "nothing failed " "$(failed)"

	# --- what is wrong -----------------------------------------------------

	rm -rf state
	for text in x 3- 7-3 3,,4 99999999999999999999; do
		walked LD_PRELOAD="$library" HEAPTIDE_QUARANTINE=$text >done
		same "status with '$text'" "1 refused: Invalid argument" \
			"$status $(tail -n 1 out)"
	done
done

# --- by the command -----------------------------------------------------------

rm -rf state
RUNNER_FAILS=,3,50, limited 60 "$HEAPTIDE" run -q --keep-command -o p.tide -- \
	"$runner" >out || fail "run: $(cat out)"
id=$(sed -n 's/^run: //p' out)
again --show --failed >out
same "shown" 1 "$(grep -c "^  50-50$" out)"
again --failed --retries 5 --fallback 1 --retry-delay 10s >out 2>err ||
	fail "resume --failed: $(cat out err)"
same "those only" "3 50" "$(sed -n 's/^item //p' out | tr '\n' ' ' |
	sed 's/ $//')"
again --failed >out || fail "nothing failed is no failure"
same "then nothing" "nothing failed of $id" "$(cat out)"
same "nothing is started" 1 "$(wc -l <out)"
