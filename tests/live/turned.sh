#!/bin/sh
# turned.sh - the dial is turned while threads allocate, again and again: the
# counts stay exact, and sites are those since the turn
. "${srcdir:-.}/tests/lib.sh"
need jq

ctl()
{
	limited 20 "$HEAPTIDE" ctl "$pid" "$@" >answer.json ||
		fail "ctl $*: $(cat answer.json)"
}

stands_at()
{
	ctl stacks
	[ "$(json answer.json .stacks)" = "$1" ]
}

turn_to()
{
	ctl stacks "$1"
	await stands_at "$1"
}

is_there()
{
	set -- "$HEAPTIDE_DIR"/*.tide
	[ -e "$1" ] && pid=${1##*/} pid=${pid%%[.-]*} &&
		limited 20 "$HEAPTIDE" ctl "$pid" status
}

for way in run preload; do
	for first in none all sampled; do
		rm -rf enough "$HEAPTIDE_DIR"
		if [ $way = run ]; then
			under $first "$victims/turned" 4 enough >account &
		else
			limited 300 env LD_PRELOAD="$LIBHEAPTIDE" \
			    HEAPTIDE_STACKS=$first "$victims/turned" 4 \
			    enough >account &
		fi
		job=$!
		await is_there
		for next in all none sampled all sampled none all; do
			turn_to $next
			ctl mark at $next
			ctl trim
		done
		# Held since the last turn: the leak is among them.
		ctl sites 50 by growth
		touch enough
		wait $job || fail "$way, $first: status $?"
		[ $way = run ] || cp "$HEAPTIDE_DIR"/*.tide profile.tide
		report profile.tide
		"$HEAPTIDE" report --verify profile.tide >verdict ||
			fail "$way, $first: $(cat verdict)"
		mv report.json turned.json

		# What threads cost by themselves, without any work.
		rm -rf "$HEAPTIDE_DIR"
		under $first "$victims/turned" 4 enough >/dev/null
		report profile.tide
		mv report.json idle.json
		mv turned.json report.json
		same "exact" true "$(json report.json .exact)"
		same "stacks" all "$(json report.json .stacks)"
		grep -v requested account >known
		totals_match known idle.json
		same "marks of the turns" "all none sampled all sampled none all" \
		    "$(json report.json '[.marks[] | select(.kind == "stacks"
		    ).name] | if .[0] == "all" then . else ["all"] + . end |
		    join(" ")')"
		same "the leak is found" true "$(json report.json 'any(.sites[];
		    .live_blocks > 0 and any(.stack[]; .function == "leak"))')"
		same "negative figures" 0 "$(json report.json '[.sites[] | select(
		    .live_bytes < 0 or .live_blocks < 0)] | length')"
	done
done

# What was allocated while there were no stacks is told as well.  Without
# samples: a sum of estimates may be more than there is.
rm -rf enough "$HEAPTIDE_DIR"
under none "$victims/turned" 4 enough >account &
job=$!
await is_there
turn_to all
touch enough
wait $job || fail "turned to all once: status $?"
report profile.tide
within "bytes of no site" 1 999999999 "$(json report.json \
    '.totals.live_bytes - ([.sites[].live_bytes] | add // 0)')"
"$HEAPTIDE" report profile.tide | grep -q ' of no site: ' ||
	fail "bytes of no site are not told"
