#!/bin/sh
# program-musl.sh - a program of musl's runs, dynamic or static, and it is said
# that it has no profile
. "${srcdir:-.}/tests/lib.sh"

need musl-gcc
echo 'int main(void) { return 7; }' >seven.c
musl-gcc -o dynamic seven.c || skip "musl-gcc does not work here"
musl-gcc -static -o static seven.c || skip "musl-gcc does not work here"
limited 10 ./dynamic
same "alone" 7 $?
for stacks in none sampled all; do
	"$HEAPTIDE" run --stacks $stacks -o x.tide -- ./dynamic 2>words
	same "dynamic: status" 7 $?
	same "dynamic: lines" 1 "$(wc -l <words)"
	grep -q "linked with musl" words || fail "dynamic: $(cat words)"
	"$HEAPTIDE" run --stacks $stacks -o x.tide -- ./static 2>words
	same "static: status" 7 $?
	same "static: lines" 1 "$(wc -l <words)"
	grep -q "statically linked" words || fail "static: $(cat words)"
	[ ! -e x.tide ] || fail "a profile of nothing"
done
