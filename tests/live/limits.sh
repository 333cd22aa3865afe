#!/bin/sh
# limits.sh - namespaces, other roots, dropped privileges, resource limits
#
# What a program does to fence itself in, and what it is fenced in by, goes as
# it does without heaptide; and what is counted is exact.
. "${srcdir:-.}/tests/lib.sh"
need jq

limits=$victims/limits
skipped=
chmod 755 "$scratch"
mkdir -m 777 logs

# by_hand COMMAND...: the same; the segment stays in $HEAPTIDE_DIR
by_hand()
{
	rm -rf "$HEAPTIDE_DIR"
	rm -f logs/log
	limited 100 sh -c 'echo $$ >pid; exec env "$@"' - \
	    LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=$stacks \
	    HEAPTIDE_LOG="$scratch/logs/log" "$@"
}

# Of the last run by hand, and not of its child.
own_report()
{
	report "$HEAPTIDE_DIR/$(cat pid)".*.tide
}

# --- done by the program itself -------------------------------------------------

for what in user-namespace mounts chroot nobody undumpable landlock files \
	file-size work; do
	limited 60 "$limits" $what >out
	if grep '^cannot' out >>skips; then
		skipped="$skipped $what"
		continue
	fi
	same "$what" done "$(tail -n 1 out)"
	unharmed "$limits" $what
	# The parent works twice, and once in the child, if that can be counted.
	within "$what: allocations" 40000 40100 \
	    "$(json report.json .totals.allocations)"
done

# A child has no segment where it may not make one, and that is said once.
for stacks in none sampled all; do
	case $skipped in *nobody*) continue ;; esac
	by_hand "$limits" nobody >out || same "nobody: status" 6 $?
	same "lines in the log" 1 "$(wc -l <logs/log)"
	grep -q 'cannot make a segment: error 13' logs/log ||
		fail "not said: $(cat logs/log)"
	own_report
	adds_up
done

# as_nobody COMMAND...: in the program's own copy, and what is needed for it
as_nobody()
{
	limited 60 setpriv --reuid 65534 --regid 65534 --clear-groups \
	    env HEAPTIDE_DIR="$scratch/theirs/segments" \
	    HEAPTIDE_STACKS=$stacks "$@"
}

