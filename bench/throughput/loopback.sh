#!/usr/bin/env bash
# Sluice against plain C over unshaped loopback: two processes each, the same sockets, chunks, memory and transfers, in turn.
# Prints medians and the ratio of each size and number of channels.
#   bench/throughput/loopback.sh
# Environment: ROUNDS (5), SECONDS_EACH (4), SIZES (67108864 1073741824), CHANNELS (1 2 4 8), SLUICE_OPTIONS (none).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
rounds=${ROUNDS:-5} each=${SECONDS_EACH:-4}
bench/c/build.sh
./sluice --version >/dev/null

sluice_run() { # size channels
    ./sluice loopback --gpus 1 --channels "$2" --size "$1" --no-verify --duration "${each}s" --json ${SLUICE_OPTIONS:-} | number gbPerSecond
}

c_run() {
    bench/target/stripe "$2" "$1" "$each" | number gbPerSecond
}

echo "$(machine); $rounds rounds of ${each} s in turn, medians, GB/s"
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
