#!/usr/bin/perl
# pages.pl - a page for every command, and one for the environment
#
# usage: pages.pl HEAPTIDE.1 TOOLS-DIRECTORY OUT-DIRECTORY
#
# They are parts of heaptide(1), cut out, so that there is one text of each:
#
#	heaptide-COMMAND.1        the `.Ss COMMAND ...` of COMMANDS
#	heaptide-environment.7    the section ENVIRONMENT
#
# The line that says what a command does is that of its table in cmd-*.c.
use strict;
use warnings;

my ($manual, $tools, $out) = @ARGV;
die "usage: pages.pl HEAPTIDE.1 TOOLS-DIRECTORY OUT-DIRECTORY\n"
    unless defined $out;

sub slurp
{
	my ($name) = @_;
	open my $file, '<', $name or die "$name: $!\n";
	local $/;
	return scalar <$file>;
}

sub put
{
	my ($name, $text) = @_;
	open my $file, '>', "$out/$name" or die "$out/$name: $!\n";
	print $file $text;
	close $file or die "$out/$name: $!\n";
}

# A bare .Nm is the name of the page; here it is to stay that of the command.
# What .Sx names is in another page.
sub move
{
	my ($text) = @_;
	$text =~ s/^\.Sx (.*)$/.Em $1/mg;
	$text =~ s/^(\..*)$/my $l = $1; $l =~ s{\bNm\b(?! heaptide)}{Nm heaptide}g;
	    $l/meg;
	return $text;
}

sub page
{
	my ($date, $title, $section, $help, $synopsis, $body, @also) = @_;
	my $also = join " ,\n", map { ".Xr $_" } @also;

	return ".\\\" Made of heaptide.1 by pages.pl.\n$date" .
	    ".Dt " . uc($title) . " $section\n.Os\n" .
	    ".Sh NAME\n.Nm $title\n.Nd $help\n$synopsis" .
	    ".Sh DESCRIPTION\n$body.Sh SEE ALSO\n$also\n";
}

my %help;
for my $file (sort glob "$tools/cmd/cmd-*.c") {
	my $text = slurp($file);
	while ($text =~ /struct command \w+ = \{\n\t\.name = "([a-z]+)",\n(.*?)\};/sg) {
		my ($name, $rest) = ($1, $2);
		$help{$name} = $1 if $rest =~ /\.help = "([^"]*)"/;
	}
}

my $text = slurp($manual);
my ($date) = $text =~ /^(\.Dd .*\n)/m or die "$manual: no date\n";
my ($commands) = $text =~ /^\.Sh COMMANDS\n(.*?)^\.Sh /ms
    or die "$manual: no COMMANDS\n";
my ($environment) = $text =~ /^\.Sh ENVIRONMENT\n(.*?)^\.Sh /ms
    or die "$manual: no ENVIRONMENT\n";

my (%usage, %body);
for (split /^(?=\.Ss )/m, $commands) {
	s/^\.Ss ([a-z]+)(.*)\n// or next;
	my ($name, $rest) = ($1, $2);
	$usage{$name} .= ".Nm heaptide\n.Cm $name$rest\n";
	$body{$name} .= (defined $body{$name} && !/^\.Pp/ ? ".Pp\n" : '') . $_;
}
for my $name (sort keys %body) {
	my $help = $help{$name} or die "$tools: no help of '$name'\n";
	put("heaptide-$name.1", page($date, "heaptide-$name", 1, $help,
	    ".Sh SYNOPSIS\n$usage{$name}", move($body{$name}),
	    'heaptide 1', 'heaptide-config 5', 'heaptide-environment 7'));
}
put('heaptide-environment.7', page($date, 'heaptide-environment', 7,
    'what heaptide finds in the environment', '', move($environment),
    'heaptide 1', 'heaptide-config 5'));
