# serve.sh - a server to be asked, for the tests of `heaptide serve`
#
#	. "$srcdir/tests/serve.sh"
#
# serve OPTION...: starts one on a free port of loopback, unless told; $url and
# $port are where it is, $server its pid, server.err what it says.
serve()
{
	"$HEAPTIDE" serve --listen 127.0.0.1:0 "$@" </dev/null >server.out \
	    2>server.err &
	server=$!
	started="$started $server"
	await grep -q 'listening on http://' server.err
	url=$(sed -n 's|.*listening on http://\(.*\)/$|http://\1|p' server.err)
	port=${url##*:}
}

# ended: it comes to its end when it is asked to, and has said nothing but
# where it is
ended()
{
	kill -TERM "$server"
	wait "$server"
	same "status of the server" 0 $?
	same "what it said" 1 "$(wc -l <server.err)"
	same "what it printed" 0 "$(wc -c <server.out)"
	same "what is left of it" "" "$(pgrep -P "$server")"
}

# ask PATH OPTION...: the body is in answer, the status in $status
ask()
{
	path=$1
	shift
	status=$(limited 30 curl -s -o answer -w '%{http_code}' "$@" \
	    "$url$path") || fail "curl: $? for $path"
}

# answers STATUS PATH OPTION...
answers()
{
	expected=$1
	shift
	ask "$@"
	[ "$status" = "$expected" ] ||
		fail "$*: $status instead of $expected: $(cat answer)"
	case $status in
	4* | 5*)
		jq -e '.ok == false and (.error | length > 0) and
		    (.message | length > 0)' answer >/dev/null ||
			fail "$*: $(cat answer)"
		;;
	esac
}

# has EXPRESSION: of the last answer
has()
{
	jq -e "$1" answer >/dev/null || fail "not $1: $(head -c 600 answer)"
}

# a program that allocates 100 kB each 20 ms, and holds 500 of them, until there is a file "enough";
# $pid is its pid, as soon as it can be looked at
grow()
{
	cat >grow.pl <<'PL'
	my @held;
	while (!-e "enough") {
		push @held, "x" x (100000 + rand 10000);
		shift @held if @held > 500;
		select undef, undef, undef, 0.02;
	}
PL
	rm -f enough
	env LD_PRELOAD="$LIBHEAPTIDE" HEAPTIDE_STACKS=all perl grow.pl \
	    </dev/null >/dev/null 2>&1 &
	pid=$!
	started="$started $pid"
	await limited 20 "$HEAPTIDE" status "$pid"
}
