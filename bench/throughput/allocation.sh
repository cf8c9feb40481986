#!/usr/bin/env bash
# What the agent and the I/O threads of a real run allocate once it is warm: the JVM's own count per thread, twice, in both
# processes of ./sluice loopback, over the chunks that were moved between.
#   bench/throughput/allocation.sh [CHANNELS=4] [WARM_SECONDS=20] [SECONDS=15]
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
channels=${1:-4} warm=${2:-20} seconds=${3:-15}
result=$(mktemp)
trap 'rm -f "$result"' EXIT
./sluice --version >/dev/null
./sluice loopback --gpus 1 --channels "$channels" --size 1GiB --no-verify --duration $((warm + seconds + 5))s --json >"$result" &
client=$!

allocated() { # pid: bytes that the data path's threads have allocated so far
    "$(dirname "$(readlink "/proc/$1/exe")")/jcmd" "$1" Thread.print |
        sed -n 's/^"\(gpu0-agent\|lo[0-9]-[rt]x-[0-9.]*\)".* allocated=\([0-9]*\)\([BKM]\).*/\2 \3/p' |
        awk '{ sum += $1 * ($2 == "K" ? 1024 : $2 == "M" ? 1048576 : 1); n++ } END { if (!n) exit 1; printf "%d", sum }'
}

sleep "$warm"
server=$(pgrep -P "$client" java)
begin=$(date +%s.%N)
client_before=$(allocated "$client") server_before=$(allocated "$server")
sleep "$seconds"
client_after=$(allocated "$client") server_after=$(allocated "$server")
end=$(date +%s.%N)
wait "$client"
chunks=$(calc "$(number gbPerSecond <"$result") * 1e9 * ($end - $begin) / 524288" 0)
echo "$(machine); $channels channels, about $chunks chunks of 512 KiB after $warm s"
echo "sender:   $((client_after - client_before)) bytes, $(calc "($client_after - $client_before) / $chunks") per chunk"
echo "receiver: $((server_after - server_before)) bytes, $(calc "($server_after - $server_before) / $chunks") per chunk"
