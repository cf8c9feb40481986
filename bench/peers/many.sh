#!/usr/bin/env bash
# One node and many peers on this machine, over four loopback rails of kernel TCP: time to link, what an idle link costs, and what
# all links carry together beside those of one peer. Every byte is compared.
#   bench/peers/many.sh [gpus=8] [peers=64] [processes=8] [channels=4]
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
mvn -q -B -pl bench -am -DskipTests package dependency:build-classpath -Dmdep.outputFile=target/classpath
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -x "$jdk/bin/java" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
ulimit -n "$(ulimit -Hn)"
exec "$jdk/bin/java" -Xmx2g -XX:+UseSerialGC -Xms32m --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    -cp "bench/target/classes:$(cat bench/target/classpath)" org.sluice.bench.peers.ManyPeers "$@"
