#!/bin/sh
# header-bad.sh - whatever a program gives to the functions of heaptide.h, in
# whatever order, each has the answer that is documented, in every depth
. "${srcdir:-.}/tests/lib.sh"

export HEAPTIDE_STATE="$scratch/state"
source=$srcdir/tests/victims/header-bad.c

# build NAME COMPILER OPTION...: ./NAME
build()
{
	build_name=$1
	shift
	"$@" -g -O1 -pthread -I"$srcdir/include" -o "$build_name" "$source" \
		>build.out 2>&1 || fail "not built: $*: $(sed 5q build.out)"
}

# well DEPTH COMMAND...: all answers are right, and in that depth
well()
{
	depth=$1
	shift
	limited 120 "$@" >said 2>said.err </dev/null
	status=$?
	[ $status -eq 0 ] || fail "$depth: $*: status $status:
$(tail -n 20 said said.err)"
	grep -q "^$depth: [0-9][0-9][0-9][0-9]* cases, 0 wrong$" said ||
		fail "$depth: $*: it says: $(tail -n 5 said)"
}

well standalone "$victims/header-bad"
well runtime env LD_PRELOAD="$LIBHEAPTIDE" "$victims/header-bad"
well runtime "$HEAPTIDE" run --summary off -o bad.tide -- \
	"$victims/header-bad"

if [ -x "$victims/header-bad++" ]; then
	well standalone "$victims/header-bad++"
	well runtime env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=all \
	    "$victims/header-bad++"
else
	without "no C++ compiler"
fi

build off ${CC:-cc} -DHEAPTIDE_DISABLE
well standalone ./off

if ${CC:-cc} -static -o static-libc -xc - <<'END' 2>/dev/null
int main(void) { return 0; }
END
then
	build static ${CC:-cc} -static
	well standalone ./static
	well page "$HEAPTIDE" run --summary off -- ./static
else
	without "no static libc"
fi
if command -v musl-gcc >/dev/null; then
	build musl musl-gcc -static
	well standalone ./musl
else
	without "no musl-gcc"
fi
