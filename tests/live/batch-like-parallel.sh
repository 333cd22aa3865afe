#!/bin/sh
# batch-like-parallel.sh - what GNU parallel and xargs can do, heaptide batch
# does to the byte: items, places, order, tags, statuses, --halt, the joblog
. "${srcdir:-.}/tests/lib.sh"

judge=
parallel --version 2>/dev/null | grep -q 'GNU parallel' && judge=yes
[ -n "$judge" ] || without "GNU parallel is not installed: xargs alone judges"
export PARALLEL_HOME="$scratch/parallel"
mkdir -p "$PARALLEL_HOME" && touch "$PARALLEL_HOME/will-cite"

batch()
{
	limited 200 "$HEAPTIDE" batch -q --summary off "$@"
}

# both WHAT INPUT OPTIONS... -- COMMAND...: output and status of both
both()
{
	what=$1 input=$2
	shift 2
	batch "$@" <"$input" >ours 2>ours.err
	ours=$?
	[ -n "$judge" ] || return 0
	for word; do
		shift
		[ "$word" = -- ] || set -- "$@" "$word"
	done
	limited 200 parallel "$@" <"$input" >theirs 2>theirs.err
	same "$what: status" $? $ours
	diff theirs ours || fail "$what: another output: $(cat ours.err)"
}

printf '%s\n' a a. .b /x/y.tar.gz a/b.c/d / a/ '' 'x y' "it's" '$HOME `id`' \
	'*' '"q"' 'a\b' -n >items

# --- items and places ---------------------------------------------------------

