#!/usr/bin/env bash
# Compiles kernels.cu to the PTX that is shipped: make-ptx.sh [OUTPUT], by default the resource in the tree.
#
# The driver compiles PTX for the GPU it finds, and takes any that is not newer than itself. So the header is lowered to the
# oldest that has every instruction used: PTX ISA 7.0 (CUDA 11.0), Volta. nvcc 13 no longer writes for Volta itself; its hints on
# unused bytes of loads are of ISA 8.3 and go, and ptxas checks that nothing else newer slipped in.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-../resources/org/sluice/cuda/kernels.ptx}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nvcc -ptx -O3 -std=c++17 -arch=compute_75 kernels.cu -o "$tmp/kernels.ptx"
sed -e '/\.pragma "used_bytes_mask/d' -e 's/^\.version .*/.version 7.0/' -e 's/^\.target .*/.target sm_70/' "$tmp/kernels.ptx" >"$out"
ptxas -arch=sm_90 "$out" -o "$tmp/kernels.cubin"
