#!/bin/sh
# recipes.sh - what README.md, doc/recipes.md and heaptide(1) have at their
# prompts can be typed, line by line, and does something
. "${srcdir:-.}/tests/lib.sh"
need perl jq

# --- what the lines need ------------------------------------------------------

mkdir -p bin typed && cd typed || exit
ln -s "$HEAPTIDE" ../bin/heaptide
export PATH="$scratch/bin:$PATH"

# Programs of these names: each holds a little more in each round, and ends.
for name in program tests server job index ingest; do
	cat >$name <<'P'
#!/usr/bin/perl
$| = 1;
for (1 .. 20) { push @held, "x" x 100000; select undef, undef, undef, 0.02 }
P
	chmod +x $name
done
printf '#!/bin/sh\nexec cat "$1"\n' >../bin/ocr
chmod +x ../bin/ocr
echo one >1.pdf
echo two >2.pdf
: >headers.txt

# Profiles from before, one process that goes on, one run to resume.
limited 60 heaptide run -q --stacks all -o job.tide -- ./job >out 2>&1 ||
	fail "job: $(cat out)"
cp job.tide new.tide
for name in heaptide.ingest.4711 before after ingest; do
	cp job.tide $name.tide
done
printf 'check:\n\t./job\n' >Makefile
cat >grow.pl <<'P'
while (!-e "enough") {
	# One at rest hears nothing: it goes on to allocate.
	my $now = "x" x (50000 + int rand 50000);
	push @held, $now if @held < 1000;
	select undef, undef, undef, 0.01;
}
P
heaptide run -q --summary off --stacks none -o live.tide -- perl grow.pl \
	</dev/null >live.out 2>&1 &
started="$started $!"
running()
{
	set -- "$HEAPTIDE_DIR"/*.sock
	[ -S "$1" ] && pid=${1##*/} && pid=${pid%.sock}
}
await running

# --- what is typed ------------------------------------------------------------

# Not these: a terminal is needed; it does not end; other tests have it.
left_out='^heaptide \(top\|simulate all\|serve\|monitor\|resume\) \|^heaptide serve\|^\./heaptide'
# Who has heaptrack's files.
if command -v heaptrack >/dev/null; then
	heaptrack -o old.heaptrack perl -e '@a = map { "x" x 999 } 1 .. 99' \
		>out 2>&1 </dev/null
	set -- old.heaptrack.*
	[ "$1" = old.heaptrack.zst ] || mv "$1" old.heaptrack.zst
else
	cp job.tide old.tide
	left_out="$left_out\|^heaptide import"
fi

typed=0
type_page()
{
	sed -n -e '/^```/,/^```/s/^\$ //p' -e 's/\\-/-/g' -e 's/^\.Dl \$ //p' \
	    "$srcdir/$1" | grep -v "$left_out" >lines
	while IFS= read -r line <&3; do
		# Names that stand for one of the reader's own.
		here=$(printf '%s\n' "$line" | sed -e "s/4236/$pid/g" \
		    -e "s/ 4711\\(@\\| \\|$\\)/ $pid\\1/g" \
		    -e "s/\\bPID\\b/$pid/" -e 's/\bRUN\b/linear/')
		# What goes on in the background is waited for.
		printf '%s\nstatus=$?\nwait\nexit $status\n' "$here" >line.sh
		limited 200 sh line.sh >out 2>err </dev/null
		status=$?
		case $line in
		*' check '*) wanted=1 ;; # it holds something
		*) wanted=0 ;;
		esac
		[ "$status" -eq "$wanted" ] ||
			fail "$1: $line: status $status: $(cat err)"
		typed=$((typed + 1))
	done 3<lines
}

type_page doc/recipes.md
heaptide pool stop night >out 2>&1 || fail "the pool: $(cat out)"
type_page README.md
heaptide pool stop night >out 2>&1 || fail "the pool: $(cat out)"
type_page doc/heaptide.1

# What they say comes of it.
[ -s memory.xml ] || fail "check has left no memory.xml"
[ -s new.pb.gz ] || fail "export has left no new.pb.gz"
heaptide ctl "$pid" marks >marks.json || fail "marks: $(cat marks.json)"
same "marks" "before after night shift batch 1 batch 2" \
    "$(json marks.json '[.marks[] | select(.kind == "mark") | .name] |
	join(" ")')"
touch enough
within "lines that were typed" 40 1000 "$typed"
