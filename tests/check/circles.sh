#!/bin/sh
# circles.sh - no files of src and tools call each other in a circle
#
# By what the compiler has made of them: what one file leaves open and another
# defines is a call, or data of the other's.  Between floors and rooms the
# includes tell (floors.sh); this holds within each as well.
. "${srcdir:-.}/tests/lib.sh"
need nm tsort

(cd "$srcdir" && ls src/*/*.c tools/*/*.c tools/*.c) >sources
(cd "$builddir" && find src tools -name '*.o' -exec nm -A {} +) >names

# src/plan/.libs/libcommon_la-op.o is of src/plan/op.c.  What interpose*.c
# defines is for the program; what we call so is libc's.
awk '
NR == FNR { is_source[$1] = 1; next }
{
	colon = index($0, ":")
	object = substr($0, 1, colon - 1)
	if (!(object in source)) {
		path = object
		sub(/\.libs\//, "", path)
		sub(/\.o$/, ".c", path)
		while (!(path in is_source) && path ~ /-[^\/]*$/) {
			at = match(path, /[^\/]*$/)
			name = substr(path, at)
			sub(/^[^-]*-/, "", name)
			path = substr(path, 1, at - 1) name
		}
		source[object] = path in is_source ? path : ""
		files += path in is_source
	}
	file = source[object]
	kind = $(NF - 1)
	if (file == "")
		next
	if (kind == "U") {
		user[++n] = file
		used[n] = $NF
	} else if (kind ~ /^[TDBRV]$/ && file !~ /\/interpose/)
		of[$NF] = file
}
END {
	for (i = 1; i <= n; i++)
		if (used[i] in of && of[used[i]] != user[i])
			print user[i], of[used[i]]
	exit files < 300
}' sources names >calls || fail "too few objects in $builddir"
[ "$(wc -l <calls)" -gt 1000 ] || fail "too few calls in $builddir"
tsort calls >order 2>circles ||
	fail "files that call each other: $(sed 's/^tsort: //' circles)"
