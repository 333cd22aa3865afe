#!/bin/sh
# leaks.sh - leaks tells what keeps growing, and how old what is held is
. "${srcdir:-.}/tests/lib.sh"

# leaks_json PROFILE [OPTION...]: in leaks.json
leaks_json()
{
	limited 60 "$HEAPTIDE" leaks --json --all "$@" >leaks.json 2>err ||
		fail "leaks $*: $(cat err)"
}

# verdicts FUNCTION: of all sites that it allocates at
verdicts()
{
	json leaks.json "[.leaks[] | select(.stack[0].function == \"$1\") |
	    .verdict] | unique | join(\" \")"
}

# --- epochs that the program sets --------------------------------------------

# ages_hold: how old what each function holds is, by the victim's own account
ages_hold()
{
	while read -r name age bytes; do
		same "$1: at least $age epochs old, of $name" "$bytes" \
		    "$(json leaks.json "[.leaks[] |
			select(.stack[0].function == \"$name\") |
			.survivors[] | select(.[0] >= $age) | .[1]] | add // 0")"
	done <under.out
}

for threads in 1 4; do
	plain_and_under all "$victims/epochs" $threads 20
	leaks_json profile.tide
	ages_hold "$threads threads"
	same "epochs" "20 epochs" "$(json leaks.json '"\(.epochs) \(.by)"')"
	same "what is never freed" growing "$(verdicts lasts_for_ever)"
	same "what it grows by" "$((threads * 20 * 40))" \
	    "$(json leaks.json '[.leaks[] | select(.verdict == "growing") |
		.bytes_per_epoch] | add')"
	for name in lasts_one lasts_seven comes_and_goes; do
		case $(verdicts $name) in
		*growing* | *step*) fail "$name: $(verdicts $name)" ;;
		esac
	done
done

# Many more than are kept: every second, fourth ... is.
plain_and_under all "$victims/epochs" 2 1000
leaks_json profile.tide
same "epochs of many" 1000 "$(json leaks.json .epochs)"
same "the leak among many" growing "$(verdicts lasts_for_ever)"
same "all that is left of it" "$((1000 * 20 * 2 * 40))" \
    "$(json leaks.json '[.leaks[] | select(.stack[0].function ==
	"lasts_for_ever") | .survivors[][1]] | add')"
same "what lives for long is known to" 0 "$(json leaks.json '[.leaks[] |
    select(.stack[0].function == "lasts_two") | .survivors[] |
    select(.[0] > 64) | .[1]] | add // 0')"

# too_slow VALUE: is the leak minor, by that leak.threshold_rate?
too_slow()
{
	HEAPTIDE_LEAK_THRESHOLD_RATE=$1 limited 60 "$HEAPTIDE" leaks --json \
		profile.tide >leaks.json 2>err || fail "leaks: $(cat err)"
	json leaks.json '[.leaks[] | select(.stack[0].function ==
	    "lasts_for_ever") | .minor] | unique | join(" ")'
}
same "with no threshold" false "$(too_slow '')"
same "faster than 1 KiB an hour" false "$(too_slow 0.001)"
same "slower than 1 PiB an hour" true "$(too_slow 1000000000)"
same "a small share an epoch" false "$(too_slow 0.0001%)"
same "a large one" true "$(too_slow 90%)"
echo 'leak.threshold_rate = 90%' >heaptide.conf
same "by a file" true "$(too_slow '')"
rm heaptide.conf
HEAPTIDE_LEAK_THRESHOLD_RATE=fast "$HEAPTIDE" leaks profile.tide >out 2>err
same "a rate that is none" 125 $?
grep -q "^heaptide: leaks: HEAPTIDE_LEAK_THRESHOLD_RATE 'fast' is not accepted: \
give 10 (MiB an hour) or 10% (a batch)$" err || fail "$(cat err)"

# --- what is said of it ------------------------------------------------------

