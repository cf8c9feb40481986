#!/usr/bin/env bash
# One NIC of 4 Gbit/s on one host facing four of 1 Gbit/s on the other, through a switch: network namespaces, each NIC shaped in both
# directions. In each round iperf3 runs from the one NIC to all four at once, then Sluice, which is told no NICs.
#   sudo bench/throughput/one-to-four.sh
# Environment: ROUNDS (5), SECONDS_EACH (10), GPUS (1), CHANNELS (8), SIZE (1GiB).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
rounds=${ROUNDS:-5} each=${SECONDS_EACH:-10} gpus=${GPUS:-1} channels=${CHANNELS:-8} size=${SIZE:-1GiB}
a=o$$a b=o$$b s=o$$s
work=$(mktemp -d)

clean() {
    end_hosts $a $b $s
    rm -rf "$work"
}
trap clean EXIT

shaped() { tc -n "$1" qdisc add dev "$2" root tbf rate "$3" burst 256kb latency 50ms; }

plug() { # HOST NIC PORT RATE ADDRESS
    ip -n "$s" link add "$3" type veth peer name "$2" netns "$1"
    ip -n "$s" link set "$3" master switch up
    ip -n "$1" addr add "$5/24" dev "$2"
    ip -n "$1" link set "$2" up
    shaped "$1" "$2" "$4"
    shaped "$s" "$3" "$4"
}

for host in $a $b $s; do
    ip netns add "$host"
    ip -n "$host" link set lo up
done
ip -n "$s" link add switch type bridge
ip -n "$s" link set switch up
plug "$a" big pa 4gbit 10.100.0.1
for i in 1 2 3 4; do
    plug "$b" eth$i pb$i 1gbit 10.100.0.1$i
done
# as an administrator of such a host sets it, so that iperf3 has four NICs too; Sluice does without
ip netns exec "$b" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
./sluice --version >/dev/null

iperf_run() { # GB/s of all four together
    local i clients=()
    for i in 1 2 3 4; do
        ip netns exec "$a" iperf3 -s -1 -D -B 10.100.0.1 -p $((5200 + i)) >/dev/null
    done
    until [ "$(ip netns exec "$a" ss -Hltn 'sport >= 5201 and sport <= 5204' | wc -l)" = 4 ]; do :; done
    for i in 1 2 3 4; do
        ip netns exec "$b" iperf3 -c 10.100.0.1 -B "10.100.0.1$i%eth$i" -p $((5200 + i)) -t "$each" -J >"$work/iperf$i" &
        clients+=($!)
    done
    wait "${clients[@]}"
    for i in 1 2 3 4; do
        sed -n '/"sum_received"/,/}/p' "$work/iperf$i" | number bits_per_second
    done | awk '{ sum += $1 } END { print sum / 8e9 }'
}

sluice_run() { # GB/s
    local server
    ip netns exec "$a" ./sluice server --gpus "$gpus" >/dev/null 2>"$work/server" &
    server=$!
    ip netns exec "$b" ./sluice client 10.100.0.1 --gpus "$gpus" --channels "$channels" --size "$size" \
        --duration "${each}s" --no-verify --json >"$work/result" 2>"$work/client" || { cat "$work/client" >&2; return 1; }
    wait "$server" || { cat "$work/server" >&2; return 1; }
    number gbPerSecond <"$work/result"
}

echo "$(machine); one NIC of 4gbit facing four of 1gbit; $gpus GPU, $channels channels, $size transfers, $rounds rounds of $each s in turn"
echo
echo "| round | iperf3, four at once, GB/s | Sluice, GB/s | ratio |"
echo "|---|---|---|---|"
ratios=()
for ((r = 1; r <= rounds; r++)); do
    iperf=$(iperf_run)
    sluice=$(sluice_run)
    ratios+=("$(calc "$sluice / $iperf")")
    echo "| $r | $(calc "$iperf") | $(calc "$sluice") | ${ratios[-1]} |"
done
echo
echo "Sluice: $(median "${ratios[@]}") of iperf3's sum (median)"
