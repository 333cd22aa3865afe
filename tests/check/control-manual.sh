#!/bin/sh
# control-manual.sh - heaptide-control.7 has a section for each request that
# there is, and for no other, and names each member of their answers
. "${srcdir:-.}/tests/lib.sh"
need jq

page=$srcdir/doc/heaptide-control.7
[ -e "$page" ] || fail "there is no doc/heaptide-control.7"

# --- a live process ----------------------------------------------------------

# It runs until there is a file `enough`, so also if we fail.
trap 'status=$?; touch "$scratch/enough"; wait; cd /; rm -rf "$scratch"
	exit $status' EXIT
under all "$victims/turned" 1 enough >account &

ctl()
{
	limited 20 "$HEAPTIDE" ctl "$pid" "$@"
}

answers()
{
	set -- "$HEAPTIDE_DIR"/*.tide
	[ -e "$1" ] && pid=${1##*/} pid=${pid%%[.-]*} &&
		ctl version >said 2>&1
}

tries=0
until answers; do
	tries=$((tries + 1))
	[ "$tries" -lt 600 ] || fail "nobody answers: $(cat said)"
	sleep 0.05
done

# --- requests ----------------------------------------------------------------

ctl help >help.json || fail "ctl help: $(cat help.json)"
json help.json '.requests[].name' | sort >there
[ -s there ] || fail "help names no request: $(cat help.json)"
sed -n '/^\.Sh REQUESTS/,/^\.Sh [^R]/s/^\.Ss \([^ ]*\).*/\1/p' "$page" |
	sort >told
diff told there >differing ||
	fail "< in the page alone, > among the requests alone:
$(cat differing)"

# --- members of answers ------------------------------------------------------

# After a mark there is growth, after a budget a limit.
{
	ctl mark here
	ctl stacks
	ctl sample
	ctl budget 1G
	ctl trim
	ctl scan
	for request in help version status sites marks metrics; do
		ctl $request
	done
	tries=0
	until ctl scan last >scan && grep -q '"done"' scan; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || break
		sleep 0.1
	done
	cat scan
} >all.json || fail "refused: $(cat all.json)"
json all.json 'paths | .[-1] | strings' | sort -u >members
grep -qx growth_bytes members ||
	fail "sites have no growth: $(tail -n 3 all.json)"
# Words of the page, with escapes taken out.
sed -e 's/\\-/-/g' -e 's/\\&//g' "$page" | tr -c 'A-Za-z0-9_' '\n' |
	sort -u >words
comm -23 members words >missing
[ ! -s missing ] || fail "members that the page does not name:
$(cat missing)"
