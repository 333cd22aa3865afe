#!/bin/sh
# lists.sh - Makefile.am knows every source file there is, and no other
. "${srcdir:-.}/tests/lib.sh"

cd "$srcdir" || exit
for file in src/*/*.[ch] bindings/* bindings/*/* src/libheaptide.map src/FLOORS include/*.h \
	tools/*.[ch] tools/*/*.[ch] examples/* doc/* tests/*.sh \
	tests/unit/*.[ch] tests/fuzz/*.[ch] tests/victims/*; do
	[ -f "$file" ] || continue
	# Of a test the program or module is named, and that makes its source.
	case $file in
	tests/*.c) name=${file%.c} ;;
	*) name=$file ;;
	esac
	tr -s '[:space:]' '\n' <Makefile.am |
		grep -Fqx -e "$name" -e "$name.la" ||
		fail "$file is not in Makefile.am"
done
