#!/bin/sh
# bootstrap.sh - it configures once, and again when something was installed
#
# `./bootstrap demo` needs fewer packages than `./bootstrap check`: what the
# second installs, the first has not found.  All that bootstrap calls is put in
# its place here by scripts that write down what they are asked.
. "${srcdir:-.}/tests/lib.sh"

mkdir bin tree tree/build tree/tests dpkg
export DPKG_ADMINDIR="$scratch/dpkg" PATH="$scratch/bin:$PATH" HOME="$scratch"
cp "$srcdir/bootstrap" tree/

# stand_in NAME SCRIPT: what there is to run instead
stand_in()
{
	printf '#!/bin/sh\necho %s "$@" >>"%s/calls"\n%s\n' \
	    "$(basename "$1")" "$scratch" "$2" >"$1"
	chmod +x "$1"
}

stand_in bin/dpkg-query 'echo installed'
stand_in bin/make ''
stand_in tree/configure 'touch Makefile config.status'
stand_in tree/tests/run.sh ''

# configured TIMES ARGUMENT: so often does `bootstrap ARGUMENT` configure
configured()
{
	: >calls
	limited 60 sh tree/bootstrap "$2" >output 2>&1 || {
		cat output
		fail "bootstrap $2: status $?"
	}
	same "bootstrap $2: times that it configures" "$1" \
	    "$(grep -c '^configure' calls)"
}

touch -d '1 hour ago' dpkg/status
configured 1 build
configured 0 build
configured 0 check
touch -d '1 hour' dpkg/status
configured 1 check
grep -qx 'make -C build.*tests' calls || fail "check does not build the tests"
