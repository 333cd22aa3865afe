#!/usr/bin/perl
# assemble.pl - make heaptide.h of heaptide.h.in and of what the library has
#
#	assemble.pl SRCDIR >heaptide.h
#
# A line `@public FILE` is a header of src/, as it is.  A line `@private` is
# all of plan and what it needs, as they are in the library, but: without
# comments, with every function static, and with every name of theirs behind
# tide__, so that nothing of it can meet a name of the program.  State that is
# `static struct { ... } name;` becomes one for the whole program: weak and
# hidden.  So there is one source of each law, and one header to be copied.
use strict;
use warnings;

my $src = shift // die "usage: assemble.pl SRCDIR\n";

# By one name of many: do the headers show what we need?
my $shown = <<'END';
#ifndef O_CLOEXEC
#error "heaptide.h needs more than ISO C shows: include it first, or compile \
with -std=gnu99 or -D_GNU_SOURCE"
#endif
END

# In the order in which each may use those before it.
my @private = qw(
	base/base.h base/text.h base/text.c base/text-format.c
	base/crc.h base/crc.c
	model/numbers.h model/numbers.c
	model/sources.h model/sources.c
	model/sensor.h model/sensor.c
	model/states.h model/states.c
	model/sizing.h model/sizing-fit.h model/sizing-fit.c
	model/sizing-weights.c model/sizing-save.c model/sizing-risk.c
	model/sizing.c
	model/knee.h model/knee.c
	model/delay.h model/delay.c
	model/knob.h model/knob.c
	model/interval.h model/interval.c
	model/spread.h model/spread.c
	model/stats.h model/stats.c
	model/trend.h model/trend.c
	plan/alone-sys.c
	sys/proc.h sys/proc.c
	sys/cgroup.h sys/cgroup.c sys/pressure.h sys/pressure.c
	plan/host.h plan/settings.h plan/settings.c
	plan/journal.h plan/journal-file.h plan/journal-file.c
	plan/journal.c plan/run-who.h plan/run-who.c
	plan/spans.h plan/spans.c plan/run-failed.h plan/run-failed.c
	plan/run-look.h plan/run-look.c plan/run.h
	plan/chain.h plan/chain.c plan/psi.h plan/psi.c
	plan/common.h plan/common.c
	model/lease.h model/lease.c
	plan/shares.h plan/shares-file.h plan/shares-gate.c
	plan/shares-queue.c plan/shares-care.c plan/shares.c
	plan/shares-acquire.c plan/member.h plan/member.c
	plan/plan.h plan/pressure.h plan/refault.h plan/cleanup-list.h
	plan/cleanup.h plan/op.h plan/guard.h plan/reserve.h plan/message.h
	plan/boundary.h
	plan/message.c plan/plan-state.h plan/plan-state.c
	plan/pace.h plan/op-state.h plan/op-state.c
	plan/guard-state.h plan/guard-state.c
	plan/plan-sample.c plan/plan-look.c plan/plan-clean.c plan/plan.c
	plan/ask.c
	plan/giveback.h plan/giveback.c
	plan/pressure.c plan/refault.c plan/cleanup-list.c plan/cleanup.c
	plan/tell.h plan/tell-forms.c plan/tell.c plan/pace.c
	plan/boundary.c plan/decision.h plan/decision.c
	plan/underway.h plan/again.h
	plan/run-state.h plan/run-state.c plan/run-part.c
	plan/run-work.c plan/run-mark.c plan/run.c plan/learned.h plan/learned.c
	plan/op.c plan/underway.c plan/again.c plan/batch-state.h
	plan/batch-size.c plan/batch-enter.c plan/batch.c plan/batch-close.c
	plan/page.c
	plan/figures.h plan/figures.c
	plan/guard.c plan/reserve.c
	plan/alone.c plan/discover.c
);

sub slurp
{
	my ($path) = @_;

	open(my $f, '<', $path) or die "$path: $!\n";
	local $/;
	return <$f>;
}

my %included = map { $_ => 1 } qw(errno.h stdarg.h stddef.h stdint.h
    stdio.h string.h);

