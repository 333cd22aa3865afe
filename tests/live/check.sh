#!/bin/sh
# check.sh - the gate is shut where an expression holds, and says why
. "${srcdir:-.}/tests/lib.sh"
need jq

# It does batches of 110 allocations and 100 frees, marks the end of each, and
# loses what MODE says.
cat >works.c <<'C'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heaptide.h"

void *volatile kept[100000];
static int count;

static __attribute__((noinline)) void
lose(size_t bytes)
{
	kept[count++] = malloc(bytes);	/* here */
}

static __attribute__((noinline)) void
fill_cache(int batch)
{
	static void *volatile cache[80];
	int i;

	for (i = 0; i < 10; i++) {
		int at = (batch * 10 + i) % 80;

		free(cache[at]);
		cache[at] = malloc(1000);
	}
}

static __attribute__((noinline)) void
do_work(void)
{
	void *volatile p = malloc(5000);

	free(p);
}

int
main(int argc, char **argv)
{
	const char *mode = argv[1];
	int batches = atoi(argv[2]), work = 100, lost = 0, i, k;
	void *volatile large = NULL;

	if (strstr(mode, "leak"))
		lost = strstr(mode, "fast") ? 20 : 10;
	if (strstr(mode, "busy"))
		work = 150;
	if (strstr(mode, "large"))
		large = malloc(2000000);
	/* Who marks has it for himself, once nobody else is at it. */
	if (!strstr(mode, "unmarked")) {
		tide_mark("start");
		usleep(50000);
	}
	for (i = 0; i < batches; i++) {
		for (k = 0; k < work; k++)
			do_work();
		for (k = 0; k < lost; k++)
			lose(100);
		if (!lost)
			fill_cache(i);
		if (strstr(mode, "unmarked"))
			usleep(25000);
		else
			tide_mark("batch");
	}
	free(large);
	printf("%d batches\n", batches);
	fflush(stdout);
	if (strstr(mode, "fails"))
		exit(3);
	if (strstr(mode, "killed"))
		raise(SIGKILL);
	return 0;
}
C
mkdir code
cp works.c code
${CC:-cc} -g -O1 -I"$srcdir/include" -o works \
	"$scratch/./code//../code/works.c" ||
	fail "cannot build"
line=$(grep -n 'here \*/' works.c | cut -d: -f1)
block=104 # what malloc(100) can be used for

# check STATUS ARGUMENT...: its answer is in answer; stdout and stderr of a
# program in out and err
check()
{
	expected=$1
	shift
	limited 120 "$HEAPTIDE" check "$@" >out 2>err
	same "status of check $*: $(head -n 5 out err)" "$expected" "$?"
	cat out err >answer
}

# says WORDS: the answer does
says()
{
	grep -qF -e "$1" answer || fail "'$1' is not in: $(cat answer)"
}

# A profile of each, to be judged again and again.
for mode in clean leak leak-fast busy large; do
	limited 120 "$HEAPTIDE" run --stacks all --summary off -o $mode.tide \
		-- ./works $mode 40 >/dev/null || fail "no $mode"
done

# --- open and shut -----------------------------------------------------------

# A cache that fills is no growth.
check 0 clean.tide
same "first word" PASS "$(head -n 1 answer | cut -d' ' -f1)"
check 1 leak.tide
same "first word" FAIL "$(head -n 1 answer | cut -d' ' -f1)"
same "first place" "works.c:$line" \
	"$(grep -o 'works\.c:[0-9]*' answer | head -n 1)"
says "growth>0: 1.0 KiB a batch"

# By the byte.
check 1 --json leak.tide
same "growth" "holds $((10 * block)) batch lose" \
	"$(json out '.expressions[0] | [.answer, (.value | round), .unit,
	    .findings[0].stack[0].function] | join(" ")')"
check 0 --fail-if "growth>$((10 * block))/batch" leak.tide
check 1 --fail-if "growth>=$((10 * block))/batch" leak.tide
check 1 --fail-if "growth>1/s" leak.tide
check 0 --fail-if "growth>1T/hour" leak.tide
check 1 --fail-if "leaked==$((400 * block))" leak.tide
check 0 --fail-if "leaked>0" --ignore fill_cache --ignore large clean.tide
check 1 --fail-if 'allocations==110/batch' leak.tide
check 1 --fail-if 'allocations==110/batch' clean.tide
check 1 --fail-if 'peak>2M' --fail-if 'peak>1' large.tide
check 0 --fail-if 'peak>2M' clean.tide
check 1 --fail-if 'temporary>=4K' clean.tide
check 0 --fail-if 'lost>0' --fail-if 'steps>0' --fail-if 'rss>1G' clean.tide
check 1 --fail-if 'resident>4K' clean.tide
check 1 --fail-if 'live>0' leak.tide

