#!/bin/sh
# verify-stacks.sh - libunwind sees the same stacks in real programs
#
# Programs whose code is all compiled: of generated code no rule is known, and
# there our walk ends where libunwind begins to guess.
. "${srcdir:-.}/tests/lib.sh"
need awk git perl python3 sqlite3 xmllint

# agrees LEAST COMMAND...: at least so many stacks, and none that differs
agrees()
{
	least=$1
	shift
	HEAPTIDE_VERIFY=1 under all "$@" >output 2>&1 || fail "$*: status $?"
	report_top profile.tide
	compared=$((compared + $(json report.json .lost.verified)))
	within "$1: stacks compared" "$least" 1000000000 \
	    "$(json report.json .lost.verified)"
	same "$1: that differ" 0 "$(json report.json .lost.differing)"
}

# The sites of some are many, and not what is looked for.
report_top()
{
	limited 60 "$HEAPTIDE" report --json --top 1 "$1" >report.json ||
		fail "no report of $1"
}

compared=0
awk 'BEGIN { print "<r>"; for (i = 0; i < 20000; i++)
    print "<a b=\"" i "\">words</a>"; print "</r>" }' >input.xml
awk 'BEGIN { for (i = 0; i < 300; i++) printf "int f%d(int a, int *b) " \
    "{ for (int i = 0; i < a; i++) b[i] += b[i * 2] / (a + %d); " \
    "return b[0]; }\n", i, i }' >input.c

agrees 50000 xmllint --format input.xml
agrees 50000 perl -e 'my %h; $h{$_} = [$_] for 1 .. 50000; print 0 + %h'
agrees 50000 env PYTHONMALLOC=malloc python3 -c '
import re, json
print(len(json.dumps([{str(i): [i, re.sub("1", "2", str(i))]}
    for i in range(5000)])))'
agrees 10000 sqlite3 :memory: "with recursive n (i) as (select 1 union all
    select i + 1 from n where i < 20000) select count(distinct i * 7 % 991),
    group_concat(i) from n"
git init -q --template= history && cp input.c history/ &&
	git -C history add input.c || fail "no repository"
agrees 200 git -C history diff --cached --stat
if command -v gcc >/dev/null; then
	cc1=$(gcc -print-prog-name=cc1)
	[ ! -x "$cc1" ] || agrees 50000 "$cc1" -quiet -O2 input.c -o /dev/null
fi
echo "$compared stacks"
