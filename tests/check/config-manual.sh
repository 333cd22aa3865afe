#!/bin/sh
# config-manual.sh - heaptide-config.5 tells every setting that there is and no
# other, with its variable, option, default and reader; and every preset
. "${srcdir:-.}/tests/lib.sh"
need jq

page=$srcdir/doc/heaptide-config.5
[ -e "$page" ] || fail "there is no doc/heaptide-config.5"
unset HEAPTIDE_DIR HEAPTIDE_SAMPLE

# --- settings: a line each ---------------------------------------------------

"$HEAPTIDE" config --json >config.json || fail "config --json: status $?"
json config.json '.settings[] | "\(.name) \(.variable) \(.option // "-") \(
	.default // "none") \(.read_by)"' | sort >there
[ "$(wc -l <there)" -ge 50 ] || fail "few settings: $(cat there)"

sed -n '/^\.Sh SETTINGS/,/^\.Sh PRESETS/p' "$page" | awk '
	/^\.It Li / { key = $3; option = "-" }
	/^\.Ev / { variable = $2 }
	/^\.Fl -/ { option = substr($2, 2) }
	/^default / { value = $2; sub(/,$/, "", value)
		getline; print key, variable, option, value, $0 }
' | sort >told
diff told there >differing ||
	fail "< in the page alone, > in the table alone:
$(cat differing)"

# --- presets -----------------------------------------------------------------

"$HEAPTIDE" preset list --json >presets.json || fail "preset list: status $?"
json presets.json '.presets[] | .name as $n | $n,
	(.settings | to_entries[] | "\($n) \(.key) \(.value)")' | sort >there
sed -n '/^\.Sh PRESETS/,/^\.El/p' "$page" | awk '
	/^\.It Cm / { name = $3; print name }
	/^\.Li / { print name, $2, $6 }
' | sort >told
diff told there >differing ||
	fail "presets: < in the page alone, > in the table alone:
$(cat differing)"

# --- the options of run are those of the table -------------------------------

"$HEAPTIDE" run --help >help || fail "run --help: status $?"
for option in $(json config.json '.settings[].option | strings'); do
	grep -q -e "--$option" help || fail "run has no --$option"
done

# --- what the library is said to read, it reads ------------------------------

for variable in $(json config.json '.settings[] |
	select(.read_by == "library" or .read_by == "noted") | .variable'); do
	grep -qr -e "$variable\"" -e "\"${variable#HEAPTIDE_}\"" \
		"$srcdir"/src/door "$srcdir"/src/sys "$srcdir"/src/plan ||
		fail "no part of the library reads $variable"
done

# And what is said to be exported alone, it does not.
for variable in $(json config.json '.settings[] |
	select(.read_by == "exported") | .variable'); do
	! grep -qr -e "$variable\"" -e "\"${variable#HEAPTIDE_}\"" \
		"$srcdir"/src/door "$srcdir"/src/plan ||
		fail "the library reads $variable, which settings.c denies"
done