# Files of /proc belong to root then.  And who may lock as much as there is of
# the program may do so, though with ours there is far more.
if command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ]; then
	mkdir installed
	cp "$limits" "$LIBHEAPTIDE" installed
	locks=$(ulimit -H -l)
	[ "$locks" != unlimited ] && [ "$locks" -lt 40000 ] || locks=40000
	for stacks in none sampled all; do
		mkdir -m 777 theirs
		as_nobody LD_PRELOAD="$scratch/installed/libheaptide.so" \
		    installed/limits undumpable >out
		same "undumpable: status" 6 $?
		same "undumpable" done "$(cat out)"
		set -- theirs/segments/*.tide
		same "undumpable: profiles" 2 $#
		for profile; do
			report "$profile"
			adds_up
		done
		rm -r theirs/segments
		(ulimit -S -l "$locks" && as_nobody installed/limits locked) \
		    >plain 2>&1
		(ulimit -S -l "$locks" && as_nobody \
		    LD_PRELOAD="$scratch/installed/libheaptide.so" \
		    installed/limits locked) >out 2>&1
		rm -r theirs
		if ! tail -n 1 plain | grep -qx done; then
			skipped="$skipped locked-by-a-user"
			cat plain >>skips
			continue
		fi
		same "locked by a user" "$(grep -v MiB plain)" \
		    "$(grep -v MiB out)"
	done
else
	skipped="$skipped undumpable-as-a-user"
fi

# --- the directory ---------------------------------------------------------------

for stacks in none sampled all; do
	by_hand "$limits" removed "$HEAPTIDE_DIR" >out
	same "directory removed: status" 6 $?
	same "directory removed" done "$(cat out)"


	# `heaptide run` has no profile then, and says so.
	under "$stacks" "$limits" removed "$HEAPTIDE_DIR" >out 2>err
	grep -qx -e 6 -e 125 <<-END || fail "directory removed, under run: $?"
	$?
	END
	same "directory removed, under run" done "$(cat out)"
	[ -s err ] || fail "directory removed, under run: not a word"
done

mkdir read-only
trap 'status=$?; cd /; umount "$scratch/read-only" 2>/dev/null
	rm -rf "$scratch"; exit $status' EXIT
if mount -t tmpfs -o ro,mode=700 none read-only 2>mount.err; then
	for stacks in none sampled all; do
		rm -f logs/log
		limited 60 env LD_PRELOAD="$LIBHEAPTIDE" \
		    HEAPTIDE_LOG="$scratch/logs/log" \
		    HEAPTIDE_DIR="$scratch/read-only" "$limits" work >out
		same "directory read-only: status" 6 $?
		same "directory read-only" done "$(cat out)"
		# The program; its child does not ask again.
		same "directory read-only: lines" 1 \
		    "$(grep -c 'cannot make a segment' logs/log)"
	done
else
	skipped="$skipped read-only"
fi

# --- limits that are there at the start -------------------------------------------

# under_limit LIMIT COMMAND...: with and without; it leaves `plain` and `out`
under_limit()
{
	limit=$1
	shift
	(ulimit $limit && limited 100 "$@" >plain)
	status=$?
	(ulimit $limit && by_hand "$@" >out)
	same "ulimit $limit, --stacks=$stacks: status" $status $?
}

for stacks in none sampled all; do
	for limit in '-n 16' '-s 100' '-s unlimited' '-l 0' '-c 0' '-m 1000' \
		'-d 60000' '-v 60000'; do
		(ulimit $limit) 2>/dev/null || {
			skipped="$skipped ulimit-$limit"
			continue
		}
		under_limit "$limit" "$limits" work
		cmp plain out || fail "ulimit $limit: another output"
		own_report
		adds_up
	done
	by_hand setarch -R "$limits" work >out
	same "addresses at no random: status" 6 $?
	own_report
	adds_up
done

# value NAME FILE
value()
{
	sed -n "s/^$1 //p" "$2"
}

# What a program can get under a limit is what it could, less a share that is
# fixed: an eighth and a thirty-second of the limit, and the library itself.
for stacks in none sampled all; do
	for limit in '-v 100000' '-v 300000' '-d 100000'; do
		for what in space small-space; do
			under_limit "$limit" "$limits" $what
			plain=$(value MiB plain)
			ours=$((${limit#* } / 1024 * 5 / 32 + 5))
			within "ulimit $limit, $what: MiB" $((plain - ours)) \
			    $plain "$(value MiB out)"
			own_report
			same "ulimit $limit, $what: exact, or lost blocks" true \
			    "$(json report.json '.exact == (.lost.blocks == 0)')"
		done
	done
done

# One that the program sets itself, later: what was not used is given back.
for stacks in none sampled all; do
	for what in lowered lowered-by-pid; do
		limited 100 "$limits" $what >plain
		by_hand "$limits" $what >out
		same "$what: status" 6 $?
		plain=$(value MiB plain)
		within "$what: MiB" $((plain - 300 / 5)) $plain \
		    "$(value MiB out)"
		own_report
		same "$what: exact, or lost blocks" true \
		    "$(json report.json '.exact == (.lost.blocks == 0)')"
	done
done

# Operations are seen from outside under a limit as well.
(ulimit -v 2000000 && under none "$victims/progress" chunks >/dev/null) ||
	fail "operations under a limit: status $?"
"$HEAPTIDE" ops --json profile.tide >ops.json ||
	fail "operations under a limit: ops: status $?"
within "operations under a limit" 1 99 "$(json ops.json '.ops | length')"

# A free of a block for whose record there was no room is nothing to look into
# each time: the look is hundreds of calls of the kernel.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	(ulimit -d 100000 && limited 300 strace -f -c \
	    -e trace=rt_sigprocmask -o calls env LD_PRELOAD="$LIBHEAPTIDE" \
	    HEAPTIDE_STACKS=all "$limits" small-space >out)
	within "looks at memory" 1 50000 \
	    "$(awk '$NF == "rt_sigprocmask" { print $4 }' calls)"
else
	skipped="$skipped looks"
fi

# --- memory that is locked ---------------------------------------------------------

# Ours is not: it would be all there, 100 MiB and more.
if "$limits" locked | grep '^cannot' >>skips; then
	skipped="$skipped locked"
else
	for stacks in none sampled all; do
		for what in locked locked-later; do
			limited 60 "$limits" $what >plain
			by_hand "$limits" $what >out
			same "$what: status" 6 $?
			same "$what" "$(head -n 1 plain)" "$(head -n 1 out)"
			same "$what" "all is there" "$(head -n 1 out)"
			within "$what: MiB" 1 \
			    $(($(value resident_MiB plain) + 12)) \
			    "$(value resident_MiB out)"
			own_report
			adds_up
		done
	done
fi

[ -z "$skipped" ] || skip "all but these passed:$skipped; $(sort -u skips |
	tr '\n' ';')"
