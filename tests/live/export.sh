#!/bin/sh
# export.sh - each format is read back by its own tool, and its sums are those
# of the report
. "${srcdir:-.}/tests/lib.sh"
need jq python3 ${CXX:-c++}

cat >busy.cc <<'C'
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

static inline char *
filled(size_t bytes)
{
	return (char *)memset(malloc(bytes), 1, bytes);
}

__attribute__((noinline)) char *
keep(size_t bytes)
{
	return filled(bytes);
}

/* Sites that differ in how deep the recursion was. */
__attribute__((noinline)) void
down(int depth, std::vector<char *> &to)
{
	if (depth == 0)
		to.push_back(keep(3000));
	else
		down(depth - 1, to);
	asm volatile("");
}

int
main()
{
	std::vector<char *> all;

	for (int i = 0; i < 200; i++)
		down(i % 7, all);
	for (int i = 0; i < 100; i++)
		free(all[i]);
	free(filled(900000));
	for (int i = 0; i < 5000; i++) {
		char *a = (char *)malloc(100 + i % 50);
		char *b = (char *)malloc(64);

		free(a);
		free(b);
	}
	for (int i = 0; i < 777; i++)
		free(malloc(33));
	return (new std::string(5000, 'x'))->size() == 5000 ? 0 : 1;
}
C
"${CXX:-c++}" -g -O1 -fno-builtin -o busy busy.cc || skip "no C++ compiler"
under all ./busy || fail "busy: $?"
report profile.tide
totals=$(json report.json '.totals | "\(.allocations) \(.allocated_bytes)
    \(.live_blocks) \(.live_bytes) \(.peak_bytes) \(.temporary)"')
set -- $totals
allocations=$1 allocated=$2 blocks=$3 live=$4 peak=$5 temporary=$6
[ "$live" -gt 300000 ] && [ "$peak" -gt 1200000 ] ||
	fail "the program did not do what it should: $totals"

export_as()
{
	limited 60 "$HEAPTIDE" export --format "$@" profile.tide 2>err ||
		fail "export --format $*: $? $(cat err)"
	[ -s err ] && fail "export --format $*: says $(cat err)"
	return 0
}

figure()
{
	sed -n "s/^$1 //p" sums
}

read_back()
{
	python3 "$srcdir/tests/formats/totals.py" "$1" "$2" >sums 2>err ||
		fail "$1: $(tail -n 1 err)"
}

# --- pprof -------------------------------------------------------------------

export_as pprof -o out.pb.gz
read_back pprof out.pb.gz
same "pprof: alloc_objects" "$allocations" "$(figure alloc_objects)"
same "pprof: alloc_space" "$allocated" "$(figure alloc_space)"
same "pprof: inuse_objects" "$blocks" "$(figure inuse_objects)"
same "pprof: inuse_space" "$live" "$(figure inuse_space)"
same "pprof: peak_space" "$peak" "$(figure peak_space)"
same "pprof: the first of them" inuse_space "$(figure default)"
same "pprof: period" 1 "$(figure period)"
grep -q '^inlined 1$' sums || fail "pprof: no function is inlined"
id=$(json report.json '[.modules[] | select(.path | endswith("/busy"))][0].build_id')
same "pprof: build id" "$id $(json report.json .executable)" \
	"$(figure build | head -n 1)"
within "pprof: time, seconds from now" 0 600 \
	$(($(date +%s) - $(figure time) / 1000000000))
export_as pprof --by bytes >bytes.pb.gz
read_back pprof bytes.pb.gz
same "pprof --by bytes" alloc_space "$(figure default)"
if command -v go >/dev/null; then
	for type in inuse_space:$live alloc_space:$allocated \
	    alloc_objects:$allocations; do
		GOFLAGS= limited 120 go tool pprof -raw -sample_index=${type%:*} \
		    out.pb.gz >raw 2>err || fail "go tool pprof: $(cat err)"
		limited 120 go tool pprof -unit=B -top -nodecount=0 \
		    -nodefraction=0 -sample_index=${type%:*} out.pb.gz \
		    >top 2>err || fail "go tool pprof: $(cat err)"
		sum=$(sed -n 's/.*100% of \([0-9]*\).* total$/\1/p' top)
		same "go tool pprof: ${type%:*}" "${type#*:}" "$sum"
	done
	grep -q 'keep(unsigned long)' raw || fail "go tool pprof: no names"
else
	without "go, whose pprof reads what is exported for it"
fi

# --- stacks with a weight ----------------------------------------------------

for by in live:$live peak:$peak allocations:$allocations bytes:$allocated; do
	export_as collapsed --by "${by%:*}" -o out.collapsed
	read_back collapsed out.collapsed
	same "collapsed --by ${by%:*}" "${by#*:}" "$(figure total)"
done
grep -q ';main;down(int, .*;keep(unsigned long);filled ' out.collapsed ||
	fail "collapsed: $(head -n 3 out.collapsed)"

export_as speedscope --by peak -o out.json
read_back speedscope out.json
same "speedscope: live" "$live" "$(figure live_bytes)"
same "speedscope: peak" "$peak" "$(figure bytes_at_the_peak)"
same "speedscope: allocations" "$allocations" "$(figure allocations)"
same "speedscope: bytes" "$allocated" "$(figure bytes_allocated)"
same "speedscope: which is shown" 1 "$(figure active)"
figure roots | grep -q _start || fail "speedscope: roots $(figure roots)"

# --- massif ------------------------------------------------------------------

export_as massif -o out.massif
if command -v ms_print >/dev/null; then
	ms_print --threshold=0 out.massif >printed 2>err || fail "ms_print: $?"
	[ -s err ] && fail "ms_print says $(cat err)"
	top=$(tr -d , <printed | awk '/^ *[0-9]+ +[0-9]+ +[0-9]+ / && $3 > m \
	    { m = $3 } END { print m }')
	same "ms_print: the highest" "$peak" "$top"
	last=$(tr -d , <printed | awk '/^ *[0-9]+ +[0-9]+ +[0-9]+ / \
	    { m = $3 } END { print m }')
	same "ms_print: the last" "$live" "$last"
	same "ms_print: trees" 2 "$(grep -c '^100.00%\|^99.9[0-9]%' printed)"
	grep -q 'keep(unsigned long) (busy.cc:' printed || fail "ms_print: names"
else
	without "ms_print, which reads what is exported for it"
fi

# --- heaptrack ---------------------------------------------------------------

export_as heaptrack -o out.heaptrack
if command -v heaptrack_print >/dev/null; then
	# Its summary is rounded: the sums of its own form of flame graphs are not.
	heaptrack_print -f out.heaptrack -F leaked --flamegraph-cost-type leaked \
	    >printed 2>err || fail "heaptrack_print: $(cat err)"
	same "heaptrack_print: leaked" "$live" \
		"$(awk '{ s += $NF } END { print s }' leaked)"
	same "heaptrack_print: calls" "$allocations" \
		"$(sed -n 's/^calls to allocation functions: \([0-9]*\).*/\1/p' \
		printed)"
	same "heaptrack_print: temporary" "$temporary" \
		"$(sed -n 's/^temporary memory allocations: \([0-9]*\).*/\1/p' \
		printed)"
	heaptrack_print -f out.heaptrack -F peak --flamegraph-cost-type peak \
	    >/dev/null 2>&1
	same "heaptrack_print: peak" "$peak" \
		"$(awk '{ s += $NF } END { print s }' peak)"
else
	without "heaptrack_print, which reads what is exported for it"
fi
# What comes back is what was there, byte for byte.
"$HEAPTIDE" import heaptrack out.heaptrack -o back.tide >/dev/null ||
	fail "import heaptrack: $?"
"$HEAPTIDE" report --json back.tide >back.json
same "there and back" "$allocations $allocated $blocks $live $peak $temporary" \
	"$(json back.json '.totals | "\(.allocations) \(.allocated_bytes) " +
	"\(.live_blocks) \(.live_bytes) \(.peak_bytes) \(.temporary)"')"

# One site that frees all it has; a peak that was freed at once.
cat >plain.c <<'C'
#include <stdlib.h>

void *volatile block[100];

int
main(int count, char **arguments)
{
	(void)arguments;
	for (int i = 0; i < 100; i++)
		block[i] = malloc(1000);
	if (count > 1)
		free(block[0] = malloc(70000));
	for (int i = count > 1; i < 100; i++)
		free(block[i]);
	return 0;
}
C
"${CC:-cc}" -g -O0 -fno-builtin -o plain plain.c
for more in '' more; do
	limited 60 "$HEAPTIDE" run -q --stacks all -o plain.tide -- ./plain $more
	"$HEAPTIDE" report --json plain.tide >plain.json
	"$HEAPTIDE" export -f heaptrack -o plain.heaptrack plain.tide
	"$HEAPTIDE" import heaptrack plain.heaptrack -o back.tide >/dev/null
	"$HEAPTIDE" report --json back.tide >back.json
	for key in allocations frees allocated_bytes live_bytes peak_bytes \
	    temporary; do
		same "heaptrack: $key of plain $more" \
			"$(json plain.json .totals.$key)" \
			"$(json back.json .totals.$key)"
	done
done

# --- callgrind ---------------------------------------------------------------

export_as callgrind -o out.callgrind
if command -v callgrind_annotate >/dev/null; then
	# It makes names of files in its own directory shorter, in some places.
	profile=$PWD/out.callgrind
	(cd / && callgrind_annotate --auto=no --inclusive=yes --threshold=100 \
	    "$profile") >printed 2>err
	[ -s err ] && fail "callgrind_annotate says $(cat err)"
	tr -d , <printed >plain
	same "callgrind_annotate: sums" "$live $peak $allocations $allocated" \
		"$(awk '/PROGRAM TOTALS/ { print $1, $3, $5, $7 }' plain |
		sed 's/ *$//')"
	# Recursion does not make a function dearer than the whole.
	grep -q '1[0-9][1-9]\.[0-9]*%' plain &&
		fail "more than all: $(grep '1[0-9][1-9]\.[0-9]*%' plain)"
	inside=$(json report.json '[.sites[] | select(any(.stack[];
	    .function | startswith("down("))) | .live_bytes] | add')
	same "callgrind_annotate: what a recursion costs" "$inside" \
		"$(awk '/:down\(/ { print $1 }' plain)"
