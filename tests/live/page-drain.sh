#!/bin/sh
# page-drain.sh - a static program under heaptide run can be asked to come to an
# end, as one with the library inside; and is asked nothing that it cannot hear
. "${srcdir:-.}/tests/lib.sh"
need jq

cat >works.c <<'END'
#include <heaptide.h>
#include <stdio.h>
#include <unistd.h>

int
main(void)
{
	tide_op *op = tide_op_open("work", NULL);
	tide_batch b = TIDE_BATCH_INIT;
	int n;

	printf("%d\n", (int)getpid());
	fflush(stdout);
	while ((n = tide_batch_begin(op, &b, 0, 5, -1)) > 0) {
		usleep(20000);
		tide_batch_end(&b, 1);
	}
	printf("ended by %d, %d\n", n, tide_should_stop());
	return 0;
}
END
${CC:-cc} -static -I"$srcdir/include" -o works works.c 2>err ||
	skip "no static libc: $(tail -n 1 err)"

begin()
{
	rm -f said
	"$HEAPTIDE" run --budget 64M --summary off -o t.tide -- ./works >said \
		2>err </dev/null &
	ours=$!
	started="$started $ours"
	await test -s said
	pid=$(head -n 1 said)
	started="$started $pid"
}

begin
"$HEAPTIDE" ctl "$pid" drain >answer || fail "drain: $(cat answer)"
same "answer" "true 1" "$(json answer '"\(.ok) \(.drains)"')"
wait "$ours"
same "status" 0 $?
same "what it was told" "ended by 0, 2" "$(tail -n 1 said)"
! "$HEAPTIDE" ctl "$pid" drain >answer 2>err || fail "who is gone was asked"
grep -q "no profile of process $pid" err || fail "who is gone: $(cat err)"

begin
limited 60 "$HEAPTIDE" ctl "$pid" status >answer
same "status of what it cannot say" 1 $?
same "what it cannot say" "false ENODEV" "$(json answer '"\(.ok) \(.error)"')"
# Pages that are none, or another's, are passed over.
for damage in "" "0000"; do
	printf %s "$damage" >"$HEAPTIDE_DIR/a.page"
	! "$HEAPTIDE" ctl 1 drain >answer 2>&1 || fail "pid 1: $(cat answer)"
done
ln -s a.page "$HEAPTIDE_DIR/b.page"
mkfifo "$HEAPTIDE_DIR/c.page"
limited 60 "$HEAPTIDE" ctl "$pid" DRAIN >answer || fail "drain: $(cat answer)"
rm "$HEAPTIDE_DIR"/[abc].page
wait "$ours"
same "status of the second" 0 $?
