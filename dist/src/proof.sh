#!/usr/bin/env bash
# Proves that the archive is all that a machine needs: unpacked elsewhere and run with an environment in which no Java is found.
set -euo pipefail
archive=$1
most=$((60 << 20))
bytes=$(stat -c %s "$archive")
[ "$bytes" -lt "$most" ] || { echo "$archive has $bytes bytes, more than $most" >&2; exit 1; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
tar -xJf "$archive" -C "$place"
sluice=$(echo "$place"/*/bin/sluice)
(cd "$(dirname "$archive")" && sha256sum -c --quiet "$(basename "$archive").sha256")
(cd "$place"/*/ && sha256sum -c --quiet SHA256SUMS)
if command -v python3 >/dev/null; then
  python3 -c '
import json, sys
bom = json.load(open(sys.argv[1]))
names = {c["name"] for c in bom["components"]}
assert bom["bomFormat"] == "CycloneDX" and {"sluice-core", "sluice-daemon", "picocli", "java.base"} <= names, names
' "$place"/*/sbom.cdx.json
fi
bare() { env -i PATH=/nonexistent HOME="$place" "$sluice" "$@"; }
bare --version
bare loopback --gpus 2 --channels 2 --size 4MiB --iters 2 --json >"$place/result.json"
grep -q '"mismatchedBytes": 0' "$place/result.json"
grep -q '"verifiedBytes": 16777216' "$place/result.json"
# the daemon serves a program that has nothing but the bundle's client
bare daemon --socket "$place/daemon" --listen none --backend host --gpus 1 2>"$place/daemon.log" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null || true; rm -rf "$place"' EXIT
for _ in $(seq 200); do [ ! -S "$place/daemon" ] || break; sleep 0.1; done
bare daemon status --socket "$place/daemon" | grep -q '"clients":\[\]'
if command -v python3 >/dev/null && [ -e "$place"/*/client/lib/libsluice.so ]; then
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(echo "$place"/*/client/python) python3 -c '
import sys, sluice
with sluice.Client(sys.argv[1]) as client:
    client.allocate(4096).view[:3] = b"abc"
    assert client.stats()["memoryBytes"] == 4096
' "$place/daemon"
fi
kill "$daemon"
wait "$daemon" || true
echo "$archive: $bytes bytes, runs without Java"
