# lib.sh - where all scripts of the bench stand, read by them
#
# Wants $srcdir and $builddir.  Goes into a $scratch of its own, where measure
# (measure.c) is, and which is gone at the end.

unset LD_PRELOAD DEBUGINFOD_URLS \
	$(env | sed -n 's/^\(HEAPTIDE[A-Z_]*\)=.*/\1/p')
export LC_ALL=C PERL_HASH_SEED=0 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
here=$srcdir/tests/bench
heaptide=$builddir/heaptide
library=$builddir/.libs/libheaptide.so

die()
{
	echo "bench: $*" >&2
	exit 1
}

# skip WHY: there is nothing to be measured here
skip()
{
	echo "skipped: $*"
	exit 0
}

has()
{
	for command; do
		command -v "$command" >/dev/null || return
	done
}

has perl awk || die "perl and awk are needed"
[ -x "$heaptide" ] && [ -e "$library" ] || die "nothing is built in $builddir"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/heaptide-bench.XXXXXX") || exit
trap 'status=$?; cd /; rm -rf "$scratch" "$segments"; exit $status' EXIT
trap 'exit 1' HUP INT TERM
cd "$scratch" || exit
# Profiles grow where they do by themselves (heaptide(1), FILES), if it is there.
segments=$(mktemp -d /dev/shm/heaptide-bench.XXXXXX 2>/dev/null) ||
	segments=$scratch/segments
export HOME="$scratch" HEAPTIDE_DIR="$segments"
${CC:-cc} -O2 -D_GNU_SOURCE -o measure "$here/measure.c" ||
	die "cannot build measure"