both places items -k -- printf '[%s]' {} {.} {/} {//} {/.} {#} end
both numbers items -k -j1 -- echo {#} {%}
both joined items -k -- /bin/echo 'pre{.}post'
printf 'a\nb\0c d\0e' >nulls
both "zero bytes" nulls -k -0 -- printf '[%s]' {}
printf 'a,b c,d' >commas
both delimiter commas -k -d , -- printf '[%s]' {}
both tags items -k --tag -- echo {#}
seq 20 >numbers
both several numbers -k -n3 -- echo {} {#}
both "an end" /dev/null -k -- echo {}
both commands numbers -k -- 'test $(({} % 3)) -ne 0 || exit 1'
both dry items -k --dry-run -- echo {#}

# --- several sources ----------------------------------------------------------

printf '%s\n' 1 2 >one
printf '%s\n' x "y z" "" >two
show='printf [%s]'
none=/dev/null
both product $none -k -- $show {1} {2} {} . ::: a b ::: c d
both three $none -k -- $show {3}{1} {2} ::: a b ::: c "d e" ::: 1 2 3
both unplaced $none -k -- $show . ::: a "b c" ::: '$d' "" "it's"
both "inside a word" $none -k -- $show 'x{}y' '{1}-{2}' ::: a b ::: c 'd e'
both "for a shell" $none -k -- "printf '[%s]' {1} x{}y; echo" ::: a 'b;c' ::: '$d'
both parts $none -k -- $show {.} {/} {//} {/.} {2.} {1/} {2//} {-1/.} {-2} \
	::: a.x /q/b.y ::: d/c.z
both "no such place" $none -k -- $show {3}x {1} {-5} ::: a ::: b
both linked $none -k -- $show {2} {1} ::: a b c :::+ 1 2
both "linked and not" $none -k -- $show {} ::: a b :::+ 1 2 ::: q r
both "three linked" $none -k -- $show {} ::: a b :::+ 1 2 :::+ 5 6 7
both files $none -k -- $show {} :::: one two
both "a file among them" $none -k -- $show {1} {2} ::: a b :::: two
both "files that are linked" $none -k -- $show {} :::: one ::::+ two
both "of options" $none -k -a one -a two -- $show {1} {2}
both "of an option and words" $none -k -a one -- $show {1} {2} ::: x y
both "one that is empty" $none -k -- $show {1} {2}x ::: a :::
both "standard input" one -k -- $show {1} {2} :::: - two
both "one file" $none -k -- $show {1} {} :::: two
both "so many a job" $none -k -n2 -- $show {1} {2} {3} {4} {5} \
	::: a b c ::: d e f
both "of one source" one -k -n2 -- $show {2}-{1}
both "and one too few" two -k -n2 -- $show {2}-{1}
both numbers $none -k -j1 -- echo {#} {1} {2} ::: a b ::: c d
both dry $none -k --dry-run -- echo {1} {2} {} ::: a 'b c' ::: "" d
both tags $none -k --tag -- echo {2} ::: a b ::: c d
both many $none -k -- echo {2} {1} ::: $(seq 20) ::: $(seq 30)
[ -z "$judge" ] || same "all of them" 600 "$(wc -l <ours | tr -d ' ')"
rm -f log
batch --joblog log -- test {1} != {2} ::: a b ::: a b
same "two failed" 2 $?
same "in the joblog" "test a '!=' a
test b '!=' b" "$(awk -F '\t' '$7 == 1 { print $9 }' log | sort)"
batch --joblog log --retry-failed -- true >ours
same "are tried again as they were" 2 $?
batch -- echo ::: a :::: nowhere 2>err
same "no such file" 2 $?
grep -q 'cannot read nowhere' err || fail "$(cat err)"
printf 'a\0b\n' >zero
batch -a zero -a one -- echo 2>err
same "a zero byte" 2 $?
grep -q 'zero holds a zero byte' err || fail "$(cat err)"

seq 300 >lines
batch -k -- echo {} <lines >ours
cmp lines ours || fail "of 300 lines some are not in order"
batch -- echo {} <lines | sort -n >ours
cmp lines ours || fail "of 300 lines some are not there"
seq 1000 >many

# Without a place items come behind, as many as fit, each once.
batch -k -- printf '%s\n' <many >ours
cmp many ours || fail "items that stand behind the command"
xargs printf '<%s>' <many >theirs
batch -k -- printf '<%s>' <many >ours
cmp theirs ours || fail "not what xargs makes of it"
batch -k -X -- printf '<%s>' 'a{}' <many >ours
sed 's/.*/<a&>/' many | tr -d '\n' >theirs
cmp theirs ours || fail "words that are repeated"

batch -k -- echo {} ::: a 'b c' >ours
same "items of the command line" "a b c" "$(echo $(cat ours))"
same "at most so many" 3 "$(batch --limit 3 -- echo {} <many | wc -l)"
same "of a file" 300 "$(batch -a lines -- echo {} </dev/null | wc -l)"
batch -k -- sh -c 'echo $1; echo $1 >&2' _ {} ::: a b >&- 2>errs
same "closed output" "0 a b" "$? $(echo $(cat errs))"
same "closed input" "0" "$(batch -- echo {} <&- | wc -l)"
batch -k ::: 'echo a' 'exit 4' 'echo b | tr b c' >ours
same "without a command: status" 1 $?
same "without a command" "a c" "$(echo $(cat ours))"

# Nothing is read of our input by a job, and no job sees another's output.
batch -k -- sh -c 'cat; echo $1 >&2; echo $1' _ {} <numbers >ours 2>errs
cmp numbers ours || fail "a job has read our input"
cmp numbers errs || fail "what they write to stderr"
batch -j4 -- sh -c 'for i in 1 2 3; do echo $1; sleep 0.02; done' _ {} \
	<numbers | uniq -c >ours
same "in one piece" 20 "$(grep -c '^ *3 ' ours)"
batch -j4 --line-buffer --tag -- sh -c 'printf a; sleep 0.05; echo b; printf c
	' _ {} <numbers | sort -n >ours
for i in $(seq 20); do
	printf '%s\tab\n%s\tc' "$i" "$i"
done | tr -d '\n' | wc -c >theirs
same "whole lines" "$(cat theirs)" "$(tr -d '\n' <ours | wc -c)"
same "whole lines" 20 "$(grep -c '	ab$' ours)"

# --- statuses and --halt --------------------------------------------------------

printf '%s\n' 0 3 0 4 1 0 7 0 0 0 >codes
for halt in never soon,fail=1 soon,fail=2 now,fail=1 now,success=1 \
	soon,success=2 soon,done=3 now,done=20 soon,fail=30% 1 2 -1; do
	both "--halt $halt" codes -j1 --halt "$halt" -- 'exit {}'
done
yes 1 | head -n 150 >ones
both "a hundred and more" ones -- 'exit {}'
both "a signal" numbers -- 'kill -9 $$ {}'
batch -j4 --halt now,fail=1 -- 'test {} = 1 && exit 5; sleep 60' <numbers
same "what runs is ended" 5 $?

batch --halt 'soon,fail' -- true <numbers 2>err
same "no halt" 2 $?
grep -q "'soon,fail'.*never, or soon or now" err || fail "$(cat err)"
batch -- /nowhere/at/all {} <numbers 2>err
same "no such command" 127 $?
batch -- "$scratch/items" {} <numbers 2>err
same "no command" 126 $?
batch -- false {} <numbers
same "twenty that fail" 20 $?
printf 'a\0b\n' | batch -- echo {} 2>err
same "a zero byte in a line" 2 $?
grep -q 'zero byte' err || fail "$(cat err)"
{
	echo a
	head -c 200000 /dev/zero | tr '\0' x
	echo
	echo b
} | batch -k -- sh -c 'echo ${#1}' _ {} >ours 2>err
same "too long for an argument" "1 1 1" "$? $(echo $(cat ours))"

# --- time -----------------------------------------------------------------------

batch --timeout 6s -- sleep {} ::: 0 60 2>err
same "one that takes too long" 1 $?
batch --retries 2 --retry-delay 10ms -- sh -c \
	'echo $1 >>tries; test $(grep -c $1 tries) = 3' _ {} ::: a b
same "at the third try" "0 6" "$? $(wc -l <tries)"

# --- the joblog -------------------------------------------------------------------

# What parallel reads of ours, and we of parallel's.
batch -j1 --joblog ours.log -- 'echo a; exit {}' <codes >out
same "four fail" 4 $?
if [ -n "$judge" ]; then
	limited 200 parallel -j1 --joblog their.log 'echo a; exit {}' <codes \
		>out
	# Which of them is counted in Receive is a matter of its version.
	cut -f1,2,7,8,9 their.log | sort -n >theirs
	cut -f1,2,7,8,9 ours.log | sort -n >ours
	cmp theirs ours || fail "the joblog: $(cat ours)"
	head -n 4 their.log >cut.log
	cp cut.log cut2.log
	batch -k --joblog cut.log --resume -- 'echo {#}' <codes >ours
	limited 200 parallel -k --joblog cut2.log --resume 'echo {#}' <codes \
		>theirs
	cmp theirs ours || fail "--resume: $(cat ours)"
	cp their.log cut2.log
	batch -k --joblog their.log --resume-failed -- 'echo {#}' <codes \
		>ours
	limited 200 parallel -k --joblog cut2.log --resume-failed 'echo {#}' \
		<codes >theirs
	cmp theirs ours || fail "--resume-failed: $(cat ours)"
fi
batch -k --joblog ours.log --retry-failed >ours </dev/null
same "--retry-failed: status" 4 $?
same "--retry-failed" 4 "$(wc -l <ours)"

# Where the number of items was learned the same works.
batch -j1 --joblog learned.log -- sh -c 'echo $#' _ <many >out
head -n 4 learned.log >some.log
batch --joblog some.log --resume -- printf '%s\n' <many >ours
left=$((1000 - $(sed 1d learned.log | head -n 3 | cut -f5 |
	paste -sd+ | tr + '\n' | awk '{ n += $1 } END { print n }')))
same "the rest of a thousand" $left "$(wc -l <ours)"
sort -n ours | tail -n $left | cmp - ours >/dev/null ||
	sort -n ours >sorted
[ "$(sort -n ours | tail -n 1)" = 1000 ] || fail "the last is not there"

echo hello >bad.log
batch --joblog bad.log --resume -- echo {} <many 2>err
same "no joblog" 2 $?
grep -q 'bad.log:1' err || fail "$(cat err)"
