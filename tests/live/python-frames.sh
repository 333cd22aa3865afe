#!/bin/sh
# python-frames.sh - function, file and line of Python stand in the stacks of
# each CPython from 3.11 to 3.13 that is here; and nobody else's stacks change
. "${srcdir:-.}/tests/lib.sh"
need python3 jq

cat >rows.py <<'PY'
import os
import sys
import threading

kept = []


def load_rows(n):
    kept.append(bytearray(n))                               # line 9


class Loader:
    def fill(self):
        load_rows(1000001)                                  # line 14
        return [bytearray(2200000) for i in range(2)]       # line 15


def pages():
    for i in range(2):
        yield bytearray(                                    # line 20
            3000000)


def down(n):
    if n:
        return down(n - 1)                                  # line 26
    return bytearray(4000000)                               # line 27


def work():
    kept.append(bytearray(5000000))                         # line 31


class Größe:
    def ändern(self):
        kept.append(bytearray(6000000))                     # line 36


kept.append(Loader().fill())                                # line 39
kept.append(list(pages()))
kept.append(down(200))
sorted([1], key=lambda x: kept.append(bytearray(7000000)))  # line 42
thread = threading.Thread(target=work)
thread.start()
thread.join()
Größe().ändern()
for i in range(3):
    exec(compile("kept.append(bytearray(8000000))", "gen%d" % i, "exec"))
if os.fork() == 0:
    kept.append(bytearray(9000000))                         # line 50
    os._exit(0)
os.wait()
print(len(kept), flush=True)
os._exit(3)
PY

# Frames that come, go and change: what is remembered of them is what is there.
cat >changes.py <<'PY'
import threading


class Thing:
    def __init__(self, n):
        self.texts = [str(i) for i in range(n)]


def things(n):
    for i in range(n):
        yield Thing(i % 7)


def down(n):
    return down(n - 1) if n else [object() for i in range(50)]


def work():
    for i in range(200):
        Thing(i % 9)
        down(i % 30)


# Code after code at one address, run in one frame, by one instruction; in
# between nothing is allocated but further out.
list(map(len, map(eval, map(compile, ["[bytearray(100), str(300)]"] * 200,
                            ["same%03d.py" % k for k in range(200)],
                            ["eval"] * 200))))
for k in range(300):
    names = {}
    exec(compile("def f%d(x):\n%s return [str(x), bytearray(50)]" %
                 (k, "\n" * (k % 5)), "gen%d.py" % k, "exec"), names)
    names["f%d" % k](k)
    list(things(5))
    sorted(range(5), key=lambda v: str(v))
for depth in (3, 60, 200, 700):
    down(depth)
threads = [threading.Thread(target=work) for i in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
PY

# path BYTES: of the site that holds so many and a few bytes, the Python frames
path()
{
	json report.json '[.sites[] | select(.live_bytes >= '"$1"' and
	    .live_bytes < '"$1"' + 9000) | [.stack[] |
	    select(.module == "python") |
	    "\(.function) \(.file | split("/") | last):\(.line)"] |
	    join(" < ")] | sort | join(" | ")'
}

check_rows()
{
	same "a function" "load_rows rows.py:9 < Loader.fill rows.py:14 < <module> rows.py:39" \
	    "$(path 1000001)"
	# A list comprehension was a function of its own before 3.12.
	same "a method" "Loader.fill rows.py:15 < <module> rows.py:39" \
	    "$(path 4400000 | sed 's/^Loader.fill.<locals>.<listcomp> rows.py:15 < //')"
	case $(path 6000000) in
	*"Größe.ändern rows.py:36 < <module> rows.py:46"*) ;;
	*) fail "a text that is not ASCII: $(path 6000000)" ;;
	esac
	same "a thread" "work rows.py:31 < Thread.run" \
	    "$(path 5000000 | sed 's/ threading.py.*//')"
	same "a function that C calls" \
	    "<lambda> rows.py:42 < <module> rows.py:42" "$(path 7000000)"
	# Code that comes and goes at one address.
	same "generated code" "<module> gen0:1 < <module> rows.py:48 | <module> gen1:1 < <module> rows.py:48 | <module> gen2:1 < <module> rows.py:48" \
	    "$(path 8000000)"
	json report.json '[.sites[].stack[] | select(.module == "python") |
	    "\(.function) \(.line)"] | unique[]' >all
	grep -qx "pages 20" all || fail "no generator: $(cat all)"
	grep -qx "down 27" all || fail "no recursion: $(cat all)"
	within "levels of it" 100 127 "$(json report.json '[.sites[] |
	    select(any(.stack[]; .function == "down" and .line == 27)) |
	    [.stack[] | select(.function == "down" and .line == 26)] |
	    length] | max')"
	same "it is cut" true "$(json report.json '[.sites[] |
	    select(any(.stack[]; .function == "down")) | .stack[-1].cut] |
	    any')"
	same "names of C in their place" 0 "$(json report.json '[.sites[] |
	    select(.live_bytes >= 1000000) | .stack[] |
	    select(.function == "_PyEval_EvalFrameDefault")] | length')"
	same "exact" "true 0" "$(json report.json \
	    '"\(.exact) \(.lost.text + .lost.sites)"')"
}

