#!/usr/bin/env bash
# sums.sh BUNDLE: writes SHA256SUMS of every file in it, for 'sha256sum -c'.
set -euo pipefail
cd "$1"
rm -f SHA256SUMS
sums=$(find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum)
printf '%s\n' "$sums" >SHA256SUMS
