#!/bin/sh
# program-go.sh - Go with cgo: what C allocates is counted, from goroutines on
# many threads; that Go's own heap is not, is said, as is a static program
. "${srcdir:-.}/tests/lib.sh"

need go
export GOFLAGS=-mod=mod GO111MODULE=off GOTOOLCHAIN=local \
	GOPATH="$scratch/go" CC="${CC:-cc}"
mkdir cgo pure
cat >cgo/main.go <<'E2'
package main

/*
#include <stdlib.h>
#include <string.h>

static void *take(size_t n) { return memset(malloc(n), 1, n); }
static void give(void *p) { free(p); }
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"
)

func main() {
	var group sync.WaitGroup
	blocks := make(chan unsafe.Pointer, 100)
	for g := 0; g < 16; g++ {
		group.Add(1)
		go func(g int) {
			defer group.Done()
			for i := 0; i < 200; i++ {
				blocks <- C.take(C.size_t(100 + i))
				s := C.CString("a string of Go in C")
				C.free(unsafe.Pointer(s))
			}
		}(g)
	}
	go func() { group.Wait(); close(blocks) }()
	n := 0
	kept := [][]byte{}
	for b := range blocks {
		C.give(b) // on another thread than it was taken on
		kept = append(kept, make([]byte, 1000))
		n++
	}
	C.take(12345)
	fmt.Println(n, len(kept))
}
E2
cat >pure/main.go <<'E2'
package main

import "os"

func main() { os.Exit(len(os.Args)) }
E2
(cd cgo && CGO_ENABLED=1 go build -o ../with-cgo .) >go.log 2>&1 ||
	skip "go does not build here: $(tail -n 1 go.log)"
(cd pure && CGO_ENABLED=0 go build -o ../without .) >go.log 2>&1 ||
	fail "go does not build: $(tail -n 1 go.log)"

unharmed ./with-cgo
same "what it says" "3200 3200" "$(cat under.out)"
within "allocations: two in each round" 6401 6600 \
    "$(json report.json .totals.allocations)"
same "the block that is held" 1 "$(json report.json '[.sites[] |
	select(.live_bytes >= 12345 and .live_bytes < 12400)] | length')"
same "who is not seen" "hidden the heap of Go" "$(json report.json '
	.bypassed[] | .why + " " + .allocator')"
"$HEAPTIDE" run --summary off -o other.tide -- ./with-cgo >/dev/null 2>words
grep -q "it has the heap of Go" words || fail "run does not say it"

"$HEAPTIDE" run -o none.tide -- ./without 2>words
same "static: status" 1 $?
grep -q "statically linked" words || fail "static Go: $(cat words)"
