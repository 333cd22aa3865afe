#!/bin/sh
# program-compiled.sh - other languages that compile: Fortran, Ada, OpenMP in C,
# and C by clang and in other forms of linking
. "${srcdir:-.}/tests/lib.sh"

cat >many.f90 <<'E2'
program many
	implicit none
	real, allocatable :: a(:), b(:, :)
	character(:), allocatable :: text
	integer :: i
	real :: s
	s = 0
	do i = 1, 2000
		allocate(a(i))
		a = 1
		s = s + sum(a) / i
		deallocate(a)
	end do
	allocate(b(100, 100))
	b = 2
	text = repeat('x', 500)
	text = text // text
	print *, nint(s), nint(sum(b)), len(text)
end program
E2
cat >many.adb <<'E2'
with Ada.Text_IO; with Ada.Unchecked_Deallocation;
procedure Many is
   type Vector is array (Positive range <>) of Integer;
   type Access_Vector is access Vector;
   procedure Free is new Ada.Unchecked_Deallocation (Vector, Access_Vector);
   Caught : Natural := 0;
   task type Worker;
   task body Worker is
      V : Access_Vector;
   begin
      for I in 1 .. 500 loop
         V := new Vector (1 .. I);
         V (I) := I;
         Free (V);
      end loop;
   end Worker;
   V : Access_Vector;
begin
   declare
      Workers : array (1 .. 4) of Worker;
      pragma Unreferenced (Workers);
   begin
      null;
   end;
   for I in 1 .. 100 loop
      begin
         V := new Vector (1 .. I);
         V (I + Caught + 1) := 1;
      exception
         when Constraint_Error => Caught := Caught + 1;
      end;
   end loop;
   Ada.Text_IO.Put_Line (Natural'Image (Caught));
end Many;
E2
cat >many.c <<'E2'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void *(*volatile take)(size_t) = malloc; /* its address, too */

int main(void)
{
	long sum = 0;
#pragma omp parallel for num_threads(4) reduction(+:sum)
	for (int i = 0; i < 20000; i++) {
		char *p = take((size_t)i % 3000 + 8), *q;

		memset(p, 1, 8);
		q = realloc(p, (size_t)i % 5000 + 8);
		sum += q[7];
		free(q);
	}
	printf("%ld\n", sum);
	return 0;
}
E2

cc=${CC:-cc}
tried=0
while IFS='|' read -r least words command; do
	set -- $command
	if ! command -v "$1" >/dev/null; then
		without "$1, which is not installed"
		continue
	fi
	"$@" >cc.log 2>&1 || {
		without "$command, which fails: $(tail -n 1 cc.log)"
		continue
	}
	unharmed ./many
	same "$command: who goes past" 0 \
	    "$(json report.json '.bypassed | length')"
	same "$command" "$words" "$(tr -s ' ' <under.out)"
	within "$command: allocations" "$least" 100000 \
	    "$(json report.json .totals.allocations)"
	tried=$((tried + 1))
done <<E2
2000| 2000 20000 1000|gfortran -O2 -o many many.f90
2100| 100|gnatmake -q -o many many.adb
40000|20000|$cc -fopenmp -O2 -fno-builtin -o many many.c
40000|20000|clang -fopenmp -O2 -fno-builtin -o many many.c
40000|20000|clang -O2 -fno-builtin -o many many.c
40000|20000|$cc -O2 -flto -fno-builtin -o many many.c
40000|20000|$cc -O2 -fno-builtin -fuse-ld=gold -o many many.c
40000|20000|$cc -O2 -fno-builtin -fuse-ld=lld -o many many.c
40000|20000|$cc -O2 -fno-builtin -no-pie -fno-plt -o many many.c
40000|20000|$cc -O2 -fno-builtin -fno-plt -Wl,-z,now -o many many.c
40000|20000|$cc -O2 -fno-builtin -Wl,--hash-style=sysv -o many many.c
40000|20000|$cc -O2 -fno-builtin -fno-exceptions -fno-asynchronous-unwind-tables -o many many.c
40000|20000|$cc -O2 -fno-builtin -fsanitize=undefined -o many many.c
E2
[ "$tried" -gt 0 ] || skip "nothing could be built"
