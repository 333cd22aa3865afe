#!/bin/sh
# sampled.sh - what is estimated is right on average, and as sure as it says;
# what is counted is exact all the same, and large blocks are always there
. "${srcdir:-.}/tests/lib.sh"
need jq awk

SEEDS=200
export HEAPTIDE_STACKS=sampled HEAPTIDE_SAMPLE=16K

# Drawn by a seed, the same twice; and another seed draws others.
drawn_by()
{
	rm -rf "$HEAPTIDE_DIR"
	HEAPTIDE_SEED=$1 LD_PRELOAD=$LIBHEAPTIDE "$victims/twenty" >truth ||
		fail "status $?"
	"$HEAPTIDE" report --json "$HEAPTIDE_DIR"/*.tide >report.json ||
		fail "no report"
}

estimates()
{
	json report.json '.sites[] | select(.stack[0].function // "" |
	    startswith("site_")) | "\(.stack[0].function) \(.live_blocks) \(
	    .live_bytes) \(.error) \(.estimated) \(.allocations)"'
}

drawn_by 7
estimates | sort >first
drawn_by 7
estimates | sort >second
drawn_by 8
estimates | sort >third
cmp first second || fail "one seed, two samples"
cmp -s first third && fail "two seeds, one sample"

# --- exact beside it ------------------------------------------------------------

same "stacks, size" "sampled 16384" "$(json report.json \
	'"\(.stacks) \(.sample_bytes)"')"
adds_up
HEAPTIDE_STACKS=none LD_PRELOAD=$LIBHEAPTIDE HEAPTIDE_DIR=$scratch/none \
    "$victims/twenty" >/dev/null
mv report.json sampled.json
report "$(echo none/*.tide)"
for name in allocations frees allocated_bytes live_blocks live_bytes \
	temporary; do
	same "$name" "$(json report.json .totals.$name)" \
	    "$(json sampled.json .totals.$name)"
done
# Of 100 kB each, one in 16 KiB: all of them, and as they are.
grep -q '^site_16 100 100*[0-9]* 0 false 100$' first ||
	fail "large blocks are not exact: $(grep site_16 first)"
same "bytes of site_16" "$(awk '$1 == "site_16" { print $3 }' truth)" \
    "$(awk '$1 == "site_16" { print $3 }' first)"

# One mark a byte: no block is without, so what sites hold is all, and exact.
HEAPTIDE_SAMPLE=1 drawn_by 7
same "estimated by a mark a byte" 0 \
    "$(json report.json '[.sites[] | select(.estimated)] | length')"
for name in allocations frees allocated_bytes live_blocks live_bytes; do
	same "$name of all sites" "$(json report.json .totals.$name)" \
	    "$(json report.json "[.sites[].$name] | add")"
done

# --- and the estimates -----------------------------------------------------------

for seed in $(seq $SEEDS); do
	drawn_by "$seed"
	estimates | sed "s/^/$seed /" >>all
done

# For each site: how often the truth lies within two standard errors; how far
# the mean of all estimates lies from it, in standard errors of that mean; and
# is the error said to be what it is, from seed to seed?
awk -v seeds=$SEEDS '
	FILENAME == "truth" { bytes[$1] = $3; blocks[$1] = $2; next }
	{
		sum[$2] += $4; squares[$2] += ($4 - bytes[$2]) ^ 2
		counts[$2] += $3; said[$2] += $5 * $5
		off = $4 - bytes[$2]
		inside[$2] += off * off <= 4 * $5 * $5
	}
	END {
		for (s in bytes) {
			n++
			within += inside[s]
			mean = sum[s] / seeds
			error = sqrt(squares[s] / seeds)
			z = error == 0 ? 0 : (mean - bytes[s]) / (error / sqrt(seeds))
			ratio = error == 0 ? 1 : sqrt(said[s] / seeds) / error
			printf "%-8s %9d %9.0f %8.0f %6.1f %% %6.2f %6.2f\n", s,
			    bytes[s], mean, error, 100 * inside[s] / seeds, z,
			    ratio
			if (z * z > 16) print "biased:", s
			if (ratio < 0.8 || ratio > 1.25) print "error:", s
		}
		printf "%d sites, %.2f %% within two standard errors\n", n,
		    100 * within / n / seeds
	}' truth all >table
cat table
grep -E 'biased|error:' table && fail "an estimate is not what it says"
percent=$(sed -n 's/^20 sites, \([0-9]*\).*/\1/p' table)
within "percent within two standard errors" 93 100 "$percent"
