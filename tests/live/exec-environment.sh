#!/bin/sh
# exec-environment.sh - by whichever function a program is started, it finds
# the environment it would find without us, and ours only where it may
. "${srcdir:-.}/tests/lib.sh"

# Others that are preloaded, before us and behind us: they stay, in order.
# They need no libc, so any dynamic linker takes them.
for name in first last; do
	echo "int heaptide_test_$name;" |
		${CC:-cc} -shared -fPIC -nostdlib -o $name.so -x c - ||
		fail "cannot build $name.so"
done
others=$scratch/first.so:$scratch/last.so
mkdir bin
cp "$victims/environment" bin
STARTED=11  # by each of so many functions,
SEARCHING=4 # of which these look along PATH

# without_ours FILE: what a program found, less what is heaptide's
without_ours()
{
	sed -e '/^HEAPTIDE_OF_ITS_OWN=/b' -e '/^HEAPTIDE_/d' \
		-e "/^LD_PRELOAD=/s|$LIBHEAPTIDE:*||" \
		-e "/^LD_PRELOAD=\$/d" -e "/^_=/d" \
		-e "/^MEMORY_PRESSURE_WATCH=/d" "$1"
}

with_others()
{
	limited 60 env ${others:+"LD_PRELOAD=$others"} \
		PATH="$PATH:$scratch/bin" "$@"
}

# finds_the_same COUNT PLACE PROGRAM [OPTION...]
finds_the_same()
{
	count=$1 place=$2 program=$3
	shift 3
	with_others "$victims/starter" $place "$program" \
		>plain 2>plain.err
	plain=$?
	with_others "$HEAPTIDE" run -q --stacks none -o p.tide "$@" \
		-- "$victims/starter" $place "$program" >under 2>under.err
	same "$place: status" $plain $?
	cmp plain.err under.err || fail "$place: more on stderr: $(cat under.err)"
	without_ours plain >plain.1
	without_ours under >under.1
	diff plain.1 under.1 || fail "$place: $program finds things changed"
	same "$place: how often" $count "$(grep -c '^argument 1: two w' under)"
}

# given COUNT LIST: so often a program was given this LD_PRELOAD
given()
{
	same "$place, $program: LD_PRELOAD=$2" "$1" \
		"$(grep -c -x "LD_PRELOAD=$2" under)"
}

# not_profiled CAUSE COUNT
not_profiled()
{
	report p.tide
	same "$place, $program: $1" "$2" \
		"$(json report.json ".not_profiled.$1")"
}

ours_and_others=$LIBHEAPTIDE:$others

# --- those that may have us inside -------------------------------------------

for place in fork vfork handler thread; do
	finds_the_same $STARTED $place bin/environment
	given $STARTED "$ours_and_others"
	finds_the_same $SEARCHING $place environment
	given $SEARCHING "$ours_and_others"
	# None shall, and nothing tells them of us but what the program says.
	finds_the_same $STARTED $place bin/environment --children none
	given $STARTED "$others"
	same "$place: variables of ours" "" "$(grep -e ^HEAPTIDE_ \
		-e ^MEMORY_PRESSURE_ under | grep -v OF_ITS_OWN)"
	not_profiled environment 0
done

# We may stand anywhere among the others.
(
	PATH=$PATH:$scratch/bin
	LD_PRELOAD=$scratch/first.so:$LIBHEAPTIDE:$scratch/last.so \
		HEAPTIDE_CHILDREN=none "$victims/starter" vfork environment \
		>under
	given $SEARCHING "$others"
	LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_CHILDREN=none \
		"$victims/starter" vfork environment >under
	same "with nobody else" 0 "$(grep -c ^LD_PRELOAD under)"
	same "variables of ours" $SEARCHING "$(grep -c ^HEAPTIDE_ under)"
) || exit

# What the process itself becomes is no child.
for function in execve execl execvp fexecve; do
	finds_the_same 1 "here $function" bin/environment --children none
	given 1 "$ours_and_others"
done

# --- those that would be harmed ----------------------------------------------

# kept_away CAUSE PROGRAM [PLACES]: it finds what it would without us
kept_away()
{
	for place in ${3-vfork}; do
		finds_the_same $STARTED $place "$2"
		same "$place, $2: LD_PRELOAD" 0 "$(grep -c heaptide.so under)"
		not_profiled "$1" $STARTED
	done
}

if command -v musl-gcc >/dev/null; then
	musl-gcc -o musl "$srcdir/tests/victims/environment.c" ||
		fail "cannot build for musl"
	kept_away other_libc ./musl 'fork vfork handler thread'

	# By a script, and by the shell of system().
	printf '#! %s/musl -x\n' "$scratch" >script
	chmod +x script
	limited 60 "$HEAPTIDE" run -q -o p.tide -- sh -c './script; exit $?' \
		>under
	same "status of a script for musl" 3 $?
	limited 60 "$HEAPTIDE" run -o p.tide -- perl -e \
		'exit((system "./musl >under; exit \$?") >> 8)' 2>err
	same "status of a shell's child" 3 $?
	grep -q 'not profiled .* 1 with a libc other than glibc' err ||
		fail "no word of the program: $(cat err)"
	"$HEAPTIDE" report p.tide.d/heaptide.sh.*.tide >text ||
		fail "no report of the shell"
	grep -q 'not profiled: 1: 1 with a libc other' text ||
		fail "the shell's report does not tell"

	# What is preloaded may be run as a program itself.
	loader=$(ls /lib/ld-musl-*.so.1 2>/dev/null | head -n 1)
	[ -z "$loader" ] || finds_the_same 0 fork "$loader"
