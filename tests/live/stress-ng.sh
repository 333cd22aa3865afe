#!/bin/sh
# stress-ng.sh - what strains a kernel gets as far with heaptide as without
#
# Each stressor is bounded by its operations, and says how many it has done;
# that, its status, and that its profiles can be read, is compared.  (Not the
# stressor `exec`: it heeds no bound.)
. "${srcdir:-.}/tests/lib.sh"
need stress-ng jq

stressors='
	malloc 20000
	mmap 10 --mmap-bytes 1m
	mmapmany 3000
	mmapaddr 1000
	mmapfixed 5
	mremap 4 --mremap-bytes 1m
	munmap 20
	madvise 3
	mlock 60
	fault 200
	brk 20000
	stack 1
	shm 4 --shm-bytes 1m
	shm-sysv 4 --shm-sysv-bytes 1m
	fork 60
	vfork 200
	clone 30
	pthread 300
	kill 1000
	sigq 5000
	sigsegv 1000
	sigchld 60
	sigabrt 30'

# stressed RUNNER... NAME OPERATIONS OPTIONS...: says status and operations
stressed()
{
	"$@" --temp-path "$scratch" --no-rand-seed --timeout 60 \
		--metrics-brief >out 2>&1 </dev/null
	echo "status $?, operations$(awk -v name="$name" '
		$2 == "metrc:" && $4 == name { print " " $5; exit }' out)"
}

echo "$stressors" >list
while read -r name operations more; do
	[ -n "$name" ] || continue
	set -- stress-ng "--$name" 1 "--$name-ops" "$operations" $more
	plain=$(stressed limited 100 "$@")
	case $plain in
	"status 0, operations "*) ;;
	*)
		# This one does not run here, with or without us.
		without "$name: $plain: $(tail -n 1 out)"
		continue
		;;
	esac
	tested=1
	for stacks in none sampled all; do
		under=$(stressed under "$stacks" "$@")
		[ "$plain" = "$under" ] || {
			tail -n 5 out
			fail "$name, --stacks=$stacks: $under;" \
			    "without heaptide: $plain"
		}
		! grep -q '^heaptide:' out || fail "$name: $(grep ^heap out)"
		report profile.tide
		for other in profile.tide.d/*.tide profile.d/*.tide; do
			[ ! -e "$other" ] || report "$other"
		done
		rm -rf profile.tide*
	done
done <list
[ -n "${tested-}" ] || skip "no stressor runs here"
