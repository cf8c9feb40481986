#!/usr/bin/env bash
# Builds the C programs that Sluice is compared with into bench/target.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p ../target
for program in stripe pingpong; do
    gcc -O2 -g -Wall -Wextra -pthread -o "../target/$program" "$program.c"
done
