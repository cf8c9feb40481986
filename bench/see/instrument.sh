#!/usr/bin/env bash
# What instrumentation costs: two loopback runs, with it on and off, in turn second by second (common.sh in bench/throughput), by the
# kernel's byte counter of the loopback device; medians, and the median of the pairs' ratios.
#   bench/see/instrument.sh [PAIRS=30] [sluice loopback options]      e.g. bench/see/instrument.sh 30 --gpus 2
# Environment: WARM seconds of each JVM (10), SLUICE (./sluice): the launcher.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
sluice=${SLUICE:-./sluice} pairs=${1:-30}
[ $# -eq 0 ] || shift
options=("$@")
[ ${#options[@]} -gt 0 ] || options=(--gpus 1 --channels 4 --size 64MiB)
"$sluice" --version >/dev/null
trap end_groups EXIT

theirs=() ours=() ratios=()
for instrument in off on; do
  begin_stopped "${WARM:-10}" "$sluice" loopback --backend host --no-verify --no-progress --instrument "$instrument" "${options[@]}" --duration 1h
done
turns "$pairs"
echo "$(machine): on $(median "${ours[@]}") GB/s, off $(median "${theirs[@]}") GB/s, ratio $(median "${ratios[@]}")" \
  "(medians of $pairs pairs; half of the ratios lie in $(middle_half "${ratios[@]}"))"
