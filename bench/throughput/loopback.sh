#!/usr/bin/env bash
# Sluice against plain C over unshaped loopback: two processes each, the same sockets, chunks, memory and transfers, in turn.
# The kernel's byte counter of the loopback device is read for both at the same moments of a run, WARM seconds after its start
# and SECONDS_EACH later, so that neither the JVM's first seconds nor anybody's own clock is in it (2 s after its start for the C program).
# Prints medians and the ratio of each size and number of channels.
#   bench/throughput/loopback.sh
# Environment: ROUNDS (5), WARM (10), SECONDS_EACH (5), SIZES (67108864 1073741824), CHANNELS (1 2 4 8), SLUICE_OPTIONS (none),
# SLUICE (./sluice): the launcher, on a host without Java that of a bundle (mvn -Pdist verify).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
rounds=${ROUNDS:-5} warm=${WARM:-10} each=${SECONDS_EACH:-5}
bench/c/build.sh
sluice=${SLUICE:-./sluice}
"$sluice" --version >/dev/null

sluice_run() { # size channels
    steady "$warm" "$each" "$sluice" loopback --gpus 1 --channels "$2" --size "$1" --no-verify --duration 60s ${SLUICE_OPTIONS:-}
}

c_run() { # it has nothing to compile
    steady 2 "$each" bench/target/stripe "$2" "$1" 60
}

echo "$(machine); $rounds rounds of ${each} s after ${warm} s in turn, medians, GB/s"
echo
echo "| transfer | channels | sluice | C | ratio of medians | median of ratios |"
echo "|---|---|---|---|---|---|"
for size in ${SIZES:-67108864 1073741824}; do
    for channels in ${CHANNELS:-1 2 4 8}; do
        ours=() theirs=() ratios=()
        for ((i = 0; i < rounds; i++)); do
            if ((i % 2)); then
                c=$(c_run "$size" "$channels") s=$(sluice_run "$size" "$channels")
            else
                s=$(sluice_run "$size" "$channels") c=$(c_run "$size" "$channels")
            fi
            ours+=("$s") theirs+=("$c") ratios+=("$(calc "$s / $c")")
        done
        s=$(median "${ours[@]}") c=$(median "${theirs[@]}")
        echo "| $((size >> 20)) MiB | $channels | $(calc "$s" 2) | $(calc "$c" 2) | $(calc "$s / $c") | $(median "${ratios[@]}") |"
    done
done
