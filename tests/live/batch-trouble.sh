#!/bin/sh
# batch-trouble.sh - full disks, readers that are gone or asleep, signals that
# are ignored, processes that jobs leave behind: what a batch says is done, is
# done and told, and it ends when it is told to
. "${srcdir:-.}/tests/lib.sh"
need jq

batch()
{
	limited 100 "$HEAPTIDE" batch -q --summary off "$@"
}

# background OPTIONS...: $batch is its pid
background()
{
	"$HEAPTIDE" batch -q --summary off "$@" 2>err &
	batch=$!
	started="$started $batch"
}

gone()
{
	! kill -0 "$batch" 2>/dev/null ||
		grep -q '^State:.*Z' "/proc/$batch/status"
}

# --- what could not be told is not done --------------------------------------------

if [ -w /dev/full ]; then
	batch -j1 --joblog full.log -- echo {} ::: a b >/dev/full 2>err
	same "a full disk: status" 125 $?
	grep -q 'No space left' err || fail "a full disk: $(cat err)"
	same "a full disk: what is noted" 1 "$(wc -l <full.log)"
	batch -j1 --joblog full.log --resume -- echo {} ::: a b >out
	same "gone on: status" 0 $?
	same "gone on" "a b" "$(echo $(cat out))"
	limited 100 "$HEAPTIDE" batch -j1 --summary json -- echo {} ::: a b \
		>/dev/full 2>err
	sed -n '/^{/,$p' err >full.json
	same "a full disk: done" "0 0" "$(json full.json '"\(.jobs) \(.items)"')"
	batch -j1 -- echo {} ::: a b >/dev/full 2>err
	batch -j1 --resume -- echo {} ::: a b >out
	same "gone on from a checkpoint" "0 a b" "$? $(echo $(cat out))"
else
	without "there is no /dev/full"
fi

# In order: one that has ended, and waits for its turn, is not done yet.
cat >first <<'SH'
#!/bin/sh
[ "$1" != 1 ] || [ -e go ] || while [ ! -e go ]; do sleep 0.05; done
echo "$1" >>ended
echo "$1"
SH
chmod +x first
two_to_five()
{
	[ "$(cat ended 2>/dev/null | wc -l)" -eq 4 ]
}
background -k -j2 --joblog order.log -- ./first {} ::: 1 2 3 4 5 >out
await two_to_five
kill -KILL "$batch"
wait "$batch" 2>/dev/null
touch go
batch -k -j2 --joblog order.log --resume -- ./first {} ::: 1 2 3 4 5 >>out
same "in order, after SIGKILL" "1 2 3 4 5" "$(echo $(cat out))"
same "and noted" "1 2 3 4 5" "$(echo $(sed 1d order.log | cut -f1 | sort -n))"

# --- what ended before its turn is done ------------------------------------------------

seq 30 >items
thirty_but_one()
{
	[ "$(cat ended 2>/dev/null | wc -l)" -eq 29 ]
}
rm -f go ended
background -j2 -a items -- ./first {} >out
await thirty_but_one
kill -TERM "$batch"
wait "$batch"
same "told to end" 143 $?
touch go
batch -j2 --resume -a items -- ./first {} >out 2>err
same "gone on behind: status" 0 $?
same "gone on behind" 1 "$(cat out)"

# --- who reads our output ------------------------------------------------------------------

# Asleep, it does not keep us from ending.
mkfifo pipe
sleep 300 <pipe &
started="$started $!"
# Of the two ends one is held by who never reads.
background -j1 --joblog asleep.log -- sh -c \
	': >began; exec head -c 300000 /dev/zero' ::: 1 2 >pipe
stuck()
{
	[ -e began ] && [ -z "$(cat /proc/$batch/task/$batch/children)" ]
}
await stuck
kill -TERM "$batch"
await gone
wait "$batch"
same "a reader that sleeps: status" 143 $?
same "what is noted" 1 "$(wc -l <asleep.log)"

# --- short of files, of room ------------------------------------------------------------

