#!/bin/sh
# leaks-known.sh - libraries used wrongly, in ways that bug trackers are full
# of: who leaks is found by file and line, and who does right is not accused
. "${srcdir:-.}/tests/lib.sh"

# Each is a function leak() that takes something and forgets it, and clean()
# that gives the same back; a batch is some of both.
cat >main.c <<'C'
#include "heaptide.h"
void leak(int batch), clean(int batch);
int
main(void)
{
	for (int batch = 0; batch < 40; batch++) {
		for (int i = 0; i < 10; i++)
			clean(batch);
		leak(batch);
		tide_mark("batch");
	}
	return 0;
}
C

cat >xml.c <<'C'
#include <string.h>
#include <libxml/parser.h>
static const char text[] = "<feed><item id='1'>one</item><item/></feed>";
void
leak(int batch)
{
	(void)batch;
	xmlReadMemory(text, strlen(text), "feed", NULL, 0); /* HERE */
}
void
clean(int batch)
{
	(void)batch;
	xmlFreeDoc(xmlReadMemory(text, strlen(text), "feed", NULL, 0));
}
C

cat >sqlite.c <<'C'
#include <stddef.h>
#include <sqlite3.h>
static sqlite3 *db;
static sqlite3_stmt *
prepare(void)
{
	sqlite3_stmt *s;
	if (db == NULL && sqlite3_open(":memory:", &db) != SQLITE_OK)
		return NULL;
	sqlite3_prepare_v2(db, "select 1 + ?, 'two'", -1, &s, NULL);
	sqlite3_step(s);
	return s;
}
void
leak(int batch)
{
	(void)batch;
	prepare(); /* HERE */
}
void
clean(int batch)
{
	(void)batch;
	sqlite3_finalize(prepare());
}
C

cat >openssl.c <<'C'
#include <stddef.h>
#include <openssl/evp.h>
static EVP_MD_CTX *
digest(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	EVP_DigestUpdate(c, "abc", 3);
	return c;
}
void
leak(int batch)
{
	(void)batch;
	digest(); /* HERE */
}
void
clean(int batch)
{
	(void)batch;
	EVP_MD_CTX_free(digest());
}
C

cat >expat.c <<'C'
#include <stddef.h>
#include <expat.h>
static XML_Parser
parse(void)
{
	XML_Parser p = XML_ParserCreate(NULL);
	XML_Parse(p, "<a><b c='d'/></a>", 17, 1);
	return p;
}
void
leak(int batch)
{
	(void)batch;
	parse(); /* HERE */
}
void
clean(int batch)
{
	(void)batch;
	XML_ParserFree(parse());
}
C

cat >zlib.c <<'C'
#include <string.h>
#include <zlib.h>
static void
pack(z_stream *z)
{
	unsigned char out[200];
	memset(z, 0, sizeof(*z));
	deflateInit(z, 6);
	z->next_in = (unsigned char *)"abcabcabc";
	z->avail_in = 9;
	z->next_out = out;
	z->avail_out = sizeof(out);
	deflate(z, Z_FINISH);
}
void
leak(int batch)
{
	z_stream z;
	(void)batch;
	pack(&z); /* HERE */
}
void
clean(int batch)
{
	z_stream z;
	(void)batch;
	pack(&z);
	deflateEnd(&z);
}
C

cat >regex.c <<'C'
#include <stddef.h>
#include <regex.h>
static void
compile(regex_t *r)
{
	regcomp(r, "^a[b-z]*(c|d)$", REG_EXTENDED);
	regexec(r, "abcd", 0, NULL, 0);
}
void
leak(int batch)
{
	regex_t r;
	(void)batch;
	compile(&r); /* HERE */
}
void
clean(int batch)
{
	regex_t r;
	(void)batch;
	compile(&r);
	regfree(&r);
}
C

cat >addresses.c <<'C'
#include <stddef.h>
#include <netdb.h>
static struct addrinfo *
look_up(void)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found = NULL;
	getaddrinfo("127.0.0.1", "80", &hints, &found);
	return found;
}
void
leak(int batch)
{
	(void)batch;
	look_up(); /* HERE */
}
void
clean(int batch)
{
	(void)batch;
	freeaddrinfo(look_up());
}
C

cat >lines.c <<'C'
#include <stdio.h>
#include <stdlib.h>
static char *
first_line(void)
{
	FILE *f = fopen("lines.c", "r");
	char *line = NULL;
	size_t room = 0;
	getline(&line, &room, f);
	fclose(f);
	return line;
}
void
leak(int batch)
{
	(void)batch;
	first_line(); /* HERE: who calls getline() owns the line */
}
void
clean(int batch)
{
	(void)batch;
	free(first_line());
}
C

