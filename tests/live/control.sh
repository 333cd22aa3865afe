#!/bin/sh
# control.sh - the control socket answers whoever asks, however they ask, harms
# no program, and leaves nothing behind
. "${srcdir:-.}/tests/lib.sh"
need perl jq

# --- who asks ----------------------------------------------------------------

cat >client.pl <<'PL'
# client.pl SOCKET PART: one way of asking, and what must come of it
use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP;

$SIG{PIPE} = "IGNORE";
my ($path, $part) = @ARGV;
my %have; # read and not yet taken, by descriptor
srand 7;
$SIG{ALRM} = sub { die "$part: hung\n" };
alarm 200;

sub reach { IO::Socket::UNIX->new(Peer => $path) or die "$part: connect: $!\n" }

sub say_to
{
	my ($s, $bytes) = @_;
	while (length $bytes) {
		my $n = syswrite $s, $bytes;
		defined $n or return 0;
		$bytes = substr $bytes, $n;
	}
	1;
}

# The next line; undef: they have closed.
sub line
{
	my ($s) = @_;
	my $fd = fileno $s;
	$have{$fd} //= "";
	for (;;) {
		return $1 if $have{$fd} =~ s/^(.*)\n//;
		my $n = sysread $s, $have{$fd}, 65536, length $have{$fd};
		next if $n;
		die "$part: half a line: $have{$fd}\n" if length $have{$fd};
		delete $have{$fd};
		return undef;
	}
}

sub answer
{
	my ($s) = @_;
	my $line = line($s) // die "$part: no answer\n";
	my $json = eval { decode_json $line } or die "$part: no JSON: $line\n";
	exists $json->{ok} or die "$part: $line\n";
	$json->{ok} || ($json->{error} && $json->{message}) or
	    die "$part: $line\n";
	$json;
}

# Who is turned away is told so, and may have been before a word was said.
sub ask { say_to(@_); answer($_[0]) }

sub done
{
	my ($s, $line) = @_;
	my $json = ask($s, "$line\n");
	$json->{ok} or die "$part: $line: $json->{message}\n";
	$json;
}

sub refused
{
	my ($error, $json) = @_;
	!$json->{ok} && $json->{error} eq $error or
	    die "$part: ", encode_json($json), " is not $error\n";
}

sub closed { defined line($_[0]) and die "$part: more than was asked for\n" }
sub half_close { shutdown $_[0], 1 or die }
sub leave { delete $have{fileno $_[0]}; close $_[0] }

# Nothing of it is lost if both sides write more than fits in between.
sub feed
{
	my ($s, $bytes) = @_;
	defined(my $pid = fork) or die;
	return if $pid;
	say_to($s, $bytes);
	half_close($s);
	require POSIX;
	POSIX::_exit(0);
}

my %with = (mark => "mark of $$", watch => "watch 1h",
    resume => "resume none-00000000");