limited 60 "$HEAPTIDE" leaks profile.tide >text 2>err || fail "$(cat err)"
grep -q '2 sites grow' text || fail "counts: $(cat text)"
grep -Eq 'grows by 80[0-9] B an epoch' text || fail "rate: $(cat text)"
grep -q 'lasts_for_ever  epochs.c:' text || fail "place: $(cat text)"
grep -q 'is left: 100.0 %' text || fail "ages: $(cat text)"

# --- what is known is left out -----------------------------------------------

printf '# ours\n\nleak:lasts_*_ever$\n' >known
limited 60 "$HEAPTIDE" leaks --suppressions known profile.tide >text ||
	fail "suppressions"
grep -q '^0 sites grow.* [1-9][0-9]* suppressed' text ||
	fail "suppressed: $(cat text)"
limited 60 "$HEAPTIDE" leaks --all --suppressions known profile.tide >text
grep -q '(suppressed)' text || fail "suppressed, all: $(cat text)"
leaks_json profile.tide --suppressions known
same "by which" 'lasts_*_ever$' "$(json leaks.json '[.leaks[] |
    select(.stack[0].function == "lasts_for_ever") | .suppressed] |
    unique | join(" ")')"

# --- a program that knows nothing of epochs ----------------------------------

for stacks in all sampled; do
	set -- --stacks $stacks
	[ $stacks = all ] || set -- "$@" --sample 4K
	limited 60 "$HEAPTIDE" run -q "$@" --epoch 100ms -o time.tide -- \
	    "$victims/hoarder" 3 >under.out || fail "hoarder"
	leaks_json time.tide
	same "$stacks: by time" epochs "$(json leaks.json .by)"
	for name in leak_here collect; do
		same "$stacks: $name" growing "$(verdicts $name)"
	done
	case $(verdicts cache_put) in
	*growing*) fail "$stacks: the cache grows" ;;
	esac
done
same "that it was given back" "true false" "$(json leaks.json '[.leaks[] |
    select(.stack[0].function | IN("collect", "leak_here"))] |
    sort_by(.stack[0].function) | map(.given_back) | join(" ")')"

limited 60 "$HEAPTIDE" run -q --stacks all -o time.tide -- \
    "$victims/hoarder" 4 >under.out || fail "hoarder"
leaks_json time.tide
same "without epochs" "time 0" "$(json leaks.json '"\(.by) \(.epochs)"')"
same "a leak without epochs" growing "$(verdicts leak_here)"
same "the heap" growing "$(json leaks.json .heap.verdict)"
report time.tide
same "in a report" "2 growing" \
    "$(json report.json '"\(.leaks.growing) \(.leaks.heap)"')"
limited 60 "$HEAPTIDE" report time.tide >text || fail "report"
grep -q 'leaks  *2 sites grow by +' text || fail "report: $(cat text)"
same "its rate" true "$(json leaks.json '[.leaks[] |
    select(.stack[0].function == "leak_here") | .bytes_per_hour] |
    add > 3600 * 10000')"
limited 60 "$HEAPTIDE" leaks time.tide >text
grep -q 'grows by +.*/s since' text || fail "by time: $(cat text)"
grep -q 'before it was given back at the end$' text ||
	fail "given back: $(cat text)"

# Of which a tenth was forgotten: so much is told, and it is what leaked.
limited 60 "$HEAPTIDE" run -q --stacks all -o time.tide -- \
    "$victims/hoarder" 3 forgetful >under.out || fail "hoarder"
report time.tide
blocks=$(json report.json '[.sites[] | select(.stack[0].function == "collect") |
    .live_blocks] | add')
limited 60 "$HEAPTIDE" leaks time.tide | tr -d ' ' >text
grep -q "givenbackattheend,allbut.*in${blocks}blocks" text ||
	fail "given back in part: $(cat text)"

# --- asked while it runs ------------------------------------------------------

"$HEAPTIDE" run --stacks all --epoch 100ms -o live.tide -- \
    "$victims/hoarder" 300 >under.out 2>summary &
