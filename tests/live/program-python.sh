#!/bin/sh
# program-python.sh - a million objects, with the pools of python and without
. "${srcdir:-.}/tests/lib.sh"
need python3

# The program itself, for python3 may be a script that looks for it.
python=$(python3 -c 'import sys; print(sys.executable)')
cat >objects.py <<'PY'
import json, sys

class Thing:
    def __init__(self, i):
        self.id = i
        self.name = "thing %d" % i

things = [Thing(i) for i in range(300000)]
by_name = {t.name: t for t in things}
del things[::2]
text = json.dumps([[t.id, t.name] for t in things])
back = json.loads(text)
print(len(things), len(by_name), len(text), sum(b[0] for b in back))
sys.exit(9)
PY
export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
unharmed "$python" objects.py

# Each call of python's own is then one of malloc: tens of thousands of call
# paths, so the report is asked for the first only.
PYTHONMALLOC=malloc
export PYTHONMALLOC
for stacks in none sampled all; do
	plain_and_under "$stacks" "$python" objects.py
	"$HEAPTIDE" report --json --top 1 profile.tide >report.json ||
		fail "no report"
	same "exact" true "$(json report.json .exact)"
	within "allocations" 1000000 100000000 \
	    "$(json report.json .totals.allocations)"
done
