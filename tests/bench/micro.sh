# micro.sh - the bench's programs that only allocate, read by run.sh
#
# Each is one KIND of micro.c; their names are those, with _ for -.

programs='pairs churn few_20 few_50 few_100 many_20 many_50 many_100 threads
	handover'

prepare_micro()
{
	[ -x micro ] || ${CC:-cc} -O2 -D_GNU_SOURCE -pthread \
	    -o micro "$here/micro.c"
}

# One function for all: run.sh calls it by $program.
run_micro()
{
	case $program in
	pairs | threads | handover) count=30000000 ;;
	churn) count=10000000 ;;
	few_*) count=4000000 ;;
	many_*) count=1000000 ;;
	esac
	measured ./micro "$(echo "$program" | tr _ -)" "$count"
}

for program in $programs; do
	eval "prepare_$program() { prepare_micro; }"
	eval "run_$program() { run_micro; }"
done
