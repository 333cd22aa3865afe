#!/bin/sh
# program-gcc.sh - gcc -O2 and all its children, each with a profile
. "${srcdir:-.}/tests/lib.sh"
need gcc awk cmp

awk 'BEGIN {
	print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>"
	for (i = 0; i < 100; i++) {
		printf "struct s%d { int a[%d]; char *p; struct s%d *next; };\n",
		    i, i % 9 + 1, i
		printf "int f%d(struct s%d *s, int n)\n{\n\tint i, x = %d;\n",
		    i, i, i
		printf "\tfor (i = 0; i < n; i++) {\n\t\tswitch (s->a[i %% %d])" \
		    " {\n", i % 9 + 1
		for (k = 0; k < 12; k++)
			printf "\t\tcase %d: x = x * %d + i; break;\n",
			    k * (i % 7 + 1), k + 3
		printf "\t\tdefault: x ^= i; if (s->next) s = s->next;\n\t\t}\n"
		printf "\t\tif (x %% %d == 0) printf(\"%%d\\n\", x);\n\t}\n",
		    i + 2
		if (i > 0)
			printf "\treturn x + f%d((void *)s, n / 2);\n}\n", i - 1
		else
			printf "\treturn x;\n}\n"
	}
}' >large.c
gcc -O2 -g -c -o plain.o large.c || skip "gcc cannot compile it"

for stacks in none sampled all; do
	plain_and_under "$stacks" gcc -O2 -g -c -o large.o large.c
	cmp plain.o large.o || fail "--stacks=$stacks: another object file"
	report profile.tide
	adds_up
	for child in profile.tide.d/*; do
		report "$child"
		adds_up
		json report.json '.executable | sub(".*/"; "")'
	done >children
	grep -qx cc1 children || fail "no profile of cc1: $(cat children)"
	grep -q 'as$' children || fail "no profile of as: $(cat children)"
done

# An error is gcc's own still.
echo 'int main(void) { return oops; }' >wrong.c
unharmed gcc -c -o wrong.o wrong.c
cmp plain.err under.err