seq 300 >many
(
	ulimit -n 24
	batch -j16 --joblog few.log -- sh -c 'sleep 0.02; echo $1' _ {} \
		<many >out 2>err
)
sort -n out | cmp -s - many || fail "few files: $(cat err)"
same "few files: what is said" 1 "$(wc -l <err)"
same "few files: what is noted" 300 "$(sed 1d few.log | cut -f7 | grep -c 0)"
# No item has failed for it.
TMPDIR=/nowhere/at/all batch --joblog none.log -- echo {} ::: a b >out 2>err
same "no directory" "125 0 1 1" \
	"$? $(echo $(cat out err none.log | grep -c ^[ab]) $(wc -l <err) \
	$(wc -l <none.log))"
if [ "$(id -u)" = 0 ] && mkdir small &&
	mount -t tmpfs -o size=64k none small 2>/dev/null; then
	# One that does not look whether it could write.
	TMPDIR=$scratch/small batch -j1 --joblog small.log -- sh -c \
		'head -c $1 /dev/zero 2>/dev/null; true' _ {} \
		::: 100 100000 100 >out 2>err
	same "no room: status" 125 $?
	umount small
	same "no room" "100 2 1" "$(wc -c <out) $(wc -l <small.log) $(wc -l <err)"
else
	without "no file system of 64 KiB can be had"
fi

# --- signals that somebody has ignored --------------------------------------------------

cat >waits <<'SH'
#!/bin/sh
echo "$1" >>ready
while [ ! -e go ]; do sleep 0.05; done
SH
chmod +x waits
both_wait()
{
	[ "$(cat ready 2>/dev/null | wc -l)" -eq 2 ]
}
rm -f go
(
	trap '' HUP INT QUIT
	exec "$HEAPTIDE" batch -q --summary off -j2 -- ./waits {} ::: 1 2 2>err
) &
batch=$!
started="$started $batch"
await both_wait
kill -HUP "$batch"
kill -INT "$batch"
kill -QUIT "$batch"
sleep 0.3
touch go
wait "$batch"
same "as nohup has it" "0 " "$? $(cat err)"

# --- what a job leaves behind ---------------------------------------------------------------

cat >haunts <<'SH'
#!/bin/sh
case $1 in
1) (
	while [ ! -e second ]; do sleep 0.05; done
	echo ghost
	: >third
   ) & ;;
2) : >second
   while [ ! -e third ]; do sleep 0.05; done ;;
esac
echo "$1"
SH
chmod +x haunts
batch -j1 -k -- ./haunts {} ::: 1 2 >out
same "of another job" "1 2" "$(echo $(cat out))"

# --- stopped, and time goes on ----------------------------------------------------------

rm -f go ready
setsid "$HEAPTIDE" batch -q --summary off -j2 --timeout 10s -- ./waits {} \
	::: 1 2 2>err &
batch=$!
started="$started $batch"
await both_wait
kill -TSTP "$batch"
stopped()
{
	grep -q '^State:.*T' "/proc/$batch/status"
}
await stopped
sleep 11
kill -CONT "$batch"
sleep 0.3
touch go
wait "$batch"
same "stood still beyond --timeout" "0 " "$? $(cat err)"

# --- what its processes take ---------------------------------------------------------------

# Children of threads that are not the first belong to the job as well.
if command -v python3 >/dev/null; then
	cat >thread.py <<'PY'
import subprocess, sys, threading
# Each is there until the other one is as well, and a while longer.
child = '''
import glob, os, time
b = bytearray(b'x') * (100 << 20)
open("there.%d" % os.getpid(), "w").close()
while len(glob.glob("there.*")) < 2:
    time.sleep(0.05)
time.sleep(2)
'''
def start():
    subprocess.run([sys.executable, "-c", child])
threads = [threading.Thread(target=start) for i in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
PY
	limited 100 "$HEAPTIDE" batch --summary json --no-preload -- \
		python3 thread.py ::: 1 >out 2>err
	peak=$(sed -n 's/.*"job_peak": *\([0-9]*\).*/\1/p' err)
	within "children of threads" $((200 << 20)) $((300 << 20)) "${peak:-0}"
else
	without "python3 is not installed"
fi