else
	without "callgrind_annotate, which reads what is exported for it"
fi

# --- tables ------------------------------------------------------------------

export_as csv -o out.csv
read_back csv out.csv
same "csv" "$allocations $allocated $blocks $live $peak $temporary" \
	"$(figure allocations) $(figure allocated_bytes) $(figure live_blocks) \
$(figure live_bytes) $(figure at_peak_bytes) $(figure temporary)"
export_as json -o out.report.json
jq -S . report.json >a && jq -S . out.report.json >b && cmp a b ||
	fail "json is not what report --json prints"

# --- metrics -----------------------------------------------------------------

told()
{
	sed -n "s/^heaptide_$1{[^}]*} //p" out.metrics
}

# Of who is gone, and not of whoever asks.
for format in openmetrics prometheus; do
	export_as $format -o out.metrics
	same "$format" "$allocations $allocated $blocks $live $peak" \
		"$(told allocations_total) $(told allocated_bytes_total) \
$(told live_blocks) $(told live_bytes) $(told peak_bytes)"
	same "$format: resident" \
		"$(json report.json '"\(.rss.resident) \(.rss.peak)"')" \
		"$(told resident_bytes) $(told resident_peak_bytes)"
	same "$format: limit" "" "$(told limit_bytes)$(told cpu_seconds_total)"
	grep -q "^heaptide_live_bytes{pid=\"$(json report.json .pid)\",command=\
\"busy\"} " out.metrics || fail "$format: whose: $(head -n 5 out.metrics)"
	grep -q '^heaptide_leaks{.*verdict="growing"} 0' out.metrics ||
		fail "$format: no verdict"
