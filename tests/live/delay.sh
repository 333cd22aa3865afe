#!/bin/sh
# delay.sh - where memory is short a program waits between batches if somebody
# else can free some, another member of its pool or its allocator by itself; and
# does not where nothing would come of it
. "${srcdir:-.}/tests/lib.sh"
need jq

# 40 MiB that stay, and some batches; says how long it was delayed, in us.
cat >tight.c <<'C'
#include <heaptide.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(void)
{
	tide_op *op = tide_op_open("tight", NULL);
	struct tide_op_stats stats;
	tide_batch b = TIDE_BATCH_INIT;
	size_t bytes = (size_t)40 << 20;
	char *stays = malloc(bytes), *item;
	int i;

	if (stays == NULL)
		return 3;
	memset(stays, 1, bytes);
	for (i = 0; i < 5; i++) {
		if (tide_batch_begin(op, &b, 0, 1, -1) <= 0)
			return 4;
		item = malloc(10000);
		if (item != NULL)
			memset(item, 1, 10000);
		free(item);
		tide_batch_end(&b, 1);
	}
	memset(&stats, 0, sizeof(stats));
	if (tide_op_stats(op, &stats) != 0 || stats.batches != 5)
		return 5;
	printf("%llu\n", (unsigned long long)stats.delay_ns / 1000);
	free(stays);
	return 0;
}
C
${CC:-cc} -I"$srcdir/include" -o tight tight.c || fail "not built"
export HEAPTIDE_BUDGET=52M HEAPTIDE_DELAY_MAX=200ms

# delayed: us, with the library and without, by the environment
delayed()
{
	inside=$(limited 100 "$HEAPTIDE" run -q --summary off -o t.tide -- \
	    ./tight) || fail "with the library: status $?"
	alone=$(limited 100 ./tight) || fail "alone: status $?"
}

delayed
same "of one that is alone" "0 0" "$inside $alone"

# Others hold a part of what is common.
"$HEAPTIDE" pool start common --budget 100M >out 2>&1 || fail "$(cat out)"
export HEAPTIDE_POOL=common
mkfifo hold
"$victims/reserver" 10 <hold >held &
started=$!
exec 9>hold
await grep -q got held
delayed
[ "$inside" -gt 0 ] && [ "$alone" -gt 0 ] ||
	fail "as others hold memory: $inside us, alone $alone"
HEAPTIDE_DELAY_MODE=off
export HEAPTIDE_DELAY_MODE
delayed
same "where delays are off" "0 0" "$inside $alone"
unset HEAPTIDE_DELAY_MODE
exec 9>&-
wait $started
delayed
same "when they have given it back" "0 0" "$inside $alone"
unset HEAPTIDE_POOL
"$HEAPTIDE" pool stop common >out 2>&1 || fail "$(cat out)"

# An allocator whose own thread gives back.
je=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
	sed -n 's|.* => \(/.*/libjemalloc.so.2\)$|\1|p' | head -n 1)
if [ -z "$je" ]; then
	without "jemalloc is not installed"
	exit 0
fi
for threads in false true; do
	inside=$(LD_PRELOAD="$LIBHEAPTIDE:$je" \
	    MALLOC_CONF=background_thread:$threads limited 100 ./tight) ||
		fail "jemalloc: status $?"
	alone=$(LD_PRELOAD="$je" MALLOC_CONF=background_thread:$threads \
	    limited 100 ./tight) || fail "jemalloc, alone: status $?"
	case $threads in
	false) same "jemalloc without a thread" "0 0" "$inside $alone" ;;
	true) [ "$inside" -gt 0 ] && [ "$alone" -gt 0 ] ||
		fail "jemalloc with a thread: $inside us, alone $alone" ;;
	esac
done