run=$!
started="$started $run"
pid_of()
{
	pid=$(limited 20 "$HEAPTIDE" ps --json | jq -r '[.processes[] |
	    select(.command | test("hoarder")) | .pid][0] // empty') &&
		[ -n "$pid" ]
}
await pid_of
# After five epochs it may be said, and after one more not be sure any more.
grows()
{
	limited 20 "$HEAPTIDE" ctl "$pid" leaks 5 >answer.json &&
		jq -e '.epochs >= 10 and ([.leaks[] | select(.verdict == "growing") |
		    select(any(.stack[]; .module | test("hoarder")))] |
		    length == 2)' answer.json
}
await grows
same "asked" "true epochs" "$(json answer.json '"\(.ok) \(.by)"')"
same "in order" true "$(json answer.json '[.leaks[].bytes_per_epoch] |
    . == (sort | reverse)')"
limited 20 "$HEAPTIDE" leaks "$pid" >text || fail "leaks of a pid"
grep -q '2 sites grow' text || fail "leaks of a pid: $(cat text)"
limited 20 "$HEAPTIDE" ps --json >answer.json
same "in ps" 2 "$(json answer.json ".processes[] |
    select(.pid == $pid) | .leaks.growing")"
limited 20 "$HEAPTIDE" status "$pid" >text || fail "status"
grep -q 'leaks  *2 sites grow by +' text || fail "status: $(cat text)"
# Beside a large budget it is little; but it is told.
limited 20 "$HEAPTIDE" ctl "$pid" budget 100G >answer.json || fail "budget"
limited 20 "$HEAPTIDE" leaks "$pid" >text || fail "leaks beside a budget"
grep -q '^2 sites grow' text || fail "minor growth: $(cat text)"
same "too little to matter" 2 "$(grep -c 'too little to matter' text)"
limited 20 "$HEAPTIDE" leaks --effect 0.0001% "$pid" >text
same "of a smaller share" 0 "$(grep -c 'too little to matter' text)"
limited 20 "$HEAPTIDE" ctl "$pid" budget off >answer.json
limited 20 "$HEAPTIDE" ctl "$pid" leaks many >answer.json
same "what is no number" false "$(json answer.json .ok)"
# All was asked of one that runs, however long that took.
kill -TERM "$pid"
wait $run
same "status of who was ended" 143 $?
grep -q 'leaks  *2 sites grow by +.*heaptide leaks live.tide' summary ||
	fail "summary: $(cat summary)"

# --- how long blocks live, and who frees them --------------------------------

cat >lives.c <<'C'
#include <stdlib.h>
#include <time.h>
static void *held[10];
static __attribute__((noinline)) void *
get(void)
{
	void *volatile p = malloc(300);
	return p;
}
static __attribute__((noinline)) void
drop(void *p)
{
	free(p);
	__asm__ volatile("");
}
static __attribute__((noinline)) void
lose(void *p)
{
	free(p);
	__asm__ volatile("");
}
int
main(void)
{
	const struct timespec pause = { 0, 1000000 };
	for (int i = 0; i < 1000; i++) {
		void *p[210];
		for (int k = 0; k < 210; k++)
			p[k] = get();
		nanosleep(&pause, NULL);
		for (int k = 0; k < 200; k++)
			if (i == 0 && k < 10)
				held[k] = p[k];
			else
				drop(p[k]);
		for (int k = 200; k < 210; k++)
			lose(p[k]);
	}
	return 0;
}
C
${CC:-cc} -g -O1 -o lives lives.c || fail "cannot build lives.c"
plain_and_under all ./lives
leaks_json profile.tide
got()
{
	json leaks.json ".leaks[] | select(.stack[0].function == \"get\") |
	    .lives | $1"
}
same "who frees most" drop "$(got '.freed[0].by.function')"
same "who frees some" lose "$(got '.freed[1].by.function')"
# Some 39 of those that lose() frees are watched: 8 or less, or more than 160,
# once in 10^9 times.
same "how many more" true "$(got '.freed[0].blocks / .freed[1].blocks |
    . > 4 and . < 100')"
