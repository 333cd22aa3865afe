#!/bin/sh
# completion.sh - bash, zsh and fish complete what the commands' tables hold
. "${srcdir:-.}/tests/lib.sh"

PATH=$(dirname "$HEAPTIDE"):$PATH
export PATH

for shell in bash zsh fish; do
	"$HEAPTIDE" completion $shell >completion.$shell ||
		fail "completion $shell: status $?"
done
refused=0
"$HEAPTIDE" completion tcsh >out 2>said || refused=$?
same "an unknown shell" "2 heaptide: completion: 'tcsh' is no shell that is \
known; bash, zsh and fish are" "$refused $(cat said)"

# Every command and every option of it, in each of the three.
"$HEAPTIDE" help | sed -n 's/^  \([a-z]\{2,\}\)  .*/\1/p' >names
[ "$(wc -l <names)" -ge 20 ] || fail "few commands: $(cat names)"
while read -r name; do
	"$HEAPTIDE" "$name" --help | grep -o -e '--[a-z][a-z-]*' |
		grep -v -x -e --help | sort -u >options
	for shell in bash zsh fish; do
		grep -q -w "$name" completion.$shell ||
			fail "$shell: $name is missing"
	done
	while read -r option; do
		fish_form="__heaptide_is $name' -l ${option#--} "
		grep -q -e "$fish_form" completion.fish ||
			fail "fish: $name $option is missing"
		grep -q -e "$option" completion.zsh ||
			fail "zsh: $name $option is missing"
	done <options
	sed -n "/^	$name)/,/options=/p" completion.bash >line
	while read -r option; do
		grep -q -e "$option[ ']" line ||
			fail "bash: $name $option is missing"
	done <options
done <names

mkdir dir
: >dir/a.tide

# What is offered for these, in any of them.
{
	echo "rep|report"
	echo "run --stacks sa|sampled"
	echo "run --children |all exec none"
	echo "report --js|--json"
	echo "checkpoints ve|verify"
	echo "report dir/|dir/a.tide"
	echo "completion |bash fish zsh"
} >wanted

# --- bash --------------------------------------------------------------------

if command -v bash >/dev/null; then
	cat >ask.bash <<'B'
. ./completion.bash
while IFS='|' read -r line want; do
	read -ra COMP_WORDS <<<"heaptide $line"
	[[ $line == *\  ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_heaptide
	got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' ')
	[ "$got" = "$want" ] || echo "bash: '$line': '$got', not '$want'"
done <wanted
# `--stacks=a`, as bash parts it.
COMP_WORDS=(heaptide run --stacks = a) COMP_CWORD=4
_heaptide
[ "${COMPREPLY[*]}" = all ] || echo "bash: --stacks=a: '${COMPREPLY[*]}'"
B
	same "bash" "" "$(bash --norc ask.bash 2>&1)"
fi

# --- fish --------------------------------------------------------------------

if command -v fish >/dev/null; then
	cat >ask.fish <<'F'
source completion.fish
while read -l -d '|' line want
	set got (complete -C "heaptide $line" | string replace -r '\t.*' '' | sort | string join ' ')
	test "$got" = "$want"; or echo "fish: '$line': '$got', not '$want'"
end <wanted
F
	same "fish" "" "$(HOME=$scratch fish --no-config ask.fish 2>&1)"
fi

# --- zsh: only at a prompt can it be asked -----------------------------------

if command -v zsh >/dev/null; then
	mkdir functions
	cp completion.zsh functions/_heaptide
	cat >ask.zsh <<'Z'
zmodload zsh/zpty
zpty shell zsh -f -i
integer lines=0
# seen FILE: what the shell writes to its terminal must be taken off meanwhile
seen() {
	local line
	repeat 3000; do
		while zpty -rt shell line; do :; done
		[[ -e $1 ]] && return 0
		sleep 0.01
	done
	print "zsh: $1 does not come"
	exit
}
zpty -w shell 'fpath=($PWD/functions $fpath); autoload -U compinit; compinit -D -u'
# Candidates go, one a line, where a function can write them.
zpty -w shell 'show() { compadd() { local -a m; builtin compadd -O m "$@"; print -rl -- $m >>got; builtin compadd "$@" }; _main_complete; unfunction compadd }'
zpty -w shell 'zle -C show complete-word show; bindkey "^T" show; : >ready'
seen ready
while IFS='|' read -r line want; do
	rm -f got
	(( lines++ ))
	zpty -w -n shell $'\C-u'"heaptide $line"$'\C-T'
	zpty -w shell $'\C-u'": >asked.$lines"
	seen asked.$lines
	got=$(sort -u got 2>/dev/null | paste -sd' ')
	for word in ${(s: :)want}; do
		[[ " $got " == *" ${word##*/}"[\ =]* ]] ||
			print "zsh: '$line': '$got', without '$word'"
	done
done <wanted
Z
	same "zsh" "" "$(HOME=$scratch zsh -f ask.zsh 2>&1)"
fi

for shell in fish zsh; do
	command -v $shell >/dev/null || without "$shell is not installed"
done
