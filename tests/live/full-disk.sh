#!/bin/sh
# full-disk.sh - without room for a profile the program runs all the same
. "${srcdir:-.}/tests/lib.sh"

program()
{
	"$@" "$victims/known-sequence" family
}

program >plain 2>/dev/null
grep -v -e bytes plain >counts

# unharmed_by WHAT COMMAND...: its status and output, and one line at most
unharmed_by()
{
	what=$1
	shift
	program limited 60 "$@" >out 2>err
	same "$what: status" 0 $?
	grep -v -e bytes out | cmp - counts || fail "$what: another output"
	within "$what: lines on stderr" 0 1 "$(wc -l <err)"
	grep -v '^heaptide: ' err && fail "$what: not our sentence"
	return 0
}

# --- files may not grow -------------------------------------------------------

# SIGXFSZ would end the program.  In units of 512 bytes.
for blocks in 0 1 20 200; do
	for stacks in none all; do
		(
			ulimit -f $blocks
			# stdout is a file, too, and must have its room
			exec "$HEAPTIDE" run --summary off --stacks $stacks \
			    -o profile.tide -- "$victims/known-sequence" \
			    count 2>&1 >/dev/null
		) | cat >err
		grep -v '^heaptide: ' err && fail "ulimit -f $blocks"
		within "ulimit -f $blocks: lines" 0 2 "$(wc -l <err)"
	done
done
(
	ulimit -f 1
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_STACKS=all \
	    "$victims/known-sequence" family | cat >out
)
same "by hand: lines of output" "$(wc -l <plain)" "$(wc -l <out)"

# --- a disk that is full from the start, or soon ------------------------------

[ "$(id -u)" -eq 0 ] || skip "only root can make a small disk"
mkdir small
trap 'status=$?; cd /; umount "$scratch/small" 2>/dev/null
	rm -rf "$scratch"; exit $status' EXIT
for size in 4k 16k 64k 1m; do
	mount -t tmpfs -o size=$size,mode=700 none small 2>/dev/null ||
		skip "no tmpfs can be mounted here"
	for stacks in none all; do
		unharmed_by "$size, by hand" env LD_PRELOAD="$LIBHEAPTIDE" \
		    HEAPTIDE_DIR="$scratch/small" HEAPTIDE_STACKS=$stacks
		unharmed_by "$size" env HEAPTIDE_DIR="$scratch/small" \
		    "$HEAPTIDE" run --stacks $stacks --summary off \
		    -o profile.tide --
		rm -f small/*
	done
	umount small
done

# It fills while the program runs: what is lost is counted, and said.
cat >deep.pl <<'PL'
my $n = 0;
sub deep { my $d = shift; return $d ? deep($d - 1) : [map { "$_" } 1 .. 9] }
for my $i (1 .. 4000) { push @all, eval "sub { [$i, deep($i % 97)] }"->() }
print scalar(@all), "\n";
PL
mount -t tmpfs -o size=400k,mode=700 none small || skip "no second tmpfs"
if command -v perl >/dev/null; then
	same "output" 4000 "$(HEAPTIDE_DIR=$scratch/small limited 60 \
	    "$HEAPTIDE" run --stacks all --summary off -o profile.tide -- \
	    perl deep.pl 2>err)"
	if [ -e profile.tide ]; then
		report profile.tide
		same "exact" false "$(json report.json .exact)"
	fi
fi
