#!/bin/sh
# huge-pages.sh - huge pages are mappings like others, and a refused unmapping
# of half a one is seen to be none
. "${srcdir:-.}/tests/lib.sh"
need jq

"$victims/ranges" huge >/dev/null
[ $? -ne 77 ] || skip "no huge pages of 2 MiB are set aside here"
for stacks in none sampled all; do
	plain_and_under "$stacks" "$victims/ranges" huge
	report profile.tide
	same "--stacks=$stacks: mapped" "$(cat under.out)" \
	    "anonymous $(json report.json .mapped.anonymous)"
done
