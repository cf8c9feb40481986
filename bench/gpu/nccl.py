#!/usr/bin/env python3
"""One rank of two that send GPU memory over NCCL's Socket transport: the peer figure. Settings come from the environment.

  nccl.py RANK throughput|latency SIZES   sizes in bytes, with commas; prints one JSON object a line

Two ranks on one GPU pass NCCL's duplicate-GPU check only with a NCCL_HOSTID each, which also turns P2P and SHM off.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist


def pattern(n, seed):
    g = torch.Generator(device="cuda")
    g.manual_seed(seed)
    return torch.randint(0, 256, (n,), dtype=torch.uint8, device="cuda", generator=g)


def throughput(rank, size, total, rounds=3):
    x = pattern(size, 1) if rank == 0 else torch.zeros(size, dtype=torch.uint8, device="cuda")
    times = max(4, min(200, total // size))

    def once():
        dist.send(x, 1) if rank == 0 else dist.recv(x, 0)

    for _ in range(3):
        once()
    torch.cuda.synchronize()
    for _ in range(rounds):
        dist.barrier()
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(times):
            once()
        torch.cuda.synchronize()
        took = time.perf_counter() - start
        if rank == 1:
            ok = bool(torch.equal(x, pattern(size, 1)))
            print(json.dumps({"bytes": size, "times": times, "gb_per_s": round(size * times / took / 1e9, 3), "verified": ok}), flush=True)


def latency(rank, size, times=1000):
    x = pattern(size, 1)
    half = []
    for i in range(-200, times):
        start = time.perf_counter()
        if rank == 0:
            dist.send(x, 1)
            dist.recv(x, 1)
        else:
            dist.recv(x, 0)
            dist.send(x, 0)
        torch.cuda.synchronize()
        if i >= 0:
            half.append((time.perf_counter() - start) / 2 * 1e6)
    half.sort()
    if rank == 0:
        print(json.dumps({"bytes": size, "p50_us": round(half[times // 2], 2), "p99_us": round(half[times * 99 // 100], 2)}), flush=True)


def main():
    rank, mode, sizes = int(sys.argv[1]), sys.argv[2], [int(s) for s in sys.argv[3].split(",")]
    gpu = int(os.environ.get("GPU", "0"))
    torch.cuda.set_device(gpu)
    dist.init_process_group("nccl", rank=rank, world_size=2, device_id=torch.device("cuda", gpu))
    for size in sizes:
        throughput(rank, size, int(os.environ.get("TOTAL", str(1 << 31)))) if mode == "throughput" else latency(rank, size)
    if rank == 0:
        print(json.dumps({"nccl": ".".join(map(str, torch.cuda.nccl.version())), "torch": torch.__version__}), flush=True)
    dist.destroy_process_group()


main()
