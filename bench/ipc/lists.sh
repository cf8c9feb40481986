#!/usr/bin/env bash
# What a list's transfer costs the CPUs of both sides: two processes over the testkit's CUDA driver, whose list kernel moves nothing here, so
# that only the host's part takes time. Prints the rate that it would allow, and the agents' time for each piece. No byte can be
# right. lists.sh [block=4KiB] [op=write] [seconds=12] [more for sluice bench]. CLASSPATH set: nothing is built, its classes are run.
set -euo pipefail
cd "$(dirname "$0")/../.."
block=${1:-4KiB} op=${2:-write} seconds=${3:-12}
shift $(($# < 3 ? $# : 3))
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -x "$jdk/bin/java" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
out=bench/ipc/target
mkdir -p $out
gcc -O2 -fPIC -shared testkit/src/main/resources/org/sluice/testkit/c/fake_cuda.c -o $out/libfake_cuda.so -lpthread
if [ -z "${CLASSPATH:-}" ]; then
    mvn -q -B ${MVN_FLAGS:-} -pl cli -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath -DincludeScope=runtime
    CLASSPATH="cli/target/classes:$(cat cli/target/classpath)"
fi
export SLUICE_CUDA_LIBRARY=$PWD/$out/libfake_cuda.so FAKE_CUDA_IDLE_LISTS=1
java=("$jdk/bin/java" -Xmx512m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$CLASSPATH" org.sluice.cli.Main bench)
common=(--backend=cuda --port=23500 --nics=lo1,lo2,lo3,lo4 --transport=ipc)
"${java[@]}" --serve "${common[@]}" >$out/server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do grep -q . $out/server.log && break; sleep 0.1; done
sleep 1
# its exit says that bytes are wrong, as they must be here
"${java[@]}" 127.0.0.1 "${common[@]}" --sizes=64MiB --under-way=8 "--time=${seconds}s" --json "--layout=blocks:$block" --shuffle "--op=$op" "$@" \
    >$out/client.log 2>$out/client.err &
client=$!
ticks() { # of the busiest thread of that name: each process has one agent for its GPU, and helpers that do little
    for t in /proc/"$1"/task/*; do
        if [ "$(cat "$t"/comm 2>/dev/null)" = gpu0-agent ]; then sed 's/.*) //' "$t"/stat | awk '{print $12 + $13}'; fi
    done | sort -n | tail -1
}
sleep $((seconds - 4))
s0=$(ticks $server) c0=$(ticks $client)
sleep 4
s1=$(ticks $server) c1=$(ticks $client)
wait $client || true
rate=$(sed -n 's/.*"algbw": *\([0-9.]*\).*/\1/p' $out/client.log | head -1)
awk -v rate="$rate" -v s=$((s1 - s0)) -v c=$((c1 - c0)) -v block="$block" -v op="$op" -v hz="$(getconf CLK_TCK)" 'BEGIN {
    bytes = block + 0; if (block ~ /K/) bytes *= 1024; if (block ~ /M/) bytes *= 1048576
    pieces = rate * 1e9 * 4 / bytes
    printf "%s of %s blocks: %.0f GB/s; the agents take %.1f (serving) and %.1f (measuring) ns a piece\n", op, block, rate, s / hz * 1e9 / pieces, c / hz * 1e9 / pieces }'
