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

has()
{
	for command; do
		command -v "$command" >/dev/null || return
	done
}

has perl awk || die "perl and awk are needed"
[ -x "$heaptide" ] && [ -e "$library" ] || die "nothing is built in $builddir"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/heaptide-bench.XXXXXX") || exit
trap 'status=$?; cd /; rm -rf "$scratch"; exit $status' EXIT
trap 'exit 1' HUP INT TERM
cd "$scratch" || exit
export HOME="$scratch" HEAPTIDE_DIR="$scratch/segments"
${CC:-cc} -O2 -D_GNU_SOURCE -o measure "$here/measure.c" ||
	die "cannot build measure"
