#!/usr/bin/env bash
# Sluice and plain C over the same NCCL net plugin, in turn: medians and their ratio.
#   bench/ncclnet/pair.sh [PLUGIN] [ROUNDS] [CHANNELS] [BYTES]      without a plugin: the testkit's, in TCPX mode
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$root/bench/target/ncclnet
mkdir -p "$out"
plugin=${1:-$out/libnccl-net-fake.so}
rounds=${2:-5} channels=${3:-8} bytes=${4:-67108864} chunk=${CHUNK:-524288} iterations=${ITERATIONS:-30}
gcc -O2 -Wall -Wextra -o "$out/plugin_pair" "$root/bench/ncclnet/plugin_pair.c" -ldl
if [ $# -lt 1 ] || [ "$plugin" = - ]; then
  plugin=$out/libnccl-net-fake.so
  gcc -O2 -fPIC -shared -DMIN_API=7 -DMAX_API=7 -o "$plugin" \
    "$root/testkit/src/main/resources/org/sluice/testkit/c/fake_nccl_net.c" -lpthread -ldl
  export FAKE_NET_MODE=${FAKE_NET_MODE:-tcpx} FAKE_NET_POISON=0
fi
export NCCL_DYNAMIC_CHUNK_SIZE=$chunk
c=() sluice=()
for ((i = 0; i < rounds; i++)); do
  c+=("$("$out/plugin_pair" "$plugin" "$channels" "$bytes" "$iterations" "$chunk" | python3 -c 'import json,sys; print(json.load(sys.stdin)["gbPerSecond"])')")
  sluice+=("$("$root/sluice" loopback --transport nccl-net --plugin "$plugin" --backend host --gpus 1 --channels "$channels" \
    --chunk "$chunk" --size "$bytes" --iters "$iterations" --striping "${STRIPING:-round-robin}" --no-verify --json |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["gbPerSecond"])')")
  echo "round $i: C ${c[-1]} GB/s, Sluice ${sluice[-1]} GB/s" >&2
done
python3 - "$chunk" "${c[*]}" "${sluice[*]}" <<'PY'
import statistics, sys
chunk, c, s = int(sys.argv[1]), *[[float(x) for x in a.split()] for a in sys.argv[2:]]
ratio = statistics.median(b / a for a, b in zip(c, s))
mc, ms = statistics.median(c), statistics.median(s)
print(f"C {mc:.2f} GB/s, Sluice {ms:.2f} GB/s (medians of {len(c)}), paired ratio {ratio:.3f}, "
      f"per chunk of {chunk}: {chunk / ms - chunk / mc:+.0f} ns")
PY
