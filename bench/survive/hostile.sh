#!/usr/bin/env bash
# A hostile peer that knows the protocol says legal frames as fast as it can (notes, regions given and withdrawn, sends that are opened
# and cancelled, writes by unknown keys, pings), each kind for SECONDS, at a node with a heap of 128 MiB that has a second, honest link over four NICs of
# RATE; the hostile one has a fifth. After each kind as many bytes a second go to a plain sink on the node's host instead. Prints what the honest
# link moves beside the one and beside the other (wanted: a ratio of 0.9 at least), and the node's memory; both links have to live.
# Once without and once with a shared secret. Needs root (namespaces, tc). 5 kinds of 12 s are a minute of attack, 2.5 minutes each.
#   bench/survive/hostile.sh [SECONDS=12] [RATE=100mbit] [RATE of the fifth=RATE]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-12} rate=${2:-100mbit} fifth=${3:-${2:-100mbit}}
for secret in - "the secret of a hostile run"; do
  bench/survive/run.sh hostile "$seconds" "$secret" "$rate" "$fifth"
done
