#!/bin/sh
# family.sh - however a process is made, by fork, clone, spawn or exec, by a
# daemon or 200 at once, it has a profile of its own, to the byte, and a parent
. "${srcdir:-.}/tests/lib.sh"

# profile_of PID [IMAGE]
profile_of()
{
	[ "$1" != "$root" ] || [ $# -gt 1 ] || {
		echo profile.tide
		return
	}
	ls profile.tide.d/heaptide.*."$1${2+.$2}".tide
}

# What a report says, as an account says it; and what else must be true.  What
# a forked child holds is in no site of its own as far as it was inherited.
what_is_said='(.totals | ["allocations", "allocated_bytes", "live_blocks",
		"live_bytes"][] as $name | "\($name) \(.[$name])"),
	"exact \(.exact)",
	if .stacks == "all" then .totals as $t |
		"sites \(([.sites[].allocations] | add // 0) -
		$t.allocations) \(([.sites[].live_bytes] | add // 0) +
		$t.inherited_bytes - $t.live_bytes)"
	else "sites 0 0" end'

# accounts_match [NAMES]: of every process, in what these names say
accounts_match()
{
	for account in account.*; do
		pid=${account#account.}
		image=${pid#*.}
		[ "$image" != "$pid" ] || image=
		report "$(profile_of "${pid%.*}" $image)"
		{ cat "$account"; echo "exact $exact"; echo "sites 0 0"; } |
			grep -e "${1-.}" >said
		json report.json "$what_is_said" | grep -e "${1-.}" >found
		diff said found ||
			fail "$how, --stacks=$stacks: $account is not found"
	done
}

# family HOW PROFILES: of children and earlier images
family()
{
	how=$1
	rm -rf account.* profile.tide.d
	limited 60 "$victims/family" "$how" >plain.out
	plain=$?
	rm -f account.*
	under "$stacks" "$victims/family" "$how" >under.out
	same "$how: status" $plain $?
	cmp plain.out under.out || fail "$how: another output"
	same "$how, $stacks: profiles beside the program's" "$2" \
		"$(ls profile.tide.d 2>/dev/null | wc -l)"
	report profile.tide
	root=$(json report.json .pid)
}

# parents EXPECTED: "above below" for each process, by depth under the root
generations()
{
	for profile in profile.tide.d/*.tide; do
		report "$profile"
		json report.json '"\(.pid) \(.parent_pid)"'
	done | awk -v root="$root" '{ above[$1] = $2 }
		END {
			for (pid in above) {
				n = 1
				for (p = above[pid]; p in above; p = above[p])
					n++
				print p == root ? n : "strange " p
			}
		}' | sort | uniq -c | awk '{ print $2 ":" $1 }'
}

exact=true
for stacks in none sampled all; do
	family fork 2
	accounts_match
	same "generations" "1:1 2:1" "$(echo $(generations))"
	family handler 2
	accounts_match
	family vfork 1
	accounts_match
	family fork-vfork 2
	accounts_match
	family shared-memory 0
	accounts_match
	family posix_spawn 1
	accounts_match
	family exec 3
	accounts_match
	family daemon 6
	accounts_match
	family system 2
	accounts_match
	family popen 2
	rm account."$root" # popen() itself allocates
	accounts_match
	family threads 40
	rm account."$root"
	accounts_match '^alloc\|^exact\|^sites'
	family many 200
	rm account.*[0-8] # what is true of 20 is true of all
	accounts_match
done

# Children that no handler of libc's is called in: seen when they allocate, and
# what they hold of their parent's is taken from its profile then.
exact=false
for stacks in none sampled all; do
	for how in clone clone3 SYS_fork _Fork; do
		family $how 2
		rm account."$root"
		accounts_match
		same "$how: forks seen late" 1 "$(json report.json .lost.forks)"
	done
done
