#!/usr/bin/env bash
# Packs what bench/gpu needs on a GPU host that has no Java and no network into bench/gpu/target/kit (about 60 MB): a small Java
# runtime, Sluice, its C and Python clients, the GPU programs, the cuda module's tests and the testkit's NCCL net plugin. Then, on that host: bench/gpu/run.py --help
set -euo pipefail
cd "$(dirname "$0")/../.."
kit=bench/gpu/target/kit
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -x "$jdk/bin/jlink" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
repository=${MAVEN_REPOSITORY:-$HOME/.m2/repository}
mvn -q -B ${MVN_FLAGS:-} -pl bench,cuda,cli -am test-compile
rm -rf "$kit"
mkdir -p "$kit/lib" "$kit/test"
"$jdk/bin/jlink" --add-modules java.base,java.logging,java.management,java.xml,jdk.jfr,jdk.unsupported,jdk.management,jdk.httpserver,jdk.net \
    --strip-debug --no-header-files --no-man-pages --compress zip-6 --output "$kit/jre"
# what starts the JVM faster with settings that nobody uses here
rm -rf "$kit"/jre/legal "$kit"/jre/lib/server/classes_nocoops*.jsa "$kit"/jre/lib/server/classes*_coh.jsa
for m in core linux tcp ipc cuda ncclnet daemon testkit bench cli; do
    "$jdk/bin/jar" -c -f "$kit/lib/sluice-$m.jar" -C "$m/target/classes" .
done
"$jdk/bin/jar" -c -f "$kit/test/sluice-cuda-tests.jar" -C cuda/target/test-classes .
"$jdk/bin/jar" -c -f "$kit/test/sluice-core-contract.jar" -C core/target/test-classes org/sluice/contract
version() { sed -n "s|.*<$1.version>\(.*\)</$1.version>.*|\1|p" pom.xml; }
slf4j=$(version slf4j)
cp "$repository/org/slf4j/slf4j-api/$slf4j/slf4j-api-$slf4j.jar" "$repository/org/slf4j/slf4j-simple/$slf4j/slf4j-simple-$slf4j.jar" "$kit/lib/"
picocli=$(version picocli)
cp "$repository/info/picocli/picocli/$picocli/picocli-$picocli.jar" "$kit/lib/"
junit=$(version junit)
for a in jupiter/junit-jupiter-api jupiter/junit-jupiter-params jupiter/junit-jupiter-engine platform/junit-platform-commons \
    platform/junit-platform-engine platform/junit-platform-launcher; do
    cp "$repository/org/junit/$a/$junit/${a#*/}-$junit.jar" "$kit/test/"
done
cp "$(find "$repository/org/opentest4j" -name 'opentest4j-1*.jar' | sort | tail -1)" "$kit/test/"
cp "$(find "$repository/org/assertj/assertj-core/$(version assertj)" -name '*.jar')" "$kit/test/"
cp "$(find "$repository/net/bytebuddy/byte-buddy" -name 'byte-buddy-1*.jar' | sort | tail -1)" "$kit/test/"
cp "$(find "$repository/org/jspecify/jspecify" -name '*.jar' | sort | tail -1)" "$kit/lib/"
gcc -std=c11 -O2 -fPIC -shared -fvisibility=hidden -pthread -Iclient-c/include client-c/src/*.c -o "$kit/libsluice.so" -ldl
mkdir -p "$kit/python"
cp -r client-python/sluice client-python/tests/gpu_memory.py "$kit/python/"
rm -rf "$kit"/python/sluice/__pycache__
gcc -O2 -fPIC -shared testkit/src/main/resources/org/sluice/testkit/c/fake_nccl_net.c -o "$kit/libnccl-net-fake.so" -lpthread -ldl
if command -v nvcc >/dev/null; then
    # for Hopper and what is newer; elsewhere the scripts build them on the spot
    for program in ceiling lists; do
        nvcc -O3 -std=c++17 -gencode arch=compute_90,code=[sm_90,compute_90] "bench/gpu/$program.cu" -o "$kit/$program"
    done
fi
"$jdk/bin/javac" -d "$kit/test/classes" -cp "$kit/test/*" bench/gpu/RunTests.java
du -sh "$kit" | cut -f1
