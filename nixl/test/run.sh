#!/usr/bin/env bash
# run.sh FOLDER [DRAM|VRAM]: two daemons on this machine, and a program that is two agents of a real NIXL over libplugin_SLUICE.so; then
# both agents at one daemon. VRAM needs a CUDA driver: SLUICE_CUDA_LIBRARY may name another than libcuda.so.1, TRANSPORT=ipc shared memory
# between the daemons.
set -euo pipefail
out=$(readlink -f "$1")
kind=${2:-DRAM}
backend=host
[ "$kind" = DRAM ] || backend=cuda
here=$(dirname "$(readlink -f "$0")")
place=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; wait; rm -rf "$place"' EXIT
mkdir "$place/plugins"
cp "$out/libplugin_SLUICE.so" "$place/plugins/"
for d in a b; do
  port=$((21100 + $(printf '%d' "'$d") - 97))
  ${SLUICE:-"$here/../../sluice"} daemon --socket "$place/$d" --listen "127.0.0.1:$port" --backend $backend --gpus 1 --transport "${TRANSPORT:-tcp}" \
    --nics lo1,lo2 --port $((port + 100)) 2>"$place/$d.log" &
  pids+=($!)
done
for d in a b; do
  for _ in $(seq 300); do [ ! -S "$place/$d" ] || break; sleep 0.1; done
  [ -S "$place/$d" ] || { cat "$place/$d.log" >&2; exit 1; }
done
export NIXL_PLUGIN_DIR=$place/plugins
"$out/consistency" "$place/a" 127.0.0.1:21100 "$place/b" 127.0.0.1:21101 "$kind"
echo "both at one daemon:"
"$out/consistency" "$place/a" 127.0.0.1:21100 "$place/a" 127.0.0.1:21100 "$kind"
