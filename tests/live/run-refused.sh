#!/bin/sh
# run-refused.sh - what cannot be run or profiled is said in one sentence, and
# runs all the same where it can
. "${srcdir:-.}/tests/lib.sh"

# says STATUS WORDS COMMAND...: one line on stderr that holds WORDS
says()
{
	expected=$1 words=$2
	shift 2
	"$@" >out 2>err
	status=$?
	same "status of '$*'" "$expected" "$status"
	same "lines of '$*'" 1 "$(wc -l <err)"
	grep -q "^heaptide: .*$words" err ||
		fail "'$*' does not say '$words' but: $(cat err)"
}

run()
{
	"$HEAPTIDE" run -o profile.tide "$@"
}

# --- what cannot be run ------------------------------------------------------

mkdir directory
touch plain
printf '#!/no/such/shell\n' >orphan
printf '#!%s/directory\n' "$scratch" >strange
chmod +x orphan strange

says 127 "no such command" run -- no-such-command
says 127 "no such file" run -- ./no-such-file
says 126 "directory" run -- ./directory
says 126 "not executable" run -- ./plain
says 127 "interpreter /no/such/shell" run -- ./orphan
says 126 "interpreter .*directory" run -- ./strange
[ ! -e profile.tide ] || fail "a profile of nothing"

# --- what cannot be profiled -------------------------------------------------

echo 'int main(void) { return 7; }' >seven.c
if ${CC:-cc} -static -o seven seven.c 2>/dev/null; then
	says 7 "statically linked" run -- ./seven
	says 7 "statically linked" run -q -- ./seven
	printf '#!%s/seven\n' "$scratch" >script
	chmod +x script
	says 7 "statically linked" run -- ./script
fi
says 3 "HEAPTIDE=0" env HEAPTIDE=0 "$HEAPTIDE" run -- sh -c 'exit 3'
says 3 "no-such-place" env HEAPTIDE_DIR=/no-such-place/x \
	"$HEAPTIDE" run -- sh -c 'exit 3'
says 3 "no-such.so is not there" env HEAPTIDE_LIBRARY=/no-such.so \
	"$HEAPTIDE" run -- sh -c 'exit 3'
cp "$LIBHEAPTIDE" "blank in.so"
says 3 "blank" env HEAPTIDE_LIBRARY="blank in.so" \
	"$HEAPTIDE" run -- sh -c 'exit 3'
[ ! -e profile.tide ] || fail "a profile of nothing"

# Somebody else's rights: only root can make such a program for others.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$scratch"
	cp /bin/true raised
	chmod 4755 raised
	mkdir -m 700 theirs
	chown 65534 theirs
	if setpriv --reuid 65534 --clear-groups "$HEAPTIDE" version >/dev/null
	then
		says 0 "set-user-ID" setpriv --reuid 65534 --clear-groups \
			env HEAPTIDE_DIR="$scratch/theirs" \
			"$HEAPTIDE" run -- ./raised
	fi
fi

# --- a library that never reports in -----------------------------------------

other=$(ldd "$(command -v sh)" | awk '/libc\.so/ { print $3 }')
says 125 "never reported in" env HEAPTIDE_LIBRARY="$other" \
	"$HEAPTIDE" run -- true
says 3 "never reported in" env HEAPTIDE_LIBRARY="$other" \
	"$HEAPTIDE" run -- sh -c 'exit 3'
[ ! -e profile.tide ] || fail "an empty profile"

# --- a command line that is wrong --------------------------------------------

for wrong in "--stacks some" "--depth 0" "--depth x" \
	"--children few" "--summary no" "--no-such-option" \
	"-o %z" "-o 100%"; do
	says 2 "${wrong#* }" run $wrong -- touch started
done
says 2 "HEAPTIDE_STACKS" env HEAPTIDE_STACKS=some "$HEAPTIDE" run \
	-- touch started
says 2 "CMD" run
[ ! -e started ] || fail "the program ran although its options are wrong"
