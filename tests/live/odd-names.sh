#!/bin/sh
# odd-names.sh - names with blanks, newlines, escapes, "(deleted)" and 10 000
# characters break no line of text, lose nothing in JSON, and find their files
. "${srcdir:-.}/tests/lib.sh"
need jq

# no_control FILE: nothing but text and ends of lines
no_control()
{
	! LC_ALL=C grep -q '[[:cntrl:]]' "$1" ||
		fail "control characters in $1: $(cat -v "$1")"
}

# --- of a program ------------------------------------------------------------

cat >hold.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *volatile kept;

__attribute__((noinline)) static void
hold_in_here(void)
{
	kept = malloc(1000);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "unlink") == 0)
		unlink(argv[0]);
	hold_in_here();
	if (argc > 1 && strcmp(argv[1], "wait") == 0)
		pause();
	return 3;
}
END
${CC:-cc} -g -O0 -o hold hold.c || fail "cannot build the program"

newline='
'
escape=$(printf '\033[31m')
for name in 'blank in it' "one${newline}two" "red${escape}name" \
	'gone (deleted)' "quo\"te'%s\$(x)" '-dash' 'ünïcode'; do
	cp hold "./$name"
	limited 60 "$HEAPTIDE" run --stacks all -o 'f.%c.tide' -- "./$name" "a${newline}b" \
		2>err
	same "$name: status" 3 $?
	no_control err
	tail -n 1 err | grep -q 'next: heaptide report f\.' ||
		fail "$name: the summary ends with: $(tail -n 1 err)"
	set -- f.*.tide
	same "$name: profiles" 1 $#
	limited 60 "$HEAPTIDE" report "$1" >text || fail "$name: no report"
	no_control text
	grep -q 'hold_in_here  hold.c:10' text ||
		fail "$name: its function is not found: $(cat text)"
	report "$1"
	same "$name: the path" "$(pwd)/$name" "$(json report.json .executable)"
	same "$name: the argument" "a${newline}b" \
		"$(json report.json '.command[1]')"
	rm "$1" "./$name"
done

# In ps, while it runs.
cp hold "one${newline}two"
LD_PRELOAD=$LIBHEAPTIDE "./one${newline}two" wait &
pid=$!
for try in $(seq 200); do
	"$HEAPTIDE" ps >ps
	grep -q "^ *$pid " ps && break
	sleep 0.05
done
no_control ps
same "lines of ps" 3 "$(wc -l <ps)"
"$HEAPTIDE" ps --json >ps.json
same "the command in JSON" "./one${newline}two wait" \
	"$(json ps.json '.processes[].command')"
kill $pid
wait $pid 2>/dev/null
"$HEAPTIDE" ps --clean >/dev/null

# A file that is gone when the profile is read.
cp hold gone
limited 60 "$HEAPTIDE" run -q --stacks all -o gone.tide -- ./gone unlink
same "status of who removes itself" 3 $?
XDG_CACHE_HOME=$scratch/empty limited 60 "$HEAPTIDE" report gone.tide >text ||
	fail "no report"
grep -q 'gone+0x' text || fail "no place in the file: $(cat text)"
grep -q 'no names from .*/gone: No such file' text ||
	fail "no word of the file that is gone"

# --- of a function -----------------------------------------------------------

# As C++ makes them of templates.
long=$(printf 'f%.0s' $(seq 10000))
sed "s/hold_in_here/$long/" hold.c >long.c
${CC:-cc} -g -O0 -o long long.c || fail "cannot build the program"
limited 60 "$HEAPTIDE" run --stacks all -o long.tide -- ./long 2>err
same "status" 3 $?
grep -q 'held at peak' err || fail "no summary: $(cut -c 1-200 err)"
for look in '' --full; do
	limited 60 "$HEAPTIDE" report $look long.tide >text ||
		fail "no report"
	grep -q 'fffffffff' text || fail "the function is not named"
	grep -q '^Who allocated most' text || fail "the report is cut short"
done
for again in first from-cache; do
	report long.tide
	same "$again: the name in JSON" "$long" "$(json report.json \
		'.sites[].stack[0].function')"
done
