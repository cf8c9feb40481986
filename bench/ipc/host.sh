#!/usr/bin/env bash
# Host memory to host memory of two processes: by ipc, by loopback sockets on the same cores, and by a plain memcpy of as many threads, in
# turn; medians and ratios. host.sh [rounds=5] [MiB=64] [threads=1] [cores=0,1]. CLASSPATH set: nothing is built, its classes are run.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} mib=${2:-64} threads=${3:-1} cores=${4:-0,1}
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -x "$jdk/bin/java" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
mkdir -p bench/ipc/target
gcc -O2 bench/ipc/memcpy.c -o bench/ipc/target/memcpy -lpthread
if [ -z "${CLASSPATH:-}" ]; then
    mvn -q -B ${MVN_FLAGS:-} -pl bench -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath -DincludeScope=runtime
    CLASSPATH="bench/target/classes:$(cat bench/target/classpath)"
fi
java=(taskset -c "$cores" "$jdk/bin/java" -Xmx512m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$CLASSPATH" org.sluice.bench.gpu.GpuPair)
port=24000
# One transfer at a time by ipc: those under way take turns, so that several of one region would copy what is in the cache. Sockets get
# the depth that suits them.
one() { # transport, transfers under way: GB/s of the median round, every round compared
    local common=(mode=throughput backend=host transport="$1" depth="$2" nics=lo1,lo2,lo3,lo4 sizes=${mib}M total=4G rounds=3 warmup=2 port=$((port += 40)))
    "${java[@]}" server "${common[@]}" >bench/ipc/target/server 2>bench/ipc/target/server.log &
    local server=$!
    for _ in $(seq 100); do grep -q listening bench/ipc/target/server && break; sleep 0.1; done
    "${java[@]}" client "${common[@]}" >bench/ipc/target/client 2>bench/ipc/target/client.log || { cat bench/ipc/target/client.log >&2; kill $server; exit 1; }
    wait $server
    grep -q "\"path\":\"$1\"" bench/ipc/target/server || { echo "not by $1" >&2; exit 1; }
    sed -n 's/.*"gb_per_s":\([0-9.]*\).*/\1/p' bench/ipc/target/server | sort -n | sed -n 2p
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
ipc=() tcp=() plain=()
for ((r = 0; r < rounds; r++)); do
    plain+=("$(taskset -c "$cores" bench/ipc/target/memcpy $((mib << 20)) "$threads" 2)")
    ipc+=("$(one ipc 1)")
    port=$((port + 80)) tcp+=("$(one tcp 8)")
    port=$((port + 80))
    echo "round $r: memcpy ${plain[-1]}, ipc ${ipc[-1]}, tcp ${tcp[-1]} GB/s"
done
p=$(printf '%s\n' "${plain[@]}" | median) i=$(printf '%s\n' "${ipc[@]}" | median) t=$(printf '%s\n' "${tcp[@]}" | median)
awk -v p="$p" -v i="$i" -v t="$t" 'BEGIN {printf "medians: memcpy %.2f, ipc %.2f, tcp %.2f GB/s; ipc is %.2f of memcpy, %.2f of tcp\n", p, i, t, i / p, i / t}'
