#!/bin/sh
# config.sh - of what is set in many places the nearest counts, a program finds
# it in its environment, and what is not understood starts nothing
. "${srcdir:-.}/tests/lib.sh"
need jq
unset HEAPTIDE_SAMPLE

# variables ARGUMENT...: of a program that is run so, in `found`
variables()
{
	limited 60 "$HEAPTIDE" run -q -o p.tide "$@" -- env >all ||
		fail "run $*: status $?"
	grep ^HEAPTIDE_ all >found
}

# finds NAME=VALUE...
finds()
{
	for line; do
		grep -qx "$line" found || fail "no $line in: $(cat found)"
	done
}

# refused SENTENCE ARGUMENT...: of the command; nothing was started
refused()
{
	sentence=$1
	shift
	limited 60 "$HEAPTIDE" "$@" >out 2>err </dev/null
	same "status of $*" 2 $?
	grep -q -e "^heaptide: .*$sentence" err || fail "$*: $(cat err)"
	same "lines of $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

M=1048576

# --- who is nearer -----------------------------------------------------------

variables
! grep -q -e BUDGET -e BATCH -e RETR found ||
	fail "defaults are exported: $(cat found)"

mkdir -p config/heaptide
cat >config/heaptide/heaptide.conf <<-EOF
	[batch]
	initial = 9
	max = 90
	[retry]
	max = 8
EOF
cat >heaptide.conf <<-EOF
	budget = 100M       # not much
	stacks = none
	preset = dev
	batch.max = 80
EOF
variables
finds HEAPTIDE_BUDGET=$((100 * M)) HEAPTIDE_STACKS=none \
	HEAPTIDE_BATCH_INITIAL=9 HEAPTIDE_BATCH_MAX=80 HEAPTIDE_RETRIES=8 \
	HEAPTIDE_CHECKPOINT_EVERY=3 HEAPTIDE_PRESET=dev

HEAPTIDE_BUDGET=200M HEAPTIDE_STACKS=sampled variables
finds HEAPTIDE_BUDGET=$((200 * M)) HEAPTIDE_STACKS=sampled
HEAPTIDE_BUDGET=200M HEAPTIDE_STACKS=none variables --budget 50M \
	--stacks all --warn 60% --critical 70% --target 55% --enforce off
finds HEAPTIDE_BUDGET=$((50 * M)) HEAPTIDE_STACKS=all HEAPTIDE_WARN=60% \
	HEAPTIDE_CRITICAL=70% HEAPTIDE_TARGET=55% HEAPTIDE_ENFORCE=off
variables --preset high
finds HEAPTIDE_CHECKPOINT_EVERY=10 HEAPTIDE_PRESET=high
variables --config /dev/null
! grep -q BATCH found || fail "not alone: $(cat found)"
HEAPTIDE_CONFIG=/dev/null variables --preset seed001
finds HEAPTIDE_BUDGET=$((2048 * M)) HEAPTIDE_POLICY=seed HEAPTIDE_WARN=50%

# What acts on a run itself acts from a file as well.
printf 'summary = json\n' >json.conf
limited 60 "$HEAPTIDE" run --config json.conf -o p.tide -- true 2>err
jq -e .heaptide err >/dev/null || fail "no JSON: $(cat err)"

# What these are called elsewhere is understood.
HEAPTIDE_SUMMARY=0 limited 60 "$HEAPTIDE" run -o p.tide -- true 2>err
same "HEAPTIDE_SUMMARY=0" "" "$(cat err)"
HEAPTIDE_SUMMARY=1 limited 60 "$HEAPTIDE" run -o p.tide -- true 2>err
grep -q 'peak heap' err || fail "HEAPTIDE_SUMMARY=1: $(cat err)"
HEAPTIDE_LOG=debug variables
finds HEAPTIDE_LOG_DEBUG=on
[ ! -e debug ] || fail "HEAPTIDE_LOG=debug is a file"
HEAPTIDE_TRACE=1 variables
finds HEAPTIDE_LOG_DEBUG=on
HEAPTIDE_TRACE=1 HEAPTIDE_LOG_DEBUG=off variables
finds HEAPTIDE_LOG_DEBUG=off

# So does it on the program that `check` runs.
printf 'batch.max = 77\n[retry]\nmax = 2\n' >check.conf
HEAPTIDE_CONFIG=check.conf limited 60 "$HEAPTIDE" check --fail-if 'peak>1G' \
	-- env >all || fail "check: status $?"
grep '^HEAPTIDE_' all >found
finds HEAPTIDE_BATCH_MAX=77 HEAPTIDE_RETRIES=2

# --- what is in the profile --------------------------------------------------

limited 60 "$HEAPTIDE" run -q --budget 64M --warn 60.5% --critical 70% \
	--target 55% --enforce enomem -o p.tide -- sh -c \
	'"$0" ctl $$ status >status.json' "$HEAPTIDE" ||
	fail "status: $?: $(cat status.json)"
same "configuration" "67108864 0.605 0.7 0.55 enomem" "$(json status.json \
	'.configuration | "\(.budget) \(.warn) \(.critical) \(.target) \(
	.enforce)"')"
# By hand as well: there, what is relative is computed by the library.
LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_BUDGET=max-1M sh -c \
	'"$0" ctl $$ status >status.json' "$HEAPTIDE" ||
	fail "status by hand: $?: $(cat status.json)"
budget=$(json status.json .configuration.budget)
[ "$budget" -gt $M ] || fail "max-1M has come to $budget"

# --- told --------------------------------------------------------------------

HEAPTIDE_BUDGET=200M limited 60 "$HEAPTIDE" config --json >config.json ||
	fail "config: status $?"
same "budget" "200M environment HEAPTIDE_BUDGET run" "$(json config.json \
	'.settings[] | select(.name == "budget") |
	"\(.value) \(.origin) \(.from) \(.read_by)"')"
same "batch.max" "80 file ./heaptide.conf:4" "$(json config.json \
	'.settings[] | select(.name == "batch.max") |
	"\(.value) \(.origin) \(.from)"')"
same "retry.max" "8 user file" "$(json config.json \
	'.settings[] | select(.name == "retry.max") | "\(.value) \(.origin)"')"
same "files" 2 "$(json config.json '.files | length')"
limited 60 "$HEAPTIDE" config --explain >text || fail "explain: $?"
grep -q '^checkpoint.every  *3  *preset dev  *library$' text ||
	fail "explain: $(cat text)"

# Of two that say something the nearer one wins, an option above all.
nearest()
{
	limited 60 "$HEAPTIDE" config --json "$@" >config.json ||
		fail "config $*: status $?"
	json config.json '.settings[] | select(.name == "budget") |
		"\(.value) \(.origin) \(.from)"'
}
HEAPTIDE_BUDGET=200M
export HEAPTIDE_BUDGET
same "an option" "1.5G command line --budget" "$(nearest --budget 1.5G)"
same "a variable" "200M environment HEAPTIDE_BUDGET" "$(nearest)"
unset HEAPTIDE_BUDGET
limited 60 "$HEAPTIDE" config --explain --retries 9 --stacks all >text ||
	fail "explain: $?"
grep -q '^retry.max  *9  *command line: --retries  *run$' text &&
	grep -q '^stacks  *all  *command line: --stacks  *library$' text ||
	fail "explain: $(cat text)"
# All options that are settings: a value that none of them takes.
options=$(json config.json '.settings[].option // empty')
[ -n "$options" ] || fail "no setting has an option"
for option in $options; do
	limited 60 "$HEAPTIDE" config "--$option" '?' >out 2>err
	same "status of config --$option ?" 2 $?
	grep -q -e "--$option '?' is not accepted" err ||
		fail "config --$option: $(cat err)"
done

# What it prints is a file that says the same.
limited 60 "$HEAPTIDE" config >printed || fail "config: $?"
limited 60 "$HEAPTIDE" config check printed >out || fail "check: $(cat out)"
grep -q 'printed is good: [0-9]* settings, 0 jobs' out || fail "$(cat out)"
limited 60 "$HEAPTIDE" config --config printed >again || fail "config: $?"
diff printed again || fail "another file"

# --- presets -----------------------------------------------------------------

limited 60 "$HEAPTIDE" preset list >list || fail "preset list: $?"
for name in dev prod high free starter standard pro large constrained \
	performance seed seed001 auto; do
	grep -q "^$name " list || fail "no preset $name: $(cat list)"
	limited 60 "$HEAPTIDE" preset show $name >preset.conf ||
		fail "preset show $name: $?"
	limited 60 "$HEAPTIDE" config check preset.conf >out ||
		fail "preset $name is no file"
done
limited 60 "$HEAPTIDE" preset show prod --json >preset.json
same "prod" "3 2 512M 5" "$(json preset.json '.settings |
	"\(.["batch.initial"]) \(.["concurrency.max"]) \(.budget) \(
	.["checkpoint.every"])"')"