done
cp out.metrics plain
export_as openmetrics -o open
same "openmetrics: its end" '# EOF' "$(tail -n 1 open)"
same "prometheus: comments" '' "$(grep '^# EOF' plain)"
limited 60 "$HEAPTIDE" export --prometheus profile.tide >out.metrics ||
	fail "--prometheus: $?"
cmp plain out.metrics || fail "--prometheus is not --format prometheus"
# A profile of massif's has no count of calls: none is told.
"$HEAPTIDE" import massif out.massif -o other.tide >/dev/null ||
	fail "import massif"
limited 60 "$HEAPTIDE" export -f openmetrics other.tide >out.metrics ||
	fail "metrics of an import: $?"
same "of an import" "$live " "$(told live_bytes) $(told allocations_total)"
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
	/usr/bin/python3 - open <<'PY' >said 2>&1 || fail "a parser: $(cat said)"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
all = list(text_string_to_metric_families(open(sys.argv[1]).read()))
assert len(all) > 15, len(all)
PY
else
	without "python3-prometheus-client is not installed"
fi

# --- without stacks, and sampled ---------------------------------------------

under none ./busy
report profile.tide
export_as collapsed -o out.collapsed
same "without stacks" "[no stack] $(json report.json .totals.live_bytes)" \
	"$(cat out.collapsed)"

