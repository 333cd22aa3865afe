#!/bin/sh
# web.sh - the page's frame is the same bytes each time it is built, and those
# that were looked at; it has the licences of what is in it; its pure functions
# do what they say
. "${srcdir:-.}/tests/lib.sh"

cd "$srcdir/web" || exit

# --- what needs no node ------------------------------------------------------

grep -q '"integrity"' package-lock.json || fail "the lock has no hashes"
sed '/"engines"/d' package.json | grep -E '"[~^><*]' && fail "a version is not pinned"
found=$(find src -type f | sort)
for file in $found; do
	grep -q "web/$file" ../Makefile.am || fail "$file is not in Makefile.am"
	case $file in *.js) ;; *) continue ;; esac
	[ "$(wc -l <"$file")" -le 500 ] || fail "$file has over 500 lines"
done
# Markup from text, code from text: neither is to be found.
grep -nE '\b(innerHTML|outerHTML|insertAdjacentHTML|eval|document\.write)\b|new Function' \
	$found && fail "text may become markup or code"
grep -q '^Copyright (c) .* Leon Sorokin' NOTICE || fail "NOTICE lacks uPlot's"

# --- what does ---------------------------------------------------------------

need node
[ -d node_modules/esbuild ] || skip "esbuild is not there ('npm ci' in web/)"

wanted=$(sed 's/ .*//' page.sha256)
for n in 1 2; do
	node build.mjs "$scratch/$n.html" >"$scratch/out" 2>&1 || {
		cat "$scratch/out"
		fail "it does not build"
	}
done
cmp "$scratch/1.html" "$scratch/2.html" || fail "two builds differ"
# Nor by where it is built, or in which language and time zone.
cp -R build.mjs package.json src NOTICE "$scratch/"
ln -s "$srcdir/web/node_modules" "$scratch/node_modules"
(cd "$scratch" && LC_ALL=tr_TR.UTF-8 TZ=Asia/Tokyo \
	node build.mjs elsewhere.html) >"$scratch/out" 2>&1 ||
	fail "it does not build elsewhere: $(cat "$scratch/out")"
cmp "$scratch/1.html" "$scratch/elsewhere.html" ||
	fail "it differs by where it is built"
found=$(sha256sum <"$scratch/1.html" | sed 's/ .*//')
same "sha256 of the page (npm run hash in web/, if it is meant)" \
	"$wanted" "$found"
grep -q 'Permission is hereby granted' "$scratch/1.html" ||
	fail "the licences are not in the page"
grep -oE '(src|href)="(https?:)?//[^"]*"' "$scratch/1.html" &&
	fail "the page asks for something else"

limited 120 node --test --test-reporter tap test/pure.test.mjs \
	>"$scratch/out" 2>&1 || {
	cat "$scratch/out"
	fail "the pure functions"
}
