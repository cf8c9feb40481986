#!/usr/bin/env bash
# What instrumentation costs: pairs of runs over loopback, with it on and off in turn (and the order changed every pair),
# the ratio of each pair, and the median of the ratios. An odd number of pairs, one more before them to warm up.
#   bench/see/instrument.sh [PAIRS] [sluice loopback options]      e.g. bench/see/instrument.sh 9 --gpus 2 --duration 4s
set -euo pipefail
cd "$(dirname "$0")/../.."
sluice=${SLUICE:-./sluice}
pairs=${1:-9}
[ $# -eq 0 ] || shift
options=("$@")
[ ${#options[@]} -gt 0 ] || options=(--gpus 2 --channels 4 --size 64MiB --duration 4s)

rate() { "$sluice" loopback --backend host --no-verify --no-progress --json --instrument "$1" "${options[@]}" 2>/dev/null |
  sed -n 's/^  "gbPerSecond": \([0-9.Ee-]*\),*$/\1/p'; }

rate on > /dev/null
for ((i = 1; i <= pairs; i++)); do
  if ((i % 2)); then on=$(rate on); off=$(rate off); else off=$(rate off); on=$(rate on); fi
  echo "$on $off"
done | awk '{ r[NR] = $1 / $2; on[NR] = $1; off[NR] = $2; printf "on %.3f GB/s  off %.3f GB/s  ratio %.4f\n", $1, $2, r[NR] }
  function median(a, n,   i, j, t) { for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
  END { printf "medians: on %.3f GB/s, off %.3f GB/s, ratio of a pair %.4f\n", median(on, NR), median(off, NR), median(r, NR) }'
