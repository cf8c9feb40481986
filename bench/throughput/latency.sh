#!/usr/bin/env bash
# How long a short message takes in host memory: one way next to a blocking C ping-pong, in turn; and by 'sluice bench' until its sender
# is told that it is done, how many a second go with 64 under way, and a write of 64 KiB beside an endless stream of 1 GiB ones.
#   bench/throughput/latency.sh
# Environment: ROUNDS (5), KIT: the folder of jars that bench/gpu/pack.sh made (bench/gpu/target/kit/lib); SLUICE (./sluice).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
rounds=${ROUNDS:-5} kit=${KIT:-bench/gpu/target/kit/lib} sluice=${SLUICE:-./sluice}
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -e "$kit/sluice-bench.jar" ] || { echo "no $kit: bench/gpu/pack.sh makes it" >&2; exit 1; }
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
bench/c/build.sh
"$sluice" --version >/dev/null
echo "$(machine); load $(cut -d' ' -f1 /proc/loadavg); medians of $rounds rounds in turn"

pair() { # side
    "$jdk/bin/java" -XX:+UseSerialGC -Xmx512m --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$kit/*" \
        org.sluice.bench.gpu.GpuPair "$1" mode=latency backend=host sizes=8,65536 warmup=20000 times=10000 port=21700
}

for ((r = 0; r < rounds; r++)); do
    for bytes in 8 65536; do echo "c $(bench/target/pingpong $bytes 20000)"; done
    pair server >"$work/server" 2>&1 &
    until grep -qs listening "$work/server"; do sleep 0.1; done
    pair client | sed 's/^/sluice /'
    wait $! || { cat "$work/server" >&2; exit 1; }
done >"$work/all"
for bytes in 8 65536; do
    for who in c sluice; do
        mapfile -t p50 < <(sed -n "s/^$who {\"bytes\":$bytes,\"p50_us\":\([0-9.]*\).*/\1/p" "$work/all")
        echo "$bytes B one way, $who: p50 $(median "${p50[@]}") us"
    done
done

side() {
    "$jdk/bin/java" -XX:+UseSerialGC -Xmx512m --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$kit/*" \
        org.sluice.bench.gpu.SmallBesideLarge "$1" port=21750
}
side server >"$work/server" 2>&1 &
until grep -qs listening "$work/server"; do sleep 0.1; done
side client | sed 's/^/64 KiB written, alone and beside 1 GiB ones: /'

"$sluice" bench --serve --backend host --port 21800 >/dev/null 2>&1 &
sleep 4
point() { "$sluice" bench 127.0.0.1 --port 21800 --backend host --json "$@" >"$work/json" 2>/dev/null; }
told=() told64=() many=()
for ((r = 0; r < rounds; r++)); do
    point --sizes 8 --under-way 1 --time 4s; told+=("$(number p50 <"$work/json")")
    point --sizes 65536 --under-way 1 --time 4s; told64+=("$(number p99 <"$work/json")")
    point --sizes 8 --under-way 64 --time 6s; many+=("$(calc "$(number count <"$work/json") / 6" 0)")
done
echo "8 B written, told done: p50 $(median "${told[@]}") us"
echo "8 B written, 64 under way: $(median "${many[@]}") a second"
echo "64 KiB written alone: p99 $(median "${told64[@]}") us"
