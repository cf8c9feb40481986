#!/usr/bin/env bash
# The first three seconds of a run beside its steady state, which begins ten seconds after the first byte: ./sluice loopback over unshaped
# loopback, by the kernel's byte counter of the loopback device. The JVM's start is not counted: time begins with the first bytes.
#   bench/throughput/first.sh
# Environment: ROUNDS (7), SIZE (64MiB), CHANNELS (1 4 8), SLUICE_OPTIONS (none), SLUICE (./sluice).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
rounds=${ROUNDS:-7} sluice=${SLUICE:-./sluice}
"$sluice" --version >/dev/null

trap end_groups EXIT

# GB/s in each of the first 14 seconds, from the first megabyte on
by_second() {
    local before after from to i
    before=$(received)
    until [ $(($(received) - before)) -gt 1000000 ]; do sleep 0.01; done
    before=$(received) from=$(date +%s%N)
    for ((i = 1; i <= 14; i++)); do
        sleep "$(calc "($from + $i * 1000000000 - $(date +%s%N)) / 1e9")"
        after=$(received) to=$(date +%s%N)
        calc "($after - $before) / ($to - $from - ($i - 1) * 1000000000)"
        echo
        before=$after
    done
}

echo "$(machine); ${SIZE:-64MiB} transfers, $rounds starts, GB/s, medians"
echo
echo "| channels | 1st, 2nd, 3rd second | seconds 11 to 14 | ratio of the first three | its range |"
echo "|---|---|---|---|---|"
for channels in ${CHANNELS:-1 4 8}; do
    first=() second=() third=() steady=() ratios=()
    for ((r = 0; r < rounds; r++)); do
        setsid "$sluice" loopback --gpus 1 --channels "$channels" --size "${SIZE:-64MiB}" --no-verify --duration 1h \
            ${SLUICE_OPTIONS:-} >/dev/null 2>&1 &
        groups+=($!)
        disown
        mapfile -t gbps < <(by_second)
        end_groups
        first+=("${gbps[0]}") second+=("${gbps[1]}") third+=("${gbps[2]}")
        steady+=("$(calc "(${gbps[10]} + ${gbps[11]} + ${gbps[12]} + ${gbps[13]}) / 4")")
        ratios+=("$(calc "(${gbps[0]} + ${gbps[1]} + ${gbps[2]}) / 3 / ${steady[-1]}")")
    done
    echo "| $channels | $(median "${first[@]}"), $(median "${second[@]}"), $(median "${third[@]}") | $(median "${steady[@]}") |" \
        "$(median "${ratios[@]}") | $(printf '%s\n' "${ratios[@]}" | sort -g | sed -n '1p;$p' | paste -sd' ' | sed 's/ / to /') |"
done