under sampled ./busy
report profile.tide
limited 60 "$HEAPTIDE" export -f pprof -o out.pb.gz profile.tide 2>err ||
	fail "a sampled one: $(cat err)"
grep -q 'estimated' err || fail "no word of an estimate: $(cat err)"
read_back pprof out.pb.gz
grep -q '^comment estimated' sums || fail "no word of it in the file"
same "sampled: period" 8192 "$(figure period)"
same "sampled: scaled" "$(json report.json '[.sites[].live_bytes] | add')" \
	"$(figure inuse_space)"

# --- growth ------------------------------------------------------------------

cat >grows.c <<'C'
#include <stdlib.h>
#include <unistd.h>

int
main(void)
{
	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < 100; k++)
			*(void *volatile *)malloc(1000) = NULL;
		usleep(50000);
	}
	return 0;
}
C
"${CC:-cc}" -g -O0 -fno-builtin -o grows grows.c
limited 60 "$HEAPTIDE" run -q --stacks all --epoch 200ms -o profile.tide \
	-- ./grows
export_as csv --by growth -o out.csv
read_back csv out.csv
[ "$(figure growth_bytes)" -gt 500000 ] ||
	fail "growth: $(figure growth_bytes) of $(figure live_bytes)"
[ "$(figure growth_bytes)" -lt "$(figure live_bytes)" ] ||
	fail "growth since the start: $(figure growth_bytes)"
grown=$(figure growth_bytes)
export_as collapsed --by growth -o out.collapsed
read_back collapsed out.collapsed
same "collapsed --by growth" "$grown" "$(figure total)"
export_as pprof --by growth -o out.pb.gz
read_back pprof out.pb.gz
same "pprof --by growth" "growth_space $grown" \
	"$(figure default) $(figure growth_space)"

# --- what is wrong -----------------------------------------------------------

refused()
{
	status=$1 words=$2
	shift 2
	"$HEAPTIDE" export "$@" >out 2>err
	same "status of export $*" "$status" $?
	same "sentences of export $*" 1 "$(wc -l <err)"
	grep -q -- "$words" err || fail "export $*: $(cat err)"
	[ -s out ] && fail "export $* prints"
	return 0
}

refused 2 'pprof, collapsed, speedscope, massif, heaptrack, callgrind, csv' \
	--format svg profile.tide
refused 2 '--format is missing' profile.tide
refused 2 'one of them is accepted' --prometheus -f csv profile.tide
refused 2 'live, peak, allocations, bytes or growth' -f csv --by size \
	profile.tide
refused 125 'No such file' -f csv nothing.tide
"$HEAPTIDE" run -q -o short.tide -- true
refused 125 'growth is not known' -f csv --by growth short.tide
refused 125 'No such file' -f json -o no/such/place profile.tide
echo old >kept
refused 125 'is not a heaptide profile' -f csv -o kept kept
same "what was there" old "$(cat kept)"
if [ -e /dev/full ]; then
	for format in pprof collapsed speedscope massif heaptrack callgrind \
	    csv json openmetrics prometheus; do
		"$HEAPTIDE" export -f $format profile.tide >/dev/full 2>err
		same "$format on a full disk" 125 $?
		grep -q 'No space left' err || fail "$format: $(cat err)"
		"$HEAPTIDE" export -f $format -o /dev/full profile.tide 2>err
		same "$format into a full file" 125 $?
	done
fi

# More blocks than anybody has lines for.
printf '%s\n' \
	'heap profile: 9000000000: 144000000000 [9000000000: 144000000000] @ h' \
	'9000000000: 144000000000 [9000000000: 144000000000] @ 0x1000 0x2000' \
	'' 'MAPPED_LIBRARIES:' >huge.heap
limited 60 "$HEAPTIDE" import pprof huge.heap -o huge.tide 2>err ||
	fail "huge: $(cat err)"
limited 200 "$HEAPTIDE" export -f heaptrack huge.tide >huge.out 2>err
same "huge: status" 0 $?
within "huge: lines" 1000000 40000000 "$(wc -l <huge.out)"
grep -q 'the numbers of calls are lower' err || fail "huge: $(cat err)"
rm huge.out
