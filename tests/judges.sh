# judges.sh - what the scripts that compare us with other tools have in common
#
# For tests/live/judge-*.sh, in place of lib.sh.  The programs are such that
# the same is allocated each time.  What a tool, the loader or the environment
# adds to every run is seen in a run of the same program that does nothing,
# and taken off; doc/judges.md names what it is.
#
# The script defines judge COMMAND...: prints what the tool counted, as ours()
# does, with as many figures as it knows.
. "${srcdir:-.}/tests/lib.sh"
need jq perl

# Or a hash takes another course each time.
export PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0

# "allocations frees requested_bytes peak_requested_bytes temporary"
ours()
{
	under all "$@" >/dev/null 2>&1 </dev/null
	"$HEAPTIDE" report --json --top 1 "$scratch/profile.tide" >report.json ||
		fail "no report"
	same "exact: $*" true "$(json report.json .exact)"
	json report.json '.totals | "\(.allocations) \(.frees)" +
	    " \(.requested_bytes) \(.peak_requested_bytes) \(.temporary)"'
}

# How many of the figures are compared.
figures=5

# each SIGN LIST LIST: of two lists of numbers, one by one
each()
{
	perl -e '
		my ($sign, $figures, $x, $y) = @ARGV;
		my @x = split " ", $x;
		my @y = split " ", $y;
		for (0 .. $figures - 1) {
			last if !defined $x[$_] || !defined $y[$_];
			print " " if $_;
			print $sign eq "-" ? $x[$_] - $y[$_] : $x[$_] + $y[$_];
		}' -- "$1" "$figures" "$2" "$3"
}

# do_nothing COMMAND...: the run whose figures are taken off from now on
do_nothing()
{
	ours_base=$(ours "$@") || fail "$ours_base"
	judge_base=$(judge "$@") || fail "$judge_base"
}

# By how much we may differ: set before judged(), explained where it is.
allowed='0 0 0 0 0'

# agree WHAT OURS THEIRS: as many figures as the judge has, three at least
agree()
{
	echo "$(echo "$1" | head -n 1): $3"
	[ "$(echo "$3" | wc -w)" -ge 3 ] || fail "$1: the judge says: $3"
	same "$1" "$3" "$(echo "$2" | cut -d ' ' -f "1-$(echo "$3" | wc -w)")"
}

# judged COMMAND...: we agree with the judge
judged()
{
	found=$(ours "$@") || fail "$found"
	theirs=$(judge "$@") || fail "$theirs"
	theirs=$(each - "$theirs" "$judge_base")
	agree "$*" "$(each - "$found" "$ours_base")" \
	    "$(each + "$theirs" "$allowed")"
	allowed='0 0 0 0 0'
}

# libxml2 seeds its hashes with the time, so that some of their entries come
# and go: blocks of 48 bytes.  Without them, the figures are the same.
but_for_48()
{
	echo "0 $(($1 - $2)) $(($3 - 48 * $1))${4:+ $(($4 - 48 * $1))}"
}

judged_but_for_48()
{
	found=$(ours "$@") || fail "$found"
	theirs=$(judge "$@") || fail "$theirs"
	agree "$*" "$(but_for_48 $(each - "$found" "$ours_base"))" \
	    "$(but_for_48 $(each - "$theirs" "$judge_base"))"
}

all_programs()
{
	do_nothing "$victims/known-sequence"
	for mode in judged temporary signals; do
		# heaptrack does not see that realloc(p, 0) is a free.
		[ "$mode" != judged ] || allowed=$realloc_to_zero
		judged "$victims/known-sequence" "$mode"
	done
	! command -v sqlite3 >/dev/null || judged sqlite3 :memory: "
		create table t (a, b);
		with recursive n (i) as (select 1 union all
		    select i + 1 from n where i < 20000)
		insert into t select i, 'name ' || i from n;
		create index x on t (b);
		select count(*), a % 7 from t group by 2;
		delete from t where a % 3 = 0;"
	judged jq -n '[range(20000)] | map(tostring) | add | length'

	do_nothing perl -e 1
	judged perl -e 'push @all, { id => $_, name => "name $_" } for 1 .. 20000;
		splice @all, 100, 5000; print scalar @all'
}

# With several threads "the last allocation" and "the peak" are another matter
# for each tool; calls and bytes are not.  (Who frees what of "handed-over" is
# another matter in each run.)
all_threads()
{
	figures=3
	for mode in apart brief; do
		do_nothing "$victims/known-threads" "$mode" idle
		judged "$victims/known-threads" "$mode"
	done
	figures=5
}

# In chunks, as a tree of a few thousand nodes.
xml_program()
{
	command -v xmllint >/dev/null || return 0
	perl -e 'print "<rows>"; print "<row id=\"$_\"><n>name $_</n></row>"
		for 1 .. 5000; print "</rows>"' >input.xml
	do_nothing xmllint --version
	judged_but_for_48 xmllint --xpath 'count(//row[@id="3"])' input.xml
}