tried=
for python in python3 /usr/bin/python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[123].*/bin/python3; do
	# The program itself, for python3 may be a script that looks for it.
	python=$("$python" -c 'import sys
v = sys.version_info
if sys.implementation.name == "cpython" and (3, 11) <= v < (3, 14) and \
    "free-threading" not in sys.version:
    print(sys.executable)' 2>/dev/null) || continue
	case " $tried " in *" $python "*) continue ;; esac
	[ -n "$python" ] || continue
	tried="$tried $python"
	echo "$python"
	rm -rf profile.tide* "$HEAPTIDE_DIR"
	HEAPTIDE_VERIFY=1 PYTHONMALLOC=malloc limited 120 "$HEAPTIDE" run -q \
	    --stacks all -o profile.tide -- "$python" changes.py >out 2>err \
	    </dev/null || fail "status $?"
	"$HEAPTIDE" report --json --top 1 profile.tide >report.json ||
		fail "no report"
	within "stacks that were found anew" 100000 100000000 \
	    "$(json report.json .lost.verified)"
	same "others then" 0 "$(json report.json .lost.differing)"
	for malloc in malloc pymalloc; do
		rm -rf profile.tide* "$HEAPTIDE_DIR"
		PYTHONMALLOC=$malloc PYTHONUTF8=1 limited 120 "$HEAPTIDE" run \
		    -q --stacks all -o profile.tide -- "$python" rows.py \
		    >out 2>err </dev/null
		same "status" 3 $?
		same "output" 10 "$(cat out)"
		# With malloc there are tens of thousands of call paths.
		"$HEAPTIDE" report --json --top 20 profile.tide >report.json ||
			fail "no report"
		check_rows
	done
done
[ -n "$tried" ] || skip "no CPython 3.11 to 3.13 is installed"
python=${tried##* }

# A child that is forked has a profile of its own, with names of its own.
child=$(echo profile.tide.d/*)
"$HEAPTIDE" report --json --top 20 "$child" >report.json || fail "no report"
same "a child" "<module> rows.py:50" "$(path 9000000)"

# What grows is told by its line, as by any other function's; beside the
# process, by its socket; and from one profile to the next.
cat >grows.py <<'PY'
import os, sys

kept = []


def remember(i):
    kept.append(bytearray(20000))                           # line 7


def forget(i):
    return bytearray(30000)


for i in range(400):
    remember(i)
    forget(i)
    if i % 20 == 19:
        print(i, flush=True)
        sys.stdin.readline()
os._exit(0)
PY
mkfifo go
"$HEAPTIDE" run -q --stacks all -o grows.tide -- "$python" grows.py \
    <go >lines 2>err &
supervisor=$!
started="$started $supervisor"
exec 9>go
i=19
while [ $i -lt 400 ]; do
	await grep -qx $i lines
	pid=$("$HEAPTIDE" ps --json | jq -r '.processes[0].pid')
	"$HEAPTIDE" mark "$pid" "m$i" >/dev/null 2>&1 || fail "no mark"
	[ $i -ne 379 ] || {
		"$HEAPTIDE" ctl "$pid" sites 5 >sites.json || fail "no sites"
		"$HEAPTIDE" snapshot "$pid" -o before.tide >/dev/null ||
			fail "no snapshot"
	}
	echo >&9
	i=$((i + 20))
done
wait $supervisor || fail "status $?"
same "by the socket" "remember 7 python" "$(json sites.json \
    '[.sites[].stack[] | select(.function == "remember")][0] |
    "\(.function) \(.line) \(.module)"')"
"$HEAPTIDE" leaks --json grows.tide >leaks.json || fail "no leaks"
json leaks.json '.leaks[] | select(.verdict == "growing") | .stack[] |
    select(.module == "python") | "\(.function) \(.line)"' >found
grep -qx "remember 7" found || fail "not found to grow: $(cat found)"
grep -q "forget" found && fail "found to grow: $(cat found)"
"$HEAPTIDE" diff --json before.tide grows.tide >diff.json || fail "no diff"
same "a site in two profiles" true "$(json diff.json '[.sites[] |
    select(.b > 4000000 and any(.stack[]; .function == "remember"))] |
    length == 1 and .[0].a > 4000000')"

# Not where it is not wanted, and not asked of who is no Python.
rm -rf profile.tide*
HEAPTIDE_PYTHON=0 limited 60 "$HEAPTIDE" run -q --stacks all -o profile.tide \
    -- "$python" rows.py >out 2>err </dev/null
"$HEAPTIDE" report --json --top 20 profile.tide >report.json || fail "no report"
same "Python, not wanted" 0 "$(json report.json \
    '[.sites[].stack[] | select(.module == "python")] | length')"
HEAPTIDE_PYTHON=perhaps LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_LOG=$scratch/log \
    /bin/true
grep -q HEAPTIDE_PYTHON log || fail "a value that is none: $(cat log)"