same "how long they live" true "$(got '.freed[0].median | . > 0.0005 and
    . < 0.1')"
same "older than any that was freed" 10 "$(got .older_blocks)"
limited 60 "$HEAPTIDE" leaks profile.tide >text || fail "lives"
grep -q 'these do not grow, but hold what is older' text ||
	fail "suspects: $(cat text)"
grep -q '10 blocks of 3.* KiB are older than any that was freed' text ||
	fail "suspects: $(cat text)"
grep -Eq '[0-9.]+ % freed by drop  lives.c:[0-9]+ after some' text ||
	fail "who frees: $(cat text)"

# --- who hands out parts of chunks ------------------------------------------

cat >arena.c <<'C'
#include "heaptide.h"
#include <stdlib.h>
static char *chunk;
static size_t left;
static __attribute__((noinline)) void
more(void)
{
	chunk = malloc(65536);
	left = 65536;
}
static void *
part(void)
{
	if (left < 1000)
		more();
	left -= 1000;
	return chunk + left;
}
int
main(void)
{
	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < 66; k++)
			*(volatile char *)part() = 1;
		tide_mark("batch");
	}
	return 0;
}
C
${CC:-cc} -g -O1 -I"$srcdir/include" -o arena arena.c || fail "arena.c"
plain_and_under all ./arena
leaks_json profile.tide
same "a pool may hide it" true "$(json leaks.json '.leaks[] |
    select(.stack[0].function == "more") | .pool_like')"
limited 60 "$HEAPTIDE" leaks profile.tide >text || fail "arena"
grep -q 'it takes chunks of 64.* KiB: a pool may hide who uses them' text ||
	fail "pool: $(cat text)"
plain_and_under all "$victims/epochs" 1 20
leaks_json profile.tide
same "none does" 0 "$(json leaks.json '[.leaks[] | select(.pool_like)] |
    length')"

# --- in passing: what libc keeps is told nowhere -----------------------------

# steps OF: in the report, for programs and for people
steps()
{
	plain_and_under all "$victims/late-step" $1
	report profile.tide
	limited 60 "$HEAPTIDE" report profile.tide >text || fail "report"
	printf '%s ' "$(json report.json .leaks.steps)" \
	    "$(grep -c ' 1 site made a step' text)"
}
same "a step of the program's" "1 1 " "$(steps own)"
same "a step of libc's" "0 0 " "$(steps libc)"
leaks_json profile.tide
same "and is suppressed" 1 "$(json leaks.json .suppressed)"

# --- too little to go by, and what is wrong ----------------------------------

plain_and_under all "$victims/epochs" 1 2
limited 60 "$HEAPTIDE" leaks profile.tide >text || fail "two epochs"
grep -q 'too early to say' text || fail "too early: $(cat text)"
plain_and_under none "$victims/epochs" 1 20
limited 60 "$HEAPTIDE" leaks profile.tide >text || fail "no stacks"
grep -q 'no stacks were kept' text || fail "no stacks: $(cat text)"

# refused SENTENCE OPERAND...
refused()
{
	sentence=$1
	shift
	limited 60 "$HEAPTIDE" leaks "$@" >out 2>err
	same "status of leaks $*" 125 $?
	grep -q "$sentence" err || fail "leaks $*: $(cat err)"
	same "lines of leaks $*" "1 0" "$(wc -l <err) $(wc -l <out)"
}

printf 'leak:a\nrace:b\n' >wrong
refused "'wrong' line 2 is 'race:b'; 'leak:PATTERN' is accepted" \
	--suppressions wrong profile.tide
refused "suppressions 'nothing' cannot be opened" \
	--suppressions nothing profile.tide
refused "has no mark 'lunch'" --since lunch profile.tide
refused "'nothing.tide' cannot be opened" nothing.tide
