#!/bin/sh
# header-depths.sh - one program that includes heaptide.h works however it is
# built and started, says which depth it got, and prints the same
. "${srcdir:-.}/tests/lib.sh"
need jq

# build NAME SOURCE COMPILER OPTION...: ./NAME
build()
{
	build_name=$1 build_source=$2
	shift 2
	"$@" -O1 -I"$srcdir/include" -o "$build_name" \
		"$srcdir/examples/$build_source" >build.out 2>&1 ||
		fail "not built: $*: $(sed 5q build.out)"
}

# works DEPTH COMMAND...: it prints what is expected, and got that depth
works()
{
	depth=$1
	shift
	limited 120 "$@" >found 2>err </dev/null || {
		status=$?
		fail "$*: status $status: $(tail -n 5 err)"
	}
	cmp expected found || fail "$*: another output: $(cat found)"
	grep -qx "depth: $depth" err ||
		fail "$*: not $depth: $(grep depth err)"
}

run="$HEAPTIDE run --budget 64M --summary json -o depths.tide --"

"$builddir/examples/pipeline" 300 >expected 2>err || fail "status $?"

# --- how it is linked --------------------------------------------------------

build pie pipeline.c ${CC:-cc} -std=c99 -fPIE -pie
build fixed pipeline.c ${CC:-cc} -std=c11 -fno-pie -no-pie
for program in pie fixed; do
	works standalone ./$program 300
	works runtime $run ./$program 300
	works runtime env LD_PRELOAD="$LIBHEAPTIDE" ./$program 300
done
if command -v clang >/dev/null; then
	build clang pipeline.c clang -std=c99
	works standalone ./clang 300
	works runtime $run ./clang 300
else
	without "no clang"
fi
if [ -x "$builddir/examples/pipeline++" ]; then
	build c-as-c++ pipeline.cc c++ -std=c++11 -fno-pie -no-pie
	cp expected expected.c
	./c-as-c++ 100 >expected 2>err || fail "C++: status $?"
	works standalone "$builddir/examples/pipeline++" 100
	works runtime $run ./c-as-c++ 100
	works runtime $run "$builddir/examples/pipeline++" 100
	mv expected.c expected
else
	without "no C++ compiler"
fi
build off pipeline.c ${CC:-cc} -std=c99 -DHEAPTIDE_DISABLE
works standalone ./off 300
works standalone $run ./off 300

# --- where nothing can be preloaded ------------------------------------------

# paged PROGRAM: alone, and with a page that the summary tells of
paged()
{
	works standalone "$1" 300
	works page $run "$1" 300
	sed -n '/^{/,$p' err >page.json
	same "$1: its summary" "page 67108864 thumbnails 300" "$(json \
	    page.json '"\(.level) \(.budget) \(.operations[0].name) \(
	    .operations[0].items)"')"
	set -- "$HEAPTIDE_DIR"/*.page
	[ ! -e "$1" ] || fail "a page stays: $*"
	# A page of another process is not taken for its own.
	works standalone env HEAPTIDE_PAGE=/dev/zero ./"$program" 300
	works standalone env HEAPTIDE_PAGE=/nonexistent ./"$program" 300
	works standalone env HEAPTIDE_PAGE= ./"$program" 300
}

echo 'int main(void) { return 0; }' >nothing.c
if ${CC:-cc} -static -o nothing nothing.c 2>/dev/null; then
	build static pipeline.c ${CC:-cc} -std=c99 -static
	program=static
	paged ./static
	# A shell has the library, and the program that it becomes has not.
	works page $run sh -c 'exec ./static 300'
	# Its child is not who the page is for.
	works standalone $run sh -c './static 300; exit $?'
	head -c 100 /dev/zero >short
	works standalone env HEAPTIDE_PAGE=short ./static 300
else
	without "no static libc"
fi
if command -v musl-gcc >/dev/null; then
	build musl pipeline.c musl-gcc -std=c99 -static
	program=musl
	paged ./musl
else
	without "no musl-gcc"
fi

# --- in a jail ---------------------------------------------------------------

jail=/sys/fs/cgroup/memory/heaptide-depths.$$
if ! mkdir "$jail" 2>/dev/null; then
	without "no control group of version 1 can be made"
	exit 0
fi
trap 'status=$?; cd /; rm -rf "$scratch"; rmdir "$jail"; exit $status' EXIT
echo 100M >"$jail/memory.limit_in_bytes" || fail "no limit"
cat >jailed <<'END'
#!/bin/sh
echo 0 >"$jail/cgroup.procs" && exec "$@"
END
chmod +x jailed
export jail
cat >budget.c <<'END'
#include <heaptide.h>
#include <stdio.h>

int
main(void)
{
	tide_info info;

	tide_status(&info);
	printf("%d %s %llu\n", tide_level(), info.source,
	    (unsigned long long)tide_budget());
	return 0;
}
END
${CC:-cc} -I"$srcdir/include" -o budget budget.c || fail "not built"
limited 60 ./jailed ./budget >said || fail "status $?"
same "alone, in the jail" "0 cgroup 104857600" "$(cat said)"
limited 60 ./jailed "$HEAPTIDE" run -q --summary off -o depths.tide -- \
	./budget >said || fail "status $?"
same "with the library, in the jail" "2 cgroup 104857600" "$(cat said)"
works standalone ./jailed ./pie 300
works runtime ./jailed $run ./pie 300
if [ -x static ]; then
	works standalone ./jailed ./static 300
	works page ./jailed $run ./static 300
fi
