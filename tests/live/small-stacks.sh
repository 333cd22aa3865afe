#!/bin/sh
# small-stacks.sh - a call under heaptide takes at most 2 KiB more of the stack,
# and 512 bytes where nothing is new; and there are programs with no more left
. "${srcdir:-.}/tests/lib.sh"

FIRST=2048
AGAIN=512

unharmed "$victims/small-stacks" live
same "what it did" "a small thread
a small handler
a small fiber" "$(cat under.out)"

# The last look at the process, which needs more, is left out then; the way to
# another program needs less than libc's.
for way in exit-in-handler exit-in-fiber exec-in-handler; do
	unharmed "$victims/small-stacks" $way
	within "$way: status" 3 4 $under_status
done

"$victims/small-stacks" measure "$modules/forward.so" >plain ||
	fail "alone: status $?"
for stacks in none sampled all; do
	under "$stacks" "$victims/small-stacks" measure \
	    "$modules/forward.so" >measured || fail "$stacks: status $?"
	same "calls" "$(sed 's/ .*//' plain)" "$(sed 's/ .*//' measured)"
	while read -r name bytes; do
		alone=$(sed -n "s/^$name //p" plain)
		# What is drawn may be new at any time.
		case $stacks-$name in
		*-first* | sampled-*) most=$FIRST ;;
		*) most=$AGAIN ;;
		esac
		within "--stacks=$stacks, $name: stack in bytes" 0 \
		    $((alone + most)) "$bytes"
		echo "$stacks $name $((bytes - alone))"
	done <measured
done
