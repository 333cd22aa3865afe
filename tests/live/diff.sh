#!/bin/sh
# diff.sh - diff tells what grew, per site and batch, and what cannot be told
. "${srcdir:-.}/tests/lib.sh"
need jq perl

# Batches, after each of which it waits to be told to go on.  LEAK blocks of
# 10 000 bytes stay of each; `parting` goes at the third.
cat >batches.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef LEAK
#define LEAK 10
#endif

void *volatile kept[1000];
int count;

static __attribute__((noinline)) void
leak(size_t bytes)
{
	kept[count++] = malloc(bytes);
}

static __attribute__((noinline)) void
steady(size_t bytes)
{
	kept[count++] = malloc(bytes);
}

static void
pause_after(int batch)
{
	char name[32];
	FILE *f;

	snprintf(name, sizeof(name), "done.%d", batch);
	f = fopen(name, "w");
	if (f == NULL || fclose(f) != 0)
		abort();
	snprintf(name, sizeof(name), "go.%d", batch);
	while (access(name, F_OK) != 0)
		usleep(5000);
}

int
main(void)
{
	void *volatile parting = malloc(50000);

	steady(20000);
	for (int batch = 0; batch < 4; batch++) {
		for (int i = 0; i < LEAK; i++)
			leak(10000);
		if (batch == 2)
			free(parting);
		pause_after(batch);
	}
	return 0;
}
C
build()
{
	mkdir -p "$1"
	cp batches.c "$1"/batches.c
	# As it stands: whether there is a build-id is not the compiler's to say.
	(cd "$1" && ${CC:-cc} -g -O1 -Wl,--build-id -DLEAK="$2" -o batches \
		batches.c) || fail "cannot build $1"
}
build old 10

cat >ask.pl <<'PL'
use IO::Socket::UNIX;
my ($path, $line) = @ARGV;
my $socket = IO::Socket::UNIX->new(Peer => $path) or exit 1;
print $socket "$line\n";
$socket->flush;
my $answer = <$socket>;
print $answer;
exit($answer !~ /"ok":true/);
PL

