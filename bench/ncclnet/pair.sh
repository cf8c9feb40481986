#!/usr/bin/env bash
# Sluice and plain C over the same NCCL net plugin, in turn: medians, their ratio and the difference per chunk.
# Both are read by the kernel's byte counter of the loopback device, WARM seconds after their start (2 for the C program, which has
# nothing to compile) and SECONDS_EACH later: for plugins that move their bytes over loopback sockets, as the testkit's does.
#   bench/ncclnet/pair.sh [PLUGIN] [ROUNDS] [CHANNELS] [BYTES]      without a plugin, or with -: the testkit's, in TCPX mode
# Environment: WARM (10), SECONDS_EACH (4), CHUNK (524288), STRIPING (round-robin), SLUICE (./sluice): the launcher,
# on a host without Java that of a bundle (mvn -Pdist verify).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/bench/throughput/common.sh"
out=$root/bench/target/ncclnet
mkdir -p "$out"
plugin=${1:--}
rounds=${2:-5} channels=${3:-8} bytes=${4:-67108864} chunk=${CHUNK:-524288} warm=${WARM:-10} each=${SECONDS_EACH:-4}
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

c_run() { # more iterations than fit, and an end by force
  steady 2 "$each" "$out/plugin_pair" "$plugin" "$channels" "$bytes" 1000000 "$chunk"
}
sluice_run() {
  steady "$warm" "$each" "$sluice" loopback --transport nccl-net --plugin "$plugin" --backend host --gpus 1 --channels "$channels" \
    --chunk "$chunk" --size "$bytes" --duration 60s --striping "${STRIPING:-round-robin}" --no-verify
}

theirs=() ours=() ratios=()
for ((i = 0; i < rounds; i++)); do
  if ((i % 2)); then s=$(sluice_run) c=$(c_run); else c=$(c_run) s=$(sluice_run); fi
  theirs+=("$c") ours+=("$s") ratios+=("$(calc "$s / $c")")
  echo "round $i: C $c GB/s, Sluice $s GB/s" >&2
done
c=$(median "${theirs[@]}") s=$(median "${ours[@]}")
echo "C $c GB/s, Sluice $s GB/s (medians of $rounds), paired ratio $(median "${ratios[@]}"), per chunk of $chunk: $(calc "$chunk / $s - $chunk / $c" 0) ns"
