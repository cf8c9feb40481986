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
bare() { env -i PATH=/nonexistent HOME="$place" "$sluice" "$@"; }
bare --version
bare loopback --gpus 2 --channels 2 --size 4MiB --iters 2 --json >"$place/result.json"
grep -q '"mismatchedBytes": 0' "$place/result.json"
grep -q '"verifiedBytes": 16777216' "$place/result.json"
echo "$archive: $bytes bytes, runs without Java"
