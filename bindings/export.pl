#!/usr/bin/perl
# export.pl - the functions of heaptide.h, no longer inline: for client.c
#
#	export.pl heaptide.h >exported.h
#
# A public function begins with `static inline`, its type, and in the next line
# its name; what is behind tide__ or ends with _ is not public.
use strict;
use warnings;

my $n = 0;
local $/;
my $text = <>;

$text =~ s{^static inline ([^\n]+)\n(?=tide_(?!_)\w*[a-z]\()}
    {$n++; "TIDE_EXPORT $1\n"}gme;
die "export.pl: no public function is found\n" if $n < 40;
print $text;