# found NAME: by its line, in each call path that is told, and nothing else is
found()
{
	line=$(grep -n HERE "$1.c" | cut -d: -f1)
	json leaks.json "[.leaks[] | select(.verdict == \"growing\") |
	    any(.stack[]; .function == \"leak\" and .line == $line and
		(.file | endswith(\"$1.c\")))] | length > 0 and all" \
	    >found.out || fail "leaks.json"
	same "$1: found by file and line, and nobody else" true \
	    "$(cat found.out)"
}

ran=0
# try NAME LIBRARY...: with what the linker needs for it
try()
{
	name=$1
	shift
	if ! ${CC:-cc} -g -O1 -w -I"$srcdir/include" ${flags:-} -o "$name" \
		main.c "$name.c" "$@" 2>cc.err; then
		without "no headers or library for $name: $(head -n 1 cc.err)"
		return
	fi
	plain_and_under all "./$name"
	limited 60 "$HEAPTIDE" leaks --json profile.tide >leaks.json ||
		fail "$name: leaks"
	found "$name"
	ran=$((ran + 1))
}

flags=$(pkg-config --cflags libxml-2.0 2>/dev/null)
try xml -lxml2
flags=
try sqlite -lsqlite3
try openssl -lcrypto
try expat -lexpat
try zlib -lz
try regex
limited 60 "$HEAPTIDE" leaks profile.tide >text || fail "leaks, as text"
grep -Eq '^ *100 %  leak  regex.c:[0-9]+  .* an epoch, [0-9]+ sites' text ||
	fail "many sites, one cause: $(head -n 12 text)"
try addresses
try lines
[ $ran -ge 3 ] || fail "only $ran of them could be tried"

# --- a reference too many, in an extension of python -------------------------

cat >counted.c <<'C'
#include <Python.h>
static PyObject *
remember(PyObject *self, PyObject *arg)
{
	PyObject *copy = PyBytes_FromStringAndSize(NULL, 3000);
	(void)self;
	Py_INCREF(copy); /* the reference too many */
	memset(PyBytes_AsString(copy), 1, 3000);
	return copy;
}
static PyMethodDef methods[] = {
	{ "remember", remember, METH_O, "" }, { NULL, NULL, 0, NULL }
};
static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT, "counted", NULL, -1, methods
};
PyMODINIT_FUNC
PyInit_counted(void)
{
	return PyModule_Create(&module);
}
C
python=/usr/bin/python3
include=$($python -c 'import sysconfig; print(sysconfig.get_path("include"))' \
    2>/dev/null)
if [ -f "$include/Python.h" ] && ${CC:-cc} -g -O1 -w -shared -fPIC \
	-I"$include" -o counted.so counted.c 2>cc.err; then
	cat >script.py <<'PY'
import counted, time
end = time.time() + 3
while time.time() < end:
    for i in range(20):
        counted.remember(i)
    time.sleep(0.01)
PY
	limited 60 "$HEAPTIDE" run -q --stacks all --epoch 100ms \
	    -o python.tide -- $python script.py || fail "python: $?"
	limited 60 "$HEAPTIDE" leaks --json python.tide >leaks.json
	line=$(grep -n PyBytes_From counted.c | cut -d: -f1)
	same "python: the first" true "$(json leaks.json ".leaks[0] |
	    .verdict == \"growing\" and any(.stack[];
	    .function == \"remember\" and .line == $line)")"
else
	without "no headers of python"
fi

# --- a store without a limit -------------------------------------------------

if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
	"$HEAPTIDE" run -q --stacks all --epoch 100ms -o redis.tide -- \
	    redis-server --port 0 --unixsocket "$PWD/redis.sock" --save '' \
	    --appendonly no >redis.out 2>&1 &
	run=$!
	await test -S redis.sock
	i=0
	while [ $i -lt 30 ]; do
		i=$((i + 1))
		for key in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
			printf 'SET key:%d:%d %0500d\r\n' $i $key 7
		done | redis-cli -s redis.sock >/dev/null
		sleep 0.1
	done
	redis-cli -s redis.sock shutdown nosave >/dev/null 2>&1
	wait $run || fail "redis: $?"
	limited 60 "$HEAPTIDE" leaks --json redis.tide >leaks.json
	same "redis: values that nothing evicts" true "$(json leaks.json \
	    '[.leaks[] | select(.verdict == "growing" and
		.bytes_per_epoch > 500 and
		any(.stack[]; .module | test("redis")))] | length > 0')"
else
	without "no redis"
fi
