#!/usr/bin/env bash
# Sluice and plain C over the same NCCL net plugin, in turn second by second (common.sh): medians, the median of the pairs' ratios and the
# difference per chunk. Both are read by the kernel's byte counter of the loopback device: for plugins that move their bytes over
# loopback sockets, as the testkit's does.
#   bench/ncclnet/pair.sh [PLUGIN] [ROUNDS] [CHANNELS] [BYTES]      without a plugin, or with -: the testkit's, in TCPX mode
# Environment: PAIRS of a round (15), WARM seconds of the JVM (10), CHUNK (524288), STRIPING (round-robin), UNDER_WAY (3): the
# transfers that C has begun and not finished, as many as `sluice loopback` has.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/bench/throughput/common.sh"
out=$root/bench/target/ncclnet
mkdir -p "$out"
plugin=${1:--}
rounds=${2:-3} channels=${3:-8} bytes=${4:-67108864} chunk=${CHUNK:-524288} pairs=${PAIRS:-15}
gcc -O2 -Wall -Wextra -o "$out/plugin_pair" "$root/bench/ncclnet/plugin_pair.c" -ldl
if [ "$plugin" = - ]; then
  plugin=$out/libnccl-net-fake.so
  gcc -O2 -fPIC -shared -DMIN_API=7 -DMAX_API=7 -o "$plugin" \
    "$root/testkit/src/main/resources/org/sluice/testkit/c/fake_nccl_net.c" -lpthread -ldl
  export FAKE_NET_MODE=${FAKE_NET_MODE:-tcpx} FAKE_NET_POISON=0
fi
export NCCL_DYNAMIC_CHUNK_SIZE=$chunk
sluice=${SLUICE:-$root/sluice}
"$sluice" --version >/dev/null

trap end_groups EXIT
theirs=() ours=() ratios=()
for ((round = 0; round < rounds; round++)); do
  begin_stopped 2 "$out/plugin_pair" "$plugin" "$channels" "$bytes" 1000000 "$chunk" "${UNDER_WAY:-3}"
  begin_stopped "${WARM:-10}" "$sluice" loopback --transport nccl-net --plugin "$plugin" --backend host --gpus 1 \
    --channels "$channels" --chunk "$chunk" --size "$bytes" --duration 1h --striping "${STRIPING:-round-robin}" --no-verify
  turns "$pairs"
  end_groups
  echo "round $round: paired ratio $(median "${ratios[@]: -pairs}")" >&2
done
c=$(median "${theirs[@]}") s=$(median "${ours[@]}") ratio=$(median "${ratios[@]}")
spread=$(middle_half "${ratios[@]}")
echo "C $c GB/s, Sluice $s GB/s, paired ratio $ratio (medians of ${#ratios[@]} pairs; half of the ratios lie in $spread)," \
  "per chunk of $chunk: $(calc "$chunk / $c / $ratio - $chunk / $c" 0) ns"
