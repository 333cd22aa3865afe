#!/bin/sh
# tidy.sh - the tree speaks of itself alone: no machine, no trailing blanks
. "${srcdir:-.}/tests/lib.sh"

cd "$srcdir" || exit
{
	find src include tools tests examples doc .ci web/src web/test -type f
	ls bootstrap configure.ac Makefile.am heaptide.pc.in m4/heaptide.m4 \
		LICENSE NEWS README.md HACKING.md .clang-format .editorconfig \
		web/README.md web/NOTICE web/build.mjs web/package.json \
		web/package-lock.json web/page.sha256
} >"$scratch/files"

# Written in two halves, or this file would be found as well.
elsewhere='/wo''rk/|/ho''me/[a-z]|/tmp/h''t/|\.\./sha''red|/\.lib''rary'
xargs grep -nIE "$elsewhere" <"$scratch/files" >"$scratch/found"
[ ! -s "$scratch/found" ] || {
	cat "$scratch/found"
	fail "names a place that is not in this tree"
}

xargs grep -nI '[[:blank:]]$' <"$scratch/files" >"$scratch/found"
[ ! -s "$scratch/found" ] || {
	cat "$scratch/found"
	fail "blanks at the end of a line"
}
