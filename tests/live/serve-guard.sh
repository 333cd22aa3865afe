#!/bin/sh
# serve-guard.sh - whom `heaptide serve` does not answer, and what cannot stop it:
# other sites, wrong tokens, broken and slow requests, many at once
. "${srcdir:-.}/tests/lib.sh"
need curl jq perl pgrep python3
. "$srcdir/tests/serve.sh"

json='Content-Type: application/json'
ours='X-Heaptide: 1'

# refused STATUS SENTENCE OPTION...: of the command line
refused()
{
	expected=$1
	sentence=$2
	shift 2
	limited 20 "$HEAPTIDE" serve "$@" >out 2>err </dev/null
	same "status of $*" "$expected" $?
	grep -q -e "$sentence" err || fail "$*: $(cat err)"
	same "lines of $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

# --- how it is started -----------------------------------------------------------

refused 2 "'nowhere:x' is not accepted" --listen nowhere:x
refused 2 "one of them is accepted" --listen :0 --http :0
refused 2 "'1ms' is not accepted.*at least 100 ms" --interval 1ms
refused 2 "'2h' is not accepted.*at most 1 h" --interval 2h
refused 2 "one operand too many" 9464
refused 125 "cannot be read" --token-file none
echo short >token
refused 125 "has no token" --token-file token
refused 125 "cannot listen on 192.0.2.1" --listen 192.0.2.1:0

serve
refused 125 "port $port of 127.0.0.1 is in use" --http "127.0.0.1:$port"

# --- other sites -----------------------------------------------------------------

answers 200 /status -H 'Host: localhost'
answers 200 /status -H 'Host: [::1]:1234'
for host in evil.example 127.0.0.1.evil.example 10.0.0.1 'localhost@evil' \
    'localhost evil' ..; do
	answers 403 /status -H "Host: $host"
done
answers 200 /status -H "Origin: $url"
for origin in null http://evil.example "http://127.0.0.1:1" \
    "http://127.0.0.1:$port.evil.example"; do
	answers 403 /status -H "Origin: $origin"
	answers 403 /checkpoints/clean -H "$json" -d '{}' -H "Origin: $origin"
done
answers 403 /status -H 'Sec-Fetch-Site: cross-site'
answers 403 /status -H 'Sec-Fetch-Site: same-site'
answers 200 /status -H 'Sec-Fetch-Site: same-origin'
answers 200 / -H 'Sec-Fetch-Site: cross-site'
answers 403 /checkpoints/clean -H "$json" -d '{}' -H 'Sec-Fetch-Site: cross-site'

# What a form can send is not taken: neither with a type of theirs nor without.
answers 415 /checkpoints/clean -d '{}'
answers 415 /checkpoints/clean -H 'Content-Type: text/plain' -d '{}'
answers 415 /checkpoints/clean -H 'Content-Type: multipart/form-data' -d '{}'
answers 415 /checkpoints/clean -X POST
answers 413 /checkpoints/clean -H "$json" -d "{\"a\":\"$(printf '%017000d' 1)\"}"
answers 413 /checkpoints/clean -H "$json" -H 'Transfer-Encoding: chunked' \
    -d "{\"a\":\"$(printf '%017000d' 1)\"}"

ask / -D head
for header in 'x-content-type-options: nosniff' 'x-frame-options: DENY' \
    "content-security-policy: .*frame-ancestors 'none'" \
    'cache-control: no-store' 'referrer-policy: no-referrer'; do
	grep -qi "^$header" head || fail "no $header: $(cat head)"
done

# --- broken requests ---------------------------------------------------------------

cat >broken.py <<'PY'
import http.client, json, socket, sys, time
port = int(sys.argv[1])

# What comes back, or that nothing does; a connection may stay for the next.
def raw(data, wait=20, whole=False):
	s = socket.create_connection(("127.0.0.1", port), timeout=wait)
	got = b""
	try:
		s.sendall(data)
		s.shutdown(socket.SHUT_WR)
		while (part := s.recv(65536)):
			got += part
			if not whole:
				break
	except TimeoutError:
		sys.exit("never closed: %r" % data[:200])
	except OSError: # it has been closed on us
		pass
	s.close()
	return got

def alive():
	c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
	c.request("GET", "/version")
	assert json.loads(c.getresponse().read())["schema"] == 1
	c.close()

head = b"Host: localhost\r\n"
broken = [
	b"", b"\r\n\r\n", b"\0" * 5000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
	b"GET /status HTTP/1.1\r\n\r\n",
	b"GET /status\r\n\r\n", b"get /status HTTP/1.1\r\n" + head + b"\r\n",
	b"GET /status HTTP/1.1\r\n" + head + b"X: " + b"a" * 100000 + b"\r\n\r\n",
	b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + head + b"\r\n",
	b"GET /%00%zz%ff?%=%&&&=& HTTP/1.1\r\n" + head + b"\r\n",
	b"GET /status/../../etc/passwd HTTP/1.1\r\n" + head + b"\r\n",
	b"GET /report/1%0a--json HTTP/1.1\r\n" + head + b"\r\n",
	b"GET /status?" + b"a=1&" * 500 + b" HTTP/1.1\r\n" + head + b"\r\n",
	b"POST /ctl/1 HTTP/1.1\r\n" + head + b"Content-Length: -1\r\n\r\n",
	b"POST /ctl/1 HTTP/1.1\r\n" + head +
	    b"Content-Length: 99999999999999999999\r\n\r\n",
	b"POST /ctl/1 HTTP/1.1\r\n" + head + b"Content-Length: 10\r\n\r\nab",
	b"POST /ctl/1 HTTP/1.1\r\n" + head +
	    b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
	b"POST /ctl/1 HTTP/1.1\r\n" + head +
	    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nab\r\n",
]
for data in broken:
	got = raw(data)
	assert got == b"" or b" 200 " not in got.split(b"\r\n")[0], (data, got)
	alive()

# A body that never ends is not read for ever.
s = socket.create_connection(("127.0.0.1", port), timeout=30)
s.sendall(b"POST /ctl/1 HTTP/1.1\r\n" + head +
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
try:
	for i in range(100000):
		s.sendall(b"400\r\n" + b"a" * 1024 + b"\r\n")
	raise SystemExit("a body of 100 MB was taken")
except TimeoutError:
	raise
except OSError:
	pass
alive()

# Two in one go are answered in their order.
got = raw(b"GET /version HTTP/1.1\r\n" + head + b"\r\n" +
    b"GET /nothing HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n",
    whole=True)
assert got.index(b"200 OK") < got.index(b"404 Not Found"), got
PY
limited 120 python3 broken.py "$port" >out 2>&1 || fail "$(tail -n 5 out)"

# --- slow ones, and many ------------------------------------------------------------

cat >many.py <<'PY'
import http.client, json, socket, sys, threading
port, pid = int(sys.argv[1]), sys.argv[2]

# 100 that send a byte now and then; one of them is seen to be put out.
slow = [socket.create_connection(("127.0.0.1", port)) for i in range(100)]
for s in slow:
	s.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nX: ")
over = threading.Event()
def drip():
	while not over.wait(0.5):
		for s in slow:
			try:
				s.send(b"a")
			except OSError:
				pass
threading.Thread(target=drip, daemon=True).start()

# 200 beside them, all at once, of all kinds.
paths = ["/status", "/metrics", "/processes", "/sites/" + pid,
    "/ops/" + pid, "/memory-status", "/status/" + pid, "/version"]
failed, begin = [], threading.Barrier(200)
def ask(path):
	try:
		c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
		c.connect()
		begin.wait(60)
		c.request("GET", path)
		r = c.getresponse()
		body = r.read()
		assert r.status == 200 and len(body) > 10, (r.status, body)
		if path != "/metrics":
			json.loads(body)
	except Exception as e:
		failed.append((path, e))
threads = [threading.Thread(target=ask, args=(paths[i % len(paths)],))
    for i in range(200)]
for t in threads:
	t.start()
for t in threads:
	t.join(150)
assert not failed, failed[:3]
assert not any(t.is_alive() for t in threads)

# It has been 10 s at most, whatever was sent.
slow[0].settimeout(60)
try:
	while slow[0].recv(4096):
		pass
except TimeoutError:
	raise
except OSError:
	pass
over.set()

# Clients of events that do not read hold up nobody.
deaf = [socket.create_connection(("127.0.0.1", port)) for i in range(50)]
for s in deaf:
	s.sendall(b"GET /events?interval=100ms HTTP/1.1\r\n"
	    b"Host: localhost\r\n\r\n")
for i in range(20):
	c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
	c.request("GET", "/status/" + pid)
	assert c.getresponse().status == 200
for s in deaf:
	s.close()
PY
grow
limited 300 python3 many.py "$port" "$pid" >out 2>&1 || fail "$(tail -n 5 out)"
answers 200 "/status/$pid"

# Who looks dies, and another takes its place; nothing of that is to be seen but
# a request that was under way.
looker=$(pgrep -P "$server")
kill -STOP "$looker"
answers 200 /version
answers 200 "/ops/$pid"
kill -KILL "$looker"
again()
{
	ask "/status/$pid"
	[ "$status" = 200 ]
}
await again
[ "$(pgrep -P "$server")" != "$looker" ] || fail "the same looker"
ended

# --- tokens -------------------------------------------------------------------------

token=0123456789abcdefghijkl
echo "$token" >token
serve --token-file token
same "the token is not told" 0 "$(grep -c "$token" server.err)"
answers 401 /status -D head
grep -qi '^www-authenticate: Bearer' head || fail "$(cat head)"
for wrong in "Bearer ${token}x" "Bearer ${token%l}" Bearer "Basic $token" \
    "$token"; do
	answers 401 /metrics -H "Authorization: $wrong"
done
answers 401 "/status?token=$token"
answers 200 /metrics -H "Authorization: Bearer $token"
answers 403 /status -H "Authorization: Bearer $token" -H 'Host: evil.example'
answers 401 / -D head
answers 401 '/?token=wrong'
answers 303 "/?token=$token" -D head
grep -qi '^set-cookie: heaptide_.*HttpOnly; SameSite=Strict' head ||
	fail "$(cat head)"
cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\);.*/\1/p' head)
answers 200 /status -H "Cookie: other=1; $cookie"
answers 401 /status -H "Cookie: ${cookie}x"
answers 401 /mark/1 -H "$json" -d '{"name":"a"}'
answers 403 /mark/1 -H "$json" -d '{"name":"a"}' -H "Cookie: $cookie" \
    -H 'Origin: http://evil.example'
ended

# Beyond loopback there is one in any case, and it is told once.
serve --listen 0.0.0.0:0 --host box.example
await grep -q 'token: ' server.err
token=$(sed -n 's/.*token: //p' server.err)
same "length of the token" 48 "${#token}"
url=http://127.0.0.1:$port
answers 401 /status
answers 200 /status -H "Authorization: Bearer $token"
answers 200 /status -H "Authorization: Bearer $token" -H 'Host: 10.1.2.3'
answers 200 /status -H "Authorization: Bearer $token" -H 'Host: box.example'
answers 403 /status -H "Authorization: Bearer $token" -H 'Host: evil.example'
# In a shell's background SIGINT is ignored, and so it stays.
kill -INT "$server"
answers 200 /status -H "Authorization: Bearer $token"
kill -HUP "$server"
wait "$server"
same "status of the server" 0 $?

# --- another user -----------------------------------------------------------------

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$scratch"
	serve
	as_nobody()
	{
		limited 30 setpriv --reuid 65534 --regid 65534 --clear-groups \
		    curl -s -o /dev/null -w '%{http_code}' "$url$1"
	}
	same "nobody's status" 403 "$(as_nobody /status)"
	same "nobody's page" 403 "$(as_nobody /)"
	same "nobody's metrics" 200 "$(as_nobody /metrics)"
	answers 200 /status
	ended
else
	without "another user cannot be had: only root may"
fi
