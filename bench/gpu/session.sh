#!/usr/bin/env bash
# Everything that is measured on a host with two GPUs, in one command of under 9 minutes: the tests on the real GPUs, lists without
# and with Sluice, one range of 64 MiB to 1 GiB next to the C pipeline and NCCL's sockets, both directions at once, latencies.
# Needs the kit of pack.sh, python3 and PyTorch. More arguments go to run.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 bench/gpu/run.py tests raw pieces lists pair duplex latency --rounds 1 --seconds 480 "$@"
