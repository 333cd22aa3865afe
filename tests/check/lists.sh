#!/bin/sh
# lists.sh - Makefile.am knows every source file there is, and no other
. "${srcdir:-.}/tests/lib.sh"

tr -s '[:space:]' '\n' <"$srcdir/Makefile.am" | sed 's/\.la$//' >known
known=$PWD/known
cd "$srcdir" || exit
for file in src/*/*.[ch] bindings/* bindings/*/* src/libheaptide.map \
	src/FLOORS include/*.h tools/*.[ch] tools/*/*.[ch] examples/* doc/* \
	tests/*.sh tests/unit/*.[ch] tests/fuzz/*.[ch] tests/victims/*; do
	[ -f "$file" ] || continue
	# Of a test the program or module is named, and that makes its source.
	case $file in
	tests/*.c) echo "${file%.c}" ;;
	*) echo "$file" ;;
	esac
done | awk '
NR == FNR { known[$0]; next }
!($0 in known) { print; bad = 1 }
END { exit bad }' "$known" - >"$scratch/unknown" ||
	fail "not in Makefile.am: $(echo $(cat "$scratch/unknown"))"
