#!/bin/sh
# full-disk.sh - without room for a profile the program runs all the same
. "${srcdir:-.}/tests/lib.sh"

program()
{
	"$@" "$victims/known-sequence" family
}

program >plain 2>/dev/null
grep -v -e bytes plain >counts

# unharmed_by WHAT STATUS COMMAND...: the program's output, and one line more
# if STATUS is not 0: `heaptide run` without a profile has failed of its own.
unharmed_by()
{
	what=$1 expected=$2
	shift 2
	program limited 60 "$@" >out 2>err
	status=$?
	[ "$status" -eq 0 ] || same "$what: status" "$expected" "$status"
	[ "$status" -eq 0 ] || [ -s err ] || fail "$what: status without a word"
	grep -v -e bytes out | cmp - counts || fail "$what: another output"
	within "$what: lines on stderr" 0 2 "$(wc -l <err)"
	grep -v '^heaptide: ' err && fail "$what: not our sentence"
	return 0
}

# --- files may not grow -------------------------------------------------------

# SIGXFSZ would end the program, or heaptide.  In units of 512 bytes.
limited_to()
{
	ulimit -c 0
	ulimit -f "$1"
	shift
	"$@" "$victims/known-sequence" count 2>&1 >/dev/null
	echo "status $?"
}

for blocks in 0 1 20 200 2000; do
	for stacks in none sampled all; do
		what="ulimit -f $blocks, --stacks=$stacks"
		limited_to $blocks env LD_PRELOAD="$LIBHEAPTIDE" \
		    HEAPTIDE_STACKS=$stacks HEAPTIDE_LOG="$scratch/log" |
			cat >said
		same "$what, by hand" "status 0" "$(cat said)"

		limited_to $blocks "$HEAPTIDE" run --summary off \
		    --stacks $stacks -o profile.tide -- | cat >said
		tail -n 1 said | grep -qx -e 'status 0' -e 'status 125' ||
			fail "$what: $(cat said)"
		grep -v -e '^heaptide: ' -e '^status ' said &&
			fail "$what: not our sentence"
		within "$what: lines" 1 3 "$(wc -l <said)"
	done
done

# --- a disk that is full from the start, or soon ------------------------------

[ "$(id -u)" -eq 0 ] || skip "only root can make a small disk"
mkdir small
trap 'status=$?; cd /; umount "$scratch/small" 2>/dev/null
	rm -rf "$scratch"; exit $status' EXIT
for size in 4k 16k 64k 1m; do
	mount -t tmpfs -o size=$size,mode=700 none small 2>/dev/null ||
		skip "no tmpfs can be mounted here"
	for stacks in none sampled all; do
		unharmed_by "$size, by hand" 0 env LD_PRELOAD="$LIBHEAPTIDE" \
		    HEAPTIDE_DIR="$scratch/small" HEAPTIDE_STACKS=$stacks
		unharmed_by "$size" 125 env HEAPTIDE_DIR="$scratch/small" \
		    "$HEAPTIDE" run --stacks $stacks --summary off \
		    -o profile.tide --
		rm -f small/*
	done
	umount small
done

# It fills while the program runs: what is lost is counted, and said.
need perl
cat >deep.pl <<'PL'
sub deep { my $d = shift; return $d ? deep($d - 1) : [map { "$_" } 1 .. 9] }
push @all, (eval "sub { [$_, deep(\$_ % 97), sort { \$a <=> \$b } 3, $_] }")->()
    for 1 .. 1000;
print scalar(@all), "\n";
PL
told=0
for size in 64k 80k 96k 112k 128k 400k; do
	mount -t tmpfs -o size=$size,mode=700 none small
	same "$size: output" 1000 "$(HEAPTIDE_DIR=$scratch/small limited 60 \
	    "$HEAPTIDE" run --stacks all --summary off -o profile.tide -- \
	    perl deep.pl 2>err)"
	umount small
	[ -e profile.tide ] || continue
	report profile.tide
	exact=$(json report.json .exact)
	same "$size: exact" "$exact" "$(json report.json \
	    '[.lost[]] | add == 0')"
	[ "$exact" = true ] || told=$((told + 1))
	rm profile.tide
done
within "profiles that say what they lack" 1 6 $told
same "with room enough: exact" true "$exact"