# By the size of the budget, which is that of a made machine here.
HEAPTIDE_SYSROOT=$srcdir/tests/unit/fixtures/sysroot-v2 limited 60 \
	"$HEAPTIDE" config --config /dev/null --preset auto --json >auto.json
same "auto of 4 GiB" pro "$(json auto.json .preset)"
HEAPTIDE_SYSROOT=$srcdir/tests/unit/fixtures/sysroot-v2-namespace limited 60 \
	"$HEAPTIDE" config --config /dev/null --preset auto --json >auto.json
same "auto of 512 MiB" free "$(json auto.json .preset)"

# --- refused -----------------------------------------------------------------

printf 'depth = 7\nwran = 60%%\n' >bad.conf
refused "bad.conf:2: there is no setting 'wran'" \
	run --config bad.conf -- touch started
refused "bad.conf:2: there is no setting 'wran'" config check bad.conf
HEAPTIDE_CONFIG=bad.conf
export HEAPTIDE_CONFIG
refused "check: bad.conf:2: there is no setting 'wran'" check -- touch started
unset HEAPTIDE_CONFIG
refused "no.conf cannot be read: No such file" \
	run --config no.conf -- touch started
refused "--preset 'nix' is not accepted: give dev, prod" \
	run --preset nix -- touch started
