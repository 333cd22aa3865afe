#!/bin/sh
# bindings-python.sh - heaptide.py does what heaptide.h does, in each Python
# that is here, alone and with heaptide inside
. "${srcdir:-.}/tests/lib.sh"
need python3

client=$builddir/.libs/libheaptide-client.so
export PYTHONPATH="$srcdir/bindings/python" PYTHONDONTWRITEBYTECODE=1 \
	HEAPTIDE_STATE="$scratch/state" HEAPTIDE_LAYOUT="$scratch/layout"

# Every field that the module declares, where the compiler has it.
python3 -c '
import os
os.environ["HEAPTIDE_CLIENT"] = "'"$client"'"
import heaptide
print("#include <heaptide.h>\n#include <stdio.h>\nint main(void) {")
for name, kind in (("tide_info", heaptide._Info),
                   ("tide_op_conf", heaptide._Conf),
                   ("tide_batch", heaptide._Batch),
                   ("tide_op_stats", heaptide._Stats),
                   ("tide_reclaim_result", heaptide._Reclaimed)):
    c = "struct tide_op_stats" if name == "tide_op_stats" else name
    print("printf(\"%s - %%zu\\n\", sizeof(%s));" % (name, c))
    for field in kind._fields_:
        print("printf(\"%s %s %%zu\\n\", offsetof(%s, %s));" % (
            name, field[0], c, field[0]))
print("}")' >layout.c || fail "no layout.c"
${CC:-cc} -I"$srcdir/include" -o print-layout layout.c || fail "not built"
./print-layout >layout

# The exported functions are those of the header, all of them and no other.
sed -n '/^static inline/{n;s/^\(tide_[a-z_]*[a-z]\)(.*/\1/p;}' \
	"$srcdir/include/heaptide.h.in" | sort >expected
nm -D --defined-only "$client" | sed 's/.* //' | sort >found
diff expected found || fail "libheaptide-client.so has other functions"

# passes WHAT DEPTH COMMAND...: the module's own tests, of $classes
passes()
{
	what=$1 depth=$2
	shift 2
	HEAPTIDE_EXPECT=$depth limited 300 "$@" -W error \
		"$srcdir/bindings/python/test_heaptide.py" $classes >said 2>&1 \
		</dev/null || fail "$what, $depth: status $?:
$(tail -n 40 said)"
	grep -q '^OK' said || fail "$what, $depth: $(tail -n 3 said)"
}

# all_depths WHAT PYTHON
all_depths()
{
	passes "$1" standalone env HEAPTIDE_CLIENT="$client" "$2"
	# Preloaded, it finds the client beside the library.
	passes "$1" runtime env LD_PRELOAD="$LIBHEAPTIDE" "$2"
	passes "$1" runtime "$HEAPTIDE" run -q --summary off --stacks all \
		-o python.tide -- "$2"
}

classes=
mine=$(python3 -c 'import sys; print(sys.executable)')
all_depths "python3" "$mine"
# In the others, what does not take long.
classes="Layout Questions Arguments Cleanups Rooms AsTheyStand Endings"
[ ! -x /usr/bin/python3 ] || [ "$mine" = /usr/bin/python3 ] ||
	all_depths "/usr/bin/python3" /usr/bin/python3
for minor in 8 9 10 12 13 14; do
	python=$(command -v "python3.$minor") &&
		"$python" -c 'import ctypes' 2>/dev/null || {
		without "no python3.$minor"
		continue
	}
	passes "python3.$minor" standalone env HEAPTIDE_CLIENT="$client" \
		"$python"
	passes "python3.$minor" runtime env LD_PRELOAD="$LIBHEAPTIDE" "$python"
done

# --- asked from outside ------------------------------------------------------

cat >drained.py <<'END2'
import heaptide, time
walk = heaptide.operation("drained", fixed=1).batches(iter(int, 1))
for batch in walk:
    open("begun", "w").close()
    time.sleep(0.01)
print(heaptide.should_stop(), walk.finished)
END2
LD_PRELOAD=$LIBHEAPTIDE python3 drained.py >said 2>&1 </dev/null &
pid=$!
started=$pid
await test -e begun
limited 30 "$HEAPTIDE" ctl $pid drain >/dev/null || fail "no drain"
wait $pid || fail "drained: status $?: $(cat said)"
same "drained" "['drain'] False" "$(cat said)"

# --- checked by who reads types ----------------------------------------------

if command -v mypy >/dev/null; then
	mypy "$srcdir/bindings/python/heaptide.py" \
		"$srcdir/bindings/python/memory_optimizer.py" >said 2>&1 ||
		fail "mypy: $(cat said)"
else
	without "no mypy"
fi
