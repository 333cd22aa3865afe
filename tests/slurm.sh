# slurm.sh - a Slurm of one machine, for the tests that need one
#
#	. "$srcdir/tests/slurm.sh"
#	slurm_start DIR CPUS    slurmctld, slurmd and munged of our own, below DIR
#	slurm_stop              end them; also done where the test ends
#
# None of the machine's own Slurm takes part: ports, keys, spool and settings
# are those below DIR.  It needs root: slurmd becomes the user of a job.

slurm_pids=

# Whether there is all that it takes; else a skip says what is missing.
slurm_need()
{
	PATH=$PATH:/usr/sbin:/sbin
	need slurmctld slurmd sbatch scontrol squeue munged
	[ "$(id -u)" -eq 0 ] || skip "only root can start slurmd"
}

# A port nobody listens at, from @1 on.  It is not taken before somebody listens
# there, so that tests beside each other begin at numbers of their own: two for
# each pid, below those that the kernel gives to who asks for any.
slurm_port()
{
	slurm_at=$((10000 + $$ % 11000 * 2 + $1))
	while grep -qi ":$(printf '%04x' "$slurm_at") 0*:0000 0A" /proc/net/tcp
	do
		slurm_at=$((slurm_at + 2))
	done
	echo "$slurm_at"
}

slurm_wait()
{
	for slurm_try in $(seq 300); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

slurm_start()
{
	slurm_dir=$1
	slurm_host=$(hostname -s)
	mkdir -p "$slurm_dir/state" "$slurm_dir/spool" "$slurm_dir/munge"
	# munged will not take a place that others could write in above it.
	slurm_munge=$(mktemp -d /run/heaptide-munge.XXXXXX) || return
	chmod 755 "$slurm_munge"
	dd if=/dev/urandom of="$slurm_munge/key" bs=128 count=1 2>/dev/null
	chmod 400 "$slurm_munge/key"
	munged --foreground --key-file="$slurm_munge/key" --force \
		--socket="$slurm_munge/socket" --pid-file="$slurm_munge/pid" \
		--log-file="$slurm_munge/log" --seed-file="$slurm_munge/seed" \
		>"$slurm_dir/munged.out" 2>&1 &
	slurm_pids="$! $slurm_pids"
	started="$! $started"
	slurm_wait test -S "$slurm_munge/socket" || {
		cat "$slurm_dir/munged.out"
		return 1
	}
	cat >"$slurm_dir/slurm.conf" <<C
ClusterName=heaptide
SlurmctldHost=$slurm_host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$(slurm_port 0)
SlurmdPort=$(slurm_port 1)
AuthType=auth/munge
AuthInfo=socket=$slurm_munge/socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$slurm_dir/state
SlurmdSpoolDir=$slurm_dir/spool
SlurmctldPidFile=$slurm_dir/slurmctld.pid
SlurmdPidFile=$slurm_dir/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=1,sched_interval=2,sched_min_interval=100000
MpiDefault=none
ReturnToService=2
JobRequeue=1
MinJobAge=300
KillWait=5
BatchStartTimeout=1
MessageTimeout=2
NodeName=$slurm_host NodeAddr=127.0.0.1 CPUs=$2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
C
	export SLURM_CONF="$slurm_dir/slurm.conf"
	slurmctld -D -i >"$slurm_dir/slurmctld.out" 2>&1 &
	slurm_pids="$! $slurm_pids"
	started="$! $started"
	slurm_wait scontrol ping || {
		cat "$slurm_dir/slurmctld.out"
		return 1
	}
	slurm_slurmd
	slurm_wait sh -c 'sinfo -h -o %T | grep -qx idle' || {
		sinfo -N -l -R
		tail -n 5 "$slurm_dir"/slurm*.out
		return 1
	}
}

# Also after a kill of it, to start it anew.
slurm_slurmd()
{
	slurmd -D -c >"$slurm_dir/slurmd.out" 2>&1 &
	slurmd_pid=$!
	slurm_pids="$! $slurm_pids"
	started="$! $started"
}

slurm_stop()
{
	kill $slurm_pids 2>/dev/null
	wait $slurm_pids 2>/dev/null
	rm -rf "$slurm_munge"
	slurm_pids=
}
