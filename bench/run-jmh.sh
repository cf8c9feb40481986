#!/usr/bin/env bash
# The JMH benchmarks of the per-chunk path, with bytes allocated per chunk (gc.alloc.rate.norm; 0 is wanted).
#   bench/run-jmh.sh [JMH options and names]   all benchmarks without; e.g. bench/run-jmh.sh EngineBenchmark -p channels=8
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q -B -pl bench -am process-classes dependency:build-classpath -Dmdep.outputFile=target/classpath -DincludeScope=runtime
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -x "$jdk/bin/java" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
exec "$jdk/bin/java" --enable-native-access=ALL-UNNAMED -cp "bench/target/classes:$(cat bench/target/classpath)" \
    org.openjdk.jmh.Main -prof gc "$@"
