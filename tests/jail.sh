# jail.sh - a control group of our own, below the one that we are in
#
#	. "$srcdir/tests/jail.sh"
#	jail_make BYTES         $jail, its directory, and $max, the file in it that
#	                        has the limit; skips where none can be made
#	limit BYTES             another limit
#
# It goes with the test, and all that is in it then.

# The last process must be gone before a group can be.
leave()
{
	status=$?
	tries=0
	until rmdir "$jail" 2>/dev/null; do
		while read -r pid; do
			kill -9 "$pid" 2>/dev/null
		done <"$jail/cgroup.procs"
		tries=$((tries + 1))
		[ $tries -lt 100 ] || break
		sleep 0.1
	done
	cd / && rm -rf "$scratch"
	exit $status
}

limit()
{
	echo "$1" >"$jail/$max"
}

jail_make()
{
	need jq
	"$HEAPTIDE" budget --json >here.json || fail "budget: status $?"
	above=$(json here.json \
		'[.sources[] | select(.name == "cgroup") | .from][0] // ""')
	[ -n "$above" ] || skip "there is no memory controller here"
	max=${above##*/}
	jail=${above%/*}/heaptide-test.$$
	mkdir "$jail" 2>err || skip "no group can be made: $(cat err)"
	trap leave EXIT
	limit "$1" 2>err || skip "no limit can be set: $(cat err)"
}
