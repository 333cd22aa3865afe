#!/bin/sh
# program-java.sh - a virtual machine with its threads, handlers and mappings
. "${srcdir:-.}/tests/lib.sh"
need java

if command -v javac >/dev/null; then
	cat >Objects.java <<'JAVA'
import java.util.*;

public class Objects {
	public static void main(String[] args) throws Exception {
		Map<String, List<Integer>> map = new TreeMap<>();
		for (int i = 0; i < 300000; i++)
			map.computeIfAbsent("key " + i % 1000,
			    k -> new ArrayList<>()).add(i);
		java.nio.ByteBuffer b =
		    java.nio.ByteBuffer.allocateDirect(1 << 20);
		System.out.println(map.size() + " " + b.capacity());
		System.exit(3);
	}
}
JAVA
	javac Objects.java || skip "javac does not work here"
	set -- java -Xmx256m -cp . Objects
else
	set -- java -XshowSettings:properties -Xmx256m -version
fi
for stacks in none sampled all; do
	plain_and_under "$stacks" "$@"
	report profile.tide
	within "allocations" 1000 1000000000 \
	    "$(json report.json .totals.allocations)"
done
