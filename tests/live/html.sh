#!/bin/sh
# html.sh - the page of a report, in a browser: it says what the report says,
# and does what it is told by mouse and keyboard; see web/test/live.mjs
. "${srcdir:-.}/tests/lib.sh"

need node
template=$builddir/web/page.html
[ -f "$template" ] ||
	skip "there is no web/page.html: it was built without node and npm"

# --- without a browser -------------------------------------------------------

profile()
{
	out=$1
	shift
	limited 60 "$HEAPTIDE" run --summary off -o "$out" "$@" \
		>/dev/null 2>errors || { cat errors; fail "run $*: status $?"; }
}

profile a.tide --stacks all -- "$victims/planted" two 40 3
profile bare.tide --stacks none -- "$victims/planted" two 5 3
odd='<img src=x onerror="window.owned=1"><!--<script>'
cp "$victims/planted" "$odd"
profile odd.tide --stacks all -- "./$odd" two 5 3

for name in a bare odd; do
	limited 60 "$HEAPTIDE" report --html $name.html $name.tide >out 2>&1 ||
		{ cat out; fail "report --html: status $?"; }
	[ ! -s out ] || fail "it speaks: $(cat out)"
done
limited 60 "$HEAPTIDE" report --json a.tide >a.json || fail "report --json"

# Once the frame, and no other markup than the frame's.
same "scripts in a page of odd names" "$(grep -o '<script' "$template" | wc -l)" \
	"$(grep -o '<script' odd.html | wc -l)"
grep -q 'http-equiv="Content-Security-Policy"' a.html || fail "no policy"
grep -q '@HEAPTIDE_DATA@' a.html && fail "the place of the data is left"

# As it stands where it is no file; not at all where it cannot be.
limited 60 "$HEAPTIDE" report --html - a.tide >stdout.html || fail "to stdout"
cmp -s stdout.html a.html || fail "stdout and a file differ"
echo before >kept.html
mkdir dir
"$HEAPTIDE" report --html dir/none/x.html a.tide >out 2>&1 &&
	fail "a directory that is not there is written into"
grep -q "cannot write 'dir/none/x.html': No such file" out ||
	fail "says: $(cat out)"
"$HEAPTIDE" report --html /dev/full a.tide >out 2>&1 &&
	fail "a full disk is no trouble"
grep -q "cannot write '/dev/full': No space" out || fail "says: $(cat out)"
HEAPTIDE_PAGE="$scratch/nothing" "$HEAPTIDE" report --html kept.html a.tide \
	>out 2>&1
same "status without a frame" 125 $?
grep -q "the page's frame is missing" out || fail "says: $(cat out)"
HEAPTIDE_PAGE="$scratch/kept.html" "$HEAPTIDE" report --html kept.html a.tide \
	>out 2>&1 && fail "any file is taken for a frame"
same "what was there before" before "$(cat kept.html)"
same "temporary files" "" "$(ls | grep 'html\.')"
"$HEAPTIDE" report --html x.html nothing.tide >out 2>&1 &&
	fail "no profile, and no trouble"
[ ! -e x.html ] || fail "a page of no profile"

# In whatever prefix it was put, the frame beside it is found.
mkdir -p prefix/bin prefix/share/heaptide
cp "$HEAPTIDE" prefix/bin/
sed 's/<title>heaptide/<title>of the prefix/' "$template" \
	>prefix/share/heaptide/page.html
limited 60 prefix/bin/heaptide report --html prefix.html a.tide ||
	fail "in a prefix: status $?"
grep -q '<title>of the prefix' prefix.html || fail "another frame was found"

# --- with one ----------------------------------------------------------------

[ -d "$srcdir/web/node_modules/playwright-core" ] || {
	without "playwright-core is not there ('npm ci' in web/)"
	exit 0
}
for browser in ${CHROMIUM-} chromium chromium-browser google-chrome none; do
	CHROMIUM=$(command -v "$browser") && break
done
[ "$browser" != none ] || {
	without "chromium is not installed"
	exit 0
}
export CHROMIUM PAGE="$scratch/a.html" REPORT="$scratch/a.json" \
	BARE="$scratch/bare.html" HOSTILE="$scratch/odd.html" \
	TEMPLATE="$template" TMPDIR="$scratch" HOME="$scratch"
cd "$srcdir/web" || exit
limited 400 node --test --test-reporter tap test/live.mjs >"$scratch/browser" \
	2>&1 || {
	grep -v '^ *\(duration_ms\|type\)' "$scratch/browser" | tail -n 150
	fail "in the browser"
}
