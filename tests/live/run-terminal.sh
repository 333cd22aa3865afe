#!/bin/sh
# run-terminal.sh - ^C, ^Z, fg and bg on a terminal work as without us
. "${srcdir:-.}/tests/lib.sh"
need python3

cat >program.py <<'END'
import os, signal, time

def note(number, frame):
    with open("log", "a") as log:
        log.write(signal.Signals(number).name + "\n")

for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGCONT):
    signal.signal(s, note)
open("ready.part", "w").write(str(os.getpid()))
os.rename("ready.part", "ready")
while not os.path.exists("done"):
    time.sleep(0.05)
print("name:", input())
END

cat >terminal.py <<'END'
import os, pty, sys, threading, time

def fail(what):
    print(what)
    print(b"".join(seen).decode(errors="replace"))
    os._exit(1)

def until(what, holds):
    for _ in range(400):
        if holds():
            return
        time.sleep(0.05)
    fail("not within 20 s: " + what)

def state(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(") ", 1)[1].split()[:2]

def logged():
    try:
        return open("log").read().split()
    except FileNotFoundError:
        return []

pid, terminal = pty.fork()
if pid == 0:
    os.environ["PS1"] = "$ "
    os.execvp("sh", ["sh", "-i"])
seen = []

def read():
    try:
        while True:
            seen.append(os.read(terminal, 4096))
    except OSError:
        pass

threading.Thread(target=read, daemon=True).start()

def type(text):
    os.write(terminal, text.encode())

type("%s run -q -o profile.tide -- python3 program.py\n" % sys.argv[1])
until("the program starts", lambda: os.path.exists("ready"))
theirs = int(open("ready").read())
ours = int(state(theirs)[1])

type("\x03")
until("^C reaches the program", lambda: "SIGINT" in logged())
type("\x1c")
until("^\\ reaches the program", lambda: "SIGQUIT" in logged())
type("\x1a")
until("^Z stops the program", lambda: state(theirs)[0] == "T")
until("^Z stops us", lambda: state(ours)[0] == "T")
type("echo shell is back\n")
until("the shell has the terminal",
      lambda: b"".join(seen).count(b"shell is back") == 2) # typed, and said
type("bg\n")
until("bg continues both", lambda: state(theirs)[0] == "S"
      and state(ours)[0] == "S")
open("done", "w").close()
until("reading in the background stops both",
      lambda: state(theirs)[0] == "T" and state(ours)[0] == "T")
type("fg\n")
until("fg continues both", lambda: state(theirs)[0] == "S"
      and state(ours)[0] == "S")
type("heap\n")
until("the program reads", lambda: b"name: heap" in b"".join(seen))
type("echo status=$?\n")
until("the shell is told the end", lambda: b"status=0" in b"".join(seen))
type("exit\n")
if logged().count("SIGINT") != 1 or logged().count("SIGQUIT") != 1:
    fail("a key came twice: " + " ".join(logged()))
END
limited 120 python3 terminal.py "$HEAPTIDE" || fail "see above"
