#!/usr/bin/env bash
# clients.sh ROOT BUNDLE: puts what other languages need into the bundle: the C library and header, the Python package, the Java 17
# client, systemd units, files for containers and schedulers, the protocol's page.
set -euo pipefail
root=$1
client=$2/client
version=0.1.0
rm -rf "$client"
mkdir -p "$client/lib/pkgconfig" "$client/include" "$client/python" "$client/java" "$2/systemd" "$2/docs"
cp "$root/client-c/include/sluice.h" "$client/include/"
if command -v gcc >/dev/null; then
  gcc -std=c11 -O2 -g1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -pthread -Wl,-soname,libsluice.so.0 \
    -I"$root/client-c/include" -o "$client/lib/libsluice.so.$version" "$root"/client-c/src/*.c
  ln -sf "libsluice.so.$version" "$client/lib/libsluice.so.0"
  ln -sf libsluice.so.0 "$client/lib/libsluice.so"
  sed -e 's|@CMAKE_INSTALL_PREFIX@|${pcfiledir}/../..|' -e 's|@CMAKE_INSTALL_LIBDIR@|lib|' -e 's|@CMAKE_INSTALL_INCLUDEDIR@|include|' \
    -e "s|@PROJECT_VERSION@|$version|" "$root/client-c/cmake/sluice.pc.in" >"$client/lib/pkgconfig/sluice.pc"
else
  echo "clients.sh: the bundle has no C library: there is no gcc" >&2
fi
cp "$root/client-python/pyproject.toml" "$client/python/"
mkdir -p "$client/python/sluice" "$client/python/examples"
cp "$root"/client-python/sluice/*.py "$root/client-python/sluice/py.typed" "$client/python/sluice/"
cp "$root"/client-python/examples/*.py "$client/python/examples/"
cp "$root/client-java/target/sluice-client-$version.jar" "$client/java/"
cp "$root"/dist/src/systemd/* "$2/systemd/"
cp "$root/docs/daemon.md" "$2/docs/"
rm -rf "$2/deploy"
mkdir -p "$2/deploy"
cp -r "$root"/dist/src/{Containerfile,compose.yaml,kubernetes,slurm} "$2/deploy/"
