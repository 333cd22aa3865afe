#!/bin/sh
# program-perl.sh - a million objects, half of them given up again
. "${srcdir:-.}/tests/lib.sh"
need perl

export PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0
unharmed perl -e '
	my (@list, %by);
	push @list, { id => $_, name => "name $_" } for 1 .. 300000;
	$by{$_->{name}} = $_ for @list;
	splice @list, 0, 150000;
	delete $by{"name $_"} for 1 .. 150000;
	my $sum = 0;
	$sum += $_->{id} for values %by;
	my $text = join ",", sort map { reverse $_->{name} } @list;
	print scalar(@list), " ", scalar(keys %by), " $sum ",
	    length($text), " ", substr($text, 0, 60), "\n";
	exit 7'
