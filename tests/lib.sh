# lib.sh - what the scripts in tests/live and tests/check stand on
#
#	#!/bin/sh
#	# name.sh - what must be true, in one line
#	. "${srcdir:-.}/tests/lib.sh"
#
# A test passes when it comes to its end.  By hand, from the top of the tree:
# `sh tests/live/name.sh`, with the build in build/.
#
# Gives: HEAPTIDE and LIBHEAPTIDE, the command and the library of this build;
# $victims, where tests/victims/*.c are as programs, and $modules, where those
# are that get loaded (*.so); $scratch, a directory that is removed at the end and is the working
# directory; HEAPTIDE_DIR in it, so tests never see each other's processes.

srcdir=$(cd "${srcdir:-.}" && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd) || exit

# Nothing of the caller's own heaptide, language or caches takes part.
unset LD_PRELOAD DEBUGINFOD_URLS \
	$(env | sed -n 's/^\(HEAPTIDE[A-Z_]*\)=.*/\1/p')
export LC_ALL=C

# Not exported: to the library, a variable of this name would be an option.
HEAPTIDE=$builddir/heaptide
LIBHEAPTIDE=$builddir/.libs/libheaptide.so
victims=$builddir/tests/victims
modules=$victims/.libs

scratch=$(mktemp -d "${TMPDIR:-/tmp}/heaptide-test.XXXXXX") || exit
# Pids that a test has started and that end with it, also if it fails.
started=
trap 'status=$?; end_started; cd /; rm -rf "$scratch"; exit $status' EXIT
trap 'exit 1' HUP INT TERM
cd "$scratch" && scratch=$(pwd -P) || exit
export HEAPTIDE_DIR="$scratch/segments" XDG_CACHE_HOME="$scratch/cache" \
	XDG_CONFIG_HOME="$scratch/config" XDG_STATE_HOME="$scratch/states"
# So small that programs as small as those of the tests are drawn from.
export HEAPTIDE_SAMPLE=8K

# --- verdicts ----------------------------------------------------------------

fail()
{
	echo "$*"
	exit 1
}

# Said last, so it is the reason that the runner shows.
skip()
{
	echo "$*"
	exit 77
}

# without WHY...: a part of the test is left out; the rest goes on, and the
# runner counts the part as skipped.
without()
{
	echo "without: $*"
}

# need COMMAND...: without them there is nothing to test
need()
{
	for command; do
		command -v "$command" >/dev/null ||
			skip "$command is not installed"
	done
}

# same WHAT EXPECTED FOUND
same()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
}

# within WHAT LEAST MOST FOUND: whole numbers
within()
{
	[ "$4" -ge "$2" ] && [ "$4" -le "$3" ] ||
		fail "$1: expected $2 to $3, found '$4'"
}

# await COMMAND...: it has to be true within some 30 s
await()
{
	tries=0
	until "$@" >await.out 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "never: $*: $(cat await.out)"
		sleep 0.05
	done
}

# --- processes ---------------------------------------------------------------

# is_ours PID: a process that runs, and of this test.  A pid alone says neither:
# the tests beside it may go round all pids there are in seconds, and threads
# have numbers out of the same ones.
is_ours()
{
	grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null || return
	where=$(readlink "/proc/$1/cwd" 2>/dev/null)
	case $where in
	"$scratch" | "$scratch"/*) return 0 ;;
	esac
	grep -qF "$scratch/" "/proc/$1/environ" 2>/dev/null && return
	# On its way out, and still there, it has neither.
	[ -z "$where" ] && ! grep -q '^VmSize' "/proc/$1/status" 2>/dev/null
}

# Those in $started, if they are still who they were.
end_started()
{
	for one in $started; do
		is_ours "$one" || continue
		kill -CONT "$one" 2>/dev/null
		kill -KILL "$one" 2>/dev/null
	done
}

# --- running programs --------------------------------------------------------

# limited SECONDS COMMAND...: who hangs has failed, with status 124 or 137
limited()
{
	timeout -k 5 "$@"
}

# under STACKS COMMAND...: run with heaptide, which itself says nothing; the
# profile is profile.tide.
under()
{
	under_stacks=$1
	shift
	limited 300 "$HEAPTIDE" run --stacks "$under_stacks" --summary off \
		-o "$scratch/profile.tide" -- "$@"
}

# plain_and_under STACKS COMMAND...: the program must write and return the
# same with heaptide as without; $stdin, if set, is a file for it to read.
# Leaves plain.out, under.out, plain.err, under.err and profile.tide.
plain_and_under()
{
	stacks=$1
	shift
	limited 300 "$@" <"${stdin:-/dev/null}" >plain.out 2>plain.err
	plain_status=$?
	rm -f profile.tide
	under "$stacks" "$@" <"${stdin:-/dev/null}" >under.out 2>under.err
	under_status=$?

	[ "$plain_status" -eq "$under_status" ] || {
		tail -n 5 under.err
		fail "--stacks=$stacks: status $under_status instead of" \
		    "$plain_status: $*"
	}
	cmp plain.out under.out || fail "--stacks=$stacks: another output: $*"
}

# --- reading profiles --------------------------------------------------------

# json FILE EXPRESSION: what jq makes of a JSON file
json()
{
	command -v jq >/dev/null || skip "jq is not installed"
	jq -r "$2" "$1" || fail "jq cannot read $1"
}

# report PROFILE: as JSON, in report.json
report()
{
	limited 60 "$HEAPTIDE" report --json "$1" >report.json ||
		fail "no report of $1"
}

# totals_match ACCOUNT [BASELINE]: each line "name value" that a victim said
# of itself is what report.json says, less what is in another report.
totals_match()
{
	while read -r name value; do
		found=$(json report.json ".totals.$name")
		[ "$found" != null ] || continue # without stacks: not asked for
		[ $# -eq 1 ] ||
			found=$((found - $(json "$2" ".totals.$name")))
		same "$name" "$value" "$found"
	done <"$1"
	adds_up
}

# adds_up: report.json is exact, and its sites hold all there is
adds_up()
{
	same "exact" true "$(json report.json '(.lost | .sites + .blocks +
	    .unknown_frees) as $lost | if .exact and $lost == 0 then true
	    else "no: \(.lost | with_entries(select(.value > 0)))" end')"
	same "sums over the sites less the totals" "0 0 0" "$(json report.json '
		if .stacks == "all" and .stacks_since == null then
			.totals as $t | "\(([.sites[].allocations] | add // 0) -
			    $t.allocations) \(([.sites[].frees] | add // 0) -
			    $t.frees) \(([.sites[].live_bytes] | add // 0) -
			    $t.live_bytes)"
		else "0 0 0" end')"
}

# unharmed COMMAND...: at each setting of --stacks the program writes and
# returns what it always did, and its profile is exact.
unharmed()
{
	for stacks in none sampled all; do
		plain_and_under "$stacks" "$@"
		report profile.tide
		adds_up
	done
}
