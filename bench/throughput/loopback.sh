#!/usr/bin/env bash
# Sluice against plain C over unshaped loopback: two processes each, the same sockets, chunks, memory and transfers, in turn.
# Second by second (common.sh), by the kernel's byte counter of the loopback device, WARM seconds after the start, when the JVM has
# compiled. Prints medians, the ratio of each size and number of channels, and that of the CPU seconds that both sides take for a GB.
#   bench/throughput/loopback.sh
# Environment: ROUNDS starts of both (1), PAIRS of each (45), WARM (10), SIZES (67108864 1073741824), CHANNELS (1 2 4 8),
# SLUICE_OPTIONS (none), SLUICE (./sluice): the launcher, on a host without Java that of a bundle (mvn -Pdist verify).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
rounds=${ROUNDS:-1} pairs=${PAIRS:-45}
bench/c/build.sh
sluice=${SLUICE:-./sluice}
"$sluice" --version >/dev/null

trap end_groups EXIT

echo "$(machine); $rounds x $pairs pairs of a second in turn, medians, GB/s"
echo
echo "| transfer | channels | sluice | C | median of ratios | its 95 % interval | CPU a GB, median of ratios |"
echo "|---|---|---|---|---|---|---|"
for size in ${SIZES:-67108864 1073741824}; do
    for channels in ${CHANNELS:-1 2 4 8}; do
        ours=() theirs=() ratios=() cpus=()
        for ((i = 0; i < rounds; i++)); do
            begin_stopped 2 bench/target/stripe "$channels" "$size" 3600
            begin_stopped "${WARM:-10}" "$sluice" loopback --gpus 1 --channels "$channels" --size "$size" --no-verify --duration 1h \
                ${SLUICE_OPTIONS:-}
            turns "$pairs"
            end_groups
        done
        echo "| $((size >> 20)) MiB | $channels | $(calc "$(median "${ours[@]}")" 2) | $(calc "$(median "${theirs[@]}")" 2) |" \
            "$(median "${ratios[@]}") | $(interval "${ratios[@]}") | $(median "${cpus[@]}") |"
    done
done