else
	without "a program for musl: musl-gcc is missing"
fi

cat >narrow.c <<'END'
__asm__(".globl _start\n_start: mov %esp, %eax\n push %eax\n call begin");
static int
call(int number, int a, const char *b, int c)
{
	__asm__ volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c)
	    : "memory");
	return number;
}
static void
line(const char *start, const char *s)
{
	int n = 0;

	while (s[n] != 0)
		n++;
	while (*start != 0)
		call(4, 1, start++, 1);
	call(4, 1, s, n);
	call(4, 1, "\n", 1);
}
void
begin(char **stack)
{
	int i = 1;

	for (; stack[i] != 0; i++)
		if (i == 2)
			line("argument 1: ", stack[i]);
	for (i++; stack[i] != 0; i++)
		line("", stack[i]);
	call(1, 3, 0, 0);
}
END
if ${CC:-cc} -m32 -O1 -static -nostdlib -fno-stack-protector -fno-pie -no-pie \
    -o narrow narrow.c 2>/dev/null && { ./narrow >/dev/null; [ $? -eq 3 ]; }
then
	kept_away other_cpu ./narrow
else
	without "a program of 32 bits: none can be built and run here"
fi

others=
if ${CC:-cc} -fsanitize=address -o sanitized \
    "$srcdir/tests/victims/environment.c" 2>/dev/null; then
	kept_away sanitizer ./sanitized
else
	without "a program with a sanitizer: none can be built"
fi

# --- those that do not mind --------------------------------------------------

# not_minded CAUSE PROGRAM: it is given us, and told of
not_minded()
{
	finds_the_same $STARTED vfork "$2"
	given $STARTED "$LIBHEAPTIDE"
	not_profiled "$1" $STARTED
}

if ${CC:-cc} -static -o static "$srcdir/tests/victims/environment.c" \
    2>/dev/null; then
	not_minded static ./static
fi
if [ "$(id -u)" -eq 0 ]; then
	cp bin/environment raised
	chown 65534 raised
	chmod 4755 raised
	chmod 755 .
	finds_the_same $STARTED vfork ./raised
	not_profiled privileged $STARTED

	# Who can no longer open our library would be told so by the linker.
	place="out of reach"
	mkdir -m 700 hidden
	cp "$LIBHEAPTIDE" hidden
	LD_PRELOAD=$scratch/hidden/libheaptide.so HEAPTIDE_DIR=$scratch/hidden \
	    chroot --userspec=65534:65534 / "$scratch/bin/environment" \
	    >under 2>under.err
	same "$place: status" 3 $?
	[ ! -s under.err ] || fail "$place: $(cat under.err)"
	! grep -q LD_PRELOAD under || fail "$place: it is still in there"
	report hidden/*.tide
	same "$place: told of in the profile" 1 \
	    "$(json report.json .not_profiled.unreachable)"
fi

# A program that makes an environment of its own has made its choice.
env -i bin/environment >plain
limited 60 "$HEAPTIDE" run -o p.tide -- env -i bin/environment >under 2>err
same "status" 3 $?
cmp plain under || fail "an empty environment is not empty"
report p.tide
same "told of in the profile" "exited 1" \
	"$(json report.json '"\(.end.how) \(.not_profiled.environment)"')"

# --- what cannot be started --------------------------------------------------

echo text >plain
printf '#!/no/such/interpreter\n' >orphan
chmod +x orphan
for stacks in none sampled all; do
	plain_and_under $stacks "$victims/starter" failures
	report profile.tide
	same "failures are no programs" 0 \
		"$(json report.json '[.not_profiled[]] | add')"
	same "and no end" exited "$(json report.json .end.how)"
done
echo 'exit 5' >text
chmod +x text
for function in execvp execlp execvpe; do
	limited 60 "$HEAPTIDE" run -q -o p.tide -- \
		"$victims/starter" here $function ./text
	same "a script for nobody, by $function" 5 $?
done

# --- a large environment -----------------------------------------------------

# What is made for it does not pile up in a parent that lives on.
for policy in all none; do
	many=$(seq -f 'HEAPTIDE_TEST_%g=some text of some length' 3000)
	(
		IFS='
'
		limited 60 env $many "$HEAPTIDE" run -q --stacks none \
			--children $policy -o p.tide -- \
			"$victims/starter" many /bin/true >under
	)
	same "--children $policy" "more memory: no" "$(cat under)"
done
if [ -x musl ]; then
	finds_the_same $STARTED vfork ./musl
	many=$(seq -f 'TEST_%g=some text of some length' 3000)
	(
		IFS='
'
		export $many
		unset IFS
		kept_away other_libc ./musl
	) || exit
fi
