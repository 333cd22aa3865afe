#!/bin/sh
# pressure.sh - who waits to be told of memory pressure is told, by systemd's
# protocol, once the budget is nearly used; and where systemd tells, a program that
# asks for its budget hears of it, with the library inside and without
. "${srcdir:-.}/tests/lib.sh"

# pressed STATUS SAYS BUDGET BYTES SECONDS [sd-event]
pressed()
{
	expected=$1 says=$2 budget=$3
	shift 3
	limited 60 "$HEAPTIDE" run -q --stacks none -o p.tide \
		--budget "$budget" -- "$victims/pressed" "$@" >out 2>err
	status=$?
	[ $status -ne 77 ] || return 77
	same "status of pressed $*" "$expected" $status
	same "pressed $* with $budget" "$says" "$(cat out)"
}

pressed 0 told 100M 90000000 30
# At half of it nobody is told; nor without a budget.
pressed 1 "not told" 100M 40000000 5
# The line is the one that is set.
HEAPTIDE_WARN=30% pressed 0 told 100M 40000000 30

pressed 0 told 100M 90000000 30 sd-event ||
	without "sd-event: $(cat out)"

# The fifo is gone when it is over, whatever the end was.
limited 60 "$HEAPTIDE" run -q -o p.tide -- sh -c 'kill -9 $$' >out 2>err
ls "$HEAPTIDE_DIR" | grep pressure && fail "a fifo was left"

# Of a supervisor that was killed it stays, until somebody cleans up; that of
# one that runs on stays in any case.
"$HEAPTIDE" run -q -o p.tide -- sleep 60 &
started=$!
offers()
{
	living=$(ls "$HEAPTIDE_DIR"/$started.*.pressure)
}
await offers
sh -c '"$0" run -q -o q.tide -- sh -c "kill -9 \$PPID"; :' "$HEAPTIDE" \
	>out 2>err
same "fifos" 2 "$(ls "$HEAPTIDE_DIR" | grep -c pressure)"
"$HEAPTIDE" ps --clean >out || fail "ps --clean: status $?"
same "the one that is left" "$living" "$(ls "$HEAPTIDE_DIR"/*.pressure)"
kill $started
wait $started

# It is the user's alone.
limited 60 "$HEAPTIDE" run -q -o p.tide -- sh -c \
	'stat -c "%F %a" "$MEMORY_PRESSURE_WATCH"' >out
same "what is given" "fifo 600" "$(cat out)"

# Whom somebody tells already is left to them.
MEMORY_PRESSURE_WATCH=/dev/null MEMORY_PRESSURE_WRITE=YQ== limited 60 \
	"$HEAPTIDE" run -q -o p.tide -- sh -c \
	'echo "$MEMORY_PRESSURE_WATCH $MEMORY_PRESSURE_WRITE"' >out
same "what was there" "/dev/null YQ==" "$(cat out)"

# --- as who is told -----------------------------------------------------------

command -v perl >/dev/null && perl -MIO::Socket::UNIX -e 1 2>/dev/null || {
	without "no perl, or it has no sockets"
	exit 0
}
# One that takes what is written and then tells, ten times a second.
cat >teller.pl <<'END'
use IO::Socket::UNIX;
$SIG{PIPE} = 'IGNORE';
my $listener = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die;
while (my $client = $listener->accept) {
	my $said;
	defined sysread($client, $said, 5) && $said eq 'hello' or next;
	open(my $note, '>>', $ARGV[1]) or die;
	print $note "$said\n";
	close($note);
	select(undef, undef, undef, 0.1) while syswrite($client, 'x');
}
END
cat >hears.c <<'END'
#include <heaptide.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int tries, ends[2], fd;
	char byte = 'k';

	for (tries = 0; tide_state() != TIDE_WARNING && tries < 200; tries++) {
		(void)tide_poll(0);
		usleep(50000);
	}
	printf("%d %d", tide_level(), tide_state());
	if (argc > 1) {
		/* All of its descriptors are closed, and come again. */
		for (fd = 3; fd < 64; fd++)
			close(fd);
		while (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
		    ends[1] < 40)
			(void)!write(ends[1], &byte, 1);
		for (tries = 0; tries < 20; tries++) {
			(void)tide_poll(0);
			usleep(50000);
		}
		/* Each pair has one end that can be read. */
		for (fd = 3, tries = 0; fd < 40; fd++)
			tries += recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
		printf(" %d", tries);
	}
	printf("\n");
	return 0;
}
END
${CC:-cc} -I"$srcdir/include" -o hears hears.c || fail "not built"
perl teller.pl "$scratch/teller" "$scratch/heard" &
started="$started $!"
await [ -S "$scratch/teller" ]
export MEMORY_PRESSURE_WATCH="$scratch/teller" MEMORY_PRESSURE_WRITE=aGVsbG8=

same "alone" "0 1" "$(limited 60 ./hears)"
same "with the library" "2 1" \
    "$(limited 60 "$HEAPTIDE" run -q --summary off -o p.tide -- ./hears)"
same "what was written to it" "hello hello" "$(echo $(cat heard))"
same "whose descriptors were closed, alone" "0 1 18" "$(limited 60 ./hears x)"
same "whose descriptors were closed" "2 1 18" "$(limited 60 "$HEAPTIDE" run \
    -q --summary off -o p.tide -- ./hears x)"
# Nobody there: it is not heard, and nothing else is different.
same "with nobody there" "0 0" "$(MEMORY_PRESSURE_WATCH=/nonexistent \
	limited 60 ./hears)"
