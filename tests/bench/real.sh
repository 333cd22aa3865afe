# real.sh - the real programs of the bench, read by run.sh
#
# prepare_NAME makes what NAME reads, and fails if NAME cannot be run here;
# run_NAME runs it by measured, with the same work each time.

programs='sqlite3 jq xmllint perl python python_malloc gcc cc1 git redis
	openssl node java'

prepare_sqlite3()
{
	has sqlite3 || return
	cat >queries.sql <<'SQL'
create table t (id integer primary key, name text, kind integer, value real);
with recursive n (i) as (select 1 union all select i + 1 from n
    where i < 600000)
insert into t select i, 'name ' || (i * 7919 % 600011), i % 97,
    i * 1.5 from n;
create index by_name on t (name);
select kind, count(*), sum(value), min(name) from t group by kind;
select count(*) from t a join t b on a.name = b.name;
delete from t where id % 3 = 0;
SQL
}

run_sqlite3()
{
	measured sqlite3 :memory: <queries.sql
}

prepare_jq()
{
	has jq || return
	awk 'BEGIN { for (i = 0; i < 200000; i++) printf "{\"id\": %d, " \
	    "\"kind\": \"kind %d\", \"value\": %.3f, \"list\": [%d, null, " \
	    "{\"deep\": \"%d times\"}]}\n", i, i % 31, i / 7, i * 3,
	    i % 1000 }' >input.json
}

run_jq()
{
	measured jq -s -c 'group_by(.kind) | map({kind: .[0].kind, n: length,
	    sum: (map(.value) | add)})' input.json
}

prepare_xmllint()
{
	has xmllint || return
	awk 'BEGIN { print "<rows>"; for (i = 0; i < 400000; i++) printf \
	    "<row id=\"%d\" kind=\"k%d\"><name>name %d</name><text>some " \
	    "words %d &amp; more</text></row>\n", i, i % 17, i, i * 7
	    print "</rows>" }' >input.xml
}

run_xmllint()
{
	measured xmllint --xpath 'count(//row[@kind="k3"]/name)' input.xml
}

prepare_perl()
{
	has perl || return
	cat >objects.pl <<'PL'
push @list, { id => $_, name => "name $_" } for 1 .. 600000;
$by{$_->{name}} = $_ for @list;
splice @list, 0, 300000;
delete $by{"name $_"} for 1 .. 300000;
$text = join ",", sort map { reverse $_->{name} } @list;
PL
}

run_perl()
{
	measured perl objects.pl
}

prepare_python()
{
	has python3 || return
	python=$(python3 -c 'import sys; print(sys.executable)') || return
	cat >objects.py <<'PY'
import json

class Thing:
    def __init__(self, i):
        self.id = i
        self.name = "thing %d" % i

things = [Thing(i) for i in range(500000)]
by_name = {t.name: t for t in things}
del things[::2]
text = json.dumps([[t.id, t.name] for t in things])
back = json.loads(text)
PY
}

run_python()
{
	measured "$python" objects.py
}

prepare_python_malloc()
{
	prepare_python
}

run_python_malloc()
{
	PYTHONMALLOC=malloc
	export PYTHONMALLOC
	measured "$python" objects.py
	unset PYTHONMALLOC
}

prepare_gcc()
{
	has gcc || return
	awk 'BEGIN { print "#include <stdio.h>\n#include <string.h>"
	    for (i = 0; i < 150; i++) {
		printf "int f%d(int *s, int n)\n{\n\tint i, x = 0;\n", i
		printf "\tfor (i = 0; i < n; i++)\n\t\tswitch (s[i]) {\n"
		for (k = 0; k < 12; k++)
			printf "\t\tcase %d: x = x * %d + i; break;\n",
			    k * (i % 7 + 1), k + 3
		printf "\t\tdefault: x ^= i; printf(\"%%d\", x);\n\t\t}\n"
		printf "\treturn x + f%d(s, n / 2);\n}\n", i ? i - 1 : 0
	    } }' >large.c
}

run_gcc()
{
	measured gcc -O2 -g -c -o large.o large.c
}

# heaptrack stays with the first process of gcc; here the work is in it.
prepare_cc1()
{
	prepare_gcc && cc1=$(gcc -print-prog-name=cc1) && [ -x "$cc1" ] &&
	gcc -E -o large.i large.c
}

run_cc1()
{
	measured "$cc1" -quiet -O2 -g -o large.s large.i
}

prepare_git()
{
	has git || return
	export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
	git init -q history || return
	awk 'BEGIN { for (c = 1; c <= 3000; c++) {
		text = ""
		for (i = 0; i < 300; i++)
			text = text "line " i " of " int((c * 7 + i) / 60) "\n"
		printf "commit refs/heads/main\ncommitter A B <a@b> %d " \
		    "+0000\ndata 8\nchange\n\n", 1600000000 + c * 1000
		for (f = 0; f < 8; f++)
			printf "M 644 inline dir%d/file%d.txt\ndata %d\n%s\n",
			    (c + f) % 5, (c * 3 + f) % 23, length(text), text
	} }' | git -C history fast-import --quiet
}

run_git()
{
	measured git -C history log --stat -M main
}

prepare_redis()
{
	has redis-server redis-benchmark redis-cli || return
	cat >load.sh <<'SH'
client="redis-cli -s $PWD/redis.sock"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ "$($client ping 2>/dev/null)" = PONG ] && break
	sleep 0.1
done
redis-benchmark -s "$PWD/redis.sock" -q -c 20 -P 16 -n 300000 -r 100000 \
	-t set,lpush,hset,zadd >/dev/null
$client shutdown nosave
SH
}

run_redis()
{
	rm -f redis.sock
	beside='sh load.sh'
	measured redis-server --port 0 --unixsocket "$scratch/redis.sock" \
	    --save '' --appendonly no --dir "$scratch"
	beside=
}

prepare_openssl()
{
	has openssl || return
	openssl genrsa -out key.pem 2048 2>/dev/null &&
	openssl req -x509 -new -key key.pem -subj /CN=bench -days 30 \
	    -out c.pem 2>/dev/null
}

run_openssl()
{
	measured openssl verify -CAfile c.pem $(yes c.pem | head -n 8000)
}

prepare_node()
{
	has node || return
	cat >objects.js <<'JS'
const zlib = require('zlib');
const things = [];
for (let i = 0; i < 300000; i++)
	things.push({ id: i, name: 'thing ' + i, list: [i, i * 2] });
const text = JSON.stringify(things);
JSON.parse(zlib.gunzipSync(zlib.gzipSync(text)));
const buffers = [];
for (let i = 0; i < 20000; i++)
	buffers.push(Buffer.alloc(10000, i % 256));
JS
}

run_node()
{
	measured node objects.js
}

prepare_java()
{
	has java javac || return
	cat >Objects.java <<'JAVA'
import java.util.*;

public class Objects {
	public static void main(String[] args) {
		Map<String, List<Integer>> map = new TreeMap<>();
		for (int i = 0; i < 8000000; i++)
			map.computeIfAbsent("key " + i % 1000,
			    k -> new ArrayList<>()).add(i);
	}
}
JAVA
	javac Objects.java 2>/dev/null
}

run_java()
{
	measured java -Xmx512m -cp . Objects
}
