#!/bin/sh
# judge-heaptrack.sh - heaptrack records the same calls, and the same peak
#
# It is its record that is read, line by line: the summary that its tools
# print is rounded.
. "${srcdir:-.}/tests/judges.sh"

preload=$(find /usr/lib /usr/local/lib -name libheaptrack_preload.so \
	2>/dev/null | head -n 1)
[ -n "$preload" ] || skip "heaptrack is not installed"

# `+ SIZE TRACE ADDRESS` and `- ADDRESS`, in hexadecimal
cat >count.pl <<'PL'
my (%size, $last);
my ($allocations, $frees, $bytes, $live, $peak, $temporary) = (0) x 6;
while (<STDIN>) {
	if (/^\+ (\w+) \w+ (\w+)/) {
		my $n = hex $1;
		($size{$2}, $last) = ($n, $2);
		$allocations++;
		$bytes += $n;
		$live += $n;
		$peak = $live if $live > $peak;
	} elsif (/^- (\w+)/ && exists $size{$1}) {
		my $n = delete $size{$1};
		$frees++;
		$live -= $n;
		next if $last ne $1;
		# The pool of libstdc++ is there from beginning to end.
		$temporary++ if $n != 72704;
		$last = '';
	}
}
print "$allocations $frees $bytes $peak $temporary\n";
PL

judge()
{
	rm -f record
	limited 300 env DUMP_HEAPTRACK_OUTPUT="$scratch/record" \
	    LD_PRELOAD="$preload" "$@" >/dev/null 2>&1 </dev/null
	perl count.pl <record
}

realloc_to_zero='0 1 0 0 1'
all_programs

# It has no memalign() and no pvalloc().
do_nothing "$victims/known-sequence"
allowed="$((14 + 2)) $((7 + 1 + 1)) $((7 * 777 + 7 * 77 + 5000 + 4096)) \
	$((7 * 77 + 4096)) $((7 + 1 + 1))"
judged "$victims/known-sequence" family

all_threads
xml_program
