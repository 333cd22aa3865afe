#!/bin/sh
# keeper.sh - a program that was preloaded by hand serves its socket itself, if
# that is asked for: with a thread of heaptide's, which leaves nothing behind
. "${srcdir:-.}/tests/lib.sh"
need jq perl

cat >ask.pl <<'PL'
use IO::Socket::UNIX;
my $s = IO::Socket::UNIX->new(shift) or die "$!\n";
print $s map { "$_\n" } @ARGV;
$s->shutdown(1);
print while <$s>;
PL

# say REQUEST...: at the socket itself; the answers, a line each, in answers
say()
{
	limited 20 perl ask.pl "$HEAPTIDE_DIR/$pid.sock" "$@" >answers
}

# begin KEEPER COMMAND...: preloaded by hand; its pid
begin()
{
	keeper=$1
	shift
	env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_KEEPER=$keeper \
	    HEAPTIDE_STACKS=none "$@" </dev/null >out 2>err &
	pid=$!
	started="$started $pid"
}

is_served()
{
	[ -S "$HEAPTIDE_DIR/$pid.sock" ] && say version
}

# --- on -----------------------------------------------------------------------

begin on "$victims/turned" 2 enough
await is_served
say version 'STACKS all' 'mark by hand' nonsense
same "answers" "true true true false" \
    "$(jq -rs 'map(.ok | tostring) | join(" ")' answers)"
turned()
{
	say stacks && [ "$(jq -r .stacks answers)" = all ]
}
await turned
say trim
trimmed()
{
	say marks && jq -e 'any(.marks[]; .kind == "trim")' answers
}
await trimmed
noted()
{
	say 'series 10' && jq -e '.series | length > 1' answers
}
await noted
touch enough
wait "$pid" || fail "status $?: $(cat err)"
[ ! -e "$HEAPTIDE_DIR/$pid.sock" ] || fail "the socket is left behind"
[ ! -s err ] || fail "it wrote: $(cat err)"
cp "$HEAPTIDE_DIR/$pid".*.tide profile.tide
report profile.tide
same "exact" true "$(json report.json .exact)"
[ "$(json report.json '[.threads[].name] | index("heaptide")')" = null ] ||
	fail "the keeper is counted among the program's threads"

# An idle program answers, too, and is turned at once.
begin on sleep 600
await is_served
say 'stacks all'
turned_all()
{
	say stacks && [ "$(jq -r .stacks answers)" = all ]
}
await turned_all

# Its last thread ends by pthread_exit(), and the process with it.
limited 20 env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_KEEPER=on \
	"$victims/endings" last-thread >out 2>err </dev/null
same "status after pthread_exit()" 0 $?

# A child has no keeper, and the parent's is its own.
begin on perl -e 'if (fork) { wait; sleep 600 } else { my @x = (1) x 9999;
    exit !grep { -S $_ } </proc/self/fd/*> ? 0 : 1 }'
await is_served
kill "$pid"

# It closes what it does not know; under the same numbers are files of its own.
cat >closer.pl <<'PL'
use POSIX;
POSIX::close($_) for 3 .. 60;
my @file = map { open my $f, ">", "file.$_" or die; $f } 1 .. 40;
sleep 1 while !-e "asked";
print { $_ } "mine\n" for @file;
PL
begin on perl closer.pl
opened()
{
	[ -e file.40 ]
}
await opened
say version || : # whoever answers, or nobody
sleep 1 # the keeper turns twice a second
touch asked
wait "$pid"
for file in file.*; do
	same "$file" mine "$(cat "$file")"
done

# --- not ----------------------------------------------------------------------

# What a program of two threads may not do, one that is preloaded by hand does.
if unshare -U true 2>/dev/null; then
	for keeper in auto off; do
		LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_KEEPER=$keeper \
			limited 20 unshare -U true 2>err ||
			fail "$keeper: a name space of users: $(cat err)"
	done
else
	without "name spaces of users"
fi

for keeper in auto off; do
	begin $keeper sleep 600
	alive()
	{
		"$HEAPTIDE" status "$pid"
	}
	await alive
	[ ! -e "$HEAPTIDE_DIR/$pid.sock" ] || fail "$keeper: there is a socket"
	same "$keeper: threads" 1 "$(sed -n 's/^Threads:\t//p' \
	    "/proc/$pid/status")"
	kill "$pid"
done
export HEAPTIDE_DIR="$scratch/other" # without those of who was killed
limited 60 "$HEAPTIDE" run --keeper off --summary off -o profile.tide -- \
	sh -c 'sleep 0.5; ls "$HEAPTIDE_DIR"/*.sock' >out 2>err &&
	fail "--keeper off: there is a socket: $(cat out)"
true
