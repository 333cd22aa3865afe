#!/bin/sh
# lists.sh - Makefile.am knows every source file there is, and no other
. "${srcdir:-.}/tests/lib.sh"

cd "$srcdir" || exit
for file in src/*/*.[ch] src/libheaptide.map src/FLOORS include/*.h \
	tools/*.[ch] examples/* doc/* tests/unit/*.[ch] tests/victims/*.c; do
	[ -e "$file" ] || continue
	case $file in
	tests/*.c) name=${file%.c} ;;
	*) name=$file ;;
	esac
	tr -s '[:space:]' '\n' <Makefile.am | grep -Fqx "$name" ||
		fail "$file is not in Makefile.am"
done
