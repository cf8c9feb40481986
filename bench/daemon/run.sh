#!/usr/bin/env bash
# Two hosts (network namespaces) with four NICs each, a daemon on each, clients beside them; the library in the same places, in turn.
#   sudo bench/daemon/run.sh [idle] [rate] [latency] [small] [fair] [languages]          default: all of them
# Environment: ROUNDS (3), SECONDS_EACH (5). Long runs of the tests:
#   mvn -pl daemon -am test -Dtest=ClientDeathTest,DaemonDeathTest,MaliciousClientTest -Dsurefire.failIfNoSpecifiedTests=false \
#     -DargLine="-Xmx1g --enable-native-access=ALL-UNNAMED -Dsluice.rounds=200 -Dsluice.daemonRounds=50 -Dsluice.entries=10000000"
set -euo pipefail
cd "$(dirname "$0")/../.."
source bench/throughput/common.sh
what=${*:-idle rate latency small fair languages} rounds=${ROUNDS:-3} each=${SECONDS_EACH:-5}
nics=4 a=bd$$a b=bd$$b
work=$(mktemp -d)
pids=()

clean() {
    for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
    end_hosts $a $b
    rm -rf "$work"
}
trap clean EXIT

join_hosts $a $b 0 $nics
names=$(seq -s, -f eth%.0f 1 $nics)
: "${SLUICE:=./sluice}"
"$SLUICE" --version >/dev/null
for program in bench; do
    gcc -std=c11 -O2 -Wall -Wextra -Werror -pthread -Iclient-c/include -o "$work/$program" "client-c/test/$program.c" client-c/src/*.c
done
bench/c/build.sh
gcc -std=c11 -O2 -fPIC -shared -fvisibility=hidden -pthread -Iclient-c/include -o "$work/libsluice.so" client-c/src/*.c

ip netns exec "$a" "$SLUICE" daemon --socket "$work/a" --listen none --backend host --gpus 1 --nics "$names" &
pids+=($!)
ip netns exec "$b" "$SLUICE" daemon --socket "$work/b" --listen 10.100.0.2:20100 --unprotected --backend host --gpus 1 --nics "$names" &
pids+=($!)
for _ in $(seq 300); do [ ! -S "$work/a" ] || [ ! -S "$work/b" ] || break; sleep 0.1; done

client() { "$work/bench" "$work/a" "$work/b" 10.100.0.2:20100 "$@"; }
carried() { # bytes that b's NICs took, by the kernel's count
    ip netns exec "$b" awk '$1 ~ /^eth[1-9]:/ { s += $2 } END { printf "%.0f\n", s }' /proc/net/dev
}
library() { # sizes under-way -> the JSON of 'sluice bench'
    ip netns exec "$a" "$SLUICE" bench 10.100.0.2 --sizes "$1" --under-way "$2" --time "${each}s" --backend host --nics "$names" --json
}
serve_library() {
    ip netns exec "$b" "$SLUICE" bench --serve --backend host --nics "$names" >/dev/null 2>&1 &
    served=$!
    pids+=("$served")
    sleep 3
}

echo "$(machine); load $(cut -d' ' -f1 /proc/loadavg)"
for row in $what; do
    case $row in
    rate)
        [ -n "${served:-}" ] || serve_library
        for ((r = 0; r < rounds; r++)); do
            echo "library 64 MiB: $(library 64MiB 4 | number algbw) GB/s"
            before=$(carried)
            line=$(client 67108864 4 "$each")
            echo "daemon 64 MiB: $line; NICs of b took $(($(carried) - before)) bytes"
        done
        ;;
    latency)
        [ -n "${served:-}" ] || serve_library
        for ((r = 0; r < rounds; r++)); do
            echo "library 8 B: $(library 8 1 | number p50) us p50"
            echo "eventfd, one wake-up: $(bench/target/pingpong eventfd 20000)"
            echo "daemon 8 B, waiting: $(client 8 1 "$each")"
            echo "daemon 8 B, polling: $(client 8 1 "$each" poll)"
        done
        ;;
    small)
        line=$(strace -f -c -o "$work/calls" "$work/bench" "$work/a" "$work/b" 10.100.0.2:20100 8 64 "$each" poll)
        transfers=$(echo "$line" | number transfers)
        calls=$(awk '/^100.00/ { print $4 }' "$work/calls")
        echo "small: $line; $calls system calls, $(calc "$calls / $transfers" 4) each"
        ;;
    fair)
        out=()
        client 1073741824 16 $((each * 2)) >"$work/fair.0" &
        out+=($!)
        for ((i = 1; i < 8; i++)); do client 65536 16 $((each * 2)) >"$work/fair.$i" & out+=($!); done
        wait "${out[@]}"
        for ((i = 0; i < 8; i++)); do echo "fair $i: $(cat "$work/fair.$i")"; done
        echo "64 KiB alone: $(client 65536 1 "$each")"
        # the seven with one at a time, beside the same stream
        out=()
        client 1073741824 16 $((each * 2)) >"$work/fair.0" &
        out+=($!)
        for ((i = 1; i < 8; i++)); do client 65536 1 $((each * 2)) >"$work/fair.$i" & out+=($!); done
        wait "${out[@]}"
        for ((i = 0; i < 8; i++)); do echo "one at a time, $i: $(cat "$work/fair.$i")"; done
        ;;
    idle)
        sleep 2
        before=$(used "${pids[@]:0:2}")
        sleep 10
        echo "idle: $(calc "($(used "${pids[@]:0:2}") - $before) / 10 / 2") % of a core for each daemon"
        ;;
    languages)
        classes=$(ls client-java/target/classes -d 2>/dev/null || true)
        echo "Python 64 MiB: $(SLUICE_LIBRARY=$work/libsluice.so PYTHONPATH=client-python python3 client-python/tests/bench.py "$work/a" "$work/b" 10.100.0.2:20100 67108864 4 "$each")"
        echo "Python 8 B: $(SLUICE_LIBRARY=$work/libsluice.so PYTHONPATH=client-python python3 client-python/tests/bench.py "$work/a" "$work/b" 10.100.0.2:20100 8 1 "$each")"
        java=$(ls -d /usr/lib/jvm/*17*/bin/java 2>/dev/null | head -1)
        for size in 67108864:4 8:1; do
            echo "Java ${size%:*} B: $("${java:-java}" -cp "${CLIENT_JAVA:-$classes}" client-java/src/test/programs/Bench.java "$work/a" "$work/b" 10.100.0.2:20100 "${size%:*}" "${size#*:}" "$each")"
        done
        ;;
    *)
        echo "run.sh: there is no row $row" >&2
        exit 2
        ;;
    esac
done
