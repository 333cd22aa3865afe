#!/bin/sh
# judge-lsan.sh - what LeakSanitizer calls leaked in C and C++ programs we call
# unreachable, block for block and byte for byte, and nothing else
. "${srcdir:-.}/tests/lib.sh"
need jq clang awk
clang -fsanitize=leak -x c -o trial - <<'EOF' 2>/dev/null && ./trial ||
int main(void) { return 0; }
EOF
	skip "clang has no LeakSanitizer, or that cannot run here"

# of_sanitizer: its report as lines FUNCTION KIND BLOCKS BYTES.  Ours are what
# malloc() makes of them: 24, 40, 56 ...; the sizes of one entry are equal.
of_sanitizer()
{
	awk '
	function close_entry() {
		if (kind == "")
			return
		each = bytes / blocks
		usable = each <= 24 ? 24 : int((each + 8 + 15) / 16) * 16 - 8
		if (each > 130000)
			usable = int((each + 16 + 4095) / 4096) * 4096 - 16
		n[name " " kind] += blocks
		b[name " " kind] += blocks * usable
		kind = ""
	}
	/^(Direct|Indirect) leak of/ {
		close_entry()
		kind = tolower($1)
		bytes = $4
		blocks = $7
		name = "?"
	}
	/^ *#[0-9]+ / {
		for (i = 1; i <= NF; i++)
			if (match($i, /^(lost|kept)_[a-z_]*/))
				name = substr($i, RSTART, RLENGTH)
	}
	END {
		close_entry()
		for (k in n)
			print k, n[k], b[k]
	}' "$1" | sort
}

of_ours()
{
	jq -r '[.leaks[] | . as $l | ([.stack[].function |
	    capture("^(?<n>(lost|kept)_[a-z_]*)").n] | last // "?") as $n |
	    ["direct", "indirect"][] | {name: "\($n) \(.)",
	    blocks: $l["\(.)_blocks"], bytes: $l["\(.)_bytes"]} |
	    select(.blocks > 0)] | group_by(.name)[] |
	    "\(.[0].name) \(map(.blocks) | add) \(map(.bytes) | add)"' "$1" |
	    sort
}

for source in judged.c judged.cc; do
	case $source in
	*.cc) compiler=clang++ ;;
	*) compiler=clang ;;
	esac
	command -v $compiler >/dev/null || {
		without "$source: $compiler is not installed"
		continue
	}
	for level in 0 2; do
		$compiler -g -O$level -fno-builtin -pthread -o plain \
		    "$srcdir/tests/victims/$source" 2>said &&
		$compiler -g -O$level -fno-builtin -pthread -fsanitize=leak \
		    -o checked "$srcdir/tests/victims/$source" 2>said || {
			without "$source: $(head -n 1 said)"
			continue
		}
		LSAN_OPTIONS=exitcode=0:fast_unwind_on_malloc=0 \
		    limited 60 ./checked >told 2>&1 ||
			fail "$source: LeakSanitizer: $(cat told)"
		of_sanitizer told >theirs
		[ -s theirs ] || fail "$source: nothing leaks: $(cat told)"
		limited 60 "$HEAPTIDE" run --stacks all --scan-at-exit \
		    --summary off -o profile.tide -- ./plain ||
			fail "$source: status $?"
		limited 60 "$HEAPTIDE" leaks --scan --json profile.tide \
		    >scan.json || fail "$source: no scan"
		of_ours scan.json >ours
		diff theirs ours >differing || fail "$source, -O$level: <" \
		    "LeakSanitizer's, > ours: $(cat differing)"
	done
done