# Comments, guards, and what is included that is in here anyway.
sub strip
{
	my ($text, $file, $libc) = @_;

	$text =~ s{/\*.*?\*/}{}gs;
	$text =~ s{^\#include\s+"[^"]*"\n}{}gm;
	$text =~ s{^\#include\s+<([^>]*)>\n}{
		push @$libc, $1 unless $included{$1}++; ''}gme;
	if ($file =~ /\.h$/) {
		$text =~ s{^\s*\#ifndef (\w+_H)\n\#define \1\n}{} or
		    die "$file: no guard\n";
		$text =~ s{\#endif\s*$}{};
	}
	$text =~ s{[ \t]+$}{}gm;
	$text =~ s{\n{2,}}{\n}g;
	$text =~ s{^\n}{};
	return $text;
}

# Every function that is not static yet: its name begins a line.
sub make_static
{
	my ($text) = @_;
	my @lines = split /\n/, $text, -1;
	my $type;

	for my $i (1 .. $#lines) {
		next unless $lines[$i] =~ /^[a-z_]\w*\(/;
		$type = $lines[$i - 1];
		$lines[$i - 1] = "static $type"
		    if $type =~ /^[a-z_][\w *]*$/ && $type !~ /\bstatic\b/;
	}
	# Declarations stand in one line with their type.
	for (@lines) {
		s/^(?!static|typedef|return|else|extern)([a-z_][\w ]*[ *]\**[a-z_]\w*\()/static $1/;
	}
	return join("\n", @lines);
}

# Names that a text declares at its outermost level.
sub names_of
{
	my ($text) = @_;
	my (%function, %tag, %word, %data);

	$function{$1} = 1 while $text =~ /^(?:[a-z_][\w *]*[ *])?([a-z_]\w*)\(/gm;
	$tag{$1} = 1 while $text =~ /\b(?:struct|enum|union)\s+(?:__attribute__\(\(\w+\)\)\s+)?([a-z_]\w*)\s*\{/g;
	$tag{$1} = 1 while $text =~ /^struct ([a-z_]\w*);/gm;
	$word{$1} = 1 while $text =~ /^\#define\s+(\w+)/gm;
	while ($text =~ /\benum\b[^{;()]*\{(.*?)\}/gs) {
		my $body = $1;
		$word{$1} = 1 while $body =~ /\b([A-Z][A-Z0-9_]*)\b\s*(?==|,|\s*$)/gm;
	}
	$data{$1} = 1 while $text =~ /^(?:static|SHARED) (?:const )?[^\n=(;]*?\b(\w+)(?:\[[^\]]*\])*\s*=/gm;
	$data{$1} = 1 while $text =~ /^\} (\w+)(?:\[[^\]]*\])*\s*(?:=|;)/gm;
	$data{$1} = 1 while $text =~ /^typedef char (\w+)\[/gm;
	for my $set (\%function, \%tag, \%word, \%data) {
		delete $set->{$_} for grep { /^(tide|TIDE)_/ } keys %$set;
	}
	delete $function{$_} for qw(if for while switch return sizeof);
	return { function => \%function, tag => \%tag, word => \%word,
		data => \%data };
}

sub alternatives
{
	my ($set) = @_;

	return '(?:' . join('|', map { quotemeta }
	    sort { length($b) <=> length($a) || $a cmp $b } keys %$set) . ')';
}

sub rename_all
{
	my ($text, $names, $prefix) = @_;
	my $upper = uc $prefix;
	my $f = alternatives($names->{function});
	my $t = alternatives($names->{tag});
	my $w = alternatives($names->{word});
	my $d = alternatives($names->{data});

	# Not what is behind a point or an arrow, nor text in quotes.
	my @parts = split /("(?:[^"\\\n]|\\.)*")/, $text;
	for (@parts) {
		next if /^"/;
		s/(?<![\w.>])(?<!->)($f)(?=\()/$prefix$1/g
		    if %{$names->{function}};
		s/&($f)\b/&$prefix$1/g if %{$names->{function}};
		s/\b(struct|enum|union)(\s+(?:__attribute__\(\(\w+\)\)\s+)?)($t)\b/$1$2$prefix$3/g
		    if %{$names->{tag}};
		s/(?<![\w])($w)\b/$upper$1/g if %{$names->{word}};
		s/(?<![\w.])(?<!->)(?<!struct )($d)\b/$prefix$1/g if %{$names->{data}};
	}
	return join('', @parts);
}

# Of a source file, what nobody else sees: its own prefix.
sub privatise
{
	my ($text, $file, $shared) = @_;
	my $own = names_of($text);
	my ($module) = $file =~ m{/([\w-]+)\.c$};

	$module =~ tr/-/_/;
	for my $kind (keys %$own) {
		delete $own->{$kind}{$_} for grep { $shared->{$kind}{$_} }
		    keys %{$own->{$kind}};
	}
	return rename_all($text, $own, "tide__${module}__");
}

sub share_state
{
	my ($text) = @_;

	# `static struct { ... } name;` at the outermost level.
	$text =~ s{^static struct \{\n(.*?)^\} (\w+);$}
	    {TIDE__SHARED struct $2_state {\n$1} $2;}gms;
	$text =~ s{^SHARED }{TIDE__SHARED }gm;
	return $text;
}

# A declaration of what is not in here, as its source is not.
sub drop_undefined
{
	my ($text) = @_;
	my %defined;

	$defined{$1} = 1 while $text =~ /^(\w+)\([^;{]*\)\n\{/gm;
	$text =~ s!^static (?:const )?[\w ]*[ *](\w+)\([^;{]*\);\n!
	    $defined{$1} ? $& : ''!gme;
	return $text;
}

sub private
{
	my (@files) = @_;
	my (%text, @libc, $out, $shared, $all);

	for my $file (@files) {
		$text{$file} = strip(slurp("$src/$file"), $file, \@libc);
	}
	$all = join("\n", map { $text{$_} } grep { /\.h$/ } @files);
	$shared = names_of($all);
	for my $file (@files) {
		my $t = make_static($text{$file});

		# What these define is for all.
		if ($file =~ m{/(alone-sys|alone|discover|disabled)\.c$}) {
			my $more = names_of($t);

			for my $kind (keys %$more) {
				$shared->{$kind}{$_} = 1
				    for keys %{$more->{$kind}};
			}
		}
		$text{$file} = $t;
	}
	for my $file (@files) {
		my $t = $text{$file};

		$t = share_state($t);
		$t = privatise($t, $file, $shared) if $file =~ /\.c$/;
		$t = rename_all($t, $shared, 'tide__');
		$t =~ s/\bTIDE__TIDE__SHARED\b/TIDE__SHARED/g;
		$t =~ s/\b(?:tide|TIDE)__\w+?_(TIDE__SHARED)\b/$1/g;
		$out .= "/* --- src/$file */\n$t";
		$out .= "\n" unless $t =~ /\n$/;
	}
	return join('', map { "#include <$_>\n" } sort @libc) .
	    join('', map { /^fcntl/ ? $shown : () } @libc) .
	    "#define TIDE__SHARED __attribute__((weak, visibility(\"hidden\")))\n" .
	    drop_undefined($out);
}

sub public
{
	my ($file) = @_;
	my $text = slurp("$src/$file");

	$text =~ s{^/\*.*?\*/\n}{}s;
	$text =~ s{^\#include\s+["<][^">]*[">]\n}{}gm;
	$text =~ s{^\#ifndef (\w+_H)\n\#define \1\n}{}m;
	$text =~ s{\#endif\s*$}{};
	$text =~ s{^\n+}{};
	$text =~ s{\n+$}{\n};
	return $text;
}

my $in = slurp("$src/../include/heaptide.h.in");
print "/* Made of heaptide.h.in by assemble.pl; do not edit. */\n";
for (split /\n/, $in) {
	if (/^\@public (\S+)$/) {
		print public($1);
	} elsif (/^\@private (\S+)$/) {
		print private($1);
	} elsif (/^\@private$/) {
		print private(grep { -e "$src/$_" } @private);
	} else {
		print "$_\n";
	}
}
