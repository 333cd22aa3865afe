# table.pl - from measured runs to a table of ratios, and to JSON
#
# usage: table.pl JSON WAY... <RESULTS
#
# A line of RESULTS: program way round user system wall peak_kib status
use strict;
use warnings;

my ($json, @ways) = @ARGV;
my (@programs, %run);

while (<STDIN>) {
	my ($program, $way, $round, $user, $system, $wall, $peak, $status) =
	    split;

	push @programs, $program if !$run{$program};
	push @{$run{$program}{$way}}, {
		cpu => $user + $system, wall => $wall, peak => $peak * 1024,
		status => $status,
	};
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	my $n = @sorted;

	return ($sorted[($n - 1) / 2] + $sorted[$n / 2]) / 2;
}

# The median of the ratios of runs that stood next to each other.
sub ratio {
	my ($program, $way, $what) = @_;
	my ($of, $to) = @{$run{$program}}{$way, 'plain'};

	return median(map {
		$of->[$_]{$what} / ($to->[$_]{$what} || 1e-6)
	} 0 .. $#$to);
}

sub mean {
	my $log = 0;

	$log += log $_ for @_;
	return exp($log / @_);
}

my @kinds = ([cpu => 'CPU time'], [wall => 'wall time'],
    [peak => 'peak resident']);
my (@objects, @wrong, @means);

for my $kind (@kinds) {
	my ($what, $title) = @$kind;

	print "\n" if $what ne 'cpu';
	printf "%-16s %10s", $title, 'plain';
	printf " %10s", $_ for @ways;
	print "\n";
	for my $program (@programs) {
		my $plain = median(map { $_->{$what} }
		    @{$run{$program}{plain}});

		printf "%-16s %10s", $program, $what eq 'peak' ?
		    sprintf('%.1f MiB', $plain / 2**20) :
		    sprintf('%.2f s', $plain);
		printf " %10.3f", ratio($program, $_, $what) for @ways;
		print "\n";
	}
	printf "%-16s %10s", 'geometric mean', '';
	for my $way (@ways) {
		my $mean = mean(map { ratio($_, $way, $what) } @programs);

		printf " %10.3f", $mean;
		push @means, sprintf('{"way": "%s", "of": "%s", "mean": %.4f}',
		    $way, $what, $mean);
	}
	print "\n";
}

for my $program (@programs) {
	for my $way ('plain', @ways) {
		my @runs = @{$run{$program}{$way}};

		push @wrong, "$program, $way: ended with status $_->{status}"
		    for grep { $_->{status} != 0 } @runs;
		push @objects, map { sprintf '{"program": "%s", ' .
		    '"way": "%s", "cpu": %.6f, "wall": %.6f, ' .
		    '"peak_bytes": %d, "status": %d}', $program, $way,
		    @$_{qw(cpu wall peak status)} } @runs;
	}
}

open my $to, '>', $json or die "bench: cannot write $json: $!\n";
print $to "{\n \"runs\": [\n  ", join(",\n  ", @objects),
    "\n ],\n \"means\": [\n  ", join(",\n  ", @means), "\n ]\n}\n";
close $to or die "bench: cannot write $json: $!\n";

# A program that ends otherwise has not done the same work.
print "$_\n" for @wrong;
exit(@wrong ? 1 : 0);