# For programs that ask for their budget.
my %of_room = map { $_ => 1 } qw(cleanup pressure drain);
my %part = (
	help => sub {
		my $s = reach();
		my @names = map $_->{name}, @{done($s, "help")->{requests}};
		@names >= 14 or die "help: @names\n";
		for (@names, map uc, @names) {
			my $rest = $with{lc $_} // lc $_;
			$rest =~ s/^\w+/$_/;
			if ($of_room{lc $_}) {
				refused("ENODEV", ask($s, "$rest\n"));
			} elsif (lc $_ eq "resume") {
				refused("ENOENT", ask($s, "$rest\n"));
			} else {
				done($s, $rest);
			}
		}
		done($s, "SITES 3 BY Growth");
		refused("EINVAL", ask($s, "no such request\n"));
	},
	packet => sub {
		my $s = reach();
		my $first = ask($s, "version\nstatus\n\nHELP\r\nnonsense\n");
		$first->{heaptide} or die "no version\n";
		answer($s)->{status} or die "no status\n";
		refused("EINVAL", answer($s));
		answer($s)->{requests} or die "no help\n";
		refused("EINVAL", answer($s));
		# More at once than any turn takes of one.
		say_to($s, "version\n" x 400);
		answer($s)->{heaptide} or die for 1 .. 400;
		half_close($s);
		closed($s);
	},
	half => sub {
		my ($s, $other) = (reach(), reach());
		for my $piece ("s", "tat", "us", " ", "\r") {
			say_to($s, $piece);
			done($other, "version");
		}
		ask($s, "\n")->{status} or die "no status\n";
	},
	last => sub {
		my $s = reach();
		say_to($s, "version");
		half_close($s);
		answer($s)->{heaptide} or die "no version\n";
		closed($s);
		$s = reach();
		half_close($s);
		closed($s);
	},
	long => sub {
		my $s = reach();
		refused("EINVAL", ask($s, "a" x 4096 . "\n"));
		refused("E2BIG", ask($s, "a" x 4097 . "\n"));
		refused("E2BIG", ask($s, "a" x 1048576 . "\nversion\n"));
		answer($s)->{heaptide} or die "no version\n";
		say_to($s, "b" x 1048576);
		half_close($s);
		refused("E2BIG", answer($s));
		closed($s);
	},
	noise => sub {
		my $s = reach();
		my $bytes = join "", map chr int rand 256, 1 .. 200000;
		my @lines = split /\n/, $bytes, -1;
		pop @lines if !length $lines[-1];
		feed($s, $bytes);
		for (@lines) {
			my $json = answer($s);
			# Too long, too many words, or nonsense.
			refused($json->{error} eq "E2BIG" ? "E2BIG" :
			    "EINVAL", $json) if !$json->{ok};
		}
		closed($s);
	},
	# As many as are served, and one more.
	crowd => sub {
		my @all;
		# Those of before may not all be missed yet.
		for (my $tries = 0; @all < 64; ) {
			my $s = reach();
			my $json = ask($s, "version\n");
			if ($json->{ok}) {
				push @all, $s;
				next;
			}
			$tries++ < 500 or die "crowd: only ", 0 + @all, "\n";
			leave($s);
			select undef, undef, undef, 0.02;
		}
		done($_, "status") for @all;
		for (1 .. 100) {
			my $s = reach();
			refused("EBUSY", answer($s));
			closed($s);
			leave($s);
		}
		done($_, "version") for @all;
		leave(pop @all);
		for (my $tries = 0; ; ) {
			my $s = reach();
			push @all, $s;
			last if ask($s, "version\n")->{ok};
			$tries++ < 500 or die "crowd: no place\n";
			leave(pop @all);
			select undef, undef, undef, 0.02;
		}
		# Who has been silent goes, once it has been for long.
		my $silent = shift @all;
		for (my $tries = 0; ; ) {
			done($_, "version") for @all;
			my $s = reach();
			push @all, $s;
			last if ask($s, "version\n")->{ok};
			$tries++ < 300 or die "crowd: silent for ever\n";
			leave(pop @all);
			select undef, undef, undef, 0.2;
		}
		closed($silent);
		done($_, "version") for @all;
	},
	# They ask and ask, and never read; others do not wait for them.
	slow => sub {
		my @slow = map reach(), 1 .. 40;
		$_->blocking(0) for @slow;
		for my $s (@slow) {
			for (1 .. 2000) {
				defined syswrite $s, "sites 100\nstatus\n" x 20
				    or last;
			}
		}
		my $honest = reach();
		done($honest, "status") for 1 .. 50;
		done(reach(), "version");
	},
	vanish => sub {
		my $honest = reach();
		for (1 .. 200) {
			my $s = reach();
			my $what = ("", "sta", "sites 100\n" x 30, "watch 10ms\n",
			    "x" x 5000, "status\nsta")[int rand 6];
			syswrite $s, $what;
			half_close($s) if rand() < 0.2;
			line($s) if rand() < 0.2 && $what =~ /\n/;
			leave($s);
			done($honest, "version");
		}
	},
	watch => sub {
		my $s = reach();
		say_to($s, "watch 50ms\n");
		answer($s)->{status} or die "no status\n" for 1 .. 8;
		# Another request is the end of it.
		say_to($s, "version\n");
		my $json;
		do { $json = answer($s) } while $json->{status};
		my $other = reach();
		ask($other, "watch 50ms\n");
		answer($other) for 1 .. 6;
		done($s, "version")->{status} and die "it goes on\n";
		refused("EINVAL", ask($s, "watch 1ms\n"));
	},
	# To another user there is nobody here.
	foreign => sub {
		my $s = IO::Socket::UNIX->new(Peer => $path) or
		    die "foreign: connect: $!\n";
		say_to($s, "status\n");
		my $n = sysread $s, my $bytes, 100;
		$n and die "foreign: is told $bytes\n";
	},
	status => sub { print encode_json(done(reach(), "status")), "\n" },
	trouble => sub {
		for (1 .. 40) {
			my $s = reach();
			$s->blocking(0);
			syswrite $s, ("sites 100\n" x 500, "watch 10ms\n",
			    "mark m\nstatus\n" x 20)[int rand 3];
			select undef, undef, undef, 0.01;
		}
	},
	# More than there are descriptors for.
	many => sub {
		my @all = map reach(), 1 .. 60;
		say_to($_, "version\n") for @all;
		my $first = shift @all;
		answer($first)->{heaptide} or die "no version\n";
		print "waiting\n";
		close STDOUT;
		select undef, undef, undef, 0.1 until -e "enough";
		# Each that leaves makes room for the next.
		leave($first);
		for my $s (@all) {
			answer($s)->{heaptide} or die "no version\n";
			leave($s);
		}
	},
);
$part{$part}->();
PL

