#!/bin/sh
# program-git.sh - git log --stat over a history of some hundred commits
. "${srcdir:-.}/tests/lib.sh"
need git awk

export HOME="$scratch" GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
git init -q history || fail "git init failed"
awk 'BEGIN {
	for (c = 1; c <= 400; c++) {
		text = ""
		for (i = 0; i < 200; i++)
			text = text "line " i " of " int((c * 7 + i) / 60) "\n"
		printf "commit refs/heads/main\ncommitter A B <a@b> %d +0000\n",
		    1600000000 + c * 1000
		printf "data <<END\nchange %d\n\nwith a body\nEND\n", c
		for (f = 0; f < 3; f++)
			printf "M 644 inline dir%d/file%d.txt\ndata %d\n%s\n",
			    (c + f) % 5, (c * 3 + f) % 23, length(text), text
	}
}' | git -C history fast-import --quiet || fail "git fast-import failed"

unharmed git -C history log --stat -M main
[ "$(wc -l <under.out)" -gt 2000 ] || fail "that is no history"
unharmed git -C history log -p -20 --word-diff main
unharmed git -C history gc --quiet
unharmed git -C history fsck --full
unharmed git -C history checkout no-such-branch
