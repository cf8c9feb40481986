#!/usr/bin/env bash
# Sluice against iperf3 between two hosts with four NICs: network namespaces, each NIC pair shaped in both directions.
# In each round iperf3 runs over all NICs at once, then Sluice with adaptive and with round-robin striping.
#   sudo bench/throughput/namespaces.sh [RATE_OF_ETH4=1gbit]
# Environment: ROUNDS (3), SECONDS_EACH (10), GPUS (1), CHANNELS (4), SIZE (1GiB).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
last=${1:-1gbit} rounds=${ROUNDS:-3} each=${SECONDS_EACH:-10} gpus=${GPUS:-1} channels=${CHANNELS:-4} size=${SIZE:-1GiB}
nics=4 a=bn$$a b=bn$$b
work=$(mktemp -d)

clean() {
    end_hosts $a $b
    rm -rf "$work"
}
trap clean EXIT

join_hosts $a $b 0 $nics
for ((i = 1; i <= nics; i++)); do
    for host in $a $b; do
        # burst: four of the 64 KiB segments that the kernel hands a NIC at once; latency: a switch's buffer
        tc -n "$host" qdisc add dev eth$i root tbf rate "$( ((i == nics)) && echo "$last" || echo 1gbit)" burst 256kb latency 50ms
    done
done
./sluice --version >/dev/null

iperf_run() { # GB/s of each NIC, all at the same time
    local i
    for ((i = 1; i <= nics; i++)); do
        ip netns exec "$b" iperf3 -s -1 -D -B 10.$((100 + i)).0.2 -p $((5200 + i)) >/dev/null
    done
    until [ "$(ip netns exec "$b" ss -Hltn 'sport >= 5201 and sport <= 5204' | wc -l)" = $nics ]; do :; done
    local clients=()
    for ((i = 1; i <= nics; i++)); do
        ip netns exec "$a" iperf3 -c 10.$((100 + i)).0.2 -p $((5200 + i)) -t "$each" -J >"$work/iperf$i" &
        clients+=($!)
    done
    wait "${clients[@]}"
    for ((i = 1; i <= nics; i++)); do
        # the receiver's figure: what arrived, over the time it took
        calc "$(sed -n '/"sum_received"/,/}/p' "$work/iperf$i" | number bits_per_second) / 8e9" 5
        echo
    done
}

sent() { # bytes that the kernel counted on each NIC of the sending host
    local i
    for ((i = 1; i <= nics; i++)); do
        ip netns exec "$a" cat /sys/class/net/eth$i/statistics/tx_bytes
    done
}

sluice_run() { # striping: GB/s, then the share of each NIC in percent
    local server
    ip netns exec "$b" ./sluice server --gpus "$gpus" --nics eth1,eth2,eth3,eth4 >/dev/null 2>"$work/server" &
    server=$!
    mapfile -t before < <(sent)
    ip netns exec "$a" ./sluice client 10.100.0.2 --gpus "$gpus" --nics eth1,eth2,eth3,eth4 --channels "$channels" \
        --striping "$1" --size "$size" --duration "${each}s" --no-verify --json >"$work/result" 2>"$work/client"
    wait "$server" || { cat "$work/server" >&2; return 1; }
    mapfile -t after < <(sent)
    number gbPerSecond <"$work/result"
    for ((i = 0; i < nics; i++)); do
        echo $((after[i] - before[i]))
    done | awk '{ v[NR] = $1; sum += $1 } END { for (i = 1; i <= NR; i++) printf "%.2f ", 100 * v[i] / sum }'
}

echo "$(machine); eth1-eth3 1gbit, eth4 $last; $gpus GPU, $channels channels, $size transfers, $rounds rounds of $each s in turn"
echo
echo "| round | iperf3 eth1 eth2 eth3 eth4 | sum | adaptive | share of each NIC, % | round-robin | share of each NIC, % |"
echo "|---|---|---|---|---|---|---|"
adaptive_ratios=() robin_ratios=()
for ((r = 1; r <= rounds; r++)); do
    mapfile -t iperf < <(iperf_run)
    sum=$(calc "${iperf[0]} + ${iperf[1]} + ${iperf[2]} + ${iperf[3]}" 5)
    mapfile -t adaptive < <(sluice_run adaptive)
    mapfile -t robin < <(sluice_run round-robin)
    adaptive_ratios+=("$(calc "${adaptive[0]} / $sum")") robin_ratios+=("$(calc "${robin[0]} / $sum")")
    echo "| $r | ${iperf[*]} | $sum | $(calc "${adaptive[0]}" 5) | ${adaptive[1]} | $(calc "${robin[0]}" 5) | ${robin[1]} |"
done
echo
echo "adaptive: $(median "${adaptive_ratios[@]}") of iperf3's sum (median); round-robin: $(median "${robin_ratios[@]}")"