# Twenty epochs, each with figures: what was made in the first 17 is 3 old.
limited 120 "$HEAPTIDE" run --stacks all --summary off -o twenty.tide -- \
	./works leak 20 >/dev/null || fail "no twenty"
check 1 --fail-if "survivors(3)@lose==$((170 * block))" twenty.tide
check 0 --fail-if 'survivors(21)@lose>0' twenty.tide

# --- which sites -------------------------------------------------------------

check 1 --fail-if 'growth@lose>0/batch' leak.tide
check 0 --fail-if 'growth@fill_cache>0/batch' leak.tide
check 1 --only '^lose$' leak.tide
check 0 --only fill_cache leak.tide
check 0 --ignore works.c leak.tide
says "1 site is ignored"
echo 'leak:^lose$' >known
check 0 --suppressions known leak.tide
says "1 site is suppressed"
check 1 --fail-if 'allocations@lose==400' leak.tide
check 0 --fail-if 'live@do_work>0' leak.tide
check 0 --fail-if 'peak>1K' --only no_such_function leak.tide

# --- what cannot be said is not passed ---------------------------------------

check 125 --fail-if 'unreachable>0' leak.tide
says "no scan in this profile"
limited 60 "$HEAPTIDE" run --stacks none --summary off -o none.tide -- \
	./works leak 20 >/dev/null || fail "no none"
check 125 none.tide
says "no stacks were kept"
check 0 --fail-if 'peak>1G' none.tide
limited 60 "$HEAPTIDE" run --stacks all --summary off -o short.tide -- \
	./works leak 3 >/dev/null || fail "no short"
check 125 --fail-if 'growth>0' short.tide
says "too early to say"
# But what holds, holds.
check 1 --fail-if 'leaked>0' --fail-if 'growth>0' short.tide
check 125 no-such-file.tide
says "no-such-file.tide"

# --- a baseline --------------------------------------------------------------

# What grew as fast before is known; faster is not.
check 0 --baseline leak.tide leak.tide
says "1 site grew as fast in the baseline"
check 1 --baseline leak.tide leak-fast.tide
says "growth>0"
check 1 --baseline clean.tide leak.tide
# It runs for three times as long, and does in a batch what it did.
limited 120 "$HEAPTIDE" run --stacks all --summary off -o long.tide -- \
	./works clean 120 >/dev/null || fail "no long"
check 0 --baseline clean.tide long.tide
says "(compared by batch)"
check 1 --baseline clean.tide --fail-if 'allocations>+10%/batch' busy.tide
check 0 --baseline clean.tide --fail-if 'allocations>+50%/batch' busy.tide
check 1 --baseline clean.tide --fail-if 'peak>+10%' large.tide
says "(compared as it is)"
check 1 --baseline large.tide --fail-if 'peak<-10%' clean.tide
check 125 --baseline no-such-file.tide clean.tide

# Where nobody marks anything, epochs come by themselves, four a second.
for mode in leak clean; do
	limited 120 "$HEAPTIDE" run --stacks all --summary off \
		-o unmarked-$mode.tide -- ./works unmarked-$mode 110 \
		>/dev/null || fail "no unmarked-$mode"
done
check 1 unmarked-leak.tide
says "works.c:$line"
says " an hour"
check 0 unmarked-clean.tide
check 1 --fail-if 'growth>0/batch' unmarked-leak.tide
check 125 --fail-if 'growth>1/batch' unmarked-leak.tide
says "no epochs were marked"
check 125 --fail-if 'allocations>1/batch' unmarked-clean.tide
check 1 --fail-if "allocations@lose==$((110 * 10))" unmarked-leak.tide
check 0 --baseline unmarked-clean.tide --fail-if 'temporary>+10%' \
	--fail-if 'allocations>+10%/batch' unmarked-clean.tide
says "(compared by allocation)"
says "(compared as it is)"
check 0 --baseline unmarked-leak.tide unmarked-leak.tide
says "1 site grew as fast in the baseline"

# --- what nobody points to ---------------------------------------------------

cat >drops.c <<'C'
#include <stdlib.h>
#include <string.h>
static __attribute__((noinline)) void
drop(void)
{
	void *volatile p = malloc(3000);	/* here */
	memset((void *)p, 1, 3000);
	p = NULL;
}
int
main(int argc, char **argv)
{
	if (argc > 1)
		for (int i = 0; i < 10; i++)
			drop();
	return 0;
}
C
${CC:-cc} -g -O1 -o drops drops.c || fail "cannot build drops.c"
check 1 --fail-if 'unreachable>0' -- ./drops much
says "unreachable>0: 29.3 KiB"
says "drops.c:$(grep -n 'here \*/' drops.c | cut -d: -f1)"
check 0 --fail-if 'unreachable>0' -- ./drops
check 0 --fail-if 'unreachable>0' -- ./works leak 20

