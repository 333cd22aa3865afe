#!/bin/sh
# program-python-extension.sh - Python with C extensions, its own and one made
# here, in threads and with children
. "${srcdir:-.}/tests/lib.sh"

need python3
python=$(python3 -c 'import sys; print(sys.executable)')
include=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
cat >held.c <<'E2'
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>

/* Allocates without the interpreter's lock. */
static PyObject *
work(PyObject *self, PyObject *args)
{
	int n = 0, i;
	long sum = 0;

	(void)self;
	if (!PyArg_ParseTuple(args, "i", &n))
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	for (i = 0; i < n; i++) {
		char *p = malloc((size_t)i % 500 + 1);

		p = realloc(memset(p, 1, 1), (size_t)i % 900 + 1);
		sum += p[0];
		free(p);
	}
	Py_END_ALLOW_THREADS
	return PyLong_FromLong(sum);
}

static PyMethodDef methods[] = {
	{ "work", work, METH_VARARGS, NULL }, { NULL, NULL, 0, NULL }
};
static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT, "held", NULL, -1, methods, NULL, NULL, NULL, NULL
};

PyMODINIT_FUNC
PyInit_held(void)
{
	return PyModule_Create(&module);
}
E2
if [ -e "$include/Python.h" ]; then
	"${CC:-cc}" -O2 -fPIC -shared -fno-builtin -I"$include" \
	    -o "held$suffix" held.c || fail "cannot build the extension"
else
	echo "Python.h is not there: without an extension made here"
fi
cat >many.py <<'PY'
import ctypes, hashlib, json, sqlite3, subprocess, sys, threading, zlib
try:
    from held import work
except ImportError:
    def work(n): return n
base = sqlite3.connect(":memory:", check_same_thread=False)
base.execute("create table t (a integer primary key, b text)")
base.executemany("insert into t values (?, ?)", ((i, "row %d" % i) for i in range(3000)))
sums = []
def run(k):
    data = json.dumps([hashlib.sha256(b"%d" % i).hexdigest() for i in range(300)]).encode()
    packed = zlib.compress(data, k)
    sums.append(work(2000) + len(zlib.decompress(packed)))
threads = [threading.Thread(target=run, args=(k + 1,)) for k in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(777777))
seen = []
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
values = (ctypes.c_int * 5)(5, 1, 4, 2, 3)
libc.qsort(values, 5, 4, compare(lambda a, b: a[0] - b[0]))
child = subprocess.run([sys.executable, "-c", "import zlib; print(len(bytes(10**6)))"],
                       capture_output=True, text=True)
print(sums, list(values), child.stdout.strip(), base.execute("select count(*), max(b) from t").fetchone())
PY
export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
unharmed "$python" many.py
grep -q "1000000 (3000, 'row 999')" under.out || fail "$(cat under.out)"
[ ! -e "held$suffix" ] || within "allocations" 24000 10000000 \
    "$(json report.json .totals.allocations)"
