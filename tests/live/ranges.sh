#!/bin/sh
# ranges.sh - ranges that several threads map, cut, move and double at once are
# known to the page in the end; what is not mapped by mmap() is not claimed
. "${srcdir:-.}/tests/lib.sh"
need jq

for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/ranges"
	report profile.tide
	adds_up
	while read -r kind bytes; do
		same "--stacks=$stacks: $kind" "$bytes" \
		    "$(json report.json ".mapped.$kind")"
	done <under.out
	# Of its sites the same, less what has no site (--stacks=none).
	[ "$stacks" = none ] || same "live bytes of mapping sites" \
	    "$(awk '{ n += $2 } END { print n }' under.out)" \
	    "$(json report.json '[.mappings[].live_bytes] | add')"
done

# --- while it runs ------------------------------------------------------------

MIB=1048576
mkfifo go
under all "$victims/ranges" live <go >out 2>err &
running=$!
exec 4>go
tries=0
until grep -q ready out || [ $tries -eq 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
report "$(echo "$HEAPTIDE_DIR"/*.tide)"
echo >&4
exec 4>&-
wait $running || fail "status $?: $(cat err)"

# Address space: a terabyte is named, and the block is malloc's alone.
same "reserved" $((MIB * MIB)) "$(json report.json .mapped.reserved)"
# (Of what the kernel lets grow by itself, what was asked for.)
same "anonymous" $((35 * MIB + 4096)) "$(json report.json .mapped.anonymous)"
same "shared" 0 "$(json report.json .mapped.shared)"
same "live blocks as large" 1 "$(json report.json \
    '[.sites[] | select(.live_bytes >= 15728640)] | length')"

# Resident memory: each under its own name, and what nobody told of is so
# called.  Their sum is all there is.
term()
{
	json report.json ".rss.terms.$1"
}
within "mapped" $((3 * MIB)) $((4 * MIB)) "$(term mapped)"
within "shared" $((10 * MIB)) $((11 * MIB)) "$(term shared)"
within "unattributed" $((20 * MIB)) $((22 * MIB)) "$(term unattributed)"
within "live" $((15 * MIB)) $((16 * MIB)) "$(term live)"
same "sum of the terms less resident memory" 0 "$(json report.json \
    '.rss | ([.terms[]] | add) - .resident')"
