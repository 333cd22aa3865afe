#!/bin/sh
# documents.sh - what the pages say to type can be typed: each command, option,
# file, make target and test that they name is there
. "${srcdir:-.}/tests/lib.sh"
need perl

"$HEAPTIDE" help >help || fail "heaptide help: status $?"
mkdir usages
for command in $(sed -n 's/^  \([a-z]\{2,\}\)  .*/\1/p' help); do
	"$HEAPTIDE" "$command" --help >usages/"$command" ||
		fail "heaptide $command --help: status $?"
done

cat >look.pl <<'P'
use strict;
use warnings;

my ($top, @pages) = @ARGV;
my (%usage, $wrong);

sub wrong { print "$_[0]\n"; $wrong = 1 }

sub slurp
{
	open my $file, '<', $_[0] or die "$_[0]: $!\n";
	local $/;
	return scalar <$file>;
}

for my $file (glob 'usages/*') {
	$file =~ m{([^/]*)$};
	$usage{$1} = slurp($file);
}
my $make = slurp("$top/Makefile.am");

# Words of a shell, near enough: quotes are one word, a comment ends them.
sub words
{
	my ($line) = @_;
	my @words;

	$line =~ s/\s#\s.*//;
	while ($line =~ /\G\s*((?:'[^']*'|"[^"]*"|[^\s'"])+)/gc) {
		push @words, $1;
	}
	return @words;
}

# The options of `heaptide COMMAND`, up to what is no longer ours.
sub command
{
	my ($where, @words) = @_;
	my $name = shift @words;

	return if !defined $name || $name !~ /^[a-z]+$/;
	if ($name eq 'help') {
		return;
	}
	return wrong("$where: there is no command '$name'")
	    unless exists $usage{$name};
	for my $word (@words) {
		last if $word =~ /^(--|\||>|<|&|;|:::.*|&&|\|\|)$/;
		next unless $word =~ /^(--[a-z][a-z-]*)/;
		my $option = $1;
		next if $option eq '--help';
		wrong("$where: $name has no $option")
		    unless $usage{$name} =~ /\Q$option\E(?![a-z-])/;
	}
}

for my $page (@pages) {
	my $text = slurp("$top/$page");
	my ($dir) = $page =~ m{^(.*/)};
	my ($fenced, $n) = (0, 0);

	# What is broken at its end goes on in the next line.
	for my $line (split /\n/, $text) {
		$n++;
		my $where = "$page:$n";

		$fenced = !$fenced, next if $line =~ /^```/;
		# What is typed, and what is named in between.
		my @typed = $line =~ /`([^`]*)`/g;
		push @typed, $line if $fenced || $line =~ /^    /;
		for my $typed (@typed) {
			$typed =~ s/^\s*(- run: )?(\$ )?//;
			for my $part (split /\s(?:\||&&|then|do)\s/, $typed) {
				$part =~ s/^([A-Z_]+=\S+ )+//;
				$part =~ s/^(mpirun|xargs) .*?(?=heaptide )//;
				$part =~ s{^(\./|build/)}{};
				command($where, words($1))
				    if $part =~ /^heaptide (.*)/;
				while ($part =~ /make -C build\s+([a-z][a-z-]*)/g) {
					wrong("$where: make has no '$1'")
					    unless $1 eq 'install' ||
					    $make =~ /^(?:[\w\$()-]+ )*$1(?: [\w-]+)*:/m ||
					    $1 eq 'check';
				}
			}
		}
		while ($line =~ /\]\(([^)#:]+)(#[^)]*)?\)/g) {
			wrong("$where: there is no '$1'")
			    unless -e "$top/" . ($dir // '') . $1;
		}
		while ($line =~ m{\b((?:tests|src|tools|doc|examples|include|web)/
		    [\w./+-]*\w\.(?:sh|c|h|md|pl|pml|js|json|cc))\b}xg) {
			wrong("$where: there is no '$1'")
			    unless -e "$top/$1" || $1 eq 'include/heaptide.h';
		}
	}
}
exit($wrong // 0);
P
cd "$srcdir" || exit
pages=$(ls README.md HACKING.md doc/*.md)
cd "$scratch" || exit
perl look.pl "$srcdir" $pages || fail "the pages name what is not there"

# Numbers that are told in words or figures elsewhere.
rows=$(grep -c '^| *[0-9][0-9]* |' "$srcdir/doc/pitfalls.md")
grep -q "lists $rows situations" "$srcdir/README.md" ||
	fail "README.md: doc/pitfalls.md has $rows situations"

for schema in "$srcdir"/doc/schema/*.json; do
	name=$(basename "$schema" .json)
	sed -n '/^## What JSON is/,$p' "$srcdir/doc/formats.md" |
		grep -q "\`$name\`" || fail "doc/formats.md: no $name.json"
done
