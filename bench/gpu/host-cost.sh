#!/usr/bin/env bash
# What launches cost the host beside the driver's calls, with a driver that does nothing (null_cuda.c): ns of an unpack for checking
# the lists and for the launch, and of a move of lists to lists, for each of their pieces. Needs gcc, no GPU.
set -euo pipefail
cd "$(dirname "$0")/../.."
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -x "$jdk/bin/java" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
mvn -q -B ${MVN_FLAGS:-} -pl bench -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath -DincludeScope=runtime
mkdir -p bench/gpu/target
gcc -O2 -Wall -Wextra -Werror -fPIC -shared bench/gpu/null_cuda.c -o bench/gpu/target/libnull_cuda.so
export SLUICE_CUDA_LIBRARY=$PWD/bench/gpu/target/libnull_cuda.so
java=("$jdk/bin/java" --enable-native-access=ALL-UNNAMED -cp "bench/target/classes:$(cat bench/target/classpath)")
"${java[@]}" org.sluice.bench.gpu.UnpackBench table=host
"${java[@]}" org.sluice.bench.gpu.ListBench
