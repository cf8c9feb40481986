#!/usr/bin/env bash
# NIXL's backend SLUICE beside its own UCX, in one run: two hosts (network namespaces) with four NICs each, a daemon on each, both over
# sockets; the two agents are the same program, told another backend.
#   sudo nixl/test/compare.sh NIXL NIXL_INSTALLED [BACKEND...]      NIXL: its unpacked source or what is installed; default: SLUICE UCX
# Environment: ROUNDS (3), SECONDS_EACH (3), UNDER_WAY (1), NICS (4), CORES (of each host's daemon and agent: a taskset list; default all).
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
nixl=$1 installed=$2
shift 2
backends=("$@")
[ $# -gt 0 ] || backends=(SLUICE UCX)
rounds=${ROUNDS:-3} each=${SECONDS_EACH:-3} under_way=${UNDER_WAY:-1} nics=${NICS:-4} a=nx$$a b=nx$$b
work=$(mktemp -d)
pids=()

clean() {
    for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
    end_hosts $a $b
    rm -rf "$work"
}
trap clean EXIT

lib=$(dirname "$(find "$installed" -name libnixl.so | head -1)")
make -s -C nixl NIXL="$nixl" NIXL_LIB="$lib" OUT="$work/build" "$work/build/libplugin_SLUICE.so" "$work/build/bench"
mkdir "$work/plugins"
cp "$work/build/libplugin_SLUICE.so" "$lib"/plugins/*.so "$work/plugins/"
join_hosts $a $b 1 $nics
names=$(seq -s, -f eth%.0f 1 $nics)
: "${SLUICE:=./sluice}"
"$SLUICE" --version >/dev/null
echo "$(machine); load $(cut -d' ' -f1 /proc/loadavg); $nics NICs"

carried() { # bytes that b's NICs took, by the kernel's count
    ip netns exec "$b" awk '$1 ~ /^eth[1-9]:/ { s += $2 } END { printf "%.0f\n", s }' /proc/net/dev
}

one() { # backend
    local folder=$work/$1 before line failed=0
    rm -rf "$folder"
    mkdir "$folder"
    local daemons=()
    if [ "$1" = SLUICE ]; then
        for host in a b; do
            local name=$a at=10.101.0.1
            [ $host = a ] || name=$b at=10.101.0.2
            ip netns exec "$name" "$SLUICE" daemon --socket "$folder/$host.socket" --listen $at:20100 --unprotected --backend host --gpus 1 \
                --transport tcp --nics "$names" 2>"$folder/$host.log" &
            daemons+=($!)
        done
        for _ in $(seq 300); do [ ! -S "$folder/a.socket" ] || [ ! -S "$folder/b.socket" ] || break; sleep 0.1; done
        [ -S "$folder/a.socket" ] && [ -S "$folder/b.socket" ] || { cat "$folder"/*.log >&2; exit 1; }
    fi
    pids+=("${daemons[@]}")
    agent() { # role host address
        # UCX: sockets alone, as the list that its plugin would make by itself on a host without other fabrics
        ip netns exec "$2" env NIXL_PLUGIN_DIR="$work/plugins" LD_LIBRARY_PATH="$lib:${LD_LIBRARY_PATH:-}" UCX_TLS=tcp,self UCX_NET_DEVICES="$names" \
            SLUICE_NIXL_SOCKET="$folder/$4.socket" SLUICE_NIXL_ADDRESS="$3:20100" "$work/build/bench" "$1" "$folder" "$backend" "${@:5}"
    }
    local backend=$1
    agent target "$b" 10.101.0.2 b >"$folder/target.out" 2>"$folder/target.err" &
    local target=$!
    pids+=($target)
    before=$(carried)
    agent initiator "$a" 10.101.0.1 a "$each" "$under_way" 2>"$folder/initiator.err" || failed=1
    touch "$folder/stop"
    wait $target || failed=1
    echo "$1: $(cat "$folder/target.out"); NICs of b took $(($(carried) - before)) bytes"
    [ $failed = 0 ] || tail -n 20 "$folder"/*.err "$folder"/*.log >&2 || true
    for p in "${daemons[@]}"; do kill "$p"; wait "$p" 2>/dev/null || true; done
}

for ((r = 0; r < rounds; r++)); do
    for backend in "${backends[@]}"; do one "$backend"; done
done | tee "$work/all"
for what in "64 MiB" "4096 x 16 KiB" "8 B"; do
    for op in WRITE READ; do
        for backend in "${backends[@]}"; do
            mapfile -t rates < <(grep "\"backend\":\"$backend\",\"what\":\"$what\",\"op\":\"$op\"" "$work/all" | sed -n 's/.*"gbs":\([0-9.]*\).*/\1/p')
            mapfile -t p50 < <(grep "\"backend\":\"$backend\",\"what\":\"$what\",\"op\":\"$op\"" "$work/all" | sed -n 's/.*"p50_us":\([0-9.]*\).*/\1/p')
            [ ${#rates[@]} = 0 ] || printf '%-8s %-14s %-5s  %8s GB/s  p50 %10s us  (%d rounds)\n' "$backend" "$what" $op "$(median "${rates[@]}")" "$(median "${p50[@]}")" ${#rates[@]}
        done
    done
done
