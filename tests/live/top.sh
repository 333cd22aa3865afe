#!/bin/sh
# top.sh - a live view: the list, a process, its marks, its end, any terminal
#
# tmux is the terminal: it is typed at, and what is on it is read.
. "${srcdir:-.}/tests/lib.sh"

# --- no terminal -------------------------------------------------------------

# refused SENTENCE ARGUMENT...: a usage error that says so, in one line
refused()
{
	sentence=$1
	shift
	limited 60 "$HEAPTIDE" top "$@" </dev/null >out 2>err
	same "status of top $*" 2 $?
	grep -q "$sentence" err || fail "top $*: $(cat err)"
	same "lines of top $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

refused 'must be a terminal'
refused 'must be a terminal' 1
refused "'1ms' is not accepted.*at least 100 ms" --interval 1ms
refused "'soon'" --interval soon

# --- a terminal --------------------------------------------------------------

need tmux
unset TMUX NO_COLOR
export TMUX_TMPDIR="$scratch" SHELL=/bin/sh
servers=0
server=top$$
programs=
trap 'status=$?; mux kill-server 2>/dev/null; started=$programs; end_started
	cd /; rm -rf "$scratch"; exit $status' EXIT

mux()
{
	tmux -u -f /dev/null -L "$server" "$@"
}

# top_on TERMINAL COMMAND: in a terminal of its own; its status is shown behind.
# One server is still ending while the next begins: they need names.
top_on()
{
	mux kill-server 2>/dev/null
	servers=$((servers + 1))
	server=top$$.$servers
	mux new-session -d -x 80 -y 24 "trap : INT; TERM=$1 sh -c 'echo \$\$ >top.pid
	    exec $2'; echo status \$?; exec sleep 600" || fail "no tmux"
}

screen()
{
	mux capture-pane -p 2>/dev/null
}

# shows PATTERN: at last the screen has a line like that
shows()
{
	tries=0
	until screen >now && grep -q -e "$1" now; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || fail "no '$1' on the screen:
$(cat now)"
		sleep 0.1
	done
}

# typed KEY...: as tmux names them
typed()
{
	mux send-keys "$@"
}

resized()
{
	mux resize-window -x "$1" -y "$2" || fail "cannot resize to $1x$2"
}

# restored STATUS: it has ended so, and the terminal is as it was
restored()
{
	shows "^status $1\$"
	same "alternate screen and cursor" "0 1" \
		"$(mux display-message -p '#{alternate_on} #{cursor_flag}')"
}

# --- a program to watch ------------------------------------------------------

cat >grow.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noinline)) static void
keep_one(void)
{
	char *volatile p = malloc(20000);

	memset(p, 1, 20000);
}

__attribute__((noinline)) static void
serve_all(void)
{
	for (;;) {
		keep_one();
		usleep(20000);
	}
}

int
main(int argc, char **argv)
{
	FILE *f = argc > 1 ? fopen("pid.part", "w") : NULL;

	if (f != NULL) {
		fprintf(f, "%d\n", (int)getpid());
		fclose(f);
		rename("pid.part", argv[1]);
	}
	serve_all();
	return 0;
}
END
${CC:-cc} -g -O0 -o grow grow.c || fail "cannot compile"