refused "there is no preset 'nix'; there are dev, prod" preset show nix
refused "--warn '0.7' is not accepted: give a share such as 75%" \
	run --warn 0.7 -- touch started
refused "warn 90% (--warn) is not below critical 88% (default)" \
	run --warn 90% -- touch started
refused "--enforce 'kill' is not accepted: give off, enomem, abort, exit85" \
	run --enforce kill -- touch started
refused "--budget max-8E takes away more than the lowest limit" \
	run --budget max-8E -- touch started
refused "--gate '100M' is not accepted: give SIZE:skip" \
	run --gate 100M -- touch started
HEAPTIDE_RETRIES=many
export HEAPTIDE_RETRIES
refused "HEAPTIDE_RETRIES 'many' is not accepted" run -- touch started
refused "HEAPTIDE_RETRIES 'many' is not accepted" config
unset HEAPTIDE_RETRIES
refused "check needs a FILE" config check
refused "'list' and 'show NAME' are" preset lost
refused "show needs a NAME" preset show
[ ! -e started ] || fail "a program was started all the same"

# An unreadable directory of another user's is no reason not to run.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$scratch"
	chmod 700 config
	setpriv --reuid 65534 --clear-groups "$HEAPTIDE" config \
		--explain >out 2>err || without "another user: $(cat err)"
fi
