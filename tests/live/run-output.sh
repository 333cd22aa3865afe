#!/bin/sh
# run-output.sh - profiles go where they are told, and nothing stays behind
. "${srcdir:-.}/tests/lib.sh"

nothing_stays()
{
	left=$(ls "$HEAPTIDE_DIR")
	same "what stays in the directory" "" "$left"
}

# --- names -------------------------------------------------------------------

"$HEAPTIDE" run -q -- true
set -- heaptide.true.*.tide
[ -s "$1" ] || fail "no heaptide.true.PID.tide"
pid=${1#heaptide.true.}
rm "$1"

PMI_RANK=3 "$HEAPTIDE" run -q -o 'a-%p-%h-%c-%r-%%.tide' -- \
	/bin/sh -c 'echo $$ >pid'
[ -s "a-$(cat pid)-$(cat /proc/sys/kernel/hostname)-sh-3-%.tide" ] ||
	fail "the pattern became $(ls)"
rm a-*
nothing_stays

# In a directory it has the name that it has by default.
mkdir "my profiles"
for folder in "my profiles" "my profiles/"; do
	"$HEAPTIDE" run -q -o "$folder" -- true
	same "status into a directory" 0 $?
	set -- "my profiles"/*
	[ $# -eq 1 ] && [ -s "$1" ] || fail "-o '$folder': $*"
	case $1 in
	"my profiles"/heaptide.true.[1-9]*.tide) rm "$1" ;;
	*) fail "-o '$folder' became $1" ;;
	esac
done
nothing_stays

# --- what cannot be written --------------------------------------------------

"$HEAPTIDE" run -q -o no/such/place.tide -- sh -c 'exit 3' 2>err
same "status" 3 $?
same "sentences" 1 "$(wc -l <err)"
kept=$(sed -n 's/.*the profile is in //p' err)
limited 60 "$HEAPTIDE" report "$kept" >/dev/null ||
	fail "what is kept cannot be read: $(cat err)"
rm "$kept"

if [ "$(id -u)" -eq 0 ] && [ -e /dev/full ]; then
	mkdir full
	if mount -t tmpfs -o size=4k none full 2>/dev/null; then
		"$HEAPTIDE" run -q -o full/x.tide -- true 2>err
		same "status with a full disk" 0 $?
		same "files on the full disk" "" "$(ls full)"
		umount full
		grep -q "No space left" err || fail "no word of a full disk"
		rm "$HEAPTIDE_DIR"/*
	fi
fi

# --- children ----------------------------------------------------------------

cat >family <<'END'
sh -c 'sh -c "exit 1"; exit 2'
perl -e 'my @x = (1) x 1000; if (fork) { wait; exit 0 } my @y = (2) x 1000; exit 5'
exec sh -c 'exit 4'
END
"$HEAPTIDE" run -o f.tide -- sh ./family 2>err
same "status" 4 $?
nothing_stays
ls f.tide.d | grep -q '^heaptide\.sh\.[0-9]*\.0\.tide$' ||
	fail "what it was before exec is not there: $(ls f.tide.d)"
same "forked and not exec'ed" 2 "$(ls f.tide.d | grep -c perl)"
grep -q '^  children .* largest perl ' err || fail "no children: $(cat err)"
for profile in f.tide f.tide.d/*; do
	limited 60 "$HEAPTIDE" report "$profile" >/dev/null ||
		fail "$profile cannot be read"
done

# A folder speaks of the last run only; what is not ours stays.
touch f.tide.d/mine
"$HEAPTIDE" run -q -o f.tide -- true
same "an old folder" mine "$(ls f.tide.d)"

"$HEAPTIDE" run -q --children none -o n.tide -- sh ./family
[ -s n.tide ] || fail "--children none forgets the program itself"
same "--children none" 0 "$(ls n.tide.d 2>/dev/null | grep -c perl)"
"$HEAPTIDE" run -q --children exec -o e.tide -- sh ./family
same "--children exec" 1 "$(ls e.tide.d | grep -c perl)"
nothing_stays

# --- a run within a run ------------------------------------------------------

"$HEAPTIDE" run -q -o outer.tide -- \
	"$HEAPTIDE" run -q -o inner.tide -- sh -c 'exit 6'
same "status through two" 6 $?
[ -s inner.tide ] && [ -s outer.tide ] || fail "one of two profiles is missing"
nothing_stays

# --- the summary -------------------------------------------------------------

"$HEAPTIDE" run -o s.tide -- sort /dev/null 2>err >out
[ -s out ] && fail "the summary is on standard output"
lines=$(wc -l <err)
within "lines of the summary" 5 13 "$lines"
tail -n 1 err | grep -q 'heaptide report s.tide' || fail "no word of what next"
"$HEAPTIDE" run --summary json -o s.tide -- sort /dev/null 2>err
same "in JSON" "exited 0 s.tide" \
	"$(json err '"\(.end.how) \(.end.status) \(.file)"')"
for quiet in -q '--summary off'; do
	"$HEAPTIDE" run $quiet -o s.tide -- sort /dev/null 2>err
	same "with $quiet" "" "$(cat err)"
done