# started NAME STACKS [ARGUMENT...]: its pid is in $NAME
started()
{
	name=$1
	stacks=$2
	shift 2
	"$HEAPTIDE" run -q --stacks "$stacks" -o "$name.tide" -- \
		./grow "$name.pid" "$@" &
	programs="$programs $!"
	tries=0
	while [ ! -e "$name.pid" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || fail "$name does not start"
		sleep 0.1
	done
	eval "$name=\$(cat $name.pid)"
	programs="$programs $(cat "$name.pid")"
}

red=$(printf '\033[31mred\033[m')
started first all "$red"
started second sampled

# --- the list ----------------------------------------------------------------

top_on screen "$HEAPTIDE top --interval 200ms"
shows 'heaptide top *2 running, heap '
shows "^ *$first .* all *run *\./grow"
shows "^ *$second .* smpl *run *\./grow"
resized 160 24
shows "^ *$first .* all .*running .*pid ?\[31mred?\[m"
resized 80 24

typed '/'
typed -l nobody
shows "no process has 'nobody'"
typed Enter Escape
shows "^ *$first "
typed '/'
typed -l "$second"
typed Enter
shows "2 running.*with '$second'"
! screen | grep -q "^ *$first " || fail "the filter does not filter"
typed Escape
shows "^ *$first "
typed g
shows '\*GROWTH'
shows "^ *$first .*+[0-9.]* KiB/s "
typed t '?'
shows 'keys of the list'
typed x
shows "^ *$first "

# --- a process ---------------------------------------------------------------

typed Home Enter
shows "^ $first .*running .* stacks all"
shows '^ heap  *[0-9.]* [KM]iB in .* blocks, peak .*, allocates '
shows '^ growth +[0-9.]* KiB/s in a minute'
shows 'keep_one  grow.c:[0-9]* *< serve_all < main'
shows '\*LIVE'

typed k
shows 'name of the mark:'
typed -l 'after load'
typed Enter
shows ' ago  mark .* after load'
shows "grew since 'after load'"
typed s
shows '\*GREW'
shows ' +[0-9.]* [KM]iB .*keep_one'
typed Enter
shows '^ *| serve_all  grow.c:[0-9]*'
shows '^ *| main  grow.c:[0-9]*'
typed Down Enter
shows 'keep_one  grow.c:[0-9]* *< serve_all'

typed w
shows 'up to 1 h'
typed T
shows 'trim is asked for'
typed n
shows "snapshot heaptide.grow.$first.1.tide in "
report "heaptide.grow.$first.1.tide"
same "sites of the snapshot" true "$(json report.json '[.sites[].stack[0] |
	.function] | any(. == "keep_one")')"
typed S
shows 'stacks none from now on'

# Any size is survived; what there is room for is shown.
for size in '60 15' '10 3' '1 1' '200 60' '30 8' '80 24'; do
	resized ${size% *} ${size#* }
	[ "${size% *}" -lt 30 ] || shows "^ $first "
done
shows 'MARKS AND EVENTS'
shows '^ heap '

kill -s KILL "$first"
shows "^ $first .*ended"
shows 'keep_one'
typed k
shows 'it has ended'
typed Left
shows 'heaptide top *1 running'
typed q
restored 0

# --- the end by a signal -----------------------------------------------------

top_on screen "$HEAPTIDE top $second"
shows "^ $second .*running"
kill -s TERM "$(cat top.pid)"
restored 143

top_on screen "$HEAPTIDE top"
shows "^ *$second "
typed C-c
restored 130

# --- terminals ---------------------------------------------------------------

escape=$(printf '\033')

# coloured: does the screen have colours?
coloured()
{
	mux capture-pane -e -p | grep -q "$escape\[[0-9;]*3[0-7]m"
}

top_on screen "$HEAPTIDE top"
shows "^ *$second "
coloured || fail "no colours on a terminal that has them"

top_on screen "env NO_COLOR=1 $HEAPTIDE top"
shows "^ *$second "
! coloured || fail "colours with NO_COLOR"

for view in '' "$second"; do
	top_on vt100 "$HEAPTIDE top $view"
	shows "^ *$second "
	! coloured || fail "colours on a vt100"
	resized 60 15
	resized 80 24
	shows "^ *$second "
	typed q
	shows '^status 0$'
done

top_on dumb "$HEAPTIDE top"
shows "^heaptide: top: a terminal of type 'dumb'"
shows '^status 2$'

if LC_ALL=C.UTF-8 locale charmap 2>/dev/null | grep -qx UTF-8; then
	top_on screen "env LC_ALL=C.UTF-8 $HEAPTIDE top $second"
	shows "^ $second "
	shows '█'
	typed q
	restored 0
else
	without "a locale of UTF-8: none is installed"
fi
