# recommend.sh - have a program advised, follow the advice, look again
#
# For the scripts in tests/live, in place of lib.sh:
#
#	. "${srcdir:-.}/tests/recommend.sh"
#	advised --budget 64M -- alike fixed=64
#	has R-OK
. "${srcdir:-.}/tests/lib.sh"
need jq

# advised [OPTION...] -- WAY [NAME=NUMBER...]: run it, and what is recommended is
# in advice.json, what its operations did in ops.json, what it said in account.
advised()
{
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	last_way="$*"
	rm -f profile.tide
	# shellcheck disable=SC2086 # words on purpose
	limited 120 "$HEAPTIDE" run --stacks all --summary off $options \
		-o "$scratch/profile.tide" -- "$victims/advised" "$@" \
		>account 2>err || fail "advised $*: $(cat err)"
	limited 60 "$HEAPTIDE" recommend --json profile.tide >advice.json ||
		fail "recommend: status $?"
	limited 60 "$HEAPTIDE" ops --json profile.tide >ops.json ||
		fail "ops: status $?"
}

ids()
{
	json advice.json '[.recommendations[].id] | join(" ")'
}

# has ID, lacks ID
has()
{
	ids | tr ' ' '\n' | grep -qx "$1" ||
		fail "$last_way: no $1, but: $(json advice.json \
		    '.recommendations[].text'; cat ops.json)"
}

lacks()
{
	! ids | tr ' ' '\n' | grep -qx "$1" ||
		fail "$last_way: $1: $(json advice.json ".recommendations[] |
		    select(.id == \"$1\") | .text"; cat ops.json)"
}

# advised_until ID [OPTION...] -- WAY [NAME=NUMBER...]: it follows from how long
# things take, or from a look in between, which on a busy machine may come out
# otherwise: three times at most.
advised_until()
{
	until_id=$1
	shift
	for try in 1 2 3; do
		advised "$@"
		! ids | tr ' ' '\n' | grep -qx "$until_id" || return 0
	done
	has "$until_id"
}

# number ID NAME: whole
number()
{
	json advice.json ".recommendations[] | select(.id == \"$1\") |
	    .numbers.$2 | floor"
}

# member ID NAME: setting, key, value, severity ...
member()
{
	json advice.json "first(.recommendations[] | select(.id == \"$1\")) |
	    .$2"
}

# op NAME: a figure of the operation, whole
op()
{
	json ops.json ".ops[0].$1 | floor"
}