# --- a program ---------------------------------------------------------------

export TMPDIR="$scratch/temporary"
mkdir "$TMPDIR"
check 0 -- ./works clean 20
same "its output" "20 batches" "$(cat out)"
check 1 -- ./works leak 20
same "its output" "20 batches" "$(cat out)"
grep -q "works.c:$line" err || fail "no place on stderr: $(cat err)"
check 3 -- ./works leak-fails 20
says "FAIL"
says "works.c:$line"
says "the program exited with status 3"
check 137 -- ./works leak-killed 20
says "works.c:$line"
says "the program died of signal 9"
check 127 -- ./no-such-program
echo text >text
check 126 -- ./text
if ${CC:-cc} -static -I"$srcdir/include" -o fixed works.c 2>/dev/null; then
	check 1 -o kept.tide -- ./works leak 20
	# What is kept is not of this program.
	check 125 -o kept.tide -- ./fixed clean 5
	says "there is no profile of ./fixed"
	same "its output" "5 batches" "$(cat out)"
	check 3 -- ./fixed leak-fails 5
	says "the program exited with status 3"
else
	without "nothing can be linked statically"
fi
ls -A "$TMPDIR" >left
[ ! -s left ] || fail "left behind: $(cat left)"
check 1 -o kept.tide -- ./works leak 20
[ -s kept.tide ] || fail "no kept.tide"
echo words >words
check 0 --fail-if 'peak>1G' -- sh -c \
	'cat; echo said >&2; exec ./works clean 9' <words
same "its output" "words 9 batches" "$(echo $(cat out))"
grep -qx said err || fail "stderr is not its own: $(cat err)"

# Children, each by itself; the strongest is told.
check 1 -o tree.tide -- \
	sh -c './works clean 20; ./works leak 20; ./works leak-fast 20; :'
says "in works, pid"
says "(and 3 other processes)"
check 1 --json --fail-if 'growth>0' --fail-if 'peak>70K' tree.tide
same "findings" "lose $((20 * block)) lose $((10 * block))" "$(json out \
	'[.expressions[0].findings[] | .stack[0].function,
	    (.amount | round)] | join(" ")')"
# Of a total, those of the process that has most.
same "processes" 1 "$(json out \
	'[.expressions[1].findings[].process.pid] | unique | length')"
check 0 --children none --fail-if 'peak>1G' -- sh -c './works leak 20; :'
check 0 --baseline tree.tide --fail-if 'growth>0' -- \
	sh -c './works clean 20; ./works leak 20; :'
says "1 site grew as fast in the baseline"

# One that still runs.
"$HEAPTIDE" run --stacks all --summary off -o sleep.tide -- sleep 60 2>run.err &
started=$!
child()
{
	pid=$(ls "$HEAPTIDE_DIR" | sed -n 's/^\([0-9]*\)\.sock$/\1/p')
	[ -n "$pid" ]
}
await child
check 125 --fail-if 'leaked>0' "$pid"
says "it still runs"
check 0 --fail-if 'live>1G' "$pid"
kill "$pid"
wait $started 2>/dev/null
started=

# --- other forms of the answer -----------------------------------------------

schema=$srcdir/tests/schema
uri='.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri'
# junit_is_sound FILE, sarif_is_sound FILE: as their schemas have it
junit_is_sound()
{
	if command -v xmllint >/dev/null; then
		xmllint --noout --schema "$schema/junit.xsd" "$1" \
			2>said || fail "$1: $(cat said)"
	else
		without "xmllint is not installed"
	fi
	python3 -c 'import sys, xml.etree.ElementTree as e
e.parse(sys.argv[1])' "$1" 2>said && return
	python3 -c 'import xml.etree.ElementTree' 2>/dev/null &&
		fail "$1: $(cat said)"
	without "python3 has no XML"
}
sarif_is_sound()
{
	json "$1" . >/dev/null
	jq -r --slurpfile schema "$schema/sarif.json" \
		-f "$schema/validate.jq" "$1" >said || fail "jq: $?"
	[ ! -s said ] || fail "$1: $(cat said)"
}

check 1 --junit j.xml --sarif s.json --fail-if 'growth>0/batch' \
	--fail-if 'peak>1G' --fail-if 'unreachable>0' --fail-if 'live>0' \
	leak.tide
