#!/usr/bin/env bash
# sluice matrix on a cluster of network namespaces, started as each launcher of the field would start it: one NIC is shaped to a quarter of
# the others' rate and one loses packets, at places drawn anew for each run. Both have to be named and nothing else.
#   sudo bench/cluster/matrix.sh [LAUNCHER...]       slurm jobset lws torchrun mpi (all)
# Environment: NODES (16), NICS (2), RATE in Mbit/s (100), LOSS in per mille (20), RUNS of each launcher (4), TIME of a direction (1s), SEED,
# KEEP=folder for what every rank printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
nodes=${NODES:-16} nics=${NICS:-2} rate=${RATE:-100} loss=${LOSS:-20} runs=${RUNS:-4} time=${TIME:-1s}
launchers=("$@")
((${#launchers[@]})) || launchers=(slurm jobset lws torchrun mpi)
RANDOM=${SEED:-$$}
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"
net=mx$$
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
java=$jdk/bin/java
[ -x "$java" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
[ -e cli/target/modules ] || ./sluice --version >/dev/null

clean() {
    for ((h = 0; h < nodes; h++)); do
        ip netns pids "$net-n$h" 2>/dev/null | xargs -r kill 2>/dev/null || true
        ip netns del "$net-n$h" 2>/dev/null || true
    done
    ip netns del "$net-f" 2>/dev/null || true
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap clean EXIT

shape() { # host nic mbit: both directions; the queue holds what a few transfers have under way
    tc -n "$net-n$1" qdisc replace dev "eth$2" root tbf rate "$3mbit" burst 64kb latency 400ms
    tc -n "$net-f" qdisc replace dev "p$1-$2" root tbf rate "$3mbit" burst 64kb latency 400ms
}

up() {
    local h n
    ip netns add "$net-f"
    for ((n = 0; n <= nics; n++)); do
        ip -n "$net-f" link add "br$n" type bridge
        ip -n "$net-f" link set "br$n" up
    done
    for ((h = 0; h < nodes; h++)); do
        ip netns add "$net-n$h"
        ip -n "$net-n$h" link set lo up
        for ((n = 0; n <= nics; n++)); do
            ip -n "$net-f" link add "p$h-$n" type veth peer name "eth$n" netns "$net-n$h"
            ip -n "$net-f" link set "p$h-$n" master "br$n" up
            ip -n "$net-n$h" addr add "10.$((100 + n)).0.$((h + 1))/24" dev "eth$n"
            ip -n "$net-n$h" link set "eth$n" up
            ((n == 0)) || shape "$h" "$n" "$rate"
        done
    done
}

lose() { # host nic
    ip netns exec "$net-n$1" nft "add table inet loss; add chain inet loss in { type filter hook input priority 0; }; \
        add rule inet loss in iifname eth$2 numgen random mod 1000 < $loss drop"
}

environment() { # launcher rank: what it would set
    case $1 in
    slurm) echo "SLURM_PROCID=$2 SLURM_NTASKS=$nodes SLURM_NNODES=$nodes SLURM_JOB_ID=4711 SLURM_JOB_NODELIST=10.100.0.[1-$nodes]" ;;
    jobset) echo "JOB_COMPLETION_INDEX=$2 JOBSET_NAME=mx GLOBAL_REPLICAS=1 COORDINATOR=10.100.0.1 SLUICE_WORLD=$nodes" ;;
    lws) echo "LWS_WORKER_INDEX=$2 LWS_GROUP_SIZE=$nodes LWS_LEADER_ADDRESS=10.100.0.1" ;;
    torchrun) echo "RANK=$2 WORLD_SIZE=$nodes LOCAL_RANK=0 MASTER_ADDR=10.100.0.1 MASTER_PORT=29500" ;;
    mpi) echo "OMPI_COMM_WORLD_RANK=$2 OMPI_COMM_WORLD_SIZE=$nodes OMPI_MCA_orte_hnp_uri=1.0;tcp://10.100.0.1:40001" ;;
    *) echo "there is no launcher $1" >&2 && exit 2 ;;
    esac
}

names=$(seq -s, -f 'eth%g' 1 "$nics")
run() { # launcher number slowHost slowNic lossyHost lossyNic: prints a row
    local launcher=$1 id=$1-$2 h pids=() begun status=0 found expected
    shape "$3" "$4" $((rate / 4))
    lose "$5" "$6"
    begun=$(date +%s.%N)
    for ((h = nodes - 1; h >= 0; h--)); do
        # shellcheck disable=SC2046
        ip netns exec "$net-n$h" env -u SLUICE_STDOUT_FD $(environment "$launcher" "$h") SLUICE_SECRET="the secret of $id" \
            "$java" -Xmx64m -Xss512k -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:CICompilerCount=1 \
            --enable-native-access=org.sluice.core,org.sluice.linux,org.sluice.tcp,org.sluice.cuda,org.sluice.ncclnet \
            -p cli/target/modules -m org.sluice.cli/org.sluice.cli.Main matrix --backend host --transport tcp --nics "$names" \
            --channels 4 --chunk 32KiB --size 2MiB --time "$time" --name "host-$h" >"$work/$id.$h.out" 2>"$work/$id.$h.err" &
        pids+=($!)
    done
    for h in "${pids[@]}"; do wait "$h" || status=$?; done
    shape "$3" "$4" "$rate"
    ip netns exec "$net-n$5" nft delete table inet loss
    found=$(sed -n 's/^- //p' "$work/$id.0.out" | sed 's/:.*//' | sort | paste -sd';')
    expected=$(printf '%s\n' "NIC eth$4 of rank $3 (host-$3)" "NIC eth$6 of rank $5 (host-$5)" | sort | paste -sd';')
    right=no
    [ "$found" = "$expected" ] && [ "$status" = 6 ] && right=yes
    echo "| $id | eth$4 of $3 | eth$6 of $5 | $(calc "$(date +%s.%N) - $begun" 0) s | $right | $(sed -n 's/^- //p' "$work/$id.0.out" | paste -sd';') |"
    if [ -z "$found" ]; then tail -n 3 "$work/$id".*.err >&2; fi
}

up
echo "$(machine); $nodes nodes, $nics NICs of $rate Mbit/s, one of $((rate / 4)), one with $loss per mille lost; $time a direction"
echo
echo "| run | slow | lossy | took | both named and nothing else | named |"
echo "|---|---|---|---|---|---|"
wrong=0
for launcher in "${launchers[@]}"; do
    for ((r = 1; r <= runs; r++)); do
        a=$((RANDOM % nodes)) b=$((RANDOM % (nodes - 1)))
        ((b < a)) || b=$((b + 1))
        right=no
        run "$launcher" "$r" "$a" $((RANDOM % nics + 1)) "$b" $((RANDOM % nics + 1))
        [ "$right" = yes ] || wrong=$((wrong + 1))
    done
done
echo
echo "$wrong of $((runs * ${#launchers[@]})) runs were not right"
exit $((wrong > 0))