# client PART: it must be content
client()
{
	limited 250 perl client.pl "$socket" "$1" >client.out 2>&1 ||
		fail "$program: $1: status $?: $(cat client.out)"
}

descriptors()
{
	ls /proc/"$run"/fd | wc -l
}

fewer_descriptors()
{
	[ "$(descriptors)" -le "$1" ]
}

is_served()
{
	set -- "$HEAPTIDE_DIR"/*.sock
	[ -e "$1" ]
}

# start STACKS COMMAND...: with heaptide; $run, $pid and $socket
start()
{
	stacks=$1
	shift
	rm -rf "$HEAPTIDE_DIR" profile.tide
	"$HEAPTIDE" run --stacks "$stacks" --summary off -o profile.tide -- \
	    "$@" >run.out 2>run.err &
	run=$!
	await is_served
	socket=$(echo "$HEAPTIDE_DIR"/*.sock)
	pid=$(basename "$socket" .sock)
	started="$run $pid"
}

# nothing_left: the run is over, and nothing of it is anywhere
nothing_left()
{
	same "left behind" "" "$(ls "$HEAPTIDE_DIR")"
	! is_ours "$pid" || fail "$program: $pid is still there"
	started=
}

all_parts='help packet half last long noise slow vanish watch'

parts()
{
	same "mode" 600 "$(stat -c %a "$socket")"
	same "mode of the directory" 700 "$(stat -c %a "$HEAPTIDE_DIR")"
	client help
	before=$(descriptors)
	for part; do
		client "$part"
	done
	await fewer_descriptors "$before"
}

# --- a victim that knows what it allocates -----------------------------------

program=turned
start all "$victims/turned" 4 enough
parts $all_parts crowd

# Stopped, it stops `heaptide run` as well; who asks is told all the same.
kill -STOP "$pid"
is_stopped()
{
	limited 20 "$HEAPTIDE" ctl "$pid" status >status.json &&
		[ "$(jq -r .status status.json)" = stopped ]
}
await is_stopped
await grep -q '^State:.T' /proc/"$run"/status
is_stopped || fail "stopped: $(cat status.json)"
kill -CONT "$run"
client status
await grep -q '"status":"running"' client.out

if [ "$(id -u)" -eq 0 ] && setpriv --reuid 65534 --clear-groups true; then
	chmod 755 "$scratch" "$HEAPTIDE_DIR"
	chmod 666 "$socket"
	limited 60 setpriv --reuid 65534 --clear-groups perl client.pl \
	    "$socket" foreign >client.out 2>&1 ||
		fail "another user: $(cat client.out)"
	chmod 700 "$scratch" "$HEAPTIDE_DIR"
	client last
else
	without "another user: only root can be one"
fi

touch enough
wait "$run" || fail "turned: status $?"
nothing_left
mv run.out account
report profile.tide
mv report.json turned.json
# What threads cost by themselves, without any work.
under all "$victims/turned" 4 enough >/dev/null
report profile.tide
mv report.json idle.json
mv turned.json report.json
grep -v requested account >known
totals_match known idle.json

# --- a program at rest -------------------------------------------------------

program=sleep
start none sleep 1000
limited 20 "$HEAPTIDE" ctl "$pid" budget 100M >answer.json ||
	fail "budget: $(cat answer.json)"
client status
same "the budget" "104857600 104857600 budget" "$(jq -r \
    '"\(.configuration.budget) \(.memory.limit | "\(.bytes) \(.source)")"' \
    client.out)"
client packet
kill "$pid"
wait "$run"
same "status of who was ended" 143 $?
nothing_left

# Few descriptors: who waits for one costs nothing meanwhile.
(
	ulimit -n 30
	exec "$HEAPTIDE" run --stacks none --summary off -o profile.tide -- \
	    sleep 1000
) &
run=$!
await is_served
socket=$(echo "$HEAPTIDE_DIR"/*.sock)
pid=$(basename "$socket" .sock)
started="$run $pid"
program="few descriptors"
rm -f enough
limited 250 perl client.pl "$socket" many >client.out 2>&1 &
asking=$!
await grep -q waiting client.out
ticks()
{
	sed 's/.*) //' /proc/"$run"/stat | awk '{ print $12 + $13 }'
}
before=$(ticks)
sleep 2
within "ticks of CPU time in 2 s" 0 40 $(($(ticks) - before))
touch enough
wait $asking || fail "few descriptors: $(cat client.out)"
kill "$pid"
wait "$run"
nothing_left
rm -f enough

# --- a server under load -----------------------------------------------------

command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null &&
	command -v redis-cli >/dev/null || {
	without "a server under load: redis is not installed"
	exit 0
}

redis()
{
	limited 20 redis-cli -s "$scratch/redis.sock" "$@"
}

redis_answers()
{
	[ "$(redis ping 2>/dev/null)" = PONG ]
}

# What it is given is random, and then what it has is not.
load()
{
	until [ -e enough ]; do
		limited 120 redis-benchmark -s "$scratch/redis.sock" -q -c 20 \
		    -n 20000 -r 5000 -t set,get,lpush,hset,zadd
	done >benchmark.out 2>&1
}

settle()
{
	redis flushall >answers
	redis eval 'for i = 1, 20000 do
		redis.call("set", "key" .. i, string.rep("v", i % 300))
		redis.call("rpush", "list" .. i % 50, i)
		redis.call("hset", "hash" .. i % 70, i, i * 2)
		redis.call("zadd", "set" .. i % 90, i, "m" .. i)
	end return 1' 0 >>answers
	redis del key7 list3 >>answers
	redis dbsize >>answers
	redis debug digest >>answers
	redis shutdown nosave
}

set -- redis-server --port 0 --unixsocket "$scratch/redis.sock" --save '' \
    --appendonly no --enable-debug-command yes --dir "$scratch" \
    --logfile /dev/null
"$@" >plain.out 2>&1 &
run=$!
started=$run
await redis_answers
settle
wait "$run"
same "status of redis" 0 $?
mv answers plain.answers

program=redis
start all "$@"
await redis_answers
load &
loading=$!
parts $all_parts
limited 60 perl client.pl "$socket" trouble &
settling=$!
touch enough
wait $loading
settle
wait "$run"
same "status of redis with heaptide" 0 $?
wait $settling # whom the end has met asking
nothing_left
cmp plain.answers answers || fail "redis: other data: $(cat answers)"
cmp plain.out run.out || fail "redis: another output: $(head -n 5 run.out)"
[ ! -s run.err ] || fail "redis: $(head -n 5 run.err)"
report profile.tide
adds_up