junit_is_sound j.xml
sarif_is_sound s.json
grep -q '<testsuites name="heaptide check" tests="4" failures="2" errors="1">' \
	j.xml || fail "other counts: $(head -n 3 j.xml)"
grep -q "lose  works.c:$line" j.xml || fail "no stack: $(cat j.xml)"
same "where" "code/works.c SRCROOT $line" "$(json s.json '.runs[0].results[] |
	select(.ruleId == "growth") | .locations[0].physicalLocation |
	[.artifactLocation.uri, .artifactLocation.uriBaseId,
	    .region.startLine] | join(" ")')"
same "rules by number" "growth live" "$(json s.json '.runs[0] as $run |
	[$run.results[] | $run.tool.driver.rules[.ruleIndex].id] | unique |
	join(" ")')"
same "what could not be said" 1 "$(json s.json \
	'.runs[0].invocations[0].toolExecutionNotifications | length')"
# What has no site is in the program.
check 1 --sarif rss.json --fail-if 'rss>4K' leak.tide
sarif_is_sound rss.json
same "where" ./works "$(json rss.json "$uri")"
# From elsewhere the file is not below.
(mkdir other && cd other && limited 60 "$HEAPTIDE" check --sarif s.json \
	../leak.tide >/dev/null)
same "from elsewhere" "file://$scratch/code/works.c" "$(json other/s.json "$uri")"

# Any bytes in names.
odd=$(printf 'a<b>&"]]>\001\377 \303\251')
cp works "$odd"
check 1 --junit odd.xml --sarif odd.json -- "./$odd" leak 20 \
	"$(printf '\002\n\t\357\277\277&amp;')"
junit_is_sound odd.xml
sarif_is_sound odd.json
grep -q 'a&lt;b&gt;&amp;&quot;]]&gt;' odd.xml || fail "$(head -n 4 odd.xml)"

# Without symbols there are modules and offsets.
cp works bare
strip bare
check 1 --sarif bare.json --junit bare.xml -- ./bare leak 20
grep -q 'bare+0x' answer || fail "no offset: $(cat answer)"
junit_is_sound bare.xml
sarif_is_sound bare.json
same "the module" bare "$(json bare.json "$uri")"

# --- as people write it --------------------------------------------------------

check 1 --fail-if 'slope(site)>0 B/batch' leak.tide
says "slope(site)>0 B/batch: 1.0 KiB a batch"
check 1 --fail-if 'leaks>0' leak.tide
says "leaks>0: 1"
check 0 --fail-if 'leaks>1' --fail-if 'survivors(batch,3)>1 GiB' leak.tide
report leak.tide
for figure in live_bytes live_blocks peak_bytes allocated_bytes; do
	value=$(json report.json .totals.$figure)
	check 1 --fail-if "$figure==$value" leak.tide
	check 0 --fail-if "$figure!=$value" leak.tide
done

# Too short to grow, and nobody has asked.
"$HEAPTIDE" run -q --stacks all -o brief.tide -- true
check 0 --junit j.xml brief.tide
says "growth>0: cannot be said: it is too early"
grep -q '<skipped message="it is too early' j.xml || fail "$(cat j.xml)"
grep -q 'errors="0" skipped="1"' j.xml || fail "$(cat j.xml)"
check 125 --fail-if 'growth>0' brief.tide
check 0 --baseline brief.tide brief.tide
"$HEAPTIDE" run -q --stacks none -o blind.tide -- true
check 125 blind.tide

# --- what is refused ---------------------------------------------------------

# refused WORDS ARGUMENT...
refused()
{
	words=$1
	shift
	check 2 "$@"
	says "$words"
	same "lines of: $(cat err)" 1 "$(wc -l <err)"
}
refused "'growht' is no figure" --fail-if 'growht>0' leak.tide
refused "give --baseline FILE" --fail-if 'peak>+10%' leak.tide
refused "one operand too many" leak.tide clean.tide
refused "--epoch is about a program" --epoch 1s leak.tide
refused "--output is about a program" -o x leak.tide
refused "'%q' means nothing" -o 'x%q' -- true
refused "'1ms' is not accepted" --epoch 1ms -- true
refused "is missing" --fail-if 'growth>0'
check 125 --junit no/such/directory/j.xml -- ./works clean 2
says "--junit 'no/such/directory/j.xml' cannot be written"
[ ! -s out ] || fail "it ran all the same: $(cat out)"
check 125 --suppressions no-such-file -- ./works clean 2
[ ! -s out ] || fail "it ran all the same: $(cat out)"