# A file that has to come, within some 30 s.
await()
{
	tries=0
	until [ -e "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "$1 does not come"
		sleep 0.05
	done
}

socket_is_there()
{
	ls "$HEAPTIDE_DIR"/*.sock >sockets 2>&1
}

# batches DIRECTORY STACKS PROFILE: with a mark behind each of four batches;
# $meanwhile is called before it ends, with $pid.
batches()
{
	rm -f done.* go.*
	limited 120 "$HEAPTIDE" run --stacks "$2" --summary off -o "$3" -- \
		"$1"/batches &
	run=$!
	await done.0
	tries=0
	until socket_is_there; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "nobody serves"
		sleep 0.05
	done
	socket=$(cat sockets)
	pid=$(basename "$socket" .sock)
	for batch in 0 1 2 3; do
		await done.$batch
		perl ask.pl "$socket" "mark batch $batch" >answer ||
			fail "no mark: $(cat answer)"
		[ $batch -lt 3 ] || ${meanwhile:-true}
		: >go.$batch
	done
	wait $run || fail "run: status $?"
}

# diff ARGUMENT...: as JSON, in diff.json
diff_json()
{
	limited 60 "$HEAPTIDE" diff --json "$@" >diff.json ||
		fail "diff $*: status $?"
}

found()
{
	json diff.json "$1"
}

# of FUNCTION EXPRESSION: of the sites whose leaf it is
of()
{
	found ".sites[] | select(.stack[0].function == \"$1\") | $2"
}

# --- marks of one run --------------------------------------------------------

while_it_runs()
{
	diff_json "$pid@batch 0" "$pid"
	same "while it runs" "true true 3" \
		"$(found '"\(.b.running) \(.same_run) \(.batches)"')"
	leaked=$(of leak .difference)
	within "while it runs: leaked" 300000 303000 "$leaked"
}
meanwhile=while_it_runs
batches old all old.tide
meanwhile=

diff_json "old.tide@batch 0" "old.tide@batch 3"
same "comparable" "true 0" "$(found '"\(.comparable) \(.why | length)"')"
same "batches" 3 "$(found .batches)"
same "matched by" addresses "$(found .matched_by)"
within "leaked" 300000 303000 "$(of leak .difference)"
same "all of it, in batches" true \
	"$(of leak '.per_batch * 3 == .difference and .relative == 3')"
same "exact" "false false 0" \
	"$(of leak '"\(.estimated) \(.noise) \(.error)"')"
same "what is steady is left out" "" "$(of steady .difference)"
within "what went" -51000 -50000 "$(of main .difference)"
same "the sites explain the total" true "$(found '.totals.live_bytes.difference
	== ([.sites[].difference] | add)')"
same "first is what grew most" leak "$(found '.sites[0].stack[0].function')"
same "peak at a mark is not known" null "$(found .totals.peak_bytes.a)"

# By number, the other way round, per as many as one says, and from the end.
diff_json "old.tide@#3" "old.tide@#0" --per 10 --shrunk
within "backwards" -303000 -300000 "$(of leak .difference)"
same "per 10" true "$(of leak '.per_batch * 10 == .difference')"
same "first is what shrank most" leak "$(found '.sites[0].stack[0].function')"
diff_json old.tide@#1 old.tide
same "to the end" 2 "$(found .batches)"

limited 60 "$HEAPTIDE" diff old.tide@#0 old.tide@#3 >text 2>err ||
	fail "diff: status $?"
same "nothing to note" "" "$(cat err)"
grep -q '^What grew (1 of 1 sites)' text || fail "$(cat text)"
grep -Eq '^ *\+29[34]\..* KiB +\+300\.0 % .*\+9[78]\..* KiB  leak  batches.c:' \
	text || fail "$(cat text)"
grep -q '3 batches, by its marks' text || fail "$(cat text)"
limited 60 "$HEAPTIDE" diff --shrunk old.tide@#0 old.tide@#3 >text
grep -Eq '^ *-48\..* KiB +gone .*  main  batches.c:' text ||
	fail "$(cat text)"

# More marks than have figures: every other one goes, the totals do not.
many_marks()
{
	for i in $(seq 40); do
		perl ask.pl "$socket" "mark many $i" >answer ||
			fail "no mark: $(cat answer)"
	done
}
meanwhile=many_marks
batches old all many.tide
meanwhile=
kept=0
for i in 20 21 22 23; do
	diff_json "many.tide@many $i" many.tide
	within "live at mark $i" 400000 430000 "$(found .totals.live_bytes.a)"
	if found .comparable | grep -q true; then
		kept=$((kept + 1))
		continue
	fi
	found '.why[]' | grep -q "A has no figures of sites at mark 'many $i';" ||
		fail "$(found .why)"
	same "sites without figures" 0 "$(found '.sites | length')"
done
within "marks with figures, of four" 1 3 $kept

# --- what is not there -------------------------------------------------------

# refused STATUS SENTENCE ARGUMENT...
refused()
{
	status=$1
	sentence=$2
	shift 2
	limited 60 "$HEAPTIDE" diff "$@" >out 2>err
	same "status of diff $*" "$status" $?
	grep -q "$sentence" err || fail "diff $*: $(cat err)"
	same "lines of diff $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

refused 125 "has no mark 'lunch'; its last are #3 'batch 3', #2" \
	old.tide@lunch old.tide
refused 125 "nothing.tide' cannot be opened" old.tide nothing.tide
refused 125 "nothing.tide@x' cannot be opened" nothing.tide@x old.tide
refused 125 "is not a heaptide profile" old.tide batches.c
refused 2 "is missing" old.tide
refused 2 "one operand too many" old.tide old.tide old.tide

# A name with an @ is a name, if there is such a file.
cp old.tide "old@batch 0"
diff_json "old@batch 0" "old.tide@batch 0"
same "a file of that name" "null 0" \
	"$(found '"\(.a.mark) \(.b.mark.number)"')"

# --- another run, another build ----------------------------------------------

batches old all again.tide
diff_json old.tide again.tide
same "another run" "false true null addresses" "$(found \
	'"\(.same_run) \(.comparable) \(.batches) \(.matched_by)"')"
same "nothing differs" 0 "$(found '.sites | length')"

# Other lines and addresses, and another build-id.
{
	echo 'int other(int);'
	echo 'int other(int x) { return x * 3; }'
	cat batches.c
} >longer.c
mv longer.c batches.c
build new 25
batches new all new.tide
diff_json old.tide new.tide
same "built anew" "names batches true" \
	"$(found '"\(.matched_by) \(.rebuilt | join(" ")) \(.comparable)"')"
within "leaked more" 600000 605000 "$(of leak .difference)"
same "nothing else" 1 "$(found '.sites | length')"
limited 60 "$HEAPTIDE" diff old.tide new.tide >text 2>err
grep -q "'batches' was built anew" err || fail "$(cat err)"

# --- what cannot be compared -------------------------------------------------

batches old sampled sampled.tide
diff_json old.tide sampled.tide
same "all and sampled" false "$(found .comparable)"
found '.why[]' | grep -q "A 'all', B 'sampled'" || fail "$(cat diff.json)"
same "shown all the same" 0 "$(found .totals.live_bytes.difference)"
# What nothing but chance tells apart is noise.
same "noise is what is below two errors" true "$(found '[.sites[] |
	.noise == ((.difference * .difference) < 4 * .error * .error)] | all')"

diff_json sampled.tide@#0 sampled.tide@#3
same "of one sample" "true true" \
	"$(found '"\(.same_run) \(.comparable)"')"

batches old none none.tide
diff_json old.tide none.tide
same "without stacks" "false 0" \
	"$(found '"\(.comparable) \(.sites | length)"')"
found '.why[]' | grep -q "B has no sites" || fail "$(cat diff.json)"

under all perl -e '1'
limited 60 "$HEAPTIDE" diff old.tide profile.tide >text 2>err ||
	fail "diff: status $?"
grep -q "other programs: A has 'batches', B has 'perl" err ||
	fail "$(cat err)"
grep -q '^What grew' text || fail "$(cat text)"
